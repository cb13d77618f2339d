"""Networks of Keras as people bring them: of other shapes, with classes of their own."""

import importlib

import numpy as np
import pytest
from PIL import Image

from facestages import store

RECORD = ("results/activations/own/net/seed-0.h5", "logs/record_activations/own/net/seed-0.log")
STAGES = {"early": "conv", "final": "out"}
CODE = """
import keras


@keras.saving.register_keras_serializable("mine")
class Attention(keras.layers.Layer):
    def call(self, x):
        return x * keras.ops.sigmoid(keras.ops.mean(x, 1, keepdims=True))


def build():
    pixels = keras.Input((3, 55, 47))
    maps = keras.layers.Conv2D(2, 3, name="conv", data_format="channels_first")(pixels)
    flat = keras.layers.Flatten(name="flat")(Attention(name="att")(maps))
    return keras.Model(pixels, keras.layers.Dense(2, name="out")(flat))
"""


@pytest.fixture
def model(workspace, monkeypatch):
    """The model of a user's code, which takes channels first and 55 rows by 47 columns."""
    (workspace.folder / "mynets.py").write_text(CODE)
    monkeypatch.syspath_prepend(workspace.folder)
    return importlib.import_module("mynets").build()


def add(workspace, size, **network):
    spec = {"size": size, "channels": 3}
    workspace.config["networks"]["net"] = {"label": "Own", "input": spec, "stages": STAGES}
    workspace.config["networks"]["net"] |= network


def test_code_with_channels_first_and_a_picture_that_is_not_square(workspace, model):
    model.save_weights(workspace.folder / "net.weights.h5")
    add(workspace, [55, 47], keras="mynets:build", weights="./net.weights.h5")
    workspace.make(RECORD[0])
    with store.open_read(workspace.folder / RECORD[0], "activations") as file:
        group = file["out"]
        answers, ids = group["activation"][:], store.read_column(group["stimulus_id"])
    for answer, name in zip(answers, ids, strict=True):
        picture = Image.open(workspace.folder / "own" / name).convert("RGB")
        pixels = np.asarray(picture.resize((47, 55), Image.Resampling.BILINEAR)) / np.float32(255)
        expected = model(pixels.transpose(2, 0, 1)[None])
        np.testing.assert_allclose(answer, expected[0], rtol=1e-3, atol=1e-4)


def test_a_class_that_is_not_in_the_file(workspace, model):
    model.save(workspace.folder / "net.keras")
    add(workspace, [55, 47], keras="net.keras")
    workspace.refuse_job(
        *RECORD,
        "net.keras: Keras",
        "layer 'att' is of the class Attention, whose code is not in the file",
        "'keras: package.module:function'",
    )


def test_a_saved_model(workspace):
    (workspace.folder / "saved").mkdir()
    (workspace.folder / "saved/saved_model.pb").write_bytes(b"")
    add(workspace, 8, keras="saved")
    workspace.refuse_job(*RECORD, "saved: is a SavedModel of TensorFlow")
