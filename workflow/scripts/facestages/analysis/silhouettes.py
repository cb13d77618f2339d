"""Silhouettes (Rousseeuw 1987, doi:10.1016/0377-0427(87)90125-7) of many labellings of one space.

The silhouette of a picture is ``(b - a) / max(a, b)``, where a is its mean distance to the other
pictures of its group, and b that to the nearest other group. It is near 1 where groups are tight
and apart, near 0 where they overlap, and negative where the picture lies closer to another group.
Distances do not depend on labels, so one pass over them serves a thousand labellings.

Labels of faces are crossed: each person shows several expressions. Groups may therefore be cut by
strata (expressions by people, people by expressions), which gives the four means of `MEASURES`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np

from facestages.analysis.distances import Points, gram_distances
from facestages.errors import FacestagesError

#: What is measured of the groups in one space.
MEASURES = {
    "silhouette": "mean over pictures, as scikit-learn's silhouette_score",
    "silhouette_macro": "mean over groups of the mean over their pictures",
    "silhouette_balanced": "as if each group had one picture in each stratum, by mean distances",
    "silhouette_within": "in the pictures of one stratum alone, mean over strata",
}

# This many pictures are summed together: enough for the vector units, and few enough that their
# distances stay in the cache while one labelling after another is summed.
_TOGETHER = 128
# Labellings are scored in blocks of at most this many labellings x pictures.
_AT_ONCE = 1 << 21
# Stands for the distance to an absent group. Divided by a number of pictures it is still above
# `_REACH`, which no distance exceeds.
_FAR = 1e30
_REACH = 1e20


def silhouette(matrix: np.ndarray, labels: Sequence) -> float:
    """Mean silhouette: the mean over pictures of ``(b - a) / max(a, b)``.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (n, n)
        Distances or a Gram matrix; the diagonal of distances is zero.
    labels : sequence, shape (n,)
        Group of each row.

    Returns
    -------
    float
        As ``sklearn.metrics.silhouette_score`` gives it; a group of one scores 0.

    Raises
    ------
    FacestagesError
        If there is one group only, or no group has two members.
    """
    return float(silhouette_samples(matrix, labels).mean())


def silhouette_samples(matrix: np.ndarray, labels: Sequence) -> np.ndarray:
    """Silhouette of each picture.

    Parameters and errors are those of `silhouette`.

    Returns
    -------
    numpy.ndarray of float64, shape (n,)
        As ``sklearn.metrics.silhouette_samples`` gives them.
    """
    codes = _encode(labels, len(matrix))
    samples, _ = picture_silhouettes(_as_distances(matrix), codes[None])
    return samples["silhouette"][0]


def silhouette_null(
    matrix: np.ndarray,
    labels: Sequence,
    permutations: int = 1000,
    seed: int = 0,
    rows: np.ndarray | None = None,
) -> np.ndarray:
    """Mean silhouettes of permuted labels: the null distribution of `silhouette`.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (n, n)
        Distances or a Gram matrix.
    labels : sequence, shape (n,)
    permutations, seed : int
        Number and seed of free permutations; not used with `rows`.
    rows : numpy.ndarray, shape (permutations, n), optional
        Restricted permutations: from which picture each picture takes its label, as
        `analysis.permutation.permute_label` gives it.

    Returns
    -------
    numpy.ndarray of float, shape (permutations,)
    """
    codes = _encode(labels, len(matrix))
    if rows is None:
        rng = np.random.default_rng(seed)
        rows = rng.permuted(np.tile(np.arange(len(codes)), (permutations, 1)), axis=1)
    distance = _as_distances(matrix).astype(np.float32)
    return mean_silhouettes(distance, codes[rows])["silhouette"]


def _as_distances(matrix: np.ndarray) -> np.ndarray:
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise FacestagesError(f"distances must be square, not of shape {matrix.shape}")
    if not np.isfinite(matrix).all():
        raise FacestagesError("distances hold NaN or infinity")
    return gram_distances(matrix) if np.any(np.diag(matrix) != 0) else matrix


def _encode(labels: Sequence, n: int) -> np.ndarray:
    values, codes = np.unique(np.asarray(labels).astype(str), return_inverse=True)
    if len(codes) != n:
        raise FacestagesError(f"{len(codes)} labels for {n} pictures")
    if len(values) < 2:
        raise FacestagesError(f"all {n} pictures have the one label '{values[0]}'; two are needed")
    if len(values) == n:
        raise FacestagesError(f"each of the {n} pictures has a label of its own; none has two")
    return codes


def picture_silhouettes(
    space: np.ndarray | Points, labellings: np.ndarray, stratum: np.ndarray | None = None
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Silhouette of each picture under each labelling, and its weight.

    A cell holds the pictures of one group in one stratum. Balanced silhouettes are those of one
    picture drawn from each cell, in the limit of many draws: the mean distance to a group is the
    mean over its cells, without the picture's own cell, of the mean distance to a cell's pictures.

    Parameters
    ----------
    space : numpy.ndarray, shape (n, n), or Points
        Distances, symmetric, float32 or float64; or the points, whose distances are float32.
    labellings : numpy.ndarray of int, shape (b, n)
        Group of each picture, from 0; -1 for pictures that are left out.
    stratum : numpy.ndarray of int, shape (n,), optional
        Stratum of each picture, from 0; one for all if not given.

    Returns
    -------
    samples, weights : dict of str to numpy.ndarray, shape (b, n)
        By each of `MEASURES`. A group of one picture scores 0, as in scikit-learn. The mean
        silhouette of a labelling is the sum of samples x weights. The weights sum to 1; those of
        ``silhouette_within`` are 0 in a stratum without two groups or without a group of two.
    """
    if stratum is None:
        stratum = np.zeros(labellings.shape[1], np.int64)
    cells = _count_cells(labellings, stratum)
    strata, groups = cells.shape[1:]
    # Pictures that are left out share one further cell.
    places = np.where(labellings < 0, strata * groups, stratum * groups + labellings)
    score = _samples_of_points if isinstance(space, Points) else _samples
    samples = score(_array(space), places.astype(np.int32), cells)
    raw, balanced, within = np.moveaxis(samples, 2, 0)
    by_measure = dict(zip(MEASURES, (raw, raw, balanced, within), strict=True))
    return by_measure, dict(zip(MEASURES, _weights(labellings, stratum, cells), strict=True))


def mean_silhouettes(
    space: np.ndarray | Points, labellings: np.ndarray, stratum: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Mean silhouettes of each labelling, by each of `MEASURES`, shape (b,).

    Parameters are those of `picture_silhouettes`; ``silhouette_within`` is NaN where no stratum has
    one.
    """
    at_once = max(1, _AT_ONCE // labellings.shape[1])
    parts = []
    for first in range(0, len(labellings), at_once):
        block = labellings[first : first + at_once]
        values, weights = picture_silhouettes(space, block, stratum)
        parts.append({name: _weighted_sum(values[name], weights[name]) for name in MEASURES})
    return {name: np.concatenate([part[name] for part in parts]) for name in MEASURES}


def _array(space: np.ndarray | Points) -> np.ndarray:
    return space.coordinates if isinstance(space, Points) else space


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
    """Weight of each picture, shape (b, n), in the order of `MEASURES`."""
    rows, group = np.arange(len(labellings))[:, None], np.maximum(labellings, 0)
    counted = labellings >= 0
    sizes, present = cells.sum(axis=1), cells > 0
    # A stratum alone has silhouettes if it has two groups, one of them of two pictures.
    is_scored = (present.sum(axis=2) > 1) & (cells.max(axis=2) > 1)
    stratum_size = np.where(is_scored, cells.sum(axis=2), 0)[:, stratum]
    return (
        counted / counted.sum(axis=1, keepdims=True),
        counted / ((sizes > 0).sum(axis=1)[:, None] * np.maximum(sizes[rows, group], 1)),
        counted / (present.sum(axis=(1, 2))[:, None] * np.maximum(cells[rows, stratum, group], 1)),
        (counted & (stratum_size > 0))
        / np.maximum(is_scored.sum(axis=1)[:, None] * np.maximum(stratum_size, 1), 1),
    )


@numba.njit(cache=True, inline="always")
def _compare(inside, nearest):
    widest = max(inside, nearest)
    return (nearest - inside) / widest if widest > 0 else 0.0


@numba.njit(cache=True, nogil=True, parallel=True)
def _samples(distance, places, cells):
    """Silhouettes (b, n, 3) of each picture: raw, balanced, within its stratum."""
    n = len(distance)
    samples = np.zeros((len(cells), n, 3), distance.dtype)
    for block in numba.prange((n + _TOGETHER - 1) // _TOGETHER):
        start = block * _TOGETHER
        size = min(_TOGETHER, n - start)
        tile = np.zeros((n, _TOGETHER), distance.dtype)
        tile[:, :size] = distance[:, start : start + size]
        _score_block(tile, start, size, places, cells, samples)
    return samples


@numba.njit(cache=True, nogil=True, parallel=True)
def _samples_of_points(points, places, cells):
    """As `_samples`, of points (n, k) in float64; distances are rounded to float32."""
    n = len(points)
    samples = np.zeros((len(cells), n, 3), np.float32)
    for block in numba.prange((n + _TOGETHER - 1) // _TOGETHER):
        start = block * _TOGETHER
        size = min(_TOGETHER, n - start)
        tile = np.zeros((n, _TOGETHER), np.float32)
        _measure_block(points, start, size, tile)
        _score_block(tile, start, size, places, cells, samples)
    return samples


@numba.njit(cache=True, nogil=True, fastmath=True)
def _measure_block(points, start, size, tile):
    """Write the distances of all points to those of a block."""
    n, k = points.shape
    block = np.zeros((k, _TOGETHER))
    block[:, :size] = points[start : start + size].T
    square = np.empty(_TOGETHER)
    for other in range(n):
        square[:] = 0
        for axis in range(k):
            for picture in range(_TOGETHER):
                difference = points[other, axis] - block[axis, picture]
                square[picture] += difference * difference
        for picture in range(_TOGETHER):
            tile[other, picture] = np.sqrt(square[picture])


@numba.njit(cache=True, nogil=True, fastmath=True)
def _score_block(tile, start, size, places, cells, samples):
    """Write the silhouettes of a block of pictures, whose distances to all stand in the tile."""
    n, (b, strata, groups) = len(tile), cells.shape
    sums = np.empty((strata * groups + 1, _TOGETHER), tile.dtype)
    total = np.empty((groups, _TOGETHER), tile.dtype)
    means = np.empty((groups, _TOGETHER), tile.dtype)
    # Sums of each picture to its own group and cell, and the least mean to others.
    inner = np.empty((3, _TOGETHER), tile.dtype)
    nearest = np.empty((3, _TOGETHER), tile.dtype)
    elsewhere = np.empty((strata, _TOGETHER), tile.dtype)
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
        # The sums to a picture's own group are kept aside, then replaced by a value that no
        # minimum takes.
        present = np.zeros(strata, np.bool_)
        elsewhere[:] = _FAR
        nearest[:] = _FAR
        for picture in range(size):
            cell = place[start + picture]
            if cell < strata * groups:
                group, stratum = cell % groups, cell // groups
                inner[0, picture] = total[group, picture]
                inner[1, picture] = means[group, picture]
                inner[2, picture] = sums[cell, picture]
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
            count, score = cells[number, stratum, group], samples[number, start + picture]
            if sizes[group] > 1:
                score[0] = _compare(inner[0, picture] / (sizes[group] - 1), nearest[0, picture])
            if parts[group] > 1:
                inside = (inner[1, picture] - inner[2, picture] / count) / (parts[group] - 1)
                score[1] = _compare(inside, nearest[1, picture])
            if count > 1 and nearest[2, picture] < _REACH:
                score[2] = _compare(inner[2, picture] / (count - 1), nearest[2, picture])
