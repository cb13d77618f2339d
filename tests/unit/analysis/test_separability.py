"""Silhouettes, against scikit-learn, and their null distribution."""

import numpy as np
import pandas as pd
import pytest
from bench.simulated_faces import portraits, video
from sklearn.metrics import pairwise_distances, silhouette_score

from facestages.analysis.geometry import gram_matrix
from facestages.analysis.permutation import permute_label
from facestages.analysis.separability import (
    distances,
    overtaking,
    score_label,
    silhouette,
    silhouette_null,
)
from facestages.errors import FacestagesError

CENTRED, WITHIN = "silhouette_centred", "silhouette_within"


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


def scored(points, table, label="expression", permutations=0, **sources):
    """Rows of `score_label` by measure."""
    points = points - points.mean(axis=0)
    moved = permute_label(table, label, permutations) if permutations else None
    sources = dict.fromkeys(table, "posed") | sources
    rows = score_label(points @ points.T, label, table, sources, "net", moved)
    return {row["measure"]: row for row in rows}


@pytest.mark.parametrize("label", ["expression", "identity"])
@pytest.mark.parametrize("make", [video, portraits])
def test_an_effect_is_found(make, label):
    points, table = make(0, effect_of=label, present=True)
    for measure, row in scored(points, table, label, permutations=199).items():
        assert row["p"] <= 0.01 and row["z"] > 3, measure
        assert row["ci_low"] < row["value"] < row["ci_high"]


def test_what_is_not_estimable_says_why_and_the_rest_is_measured():
    points, table = portraits(0)
    one = scored(points, table.assign(expression="happy"))
    assert {row["note"] for row in one.values()} == {"one expression only"}
    alone = scored(points, table.assign(identity=[f"p{n}" for n in range(len(table))]))
    assert alone["silhouette"]["value"] == pytest.approx(
        scored(points, table)["silhouette"]["value"], abs=1e-6
    )
    assert alone[CENTRED]["note"] == "no identity has two values of 'expression'"
    nobody = scored(points, table.drop(columns=["identity", "sex"]))
    assert nobody[WITHIN]["note"] == "the face set has no label 'identity' to hold constant"
    assert np.isfinite(nobody["silhouette_macro"]["value"]) and "ci_low" not in nobody["silhouette"]
    lacking = scored(points, table.drop(columns="expression"))
    assert {row["note"] for row in lacking.values()} == {"the face set has no label 'expression'"}
    people = scored(points, table.drop(columns="expression"), "identity")
    assert people["silhouette"]["value"] != 0 and np.isnan(people[CENTRED]["value"])


def test_an_expression_that_one_person_shows_and_a_person_with_one_picture():
    points, table = portraits(1)
    table.loc[3, "expression"] = "contempt"
    table = pd.concat([table, table.iloc[:1].assign(identity="p99")], ignore_index=True)
    points = np.concatenate([points, points[:1] + 0.1])
    for label in ("expression", "identity"):
        for measure, row in scored(points, table, label, permutations=20).items():
            assert np.isfinite([row["value"], row["ci_low"], row["p"]]).all(), (label, measure)


def test_own_answers_are_circular():
    points, table = portraits(0)
    rows = scored(points, table, expression="network:net").values()
    assert all(row["note"].startswith("CIRCULAR") for row in rows)


@pytest.mark.parametrize(
    ("identity", "expression", "position"),
    [
        ([3, 2, 1, 0], [0, 1, 2, 3], 1.5),
        ([0, 0, 0], [1, 1, 1], 0.0),
        ([1, 1, 1], [0, 0, 0], np.inf),
        ([1, 0, 1, 0], [0, 1, 0, 3], 2.25),  # for good
        ([1, 1], [0, 1], np.inf),  # as much is not more
    ],
)
def test_where_expression_overtakes_identity(identity, expression, position):
    assert overtaking(np.array(identity, float), np.array(expression, float)) == position
