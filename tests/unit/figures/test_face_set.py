"""A face set for figures: labels, pictures, and how many in words."""

import numpy as np

from facestages.figures.face_set import read_face_set
from facestages.stimuli import read_stimuli
from facestages.stimuli.sample import sample_stimuli
from map_files import write_faces


def test_pictures_and_labels(tmp_path):
    path = write_faces(tmp_path)
    faces, stimuli = read_face_set(path), read_stimuli(path)
    np.testing.assert_array_equal(faces.pictures([7, 3]), stimuli.images[[7, 3]])
    assert list(faces.expressions) == list(stimuli.labels["expression"])
    assert faces.columns == {"dataset": "set", "rendered": 1}


def test_people_are_counted(tmp_path):
    assert read_face_set(write_faces(tmp_path)).count() == "60 pictures of 3 people"
    path = write_faces(tmp_path, people=1, pictures=18)
    assert read_face_set(path).count() == "18 pictures of 1 person"
    faces = read_face_set(write_faces(tmp_path, leave_out=["identity", "expression"]))
    assert faces.count() == "60 pictures"
    assert set(faces.identities) == set(faces.expressions) == {""}


def test_a_sample_is_counted_as_one(tmp_path):
    sample_stimuli(write_faces(tmp_path), 4, tmp_path / "sample.h5")
    words = "15 of 60 pictures (every 4th of each person) of 3 people"
    assert read_face_set(tmp_path / "sample.h5").count() == words
