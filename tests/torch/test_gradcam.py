"""Gradients of PyTorch networks, and Grad-CAM from them; a process without TensorFlow."""

import numpy as np
import pytest

import gradcam_reference as reference
import torch
from facestages.architectures import InputSpec
from facestages.errors import FacestagesError
from facestages.networks.emofan import EmoFAN
from facestages.networks.torch_backend import TorchNetwork
from facestages.recording.attribution import gradcam


class Tiny(torch.nn.Module):
    """The reference network; its one ReLU runs twice."""

    def __init__(self, inplace=True, softmax=False):
        super().__init__()
        self.first = torch.nn.Conv2d(1, 4, 3, bias=False)
        self.relu = torch.nn.ReLU(inplace)
        self.second = torch.nn.Conv2d(4, 6, 3, bias=False)
        self.linear = torch.nn.Linear(6, 3, bias=False)
        self.last = torch.nn.Softmax(dim=1) if softmax else torch.nn.Identity()
        with torch.no_grad():
            self.first.weight.copy_(torch.from_numpy(reference.FIRST.transpose(3, 2, 0, 1)))
            self.second.weight.copy_(torch.from_numpy(reference.SECOND.transpose(3, 2, 0, 1)))
            self.linear.weight.copy_(torch.from_numpy(reference.LINEAR.T))

    def forward(self, x):
        x = self.relu(self.second(self.relu(self.first(x))))
        return self.last(self.linear(x.mean(dim=(2, 3))))


def open_tiny(**options):
    return TorchNetwork("tiny", Tiny(**options), InputSpec(reference.SIZE, 1))


def explain(network, layer="relu#1", output="linear", rows=slice(None)):
    found = network.differentiate(reference.IMAGES[rows], [layer], output, reference.UNITS[rows])
    return gradcam(*found[layer])


def test_maps_are_those_of_the_definition():
    np.testing.assert_allclose(explain(open_tiny()), reference.expected_maps(), atol=1e-5)


def test_activation_and_gradient_are_the_layers_own():
    network = open_tiny()
    layers = ["first", "relu#1", "second", "relu#2"]
    found = network.differentiate(reference.IMAGES, layers, "linear", reference.UNITS)
    recorded = network.record(reference.IMAGES, layers)
    for layer in layers:
        activation, gradient = found[layer]
        assert activation.shape == gradient.shape and activation.dtype == np.float32
        np.testing.assert_allclose(activation, recorded[layer].transpose(0, 2, 3, 1), atol=1e-6)
    _, expected = reference.one_picture(reference.IMAGES[2], reference.UNITS[2])
    np.testing.assert_allclose(found["relu#1"][1][2], expected, atol=1e-6)


def test_an_activation_in_place_changes_nothing():
    for layer in ("first", "relu#1"):
        kept, changed = (
            open_tiny(inplace=inplace).differentiate(
                reference.IMAGES, [layer], "linear", reference.UNITS
            )[layer]
            for inplace in (False, True)
        )
        np.testing.assert_array_equal(kept[0], changed[0])
        np.testing.assert_array_equal(kept[1], changed[1])
    assert (open_tiny().differentiate(reference.IMAGES, ["first"], "last", reference.UNITS))[
        "first"
    ][0].min() < 0, "the activation has written into what was kept"


def test_a_softmax_at_the_end_changes_nothing():
    np.testing.assert_allclose(
        explain(open_tiny(softmax=True), output="last"), explain(open_tiny()), atol=1e-6
    )


def test_frozen_weights_and_batches_change_nothing():
    network = open_tiny()
    together = explain(network)
    network.module.requires_grad_(False)
    parts = [explain(network, rows=slice(start, start + 2)) for start in (0, 2, 4)]
    np.testing.assert_allclose(np.concatenate(parts), together, atol=1e-6)


def test_cam_of_pooled_maps():
    """Before a mean and a linear layer, Grad-CAM is CAM (Zhou et al. 2016) but for its scale."""
    network = open_tiny()
    activation = network.record(reference.IMAGES, ["relu#2"])["relu#2"]
    weights = reference.LINEAR.T[reference.UNITS]
    cam = np.maximum(np.einsum("nchw,nc->nhw", activation, weights), 0)
    cam /= cam.max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(explain(network, "relu#2"), cam, atol=1e-5)


def test_layers_without_maps_or_behind_the_output_are_refused():
    network = open_tiny()
    with pytest.raises(FacestagesError, match=r"tiny: layer 'linear' \(3\) has no rows"):
        explain(network, "linear")
    aside = Tiny()
    aside.aside = torch.nn.Conv2d(1, 2, 3)
    aside.forward = lambda x: (aside.aside(x), Tiny.forward(aside, x))[1]
    network = TorchNetwork("tiny", aside, InputSpec(reference.SIZE, 1))
    with pytest.raises(FacestagesError, match="'linear' does not depend on layer 'aside'"):
        explain(network, "aside")


def test_shuffled_weights_are_the_same_numbers_and_come_back():
    network = open_tiny()
    before, maps = network.weights_digest, explain(network)
    kernels = {k: np.sort(v.numpy().ravel()) for k, v in network.module.state_dict().items()}
    with pytest.raises(KeyError), network.randomised(1):
        state = network.module.state_dict()
        for key, values in kernels.items():
            np.testing.assert_array_equal(np.sort(state[key].numpy().ravel()), values)
        digest, shuffled = network.weights_digest, explain(network)
        raise KeyError
    assert digest != before and np.abs(shuffled - maps).max() > 0.1
    assert network.weights_digest == before
    with network.randomised(1):
        assert network.weights_digest == digest
    with network.randomised(2):
        assert network.weights_digest != digest


def test_a_network_that_returns_a_dict_is_explained_by_its_layer():
    torch.manual_seed(0)
    network = TorchNetwork("emofan", EmoFAN(8, width=8), InputSpec(256, 3))
    faces = np.random.default_rng(0).integers(0, 256, (2, 64, 64), dtype=np.uint8)
    found = network.differentiate(faces, ["emo_net_2.7"], "emo_fc_2.3", np.array([1, 3]))
    activation, gradient = found["emo_net_2.7"]
    assert activation.shape == gradient.shape == (2, 4, 4, 32)
    assert np.abs(gradient).max() > 0
