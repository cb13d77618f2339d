"""Shards: every picture in one of them, whoever else is there."""

import numpy as np
import pytest

from blurs import write_blurs_faces
from facestages.errors import FacestagesError
from facestages.stimuli import read_stimuli
from facestages.stimuli.shards import split_stimuli
from facestages.subsets import shard_of


def split(folder, shards, every=1):
    paths = [folder / f"shard-{shard}.h5" for shard in range(shards)]
    for shard, path in enumerate(paths):
        split_stimuli([folder / "faces.h5"], "faces", shard, shards, every, path)
    return [read_stimuli(path) for path in paths]


def test_each_picture_is_in_one_shard_with_its_labels(tmp_path):
    faces = write_blurs_faces(tmp_path / "faces.h5")
    parts = split(tmp_path, 3)
    ids = np.concatenate([part.labels["stimulus_id"] for part in parts])
    assert sorted(ids) == sorted(faces.labels["stimulus_id"])
    people = [set(part.labels["identity"]) for part in parts]
    assert people == [{"p0", "p3", "p6"}, {"p1", "p4"}, {"p2", "p5"}]
    whole = faces.labels.set_index("stimulus_id")
    for part in parts:
        rows = whole.index.get_indexer(part.labels["stimulus_id"])
        np.testing.assert_array_equal(part.images, faces.images[rows])
        assert list(part.labels["expression"]) == list(whole["expression"].iloc[rows])


def test_a_shard_of_a_sample(tmp_path):
    write_blurs_faces(tmp_path / "faces.h5")
    parts = split(tmp_path, 2, every=4)
    counts = np.concatenate([part.labels["identity"].value_counts() for part in parts])
    assert list(counts) == [3] * 7  # of ten pictures each


def test_people_are_dealt_out_evenly_and_for_good():
    disfa = [f"SN{number:03d}" for number in range(1, 28)]
    sizes = np.bincount([shard_of(name, 4) for name in disfa])
    assert sizes.max() - sizes.min() <= 1
    assert len({shard_of(name, 4) for name in ("Ann", "Bob", "Cid", "Dan", "Eve", "Flo")}) > 1


def test_a_shard_of_nobody_is_refused(tmp_path):
    write_blurs_faces(tmp_path / "faces.h5")
    with pytest.raises(FacestagesError, match="no picture falls to shard 7 of 9; lower"):
        split(tmp_path, 9)
