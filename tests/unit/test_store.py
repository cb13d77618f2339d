"""Files: complete under their name or not there, and readable by others."""

import errno

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray

from facestages import store, tables
from facestages.errors import FacestagesError
from facestages.files import atomic_path, require_space
from facestages.stimuli import StimulusSet, read_labels, read_stimuli, write_stimuli


@pytest.fixture
def stimuli():
    rng = np.random.default_rng(0)
    labels = pd.DataFrame(
        {
            "stimulus_id": [f"s{i}" for i in range(6)],
            "identity": list("aabbcc"),
            "expression": ["happy", "", "sad", "happy", "sad", "sad"],
            "valence": [0.5, np.nan, -0.5, 0.25, 0, 1],
        }
    )
    sources = {"identity": "posed", "expression": "posed", "valence": "human"}
    images = rng.integers(0, 255, (6, 5, 4, 3), dtype=np.uint8)
    return StimulusSet(images, labels, sources, {"rendered": 0})


def test_failed_write_leaves_the_old_file_and_no_partial(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(target) as partial:
        partial.write_text("new")
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "not writable")]
)
def test_failed_write_says_why(tmp_path, number, words):
    with pytest.raises(FacestagesError, match=words), atomic_path(tmp_path / "a"):
        raise OSError(number, "no")


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


def test_missing_space_is_seen_before_the_work(tmp_path):
    with pytest.raises(FacestagesError, match="needs 1,000,000,000,000.0 MB"):
        require_space(tmp_path / "new" / "a.h5", 10**18)


def test_stimuli_come_back_as_they_were(tmp_path, stimuli):
    write_stimuli(tmp_path / "s.h5", stimuli, "mine")
    again = read_stimuli(tmp_path / "s.h5")
    np.testing.assert_array_equal(again.images, stimuli.images)
    pd.testing.assert_frame_equal(again.labels, stimuli.labels)
    assert again.sources == stimuli.sources
    assert again.digest == stimuli.digest
    assert read_labels(tmp_path / "s.h5")[2]["stimuli_digest"] == stimuli.digest


def test_digest_tells_stimuli_apart(stimuli):
    images = stimuli.images.copy()
    images[0, 0, 0, 0] ^= 1
    other = StimulusSet(images, stimuli.labels, stimuli.sources)
    relabelled = StimulusSet(stimuli.images, stimuli.labels, {**stimuli.sources, "valence": "file"})
    assert len({stimuli.digest, other.digest, relabelled.digest}) == 3


def test_xarray_reads_names_and_coordinates(tmp_path, stimuli):
    write_stimuli(tmp_path / "s.h5", stimuli, "mine")
    with xarray.open_dataset(tmp_path / "s.h5", engine="h5netcdf") as data:
        assert data["images"].dims == ("stimulus_id", "row", "column", "channel")
        assert list(data["stimulus_id"].values) == list(stimuli.labels["stimulus_id"])
        assert data["valence"].attrs["source"] == "human"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: {"images": s.images[:3]}, "3 pictures but 6 label rows"),
        (lambda s: {"images": s.images.astype(float)}, "uint8"),
        (lambda s: {"sources": {}}, "without a source: expression, identity, valence"),
        (lambda s: {"labels": s.labels.assign(stimulus_id="x")}, "'x' occurs twice"),
        (lambda s: {"images": s.images[:0], "labels": s.labels[:0]}, "empty"),
    ],
)
def test_what_does_not_fit_is_refused(stimuli, change, words):
    parts = {"images": stimuli.images, "labels": stimuli.labels, "sources": stimuli.sources}
    with pytest.raises(FacestagesError, match=words):
        StimulusSet(**{**parts, **change(stimuli)})


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


def test_names_that_look_like_numbers_stay_names(tmp_path):
    first = pd.DataFrame({"dataset": ["001"], "network": ["null"], "stage": ["1"], "value": [1.5]})
    tables.write_table(tmp_path / "t.csv", first)
    pd.testing.assert_frame_equal(tables.read_tables([tmp_path / "t.csv"]), first)


def test_tables_come_back(tmp_path):
    first = pd.DataFrame({"components": [2, "all"], "value": [1 / 3, np.nan], "note": ["", "x"]})
    tables.write_table(tmp_path / "t.csv", first)
    again = tables.read_tables([tmp_path / "t.csv", tmp_path / "t.csv"])
    assert list(again["components"]) == ["2", "all"] * 2
    assert list(again["note"]) == ["", "x"] * 2
    np.testing.assert_allclose(again["value"][0], 1 / 3, rtol=1e-8)
