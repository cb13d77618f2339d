"""The light CNN."""

import keras
import numpy as np
import pytest

from facestages.networks import load_network
from facestages.networks.light_cnn import light_cnn


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


def test_seed_decides_the_weights():
    def digest(seed):
        return load_network(
            "n", architecture="light_cnn", classes=["a", "b"], seed=seed
        ).weights_digest

    assert digest(3) == digest(3)
    assert digest(3) != digest(4)


def test_untrained_networks_of_one_seed_differ_in_the_read_out_alone():
    """So that they are controls of the output's width, with all else equal."""
    three, seven = (light_cnn(classes, seed=5) for classes in (3, 7))
    for layer, other in zip(three.layers[:-1], seven.layers[:-1], strict=True):
        pairs = zip(layer.get_weights(), other.get_weights(), strict=True)
        assert all(np.array_equal(*pair) for pair in pairs), layer.name
