"""Layers and models beside recordings in time."""

import numpy as np
import pytest

from facestages.analysis.crossed import estimate, share_people
from facestages.analysis.rdms import rank_pairs
from facestages.analysis.timing import (
    layer_weights,
    model_weights,
    peak_times,
    same_order,
    slope_of_peaks,
    time_courses,
)
from facestages.references.simulated import simulate_times

TIMES = np.arange(-50, 401, 10.0)


def recordings(seed, peaks=(100, 150, 200), reliability=0.2, subjects=12):
    """Ranks (subjects, times, m), models (3, m), and who shares whom."""
    rng = np.random.default_rng(seed)
    people = np.arange(20).repeat(3)
    first, second = np.triu_indices(60, 1)
    labels = [people, rng.integers(0, 6, 60), rng.integers(0, 4, 60)]
    models = np.stack([label[first] != label[second] for label in labels]).astype(float)
    stack = simulate_times(
        models, [1, 1, 1], TIMES, peaks, 40,
        raters=subjects, reliability=reliability, seed=seed,
        pairs=np.stack([first, second], axis=1), identities=people,
    )  # fmt: skip
    ranks = np.stack([[rank_pairs(row) for row in one] for one in stack])
    return ranks, models, share_people(people[first], people[second])


def test_values_and_errors_are_those_of_single_times():
    ranks, models, shared = recordings(0, subjects=4)
    courses = time_courses(ranks.__getitem__, 4, layer_weights(models), shared, resamples=300)
    spaces = np.stack([rank_pairs(row) for row in models])
    expected = estimate(lambda one: spaces[:, None] * ranks[one], 4, shared)
    np.testing.assert_allclose(courses.value, expected.value, atol=1e-7)
    np.testing.assert_allclose(courses.error, expected.error, rtol=1e-4)
    np.testing.assert_allclose(courses.resampled.std(axis=0), courses.error, rtol=1e-5)


def test_the_planted_order_is_found():
    for seed in range(4):
        ranks, models, shared = recordings(seed)
        weights = model_weights(models)
        courses = time_courses(ranks.__getitem__, len(ranks), weights, shared, resamples=200)
        peaks, resampled = peak_times(courses, TIMES)
        np.testing.assert_allclose(peaks, [100, 150, 200], atol=30)
        assert resampled.shape == (200, 3)


def test_a_model_that_nothing_follows_has_no_peak():
    ranks, models, shared = recordings(0)
    rng = np.random.default_rng(1)
    other = rng.random((1, models.shape[1]))
    courses = time_courses(
        ranks.__getitem__, len(ranks), layer_weights(other), shared, resamples=50
    )
    flat = courses._replace(value=np.abs(courses.value) * 0, error=courses.error)
    assert np.isnan(peak_times(flat, TIMES)[0]).all()


def test_times_before_the_picture_do_not_count():
    ranks, models, shared = recordings(0)
    courses = time_courses(
        ranks.__getitem__, len(ranks), layer_weights(models), shared, resamples=50
    )
    courses.value[:, 0] = 1
    assert (peak_times(courses, TIMES)[0] >= 0).all()


def test_slopes_and_orders():
    assert slope_of_peaks(np.array([100.0, np.nan, 120.0, 130.0])) == pytest.approx(10)
    assert np.isnan(slope_of_peaks(np.array([100.0, np.nan, 120.0])))
    tau = same_order(np.array([[1, 2, 3], [3, 2, 1], [1, 3, 2]]), np.array([10, 20, 30]))
    assert tau.tolist() == pytest.approx([1, -1, 1 / 3])
    assert np.isnan(same_order(np.array([1, np.nan, 3]), np.array([1, 2, 3])))
