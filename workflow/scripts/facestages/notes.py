"""Notes that products carry: what they were made with, so that a stale file is never taken.

A note is JSON with the keys ``made`` (a digest of all that the job was told) and ``given`` (the
user's files that it was made from, each with a digest of its content). In an HDF5 file it lies in
the user block, before the data, and has the key ``crc32``, the checksum of all bytes after it. A
note of any other file or folder lies beside it, as ``.NAME.note``, and has the key ``sha256``, the
digest of the product's own content.

Snakemake reads notes at the start of every run, so nothing heavy is imported here.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from facestages.errors import FacestagesError

#: Bytes before the data of an HDF5 file.
USER_BLOCK = 4096

_current: dict[str, object] = {}

_checksums: dict[tuple[object, ...], int] = {}
_SETTLED_NS = 2 * 10**9
_PART, _BLOCK = 1 << 26, 1 << 20


def begin(note: dict[str, object]) -> None:
    """Set the note that HDF5 files of this process get."""
    _current.clear()
    _current.update(note)


def write_user_block(path: str | os.PathLike) -> None:
    """Write the current note into the user block of an HDF5 file that is complete."""
    checksum = {"crc32": _checksum(path)}
    text = json.dumps({**_current, **checksum}).encode()
    if len(text) >= USER_BLOCK:
        # Without the rest of the note, the file is made anew in the next run.
        text = json.dumps(checksum).encode()
    with open(path, "r+b") as stream:
        stream.write(text.ljust(USER_BLOCK, b"\0"))


def beside(path: str | os.PathLike) -> Path:
    """Where the note of a product lies that is no HDF5 file."""
    path = Path(path)
    return path.with_name(f".{path.name}.note")


def require_intact(path: str | os.PathLike) -> None:
    """Refuse a file that is not as it was written: an HDF5 file, or one that a note lies beside.

    The whole file is read, once in a process.
    """
    note = read(path)
    if os.fspath(path).endswith(".h5"):
        intact = note.get("crc32") == _checksum_once(path)
    elif "sha256" in note:
        with open(path, "rb") as stream:
            intact = note["sha256"] == hashlib.file_digest(stream, "sha256").hexdigest()
    else:
        intact = True
    if not intact:
        raise FacestagesError(
            f"{path}: is truncated or damaged, or was changed by other means: delete it and run "
            f"the same command again"
        )


def _checksum_once(path: str | os.PathLike) -> int:
    """As `_checksum`, from memory where the file is the same as before."""
    status = os.stat(path)
    stamp = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    if stamp not in _checksums:
        checksum = _checksum(path)
        # A file may change twice without another time.
        if time.time_ns() - status.st_mtime_ns < _SETTLED_NS:
            return checksum
        _checksums[stamp] = checksum
    return _checksums[stamp]


def _checksum(path: str | os.PathLike) -> int:
    """CRC-32 of the CRC-32 of each `_PART` of the bytes after the user block, and of their number.

    Two threads find it at nearly the speed of reading the file.
    """
    size = os.path.getsize(path)
    with ThreadPoolExecutor(2) as pool:
        parts = pool.map(functools.partial(_checksum_part, path), range(USER_BLOCK, size, _PART))
        return zlib.crc32(json.dumps([size, *parts]).encode())


def _checksum_part(path: str | os.PathLike, start: int) -> int:
    checksum, block = 0, memoryview(bytearray(_BLOCK))
    with open(path, "rb", buffering=0) as stream:
        stream.seek(start)
        for _ in range(_PART // _BLOCK):
            checksum = zlib.crc32(block[: stream.readinto(block)], checksum)
    return checksum


def read(path: str | os.PathLike) -> dict[str, object]:
    """The note of a product; empty if it has none, or none that can be read."""
    is_hdf5 = str(path).endswith(".h5")
    with contextlib.suppress(OSError, ValueError):
        with open(path if is_hdf5 else beside(path), "rb") as stream:
            note = json.loads(stream.read(USER_BLOCK if is_hdf5 else -1).rstrip(b"\0"))
        if isinstance(note, dict):
            return note
    return {}
