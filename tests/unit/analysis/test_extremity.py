"""Accuracy by distance from the centre: known answers, and intervals over people."""

import numpy as np
import pytest

from facestages.analysis import extremity, resampling
from facestages.errors import FacestagesError


def test_extremes_that_are_easier():
    position = np.linspace(-1, 1, 101)[np.arange(101) != 50]
    correct = np.abs(position) > 0.5
    result = extremity.accuracy_by_distance(correct, position, np.arange(100) % 10)
    assert result.bins["n"].tolist() == [20] * 5
    assert result.bins["value"].iloc[[0, 1, 3, 4]].tolist() == [0, 0, 1, 1]
    assert result.bins["distance"].is_monotonic_increasing
    assert result.trend == pytest.approx((1, 1, 1))


def test_trend_within_expressions_does_not_see_which_are_far_out():
    rng = np.random.default_rng(3)
    expression = np.repeat(["happy", "neutral"], 50)
    far = np.where(expression == "happy", 5.0, 0.5) + rng.uniform(0, 0.4, 100)
    position = far * rng.choice([-1, 1], 100)
    correct, people = expression == "happy", np.arange(100) % 10
    assert extremity.accuracy_by_distance(correct, position, people).trend.value == 1
    within = extremity.accuracy_by_distance(correct, position, people, expression)
    assert within.trend.value == 0 and within.bins["value"].tolist() == [0.5] * 5


def test_interval_of_the_trend_is_over_people():
    rng = np.random.default_rng(4)
    position, people = rng.normal(size=300), np.repeat(np.arange(10), 30)
    correct = rng.uniform(size=300) < 0.5 + 0.1 * np.abs(position)
    result = extremity.accuracy_by_distance(correct, position, people)
    bins = extremity.distance_bins(np.abs(position))
    drawn = []
    for row in resampling.people_weights(people).astype(int):
        taken = np.repeat(np.arange(300), row)
        outer, inner = (correct[taken[bins[taken] == number]].mean() for number in (4, 0))
        drawn.append(outer - inner)
    assert result.trend[1:] == pytest.approx(resampling.interval(np.array(drawn), 10))


def test_accuracy_without_people_has_no_interval():
    correct = np.array([True, False, True, True, True])
    assert extremity.accuracy(correct, None)[0] == 0.8
    assert np.isnan(extremity.accuracy(correct, np.zeros(5))[1:]).all()
    result = extremity.accuracy_by_distance(correct, np.arange(5.0), None)
    assert np.isnan(result.trend.low) and result.bins["ci_low"].isna().all()


def test_what_has_no_distance_is_refused():
    with pytest.raises(FacestagesError, match="5 pictures or more, not 4"):
        extremity.accuracy_by_distance(np.ones(4, bool), np.arange(4.0), None)
    with pytest.raises(FacestagesError, match="same place"):
        extremity.accuracy_by_distance(np.ones(9, bool), np.ones(9), None)
