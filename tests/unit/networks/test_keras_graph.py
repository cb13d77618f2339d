"""Graphs of Keras models: layers of models inside, with a name each, and their outputs."""

import keras
import numpy as np
from keras import layers

from facestages.architectures import InputSpec
from facestages.networks.keras_backend import KerasNetwork

PICTURES = np.random.default_rng(0).integers(0, 256, (3, 8, 8), dtype=np.uint8)
PIXELS = PICTURES[..., None].astype(np.float32) / 255


def body(name):
    return keras.Sequential([layers.Conv2D(1, 3, name="conv"), layers.ReLU(name=f"{name}_relu")])


class Own(keras.Model):
    """A model whose layers are called by code."""

    def __init__(self, **options):
        super().__init__(**options)
        self.conv, self.last = layers.Conv2D(2, 3, name="conv"), layers.Flatten(name="last")

    def call(self, x):
        return {"maps": self.conv(x), "nothing": None, "last": self.last(self.conv(x))}


def open_model(model):
    return KerasNetwork("net", model, InputSpec(8, 1))


def test_layers_of_models_inside_that_have_one_name():
    first, second = body("a"), body("b")
    first.name, second.name = "first", "second"
    picture = keras.Input((8, 8, 1))
    maps = layers.Conv2D(1, 3, padding="same", name="conv")(picture)
    model = keras.Model(picture, second(first(maps)))
    network = open_model(model)
    assert list(network.layers) == ["conv", "first.conv", "a_relu", "second.conv", "b_relu"]
    recorded = network.record(PICTURES, list(network.layers))
    np.testing.assert_allclose(recorded["b_relu"], model(PIXELS), atol=1e-6)
    maps = model.layers[1](PIXELS)
    np.testing.assert_allclose(recorded["a_relu"], first(maps), atol=1e-6)
    np.testing.assert_allclose(recorded["first.conv"], first.layers[0](maps), atol=1e-6)


def test_a_model_of_a_subclass_that_returns_nothing_beside_tensors():
    network = open_model(Own())
    assert list(network.layers) == ["conv#1", "conv#2", "last"]


def test_parts_of_layers_are_listed_with_the_reason():
    class Inner(Own):
        def call(self, x):
            return self.last(self.conv(x))

    picture = keras.Input((8, 8, 1))
    model = keras.Model(picture, Inner(name="own")(body("a")(picture)))
    network = open_model(model)
    assert list(network.layers) == ["conv", "a_relu", "own"]
    assert network.unlisted == {
        f"own.{part}": "'own' computes it as a part of itself; name that"
        for part in ("conv", "last")
    }
    np.testing.assert_allclose(network.record(PICTURES, ["own"])["own"], model(PIXELS), atol=1e-6)


def test_an_operation_that_makes_several_rows_of_a_picture():
    picture = keras.Input((8, 8, 1))
    rows = keras.ops.reshape(layers.Flatten(name="flat")(picture), (-1, 8))
    network = open_model(keras.Model(picture, layers.Dense(2, name="out")(rows)))
    assert list(network.layers) == ["flat"]
    assert network.unlisted["out"] == "its output for 2 pictures has 16 rows"
