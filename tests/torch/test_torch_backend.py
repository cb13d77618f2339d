"""Networks of PyTorch: layers, records, devices and gradients; in a process without TensorFlow."""

import copy
import re
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

import gradcam_reference as reference
import refusals
from facestages.architectures import ARCHITECTURES, InputSpec, known_layers
from facestages.errors import FacestagesError
from facestages.networks import load_network, torch_backend
from facestages.networks.emofan import EmoFAN
from facestages.networks.inputs import prepare_images
from facestages.networks.torch_backend import TorchNetwork
from facestages.recording.attribution import gradcam

NARROW = {"resmasknet": {"width": 8}, "emofan": {"width": 8}, "efficientnet_lite0": {}}


# ------------------------------------------------------------------------------ layers and records


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


def test_inputs_that_are_not_square(faces):
    seen = []
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3))
    module.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].numpy()))
    network = TorchNetwork("tall", module, InputSpec((9, 7), 3))
    assert network.layers == {"0": (2, 7, 5)}
    network.record(faces, ["0"])
    expected = prepare_images(faces, network.input).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(seen[-1], expected)
    assert expected.shape == (6, 3, 9, 7)


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
    assert list(network.layers) == ["a", "pair", "pair[0]", "pair[1]"]
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


def divide(x):
    return x.to("cuda:9") if len(x) else {}["key"]


@pytest.mark.parametrize(
    ("function", "words", "advice"),
    [
        (lambda x: x @ torch.zeros(3, 3), "size of tensor|shape", "Check 'input' in the config"),
        (lambda x: x.reshape(len(x), 5), "shape", "Check 'input' in the config"),
        (lambda x: {}["key"], "KeyError: 'key'", "Check the network's code"),
        (divide, "(cuda|CUDA)", "Check the network's code"),
        (lambda x: x.permute(2, 0, 3, 1).view(-1), "Use .reshape", "Check the network's code"),
        (lambda x: sys.exit(1), "SystemExit", "Check the network's code"),
    ],
)
def test_only_shapes_are_blamed_on_the_input(function, words, advice):
    class Own(torch.nn.Module):
        def forward(self, x):
            return function(x)

    message = refusals.refusal(TorchNetwork, "own", Own(), InputSpec(8, 3))
    assert re.search(words, message) and message.endswith(advice)
    assert re.search(r"\(test_torch_backend.py, line \d+\)", message)


@pytest.mark.parametrize("name", [k for k, a in ARCHITECTURES.items() if a.framework == "torch"])
def test_layers_of_the_architectures_are_known(name):
    """``layers.json`` is up to date: ``make generated`` writes it."""
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


# ----------------------------------------------------------------------------- devices and threads


class Viewing(torch.nn.Module):
    """Flattens with `view`, as much published code does."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3)
        self.last = torch.nn.Linear(4 * 36, 5)

    def forward(self, x):
        x = self.conv(x)
        return self.last(x.view(x.size(0), -1))


def build_viewing(kind=Viewing):
    torch.manual_seed(0)
    return kind()


def pictures(n, size):
    return np.random.default_rng(0).integers(0, 255, (n, size, size, 3), dtype=np.uint8)


def plain_records(network, module, images):
    """Every layer's output of a module in torch's usual order, by the module's own hooks."""
    outputs = {}

    def keep(name):
        def hook(_, inputs, output):
            if isinstance(output, torch.Tensor):
                outputs[name] = output.clone().numpy()

        return hook

    for name, part in module.named_modules(remove_duplicate=False):
        part.register_forward_hook(keep(name))
    pixels = torch.from_numpy(prepare_images(images, network.input).copy()).permute(0, 3, 1, 2)
    with torch.no_grad():
        module(pixels.clone(memory_format=torch.contiguous_format))
    return outputs


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
    for layer, output in recorded.items():
        assert output.flags.c_contiguous and output.shape == (2, *network.layers[layer])
        scale = np.abs(expected[layer]).max()
        np.testing.assert_allclose(output, expected[layer], rtol=1e-5, atol=1e-5 * scale)


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
    for batch, recorded in zip(batches, together, strict=True):
        for layer, expected in network.record(batch, layers).items():
            scale = np.abs(expected).max()
            np.testing.assert_allclose(recorded[layer], expected, rtol=1e-5, atol=1e-5 * scale)


def test_pictures_are_not_copied_for_it():
    network = TorchNetwork("toy", build_viewing(torch.nn.Identity), InputSpec(8, 3))
    pixels = torch.zeros(2, 8, 8, 3)
    assert network._arrange(pixels).data_ptr() == pixels.data_ptr()
    assert network._arrange(pixels).shape == (2, 3, 8, 8)


def test_a_module_that_views_keeps_the_usual_order():
    images = pictures(3, 8)
    network = TorchNetwork("own", build_viewing(), InputSpec(8, 3))
    assert network.module.conv.weight.is_contiguous()
    expected = plain_records(network, build_viewing(), images)
    for layer, output in network.record(images, ["conv", "last"]).items():
        np.testing.assert_allclose(output, expected[layer], rtol=1e-5, atol=1e-6)


class OneMap(torch.nn.Module):
    """Flattens grey pictures, and then a single map, with `view`; their order in memory is both."""

    def __init__(self):
        super().__init__()
        self.a, self.b = torch.nn.Conv2d(1, 4, 3), torch.nn.Conv2d(4, 1, 1)
        self.c, self.last = torch.nn.Conv2d(1, 3, 3), torch.nn.Linear(3 * 16, 5)

    def forward(self, x):
        x = self.a(x)
        x.view(x.size(0), -1)
        x = self.c(self.b(x))
        return self.last(x.view(x.size(0), -1))


def test_one_channel_that_is_viewed():
    images = pictures(3, 8)[..., 0]
    network = TorchNetwork("own", build_viewing(OneMap), InputSpec(8, 1))
    expected = plain_records(network, build_viewing(OneMap), images)
    for layer, output in network.record(images, ["a", "b", "c", "last"]).items():
        np.testing.assert_allclose(output, expected[layer], rtol=1e-5, atol=1e-6)
    # A gradient goes the same way.
    network.differentiate(images, ["a"], "last", np.zeros(3, int))


class Squeezing(torch.nn.Module):
    """Squeezes the axis of a single picture away, too."""

    def __init__(self):
        super().__init__()
        self.pool, self.last = torch.nn.AdaptiveAvgPool2d(1), torch.nn.Linear(3, 5)

    def forward(self, x):
        return self.last(self.pool(x).squeeze())


def test_one_picture_alone_is_recorded_as_beside_others():
    images = pictures(3, 8)
    network = TorchNetwork("own", build_viewing(Squeezing), InputSpec(8, 3))
    together = network.record(images, ["last"])["last"]
    alone = network.record(images[1:2], ["last"])["last"]
    np.testing.assert_allclose(alone, together[1:2], rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_pictures_take_the_type_of_the_weights(dtype):
    images = pictures(3, 8)
    network = TorchNetwork("own", build_viewing().to(dtype), InputSpec(8, 3))
    expected = TorchNetwork("own", build_viewing(), InputSpec(8, 3)).record(images, ["last"])
    recorded = network.record(images, ["last"])["last"]
    np.testing.assert_allclose(recorded, expected["last"], rtol=0.05, atol=0.02)


def test_wrapped_lazy_and_parametrised_modules():
    module = torch.nn.Sequential(
        torch.nn.utils.parametrizations.weight_norm(torch.nn.Conv2d(3, 4, 3)),
        *(torch.nn.Flatten(), torch.nn.LazyLinear(5)),
    )
    network = TorchNetwork("own", torch.nn.DataParallel(module), InputSpec(8, 3))
    assert network.layers["module.0"] == (4, 6, 6) and network.layers["module.2"] == (5,)
    assert network.parameters["module.2"] == 5 * 144 + 5
    images = pictures(2, 8)
    expected = plain_records(network, module, images)
    recorded = network.record(images, ["module.0", "module.2"])
    for layer, output in recorded.items():
        np.testing.assert_allclose(output, expected[layer.removeprefix("module.")], rtol=1e-4)


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
    network = TorchNetwork("own", build_viewing(), InputSpec(8, 3))
    assert network.layers == {"conv": (4, 6, 6), "last": (5,)}
    assert {weight.device.type for weight in network.module.parameters()} == {"meta"}
    with pytest.raises(FacestagesError, match="Cannot copy out of meta tensor"):
        network.record(pictures(2, 8), ["last"])


def test_the_gpu_is_taken_where_there_is_one(best_device, monkeypatch):
    assert best_device().type == ("cuda" if torch.cuda.is_available() else "cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert best_device() == torch.device("cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_agrees_with_the_processor(network, best_device):
    on_gpu = TorchNetwork("same", copy.deepcopy(network.module), network.input)
    assert {weight.device.type for weight in on_gpu.module.parameters()} == {"cuda"}
    images, layers = pictures(2, network.input.size), list(network.layers)
    recorded = on_gpu.record(images, layers)
    for layer, expected in network.record(images, layers).items():
        scale = np.abs(expected).max()
        np.testing.assert_allclose(recorded[layer], expected, rtol=1e-4, atol=1e-4 * scale)


def test_a_gpu_does_not_round():
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    TorchNetwork("own", build_viewing(), InputSpec(8, 3))
    assert not torch.backends.cuda.matmul.allow_tf32 and not torch.backends.cudnn.allow_tf32


def test_a_gpu_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(FacestagesError, match=rf"gpu=1 .* torch {torch.__version__[:3]}.* none"):
        load_network("rmn", architecture="resmasknet", width=8, gpu=1)


# --------------------------------------------------------------------------------------- gradients


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
    pairs = network.differentiate(reference.IMAGES[rows], [layer], output, reference.UNITS[rows])
    return gradcam(*pairs[layer])


def test_maps_are_those_of_the_definition():
    np.testing.assert_allclose(explain(open_tiny()), reference.expected_maps(), atol=1e-5)


def test_activation_and_gradient_are_the_layers_own():
    network = open_tiny()
    layers = ["first", "relu#1", "second", "relu#2"]
    pairs = network.differentiate(reference.IMAGES, layers, "linear", reference.UNITS)
    recorded = network.record(reference.IMAGES, layers)
    for layer in layers:
        activation, gradient = pairs[layer]
        assert activation.shape == gradient.shape and activation.dtype == np.float32
        np.testing.assert_allclose(activation, recorded[layer].transpose(0, 2, 3, 1), atol=1e-6)
    _, expected = reference.one_picture(reference.IMAGES[2], reference.UNITS[2])
    np.testing.assert_allclose(pairs["relu#1"][1][2], expected, atol=1e-6)


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
    pairs = network.differentiate(faces, ["emo_net_2.7"], "emo_fc_2.3", np.array([1, 3]))
    activation, gradient = pairs["emo_net_2.7"]
    assert activation.shape == gradient.shape == (2, 4, 4, 32)
    assert np.abs(gradient).max() > 0


class Cached(torch.nn.Module):
    """Keeps a table of positions that it makes in its first pass, as many transformers do."""

    def __init__(self):
        super().__init__()
        self.conv, self.last = torch.nn.Conv2d(1, 2, 3), torch.nn.Linear(2 * 36, 3)
        self.scale = torch.nn.Parameter(torch.ones(1))
        self.table = {}

    def forward(self, x):
        x = self.conv(x)
        if x.shape not in self.table:
            self.table[x.shape] = torch.sin(torch.arange(36.0)).view(6, 6) + 2
        return self.last((x * self.table[x.shape] * self.scale).flatten(1))


def test_a_table_of_the_first_pass_takes_part_in_gradients():
    network = TorchNetwork("own", Cached(), InputSpec(8, 1))
    images = pictures(5, 8)[..., 0]
    network.record(images, ["last"])
    activation, gradient = network.differentiate(images, ["conv"], "last", np.zeros(5, int))["conv"]
    expected = network.module.last.weight[0].view(2, 6, 6) * network.module.table[5, 2, 6, 6]
    np.testing.assert_allclose(
        gradient[3], expected.detach().permute(1, 2, 0), rtol=1e-5, atol=1e-7
    )


def test_maps_of_a_module_that_returns_several_tensors():
    class Both(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(1, 4, 3)

        def forward(self, x):
            x = self.conv(x)
            return x, x.mean()

    class Net(torch.nn.Module):
        def __init__(self, inplace):
            super().__init__()
            self.both, self.last, self.inplace = Both(), torch.nn.Linear(4, 3), inplace

        def forward(self, x):
            x = self.both(x)[0]
            return self.last(torch.nn.functional.relu(x, self.inplace).mean((2, 3)))

    images, units = pictures(2, 8)[..., 0], np.array([0, 2])
    network = TorchNetwork("own", Net(inplace=False), InputSpec(8, 1))
    pairs = network.differentiate(images, ["both", "both.conv"], "last", units)
    np.testing.assert_array_equal(pairs["both"][0], pairs["both.conv"][0])
    np.testing.assert_array_equal(pairs["both"][1], pairs["both.conv"][1])
    network = TorchNetwork("own", Net(inplace=True), InputSpec(8, 1))
    message = refusals.refusal(network.differentiate, images, ["both"], "last", units)
    assert "in place" in message


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def build(:", "importing it failed: SyntaxError"),
        ("raise RuntimeError('CUDA error\\nkernel')", "failed: RuntimeError: CUDA error kernel"),
        ("import sys; sys.exit(0)", "importing it failed: SystemExit: 0"),
        ("{}['key']", "importing it failed: KeyError: 'key'"),
        ("import not_there", "importing it failed: ModuleNotFoundError: No module named 'not_th"),
        ("import math; math.no", "importing it failed: AttributeError: module 'math'"),
        ("x = 1\nimport torch\ntorch.zeros(1).to('cuda:7')", ".py, line 3)"),
        ("x = 1\ndef build()\n    pass", ".py, line 2)"),
        ("def build(): raise SystemExit", "calling it without arguments failed: SystemExit"),
        ("def build(): return build()", "failed: RecursionError"),
    ],
)
def test_a_module_of_the_user_may_fail_in_any_way(tmp_path, monkeypatch, code, words):
    monkeypatch.syspath_prepend(tmp_path)
    name = f"user_{abs(hash(code))}"
    (tmp_path / f"{name}.py").write_text(code)
    message = refusals.refusal(torch_backend.build_module, f"{name}:build", 0, where="networks.own")
    assert message.startswith(f"networks.own = '{name}:build'") and words in message


def test_ctrl_c_is_no_error_of_the_module(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "interrupted.py").write_text("raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        torch_backend.build_module("interrupted:build", 0, where="networks.own")


class Fickle(torch.nn.Module):
    """A module that does something else with more than three pictures, as with its first ones."""

    def __init__(self, later):
        super().__init__()
        self.last, self.later = torch.nn.Identity(), later

    def forward(self, x):
        return self.last(x) if len(x) < 4 else self.later(self.last, x)


def leave(last, x):
    raise SystemExit(0)


@pytest.mark.parametrize(
    ("later", "words"),
    [
        (leave, "a forward pass failed: SystemExit: 0"),
        (lambda last, x: x.no, "a forward pass failed: AttributeError"),
        (lambda last, x: last(x.to_sparse()), "a forward pass failed: "),
        (lambda last, x: last(x + 1j), "TypeError: complex numbers cannot be recorded"),
        (lambda last, x: last(x[:2]), "layer 'last' gives (2, 1, 8, 8), and not (4, 1, 8, 8)"),
        (lambda last, x: x, "layer 'last' gives nothing, and not (4, 1, 8, 8)"),
    ],
)
def test_a_forward_pass_may_fail_in_any_way(later, words):
    network = TorchNetwork("own", Fickle(later), InputSpec(8, 1))
    assert words in refusals.refusal(network.record, pictures(4, 8)[..., 0], ["last"])


def test_batches_are_halved_until_the_memory_of_a_gpu_holds_them(monkeypatch):
    network = TorchNetwork("own", torch.nn.Sequential(torch.nn.Conv2d(1, 2, 1)), InputSpec(8, 1))
    images = pictures(7, 8)[..., 0]
    (layer,) = network.layers
    whole = network.record(images, [layer])[layer]
    passes, forward = [], network._forward

    def pass_forward(pixels):
        passes.append(len(pixels))
        if len(pixels) > holds:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        forward(pixels)

    monkeypatch.setattr(network, "_forward", pass_forward)
    holds = 3
    np.testing.assert_allclose(network.record(images, [layer])[layer], whole, rtol=1e-6)
    assert passes == [7, 3, 3, 1]
    holds = 0
    assert "the memory of the GPU is too small" in refusals.refusal(network.record, images, [layer])
    assert passes[4:] == [3, 1]


class Own(torch.nn.Module):
    """Pictures of 8 x 8 go through a function of the user's between two layers."""

    def __init__(self, function):
        super().__init__()
        self.conv, self.last = torch.nn.Conv2d(1, 2, 1), torch.nn.Linear(128, 3)
        self.function, self.kept = function, None

    def forward(self, x):
        return self.last(self.function(self, self.conv(x).flatten(1)))


def add_kept(module, x):
    module.kept = x if module.kept is None else module.kept + x
    return module.kept


def demand(module, x):
    assert x.shape[1] == 5
    return x


INPUT, CODE, NUMBER = "Check 'input' in", "Check the network's code", "take any number of pictures"


@pytest.mark.parametrize(
    ("function", "words", "advice"),
    [
        (demand, "a picture of 1x8x8 does not pass through it: AssertionError", INPUT),
        (lambda module, x: x.view(2, 5), "does not pass through it: RuntimeError: shape", INPUT),
        (lambda module, x: x * module.channels, "no attribute 'channels'", CODE),
        (lambda module, x: x.view(size, -1), "NameError: name 'size'", CODE),  # noqa: F821
        (lambda module, x: {}["height"], "KeyError: 'height'", CODE),
        (lambda module, x: module.function(x), "missing 1 required positional argument", CODE),
        (lambda module, x: x.view(1, 128), "a picture of 1x8x8 passes through it, but not", NUMBER),
    ],
)
def test_what_to_check_where_no_picture_passes(function, words, advice):
    message = refusals.refusal(TorchNetwork, "own", Own(function), InputSpec(8, 1))
    assert words in message and advice in message


def test_what_a_module_keeps_of_a_pass():
    message = refusals.refusal(TorchNetwork, "own", Own(add_kept), InputSpec(8, 1))
    assert "RuntimeError: The size of tensor a (2)" in message and NUMBER in message


def test_weights_of_half_precision_fail_with_their_own_error():
    module = Own(lambda module, x: x @ torch.ones(128, 128)).half()
    assert "Half != float" in refusals.refusal(TorchNetwork, "own", module, InputSpec(8, 1))


def test_weights_without_numbers_are_refused():
    module = torch.nn.Conv2d(1, 2, 1, device="meta")
    message = refusals.refusal(TorchNetwork, "own", module, InputSpec(8, 1))
    assert message.startswith("network own: 'weight' is on the device 'meta'")


def test_the_gradient_of_one_picture_whose_axis_is_squeezed_away():
    module = Own(lambda module, x: x.squeeze())
    network, images = TorchNetwork("own", module, InputSpec(8, 1)), pictures(3, 8)[..., 0]
    units = np.array([2, 0, 1])
    together = network.differentiate(images, ["conv"], "last", units)["conv"]
    for i in range(3):
        alone = network.differentiate(images[i : i + 1], ["conv"], "last", units[i : i + 1])
        for one, all_ in zip(alone["conv"], together, strict=True):
            np.testing.assert_allclose(one, all_[i : i + 1], atol=1e-6)
    assert np.abs(together[1]).max() > 0


@pytest.mark.parametrize("function", [lambda _, x: x.data, torch.no_grad()(lambda _, x: x * 2)])
def test_code_that_stops_gradients_is_told(function):
    network = TorchNetwork("own", Own(function), InputSpec(8, 1))
    message = refusals.refusal(
        network.differentiate, pictures(1, 8)[..., 0], ["conv"], "last", np.zeros(1, int)
    )
    assert "stops gradients (.data, detach, no_grad" in message
