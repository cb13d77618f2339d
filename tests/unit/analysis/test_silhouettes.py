"""Silhouettes against scikit-learn and by the definitions, and their null distribution."""

import numpy as np
import pytest
from sklearn.metrics import pairwise_distances, silhouette_samples, silhouette_score

from facestages.analysis.distances import (
    Points,
    centred_distances,
    centred_space,
    distances,
)
from facestages.analysis.silhouettes import (
    mean_silhouettes,
    picture_silhouettes,
    silhouette,
    silhouette_null,
)
from facestages.errors import FacestagesError
from facestages.gram import gram_matrix


@pytest.fixture(scope="module")
def crossed():
    """Points, groups and strata, crossed, in cells of one to several pictures."""
    rng = np.random.default_rng(0)
    group, stratum = rng.integers(0, 4, 150), rng.integers(0, 6, 150)
    points = rng.normal(size=(4, 8))[group] + rng.normal(size=(6, 8))[stratum]
    return points + rng.normal(size=(150, 8)), group, stratum


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_each_labelling_is_as_scikit_learn(crossed, dtype):
    points, group, _ = crossed
    rng = np.random.default_rng(1)
    labellings = np.array([group, *(rng.permutation(group) for _ in range(5))])
    means = mean_silhouettes(distances(points).astype(dtype), labellings)
    expected = [silhouette_score(points, labelling) for labelling in labellings]
    np.testing.assert_allclose(means["silhouette"], expected, atol=1e-6)
    samples = [silhouette_samples(points, labelling) for labelling in labellings]
    macro = [
        np.mean([values[labelling == one].mean() for one in range(4)])
        for values, labelling in zip(samples, labellings, strict=True)
    ]
    np.testing.assert_allclose(means["silhouette_macro"], macro, atol=1e-6)


def test_within_is_scikit_learn_stratum_strata(crossed):
    points, group, stratum = crossed
    means = mean_silhouettes(distances(points), group[None], stratum)["silhouette_within"]
    strata = [silhouette_score(points[stratum == one], group[stratum == one]) for one in range(6)]
    assert means[0] == pytest.approx(np.mean(strata))


def test_strata_of_one_group_or_of_single_pictures_have_none_within():
    points = np.random.default_rng(2).normal(size=(9, 3))
    group, stratum = np.array([0, 0, 1, 0, 0, 0, 0, 1, 2]), np.repeat([0, 1, 2], 3)
    means = mean_silhouettes(distances(points), group[None], stratum)["silhouette_within"]
    assert means[0] == pytest.approx(silhouette_score(points[:3], group[:3]))
    alone = mean_silhouettes(distances(points[3:]), group[None, 3:], stratum[3:] - 1)
    assert np.isnan(alone["silhouette_within"][0])


def test_balanced_is_that_of_cells_drawn_again_and_again(crossed):
    """Mean distances of one picture a cell, averaged over draws, and then compared."""
    points, group, stratum = crossed
    matrix, rng = distances(points), np.random.default_rng(3)
    cells = [np.flatnonzero((stratum == s) & (group == g)) for s in range(6) for g in range(4)]
    inside, nearest, drawn = np.zeros(150), np.zeros((150, 4)), np.zeros(150)
    for _ in range(4000):
        chosen = np.array([rng.choice(cell) for cell in cells])
        drawn[chosen] += 1
        for one in range(4):
            there = chosen[group[chosen] == one]
            sums = matrix[np.ix_(chosen, there)].sum(axis=1)
            mine = group[chosen] == one
            inside[chosen[mine]] += sums[mine] / (len(there) - 1)
            nearest[chosen, one] += sums / len(there)
    inside, nearest = inside / drawn, nearest / drawn[:, None]
    nearest[np.arange(150), group] = np.inf
    score = (nearest.min(axis=1) - inside) / np.maximum(nearest.min(axis=1), inside)
    expected = np.mean([score[cell].mean() for cell in cells])
    means = mean_silhouettes(matrix, group[None], stratum)["silhouette_balanced"]
    assert means[0] == pytest.approx(expected, abs=2e-3)


def test_pictures_that_are_left_out_do_not_count(crossed):
    points, group, stratum = crossed
    kept = stratum != 2
    means = mean_silhouettes(distances(points), np.where(kept, group, -1)[None], stratum)
    expected = mean_silhouettes(distances(points[kept]), group[None, kept], stratum[kept])
    for measure, values in expected.items():
        assert means[measure] == pytest.approx(values), measure


def test_means_over_pictures_groups_cells_and_strata(crossed):
    points, group, stratum = crossed
    matrix = distances(points)
    samples = picture_silhouettes(matrix, group[None], stratum)
    means = mean_silhouettes(matrix, group[None], stratum)
    units = {
        "silhouette": group * 0,
        "silhouette_macro": group,
        "silhouette_balanced": stratum * 4 + group,
        "silhouette_within": stratum,
    }
    for measure, unit in units.items():
        by_unit = [samples[measure][0][unit == one].mean() for one in set(unit)]
        assert means[measure][0] == pytest.approx(np.mean(by_unit)), measure


def test_centring_takes_the_mean_of_each_stratum_away(crossed):
    points, _, stratum = crossed
    centred = points.copy()
    for one in range(6):
        centred[stratum == one] -= points[stratum == one].mean(axis=0)
    distance = centred_distances(points @ points.T, stratum)
    np.testing.assert_allclose(distance, distances(centred), atol=1e-6)
    np.testing.assert_array_equal(distance, distance.T)
    plain = centred_distances(points @ points.T)
    np.testing.assert_allclose(plain, distances(points), atol=1e-6)
    assert not plain.diagonal().any()


def test_centring_leaves_the_groups_where_strata_show_different_ones(crossed):
    """Without noise, the strata's effects are exact, whatever each of them shows."""
    points, group, stratum = crossed
    rng = np.random.default_rng(5)
    kept = rng.random(len(points)) < 0.6
    group, stratum = group[kept], stratum[kept]
    of_group, of_stratum = rng.normal(size=(2, 10, 8))
    shown = of_group[group] + 5 * of_stratum[stratum]
    distance = centred_distances(shown @ shown.T, stratum, group)
    np.testing.assert_allclose(distance, distances(of_group[group]), atol=1e-4)


@pytest.mark.parametrize("k", [1, 3, 5, 8])
def test_points_give_the_silhouettes_of_their_distances(crossed, k):
    points, group, stratum = crossed
    points, rng = points[:, :k].copy(), np.random.default_rng(3)
    points[1] = points[0]
    labellings = np.stack([group, rng.permutation(group), np.where(group == 1, -1, group)])
    means = mean_silhouettes(Points(points), labellings, stratum)
    expected = mean_silhouettes(distances(points).astype(np.float32), labellings, stratum)
    for name, values in expected.items():
        np.testing.assert_allclose(means[name], values, atol=1e-6)
    distance = centred_distances(points @ points.T, stratum, group)
    for dtype in (np.float32, np.float64):
        centred = centred_space(Points(points.astype(dtype)), stratum, group)
        found = distances(centred.coordinates.astype(float))
        np.testing.assert_allclose(found, distance, atol=1e-5)


def test_where_all_strata_show_the_same_their_effects_are_their_means(crossed):
    points, _, _ = crossed
    stratum, group = np.divmod(np.arange(len(points) // 6 * 6), 6)
    gram = points[: len(stratum)] @ points[: len(stratum)].T
    np.testing.assert_allclose(
        centred_distances(gram, stratum, group), centred_distances(gram, stratum), atol=1e-5
    )


def test_a_layer_of_people_and_one_of_expressions_are_told_apart():
    """Each layer says one thing only, on the same pictures."""
    rng = np.random.default_rng(4)
    person, expression = np.divmod(np.arange(120), 6)
    noise = 0.3 * rng.normal(size=(2, 120, 10))
    layers = (rng.normal(size=(20, 10))[person], rng.normal(size=(6, 10))[expression])
    for layer, label, other in ((0, person, expression), (1, expression, person)):
        matrix = distances(layers[layer] + noise[layer])
        of_label = mean_silhouettes(matrix, label[None], other)
        of_other = mean_silhouettes(matrix, other[None], label)
        for measure in ("silhouette", "silhouette_macro", "silhouette_balanced"):
            assert of_label[measure] > 0.4 and of_other[measure] < 0.0, (layer, measure)


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
