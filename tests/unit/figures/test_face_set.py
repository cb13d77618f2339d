"""A face set for figures: labels, pictures, and how many in words."""

import numpy as np
import pytest

from facestages.errors import FacestagesError
from facestages.figures.face_set import placeholder, read_face_set
from facestages.stimuli import read_stimuli
from facestages.stimuli.sample import sample_stimuli
from map_files import write_faces


def test_pictures_and_labels(tmp_path):
    path = write_faces(tmp_path)
    faces, stimuli = read_face_set(path, may_show="all"), read_stimuli(path)
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


def test_whose_faces_are_shown(tmp_path):
    path = write_faces(tmp_path)
    people = list(read_face_set(path).identities)
    chosen = read_face_set(path, may_show=[people[3]])
    assert chosen.is_shown.tolist() == [person == people[3] for person in people]
    drawn = [np.array_equal(face, placeholder(face.shape)) for face in chosen.pictures([3, 0])]
    assert drawn == [False, people[0] != people[3]]
    assert not read_face_set(path).is_shown.any()
    assert not read_face_set(path, may_show=[]).is_shown.any()
    with pytest.raises(FacestagesError, match="may_show: no face is of nobody; Allowed: "):
        read_face_set(path, may_show=["nobody"])
