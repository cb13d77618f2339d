"""What is known of architectures before they are loaded."""

import tomllib
from pathlib import Path

import pytest

from facestages.architectures import (
    INSTALL_ZOO,
    InputSpec,
    known_layers,
    nearest_layers,
    select_layers,
)
from facestages.errors import FacestagesError
from facestages.networks import load_network

WEIGHTS = Path(__file__).parents[2] / "resources/assets/mini_xception"


@pytest.mark.parametrize(
    ("architecture", "options"),
    [
        ("light_cnn", {"classes": ["happy", "sad", "neutral"]}),
        ("vgg16", {}),
        ("mini_xception", {"weights": WEIGHTS}),
    ],
)
def test_layers_are_known(architecture, options):
    """``layers.json`` is up to date: ``make generated`` writes it."""
    if "weights" in options and not WEIGHTS.exists():
        pytest.skip("asset mini_xception is not fetched")
    network = load_network("x", architecture=architecture, **options)
    known = {layer: tuple(shape) for layer, shape in known_layers()[architecture].items()}
    assert list(known.items()) == list(network.layers.items())


def test_layers_by_name_and_glob():
    layers = known_layers()["light_cnn"]
    chosen = select_layers(layers, ["out_layer", "conv2d_[12]", "batchnorm_1", "conv2d_1"])
    assert chosen == ["conv2d_1", "batchnorm_1", "conv2d_2", "out_layer"]
    with pytest.raises(FacestagesError, match=r"no layer 'conv_\*': "):
        select_layers(layers, ["conv_*"])


def test_input_that_makes_no_sense_is_refused():
    with pytest.raises(FacestagesError, match="1 or 3, not 2"):
        InputSpec(48, 2)
    with pytest.raises(FacestagesError, match="did you mean 'unit'"):
        InputSpec(48, 1, "units")


def test_libraries_are_installed_in_the_pinned_versions():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    packages = project["optional-dependencies"]["zoo"]
    assert INSTALL_ZOO.startswith(f"pip install {' '.join(packages)},")


VIT = [
    *("patch", "blocks.0", "blocks.0@cls", "blocks.0[0]", "blocks.0[1]", "blocks.0[1]@cls"),
    *("blocks.1", "blocks.1@cls", "blocks.1[0]", "blocks.1[1]", "blocks.1[1]@cls"),
    *("blocks.1.mlp", "norm", "norm@cls", "head"),
]


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (["*"], ["patch", "blocks.0", "blocks.1", "blocks.1.mlp", "norm", "head"]),
        (["blocks.?"], ["blocks.0", "blocks.1"]),
        (["blocks.[0-9]"], ["blocks.0", "blocks.1"]),
        (["blocks.1[1]", "blocks.0[0]"], ["blocks.0[0]", "blocks.1[1]"]),
        (["blocks.*[1]"], ["blocks.0[1]", "blocks.1[1]"]),
        (["*@cls"], ["blocks.0@cls", "blocks.1@cls", "norm@cls"]),
        (["*[1]@cls"], ["blocks.0[1]@cls", "blocks.1[1]@cls"]),
        (["norm@cls", "norm"], ["norm", "norm@cls"]),
    ],
)
def test_parts_of_layers_are_chosen_by_globs_that_name_the_part(wanted, chosen):
    assert select_layers(VIT, wanted) == chosen


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("blocks.7", ["blocks.1", "blocks.0"]),  # and no part of a block
        ("blocks.1.mlpp", ["blocks.1.mlp"]),
        ("mlp", ["blocks.1.mlp"]),
        ("model.norm", ["norm"]),
        ("blocks", ["blocks.0", "blocks.1"]),
        ("heads", ["head"]),
        ("conv2d_17", []),
    ],
)
def test_nearest_layers(name, nearest):
    assert nearest_layers(name, VIT) == nearest


def test_a_missing_layer_is_explained():
    with pytest.raises(FacestagesError, match="^no layer 'attn.out': it is inside$"):
        select_layers(VIT, ["attn.out"], {"attn.out": "it is inside"})
    with pytest.raises(FacestagesError, match="did you mean 'norm@cls'"):
        select_layers(VIT, ["norms@cls"])
    many = [f"features.{i}" for i in range(80)]
    with pytest.raises(FacestagesError) as caught:
        select_layers(many, ["feature.7"])
    assert "'features.7' or 'features.7" in str(caught.value)
    assert "snakemake list_layers" in str(caught.value) and len(str(caught.value)) < 200


def test_a_network_without_any_layer():
    with pytest.raises(FacestagesError, match="no layer 'conv': it has none at all; 'snakemake li"):
        select_layers({}, ["conv"], {"0": "TorchScript takes no hooks"})
