"""Components on valence and arousal, a point a category, in Figures 5 and 6."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from matplotlib.axes import Axes

from facestages.analysis.affect import category_measures
from facestages.analysis.categories import (
    FOLLOWS,
    correlate_categories,
    is_exact,
    share_of_category,
)
from facestages.analysis.components import AFFECT, affect_of, component_scores
from facestages.analysis.labels import circular_note, join_notes
from facestages.errors import FacestagesError
from facestages.figures import style
from facestages.figures.components import Shown, Study
from facestages.figures.expressions import expression_looks

_SMALL = 6.5  # points
# Least distance of two names, as a part of the panel's height.
_APART = 0.085


def measure_categories(study: Study, network: Shown, label: str) -> list[dict[str, object]]:
    """Rows of `analysis.affect.category_measures` for a label and its component, and its share.

    Raises
    ------
    FacestagesError
        If the face set lacks the label or categories, or the layer lacks the component.
    """
    affect, scores = _find(study, network, label)
    categories, people = study.faces.expressions, study.faces.people
    share = share_of_category(affect, categories)
    circular = circular_note([study.reference.source], network.components.network)
    component = AFFECT.index(label) + 1
    rows = [
        {"measure": "share_of_category", "value": share, "note": ""},
        *category_measures(affect, scores, categories, people, share),
    ]
    where = {**network.columns, "label": label, "label_source": study.reference.source}
    return [
        {**where, "component": component, **row, "note": join_notes(circular, row["note"])}
        for row in rows
    ]


def draw_categories(axis: Axes, study: Study, network: Shown, label: str) -> None:
    """Draw the means of categories with their names, and a line through them.

    Raises
    ------
    FacestagesError
        As `measure_categories`, or if there are too few categories.
    """
    affect, scores = _find(study, network, label)
    faces = study.faces
    found = correlate_categories(affect, scores, faces.expressions, faces.people)
    slope, intercept = np.polyfit(found.x, found.y, 1)
    ends = np.array([found.x.min(), found.x.max()])
    axis.plot(ends, intercept + slope * ends, color="black", linewidth=1)
    looks = expression_looks(found.names)
    for name, x, y in zip(found.names, found.x, found.y, strict=True):
        axis.plot(x, y, linestyle="", markersize=5.5, **looks[name])
    axis.margins(0.12, 0.14)
    axis.set_xlabel(f"{label.capitalize()}, mean of each category")
    axis.set_ylabel(f"PC{AFFECT.index(label) + 1}")
    _name_points(axis, found.names, found.x, found.y)


def describe_categories(rows: list[Mapping[str, object]]) -> Iterator[str]:
    """What the rows of `measure_categories` say, in lines of a few words."""
    by_measure = {row["measure"]: row for row in rows}
    between, within = by_measure["r_categories"], by_measure["r_within_category"]
    label, share = between["label"], by_measure["share_of_category"]["value"]
    if "value" in between:
        p = f"{'exact ' * is_exact(between['n'])}{_spell_p(between['p'])}"
        yield f"r = {_spell(between['value'])}, {p}, n = {between['n']} categories"
    else:
        yield str(between["note"])
    if share >= FOLLOWS:
        yield f"{label} follows from category by {share:.0%}"
    elif "value" in within:
        r, low, high = (_spell(within[name]) for name in ("value", "ci_low", "ci_high"))
        p = _spell_p(within["p"])
        yield f"within category r = {r} [{low},\u00a0{high}], {p}, {within['n']} people"
    else:
        yield f"within category: {within['note']}"


def categories_in_words(study: Study) -> list[str]:
    """The caption's sentences on components and labels whose units are categories."""
    lines = []
    for network in study.networks.values():
        for label in AFFECT:
            try:
                rows = measure_categories(study, network, label)
            except FacestagesError:
                continue
            text = "; ".join(describe_categories(rows))
            lines.append(f"{network.label}, PC{AFFECT.index(label) + 1} and {label}: {text}.")
    if lines:
        lines.insert(0, "Means of categories, with p over all assignments of their positions:")
    return lines


def _spell(number: float) -> str:
    return f"{number:.2f}".replace("-", "−")


def _spell_p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _find(study: Study, network: Shown, label: str) -> tuple[np.ndarray, np.ndarray]:
    component = AFFECT.index(label) + 1
    return affect_of(study.reference, label), component_scores(network.components, component)


def _name_points(axis: Axes, names: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    """Names beside points: right of those in the left half, left of the others, none on another."""
    middle, least = np.mean(axis.get_xlim()), _APART * np.ptp(axis.get_ylim())
    look = {"va": "center", "fontsize": _SMALL, "color": style.INK, "textcoords": "offset points"}
    for side, shift, align in ((x < middle, 5, "left"), (x >= middle, -5, "right")):
        heights = _spread(y[side], least)
        for name, place, height in zip(names[side], x[side], heights, strict=True):
            axis.annotate(name, (place, height), (shift, 0), ha=align, **look)


def _spread(values: np.ndarray, least: float) -> np.ndarray:
    """Values moved apart, as little as it takes, to be `least` or more from each other."""
    order = np.argsort(values)
    steps = least * np.arange(len(values))
    # What must rise to stay apart from below, and what must sink to stay apart from above.
    up = np.maximum.accumulate(values[order] - steps) + steps
    down = np.minimum.accumulate((values[order] - steps)[::-1])[::-1] + steps
    spread = np.empty_like(values)
    spread[order] = (up + down) / 2
    return spread
