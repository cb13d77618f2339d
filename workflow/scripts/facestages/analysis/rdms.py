"""Representational dissimilarity matrices (RDMs) of layers and of models, and their correlations.

An RDM is a vector of the dissimilarities of all pairs of pictures, in the order of
`scipy.spatial.distance.pdist`. Pairs are ranked once; resampled and permuted correlations are sums
over these ranks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np
import pandas as pd
from scipy.spatial.distance import pdist

from facestages.analysis.labels import is_labelled
from facestages.errors import FacestagesError

#: The labels that each model is made of.
MODELS = {
    "identity": ("identity",),
    "expression": ("expression",),
    "affect": ("valence", "arousal"),
}

# Number of bins in which `_moved_ranks` counts ranks.
_BINS = 4096
_PAIRS_AT_ONCE = 1 << 20


def model_rdms(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """RDMs of the models of identity, expression, and affect.

    Dissimilarity of identity, or of expression, is 1 if the two pictures differ in it, else 0.
    That of affect is ``d = sqrt((v_1 - v_2)^2 + (a_1 - a_2)^2)``, the distance in the plane of
    valence and arousal.

    Parameters
    ----------
    table : pandas.DataFrame of n rows
        Labels of a face set: ``identity``, ``expression``, ``valence`` and ``arousal``.

    Returns
    -------
    dict of str to numpy.ndarray of float64, shape (n (n - 1) / 2,)
        By model, pairs in the order of `scipy.spatial.distance.pdist`. A model is left out where a
        picture lacks one of its labels.
    """
    complete = [model for model, labels in MODELS.items() if have_labels(table, labels).all()]
    return {model: model_rdm(table, model).astype(float) for model in complete}


def model_rdm(table: pd.DataFrame, model: str) -> np.ndarray:
    """One of `model_rdms` in less memory: of bool, or of float32 for affect."""
    if model == "affect":
        return pdist(table[list(MODELS[model])].to_numpy(float)).astype(np.float32)
    return pdist(pd.factorize(table[model])[0][:, None], "hamming") > 0


def have_labels(table: pd.DataFrame, labels: Sequence[str]) -> np.ndarray:
    """Which pictures have all of some labels, shape (n,)."""
    return np.all([is_labelled(table, label) for label in labels], axis=0)


def rank_correlations(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Rank correlations of two RDMs.

    ``rho_a = 12 sum(r_x r_y) / (m^3 - m)``,
    ``spearman = sum(r_x r_y) / sqrt(sum(r_x^2) sum(r_y^2))`` and
    ``share_of_ceiling = sum(r_x r_y) / sum(r_y^2)`` of the centred ranks of m pairs.

    Models of categories tie most pairs, and tied pairs share their mean rank. Spearman's
    correlation divides by the standard deviation of the tied ranks, which favours models with ties:
    they need not order the tied pairs. ``rho_a`` is the mean of Spearman's correlation over all
    random ways to break the ties (Schütt et al. 2023, doi:10.7554/eLife.82566), as tau-a is of
    Kendall's (Nili et al. 2014). A model y with ties cannot reach 1.

    ``share_of_ceiling`` is ``rho_a`` divided by the highest value that any x has with y,
    ``12 sum(r_y^2) / (m^3 - m) = 1 - sum(t^3 - t) / (m^3 - m)`` over ties of t pairs: tied ranks
    are means, so the products sum to most where x orders pairs as y does (rearrangement
    inequality). Every order of pairs is that of some distances. For a model of two values the share
    is the rank-biserial correlation (Cureton 1956, doi:10.1007/BF02289138): the chance that a pair
    that should be farther apart than another is, less the chance that it is closer. It does not
    depend on how many pairs the model ties, so that models can be compared.

    Parameters
    ----------
    x, y : numpy.ndarray, shape (m,)
        Dissimilarities of the same m pairs, such as ``scipy.spatial.distance.pdist(activations)``
        and one of `model_rdms`.

    Returns
    -------
    dict of str to float
        ``rho_a``; ``spearman``, which is NaN where x or y does not vary; ``share_of_ceiling``,
        which is NaN where y does not vary.

    Raises
    ------
    FacestagesError
        If a dissimilarity is negative or NaN.
    """
    x, y = (rank_pairs(values).astype(np.float64) for values in (x, y))
    spread = np.sqrt((x @ x) * (y @ y))
    ceiling = y @ y
    return {
        "rho_a": x @ y / len(x),
        "spearman": x @ y / spread if spread else np.nan,
        "share_of_ceiling": x @ y / ceiling if ceiling else np.nan,
    }


def rank_pairs(dissimilarities: np.ndarray) -> np.ndarray:
    """Centred ranks (m,), float32; ties share their mean rank. Without ties the variance is 1.

    Dissimilarities (m,) are ranked as float32, or as bool, which is faster.

    Raises
    ------
    FacestagesError
        If a dissimilarity is negative or NaN.
    """
    values, m = np.asarray(dissimilarities), len(dissimilarities)
    scale = np.float32(np.sqrt(3 / max(m**2 - 1, 1)))
    if values.dtype == bool:
        # The difference of the two mean ranks is m / 2, however many pairs have each.
        return (values - values.mean(dtype=np.float32)) * (m * scale)
    values = values.astype(np.float32, copy=False)
    if not np.all(values >= 0):
        raise FacestagesError("dissimilarities are negative or NaN; they must be distances")
    # Value and index of a pair are one integer each, which sorts in half the time and memory of an
    # argsort. The bits of non-negative floats rise with their values; adding 0 turns -0.0 into 0.0.
    keys = np.empty((m, 2), "<u4")
    keys[:, 0], keys[:, 1] = np.arange(m), (values + np.float32(0)).view(np.uint32)
    keys.view("<u8").sort(axis=0)
    starts = np.append(True, keys[1:, 1] != keys[:-1, 1])
    place = np.arange(m, dtype=np.int32)
    first = np.where(starts, place, 0)
    np.maximum.accumulate(first, out=first)
    last = np.where(np.append(starts[1:], True), place, m)[::-1]
    np.minimum.accumulate(last, out=last)
    # Twice the mean rank of each tie, less twice the mean of all ranks.
    first += last[::-1]
    first -= m - 1
    ranks = np.empty(m, np.float32)
    ranks[keys[:, 0]] = first
    ranks *= scale
    return ranks


def squared_distances(gram: np.ndarray) -> np.ndarray:
    """RDM of squared Euclidean distances, ``g_ii + g_jj - 2 g_ij``, from a Gram matrix (n, n)."""
    n, squares = len(gram), np.diag(gram).astype(np.float64)
    # Gram matrices are float32, so float64 would add no digits.
    distances, start = np.empty(n * (n - 1) // 2, np.float32), 0
    for i in range(n - 1):
        row = squares[i] + squares[i + 1 :] - 2.0 * gram[i, i + 1 :]
        distances[start : start + len(row)] = np.maximum(row, 0)
        start += len(row)
    return distances


def pair_influence(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Influence (m,) of each pair on ``rho_a`` of two sets of ranks (m,), whose mean is ``rho_a``.

    A pair contributes the product of its ranks. A pair that is resampled more often also moves the
    ranks of the pairs beyond it. With both parts, the mean influence of resampled pairs is to first
    order the ``rho_a`` that ranking them anew would give (influence function of Spearman's
    correlation, Croux and Dehon 2010, doi:10.1007/s10260-010-0142-z).
    """
    influence = x * y
    rho_a = influence.mean(dtype=np.float64)
    influence += _moved_ranks(x, y)
    influence += _moved_ranks(y, x)
    influence += rho_a - influence.mean(dtype=np.float64)
    return influence


def _moved_ranks(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Change of the mean product of ranks that each pair (m,) makes by moving ranks in x."""
    # The ranks lie between -sqrt(3) and sqrt(3).
    bins = ((x / np.float32(2 * np.sqrt(3)) + np.float32(0.5)) * (_BINS - 1)).astype(np.int16)
    # bincount copies its input into wider types, so it gets some of the pairs at a time.
    starts = range(0, len(x), _PAIRS_AT_ONCE)
    parts = [slice(start, start + _PAIRS_AT_ONCE) for start in starts]
    sums = sum(np.bincount(bins[part], y[part], _BINS) for part in parts) * np.sqrt(12) / len(x)
    beyond = sums[::-1].cumsum()[::-1] - sums / 2
    return beyond.astype(np.float32)[bins]


def pair_sums(matrix: np.ndarray, people: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sum over the pairs of pictures, and number of pairs, when people are drawn with replacement.

    Pairs within a person count as often as the person is drawn. Pairs of two people count as often
    as the product of both, and are weighted up to their number in the face set: a person who is
    drawn twice makes no pairs with the copy, because different people never have the same pictures.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (n, n)
        Symmetric, zero on the diagonal.
    people : numpy.ndarray of int, shape (n,)
        Person of each picture, sorted.
    weights : numpy.ndarray, shape (resamples, P)
        How often each person is drawn.

    Returns
    -------
    numpy.ndarray, shape (2, resamples)
        Each pair counts twice.
    """
    # Sums over blocks of people x people are enough for all resamples.
    names, starts, sizes = np.unique(people, return_index=True, return_counts=True)
    drawn = weights.sum(axis=1)
    pairs = drawn**2 - (weights**2).sum(axis=1)
    factor = np.divide(drawn**2 - drawn, pairs, out=np.zeros_like(pairs), where=pairs > 0)
    weights = weights[:, names]
    ends = starts + sizes
    rows = [matrix[:, a:b].sum(axis=1, dtype=np.float64) for a, b in zip(starts, ends, strict=True)]
    blocks = np.add.reduceat(rows, starts, axis=1)
    sums = []
    for values in (blocks, np.outer(sizes, sizes) - np.diag(sizes)):
        within = np.diag(values)
        between = ((weights @ (values - np.diag(within))) * weights).sum(axis=1)
        sums.append(weights @ within + factor * between)
    return np.array(sums)


def correct_resamples(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Shrink resampled values towards the estimate, to the variance that new people would give.

    ``variance = max(var(c) - var(e), var(c) / 2)``, where the change of a resample is c, a sum over
    people, plus a rest e. The effect of a pair of people enters c twice, once with each of them,
    and enters e once, by the product of their weights. The difference has it once, as new people
    would. c is the sum of the influences that leaving people out one by one gives (Schütt et al.
    2023 correct a bootstrap over two factors by the same reasoning).

    The values are the estimate, those without each of P people, and those of b resamples, which
    alone are returned; the weights (1 + P + b, P) are how often each person counts in each.
    """
    people = weights.shape[1]
    value, left_out, resampled = values[0], values[1 : 1 + people], values[1 + people :]
    finite = np.isfinite(resampled)
    change = resampled[finite] - value
    if not np.any(change):
        return resampled
    influence = np.nan_to_num(value - left_out) * (people - 1) / people
    of_people = (weights[1 + people :][finite] - 1) @ influence
    variance, least = of_people.var() - (change - of_people).var(), of_people.var() / 2
    return value + change * np.sqrt(max(variance, least) / change.var())


@numba.njit(cache=True, nogil=True)
def moved_sums(x, y, moved):
    """Sums of x * y (n, n) over pairs, for each of several orders (b, n) of the pictures of y."""
    sums = np.zeros(len(moved))
    for number, rows in enumerate(moved):
        for i in range(len(rows)):
            for j in range(i):
                sums[number] += x[i, j] * y[rows[i], rows[j]]
    return sums


@numba.njit(cache=True, nogil=True)
def shared_sums(x, labellings):
    """Sums of x (n, n) over the pairs that share a label, for each of several labellings (b, n)."""
    sums = np.zeros(len(labellings))
    for number, labels in enumerate(labellings):
        order = np.argsort(labels)
        start = 0
        for end in range(1, len(order) + 1):
            if end == len(order) or labels[order[end]] != labels[order[start]]:
                for i in order[start:end]:
                    for j in order[start:end]:
                        sums[number] += x[i, j]
                start = end
    # Each pair counts twice; the diagonal is zero.
    return sums / 2
