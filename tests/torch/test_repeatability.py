"""PyTorch networks whose output for one picture changes: refused by the name of the layer."""

import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import families
import refusals
from facestages.architectures import InputSpec
from facestages.networks.repeatability import require_repeatable
from facestages.networks.torch_backend import TorchNetwork

RANDOM, BATCH = "changes from pass to pass", "changes with the other pictures of its batch"


class Around(nn.Module):
    """A function between two layers."""

    def __init__(self, between):
        super().__init__()
        self.conv, self.between = nn.Conv2d(1, 8, 3), between
        self.fc1, self.fc2 = nn.Linear(8 * 49, 16), nn.Linear(16, 5)

    def forward(self, x):
        x = F.adaptive_avg_pool2d(F.relu(self.conv(x)), 7).flatten(1)
        return self.fc2(F.relu(self.fc1(self.between(self, x))))


def crop(module, x):
    row = torch.randint(0, 8, ())
    return F.pad(x, (8, 8))[:, row : row + x.shape[1]]


def remember(module, x):
    """Adds what the last pass has left."""
    x = x + getattr(module, "last", 0)
    module.last = x[:1].detach()
    return x


def open_around(between):
    torch.manual_seed(0)
    return TorchNetwork("net", Around(between), InputSpec(16, 1))


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (8, 16, 16), dtype=np.uint8)


@pytest.mark.parametrize(
    ("between", "problem"),
    [
        (lambda module, x: F.dropout(x, 0.5), RANDOM),
        (lambda module, x: F.dropout(x, 0.1), RANDOM),
        (lambda module, x: x + 0.01 * torch.randn_like(x), RANDOM),
        (crop, RANDOM),
        (lambda module, x: x.flip(1) if torch.rand(()) < 0.5 else x, RANDOM),
        (lambda module, x: x if random.random() < 0.5 else 2 * x, RANDOM),
        (lambda module, x: x if np.random.rand() < 0.5 else 2 * x, RANDOM),
        (remember, RANDOM),
        (lambda module, x: F.batch_norm(x, None, None, training=True), BATCH),
        (lambda module, x: x - x.mean(0), BATCH),
        (lambda module, x: x / x.max(), BATCH),
        (lambda module, x: x[torch.arange(len(x)).flip(0)], BATCH),
    ],
)
def test_the_first_layer_that_changes_is_named(images, between, problem):
    network = open_around(between)
    for layers in (["fc2"], ["conv", "fc1", "fc2"]):
        message = refusals.refusal(require_repeatable, network, images, layers)
        assert message.startswith("network net: layer 'fc1' is the first whose output")
        assert problem in message
    require_repeatable(network, images, ["conv"])


def test_random_numbers_that_change_nothing_are_allowed(images):
    network = open_around(lambda module, x: x + 0 * torch.rand_like(x))
    require_repeatable(network, images, ["fc2"])


def test_batch_normalisation_without_running_statistics(images):
    module = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4, track_running_stats=False))
    message = refusals.refusal(
        require_repeatable, TorchNetwork("net", module, InputSpec(16, 1)), images, ["1"]
    )
    assert "layer '1' is the first" in message and BATCH in message


@pytest.mark.parametrize("family", families.FAMILIES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_rounding_is_no_change(family, dtype):
    channels = families.FAMILIES[family][1]
    network = TorchNetwork(family, families.build(family).to(dtype), InputSpec(32, channels))
    shape = (20, 32, 32, 3)[: channels + 2 if channels == 3 else 3]
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    require_repeatable(network, images, list(network.layers))


def test_autocast_rounds_more(images):
    class Auto(Around):
        def forward(self, x):
            with torch.autocast("cpu", torch.bfloat16):
                x = super().forward(x)
            return x.float().softmax(1)

    module = nn.Sequential(Auto(lambda module, x: x), nn.Identity())
    network = TorchNetwork("net", module, InputSpec(16, 1))
    require_repeatable(network, images, ["1"])


def test_a_module_whose_train_returns_nothing_or_does_nothing(images):
    class Frozen(Around):
        def train(self, mode=True):
            super().train(mode)
            self.conv.eval()

    class Stubborn(Around):
        def train(self, mode=True):
            return self

    class Forgetful(Around):
        def train(self):
            super().train(True)

    for kind in (Frozen, Stubborn, Forgetful):
        torch.manual_seed(0)
        module = kind(lambda module, x: F.dropout(x, 0.5, module.training))
        network = TorchNetwork("net", module, InputSpec(16, 1))
        require_repeatable(network, images, ["fc2"])
        expected = open_around(lambda module, x: x).record(images, ["fc2"])["fc2"]
        np.testing.assert_allclose(network.record(images, ["fc2"])["fc2"], expected, rtol=1e-5)
