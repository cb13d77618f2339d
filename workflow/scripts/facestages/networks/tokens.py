"""What can be taken of a layer of tokens, as those of vision transformers.

``norm`` is all tokens of the layer, ``norm@cls`` the first one, which is the class token where a
network has one, and ``norm@mean`` the mean over all tokens. The mean includes a class token, since
a layer's output does not say which of its rows are tokens of the picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

Array = TypeVar("Array")

_TAKEN = {"@cls": lambda tokens: tokens[:, 0], "@mean": lambda tokens: tokens.mean(1)}


def has_tokens(shape: tuple[int, ...]) -> bool:
    """Whether a layer of this shape is taken for tokens: (tokens, features)."""
    return len(shape) == 2 and shape[0] > 1


def name_choices(layers: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """The layers and their shapes; after each layer of tokens, what can be taken of it."""
    named = {}
    for layer, shape in layers.items():
        named[layer] = shape
        if has_tokens(shape):
            named |= {layer + choice: shape[1:] for choice in _TAKEN}
    return named


def whole_layer(layer: str) -> str:
    """The layer that a choice is taken of: ``norm`` for ``norm@cls``, and for itself."""
    return layer.removesuffix(_choice(layer))


def take(layer: str, outputs: Array) -> Array:
    """What a name takes of its layer's outputs (n, tokens, features), of NumPy or a framework."""
    choice = _choice(layer)
    return _TAKEN[choice](outputs) if choice else outputs


def _choice(layer: str) -> str:
    return next((choice for choice in _TAKEN if layer.endswith(choice)), "")
