"""Silhouettes (Rousseeuw 1987, doi:10.1016/0377-0427(87)90125-7) of many labellings of one space.

The silhouette of a picture is ``(b - a) / max(a, b)``, where a is its mean distance to the other
pictures of its group, and b that to the nearest other group. It is near 1 where groups are tight
and apart, near 0 where they overlap, and negative where the picture lies closer to another group.
Distances do not depend on labels, so one pass over them serves a thousand labellings.

Labels of faces are crossed: each person shows several expressions. Groups may therefore be cut by
strata (expressions by people, people by expressions), which gives the four means of `MEASURES`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np

from facestages.analysis.distances import BLOCK, Points, distance_block, gram_distances
from facestages.errors import FacestagesError

#: What is measured of the groups in one space.
MEASURES = {
    "silhouette": "mean over pictures, as scikit-learn's silhouette_score",
    "silhouette_macro": "mean over groups of the mean over their pictures",
    "silhouette_balanced": "as if each group had one picture in each stratum, by mean distances",
    "silhouette_within": "in the pictures of one stratum alone, mean over strata",
}

# Labellings are scored in blocks of at most this many labellings x pictures.
_AT_ONCE = 1 << 21
# Stands for the distance to an absent group. Divided by a number of pictures it is still above all
# distances.
_FAR = 1e30


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

    Parameters
    ----------
    matrix : numpy.ndarray, shape (n, n)
        Distances or a Gram matrix.
    labels : sequence, shape (n,)

    Returns
    -------
    numpy.ndarray of float64, shape (n,)
        As ``sklearn.metrics.silhouette_samples`` gives them.

    Raises
    ------
    FacestagesError
        As `silhouette`.
    """
    codes = _encode(labels, len(matrix))
    return picture_silhouettes(_as_distances(matrix), codes[None])["silhouette"][0]


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
) -> dict[str, np.ndarray]:
    """Silhouette of each picture under each labelling, shape (b, n), by each of `MEASURES`.

    A cell holds the pictures of one group in one stratum. Balanced silhouettes are those of one
    picture drawn from each cell, in the limit of many draws: the mean distance to a group is the
    mean over its cells, without the picture's own cell, of the mean distance to a cell's pictures.
    A group of one picture scores 0, as in scikit-learn.

    Parameters
    ----------
    space : numpy.ndarray, shape (n, n), or Points
        Distances, symmetric, float32 or float64; or the points, whose distances are float32.
    labellings : numpy.ndarray of int, shape (b, n)
        Group of each picture, from 0; -1 for pictures that are left out, which score 0.
    stratum : numpy.ndarray of int, shape (n,), optional
        Stratum of each picture, from 0; one for all if not given.
    """
    samples, _ = _score(space, labellings, stratum)
    raw, balanced, within = np.moveaxis(samples, 2, 0)
    return dict(zip(MEASURES, (raw, raw, balanced, within), strict=True))


def mean_silhouettes(
    space: np.ndarray | Points, labellings: np.ndarray, stratum: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Mean silhouettes of each labelling, by each of `MEASURES`, shape (b,).

    Parameters are those of `picture_silhouettes`. ``silhouette_balanced`` is a mean over cells of
    the mean over their pictures. ``silhouette_within`` is a mean over the strata that have two
    groups, one of them of two pictures; it is NaN where there are none.
    """
    at_once = max(1, _AT_ONCE // labellings.shape[1])
    blocks = (labellings[first:][:at_once] for first in range(0, len(labellings), at_once))
    means = np.concatenate([_score(space, block, stratum)[1] for block in blocks])
    return dict(zip(MEASURES, means.T, strict=True))


def _score(
    space: np.ndarray | Points, labellings: np.ndarray, stratum: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Silhouettes (b, n, 3) and their means (b, 4), in the order of `MEASURES`."""
    if stratum is None:
        stratum = np.zeros(labellings.shape[1], np.int64)
    strata, groups = int(stratum.max()) + 1, int(labellings.max()) + 1
    # Pictures that are left out share one further cell.
    places = np.where(labellings < 0, strata * groups, stratum * groups + labellings)
    places = places.astype(np.int32)
    order, starts = _sort_by_place(places, strata * groups)
    dtype = np.float32 if isinstance(space, Points) else space.dtype
    samples = np.zeros((*places.shape, 3), dtype)

    def score_block(start: int) -> None:
        tile = distance_block(space, start)
        _score_block(tile, start, places, order, starts, (strata, groups), samples)

    threads = numba.config.NUMBA_NUM_THREADS if len(places) > 1 else 1
    with ThreadPoolExecutor(threads) as pool:
        each = map if threads == 1 else pool.map
        deque(each(score_block, range(0, places.shape[1], BLOCK)), maxlen=0)
    return samples, _means(samples, order, starts, (strata, groups))


@numba.njit(cache=True, inline="always")
def _compare(inside, nearest):
    widest = max(inside, nearest)
    return (nearest - inside) / widest if widest > 0 else 0.0


@numba.njit(cache=True, nogil=True)
def _sort_by_place(places, cells):
    """The pictures of each labelling (b, n), cell by cell, and where cells start (b, cells + 2)."""
    b, n = places.shape
    order, starts = np.empty((b, n), np.int32), np.zeros((b, cells + 2), np.int32)
    for number in range(b):
        for place in places[number]:
            starts[number, place + 1] += 1
        for cell in range(cells + 1):
            starts[number, cell + 1] += starts[number, cell]
        free = starts[number].copy()
        for picture in range(n):
            cell = places[number, picture]
            order[number, free[cell]] = picture
            free[cell] += 1
    return order, starts


@numba.njit(cache=True, nogil=True)
def _means(samples, order, starts, shape):
    """Means (b, 4) of `MEASURES`, of the silhouettes (b, n, 3)."""
    strata, groups = shape
    means = np.zeros((len(samples), 4))
    for number in range(len(samples)):
        score, mean, begin = samples[number], means[number], starts[number]
        of_group, sizes = np.zeros(groups), np.zeros(groups, np.int64)
        cells = scored = 0
        for stratum in range(strata):
            within, size, present, largest = 0.0, 0, 0, 0
            for group in range(groups):
                first, last = begin[stratum * groups + group], begin[stratum * groups + group + 1]
                if first == last:
                    continue
                balanced = 0.0
                for picture in order[number, first:last]:
                    of_group[group] += score[picture, 0]
                    balanced += score[picture, 1]
                    within += score[picture, 2]
                mean[2] += balanced / (last - first)
                sizes[group] += last - first
                size += last - first
                present += 1
                largest = max(largest, last - first)
            cells += present
            if present > 1 and largest > 1:
                mean[3] += within / size
                scored += 1
        mean[0] = of_group.sum() / sizes.sum()
        mean[1] = (of_group / np.maximum(sizes, 1)).sum() / (sizes > 0).sum()
        mean[2] /= cells
        mean[3] = mean[3] / scored if scored else np.nan
    return means


@numba.njit(cache=True, nogil=True, fastmath=True)
def _score_block(tile, start, places, order, starts, shape, samples):
    """Write the silhouettes of the block of pictures from `start` on, under each labelling."""
    strata, groups = shape
    cells, size = strata * groups, min(BLOCK, len(tile) - start)
    # Sums of distances to each cell and group, and to each group of the means to its cells.
    sums = np.empty((cells, BLOCK), tile.dtype)
    total, means = np.empty((2, groups, BLOCK), tile.dtype)
    inner, nearest = np.empty((2, BLOCK), tile.dtype)
    sizes, parts = np.empty((2, groups), np.int64)
    for number in range(len(places)):
        place, scores = places[number, start : start + size], samples[number, start : start + size]
        counts = np.diff(starts[number, : cells + 1])
        _sum_cells(tile, order[number], starts[number], sums)
        if strata == 1:
            _score_raw(sums, counts, place, cells, inner, nearest, scores)
            scores[:, 2] = scores[:, 0]
            continue
        total[:] = means[:] = 0
        sizes[:] = parts[:] = 0
        for cell in range(cells):
            if counts[cell] > 0:
                group, share = cell % groups, sums.dtype.type(1 / counts[cell])
                sizes[group] += counts[cell]
                parts[group] += 1
                for picture in range(BLOCK):
                    total[group, picture] += sums[cell, picture]
                    means[group, picture] += sums[cell, picture] * share
        _score_raw(total, sizes, place, cells, inner, nearest, scores)
        _score_balanced(means, parts, sums, counts, place, inner, nearest, scores)
        _score_within(sums, counts, place, groups, scores)


@numba.njit(cache=True, nogil=True, fastmath=True)
def _sum_cells(tile, order, starts, sums):
    """Write the sums of distances to the pictures of each cell; two are added at a time."""
    for cell in range(len(sums)):
        first, last = starts[cell], starts[cell + 1]
        if first == last:
            continue
        a, start = order[first], first + 1
        if (last - first) % 2:
            for picture in range(BLOCK):
                sums[cell, picture] = tile[a, picture]
        else:
            b, start = order[first + 1], first + 2
            for picture in range(BLOCK):
                sums[cell, picture] = tile[a, picture] + tile[b, picture]
        for member in range(start, last, 2):
            a, b = order[member], order[member + 1]
            for picture in range(BLOCK):
                sums[cell, picture] += tile[a, picture] + tile[b, picture]


@numba.njit(cache=True, nogil=True, fastmath=True)
def _least_mean(sums, counts, nearest):
    """Write each picture's least mean distance; `sums` (groups, pictures) are of `counts`."""
    nearest[:] = _FAR
    for group in range(len(counts)):
        if counts[group] > 0:
            share = sums.dtype.type(1 / counts[group])
            for picture in range(BLOCK):
                nearest[picture] = min(nearest[picture], sums[group, picture] * share)


@numba.njit(cache=True, nogil=True)
def _compare_all(inner, nearest, counts, place, cells, score):
    """Write each picture's silhouette; `inner` are sums over the others of its group."""
    for picture, cell in enumerate(place):
        if cell < cells and counts[cell % len(counts)] > 1:
            inside = inner[picture] / (counts[cell % len(counts)] - 1)
            score[picture] = _compare(inside, nearest[picture])


# Both keep aside the sums to a picture's own group, and put in their place a value that no minimum
# takes.
@numba.njit(cache=True, nogil=True)
def _score_raw(total, sizes, place, cells, inner, nearest, scores):
    groups = len(sizes)
    for picture, cell in enumerate(place):
        if cell < cells:
            inner[picture] = total[cell % groups, picture]
            total[cell % groups, picture] = _FAR
    _least_mean(total, sizes, nearest)
    _compare_all(inner, nearest, sizes, place, cells, scores[:, 0])


@numba.njit(cache=True, nogil=True)
def _score_balanced(means, parts, sums, counts, place, inner, nearest, scores):
    groups, cells = len(parts), len(counts)
    for picture, cell in enumerate(place):
        if cell < cells:
            own = sums[cell, picture] / counts[cell]
            inner[picture] = means[cell % groups, picture] - own
            means[cell % groups, picture] = _FAR
    _least_mean(means, parts, nearest)
    _compare_all(inner, nearest, parts, place, cells, scores[:, 1])


@numba.njit(cache=True, nogil=True)
def _score_within(sums, counts, place, groups, scores):
    shares = (1 / np.maximum(counts, 1)).astype(sums.dtype)
    for picture, cell in enumerate(place):
        if cell < len(counts) and counts[cell] > 1:
            nearest, first = sums.dtype.type(_FAR), cell - cell % groups
            for other in range(first, first + groups):
                if counts[other] > 0 and other != cell:
                    nearest = min(nearest, sums[other, picture] * shares[other])
            if nearest < _FAR:
                inside = sums[cell, picture] / (counts[cell] - 1)
                scores[picture, 2] = _compare(inside, nearest)
