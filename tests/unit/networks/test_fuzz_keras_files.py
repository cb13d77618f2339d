"""Files of Keras, damaged by hypothesis: a network, or one or two lines of what is wrong."""

import json

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hostile_files as hostile
import keras_2_files as keras_2
from damage import altered, damaged, fuzz, sound
from facestages.networks import load_network

FACES = np.random.default_rng(0).integers(0, 256, (2, 8, 8), dtype=np.uint8)

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def model():
    pixels = keras.Input((8, 8, 1))
    maps = keras.layers.Conv2D(2, 3, name="conv", activation="relu")(pixels)
    return keras.Model(pixels, keras.layers.Dense(2, name="out")(keras.layers.Flatten()(maps)))


def record(path):
    network = load_network("net", keras=path, input={"size": 8, "channels": 1})
    return network.record(FACES, list(network.layers)) if network.layers else {}


def check(path):
    outputs = sound(path, record, str(path))
    assert outputs is None or all(len(output) == 2 for output in outputs.values())


@pytest.mark.parametrize("name", ["net.keras", "net.h5"])
def test_bytes(tmp_path, model, name):
    path = tmp_path / name
    model.save(path)
    whole = path.read_bytes()

    @fuzz(15)
    @given(content=damaged(whole))
    def bytes_differ(content):
        path.write_bytes(content)
        check(path)

    bytes_differ()


def test_weights(tmp_path):
    path = tmp_path / "net.weights.h5"
    options = {"architecture": "light_cnn", "classes": ["a", "b"], "weights": str(path)}
    load_network("net", **{**options, "weights": None}).model.save_weights(path)
    # Its arrays take nearly all of it; what describes them lies at both ends.
    whole = path.read_bytes()

    @fuzz(6)
    @given(start=damaged(whole[:8000]), end=damaged(whole[-8000:]), first=st.booleans())
    def bytes_differ(start, end, first):
        path.write_bytes(start + whole[8000:] if first else whole[:-8000] + end)
        network = sound(path, load_network, "net", **options)
        assert network is None or network.layers

    bytes_differ()


@pytest.mark.parametrize("put", [lambda config: config, keras_2.as_keras_2])
def test_description(tmp_path, model, put):
    path = tmp_path / "net.keras"
    model.save_weights(tmp_path / "net.weights.h5")
    weights = (tmp_path / "net.weights.h5").read_bytes()
    model.save(path)
    config = put(json.loads(model.to_json()))

    @fuzz(25)
    @given(changed=altered(config))
    def values_differ(changed):
        path.write_bytes(hostile.keras_file(changed, weights))
        check(path)

    values_differ()
