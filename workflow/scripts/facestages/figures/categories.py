"""Components on valence and arousal, a point a category, in Figures 5 and 6."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from matplotlib.axes import Axes

from facestages.analysis.affect import category_measures
from facestages.analysis.categories import (
    correlate_categories,
    is_exact,
    share_of_category,
)
from facestages.analysis.components import AFFECT, affect_of, component_scores
from facestages.analysis.labels import circular_note, join_notes
from facestages.errors import FacestagesError
from facestages.figures import page, style
from facestages.figures.components import Shown, Study
from facestages.figures.expressions import expression_looks


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
    axis.plot(ends, intercept + slope * ends, color=style.GREY, linewidth=1, zorder=0)
    looks = expression_looks(found.names)
    for name, x, y in zip(found.names, found.x, found.y, strict=True):
        axis.plot(x, y, linestyle="", markersize=5.5, **looks[name])
    axis.margins(0.14, 0.16)
    axis.set_xlabel(f"{label.capitalize()} by category")
    axis.set_ylabel(f"PC{AFFECT.index(label) + 1}")


def describe_categories(rows: list[Mapping[str, object]]) -> Iterator[str]:
    """What the rows of `measure_categories` say, in lines of a few words."""
    by_measure = {row["measure"]: row for row in rows}
    between, within = by_measure["r_categories"], by_measure["r_within_category"]
    if "value" in between:
        p = f"{'exact ' * is_exact(between['n'])}{page.spell_p(between['p'])}"
        yield f"r = {page.spell(between['value'])}, {p}, n = {between['n']}"
    else:
        yield str(between["note"])
    if "value" in within:
        r = page.spell(*(within[name] for name in ("value", "ci_low", "ci_high")))
        yield f"within category r = {r}, {page.spell_p(within['p'])}, {within['n']} people"


def shares_in_words(rows: Iterable[Mapping[str, object]]) -> list[str]:
    """How far each label follows from category, as a sentence; of rows of `measure_categories`."""
    shares = {
        row["label"]: row["value"] for row in rows if row.get("measure") == "share_of_category"
    }
    if not shares:
        return []
    said = ", ".join(f"{label} by {share:.0%}" for label, share in shares.items())
    return [f"How far they follow from category (variance): {said}."]


def categories_in_words(study: Study) -> list[str]:
    """The caption's sentences on components and labels whose units are categories."""
    results, measured = [], []
    for network in study.networks.values():
        for label in AFFECT:
            try:
                rows = measure_categories(study, network, label)
            except FacestagesError:
                continue
            measured += rows
            text = "; ".join(describe_categories(rows))
            results.append(f"{network.label}, PC{AFFECT.index(label) + 1} and {label}: {text}.")
    if not results:
        return []
    first = "Means of categories (n), with p over all assignments of their positions:"
    return [first, *results, *shares_in_words(measured)]


def _find(study: Study, network: Shown, label: str) -> tuple[np.ndarray, np.ndarray]:
    component = AFFECT.index(label) + 1
    return affect_of(study.reference, label), component_scores(network.components, component)
