"""Identity silhouettes under controls: low-level properties, equal numbers, components."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from facestages.figures import page, style
from facestages.figures.control_numbers import (
    BOTH,
    COLUMNS,
    EQUAL,
    SILHOUETTE,
    STAGES,
    equal_numbers,
    low_level,
    sweep,
)
from facestages.figures.seeds import mean_over_seeds
from facestages.text import abbreviate

_KEYS = ["dataset", "network", "stage", "layer", "label", "measure", "components"]


def draw(
    scores: pd.DataFrame,
    subsamples: pd.DataFrame | None = None,
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
    subsamples : pandas.DataFrame, optional
        Rows of `analysis.subsamples.score_subsamples` on `many` and `few`.
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
        ``share_left`` compare a controlled face set with the first; their intervals are the widest
        that both intervals allow. ``gap_explained`` is the part of the difference between
        `few` and `many` that equal numbers of pictures, of people, or of both explain
        (`analysis.subsamples.explain_gap`); its ``n`` are the people of both face sets.

    Raises
    ------
    FacestagesError
        If there is nothing to draw.
    """
    summary = mean_over_seeds(scores[scores["measure"] == SILHOUETTE], _KEYS)
    properties = low_level(summary, conditions, pixels)
    equal = equal_numbers(subsamples, many, few, networks)
    by_components = sweep(summary, many[0], networks)
    parts = [properties.assign(panel="low level"), equal, by_components.assign(panel="components")]
    numbers = pd.concat([part for part in parts if len(part)] or parts).reindex(columns=COLUMNS)
    page.require_values(
        numbers,
        "the figure of controls",
        "no identity silhouettes; check figures.controls and the face sets' labels",
    )
    figure, grid = page.new_panels(3, 2, 190)
    axes = list(grid.flat)
    _draw_low_level(axes[0], properties, conditions, pixels)
    _draw_equal(axes[1], equal, many, few, networks)
    _draw_gap(axes[2], equal, networks)
    for axis, label, letter in zip(axes[3:5], ("identity", "expression"), "de", strict=True):
        _draw_sweep(axis, by_components[by_components["label"] == label], looks)
        stage = STAGES[label]
        axis.set_title(f"{letter}  {label.capitalize()}, {stage} stage", loc="left")
        axis.set_ylabel(f"{label.capitalize()} silhouette")
    _name_networks(axes[5], networks, looks)
    sentences = _caption(numbers, many, few, conditions, pixels | networks)
    return page.finish(figure, numbers, _title(numbers, many, few), sentences, absent)


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
    scores = table[table["measure"] == SILHOUETTE]
    names = abbreviate(", ".join(pixels.values()), 14)
    axis.set_title(f"a  Low-level properties: {names}", loc="left")
    if not scores["value"].notna().any():
        style.say_missing(axis, "no identity silhouettes of these face sets")
        return
    places = _numbers_of_components(scores)
    style.mark_zero(axis)
    for line, (dataset, label) in zip(
        itertools.cycle(style.SETS), conditions.items(), strict=False
    ):
        for position, network in enumerate(pixels):
            rows = scores[(scores["dataset"] == dataset) & (scores["network"] == network)]
            look = {**line, "alpha": 1 - 0.6 * position / len(pixels)}
            _draw_curve(axis, rows.drop_duplicates("components"), places, look)
        axis.plot([], [], label=abbreviate(label, 42), **line)
    _add_legend(axis, "best")
    _name_components(axis, places)
    axis.set_ylabel("Identity silhouette")


def _draw_equal(
    axis: Axes,
    table: pd.DataFrame,
    many: tuple[str, str],
    few: tuple[str, str],
    networks: Mapping[str, str],
) -> None:
    axis.set_title("b  Identity on equal numbers", loc="left")
    names = _name_rows(axis, table, networks)
    if not names:
        style.say_missing(axis, "no identity silhouettes of both face sets")
        return
    style.mark_zero(axis, vertical=True)
    for number, (dataset, title) in enumerate((many, few)):
        for measure, words in ((SILHOUETTE, "all"), (BOTH, "equal numbers")):
            rows = table[(table["dataset"] == dataset) & (table["measure"] == measure)]
            look = {
                **style.SETS[number],
                "linestyle": "",
                "label": f"{abbreviate(title, 24)}, {words}",
            }
            look |= {"markerfacecolor": "white"} if measure == BOTH else {}
            aside = (number - 0.5) * (0.6 if measure == SILHOUETTE else 0.2)
            _draw_marks(axis, rows, names, aside, look)
    axis.set_xlabel("Identity silhouette, middle stage")
    _add_legend(axis, "lower left")


def _add_legend(axis: Axes, place: str, title: str = "") -> None:
    """A legend inside a panel, whose names do not make the panel narrower."""
    legend = axis.legend(frameon=False, fontsize=6, loc=place, title=title, title_fontsize=6)
    legend.set_in_layout(False)


def _draw_gap(axis: Axes, table: pd.DataFrame, networks: Mapping[str, str]) -> None:
    axis.set_title("c  What equal numbers explain", loc="left")
    explained = table[table["measure"] == "gap_explained"]
    names = _name_rows(axis, explained, networks)
    if not names:
        style.say_missing(axis, "no identity silhouettes of both face sets")
        return
    for place in (0, 1):
        style.mark_zero(axis, place, vertical=True)
    for number, (panel, title) in enumerate(EQUAL.values()):
        look = {**style.SETS[2 + number], "linestyle": "", "label": title}
        rows = explained[explained["panel"] == panel]
        _draw_marks(axis, rows, names, 0.22 * (number - 1), look)
    axis.set_xlabel("Part of the gap between the face sets")
    _add_legend(axis, "lower left", "Made equal")


def _name_rows(axis: Axes, table: pd.DataFrame, networks: Mapping[str, str]) -> list[str]:
    """A row for each network that has a value, with room for the legend below the last."""
    measured = set(table.loc[table["value"].notna(), "network"])
    names = [name for name in networks if name in measured]
    labels = [abbreviate(networks[name], 26) for name in names]
    axis.set_yticks(range(len(names)), labels, fontsize=6)
    # A legend takes a third of the panel.
    axis.set_ylim(1.5 * len(names) - 0.2, -0.6)
    return names


def _draw_marks(
    axis: Axes, rows: pd.DataFrame, names: Sequence[str], aside: float, look: Mapping
) -> None:
    """Values of networks, with intervals, beside the middle of their rows."""
    rows, y = rows.set_index("network").reindex(names), np.arange(len(names)) + aside
    axis.hlines(y, rows["ci_low"], rows["ci_high"], color=look["color"], linewidth=1.0)
    axis.plot(rows["value"], y, **look)


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


def _name_networks(axis: Axes, networks: Mapping[str, str], looks: Mapping) -> None:
    """The legend of the networks, in a panel of its own."""
    axis.set_axis_off()
    lines = style.line_styles(looks)
    handles = [Line2D([], [], **line) for line in lines.values()]
    labels = [textwrap.fill(networks[name], 24) for name in lines]
    place = {"loc": "center left", "handlelength": 3.2, "fontsize": 7}
    axis.legend(handles, labels, frameon=False, **place).set_in_layout(False)


def _title(numbers, many, few) -> str:
    """What part of the gap between the face sets equal numbers explain."""
    parts = numbers[(numbers["panel"] == EQUAL[BOTH][0]) & (numbers["measure"] == "gap_explained")]
    shares = parts["value"].dropna()
    if shares.empty:
        return "Identity under controls: low-level properties, equal numbers, components"
    low, high = f"{100 * shares.min():.0f}", f"{100 * shares.max():.0f} %"
    span = high if len(shares) == 1 else f"{low} to {high}"
    return (
        f"Equal numbers of people and pictures explain {span} of the difference in identity "
        f"silhouettes between {many[1]} and {few[1]}"
    )


def _caption(numbers, many, few, conditions, networks) -> list[str]:
    base, *others = conditions.values()
    controlled = " and as ".join(f"'{label}'" for label in others)
    return [
        f"Mean silhouettes, means over seeds; bars and bands: {page.INTERVALS}. (a) {base} as it "
        f"is and as {controlled}: what identity in pictures owes to low-level properties.",
        *_equal_in_words(numbers, many, few),
        f"(d, e) {many[1]}, by number of components.",
        *page.rendered((numbers["rendered"] == 1).all()),
        *page.circular(numbers, networks),
    ]


def _equal_in_words(numbers, many, few) -> list[str]:
    """What panels b and c show, with the numbers of people and pictures."""
    both = numbers[(numbers["panel"] == "few of both") & numbers["value"].notna()]
    if both.empty:
        return []
    space = page.name_space(both["components"].iloc[0])
    on_equal = "; ".join(dict.fromkeys(both["note"].str.partition("; no interval")[0]))
    return [
        f"(b) Identity in the {space} of the middle stage: {many[1]} and {few[1]} as they are, and "
        f"on equal numbers, mean of draws ({on_equal}). Silhouettes fall with the number of "
        f"people, as the nearest of many is nearer. (c) The part of the gap between the face sets "
        f"that equal numbers of pictures a person, of people, or of both explain, with Fieller's "
        f"95 % interval over people; a gap that is not told from 0 has none."
    ]
