"""Notes that products carry: what they were made with, so that a stale file is never taken.

A note is JSON with the keys ``made`` (a digest of all that the job was told) and ``given`` (the
user's files that it was made from, each with a digest of its content). In an HDF5 file it lies in
the user block, before the data. A note of any other file or folder lies beside it, as
``.NAME.note``, and has the key ``sha256``, the digest of the product's own content.

Snakemake reads notes at the start of every run, so nothing heavy is imported here.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path

from facestages.errors import FacestagesError

#: Bytes before the data of an HDF5 file.
USER_BLOCK = 4096

_current: dict[str, object] = {}


def begin(note: dict[str, object]) -> None:
    """Set the note that HDF5 files of this process get."""
    _current.clear()
    _current.update(note)


def write_user_block(path: str | os.PathLike) -> None:
    """Write the current note into the user block of an HDF5 file that is complete."""
    text = json.dumps(_current).encode()
    if len(text) >= USER_BLOCK:
        # A note that does not fit is none: its file is made anew.
        text = b"{}"
    with open(path, "r+b") as stream:
        stream.write(text.ljust(USER_BLOCK, b"\0"))


def beside(path: str | os.PathLike) -> Path:
    """Where the note of a product lies that is no HDF5 file."""
    path = Path(path)
    return path.with_name(f".{path.name}.note")


def require_intact(path: str | os.PathLike) -> None:
    """Refuse a file beside which a note lies, with the digest of another content."""
    expected = read(path).get("sha256")
    if expected is not None:
        with open(path, "rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != expected:
                raise FacestagesError(
                    f"{path}: is damaged, or was changed by hand: delete it and run the same "
                    f"command again"
                )


def read(path: str | os.PathLike) -> dict[str, object]:
    """The note of a product; empty if it has none, or none that can be read."""
    is_hdf5 = str(path).endswith(".h5")
    with contextlib.suppress(OSError, ValueError):
        with open(path if is_hdf5 else beside(path), "rb") as stream:
            note = json.loads(stream.read(USER_BLOCK if is_hdf5 else -1).rstrip(b"\0"))
        if isinstance(note, dict):
            return note
    return {}
