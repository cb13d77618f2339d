"""Shards of a recording, joined or multiplied, give what one recording gives."""

import h5py
import numpy as np
import pytest

from blurs import LAYERS, Blurs, assert_same, geometry
from facestages.errors import FacestagesError
from facestages.gram import multiply_shards
from facestages.recording.activations import record_activations
from facestages.recording.shards import join_shards
from facestages.stimuli import StimulusSet, read_stimuli, write_pictures, write_stimuli


def record_shards(folder, faces, rows):
    """Shards of these rows, recorded each for itself, out of the order of the set."""
    paths = []
    for number, chosen in enumerate(rows):
        stimuli = folder / f"shard-{number}-faces.h5"
        names = faces.labels[["stimulus_id"]][chosen].reset_index(drop=True)
        write_pictures(stimuli, [StimulusSet(faces.images[chosen], names, {})], "faces")
        paths.append(folder / f"shard-{number}.h5")
        record_activations(Blurs(), stimuli, LAYERS, paths[-1], {"seed": 0})
    return paths


@pytest.fixture
def shards(tmp_path, faces):
    people = np.arange(70) % 7
    return record_shards(tmp_path, faces, [people == 6, people < 2, (people >= 2) & (people < 6)])


def multiply_all(folder, shards):
    blocks = []
    for number, shard in enumerate(shards):
        for other in shards[number:]:
            blocks.append(folder / f"{shard.stem}-{other.stem}.h5")
            multiply_shards(shard, other, shards[0], blocks[-1])
    return blocks


def test_blocks_over_pairs_of_shards(tmp_path, shards, expected):
    blocks = multiply_all(tmp_path, shards)
    assert_same(geometry(tmp_path, blocks, "geometry.h5"), expected)


def test_joined_shards_read_as_one_recording(tmp_path, faces, shards, expected):
    joined = tmp_path / "joined.h5"
    join_shards(shards, tmp_path / "faces.h5", joined)
    with h5py.File(joined) as file, h5py.File(tmp_path / "activations.h5") as whole:
        for layer in LAYERS:
            assert file[layer]["activation"].is_virtual
            np.testing.assert_array_equal(file[layer]["activation"], whole[layer]["activation"])
        assert joined.stat().st_size < 0.1 * (tmp_path / "activations.h5").stat().st_size
    assert_same(geometry(tmp_path, joined, "geometry.h5"), expected)


def test_a_missing_shard_is_never_read_as_zeros(tmp_path, faces, shards):
    join_shards(shards, tmp_path / "faces.h5", tmp_path / "joined.h5")
    shards[1].unlink()
    with pytest.raises(FacestagesError, match="layer .*NaN"):
        geometry(tmp_path, tmp_path / "joined.h5", "geometry.h5")


def test_shards_that_are_not_the_face_set_are_refused(tmp_path, faces, shards):
    with pytest.raises(FacestagesError, match="do not hold the pictures of .* once each"):
        join_shards(shards[:2], tmp_path / "faces.h5", tmp_path / "joined.h5")
    blocks = multiply_all(tmp_path, shards)
    with pytest.raises(FacestagesError, match="inner products of 4900 are missing"):
        geometry(tmp_path, blocks[:-1], "geometry.h5")
    faces = read_stimuli(tmp_path / "faces.h5")
    faces.images[5] = 255 - faces.images[5]
    write_stimuli(tmp_path / "faces.h5", faces, "faces")
    with pytest.raises(FacestagesError, match="made with another column pictures digest"):
        geometry(tmp_path, blocks, "geometry.h5")
