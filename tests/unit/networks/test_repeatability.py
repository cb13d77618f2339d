"""Networks of Keras whose output for one picture changes: refused by the name of the layer."""

import keras
import numpy as np
import pytest
from keras import layers

import refusals
from facestages.architectures import InputSpec
from facestages.networks import load_network
from facestages.networks.keras_backend import KerasNetwork
from facestages.networks.pixels import PixelsNetwork
from facestages.networks.repeatability import require_repeatable

RANDOM, BATCH = "changes from pass to pass", "changes with the other pictures of its batch"


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (8, 48, 48), dtype=np.uint8)


class Always(layers.Layer):
    """A layer in training mode, whatever it is told."""

    def __init__(self, layer, name):
        super().__init__(name=name)
        self.layer = layer

    def call(self, x):
        return self.layer(x, training=True)


def open_around(between):
    pixels = keras.Input((16, 16, 1))
    x = layers.GlobalAveragePooling2D(name="pool")(layers.Conv2D(8, 3, name="conv")(pixels))
    return KerasNetwork(
        "net", keras.Model(pixels, layers.Dense(5, name="out")(between(x))), InputSpec(16, 1)
    )


@pytest.mark.parametrize(
    ("between", "first", "problem"),
    [
        (lambda x: Always(layers.Dropout(0.5), name="drop")(x), "drop", RANDOM),
        (lambda x: Always(layers.GaussianNoise(0.1), name="noise")(x), "noise", RANDOM),
        (lambda x: Always(layers.BatchNormalization(), name="norm")(x), "norm", BATCH),
        (lambda x: layers.UnitNormalization(axis=0, name="norm")(x), "norm", BATCH),
        (lambda x: x - keras.ops.mean(x, axis=0), "subtract", BATCH),
    ],
)
def test_the_first_layer_that_changes_is_named(images, between, first, problem):
    network = open_around(between)
    message = refusals.refusal(require_repeatable, network, images, ["pool", "out"])
    assert message.startswith(f"network net: layer '{first}' is the first whose output")
    assert problem in message
    require_repeatable(network, images, ["pool"])


def test_rounding_is_no_change(images):
    network = load_network("nn3", architecture="light_cnn", classes=["happy", "sad", "neutral"])
    require_repeatable(network, images, list(network.layers))
    require_repeatable(network, images[:1], list(network.layers))
    require_repeatable(PixelsNetwork("pixels", InputSpec(48, 1)), images, ["pixels"])
