"""RDMs and rank correlations: known answers, two other libraries, and pairs ranked anew."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
import rsatoolbox
import scipy.stats
from scipy.spatial.distance import pdist, squareform

from crossed_faces import make_labels, make_points
from facestages.analysis.rdms import (
    correct_resamples,
    model_rdms,
    pair_influence,
    pair_sums,
    rank_correlations,
    rank_pairs,
)
from facestages.analysis.resampling import interval, people_weights
from facestages.errors import FacestagesError


def test_models_of_three_pictures():
    labels = pd.DataFrame(
        {
            "identity": ["a", "a", "b"],
            "expression": ["sad", "happy", "sad"],
            "valence": [0.0, 3.0, 0.0],
            "arousal": [0.0, 4.0, 1.0],
        }
    )
    models = model_rdms(labels)
    np.testing.assert_array_equal(models["identity"], [0, 1, 1])
    np.testing.assert_array_equal(models["expression"], [1, 0, 1])
    np.testing.assert_allclose(models["affect"], [5, 1, 18**0.5], rtol=1e-6)
    assert set(model_rdms(labels.drop(columns="arousal"))) == {"identity", "expression"}


@pytest.mark.parametrize("levels", [2, 3, 40, 0])
def test_as_scipy_and_rsatoolbox(levels):
    rng = np.random.default_rng(levels)
    x = pdist(rng.normal(size=(25, 4)))
    y = rng.integers(0, levels, len(x)).astype(float) if levels else x + rng.random(len(x))
    correlations = rank_correlations(x, y)
    assert correlations["spearman"] == pytest.approx(scipy.stats.spearmanr(x, y)[0], abs=1e-6)
    pair = [rsatoolbox.rdm.RDMs(values[None]) for values in (x, y)]
    for measure, method in (("spearman", "spearman"), ("rho_a", "rho-a")):
        expected = rsatoolbox.rdm.compare(*pair, method=method).item()
        assert correlations[measure] == pytest.approx(expected, abs=1e-6)


def test_rho_a_is_spearman_with_ties_broken_by_chance():
    rng = np.random.default_rng(1)
    x, y = rng.random(60), rng.integers(0, 3, 60)
    broken = [scipy.stats.spearmanr(x, y + 0.1 * rng.random(60))[0] for _ in range(2000)]
    error = np.std(broken) / np.sqrt(2000)
    assert rank_correlations(x, y)["rho_a"] == pytest.approx(np.mean(broken), abs=4 * error)


@pytest.mark.parametrize("model", [(0, 0, 0, 0, 0, 1), (0, 1, 1, 0, 1, 1), (0, 2, 2, 5, 5, 5)])
def test_the_ceiling_is_the_most_that_any_ranking_reaches(model):
    """All 720 rankings of the six pairs of four pictures."""
    model, m = np.array(model, float), 6
    rankings = [rank_correlations(np.array(order), model) for order in permutations(range(m))]
    highest = max(one["rho_a"] for one in rankings)
    ties = np.unique(model, return_counts=True)[1]
    assert highest == pytest.approx(1 - (ties**3 - ties).sum() / (m**3 - m))
    for one in rankings:
        assert one["share_of_ceiling"] == pytest.approx(one["rho_a"] / highest, abs=1e-6)
    assert rank_correlations(model, model)["share_of_ceiling"] == pytest.approx(1)


def test_every_ranking_of_pairs_is_one_of_distances():
    """Of points close to the corners of a simplex, any two can be farther apart than any others."""
    for order in list(permutations(range(6)))[::37]:
        gram = np.eye(4) - 0.01 * squareform(np.array(order, float))
        points = np.linalg.cholesky(gram)
        assert list(np.argsort(np.argsort(pdist(points)))) == list(order)


def test_the_share_of_two_values_is_that_of_pairs_in_order():
    rng = np.random.default_rng(2)
    for part in (0.02, 0.3):
        differ = rng.random(400) < 1 - part
        x = rng.random(400) + 0.3 * differ
        u = scipy.stats.mannwhitneyu(x[differ], x[~differ]).statistic
        share = rank_correlations(x, differ)["share_of_ceiling"]
        assert share == pytest.approx(2 * u / (differ.sum() * (~differ).sum()) - 1, abs=1e-5)
    assert np.isnan(rank_correlations(x, np.ones(400))["share_of_ceiling"])


def test_ranks_of_truth_values_and_of_zeros():
    truth = np.array([True, False, True, True, False])
    np.testing.assert_allclose(rank_pairs(truth), rank_pairs(truth.astype(float)), atol=1e-6)
    np.testing.assert_array_equal(rank_pairs([0.0, -0.0, 1.0])[:2], rank_pairs([0.0, 0.0, 1.0])[:2])
    assert np.isnan(rank_correlations(np.ones(5), truth)["spearman"])
    with pytest.raises(FacestagesError, match="negative or NaN"):
        rank_pairs([1.0, -1.0])


def test_copies_of_a_person_make_no_pairs():
    """The sums are those of a list of all pairs of the people drawn."""
    rng = np.random.default_rng(8)
    people = np.repeat([0, 1, 2, 3], [3, 1, 4, 2])
    matrix = squareform(rng.random(45))
    weights = people_weights(np.arange(4), 20)
    sums = pair_sums(matrix, people, weights)
    for (total, number), drawn in zip(sums.T, weights, strict=True):
        factor = 12 / (16 - (drawn**2).sum()) if drawn.max() < 4 else 0
        pairs = np.array(
            [
                (drawn[p] if p == q else drawn[p] * drawn[q] * factor, matrix[i, j])
                for i, p in enumerate(people)
                for j, q in enumerate(people)
                if i != j
            ]
        )
        assert number == pytest.approx(pairs[:, 0].sum())
        assert total == pytest.approx(pairs[:, 0] @ pairs[:, 1])


def test_resamples_are_as_if_ranked_anew():
    labels = make_labels(people=12)
    rng = np.random.default_rng(9)
    distances = pdist(make_points(labels, rng))
    people = pd.factorize(labels["identity"])[0]
    weights = people_weights(np.arange(12), 60)
    pairs = people[np.array(np.triu_indices(len(people), 1))]
    for model in model_rdms(labels).values():
        influence = pair_influence(rank_pairs(distances), rank_pairs(model))
        sums = pair_sums(squareform(influence), people, weights)
        anew = []
        for drawn in weights:
            factor = 12 * 11 / (144 - (drawn**2).sum())
            counts = np.where(
                pairs[0] == pairs[1], drawn[pairs[0]], drawn[pairs].prod(axis=0) * factor
            )
            ranks = [_weighted_ranks(values, counts) for values in (distances, model)]
            anew.append(12 * np.average(ranks[0] * ranks[1], weights=counts))
        resampled = sums[0] / sums[1]
        assert np.corrcoef(resampled, anew)[0, 1] > 0.98
        assert np.std(resampled) == pytest.approx(np.std(anew), rel=0.1)


def _weighted_ranks(values, counts):
    """Mean ranks, from -1/2 to 1/2, of values of which each occurs `counts` times."""
    _, group = np.unique(values, return_inverse=True)
    sizes = np.bincount(group, counts)
    return ((sizes.cumsum() - sizes / 2) / sizes.sum())[group] - 0.5


def test_pairs_of_people_widen_no_interval():
    """A bootstrap alone would widen intervals of pure pair effects by sqrt(3)."""
    rng = np.random.default_rng(12)
    weights = np.vstack([np.ones(27), 1 - np.eye(27), people_weights(np.arange(27), 400)])
    values, half_widths = [], []
    for _ in range(150):
        matrix = squareform(rng.normal(size=351))
        sums = pair_sums(matrix, np.arange(27), weights)
        mean = sums[0] / sums[1]
        values.append(mean[0])
        half_widths.append(np.ptp(interval(correct_resamples(mean, weights), 27)) / 2)
    assert np.mean(half_widths) / np.std(values) == pytest.approx(2.056, rel=0.15)
