"""Files of Keras: what declares more than it holds is refused, and what is whole is read."""

import h5py
import keras
import numpy as np
import pytest

import hostile_files as hostile
from facestages.errors import FacestagesError
from facestages.networks.keras_files import load_keras, load_weights


@pytest.fixture
def model():
    pixels = keras.Input((8, 8, 1))
    return keras.Model(pixels, keras.layers.Dense(2, name="out")(pixels))


@pytest.mark.parametrize("name", ["net.keras", "net.h5"])
def test_whole_models_are_read(tmp_path, model, name):
    model.save(tmp_path / name)
    loaded = load_keras(tmp_path / name)
    for before, after in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_weights_that_were_packed_are_read(tmp_path, model):
    model.save_weights(tmp_path / "net.weights.h5")
    with h5py.File(tmp_path / "net.weights.h5", "r+") as file:
        kernel = file[hostile.KERNEL][:]
        del file[hostile.KERNEL]
        file.create_dataset(hostile.KERNEL, data=kernel, compression="gzip")
    model.set_weights([np.zeros((1, 2)), np.zeros(2)])
    load_weights(model, tmp_path / "net.weights.h5")
    np.testing.assert_array_equal(model.get_weights()[0], kernel)


def test_layers_are_counted_before_they_are_made(tmp_path):
    flat = hostile.keras_layer("Flatten", "flat", "pixels", [None, 48, 48, 1])
    dense = hostile.keras_layer("Dense", "out", "flat", [None, 2304], units=2_000_000)
    path = tmp_path / "net.keras"
    path.write_bytes(hostile.keras_file(hostile.keras_config(flat, dense, side=48)))
    add_weight = keras.Layer.add_weight
    with pytest.raises(FacestagesError, match="its weights would take 18,432 MB of memory"):
        load_keras(path)
    assert keras.Layer.add_weight is add_weight


@pytest.mark.parametrize("kind", ["external", "virtual", "link"])
def test_weights_that_lie_elsewhere(tmp_path, model, kind):
    path = tmp_path / "net.weights.h5"
    model.save_weights(tmp_path / "other.weights.h5")
    with h5py.File(path, "w") as file:
        if kind == "external":
            file.create_dataset(hostile.KERNEL, (1, 2), "f4", external=[("/etc/passwd", 0, 8)])
        elif kind == "virtual":
            layout = h5py.VirtualLayout((1, 2), "f4")
            layout[:] = h5py.VirtualSource("other.weights.h5", hostile.KERNEL, (1, 2))
            file.create_virtual_dataset(hostile.KERNEL, layout)
        else:
            file[hostile.KERNEL] = h5py.ExternalLink("other.weights.h5", hostile.KERNEL)
    with pytest.raises(FacestagesError, match=f"'{hostile.KERNEL}' lies in another file"):
        load_weights(model, path)
