"""State dicts of PyTorch modules, read from files of any origin without running what they carry."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

import torch
from facestages.errors import FacestagesError
from torch import Tensor, nn

#: Where training scripts put the state dict, beside the epoch and the like.
STATE_KEYS = ("net", "state_dict", "model")
#: What torch.nn.DataParallel puts before every key.
PREFIX = "module."
_ADVICE = "check the network's 'weights' in the config"


class _Ignored:
    """Stands for a NumPy scalar beside the weights; whatever the file says of it builds nothing."""

    def __init__(self, *args: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


# What pickled NumPy scalars name: of NumPy 1 and 2, and for bytes in the pickles that torch writes.
_NUMPY_SCALARS = [
    (_Ignored, name)
    for name in (
        "numpy.core.multiarray.scalar",
        "numpy._core.multiarray.scalar",
        "numpy.dtype",
        "_codecs.encode",
    )
]


def read_state(path: str | os.PathLike) -> dict[str, Tensor]:
    """Read the state dict in a file of PyTorch, of the present or the legacy format.

    It may lie under a key ``net``, ``state_dict`` or ``model``, and all of its keys may begin with
    ``module.``, which is taken off.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    dict of str to torch.Tensor
        In the file's order, on the CPU.

    Raises
    ------
    FacestagesError
        If the file is missing or damaged, or holds anything but numbers and text.
    """
    content = _read(path)
    if _is_state(content):
        state = content
    else:
        entries = content if isinstance(content, Mapping) else {}
        found = [entries[key] for key in STATE_KEYS if _is_state(entries.get(key))]
        if len(found) != 1:
            raise FacestagesError(
                f"{path}: is not a state dict, nor does exactly one lie under a key "
                f"{', '.join(STATE_KEYS)}; it holds {_describe(content)}. Save "
                f"module.state_dict() with torch.save, or {_ADVICE}"
            )
        state = found[0]
    prefixed = all(key.startswith(PREFIX) for key in state)
    return {key.removeprefix(PREFIX) if prefixed else key: state[key] for key in state}


def load_state(module: nn.Module, path: str | os.PathLike) -> None:
    """Load a state dict into a module, all of it or nothing.

    Every key and every shape must be the module's. Numbers take the module's type, so a file in
    float16 serves a module in float32.

    Parameters
    ----------
    module : torch.nn.Module
        May be built on the device "meta": it takes the memory of what was read then.
    path : path-like

    Raises
    ------
    FacestagesError
        As `read_state`, and if the file does not fit; the second line names every key that does
        not.
    """
    state = read_state(path)
    own = module.state_dict()
    if own and all(key.startswith(PREFIX) for key in own):
        state = {PREFIX + key: value for key, value in state.items()}
    problems = {
        "missing": [key for key in own if key not in state],
        "unexpected": [key for key in state if key not in own],
        "of another shape or type": [
            f"{key} {_shape(state[key])} instead of {_shape(own[key])}"
            for key in own
            if key in state and not _fits(state[key], own[key])
        ],
    }
    if any(problems.values()):
        counts = ", ".join(f"{len(keys)} {what}" for what, keys in problems.items())
        lists = "; ".join(f"{what}: {', '.join(keys)}" for what, keys in problems.items() if keys)
        raise FacestagesError(
            f"{path}: is not a state dict of this module ({type(module).__name__}, {len(own)} "
            f"keys): {counts}; {_ADVICE}\n{lists}"
        )
    fitting = {key: _like(own[key], value) for key, value in state.items()}
    # Into what has no memory yet, the file's own tensors go; elsewhere that would part weights that
    # modules share.
    module.load_state_dict(fitting, assign=any(p.is_meta for p in module.parameters()))


def _read(path: str | os.PathLike) -> object:
    if not os.path.exists(path):
        raise FacestagesError(f"{path}: no such file; {_ADVICE}")
    try:
        with torch.serialization.safe_globals(_NUMPY_SCALARS):
            return torch.load(path, map_location="cpu", weights_only=True)
    # A damaged file can fail in any way at all. PyTorch's own words stay out of the message: they
    # advise to trust the file.
    except Exception as error:
        refused = re.search(r"GLOBAL (\S+)", str(error))
        if refused:
            raise FacestagesError(
                f"{path}: holds Python objects ({refused[1]}), and they are never loaded, since "
                "that runs code of the file. Save module.state_dict() with torch.save, or "
                f"{_ADVICE}"
            ) from error
        raise FacestagesError(
            f"{path}: cannot be read as a file of PyTorch ({type(error).__name__}): truncated, or "
            f"of another kind. Fetch it again, or {_ADVICE}"
        ) from error


def _is_state(content: object) -> bool:
    return (
        isinstance(content, Mapping)
        and len(content) > 0
        and all(isinstance(key, str) for key in content)
        and all(isinstance(value, Tensor) for value in content.values())
    )


def _describe(content: object) -> str:
    if not isinstance(content, Mapping):
        return f"one {type(content).__name__}"
    return _some(f"{key} ({type(value).__name__})" for key, value in content.items()) or "nothing"


def _some(names: Iterable[str], most: int = 8) -> str:
    names = list(names)
    more = [f"{len(names) - most} more"] if len(names) > most else []
    return ", ".join(names[:most] + more)


def _shape(tensor: Tensor) -> str:
    shape = "x".join(map(str, tensor.shape)) or "scalar"
    return shape if tensor.is_floating_point() else f"{shape} of {tensor.dtype}"


def _fits(value: Tensor, own: Tensor) -> bool:
    # Any float serves, but quantised weights are no weights.
    kind = value.is_floating_point() or not own.is_floating_point()
    return value.shape == own.shape and kind


def _like(own: Tensor, value: Tensor) -> Tensor:
    device = value.device if own.is_meta else own.device
    return value.detach().to(device, own.dtype)
