"""Subspaces of two labels: planted ones are recovered, and references agree."""

import numpy as np
import pandas as pd
import pytest
import scipy.linalg
from bench.simulated_faces import planted_spaces

from facestages.analysis.geometry import leading_components
from facestages.analysis.subspaces import (
    additive_effects,
    compare_effects,
    count_dimensions,
    degrees,
    halve_pictures,
    leading_axes,
    measure_effects,
    principal_cosines,
    rotate_at_random,
)
from facestages.errors import FacestagesError


def compare(points, table, dimensions=(3, 3)):
    return compare_effects(*measure_effects(points, halve_pictures(table), dimensions))


@pytest.mark.parametrize(("d", "e"), [(1, 1), (3, 3), (2, 5), (6, 1)])
def test_principal_angles_are_scipys(d, e):
    rng = np.random.default_rng(d)
    first, second = (scipy.linalg.orth(rng.normal(size=(12, size))) for size in (d, e))
    cosines = principal_cosines(first, second)
    expected = scipy.linalg.subspace_angles(first, second)[::-1]
    np.testing.assert_allclose(degrees(cosines**2), np.degrees(expected), atol=1e-6)


@pytest.mark.parametrize("complete", [1.0, 0.6])
def test_additive_effects_are_those_of_least_squares(complete):
    points, table = planted_spaces(0, 60, complete=complete)
    codes = [pd.factorize(table[label], sort=True)[0] for label in ("identity", "expression")]
    dummies = [pd.get_dummies(code, drop_first=True).to_numpy(float) for code in codes]
    design = np.column_stack([np.ones(len(points)), *dummies])
    fitted = np.linalg.lstsq(design, points, rcond=None)[0]
    people = np.vstack([np.zeros(points.shape[1]), fitted[1:20]])
    identity, expression = additive_effects(points, codes)
    np.testing.assert_allclose(identity, people - people.mean(axis=0), atol=1e-9)
    assert expression.shape == (5, 30)
    np.testing.assert_allclose(expression.sum(axis=0), 0, atol=1e-9)


@pytest.mark.parametrize("layer", [{}, {"noise": 0.5}, {"complete": 0.8}], ids=str)
@pytest.mark.parametrize("angle", [0, 30, 60, 90])
def test_a_planted_angle_is_recovered(angle, layer):
    found = []
    for seed in range(12):
        points, table = planted_spaces(seed, angle, people=30, **{"noise": 0.25, **layer})
        halves = halve_pictures(table)
        effects = [one.effects for one in measure_effects(points, halves, (1, 1))]
        assert [count_dimensions(one) for one in effects] == [3, 3]
        found.append(compare(points, table))
    squared_cosine = np.cos(np.radians(angle)) ** 2
    alignment = np.mean([one.alignment for one in found])
    # The angle of the mean: that of each is biased where noise takes cosines above 1 or below 0.
    assert degrees(alignment) == pytest.approx(angle, abs=3)
    for share in ("overlap", "other_overlap"):
        mean = np.mean([getattr(one, share) for one in found])
        assert mean == pytest.approx(squared_cosine, abs=0.03)


def test_noise_turns_a_subspace_and_the_overlap_is_freed_of_it():
    layers = [planted_spaces(seed, 0, noise=0.8, people=30) for seed in range(20)]
    found = [compare(points, table) for points, table in layers]
    assert np.mean([one.share for one in found]) < 0.9
    assert np.mean([one.overlap for one in found]) == pytest.approx(1, abs=0.03)


def test_variances_are_without_noise():
    layers = [planted_spaces(seed, 60, noise=1.0, expression=0.5) for seed in range(40)]
    found = [compare(points, table) for points, table in layers]
    # Three dimensions of variance 1, and of .25.
    assert np.mean([one.variance for one in found]) == pytest.approx(3, rel=0.05)
    assert np.mean([one.other_variance for one in found]) == pytest.approx(0.75, rel=0.1)


def test_a_gram_matrix_gives_the_same_as_the_features():
    points, table = planted_spaces(1, 40, dimensions=25)
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(400, 400)))[0][:25]
    features = points @ rotation
    features -= features.mean(axis=0)
    scores, _ = leading_components(features @ features.T, 200)
    assert scores.shape == (200, 25)
    expected = compare(points - points.mean(axis=0), table)
    np.testing.assert_allclose(compare(scores, table), expected, atol=1e-6)


def test_a_rotation_of_both_changes_nothing():
    points, table = planted_spaces(2, 40)
    both = measure_effects(points, halve_pictures(table), (3, 3))
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(30, 30)))[0]
    turned = [one.rotated(rotation) for one in both]
    np.testing.assert_allclose(compare_effects(*turned), compare_effects(*both), atol=1e-9)


def test_random_rotations_overlap_as_chance_has_it():
    points, table = planted_spaces(3, 0)
    both = measure_effects(points, halve_pictures(table), (3, 2))
    turned = rotate_at_random(*both, 200)
    assert np.mean([one.share for one in turned]) == pytest.approx(2 / 30, abs=0.01)
    assert np.mean([one.other_share for one in turned]) == pytest.approx(3 / 30, abs=0.01)
    assert np.mean([one.alignment for one in turned]) == pytest.approx(3 / 30, abs=0.01)
    agreement = compare(points, table, (3, 2)).other_agreement
    np.testing.assert_allclose([one.other_agreement for one in turned], agreement)


def test_leading_axes_are_principal_components():
    effects = np.random.default_rng(0).normal(size=(8, 12))
    axes = leading_axes(effects - effects.mean(axis=0), 3)
    expected = np.linalg.svd(effects - effects.mean(axis=0))[2][:3].T
    np.testing.assert_allclose(principal_cosines(axes, expected), 1)
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-12)


def test_sessions_are_halved_whole():
    _, table = planted_spaces(0, 60, sessions=4)
    halves = halve_pictures(table)
    assert halves.halved == "sessions" and len(halves.first) == 1
    sessions = table["identity"] + table["session"]
    assert (pd.Series(halves.first[0]).groupby(sessions.to_numpy()).nunique() == 1).all()


def test_pictures_are_halved_by_chance_without_sessions():
    _, table = planted_spaces(0, 60, sessions=1, expressions=6)
    halves = halve_pictures(table.drop(columns="session"))
    assert halves.halved == "pictures" and len(halves.first) == 4
    shares = pd.DataFrame(halves.first.T).groupby(halves.codes[0]).mean()
    assert (shares == 0.5).all(axis=None)


def test_frames_of_a_video_are_halved_in_time():
    _, table = planted_spaces(0, 60, sessions=6)
    table = table.sort_values("identity", kind="stable").drop(columns="session")
    table["frame"] = table.groupby("identity").cumcount()
    halves = halve_pictures(table.reset_index(drop=True))
    assert halves.halved == "time blocks"
    frames = table["frame"].to_numpy()[halves.rows]
    assert frames[halves.first[0]].max() + 1 < frames[~halves.first[0]].min()


def faces(**changes):
    return planted_spaces(0, 60, people=6, sessions=1)[1].assign(session="", **changes)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (faces().drop(columns="expression"), "the face set has no label 'expression'"),
        (faces(expression="happy"), "the pictures with both labels have no two of 'expression'"),
        (faces(identity="Ann"), "the pictures with both labels have no two of 'identity'"),
        (
            faces(identity=[f"p{n}" for n in range(30)]),
            "one picture of a person cannot be halved",
        ),
        (
            pd.concat([faces(), faces()]).assign(
                expression=lambda table: np.where(table["identity"] < "p03", "sad", "happy")
            ),
            "some people share no expression",
        ),
    ],
)
def test_what_a_design_does_not_tell(table, message):
    with pytest.raises(FacestagesError, match=message):
        halve_pictures(table.reset_index(drop=True))
