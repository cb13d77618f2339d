"""Face sets come back from their files as they were written."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import xarray

from face_sets import small_faces
from facestages import store
from facestages.stimuli import (
    Example,
    Irregularity,
    read_labels,
    read_regions,
    read_stimuli,
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
        assert data["valence"].attrs["source"] == "human"


@pytest.fixture
def boxed(stimuli):
    """The face set with a box around each part of each face."""
    regions = np.random.default_rng(1).random((len(stimuli), 3, 4)).astype(np.float32)
    return dataclasses.replace(stimuli, regions=regions)


def test_regions_count_in_the_digest_and_come_back(boxed, tmp_path):
    write_stimuli(tmp_path / "s.h5", boxed, "mine")
    again = read_stimuli(tmp_path / "s.h5")
    np.testing.assert_array_equal(again.regions, boxed.regions)
    np.testing.assert_array_equal(read_regions(tmp_path / "s.h5"), boxed.regions)
    assert again.digest == boxed.digest
    assert list(again.labels.columns) == list(boxed.labels.columns)
    moved = dataclasses.replace(boxed, regions=boxed.regions + np.float32(0.01))
    without = dataclasses.replace(boxed, regions=None)
    assert len({boxed.digest, moved.digest, without.digest}) == 3


def test_regions_of_some_parts_only_are_no_regions(boxed, tmp_path):
    labels = boxed.labels.assign(stimulus_id=[f"again/{i}" for i in range(len(boxed))])
    without = dataclasses.replace(boxed, labels=labels, regions=None)
    write_stimuli(tmp_path / "some.h5", [boxed, without], "some")
    assert read_regions(tmp_path / "some.h5") is None
    assert read_stimuli(tmp_path / "some.h5").regions is None
    both = dataclasses.replace(without, regions=boxed.regions)
    write_stimuli(tmp_path / "all.h5", [boxed, both], "all")
    np.testing.assert_array_equal(
        read_regions(tmp_path / "all.h5"), np.concatenate([boxed.regions] * 2)
    )


def test_the_format_declares_every_name_beside_the_labels(boxed, tmp_path):
    example = Example("a.png", "s0", "", np.zeros((9, 9, 3), np.uint8), np.zeros((2, 2)))
    boxed.examples.append(example)
    boxed.irregular.append(Irregularity("b.png", "no face found", "left out"))
    write_stimuli(tmp_path / "s.h5", boxed, "mine")
    with store.open_read(tmp_path / "s.h5", "stimuli") as file:
        assert set(file) - set(boxed.labels) == set(store.NAMES["stimuli"])


def test_names_of_inner_groups_are_free_for_labels(stimuli, tmp_path):
    names = ("note", "file", "line", "eyes", "product", "example", "rgb")
    labels = stimuli.labels.assign(**dict.fromkeys(names, "x"))
    sources = stimuli.sources | dict.fromkeys(names, "file")
    faces = dataclasses.replace(stimuli, labels=labels, sources=sources)
    faces.examples.append(Example("a", "s0", "", np.zeros((9, 9, 3), np.uint8), np.zeros((2, 2))))
    write_stimuli(tmp_path / "s.h5", faces, "mine")
    pd.testing.assert_frame_equal(read_labels(tmp_path / "s.h5")[0], labels)
    assert read_stimuli(tmp_path / "s.h5").examples[0].file == "a"
    with xarray.open_dataset(tmp_path / "s.h5", engine="h5netcdf") as data:
        assert set(names) < set(data)
