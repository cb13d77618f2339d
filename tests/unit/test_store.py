"""HDF5 files: whole or not there, of the right kind, and with no name that a label could have."""

import errno

import h5py
import numpy as np
import pytest

from face_sets import small_faces
from facestages import store
from facestages.errors import FacestagesError
from facestages.stimuli import add_ids, read_stimuli, write_stimuli


@pytest.fixture
def stimuli():
    return small_faces()


def test_what_the_disk_refuses_later_is_a_failure_too(tmp_path, monkeypatch):
    def refuse(number):
        raise OSError(errno.ENOSPC, "no")

    monkeypatch.setattr(store, "_FLUSHED_AT_ONCE", 1000)
    monkeypatch.setattr(store.os, "fsync", refuse)
    # Not the last flush, which `atomic_path` does.
    monkeypatch.setattr("facestages.files._flush_to_disk", lambda path: None)
    with (
        pytest.raises(FacestagesError, match="disk is full"),
        store.create(tmp_path / "a.h5", "geometry") as file,
    ):
        file["values"] = np.zeros(1000)
    assert not list(tmp_path.iterdir())


def test_wrong_files_are_refused(tmp_path, stimuli):
    path = tmp_path / "s.h5"
    write_stimuli(path, stimuli, "mine")
    for arguments, words in [
        (("geometry",), "holds stimuli where geometry is needed"),
        (("stimuli", {"stimuli_digest": "other"}), "another stimuli digest"),
    ]:
        kind, expected = arguments[0], dict(*arguments[1:])
        with pytest.raises(FacestagesError, match=words), store.open_read(path, kind, **expected):
            pass
    with h5py.File(path, "a") as file:
        file.attrs["schema_version"] = 99
    with pytest.raises(FacestagesError, match="file format 99"):
        read_stimuli(path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(FacestagesError, match="truncated.*delete it and run"):
        read_stimuli(path)
    with pytest.raises(FacestagesError, match="no such file"):
        read_stimuli(tmp_path / "none.h5")


def test_a_name_of_no_format_is_refused_beside_labels(tmp_path, stimuli):
    def add_array(group, name, values):
        store.add_array(group, name, ("anything",), values)

    with store.create(tmp_path / "g.h5", "geometry") as file:
        store.add_dimension(file, "anything", 3)
        add_ids(file.create_group("layer"), stimuli.labels["stimulus_id"])
        store.add_array(file["layer"], "eigenvalue", ("anything",), np.zeros(3))
        for add in (store.add_dimension, add_array):
            with pytest.raises(KeyError, match="add it to NAMES"):
                add(file["layer"], "median", np.zeros(3))
