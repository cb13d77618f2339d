"""Layers beside ratings, odd ones out, and names of expressions."""

import numpy as np
import pytest
from scipy import stats

from facestages.analysis.confusions import correlate_confusions, off_diagonal
from facestages.analysis.rated import (
    correlate_ratings,
    mean_reliability,
    rating_ceiling,
    rating_items,
)
from facestages.analysis.triplets import (
    CHANCE,
    agreement,
    gather_choices,
    odd_one_out,
    share_triplets,
    triplet_accuracy,
)

RNG = np.random.default_rng(0)
PEOPLE = np.arange(20).repeat(5)


def raters(number=10, noise=0.7):
    truth = RNG.normal(size=100)
    return truth, truth + noise * RNG.normal(size=(number, 100))


def test_a_rater_s_correlation_is_pearson_s():
    truth, ratings = raters()
    ratings[3, 60:] = np.nan
    items = rating_items(truth, ratings, None)
    for row, rated in zip(items, ratings, strict=True):
        known = np.isfinite(rated)
        assert np.nanmean(row) == pytest.approx(stats.pearsonr(truth[known], rated[known])[0])
    found = correlate_ratings(truth, ratings, PEOPLE)
    assert found.low < found.value < found.high
    assert found.value == pytest.approx(np.nanmean(items, axis=1).mean())


def test_within_categories_their_means_do_not_count():
    truth, ratings = raters()
    categories = np.tile(np.arange(5), 20)
    moved = ratings + 10 * categories
    within = correlate_ratings(truth, ratings, PEOPLE, categories)
    assert correlate_ratings(truth, moved, PEOPLE, categories).value == pytest.approx(within.value)
    assert correlate_ratings(truth, moved, PEOPLE).value < within.value


def test_the_ceilings_lie_about_the_truth():
    truth, ratings = raters(20)
    low, high = rating_ceiling(ratings)
    best = correlate_ratings(truth, ratings, PEOPLE).value
    assert low - 0.02 < best < high + 0.02 and high - low < 0.05
    assert np.isnan(rating_ceiling(ratings[:1])[0])


def test_a_rater_who_always_says_the_same_is_left_out():
    truth, ratings = raters(3)
    ratings[1] = 4.0
    found = correlate_ratings(truth, ratings, PEOPLE)
    assert found.value == pytest.approx(correlate_ratings(truth, ratings[[0, 2]], PEOPLE).value)
    assert np.isnan(correlate_ratings(truth, ratings[1:2], PEOPLE).value)


def test_the_reliability_of_means():
    truth = RNG.normal(size=2000)
    mean = truth + RNG.normal(size=2000) * 2 / np.sqrt(8)
    reliability = mean_reliability(mean, np.full(2000, 2.0), np.full(2000, 8))
    assert reliability == pytest.approx(1 / 1.5, abs=0.04)


def test_odd_ones_out():
    distances = np.array([[0, 1, 5], [1, 0, 4], [5, 4, 0.0]])
    trials = np.array([[0, 1, 2], [1, 0, 2], [0, 2, 1]])
    choices = gather_choices(trials, np.array(["a", "b", "b"]))
    assert choices.pictures.tolist() == [[0, 1, 2]]
    assert odd_one_out(distances, choices.pictures).tolist() == [[0, 0, 1]]
    shared = share_triplets(choices, np.arange(3))
    found = triplet_accuracy(odd_one_out(distances, choices.pictures), choices, shared)
    assert found.value == pytest.approx((1 + 0.5) / 2 - CHANCE)
    # One of the two answers of b is that of a; those of b are not compared with each other.
    assert agreement(choices) == pytest.approx((0.5, 2 / 3))
    # Of three people two agree: each of these with half of the others, the third with none.
    choices = gather_choices(trials, np.array(["a", "b", "c"]))
    assert agreement(choices) == pytest.approx(((0.5 + 0.5 + 0) / 3, 2 / 3))


def test_nobody_judged_twice():
    choices = gather_choices(np.array([[0, 1, 2], [3, 4, 5]]), np.array(["a", "b"]))
    assert np.isnan(agreement(choices)).all()


def test_the_kind_of_error_counts_and_not_its_number():
    counts = np.array([[80, 15, 5], [4, 90, 6], [10, 30, 60.0]])
    shown = np.arange(3).repeat(60)
    answered = np.concatenate([RNG.choice(3, 60, p=row / row.sum()) for row in counts])
    fewer = counts.copy()
    fewer[np.eye(3, dtype=bool)] *= 5
    found = correlate_confusions(shown, answered, np.tile(np.arange(12), 15), counts, 200)
    assert 0.5 < found.value <= 1 and found.low < found.value < found.high + 1e-9
    assert off_diagonal(counts).tolist() == [0.15, 0.05, 0.04, 0.06, 0.1, 0.3]
