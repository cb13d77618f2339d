"""Networks are opened by their name in a config, by their source, or by a job of the workflow."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from facestages.architectures import InputSpec
from facestages.errors import FacestagesError
from facestages.networks import find_weights, load_instance, open_network, runs_side_by_side

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def faces():
    return np.random.default_rng(0).integers(0, 255, (5, 48, 48), dtype=np.uint8)


def test_open_network_of_a_config(faces):
    config = ROOT / "tests/workflow/tiny.yaml"
    network = open_network("nn3", config, seed=1)
    assert network.record(faces, ["out_layer"])["out_layer"].shape == (5, 3)
    assert network.input == InputSpec(48, 1, "unit")
    with pytest.raises(FacestagesError, match="no network 'nn33': did you mean 'nn3'"):
        open_network("nn33", config)
    with pytest.raises(FacestagesError, match="not there yet. Make it with: snakemake .*seed-77"):
        open_network("nn1", config, seed=77)


def test_weights_in_a_folder(tmp_path):
    (tmp_path / "LICENSE").touch()
    with pytest.raises(FacestagesError, match="no file of weights; name the file .* 'member'"):
        (tmp_path / "README").touch()
        find_weights(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.pth").touch()
    assert find_weights(tmp_path).name == "a.pth"
    official = tmp_path / "official"
    official.mkdir()
    (official / "Z_resmasking_2019Nov30_13.32").touch()
    (official / ".snakemake_timestamp").touch()
    assert find_weights(official).name == "Z_resmasking_2019Nov30_13.32"
    (tmp_path / "b.h5").touch()
    with pytest.raises(FacestagesError, match=r"holds b.h5, sub/a.pth; name the file"):
        find_weights(tmp_path)


def test_the_network_of_a_job():
    job = SimpleNamespace(
        wildcards=SimpleNamespace(network="untrained", seed="3"),
        params=SimpleNamespace(
            network={"architecture": "light_cnn", "classes": ["a", "b"]}, weights=None
        ),
        resources=SimpleNamespace(gpu=0),
        input=[],
    )
    network, seed = load_instance(job)
    assert (network.name, seed, network.layers["out_layer"]) == ("untrained", 3, (2,))
    job.wildcards.seed = "4"
    assert load_instance(job)[0].weights_digest != network.weights_digest
    assert runs_side_by_side(job.params.network)
    assert not runs_side_by_side({"torch": "own:build"})
