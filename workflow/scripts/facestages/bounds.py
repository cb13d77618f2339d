"""Bounds on a user's files, checked before anything in them is unpacked or built.

A small file can declare much: a picture of a single colour, a packed array of zeros, a layer of
millions of units. Memory may grow with the size of a file, not with what the file declares.
"""

from __future__ import annotations

import itertools
import os

from facestages.errors import FacestagesError

# What any file may take in memory, and how many times its own size a larger one may take. Weights
# shrink little when they are packed.
_ALWAYS = 64 << 20
_TIMES = 10
_MOST_NODES = 100_000


def fits(declared: float, stored: int) -> bool:
    """Whether so many declared bytes can be what so many stored bytes hold."""
    return declared <= max(_ALWAYS, _TIMES * stored)


def require_fit(path: str | os.PathLike, what: str, declared: float) -> None:
    """Refuse a file with contents, named by `what`, that declare much more than the file holds."""
    stored = os.path.getsize(path)
    if not fits(declared, stored):
        raise FacestagesError(
            f"{path}: {what} would take {declared / 1e6:,.0f} MB of memory, but the file has "
            f"{stored / 1e6:,.3f} MB. It is damaged, or made to fill the memory: fetch or save it "
            f"again"
        )


def require_size(path: str | os.PathLike, most: int, what: str) -> None:
    """Refuse a file of more than `most` bytes, which is too large for `what`."""
    size = os.path.getsize(path)
    if size > most:
        raise FacestagesError(
            f"{path}: has {size / 1e6:,.1f} MB, too much for {what} (at most {most / 1e6:,.1f} MB)."
            f" Is it another file?"
        )


def require_few_nodes(path: str | os.PathLike, node: object) -> None:
    """Refuse a YAML file whose aliases, written out, hold a great many values.

    Parameters
    ----------
    path : path-like
    node : yaml.Node or None
        What `yaml.compose` makes of the file, in which an alias is the node that it stands for.
    """
    counts: dict[int, int] = {}

    def count(node: object) -> int:
        if id(node) not in counts:
            # An alias inside what it stands for.
            counts[id(node)] = _MOST_NODES
            value = getattr(node, "value", None)
            items = value if isinstance(value, list) else []
            pairs = (item if isinstance(item, tuple) else (item,) for item in items)
            counts[id(node)] = 1 + sum(map(count, itertools.chain.from_iterable(pairs)))
        return counts[id(node)]

    if count(node) > _MOST_NODES:
        raise FacestagesError(
            f"{path}: holds more than {_MOST_NODES:,} values, counting each where an alias repeats "
            f"it. Write less, or without aliases"
        )
