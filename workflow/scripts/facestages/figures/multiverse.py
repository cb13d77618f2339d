"""The multiverse: do expression and identity change as claimed, however that is measured?"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from facestages.analysis.multiverse import (
    AGREEING,
    CLAIMS,
    CLEARLY,
    EVERY,
    MEASURES,
    OPPOSING,
    PAIRS,
    PRIMARY,
)
from facestages.figures import page, style
from facestages.text import abbreviate

#: Names of `MEASURES` below the panels.
_NAMES = ("raw", "less chance", "macro", "balanced", "centred", "within", "decoding")

# Choices that agree with the claim, and those that do not; open markers are not clear.
_AGREES, _OPPOSES = style.COLORS["blue"], style.COLORS["vermilion"]

# Height of a row of panels, millimetres; characters of a title.
_ROW, _LONGEST_TITLE = 19, 54

_FIELD = "#d9d9d9"
_DOT = {"marker": "o", "markersize": 3, "linewidth": 0.8, "markeredgewidth": 0.6}

# Room between measures, and between pairs of stages, in distances between choices.
_GAP, _WIDE_GAP = 1.0, 4.0

_COUNTS = ("seeds", "people", "choices")


def draw(
    choices: pd.DataFrame,
    *,
    datasets: Mapping[str, str],
    networks: Mapping[str, str],
    components: int | str,
    absent: Sequence[str] = (),
) -> page.Drawing:
    """Draw the change of each choice: a column of panels a claim, a row a face set and network.

    Parameters
    ----------
    choices : pandas.DataFrame
        Rows of `analysis.multiverse.compare_choices`.
    datasets, networks : mapping of str to str
        Name in figures of each face set and network, in order.
    components : int or "all"
        Number of components of the primary measure, which is marked.
    absent : sequence of str
        A line for each face set and network that is left out.

    Returns
    -------
    figures.page.Drawing

    Raises
    ------
    FacestagesError
        If there is nothing to draw.
    """
    chosen = choices["dataset"].isin(datasets) & choices["network"].isin(networks)
    numbers = choices[chosen].astype(dict.fromkeys(_COUNTS, "Int64"))
    page.require_values(
        numbers,
        "the figure of the multiverse",
        "no change between stages; check figures.multiverse",
    )
    each = numbers[numbers["components"] != EVERY]
    places = _place_choices(each)
    measured = each[each["value"].notna()]
    rows = list(itertools.product(datasets, networks))
    claims = [claim for claim in CLAIMS if claim in set(measured["claim"])]
    figure, axes = page.new_panels(len(rows), len(claims), _ROW * len(rows) + 36, sharex=True)
    letters = page.letters()
    for row, (dataset, network) in zip(axes, rows, strict=True):
        title = abbreviate(f"{networks[network]}, {datasets[dataset]}", _LONGEST_TITLE)
        here = numbers[(numbers["dataset"] == dataset) & (numbers["network"] == network)]
        for axis, claim in zip(row, claims, strict=True):
            panel = here[here["claim"] == claim]
            _draw_panel(axis, panel, places, claim, components)
            shares = _shares_in_words(panel, claim)
            axis.set_title(f"{next(letters)}  {title}\n{shares}", loc="left", fontsize=7)
    _share_limits(axes, rows, each, claims)
    for axis, claim in zip(axes[0], claims, strict=True):
        label, direction = CLAIMS[claim]
        _name_pairs(axis, places, f"{label.capitalize()} {direction}")
    for column in axes.T:
        drawn = [axis for axis in column if axis.axison]
        _name_measures(drawn[-1], places)
        for axis in drawn:
            axis.set_ylabel("Change", fontsize=7)
    _add_legend(figure)
    sentences = _caption(numbers, datasets, networks, components)
    return page.finish(figure, numbers, _title(numbers), sentences, absent)


def _place_choices(choices: pd.DataFrame) -> pd.Series:
    """Position of each choice, by stages, measure and components, the same in all panels."""
    counts = sorted(set(choices["components"]), key=_order)
    places, position = {}, 0.0
    for first, last in PAIRS:
        for measure in MEASURES:
            measured = set(choices.loc[choices["measure"] == measure, "components"])
            for k in counts:
                if k in measured:
                    places[f"{first} to {last}", measure, k] = position
                    position += 1
            position += _GAP
        position += _WIDE_GAP
    names = pd.MultiIndex.from_tuples(places, names=["stages", "measure", "components"])
    return pd.Series(places.values(), index=names)


def _order(components: str) -> tuple[bool, int]:
    """What numbers of components are sorted by; ``all`` comes last."""
    return (True, 0) if components == "all" else (False, int(components))


def _draw_panel(
    axis: Axes, panel: pd.DataFrame, places: pd.Series, claim: str, components: int | str
) -> None:
    """One dot and interval a choice, the primary measure's in a field of grey."""
    if not panel["value"].notna().any():
        style.say_missing(axis, "; ".join(panel["note"].unique()[:1]) or "not measured", 60)
        return
    style.mark_zero(axis)
    drawn = panel.set_index(list(places.index.names)).reindex(places.index)
    for (_, measure, k), place in places.items():
        if (measure, k) == (PRIMARY, str(components)):
            axis.axvspan(place - 0.8, place + 0.8, color=_FIELD, linewidth=0, zorder=-1)
    agrees = (drawn["direction"] == CLAIMS[claim][1]).to_numpy()
    colors = np.where(agrees, _AGREES, _OPPOSES)
    is_clear = ((drawn["ci_low"] > 0) | (drawn["ci_high"] < 0)).to_numpy()
    axis.vlines(places, drawn["ci_low"], drawn["ci_high"], color=colors, linewidth=0.5, alpha=0.8)
    faces = np.where(is_clear, colors, "white")
    looks = {"s": 4.5, "linewidths": 0.5, "zorder": 3}
    axis.scatter(places, drawn["value"], facecolors=faces, edgecolors=colors, **looks)
    axis.tick_params(labelsize=6.5)
    axis.locator_params(axis="y", nbins=4)
    axis.margins(x=0.01)


def _shares_in_words(panel: pd.DataFrame, claim: str) -> str:
    """``"falls in 95 of 123 choices, clearly in 88; clearly rises in 4"``."""
    of_every = panel[panel["stages"] == EVERY].set_index("measure")
    if of_every.empty or not of_every["choices"].max():
        return ""
    choices = int(of_every["choices"].iloc[0])
    agreeing, clearly, opposing = (
        round(of_every.loc[measure, "value"] * choices) for measure in (AGREEING, CLEARLY, OPPOSING)
    )
    verb = CLAIMS[claim][1]
    other = {"rises": "falls", "falls": "rises"}[verb]
    shares = f"{verb} in {agreeing} of {choices} choices, clearly in {clearly}"
    return f"{shares}; clearly {other} in {opposing}"


def _share_limits(
    axes: np.ndarray, rows: Sequence[tuple[str, str]], each: pd.DataFrame, claims: Sequence[str]
) -> None:
    """Give all panels of a face set and claim one axis: all values, most intervals."""
    for column, claim in enumerate(claims):
        for dataset in dict.fromkeys(dataset for dataset, _ in rows):
            shown = each[(each["claim"] == claim) & (each["dataset"] == dataset)]
            if shown["value"].notna().any():
                low = min(shown["value"].min(), 0, *shown["ci_low"].quantile([0.01]).dropna())
                high = max(shown["value"].max(), 0, *shown["ci_high"].quantile([0.99]).dropna())
                margin = 0.06 * (high - low)
                for axis, row in zip(axes[:, column], rows, strict=True):
                    if row[0] == dataset:
                        axis.set_ylim(low - margin, high + margin)


def _name_pairs(axis: Axes, places: pd.Series, claim: str) -> None:
    """The claim, and the pairs of stages, above the title of a column's first panel."""
    above = {"textcoords": "offset points", "va": "bottom"}
    axis.annotate(claim, (0, 1), (0, 38), "axes fraction", fontsize=8, weight="bold", **above)
    for stages, place in places.groupby("stages", sort=False).mean().items():
        at = ("data", "axes fraction")
        axis.annotate(stages, (place, 1), (0, 25), at, ha="center", fontsize=7, **above)


def _name_measures(axis: Axes, places: pd.Series) -> None:
    middles = places.groupby(["stages", "measure"], sort=False).mean()
    names = dict(zip(MEASURES, _NAMES, strict=True))
    words = [names[measure] for _, measure in middles.index]
    axis.set_xticks(middles, words, rotation=90, fontsize=6)
    # Below the last panel that is drawn, which need not be the last one.
    axis.tick_params(labelbottom=True)


def _add_legend(figure: Figure) -> None:
    handles, names = [], []
    for words, color in (("as claimed", _AGREES), ("the other way", _OPPOSES)):
        for face, interval in ((color, "clearly"), ("white", "not clearly")):
            handles.append(plt.Line2D([], [], color=color, markerfacecolor=face, **_DOT))
            names.append(f"{words}, {interval}")
    handles.append(Patch(color=_FIELD, linewidth=0))
    page.add_legend(figure, handles, [*names, "primary measure"], 3, fontsize=7)


def _title(numbers: pd.DataFrame) -> str:
    """In how many choices each label clearly changes as claimed, and against the claim."""
    every = numbers[(numbers["stages"] == EVERY) & (numbers["choices"].fillna(0) > 0)]
    parts = []
    for claim, (label, verb) in CLAIMS.items():
        rows = every[every["claim"] == claim]
        counts = (rows["value"] * rows["choices"]).groupby(rows["measure"]).sum().round()
        if len(counts):
            other = {"rises": "falls", "falls": "rises"}[verb]
            choices = int(rows.loc[rows["measure"] == CLEARLY, "choices"].sum())
            parts.append(
                f"{label} clearly {verb} in {counts[CLEARLY]:.0f} and {other} in "
                f"{counts[OPPOSING]:.0f} of {choices}"
            )
    return f"Of all choices of measure, {'; '.join(parts)}" if parts else "Choices of measure"


def _caption(
    numbers: pd.DataFrame,
    datasets: Mapping[str, str],
    networks: Mapping[str, str],
    components: int | str,
) -> list[str]:
    of_choices = numbers[numbers["components"] != EVERY]
    each = of_choices[of_choices["value"].notna()]
    counts = dict.fromkeys(sorted(each["components"], key=_order))
    primary = _NAMES[MEASURES.index(PRIMARY)]
    return [
        f"Change from one stage to another, each dot one choice of stages, measure and number of "
        f"principal components (from left to right {', '.join(counts)}; decoding not in all). Raw "
        f"is the paper's mean silhouette, the next one the same less the mean of permuted labels, "
        f"as the other silhouettes are; decoding is balanced accuracy. Grey: the primary measure "
        f"of both labels, {primary} in the {page.name_space(components)}. Bars: 95 % intervals "
        f"over people; those of decoding are conservative. Clearly: the interval is beyond 0. "
        f"Means over seeds: {page.count_seeds(each, networks)}. The choices share pictures, so "
        f"their shares describe and test nothing.",
        *page.rendered_among(numbers, datasets),
        *page.without_label(of_choices, datasets),
        *_without_measures(of_choices, datasets),
        *page.circular(each, networks, datasets),
    ]


def _without_measures(of_choices: pd.DataFrame, datasets: Mapping[str, str]) -> list[str]:
    """A sentence for each face set and label of which some measures have no value, and why."""
    sentences = []
    for (dataset, label), rows in of_choices.groupby(["dataset", "label"], sort=False):
        counts = rows.groupby("measure", sort=False)["value"].count()
        lacking = rows[rows["measure"].map(counts) == 0].drop_duplicates("measure")
        if len(lacking) < len(counts):
            names = lacking["measure"].map(dict(zip(MEASURES, _NAMES, strict=True)))
            reasons = names.groupby(lacking["note"], sort=False).agg(", ".join)
            sentences += [
                f"Not measured, {label} on {datasets[dataset]}: {those} ({note})."
                for note, those in reasons.items()
            ]
    return sentences
