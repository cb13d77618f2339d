"""Descriptions of Keras models: those of this version stay, and of others only names change."""

import json

import keras
import pytest

from facestages.networks.keras_versions import adapt, problem
from facestages.networks.light_cnn import light_cnn


def attentive():
    """Layers inside layers, several calls and inputs, functional operations, a compiled model."""
    layers = keras.layers
    pixels = keras.Input((8, 8, 2), name="pixels")
    half = layers.Conv2D(4, 3, padding="same", kernel_regularizer="l2", dtype="float16")
    x = keras.ops.relu(half(pixels)) * 2.0 + half(pixels)
    x = layers.LayerNormalization()(layers.Reshape((64, 4))(x))
    x = layers.MultiHeadAttention(2, 4)(x, x)
    inner = keras.Sequential([keras.Input((64, 4)), layers.Dense(3)], name="inner")
    x = layers.Bidirectional(layers.LSTM(2))(layers.Add()([inner(x), inner(x)]))
    model = keras.Model(pixels, layers.Dense(2, activation="softmax")(x))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model


@pytest.mark.parametrize("build", [attentive, lambda: light_cnn(3)])
def test_a_description_of_this_version_stays_as_it_is(tmp_path, build):
    description = json.loads(build().to_json())
    adapted = adapt(description)
    for layer, other in zip(
        description["config"]["layers"], adapted["config"]["layers"], strict=True
    ):
        # An argument that Keras takes aside may go, if it is not used.
        layer["config"].pop("rms_scaling", None)
        assert other == layer
    assert adapted == description
    assert problem(description) == ""


def test_a_name_with_a_slash_changes_wherever_it_stands():
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(2, name="conv1_bn")])
    pixels = keras.Input((8,), name="pixels")
    model = keras.Model(pixels, model.layers[0](pixels))
    old = json.loads(model.to_json().replace("conv1_bn", "conv1/bn"))
    assert old != json.loads(model.to_json()) == adapt(old)


def test_an_argument_that_is_used_stays():
    description = json.loads(keras.Sequential([keras.layers.DepthwiseConv2D(3)]).to_json())
    config = description["config"]["layers"][0]["config"]
    for value, kept in ((1, False), (2, True)):
        config["groups"] = value
        adapted = adapt(description)["config"]["layers"][0]["config"]
        assert ("groups" in adapted) == kept
