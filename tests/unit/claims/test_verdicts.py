"""Rules of verdicts: what an interval shows, what it refutes, and what stays open."""

import numpy as np
import pytest

from facestages.claims.numbers import Number
from facestages.claims.verdicts import (
    FAILS,
    HOLDS,
    IN_PART,
    NOT_TESTABLE,
    UNDECIDED,
    compare,
    judge,
)

ABOVE = {"expect": "above", "bound": 0}
BELOW = {"expect": "below", "bound": 0}
NEAR = {"expect": "near", "bound": 0, "within": 0.1}


def number(value, low=np.nan, high=np.nan, p=np.nan):
    return Number(value, low, high, p, 10)


@pytest.mark.parametrize(
    ("check", "ends", "outcome"),
    [
        (ABOVE, (0.1, 0.3), True),
        (ABOVE, (-0.1, 0.3), None),
        (ABOVE, (-0.3, -0.1), False),
        (BELOW, (-0.3, -0.1), True),
        (BELOW, (0.1, 0.3), False),
        # What is near 0 is shown by an interval, and not by the lack of a difference.
        (NEAR, (-0.05, 0.08), True),
        (NEAR, (-0.05, 0.2), None),
        (NEAR, (-0.9, 0.9), None),
        (NEAR, (0.2, 0.3), False),
    ],
)
def test_the_whole_interval_counts(check, ends, outcome):
    assert compare(number(np.mean(ends), *ends), check) is outcome


@pytest.mark.parametrize("check", [ABOVE, BELOW, NEAR])
def test_nothing_is_shown_without_an_interval(check):
    assert compare(number(0.05), check) is compare(number(-5), check) is None


def test_counts_have_no_interval():
    check = {"expect": "near", "bound": 980, "within": 0, "exact": True}
    assert compare(number(980), check) is True
    assert compare(number(979), check) is False


def test_p_shows_but_does_not_refute_unless_the_other_direction_does():
    check = {**ABOVE, "p": "p"}
    assert compare(number(0.3, p=0.01), check) is True
    assert compare(number(0.3, p=0.2), check) is None
    assert compare(number(0.3), check) is None
    assert compare(number(-0.3, p=0.01), check) is False
    assert compare(number(-0.3, p=0.01), check, among=10) is None


def test_a_counterexample_among_many_needs_a_wider_interval():
    close = number(-0.1, -0.19, -0.01)
    assert compare(close, ABOVE) is False
    assert compare(close, ABOVE, among=6) is None
    # Of two ways to meet a claim, each needs a wider interval.
    assert compare(number(0.1, 0.01, 0.19), ABOVE, tried=2) is None


@pytest.mark.parametrize(
    ("decisive", "further", "verdict"),
    [
        ([True, True], [], HOLDS),
        ([True, True], [True, None], HOLDS),
        ([True], [True, False], IN_PART),
        ([True, None], [], UNDECIDED),
        ([None], [False], UNDECIDED),
        ([True, True, False], [True], FAILS),
        ([None, False], [], FAILS),
        ([], [True], NOT_TESTABLE),
    ],
)
def test_one_counterexample_is_enough_and_further_checks_never_save_a_claim(
    decisive, further, verdict
):
    assert judge(decisive, further) == verdict


def test_more_data_never_gives_a_worse_verdict_about_the_same_value():
    """A missing interval, a wide one and a narrow one: the verdict gets better, or more certain."""
    ends = [(np.nan, np.nan), (-1, 1.4), (0.1, 0.3)]
    assert [compare(number(0.2, *pair), ABOVE) for pair in ends] == [None, None, True]


def test_pure_noise_is_seldom_called_anything_but_undecided():
    """Six numbers without any effect, over ten people."""
    rng = np.random.default_rng(0)
    verdicts = []
    for _ in range(1000):
        people = rng.normal(size=(11, 10))
        means, reach = people.mean(axis=1), 2.262 * people.std(axis=1, ddof=1) / np.sqrt(10)
        ends = zip(means, means - reach, means + reach, strict=True)
        numbers = [number(*of) for of in ends]
        decisive = [compare(one, ABOVE, among=6) for one in numbers[:6]]
        further = [compare(one, ABOVE, among=5) for one in numbers[6:]]
        verdicts.append(judge(decisive, further))
    assert verdicts.count(HOLDS) + verdicts.count(IN_PART) <= 1
    assert verdicts.count(FAILS) <= 60
