"""Categories as units: what is known of valence and arousal that follow from category.

Where each category has one position in valence and arousal, a face set of seven categories has
seven points, however many pictures there are. Permutations of the categories over their positions
ask whether a correlation, or a plane, could be that of any assignment of positions.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from facestages.analysis.grouped_regression import GroupedEstimate, person_correlation
from facestages.errors import FacestagesError

#: Where at least this share of valence or arousal follows from category, categories are the units.
FOLLOWS = 0.9

# Of fewer categories, no permutation gives p < .05.
_FEWEST = 4
# Up to so many categories, all permutations are counted (8! = 40,320).
_ALL_COUNTED = 8
_DRAWN = 9999
_ROUNDING = 1e-9


class CategoryCorrelation(NamedTuple):
    """Correlation of the means of categories; see `correlate_categories`."""

    names: np.ndarray
    #: Means of the categories, shape (K,).
    x: np.ndarray
    y: np.ndarray
    r: float
    p: float


def share_of_category(values: np.ndarray, categories: Sequence) -> float:
    """How much of the variance of a number follows from category.

    ``1 - (S_within / (n - K)) / (S_total / (n - 1))`` for n pictures of K categories: the adjusted
    R2. Pictures without a value or a category ("") do not count.

    Raises
    ------
    FacestagesError
        If there are no two categories, no category has two pictures, or the value does not vary.
    """
    names, codes, values = _known(categories, values)
    n, k = len(values), len(names)
    if k < 2 or n == k:
        raise FacestagesError(f"{n} pictures of {k} categories, so no share of category")
    if np.ptp(values) == 0:
        raise FacestagesError(f"all {n} pictures have the same value")
    within = values - _means(values, codes)[codes]
    return float(1 - within @ within / (n - k) / values.var(ddof=1))


def correlate_categories(
    x: np.ndarray, y: np.ndarray, categories: Sequence, people: Sequence | None
) -> CategoryCorrelation:
    """Correlation of the means of categories, with p over permutations of the categories.

    ``p`` is the share of all assignments of the positions x to the categories in which ``|r|`` is
    at least as large; of more than eight categories, that of 9,999 random assignments and the real
    one. The size of r counts, so it does not matter that x decides the sign of a component.

    Parameters
    ----------
    x : numpy.ndarray, shape (n,)
        Valence or arousal.
    y : numpy.ndarray, shape (n,)
        Scores of a component. The means of categories are those of an additive fit of people and
        categories, so that people who lack a category do not shift its mean.
    categories : sequence, shape (n,)
        Pictures without a value or a category ("") do not count.
    people : sequence, shape (n,), or None

    Raises
    ------
    FacestagesError
        If there are fewer than four categories, or their means do not differ.
    """
    people = np.zeros(len(y)) if people is None else people
    names, codes, x, y, people = _known(categories, x, y, people)
    k = len(names)
    if k < _FEWEST:
        raise FacestagesError(
            f"not testable: {k} categories have {math.factorial(k)} orders; p < .05 needs "
            f"{_FEWEST} categories"
        )
    means = _means(x, codes)
    effects = np.linalg.lstsq(centre_within(np.eye(k)[codes], people), centre_within(y, people))[0]
    spread = means - means.mean(), effects - effects.mean()
    if any(np.ptp(of) <= _ROUNDING * np.ptp(all_) for of, all_ in zip(spread, (x, y), strict=True)):
        raise FacestagesError(f"not testable: the means of all {k} categories are the same")
    of_all = spread[0][permutations_of(k)] @ spread[1] / math.prod(map(np.linalg.norm, spread))
    r = float(of_all[0])
    p = float((np.abs(of_all) >= abs(r) - _ROUNDING).mean())
    return CategoryCorrelation(names, means, effects + y.mean() - effects.mean(), r, p)


def correlate_within_categories(
    x: np.ndarray, y: np.ndarray, categories: Sequence, people: Sequence
) -> GroupedEstimate:
    """Correlation of what is left of x and y when the means of categories are subtracted.

    `grouped_regression.person_correlation` of the rest: the mean over people of Fisher's z, with a
    t-test. Parameters are those of `correlate_categories`, errors those of `person_correlation`.
    """
    _, codes, x, y, people = _known(categories, x, y, people)
    x, y = (values - _means(values, codes)[codes] for values in (x, y))
    return person_correlation(x, y, people)


def is_exact(k: int) -> bool:
    """Whether `permutations_of` gives all permutations of k categories."""
    return k <= _ALL_COUNTED


def permutations_of(k: int, seed: int = 0) -> np.ndarray:
    """Orders of k categories, shape (permutations, k), the first one unchanged.

    All k! of up to eight categories; of more, 9,999 random ones beside the unchanged one.
    """
    if is_exact(k):
        return np.array(list(itertools.permutations(range(k))))
    rows = np.tile(np.arange(k), (_DRAWN + 1, 1))
    rows[1:] = np.random.default_rng(seed).permuted(rows[1:], axis=1)
    return rows


def centre_within(values: np.ndarray, groups: Sequence) -> np.ndarray:
    """Values (n,) or (n, m) minus the mean of their group (n,)."""
    _, codes = np.unique(np.asarray(groups), return_inverse=True)
    sums = np.zeros((codes.max() + 1, *values.shape[1:]))
    np.add.at(sums, codes, values)
    return values - (sums.T / np.bincount(codes)).T[codes]


def _known(categories: Sequence, *values: Sequence) -> list[np.ndarray]:
    """Names of categories, and of the pictures with all values: numbers of categories, values."""
    categories, values = np.asarray(categories).astype(str), list(map(np.asarray, values))
    numbers = [array for array in values if array.dtype.kind == "f"]
    known = np.all([categories != "", *map(np.isfinite, numbers)], axis=0)
    names, codes = np.unique(categories[known], return_inverse=True)
    return [names, codes, *(array[known] for array in values)]


def _means(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    return np.bincount(codes, values) / np.bincount(codes)
