"""The reference of valence and arousal, and components whose signs follow it."""

import numpy as np
import pytest

import affect_files
from facestages.analysis.components import (
    component_stability,
    orient,
    read_reference,
)
from facestages.errors import FacestagesError


@pytest.fixture
def faces(tmp_path):
    return tmp_path / "faces.h5", affect_files.write_faces(tmp_path / "faces.h5")


def test_signs_follow_the_reference():
    rng = np.random.default_rng(2)
    scores = rng.normal(size=(50, 3))
    valence, arousal = -scores[:, 0] + 0.1, scores[:, 1] ** 3
    valence[:10] = np.nan
    turned = orient(scores, valence, -arousal)
    np.testing.assert_array_equal(turned, scores * [-1, -1, 1])
    np.testing.assert_array_equal(orient(turned, valence, -arousal), turned)
    np.testing.assert_array_equal(orient(scores, None, np.ones(50)), scores)
    np.testing.assert_array_equal(orient(scores[:, :1], valence, arousal), -scores[:, :1])


def test_reference_is_the_face_sets_own(faces):
    stimuli, labels = faces
    reference = read_reference(stimuli)
    np.testing.assert_allclose(reference.valence, labels["valence"])
    np.testing.assert_allclose(reference.arousal, labels["arousal"])
    assert reference.source == affect_files.SOURCE


def test_reference_of_a_network(faces, tmp_path):
    stimuli, labels = faces
    outputs = {"valence": labels["arousal"], "arousal": labels["valence"]}
    arguments = (labels, labels["expression"], "emofan", outputs)
    path = affect_files.write_predictions(tmp_path / "a.csv", *arguments)
    reference = read_reference(stimuli, predictions=path)
    np.testing.assert_allclose(reference.valence, labels["arousal"])
    assert reference.source == "network:emofan"


def test_reference_that_is_not_there(tmp_path):
    labels = affect_files.write_faces(tmp_path / "a.h5", without=["valence"])
    reference = read_reference(tmp_path / "a.h5")
    assert reference.valence is None and reference.arousal is not None
    affect_files.write_faces(tmp_path / "b.h5", without=["valence", "arousal"])
    assert read_reference(tmp_path / "b.h5") == (None, None, "")
    path = affect_files.write_predictions(tmp_path / "c.csv", labels, labels["expression"])
    with pytest.raises(FacestagesError, match="'net' gives no valence and no arousal"):
        read_reference(tmp_path / "a.h5", predictions=path)
    path = affect_files.write_predictions(tmp_path / "d.csv", labels[::-1], "happy")
    with pytest.raises(FacestagesError, match="other stimuli"):
        read_reference(tmp_path / "a.h5", predictions=path)


def test_a_component_that_other_people_would_not_give_is_unstable():
    """All people share one direction; in the next two, each person has a place of its own."""
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(12), 10)
    scores = rng.normal(size=(120, 3)) * [5.0, 0.1, 0.1]
    scores[:, 1:] += rng.normal(size=(12, 2))[people]
    first, second = (component_stability(scores, people, n, 200) for n in (1, 2))
    assert first.min() > 0.95
    assert np.median(second) < 0.95 and np.quantile(second, 0.025) < 0.6
