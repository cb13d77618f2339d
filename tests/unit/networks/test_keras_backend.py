"""Networks of Keras: their layers, records, gradients and devices."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

import gradcam_reference as reference
from facestages.architectures import InputSpec
from facestages.errors import FacestagesError
from facestages.networks import load_network
from facestages.networks.inputs import prepare_images
from facestages.networks.keras_backend import KerasNetwork
from facestages.networks.keras_files import load_keras
from facestages.networks.light_cnn import light_cnn
from facestages.recording.attribution import gradcam

LAYERS = ["batchnorm_1", "flatten", "out_layer"]
SPEC = InputSpec(48, 1, "unit")
CLASSES = ["happy", "sad", "neutral"]


@pytest.fixture(scope="module")
def faces():
    return np.random.default_rng(0).integers(0, 255, (20, 48, 48), dtype=np.uint8)


def load(**options):
    return load_network("nn3", architecture="light_cnn", classes=CLASSES, **options)


@pytest.fixture(scope="module")
def network():
    return load()


def see(monkeypatch, gpus):
    """Have every framework see so many GPUs."""
    physical = [f"GPU:{number}" for number in range(gpus)]
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: physical)


def test_record_is_the_layers_output(network, faces):
    layers = ["batchnorm_1", "flatten", "out_layer"]
    recorded = network.record(faces, layers)
    assert list(recorded) == layers
    pixels = prepare_images(faces, network.input)
    for layer in layers:
        output = network.model.get_layer(layer).output
        expected = keras.Model(network.model.inputs, output).predict(pixels, verbose=0)
        np.testing.assert_allclose(recorded[layer], expected, rtol=1e-4, atol=1e-5)
        assert recorded[layer].dtype == np.float32


def test_one_layer_is_recorded_like_many(network, faces):
    one = network.record(faces, ["flatten"])["flatten"]
    many = network.record(faces, ["batchnorm_1", "flatten"])["flatten"]
    np.testing.assert_allclose(one, many, rtol=1e-5, atol=1e-6)


def test_recording_is_in_inference_mode(network, faces):
    """Dropout passes everything on, and no batch statistics are used."""
    layers = ["batchnorm_7", "dropout_4"]
    recorded = network.record(faces, layers)
    np.testing.assert_array_equal(recorded["batchnorm_7"], recorded["dropout_4"])
    alone = network.record(faces[:1], layers)["dropout_4"]
    np.testing.assert_allclose(alone[0], recorded["dropout_4"][0], rtol=1e-4, atol=1e-5)


def test_keras_file_of_ones_own(tmp_path, faces):
    model = light_cnn(2)
    model.save(tmp_path / "own.keras")
    spec = {"size": 48, "channels": 1, "scaling": "unit"}
    network = load_network("own", keras=str(tmp_path / "own.keras"), input=spec)
    expected = KerasNetwork("own", model, InputSpec(48, 1)).record(faces, ["out_layer"])
    recorded = network.record(faces, ["out_layer"])
    np.testing.assert_allclose(recorded["out_layer"], expected["out_layer"], rtol=1e-5)


def test_keras_file_for_inputs_of_any_size(tmp_path, faces):
    inputs = keras.Input((None, None, 1))
    outputs = keras.layers.Conv2D(2, 3, name="conv")(inputs)
    keras.Model(inputs, outputs).save(tmp_path / "any.keras")
    spec = {"size": 48, "channels": 1}
    network = load_network("any", keras=str(tmp_path / "any.keras"), input=spec)
    assert network.layers["conv"] == (46, 46, 2)


def test_a_keras_file_runs_nothing(tmp_path):
    inputs = keras.Input((2,))
    outputs = keras.layers.Lambda(lambda x: x * 2)(inputs)
    for name in ("lambda.keras", "lambda.h5"):
        keras.Model(inputs, outputs).save(tmp_path / name)
        with pytest.raises(FacestagesError, match="is a Lambda, and code that lies in files"):
            load_keras(tmp_path / name)


def make_text():
    return "no model"


def test_a_function_of_ones_own(tmp_path, faces, monkeypatch):
    """It may build what no file can hold; its weights lie in a file, or come by the seed."""
    monkeypatch.setitem(sys.modules, "own_nets", SimpleNamespace(build=lambda: light_cnn(2)))
    monkeypatch.setitem(sys.modules, "texts", sys.modules[__name__])
    spec = {"size": 48, "channels": 1}
    light_cnn(2, seed=5).save(tmp_path / "own.keras")
    file = load_network("own", keras=str(tmp_path / "own.keras"), input=spec)
    code = load_network("own", keras="own_nets:build", input=spec, weights=tmp_path / "own.keras")
    assert code.weights_digest == file.weights_digest
    # Models that know nothing of their input before they are called.
    weights = tmp_path / "unbuilt.weights.h5"
    parts = keras.layers.Flatten, lambda: keras.layers.Dense(2)
    for build in (
        lambda: Own(keras.ops.relu),
        lambda: keras.Sequential([make() for make in parts]),
    ):
        monkeypatch.setitem(sys.modules, "own_nets", SimpleNamespace(build=build))
        unbuilt = load_network("own", keras="own_nets:build", input=spec, seed=1)
        unbuilt.model.save_weights(weights)
        again = load_network("own", keras="own_nets:build", input=spec, weights=weights)
        assert again.weights_digest == unbuilt.weights_digest
        assert list(again.kinds.values())[:2] == ["Flatten", "Dense"]
    with pytest.raises(
        FacestagesError, match="networks.n.keras = 'texts:make_text': returns a str"
    ):
        load_network("n", keras="texts:make_text", input=spec)


def test_a_layer_used_twice_is_a_layer_for_each_call():
    relu = keras.layers.ReLU(name="relu")
    inputs = keras.Input((8, 8, 1))
    first = relu(keras.layers.Conv2D(2, 3, name="a")(inputs))
    outputs = relu(keras.layers.Conv2D(4, 3, name="b")(first))
    network = KerasNetwork("twice", keras.Model(inputs, outputs), InputSpec(8, 1))
    assert network.layers == {
        "a": (6, 6, 2),
        "relu#1": (6, 6, 2),
        "b": (4, 4, 4),
        "relu#2": (4, 4, 4),
    }
    faces = np.random.default_rng(0).integers(0, 255, (3, 8, 8), dtype=np.uint8)
    recorded = network.record(faces, ["relu#1", "relu#2"])
    assert recorded["relu#1"].shape == (3, 6, 6, 2)
    expected = keras.Model(inputs, outputs).predict(prepare_images(faces, network.input), verbose=0)
    np.testing.assert_allclose(recorded["relu#2"], expected, rtol=1e-5, atol=1e-6)


def test_functional_operations_are_layers_and_change_no_record():
    inputs = keras.Input((8, 8, 1))
    conv = keras.layers.Conv2D(2, 3, name="conv")(inputs)
    outputs = keras.ops.relu(conv) * 2 + conv
    network = KerasNetwork("ops", keras.Model(inputs, outputs), InputSpec(8, 1))
    assert len(network.layers) == 4 and network.kinds["conv"] == "Conv2D"
    faces = np.random.default_rng(0).integers(0, 255, (3, 8, 8), dtype=np.uint8)
    recorded = network.record(faces, list(network.layers))
    conv, relu, twice, total = recorded.values()
    assert (conv < 0).any()
    np.testing.assert_allclose(relu, np.maximum(conv, 0), rtol=1e-6)
    np.testing.assert_allclose(total, 2 * relu + conv, rtol=1e-5, atol=1e-6)


def test_sequential_models_have_layers_too():
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3, name="conv")])
    assert KerasNetwork("s", model, InputSpec(8, 1)).layers == {"conv": (6, 6, 2)}


def test_layers_shared_with_another_model_are_those_of_this_one():
    inputs, other = keras.Input((8, 8, 1)), keras.Input((9, 9, 1))
    conv = keras.layers.Conv2D(2, 3, name="conv")
    conv(other)
    network = KerasNetwork("shared", keras.Model(inputs, conv(inputs)), InputSpec(8, 1))
    assert network.layers == {"conv": (6, 6, 2)}


def nested(inner_name):
    """A backbone inside a classifier, as transfer learning leaves it."""
    pixels = keras.Input((8, 8, 1))
    base = keras.Model(pixels, keras.layers.Conv2D(2, 3, name=inner_name)(pixels), name="base")
    inputs = keras.Input((8, 8, 1))
    flat = keras.layers.Flatten(name="flat")(base(inputs, training=False))
    return keras.Model(inputs, keras.layers.Dense(3, name="out")(flat))


def test_layers_of_a_model_inside_a_model(tmp_path):
    nested("conv").save(tmp_path / "nested.keras")
    spec = {"size": 8, "channels": 1}
    network = load_network("n", keras=str(tmp_path / "nested.keras"), input=spec)
    assert network.layers == {"conv": (6, 6, 2), "flat": (72,), "out": (3,)}
    assert network.n_parameters == 3 * 3 * 2 + 2 + 72 * 3 + 3
    faces = np.random.default_rng(0).integers(0, 255, (3, 8, 8), dtype=np.uint8)
    recorded = network.record(faces, ["conv", "out"])
    expected = network.model.predict(prepare_images(faces, network.input), verbose=0)
    np.testing.assert_allclose(recorded["out"], expected, rtol=1e-5, atol=1e-6)
    assert recorded["conv"].shape == (3, 6, 6, 2)
    twice = KerasNetwork("n", nested("flat"), InputSpec(8, 1))
    assert list(twice.layers) == ["base.flat", "flat", "out"]


TALL = InputSpec((11, 9), 3)


def ordered(data_format, turned=False):
    """A network with channels first or last; `turned`, its input has them last all the same."""
    layers, first = keras.layers, data_format == "channels_first"
    options = {"data_format": data_format}
    inputs = x = keras.Input((3, 11, 9) if first and not turned else (11, 9, 3))
    if turned:
        x = layers.Permute((3, 1, 2), name="turned")(x)
    x = layers.Conv2D(4, 3, activation="relu", name="conv", **options)(x)
    x = layers.BatchNormalization(axis=1 if first else -1, name="norm")(x)
    x = layers.MaxPooling2D(2, padding="same", name="pool", **options)(layers.ReLU(name="relu")(x))
    x = layers.Conv2D(6, 1, name="last", **options)(x)
    x = layers.GlobalAveragePooling2D(name="mean", **options)(x)
    return keras.Model(inputs, layers.Dense(3, name="out")(x))


@pytest.mark.parametrize("turned", [False, True])
def test_channels_first(turned):
    """Records are the layers' own; Grad-CAM's maps are those of the network with channels last."""
    last = KerasNetwork("last", ordered("channels_last"), TALL)
    first = KerasNetwork("first", ordered("channels_first", turned), TALL)
    first.model.set_weights(last.model.get_weights())
    assert last.layers["norm"] == (9, 7, 4) and first.layers["norm"] == (4, 9, 7)
    faces = np.random.default_rng(0).integers(0, 255, (4, 22, 18, 3), dtype=np.uint8)
    layers, units = ["conv", "norm", "relu", "pool"], np.array([0, 1, 2, 0])
    expected, recorded = (network.record(faces, [*layers, "out"]) for network in (last, first))
    np.testing.assert_allclose(recorded["out"], expected["out"], rtol=1e-4, atol=1e-5)
    for layer in layers:
        values = np.moveaxis(recorded[layer], 1, 3)
        np.testing.assert_allclose(values, expected[layer], rtol=1e-4, atol=1e-5)
    expected, pairs = (each.differentiate(faces, layers, "out", units) for each in (last, first))
    for layer in layers:
        for value, wanted in zip(pairs[layer], expected[layer], strict=True):
            np.testing.assert_allclose(value, wanted, rtol=1e-4, atol=1e-5)


def test_channels_first_for_pictures_of_any_size():
    inputs = keras.Input((3, None, None))
    outputs = keras.layers.Conv2D(2, 3, name="conv", data_format="channels_first")(inputs)
    assert KerasNetwork("any", keras.Model(inputs, outputs), TALL).layers == {"conv": (2, 9, 7)}


def test_two_heads():
    inputs = keras.Input((8, 8, 1))
    flat = keras.layers.Flatten(name="flat")(inputs)
    heads = [keras.layers.Dense(5, name="expr")(flat), keras.layers.Dense(2, name="va")(flat)]
    network = KerasNetwork("heads", keras.Model(inputs, heads), InputSpec(8, 1))
    assert network.layers == {"flat": (64,), "expr": (5,), "va": (2,)}
    faces = np.random.default_rng(0).integers(0, 255, (3, 8, 8), dtype=np.uint8)
    recorded = network.record(faces, ["expr", "va"])
    for name, expected in zip(("expr", "va"), network.model(faces[..., None] / 255), strict=True):
        np.testing.assert_allclose(recorded[name], expected, rtol=1e-4, atol=1e-5)


class Own(keras.Model):
    """A subclass, whose layers only its `call` joins."""

    def __init__(self, end):
        super().__init__()
        self.flat, self.out, self.end = keras.layers.Flatten(), keras.layers.Dense(2), end

    def call(self, x):
        return self.end(self.out(self.flat(x)))


def test_a_subclass_is_taken_apart():
    model = Own(keras.ops.relu)
    network = KerasNetwork("own", model, InputSpec(8, 1))
    assert [*network.kinds.values()] == ["Flatten", "Dense", "Relu"]
    faces = np.random.default_rng(0).integers(0, 255, (3, 8, 8), dtype=np.uint8)
    end = list(network.layers)[-1]
    expected = model(faces[..., None] / np.float32(255))
    np.testing.assert_allclose(network.record(faces, [end])[end], expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(FacestagesError, match="network own: the 'call' of Own cannot be taken"):
        KerasNetwork("own", Own(tf.nn.relu), InputSpec(8, 1))


@pytest.mark.parametrize(
    ("shapes", "takes", "right"),
    [
        ([(9, 9, 3)], "9x9x3", "'input: {size: 9, channels: 3, scaling: symmetric}'"),
        ([(55, 47, 3)], "55x47x3", "'input: {size: [55, 47], channels: 3, scaling: symmetric}'"),
        ([(1, 55, 47)], "1x55x47", "'input: {size: [55, 47], channels: 1, scaling: symmetric}'"),
        ([(None, 9, 3)], "?x9x3", "'input: {size: [8, 9], channels: 3, scaling: symmetric}'"),
        ([(8, 8, 4)], "8x8x4", "Only networks that take one picture"),
        ([(64,)], "64", "Only networks that take one picture"),
        ([(8, 8, 1), (8, 8, 1)], "8x8x1 and 8x8x1", "Only networks that take one picture"),
    ],
)
def test_inputs_that_are_not_as_the_config_says(shapes, takes, right):
    inputs = [keras.Input(shape) for shape in shapes]
    outputs = [keras.layers.Rescaling(2)(each) for each in inputs]
    with pytest.raises(FacestagesError) as caught:
        KerasNetwork("n", keras.Model(inputs, outputs), InputSpec(8, 1, "symmetric"))
    assert f"network n: takes {takes}, not one picture of 8x8x1. " in str(caught.value)
    assert right in str(caught.value)


def test_weights_alone_in_half_precision(tmp_path, faces, network):
    """Files of weights without the architecture, as the project's own are."""
    keras.config.set_dtype_policy("float16")
    small = light_cnn(3)
    keras.config.set_dtype_policy("float32")
    small.set_weights(network.model.get_weights())
    small.save_weights(tmp_path / "nn.weights.h5")
    read = load(weights=tmp_path)
    a, b = (n.record(faces, ["out_layer"])["out_layer"] for n in (read, network))
    assert a.dtype == np.float32
    np.testing.assert_allclose(a, b, atol=2e-3)
    with pytest.raises(FacestagesError, match="nn.weights.h5: these are not the weights of light"):
        load_network("nn", architecture="light_cnn", classes=[*CLASSES, "fear"], weights=tmp_path)


def test_on_a_gpu_batches_are_larger_and_one_at_a_time(monkeypatch):
    on_processor = load()
    see(monkeypatch, 1)
    on_gpu = load(gpu=1)
    assert on_processor.side_by_side and not on_gpu.side_by_side
    assert on_gpu.batch > on_processor.batch > 1


def test_a_gpu_does_not_round_and_is_not_taken_whole():
    tf.config.experimental.enable_tensor_float_32_execution(True)
    load()
    assert not tf.config.experimental.tensor_float_32_execution_enabled()
    assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"


def test_threads_record_what_one_does(faces):
    network, alone = load(), load()
    batches = np.split(faces, 10)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda batch: network.record(batch, LAYERS), batches))
    for batch, recorded in zip(batches, together, strict=True):
        expected = alone.record(batch, LAYERS)
        for layer in LAYERS:
            np.testing.assert_allclose(recorded[layer], expected[layer], rtol=1e-5, atol=1e-6)


def test_batches_of_any_size_are_compiled_once(faces):
    calls = []

    class Counted(keras.layers.Layer):
        def call(self, x):
            calls.append(x.shape)
            return 2 * x

    inputs = keras.Input((48, 48, 1))
    network = KerasNetwork("own", keras.Model(inputs, Counted(name="twice")(inputs)), SPEC)
    for n in (16, 16, 4, 1):
        before = len(calls)
        recorded = network.record(faces[:n], ["twice"])["twice"]
        np.testing.assert_allclose(recorded[..., 0], 2 / 255 * faces[:n], rtol=1e-6)
        assert (len(calls) > before) == (before == 1), "the first call makes the model, no other"


def test_records_may_be_changed(faces):
    recorded = load().record(faces[:2], LAYERS)
    for layer in LAYERS:
        recorded[layer] -= recorded[layer].mean()
    again = load().record(faces[:2], LAYERS)
    assert abs(again["flatten"].mean()) > abs(recorded["flatten"].mean())


def tiny(end="linear"):
    """The reference network with one of several ends."""
    layers = keras.layers
    inputs = keras.Input((reference.SIZE, reference.SIZE, 1))
    x = layers.Conv2D(4, 3, activation="relu", use_bias=False, name="first")(inputs)
    x = layers.Conv2D(6, 3, activation="relu", use_bias=False, name="second")(x)
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    softmax = {"dense": "softmax", "sigmoid": "sigmoid"}.get(end)
    x = layers.Dense(3, use_bias=False, activation=softmax, name="answer")(x)
    if end == "activation":
        x = layers.Activation("softmax", name="last")(x)
    if end == "softmax":
        x = layers.Softmax(name="last")(x)
    model = keras.Model(inputs, x)
    model.set_weights([reference.FIRST, reference.SECOND, reference.LINEAR])
    return KerasNetwork("tiny", model, InputSpec(reference.SIZE, 1))


def explain(network, layer="first", rows=slice(None)):
    output = list(network.layers)[-1]
    pairs = network.differentiate(reference.IMAGES[rows], [layer], output, reference.UNITS[rows])
    return gradcam(*pairs[layer])


@pytest.fixture(scope="module")
def reference_network():
    return tiny()


def test_maps_are_those_of_the_definition(reference_network):
    np.testing.assert_allclose(explain(reference_network), reference.expected_maps(), atol=1e-5)


def test_activation_and_gradient_are_the_layers_own(reference_network):
    layers = ["first", "second"]
    pairs = reference_network.differentiate(reference.IMAGES, layers, "answer", reference.UNITS)
    recorded = reference_network.record(reference.IMAGES, layers)
    for layer in layers:
        activation, gradient = pairs[layer]
        assert activation.shape == gradient.shape and activation.dtype == np.float32
        np.testing.assert_allclose(activation, recorded[layer], atol=1e-6)
    _, expected = reference.one_picture(reference.IMAGES[2], reference.UNITS[2])
    np.testing.assert_allclose(pairs["first"][1][2], expected, atol=1e-6)


@pytest.mark.parametrize("end", ["dense", "sigmoid", "activation", "softmax"])
def test_logits_are_explained_not_probabilities(reference_network, end):
    other = tiny(end)
    np.testing.assert_allclose(explain(other), explain(reference_network), atol=1e-6)
    output = list(other.layers)[-1]
    answers = other.record(reference.IMAGES, [output])[output]
    assert (answers > 0).all() and (answers < 1).all(), "the softmax is still there"


def test_cam_of_pooled_maps(reference_network):
    """Before a mean and a linear layer, Grad-CAM is CAM (Zhou et al. 2016) but for its scale."""
    activation = reference_network.record(reference.IMAGES, ["second"])["second"]
    cam = np.einsum("nhwc,nc->nhw", activation, reference.LINEAR.T[reference.UNITS])
    cam = np.maximum(cam, 0)
    np.testing.assert_allclose(
        explain(reference_network, "second"), cam / cam.max(axis=(1, 2), keepdims=True), atol=1e-5
    )


def test_frozen_weights_and_batches_change_nothing(reference_network):
    frozen = tiny("dense")
    frozen.model.trainable = False
    parts = [explain(frozen, rows=slice(start, start + 2)) for start in (0, 2, 4)]
    np.testing.assert_allclose(np.concatenate(parts), explain(reference_network), atol=1e-6)


def test_inference_mode():
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(3, 3, name="conv")(inputs)
    x = keras.layers.Dropout(0.5)(keras.layers.BatchNormalization()(x))
    x = keras.layers.Dense(2, activation="softmax", name="out")(keras.layers.Flatten()(x))
    network = KerasNetwork("dropping", keras.Model(inputs, x), InputSpec(8, 1))
    faces = np.random.default_rng(0).integers(0, 256, (3, 8, 8), dtype=np.uint8)
    one, two = (
        network.differentiate(faces, ["conv"], "out", np.zeros(3))["conv"][1] for _ in range(2)
    )
    np.testing.assert_array_equal(one, two)
    alone = network.differentiate(faces[:1], ["conv"], "out", np.zeros(1))["conv"][1]
    np.testing.assert_allclose(alone, one[:1], atol=1e-6)


def test_layers_without_maps_or_behind_the_output_are_refused(reference_network):
    with pytest.raises(FacestagesError, match=r"tiny: layer 'mean' \(6\) has no rows and columns"):
        explain(reference_network, "mean")
    inputs = keras.Input((8, 8, 1))
    conv = keras.layers.Conv2D(2, 3, name="aside")(inputs)
    flat = keras.layers.Dense(2, name="out")(keras.layers.Flatten()(inputs))
    forked = KerasNetwork("forked", keras.Model(inputs, [conv, flat]), InputSpec(8, 1))
    faces = np.zeros((1, 8, 8), np.uint8)
    with pytest.raises(FacestagesError, match="'out' does not depend on layer 'aside'"):
        forked.differentiate(faces, ["aside"], "out", np.zeros(1))


def test_shuffled_weights_are_the_same_numbers_and_come_back():
    network = tiny()
    before, maps = network.weights_digest, explain(network)
    with pytest.raises(KeyError), network.randomised(1):
        for weight, values in zip(
            network.model.get_weights(),
            (reference.FIRST, reference.SECOND, reference.LINEAR),
            strict=True,
        ):
            np.testing.assert_array_equal(np.sort(weight.ravel()), np.sort(values.ravel()))
        digest, shuffled = network.weights_digest, explain(network)
        raise KeyError
    assert digest != before and np.abs(shuffled - maps).max() > 0.1
    assert network.weights_digest == before
    np.testing.assert_array_equal(explain(network), maps)


def test_biases_and_norms_are_not_shuffled():
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(3, 3, bias_initializer="glorot_normal")(inputs)
    x = keras.layers.BatchNormalization(gamma_initializer="glorot_normal")(x)
    x = keras.layers.Dense(2)(keras.layers.Flatten()(x))
    network = KerasNetwork("biased", keras.Model(inputs, x), InputSpec(8, 1))
    before = network.model.get_weights()
    with network.randomised(0):
        changed = [
            not np.array_equal(old, new)
            for old, new in zip(before, network.model.get_weights(), strict=True)
        ]
    assert changed == [weight.ndim > 1 for weight in before]
