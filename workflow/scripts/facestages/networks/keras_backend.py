"""Keras models as networks to record from."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterable, Sequence

import numpy as np

from facestages.errors import FacestagesError
from facestages.networks.catalogue import InputSpec
from facestages.networks.inputs import prepare_images
from facestages.networks.quiet_keras import keras


class KerasNetwork:
    """A Keras model whose layers can be recorded.

    Parameters
    ----------
    name : str
        Its name in the config.
    model : keras.Model
        A functional model with one input.
    input : InputSpec
        What it expects.

    Attributes
    ----------
    layers : dict of str to tuple of int
        Output shape of every layer, without the batch axis, from input to output.
    """

    def __init__(self, name: str, model: keras.Model, input: InputSpec) -> None:
        self.name = name
        self.model = model
        self.input = input
        self.layers = {
            layer.name: tuple(layer.output.shape[1:])
            for layer in model.layers
            if not isinstance(layer, keras.layers.InputLayer)
        }
        self._recorders: dict[tuple[str, ...], keras.Model] = {}
        if any(None in shape for shape in self.layers.values()):
            # A model for inputs of any size: its shapes are those for the size it is given.
            outputs = self.record(np.zeros((1, input.size, input.size), np.uint8), [*self.layers])
            self.layers = {layer: output.shape[1:] for layer, output in outputs.items()}

    @property
    def weights_digest(self) -> str:
        """SHA-256 of all weights, in the model's order."""
        return digest_arrays(self.model.get_weights())

    def record(self, images: np.ndarray, layers: Sequence[str]) -> dict[str, np.ndarray]:
        """Output of the layers for some pictures, in one forward pass in inference mode.

        Parameters
        ----------
        images : numpy.ndarray of uint8, shape (n, rows, columns[, 3])
        layers : sequence of str

        Returns
        -------
        dict of str to numpy.ndarray of float32, shape (n, *layer shape)
        """
        batch = prepare_images(images, self.input)
        outputs = self._recorder(tuple(layers)).predict_on_batch(batch)
        return {layer: np.asarray(outputs[layer]) for layer in layers}

    def _recorder(self, layers: tuple[str, ...]) -> keras.Model:
        # Built once: a new model for each batch would be traced and compiled for each batch.
        if layers not in self._recorders:
            outputs = {layer: self.model.get_layer(layer).output for layer in layers}
            recorder = keras.Model(self.model.inputs, outputs)
            # XLA on a CPU is slower here and compiles for every batch size.
            recorder.jit_compile = keras.config.backend() == "jax"
            self._recorders[layers] = recorder
        return self._recorders[layers]


def digest_arrays(arrays: Iterable[np.ndarray]) -> str:
    """SHA-256 of the shapes and bytes of some arrays."""
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(str(array.shape).encode())
        sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()


def load_keras(path: str | os.PathLike) -> keras.Model:
    """Load a Keras file without running anything that it might carry.

    Raises
    ------
    FacestagesError
        If the file is missing or cannot be loaded in safe mode.
    """
    if not os.path.exists(path):
        raise FacestagesError(f"{path}: no such file; check the network's 'weights' in the config")
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, TypeError, KeyError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "unknown reason"
        # Keras says "not found" of a file that is there but is not what its name promises.
        if str(path).endswith(".keras") and not zipfile.is_zipfile(path):
            reason = "it is no zip file, or not all of one"
        raise FacestagesError(
            f"{path}: Keras cannot load it in safe mode ({reason}). Save the model again with "
            f"model.save, or correct the path in the config"
        ) from error
