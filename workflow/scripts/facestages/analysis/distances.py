"""Distances between the pictures of a face set, with or without what a stratum has in common."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np


class Points(NamedTuple):
    """Points in few dimensions: their distances are measured faster than read from memory."""

    #: Shape (n, k), float64.
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


def centred_points(
    points: Points,
    stratum: np.ndarray,
    group: np.ndarray | None = None,
    effects: np.ndarray | None = None,
) -> Points:
    """Points minus the effect of their stratum; parameters are of `centred_distances`."""
    if effects is None:
        effects = stratum_effects(stratum, group)
    sums = _one_hot(stratum, group).T @ points.coordinates
    return Points(points.coordinates - (effects @ sums)[stratum])


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
    if stratum is None:
        stratum = np.zeros(len(gram), np.int64)
        return _distances(gram, stratum, np.zeros((len(gram), 1)), np.zeros((1, 1)))
    if effects is None:
        effects = stratum_effects(stratum, group)
    by_picture = effects @ _one_hot(stratum, group).T
    means = gram @ by_picture.T
    return _distances(gram, stratum, means, by_picture @ means)


@numba.njit(cache=True, nogil=True, parallel=True)
def _distances(gram, stratum, means, among):
    """Distances from inner products of points, of points and effects (n, strata), and of effects.

    Each product is read once, and the result alone has the size of the matrix.
    """
    n = len(gram)
    squares = np.empty(n)
    for row in range(n):
        here = stratum[row]
        squares[row] = gram[row, row] - 2 * means[row, here] + among[here, here]
    distance = np.zeros((n, n), np.float32)
    for row in numba.prange(n):
        here = stratum[row]
        for column in range(n):
            there = stratum[column]
            # The sum in brackets comes first: it is the same for (i, j) and (j, i).
            product = gram[row, column] - (means[row, there] + means[column, here])
            product += among[here, there]
            square = squares[row] + squares[column] - 2 * product
            if square > 0 and row != column:
                distance[row, column] = np.sqrt(square)
    return distance
