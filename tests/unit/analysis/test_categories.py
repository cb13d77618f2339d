"""Categories as units: exact permutations, additive means, and ratings within categories."""

import itertools

import numpy as np
import pytest
import scipy.stats

from facestages.analysis.categories import (
    correlate_categories,
    correlate_within_categories,
    is_exact,
    permutations_of,
    share_of_category,
)
from facestages.errors import FacestagesError

VALENCE = np.array([-0.6, -0.65, -0.55, 0.75, -0.7, 0.2, 0.0])


def pictures(seed, slope=0.0, people=10, within=0.0, k=7):
    """Valence, a component, categories and people; `slope` holds between the categories' means."""
    rng = np.random.default_rng(seed)
    person, category = np.repeat(np.arange(people), k), np.tile(np.arange(k), people)
    x = VALENCE[:k][category] + within * rng.normal(size=len(category))
    y = (
        slope * VALENCE[:k][category]
        + rng.normal(size=k)[category]
        + 3 * rng.normal(size=people)[person]
    )
    return x, y + 0.1 * rng.normal(size=len(x)), np.array(list("abcdefg"))[category], person


def test_p_is_that_of_all_assignments():
    x, y, category, person = pictures(0, slope=1, k=5)
    found = correlate_categories(x, y, category, person)
    means = [y[category == name].mean() for name in "abcde"]
    sizes = [
        abs(scipy.stats.pearsonr(order, means)[0]) for order in itertools.permutations(VALENCE[:5])
    ]
    assert found.r == pytest.approx(scipy.stats.pearsonr(VALENCE[:5], means)[0])
    assert found.p == np.mean(np.array(sizes) >= sizes[0] - 1e-9)
    assert list(found.names) == list("abcde")
    turned = correlate_categories(x, -y, category, person)
    assert (turned.r, turned.p) == (pytest.approx(-found.r), found.p)


def test_pictures_are_no_evidence_of_their_own():
    """Without a relation, one p in twenty is small, however many pictures there are."""
    p = [correlate_categories(*pictures(seed, people=40)).p for seed in range(300)]
    assert 0.02 <= np.mean(np.array(p) <= 0.05) <= 0.08


def test_people_who_lack_a_category_do_not_shift_its_mean():
    x, y, category, person = pictures(1, people=8)
    # Category a is shown only by people whose pictures all lie high.
    y = y + 100 * (person < 4)
    kept = (category != "a") | (person < 4)
    some = correlate_categories(x[kept], y[kept], category[kept], person[kept])
    every = correlate_categories(x, y, category, person)
    differences = some.y - every.y
    assert np.ptp(differences) < 0.2


def test_many_categories_are_permuted_by_chance():
    assert is_exact(8) and not is_exact(9)
    orders = permutations_of(9)
    assert orders.shape == (10_000, 9) and list(orders[0]) == list(range(9))
    assert (np.sort(orders, axis=1) == np.arange(9)).all()


def test_too_few_categories_are_not_testable():
    with pytest.raises(FacestagesError, match="not testable: 3 categories have 6 orders"):
        correlate_categories(*pictures(0, k=3))
    x, y, category, person = pictures(0)
    with pytest.raises(FacestagesError, match="means of all 7 categories are the same"):
        correlate_categories(np.zeros(len(x)), y, category, person)


def test_share_of_category():
    x, _, category, _ = pictures(0)
    assert share_of_category(x, category) == pytest.approx(1)
    rng = np.random.default_rng(0)
    shares = [share_of_category(rng.normal(size=len(x)), category) for _ in range(100)]
    assert np.mean(shares) == pytest.approx(0, abs=0.02)
    unknown = np.where(category == "a", "", category)
    assert share_of_category(np.where(category == "a", np.nan, x), unknown) == pytest.approx(1)
    with pytest.raises(FacestagesError, match="7 pictures of 7 categories"):
        share_of_category(x[:7], category[:7])


def test_ratings_within_categories():
    # Between categories there is a relation, within them there is none.
    p = [
        correlate_within_categories(*pictures(seed, slope=2, within=0.5, people=15)).p
        for seed in range(200)
    ]
    assert 0.015 <= np.mean(np.array(p) <= 0.05) <= 0.09
    x, y, category, person = pictures(0, within=0.5)
    found = correlate_within_categories(
        x, y + 0.5 * (x - VALENCE[np.tile(np.arange(7), 10)]), category, person
    )
    assert found.low > 0.5 and found.people == 10
