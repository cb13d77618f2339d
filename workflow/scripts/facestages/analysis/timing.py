"""Which layer goes with which moment of recordings of brains, and in which order stages come.

Recordings of raters (here: subjects) are RDMs at each time. Their ranks are correlated with those
of layers or models, at all times at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from facestages.analysis.crossed import Shared
from facestages.analysis.rdms import rank_pairs

# A peak counts where the curve reaches this many standard errors.
_CLEAR = 2.0


class Courses(NamedTuple):
    """Mean ``rho_a`` over subjects of some spaces (layers or models) at each time."""

    #: Shape (spaces, times) each: means, and their standard errors.
    value: np.ndarray
    error: np.ndarray
    #: Resampled means, shape (resamples, spaces, times).
    resampled: np.ndarray


def time_courses(
    ranks_of: Callable[[int], np.ndarray],
    subjects: int,
    distances: np.ndarray,
    shared: Shared,
    resamples: int = 1000,
    seed: int = 0,
) -> Courses:
    """Correlate spaces with recordings at all times.

    The variance is that of `crossed.estimate`. Resamples add the change of new subjects to that of
    new people, ``sum_s (w_s - 1) I_s + sum_p (w_p - 1) I_p`` with the influences I of either, which
    is then scaled to that variance.

    Parameters
    ----------
    ranks_of : callable
        From the number of a subject to the centred ranks of its RDMs, shape (times, m), no NaN.
    subjects : int
    distances : numpy.ndarray, shape (spaces, m)
    shared : Shared
        Which pairs share people.
    resamples, seed : int
    """
    spaces = np.stack([rank_pairs(row) for row in distances])
    pairs = spaces.shape[1]
    means = np.stack([spaces @ ranks_of(one).T for one in range(subjects)]) / pairs
    value = means.mean(axis=0)
    groups, same = [_groups_of(member) for _, member in shared.sets], _groups_of(shared.same)

    def squares(ranks: np.ndarray) -> np.ndarray:
        # As `Shared.squares`, of products that are never all in memory.
        parts = [_set_squares(sets, spaces, ranks, value) for sets in groups]
        together = sum(sign * part for sign, part in zip(shared.signs, parts, strict=True))
        return np.maximum(together, _set_squares(same, spaces, ranks, value))

    mean_ranks, both = 0.0, 0.0
    for one in range(subjects):
        ranks = ranks_of(one)
        mean_ranks = mean_ranks + ranks / subjects
        both = both + squares(ranks)
    both, of_people = both / (pairs * subjects) ** 2, squares(mean_ranks) / pairs**2
    few = subjects / max(subjects - 1, 1)
    of_subjects = few * ((means - value) ** 2).sum(axis=0) / subjects**2
    variance = of_subjects + of_people - few * both
    error = np.sqrt(np.maximum(variance, np.maximum(of_subjects, of_people)))
    influence = np.stack([_set_sum(rows, spaces, mean_ranks, value) for rows in groups[0]]) / (
        pairs * (1 - len(groups) / shared.people)
    )
    rng = np.random.default_rng(seed)
    change = _changes(rng, (means - value) / subjects, resamples)
    change += _changes(rng, influence, resamples)
    change *= error / np.maximum(change.std(axis=0), 1e-12)
    return Courses(value, error, value + change)


def _groups_of(member) -> list[np.ndarray]:
    columns = member.tocsc()
    return np.split(columns.indices, columns.indptr[1:-1])


def _set_sum(rows: np.ndarray, spaces: np.ndarray, ranks: np.ndarray, value: np.ndarray):
    """Sum over the pairs of one set of the products of ranks, less their mean, (spaces, times)."""
    return spaces[:, rows] @ ranks[:, rows].T - len(rows) * value


def _set_squares(
    sets: Sequence[np.ndarray], spaces: np.ndarray, ranks: np.ndarray, value: np.ndarray
) -> np.ndarray:
    """Sum over sets of the squares of `_set_sum`, (spaces, times)."""
    alone = np.array([rows[0] for rows in sets if len(rows) == 1], int)
    x, y = spaces[:, alone], ranks[:, alone]
    squares = (x**2) @ (y**2).T - 2 * value * (x @ y.T) + len(alone) * value**2
    for rows in sets:
        if len(rows) > 1:
            squares = squares + _set_sum(rows, spaces, ranks, value) ** 2
    return squares


def _changes(rng: np.random.Generator, influence: np.ndarray, resamples: int) -> np.ndarray:
    """Change of a mean (..., ) when the units (n, ...) with these influences are drawn anew."""
    n = len(influence)
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=resamples) - 1.0
    return np.tensordot(drawn, influence, 1)


def peak_times(courses: Courses, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Time of each course's highest value: (spaces,), and resampled (resamples, spaces).

    Times before 0 do not count. NaN for a course that nowhere exceeds two standard errors.
    """
    after = np.flatnonzero(times >= 0)
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
