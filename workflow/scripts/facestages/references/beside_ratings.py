"""Layers beside ratings of pictures on scales."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from facestages.analysis.crossed import Estimate
from facestages.analysis.folds import Folds, hold_out_people
from facestages.analysis.labels import is_labelled, no_label
from facestages.analysis.layers import Geometry, Layer, Rows
from facestages.analysis.rated import correlate_ratings, mean_reliability, rating_ceiling
from facestages.analysis.readouts import predict_values, project
from facestages.errors import FacestagesError
from facestages.references.beside import Shown, estimate_columns, require_pairs
from facestages.references.files import Reference

# Principal components that a rating is read from, and folds of people.
_COMPONENTS, _FOLDS = 10, 5


def compare_ratings(
    geometry: Geometry, shown: Shown, reference: Reference, answers: object
) -> Iterator[tuple[Layer | None, Rows]]:
    """Rows of `compare.compare_reference` for ratings.

    ``r_held_out``: mean correlation of raters with what a ridge regression on 10 principal
    components predicts of their mean rating, for pictures of people it was not trained on.
    ``r_pc1``: the same of the first component, whose sign is that of the correlation, so that p is
    two-sided. ``..._within``: both less the means of each category.
    """
    rows = shown.find(reference.stimuli)
    used = rows >= 0
    require_pairs(int(used.sum()), f"reference {reference.name}")
    rows = rows[used]
    people = shown.people[rows]
    categories = _categories(shown, rows)
    scales = [
        _Scale(name, reference, number, used, categories)
        for number, name in enumerate(reference.scales)
    ]
    for layer in geometry.layers:
        gram = layer.gram[:][np.ix_(rows, rows)]
        found = []
        for scale in scales:
            found += list(_compare_scale(layer, gram, scale, rows, people, categories))
        yield layer, found


class _Scale:
    """Ratings of the measured pictures on one scale, and what the best prediction would have."""

    def __init__(self, name, reference, number, used, categories) -> None:
        self.name = name
        rating = reference.rating[:, used, number]
        self.rating = rating[np.isfinite(rating).sum(axis=1) > 2]
        known = np.isfinite(self.rating)
        with np.errstate(invalid="ignore"):
            self.mean = np.where(known, self.rating, 0).sum(axis=0) / known.sum(axis=0)
        self.ceilings = {"": rating_ceiling(self.rating)}
        if categories is not None:
            self.ceilings["_within"] = rating_ceiling(self.rating, categories)
        if reference.sd is not None and reference.n is not None:
            sd, n = (array[used, number] for array in (reference.sd, reference.n))
            ends = (np.sqrt(mean_reliability(self.mean, sd, n)),) * 2
            # Within categories, the means vary less and the noise is the same.
            self.ceilings = {"": ends, "_within": (np.nan, np.nan)}


def _categories(shown: Shown, rows: np.ndarray) -> np.ndarray | None:
    if not is_labelled(shown.table, "expression").any():
        return None
    known = is_labelled(shown.table, "expression")
    return np.where(known, shown.table["expression"], None)[rows]


def _compare_scale(
    layer: Layer,
    gram: np.ndarray,
    scale: _Scale,
    rows: np.ndarray,
    people: np.ndarray,
    categories: np.ndarray | None,
) -> Iterator[dict[str, object]]:
    rated = np.isfinite(scale.mean)
    common = {"label": scale.name, "raters": len(scale.rating)}
    common |= {"n": int(rated.sum()), "people": len(np.unique(people[rated]))}
    try:
        if not len(scale.rating):
            raise FacestagesError("no rater rated three of the pictures")
        held_out = _predict(gram, scale.mean, people)
        pc1 = layer.scores[:, 0][rows]
    except (FacestagesError, IndexError, ValueError) as error:
        yield {**common, "measure": "r_held_out", "note": str(error)}
        return
    for within, groups in (("", None), ("_within", categories)):
        if within and groups is None:
            yield {**common, "measure": "r_held_out_within", "note": no_label("expression")}
            continue
        if within:
            rated &= pd.notna(groups)
            common |= {"n": int(rated.sum()), "people": len(np.unique(people[rated]))}
        ends = dict(zip(("ceiling_low", "ceiling_high"), scale.ceilings[within], strict=True))
        found = correlate_ratings(held_out, scale.rating, people, groups)
        yield {**common, "measure": f"r_held_out{within}", **estimate_columns(found), **ends}
        found = _positive(correlate_ratings(pc1, scale.rating, people, groups))
        yield {**common, "measure": f"r_pc1{within}", **estimate_columns(found), **ends}


def _positive(found: Estimate) -> Estimate:
    """The estimate with a sign that nobody knows before, and its two-sided p."""
    if found.value < 0:
        found = found._replace(value=-found.value, low=-found.high, high=-found.low, p=1 - found.p)
    return found._replace(p=np.minimum(2 * found.p, 1))


def _predict(gram: np.ndarray, mean: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Predictions (n,) of mean ratings for held-out people; NaN of a picture without a rating."""
    rated = np.flatnonzero(np.isfinite(mean))
    folds: Folds = hold_out_people(people, rated, _FOLDS)
    predicted = np.full(len(mean), np.nan)
    predicted[rated] = predict_values(project(gram, folds, _COMPONENTS), folds, mean[rated])
    return predicted


def scale_ceilings(
    reference: Reference, shown: Shown
) -> Iterator[tuple[str, int, int, tuple[float, float]]]:
    """Name, raters, rated pictures and ceilings of each scale."""
    used = shown.find(reference.stimuli) >= 0
    for number, name in enumerate(reference.scales):
        scale = _Scale(name, reference, number, used, None)
        yield name, len(scale.rating), int(np.isfinite(scale.mean).sum()), scale.ceilings[""]
