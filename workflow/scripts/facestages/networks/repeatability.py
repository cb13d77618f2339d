"""Whether a network gives the same output for the same picture, before anything is recorded.

Dropout that is never told of evaluation mode, noise or a random crop in the forward pass give other
numbers in each pass. Batch statistics, or a division by a batch's maximum, give a picture other
numbers beside other pictures. Neither can be measured.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from facestages.errors import FacestagesError
from facestages.networks import Network

# Values of layers that are compared at once, for a picture.
_AT_ONCE = 1 << 22
# Root mean square of a difference, relative to that of the layer. Rounding differs with the number
# of pictures in a pass. It stays a hundred times below the first limit in float32, and below the
# second where a network computes in half precision.
_ROUNDING, _HALF_ROUNDING = 1e-3, 5e-2
# Passes of one picture alone; and where a pass draws random numbers, as these may be coins.
_PASSES, _RANDOM_PASSES = 2, 12
# Values as small as this are rounding themselves.
_NOTHING = 1e-6

_PROBLEMS = {
    "random": (
        "for the same picture changes from pass to pass. Something random, or kept from the pass "
        "before, comes in there or just before it: switch it off in evaluation mode, e.g. "
        "F.dropout(x, training=self.training)"
    ),
    "batch": (
        "for a picture changes with the other pictures of its batch. Take nothing from the batch "
        "there or just before it: e.g. batch normalisation with running statistics"
    ),
}


def require_repeatable(network: Network, images: np.ndarray, layers: Sequence[str]) -> None:
    """Refuse a network whose output for a picture changes from pass to pass, or with the batch.

    A picture is shown beside another one, and twice alone. The other layers are looked at only if
    those wanted differ, so that the message names the first that changes.

    Parameters
    ----------
    network : Network
    images : numpy.ndarray of uint8, shape (n, rows, columns[, 3])
        A batch, of which the first two pictures are taken.
    layers : sequence of str
        The layers that will be recorded.

    Raises
    ------
    FacestagesError
        It names the first layer that changes.
    """
    # The second picture is dark, so that it shows whether the batch has a common scale.
    pictures = np.concatenate([images[:2][:-1], images[:2][-1:] // 2])
    change = _first_change(network, pictures, [layers])
    if change is None:
        return
    first = _first_change(network, pictures, _groups(network))
    if first is None and change[1] == "batch":
        return  # Half precision, which only layers that are not wanted show.
    layer, kind = first or change
    raise FacestagesError(
        f"network {network.name}: layer '{layer}' is the first whose output {_PROBLEMS[kind]}"
    )


def _groups(network: Network) -> Iterator[list[str]]:
    """All layers in their order, as many at once as memory holds."""
    group, values = [], 0
    for layer, shape in network.layers.items():
        if group and values + math.prod(shape) > _AT_ONCE:
            yield group
            group, values = [], 0
        group.append(layer)
        values += math.prod(shape)
    yield group


def _first_change(
    network: Network, pictures: np.ndarray, groups: Iterable[Sequence[str]]
) -> tuple[str, str] | None:
    """The first layer whose output for the last picture changes, and a key of `_PROBLEMS`."""
    limit = _ROUNDING
    for layers in groups:
        state = _random_state()
        beside = network.record(pictures, layers)
        passes = _PASSES if _random_state() == state else _RANDOM_PASSES
        alone = [network.record(pictures[-1:], layers) for _ in range(passes)]
        for layer in layers:
            values, *others = (each[layer] for each in alone)
            if _is_half(values):
                limit = _HALF_ROUNDING
            if any(_difference(values, other) > _ROUNDING for other in others):
                return layer, "random"
            if _difference(values, beside[layer][-1:]) > limit:
                return layer, "batch"
    return None


def _random_state() -> list:
    """State of the random numbers of Python, NumPy and PyTorch."""
    _, keys, *rest = np.random.get_state()
    state = [random.getstate(), keys.tolist(), rest]
    if torch := sys.modules.get("torch"):
        state.append(torch.get_rng_state().tolist())
        if torch.cuda.is_initialized():
            state.append(torch.cuda.get_rng_state().tolist())
    return state


def _is_half(values: np.ndarray) -> bool:
    """Whether all values are numbers of bfloat16, or of float16."""
    with np.errstate(over="ignore"):
        is_float16 = (values.astype(np.float16) == values).all()
    return bool(is_float16 or not (values.view(np.uint32) & 0xFFFF).any())


def _difference(values: np.ndarray, others: np.ndarray) -> float:
    """Root mean square of the difference, relative to that of the values."""
    if values.shape != others.shape:
        return math.inf
    with np.errstate(invalid="ignore"):
        difference = np.square(values - others, dtype=np.float64).mean()
    scale = np.sqrt(np.square(values, dtype=np.float64).mean())
    return float(np.sqrt(difference) / max(scale, _NOTHING))
