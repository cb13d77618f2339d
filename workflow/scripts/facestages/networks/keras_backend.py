"""Keras models as networks whose layers can be recorded."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from facestages.architectures import InputSpec
from facestages.errors import FacestagesError
from facestages.networks import is_kernel, require_spatial
from facestages.networks.devices import count_gpus, use_full_float32
from facestages.networks.inputs import prepare_images
from facestages.networks.quiet_keras import keras

# Pictures in a forward pass. On a processor, larger batches are no faster.
_BATCH, _GPU_BATCH = 16, 64


class KerasNetwork:
    """A Keras model as a `networks.Network`.

    Its layers are those of the model and of models inside it, and functional operations. A layer
    that is called several times counts once for each call: ``relu#1``, ``relu#2``. Shared
    parameters count once in ``n_parameters``.

    Parameters
    ----------
    name : str
        Its name in the config.
    model : keras.Model
        A functional or sequential model with one input.
    input : InputSpec
        Size, channels and scaling of the input.

    Raises
    ------
    FacestagesError
        If the model is not made of layers, or its input is not as `input` says.
    """

    def __init__(self, name: str, model: keras.Model, input: InputSpec) -> None:
        backend = keras.config.backend()
        use_full_float32(backend)
        on_gpu = count_gpus(backend) > 0
        self.batch = _GPU_BATCH if on_gpu else _BATCH
        self.side_by_side = backend == "tensorflow" and not on_gpu
        self.name = name
        self.model = model
        self.input = input
        _check_input(name, model, input)
        self._tensors: dict[str, keras.KerasTensor] = {}
        self.kinds: dict[str, str] = {}
        self.parameters: dict[str, int] = {}
        self._graph = _flatten(model)
        for layer, operation, tensor in _calls(self._graph):
            self._tensors[layer] = tensor
            self.kinds[layer] = type(operation).__name__
            of_layer = isinstance(operation, keras.layers.Layer)
            self.parameters[layer] = operation.count_params() if of_layer else 0
        self.n_parameters = model.count_params()
        self.layers = {layer: tuple(tensor.shape[1:]) for layer, tensor in self._tensors.items()}
        self._recorders: dict[tuple[str, ...], Callable] = {}
        self._building = threading.Lock()
        self._gradients: dict[tuple[str, ...], Callable] = {}
        if any(None in shape for shape in self.layers.values()):
            # A model for inputs of any size has the shapes of its layers only after a record.
            outputs = self.record(np.zeros((1, input.size, input.size), np.uint8), [*self.layers])
            self.layers = {layer: output.shape[1:] for layer, output in outputs.items()}

    @property
    def weights_digest(self) -> str:
        """SHA-256 of all weights, in the model's order."""
        return digest_arrays(self.model.get_weights())

    def record(self, images: np.ndarray, layers: Sequence[str]) -> dict[str, np.ndarray]:
        """See `networks.Network.record`."""
        batch = prepare_images(images, self.input)
        outputs = self._recorder(tuple(layers))(batch)
        return {layer: np.asarray(outputs[layer], np.float32) for layer in layers}

    def _recorder(self, layers: tuple[str, ...]) -> Callable[[np.ndarray], dict]:
        """Function of a batch that returns the layers' outputs as arrays; built once."""
        # One thread builds it while the others wait.
        with self._building:
            if layers not in self._recorders:
                outputs = {layer: self._tensors[layer] for layer in layers}
                self._recorders[layers] = self._compile(keras.Model(self._graph.inputs, outputs))
        return self._recorders[layers]

    def _compile(self, model: keras.Model) -> Callable[[np.ndarray], dict]:
        if keras.config.backend() != "tensorflow":
            model.jit_compile = keras.config.backend() == "jax"
            return model.predict_on_batch
        import tensorflow as tf

        # The signature allows any number of pictures, so that a smaller last batch is not compiled
        # again. XLA is not used, as it is slower on a processor.
        call = tf.function(
            lambda batch: model(batch, training=False),
            input_signature=[self._batch_signature()],
            autograph=False,
        )
        return lambda batch: {layer: output.numpy() for layer, output in call(batch).items()}

    def _batch_signature(self):
        import tensorflow as tf

        side, channels = self.input.size, self.input.channels
        return tf.TensorSpec((None, side, side, channels), tf.float32)

    def differentiate(
        self, images: np.ndarray, layers: Sequence[str], output: str, units: np.ndarray
    ) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """See `networks.Network.differentiate`. Keras must run on TensorFlow."""
        require_spatial(self.name, self.layers, layers)
        key = (*layers, output)
        if key not in self._gradients:
            self._gradients[key] = self._gradient(layers, output)
        batch = prepare_images(images, self.input)
        activations, gradients = self._gradients[key](batch, np.asarray(units, np.int32))
        pairs = {}
        for layer, activation, gradient in zip(layers, activations, gradients, strict=True):
            if gradient is None:
                raise FacestagesError(
                    f"network {self.name}: '{output}' does not depend on layer '{layer}', or not "
                    f"smoothly; name a layer before it"
                )
            pairs[layer] = np.asarray(activation, np.float32), np.asarray(gradient, np.float32)
        return pairs

    def _gradient(self, layers: Sequence[str], output: str) -> Callable:
        """Function of a batch and of one unit for each picture, which `differentiate` calls."""
        if keras.config.backend() != "tensorflow":
            raise FacestagesError(
                f"network {self.name}: gradients need Keras on TensorFlow, not on "
                f"{keras.config.backend()}; take it out of KERAS_BACKEND"
            )
        import tensorflow as tf

        before, finish = _split_softmax(self._tensors[output])
        model = keras.Model(self._graph.inputs, [self._tensors[name] for name in layers] + [before])

        @tf.function(
            input_signature=[self._batch_signature(), tf.TensorSpec((None,), tf.int32)],
            autograph=False,
        )
        def differentiate(batch, units):
            with tf.GradientTape() as tape:
                # Watched, the input gives every layer a gradient, even if all weights are frozen.
                tape.watch(batch)
                *activations, last = model(batch, training=False)
                logits = finish(last)
                logits = tf.reshape(logits, (tf.shape(logits)[0], -1))
                chosen = tf.gather(logits, units, batch_dims=1)
            return activations, tape.gradient(chosen, activations)

        return differentiate

    @contextlib.contextmanager
    def randomised(self, seed: int) -> Iterator[None]:
        """See `networks.Network.randomised`."""
        kernels = [weight for weight in self.model.weights if is_kernel(weight.shape)]
        kept = [(weight, keras.ops.convert_to_numpy(weight)) for weight in kernels]
        rng = np.random.default_rng(seed)
        try:
            for weight, values in kept:
                weight.assign(rng.permutation(values.ravel()).reshape(values.shape))
            yield
        finally:
            for weight, values in kept:
                weight.assign(values)


def _split_softmax(output: keras.KerasTensor) -> tuple[keras.KerasTensor, Callable]:
    """A tensor before a model's output, and the function that computes the logits from it.

    That function calls the output layer without its softmax, so the layer keeps its weights.
    """
    operation, node = output._keras_history[:2]
    before = operation._inbound_nodes[node].input_tensors[0]
    if type(operation).__name__ == "Softmax":
        return before, lambda x: x
    activation = getattr(operation, "activation", None)
    if getattr(activation, "__name__", "") not in ("softmax", "log_softmax", "sigmoid"):
        return output, lambda x: x
    if isinstance(operation, keras.layers.Activation):
        return before, lambda x: x

    def call_without_softmax(x):
        operation.activation = keras.activations.linear
        try:
            return operation(x)
        finally:
            operation.activation = activation

    return before, call_without_softmax


def _check_input(name: str, model: keras.Model, input: InputSpec) -> None:
    inputs = getattr(model, "inputs", None)
    if not inputs:
        raise FacestagesError(
            f"network {name}: a {type(model).__name__} does not say what it is made of; only "
            f"functional and sequential Keras models can be recorded"
        )
    wanted = (input.size, input.size, input.channels)
    taken = tuple(inputs[0].shape[1:])
    fits = len(taken) == 3 and all(t in (None, w) for t, w in zip(taken, wanted, strict=True))
    if len(inputs) > 1 or not fits:
        shapes = " and ".join("x".join(map(str, tensor.shape[1:])) for tensor in inputs)
        raise FacestagesError(
            f"network {name}: takes {shapes.replace('None', '?')}, not one picture of "
            f"{'x'.join(map(str, wanted))}. Check 'input' in the config"
        )


def _flatten(model: keras.Model) -> keras.Model:
    """One functional model in which models inside `model` are replaced by their layers.

    If that is impossible, for instance because two layers have one name, they stay one layer each.
    """
    # Only a functional model exposes its graph, so a sequential one is converted.
    graph = keras.Model(model.inputs, model.outputs)
    if not any(isinstance(operation, keras.Model) for operation in graph.operations):
        return graph

    def call_of(operation):
        if not isinstance(operation, keras.Model):
            return operation
        inside = keras.Model(operation.inputs, operation.outputs)

        def call(x, *_, **__):
            outputs = inside._run_through_graph([x], call_of)
            return outputs[0] if len(inside.outputs) == 1 else outputs

        return call

    inputs = [keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype) for tensor in graph.inputs]
    try:
        return keras.Model(inputs, graph._run_through_graph(inputs, call_of))
    except (ValueError, TypeError, AttributeError):
        return graph


def _calls(graph: keras.Model):
    """Layer name, operation and output tensor of every call in a model, in the forward order."""
    nodes = {id(node) for level in graph._nodes_by_depth.values() for node in level}
    for operation in graph.operations:
        if isinstance(operation, keras.layers.InputLayer):
            continue
        # A layer shared with another model has calls there too, which do not count.
        calls = [node for node in operation._inbound_nodes if id(node) in nodes]
        for number, node in enumerate(calls, start=1):
            layer = operation.name if len(calls) == 1 else f"{operation.name}#{number}"
            if len(node.output_tensors) == 1:
                yield layer, operation, node.output_tensors[0]


def digest_arrays(arrays: Iterable[np.ndarray]) -> str:
    """SHA-256 of the shapes and bytes of some arrays."""
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(str(array.shape).encode())
        sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()


def load_keras(path: str | os.PathLike) -> keras.Model:
    """Load a Keras file in safe mode, which runs no code from it."""
    _require_file(path)
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        raise FacestagesError(
            f"{path}: Keras cannot load it in safe mode ({_reason(path, error)}). Save the model "
            f"again with model.save, or correct the path in the config"
        ) from error


def load_weights(model: keras.Model, path: str | os.PathLike) -> None:
    """Load a file of weights alone (``.weights.h5``, ``.h5``) into a model."""
    _require_file(path)
    try:
        model.load_weights(path)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise FacestagesError(
            f"{path}: these are not the weights of {model.name}: {_reason(path, error)}. Correct "
            f"'weights', 'architecture' or 'classes' in the config"
        ) from error


def _require_file(path: str | os.PathLike) -> None:
    if not os.path.exists(path):
        raise FacestagesError(f"{path}: no such file; check the network's 'weights' in the config")


def _reason(path: str | os.PathLike, error: Exception) -> str:
    # Keras says "not found" of an existing file that is not of the kind of its suffix.
    if str(path).endswith(".keras") and not zipfile.is_zipfile(path):
        return "it is no zip file, or not all of one"
    return str(error).strip().splitlines()[0] if str(error).strip() else "unknown reason"
