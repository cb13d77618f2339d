"""Identity silhouettes under controls: low-level properties, equal numbers, components."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from facestages.analysis.labels import join_notes
from facestages.analysis.resampling import pseudo_interval
from facestages.analysis.subsamples import explain_gap
from facestages.figures import page, style
from facestages.figures.seeds import mean_over_seeds
from facestages.text import abbreviate

_SILHOUETTE = "silhouette"
_BOTH = "silhouette_few_of_both"

# The stage at which each label is expected to be most separate.
_STAGES = {"identity": "middle", "expression": "final"}

# By measure on equal numbers: its panel of the numbers, and its name in the figure.
_EQUAL = {
    "silhouette_few_pictures": ("few pictures", "Pictures"),
    "silhouette_few_people": ("few people", "People"),
    _BOTH: ("few of both", "Both"),
}

# Columns that tell measurements on one face set apart.
_ON_A_SET = ["network", "layer", "stage", "label", "components"]
_KEYS = ["dataset", "network", "stage", "layer", "label", "measure", "components"]
_COLUMNS = [
    *("panel", "dataset", "rendered", "network", "stage", "layer", "label", "measure"),
    *("components", "value", "ci_low", "ci_high", "seeds", "n", "note"),
]


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
    summary = mean_over_seeds(scores[scores["measure"] == _SILHOUETTE], _KEYS)
    low_level = _low_level(summary, conditions, pixels)
    equal = _equal_numbers(subsamples, many, few, networks)
    sweep = _sweep(summary, many[0], networks)
    parts = [low_level.assign(panel="low level"), equal, sweep.assign(panel="components")]
    numbers = pd.concat([part for part in parts if len(part)] or parts).reindex(columns=_COLUMNS)
    page.require_values(
        numbers,
        "the figure of controls",
        "no identity silhouettes; check figures.controls and the face sets' labels",
    )
    figure, grid = page.new_panels(3, 2, 215)
    axes = list(grid.flat)
    _draw_low_level(axes[0], low_level, conditions, pixels)
    _draw_equal(axes[1], equal, many, few, networks)
    _draw_gap(axes[2], equal, networks)
    for axis, label, letter in zip(axes[3:5], ("identity", "expression"), "de", strict=True):
        _draw_sweep(axis, sweep[sweep["label"] == label], looks)
        stage = _STAGES[label]
        axis.set_title(f"{letter}  {label.capitalize()}, {stage} stage", loc="left")
        axis.set_ylabel(f"{label.capitalize()} silhouette")
    _name_networks(axes[5], networks, looks)
    sentences = _caption(numbers, many, few, conditions, pixels | networks)
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
        left = _share(two, one).assign(measure="share_left")
        changes += [change.reset_index(), left.reset_index()]
    return pd.concat([scores, *changes], ignore_index=True)


def _share(part: pd.DataFrame, whole: pd.DataFrame) -> pd.DataFrame:
    """One table as a share of another of the same index, with the widest intervals they allow.

    There is none where the whole may be 0.
    """
    least, most = whole["ci_low"].where(whole["ci_low"] > 0), whole["ci_high"]
    return part.assign(
        value=part["value"] / whole["value"],
        ci_low=np.minimum(part["ci_low"] / least, part["ci_low"] / most).where(least.notna()),
        ci_high=np.maximum(part["ci_high"] / least, part["ci_high"] / most),
    )


def _less(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """One table less another of the same index, with the widest intervals that theirs allow."""
    return one.assign(
        value=one["value"] - other["value"],
        ci_low=one["ci_low"] - other["ci_high"],
        ci_high=one["ci_high"] - other["ci_low"],
    )


def _equal_numbers(
    subsamples: pd.DataFrame | None,
    many: tuple[str, str],
    few: tuple[str, str],
    networks: Mapping[str, str],
) -> pd.DataFrame:
    """Identity silhouettes of both face sets as they are and on equal numbers, and their gap."""
    if subsamples is None:
        return pd.DataFrame(columns=_COLUMNS)
    scores = subsamples[subsamples["stage"] == _STAGES["identity"]]
    rows = []
    for network in networks:
        of_network = scores[scores["network"] == network]
        of_sets = [of_network[of_network["dataset"] == name] for name, _ in (many, few)]
        rows += [_silhouette_row(group) for of_set in of_sets for group in _by_measure(of_set)]
        if all(map(len, of_sets)):
            rows += _gap_rows(*of_sets, (many[1], few[1]))
    return pd.DataFrame(rows, columns=_COLUMNS)


def _by_measure(of_set: pd.DataFrame) -> list[pd.DataFrame]:
    return [group for _, group in of_set.groupby("measure", sort=False)]


def _silhouette_row(group: pd.DataFrame) -> dict[str, object]:
    """A silhouette, a mean over seeds, with Student's interval over people."""
    of_people = group.groupby("identity")["pseudo_value"].mean()
    # With very few people, the interval would leave the range of silhouettes.
    low, high = np.clip(pseudo_interval(of_people.to_numpy()), -1, 1)
    ends = {"value": of_people.mean(), "ci_low": low, "ci_high": high}
    seeds = {"seeds": group["seed"].nunique()}
    return group.iloc[0].to_dict() | ends | seeds | {"panel": "equal numbers"}


def _gap_rows(
    of_many: pd.DataFrame, of_few: pd.DataFrame, names: tuple[str, str]
) -> list[dict[str, object]]:
    """What part of the gap between two face sets equal numbers explain."""
    sets = (of_many, of_few)
    tables = [
        of_set.pivot_table("pseudo_value", "identity", "measure", dropna=False) for of_set in sets
    ]
    rows = []
    for measure, (panel, _) in _EQUAL.items():
        row = of_many.iloc[0].to_dict() | {"panel": panel, "measure": "gap_explained"}
        row |= {"seeds": of_many["seed"].nunique(), "n": sum(map(len, tables)), "value": np.nan}
        lacking = [
            str(of_set["note"].iloc[0])
            for of_set in sets
            if not of_set["pseudo_value"].notna().all()
        ]
        if lacking:
            rows.append(row | {"note": lacking[0]})
            continue
        explained = explain_gap(*(table[[_SILHOUETTE, measure]].to_numpy() for table in tables))
        firsts = [of_set[of_set["measure"] == measure].iloc[0] for of_set in sets]
        words = [
            f"{name}: {first['n']} pictures of {first['people']} people"
            for name, first in zip(names, firsts, strict=True)
        ]
        is_unequal = panel != "few pictures" and len({first["people"] for first in firsts}) > 1
        unequal = "people still differ, lower analysis.people" if is_unequal else ""
        note = join_notes("; ".join(words), unequal, explained.note)
        rows.append(
            row
            | explained._asdict()
            | {"ci_low": explained.low, "ci_high": explained.high, "note": note}
        )
    return rows


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
    names = abbreviate(", ".join(pixels.values()), 14)
    axis.set_title(f"a  Low-level properties: {names}", loc="left")
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
        for measure, words in ((_SILHOUETTE, "all"), (_BOTH, "equal numbers")):
            rows = table[(table["dataset"] == dataset) & (table["measure"] == measure)]
            look = {
                **style.LINES[number],
                "linestyle": "",
                "label": f"{abbreviate(title, 24)}, {words}",
            }
            look |= {"markerfacecolor": "white"} if measure == _BOTH else {}
            aside = (number - 0.5) * (0.6 if measure == _SILHOUETTE else 0.2)
            _draw_marks(axis, rows, names, aside, look)
    axis.set_xlabel("Identity silhouette, middle stage")
    _add_legend(axis, "lower left")


def _add_legend(axis: Axes, place: str, title: str = "") -> None:
    """A legend inside a panel, whose names do not make the panel narrower."""
    legend = axis.legend(frameon=False, fontsize=7, loc=place, title=title, title_fontsize=7)
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
    for number, (panel, title) in enumerate(_EQUAL.values()):
        look = {**style.LINES[2 + number], "linestyle": "", "label": title}
        rows = explained[explained["panel"] == panel]
        _draw_marks(axis, rows, names, 0.22 * (number - 1), look)
    axis.set_xlabel("Part of the gap between the face sets")
    _add_legend(axis, "lower left", "Made equal")


def _name_rows(axis: Axes, table: pd.DataFrame, networks: Mapping[str, str]) -> list[str]:
    """A row for each network that has a value, with room for the legend below the last."""
    measured = set(table.loc[table["value"].notna(), "network"])
    names = [name for name in networks if name in measured]
    labels = [textwrap.fill(networks[name], 20) for name in names]
    axis.set_yticks(range(len(names)), labels, fontsize=7)
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
