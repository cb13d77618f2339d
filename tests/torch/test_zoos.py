"""Networks of timm and torchvision by name: of the real libraries where they are installed, and
else of stand-ins with the same functions and names."""

import os
import sys

import numpy as np
import pytest
import torch

from facestages.architectures import InputSpec
from facestages.errors import FacestagesError
from facestages.networks import load_network, runs_side_by_side, zoos
from zoo_libraries import ARE_REAL, STAND_INS

VIT = ("timm", "vit_tiny_patch16_224")
RESNET = ("torchvision", "resnet18")
CLASSES = ["happy", "sad", "angry"]


@pytest.fixture(autouse=True)
def libraries(monkeypatch, tmp_path):
    """Caches of their own, and no connection."""
    if not ARE_REAL:
        monkeypatch.syspath_prepend(str(STAND_INS))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")


@pytest.fixture
def cached(tmp_path):
    """Where torch.hub keeps the weights of the network of torchvision."""
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder / "resnet18-f37072fd.pth"


def faces(n, channels=3):
    return np.random.default_rng(0).integers(0, 256, (n, 224, 224, channels), dtype=np.uint8)


def test_a_vision_transformer_of_timm():
    network = load_network("x", zoo=VIT)
    half = {"mean": [0.5] * 3, "deviation": [0.5] * 3}
    assert network.input == InputSpec(224, 3, half)
    names = {"patch_embed", "blocks.0", "blocks.11", "norm", "fc_norm", "head"}
    assert names <= network.layers.keys()
    assert network.layers["blocks.5"][0] == 197, "14 x 14 patches and the class token"
    assert network.layers["head"] == (1000,)


def test_records_are_those_of_the_network_itself():
    images = faces(3)
    network = load_network("x", zoo=VIT, seed=4)
    recorded = network.record(images, ["fc_norm", "head"])
    torch.manual_seed(4)
    module = sys.modules["timm"].create_model(VIT[1]).eval()
    pixels = torch.from_numpy((images.transpose(0, 3, 1, 2) / 255 - 0.5) / 0.5).float()
    with torch.no_grad():
        expected = module(pixels).numpy()
    np.testing.assert_allclose(recorded["head"], expected, rtol=1e-4, atol=1e-5)
    other = load_network("x", zoo=VIT, seed=5)
    assert other.weights_digest != network.weights_digest


def test_classes_and_channels_of_ones_own(tmp_path):
    source = {"zoo": VIT, "classes": CLASSES}
    source["input"] = {"size": 224, "channels": 1, "scaling": "unit"}
    network = load_network("x", **source)
    assert network.layers["head"] == (3,) and network.input == InputSpec(224, 1, "unit")
    state = {f"model.{key}": value for key, value in network.module.state_dict().items()}
    torch.save({"state_dict": state}, tmp_path / "own.ckpt")
    own = load_network("x", **source, weights=str(tmp_path / "own.ckpt"), seed=1)
    assert own.weights_digest == network.weights_digest


def test_weights_of_the_users_cache(cached):
    """They are the library's by their place and name alone; these are random."""
    network = load_network("x", zoo=RESNET, seed=3)
    assert network.input.scaling["mean"] == [0.485, 0.456, 0.406]
    torch.save(network.module.state_dict(), cached)
    pretrained = load_network("x", zoo=RESNET, weights="pretrained", classes=CLASSES, seed=4)
    assert pretrained.weights_digest == network.weights_digest
    assert pretrained.layers["fc"] == (1000,), "its own classes, as a new head is not trained"


def test_no_code_of_a_file_in_the_cache_runs(cached, tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "crater"),)

    torch.save({"fc.weight": Bomb()}, cached)
    with pytest.raises(FacestagesError, match="network x: torchvision 'resnet18': its weights"):
        load_network("x", zoo=RESNET, weights="pretrained")
    assert not (tmp_path / "crater").exists()
    assert "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ


@pytest.mark.parametrize("zoo", [VIT, RESNET], ids=["timm", "torchvision"])
def test_weights_out_of_reach(zoo, tmp_path):
    with pytest.raises(FacestagesError) as caught:
        load_network("x", zoo=zoo, weights="pretrained")
    first, second = str(caught.value).splitlines()
    assert first.startswith(f"network x: {zoo[0]} '{zoo[1]}': its weights cannot be had: ")
    assert "put the file into " in second and "give its path as 'weights'" in second
    assert not [path for path in tmp_path.rglob("*") if path.is_file()], "nothing half-written"


@pytest.mark.parametrize("kind", ["timm", "torchvision"])
def test_a_library_that_is_not_installed(monkeypatch, kind):
    monkeypatch.setitem(sys.modules, kind, None)
    with pytest.raises(FacestagesError, match=f"{kind} is not installed: pip install timm=="):
        load_network("x", zoo=(kind, "resnet18"))


def test_timm_without_torchvision(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(FacestagesError, match="torchvision, which timm needs, is not installed"):
        load_network("x", zoo=VIT)


@pytest.mark.parametrize(
    "zoo, said",
    [
        (("timm", "vit_tinny_patch16_224"), "no such network; did you mean 'vit_tiny_patch16_224'"),
        (("torchvision", "resnet19"), "no such network; did you mean 'resnet18'"),
        (
            ("timm", "vit_tiny_patch16_224.none"),
            r"cannot be built: .*Invalid pretrained tag \(none",
        ),
    ],
)
def test_a_name_that_is_not_there(zoo, said):
    with pytest.raises(FacestagesError, match=f"network x: {zoo[0]} '{zoo[1]}': .*{said}"):
        load_network("x", zoo=zoo)


def test_passes_follow_each_other():
    assert not runs_side_by_side({"zoo": VIT})
    assert runs_side_by_side({"zoo": ("keras_application", "VGG16")})


@pytest.mark.skipif(not ARE_REAL, reason="timm is not installed")
def test_weights_of_timm_in_the_users_cache(tmp_path, monkeypatch):
    """A cache as of huggingface_hub, read without a connection."""
    from huggingface_hub import constants
    from safetensors.torch import save_file

    timm = zoos._import("timm")
    network = load_network("x", zoo=VIT, seed=3)
    hub_id = timm.create_model(VIT[1]).pretrained_cfg["hf_hub_id"]
    folder = tmp_path / f"models--{hub_id.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("0" * 40)
    snapshot = folder / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    state = {key: value.contiguous() for key, value in network.module.state_dict().items()}
    save_file(state, snapshot / "model.safetensors")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    pretrained = load_network("x", zoo=VIT, weights="pretrained")
    assert pretrained.weights_digest == network.weights_digest
