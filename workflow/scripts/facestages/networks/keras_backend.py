"""Keras models as networks whose layers can be recorded."""

from __future__ import annotations

import contextlib
import hashlib
import math
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from facestages.architectures import InputSpec
from facestages.errors import FacestagesError, shorten
from facestages.networks import is_kernel, no_gradient, require_spatial
from facestages.networks.devices import count_gpus, use_full_float32
from facestages.networks.forward_passes import CHECK_INPUT, forward_pass, record_within_memory
from facestages.networks.inputs import prepare_images
from facestages.networks.keras_graph import (
    find_calls,
    find_parts,
    flatten,
    has_channels_first,
    make_functional,
    may_change_rows,
    puts_channels_first,
)
from facestages.networks.own_code import call_function
from facestages.networks.quiet_keras import keras
from facestages.networks.tokens import name_choices, take, whole_layer

# Pictures in a forward pass. On a processor, larger batches are no faster.
_BATCH, _GPU_BATCH = 16, 64
# Values of a layer for a picture: 64 channels of 1024 x 1024. A batch of them has 4 GB.
_MOST_VALUES = 1 << 26
# Pictures that tell rows apart from other lengths.
_ROWS = 2


class KerasNetwork:
    """A Keras model as a `networks.Network`.

    Its layers are those of the model and of models inside it, and functional operations. A layer
    that is called several times counts once for each call: ``relu#1``, ``relu#2``. One that returns
    several tensors is a layer by the first, and each has a name of its own, too: ``lstm[0]``,
    ``lstm[1]``. Shared parameters count once in ``n_parameters``.

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
        model = make_functional(name, model, input)
        self._shape = _shape_taken(name, model, input)
        self._tensors: dict[str, keras.KerasTensor] = {}
        self.kinds: dict[str, str] = {}
        self.parameters: dict[str, int] = {}
        self._graph = flatten(model)
        # Not every processor convolves maps whose channels come first; what XLA compiles, all do.
        self._use_xla = not on_gpu and any(map(puts_channels_first, self._graph.operations))
        self.unlisted: dict[str, str] = {}
        for layer, operation, tensor in find_calls(self._graph):
            if tensor.shape[:1] != self._graph.inputs[0].shape[:1]:
                self.unlisted[layer] = "its output is the same for any number of pictures"
                continue
            self._tensors[layer] = tensor
            self.kinds[layer] = type(operation).__name__
            of_layer = isinstance(operation, keras.layers.Layer)
            self.parameters[layer] = operation.count_params() if of_layer else 0
        self.unlisted |= find_parts(self._graph)
        self.n_parameters = model.count_params()
        self.layers = {layer: tuple(tensor.shape[1:]) for layer, tensor in self._tensors.items()}
        self._recorders: dict[tuple[str, ...], Callable] = {}
        self._building = threading.Lock()
        self._gradients: dict[tuple[str, ...], Callable] = {}
        if any(map(may_change_rows, self._graph.operations)) or any(
            None in shape for shape in self.layers.values()
        ):
            self._measure()
        _require_small_layers(name, self.layers)
        self.layers = name_choices(self.layers)
        for of in (self.kinds, self.parameters):
            of |= {layer: of[whole_layer(layer)] for layer in self.layers}

    def _measure(self) -> None:
        """Find the shapes of layers for inputs of any size, and layers without an axis of rows."""
        pictures = keras.KerasTensor((_ROWS, *self._shape))
        model = keras.Model(self._graph.inputs, self._tensors)
        shapes = {layer: tuple(output.shape) for layer, output in model(pictures).items()}
        self.layers = {layer: shape[1:] for layer, shape in shapes.items() if shape[0] == _ROWS}
        self.unlisted |= {
            layer: f"its output for {_ROWS} pictures has {shape[0]} rows"
            for layer, shape in shapes.items()
            if shape[0] != _ROWS
        }

    @property
    def weights_digest(self) -> str:
        """SHA-256 of all weights, in the model's order."""
        return digest_arrays(self.model.get_weights())

    def record(self, images: np.ndarray, layers: Sequence[str]) -> dict[str, np.ndarray]:
        """See `networks.Network.record`."""
        return record_within_memory(self, self._record, images, layers)

    def _record(self, images: np.ndarray, layers: Sequence[str]) -> dict[str, np.ndarray]:
        batch = self._prepare(images)
        whole = tuple(dict.fromkeys(map(whole_layer, layers)))
        with forward_pass(self.name):
            outputs = self._recorder(whole)(batch)
        outputs = {layer: np.asarray(output, np.float32) for layer, output in outputs.items()}
        for layer, output in outputs.items():
            if len(output) != len(images):
                raise FacestagesError(
                    f"network {self.name}: layer '{layer}' gives {len(output)} rows for "
                    f"{len(images)} pictures; name a layer with one row a picture"
                )
        return {layer: take(layer, outputs[whole_layer(layer)]) for layer in layers}

    def _prepare(self, images: np.ndarray) -> np.ndarray:
        """Pictures (n, ...) float32, with channels where the model takes them."""
        batch = prepare_images(images, self.input)
        return batch if self._shape == self.input.shape else np.moveaxis(batch, 3, 1)

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
        # again. XLA is not used without need, as it is slower on a processor.
        call = tf.function(
            lambda batch: model(batch, training=False),
            input_signature=[self._batch_signature()],
            autograph=False,
            jit_compile=self._use_xla,
        )
        return lambda batch: {layer: output.numpy() for layer, output in call(batch).items()}

    def _batch_signature(self):
        import tensorflow as tf

        return tf.TensorSpec((None, *self._shape), tf.float32)

    def differentiate(
        self, images: np.ndarray, layers: Sequence[str], output: str, units: np.ndarray
    ) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """See `networks.Network.differentiate`. Keras must run on TensorFlow."""
        require_spatial(self.name, self.layers, layers)
        key = (*layers, output)
        if key not in self._gradients:
            self._gradients[key] = self._gradient(layers, output)
        batch = self._prepare(images)
        with forward_pass(self.name):
            activations, gradients = self._gradients[key](batch, np.asarray(units, np.int32))
        pairs = {}
        for layer, activation, gradient in zip(layers, activations, gradients, strict=True):
            if gradient is None:
                raise no_gradient(self.name, output, layer)
            pair = np.asarray(activation, np.float32), np.asarray(gradient, np.float32)
            if has_channels_first(self._tensors[layer], self._shape != self.input.shape):
                pair = tuple(np.moveaxis(values, 1, 3) for values in pair)
            pairs[layer] = pair
        return pairs

    def _gradient(self, layers: Sequence[str], output: str) -> Callable:
        """Function of a batch and of one unit for each picture, which `differentiate` calls."""
        if keras.config.backend() != "tensorflow":
            raise FacestagesError(
                f"network {self.name}: gradients need Keras on TensorFlow, not on "
                f"{keras.config.backend()}; take it out of KERAS_BACKEND"
            )
        import tensorflow as tf

        before, finish = _split_softmax(self._tensors[whole_layer(output)])
        model = keras.Model(self._graph.inputs, [self._tensors[name] for name in layers] + [before])

        @tf.function(
            input_signature=[self._batch_signature(), tf.TensorSpec((None,), tf.int32)],
            autograph=False,
            jit_compile=self._use_xla,
        )
        def differentiate(batch, units):
            with tf.GradientTape() as tape:
                # Watched, the input gives every layer a gradient, even if all weights are frozen.
                tape.watch(batch)
                *activations, last = model(batch, training=False)
                logits = take(output, finish(last))
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


def build_model(name: str, address: str, input: InputSpec, seed: int) -> keras.Model:
    """Build a network's model with a function of the user's, see `own_code.call_function`."""
    where = f"networks.{name}.keras"
    keras.utils.set_random_seed(seed)
    model = call_function(address, where=where)
    if not isinstance(model, keras.Model):
        raise FacestagesError(
            f"{where} = '{address}': returns a {type(model).__name__}, not a keras.Model"
        )
    if not model.built:
        with forward_pass(name, CHECK_INPUT):
            model(keras.Input(input.shape))
    return model


def _shape_taken(name: str, model: keras.Model, input: InputSpec) -> tuple[int, int, int]:
    """Shape of a picture as the model takes it: (rows, columns, channels) or channels first.

    Raises
    ------
    FacestagesError
        If the model takes no such picture.
    """
    rows, columns, channels = input.shape
    taken = [tuple(tensor.shape[1:]) for tensor in model.inputs]
    for shape in ((rows, columns, channels), (channels, rows, columns)):
        if len(taken) == 1 and len(taken[0]) == 3 and _agree(taken[0], shape):
            return shape
    shapes = " and ".join("x".join(map(str, shape)).replace("None", "?") for shape in taken)
    raise FacestagesError(
        f"network {name}: takes {shapes}, not one picture of {'x'.join(map(str, input.shape))}. "
        f"{_right_input(taken, input)}"
    )


def _agree(taken: Sequence[int | None], shape: Sequence[int]) -> bool:
    return all(length in (None, own) for length, own in zip(taken, shape, strict=True))


def _right_input(taken: Sequence[tuple[int | None, ...]], input: InputSpec) -> str:
    """What the config should say, for a message."""
    if len(taken) == 1 and len(taken[0]) == 3:
        for *sides, channels in (taken[0], (*taken[0][1:], taken[0][0])):
            if channels in (1, 3):
                rows, columns = (a or b for a, b in zip(sides, input.shape, strict=False))
                size = rows if rows == columns else f"[{rows}, {columns}]"
                right = f"{{size: {size}, channels: {channels}, scaling: {input.scaling}}}"
                return f"Write in the config: 'input: {right}'"
    return (
        "Only networks that take one picture, grey or RGB, can be recorded. Build one around it "
        "with a function of yours, 'keras: package.module:function'"
    )


def _require_small_layers(name: str, layers: Mapping[str, tuple[int | None, ...]]) -> None:
    """Refuse a model whose layers, which need no weights for it, blow a picture up."""
    for layer, shape in layers.items():
        n_values = math.prod(length or 1 for length in shape)
        if n_values > _MOST_VALUES:
            raise FacestagesError(
                f"network {name}: layer '{shorten(layer)}' has {n_values / 1e6:,.0f} million "
                f"values for a picture, and at most {_MOST_VALUES / 1e6:,.0f} million are "
                f"computed. Is its file damaged?"
            )


def digest_arrays(arrays: Iterable[np.ndarray]) -> str:
    """SHA-256 of the shapes and bytes of some arrays."""
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(str(array.shape).encode())
        sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()
