"""A MobileNet trained to know people, of HSE-FaceRec, with its weights from TensorFlow.js.

Howard et al.: MobileNets, arXiv:1704.04861, Table 1, width 1. Savchenko: Efficient facial
representations for age, gender and identity recognition in organizing photo albums using
multi-output ConvNet, PeerJ Computer Science 2019, doi:10.7717/peerj-cs.197. Up to
``global_pooling`` it was trained on the identities of VGGFace2; ``feats`` is the first layer of the
heads for age and gender.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import numpy as np

from facestages.bounds import require_size
from facestages.errors import FacestagesError, shorten
from facestages.networks.quiet_keras import keras

#: Channels and stride of each block (Table 1).
BLOCKS = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *((512, 1),) * 5,
    *((1024, 2), (1024, 1)),
)

# The published description has 71,432 bytes.
_LONGEST_DESCRIPTION = 1_000_000

# What a description calls the arrays of a layer: convolutions, depthwise convolutions, dense
# layers. The normalisation of the batch after a convolution is its bias, and of a depthwise one a
# factor as well.
_KERNELS = ("{}/convolution/merged_input", "{}/depthwise_kernel", "{}/kernel")
_FACTOR = "{}_bn/batchnorm_1/mul"
_BIASES = ("{}_bn/batchnorm_1/sub", "{}/bias")


def hse_mobilenet(seed: int = 0) -> keras.Model:
    """Build the untrained MobileNet with heads for age and gender.

    Input 224 x 224 x 3, blue first, less the mean of ImageNet. Normalisation is part of the
    convolutions, as in the published weights. Layers have the names of Keras's MobileNet.

    Parameters
    ----------
    seed : int
        Seed of the initial weights.

    Returns
    -------
    keras.Model
        With 3,484,389 parameters; its outputs are gender (1) and age (100).
    """
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((224, 224, 3), name="input")
    same = {"padding": "same"}
    x = _relu6(keras.layers.Conv2D(32, 3, 2, name="conv1", **same)(inputs), "conv1")
    for number, (channels, stride) in enumerate(BLOCKS, start=1):
        name = f"conv_dw_{number}"
        x = _relu6(keras.layers.DepthwiseConv2D(3, stride, name=name, **same)(x), name)
        name = f"conv_pw_{number}"
        x = _relu6(keras.layers.Conv2D(channels, 1, name=name, **same)(x), name)
    x = keras.layers.GlobalAveragePooling2D(name="global_pooling")(x)
    x = keras.layers.Dense(256, activation="relu", name="feats")(x)
    gender = keras.layers.Dense(1, activation="sigmoid", name="gender_pred")(x)
    age = keras.layers.Dense(100, activation="softmax", name="age_pred")(x)
    return keras.Model(inputs, [gender, age], name="hse_mobilenet")


def _relu6(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return keras.layers.ReLU(6, name=f"{name}_relu")(x)


def load_weights(model: keras.Model, path: str | os.PathLike) -> None:
    """Load the weights of a TensorFlow.js graph model into `hse_mobilenet`.

    Parameters
    ----------
    model : keras.Model
    path : path-like
        The binary file, ``faceres.bin``; its description, ``faceres.json``, lies beside it.

    Raises
    ------
    FacestagesError
        If a file is missing or damaged, or holds the weights of another network.
    """
    arrays = read_arrays(path)
    for layer in model.layers:
        if not layer.weights:
            continue
        kernel = _take(arrays, _KERNELS, layer, path)
        if isinstance(layer, keras.layers.DepthwiseConv2D):
            kernel = kernel * _take(arrays, (_FACTOR,), layer, path)[:, None]
        pair = kernel, _take(arrays, _BIASES, layer, path)
        shapes = [tuple(weight.shape) for weight in layer.weights]
        if [array.shape for array in pair] != shapes:
            found = " and ".join(str(array.shape) for array in pair)
            raise _other_network(path, f"'{layer.name}' has {found}, not {shapes}")
        layer.set_weights(pair)


def read_arrays(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Arrays of float32, by name, of a TensorFlow.js graph model of one binary file.

    Raises
    ------
    FacestagesError
        If the binary or its description is missing, or they do not fit each other.
    """
    path = Path(path)
    description = path.with_suffix(".json")
    try:
        require_size(description, _LONGEST_DESCRIPTION, "a description of weights")
        (group,) = json.loads(description.read_bytes())["weightsManifest"]
        entries = [(each["name"], each["shape"], _stored_type(each)) for each in group["weights"]]
        sizes = [math.prod(shape) * dtype.itemsize for _, shape, dtype in entries]
        content = path.read_bytes()
        if sum(sizes) != len(content):
            raise ValueError(f"{sum(sizes)} bytes are described, {len(content)} are there")
        places = np.cumsum([0, *sizes])
        return {
            name: np.frombuffer(content, dtype, math.prod(shape), place)
            .reshape(shape)
            .astype(np.float32)
            for (name, shape, dtype), place in zip(entries, places[:-1], strict=True)
        }
    except OSError as error:
        raise FacestagesError(
            f"{error.filename}: {error.strerror}. Weights of TensorFlow.js are two files, "
            f"{path.name} and {description.name} in one folder"
        ) from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise FacestagesError(
            f"{path}: {description.name} does not describe it: {shorten(str(error))}. Fetch both "
            f"files again"
        ) from error


def _stored_type(entry: dict) -> np.dtype:
    """How an array is stored: numbers of float16 stand for others."""
    kept = entry.get("quantization", {}).get("dtype", entry["dtype"])
    if kept not in ("float16", "float32", "int32"):
        raise ValueError(f"arrays of {kept} are not read")
    return np.dtype(kept).newbyteorder("<")


def _take(arrays: dict, patterns: tuple[str, ...], layer: keras.Layer, path) -> np.ndarray:
    names = [pattern.format(layer.name) for pattern in patterns]
    found = [arrays[name] for name in names if name in arrays]
    if not found:
        raise _other_network(path, f"nothing is called {' or '.join(names)}")
    return found[0]


def _other_network(path: str | os.PathLike, reason: str) -> FacestagesError:
    return FacestagesError(
        f"{path}: these are not the weights of hse_mobilenet: {reason}. Correct 'weights' or "
        f"'architecture' in the config"
    )
