"""Simulated observers: what was planted is there, and nothing else."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from facestages.references.simulated import (
    choose_pictures,
    simulate_observers,
    simulate_ratings,
    simulate_times,
)

WEIGHTS = (0.5, 0.3, 0.2)
IDENTITIES = np.repeat(np.arange(25), 4)
PAIRS = np.stack(np.triu_indices(len(IDENTITIES), 1), axis=1)


@pytest.fixture(scope="module")
def models():
    rng = np.random.default_rng(0)
    affect, expression = rng.normal(size=(100, 2)), rng.integers(0, 7, (100, 1))
    found = pdist(IDENTITIES[:, None]) > 0, pdist(affect), pdist(expression) > 0
    return np.array(found, float)


def weights_of(models, judged):
    """Regression weights of the standardised models."""
    scaled = (models - models.mean(axis=1, keepdims=True)) / models.std(axis=1, keepdims=True)
    design = np.vstack([scaled, np.ones(models.shape[1])]).T
    return np.linalg.lstsq(design, judged, rcond=None)[0][:-1]


def between_raters(judged):
    return np.corrcoef(judged)[np.triu_indices(len(judged), 1)].mean()


@pytest.mark.parametrize("reliability", [0.1, 0.5, 0.9])
def test_weights_and_reliability_are_those_planted(models, reliability):
    judged = simulate_observers(models, WEIGHTS, 20, reliability, 1, PAIRS, IDENTITIES)
    assert judged.shape == (20, len(PAIRS)) and judged.dtype == np.float32 and judged.min() == 0
    found = weights_of(models, judged.mean(axis=0))
    np.testing.assert_allclose(found, WEIGHTS, atol=0.05)
    assert between_raters(judged) == pytest.approx(reliability, abs=0.04)


def test_perfect_observers_agree(models):
    judged = simulate_observers(models, WEIGHTS, 3, 1, 0, PAIRS, IDENTITIES)
    np.testing.assert_array_equal(judged[0], judged[2])
    np.testing.assert_allclose(weights_of(models, judged[0]), WEIGHTS, atol=1e-5)


def test_without_weights_there_is_nothing_in_common(models):
    judged = simulate_observers(models, (0, 0, 0), 20, 0.5, 0, PAIRS, IDENTITIES)
    assert abs(between_raters(judged)) < 0.02
    np.testing.assert_allclose(weights_of(models, judged.mean(axis=0)), 0, atol=0.05)


def test_a_rater_is_the_same_however_many_there_are(models):
    few, many = (simulate_observers(models, WEIGHTS, k, 0.5, 3, PAIRS, IDENTITIES) for k in (2, 5))
    np.testing.assert_allclose(few - few[0, 0], (many - many[0, 0])[:2], atol=1e-5)
    other = simulate_observers(models, WEIGHTS, 2, 0.5, 4, PAIRS, IDENTITIES)
    assert between_raters(np.vstack([few, other])[[0, 2]]) < 0.9


def test_identities_look_odd_to_a_rater(models):
    """Half of a rater's own variance is shared by the pairs of an identity."""
    own = simulate_observers(models, (0, 0, 0), 40, 0.5, 0, PAIRS, IDENTITIES)
    alone = simulate_observers(models, (0, 0, 0), 40, 0.5, 0)

    def spread(judged):
        """Variance, over identities, of the mean of all their pairs."""
        means = [judged[:, (IDENTITIES[PAIRS] == g).any(axis=1)].mean(axis=1) for g in range(25)]
        return np.var(means, axis=0).mean()

    assert spread(own) > 20 * spread(alone)
    np.testing.assert_allclose(own.var(axis=1).mean(), alone.var(axis=1).mean(), rtol=0.02)


def test_the_order_in_time_is_that_planted(models):
    times = np.arange(-50, 401, 10)
    judged = simulate_times(
        models, WEIGHTS, times, (100, 150, 200), 40, 20, 0.5, 0, PAIRS, IDENTITIES
    )
    assert judged.shape == (20, len(times), len(PAIRS)) and judged.min() == 0
    found = np.array([weights_of(models, moment) for moment in judged.mean(axis=0)])
    np.testing.assert_array_equal(times[found.argmax(axis=0)], [100, 150, 200])
    np.testing.assert_allclose(found.max(axis=0), WEIGHTS, atol=0.05)
    agreement = [between_raters(judged[:, moment]) for moment in range(len(times))]
    # The reliability is that at the best time.
    assert max(agreement) == pytest.approx(0.5, abs=0.04)
    assert agreement[-1] == pytest.approx(0, abs=0.04)


def test_pictures_are_shared_evenly_over_people():
    identities = np.repeat([f"p{n}" for n in range(70)], 14)
    rows = choose_pictures(identities, 100)
    people, pictures = np.unique(rows // 14, return_counts=True)
    assert len(rows) == len(set(rows)) == 100 and set(pictures) == {4} and len(people) == 25
    # Each of 14 pictures is taken of about as many people.
    assert np.bincount(rows % 14, minlength=14).min() >= 5
    assert list(choose_pictures(["a", "b", "a"], 8)) == [0, 1, 2]


def test_a_reference(prepared, faces):
    found = prepared("simulated", raters=3, pictures=12)
    assert found.simulated and found.kind == "pairs" and not found.has_time
    assert found.raters == ["simulated 1", "simulated 2", "simulated 3"]
    assert found.dissimilarity.shape == (3, 1, 66)
    assert set(found.first) | set(found.second) == set(faces["stimulus_id"])
    times = {"identity": 10, "affect": 20, "category": 30, "start": 0, "end": 50, "step": 10}
    found = prepared("simulated", raters=2, pictures=12, times=times)
    assert found.has_time and found.times == [0, 10, 20, 30, 40, 50]


def test_simulated_ratings(prepared, faces):
    found = prepared("simulated", judge="ratings", raters=3, pictures=12, reliability=1.0)
    assert found.simulated and found.kind == "ratings" and found.scales == ["valence", "arousal"]
    rated = faces.set_index("stimulus_id").loc[found.stimuli, ["valence", "arousal"]]
    np.testing.assert_allclose(found.rating, np.stack([rated] * 3), atol=1e-6)


@pytest.mark.parametrize("identities", [None, IDENTITIES])
def test_reliability_of_ratings(identities):
    values = np.random.default_rng(0).normal(3, [[1, 5]], (100, 2))
    rated = simulate_ratings(values, 40, 0.4, 0, identities)
    for scale in range(2):
        assert between_raters(rated[:, :, scale]) == pytest.approx(0.4, abs=0.04)
        slope = np.polyfit(values[:, scale], rated[:, :, scale].mean(axis=0), 1)[0]
        assert slope == pytest.approx(1, abs=0.1)


def test_labels_that_are_not_there(prepared, faces, tmp_path):
    from facestages.stimuli import write_labels

    bare = faces.drop(columns=["valence", "arousal"]).assign(expression="sad")
    sources = dict.fromkeys(("identity", "expression"), "rendered")
    write_labels(tmp_path / "own.labels.h5", bare, sources, "own")
    for judge in ("pairs", "ratings"):
        message = prepared.refuses("simulated", judge=judge)
        assert "face set own: has no label 'valence'" in message
    weights = {"affect": 0.0}
    message = prepared.refuses("simulated", weights=weights)
    assert "do not differ in category" in message
    weights |= {"category": 0.0}
    assert prepared("simulated", weights=weights, raters=2).dissimilarity.shape == (2, 1, 66)
