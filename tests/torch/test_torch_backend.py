"""Networks of PyTorch; a process of its own, without TensorFlow."""

import sys

import numpy as np
import pytest

import torch
from facestages.architectures import ARCHITECTURES, InputSpec, known_layers
from facestages.errors import FacestagesError
from facestages.networks import load_network
from facestages.networks.torch_backend import TorchNetwork


class Toy(torch.nn.Module):
    """With an in-place activation and batch statistics, the two usual traps."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3)
        self.norm = torch.nn.BatchNorm2d(4)
        self.relu = torch.nn.ReLU(inplace=True)
        self.head = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4 * 36, 5))

    def forward(self, x):
        return self.head(self.relu(self.norm(self.conv(x))))


def make_nothing():
    return build


def build():
    torch.manual_seed(0)
    return Toy()


@pytest.fixture
def faces():
    return np.random.default_rng(0).integers(0, 255, (6, 8, 8, 3), dtype=np.uint8)


def test_layers_and_records(faces):
    network = TorchNetwork("toy", build(), InputSpec(8, 3, "unit"))
    assert network.layers["conv"] == (4, 6, 6)
    assert network.layers["head.1"] == (5,)
    recorded = network.record(faces, ["norm", "relu", "head"])
    module = build().eval()
    with torch.no_grad():
        x = torch.from_numpy(faces.transpose(0, 3, 1, 2) / np.float32(255)).float()
        expected = module.norm(module.conv(x))
        answers = module(x)
    np.testing.assert_allclose(recorded["norm"], expected.numpy(), rtol=1e-5, atol=1e-6)
    assert (recorded["norm"] < 0).any(), "the in-place activation has written into the record"
    assert (recorded["relu"] >= 0).all()
    np.testing.assert_allclose(recorded["head"], answers.numpy(), rtol=1e-5, atol=1e-6)


def test_recording_is_in_evaluation_mode(faces):
    network = TorchNetwork("toy", build().train(), InputSpec(8, 3))
    alone = network.record(faces[:1], ["head"])["head"]
    together = network.record(faces, ["head"])["head"]
    np.testing.assert_allclose(alone[0], together[0], rtol=1e-5, atol=1e-6)


def test_same_interface_as_keras(tmp_path, faces, monkeypatch):
    torch.save(build().state_dict(), tmp_path / "toy.pth")
    monkeypatch.setitem(sys.modules, "toy_module", sys.modules[__name__])
    spec = {"size": 8, "channels": 3, "scaling": "unit"}
    network = load_network("toy", torch="toy_module:Toy", input=spec, weights=tmp_path / "toy.pth")
    reference = TorchNetwork("toy", build(), InputSpec(8, 3))
    assert network.weights_digest == reference.weights_digest
    np.testing.assert_array_equal(
        network.record(faces, ["head"])["head"], reference.record(faces, ["head"])["head"]
    )
    for wrong in ("toy_module:Nothing", "no_such_module:Toy", "toy_module:Functional.forward"):
        with pytest.raises(FacestagesError, match="package.module:function"):
            load_network("toy", torch=wrong, input=spec)
    with pytest.raises(FacestagesError, match="returns a function, not a torch.nn.Module"):
        load_network("toy", torch="toy_module:make_nothing", input=spec)


class Twice(torch.nn.Module):
    """Uses one activation after both of its convolutions."""

    def __init__(self):
        super().__init__()
        self.a = torch.nn.Conv2d(3, 2, 3)
        self.b = torch.nn.Conv2d(2, 5, 3)
        self.relu = torch.nn.ReLU()

    def forward(self, x):
        return self.relu(self.b(self.relu(self.a(x))))


def test_a_module_that_runs_twice_gives_a_record_a_call(faces):
    module = Twice()
    network = TorchNetwork("twice", module, InputSpec(8, 3))
    shapes = {"a": (2, 6, 6), "relu#1": (2, 6, 6), "b": (5, 4, 4), "relu#2": (5, 4, 4)}
    assert network.layers == shapes and network.kinds["relu#2"] == "ReLU"
    recorded = network.record(faces, ["relu#2", "relu#1", "b"])
    np.testing.assert_array_equal(recorded["relu#2"], np.maximum(recorded["b"], 0))
    again = TorchNetwork("again", module, InputSpec(8, 3)).record(faces, ["relu#1"])
    np.testing.assert_array_equal(recorded["relu#1"], again["relu#1"])


class Functional(torch.nn.Module):
    """Changes a module's output in place after the module is done, and returns a tuple inside."""

    def __init__(self):
        super().__init__()
        self.a = torch.nn.Conv2d(3, 2, 3)
        self.pair = Pair()

    def forward(self, x):
        x = self.a(x)
        torch.nn.functional.relu(x, inplace=True)
        x += 100
        first, second = self.pair(x)
        return first - second


class Pair(torch.nn.Module):
    def forward(self, x):
        return x, 2 * x


def test_functional_operations_in_place_change_no_record(faces):
    network = TorchNetwork("functional", Functional(), InputSpec(8, 3))
    assert list(network.layers) == ["a"]
    recorded = network.record(faces, ["a"])["a"]
    with torch.no_grad():
        x = torch.from_numpy(faces.transpose(0, 3, 1, 2) / np.float32(255))
        expected = network.module.a(x)
    np.testing.assert_allclose(recorded, expected.numpy(), rtol=1e-5, atol=1e-6)
    assert (recorded < 0).any() and (recorded < 50).all()


class Windows(torch.nn.Module):
    """Cuts each picture into four, as attention over windows does, and has a constant inside."""

    def __init__(self):
        super().__init__()
        self.cut = torch.nn.PixelUnshuffle(4)
        self.windows = torch.nn.Identity()
        self.constant = torch.nn.Identity()

    def forward(self, x):
        n = len(x)
        x = self.windows(self.cut(x).reshape(4 * n, -1)).reshape(n, -1)
        return x + self.constant(torch.ones(1, 1))


def test_what_has_no_row_a_picture_is_no_layer(faces):
    network = TorchNetwork("windows", Windows(), InputSpec(8, 3))
    assert network.layers == {"cut": (48, 2, 2)}
    assert network.record(faces, ["cut"])["cut"].shape == (6, 48, 2, 2)


def test_a_module_in_two_places_has_both_names(faces):
    module = build()
    module.alias = module.conv
    network = TorchNetwork("alias", module, InputSpec(8, 3))
    assert {"conv", "alias"} <= set(network.layers)
    recorded = network.record(faces, ["alias", "conv"])
    np.testing.assert_array_equal(recorded["alias"], recorded["conv"])


def test_other_precisions_are_recorded_in_float32(faces):
    class Half(Toy):
        def forward(self, x):
            return super().forward(x.to(torch.bfloat16))

    network = TorchNetwork("half", Half().to(torch.bfloat16), InputSpec(8, 3))
    assert network.record(faces, ["head"])["head"].dtype == np.float32
    assert len(network.weights_digest) == 64


def test_pictures_that_do_not_fit_are_refused():
    with pytest.raises(FacestagesError, match="network toy: a picture of 1x8x8 does not pass"):
        TorchNetwork("toy", build(), InputSpec(8, 1))


@pytest.mark.parametrize("name", [k for k, a in ARCHITECTURES.items() if a.framework == "torch"])
def test_layers_of_the_architectures_are_known(name):
    """``layers.json`` is up to date: ``make docs`` writes it."""
    network = load_network(name, architecture=name)
    known = {layer: tuple(shape) for layer, shape in known_layers()[name].items()}
    assert list(known.items()) == list(network.layers.items())


def test_narrow_networks_and_other_classes():
    network = load_network("rmn", architecture="resmasknet", classes=["a", "b"], width=8)
    assert network.layers["maxpool"] == (8, 56, 56)
    assert network.layers["fc.1"] == (2,)
    network = load_network("emofan", architecture="emofan", classes=["a"] * 5, width=8)
    assert network.layers["emo_fc_2.3"] == (7,)


def test_seed_decides_untrained_weights(monkeypatch):
    monkeypatch.setitem(sys.modules, "toy_module", sys.modules[__name__])
    spec = {"size": 8, "channels": 3}

    def digest(seed):
        return load_network("toy", torch="toy_module:Toy", input=spec, seed=seed).weights_digest

    assert digest(1) == digest(1)
    assert digest(1) != digest(2)


def test_a_module_beside_the_run_is_found(tmp_path, monkeypatch):
    (tmp_path / "beside_the_run.py").write_text(
        "import torch\n\ndef build():\n    return torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3))\n"
    )
    monkeypatch.chdir(tmp_path)
    spec = {"size": 8, "channels": 1}
    network = load_network("own", torch="beside_the_run:build", input=spec)
    assert network.layers == {"0": (2, 6, 6)}


def test_tensorflow_is_not_here():
    assert "tensorflow" not in sys.modules


def test_layers_behind_the_last_one_recorded_are_not_computed():
    ran = []
    module = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(), torch.nn.Flatten())
    network = TorchNetwork("net", module, InputSpec(8, 1))
    module[1].register_forward_hook(lambda *_: ran.append("relu"))
    images = np.zeros((2, 8, 8), np.uint8)
    network.record(images, ["0"])
    assert ran == []
    network.record(images, ["0", "1"])
    assert ran == ["relu"]
