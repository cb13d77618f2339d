"""Networks whose file or whose training is no good."""

import subprocess
import sys

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
        f"{name}: is no file of Keras, but text, 'not a network'",
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
        "network net: no layer 'outt': did you mean 'out'?",
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


TORCH = """
import torch


def small():
    return torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(inplace=True))
"""
RECORD = ("results/activations/own/net/seed-0.h5", "logs/record_activations/own/net/seed-0.log")


def add_torch(workspace, module, **more):
    """A torch module beside the run, as one section of the config."""
    (workspace.folder / "mynets.py").write_text(TORCH)
    section = {"module": module, "input": {"size": 8, "channels": 1}, **more}
    network = {"label": "Own", "torch": section, "stages": {"early": "1"}}
    workspace.config["networks"]["net"] = network


def save_state(workspace, shapes):
    """A torch file, written in a process of its own: TensorFlow and torch never meet."""
    code = (
        f"import torch; torch.save({{k: torch.zeros(s) for k, s in {shapes!r}.items()}}, 'net.pth')"
    )
    subprocess.run([sys.executable, "-c", code], cwd=workspace.folder, check=True)


def test_a_torch_network_of_ones_own_is_recorded(workspace):
    add_torch(workspace, "mynets:small", weights="./net.pth")
    save_state(workspace, {"0.weight": (2, 1, 3, 3), "0.bias": (2,)})
    workspace.make(RECORD[0])


def test_weights_of_another_torch_network(workspace):
    add_torch(workspace, "mynets:small", weights="./net.pth")
    save_state(workspace, {"0.weight": (2, 1, 5, 5), "1.bias": (2,)})
    said = workspace.refuse_job(*RECORD, "./net.pth: is not a state dict of this module")
    for key in ("0.bias", "1.bias", "2x1x3x3", "2x1x5x5"):
        assert key in said


def test_a_torch_function_that_is_not_there(workspace):
    add_torch(workspace, "mynets:smal")
    workspace.refuse_job(*RECORD, "networks.net.torch = 'mynets:smal'", "package.module:function")


@pytest.mark.parametrize("code", ["import sys; sys.exit(0)", "def small(:", "{}['key']"])
def test_a_module_that_cannot_be_imported(workspace, code):
    """Its traceback is in the log, as the code is the user's."""
    add_torch(workspace, "mynets:small")
    (workspace.folder / "mynets.py").write_text(code)
    result = workspace.refuse(RECORD[0])
    assert "networks.net.torch = 'mynets:small': importing it failed: " in result.stderr


def test_pictures_that_do_not_pass_through(workspace):
    add_torch(workspace, "mynets:small", input={"size": 8, "channels": 3})
    workspace.refuse_job(*RECORD, "a picture of 3x8x8 does not pass", "Check 'input'")


def test_official_weights_with_wrong_bytes(workspace):
    stages = {"early": "maxpool", "final": "fc.1"}
    rmn = {"label": "RMN", "architecture": "resmasknet", "stages": stages}
    workspace.config["networks"]["net"] = rmn | {"weights": {"asset": "resmasknet"}}
    workspace.config["assets"] = {"resmasknet": "mine.pth"}
    (workspace.folder / "mine.pth").write_bytes(b"not those")
    workspace.refuse_job(
        "resources/assets/resmasknet",
        "logs/fetch_asset/resmasknet.log",
        "expected 551634217 bytes, found 9",
    )


def test_a_network_that_is_not_trained(workspace):
    workspace.refuse_config(
        "results/networks/pixels/seed-0/model.keras", "networks.pixels is not trained"
    )


def test_layers_of_no_network(workspace):
    workspace.refuse_config(
        "list_layers", "network: this key is missing: --config network=NAME, one of pixels"
    )
