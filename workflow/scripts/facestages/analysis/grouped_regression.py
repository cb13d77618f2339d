"""Regressions of pictures that belong to people, with p-values that count people.

Pictures of one person are alike and frames follow each other, so a p-value that counts pictures is
too small. Three regressions count people instead: a t-test of the correlations within people, a
cluster-robust standard error, and a mixed model.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.stats

from facestages.errors import FacestagesError

# A correlation of fewer pictures has no standard error.
_FEWEST_PICTURES = 4
_FEWEST_PEOPLE = 3
# Largest standard error of a standardised slope that a mixed model determines.
_LARGEST_ERROR = 10.0


class GroupedEstimate(NamedTuple):
    """An estimate with its 95 % interval and the p-value of no relation, both over people."""

    value: float
    low: float
    high: float
    p: float
    #: Number of people.
    people: int


def person_correlation(x: np.ndarray, y: np.ndarray, people: Sequence) -> GroupedEstimate:
    """Mean of the correlations within people, with a t-test over people.

    ``r = tanh(mean(arctanh(r_p)))`` over people p: the mean of Fisher's z, on the scale of r.

    Parameters
    ----------
    x, y : numpy.ndarray, shape (n,)
    people : sequence, shape (n,)
        Person of each picture. People with fewer than four pictures, or in whose pictures x or y
        does not vary, are left out.

    Returns
    -------
    GroupedEstimate
        ``value``, its 95 % interval ``low`` and ``high``, ``p``, and the number of ``people``.

    Raises
    ------
    FacestagesError
        If fewer than three people are left.
    """
    x, y, people = (np.asarray(values) for values in (x, y, people))
    members = [people == name for name in np.unique(people)]
    points = [(x[rows], y[rows]) for rows in members if rows.sum() >= _FEWEST_PICTURES]
    points = [pair for pair in points if all(map(_varies, pair))]
    _require_people(len(points), f"with {_FEWEST_PICTURES} different pictures")
    # A perfect correlation has an infinite z, and is taken as a nearly perfect one.
    r = np.clip([np.corrcoef(*pair)[0, 1] for pair in points], -0.9999, 0.9999)
    z = np.arctanh(r)
    error = z.std(ddof=1) / np.sqrt(len(z))
    estimate = _grouped(z.mean(), error, len(z))
    return GroupedEstimate(*np.tanh(estimate[:3]), *estimate[3:])


def cluster_robust_slope(x: np.ndarray, y: np.ndarray, people: Sequence) -> GroupedEstimate:
    """Least-squares slope of y on x within people, with a cluster-robust standard error.

    ``slope = sum (x - mean_p) y / sum (x - mean_p)^2``, with the mean of x in each person p, so
    that people who differ in both x and y make no slope. ``error^2 = (P - 1) / P
    sum_p (slope_without_p - slope)^2``, the jackknife over P people, with Student's t of P - 1
    degrees of freedom. Of the cluster-robust estimators it keeps its level best where people are
    few or differ in weight (CV3 of MacKinnon, Nielsen and Webb 2023, doi:10.1002/jae.2969).
    Parameters are those of `person_correlation`; people in whose pictures x does not vary do not
    count.

    Raises
    ------
    FacestagesError
        If x varies in fewer than three people, or y does not vary.
    """
    x, y, codes, number = _prepare(x, y, people)
    products, squares = (np.bincount(codes, values) for values in (x * y, x * x))
    value = products.sum() / squares.sum()
    without = (products.sum() - products) / (squares.sum() - squares)
    error = np.sqrt((number - 1) / number * ((without - value) ** 2).sum())
    return _grouped(value, error, number)


def mixed_model_slope(x: np.ndarray, y: np.ndarray, people: Sequence) -> GroupedEstimate:
    """Slope of y on x within people, in a mixed model with random intercepts and slopes.

    ``y = a + a_p + (b + b_p) (x - mean_p) + noise`` for person p; b is the slope. Without the mean
    of x in each person, b would mix the slope within people with that between them. Without random
    slopes, the p-value is too small where people differ in slope, or frames follow each other
    (Barr et al. 2013, doi:10.1016/j.jml.2012.11.001).

    Parameters
    ----------
    x, y : numpy.ndarray, shape (n,)
    people : sequence, shape (n,)
        Person of each picture.

    Returns
    -------
    GroupedEstimate
        ``value``, its 95 % interval ``low`` and ``high``, ``p``, and the number of ``people``.

    Raises
    ------
    FacestagesError
        As `cluster_robust_slope`; or if the model does not determine the slope.
    """
    from statsmodels.regression.mixed_linear_model import MixedLM

    x, y, codes, number = _prepare(x, y, people)
    # The search for the variances needs standardised axes.
    scale = y.std() / x.std()
    x, y = x / x.std(), y / y.std()
    design = np.column_stack([np.ones_like(x), x])
    with warnings.catch_warnings():
        # statsmodels warns of a variance that is estimated as 0, which is no failure.
        warnings.simplefilter("ignore")
        try:
            model = MixedLM(y, design, codes, exog_re=design)
            fit = model.fit(reml=True, method=["lbfgs", "powell"])
            error = fit.bse_fe[1]
        except np.linalg.LinAlgError as failure:
            raise FacestagesError("the mixed model has no solution") from failure
    # The error of a slope that the data do not determine is far larger than any slope.
    if not (fit.converged and error < _LARGEST_ERROR):
        raise FacestagesError("the mixed model does not determine the slope")
    return _grouped(scale * fit.fe_params[1], scale * error, number)


def holm(p: np.ndarray) -> np.ndarray:
    """max over j <= i of min(1, (m - j + 1) p_(j)), for the i-th smallest of m p-values (m,).

    This is the correction of Holm (1979) for their number. NaN stays, and does not count.
    """
    p = np.asarray(p, np.float64)
    corrected = np.full(len(p), np.nan)
    order = np.argsort(p)[: np.isfinite(p).sum()]
    tested = np.minimum(1, np.arange(len(order), 0, -1) * p[order])
    corrected[order] = np.maximum.accumulate(tested)
    return corrected


def _prepare(
    x: np.ndarray, y: np.ndarray, people: Sequence
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """x around its mean in each person, y around its mean, the number of each picture's person, and
    how many people there are in whom x varies."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    names, codes = np.unique(np.asarray(people), return_inverse=True)
    number = sum(_varies(x[codes == code]) for code in range(len(names)))
    _require_people(number, "in whom it varies")
    if not _varies(y):
        raise FacestagesError(f"all {len(y)} pictures have the same value; nothing to fit")
    means = np.bincount(codes, x) / np.bincount(codes)
    return x - means[codes], y - y.mean(), codes, number


def _require_people(number: int, how: str = "") -> None:
    if number < _FEWEST_PEOPLE:
        who = " ".join(filter(None, ["people", how]))
        raise FacestagesError(f"{number} {who}; a test over people needs {_FEWEST_PEOPLE}")


def _varies(values: np.ndarray) -> bool:
    return np.ptp(values) > 1e-9 * (np.abs(values).max() or 1)


def _grouped(value: float, error: float, people: int) -> GroupedEstimate:
    half = scipy.stats.t.ppf(0.975, people - 1) * error
    if error == 0:
        p = 1.0 if value == 0 else 0.0
    else:
        p = float(2 * scipy.stats.t.sf(abs(value) / error, people - 1))
    return GroupedEstimate(float(value), float(value - half), float(value + half), p, people)
