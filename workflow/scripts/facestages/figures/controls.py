"""Identity silhouettes under three controls: low-level properties, few pictures, components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from facestages.figures import page, style
from facestages.figures.seeds import mean_over_seeds

_SILHOUETTE = "silhouette"
_SUBSAMPLED = "silhouette_subsampled"
_CHANGE = "silhouette_subsampled_change"

# The stage at which each label is expected to be most separate.
_STAGES = {"identity": "middle", "expression": "final"}

# Columns that tell measurements on one face set apart.
_ON_A_SET = ["network", "layer", "stage", "label", "components"]
_KEYS = ["dataset", "network", "stage", "layer", "label", "measure", "components"]
_COLUMNS = [
    *("panel", "dataset", "rendered", "network", "stage", "layer", "label", "measure"),
    *("components", "value", "ci_low", "ci_high", "seeds", "n", "note"),
]


def draw(
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
) -> page.Drawing:
    """Draw identity silhouettes under three kinds of control.

    `looks` is described in `figures.style.line_styles`.

    Parameters
    ----------
    scores : pandas.DataFrame
        Rows of `analysis.separability.score_separability`.
    conditions : mapping of str to str
        Name in figures of face sets: one as it is, then with low-level properties made equal.
    pixels, networks : mapping of str to str
        Name in figures of the networks that are scored on `conditions`, and on `many` and `few`.
    many, few : (str, str)
        Name, and name in figures, of a face set of many and of one of few pictures a person.
    components : int or "all"
        Number of components in which few and many pictures are compared.
    absent : sequence of str
        A line for each network and face set that is left out.

    Returns
    -------
    figures.page.Drawing
        Numbers: the silhouettes drawn, and what claims are judged by. ``change`` and
        ``share_left`` compare a controlled face set with the first. ``gap_explained`` is
        ``silhouette_subsampled_change``, from all pictures of `many` to few, as a share of the
        difference between `few` and `many`. The interval of a difference of face sets is the
        widest that their own intervals allow.

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
    page.require_values(
        numbers,
        "the figure of controls",
        "no identity silhouettes; check figures.controls and the face sets' labels",
    )
    figure, axes = page.new_panels(2, 2, 150)
    _draw_low_level(axes[0, 0], low_level, conditions, pixels)
    _draw_few(axes[0, 1], few_pictures, many, few[1], networks)
    for axis, label, letter in zip(axes[1], ("identity", "expression"), "cd", strict=True):
        _draw_sweep(axis, sweep[sweep["label"] == label], looks)
        stage = _STAGES[label]
        axis.set_title(f"{letter}  {label.capitalize()}, {stage} stage", loc="left")
        axis.set_ylabel(f"{label.capitalize()} silhouette")
    lines = style.line_styles(looks)
    page.add_line_legend(figure, networks, lines, min(3, len(lines)))
    sentences = _caption(numbers, many, few, conditions, pixels | networks, components)
    return page.finish(figure, numbers, sentences, absent)


def _low_level(summary: pd.DataFrame, conditions: Mapping, pixels: Mapping) -> pd.DataFrame:
    """Identity silhouettes of each face set, and how far those of the first change."""
    scores = summary[
        summary["dataset"].isin(conditions)
        & summary["network"].isin(pixels)
        & (summary["label"] == "identity")
        & (summary["measure"] == _SILHOUETTE)
    ]
    by_set = {name: scores[scores["dataset"] == name].set_index(_ON_A_SET) for name in conditions}
    base, *others = by_set.values()
    changes = []
    for other in others:
        shared = other.index.intersection(base.index)
        one, two = base.loc[shared], other.loc[shared]
        change = _less(two, one).assign(measure="change")
        left = two.assign(
            value=two["value"] / one["value"], ci_low=np.nan, ci_high=np.nan, measure="share_left"
        )
        changes += [change.reset_index(), left.reset_index()]
    return pd.concat([scores, *changes], ignore_index=True)


def _less(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """One table less another of the same index, with the widest intervals that theirs allow."""
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
    scores = summary[
        summary["network"].isin(networks)
        & (summary["stage"] == _STAGES["identity"])
        & (summary["label"] == "identity")
        & (summary["components"] == str(components))
        & summary["dataset"].isin([many[0], few[0]])
    ]
    whole, change, other = (
        scores[(scores["dataset"] == name) & (scores["measure"] == measure)].set_index(_ON_A_SET)
        for name, measure in ((many[0], _SILHOUETTE), (many[0], _CHANGE), (few[0], _SILHOUETTE))
    )
    shared = change.index.intersection(other.index)
    gap = (other.loc[shared, "value"] - whole.loc[shared, "value"]).replace(0, np.nan)
    explained = change.loc[shared].assign(measure="gap_explained")
    ends = explained[["value", "ci_low", "ci_high"]].div(gap, axis=0)
    # Division by a negative gap swaps the ends of an interval.
    explained["value"] = ends["value"]
    explained["ci_low"], explained["ci_high"] = ends.min(axis=1), ends.max(axis=1)
    return pd.concat([scores, explained.reset_index()], ignore_index=True)


def _sweep(summary: pd.DataFrame, many: str, networks: Mapping[str, str]) -> pd.DataFrame:
    """Silhouettes of each label at its stage, by number of components."""
    return summary[
        (summary["label"].map(_STAGES) == summary["stage"])
        & (summary["dataset"] == many)
        & summary["network"].isin(networks)
        & (summary["measure"] == _SILHOUETTE)
    ]


def _numbers_of_components(table: pd.DataFrame) -> list[str]:
    numbers = set(table["components"])
    return [*sorted(numbers - {"all"}, key=int), *(["all"] if "all" in numbers else [])]


def _draw_curve(axis: Axes, rows: pd.DataFrame, places: Sequence[str], look: Mapping) -> None:
    rows = rows.set_index("components").reindex(places)
    x = np.arange(len(places))
    axis.plot(x, rows["value"], **look)
    style.fill_band(axis, x, rows["ci_low"], rows["ci_high"], look["color"], alpha=0.15)


def _name_components(axis: Axes, places: Sequence[str]) -> None:
    axis.set_xticks(range(len(places)), places)
    axis.set_xlabel("Principal components")


def _draw_low_level(
    axis: Axes, table: pd.DataFrame, conditions: Mapping[str, str], pixels: Mapping[str, str]
) -> None:
    scores = table[table["measure"] == _SILHOUETTE]
    axis.set_title(f"a  Low-level properties: {', '.join(pixels.values())}", loc="left")
    if not scores["value"].notna().any():
        style.say_missing(axis, "no identity silhouettes of these face sets")
        return
    places = _numbers_of_components(scores)
    style.mark_zero(axis)
    for line, (dataset, label) in zip(style.LINES, conditions.items(), strict=False):
        for position, network in enumerate(pixels):
            rows = scores[(scores["dataset"] == dataset) & (scores["network"] == network)]
            look = {**line, "alpha": 1 - 0.6 * position / len(pixels)}
            _draw_curve(axis, rows.drop_duplicates("components"), places, look)
        axis.plot([], [], label=label, **line)
    axis.legend(frameon=False, fontsize=7)
    _name_components(axis, places)
    axis.set_ylabel("Identity silhouette")


def _draw_few(
    axis: Axes,
    table: pd.DataFrame,
    many: tuple[str, str],
    few: str,
    networks: Mapping[str, str],
) -> None:
    axis.set_title("b  Few pictures a person", loc="left")
    of_many = table["dataset"] == many[0]
    subsampled = table[of_many & (table["measure"] == _SUBSAMPLED)]
    if subsampled.empty:
        style.say_missing(
            axis,
            f"{many[1]} has not twice as many pictures a person as analysis.pictures_per_person",
        )
        return
    pictures = str(subsampled["note"].iloc[0]).partition(" ")[0]
    is_whole = table["measure"] == _SILHOUETTE
    groups = (
        (f"{many[1]}, all pictures", table[is_whole & of_many]),
        (f"{many[1]}, {pictures} a person", subsampled),
        (few, table[is_whole & ~of_many]),
    )
    names = [name for name in networks if name in set(table["network"])]
    style.mark_zero(axis, vertical=True)
    for number, (label, group) in enumerate(groups):
        look, y = style.LINES[number], np.arange(len(names)) + 0.22 * (number - 1)
        rows = group.drop_duplicates("network").set_index("network").reindex(names)
        axis.hlines(y, rows["ci_low"], rows["ci_high"], color=look["color"], linewidth=1.0)
        axis.plot(rows["value"], y, **{**look, "linestyle": ""}, label=label)
    axis.set_yticks(range(len(names)), [networks[name] for name in names], fontsize=7)
    # Room for the legend below the last network.
    axis.set_ylim(len(names) + 1.2, -0.6)
    axis.set_xlabel("Identity silhouette, middle stage")
    axis.legend(frameon=False, fontsize=6.5, loc="lower right")


def _draw_sweep(axis: Axes, table: pd.DataFrame, looks: Mapping[str, int | str]) -> None:
    if not table["value"].notna().any():
        style.say_missing(axis, "not measured")
        return
    places = _numbers_of_components(table)
    style.mark_zero(axis)
    for network, line in style.line_styles(looks).items():
        rows = table[table["network"] == network]
        if len(rows):
            _draw_curve(axis, rows, places, line)
    _name_components(axis, places)


def _caption(numbers, many, few, conditions, networks, components) -> list[str]:
    base, *others = conditions.values()
    controlled = " and as ".join(f"'{label}'" for label in others)
    return [
        f"Mean silhouettes, means over seeds; bars and bands: {page.INTERVALS}. (a) {base} as it "
        f"is and as {controlled}: what identity in pictures owes to low-level properties. (b) "
        f"Identity in the {page.name_space(components)} of the middle stage: {many[1]} with all "
        f"pictures, with as few of each person (mean of draws) as a set like {few[1]} has, and "
        f"{few[1]}. (c, d) {many[1]}, by number of components.",
        *page.rendered((numbers["rendered"] == 1).all()),
        *page.circular(numbers, networks),
    ]
