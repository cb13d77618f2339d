"""Numbers of claims: means over seeds, differences of the same and of other people."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from facestages.claims.numbers import Number, group_people, measure_rows, subtract, widen
from facestages.errors import FacestagesError

WHERE = {
    **{"dataset": "video", "network": "net", "stage": "early", "layer": "a"},
    **{"label": "identity", "measure": "silhouette", "components": "10"},
}


def rows_of(values, **columns):
    rows = [{**WHERE, "seed": seed, "value": value} for seed, value in enumerate(values)]
    return pd.DataFrame(rows).assign(**columns)


def people_of(pseudo_values, **where):
    """A table of people from pseudo-values (seeds, people)."""
    rows = [
        {**WHERE, **where, "seed": seed, "identity": f"p{person}", "pseudo_value": value}
        for seed, of_seed in enumerate(pseudo_values)
        for person, value in enumerate(of_seed)
    ]
    return pd.DataFrame(rows)


def test_one_row_is_as_its_table_says():
    number = measure_rows(rows_of([0.4], ci_low=0.3, ci_high=0.6, p=0.02, n=9), {"p": "p"})
    assert number[:5] == (0.4, 0.3, 0.6, 0.02, 9) and number.people is None
    assert measure_rows(rows_of([np.nan]), {}) is None


def test_seeds_are_averaged_person_by_person():
    rng = np.random.default_rng(0)
    people = rng.normal(size=(3, 12))
    rows = rows_of(people.mean(axis=1), ci_low=-9, ci_high=9)
    number = measure_rows(rows, {}, group_people(people_of(people)))
    expected = stats.ttest_1samp(people.mean(axis=0), 0).confidence_interval()
    assert (number.low, number.high) == pytest.approx((expected.low, expected.high))
    assert number.value == pytest.approx(people.mean())


def test_without_people_ends_are_averaged_and_p_is_twice_the_mean():
    rows = rows_of([0.2, 0.4], ci_low=[0.1, -0.1], ci_high=[0.3, 0.5], p=[0.01, 0.03])
    number = measure_rows(rows, {"p": "p"})
    assert number[:4] == pytest.approx((0.3, 0.0, 0.4, 0.04))
    assert np.isnan(measure_rows(rows.assign(ci_low=[0.1, np.nan]), {}).low)
    assert np.isnan(measure_rows(rows, {}).p)


def test_a_difference_of_the_same_people_is_a_paired_test():
    rng = np.random.default_rng(1)
    base = rng.normal(size=20)
    one, other = base + 0.1 * rng.normal(size=20), base + 0.1 * rng.normal(size=20)
    table = group_people(pd.concat([people_of([one]), people_of([other], stage="final")]))
    first, second = (
        measure_rows(rows_of([values.mean()], ci_low=-1, ci_high=1).assign(stage=stage), {}, table)
        for values, stage in ((one, "early"), (other, "final"))
    )
    number = subtract(first, second, are_independent=False)
    expected = stats.ttest_rel(one, other).confidence_interval()
    assert (number.low, number.high) == pytest.approx((expected.low, expected.high))


def test_differences_of_unknown_and_of_no_dependence():
    one, other = Number(0.5, 0.45, 0.55, np.nan, 10), Number(0.2, 0.1, 0.3, np.nan, 10)
    assert subtract(one, other, are_independent=False)[:3] == pytest.approx((0.3, 0.15, 0.45))
    reach = np.hypot(0.05, 0.1)
    independent = subtract(one, other, are_independent=True)
    assert independent[:3] == pytest.approx((0.3, 0.3 - reach, 0.3 + reach))


def test_chance_is_subtracted():
    rows = rows_of([0.2, 0.4], ci_low=0.1, ci_high=0.5, null_mean=[-0.1, -0.3])
    assert measure_rows(rows, {"less": "null_mean"})[:3] == pytest.approx((0.5, 0.3, 0.7))


def test_size_has_no_sign():
    check = {"size": True}
    assert measure_rows(rows_of([-0.5], ci_low=-0.6, ci_high=-0.4), check)[:3] == (0.5, 0.4, 0.6)
    assert measure_rows(rows_of([-0.5], ci_low=-0.8, ci_high=0.1), check)[:3] == (0.5, 0.0, 0.8)


def test_the_interval_of_several_comparisons_is_bonferroni_s():
    reach = stats.norm.isf(0.025)
    low, high = widen(Number(0.0, -reach, reach, np.nan, 9), 5)
    assert high == -low == pytest.approx(stats.norm.isf(0.005))


def test_text_has_no_bound():
    with pytest.raises(FacestagesError, match="'value' of scores holds text"):
        measure_rows(rows_of(["a"]), {"table": "scores"})
