"""Torch networks: order in memory, devices and threads change nothing that is recorded."""

import copy
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import torch
from facestages.architectures import InputSpec
from facestages.errors import FacestagesError
from facestages.networks import load_network, torch_backend
from facestages.networks.inputs import prepare_images
from facestages.networks.torch_backend import TorchNetwork

NARROW = {"resmasknet": {"width": 8}, "emofan": {"width": 8}, "efficientnet_lite0": {}}


class Viewing(torch.nn.Module):
    """Flattens with `view`, as much published code does."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3)
        self.last = torch.nn.Linear(4 * 36, 5)

    def forward(self, x):
        x = self.conv(x)
        return self.last(x.view(x.size(0), -1))


def build(kind=Viewing):
    torch.manual_seed(0)
    return kind()


def pictures(n, size):
    return np.random.default_rng(0).integers(0, 255, (n, size, size, 3), dtype=np.uint8)


def plain_records(network, module, images):
    """Every layer's output of a module in torch's usual order, by the module's own hooks."""
    found = {}

    def keep(name):
        def hook(_, inputs, output):
            if isinstance(output, torch.Tensor):
                found[name] = output.clone().numpy()

        return hook

    for name, part in module.named_modules(remove_duplicate=False):
        part.register_forward_hook(keep(name))
    pixels = prepare_images(images, network.input).transpose(0, 3, 1, 2)
    with torch.no_grad():
        module(torch.from_numpy(np.ascontiguousarray(pixels)))
    return found


@pytest.fixture(scope="module", params=NARROW)
def network(request):
    return load_network(request.param, architecture=request.param, **NARROW[request.param])


def test_records_are_those_of_the_usual_order(network):
    images = pictures(2, network.input.size)
    module = copy.deepcopy(network.module).to(memory_format=torch.contiguous_format)
    expected = plain_records(network, module, images)
    layers = [layer for layer in network.layers if "#" not in layer]
    recorded = network.record(images, layers)
    assert network._format == torch.channels_last and len(layers) > 50
    for layer, found in recorded.items():
        assert found.flags.c_contiguous and found.shape == (2, *network.layers[layer])
        scale = np.abs(expected[layer]).max()
        np.testing.assert_allclose(found, expected[layer], rtol=1e-5, atol=1e-5 * scale)


def test_weights_have_the_same_digest(network):
    usual = copy.deepcopy(network)
    usual.module.to(memory_format=torch.contiguous_format)
    weight = next(part for part in network.module.modules() if type(part) is torch.nn.Conv2d).weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert network.weights_digest == usual.weights_digest


def test_threads_record_what_one_does(network):
    assert network.side_by_side
    layers = list(network.layers)[::20]
    batches = np.split(pictures(6, network.input.size), 3)
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda batch: network.record(batch, layers), batches))
    for batch, found in zip(batches, together, strict=True):
        for layer, expected in network.record(batch, layers).items():
            scale = np.abs(expected).max()
            np.testing.assert_allclose(found[layer], expected, rtol=1e-5, atol=1e-5 * scale)


def test_pictures_are_not_copied_for_it():
    network = TorchNetwork("toy", build(torch.nn.Identity), InputSpec(8, 3))
    pixels = torch.zeros(2, 8, 8, 3)
    assert network._arrange(pixels).data_ptr() == pixels.data_ptr()
    assert network._arrange(pixels).shape == (2, 3, 8, 8)


def test_a_module_that_views_keeps_the_usual_order():
    images = pictures(3, 8)
    network = TorchNetwork("own", build(), InputSpec(8, 3))
    assert network.module.conv.weight.is_contiguous()
    expected = plain_records(network, build(), images)
    for layer, found in network.record(images, ["conv", "last"]).items():
        np.testing.assert_allclose(found, expected[layer], rtol=1e-5, atol=1e-6)


class Remembering(Viewing):
    def forward(self, x):
        self.seen = x
        return super().forward(self.seen)


def test_own_modules_run_one_at_a_time(monkeypatch):
    monkeypatch.setitem(sys.modules, "own_module", sys.modules[__name__])
    spec = {"size": 8, "channels": 3}
    assert not load_network("own", torch="own_module:Remembering", input=spec).side_by_side


def test_everything_moves_to_the_device(monkeypatch):
    """With a device that has shapes but no numbers: all that fails is to fetch them."""
    monkeypatch.setattr(torch_backend, "_best_device", lambda: torch.device("meta"))
    network = TorchNetwork("own", build(), InputSpec(8, 3))
    assert network.layers == {"conv": (4, 6, 6), "last": (5,)}
    assert {weight.device.type for weight in network.module.parameters()} == {"meta"}
    with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor"):
        network.record(pictures(2, 8), ["last"])


def test_the_gpu_is_taken_where_there_is_one(monkeypatch):
    assert torch_backend._best_device().type == ("cuda" if torch.cuda.is_available() else "cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert torch_backend._best_device() == torch.device("cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_agrees_with_the_processor(network, monkeypatch):
    monkeypatch.setattr(torch_backend, "_best_device", lambda: torch.device("cpu"))
    module = copy.deepcopy(network.module).cpu()
    on_processor = TorchNetwork("same", module, network.input)
    images, layers = pictures(2, network.input.size), list(network.layers)
    recorded = network.record(images, layers)
    for layer, expected in on_processor.record(images, layers).items():
        scale = np.abs(expected).max()
        np.testing.assert_allclose(recorded[layer], expected, rtol=1e-4, atol=1e-4 * scale)


def test_a_gpu_does_not_round():
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    TorchNetwork("own", build(), InputSpec(8, 3))
    assert not torch.backends.cuda.matmul.allow_tf32 and not torch.backends.cudnn.allow_tf32


def test_a_gpu_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(FacestagesError, match=rf"gpu=1 .* torch {torch.__version__[:3]}.* none"):
        load_network("rmn", architecture="resmasknet", width=8, gpu=1)
