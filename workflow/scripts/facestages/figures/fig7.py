"""Figure 7: which pictures a network names correctly, over PC1 and PC2; are extremes easier?"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facestages import tables
from facestages.analysis.components import (
    SIGN_RULE,
    Components,
    component_scores,
    read_components,
    read_reference,
)
from facestages.analysis.extremity import Extremity, accuracy, accuracy_by_distance
from facestages.analysis.labels import CIRCULAR, read_people
from facestages.errors import FacestagesError
from facestages.figures import style
from facestages.figures.fig5 import drawable_networks, expression_looks, require_networks
from facestages.stimuli import read_labels
from facestages.stimuli.sample import pictures_in_words

#: Colour and shape of each answer; those of other expressions lie beneath.
ANSWERS = {
    "correct": {"color": "#009E73", "marker": "o"},
    "wrong": {"color": "#D55E00", "marker": "x"},
    "other expressions": {"color": "#C8C8C8", "marker": "."},
}

_MOST_COLUMNS = 8
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
# Millimetres: a network's title, a row of its panels; accuracy by distance; legend; caption.
_TITLE, _ROW, _DISTANCE, _LEGEND, _CAPTION = 7, 30, 58, 7, 24
_TREND, _AROUND_TRENDS = 3.4, 26
_COLUMNS = [
    *("panel", "dataset", "rendered", "network", "seed", "stage", "layer", "label"),
    *("label_source", "measure", "space", "bin", "distance", "value", "ci_low", "ci_high"),
    *("n", "note"),
]
_WITHIN = "within expressions"


class _Answers(NamedTuple):
    """What a network says of the pictures."""

    components: Components
    correct: np.ndarray
    #: Whether the picture's expression is one of the network's classes.
    known: np.ndarray
    where: dict[str, object]


def draw_fig7(
    networks: Mapping[str, Mapping],
    stimuli: str | os.PathLike,
    *,
    dataset: str,
    looks: Mapping[str, int | str],
    predictions: str | os.PathLike | None = None,
    labels_from: str | os.PathLike | None = None,
    absent: Mapping[str, str] | None = None,
) -> tuple[Figure, pd.DataFrame, str]:
    """Draw correct and wrong answers per expression, and accuracy by distance from the centre.

    Parameters
    ----------
    networks : mapping of str to mapping
        By name: ``label``, ``stage``, ``layer`` and ``geometry`` as in
        `figures.fig5.draw_fig5`; ``classes``, the expressions that it knows, and
        ``predictions``, the path of its table of `recording.predictions.predict_expressions`.
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
    labels, sources, known = read_labels(stimuli, labels_from)
    expressions = _expressions(labels, str(known["dataset"]))
    networks, absent = drawable_networks(networks, absent)
    for name, entry in list(networks.items()):
        if set(expressions).isdisjoint(entry["classes"]):
            absent[entry["label"]] = "it knows none of the face set's expressions"
            del networks[name]
    require_networks("Figure 7", networks, absent)
    reference, people = read_reference(stimuli, predictions), read_people(labels)
    answers = {}
    for name, entry in networks.items():
        own = read_components(
            entry["geometry"], entry["layer"], reference, str(known["stimuli_digest"])
        )
        answers[name] = _compare(own, entry, labels, sources["expression"], known)
    style.use_style()
    shown = [value for value in expression_looks(expressions) if value]
    rows = math.ceil(len(shown) / _MOST_COLUMNS)
    heights = [_TITLE + _ROW * rows] * len(networks) + [_TITLE + 8] * len(absent)
    heights.append(max(_DISTANCE, _AROUND_TRENDS + _TREND * 4 * len(networks)))
    height = (_LEGEND + sum(heights) + _CAPTION) * style.MILLIMETRE
    figure = plt.figure(figsize=(style.PAGE_WIDTH, height), layout="constrained")
    parts = iter(figure.subfigures(len(heights), 1, height_ratios=heights))
    letters, numbers = iter(_LETTERS), []
    for name, entry in networks.items():
        letter, own = next(letters), answers[name]
        found = _draw_answers(next(parts), letter, entry, own, expressions, people, shown, rows)
        numbers += [{"panel": letter, **own.where, **row} for row in found]
    for label, line in absent.items():
        part = next(parts)
        _title(part, f"{next(letters)}  {label}")
        style.say_missing(part.subplots(), line, columns=100)
    lines = style.line_styles(looks)
    names = {name: entry["label"] for name, entry in networks.items()}
    numbers += _draw_distances(next(parts), letters, answers, expressions, people, lines, names)
    _add_legend(figure)
    table = pd.DataFrame(numbers, columns=_COLUMNS)
    caption = _caption(table, dataset, known, labels, people, reference, networks, answers)
    style.add_caption(figure, caption)
    return figure, table.astype({"n": "Int64", "bin": "Int64"}), caption


def _expressions(labels: pd.DataFrame, dataset: str) -> np.ndarray:
    if "expression" not in labels or not (labels["expression"] != "").any():
        raise FacestagesError(
            f"Figure 7: face set '{dataset}' has no expressions to be right or wrong about. Take "
            f"another face set, or name a network in its 'expression_from'"
        )
    return labels["expression"].to_numpy()


def _compare(
    own: Components, entry: Mapping, labels: pd.DataFrame, source: str, known: Mapping
) -> _Answers:
    """What a network says against what the pictures are."""
    answered = tables.read_tables([entry["predictions"]])
    if list(answered["stimulus_id"]) != list(labels["stimulus_id"]):
        raise FacestagesError(
            f"{entry['predictions']}: was made from other stimuli than the geometry of network "
            f"'{own.network}'. Delete it and run the same command again"
        )
    is_known = labels["expression"].isin(entry["classes"]).to_numpy()
    where = {
        "dataset": known["dataset"],
        "rendered": int(known.get("rendered", 0)),
        "network": own.network,
        "seed": own.seed,
        "stage": entry["stage"],
        "layer": own.layer,
        "label_source": source,
        "note": CIRCULAR if source == f"network:{own.network}" else "",
    }
    correct = (answered["expression"] == labels["expression"]).to_numpy() & is_known
    return _Answers(own, correct, is_known, where)


# ------------------------------------------------------------------- answers by expression


def _draw_answers(
    part, letter: str, entry, own: _Answers, expressions, people, shown: Sequence[str], rows: int
) -> list[dict]:
    """A row of panels, one an expression."""
    overall = accuracy(own.correct[own.known], None if people is None else people[own.known])
    n = int(own.known.sum())
    said = f"{letter}  {entry['label']}: {_in_percent(overall)} correct, n = {n}"
    left_out = [value for value in shown if value not in entry["classes"]]
    said += f" (does not know {', '.join(left_out)})" if left_out else ""
    said += "; CIRCULAR" if own.where["note"] else ""
    _title(part, said)
    numbers = [_accuracy_row("", overall, n)]
    columns = math.ceil(len(shown) / rows)
    grid = part.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axis in grid.flat[len(shown) :]:
        axis.remove()
    try:
        x, y = (component_scores(own.components, number) for number in (1, 2))
    except FacestagesError as error:
        x, y, line = None, None, str(error)
    first = next(place for place, value in enumerate(shown) if value not in left_out)
    for place, (axis, value) in enumerate(zip(grid.flat, shown, strict=False)):
        chosen = expressions == value
        if value in left_out:
            axis.set_title(value, fontsize=8)
            style.say_missing(axis, "not one of its classes", columns=14)
            continue
        of_people = None if people is None else people[chosen]
        found = accuracy(own.correct[chosen], of_people)
        numbers.append(_accuracy_row(value, found, int(chosen.sum())))
        axis.set_title(f"{value} {100 * found.value:.0f} %", fontsize=8)
        if x is None:
            style.say_missing(axis, line, columns=14)
            continue
        _scatter(axis, x, y, chosen, own.correct)
        axis.tick_params(labelsize=7)
        if place == first:
            axis.set_ylabel("PC2", fontsize=7)
            axis.tick_params(labelleft=True)
        if place + columns >= len(shown):
            axis.set_xlabel("PC1", fontsize=7)
    return numbers


def _scatter(axis: Axes, x, y, chosen: np.ndarray, correct: np.ndarray) -> None:
    parts = {
        "other expressions": ~chosen,
        "correct": chosen & correct,
        "wrong": chosen & ~correct,
    }
    for order, (answer, rows) in enumerate(parts.items()):
        look = ANSWERS[answer]
        width = 0.7 if answer == "wrong" else 0
        axis.scatter(
            x[rows],
            y[rows],
            s=7 if order else 3,
            c=look["color"],
            marker=look["marker"],
            linewidths=width,
            alpha=0.8 if order else 1,
            zorder=1 + order / 10,
        )
    # One picture: each is a page of pixels until the file is written.
    axis.set_rasterization_zorder(1.3)


def _title(part, text: str) -> None:
    part.suptitle(text, x=0.01, ha="left", fontsize=9)


def _in_percent(estimate) -> str:
    """An accuracy with its interval, in percent."""
    value, low, high = (f"{100 * number:.1f}" for number in estimate)
    return f"{value} %" + (f" [{low}, {high}]" if np.isfinite(estimate.low) else "")


def _accuracy_row(label: str, found, n: int) -> dict[str, object]:
    row = {"measure": "accuracy", "label": label, "value": found.value, "n": n}
    return {**row, "ci_low": found.low, "ci_high": found.high}


# -------------------------------------------------------------------- accuracy by distance


def _draw_distances(
    part,
    letters,
    answers: Mapping[str, _Answers],
    expressions: np.ndarray,
    people: np.ndarray | None,
    lines: Mapping[str, dict],
    names: Mapping[str, str],
) -> list[dict]:
    """Accuracy in fifths of the distance along PC1 and PC2, and the trends side by side."""
    axes = part.subplots(1, 3, width_ratios=[1, 1, 1.1])
    axes[0].sharey(axes[1])
    numbers, trends = [], []
    for axis, number in zip(axes, (1, 2), strict=False):
        letter, drawn = next(letters), False
        for name, own in answers.items():
            try:
                found, within = _extremities(own, number, expressions, people)
            except FacestagesError as error:
                where = {"panel": letter, **own.where, "space": f"PC{number}"}
                numbers.append({**where, "measure": "accuracy_in_fifth", "note": str(error)})
                continue
            _draw_bins(axis, found.bins, lines[name], names[name])
            drawn = True
            where = {**own.where, "space": f"PC{number}", "label": ""}
            numbers += _bin_rows({"panel": letter, **where}, found)
            trends += [(name, where, found, ""), (name, where, within, _WITHIN)]
        axis.set_title(f"{letter}  Distance along PC{number}", loc="left")
        if drawn:
            axis.set_xlabel("Distance from the centre (SD)")
            axis.set_ylabel("Accuracy")
        else:
            style.say_missing(axis, numbers[-1]["note"])
    letter = next(letters)
    axes[2].set_title(f"{letter}  Outer − inner fifth", loc="left")
    if trends:
        _draw_trends(axes[2], trends, lines)
        drawn = dict.fromkeys(trend[0] for trend in trends)
        handles = [plt.Line2D([], [], **lines[name]) for name in drawn]
        part.legend(
            handles,
            [names[name] for name in drawn],
            loc="outside upper center",
            ncols=len(drawn),
            frameon=False,
            handlelength=3.2,
        )
    else:
        style.say_missing(axes[2], "nothing to compare")
    numbers += [_trend_row(letter, *trend[1:]) for trend in trends]
    return numbers


def _extremities(
    own: _Answers, number: int, expressions: np.ndarray, people: np.ndarray | None
) -> tuple[Extremity, Extremity]:
    """Accuracy by distance over all pictures, and with each expression cut into its own fifths."""
    scores = component_scores(own.components, number)[own.known]
    correct, people = own.correct[own.known], None if people is None else people[own.known]
    return tuple(
        accuracy_by_distance(correct, scores, people, within)
        for within in (None, expressions[own.known])
    )


def _draw_bins(axis: Axes, bins: pd.DataFrame, line: Mapping, label: str) -> None:
    axis.plot(bins["distance"], bins["value"], label=label, **line)
    if bins["ci_low"].notna().all():
        axis.fill_between(
            bins["distance"],
            bins["ci_low"],
            bins["ci_high"],
            color=line["color"],
            alpha=0.2,
            linewidth=0,
        )


def _draw_trends(axis: Axes, trends: Sequence[tuple], lines: Mapping[str, dict]) -> None:
    """A point with its interval a trend; open where expressions are cut into their own fifths."""
    axis.axvline(0, color="#b0b0b0", linewidth=0.6, zorder=0)
    for place, (name, _, found, note) in enumerate(trends):
        line, trend = lines[name], found.trend
        if np.isfinite(trend.low):
            axis.plot([trend.low, trend.high], [place] * 2, color=line["color"], linewidth=1.2)
        face = "white" if note else line["color"]
        axis.plot(
            trend.value, place, color=line["color"], marker=line["marker"], markerfacecolor=face
        )
    said = [f"{where['space']}{', within' if note else ''}" for _, where, _, note in trends]
    axis.set_yticks(range(len(trends)), said)
    axis.invert_yaxis()
    axis.set_xlabel("Difference in accuracy")


def _bin_rows(where: dict, found: Extremity) -> list[dict]:
    return [
        {**where, "measure": "accuracy_in_fifth", "bin": number + 1, **row}
        for number, row in enumerate(found.bins.to_dict("records"))
    ]


def _trend_row(letter: str, where: dict, found: Extremity, label: str) -> dict[str, object]:
    value, low, high = found.trend
    row = {"panel": letter, **where, "measure": "accuracy_trend", "label": label}
    return {**row, "value": value, "ci_low": low, "ci_high": high, "n": found.bins["n"].sum()}


# ------------------------------------------------------------------------ below the panels


def _add_legend(figure: Figure) -> None:
    handles = [plt.Line2D([], [], linestyle="", **look) for look in ANSWERS.values()]
    figure.legend(
        handles, list(ANSWERS), loc="outside upper center", ncols=len(ANSWERS), frameon=False
    )


def _caption(table, dataset, known, labels, people, reference, networks, answers) -> str:
    layers = "; ".join(
        f"{networks[name]['label']}: {own.components.layer}, seed {own.components.seed}"
        for name, own in answers.items()
    )
    stages = " and ".join(dict.fromkeys(entry["stage"] for entry in networks.values()))
    source = table["label_source"].iloc[0]
    n_people = f" of {len(set(people))} people" if people is not None else ""
    parts = [
        f"PC1 and PC2 of the {stages} layer ({layers}) against the networks' answers. {dataset}: "
        f"{pictures_in_words(len(labels), known)}{n_people}; expressions: {source}."
    ]
    if known.get("rendered", 0):
        parts.append("All faces are RENDERED, not photographs.")
    if reference.source:
        parts.append(f"{SIGN_RULE} ({reference.source}).")
    if (table["note"].astype(str).str.startswith("CIRCULAR")).any():
        parts.append("CIRCULAR: a network is scored with its own predictions.")
    parts.append(
        "Accuracy by distance: fifths of |PC|, whose centre is the mean of all pictures; at "
        "right, accuracy of the outermost fifth less that of the innermost; open: fifths of each "
        "expression's own pictures, so that no expression is farther out."
    )
    if people is None:
        parts.append("No two people, so no intervals.")
    else:
        parts.append("Brackets, bands and bars: 95 % bootstrap intervals over people.")
    return " ".join(parts)
