"""Erasing a planted subspace: its label is gone, an orthogonal one is untouched."""

import numpy as np
import pandas as pd
import pytest
from bench.simulated_faces import planted_spaces
from bench.subspaces import erased
from sklearn.linear_model import LogisticRegression

from facestages.analysis.decoding_tasks import Settings, prepare_task
from facestages.analysis.erasure import (
    LEACE,
    MEANS,
    Classes,
    class_axes,
    erase_leace,
    measure_erasure,
    task_spaces,
    training_spaces,
    whiten,
)
from facestages.analysis.folds import hold_out_people
from facestages.analysis.permutation import permute_label
from facestages.analysis.readouts import held_out_recall, project
from facestages.errors import FacestagesError


@pytest.fixture
def layer():
    points, table = planted_spaces(0, 90, noise=0.25, people=12)
    return points - points.mean(axis=0), table


def classes(table, label, permutations=20):
    codes = pd.factorize(table[label])[0]

    def permute(rows):
        return codes[rows][permute_label(table.iloc[rows], label, permutations, 1).rows]

    return Classes(codes, permute)


def all_permuted(table, label):
    codes, permute = classes(table, label)
    return codes, permute(np.arange(len(table)))


def test_without_the_axes_all_classes_have_one_mean(layer):
    points, table = layer
    codes = pd.factorize(table["identity"])[0]
    axes = class_axes(points, codes)
    assert axes.shape == (30, 11)
    without = points - points @ axes @ axes.T
    np.testing.assert_allclose(pd.DataFrame(without).groupby(codes).mean(), 0, atol=1e-9)


def test_axes_that_stand_out_from_permuted_classes_are_those_planted(layer):
    points, table = layer
    for label in ("identity", "expression"):
        assert class_axes(points, *all_permuted(table, label)).shape == (30, 3)


def test_no_axis_stands_out_without_an_effect():
    points, table = planted_spaces(0, 90, identity=0.0)
    found = class_axes(points - points.mean(axis=0), *all_permuted(table, "identity"))
    assert found.shape[1] <= 1


def test_whitened_points_are_those_of_the_gram_matrix(layer):
    points, table = layer
    folds = hold_out_people(table["identity"].to_numpy(), np.arange(len(table)), 4)
    of_gram = project(points @ points.T, folds, 40)
    for space, expected in zip(training_spaces(points, folds), of_gram, strict=True):
        signs = np.sign((space * expected).sum(axis=0))
        np.testing.assert_allclose(space * signs, expected, atol=2e-3)


def test_leace_is_the_closed_form_and_guards_the_label(layer):
    points, table = layer
    codes = pd.factorize(table["identity"])[0]
    space = whiten(points, np.ones(len(points), bool))
    axes = class_axes(space, codes)
    # Belrose et al. 2023, theorem 4.3: x - W^+ P W (x - mean), P onto the columns of W cov(x, z).
    values, vectors = np.linalg.eigh(np.cov(points.T, bias=True))
    whitening, back = (vectors * values**power @ vectors.T for power in (-0.5, 0.5))
    one_hot = np.eye(12)[codes]
    covariance = points.T @ (one_hot - one_hot.mean(axis=0)) / len(points)
    basis = np.linalg.svd(whitening @ covariance, full_matrices=False)[0][:, :11]
    expected = points - points @ (back @ basis @ basis.T @ whitening).T
    found = (space - space @ axes @ axes.T) @ np.linalg.lstsq(space, points, rcond=None)[0]
    np.testing.assert_allclose(found, expected, atol=1e-8)
    np.testing.assert_allclose(found.T @ one_hot, 0, atol=1e-8)
    fitted = LogisticRegression(max_iter=500).fit(found, codes)
    assert fitted.score(found, codes) == pytest.approx(1 / 12, abs=0.03)


def test_a_planted_subspace_is_erased_and_an_orthogonal_one_untouched():
    layer = {"angle": 90, "noise": 0.25, "people": 30, "dimensions": 40}
    accuracy = erased(layer, 2)
    chance = {"identity": 1 / 30, "expression": 1 / 5}
    for label, other in (("identity", "expression"), ("expression", "identity")):
        before = accuracy[label, "", "accuracy"]
        assert before > 5 * chance["identity"] and before > chance[label] + 0.1
        assert accuracy[label, other, f"erasure_{MEANS}"] == pytest.approx(before, abs=0.02)
        for how in (MEANS, LEACE):
            assert accuracy[label, label, f"erasure_{how}"] < chance[label] + 0.02


def test_an_aligned_label_goes_with_the_one_that_is_erased():
    points, table = planted_spaces(0, 0, noise=0.25, people=20)
    task = prepare_task(table, "expression", Settings(5, 1, 100, 0))
    before = task_spaces(points, task)
    rows = list(measure_erasure(points, task, before, classes(table, "identity")))
    by_measure = {row["measure"]: row for row in rows}
    assert list(by_measure) == [
        "erasure_mean_projection",
        "erasure_mean_projection_change",
        "erasure_leace",
        "erasure_leace_change",
    ]
    change = by_measure["erasure_mean_projection_change"]
    assert change["ci_low"] < change["value"] < change["ci_high"] < 0
    assert by_measure["erasure_leace"]["p"] < 0.05


def test_the_eraser_sees_training_pictures_alone(layer):
    points, table = layer
    folds = hold_out_people(table["identity"].to_numpy(), np.arange(len(table)), 2)
    erased_classes = classes(table, "expression")
    changed = points.copy()
    held_out = folds.fold == 0
    changed[held_out] += 5 * np.eye(30)[erased_classes.codes[held_out]]
    without_means, without_leace = [], []
    for some in (points, changed):
        without_means.append(training_spaces(some, folds, erased_classes)[0][~held_out])
        spaces = erase_leace(training_spaces(some, folds), folds, erased_classes)
        without_leace.append(spaces[0][~held_out])
    np.testing.assert_array_equal(*without_means)
    np.testing.assert_array_equal(*without_leace)


def test_as_many_classes_as_dimensions_would_leave_nothing(layer):
    points, table = layer
    task = prepare_task(table, "expression", Settings(4, 1, 100, 0))
    before = task_spaces(points[:, :8], task)
    rows = measure_erasure(points[:, :8], task, before, classes(table, "identity"))
    notes = {row["measure"]: row.get("note", "") for row in rows}
    assert notes["erasure_leace"].startswith("as many classes as dimensions (8)")
    assert notes["erasure_mean_projection"] == ""


def test_points_that_are_all_the_same_are_refused():
    with pytest.raises(FacestagesError, match="says the same of all pictures"):
        whiten(np.ones((6, 3)), np.arange(6) < 4)


def test_a_read_out_of_whitened_points_is_that_of_decoding(layer):
    points, table = layer
    folds = hold_out_people(table["identity"].to_numpy(), np.arange(len(table)), 4)
    codes = pd.factorize(table["expression"])[0][None]
    recalls = [
        held_out_recall(spaces, folds, codes, 5, [30])
        for spaces in (training_spaces(points, folds), project(points @ points.T, folds, 30))
    ]
    np.testing.assert_allclose(*recalls, atol=0.02)
