"""The draft's conjectures as tests: few pictures, low-level properties, ten components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facestages.errors import FacestagesError
from facestages.figures import style
from facestages.figures.seeds import mean_over_seeds

_SILHOUETTE = "silhouette"
_SUBSAMPLED = "silhouette_subsampled"
_CHANGE = "silhouette_subsampled_change"

_KEYS = ["dataset", "network", "stage", "layer", "label", "measure", "components"]
_COLUMNS = [
    *("panel", "dataset", "rendered", "network", "stage", "layer", "label", "measure"),
    *("components", "value", "ci_low", "ci_high", "seeds", "n", "note"),
]


def draw_controls(
    scores: pd.DataFrame,
    *,
    conditions: Mapping[str, str],
    pixels: Mapping[str, str],
    many: tuple[str, str],
    few: tuple[str, str],
    networks: Mapping[str, str],
    looks: Mapping[str, int | str],
    components: int | str,
    absent: Sequence[str] = (),
) -> tuple[Figure, pd.DataFrame, str]:
    """Draw identity silhouettes under three kinds of control.

    Parameters
    ----------
    scores : pandas.DataFrame
        Rows of `analysis.separability.score_separability`.
    conditions : mapping of str to str
        Name in figures of face sets: as they are, then with low-level properties made equal.
    pixels : mapping of str to str
        Name in figures of the networks that look at these.
    many, few : (str, str)
        Name, and name in figures, of a face set of many and of one of few pictures a person.
    networks : mapping of str to str
        Name in figures of the networks that look at those two.
    looks : mapping of str to int or str
        See `figures.style.line_styles`.
    components : int or "all"
        Number of components in which few and many pictures are compared.
    absent : sequence of str
        A line for each network and face set that is left out.

    Returns
    -------
    figure : matplotlib.figure.Figure
    numbers : pandas.DataFrame
        The numbers drawn, and what claims are judged by: ``change`` and ``share_left`` of a
        controlled face set beside the first, ``silhouette_subsampled_change``, and
        ``gap_explained``: the part of what the set of few pictures lacks that few pictures of the
        other explain. Intervals of differences between face sets are the widest that
        theirs allow.
    caption : str

    Raises
    ------
    FacestagesError
        If there is nothing to draw.
    """
    measured = scores["measure"].isin([_SILHOUETTE, _SUBSAMPLED, _CHANGE])
    summary = mean_over_seeds(scores[measured], _KEYS)
    low_level = _low_level(summary, conditions, pixels)
    few_pictures = _few_pictures(summary, many, few, networks, components)
    sweep = _sweep(summary, many[0], networks)
    parts = {"low level": low_level, "few pictures": few_pictures, "components": sweep}
    numbers = pd.concat([part.assign(panel=name) for name, part in parts.items()])
    numbers = numbers.reindex(columns=_COLUMNS)
    if numbers["value"].notna().sum() == 0:
        raise FacestagesError(
            "the figure of controls has nothing to draw: no identity silhouettes; check "
            "figures.controls and the face sets' labels"
        )
    style.use_style()
    figure, axes = plt.subplots(
        2,
        2,
        figsize=(style.PAGE_WIDTH, 150 * style.MILLIMETRE),
        squeeze=False,
        layout="constrained",
    )
    _draw_low_level(axes[0, 0], low_level, conditions, pixels)
    _draw_few(axes[0, 1], few_pictures, many[1], few[1], networks)
    for axis, label, letter in zip(axes[1], ("identity", "expression"), "cd", strict=True):
        _draw_sweep(axis, sweep[sweep["label"] == label], networks, looks)
        stage = _STAGES[label]
        axis.set_title(f"{letter}  {label.capitalize()}, {stage} stage", loc="left")
        axis.set_ylabel(f"{label.capitalize()} silhouette")
    _add_network_legend(figure, networks, looks)
    caption = _caption(numbers, many, few, conditions, components)
    caption = " ".join([caption, *(f"LEFT OUT: {line}." for line in absent)])
    style.add_caption(figure, caption)
    return figure, numbers, caption


# Where each label is at home.
_STAGES = {"identity": "middle", "expression": "final"}


def _low_level(summary: pd.DataFrame, conditions: Mapping, pixels: Mapping) -> pd.DataFrame:
    """Identity silhouettes of each face set, and what is left of those of the first."""
    own = summary[
        summary["dataset"].isin(conditions)
        & summary["network"].isin(pixels)
        & (summary["label"] == "identity")
        & (summary["measure"] == _SILHOUETTE)
    ]
    base, *others = conditions
    keys = ["network", "layer", "stage", "label", "components"]
    first = own[own["dataset"] == base].set_index(keys)
    changes = []
    for name in others:
        other = own[own["dataset"] == name].set_index(keys)
        shared = other.index.intersection(first.index)
        one, two = first.loc[shared], other.loc[shared]
        change = _less(two, one).assign(measure="change")
        left = two.assign(
            value=two["value"] / one["value"], ci_low=np.nan, ci_high=np.nan, measure="share_left"
        )
        changes += [change.reset_index(), left.reset_index()]
    return pd.concat([own, *changes], ignore_index=True)


def _less(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Differences of two tables of one index, with the widest interval that theirs allow."""
    return one.assign(
        value=one["value"] - other["value"],
        ci_low=one["ci_low"] - other["ci_high"],
        ci_high=one["ci_high"] - other["ci_low"],
    )


def _few_pictures(
    summary: pd.DataFrame,
    many: tuple[str, str],
    few: tuple[str, str],
    networks: Mapping[str, str],
    components: int | str,
) -> pd.DataFrame:
    """Identity silhouettes on all and on few pictures a person, and on the set of few."""
    own = summary[
        summary["network"].isin(networks)
        & (summary["stage"] == _STAGES["identity"])
        & (summary["label"] == "identity")
        & (summary["components"] == str(components))
        & summary["dataset"].isin([many[0], few[0]])
    ]
    keys = ["network", "layer", "stage", "label", "components"]
    whole, change, other = (
        own[(own["dataset"] == name) & (own["measure"] == measure)].set_index(keys)
        for name, measure in ((many[0], _SILHOUETTE), (many[0], _CHANGE), (few[0], _SILHOUETTE))
    )
    shared = change.index.intersection(other.index)
    gap = (other.loc[shared, "value"] - whole.loc[shared, "value"]).replace(0, np.nan)
    explained = change.loc[shared].assign(measure="gap_explained")
    ends = explained[["value", "ci_low", "ci_high"]].div(gap, axis=0)
    # A gap below zero turns the ends of an interval.
    explained["value"] = ends["value"]
    explained["ci_low"], explained["ci_high"] = ends.min(axis=1), ends.max(axis=1)
    return pd.concat([own, explained.reset_index()], ignore_index=True)


def _sweep(summary: pd.DataFrame, many: str, networks: Mapping[str, str]) -> pd.DataFrame:
    """Silhouettes by number of components, of each label where it is at home."""
    at_home = summary["label"].map(_STAGES) == summary["stage"]
    return summary[
        at_home
        & (summary["dataset"] == many)
        & summary["network"].isin(networks)
        & (summary["measure"] == _SILHOUETTE)
    ]


def _numbers_of_components(table: pd.DataFrame) -> list[str]:
    found = set(table["components"])
    return [*sorted(found - {"all"}, key=int), *(["all"] if "all" in found else [])]


def _draw_curve(axis: Axes, own: pd.DataFrame, places: Sequence[str], look: Mapping) -> None:
    own = own.set_index("components").reindex(places)
    x = np.arange(len(places))
    axis.plot(x, own["value"], **look)
    axis.fill_between(x, own["ci_low"], own["ci_high"], color=look["color"], alpha=0.15, lw=0)


def _name_components(axis: Axes, places: Sequence[str]) -> None:
    axis.set_xticks(range(len(places)), places)
    axis.set_xlabel("Principal components")


def _draw_low_level(
    axis: Axes, table: pd.DataFrame, conditions: Mapping[str, str], pixels: Mapping[str, str]
) -> None:
    own = table[table["measure"] == _SILHOUETTE]
    axis.set_title(f"a  Low-level properties: {', '.join(pixels.values())}", loc="left")
    if own["value"].notna().sum() == 0:
        style.say_missing(axis, "no identity silhouettes of these face sets")
        return
    places = _numbers_of_components(own)
    axis.axhline(0, color="#b0b0b0", linewidth=0.6, zorder=0)
    for number, (dataset, label) in enumerate(conditions.items()):
        look = style.LINES[number]
        for position, network in enumerate(pixels):
            chosen = own[(own["dataset"] == dataset) & (own["network"] == network)]
            chosen = chosen.drop_duplicates("components")
            alpha = {"alpha": 1 - 0.6 * position / len(pixels)}
            _draw_curve(axis, chosen, places, {**look, **alpha})
        axis.plot([], [], label=label, **look)
    axis.legend(frameon=False, fontsize=7)
    _name_components(axis, places)
    axis.set_ylabel("Identity silhouette")


def _draw_few(
    axis: Axes, table: pd.DataFrame, many: str, few: str, networks: Mapping[str, str]
) -> None:
    axis.set_title("b  Few pictures a person", loc="left")
    drawn = table[table["measure"] == _SUBSAMPLED]
    if drawn.empty:
        style.say_missing(
            axis, f"{many} has not twice as many pictures a person as analysis.pictures_per_person"
        )
        return
    pictures = str(drawn["note"].iloc[0]).partition(" ")[0]
    of_many = table["dataset"] == drawn["dataset"].iloc[0]
    whole = table["measure"] == _SILHOUETTE
    groups = (
        (f"{many}, all pictures", table[whole & of_many]),
        (f"{many}, {pictures} a person", drawn),
        (few, table[whole & ~of_many]),
    )
    names = [name for name in networks if name in set(table["network"])]
    axis.axvline(0, color="#b0b0b0", linewidth=0.6, zorder=0)
    for number, (label, own) in enumerate(groups):
        look, rows = style.LINES[number], own.drop_duplicates("network").set_index("network")
        rows = rows.reindex(names)
        y = np.arange(len(names)) + 0.22 * (number - 1)
        axis.hlines(y, rows["ci_low"], rows["ci_high"], color=look["color"], linewidth=1.0)
        axis.plot(
            rows["value"], y, linestyle="", color=look["color"], marker=look["marker"], label=label
        )
    axis.set_yticks(range(len(names)), [networks[name] for name in names], fontsize=7)
    # Room for the legend below the last network.
    axis.set_ylim(len(names) + 1.2, -0.6)
    axis.set_xlabel("Identity silhouette, middle stage")
    axis.legend(frameon=False, fontsize=6.5, loc="lower right")


def _draw_sweep(
    axis: Axes, table: pd.DataFrame, networks: Mapping[str, str], looks: Mapping[str, int | str]
) -> None:
    if table["value"].notna().sum() == 0:
        style.say_missing(axis, "not measured")
        return
    places = _numbers_of_components(table)
    axis.axhline(0, color="#b0b0b0", linewidth=0.6, zorder=0)
    for network, line in style.line_styles(looks).items():
        own = table[table["network"] == network]
        if len(own):
            _draw_curve(axis, own, places, line)
    _name_components(axis, places)


def _add_network_legend(figure: Figure, networks, looks) -> None:
    handles = [plt.Line2D([], [], **line) for line in style.line_styles(looks).values()]
    figure.legend(
        handles,
        [networks[name] for name in looks],
        loc="outside upper center",
        ncols=min(3, len(handles)),
        frameon=False,
        handlelength=3.2,
    )


def _caption(numbers, many, few, conditions, components) -> str:
    space = "full space" if components == "all" else f"first {components} principal components"
    base, *others = conditions.values()
    controlled = " and as ".join(f"'{label}'" for label in others)
    parts = [
        f"Mean silhouettes, means over seeds; bars and bands: 95 % intervals over people, of "
        f"several seeds the widest. (a) {base} as it is, as {controlled}: what identity in "
        f"pictures owes to low-level properties. (b) Identity in the {space} of the middle "
        f"stage: {many[1]} with all pictures, with as few of each person (mean of draws) as a set "
        f"like {few[1]} has, and {few[1]}. (c, d) {many[1]}, by number of components."
    ]
    if (numbers["rendered"] == 1).all():
        parts.append("All faces are RENDERED, not photographs.")
    own = numbers[numbers["note"].astype(str).str.contains("CIRCULAR")]
    if len(own):
        parts.append(f"CIRCULAR, labels of its own: {', '.join(own['network'].unique())}.")
    return " ".join(parts)
