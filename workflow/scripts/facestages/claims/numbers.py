"""Numbers that claims are judged by: means over seeds and differences, each with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas.api.typing import DataFrameGroupBy
from scipy import stats

from facestages.errors import FacestagesError, shorten

# What a row of the table of people shares with the row that it belongs to.
_MEASUREMENT = (
    *("dataset", "network", "seed", "stage", "layer", "label", "other", "measure", "components"),
)


class Number(NamedTuple):
    """A number with its 95 % interval, or with a p-value."""

    value: float
    low: float
    high: float
    p: float
    n: int | None
    #: Jackknife pseudo-values by person, whose mean the number is; None where there are none.
    people: pd.Series | None = None


def group_people(people: pd.DataFrame) -> DataFrameGroupBy:
    """A table of people by what they share with a row, so that this is not searched for each time.

    Tables of one label have no other one.
    """
    columns = [name for name in _MEASUREMENT if name in people]
    return people.groupby(columns, sort=False, dropna=False)


def measure_rows(
    rows: pd.DataFrame, check: Mapping, people: DataFrameGroupBy | None = None
) -> Number | None:
    """The mean of some rows, which differ in their seeds alone; None if there is no value.

    Parameters
    ----------
    rows : pandas.DataFrame
        With ``value``; ``ci_low`` and ``ci_high``, p-values and ``n`` as far as they are known.
    check : mapping
        Its keys ``less``, ``size`` and ``p``, described in ``resources/claims.yaml``.
    people : pandas groups, optional
        Pseudo-values of people, from `analysis.separability.score_separability` or
        `analysis.subspace_scores.compare_subspaces`, by `group_people`.

    Notes
    -----
    One row has the interval of its table. Of several rows the pseudo-values of each person are
    averaged. Without pseudo-values the ends of the intervals are averaged: this interval is never
    too narrow, because the standard error of a mean is at most the mean of the standard errors. In
    the same way p of several rows is twice their mean (Vovk and Wang 2020,
    doi:10.1093/biomet/asaa027).
    """
    rows = rows[rows["value"].notna()] if "value" in rows else rows.iloc[:0]
    if rows.empty:
        return None
    if not pd.api.types.is_numeric_dtype(rows["value"]):
        raise FacestagesError(
            f"claims: 'value' of {shorten(check['table'])} holds text, which has no bound"
        )
    chance = rows[check["less"]].mean() if "less" in check else 0.0
    value, low, high = (_mean(rows, name) - chance for name in ("value", "ci_low", "ci_high"))
    p = _mean(rows, check.get("p"))
    n = _column(rows, "n").max()
    of_people = _pseudo_values(rows, people)
    if of_people is not None:
        of_people -= chance
        if len(rows) > 1:
            low, high = _interval(value, of_people)
    number = Number(
        value,
        low,
        high,
        p if len(rows) == 1 else np.minimum(1.0, 2 * p),
        None if pd.isna(n) else int(n),
        of_people,
    )
    return _without_sign(number) if check.get("size") else number


def subtract(one: Number, other: Number, *, are_independent: bool) -> Number:
    """The difference of two numbers.

    Two numbers of the same people are compared person by person. Those of other face sets are
    independent, so their squared errors add up. All others may depend on each other in any way, so
    the difference has the widest interval that the two intervals allow.
    """
    value, n = one.value - other.value, one.n
    if one.people is not None and other.people is not None and not are_independent:
        people = (one.people - other.people).dropna()
        return Number(value, *_interval(value, people), np.nan, n, people)
    below, above = one.value - one.low, one.high - one.value
    other_below, other_above = other.value - other.low, other.high - other.value
    add = np.hypot if are_independent else np.add
    return Number(
        value, value - add(below, other_above), value + add(above, other_below), np.nan, n
    )


def widen(number: Number, comparisons: int) -> tuple[float, float]:
    """The interval for one of several comparisons, by Bonferroni's rule.

    Each half grows by the ratio of the normal quantiles of ``1 - .025 / comparisons`` and .975.
    """
    ratio = stats.norm.isf(0.025 / comparisons) / stats.norm.isf(0.025)
    low = number.value - ratio * (number.value - number.low)
    return low, number.value + ratio * (number.high - number.value)


def _column(rows: pd.DataFrame, name: str | None) -> pd.Series:
    return rows[name].astype(float) if name in rows else pd.Series(np.nan, rows.index)


def _mean(rows: pd.DataFrame, name: str | None) -> float:
    """Mean of a column; NaN if a row has no value there."""
    return float(_column(rows, name).mean(skipna=False))


def _pseudo_values(rows: pd.DataFrame, people: DataFrameGroupBy | None) -> pd.Series | None:
    """Mean over rows of each person's pseudo-value; None unless every row has them."""
    if people is None or not set(people.keys) <= set(rows):
        return None
    measured = rows[people.keys].drop_duplicates().itertuples(index=False, name=None)
    try:
        found = [people.get_group(one) for one in measured]
    except KeyError:
        return None
    by_person = pd.concat(found).groupby("identity")["pseudo_value"]
    return None if (by_person.size() < len(found)).any() else by_person.mean().dropna()


def _interval(value: float, people: pd.Series) -> tuple[float, float]:
    """Student's interval of the mean of people, about the value."""
    number = len(people)
    if number < 3:
        return np.nan, np.nan
    reach = stats.t.ppf(0.975, number - 1) * people.std(ddof=1) / np.sqrt(number)
    return value - reach, value + reach


def _without_sign(number: Number) -> Number:
    """The size of a number; what lies between -0.2 and 0.1 has a size between 0 and 0.2."""
    ends = sorted(map(abs, (number.low, number.high)))
    low = 0.0 if number.low * number.high < 0 else ends[0]
    people = None if number.people is None else number.people * np.sign(number.value)
    return number._replace(value=abs(number.value), low=low, high=ends[1], people=people)
