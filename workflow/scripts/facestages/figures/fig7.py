"""Figure 7: which pictures a network names correctly, and whether extreme ones are easier."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

from facestages import tables
from facestages.analysis.components import SIGN_RULE, component_scores
from facestages.analysis.extremity import accuracy, accuracy_by_distance
from facestages.analysis.labels import circular_note
from facestages.analysis.regression import Estimate
from facestages.errors import FacestagesError
from facestages.figures import page, style
from facestages.figures.components import Shown, Study, read_study
from facestages.figures.expressions import expression_looks
from facestages.figures.face_set import FaceSet, read_face_set

#: Colour and marker of each answer; pictures of other expressions lie beneath.
ANSWERS = {
    "correct": {"color": style.COLORS["green"], "marker": "o"},
    "wrong": {"color": style.COLORS["vermilion"], "marker": "x"},
    "other expressions": {"color": "#C8C8C8", "marker": "."},
}

_MOST_COLUMNS = 8
# Millimetres: a network's title, a row of its panels; accuracy by distance; legend.
_TITLE, _ROW, _DISTANCE, _LEGEND = 7, 30, 58, 7
_TREND, _AROUND_TRENDS = 3.4, 26
_COLUMNS = [
    *("panel", "dataset", "rendered", "network", "seed", "stage", "layer", "label"),
    *("label_source", "measure", "space", "bin", "distance", "value", "ci_low", "ci_high"),
    *("n", "note"),
]
_WITHIN = "within expressions"
# A fifth of fewer pictures is not drawn: its interval would be the whole axis.
_LEAST = 10


class _Answers(NamedTuple):
    """A network's answers to the pictures, beside its components."""

    network: Shown
    classes: Sequence[str]
    correct: np.ndarray
    #: Whether the picture's expression is one of the network's classes.
    in_classes: np.ndarray
    #: Columns of the table of numbers.
    columns: dict[str, object]


def draw(
    networks: Mapping[str, Mapping],
    stimuli: str | os.PathLike,
    labels: str | os.PathLike | None = None,
    *,
    dataset: str,
    looks: Mapping[str, int | str],
    predictions: str | os.PathLike | None = None,
    labels_from: str | os.PathLike | None = None,
    absent: Mapping[str, str] | None = None,
) -> page.Drawing:
    """Draw correct and wrong answers per expression, and accuracy by distance from the centre.

    `predictions` and `absent` are those of `figures.components.read_study`; `looks` is described in
    `figures.style.line_styles`.

    Parameters
    ----------
    networks : mapping of str to mapping
        As in `figures.components.read_study`, and ``classes``, the expressions that the network
        knows, and ``predictions``, the path of its table of
        `recording.predictions.predict_expressions`.
    stimuli, labels, dataset : path-like, path-like, str
        The files of the face set, and its name in figures.
    labels_from : path-like, optional
        Predictions that take the place of the face set's own expressions.

    Returns
    -------
    figures.page.Drawing
        Numbers: ``accuracy`` of each expression and of all; along each ``space``
        ``accuracy_in_fifth`` and ``accuracy_trend``, outermost less innermost fifth.

    Raises
    ------
    FacestagesError
        If no network can be shown, the face set has no expressions, or predictions are of other
        pictures.
    """
    faces = read_face_set(stimuli, labels, labels_from)
    if not faces.expressions.any():
        raise FacestagesError(
            f"Figure 7: face set '{faces.columns['dataset']}' has no expressions to be right or "
            f"wrong about. Take another face set, or name a network in its 'expression_from'"
        )
    without = {
        name: entry["label"]
        for name, entry in networks.items()
        if entry["layer"] and set(faces.expressions).isdisjoint(entry["classes"])
    }
    why = "it knows none of the face set's expressions"
    absent = {**(absent or {}), **dict.fromkeys(without.values(), why)}
    networks = {name: entry for name, entry in networks.items() if name not in without}
    study = read_study(networks, faces, predictions, absent=absent)
    if not study.networks:
        raise study.nothing_to_draw("Figure 7")
    answers = [_compare(one, networks[name], faces) for name, one in study.networks.items()]
    expressions = [value for value in expression_looks(faces.expressions) if value]
    rows = math.ceil(len(expressions) / _MOST_COLUMNS)
    heights = [_TITLE + _ROW * rows] * len(answers) + [_TITLE + 8] * len(study.absent)
    heights.append(max(_DISTANCE, _AROUND_TRENDS + _TREND * 4 * len(answers)))
    figure = page.new_figure(_LEGEND + sum(heights))
    parts = iter(figure.subfigures(len(heights), 1, height_ratios=heights))
    letters, numbers = page.letters(), []
    for one in answers:
        letter, accuracies = next(letters), _measure_accuracy(one, faces, expressions)
        _draw_answers(next(parts), letter, one, faces.expressions, expressions, accuracies)
        numbers += [{"panel": letter, **row} for row in accuracies]
    for label, why in study.absent.items():
        part = next(parts)
        _add_title(part, f"{next(letters)}  {label}")
        style.say_missing(part.subplots(), why, columns=100)
    numbers += _draw_distances(next(parts), letters, answers, faces, style.line_styles(looks))
    handles = [plt.Line2D([], [], linestyle="", **look) for look in ANSWERS.values()]
    page.add_legend(figure, handles, list(ANSWERS), len(ANSWERS))
    table = pd.DataFrame(numbers, columns=_COLUMNS).astype({"n": "Int64", "bin": "Int64"})
    return page.finish(figure, table, _title(table), _caption(study, dataset, table))


def _compare(network: Shown, entry: Mapping, faces: FaceSet) -> _Answers:
    """A network's answers against the expressions of the pictures."""
    answered, labels = tables.read_tables([entry["predictions"]]), faces.labels
    name, source = network.components.network, faces.sources["expression"]
    if list(answered["stimulus_id"]) != list(labels["stimulus_id"]):
        raise FacestagesError(
            f"{entry['predictions']}: was made from other stimuli than the geometry of network "
            f"'{name}'. Delete it and run the same command again"
        )
    in_classes = labels["expression"].isin(entry["classes"]).to_numpy()
    correct = (answered["expression"] == labels["expression"]).to_numpy() & in_classes
    columns = {"label_source": source, "note": circular_note([source], name)}
    return _Answers(network, entry["classes"], correct, in_classes, network.columns | columns)


def _people(faces: FaceSet, rows: np.ndarray) -> np.ndarray | None:
    return None if faces.people is None else faces.people[rows]


def _row(answers: _Answers, measure: str, label: str, estimate: Estimate, n: int) -> dict:
    value, low, high = estimate
    row = {"measure": measure, "label": label, "value": value, "ci_low": low, "ci_high": high}
    return {**answers.columns, **row, "n": n}


# ------------------------------------------------------------------- answers by expression


def _measure_accuracy(answers: _Answers, faces: FaceSet, expressions: Sequence[str]) -> list[dict]:
    """Rows of accuracy: of all expressions that the network knows, and of each of them."""
    classes = [value for value in expressions if value in answers.classes]
    pictures = {"": answers.in_classes, **{name: faces.expressions == name for name in classes}}
    table = []
    for label, rows in pictures.items():
        estimate = accuracy(answers.correct[rows], _people(faces, rows))
        table.append(_row(answers, "accuracy", label, estimate, int(rows.sum())))
    return table


def _draw_answers(
    part: SubFigure,
    letter: str,
    answers: _Answers,
    labels: np.ndarray,
    expressions: Sequence[str],
    accuracies: Sequence[Mapping],
) -> None:
    """Draw a panel for each of `expressions`; `labels` (n,) are those of the pictures."""
    unknown = [value for value in expressions if value not in answers.classes]
    title = f"{letter}  {answers.network.label}: {_describe_accuracy(accuracies[0])}"
    title += f" (does not know {', '.join(unknown)})" if unknown else ""
    _add_title(part, title + ("; CIRCULAR" if answers.columns["note"] else ""))
    rows = math.ceil(len(expressions) / _MOST_COLUMNS)
    columns = math.ceil(len(expressions) / rows)
    grid = part.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axis in grid.flat[len(expressions) :]:
        axis.remove()
    points, why = None, ""
    try:
        points = [component_scores(answers.network.components, number) for number in (1, 2)]
    except FacestagesError as error:
        why = str(error)
    percent = {row["label"]: f" {100 * row['value']:.0f} %" for row in accuracies}
    first = next(place for place, value in enumerate(expressions) if value not in unknown)
    for place, (axis, value) in enumerate(zip(grid.flat, expressions, strict=False)):
        axis.set_title(f"{value}{percent.get(value, '')}", fontsize=8)
        if value in unknown or points is None:
            line = "not one of its classes" if value in unknown else why
            style.say_missing(axis, line, columns=14)
            continue
        _scatter(axis, *points, labels == value, answers.correct)
        axis.tick_params(labelsize=7)
        if place == first:
            axis.set_ylabel("PC2", fontsize=7)
            axis.tick_params(labelleft=True)
        if place + columns >= len(expressions):
            axis.set_xlabel("PC1", fontsize=7)


def _scatter(
    axis: Axes, x: np.ndarray, y: np.ndarray, chosen: np.ndarray, correct: np.ndarray
) -> None:
    parts = {"other expressions": ~chosen, "correct": chosen & correct, "wrong": chosen & ~correct}
    for order, (answer, rows) in enumerate(parts.items()):
        look = {"s": 7, "alpha": 0.8} if order else {"s": 3, "alpha": 1}
        look |= {"linewidths": 0.7 if answer == "wrong" else 0, "zorder": 1 + order / 10}
        axis.scatter(x[rows], y[rows], **look, **ANSWERS[answer])
    # As one picture the points make a smaller file.
    axis.set_rasterization_zorder(1.3)


def _add_title(part: SubFigure, text: str) -> None:
    part.suptitle(text, x=0.01, ha="left", fontsize=8)


def _describe_accuracy(row: Mapping) -> str:
    value, low, high = (f"{100 * row[name]:.1f}" for name in ("value", "ci_low", "ci_high"))
    interval = f" [{low}, {high}]" if np.isfinite(row["ci_low"]) else ""
    return f"{value} %{interval} correct, n = {row['n']}"


# -------------------------------------------------------------------- accuracy by distance


def _draw_distances(
    part: SubFigure,
    letters: Iterator[str],
    answers: Sequence[_Answers],
    faces: FaceSet,
    lines: Mapping[str, dict],
) -> list[dict]:
    """Draw accuracy in fifths of the distance along PC1 and PC2, and the trends of both."""
    axes = part.subplots(1, 3, width_ratios=[1, 1, 1.1])
    axes[0].sharey(axes[1])
    numbers, trends = [], []
    for axis, number in zip(axes, (1, 2), strict=False):
        letter, bins = next(letters), []
        for one in answers:
            in_fifths, of_trend = _measure_distance(one, number, faces)
            bins += [{"panel": letter, **row} for row in in_fifths]
            trends += of_trend
        axis.set_title(f"{letter}  Distance along PC{number}", loc="left")
        _draw_bins(axis, pd.DataFrame(bins), lines)
        numbers += bins
    letter = next(letters)
    axes[2].set_title(f"{letter}  Outer − inner fifth", loc="left")
    shown = [row for row in trends if row["n"] >= 5 * _LEAST]
    if not shown:
        style.say_missing(axes[2], "nothing to compare" if not trends else "too few pictures")
        return numbers + [{"panel": letter, **row} for row in trends]
    _draw_trends(axes[2], shown, lines)
    names = {one.network.components.network: one.network.label for one in answers}
    drawn = {row["network"]: lines[row["network"]] for row in shown}
    page.add_line_legend(part, names, drawn, len(drawn))
    return numbers + [{"panel": letter, **row} for row in trends]


def _measure_distance(
    answers: _Answers, number: int, faces: FaceSet
) -> tuple[list[dict], list[dict]]:
    """Rows of accuracy in fifths of the distance along a component, and two rows of its trend.

    The first trend cuts all pictures into fifths, the second those of each expression.
    """
    rows, space = answers.in_classes, {"space": f"PC{number}"}
    fifth = {**answers.columns, **space, "measure": "accuracy_in_fifth", "label": ""}
    try:
        scores = component_scores(answers.network.components, number)[rows]
        pictures = (answers.correct[rows], scores, _people(faces, rows))
        overall = accuracy_by_distance(*pictures)
        within = accuracy_by_distance(*pictures, faces.expressions[rows])
    except FacestagesError as error:
        return [{**fifth, "note": str(error)}], []
    bins = overall.bins.to_dict("records")
    trends = [
        {**_row(answers, "accuracy_trend", label, one.trend, one.bins["n"].sum()), **space}
        for label, one in (("", overall), (_WITHIN, within))
    ]
    return [{**fifth, "bin": bin_, **row} for bin_, row in enumerate(bins, start=1)], trends


def _draw_bins(axis: Axes, bins: pd.DataFrame, lines: Mapping[str, dict]) -> None:
    if "value" not in bins:
        style.say_missing(axis, bins["note"].iloc[-1])
        return
    bins = bins[bins.groupby("network")["n"].transform("min") >= _LEAST]
    if bins.empty:
        style.say_missing(axis, f"a fifth has fewer than {_LEAST} pictures", 24)
        return
    for name, rows in bins[bins["value"].notna()].groupby("network", sort=False):
        axis.plot(rows["distance"], rows["value"], **lines[name])
        if rows["ci_low"].notna().all():
            band = (rows["distance"], rows["ci_low"], rows["ci_high"])
            style.fill_band(axis, *band, lines[name]["color"], alpha=0.2)
    axis.set_xlabel("Distance from the centre (SD)")
    axis.set_ylabel("Accuracy")


def _draw_trends(axis: Axes, trends: Sequence[Mapping], lines: Mapping[str, dict]) -> None:
    """Draw each trend as a point with its interval; open for fifths of each expression."""
    style.mark_zero(axis, vertical=True)
    for place, row in enumerate(trends):
        line = lines[row["network"]]
        color, face = line["color"], "white" if row["label"] else line["color"]
        if np.isfinite(row["ci_low"]):
            axis.plot([row["ci_low"], row["ci_high"]], [place] * 2, color=color, linewidth=1.2)
        axis.plot(row["value"], place, color=color, marker=line["marker"], markerfacecolor=face)
    names = [row["space"] + (", within" if row["label"] else "") for row in trends]
    axis.set_yticks(range(len(trends)), names)
    axis.invert_yaxis()
    axis.set_xlabel("Difference in accuracy")


def _title(table: pd.DataFrame) -> str:
    trends = table[(table["measure"] == "accuracy_trend") & table["ci_low"].notna()]
    trends = trends[trends["n"] >= 5 * _LEAST]
    if trends.empty:
        return "Which expressions are named correctly, and where in the space"
    better, worse = (trends["ci_low"] > 0).sum(), (trends["ci_high"] < 0).sum()
    return (
        f"Pictures far out on a component are named correctly more often than central ones in "
        f"{better} of {len(trends)} comparisons, less often in {worse}"
    )


def _caption(study: Study, dataset: str, table: pd.DataFrame) -> list[str]:
    faces, source = study.faces, study.reference.source
    return [
        f"PC1 and PC2 of {study.name_layers()} against the networks' answers. {dataset}: "
        f"{faces.count()}; expressions: {table['label_source'].iloc[0]}.",
        *page.rendered(faces.rendered),
        *([f"{SIGN_RULE} ({source})."] if source else []),
        *page.circular(table, study.labels),
        "Accuracy by distance: fifths of |PC|, whose centre is the mean of all pictures; at "
        "right, accuracy of the outermost fifth less that of the innermost; open: fifths of each "
        "expression's own pictures, so that no expression is farther out.",
        study.describe_intervals("Brackets, bands and bars"),
        *_few_in_words(table, study.labels),
    ]


def _few_in_words(table: pd.DataFrame, networks: Mapping[str, str]) -> list[str]:
    """The sentence on networks whose fifths have too few pictures."""
    fifths = table[table["measure"] == "accuracy_in_fifth"]
    few = fifths.loc[fifths["n"] < _LEAST, "network"].unique()
    names = ", ".join(networks[name] for name in few)
    return [f"Not drawn, as a fifth has fewer than {_LEAST} pictures: {names}."] * bool(names)
