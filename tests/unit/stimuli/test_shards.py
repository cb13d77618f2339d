"""Shards: every picture in one of them, whatever its labels and whichever others are there."""

import numpy as np
import pandas as pd
import pytest

from blurs import write_blurs_faces
from facestages.errors import FacestagesError
from facestages.stimuli import read_stimuli, write_labels
from facestages.stimuli.shards import split_stimuli
from facestages.subsets import shard_of


def split(folder, shards, every=1):
    paths = [folder / f"shard-{shard}.h5" for shard in range(shards)]
    for shard, path in enumerate(paths):
        split_stimuli([folder / "faces.h5"], "faces", shard, shards, every, path)
    return [read_stimuli(path) for path in paths]


def test_each_picture_is_in_one_shard(tmp_path):
    faces = write_blurs_faces(tmp_path / "faces.h5")
    parts = split(tmp_path, 3)
    ids = np.concatenate([part.labels["stimulus_id"] for part in parts])
    assert sorted(ids) == sorted(faces.labels["stimulus_id"])
    whole = pd.Index(faces.labels["stimulus_id"])
    for part in parts:
        rows = whole.get_indexer(part.labels["stimulus_id"])
        np.testing.assert_array_equal(part.images, faces.images[rows])


def test_labels_decide_nothing(tmp_path):
    faces = write_blurs_faces(tmp_path / "faces.h5")
    parts = split(tmp_path, 3)
    corrected = faces.labels.assign(identity="somebody")
    write_labels(tmp_path / "faces.labels.h5", corrected, faces.sources, "faces")
    assert [part.digest for part in split(tmp_path, 3)] == [part.digest for part in parts]


def test_all_pictures_of_a_shards_people_belong_to_it(tmp_path):
    faces = write_blurs_faces(tmp_path / "faces.h5")
    split_stimuli([tmp_path / "faces.h5"], "faces", 4, 1, 4, tmp_path / "shard-4.h5")
    found = read_stimuli(tmp_path / "shard-4.h5").labels["stimulus_id"]
    assert list(found) == list(faces.labels["stimulus_id"][::4])


def test_people_are_dealt_out_evenly_and_for_good():
    disfa = [f"SN{number:03d}" for number in range(1, 28)]
    sizes = np.bincount([shard_of(name, 4) for name in disfa])
    assert sizes.max() - sizes.min() <= 1
    assert len({shard_of(name, 4) for name in ("Ann", "Bob", "Cid", "Dan", "Eve", "Flo")}) > 1


def test_a_shard_of_nobody_is_refused(tmp_path):
    write_blurs_faces(tmp_path / "faces.h5")
    with pytest.raises(FacestagesError, match="no picture falls to shard 70 of 99; lower"):
        split_stimuli([tmp_path / "faces.h5"], "faces", 70, 99, 1, tmp_path / "shard.h5")
