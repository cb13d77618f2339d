"""The layers of a PyTorch module, found by forward passes with other numbers of pictures."""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch.nn.utils.parametrize import ParametrizationList

from facestages.networks.tokens import name_choices, whole_layer

#: Numbers of pictures in the passes. One would not do, as many modules squeeze its axis.
SIZES = (2, 3)


class Source(NamedTuple):
    """Where the values of a layer come about in a forward pass."""

    #: Name of the module.
    module: str
    #: Which of the module's calls it is, from 1.
    call: int
    #: Place of the tensor in what the module returns: ``""``, ``[0]``, ``[logits]``.
    place: str
    #: The tensor's axis of pictures.
    axis: int

    def find(self, output: Any) -> torch.Tensor | None:
        """The tensor in what the module has returned, None if there is none."""
        return dict(tensors_in(output)).get(self.place)


class Layers(NamedTuple):
    """What the forward passes have shown."""

    #: Source of every layer, and of every part of one, in the order in which they come about.
    sources: dict[str, Source]
    #: Their shapes, without the axis of pictures, and those of choices among tokens.
    shapes: dict[str, tuple[int, ...]]
    #: Why other outputs of modules, and other modules, cannot be recorded.
    unlisted: dict[str, str]


# Their outputs may have as many rows as there are pictures by chance.
_TABLES = torch.nn.Embedding, torch.nn.EmbeddingBag, ParametrizationList

#: By module and number of the call: shape of each tensor, by its place, or why it is no layer.
Calls = dict[tuple[str, int], dict[str, tuple[int, ...] | str]]


def tensors_in(output: Any, place: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    """Place and tensor of all tensors in what a module returns."""
    if isinstance(output, torch.Tensor):
        yield place, output
    elif dataclasses.is_dataclass(output) and not isinstance(output, Mapping):
        names = [field.name for field in dataclasses.fields(output)]
        output = {name: getattr(output, name) for name in names}
    if isinstance(output, Mapping):
        items = output.items()
    else:
        items = enumerate(output) if isinstance(output, tuple | list) else ()
    for key, item in items:
        yield from tensors_in(item, f"{place}[{key}]")


@contextmanager
def watch(
    modules: Mapping[str, torch.nn.Module], see: Callable[[str, int, tuple, Any], Any]
) -> Iterator[None]:
    """Call ``see(name, call, inputs, output)`` whenever one of the modules has run.

    `call` counts the calls of each module from 1. If `see` returns anything, it replaces the
    output. Forward passes of other threads do not call it.
    """
    thread, calls = threading.get_ident(), Counter()

    def hook_of(name):
        def hook(module, inputs, output):
            if threading.get_ident() != thread:
                return None
            calls[name] += 1
            return see(name, calls[name], inputs, output)

        return hook

    hooks = [
        module.register_forward_hook(hook_of(name))
        for name, module in modules.items()
        if not isinstance(module, torch.jit.ScriptModule)
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def list_calls(modules: Mapping[str, torch.nn.Module], run: Callable[[], Any]) -> Calls:
    """What each call of a module returns in a forward pass, in the order in which they finish."""
    calls: Calls = {}

    def see(name: str, call: int, _, output: Any) -> None:
        found = {place: _shape_or_problem(tensor) for place, tensor in tensors_in(output)}
        calls[name, call] = found or {"": f"it returns a {type(output).__name__} without a tensor"}

    with watch(modules, see):
        run()
    return calls


def _shape_or_problem(tensor: torch.Tensor) -> tuple[int, ...] | str:
    if tensor.layout != torch.strided or tensor.is_nested:
        return "its output is a sparse or nested tensor"
    if tensor.is_complex():
        return "its output is of complex numbers"
    return tuple(tensor.shape) if tensor.numel() else "its output is empty"


def is_plain(modules: Mapping[str, torch.nn.Module], calls: Calls) -> bool:
    """Whether the first pass leaves no doubt about the axis of pictures.

    It is always the first axis then, and no other has its length.
    """
    if any(isinstance(modules[name], _TABLES) for name, _ in calls):
        return False
    shapes = [shape for tensors in calls.values() for shape in tensors.values()]
    return all(
        isinstance(s, tuple) and s[:1] == SIZES[:1] and SIZES[0] not in s[1:] for s in shapes
    )


def find_layers(
    modules: Mapping[str, torch.nn.Module], first: Calls, second: Calls | None = None
) -> Layers:
    """The layers of a module, by forward passes with numbers of pictures `SIZES`.

    The second pass is needed unless the first one `is_plain`. A module whose output holds several
    tensors is a layer by the first that has an axis of pictures. Each tensor has a name of its own,
    too: ``block[0]``, ``block[1]``.
    """
    sources: dict[str, Source] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    unlisted: dict[str, str] = {}
    times = Counter(name for name, _ in first) | Counter(name for name, _ in second or ())
    for (name, call), tensors in first.items():
        layer = name if times[name] == 1 else f"{name}#{call}"
        others = {} if second is None else second.get((name, call), {})
        for place, shape in tensors.items():
            axis = 0 if second is None else _picture_axis(shape, others.get(place))
            axis = _name_problem(layer + place) or axis
            if isinstance(axis, str):
                unlisted[layer + place] = axis
                continue
            for each in dict.fromkeys((layer, layer + place)):
                if each not in sources:
                    sources[each] = Source(name, call, place, axis)
                    shapes[each] = (*shape[:axis], *shape[axis + 1 :])
        if layer not in sources and layer not in unlisted:
            unlisted[layer] = next(unlisted[layer + place] for place in tensors)
    ran = {name for name, _ in first}
    for name, module in modules.items():
        if name not in ran and (problem := _why_not_run(name, module, modules)):
            unlisted[name] = problem
    return Layers(sources, name_choices(shapes), unlisted)


def _name_problem(layer: str) -> str:
    """Why a layer of this name cannot be recorded; empty if it can."""
    if "/" in layer:
        return "its name has a /, which files of results take for a path"
    if layer != whole_layer(layer):
        return "its name ends as that of a choice among tokens"
    return ""


def _picture_axis(shape: tuple[int, ...] | str, other: tuple[int, ...] | str | None) -> int | str:
    """The axis whose length is the number of pictures, or why there is none."""
    if isinstance(shape, str):
        return shape
    if not isinstance(other, tuple) or len(other) != len(shape):
        return "whether it runs, or what it returns, depends on the pictures"
    lengths = list(zip(shape, other, strict=True))
    changing = [axis for axis, pair in enumerate(lengths) if pair[0] != pair[1]]
    if len(changing) == 1 and lengths[changing[0]] == SIZES:
        return changing[0]
    words = "x".join(map(str, shape)) or "one number"
    if not changing:
        return f"its output ({words}) is the same for any number of pictures"
    return f"its output for {SIZES[0]} pictures is {words}, without an axis of one row a picture"


def _why_not_run(name: str, module: torch.nn.Module, modules: Mapping[str, torch.nn.Module]) -> str:
    """Why no hook saw a module; nothing for a mere list of modules."""
    if isinstance(module, torch.nn.ModuleList | torch.nn.ModuleDict):
        return ""
    above, _, last = name.rpartition(".")
    if isinstance(module, torch.jit.ScriptModule):
        return "TorchScript takes no hooks; give the Python code of the module"
    if isinstance(modules.get(above), torch.nn.MultiheadAttention):
        return f"attention computes '{last}' as a part of itself; name '{above}'"
    return "it does not run in a forward pass, or not as a layer of its own"
