"""Networks whose file or whose training is no good."""

import numpy as np
import pytest

OWN = {"label": "Own", "input": {"size": 8, "channels": 1}, "stages": {"early": "out"}}


def add_keras(workspace, path):
    workspace.config["networks"]["net"] = {**OWN, "keras": path}


@pytest.fixture
def nan_weights(workspace):
    """A Keras file with one NaN among its weights."""
    import keras

    pixels = keras.Input((8, 8, 1))
    output = keras.layers.Dense(2, name="out")(keras.layers.Flatten()(pixels))
    model = keras.Model(pixels, output)
    weights = model.get_weights()
    weights[0][3, 1] = np.nan
    model.set_weights(weights)
    model.save(workspace.folder / "nan.keras")
    return "nan.keras"


def test_nan_in_activations(workspace, nan_weights):
    add_keras(workspace, nan_weights)
    workspace.refuse_job(
        "results/activations/own/net/seed-0.h5",
        "logs/record_activations/own/net/seed-0.log",
        "network net, layer out: NaN or infinity for picture '0.png'",
        "check 'weights' and 'input'",
    )


@pytest.mark.parametrize("name", ["net.keras", "net.h5"])
def test_weights_that_are_no_keras_file(workspace, name):
    (workspace.folder / name).write_text("not a network")
    add_keras(workspace, name)
    workspace.refuse_job(
        "results/activations/own/net/seed-0.h5",
        "logs/record_activations/own/net/seed-0.log",
        f"{name}: Keras cannot load it",
        "Save the model again",
    )


def test_missing_weights(workspace):
    add_keras(workspace, "nowhere.keras")
    workspace.refuse_config(
        "results/activations/own/net/seed-0.h5",
        "networks.net.keras = 'nowhere.keras': no such file",
        "correct the path",
    )


def test_an_unknown_layer_of_ones_own_network(workspace, nan_weights):
    add_keras(workspace, nan_weights)
    workspace.config["networks"]["net"]["stages"] = {"early": "outt"}
    workspace.refuse_job(
        "results/activations/own/net/seed-0.h5",
        "logs/record_activations/own/net/seed-0.log",
        "network net has no layer 'outt': did you mean 'out'?",
    )


def test_training_on_one_class_only(workspace):
    rows = [(f"{i}.png", f"person {i % 2}", "happy") for i in range(4)]
    workspace.add_table("same", rows)
    workspace.config["networks"]["cnn"] = {
        "label": "CNN",
        "architecture": "light_cnn",
        "classes": ["happy", "sad"],
        "weights": "train",
        "training": {"dataset": "same", "epochs": 1},
        "stages": {"early": "flatten"},
    }
    workspace.refuse_job(
        "results/networks/cnn/seed-0/model.keras",
        "logs/train_network/cnn/seed-0.log",
        "face set 'same' has no picture of class 'sad'",
        "happy",
    )
