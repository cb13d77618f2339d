"""Figure 7: which pictures a network names correctly, over PC1 and PC2; are extremes easier?"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from facestages import tables
from facestages.analysis.components import SIGN_RULE, component_scores
from facestages.analysis.extremity import Extremity, accuracy, accuracy_by_distance
from facestages.analysis.labels import circular_note
from facestages.analysis.regression import Estimate
from facestages.errors import FacestagesError
from facestages.figures import page, style
from facestages.figures.components import Shown, Study, read_study
from facestages.figures.expressions import expression_looks
from facestages.figures.face_set import FaceSet, read_face_set

#: Colour and shape of each answer; those of other expressions lie beneath.
ANSWERS = {
    "correct": {"color": style.COLORS["green"], "marker": "o"},
    "wrong": {"color": style.COLORS["vermilion"], "marker": "x"},
    "other expressions": {"color": "#C8C8C8", "marker": "."},
}

_MOST_COLUMNS = 8
# Millimetres: a network's title, a row of its panels; accuracy by distance; legend; caption.
_TITLE, _ROW, _DISTANCE, _LEGEND, _CAPTION = 7, 30, 58, 7, 24
_TREND, _AROUND_TRENDS = 3.4, 26
_COLUMNS = [
    *("panel", "dataset", "rendered", "network", "seed", "stage", "layer", "label"),
    *("label_source", "measure", "space", "bin", "distance", "value", "ci_low", "ci_high"),
    *("n", "note"),
]
_WITHIN = "within expressions"
_NO_CLASS = "it knows none of the face set's expressions"


class _Answers(NamedTuple):
    """A network's answers to the pictures, beside its components."""

    network: Shown
    classes: Sequence[str]
    correct: np.ndarray
    #: Whether the picture's expression is one of the network's classes.
    in_classes: np.ndarray
    columns: dict[str, object]


class _Trend(NamedTuple):
    """A network's accuracy by distance along a component."""

    name: str
    columns: dict[str, object]
    extremity: Extremity
    #: "", or `_WITHIN` if each expression's pictures are cut into fifths of their own.
    label: str


def draw(
    networks: Mapping[str, Mapping],
    stimuli: str | os.PathLike,
    *,
    dataset: str,
    looks: Mapping[str, int | str],
    predictions: str | os.PathLike | None = None,
    labels_from: str | os.PathLike | None = None,
    absent: Mapping[str, str] | None = None,
) -> page.Drawing:
    """Draw correct and wrong answers per expression, and accuracy by distance from the centre.

    Parameters
    ----------
    networks : mapping of str to mapping
        By name: ``label``, ``stage``, ``layer`` and ``geometry`` as in `figures.fig5.draw`;
        ``classes``, the expressions that it knows, and ``predictions``, the path of its table of
        `recording.predictions.predict_expressions`.
    stimuli : path-like
        The face set.
    dataset : str
        Its name in figures.
    looks : mapping of str to int or str
        See `figures.style.line_styles`.
    predictions : path-like, optional
        Of the network that gives the reference, which fixes the signs of the components; see
        `analysis.components.read_reference`.
    labels_from : path-like, optional
        Predictions that take the place of the face set's own expressions.
    absent : mapping of str to str, optional
        Name in figures of each network that cannot be shown, and why, in a line.

    Returns
    -------
    figure : matplotlib.figure.Figure
    numbers : pandas.DataFrame
        Measures ``accuracy`` (by expression in ``label``, and of all), ``accuracy_in_fifth`` and
        ``accuracy_trend`` (outermost less innermost fifth), the latter two along each ``space``.
    caption : str

    Raises
    ------
    FacestagesError
        If no network can be shown, the face set has no expressions, or predictions are of other
        pictures.
    """
    faces = read_face_set(stimuli, labels_from)
    if not faces.expressions.any():
        raise FacestagesError(
            f"Figure 7: face set '{faces.columns['dataset']}' has no expressions to be right or "
            f"wrong about. Take another face set, or name a network in its 'expression_from'"
        )
    absent = dict(absent or {})
    strangers = [
        name
        for name, entry in networks.items()
        if entry["layer"] and set(faces.expressions).isdisjoint(entry["classes"])
    ]
    absent |= {networks[name]["label"]: _NO_CLASS for name in strangers}
    known = {name: entry for name, entry in networks.items() if name not in strangers}
    study = read_study(known, faces, predictions, absent=absent)
    if not study.networks:
        raise study.nothing_to_draw("Figure 7")
    answers = {name: _compare(one, known[name], faces) for name, one in study.networks.items()}
    style.use_style()
    expressions = [value for value in expression_looks(faces.expressions) if value]
    rows = math.ceil(len(expressions) / _MOST_COLUMNS)
    heights = [_TITLE + _ROW * rows] * len(answers) + [_TITLE + 8] * len(study.absent)
    heights.append(max(_DISTANCE, _AROUND_TRENDS + _TREND * 4 * len(answers)))
    height = (_LEGEND + sum(heights) + _CAPTION) * style.MILLIMETRE
    figure = plt.figure(figsize=(style.PAGE_WIDTH, height), layout="constrained")
    parts = iter(figure.subfigures(len(heights), 1, height_ratios=heights))
    letters, numbers = page.letters(), []
    for own in answers.values():
        letter, part = next(letters), next(parts)
        found = _draw_answers(part, letter, own, faces, expressions, rows)
        numbers += [{"panel": letter, **own.columns, **row} for row in found]
    for label, why in study.absent.items():
        part = next(parts)
        _add_title(part, f"{next(letters)}  {label}")
        style.say_missing(part.subplots(), why, columns=100)
    lines = style.line_styles(looks)
    numbers += _draw_distances(next(parts), letters, answers, faces, lines)
    _add_legend(figure)
    table = pd.DataFrame(numbers, columns=_COLUMNS).astype({"n": "Int64", "bin": "Int64"})
    return page.finish(figure, table, _caption(study, dataset, table))


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
    note = circular_note([source], name)
    columns = {**network.columns, "label_source": source, "note": note}
    return _Answers(network, entry["classes"], correct, in_classes, columns)


# ------------------------------------------------------------------- answers by expression


def _draw_answers(
    part: SubFigure,
    letter: str,
    answers: _Answers,
    faces: FaceSet,
    expressions: Sequence[str],
    rows: int,
) -> list[dict]:
    """Draw rows of panels, one panel for each of `expressions`."""
    known, people = answers.in_classes, faces.people
    overall = accuracy(answers.correct[known], None if people is None else people[known])
    n = int(known.sum())
    title = f"{letter}  {answers.network.label}: {_in_percent(overall)} correct, n = {n}"
    left_out = [value for value in expressions if value not in answers.classes]
    title += f" (does not know {', '.join(left_out)})" if left_out else ""
    _add_title(part, title + ("; CIRCULAR" if answers.columns["note"] else ""))
    numbers = [_accuracy_row("", overall, n)]
    columns = math.ceil(len(expressions) / rows)
    grid = part.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axis in grid.flat[len(expressions) :]:
        axis.remove()
    points, why = None, ""
    try:
        points = [component_scores(answers.network.components, number) for number in (1, 2)]
    except FacestagesError as error:
        why = str(error)
    first = next(place for place, value in enumerate(expressions) if value not in left_out)
    for place, (axis, value) in enumerate(zip(grid.flat, expressions, strict=False)):
        if value in left_out:
            axis.set_title(value, fontsize=8)
            style.say_missing(axis, "not one of its classes", columns=14)
            continue
        chosen = faces.expressions == value
        of_value = accuracy(answers.correct[chosen], None if people is None else people[chosen])
        numbers.append(_accuracy_row(value, of_value, int(chosen.sum())))
        axis.set_title(f"{value} {100 * of_value.value:.0f} %", fontsize=8)
        if points is None:
            style.say_missing(axis, why, columns=14)
            continue
        _scatter(axis, *points, chosen, answers.correct)
        axis.tick_params(labelsize=7)
        if place == first:
            axis.set_ylabel("PC2", fontsize=7)
            axis.tick_params(labelleft=True)
        if place + columns >= len(expressions):
            axis.set_xlabel("PC1", fontsize=7)
    return numbers


def _scatter(
    axis: Axes, x: np.ndarray, y: np.ndarray, chosen: np.ndarray, correct: np.ndarray
) -> None:
    parts = {"other expressions": ~chosen, "correct": chosen & correct, "wrong": chosen & ~correct}
    for order, (answer, rows) in enumerate(parts.items()):
        look = {"s": 7, "alpha": 0.8} if order else {"s": 3, "alpha": 1}
        look |= {"linewidths": 0.7 if answer == "wrong" else 0, "zorder": 1 + order / 10}
        axis.scatter(x[rows], y[rows], **look, **ANSWERS[answer])
    # The points become one picture, which makes the file small.
    axis.set_rasterization_zorder(1.3)


def _add_title(part: SubFigure, text: str) -> None:
    part.suptitle(text, x=0.01, ha="left", fontsize=9)


def _in_percent(estimate: Estimate) -> str:
    """An accuracy with its interval, in percent."""
    value, low, high = (f"{100 * number:.1f}" for number in estimate)
    return f"{value} %" + (f" [{low}, {high}]" if np.isfinite(estimate.low) else "")


def _accuracy_row(label: str, estimate: Estimate, n: int) -> dict[str, object]:
    value, low, high = estimate
    row = {"measure": "accuracy", "label": label, "value": value, "n": n}
    return {**row, "ci_low": low, "ci_high": high}


# -------------------------------------------------------------------- accuracy by distance


def _draw_distances(
    part: SubFigure,
    letters: Iterator[str],
    answers: Mapping[str, _Answers],
    faces: FaceSet,
    lines: Mapping[str, dict],
) -> list[dict]:
    """Accuracy in fifths of the distance along PC1 and PC2, and the trends side by side."""
    axes = part.subplots(1, 3, width_ratios=[1, 1, 1.1])
    axes[0].sharey(axes[1])
    numbers, trends = [], []
    for axis, number in zip(axes, (1, 2), strict=False):
        letter, drawn = next(letters), False
        for name, own in answers.items():
            where = {"panel": letter, **own.columns, "space": f"PC{number}"}
            try:
                bins, within = _measure_extremities(own, number, faces)
            except FacestagesError as error:
                numbers.append({**where, "measure": "accuracy_in_fifth", "note": str(error)})
                continue
            drawn = True
            _draw_bins(axis, bins.bins, lines[name])
            for fifth, row in enumerate(bins.bins.to_dict("records"), start=1):
                where |= {"measure": "accuracy_in_fifth", "label": "", "bin": fifth}
                numbers.append({**where, **row})
            columns = {**own.columns, "space": f"PC{number}"}
            trends.append(_Trend(name, columns, bins, ""))
            trends.append(_Trend(name, columns, within, _WITHIN))
        axis.set_title(f"{letter}  Distance along PC{number}", loc="left")
        if drawn:
            axis.set_xlabel("Distance from the centre (SD)")
            axis.set_ylabel("Accuracy")
        else:
            style.say_missing(axis, numbers[-1]["note"])
    letter = next(letters)
    axes[2].set_title(f"{letter}  Outer − inner fifth", loc="left")
    if not trends:
        style.say_missing(axes[2], "nothing to compare")
        return numbers
    _draw_trends(axes[2], trends, lines)
    drawn = {trend.name: lines[trend.name] for trend in trends}
    names = {name: own.network.label for name, own in answers.items()}
    page.add_line_legend(part, names, drawn, len(drawn))
    return numbers + [_trend_row(letter, trend) for trend in trends]


def _measure_extremities(
    answers: _Answers, number: int, faces: FaceSet
) -> tuple[Extremity, Extremity]:
    """Accuracy by distance over all pictures, and with each expression cut into its own fifths."""
    known, people = answers.in_classes, faces.people
    scores = component_scores(answers.network.components, number)[known]
    correct, people = answers.correct[known], None if people is None else people[known]
    return tuple(
        accuracy_by_distance(correct, scores, people, within)
        for within in (None, faces.expressions[known])
    )


def _draw_bins(axis: Axes, bins: pd.DataFrame, line: Mapping) -> None:
    axis.plot(bins["distance"], bins["value"], **line)
    if bins["ci_low"].notna().all():
        band = (bins["distance"], bins["ci_low"], bins["ci_high"])
        style.fill_band(axis, *band, line["color"], alpha=0.2)


def _draw_trends(axis: Axes, trends: Sequence[_Trend], lines: Mapping[str, dict]) -> None:
    """A point with its interval a trend; open where expressions are cut into their own fifths."""
    style.mark_zero(axis, vertical=True)
    for place, trend in enumerate(trends):
        (value, low, high), line = trend.extremity.trend, lines[trend.name]
        color, face = line["color"], "white" if trend.label else line["color"]
        if np.isfinite(low):
            axis.plot([low, high], [place] * 2, color=color, linewidth=1.2)
        axis.plot(value, place, color=color, marker=line["marker"], markerfacecolor=face)
    names = [trend.columns["space"] + (", within" if trend.label else "") for trend in trends]
    axis.set_yticks(range(len(trends)), names)
    axis.invert_yaxis()
    axis.set_xlabel("Difference in accuracy")


def _trend_row(letter: str, trend: _Trend) -> dict[str, object]:
    value, low, high = trend.extremity.trend
    row = {"panel": letter, **trend.columns, "measure": "accuracy_trend", "label": trend.label}
    n = trend.extremity.bins["n"].sum()
    return {**row, "value": value, "ci_low": low, "ci_high": high, "n": n}


# ------------------------------------------------------------------------ below the panels


def _add_legend(figure: Figure) -> None:
    handles = [plt.Line2D([], [], linestyle="", **look) for look in ANSWERS.values()]
    figure.legend(
        handles, list(ANSWERS), loc="outside upper center", ncols=len(ANSWERS), frameon=False
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
        "No two people, so no intervals."
        if faces.people is None
        else "Brackets, bands and bars: 95 % bootstrap intervals over people.",
    ]
