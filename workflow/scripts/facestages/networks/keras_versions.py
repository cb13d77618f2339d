"""Descriptions of Keras models by other versions of Keras, put as this version reads them.

A description is what ``model.to_json`` writes. Nothing in it is run, and no weight changes.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from facestages.errors import shorten
from facestages.networks.quiet_keras import keras

# Where versions before 3 had their classes.
_OLD_MODULES = ("tf_keras.", "tensorflow.", "keras.src.engine.", "keras.engine.")
_MODELS = {"Functional": "keras.src.models.functional", "Model": "keras", "Sequential": "keras"}
# Operations outside layers, as Keras 2 wrote them; and what those with a number do to x.
_OLD_OPERATIONS = ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer", "ClassMethod")
_RESCALINGS = {
    "math.multiply": lambda y: {"scale": y, "offset": 0.0},
    "math.truediv": lambda y: {"scale": 1 / y, "offset": 0.0},
    "math.subtract": lambda y: {"scale": 1.0, "offset": -y},
    "__operators__.add": lambda y: {"scale": 1.0, "offset": y},
}
# How a layer computes what it computes, how it is random in training, and how weights come about.
_IDLE = re.compile("implementation|rng_type|.*_(initializer|regularizer|constraint)")


def adapt(description: Mapping[str, Any]) -> dict[str, Any]:
    """Put a model's description as this version of Keras writes it, with the same outputs.

    - Slashes in names of layers become underscores: ``conv1/conv`` is ``conv1_conv``.
    - Arguments that this version lacks go, where their value says that they are not used.
    - Operations with a number outside layers, such as ``x / 255``, become layers.
    - Classes have the modules, and calls of models inside the model the numbers, of this version.
    """
    names = {config["name"] for _, config in _layers(description)}
    renamed = {name: name.replace("/", "_") for name in names if "/" in name}
    return _adapt(description, renamed, has_modules="module" in description)


def problem(description: Mapping[str, Any]) -> str:
    """What in a description keeps this version of Keras from building the model; or nothing."""
    for layer, config in _layers(description):
        kind, name = shorten(layer["class_name"]), shorten(config["name"])
        if kind == "Lambda":
            return f"layer '{name}' is a Lambda, and code that lies in files is not run"
        if kind in _OLD_OPERATIONS:
            return f"'{name}' is an operation outside layers, which only Keras 2 can load"
        if _find_class(layer) is None:
            is_own = not str(layer.get("module")).startswith("keras.")
            lack = "whose code is not in the file" if is_own else "which this version lacks"
            return f"layer '{name}' is of the class {kind}, {lack}"
    return ""


def _layers(node: Any) -> Iterator[tuple[dict, dict]]:
    """Each layer of a description, also of models inside, and its config."""
    if _is_layer(node):
        yield node, node["config"]
    for part in _parts(node):
        yield from _layers(part)


def _is_layer(node: Any) -> bool:
    config = node.get("config") if isinstance(node, dict) else None
    names = (node.get("class_name"), config.get("name")) if isinstance(config, dict) else (None,)
    return all(isinstance(name, str) for name in names)


def _parts(node: Any) -> Iterable:
    if isinstance(node, dict):
        return [part for key, part in node.items() if key not in ("dtype", "compile_config")]
    return node if isinstance(node, list) else ()


def _find_class(layer: Mapping[str, Any]) -> type | None:
    """The class of a layer if it is one of Keras's, in whatever version."""
    kind, module = layer["class_name"], layer.get("module") or "keras"
    if layer.get("registered_name") not in (None, kind) or not isinstance(module, str):
        return None
    if kind in _MODELS:
        return keras.Sequential if kind == "Sequential" else keras.Model
    if not module.startswith(_OLD_MODULES) and module not in ("keras", "keras.layers"):
        # Functional operations are classes of their own.
        return keras.Operation if module.startswith("keras.src.ops.") else None
    found = getattr(keras.layers, kind, None)
    return found if isinstance(found, type) else None


def _arguments(kind: type) -> set[str]:
    """Names of the arguments that a class or those above it take."""
    kinds = [each for each in kind.__mro__ if "__init__" in vars(each)]
    names = [inspect.signature(each.__init__).parameters for each in kinds]
    return {"input_shape", "batch_input_shape"}.union(*names)


def _adapt(node: Any, renamed: Mapping[str, str], has_modules: bool) -> Any:
    if isinstance(node, list):
        return [_adapt(part, renamed, has_modules) for part in node]
    if isinstance(node, str):
        return renamed.get(node, node)
    if not isinstance(node, dict):
        return node
    node = {key: _adapt(part, renamed, has_modules) for key, part in _as_layer(node).items()}
    if node.get("class_name") == "Sequential" and isinstance(node.get("config"), list):
        node["config"] = {"name": "sequential", "layers": node["config"]}
    if not _is_layer(node):
        return node
    kind = _find_class(node)
    if node["class_name"] in _MODELS:
        node["config"] = _number_calls(node["config"])
    elif kind not in (None, keras.Operation):
        node["config"] = _adapt_arguments(kind, node["config"])
    old = str(node.get("module", _OLD_MODULES[0])).startswith(_OLD_MODULES)
    if has_modules and kind and old:
        module = _MODELS.get(node["class_name"], "keras.layers")
        node |= {"module": module, "registered_name": None}
    return node


def _as_layer(node: dict[str, Any]) -> dict[str, Any]:
    """An operation outside layers as the layer that does the same, where one does.

    Before networks of Keras Applications, Keras 2 keeps ``x / 127.5 - 1`` as two operations.
    """
    match node:
        case {
            "class_name": "TFOpLambda",
            "config": {"name": name, "dtype": dtype, "function": function},
            "inbound_nodes": [[before, call, output, {**options}]],
        }:
            number, layer = options.get("y"), None
            if function == "nn.relu":
                layer = "ReLU", {}
            elif function in _RESCALINGS and isinstance(number, (int, float)):
                layer = "Rescaling", _RESCALINGS[function](number)
            if layer:
                kind, config = layer
                config = {"name": name, "dtype": dtype, **config}
                links = [[[before, call, output, {}]]]
                return {"class_name": kind, "config": config, "name": name, "inbound_nodes": links}
    return node


def _adapt_arguments(kind: type, config: dict[str, Any]) -> dict[str, Any]:
    known = _arguments(kind)
    config = dict(config)
    if kind is not keras.layers.InputLayer and "batch_input_shape" in config:
        # The first layer of a Sequential model says what the model takes.
        config["input_shape"] = config.pop("batch_input_shape")[1:]
    if kind is keras.layers.BatchNormalization and isinstance(config.get("axis"), list):
        [config["axis"]] = config["axis"]
    return {
        name: value for name, value in config.items() if name in known or not _is_idle(name, value)
    }


def _is_idle(argument: str, value: Any) -> bool:
    unused = value is None or value is False or (argument, value) == ("groups", 1)
    return unused or bool(_IDLE.fullmatch(argument))


def _number_calls(config: dict[str, Any]) -> dict[str, Any]:
    """Count the calls of each model inside a functional model from 0.

    In Keras 2 the first call, number 0, is the one that built the inner model.
    """
    layers = [layer for layer in config.get("layers", ()) if isinstance(layer, dict)]
    links = [config.get("output_layers"), *(layer.get("inbound_nodes") for layer in layers)]
    for layer in layers:
        if layer.get("class_name") in _MODELS and layer.get("inbound_nodes"):
            places = [link for link in _links(links) if link[0] == layer.get("name")]
            if max((link[1] for link in places), default=0) == len(layer["inbound_nodes"]):
                for link in places:
                    link[1] -= 1
    return config


def _links(node: Any) -> Iterator[list]:
    """Every ``[layer, call, output, ...]`` in a description."""
    if isinstance(node, list) and [type(part) for part in node[:3]] == [str, int, int]:
        yield node
    for part in _parts(node):
        yield from _links(part)
