"""Layers beside people's judgements of pairs of pictures, and what the judgements are made of.

Each rater (or subject) has a dissimilarity for pairs of pictures, NaN where a pair was not judged.
A layer has the distance of every pair. Pairs are ranked once for each rater.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from facestages.analysis.crossed import Estimate, Shared, estimate, share_people
from facestages.analysis.rdms import pair_influence, rank_pairs
from facestages.errors import FacestagesError

logger = logging.getLogger(__name__)

_FEWEST_TO_EXTRAPOLATE = 4


class Judged(NamedTuple):
    """Judgements of m pairs by raters; see `rank_judgements`."""

    #: Centred ranks (raters, m) of each rater's dissimilarities, variance 1 without ties; NaN.
    ranks: np.ndarray
    #: Which pairs share people.
    shared: Shared


def rank_judgements(dissimilarity: np.ndarray, first: np.ndarray, second: np.ndarray) -> Judged:
    """Rank the judgements (raters, m); `first` and `second` (m,) are codes of the people shown.

    Raises
    ------
    FacestagesError
        If a rater judged fewer than two pairs, or finds all pairs alike.
    """
    ranks = np.full(dissimilarity.shape, np.nan, np.float32)
    for row, judged in zip(ranks, dissimilarity, strict=True):
        known = np.isfinite(judged)
        if known.sum() < 2:
            raise FacestagesError("a rater judged fewer than two pairs")
        if np.ptp(judged[known]) == 0:
            raise FacestagesError("a rater finds all pairs alike")
        row[known] = rank_pairs(judged[known])
    return Judged(ranks, share_people(first, second))


def rank_items(distances: np.ndarray, judged: Judged) -> np.ndarray:
    """What each pair contributes to ``rho_a`` of the distances (m,) with each rater, (raters, m).

    The mean over the pairs that a rater judged is ``rho_a`` (`rdms.rank_correlations`); the
    contributions are those of `rdms.pair_influence`.
    """
    items = np.full_like(judged.ranks, np.nan)
    for raters, known in _by_pairs(judged.ranks):
        ranks = rank_pairs(distances[known])
        for rater in raters:
            items[rater, known] = pair_influence(ranks, judged.ranks[rater, known])
    return items


def noise_ceiling(judged: Judged) -> tuple[float, float]:
    """Lowest and highest mean ``rho_a`` that the best possible layer has with these raters.

    The upper end is that of the mean of all raters' ranks, which no layer can exceed if all raters
    judged the same pairs. The lower end is the mean correlation of each rater with the mean of the
    others (Nili et al. 2014, doi:10.1371/journal.pcbi.1003553); NaN with one rater.
    """
    upper = np.nanmean(rank_items(_mean_ranks(judged.ranks), judged), axis=1).mean()
    lower = [_with_others(judged, rater) for rater in range(len(judged.ranks))]
    lower = [one for one in lower if np.isfinite(one)] if len(lower) > 1 else []
    return float(np.mean(lower) if lower else np.nan), float(upper)


def true_ceiling(judged: Judged) -> float:
    """Mean ``rho_a`` of a rater with the mean of infinitely many others, extrapolated.

    ``f sqrt((v + (k - 1) r) / (k r))`` for the mean correlation f of each rater with the mean of k
    others, the mean product r of the ranks of two raters, and the variance v of ranks, which is
    below 1 with ties (Spearman 1910, Brown 1910). Where raters judged different pairs, k is the
    mean number of others over judgements that have some. No more than the mean correlation with
    the mean of all. NaN with fewer than four raters, or where they do not agree.
    """
    if len(judged.ranks) < _FEWEST_TO_EXTRAPOLATE:
        return np.nan
    known = np.isfinite(judged.ranks)
    ranks, number = np.where(known, judged.ranks, 0), known.sum(axis=0)
    two_raters = (number * (number - 1)).sum()
    agreement = (ranks.sum(axis=0) ** 2 - (ranks**2).sum(axis=0)).sum()
    with_others, with_all = noise_ceiling(judged)
    if not (two_raters and agreement > 0 and with_others > 0):
        return np.nan
    r, k = agreement / two_raters, two_raters / number[number > 1].sum()
    variance = (ranks**2).sum() / number.sum()
    extrapolated = with_others * np.sqrt((variance + (k - 1) * r) / (k * r))
    return float(min(extrapolated, with_all))


def _mean_ranks(ranks: np.ndarray) -> np.ndarray:
    """Mean over raters, moved so that none is below 0; NaN of a pair that nobody judged."""
    known = np.isfinite(ranks)
    # Ranks are whole multiples of this, so that equal means are equal to the last digit but one.
    unit = np.sqrt(3 / np.maximum(known.sum(axis=1, keepdims=True).astype(float) ** 2 - 1, 1))
    whole = np.round(np.where(known, ranks, 0) / unit) * unit
    with np.errstate(invalid="ignore"):
        mean = whole.sum(axis=0) / known.sum(axis=0)
    return mean - np.nanmin(mean)


def _with_others(judged: Judged, rater: int) -> float:
    """``rho_a`` of a rater with the mean of the others."""
    others = np.delete(judged.ranks, rater, axis=0)
    known = np.isfinite(judged.ranks[rater]) & np.isfinite(others).any(axis=0)
    if known.sum() < 2:
        return np.nan
    mean = _mean_ranks(others[:, known])
    return float(np.mean(rank_pairs(mean) * _rerank(judged.ranks[rater, known])))


def _rerank(ranks: np.ndarray) -> np.ndarray:
    return rank_pairs(ranks - ranks.min())


def standardise(models: np.ndarray) -> np.ndarray:
    """Models (k, m) with mean 0 and variance 1 over pairs."""
    return (models - models.mean(axis=1, keepdims=True)) / models.std(axis=1, keepdims=True)


def mix_models(
    dissimilarity: np.ndarray, models: np.ndarray, shared: Shared
) -> tuple[Estimate, np.ndarray]:
    """Of how much of each model dissimilarities are mixed.

    ``d = b_0 + sum_k b_k z_k + noise`` by least squares for each rater, with d and the models z
    scaled to variance 1; ``weight_k = b_k / sum_j b_j`` of the means over raters. The interval
    follows from the influence of each pair on b, to first order. A rater is left out whose
    judgements, or on whose pairs a model, or a sum of models, do not vary; the log says so.

    Parameters
    ----------
    dissimilarity : numpy.ndarray, shape (raters, m)
        Of judgements, NaN where a pair was not judged; or of a layer, as of one rater.
    models : numpy.ndarray, shape (k, m)
        Dissimilarities that the models predict.
    shared : Shared
        Which pairs share people.

    Returns
    -------
    weights : Estimate, shape (k,)
        They sum to 1. One below 0 fits pairs that the model expects to be alike and that are not.
    unique : numpy.ndarray, shape (k + 1,)
        Share of the variance of the raters' mean that each model explains beyond the others, and
        that all explain together.

    Raises
    ------
    FacestagesError
        If no rater is left, or judgements do not grow with the sum of the models.
    """
    z = standardise(models)
    dissimilarity = _scale_raters(dissimilarity, z)
    raters = len(dissimilarity)
    items = np.full((raters, *z.shape), np.nan)
    for rater, judged in enumerate(dissimilarity):
        known = np.isfinite(judged)
        design = np.vstack([np.ones(known.sum()), z[:, known]])
        inverse = np.linalg.pinv(design @ design.T)
        b = inverse @ design @ judged[known]
        # What a pair adds to its rater's b, times the number of pairs.
        moved = known.sum() * inverse @ (design * (judged[known] - b @ design))
        items[rater, :, known] = (moved + b[:, None])[1:].T
    b = np.nanmean(items, axis=2).mean(axis=0)
    if b.sum() <= 0:
        raise FacestagesError(
            "dissimilarities do not grow with these models; if large numbers are alike, say "
            "'similarity: true' of the reference"
        )
    weight = b / b.sum()
    around = items - b[:, None]
    items = (
        weight[:, None] + (around - weight[:, None] * around.sum(axis=1, keepdims=True)) / b.sum()
    )
    return estimate(lambda rater: items[rater], raters, shared), _unique(dissimilarity, z)


def _scale_raters(dissimilarity: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Dissimilarities with variance 1 of those raters of whom a mixture can be known."""
    kept = []
    for judged in dissimilarity:
        known = np.isfinite(judged)
        design = np.vstack([np.ones(known.sum()), z[:, known]])
        if np.linalg.matrix_rank(design) == len(design) and np.ptp(judged[known]) > 0:
            kept.append(judged / judged[known].std())
    if not kept:
        raise FacestagesError("no rater judged pairs on which all of these models vary")
    if len(kept) < len(dissimilarity):
        logger.warning(
            "mixtures leave out %d of %d raters, whose pairs do not tell the models apart",
            *(len(dissimilarity) - len(kept), len(dissimilarity)),
        )
    return np.stack(kept)


def _unique(dissimilarity: np.ndarray, z: np.ndarray) -> np.ndarray:
    known = np.isfinite(dissimilarity).any(axis=0)
    mean = np.nanmean(dissimilarity[:, known], axis=0)
    design = np.vstack([np.ones(known.sum()), z[:, known]])
    subsets = [
        [k for k in range(len(design)) if k != left_out] for left_out in range(1, len(design))
    ]

    def explained(rows: list[int]) -> float:
        left = mean - np.linalg.lstsq(design[rows].T, mean)[0] @ design[rows]
        return float(1 - left.var() / mean.var())

    together = explained([*range(len(design))])
    return np.array([*(together - explained(rows) for rows in subsets), together])


def _by_pairs(ranks: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Raters (numbers) who judged the same pairs (numbers)."""
    known = np.isfinite(ranks)
    _, groups = np.unique(known, axis=0, return_inverse=True)
    for group in range(groups.max() + 1):
        raters = np.flatnonzero(groups == group)
        yield raters, np.flatnonzero(known[raters[0]])
