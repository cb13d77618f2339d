"""Notes that products carry: what they were made with, so that a stale file is never taken.

A note is JSON with the keys ``made`` (see `digest_job`) and ``given`` (the user's files that it was
made from, each with a digest of its content). In an HDF5 file it lies in the user block, before the
data, and has the key ``crc32``, the checksum of all bytes after it. A note of any other file or
folder lies beside it, as ``.NAME.note``, and has the key ``sha256``, the digest of the product's
own content.

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
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from facestages.errors import FacestagesError
from facestages.files import atomic_path
from facestages.provenance import digest

#: Bytes before the data of an HDF5 file.
USER_BLOCK = 4096

_current: dict[str, object] = {}

_checksums: dict[tuple[object, ...], int] = {}
# A file that was changed so shortly before it was read may change again without another time.
_SETTLED_NS = 2 * 10**9
# Bytes that one thread digests, and that it holds at a time.
_PART, _BLOCK = 1 << 26, 1 << 20


def digest_job(
    wildcards: Mapping[str, str], params: Mapping[str, object], inputs: Mapping[str, str | None]
) -> str:
    """Digest of all that a job is told.

    `inputs` are its files, each with the ``made`` of its own note. So the digest is about all that
    went before as well, and a product is good if its note has the ``made`` of today.
    """
    return digest([dict(wildcards), dict(params), sorted(inputs.items())])


def digest_key(kind: str, arguments: Sequence[object]) -> str:
    """Key of something that a user hands in (see `contents.digest_given`) in a note's ``given``."""
    # Whole paths of many files would not fit into a user block.
    return digest([kind, list(arguments)])[:16]


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


def write_beside(path: str | os.PathLike, sha256: str) -> None:
    """Write the current note beside a product that is no HDF5 file."""
    with atomic_path(beside(path)) as partial:
        partial.write_text(json.dumps({**_current, "sha256": sha256}), encoding="utf-8")


def beside(path: str | os.PathLike) -> Path:
    """Where the note of a product lies that is no HDF5 file."""
    path = Path(path)
    return path.with_name(f".{path.name}.note")


def is_hdf5(path: str | os.PathLike) -> bool:
    """Whether the note of a product lies inside it."""
    return os.fspath(path).endswith(".h5")


def digest_file(path: str | os.PathLike) -> str:
    """SHA-256 of a file's bytes."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def require_intact(
    path: str | os.PathLike, digest_content: Callable[..., str] = digest_file
) -> None:
    """Refuse a product that is not as it was written, as far as a note tells.

    The whole of it is read; an HDF5 file once in a process.
    """
    note = read(path)
    if is_hdf5(path):
        intact = note.get("crc32") == _checksum_once(path)
    else:
        intact = "sha256" not in note or note["sha256"] == digest_content(path)
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
    inside = is_hdf5(path)
    with contextlib.suppress(OSError, ValueError):
        with open(path if inside else beside(path), "rb") as stream:
            note = json.loads(stream.read(USER_BLOCK if inside else -1).rstrip(b"\0"))
        if isinstance(note, dict):
            return note
    return {}
