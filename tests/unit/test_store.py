"""HDF5 files: whole or not there, and of the right kind."""

import errno

import h5py
import numpy as np
import pytest

from face_sets import small_faces
from facestages import notes, store
from facestages.errors import FacestagesError
from facestages.stimuli import read_stimuli, write_stimuli


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
    with pytest.raises(FacestagesError, match="changed by other means: delete it and run"):
        read_stimuli(path)
    notes.write_user_block(path)
    with pytest.raises(FacestagesError, match="file format 99"):
        read_stimuli(path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(FacestagesError, match="truncated"):
        read_stimuli(path)
    with pytest.raises(FacestagesError, match="no such file"):
        read_stimuli(tmp_path / "none.h5")


def test_an_array_filled_in_parts_comes_back(tmp_path):
    # One chunk, which is larger than HDF5's cache: in newer formats it would be lost.
    values = np.random.default_rng(0).random((120, 2304)).astype(np.float32)
    with store.create(tmp_path / "a.h5", "activations") as file:
        for name, length in zip(("row", "unit"), values.shape, strict=True):
            store.add_dimension(file, name, length)
        target = store.add_array(file, "a", ("row", "unit"), dtype=np.float32, chunks=(256, 8192))
        for start in range(0, 120, 32):
            target[start : start + 32] = values[start : start + 32]
    with store.open_read(tmp_path / "a.h5", "activations") as file:
        np.testing.assert_array_equal(file["a"], values)
