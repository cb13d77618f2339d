"""Shards of a face set: some of its pictures, for one of several recording jobs."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from facestages.errors import FacestagesError
from facestages.stimuli import read_facts, write_pictures
from facestages.stimuli.sample import marked_parts
from facestages.subsets import shard_of


def split_stimuli(
    sources: Sequence[str | os.PathLike],
    name: str,
    shard: int,
    shards: int,
    every: int,
    out: str | os.PathLike,
) -> None:
    """Write one shard of the pictures of a face set. No label decides which these are.

    Parameters
    ----------
    sources : sequence of path-like
        The face set's HDF5 file; or the files of the shard's people, all of whose pictures belong
        to it.
    name : str
        The face set's name in the config.
    shard, shards : int
        Number of the shard, from 0, and number of the shards that the pictures of `sources` fall
        to: 1 for the files of the shard's people.
    every : int
        Take every k-th picture of each file; 1 for all.
    out : path-like
        HDF5 file to write.

    Raises
    ------
    FacestagesError
        If this shard has no pictures.
    """
    chosen = {path: _rows(path, shard, shards, every) for path in sources}
    if not any(rows.any() for rows in chosen.values()):
        raise FacestagesError(
            f"face set '{name}': no picture falls to shard {shard} of {shards}; lower "
            f"datasets.{name}.shards"
        )
    parts = (part for path, rows in chosen.items() for part in marked_parts(path, rows, {}))
    write_pictures(out, parts, name)


def _rows(path: str | os.PathLike, shard: int, shards: int, every: int) -> np.ndarray:
    ids = read_facts(path)[0]["stimulus_id"]
    rows = np.arange(len(ids)) % every == 0
    return rows if shards == 1 else rows & [shard_of(name, shards) == shard for name in ids]
