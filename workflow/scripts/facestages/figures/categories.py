"""Components on valence and arousal, a point a category, in Figures 5 and 6."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

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

_SMALL = 6.5  # points
# Parts of a panel's width and height: a letter of a name, and a point.
_LETTER, _MARKER = (0.044, 0.1), (0.11, 0.1)
# Places of a name around its point, the best first.
_AROUND = np.array([(1, 0), (-1, 0), (0, 1), (0, -1), (1, 0.6), (1, -0.6), (-1, 0.6), (-1, -0.6)])


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
    _name_points(axis, found.names, found.x, found.y)


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


def _name_points(axis: Axes, names: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    """Write names beside points, where they cover least of other names and points."""
    (left, right), (low, high) = axis.get_xlim(), axis.get_ylim()
    points = np.column_stack([(x - left) / (right - left), (y - low) / (high - low)])
    sizes = np.array([(_LETTER[0] * len(name), _LETTER[1]) for name in names])
    for name, centre in zip(names, place_boxes(points, sizes, _MARKER), strict=True):
        look = {"ha": "center", "va": "center", "fontsize": _SMALL, "color": style.INK}
        axis.text(*centre, name, transform=axis.transAxes, **look)


def place_boxes(points: np.ndarray, sizes: np.ndarray, marker: Sequence[float]) -> np.ndarray:
    """Centres (n, 2) of boxes beside points in the unit square, with little on one another.

    Each box of `sizes` (n, 2) takes the best of eight places around its point, the most crowded
    point first: where least of it lies on other boxes, on markers of this size and outside.
    """
    taken = [(point, np.asarray(marker)) for point in points]
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    centres = np.empty_like(points)
    for number in np.argsort(np.sort(distance, axis=1)[:, 1:3].sum(axis=1)):
        reach = (sizes[number] + marker) / 2
        places = points[number] + _AROUND * reach
        centres[number] = min(places, key=lambda place: _covered(place, sizes[number], taken))
        taken.append((centres[number], sizes[number]))
    return centres


def _covered(centre: np.ndarray, size: np.ndarray, taken: Sequence) -> float:
    """Area of a box that lies on those that are taken, or outside of the unit square."""

    def common(low: np.ndarray, high: np.ndarray) -> float:
        sides = np.minimum(centre + size / 2, high) - np.maximum(centre - size / 2, low)
        return float(np.prod(np.maximum(sides, 0)))

    outside = np.prod(size) - common(np.zeros(2), np.ones(2))
    return round(outside + sum(common(at - of / 2, at + of / 2) for at, of in taken), 9)
