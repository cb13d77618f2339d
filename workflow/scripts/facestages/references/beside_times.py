"""Layers beside recordings of brains: what goes with which moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import scipy.stats

from facestages.analysis.crossed import Shared, degrees_of_freedom, share_people
from facestages.analysis.labels import NO_GEOMETRY
from facestages.analysis.layers import Geometry, Layer, Rows
from facestages.analysis.rdms import rank_pairs
from facestages.analysis.timing import (
    Courses,
    layer_weights,
    model_weights,
    peak_times,
    same_order,
    slope_of_peaks,
    time_courses,
)
from facestages.errors import FacestagesError
from facestages.references.beside import (
    Shown,
    add_columns,
    count_columns,
    model_distances,
    pair_distances,
    require_pairs,
)
from facestages.references.files import Reference


def compare_times(
    geometry: Geometry, shown: Shown, reference: Reference, answers: object
) -> Iterator[tuple[Layer | None, Rows]]:
    """Rows of `compare.compare_reference` for recordings in time."""
    first, second, ranks, shared = recorded_ranks(shown, reference)
    layers = [layer for layer in geometry.layers if layer.total_variance > 0]
    if not layers:
        for layer in geometry.layers:
            yield layer, [{"measure": "rho_a", "note": NO_GEOMETRY}]
        return
    distances = np.stack([pair_distances(layer, shown, first, second) for layer in layers])
    times = np.array(reference.times)
    courses = time_courses(ranks.__getitem__, len(ranks), layer_weights(distances), shared)
    common = count_columns(shown, len(ranks), shared, first, second)
    for place, layer in enumerate(layers):
        yield (
            layer,
            [
                add_columns(common, row)
                for row in course_rows("rho_a", courses, place, times, shared, len(ranks))
            ],
        )
    peaks, resampled = peak_times(courses, times)
    slopes = slope_of_peaks(resampled)
    row = {"measure": "peak_slope", "value": float(slope_of_peaks(peaks))}
    if np.isfinite(slopes).any():
        row |= dict(zip(("ci_low", "ci_high"), np.nanquantile(slopes, [0.025, 0.975]), strict=True))
    else:
        row["note"] = "fewer than three layers have a clear peak"
    models = model_distances(shown, first, second)
    rows = [row, _order_row(models, distances, ranks, times, shared)]
    yield None, [add_columns(common, row) for row in rows]


def _order_row(
    models: Mapping[str, np.ndarray],
    distances: np.ndarray,
    ranks: np.ndarray,
    times: np.ndarray,
    shared: Shared,
) -> dict[str, object]:
    """Whether models peak in the same order in time as in depth: Kendall's tau, 1 if they do."""
    row: dict[str, object] = {"measure": "order_agreement", "label": ", ".join(models)}
    if len(models) < 3:
        return row | {"note": "fewer than three models are known of the pictures"}
    weights = model_weights(np.stack(list(models.values())))
    in_time = peak_times(time_courses(ranks.__getitem__, len(ranks), weights, shared), times)
    of_layers = layer_weights(distances)
    depth = time_courses(lambda _: of_layers, 1, weights, shared)
    in_depth = peak_times(depth, np.arange(len(distances)))
    if not np.isfinite([in_time[0], in_depth[0]]).all():
        return row | {"note": "a model has no clear peak in time, or in depth"}
    value, resampled = (same_order(*pair) for pair in zip(in_time, in_depth, strict=True))
    low, high = np.quantile(resampled, [0.025, 0.975])
    return row | {"value": float(value), "ci_low": low, "ci_high": high}


def recorded_ranks(
    shown: Shown, reference: Reference
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Shared]:
    """Rows of both pictures of each pair, ranks (subjects, times, m), and who shares whom.

    Pairs that a subject lacks at some time are left out.
    """
    first, second = (shown.find(names) for names in (reference.first, reference.second))
    used, recorded = (first >= 0) & (second >= 0), reference.dissimilarity
    require_pairs(int(used.sum()), f"reference {reference.name}")
    for of_subject in recorded:
        used &= np.isfinite(of_subject).all(axis=0)
    number = int(used.sum())
    if number < 3:
        raise FacestagesError(
            f"reference {reference.name}: {number or 'no'} pairs are recorded of every subject at "
            f"every time. Leave out subjects, or times, that lack many"
        )
    # In the place of the recordings, which may take half of the memory.
    for of_subject in recorded:
        for of_time, values in zip(of_subject, of_subject[:, used], strict=True):
            of_time[:number] = rank_pairs(values)
    first, second = first[used], second[used]
    shared = share_people(shown.people[first], shown.people[second])
    return first, second, recorded[..., :number], shared


def course_rows(
    measure: str, courses: Courses, place: int, times: np.ndarray, shared: Shared, subjects: int
) -> list[dict[str, object]]:
    """Rows of one value at each time, and of its peak."""
    freedom = degrees_of_freedom(subjects, shared)
    value, error = courses.value[place], courses.error[place]
    reach = scipy.stats.t.ppf(0.975, freedom) * error
    with np.errstate(invalid="ignore", divide="ignore"):
        p = scipy.stats.t.sf(value / error, freedom)
    rows = [
        {"measure": measure, "time": at, "value": v, "ci_low": v - r, "ci_high": v + r, "p": q}
        for at, v, r, q in zip(times, value, reach, p, strict=True)
    ]
    peaks, resampled = peak_times(courses, times)
    peak = {"measure": "peak", "value": peaks[place]}
    if np.isfinite(peaks[place]):
        ends = np.quantile(resampled[:, place], [0.025, 0.975])
        peak |= {"ci_low": ends[0], "ci_high": ends[1]}
    else:
        known = "" if np.isfinite(error).any() else ", of which none is known"
        peak["note"] = f"the course is nowhere above two standard errors{known}"
    return [*rows, peak]
