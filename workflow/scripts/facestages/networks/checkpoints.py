"""State dicts of PyTorch modules, read from files of any origin without running their code."""

from __future__ import annotations

import contextlib
import os
import pickletools
import re
import zipfile
from collections.abc import Iterable, Mapping
from typing import BinaryIO

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from facestages.bounds import require_fit
from facestages.errors import FacestagesError, name_error, shorten

#: Keys under which training scripts save the state dict, beside the epoch and the like.
STATE_KEYS = ("net", "state_dict", "model")
#: Prefix that torch.nn.DataParallel adds to every key.
PREFIX = "module."
_ADVICE = "check the network's 'weights' in the config"


class _Ignored:
    """In place of a NumPy scalar beside the weights, so that none is built from the file."""

    def __init__(self, *args: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


# A tensor takes some forty operations, and PyTorch does one in a few microseconds and 64 bytes.
_MOST_OPERATIONS = 1_000_000
_ZIP = b"PK\x03\x04"

# Functions and types that pickled NumPy scalars name, in NumPy 1 and 2.
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
    """Read the state dict in a PyTorch file, of the present or the legacy format.

    The file may hold it under a key ``net``, ``state_dict`` or ``model``. If all of its keys begin
    with ``module.``, that prefix is removed.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    dict of str to torch.Tensor
        In the order of the file, on the CPU.

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
        states = [entries[key] for key in STATE_KEYS if _is_state(entries.get(key))]
        if len(states) != 1:
            raise FacestagesError(
                f"{path}: is not a state dict, nor does exactly one lie under a key "
                f"{', '.join(STATE_KEYS)}; it holds {_describe(content)}. Save "
                f"module.state_dict() with torch.save, or {_ADVICE}"
            )
        state = states[0]
    prefixed = all(key.startswith(PREFIX) for key in state)
    return {key.removeprefix(PREFIX) if prefixed else key: state[key] for key in state}


def load_state(module: nn.Module, path: str | os.PathLike) -> None:
    """Load a state dict into a module, if it fits as a whole.

    It must have the module's keys and shapes. Numbers are cast to the module's type, so a file in
    float16 fits a module in float32.

    Parameters
    ----------
    module : torch.nn.Module
        A module on the device "meta" takes over the tensors that were read, without a copy.
    path : path-like

    Raises
    ------
    FacestagesError
        As `read_state`, and if the file does not fit; the second line of the message names every
        key that does not.
    """
    state = read_state(path)
    # A module may keep more than tensors there, which are not compared.
    expected = {k: value for k, value in module.state_dict().items() if isinstance(value, Tensor)}
    if expected and all(key.startswith(PREFIX) for key in expected):
        state = {PREFIX + key: value for key, value in state.items()}
    problems = {
        "missing": [key for key in expected if key not in state],
        "unexpected": [shorten(key) for key in state if key not in expected],
        "of another shape or type": [
            f"{key} {_shape(state[key])} instead of {_shape(expected[key])}"
            for key in expected
            if key in state and not _fits(state[key], expected[key])
        ],
    }
    if any(problems.values()):
        counts = ", ".join(f"{len(keys)} {what}" for what, keys in problems.items())
        lists = "; ".join(f"{what}: {', '.join(keys)}" for what, keys in problems.items() if keys)
        raise FacestagesError(
            f"{path}: is not a state dict of this module ({type(module).__name__}, {len(expected)} "
            f"keys): {counts}; {_ADVICE}\n{lists}"
        )
    fitting = {key: _like(expected[key], value) for key, value in state.items()}
    # Only parameters without memory are replaced by the file's tensors: replacing others would
    # separate weights that modules share.
    assign = any(p.is_meta for p in module.parameters())
    try:
        module.load_state_dict(fitting, strict=False, assign=assign)
    # A user's module may have a hook that does not take them.
    except Exception as error:
        raise FacestagesError(
            f"{path}: the module does not take it: {name_error(error)}; {_ADVICE}"
        ) from error


def _read(path: str | os.PathLike) -> object:
    if not os.path.exists(path):
        raise FacestagesError(f"{path}: no such file; {_ADVICE}")
    try:
        _check(path)
        with torch.serialization.safe_globals(_NUMPY_SCALARS):
            return torch.load(path, map_location="cpu", weights_only=True)
    except FacestagesError:
        raise
    # A damaged file can raise any error. PyTorch's message is not passed on, since it advises to
    # trust the file.
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


def _check(path: str | os.PathLike) -> None:
    """Refuse a file that declares much more than it holds, or takes long to unpickle."""
    with open(path, "rb") as stream:
        if stream.read(len(_ZIP)) != _ZIP:
            stream.seek(0)
            _require_few_operations(path, stream)
            return
    with zipfile.ZipFile(path) as archive:
        require_fit(path, "what it packs", sum(item.file_size for item in archive.infolist()))
        for name in archive.namelist():
            if name.endswith(".pkl"):
                with archive.open(name) as stream:
                    _require_few_operations(path, stream)


def _require_few_operations(path: str | os.PathLike, stream: BinaryIO) -> None:
    """Count the operations of all pickles from here on, until there is none."""
    n_operations = 0
    # PyTorch says what is wrong with a pickle.
    with contextlib.suppress(ValueError):
        while True:
            for _ in pickletools.genops(stream):
                n_operations += 1
                if n_operations > _MOST_OPERATIONS:
                    raise FacestagesError(
                        f"{path}: holds more than {_MOST_OPERATIONS:,} Python objects beside its "
                        f"weights. Save module.state_dict() alone with torch.save, or {_ADVICE}"
                    )


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
    kinds = (f"{shorten(key)} ({type(value).__name__})" for key, value in content.items())
    return _some(kinds) or "nothing"


def _some(names: Iterable[str], most: int = 8) -> str:
    names = list(names)
    more = [f"{len(names) - most} more"] if len(names) > most else []
    return ", ".join(names[:most] + more)


def _shape(tensor: Tensor) -> str:
    if not _is_dense(tensor):
        return "that is nested, sparse, quantised or without memory"
    shape = "x".join(map(str, tensor.shape)) or "scalar"
    return shape if tensor.is_floating_point() else f"{shape} of {tensor.dtype}"


def _is_dense(tensor: Tensor) -> bool:
    """Whether a tensor is numbers in memory, and no more."""
    other = tensor.is_nested or tensor.is_quantized or tensor.is_meta
    return tensor.layout is torch.strided and not other


def _fits(value: Tensor, expected: Tensor) -> bool:
    # Any floating-point type can be cast, but quantised weights and complex ones cannot.
    castable = value.is_floating_point() or not expected.is_floating_point()
    castable = castable and value.is_complex() == expected.is_complex()
    # In this order: a nested tensor has no shape.
    return _is_dense(value) and castable and (is_lazy(expected) or value.shape == expected.shape)


def _like(expected: Tensor, value: Tensor) -> Tensor:
    device = value.device if expected.is_meta else expected.device
    return value.detach().to(device, expected.dtype)
