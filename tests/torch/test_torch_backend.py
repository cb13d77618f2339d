"""Networks of PyTorch; a process of its own, without TensorFlow."""

import sys

import numpy as np
import pytest

import torch
from facestages.errors import FacestagesError
from facestages.networks import load_network
from facestages.networks.catalogue import InputSpec
from facestages.networks.torch_backend import TorchNetwork, load_state


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
    with pytest.raises(FacestagesError, match="package.module:function"):
        load_network("toy", torch="toy_module:Nothing", input=spec)


class Twice(torch.nn.Module):
    """Uses one activation after both of its convolutions."""

    def __init__(self):
        super().__init__()
        self.a = torch.nn.Conv2d(3, 2, 3)
        self.b = torch.nn.Conv2d(2, 5, 3)
        self.relu = torch.nn.ReLU()

    def forward(self, x):
        return self.relu(self.b(self.relu(self.a(x))))


def test_a_module_that_runs_twice_is_no_layer():
    network = TorchNetwork("twice", Twice(), InputSpec(8, 3))
    assert network.layers == {"a": (2, 6, 6), "b": (5, 4, 4)}


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


def test_weights_that_do_not_fit_are_refused(tmp_path):
    torch.save(torch.nn.Linear(2, 2).state_dict(), tmp_path / "other.pth")
    with pytest.raises(FacestagesError, match="other.pth: is not a state dict of this module"):
        load_state(build(), tmp_path / "other.pth")
    with pytest.raises(FacestagesError, match="no such file"):
        load_state(build(), tmp_path / "none.pth")


def test_a_pickle_runs_nothing(tmp_path):
    bomb, crater = tmp_path / "bomb.pth", tmp_path / "crater"

    class Bomb:
        def __reduce__(self):
            return (open, (str(crater), "w"))

    torch.save({"net": Bomb()}, bomb)
    with pytest.raises(FacestagesError, match="bomb.pth"):
        load_state(build(), bomb)
    assert not crater.exists()


def test_tensorflow_is_not_here():
    assert "tensorflow" not in sys.modules
