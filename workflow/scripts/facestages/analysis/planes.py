"""Whether valence-arousal comes before category, beside arbitrary planes of the categories.

Valence and arousal give each category a position, and so a plane in the space of the categories.
Any other plane, too, rises after identity and takes what it shares with category. What is special
about valence and arousal is therefore told by other planes alone: those of other assignments of
the positions to the categories.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from facestages.analysis.categories import permutations_of
from facestages.analysis.shares import LEAST_SHARE, Moments, adjusted_r2
from facestages.errors import FacestagesError

# Of fewer categories there are too few assignments, and planes of random positions are taken.
_FEWEST_ASSIGNED = 5
_RANDOM = 2000
# Planes of which intervals take the mean.
_OF_INTERVALS = 200
# Planes that share so much are taken as the same.
_SAME = 0.98
_ROUNDING = 1e-9


class BesidePlanes(NamedTuple):
    """What a statistic of the real plane exceeds the mean of arbitrary planes by."""

    value: float
    null_mean: float
    null_sd: float
    #: Range of 95 % of the planes.
    null_low: float
    null_high: float
    p: float
    #: Number of planes.
    n: int


def arbitrary_planes(positions: np.ndarray, seed: int = 0) -> np.ndarray:
    """Positions of categories under all assignments, shape (planes, K, 2); the first is the real.

    ``positions`` (K, 2) are the mean valence and arousal of each category. Assignments are those of
    `categories.permutations_of`. Of four categories, the others are 2,000 random planes.

    Raises
    ------
    FacestagesError
        If no test could reach p < .05: planes of three categories are all the same; the positions
        lie on a line; or too many assignments give nearly the same plane.
    """
    k = len(positions)
    if k < 4:
        raise FacestagesError(
            f"not testable: in {k} categories, valence and arousal are all there is to category"
        )
    positions = positions - positions.mean(axis=0)
    size = np.linalg.svd(positions, compute_uv=False)
    if size[1] < 1e-3 * size[0] or size[0] == 0:
        raise FacestagesError(f"not testable: the {k} categories lie on a line in valence-arousal")
    if k < _FEWEST_ASSIGNED:
        drawn = np.random.default_rng(seed).normal(size=(_RANDOM, k, 2))
        planes = np.concatenate([positions[None], drawn - drawn.mean(axis=1, keepdims=True)])
    else:
        planes = positions[permutations_of(k, seed)]
    basis = np.linalg.qr(planes)[0]
    alike = ((basis[0].T @ basis) ** 2).sum(axis=(1, 2)) / 2
    best = float((alike >= _SAME).mean())
    if best > 0.05:
        raise FacestagesError(
            f"not testable: {best:.0%} of the assignments of {k} positions give nearly the same "
            f"plane, so p is never below .05"
        )
    return planes


def plane_shares(moments: Moments, planes: np.ndarray, identity: np.ndarray) -> np.ndarray:
    """Share of each plane beyond identity, shape (resamples, planes); see `shares`.

    The first predictors of `moments` are the K categories; `planes` (planes, K, 2) are positions of
    these; `identity` (resamples,) is the share of identity. With the products G of the categories
    with each other and C with the points, positions A explain ``tr((A'GA)^-1 A'CC'A)``.
    """
    k = planes.shape[1]
    categories, products = moments.predictors[:, :k, :k], moments.products[:, :k]
    pairs = [planes[:, :, i, None] * planes[:, None, :, j] for i, j in ((0, 0), (0, 1), (1, 1))]
    terms = np.concatenate(pairs).reshape(-1, k * k).T
    of_planes, of_points = (
        np.split(matrix.reshape(-1, k * k) @ terms, 3, axis=1)
        for matrix in (categories, products @ np.swapaxes(products, 1, 2))
    )
    (a, b, c), (x, y, z) = of_planes, of_points
    determinant = a * c - b * b
    determinant[determinant < _ROUNDING * a * c] = np.nan
    explained = (c * x - 2 * b * y + a * z) / determinant
    return adjusted_r2(moments, explained, 2) - identity[:, None]


def thin_planes(planes: np.ndarray, seed: int = 0) -> np.ndarray:
    """The real plane and some of the others, for intervals."""
    chosen = np.random.default_rng(seed).permutation(len(planes) - 1)[:_OF_INTERVALS] + 1
    return planes[[0, *chosen]]


def mean_rise(curves: np.ndarray) -> np.ndarray:
    """Mean position at which shares first reach the parts of their maximum.

    ``sum_l (1 - (c_l + c_(l+1)) / 2)`` over layers l, where c is the highest share up to a layer,
    as a part of the maximum: the mean over all parts from 0 to 1 of the position, interpolated
    between layers, where a share first reaches that part. It is 0 if the share is greatest at the
    first layer. The maximum counts as `LEAST_SHARE` if it is below, so that a share that never
    comes rises last.

    Parameters
    ----------
    curves : numpy.ndarray, shape (layers, ...)
    """
    highest = np.maximum.accumulate(np.nan_to_num(np.maximum(curves, 0)))
    parts = highest / np.maximum(highest[-1:], LEAST_SHARE)
    return (1 - (parts[:-1] + parts[1:]) / 2).sum(axis=0)


def rise_after(plane: np.ndarray, category: np.ndarray) -> np.ndarray:
    """By how many layers category beyond a plane rises after the plane; see `mean_rise`.

    `plane` (layers, ..., planes) has shares of planes beyond identity, and `category`
    (layers, ..., 1) that of category beyond identity.
    """
    return mean_rise(category - plane) - mean_rise(plane)


def order_beside_planes(plane: np.ndarray, category: np.ndarray) -> BesidePlanes:
    """Whether category follows valence-arousal later than it follows arbitrary planes.

    The statistic is `rise_after`, of ``plane`` (layers, planes) and ``category`` (layers, 1).

    Raises
    ------
    FacestagesError
        If there is no order to be found: one layer, or no category beyond valence and arousal.
    """
    if len(plane) < 2:
        raise FacestagesError("not testable: one layer has no order")
    for share, name in (
        (category, "category"),
        (category - plane[:, :1], "category beyond valence and arousal"),
    ):
        if np.nanmax(share, initial=0) < LEAST_SHARE:
            raise FacestagesError(
                f"not testable: {name} is never {LEAST_SHARE:.0%} of the variance"
            )
    return beside_planes(rise_after(plane, category))


def beside_planes(values: np.ndarray) -> BesidePlanes:
    """Compare the first of the values (planes,) with all; p is the share that are as large."""
    mean, sd = float(np.nanmean(values)), float(np.nanstd(values))
    low, high = np.nanquantile(values, [0.025, 0.975])
    p = float((values >= values[0] - _ROUNDING).mean())
    return BesidePlanes(float(values[0] - mean), mean, sd, low, high, p, len(values))
