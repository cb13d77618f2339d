"""Layers of PyTorch modules: whatever a plain hook sees is recorded, or listed with the reason."""

import copy
import dataclasses
from collections import Counter, namedtuple

import numpy as np
import pytest
import torch
from torch import nn

import families
from facestages.architectures import InputSpec
from facestages.networks.inputs import prepare_images
from facestages.networks.tokens import whole_layer
from facestages.networks.torch_backend import TorchNetwork
from facestages.networks.torch_trace import tensors_in


def pictures(n, channels, size=32):
    shape = (n, size, size, 3) if channels == 3 else (n, size, size)
    return np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)


def hooked(module, images, spec):
    """What plain hooks see: every call of every submodule, with copies of its tensors."""
    seen = []

    def tensors(output, place=""):
        if isinstance(output, torch.Tensor):
            return {place: output.clone()}
        items = output.items() if isinstance(output, dict) else enumerate(output or ())
        return {k: v for key, item in items for k, v in tensors(item, f"{place}[{key}]").items()}

    for name, part in module.named_modules():
        if name:
            part.register_forward_hook(
                lambda _, inputs, output, name=name: seen.append((name, tensors(output)))
            )
    pixels = torch.from_numpy(prepare_images(images, spec).copy()).permute(0, 3, 1, 2)
    with torch.no_grad():
        module(pixels.clone(memory_format=torch.contiguous_format))
    times, call = Counter(name for name, _ in seen), Counter()
    outputs = {}
    for name, found in seen:
        call[name] += 1
        layer = name if times[name] == 1 else f"{name}#{call[name]}"
        outputs |= {layer + place: tensor.numpy() for place, tensor in found.items()}
    return outputs


@pytest.mark.parametrize("family", families.FAMILIES)
def test_every_layer_that_a_plain_hook_sees(family):
    """It is recorded with the hook's values, or listed as what cannot be."""
    spec = InputSpec(32, families.FAMILIES[family][1], "unit")
    images = pictures(5, spec.channels)
    network = TorchNetwork(family, families.build(family), spec)
    expected = hooked(families.build(family), images, spec)
    recorded = network.record(images, list(network.layers))
    assert expected.keys() <= recorded.keys() | network.unlisted.keys()
    assert not recorded.keys() & network.unlisted.keys()
    for layer in expected.keys() & recorded.keys():
        output = expected[layer]
        axis = next(i for i, length in enumerate(output.shape) if length == 5)
        output = np.moveaxis(output, axis, 0)
        assert recorded[layer].shape == output.shape == (5, *network.layers[layer])
        np.testing.assert_allclose(recorded[layer], output, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("family", "layers", "unlisted"),
    [
        ("resnet", {"layer1.0.relu#2": (4, 8, 8), "layer2.0": (8, 4, 4)}, {}),
        ("densenet", {"layers.dense2": (2, 8, 8)}, {}),
        (
            "vit",
            {
                "blocks.1": (17, 8),
                "blocks.1[0]": (17, 8),
                "blocks.1[1]": (17, 17),
                "blocks.0.attn": (17, 8),
                "norm@cls": (8,),
                "norm@mean": (8,),
            },
            {"blocks.0.attn.out_proj": "name 'blocks.0.attn'"},
        ),
        ("swin", {"layers.0": (8, 8, 6)}, {"layers.0.qkv": "without an axis of one row a picture"}),
        (
            "lstm",
            {"lstm": (6, 7), "lstm[0]": (6, 7), "lstm[1][0]": (2, 7), "lstm[1][1]": (2, 7)},
            {},
        ),
        ("two_headed", {"heads": (5,), "heads[expression]": (5,), "heads[affect]": (2,)}, {}),
    ],
)
def test_names_and_shapes(family, layers, unlisted):
    spec = InputSpec(32, families.FAMILIES[family][1])
    network = TorchNetwork(family, families.build(family), spec)
    assert {layer: network.layers.get(layer) for layer in layers} == layers
    for name, reason in unlisted.items():
        assert name not in network.layers and reason in network.unlisted[name]


def test_tokens():
    spec = InputSpec(32, 3)
    network = TorchNetwork("vit", families.build("vit"), spec)
    images = pictures(3, 3)
    recorded = network.record(images, ["norm@mean", "norm", "norm@cls", "blocks.0[1]@cls"])
    np.testing.assert_array_equal(recorded["norm@cls"], recorded["norm"][:, 0])
    np.testing.assert_allclose(recorded["norm@mean"], recorded["norm"].mean(axis=1), atol=1e-6)
    assert recorded["blocks.0[1]@cls"].shape == (3, 17)
    assert network.parameters["norm@cls"] == network.parameters["norm"] == 16


Pair = namedtuple("Pair", "tokens rest")


@dataclasses.dataclass
class Answer:
    loss: object
    logits: torch.Tensor


class Returns(nn.Module):
    """Returns what a function makes of its input; the network goes on with the input."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class Around(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.part, self.last = Returns(function), nn.Flatten()

    def forward(self, picture):
        self.part(picture)
        return self.last(picture), None


def find(function, module=None):
    return TorchNetwork("own", module or Around(function), InputSpec(8, 1))


@pytest.mark.parametrize(
    ("function", "layers"),
    [
        (lambda x: Pair(x.mean(3), x), {"part": (1, 8), "part[0]": (1, 8), "part[1]": (1, 8, 8)}),
        (lambda x: Answer(None, x[:, 0, 0]), {"part": (8,), "part[logits]": (8,)}),
        (lambda x: (x.sum(), x[:, 0, 0]), {"part": (8,), "part[1]": (8,)}),
        (lambda x: [{"a@b": [x[:, 0, 0]]}], {"part": (8,), "part[0][a@b][0]": (8,)}),
        (lambda x: x[:, 0].transpose(0, 2), {"part": (8, 8)}),
        (lambda x: x[:, 0, 0] > 0.5, {"part": (8,)}),
        (lambda x: x.flatten(1).argmax(1), {"part": ()}),
        (lambda x: x[:, 0, 0].bfloat16(), {"part": (8,)}),
    ],
)
def test_any_kind_of_output_is_a_layer(function, layers):
    network, images = find(function), pictures(4, 1, 8)
    parts = {k: v for k, v in network.layers.items() if whole_layer(k) == k != "last"}
    assert parts == layers
    for layer, output in network.record(images, list(layers)).items():
        assert output.dtype == np.float32 and output.shape == (4, *layers[layer])
    pixels = torch.from_numpy(images[:, None] / np.float32(255))
    expected = dict(tensors_in(function(pixels)))
    name, tensor = list(expected.items())[-1]
    tensor = tensor.float() if tensor.shape[0] == 4 else tensor.movedim(2, 0)
    np.testing.assert_allclose(
        network.record(images, ["part" + name])["part" + name], tensor, rtol=1e-6
    )


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: None, "it returns a NoneType without a tensor"),
        (lambda x: "text", "it returns a str without a tensor"),
        (lambda x: x.sum(), "its output (one number) is the same for any number of pictures"),
        (lambda x: x[:1], "its output (1x1x8x8) is the same for any number of pictures"),
        (lambda x: x.reshape(-1, 4), "for 2 pictures is 32x4, without an axis of one row a pict"),
        (lambda x: x[:, :0], "its output is empty"),
        (lambda x: x + 1j, "its output is of complex numbers"),
        (lambda x: {"a/b": x}, "its name has a /"),
        (lambda x: x.to_sparse(), "its output is a sparse or nested tensor"),
        (lambda x: x[:, 0, :2, 0] if len(x) == 2 else 1, "it returns, depends on the pictures"),
        (lambda x: x.flatten(1) @ x.flatten(1).T, "is 2x2, without an axis of one row a picture"),
    ],
)
def test_what_cannot_be_recorded_is_listed_with_the_reason(function, reason):
    network = find(function)
    assert list(network.layers) == ["last"] and reason in network.unlisted["part"]


def test_a_part_that_runs_as_often_as_the_pictures_say():
    class Adaptive(nn.Module):
        def __init__(self):
            super().__init__()
            self.step, self.last = nn.ReLU(), nn.Flatten()

        def forward(self, x):
            for _ in range(len(x)):
                x = self.step(x)
            return self.last(x)

    network = find(None, Adaptive())
    assert list(network.layers) == ["step#1", "step#2", "last"]


def test_a_part_that_never_runs():
    module = Around(lambda x: x)
    module.spare, module.holder = nn.Linear(2, 2), nn.ModuleList([nn.ReLU()])
    network = find(None, module)
    assert "does not run" in network.unlisted["spare"]
    assert "holder" not in network.unlisted, "a list of modules is nothing that runs"


def test_a_table_with_as_many_rows_as_there_are_pictures():
    class Prompted(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.last = nn.Embedding(2, 64), nn.Linear(64, 3)

        def forward(self, x):
            return self.last(x.flatten(1) + self.table(torch.arange(2)).mean(0))

    network = find(None, Prompted())
    assert list(network.layers) == ["last"]
    assert "(2x64) is the same for any number of pictures" in network.unlisted["table"]


def test_parts_with_the_names_of_choices_among_tokens():
    """`cls` is how many call their last layer."""
    module = nn.Sequential()
    for name in ("cls", "mean", "out@cls", "last"):
        module.add_module(name, nn.Flatten())
    network = find(None, module)
    assert network.layers == {"cls": (64,), "mean": (64,), "last": (64,)}
    assert "choice among tokens" in network.unlisted["out@cls"]
    images = pictures(2, 1, 8)
    for output in network.record(images, list(network.layers)).values():
        np.testing.assert_allclose(output, images.reshape(2, 64) / 255, rtol=1e-6)


def test_torchscript_is_named():
    inside = torch.jit.script(nn.Sequential(nn.Flatten(), nn.Linear(64, 3)))
    network = find(None, nn.Sequential(nn.ReLU(), inside))
    assert set(network.layers) == {"0"}
    assert "TorchScript" in network.unlisted["1"] and "TorchScript" in network.unlisted["1.0"]


def test_compiled_modules_run_as_they_are_written():
    module = torch.compile(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten()))
    network = find(None, module)
    assert "_orig_mod.0" in network.layers
    assert network.record(pictures(2, 1, 8), ["_orig_mod.0"])["_orig_mod.0"].shape == (2, 2, 6, 6)


def test_modules_of_torchs_own_attention_in_its_usual_order():
    """Time comes first, and in evaluation mode the whole layer has a fast path of its own."""
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1)

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.TransformerEncoder(copy.deepcopy(layer), 2)
            self.head = nn.Linear(8, 3)

        def forward(self, x):
            return self.head(self.encoder(x.squeeze(1).transpose(0, 1)).mean(0))

    module = Encoder().eval()
    network = find(None, copy.deepcopy(module))
    images = pictures(5, 1, 8)
    recorded = network.record(images, list(network.layers))
    expected = hooked(module, images, network.input)
    assert recorded["encoder.layers.1.norm2"].shape == (5, 8, 8)
    assert expected.keys() <= recorded.keys()
    for name, output in expected.items():
        output = output if output.shape[0] == 5 else np.moveaxis(output, 1, 0)
        np.testing.assert_allclose(recorded[name], output, rtol=1e-5, atol=1e-5)
    one = network.record(images, ["head"])["head"]
    np.testing.assert_allclose(one, recorded["head"], rtol=1e-5, atol=1e-5)


def test_a_vit_of_timm():
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    module = timm.create_model("vit_tiny_patch16_224", num_classes=7).eval()
    images, spec = pictures(2, 3), InputSpec(224, 3, "imagenet")
    network = TorchNetwork("vit", copy.deepcopy(module), spec)
    assert network.layers["blocks.5"] == network.layers["norm"] == (197, 192)
    recorded = network.record(images, ["blocks.5", "norm@cls", "norm@mean", "head"])
    expected = hooked(module, images, spec)
    expected |= {"norm@cls": expected["norm"][:, 0], "norm@mean": expected["norm"].mean(axis=1)}
    for layer, output in recorded.items():
        np.testing.assert_allclose(output, expected[layer], rtol=1e-5, atol=1e-5)
