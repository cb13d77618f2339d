"""Figure 9: identity beside expression in networks trained to tell one, both or neither."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from facestages.figures import page, style
from facestages.figures.chance import less_chance
from facestages.figures.seeds import mean_over_seeds
from facestages.text import abbreviate

LABELS = ("identity", "expression")

#: Colour of what networks were trained to tell; of the first two, that of the label in all figures.
_COLORS = {
    "identity": style.COLORS["blue"],
    "expression": style.COLORS["vermilion"],
    "identity and expression": style.COLORS["purple"],
    "objects": style.COLORS["green"],
}
_FURTHER_COLORS = (style.COLORS["orange"], style.COLORS["sky"], *style.MORE_COLORS)
_NOTHING = ("untrained", "shuffled labels", "nothing")
_NOT_TOLD = "not told"

#: What a network of two labels is called where there is little room.
_SHORT = {"identity and expression": "both"}

# Height of a row of panels, millimetres; characters of a line in place of a panel.
_ROW, _LINE = 37, 52
# Networks are spread so far to each side of a stage, in distances between stages.
_ASIDE = 0.16
_NULL = {"linewidth": 0.6, "alpha": 0.6}


class Panel(NamedTuple):
    """What a panel shows: the rows of one measure, and beside them the mean of a null."""

    row: str
    measure: str
    label: str
    other: str
    title: str
    axis: str
    #: Column of the value at chance that is subtracted, and whether 1 - chance divides the rest.
    chance: str = ""
    is_scaled: bool = False
    #: Measure whose null the thin line is the mean of.
    null_of: str = ""


def _panels() -> Iterator[Panel]:
    pairs = (LABELS, LABELS[::-1])
    for label in LABELS:
        axis = "Silhouette\nless chance"
        yield Panel("separate", "silhouette_centred", label, "", label, axis, "null_mean")
    accuracy = ("Accuracy\nabove chance", "chance", True)
    for label in LABELS:
        yield Panel(
            "read out", "accuracy", label, "", f"{label} read out", *accuracy, "selectivity"
        )
    for label, other in pairs:
        title = f"{label} without {other}"
        yield Panel("erased", "erasure_leace", label, other, title, *accuracy, "erasure_leace")
    yield Panel("apart", "angle", *LABELS, "angle of both", "Degrees", null_of="angle")
    share = ("overlap", "Share of variance")
    yield Panel("apart", "overlap", *LABELS[::-1], *share, null_of="overlap")


#: Panels of a face set, two in a row; the first row is all that one label needs.
PANELS = tuple(_panels())

_FULL_SPACE = (
    "All else is in the full space. Read out: balanced accuracy of linear read-outs, of expression "
    "on other people, of identity at another time, from 0 (guessing) to 1; thin: control labels, "
    "which each person's expressions are dealt by chance. Without the other label: the same after "
    "LEACE has erased that label; thin: after as many dimensions of its permutations are erased. "
    "Angle: mean over the principal angles of the subspaces of identity and expression; overlap: "
    "share of expression's variance in the subspace of identity; both freed of noise; thin: random "
    "rotations."
)

_KEYS = ["panel", "label", "other", "dataset", "network", "stage"]
_COLUMNS = [
    *("panel", "measure", "label", "other", "dataset", "rendered", "label_source", "network"),
    *("task", "stage", "value", "low", "high", "ci_low", "ci_high", "null", "seeds", "n", "note"),
]


def draw(
    scores: pd.DataFrame,
    subspaces: pd.DataFrame | None = None,
    *,
    datasets: Mapping[str, str],
    networks: Mapping[str, str],
    tasks: Mapping[str, str],
    stages: Sequence[str],
    components: int | str,
    absent: Sequence[str] = (),
) -> page.Drawing:
    """Draw rows of two panels a face set: separate, read out, erased, apart; a line a network.

    Parameters
    ----------
    scores : pandas.DataFrame
        Rows of `analysis.separability.score_separability`, of all seeds, networks and face sets.
    subspaces : pandas.DataFrame, optional
        Rows of `analysis.subspace_scores.compare_subspaces`, of face sets with both labels.
    datasets, networks : mapping of str to str
        Name in figures of each face set and network, in order.
    tasks : mapping of str to str
        What each network was trained to tell, as `plan.networks.Networks.task_in_words` gives it.
    stages : sequence of str
        From input to output.
    components : int or "all"
        Number of principal components of the silhouettes; all else is of the full space.
    absent : sequence of str
        A line for each face set and network that is left out.

    Returns
    -------
    figures.page.Drawing
        Numbers: ``value`` as drawn, and ``null``, the mean of what its null gives on the same axis.
        ``low`` to ``high`` is the band over seeds, ``ci_low`` to ``ci_high`` the interval over
        people.

    Raises
    ------
    FacestagesError
        If there is nothing to draw.
    """
    numbers = _choose(scores, subspaces, networks, stages, components)
    page.require_values(
        numbers,
        "Figure 9",
        f"nothing of identity or expression is measured in {components} components; check "
        f"figures.fig9 and the face sets' labels",
    )
    numbers["task"] = numbers["network"].map(tasks)
    measured = numbers[numbers["value"].notna()]
    drawn = {name: _rows_of(measured[measured["dataset"] == name]) for name in datasets}
    rows = [(name, row) for name in datasets for row in drawn[name]]
    figure, axes = page.new_panels(len(rows), 2, _ROW * len(rows) + 24)
    lines, letters = task_lines(tasks), page.letters()
    for (dataset, row), pair in zip(rows, axes, strict=True):
        title = abbreviate(datasets[dataset], 30)
        for axis, panel in zip(pair, (one for one in PANELS if one.row == row), strict=True):
            here = numbers[(numbers["panel"] == panel.title) & (numbers["dataset"] == dataset)]
            _draw_panel(axis, panel, here, lines, stages)
            of = f"{title}: " if row == drawn[dataset][0] else ""
            axis.set_title(f"{next(letters)}  {of}{panel.title}", loc="left", fontsize=8)
            if row != drawn[dataset][-1]:
                axis.set_xticklabels([])
    names = {name: _name(_SHORT.get(tasks[name], tasks[name]), networks[name]) for name in lines}
    page.add_line_legend(figure, names, lines, 2)
    sentences = _caption(numbers, datasets, networks, tasks, components)
    title = _title(numbers, tasks, stages)
    return page.finish(figure, numbers[_COLUMNS], title, sentences, absent)


def _rows_of(measured: pd.DataFrame) -> list[str]:
    """Rows of panels of which a face set has a value."""
    titles = set(measured["panel"])
    return list(dict.fromkeys(panel.row for panel in PANELS if panel.title in titles))


def _name(task: str, network: str) -> str:
    """A network after what it was trained to tell, which its name need not say again."""
    return f"{task}: {network.removesuffix(f' ({task})')}"


def task_lines(tasks: Mapping[str, str]) -> dict[str, dict]:
    """Colour, marker and dash of each network, in the order of tasks: one colour a task."""
    further = [task for task in dict.fromkeys(tasks.values()) if task not in (*_COLORS, *_NOTHING)]
    colors = _COLORS | dict(zip(further, itertools.cycle(_FURTHER_COLORS), strict=False))
    order = [*colors, *_NOTHING]
    lines = {}
    in_order = sorted(tasks.items(), key=lambda item: order.index(item[1]))
    for number, (name, task) in enumerate(in_order):
        # A marker and a dash of its own, which tell networks apart in grey.
        line = style.LINES[number % len(style.LINES)] | {"markersize": 4, "linewidth": 1.3}
        if task in _NOTHING:
            line |= {"color": style.DARK, "markerfacecolor": "white"}
        else:
            line |= {"color": colors[task]}
        lines[name] = line
    return lines


# ------------------------------------------------------------------------------- numbers


def _choose(scores, subspaces, networks, stages, components) -> pd.DataFrame:
    """Means over seeds of what the panels show, on their axes."""
    separate = scores[scores["components"].astype(str) == str(components)]
    parts = []
    for panel in PANELS:
        table = separate if panel.row == "separate" else subspaces
        if table is not None:
            of_networks = table["network"].isin(networks) & table["stage"].isin(stages)
            parts.append(_summarise(table[of_networks & (table["label"] == panel.label)], panel))
    return pd.concat(parts, ignore_index=True)


def _summarise(rows: pd.DataFrame, panel: Panel) -> pd.DataFrame:
    """Values of a panel, and the means of their null, by network and stage."""
    rows = rows.assign(panel=panel.title, note=rows["note"].fillna(""))
    if panel.row == "separate":
        chosen = _centred_or_plain(rows.assign(other=""), panel.measure)
    else:
        rows["other"] = rows["other"].fillna("")
        chosen = rows[(rows["measure"] == panel.measure) & (rows["other"] == panel.other)]
    measures = chosen.groupby("dataset")["measure"].first()
    summary = mean_over_seeds(_on_axis(chosen, panel), _KEYS, "range")
    summary["measure"] = summary["dataset"].map(measures)
    summary["null"] = np.nan
    if panel.null_of:
        of_null = rows[(rows["measure"] == panel.null_of) & (rows["other"] == panel.other)]
        of_null = _on_axis(of_null.assign(value=of_null["null_mean"]), panel)
        null = mean_over_seeds(of_null, _KEYS).set_index(_KEYS)["value"]
        summary["null"] = null.reindex(pd.MultiIndex.from_frame(summary[_KEYS])).to_numpy()
    return summary.reindex(columns=_COLUMNS)


def _centred_or_plain(rows: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Rows of a measure, or of the plain silhouette on face sets without the other label."""
    centred = rows[rows["measure"] == measure]
    lacking = centred.loc[centred["note"].str.contains("no label", regex=False), "dataset"]
    plain = rows[(rows["measure"] == "silhouette") & rows["dataset"].isin(lacking)]
    return pd.concat([centred[~centred["dataset"].isin(lacking)], plain])


def _on_axis(rows: pd.DataFrame, panel: Panel) -> pd.DataFrame:
    if not panel.chance:
        return rows
    return less_chance(rows, panel.chance, is_scaled=panel.is_scaled)


# ------------------------------------------------------------------------------- panels


def _draw_panel(
    axis: Axes, panel: Panel, numbers: pd.DataFrame, lines: Mapping, stages: Sequence[str]
) -> None:
    if not numbers["value"].notna().any():
        notes = [note for note in numbers["note"].dropna().unique() if note]
        style.say_missing(axis, "; ".join(notes) or "not measured", _LINE)
        return
    style.mark_zero(axis, 90.0 if panel.measure == "angle" else 0.0)
    positions = np.arange(len(stages))
    places = np.linspace(-_ASIDE, _ASIDE, len(lines)) if len(lines) > 1 else [0.0]
    for (network, line), aside in zip(lines.items(), places, strict=True):
        curve = numbers[numbers["network"] == network].set_index("stage").reindex(stages)
        x = positions + aside
        axis.plot(x, curve["value"], **line)
        axis.plot(x, curve["null"], color=line["color"], **_NULL)
        axis.vlines(x, curve["ci_low"], curve["ci_high"], color=line["color"], linewidth=0.8)
        if curve["seeds"].max() > 1:
            style.fill_band(axis, x, curve["low"], curve["high"], line["color"], alpha=0.2)
    axis.set_xticks(positions, [stage.capitalize() for stage in stages])
    axis.set_ylabel(panel.axis)
    axis.set_xlim(-0.3, len(stages) - 0.7)


# ------------------------------------------------------------------------------- caption


def _title(numbers: pd.DataFrame, tasks: Mapping[str, str], stages: Sequence[str]) -> str:
    """Where expression ends more separate than identity, by what networks were trained on."""
    rows = numbers[numbers["panel"].isin(LABELS) & (numbers["stage"] == stages[-1])]
    wide = rows.pivot_table(
        index=["dataset", "network"], columns="panel", values=["ci_low", "ci_high"]
    )
    ends = [(end, label) for end in ("ci_low", "ci_high") for label in LABELS]
    unknown = "Identity and expression, by what networks were trained on"
    if not set(ends) <= set(wide.columns):
        return unknown
    wide = wide.dropna()
    is_above = wide["ci_low", "expression"] > wide["ci_high", "identity"]
    groups = dict(list(is_above.groupby(wide.index.get_level_values("network").map(tasks))))
    # Controls stand last.
    order = [*(task for task in groups if task not in _NOTHING), *_NOTHING]
    parts = [
        f"{groups[task].sum()} of {len(groups[task])} "
        + (task if task == "untrained" else f"trained on {task}")
        for task in order
        if task in groups and task != _NOT_TOLD
    ]
    above = f"At the {stages[-1]} stage expression is above identity in {', '.join(parts)}"
    return above if parts else unknown


def _caption(numbers, datasets, networks, tasks, components) -> list[str]:
    plain = set(numbers.loc[numbers["measure"] == "silhouette", "dataset"])
    of_plain = ", ".join(title for name, title in datasets.items() if name in plain)
    return [
        f"Identity beside expression; the legend says what each network was trained to tell. "
        f"Silhouettes: in the {page.name_space(components)}, without the effect of the other "
        f"label, less the mean of permuted labels.",
        *([f"Plain silhouettes, as one label alone is known: {of_plain}."] * bool(of_plain)),
        *([_FULL_SPACE] * bool(numbers["measure"].eq("accuracy").any())),
        *page.rendered_among(numbers, datasets),
        *_not_told(networks, tasks),
        *_not_drawn(numbers, datasets),
        *_unmeasured(numbers, networks, datasets),
        *page.circular(numbers, networks, datasets),
        f"Lines: means over seeds; bands: lowest to highest. Bars: {page.INTERVALS}. Seeds: "
        f"{page.count_seeds(numbers, networks)}. Pictures: {_count_pictures(numbers, datasets)}.",
    ]


def _not_told(networks: Mapping[str, str], tasks: Mapping[str, str]) -> list[str]:
    names = ", ".join(name for key, name in networks.items() if tasks[key] == _NOT_TOLD)
    return [f"The config does not tell (key 'task') what was learnt by: {names}."] * bool(names)


def _not_drawn(numbers: pd.DataFrame, datasets: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each face set of which rows of panels are left out, with the reasons."""
    for dataset, title in datasets.items():
        here = numbers[numbers["dataset"] == dataset]
        rows = _rows_of(here[here["value"].notna()])
        panels = [panel.title for panel in PANELS if panel.row not in rows]
        if panels:
            lacking = here[here["panel"].isin(panels) & (here["note"].fillna("") != "")]
            lacking = lacking if len(lacking) else here[here["value"].isna()]
            reasons = "; ".join(dict.fromkeys(lacking["note"].dropna())) or "not measured"
            yield f"Nothing is drawn on {title} of {', '.join(panels)} ({reasons})."


def _unmeasured(numbers, networks, datasets) -> Iterator[str]:
    """A sentence for each group of panels in which networks lack a value at some stage."""
    has_values = numbers.groupby(["panel", "dataset"])["value"].transform("count") > 0
    lacking = numbers[numbers["value"].isna() & has_values]
    listed: dict[tuple[str, str], list[str]] = {}
    keys = ["dataset", "network", "note"]
    for (dataset, network, note), rows in lacking.groupby(keys, sort=False, dropna=False):
        panels, stages = (", ".join(rows[name].unique()) for name in ("panel", "stage"))
        reason = f" ({note.partition(': ')[0]})" if note else ""
        listed.setdefault((dataset, panels), []).append(f"{networks[network]} {stages}{reason}")
    for (dataset, panels), where in listed.items():
        yield f"No value of {panels} on {datasets[dataset]}: {'; '.join(where)}."


def _count_pictures(numbers: pd.DataFrame, datasets: Mapping[str, str]) -> str:
    separate = numbers[numbers["panel"].isin(LABELS)]
    return "; ".join(
        f"{title} {page.count_pictures(separate[separate['dataset'] == name])}"
        for name, title in datasets.items()
    )
