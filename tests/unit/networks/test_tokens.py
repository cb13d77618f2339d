"""Tokens: the first, the mean and all of them, for Keras and for arrays."""

import keras
import numpy as np
from keras import layers

from facestages.architectures import InputSpec
from facestages.networks.keras_backend import KerasNetwork
from facestages.networks.tokens import name_choices, take


def test_only_layers_of_tokens_have_choices():
    shapes = {"conv": (4, 4, 8), "norm": (17, 8), "one": (1, 8), "head": (5,), "scalar": ()}
    named = name_choices(shapes)
    assert named == shapes | {"norm@cls": (8,), "norm@mean": (8,)}
    assert list(named)[1:4] == ["norm", "norm@cls", "norm@mean"]


def test_what_is_taken():
    tokens = np.arange(2 * 3 * 4.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(take("norm@cls", tokens), tokens[:, 0])
    np.testing.assert_array_equal(take("norm@mean", tokens), tokens.mean(axis=1))
    # Neither is a choice of a layer.
    assert take("norm", tokens) is tokens and take("mean", tokens) is tokens


def test_tokens_and_several_outputs_of_a_keras_model():
    pixels = keras.Input((8, 8, 1))
    rows = layers.Reshape((8, 8), name="rows")(pixels)
    attended, scores = layers.MultiHeadAttention(2, 4, name="attn")(
        rows, rows, return_attention_scores=True
    )
    steps, hidden, _ = layers.LSTM(5, return_sequences=True, return_state=True, name="lstm")(
        attended
    )
    model = keras.Model(pixels, [layers.Dense(3, name="head")(hidden), steps, scores])
    network = KerasNetwork("net", model, InputSpec(8, 1))
    shapes = {"attn": (8, 8), "attn[1]": (2, 8, 8), "lstm": (8, 5), "lstm[0]": (8, 5)}
    shapes |= {"lstm[1]": (5,), "lstm@mean": (5,), "lstm@cls": (5,)}
    assert {layer: network.layers.get(layer) for layer in shapes} == shapes
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8), dtype=np.uint8)
    recorded = network.record(images, list(shapes))
    _, steps, scores = model(images[..., None].astype(np.float32) / 255)
    np.testing.assert_allclose(recorded["lstm"], steps, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(recorded["attn[1]"], scores, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(recorded["lstm@mean"], recorded["lstm"].mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(recorded["lstm[1]"], recorded["lstm"][:, -1], rtol=1e-4, atol=1e-6)
    assert network.kinds["lstm@cls"] == "LSTM"
