"""Means over raters, for new raters and new people: sums by hand, and limits of either factor."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from facestages.analysis.crossed import estimate, share_people

RNG = np.random.default_rng(0)


def products_of_sharing(items, people):
    """Sum of the products of all two items that share a person, one by one."""
    shown = [set(one) for one in zip(*people, strict=True)]
    places = range(len(shown))
    return sum(items[i] * items[j] for i, j in product(places, places) if shown[i] & shown[j])


@pytest.mark.parametrize("number", [1, 2, 3])
def test_items_that_share_people_count_once(number):
    people = RNG.integers(0, 9, (number, 40))
    people[:, -2:] = people[:, :2]  # The very same people again.
    items = RNG.normal(size=40)
    shared = share_people(*people)
    shared_alone = shared._replace(same=shared.same[:, :0])
    # Without the factor for few people.
    signs = [sign for sign, _ in shared.sets]
    squares = sum(
        sign * ((member.T @ items) ** 2).sum()
        for sign, (_, member) in zip(signs, shared_alone.sets, strict=True)
    )
    assert squares == pytest.approx(products_of_sharing(items, people))


def test_the_same_people_in_another_order():
    a, b = RNG.integers(0, 6, (2, 30))
    items = RNG.normal(size=30)
    assert share_people(a, b).squares(items) == pytest.approx(share_people(b, a).squares(items))


def test_people_who_are_on_one_picture_each():
    """With many people, and items of one person, it is the interval of a mean of raters alone."""
    of_rater = RNG.normal(size=8)
    items = of_rater[:, None] + 1e-6 * RNG.normal(size=(8, 500))
    found = estimate(items.__getitem__, 8, share_people(np.arange(500)))
    expected = stats.ttest_1samp(of_rater, 0, alternative="greater")
    ends = stats.ttest_1samp(of_rater, 0).confidence_interval()
    assert found.value == pytest.approx(of_rater.mean(), abs=1e-6)
    assert (found.low, found.high) == pytest.approx(tuple(ends), abs=1e-4)
    assert found.p == pytest.approx(expected.pvalue, abs=1e-4)


def test_one_rater_leaves_people_alone():
    of_person = RNG.normal(size=60)
    found = estimate(lambda _: of_person.repeat(3), 1, share_people(np.arange(60).repeat(3)))
    assert found.error == pytest.approx(stats.sem(of_person), rel=1e-3)


def test_one_rater_of_two_people_tells_nothing():
    found = estimate(lambda _: np.arange(4.0), 1, share_people(np.array([0, 0, 1, 1])))
    assert found.value == 1.5 and np.isnan([found.error, found.low, found.high, found.p]).all()


def test_items_that_a_rater_lacks_do_not_count():
    items = RNG.normal(size=(3, 20))
    items[1, 5:] = np.nan
    found = estimate(items.__getitem__, 3, share_people(np.arange(20)))
    assert found.value == pytest.approx(np.nanmean(items, axis=1).mean())
    assert np.isfinite(found.error)


def test_many_values_at_once():
    items = RNG.normal(size=(4, 2, 3, 30))
    shared = share_people(np.arange(10).repeat(3))
    found = estimate(items.__getitem__, 4, shared)
    one = estimate(items[:, 1, 2].__getitem__, 4, shared)
    assert found.value.shape == (2, 3)
    for all_of_it, alone in zip(found, one, strict=True):
        assert all_of_it[1, 2] == pytest.approx(alone)
