"""Silhouettes (Rousseeuw 1987) of many labellings of the same pictures.

A silhouette compares, picture by picture, the mean distance to its own group with that to the
nearest other group: near 1 where groups are tight and apart, near 0 where they overlap, negative
where pictures lie closer to another group. Distances do not depend on labels, so one pass over them
serves a thousand labellings.

Labels of faces are crossed: each person shows several expressions. So groups may be cut by strata
(expressions by people, people by expressions), and four means are taken, see `MEASURES`.
"""

from __future__ import annotations

import numba
import numpy as np

#: What is measured of the groups in one space.
MEASURES = {
    "silhouette": "mean over pictures, as scikit-learn's silhouette_score",
    "silhouette_macro": "mean over groups of the mean over their pictures",
    "silhouette_balanced": "on one picture of each group in each stratum, over all such choices",
    "silhouette_within": "in the pictures of one stratum alone, mean over strata",
}

# Pictures whose sums are made together: many enough for the vector units, few enough that all
# distances to them stay near the processor while one labelling after the other is summed.
_TOGETHER = 128
# Samples of so many labellings and pictures are held at once.
_AT_ONCE = 1 << 21
# Beyond all distances, also when divided by a number of pictures.
_FAR = 1e30
_REACH = 1e20


def distances(points: np.ndarray) -> np.ndarray:
    """Euclidean distances between rows.

    Parameters
    ----------
    points : numpy.ndarray, shape (n, k)

    Returns
    -------
    numpy.ndarray, shape (n, n)
        Of the type of the points.
    """
    centred = points - points.mean(axis=0)
    return turn_into_distances(centred @ centred.T)


def gram_distances(gram: np.ndarray) -> np.ndarray:
    """Euclidean distances from inner products: ``d_ij^2 = g_ii + g_jj - 2 g_ij``."""
    return turn_into_distances(np.array(gram, dtype=np.float64))


def turn_into_distances(gram: np.ndarray) -> np.ndarray:
    """As `gram_distances`, in place: of 20,000 pictures another matrix takes another 3.2 GB."""
    squares = np.diag(gram).copy()
    gram *= -2
    gram += squares[:, None]
    gram += squares[None, :]
    np.fill_diagonal(gram, 0.0)
    return np.sqrt(np.maximum(gram, 0.0, out=gram), out=gram)


def centred_distances(gram: np.ndarray, stratum: np.ndarray | None = None) -> np.ndarray:
    """Distances of points from which the mean of their stratum is taken away.

    Parameters
    ----------
    gram : numpy.ndarray, shape (n, n)
        Inner products.
    stratum : numpy.ndarray of int, shape (n,), optional
        Stratum of each point, from 0; one for all, whose mean changes no distance, if not given.

    Returns
    -------
    numpy.ndarray of float32, shape (n, n)
    """
    if stratum is None:
        stratum = np.zeros(len(gram), np.int64)
        return _distances(gram, stratum, np.zeros((len(gram), 1)), np.zeros((1, 1)))
    average = np.eye(stratum.max() + 1)[stratum]
    average /= average.sum(axis=0)
    means = gram @ average
    return _distances(gram, stratum, means, average.T @ means)


@numba.njit(cache=True, nogil=True, parallel=True)
def _distances(gram, stratum, means, among):
    """Distances from inner products of points, of points and means (n, strata), and of means; each
    product is read once, and nothing of the size of the matrix is kept but the result."""
    n = len(gram)
    squares = np.empty(n)
    for row in range(n):
        own = stratum[row]
        squares[row] = gram[row, row] - 2 * means[row, own] + among[own, own]
    found = np.zeros((n, n), np.float32)
    for row in numba.prange(n):
        own = stratum[row]
        for column in range(n):
            other = stratum[column]
            # The sum first: the same for both halves.
            product = gram[row, column] - (means[row, other] + means[column, own])
            product += among[own, other]
            square = squares[row] + squares[column] - 2 * product
            if square > 0 and row != column:
                found[row, column] = np.sqrt(square)
    return found


def picture_silhouettes(
    distance: np.ndarray, labellings: np.ndarray, stratum: np.ndarray | None = None
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Silhouette of each picture under each labelling, and how much it counts.

    Balanced silhouettes are those of equal cells: one picture of each group in each stratum, drawn
    again and again. In the limit of many draws each mean distance is that over the cells of a group
    of the mean distance to a cell's pictures, the picture's own cell left out; these are compared.

    Parameters
    ----------
    distance : numpy.ndarray, shape (n, n)
        Symmetric, float32 or float64.
    labellings : numpy.ndarray of int, shape (b, n)
        Group of each picture, from 0; -1 for pictures that are left out.
    stratum : numpy.ndarray of int, shape (n,), optional
        Stratum of each picture, from 0; one for all if not given.

    Returns
    -------
    samples, weights : dict of str to numpy.ndarray, shape (b, n)
        By each of `MEASURES`. A group of one picture scores 0, as in scikit-learn. The mean
        silhouette of a labelling is the sum of the products; the weights sum to 1. Those of
        ``silhouette_within`` are 0 in a stratum without two groups or without a group of two, and
        all 0 where no stratum has these.
    """
    if stratum is None:
        stratum = np.zeros(len(distance), np.int64)
    cells = _count_cells(labellings, stratum)
    strata, groups = cells.shape[1:]
    # Pictures that are left out go to a cell of their own.
    places = np.where(labellings < 0, strata * groups, stratum * groups + labellings)
    found = _samples(distance, places.astype(np.int32), cells)
    raw, balanced, within = np.moveaxis(found, 2, 0)
    measured = dict(zip(MEASURES, (raw, raw, balanced, within), strict=True))
    return measured, dict(zip(MEASURES, _weights(labellings, stratum, cells), strict=True))


def mean_silhouettes(
    distance: np.ndarray, labellings: np.ndarray, stratum: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Mean silhouettes of each labelling, by each of `MEASURES`, shape (b,).

    Parameters are those of `picture_silhouettes`; ``silhouette_within`` is NaN where no stratum has
    one.
    """
    at_once = max(1, _AT_ONCE // len(distance))
    parts = []
    for first in range(0, len(labellings), at_once):
        block = labellings[first : first + at_once]
        values, weights = picture_silhouettes(distance, block, stratum)
        parts.append({name: _weighted_sum(values[name], weights[name]) for name in MEASURES})
    return {name: np.concatenate([part[name] for part in parts]) for name in MEASURES}


def _weighted_sum(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    sums = np.einsum("bn,bn->b", values, weights)
    return np.where(weights.any(axis=1), sums, np.nan)


def _count_cells(labellings: np.ndarray, stratum: np.ndarray) -> np.ndarray:
    """Pictures of each stratum in each group, shape (b, strata, groups)."""
    strata, groups = stratum.max() + 1, labellings.max() + 1
    counts = np.zeros((len(labellings), strata * groups), np.int64)
    for count, labelling in zip(counts, labellings, strict=True):
        counted = labelling >= 0
        place = stratum[counted] * groups + labelling[counted]
        count[:] = np.bincount(place, minlength=strata * groups)
    return counts.reshape(-1, strata, groups)


def _weights(labellings: np.ndarray, stratum: np.ndarray, cells: np.ndarray) -> tuple:
    """How much each picture counts, shape (b, n), in the order of `MEASURES`."""
    rows, group = np.arange(len(labellings))[:, None], np.maximum(labellings, 0)
    counted = labellings >= 0
    sizes, present = cells.sum(axis=1), cells > 0
    # A stratum has silhouettes of its own if it has two groups, one of them of two pictures.
    has_own = (present.sum(axis=2) > 1) & (cells.max(axis=2) > 1)
    of_stratum = np.where(has_own, cells.sum(axis=2), 0)[:, stratum]
    weights = (
        counted / counted.sum(axis=1, keepdims=True),
        counted / ((sizes > 0).sum(axis=1)[:, None] * np.maximum(sizes[rows, group], 1)),
        counted / (present.sum(axis=(1, 2))[:, None] * np.maximum(cells[rows, stratum, group], 1)),
        (counted & (of_stratum > 0))
        / np.maximum(has_own.sum(axis=1)[:, None] * np.maximum(of_stratum, 1), 1),
    )
    return weights


@numba.njit(cache=True, inline="always")
def _compare(inside, nearest):
    widest = max(inside, nearest)
    return (nearest - inside) / widest if widest > 0 else 0.0


@numba.njit(cache=True, nogil=True, parallel=True, fastmath=True)
def _samples(distance, places, cells):
    """Silhouettes (b, n, 3) of each picture: raw, balanced, within its stratum."""
    n, (b, strata, groups) = len(distance), cells.shape
    found = np.zeros((b, n, 3), distance.dtype)
    for block in numba.prange((n + _TOGETHER - 1) // _TOGETHER):
        start = block * _TOGETHER
        size = min(_TOGETHER, n - start)
        tile = np.zeros((n, _TOGETHER), distance.dtype)
        tile[:, :size] = distance[:, start : start + size]
        sums = np.empty((strata * groups + 1, _TOGETHER), distance.dtype)
        total = np.empty((groups, _TOGETHER), distance.dtype)
        means = np.empty((groups, _TOGETHER), distance.dtype)
        # Sums of each picture to its own group and cell, and the least mean to others.
        own = np.empty((3, _TOGETHER), distance.dtype)
        nearest = np.empty((3, _TOGETHER), distance.dtype)
        elsewhere = np.empty((strata, _TOGETHER), distance.dtype)
        for number in range(b):
            place = places[number]
            sums[:] = 0
            for other in range(n):
                cell = place[other]
                for picture in range(_TOGETHER):
                    sums[cell, picture] += tile[other, picture]
            total[:] = 0
            means[:] = 0
            sizes = np.zeros(groups, np.int64)
            parts = np.zeros(groups, np.int64)
            for cell in range(strata * groups):
                count, group = cells[number, cell // groups, cell % groups], cell % groups
                if count > 0:
                    sizes[group] += count
                    parts[group] += 1
                    for picture in range(_TOGETHER):
                        total[group, picture] += sums[cell, picture]
                        means[group, picture] += sums[cell, picture] / count
            # A picture's own group is noted, and then put out of the reach of a minimum.
            present = np.zeros(strata, np.bool_)
            elsewhere[:] = _FAR
            nearest[:] = _FAR
            for picture in range(size):
                cell = place[start + picture]
                if cell < strata * groups:
                    group, stratum = cell % groups, cell // groups
                    own[0, picture] = total[group, picture]
                    own[1, picture] = means[group, picture]
                    own[2, picture] = sums[cell, picture]
                    total[group, picture] = means[group, picture] = sums[cell, picture] = _FAR
                    elsewhere[stratum, picture] = 0
                    present[stratum] = True
            for group in range(groups):
                if sizes[group] > 0:
                    for picture in range(_TOGETHER):
                        mean = total[group, picture] / sizes[group]
                        nearest[0, picture] = min(nearest[0, picture], mean)
                        mean = means[group, picture] / parts[group]
                        nearest[1, picture] = min(nearest[1, picture], mean)
            for stratum in range(strata):
                if not present[stratum]:
                    continue
                for group in range(groups):
                    count, cell = cells[number, stratum, group], stratum * groups + group
                    if count > 0:
                        for picture in range(_TOGETHER):
                            mean = sums[cell, picture] / count + elsewhere[stratum, picture]
                            nearest[2, picture] = min(nearest[2, picture], mean)
            for picture in range(size):
                cell = place[start + picture]
                if cell == strata * groups:
                    continue
                group, stratum = cell % groups, cell // groups
                count, score = cells[number, stratum, group], found[number, start + picture]
                if sizes[group] > 1:
                    score[0] = _compare(own[0, picture] / (sizes[group] - 1), nearest[0, picture])
                if parts[group] > 1:
                    inside = (own[1, picture] - own[2, picture] / count) / (parts[group] - 1)
                    score[1] = _compare(inside, nearest[1, picture])
                if count > 1 and nearest[2, picture] < _REACH:
                    score[2] = _compare(own[2, picture] / (count - 1), nearest[2, picture])
    return found
