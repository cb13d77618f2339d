"""Regressions of pictures that belong to people: the person is what was sampled.

Pictures of one person are alike and frames follow each other, so a p-value that counts pictures
finds effects everywhere. Three that count people stand beside each other: a test of each person's
own correlation, a standard error that is robust against what people's pictures share, and a mixed
model.
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
# Of a standardised slope.
_LARGEST_ERROR = 10.0


class GroupedEstimate(NamedTuple):
    """An estimate with its 95 % interval and the p-value of no relation, both over people."""

    value: float
    low: float
    high: float
    p: float
    #: People that it rests on.
    people: int


def person_correlation(x: np.ndarray, y: np.ndarray, people: Sequence) -> GroupedEstimate:
    """Mean of the correlations within people: r, Fisher's z, a t-test over people.

    Parameters
    ----------
    x, y : numpy.ndarray, shape (n,)
    people : sequence, shape (n,)
        Person of each picture. Who has fewer than four pictures, or pictures among which x or y
        does not vary, is left out.

    Returns
    -------
    GroupedEstimate
        On the scale of r.

    Raises
    ------
    FacestagesError
        If fewer than three people are left.
    """
    x, y, people = (np.asarray(values) for values in (x, y, people))
    own = [people == name for name in np.unique(people)]
    own = [one for one in own if one.sum() >= _FEWEST_PICTURES]
    own = [one for one in own if _varies(x[one]) and _varies(y[one])]
    _require_people(len(own), f"with {_FEWEST_PICTURES} different pictures")
    # Perfect correlations have no z; of so few pictures they say no more than nearly perfect ones.
    r = np.clip([np.corrcoef(x[one], y[one])[0, 1] for one in own], -0.9999, 0.9999)
    z = np.arctanh(r)
    error = z.std(ddof=1) / np.sqrt(len(z))
    return GroupedEstimate(
        *np.tanh(_bounds(z.mean(), error, len(z))), _p(z.mean(), error, len(z)), len(z)
    )


def cluster_robust_slope(x: np.ndarray, y: np.ndarray, people: Sequence) -> GroupedEstimate:
    """Slope of y on x, its standard error robust against all that a person's pictures share.

    The error is that of the jackknife over people, and Student's t has as many degrees of freedom
    as there are people, less one: of the cluster-robust estimators the one that rejects least too
    often where people are few or differ in weight (CV3 of MacKinnon, Nielsen and Webb 2023,
    doi:10.1002/jae.2969).

    Parameters
    ----------
    x, y, people
        As `person_correlation`; everybody counts.

    Returns
    -------
    GroupedEstimate
        The slope is that of least squares over all pictures.

    Raises
    ------
    FacestagesError
        If there are fewer than three people, or x or y does not vary.
    """
    x, y, codes, number = _prepare(x, y, people)
    columns = np.stack([np.ones_like(x), x, y, x * x, x * y])
    sums = np.array([np.bincount(codes, column) for column in columns])
    value = _slope(*sums.sum(axis=1))
    without = _slope(*(sums.sum(axis=1)[:, None] - sums))
    error = np.sqrt((number - 1) / number * ((without - value) ** 2).sum())
    return _grouped(value, error, number)


def _slope(n, x, y, xx, xy):
    """Slope of least squares, from sums over pictures."""
    return (xy - x * y / n) / (xx - x * x / n)


def mixed_model_slope(x: np.ndarray, y: np.ndarray, people: Sequence) -> GroupedEstimate:
    """Slope of y on x in a mixed model: each person has an intercept and a slope of its own.

    Without slopes of their own, people who differ in slope, or whose frames follow each other, make
    the p-value too small (Barr et al. 2013, doi:10.1016/j.jml.2012.11.001).

    Parameters
    ----------
    x, y, people
        As `cluster_robust_slope`, with its errors; also if the model does not determine the slope.

    Returns
    -------
    GroupedEstimate
    """
    from statsmodels.regression.mixed_linear_model import MixedLM

    x, y, codes, number = _prepare(x, y, people)
    # On standardised axes, where the search for the variances is well scaled.
    scale = y.std() / x.std()
    x, y = x / x.std(), y / y.std()
    design = np.column_stack([np.ones_like(x), x])
    with warnings.catch_warnings():
        # A variance that is estimated as nothing is no failure.
        warnings.simplefilter("ignore")
        try:
            model = MixedLM(y, design, codes, exog_re=design)
            fit = model.fit(reml=True, method=["lbfgs", "powell"])
            error = fit.bse_fe[1]
        except np.linalg.LinAlgError as failure:
            raise FacestagesError("the mixed model has no solution") from failure
    # At the edge of what is possible the slope may be left open: an error beyond all slopes.
    if not (fit.converged and error < _LARGEST_ERROR):
        raise FacestagesError("the mixed model does not determine the slope")
    return _grouped(scale * fit.fe_params[1], scale * error, number)


def holm(p: np.ndarray) -> np.ndarray:
    """P-values corrected for their number (Holm 1979); NaN stays, and does not count.

    Parameters
    ----------
    p : numpy.ndarray, shape (m,)

    Returns
    -------
    numpy.ndarray, shape (m,)
    """
    from statsmodels.stats.multitest import multipletests

    p = np.asarray(p, np.float64)
    corrected, known = np.full(len(p), np.nan), np.isfinite(p)
    if known.any():
        corrected[known] = multipletests(p[known], method="holm")[1]
    return corrected


def _prepare(
    x: np.ndarray, y: np.ndarray, people: Sequence
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Centred x and y, a number for each picture's person, and the number of people."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    names, codes = np.unique(np.asarray(people), return_inverse=True)
    _require_people(len(names))
    if not (_varies(x) and _varies(y)):
        raise FacestagesError(f"all {len(x)} pictures have the same value; nothing to fit")
    return x - x.mean(), y - y.mean(), codes, len(names)


def _require_people(number: int, how: str = "") -> None:
    if number < _FEWEST_PEOPLE:
        who = " ".join(filter(None, ["people", how]))
        raise FacestagesError(f"{number} {who}; a test over people needs {_FEWEST_PEOPLE}")


def _varies(values: np.ndarray) -> bool:
    return np.ptp(values) > 1e-9 * (np.abs(values).max() or 1)


def _grouped(value: float, error: float, people: int) -> GroupedEstimate:
    return GroupedEstimate(*_bounds(value, error, people), _p(value, error, people), people)


def _bounds(value: float, error: float, people: int) -> tuple[float, float, float]:
    half = scipy.stats.t.ppf(0.975, people - 1) * error
    return float(value), float(value - half), float(value + half)


def _p(value: float, error: float, people: int) -> float:
    if error == 0:
        return 1.0 if value == 0 else 0.0
    return float(2 * scipy.stats.t.sf(abs(value) / error, people - 1))
