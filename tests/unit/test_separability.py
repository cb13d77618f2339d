"""Silhouettes, against scikit-learn, and their null distribution."""

import numpy as np
import pytest
from sklearn.metrics import pairwise_distances, silhouette_score

from facestages.errors import FacestagesError
from facestages.geometry import gram_matrix
from facestages.separability import distances, silhouette, silhouette_null


def clusters(n=90, groups=6, spread=1.0, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, groups, n)
    return rng.normal(size=(groups, 12))[labels] + spread * rng.normal(size=(n, 12)), labels


@pytest.mark.parametrize("spread", [0.1, 1.0, 5.0])
@pytest.mark.parametrize("groups", [2, 6, 40])
def test_as_scikit_learn(spread, groups):
    points, labels = clusters(groups=groups, spread=spread)
    expected = silhouette_score(points, labels)
    assert silhouette(distances(points), labels) == pytest.approx(expected, abs=1e-12)
    assert silhouette(gram_matrix(points), labels) == pytest.approx(expected, abs=1e-12)
    named = np.array([f"person {label}" for label in labels])
    assert silhouette(distances(points), named) == pytest.approx(expected, abs=1e-12)


def test_a_group_of_one_scores_zero():
    points, labels = clusters()
    labels[0] = 99
    expected = silhouette_score(points, labels)
    assert silhouette(distances(points), labels) == pytest.approx(expected, abs=1e-12)


def test_known_answers():
    two_spots = np.repeat([[0.0, 0.0], [3.0, 4.0]], 5, axis=0)
    assert silhouette(distances(two_spots), np.repeat(["a", "b"], 5)) == pytest.approx(1)
    one_spot = np.zeros((10, 10))
    assert silhouette(one_spot, np.repeat([0, 1], 5)) == 0


def test_distances_are_euclidean():
    points, _ = clusters()
    np.testing.assert_allclose(distances(points), pairwise_distances(points), atol=1e-6)


def test_null_is_that_of_scikit_learn():
    points, labels = clusters(n=60, groups=4)
    null = silhouette_null(distances(points), labels, permutations=300, seed=1)
    rng = np.random.default_rng(2)
    expected = [silhouette_score(points, rng.permutation(labels)) for _ in range(300)]
    assert null.shape == (300,)
    error = np.std(expected) / np.sqrt(300) * 2**0.5
    assert abs(null.mean() - np.mean(expected)) < 4 * error
    assert 0.8 < null.std() / np.std(expected) < 1.25


def test_null_differs_by_permutation_and_repeats_by_seed():
    points, labels = clusters()
    first, again = (silhouette_null(distances(points), labels, 50, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert len(set(first)) == 50


def test_p_value_is_calibrated():
    """Without any relation, p is below .05 about once in twenty."""
    rng = np.random.default_rng(4)
    small = 0
    for trial in range(200):
        matrix = distances(rng.normal(size=(24, 3)))
        labels = np.arange(24) % 3
        null = silhouette_null(matrix, labels, 99, seed=trial)
        small += (1 + (null >= silhouette(matrix, labels)).sum()) / 100 <= 0.05
    assert 2 <= small <= 20


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["a"] * 8, "all 8 pictures have the one label 'a'"),
        (list("abcdefgh"), "each of the 8 pictures has a label of its own"),
        (["a", "b"], "2 labels for 8 pictures"),
    ],
)
def test_labels_without_groups_are_refused(labels, words):
    matrix = distances(np.random.default_rng(0).normal(size=(8, 2)))
    with pytest.raises(FacestagesError, match=words):
        silhouette(matrix, labels)


def test_matrices_that_are_no_distances_are_refused():
    with pytest.raises(FacestagesError, match="square"):
        silhouette(np.zeros((4, 3)), [0, 0, 1, 1])
    with pytest.raises(FacestagesError, match="NaN"):
        silhouette(np.full((4, 4), np.nan), [0, 0, 1, 1])
