"""Means over raters about pictures of people, with intervals for new raters and new people at once.

Raters (or subjects), and the people on the pictures that they judge, are both a sample. Judgements
of one rater are alike, and so are judgements that share a person.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import NamedTuple

import numpy as np
import scipy.sparse
import scipy.stats

_FEWEST_RATERS = 2
#: Fewer items that share no one tell nothing about people.
FEWEST_APART = 3


class Estimate(NamedTuple):
    """Means over raters, with their standard errors, 95 % intervals, and p of a mean above 0."""

    value: np.ndarray
    error: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray


class Shared(NamedTuple):
    """Which of m items share people: see `share_people`."""

    #: Number of people.
    people: int
    #: +1 or -1, and which items (m, sets) show each set of so many people.
    sets: list[tuple[int, scipy.sparse.csr_array]]
    #: Which items (m, sets) show the very same people.
    same: scipy.sparse.csr_array

    def squares(self, items: np.ndarray) -> np.ndarray:
        """Sum of the products of all two items (..., m) that share a person.

        It is no smaller than that of the items that show the very same people.

        Sums over one person are divided by ``1 - k / P``: as each item shows k of P people, the
        mean of all has taken so much of their deviations (HC2 of MacKinnon and White 1985,
        doi:10.1016/0304-4076(85)90158-7).
        """
        rows = items.reshape(-1, items.shape[-1])
        squares = sum(
            sign * ((member.T @ rows.T) ** 2).sum(axis=0)
            for sign, (_, member) in zip(self.signs, self.sets, strict=True)
        )
        least = ((self.same.T @ rows.T) ** 2).sum(axis=0)
        return np.maximum(squares, least).reshape(items.shape[:-1])

    @property
    def signs(self) -> list[float]:
        """What the squares of each size of set count, with the factor for few people."""
        left = 1 - len(self.sets) / self.people
        first, *others = (sign for sign, _ in self.sets)
        return [first / left, *others]

    @property
    def apart(self) -> float:
        """How many items there can be that share no one: half of the people.

        Sums of products over few people vary more than those of normal numbers, and a t of half as
        many degrees of freedom keeps the level of the intervals (in simulations of 12 to 70).
        """
        return self.people / 2


def share_people(*people: np.ndarray) -> Shared:
    """Items by the people that they are about.

    Two items that share c people are in c sets of one person, in ``c (c - 1) / 2`` sets of two, and
    so on. Added and subtracted by turns, these numbers are 1, so that sums over sets count each
    pair of items once (the dyadic cluster-robust variance of Aronow, Samii and Assenova 2015,
    doi:10.1093/pan/mpv018, for any number of people).

    Parameters
    ----------
    *people : numpy.ndarray of int, shape (m,)
        Code of each item's first person, of its second, ...; a person may be there twice.
    """
    number = 1 + max(int(codes.max()) for codes in people)
    columns = np.sort(np.stack(people), axis=0)
    sets = []
    for size in range(1, len(people) + 1):
        keys, rows = [], []
        for chosen in combinations(columns, size):
            differ = np.all(np.diff(np.stack(chosen), axis=0) > 0, axis=0)
            # A set of people as one number.
            key = sum(codes.astype(np.int64) * number**place for place, codes in enumerate(chosen))
            keys.append(key[differ])
            rows.append(np.flatnonzero(differ))
        key, row = np.concatenate(keys), np.concatenate(rows)
        if len(row):
            code = np.unique(key, return_inverse=True)[1]
            sets.append(((-1) ** (size - 1), _members(row, code, len(columns[0]))))
    _, code = np.unique(columns, axis=1, return_inverse=True)
    return Shared(
        len(np.unique(columns)), sets, _members(np.arange(len(code)), code.ravel(), len(code))
    )


def _members(rows: np.ndarray, codes: np.ndarray, number: int) -> scipy.sparse.csr_array:
    """Which rows are in which set; one that is named twice is in it once."""
    shape = (number, codes.max() + 1)
    member = scipy.sparse.csr_array((np.ones(len(rows), np.float32), (rows, codes)), shape)
    member.data[:] = 1
    return member


def degrees_of_freedom(raters: int, shared: Shared) -> float:
    """Those of `estimate`: of raters or of people, whichever are fewer; NaN if neither count."""
    numbers = [raters] * (raters >= _FEWEST_RATERS)
    numbers += [shared.apart] * (shared.apart >= FEWEST_APART)
    return min(numbers) - 1 if numbers else np.nan


def interval_note(raters: int, shared: Shared) -> str:
    """What the intervals of `estimate` are over, if not over raters and people; else ""."""
    few_people = f"fewer than {2 * FEWEST_APART} people are independent"
    if shared.apart >= FEWEST_APART:
        return "" if raters >= _FEWEST_RATERS else "one rater, so the interval is over people alone"
    if raters >= _FEWEST_RATERS:
        return f"{few_people}, so the interval is over raters alone"
    return f"one rater, and {few_people}, so there is no interval"


def estimate(items_of: Callable[[int], np.ndarray], raters: int, shared: Shared) -> Estimate:
    """Means over raters of the means of their items, for new raters and new people.

    ``V = V_raters + V_people - V_both`` with ``V = sum u u'`` over all two items that share a
    rater, a person, or both, of the items' deviations u from the mean, weighted as in it. This is
    the two-way cluster-robust variance (Cameron, Gelbach and Miller 2011,
    doi:10.1198/jbes.2010.07136). The dual bootstrap of Schütt et al. (2023,
    doi:10.7554/eLife.82566) estimates the same sum, ``2 (V_raters + V_people) - V_both`` of its
    three bootstraps. As there, V is no smaller than with either factor alone. t has as many degrees
    of freedom as there are raters, or items that share no one (`Shared.apart`), if that is fewer,
    less one. With one rater the interval is over people alone; with too few people, over raters.

    Parameters
    ----------
    items_of : callable
        From the number of a rater to the items (..., m); NaN where there is none.
    raters : int
    shared : Shared
        Which items share people.

    Returns
    -------
    Estimate
        Arrays of the shape of the items without their last axis.
    """
    value = np.mean([np.nanmean(items_of(rater), axis=-1) for rater in range(raters)], axis=0)
    of_raters, both, together = 0.0, 0.0, 0.0
    for rater in range(raters):
        items = items_of(rater) - value[..., None]
        known = np.isfinite(items)
        items = np.where(known, items, 0) / known.sum(axis=-1, keepdims=True) / raters
        together = together + items
        of_raters = of_raters + items.sum(axis=-1) ** 2
        both = both + (shared.squares(items) if shared.apart >= FEWEST_APART else 0)
    has_raters, has_people = raters >= _FEWEST_RATERS, shared.apart >= FEWEST_APART
    if not (has_raters or has_people):
        nothing = np.full_like(value, np.nan)
        return Estimate(value, nothing, nothing, nothing, nothing)
    few = raters / (raters - 1) if has_raters else 0
    of_raters, of_people = few * of_raters, shared.squares(together) if has_people else 0
    variance = of_raters + of_people - (few * both if has_people else 0)
    error = np.sqrt(np.maximum(variance, np.maximum(of_raters, of_people)))
    freedom = degrees_of_freedom(raters, shared)
    reach = scipy.stats.t.ppf(0.975, freedom) * error
    with np.errstate(invalid="ignore", divide="ignore"):
        p = scipy.stats.t.sf(value / error, freedom)
    return Estimate(value, error, value - reach, value + reach, p)
