"""Models written as Keras 2 wrote them, in both of its formats.

What differs was read from files that tf_keras 2.21 wrote.
"""

import json
import zipfile

import h5py

# Arguments that Keras 3 does not know, with the values that Keras 2 wrote by default.
MORE = {
    "DepthwiseConv2D": {"groups": 1},
    "SeparableConv2D": {"groups": 1, "kernel_regularizer": None},
    "GRU": {"time_major": False, "implementation": 2},
    "RandomFlip": {"rng_type": "stateful"},
}
MODELS = ("Functional", "Sequential")


def save(model, path):
    """Save a model to ``.keras`` or ``.h5``, with the description that Keras 2 wrote."""
    model.save(path)
    edit(path, as_keras_2, "2.13.1")


def edit(path, change, version=None):
    """Change a saved model's description, and the version of Keras that wrote it."""
    if str(path).endswith(".h5"):
        with h5py.File(path, "r+") as file:
            description = change(json.loads(file.attrs["model_config"]))
            file.attrs["model_config"] = json.dumps(description)
            file.attrs["keras_version"] = version or file.attrs["keras_version"]
        return
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["config.json"] = json.dumps(change(json.loads(parts["config.json"])))
    if version:
        parts["metadata.json"] = json.dumps({"keras_version": version})
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def as_keras_2(layer):
    """The description of a layer or model, as Keras 2 wrote it."""
    kind, config = layer["class_name"], dict(layer["config"])
    if isinstance(config.get("dtype"), dict):
        config["dtype"] = "float32"
    if kind == "InputLayer":
        config["batch_input_shape"] = config.pop("batch_shape")
    elif "layers" in config:
        inside = {each["config"]["name"] for each in config["layers"] if is_model(each)}
        config["layers"] = [as_keras_2(each) for each in config["layers"]]
        for each in config["layers"]:
            if each.get("inbound_nodes"):
                # The call that built a model inside counted as its first.
                each["inbound_nodes"] = [
                    [[name, call + (name in inside), at, {}] for name, call, at in history(node)]
                    for node in each["inbound_nodes"]
                ]
        if kind == "Functional":
            for ends in ("input_layers", "output_layers"):
                if isinstance(config[ends][0], str):
                    config[ends] = [config[ends]]
            layer = {**layer, "module": "keras.src.engine.functional"}
    elif kind == "BatchNormalization":
        config["axis"] = [3]
    return {**layer, "config": {**config, **MORE.get(kind, {})}}


def is_model(layer):
    return layer["class_name"] in MODELS


def history(node):
    """Layer, call and output behind each tensor in the arguments of one call."""
    if isinstance(node, dict) and "keras_history" in node:
        return [node["keras_history"]]
    parts = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [link for part in parts for link in history(part)]
