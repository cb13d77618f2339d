"""Intervals over people: pictures of one person are not independent, people are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr, stdtrit

#: With two people, leaving either out moves a value by the same amount.
FEWEST_PEOPLE = 3


def people_weights(people: Sequence, resamples: int = 1000, seed: int = 0) -> np.ndarray:
    """How often each picture counts when people are drawn with replacement.

    As many people are drawn as there are, each with all of their pictures (the bootstrap over
    clusters of Davison and Hinkley 1997, section 3.8).

    Parameters
    ----------
    people : sequence, shape (n,)
        Person of each picture.
    resamples : int
    seed : int

    Returns
    -------
    numpy.ndarray of float64, shape (resamples, n)
        Whole numbers.
    """
    names, codes = np.unique(np.asarray(people).astype(str), return_inverse=True)
    chances = np.full(len(names), 1 / len(names))
    drawn = np.random.default_rng(seed).multinomial(len(names), chances, size=resamples)
    return drawn[:, codes].astype(np.float64)


def interval(values: np.ndarray, people: int, level: float = 0.95) -> tuple[float, float]:
    """Interval from values of a bootstrap over P people; NaN to NaN without values or two people.

    Its ends are the percentiles ``Phi(t sqrt(P / (P - 1)))``, with t Student's quantile of P - 1
    degrees of freedom (the expanded percentile interval of Hesterberg 2015,
    doi:10.1080/00031305.2015.1089789). The fewer people there are, the wider it is: the variance of
    resampled people is too small by (P - 1) / P, and Student's t is wider than a normal
    distribution.

    Parameters
    ----------
    values : numpy.ndarray, shape (resamples,)
        NaN where a resample has no value; these are left out.
    people : int
        Number of people who were drawn from.
    level : float
        Share of intervals that should hold the truth.

    Returns
    -------
    low, high : float
    """
    finite = values[np.isfinite(values)]
    if len(finite) == 0 or people < 2:
        return np.nan, np.nan
    quantile = stdtrit(people - 1, (1 - level) / 2)
    tail = ndtr(quantile * np.sqrt(people / (people - 1)))
    low, high = np.quantile(finite, [tail, 1 - tail])
    return float(low), float(high)


def pseudo_values(value: float, left_out: np.ndarray) -> np.ndarray:
    """Jackknife pseudo-values (people,) of a value, from its values (people,) without each person.

    ``value + (P - 1) (m - left_out)``, with m the mean of `left_out` over P people (Efron and Stein
    1981, doi:10.1214/aos/1176345462). Their mean is the value, as they are shifted by the
    jackknife's estimate of bias, which is noisy. A person without whom there is no value has NaN,
    and is not counted.
    """
    finite = np.isfinite(left_out)
    if not finite.any():
        return np.full(len(left_out), np.nan)
    return value + (finite.sum() - 1) * (left_out[finite].mean() - left_out)


def pseudo_interval(pseudo: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Student's interval of the mean of P pseudo-values: ``m -+ t(P - 1) sd / sqrt(P)``.

    Pseudo-values of two quantities may be subtracted person by person: the interval is then that of
    the paired difference. NaN to NaN with fewer than three people.
    """
    finite = pseudo[np.isfinite(pseudo)]
    if len(finite) < FEWEST_PEOPLE:
        return np.nan, np.nan
    quantile = stdtrit(len(finite) - 1, (1 + level) / 2)
    half = quantile * finite.std(ddof=1) / np.sqrt(len(finite))
    return float(finite.mean() - half), float(finite.mean() + half)


def weighted_mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean of `values` (n,) under each row of `weights` (resamples, n); NaN where all are zero."""
    totals = weights.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return weights @ values / totals


def weighted_correlation(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Pearson correlation of x and y (n,) under each row of `weights` (resamples, n).

    NaN where x or y does not vary.
    """
    # Centring first keeps the digits of the sums of squares.
    x, y = x - x.mean(), y - y.mean()
    mean_x, mean_y = weighted_mean(x, weights), weighted_mean(y, weights)
    covariance = weighted_mean(x * y, weights) - mean_x * mean_y
    variance_x = weighted_mean(x * x, weights) - mean_x**2
    variance_y = weighted_mean(y * y, weights) - mean_y**2
    product = variance_x * variance_y
    correlation = np.full(len(weights), np.nan)
    varies = product > 1e-24 * (x.var() * y.var() + 1e-300)
    correlation[varies] = covariance[varies] / np.sqrt(product[varies])
    return correlation
