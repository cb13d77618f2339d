"""Face sets come back from their files as they were written."""

import dataclasses
import re

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray

from face_sets import small_faces
from facestages import notes
from facestages.errors import FacestagesError
from facestages.stimuli import (
    Example,
    read_facts,
    read_labels,
    read_regions,
    read_stimuli,
    write_labels,
    write_pictures,
    write_stimuli,
)


@pytest.fixture
def stimuli():
    return small_faces()


def test_stimuli_come_back_as_they_were(tmp_path, stimuli):
    write_stimuli(tmp_path / "s.h5", stimuli, "mine")
    again = read_stimuli(tmp_path / "s.h5")
    np.testing.assert_array_equal(again.images, stimuli.images)
    pd.testing.assert_frame_equal(again.labels, stimuli.labels)
    assert again.sources == stimuli.sources
    assert again.digest == stimuli.digest
    assert read_labels(tmp_path / "s.h5")[2]["stimuli_digest"] == stimuli.digest


def test_xarray_reads_names_and_coordinates(tmp_path, stimuli):
    write_stimuli(tmp_path / "s.h5", stimuli, "mine")
    with xarray.open_dataset(tmp_path / "s.h5", engine="h5netcdf") as data:
        assert data["images"].dims == ("stimulus_id", "row", "column", "channel")
        assert list(data["stimulus_id"].values) == list(stimuli.labels["stimulus_id"])
    with xarray.open_dataset(tmp_path / "mine.labels.h5", engine="h5netcdf") as data:
        assert list(data["stimulus_id"].values) == list(stimuli.labels["stimulus_id"])
        assert data["valence"].attrs["source"] == "human"


def test_labels_are_apart_from_pictures(tmp_path, stimuli):
    measured = stimuli.labels.assign(face_score=0.5)
    sources = {**stimuli.sources, "face_score": "detector"}
    cropped = dataclasses.replace(stimuli, labels=measured, sources=sources)
    write_stimuli(tmp_path / "s.h5", cropped, "mine")
    facts, of_facts, _ = read_facts(tmp_path / "s.h5")
    assert list(facts) == ["stimulus_id", "face_score"] and of_facts == {"face_score": "detector"}
    corrected = measured.assign(identity="z")
    write_labels(tmp_path / "mine.labels.h5", corrected, sources, "mine")
    again = read_stimuli(tmp_path / "s.h5")
    assert set(again.labels["identity"]) == {"z"} and again.digest == stimuli.digest
    (tmp_path / "mine.labels.h5").unlink()
    pd.testing.assert_frame_equal(read_stimuli(tmp_path / "s.h5").labels, facts)


def test_labels_are_joined_by_name_and_none_may_lack(tmp_path, stimuli):
    write_stimuli(tmp_path / "s.h5", stimuli, "mine")
    more = pd.concat([stimuli.labels.iloc[::-1], stimuli.labels.assign(stimulus_id=list("uvwxyz"))])
    write_labels(tmp_path / "more.h5", more, stimuli.sources, "mine")
    labels, sources, _ = read_labels(tmp_path / "s.h5", tmp_path / "more.h5")
    pd.testing.assert_frame_equal(labels, stimuli.labels)
    assert sources == stimuli.sources
    write_labels(tmp_path / "few.h5", more[:4], stimuli.sources, "mine")
    with pytest.raises(FacestagesError, match="few.h5: has no labels of picture 's0'"):
        read_labels(tmp_path / "s.h5", tmp_path / "few.h5")


def test_changed_pictures_are_found_on_reading(tmp_path, stimuli):
    write_stimuli(tmp_path / "s.h5", stimuli, "mine")
    with h5py.File(tmp_path / "s.h5", "r+") as file:
        images = file["images"][:]
        images[3, 2, 1, 0] ^= 1
        file["images"][:] = images
    notes.write_user_block(tmp_path / "s.h5")
    with pytest.raises(FacestagesError, match=re.escape("s.h5: is damaged")):
        read_stimuli(tmp_path / "s.h5")


@pytest.fixture
def boxed(stimuli):
    """The face set with a box around each part of each face."""
    regions = np.random.default_rng(1).random((len(stimuli), 3, 4)).astype(np.float32)
    return dataclasses.replace(stimuli, regions=regions)


def test_regions_come_back(boxed, tmp_path):
    write_stimuli(tmp_path / "s.h5", boxed, "mine")
    again = read_stimuli(tmp_path / "s.h5")
    np.testing.assert_array_equal(again.regions, boxed.regions)
    np.testing.assert_array_equal(read_regions(tmp_path / "s.h5"), boxed.regions)
    assert list(again.labels.columns) == list(boxed.labels.columns)


def test_regions_of_some_parts_only_are_no_regions(boxed, tmp_path):
    labels = boxed.labels.assign(stimulus_id=[f"again/{i}" for i in range(len(boxed))])
    without = dataclasses.replace(boxed, labels=labels, regions=None)
    write_pictures(tmp_path / "some.h5", [boxed, without], "some")
    assert read_regions(tmp_path / "some.h5") is None
    assert read_stimuli(tmp_path / "some.h5").regions is None
    both = dataclasses.replace(without, regions=boxed.regions)
    write_pictures(tmp_path / "all.h5", [boxed, both], "all")
    np.testing.assert_array_equal(
        read_regions(tmp_path / "all.h5"), np.concatenate([boxed.regions] * 2)
    )


def test_names_of_inner_groups_are_free_for_labels(stimuli, tmp_path):
    names = ("note", "file", "line", "eyes", "product", "example", "rgb")
    labels = stimuli.labels.assign(**dict.fromkeys(names, "x"))
    sources = stimuli.sources | dict.fromkeys(names, "file")
    faces = dataclasses.replace(stimuli, labels=labels, sources=sources)
    faces.examples.append(Example("a", "s0", "", np.zeros((9, 9, 3), np.uint8), np.zeros((2, 2))))
    write_stimuli(tmp_path / "s.h5", faces, "mine")
    pd.testing.assert_frame_equal(read_labels(tmp_path / "s.h5")[0], labels)
    assert read_stimuli(tmp_path / "s.h5").examples[0].file == "a"
    with xarray.open_dataset(tmp_path / "mine.labels.h5", engine="h5netcdf") as data:
        assert set(names) < set(data)
