"""Which layer goes with which moment of recordings of brains, and in which order stages come.

Recordings of raters (here: subjects) are RDMs at each time. Their ranks are correlated with those
of layers, or regressed on models, at all times at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from facestages.analysis.crossed import FEWEST_APART, Shared
from facestages.analysis.judgements import standardise
from facestages.analysis.rdms import rank_pairs

# A peak counts where the curve reaches this many standard errors.
_CLEAR = 2.0


class Courses(NamedTuple):
    """Means over subjects of some values at each time."""

    #: Shape (values, times) each: means, and their standard errors.
    value: np.ndarray
    error: np.ndarray
    #: Resampled means, shape (resamples, values, times).
    resampled: np.ndarray


def layer_weights(distances: np.ndarray) -> np.ndarray:
    """Weights of pairs for `time_courses`, by which it gives ``rho_a`` of distances (spaces, m)."""
    return np.stack([rank_pairs(row) for row in distances])


def model_weights(models: np.ndarray) -> np.ndarray:
    """Weights of pairs for `time_courses`, by which it gives coefficients of models (k, m).

    ``r = b_0 + sum_k b_k z_k`` by least squares for the ranks r, with z scaled to variance 1. A
    correlation with one model would also follow what the others have in common with it.
    """
    z = standardise(models)
    return np.linalg.pinv(z).T * z.shape[1]


def time_courses(
    ranks_of: Callable[[int], np.ndarray],
    subjects: int,
    weights: np.ndarray,
    shared: Shared,
    resamples: int = 1000,
    seed: int = 0,
) -> Courses:
    """``sum_pairs weight rank / m`` of recordings at all times, mean over subjects.

    The variance is that of `crossed.estimate`. Resamples add the change of new subjects to that of
    new people, ``sum_s (w_s - 1) I_s + sum_p (w_p - 1) I_p`` with the influences I of either, which
    is then scaled to that variance.

    Parameters
    ----------
    ranks_of : callable
        From the number of a subject to the centred ranks of its RDMs, shape (times, m), no NaN.
    subjects : int
    weights : numpy.ndarray, shape (values, m)
        Of `layer_weights` or `model_weights`; their mean over pairs is 0.
    shared : Shared
        Which pairs share people.
    resamples, seed : int
    """
    pairs = weights.shape[1]
    means = np.stack([weights @ ranks_of(one).T for one in range(subjects)]) / pairs
    value = means.mean(axis=0)
    few = subjects / max(subjects - 1, 1)
    of_subjects = few * ((means - value) ** 2).sum(axis=0) / subjects**2
    rng = np.random.default_rng(seed)
    change = _changes(rng, (means - value) / subjects, resamples)
    if shared.apart < FEWEST_APART:
        # Too few people to tell of new ones.
        error = np.sqrt(of_subjects) if subjects > 1 else np.full_like(value, np.nan)
        return Courses(value, error, value + change)
    groups, same = [_groups_of(member) for _, member in shared.sets], _groups_of(shared.same)

    def squares(ranks: np.ndarray) -> np.ndarray:
        # As `Shared.squares`, of products that are never all in memory.
        parts = [_set_squares(sets, weights, ranks, value) for sets in groups]
        together = sum(sign * part for sign, part in zip(shared.signs, parts, strict=True))
        return np.maximum(together, _set_squares(same, weights, ranks, value))

    mean_ranks, both = 0.0, 0.0
    for one in range(subjects):
        ranks = ranks_of(one)
        mean_ranks = mean_ranks + ranks / subjects
        both = both + squares(ranks)
    both, of_people = both / (pairs * subjects) ** 2, squares(mean_ranks) / pairs**2
    variance = of_subjects + of_people - few * both
    error = np.sqrt(np.maximum(variance, np.maximum(of_subjects, of_people)))
    influence = np.stack([_set_sum(rows, weights, mean_ranks, value) for rows in groups[0]]) / (
        pairs * (1 - len(groups) / shared.people)
    )
    change += _changes(rng, influence, resamples)
    change *= error / np.maximum(change.std(axis=0), 1e-12)
    return Courses(value, error, value + change)


def _groups_of(member) -> list[np.ndarray]:
    columns = member.tocsc()
    return np.split(columns.indices, columns.indptr[1:-1])


def _set_sum(rows: np.ndarray, weights: np.ndarray, ranks: np.ndarray, value: np.ndarray):
    """Sum over the pairs of one set of the products, less their mean, (values, times)."""
    return weights[:, rows] @ ranks[:, rows].T - len(rows) * value


def _set_squares(
    sets: Sequence[np.ndarray], weights: np.ndarray, ranks: np.ndarray, value: np.ndarray
) -> np.ndarray:
    """Sum over sets of the squares of `_set_sum`, (values, times)."""
    alone = np.array([rows[0] for rows in sets if len(rows) == 1], int)
    x, y = weights[:, alone], ranks[:, alone]
    squares = (x**2) @ (y**2).T - 2 * value * (x @ y.T) + len(alone) * value**2
    for rows in sets:
        if len(rows) > 1:
            squares = squares + _set_sum(rows, weights, ranks, value) ** 2
    return squares


def _changes(rng: np.random.Generator, influence: np.ndarray, resamples: int) -> np.ndarray:
    """Change of a mean (..., ) when the units (n, ...) with these influences are drawn anew."""
    n = len(influence)
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=resamples) - 1.0
    return np.tensordot(drawn, influence, 1)


def peak_times(courses: Courses, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Time of each course's highest value: (values,), and resampled (resamples, values).

    Times before 0 do not count. NaN for a course that nowhere exceeds two standard errors.
    """
    after = np.flatnonzero(times >= 0)
    if not len(after):
        return np.full(len(courses.value), np.nan), np.full(courses.resampled.shape[:2], np.nan)
    clear = (courses.value[:, after] > _CLEAR * courses.error[:, after]).any(axis=1)
    found = times[after][courses.value[:, after].argmax(axis=-1)]
    resampled = times[after][courses.resampled[..., after].argmax(axis=-1)]
    return np.where(clear, found, np.nan), np.where(clear, resampled, np.nan)


def slope_of_peaks(peaks: np.ndarray) -> np.ndarray:
    """Slope (...,) of peak times (..., layers) on the position of the layer, ms a layer."""
    known = np.isfinite(peaks[0] if peaks.ndim > 1 else peaks)
    if known.sum() < 3:
        return np.full(peaks.shape[:-1], np.nan)
    position = np.flatnonzero(known) - np.flatnonzero(known).mean()
    times = peaks[..., known]
    return (times - times.mean(axis=-1, keepdims=True)) @ position / (position @ position)


def same_order(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Kendall's tau-a of two orders (..., k): 1 where they are the same; NaN if not known.

    ``mean over pairs i < j of sign(x_i - x_j) sign(y_i - y_j)``.
    """
    i, j = np.triu_indices(first.shape[-1], 1)
    signs = np.sign(first[..., i] - first[..., j]) * np.sign(second[..., i] - second[..., j])
    return signs.mean(axis=-1)
