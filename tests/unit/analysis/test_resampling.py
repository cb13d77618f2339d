"""Intervals over people: against a loop, against a known coverage, and where there is nothing."""

import numpy as np
import pytest
import scipy.stats

from facestages.analysis.resampling import (
    interval,
    people_weights,
    pseudo_interval,
    pseudo_values,
    weighted_correlation,
    weighted_mean,
)


def test_people_come_with_all_their_pictures():
    people = np.repeat(["a", "b", "c"], [2, 3, 5])
    weights = people_weights(people, 200, seed=1)
    assert weights.shape == (200, 10)
    for row in weights:
        assert all(len(set(row[people == name])) == 1 for name in "abc")
        assert row[0] + row[2] + row[5] == 3
    assert np.array_equal(weights, people_weights(people, 200, seed=1))
    assert not np.array_equal(weights, people_weights(people, 200, seed=2))


def test_weighted_correlation_is_that_of_the_repeated_rows():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 30)) + 1000
    weights = people_weights(np.arange(30) // 3, 20)
    correlations = weighted_correlation(x, y, weights)
    for value, row in zip(correlations, weights.astype(int), strict=True):
        assert value == pytest.approx(np.corrcoef(np.repeat(x, row), np.repeat(y, row))[0, 1])


def test_a_constant_has_no_correlation():
    weights = people_weights(np.arange(10), 5)
    assert np.isnan(weighted_correlation(np.full(10, 0.1), np.arange(10.0), weights)).all()


def test_interval_leaves_out_what_has_no_value():
    values = np.append(np.linspace(0, 1, 1001), np.nan)
    assert interval(values, 10_000) == pytest.approx((0.025, 0.975), abs=1e-4)
    assert np.isnan(interval(np.array([np.nan]), 10)).all()
    assert np.isnan(interval(values, 1)).all()


def test_interval_of_a_mean_of_few_is_that_of_student():
    values = np.random.default_rng(0).normal(size=12)
    low, high = interval(weighted_mean(values, people_weights(np.arange(12), 20_000)), 12)
    expected = scipy.stats.t.interval(0.95, 11, values.mean(), scipy.stats.sem(values))
    assert (low, high) == pytest.approx(expected, abs=0.1)


def test_the_mean_of_dependent_pictures_is_covered():
    """Frames of one person alike: intervals over frames would cover far less than 95 %."""
    covered = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        people = np.repeat(np.arange(25), 20)
        values = rng.normal(size=25)[people] + 0.3 * rng.normal(size=500)
        low, high = interval(weighted_mean(values, people_weights(people, 300, seed)), 25)
        covered += low <= 0 <= high
    assert 0.91 <= covered / 200 <= 0.985


def test_pseudo_values_of_a_mean_are_the_values_themselves():
    values = np.random.default_rng(0).normal(3, 2, 14)
    left_out = (values.sum() - values) / 13
    pseudo = pseudo_values(values.mean(), left_out)
    assert pseudo == pytest.approx(values)
    expected = scipy.stats.ttest_1samp(values, 0).confidence_interval()
    assert pseudo_interval(pseudo) == pytest.approx(expected)


def test_people_without_whom_there_is_no_value_do_not_count():
    values = np.array([1.0, 2.0, 4.0, 9.0])
    left_out = np.append((values.sum() - values) / 3, np.nan)
    pseudo = pseudo_values(4.0, left_out)
    assert np.isnan(pseudo[-1]) and pseudo[:-1] == pytest.approx(values)
    assert np.isnan(pseudo_interval(pseudo[:2])).all()
