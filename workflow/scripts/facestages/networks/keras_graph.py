"""The graph of a Keras model: its layers, those of models inside it, and functional operations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from facestages.architectures import InputSpec
from facestages.errors import FacestagesError, name_error
from facestages.networks.quiet_keras import keras


def make_functional(name: str, model: keras.Model, input: InputSpec) -> keras.Model:
    """The model, or of a subclass the functional model of what its ``call`` does to a picture."""
    if getattr(model, "inputs", None):
        return model
    try:
        picture = keras.Input(input.shape)
        outputs = keras.tree.flatten(model.call(picture))
        return keras.Model(picture, [each for each in outputs if each is not None])
    # The code of `call` is the user's.
    except Exception as error:
        raise FacestagesError(
            f"network {name}: the 'call' of {type(model).__name__} cannot be taken apart into "
            f"layers ({name_error(error)}). Use layers and keras.ops alone in it, or return a "
            f"functional model"
        ) from error


def flatten(model: keras.Model) -> keras.Model:
    """One functional model in which models inside `model` are replaced by their layers.

    Layers with the same name get that of their model before it: ``body.conv``. A model of a
    subclass stays one layer.
    """
    # Only a functional model exposes its graph, so a sequential one is converted.
    graph = keras.Model(model.inputs, model.outputs)
    if not any(map(_has_graph, graph.operations)):
        return graph
    _name_apart(graph)

    def call_of(operation):
        if not _has_graph(operation):
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


def _has_graph(operation: keras.Operation) -> bool:
    return isinstance(operation, keras.Model) and bool(getattr(operation, "inputs", None))


def _name_apart(graph: keras.Model) -> None:
    """Give layers of models inside a model that have the same name different ones."""
    paths = {id(operation): (operation, path) for operation, path in _leaves(graph)}
    times = Counter(operation.name for operation, _ in paths.values())
    for operation, path in paths.values():
        if times[operation.name] > 1:
            operation.name = path + operation.name


def _leaves(model: keras.Model, path: str = "") -> Iterator[tuple[keras.Operation, str]]:
    """The operations of a model and of those inside it, and the names of these with dots."""
    for operation in keras.Model(model.inputs, model.outputs).operations:
        if _has_graph(operation):
            yield from _leaves(operation, f"{path}{operation.name}.")
        elif not isinstance(operation, keras.layers.InputLayer):
            yield operation, path


def find_calls(graph: keras.Model):
    """Layer name, operation and output tensor of every call in a model, in the forward order."""
    nodes = {id(node) for level in graph._nodes_by_depth.values() for node in level}
    for operation in graph.operations:
        if isinstance(operation, keras.layers.InputLayer):
            continue
        # A layer shared with another model has calls there too, which do not count.
        calls = [node for node in operation._inbound_nodes if id(node) in nodes]
        for number, node in enumerate(calls, start=1):
            layer = operation.name if len(calls) == 1 else f"{operation.name}#{number}"
            tensors = [tensor for tensor in node.output_tensors if tensor is not None]
            for place, tensor in enumerate(tensors):
                if place == 0:
                    yield layer, operation, tensor
                if len(tensors) > 1:
                    yield f"{layer}[{place}]", operation, tensor


def find_parts(graph: keras.Model) -> dict[str, str]:
    """Why layers inside other layers cannot be recorded, by their names."""
    return {
        f"{layer.name}.{part.name}": f"'{layer.name}' computes it as a part of itself; name that"
        for layer in graph.layers
        for part in layer._flatten_layers(include_self=False)
    }


def may_change_rows(operation: keras.Operation) -> bool:
    """Whether an operation outside layers may turn one row a picture into several."""
    return type(operation).__name__ in ("Reshape", "Transpose") and not isinstance(
        operation, keras.layers.Layer
    )


def puts_channels_first(operation: keras.Operation) -> bool:
    return getattr(operation, "data_format", None) == "channels_first"


def has_channels_first(tensor: keras.KerasTensor, at_input: bool) -> bool:
    """Whether maps have channels first, as the last operation that decides it leaves them;
    `at_input` tells of the model's input."""
    while True:
        operation, node = tensor._keras_history[:2]
        if hasattr(operation, "data_format"):
            return puts_channels_first(operation)
        order = getattr(operation, "dims", None) or (getattr(operation, "axes", None) or ())[1:]
        if tuple(order) in ((3, 1, 2), (2, 3, 1)):
            return tuple(order) == (3, 1, 2)
        before = operation._inbound_nodes[node].input_tensors
        if not before:
            return at_input
        tensor = before[0]
