"""Chunks of arrays in HDF5 files, each with a checksum that every HDF5 library compares."""

from __future__ import annotations

import math
import struct
import zlib

import h5py
import numpy as np
from h5py._objects import phil

# Readers take whole chunks of about this size, and a larger one does not fit HDF5's cache.
_CHUNK_BYTES = 1 << 20

# Level 0 compresses nothing, but its format, that of zlib, ends each chunk with a checksum. HDF5's
# own checksum, fletcher32, takes zeros for right wherever a whole chunk was lost.
_CHECKSUM = {"compression": "gzip", "compression_opts": 0}

# The longest block of bytes that zlib stores as they are.
_STORED_BLOCK = 65535


def layout(
    shape: tuple[int, ...], itemsize: int, chunks: tuple[int, ...] | None = None
) -> dict[str, object]:
    """Chunks with checksums, of whole rows if their shape is not given; an empty array has none."""
    if 0 in shape:
        return {}
    row = itemsize * math.prod(shape[1:])
    wanted = chunks or (max(1, _CHUNK_BYTES // row), *shape[1:])
    return {"chunks": tuple(map(min, wanted, shape)), **_CHECKSUM}


def write_rows(dataset: h5py.Dataset, start: int, rows: np.ndarray) -> None:
    """Write the rows of one row of chunks, which are all of a chunk's or the array's last ones.

    HDF5 would compute the checksums in three times the time, and alone.
    """
    columns = dataset.chunks[1]
    for first in range(0, dataset.shape[1], columns):
        part = rows[:, first : first + columns]
        chunk = np.zeros(dataset.chunks, dataset.dtype)
        chunk[: part.shape[0], : part.shape[1]] = part
        stored = _with_checksum(chunk)
        # This one function of h5py does not take its lock, and HDF5 bears one thread at a time.
        with phil:
            dataset.id.write_direct_chunk((start, first), stored)


def _with_checksum(chunk: np.ndarray) -> np.ndarray:
    """The bytes of an array in zlib's format, uncompressed: RFC 1950, and 3.2.4 of RFC 1951."""
    data = chunk.reshape(-1).view(np.uint8)
    whole, rest = divmod(data.size, _STORED_BLOCK)
    stored = np.empty(2 + 5 * (whole + 1) + data.size + 4, np.uint8)
    stored[:2] = 0x78, 0x01
    middle = stored[2 : -(5 + rest + 4)].reshape(whole, 5 + _STORED_BLOCK)
    last = stored[-(5 + rest + 4) : -4]
    middle[:, :5] = list(struct.pack("<BHH", 0, _STORED_BLOCK, 0))
    middle[:, 5:] = data[: data.size - rest].reshape(whole, _STORED_BLOCK)
    last[:5] = list(struct.pack("<BHH", 1, rest, rest ^ 0xFFFF))
    last[5:] = data[data.size - rest :]
    stored[-4:] = list(struct.pack(">I", zlib.adler32(data)))
    return stored
