"""Distances between the pictures of a face set, with or without what a stratum has in common."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

#: Distances to this many pictures are used together: enough for the vector units, and few enough
#: that they stay in the cache while one labelling after another is summed.
BLOCK = 128

_ROWS_AT_ONCE = 256


class Points(NamedTuple):
    """Points in few dimensions: their distances are measured faster than read from memory."""

    #: Shape (n, k), float32 or float64.
    coordinates: np.ndarray


def distances(points: np.ndarray) -> np.ndarray:
    """Euclidean distances (n, n) between rows (n, k), of the same type."""
    centred = points - points.mean(axis=0)
    return _turn_into_distances(centred @ centred.T)


def gram_distances(gram: np.ndarray) -> np.ndarray:
    """Euclidean distances from inner products: ``d_ij^2 = g_ii + g_jj - 2 g_ij``."""
    return _turn_into_distances(np.array(gram, dtype=np.float64))


def _turn_into_distances(gram: np.ndarray) -> np.ndarray:
    """As `gram_distances`, in place: a second matrix of 20,000 pictures takes 3.2 GB more."""
    squares = np.diag(gram).copy()
    gram *= -2
    gram += squares[:, None]
    gram += squares[None, :]
    np.fill_diagonal(gram, 0.0)
    return np.sqrt(np.maximum(gram, 0.0, out=gram), out=gram)


def stratum_effects(stratum: np.ndarray, group: np.ndarray | None = None) -> np.ndarray:
    """How the effect of each stratum follows from sums of points, shape (strata, strata + groups).

    ``x_i = stratum_s(i) + group_g(i) + e_i`` by least squares. Where strata show other groups, or
    show them more often, their plain means would carry the effect of these groups.

    Parameters
    ----------
    stratum, group : numpy.ndarray of int, shape (n,)
        Numbered from 0. Without `group`, the effect of a stratum is its mean.
    """
    design = _one_hot(stratum, group)
    inverse = np.linalg.pinv(design.T @ design, rcond=1e-10, hermitian=True)
    return inverse[: stratum.max() + 1]


def _one_hot(stratum: np.ndarray, group: np.ndarray | None) -> np.ndarray:
    parts = (stratum,) if group is None else (stratum, group)
    return np.hstack([np.eye(part.max() + 1)[part] for part in parts])


def plain_space(space: np.ndarray | Points) -> np.ndarray | Points:
    """What silhouettes are measured in: the distances of inner products (n, n), or the points."""
    return space if isinstance(space, Points) else centred_distances(space)


def centred_space(
    space: np.ndarray | Points,
    stratum: np.ndarray,
    group: np.ndarray | None = None,
    effects: np.ndarray | None = None,
) -> np.ndarray | Points:
    """As `plain_space`, minus the effect of each stratum; parameters are of `centred_distances`."""
    if not isinstance(space, Points):
        return centred_distances(space, stratum, group, effects)
    points = space.coordinates
    if effects is None:
        effects = stratum_effects(stratum, group)
    sums = _one_hot(stratum, group).T @ points
    return Points(points - (effects @ sums).astype(points.dtype)[stratum])


def centred_distances(
    gram: np.ndarray,
    stratum: np.ndarray | None = None,
    group: np.ndarray | None = None,
    effects: np.ndarray | None = None,
) -> np.ndarray:
    """Distances of points minus the effect of their stratum, float32, shape (n, n).

    Parameters
    ----------
    gram : numpy.ndarray, shape (n, n)
        Inner products of the points.
    stratum, group : numpy.ndarray of int, shape (n,), optional
        See `stratum_effects`. Without `stratum`, the distances are plain, which a common mean does
        not change.
    effects : numpy.ndarray, optional
        What `stratum_effects` returns, if it is known.
    """
    n, squares = len(gram), np.diag(gram)
    if stratum is not None:
        if effects is None:
            effects = stratum_effects(stratum, group)
        by_picture = effects @ _one_hot(stratum, group).T
        # Inner products of points and effects (n, strata), and of effects.
        means = gram @ by_picture.T
        among = by_picture @ means
        squares = squares - 2 * means[np.arange(n), stratum] + among[stratum, stratum]
    distance = np.empty((n, n), np.float32)
    # Rows are taken in blocks, so that the result alone has the size of the matrix.
    for start in range(0, n, _ROWS_AT_ONCE):
        rows, product = slice(start, start + _ROWS_AT_ONCE), gram[start : start + _ROWS_AT_ONCE]
        if stratum is not None:
            # The sum in brackets is the same for (i, j) and (j, i): the result is symmetric.
            product = product - (means[rows][:, stratum] + means[:, stratum[rows]].T)
            product += among[np.ix_(stratum[rows], stratum)]
        square = (squares[rows, None] + squares) - 2 * product
        np.sqrt(np.maximum(square, 0, out=square), out=square)
        distance[rows] = square
    np.fill_diagonal(distance, 0)
    return distance


def distance_block(space: np.ndarray | Points, start: int) -> np.ndarray:
    """Distances (n, `BLOCK`) of all pictures to those from `start` on, of distances or points.

    Columns after the last picture mean nothing. Distances of points are float32.
    """
    if isinstance(space, Points):
        return _measure_block(space.coordinates, start)
    tile = np.zeros((len(space), BLOCK), space.dtype)
    block = space[:, start : start + BLOCK]
    tile[:, : block.shape[1]] = block
    return tile


@numba.njit(cache=True, nogil=True, fastmath=True)
def _measure_block(points, start):
    """As `distance_block`, of points (n, k); squares are summed in their own type."""
    n, k = points.shape
    size = min(BLOCK, n - start)
    tile = np.empty((n, BLOCK), np.float32)
    block = np.zeros((k, BLOCK), points.dtype)
    block[:, :size] = points[start : start + size].T
    square = np.empty(BLOCK, points.dtype)
    for other in range(n):
        square[:] = 0
        # Five axes at a time: the sums are then read and written a fifth as often.
        for axis in range(0, k - 4, 5):
            a, b, c = points[other, axis], points[other, axis + 1], points[other, axis + 2]
            d, e = points[other, axis + 3], points[other, axis + 4]
            for picture in range(BLOCK):
                square[picture] += (
                    (a - block[axis, picture]) ** 2
                    + (b - block[axis + 1, picture]) ** 2
                    + (c - block[axis + 2, picture]) ** 2
                    + (d - block[axis + 3, picture]) ** 2
                    + (e - block[axis + 4, picture]) ** 2
                )
        for axis in range(k - k % 5, k):
            for picture in range(BLOCK):
                square[picture] += (points[other, axis] - block[axis, picture]) ** 2
        for picture in range(BLOCK):
            tile[other, picture] = np.sqrt(square[picture])
    return tile
