"""Damages of artefacts, and what readers make of them: ``python tests/damages.py SEED FILE ...``

Each file is damaged in each of several ways, `TIMES` over, in a copy. A line of JSON for each says
what happened: "harmless" where all is read as before, "detected" where one clear error is raised,
and else what is wrong. It is a program of its own, so that limits can be set for it.
"""

from __future__ import annotations

import collections
import hashlib
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import h5py
import numpy as np

from facestages import notes, store, tables
from facestages.errors import FacestagesError

TIMES = int(os.environ.get("TIMES", "3"))
KINDS = ("stimuli", "labels", "activations", "gram", "geometry", "embedding", "attribution")

#: Most memory of a reader, with Python and its libraries, and most seconds.
MEMORY, SECONDS = 1_500 << 20, 20


def flip(data: bytearray, rng: np.random.Generator) -> None:
    data[rng.integers(len(data))] ^= 1 << rng.integers(8)


def flip_in_structure(data: bytearray, rng: np.random.Generator) -> None:
    """Flip a bit near a signature of HDF5, where one decides about much."""
    signs = [b"OHDR", b"OCHK", b"FRHP", b"FHDB", b"BTHD", b"BTLF", b"FADB", b"GCOL", b"\x89HDF"]
    places = [place for sign in signs if (place := data.find(sign)) >= 0]
    place = rng.choice(places) if places else 0
    data[min(place + rng.integers(256), len(data) - 1)] ^= 1 << rng.integers(8)


def zero(data: bytearray, rng: np.random.Generator) -> None:
    size = int(rng.choice([64, 512, 4096, 65536]))
    start = int(rng.integers(len(data))) // size * size
    data[start : start + size] = bytes(len(data[start : start + size]))


def repeat(data: bytearray, rng: np.random.Generator) -> None:
    """Write a block over another one."""
    size = int(rng.choice([64, 512, 4096]))
    source, target = (int(rng.integers(len(data))) // size * size for _ in range(2))
    block = data[source : source + size]
    data[target : target + len(block)] = block[: len(data) - target]


def cut(data: bytearray, rng: np.random.Generator) -> None:
    del data[rng.integers(len(data)) :]


def insert(data: bytearray, rng: np.random.Generator) -> None:
    place = rng.integers(len(data))
    data[place:place] = rng.bytes(int(rng.integers(1, 600)))


def remove(data: bytearray, rng: np.random.Generator) -> None:
    place = rng.integers(len(data))
    del data[place : place + rng.integers(1, 600)]


WAYS = (flip, flip_in_structure, zero, repeat, cut, insert, remove)


def read(path: Path) -> str:
    """Digest of everything that readers take from an artefact."""
    sha = hashlib.sha256()
    if path.suffix != ".h5":
        sha.update(repr(tables.read_tables([path]).to_dict()).encode())
        return sha.hexdigest()
    with store.open_read(path, KINDS) as file:
        _read_group(file, sha)
    return sha.hexdigest()


def _read_group(group: h5py.Group, sha) -> None:
    sha.update(repr((group.name, list(group), sorted(group.attrs.items()))).encode())
    for name, item in group.items():
        if isinstance(item, h5py.Group):
            _read_group(item, sha)
            continue
        sha.update(repr((name, item.shape, item.dtype.str, item.attrs.get("source"))).encode())
        # A dimension without values has a length alone.
        if item.dtype != np.dtype(">f4"):
            values = store.read_column(item)
            sha.update(repr(values.tolist()).encode() if values.dtype == object else values.data)


def judge(path: Path, expected: str) -> str:
    signal.alarm(SECONDS)
    try:
        return "harmless" if read(path) == expected else "other numbers"
    except FacestagesError as error:
        lines = str(error).splitlines()
        return "detected" if len(lines) <= 2 and path.name in lines[0] else f"unclear: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    finally:
        signal.alarm(0)


def main(seed: int, paths: Iterable[Path]) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for path in paths:
        expected = read(path)
        rng = np.random.default_rng([seed, *path.name.encode()])
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / path.name
            if notes.beside(path).exists():
                shutil.copy(notes.beside(path), notes.beside(copy))
            for way in WAYS * TIMES:
                data = bytearray(path.read_bytes())
                way(data, rng)
                copy.write_bytes(data)
                result = judge(copy, expected)
                print(json.dumps([str(path), way.__name__, result]), flush=True)


def summary(lines: Iterable[str]) -> dict[tuple[str, str], int]:
    """How often each outcome came, by kind of file and of damage."""
    return collections.Counter(tuple(json.loads(line)[1:]) for line in lines)


if __name__ == "__main__":
    main(int(sys.argv[1]), map(Path, sys.argv[2:]))
