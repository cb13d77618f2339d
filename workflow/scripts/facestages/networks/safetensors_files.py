"""Files of safetensors, read without more memory than they have bytes.

A file is the length of its header in 8 bytes, the header in JSON, and the numbers. The header
tells of each tensor its type, its shape, and where its numbers begin and end. See
https://huggingface.co/docs/safetensors.
"""

from __future__ import annotations

import json
import math
import os
from typing import BinaryIO

import torch
from torch import Tensor

from facestages.errors import FacestagesError, shorten

_TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
# A tensor takes some hundred bytes there; one that describes nothing takes thirty times its bytes
# in memory.
_LONGEST_HEADER = 2_500_000
_LENGTH = 8


def read_safetensors(path: str | os.PathLike) -> dict[str, Tensor]:
    """Read the tensors of a file of safetensors.

    Raises
    ------
    FacestagesError
        If the file is truncated, or is not as the format demands.
    """
    with open(path, "rb") as stream:
        n_header = int.from_bytes(stream.read(_LENGTH), "little")
        n_data = os.path.getsize(path) - _LENGTH - n_header
        if n_data < 0:
            raise _truncated(path)
        if n_header > _LONGEST_HEADER:
            raise _odd(path, f"its header has {n_header / 1e6:,.0f} MB")
        try:
            entries = json.loads(stream.read(n_header), object_pairs_hook=_once)
            entries.pop("__metadata__", None)
            placed = sorted(_place(name, entry) for name, entry in entries.items())
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise _odd(path, f"its header cannot be read: {shorten(error, 120)}") from error
        end = 0
        for start, stop, name, *_ in placed:
            if start != end:
                raise _odd(path, f"'{shorten(name)}' does not begin where the one before ends")
            end = stop
        if end > n_data:
            raise _truncated(path)
        if end < n_data:
            raise _odd(path, f"{n_data - end:,} bytes belong to no tensor")
        tensors = {
            name: _read(path, stream, stop - start, *kind) for start, stop, name, *kind in placed
        }
    return {name: tensors[name] for name in entries}


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise ValueError("a name occurs twice")
    return entries


def _place(name: str, entry: dict) -> tuple[int, int, str, str, list[int]]:
    """Begin, end, name, type and shape of a tensor, as the header gives them."""
    kind, shape, (start, stop) = entry["dtype"], entry["shape"], entry["data_offsets"]
    if kind not in _TYPES:
        raise ValueError(f"'{shorten(name)}' is of the type {shorten(kind)}")
    numbers = [*shape, start, stop]
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise ValueError(f"'{shorten(name)}' has a length or a place that is no number")
    if stop - start != math.prod(shape) * _TYPES[kind].itemsize:
        raise ValueError(f"'{shorten(name)}' has another length than its shape")
    return start, stop, name, kind, shape


def _read(
    path: str | os.PathLike, stream: BinaryIO, n_bytes: int, kind: str, shape: list[int]
) -> Tensor:
    numbers = torch.empty(n_bytes, dtype=torch.uint8)
    if stream.readinto(numbers.numpy()) != n_bytes:
        raise _truncated(path)
    try:
        return numbers.view(_TYPES[kind]).reshape(shape)
    # The product of the lengths is right, but PyTorch has a limit for each.
    except (RuntimeError, TypeError) as error:
        raise _odd(path, f"a tensor of the shape {shorten(shape)}") from error


def _truncated(path: str | os.PathLike) -> FacestagesError:
    return FacestagesError(
        f"{path}: is a truncated file of safetensors: fetch it again, or check the network's "
        f"'weights' in the config"
    )


def _odd(path: str | os.PathLike, problem: str) -> FacestagesError:
    return FacestagesError(
        f"{path}: is not as a file of safetensors must be: {problem}. Save it again, or check the "
        f"network's 'weights' in the config"
    )
