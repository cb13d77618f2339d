"""What a run is made of: face sets, networks, configuration, versions."""

import re
import tomllib
from importlib import metadata

import numpy as np
import pandas as pd
import pytest
import yaml

from facestages import __version__, store
from facestages.errors import FacestagesError
from facestages.report import run
from facestages.stimuli import StimulusSet, write_stimuli
from workflow_runner import REPOSITORY

CONFIG = {
    "datasets": {"posed": {"label": "Portraits <A & B>", "size": 48}},
    "networks": {
        "nn3": {"label": "NN3", "architecture": "light_cnn", "seeds": [0, 1]},
        "own": {"label": "Own", "torch": "my_net:build"},
        "zoo": {"timm": "resnet18"},
    },
    "analysis": {"labels": ["identity", "Größe"]},
}


def test_a_face_set_has_its_people_and_the_sources_of_its_labels(files):
    stimuli, labels, _ = files
    (found,) = run.read_face_sets(stimuli, labels, CONFIG["datasets"])
    assert (found.label, found.pictures, found.people) == ("Portraits <A & B>", "3", 2)
    assert found.rendered is True
    assert found.sources == ["identity: rendered", "valence, arousal: rendered: declared"]
    with store.open_read(stimuli[0], "stimuli") as file:
        assert found.digest == file.attrs["stimuli_digest"]


def test_a_face_set_of_unknown_people(tmp_path):
    labels = pd.DataFrame({"stimulus_id": ["a", "b"], "expression": ["happy", "sad"]})
    faces = StimulusSet(np.zeros((2, 4, 4), np.uint8), labels, {"expression": "file"})
    write_stimuli(tmp_path / "wild.h5", faces, "wild")
    (found,) = run.read_face_sets([tmp_path / "wild.h5"], [tmp_path / "wild.labels.h5"], {})
    assert found[:5] == ("wild", "wild", False, "2", None)


def test_networks_have_their_weights_by_seed(files):
    *_, geometry = files
    weights = {"nn3": ("untrained", "none")}
    found = run.read_networks(geometry, CONFIG["networks"], weights)
    assert found == [
        ("nn3", "NN3", "light_cnn", "untrained", "none", [(0, "0" * 64), (1, "1" * 64)]),
        ("own", "Own", "my_net:build", "none", "none", []),
        ("zoo", "zoo", "timm resnet18", "none", "none", []),
    ]


def test_a_broken_file_is_named(files):
    *_, geometry = files
    geometry[0].write_bytes(b"no HDF5")
    with pytest.raises(FacestagesError, match="seed-1.h5: is truncated or damaged"):
        run.read_networks(geometry, CONFIG["networks"], {})


def test_config_can_be_read_back():
    assert yaml.safe_load(run.config_as_yaml(CONFIG)) == CONFIG


def test_all_pinned_packages_are_named():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    pinned = [*project["dependencies"]]
    pinned += [one for extra in ("cpu", "gpu", "jax", "zoo") for one in optional[extra]]
    assert {re.split(r"[=\[]", requirement)[0] for requirement in pinned} == set(run.PACKAGES)


def test_versions_leave_out_what_is_not_installed(monkeypatch):
    monkeypatch.setattr(run, "PACKAGES", ("h5py", "no-such-package"))
    versions = run.installed_versions()
    assert list(versions) == ["python", "facestages", "h5py"]
    assert versions["facestages"] == __version__
    assert versions["h5py"] == metadata.version("h5py")
