"""Recorded in full, multiplied while recorded, in shards: always the same geometry."""

import h5py
import numpy as np
import pandas as pd
import pytest

from disfa_files import write_disfa
from workflow_runner import jobs, link_downloads, run_snakemake

LAYERS = {"early": "batchnorm_1", "middle": "flatten", "penultimate": "dropout_4"}
CONFIG = {
    "datasets": {
        "video": {
            "source": "rendered", "design": "video", "women": 4, "men": 0,
            "frames_per_person": 12, "size": 48,
        }
    },
    "networks": {
        "nn3": {
            "label": "NN3", "architecture": "light_cnn", "classes": ["happy", "sad", "neutral"],
            "weights": "untrained", "stages": {**LAYERS, "final": "out_layer"},
        }
    },
    "analysis": {"components": [2, "all"], "permutations": 3},
    "figures": {"fig4": {"datasets": ["video"], "networks": ["nn3"], "components": 2}},
}  # fmt: skip
SCORES = "results/separability/video/nn3/seed-0.csv"
MODES = {
    "keep": ({"activations": "keep"}, 1),
    "discard": ({"activations": "discard"}, 1),
    "keep in shards": ({"activations": "keep"}, 2),
    "discard in shards": ({"activations": "discard"}, 2),
}


def config_of(analysis, shards):
    return CONFIG | {
        "analysis": CONFIG["analysis"] | analysis,
        "datasets": {"video": CONFIG["datasets"]["video"] | {"shards": shards}},
    }


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A finished run in each mode."""
    folders = {}
    for mode, changes in MODES.items():
        folder = folders[mode] = tmp_path_factory.mktemp(mode.replace(" ", "-"))
        link_downloads(folder)
        result = run_snakemake(folder, config_of(*changes), SCORES)
        assert result.returncode == 0, result.stderr
    return folders


def recorded_files(folder) -> list[str]:
    return sorted(
        str(path.relative_to(folder / "results"))
        for kind in ("activations", "grams")
        for path in (folder / "results" / kind).rglob("*.h5")
    )


def test_what_is_left_on_the_disk(runs):
    start = "activations/video/nn3/seed-0"
    assert recorded_files(runs["keep"]) == [f"{start}.h5"]
    shards = [f"{start}/shard-{shard}.h5" for shard in range(2)]
    blocks = [f"grams/video/nn3/seed-0/{pair}.h5" for pair in ("0x0", "0x1", "1x1")]
    assert recorded_files(runs["keep in shards"]) == [f"{start}.h5", *shards, *blocks]
    assert recorded_files(runs["discard"]) == recorded_files(runs["discard in shards"]) == []


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "keep"])
def test_every_mode_gives_the_same_geometry(runs, mode):
    with (
        h5py.File(runs["keep"] / "results/geometry/video/nn3/seed-0.h5") as expected,
        h5py.File(runs[mode] / "results/geometry/video/nn3/seed-0.h5") as found,
    ):
        assert set(found) == set(expected)
        for layer in expected:
            for name in ("gram", "score", "variance_ratio"):
                wanted = expected[layer][name][:]
                atol = 1e-5 * np.abs(wanted).max()
                np.testing.assert_allclose(found[layer][name][:], wanted, rtol=0, atol=atol)
    # z divides two of the other columns by a third, which may be as small as their rounding errors.
    read = (pd.read_csv(runs[each] / SCORES).drop(columns="z") for each in ("keep", mode))
    wanted, scores = read
    pd.testing.assert_frame_equal(scores, wanted, rtol=1e-5, atol=1e-5)


def test_joined_shards_are_the_whole_recording(runs):
    path = "results/activations/video/nn3/seed-0.h5"
    with h5py.File(runs["keep"] / path) as whole, h5py.File(runs["keep in shards"] / path) as parts:
        for layer in LAYERS.values():
            wanted = whole[layer]["activation"][:]
            assert parts[layer]["activation"].is_virtual
            np.testing.assert_allclose(parts[layer]["activation"], wanted, rtol=1e-5, atol=1e-5)


def test_what_was_discarded_is_recorded_anew_only_where_it_is_needed(runs):
    config = config_of(*MODES["discard"])

    def planned(**analysis):
        changed = config | {"analysis": config["analysis"] | analysis}
        return jobs(run_snakemake(runs["discard"], changed, SCORES, "--dry-run"))

    assert planned() == {}
    assert planned(permutations=5) == {"score_separability": 1}
    again = {"accumulate_gram": 1, "measure_geometry": 1, "score_separability": 1}
    assert planned(components=[2, 5, "all"]) == again


def test_one_more_video_records_its_shard_alone(tmp_path):
    data, frames = tmp_path / "DISFA", 30
    write_disfa(data, {"SN001": frames, "SN002": frames, "SN004": frames})
    disfa = {
        "source": "disfa", "path": str(data), "size": 48, "frames_per_person": 8,
        "min_distance": 2, "shards": 2, "crop": {"failures": "whole"},
    }  # fmt: skip
    config = {
        "datasets": {"disfa": disfa},
        "networks": {
            "pixels": {
                "label": "Pixels", "architecture": "pixels",
                "stages": {"early": "pixels", "final": "pixels"},
            }
        },
        "analysis": {"components": [2, "all"], "permutations": 0, "activations": "keep"},
        "figures": {
            "fig4": {
                "datasets": ["disfa"], "networks": ["pixels"], "components": 2,
                "stages": ["early", "final"],
            }
        },
    }  # fmt: skip
    geometry = "results/geometry/disfa/pixels/seed-0.h5"
    result = run_snakemake(tmp_path, config, geometry)
    assert result.returncode == 0, result.stderr
    write_disfa(data, {"SN003": frames})
    # SN001 is in shard 1, SN002 and SN004 are in shard 0.
    assert jobs(run_snakemake(tmp_path, config, geometry, "--dry-run")) == {
        "extract_frames": 1, "prepare_stimuli": 1, "split_stimuli": 1, "record_shard": 1,
        "multiply_shards": 2, "join_shards": 1, "measure_geometry": 1,
    }  # fmt: skip
    result = run_snakemake(tmp_path, config, geometry)
    assert result.returncode == 0, result.stderr
    with h5py.File(tmp_path / geometry) as file:
        names = file["pixels"]["stimulus_id"].asstr()[:]
        assert len({name.partition("/")[0] for name in names}) == 4
