"""Straight lines and parabolas through pictures, with intervals over identities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.stats

from facestages.analysis.resampling import (
    interval,
    people_weights,
    weighted_correlation,
    weighted_mean,
)
from facestages.errors import FacestagesError

# A fit needs this many pictures.
_FEWEST = 3


class Estimate(NamedTuple):
    """A value and its 95 % interval over people; NaN to NaN where there are no two people."""

    value: float
    low: float
    high: float


class Polynomial(NamedTuple):
    """A least-squares polynomial of y on x, and one for each resample of people.

    Both axes are standardised: ``(x - centre_x) / scale_x``.

    Attributes
    ----------
    coefficients : numpy.ndarray, shape (degree + 1,)
        Constant first.
    resampled : numpy.ndarray, shape (resamples, degree + 1)
        No rows where there are no two people.
    people : int
        Number of people, of whom resamples were drawn; 0 where there are no two.
    centre_x, scale_x, centre_y, scale_y : float
        Mean and standard deviation (over n).
    """

    coefficients: np.ndarray
    resampled: np.ndarray
    people: int
    centre_x: float
    scale_x: float
    centre_y: float
    scale_y: float


class Regression(NamedTuple):
    """A straight line of y on x; see `regress`."""

    slope: Estimate
    intercept: Estimate
    r: Estimate
    r2: Estimate
    p: float
    n: int
    fit: Polynomial


class Quadratic(NamedTuple):
    """A second-degree fit of y on x; see `fit_quadratic`."""

    curvature: Estimate
    #: The x at which the curve turns.
    vertex: float
    #: Whether it turns between the lowest and the highest x.
    vertex_inside: bool
    n: int
    fit: Polynomial

    @property
    def shape(self) -> str:
        """``U`` or ``inverted U``; ``undecided`` if the interval holds zero or there is none."""
        if self.curvature.low > 0:
            return "U"
        return "inverted U" if self.curvature.high < 0 else "undecided"


def regress(x: np.ndarray, y: np.ndarray, people: Sequence | None) -> Regression:
    """Least-squares line ``y = intercept + slope x``, with Pearson's r.

    Parameters
    ----------
    x, y : numpy.ndarray, shape (n,)
        Pictures where one of them is NaN are left out.
    people : sequence, shape (n,), or None
        Person of each picture; intervals are over people (`analysis.resampling`). There are none
        without two people.

    Returns
    -------
    Regression
        `p` tests r = 0 as if the n pictures were independent, which they are not.

    Raises
    ------
    FacestagesError
        If fewer than three pictures are left, or x or y does not vary.
    """
    x, y, weights, drawn_from = _prepare(x, y, people)
    line = scipy.stats.linregress(x, y)
    fit = _fit(x, y, weights, drawn_from, degree=1)
    slopes = fit.resampled[:, 1] * fit.scale_y / fit.scale_x
    intercepts = fit.centre_y + fit.scale_y * fit.resampled[:, 0] - slopes * fit.centre_x
    r = weighted_correlation(x, y, weights)
    return Regression(
        Estimate(float(line.slope), *interval(slopes, drawn_from)),
        Estimate(float(line.intercept), *interval(intercepts, drawn_from)),
        Estimate(float(line.rvalue), *interval(r, drawn_from)),
        Estimate(float(line.rvalue**2), *interval(r**2, drawn_from)),
        float(line.pvalue),
        len(x),
        fit,
    )


def fit_quadratic(x: np.ndarray, y: np.ndarray, people: Sequence | None) -> Quadratic:
    """Least-squares parabola of y on x, which shows whether the cloud is bent like a U.

    Parameters and errors are those of `regress`.

    Returns
    -------
    Quadratic
        `curvature` is the coefficient of x squared after x and y were standardised to mean 0 and
        standard deviation 1. Each resample is standardised anew.
    """
    x, y, weights, drawn_from = _prepare(x, y, people)
    fit = _fit(x, y, weights, drawn_from, degree=2)
    around_x = (x - fit.centre_x) / fit.scale_x
    around_y = (y - fit.centre_y) / fit.scale_y
    # A resample has other standard deviations than all pictures together.
    variance_x, variance_y = (_variances(values, weights) for values in (around_x, around_y))
    _, slope, curvature = fit.coefficients
    with np.errstate(invalid="ignore", divide="ignore"):
        curvatures = fit.resampled[:, 2] * variance_x / np.sqrt(variance_y)
        vertex = float(fit.centre_x - fit.scale_x * np.divide(slope, 2 * curvature))
    inside = bool(x.min() <= vertex <= x.max())
    estimate = Estimate(float(curvature), *interval(curvatures, drawn_from))
    return Quadratic(estimate, vertex, inside, len(x), fit)


def curve(fit: Polynomial, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A fitted curve at x (m,), and the lower and upper bound of its band, each of shape (m,).

    The band is the 95 % interval over people at each x by itself; NaN where there are no two
    people.
    """
    powers = np.vander((x - fit.centre_x) / fit.scale_x, len(fit.coefficients), increasing=True)
    resampled = fit.resampled @ powers.T
    bounds = np.array([interval(column, fit.people) for column in resampled.T])
    y, low, high = powers @ fit.coefficients, bounds[:, 0], bounds[:, 1]
    return tuple(fit.centre_y + fit.scale_y * values for values in (y, low, high))


def draw_people(people: Sequence | None, n: int) -> tuple[np.ndarray, int]:
    """Weights (resamples, n) of `analysis.resampling.people_weights`, and the number of people.

    Where there are no two people, the weights have no rows, and the number is 0.
    """
    number = 0 if people is None else len(set(people))
    return (people_weights(people), number) if number > 1 else (np.empty((0, n)), 0)


def _prepare(
    x: np.ndarray, y: np.ndarray, people: Sequence | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """x and y without NaN, followed by what `draw_people` returns."""
    finite = np.isfinite(x) & np.isfinite(y)
    x, y = np.asarray(x, np.float64)[finite], np.asarray(y, np.float64)[finite]
    if len(x) < _FEWEST:
        raise FacestagesError(f"a fit needs {_FEWEST} pictures or more, not {len(x)}")
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        raise FacestagesError(f"all {len(x)} pictures have the same value; nothing to fit")
    people = None if people is None else np.asarray(people)[finite]
    return x, y, *draw_people(people, len(x))


def _fit(x: np.ndarray, y: np.ndarray, weights: np.ndarray, people: int, degree: int) -> Polynomial:
    centre_x, scale_x, centre_y, scale_y = x.mean(), x.std(), y.mean(), y.std()
    powers = np.vander((x - centre_x) / scale_x, degree + 1, increasing=True)
    y = (y - centre_y) / scale_y
    coefficients = np.linalg.lstsq(powers, y)[0]
    # The normal equations of all resamples at once: sums over pictures are products with weights.
    squares = (powers[:, :, None] * powers[:, None, :]).reshape(len(x), -1)
    left = (weights @ squares).reshape(-1, degree + 1, degree + 1)
    right = weights @ (powers * y[:, None])
    resampled = np.full(right.shape, np.nan)
    # A resample with too few different people does not determine a curve.
    solvable = np.linalg.cond(left) < 1e10 if len(left) else np.empty(0, bool)
    resampled[solvable] = np.linalg.solve(left[solvable], right[solvable, :, None])[:, :, 0]
    scales = (float(value) for value in (centre_x, scale_x, centre_y, scale_y))
    return Polynomial(coefficients, resampled, people, *scales)


def _variances(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return weighted_mean(values**2, weights) - weighted_mean(values, weights) ** 2
