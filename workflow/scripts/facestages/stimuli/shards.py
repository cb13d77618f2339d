"""Shards of a face set: the pictures of some people, for one of several recording jobs."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from facestages.errors import FacestagesError
from facestages.stimuli import read_labels, write_stimuli
from facestages.stimuli.sample import marked_parts, sampled_rows
from facestages.subsets import shard_of


def split_stimuli(
    sources: Sequence[str | os.PathLike],
    name: str,
    shard: int,
    shards: int,
    every: int,
    out: str | os.PathLike,
) -> None:
    """Write one shard of a face set.

    Parameters
    ----------
    sources : sequence of path-like
        The face set's HDF5 file, or the files of the shard's people.
    name : str
        The face set's name in the config.
    shard, shards : int
        Number of the shard, from 0, and number of all shards.
    every : int
        Take every k-th picture of each person; 1 for all.
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
    write_stimuli(out, parts, name)


def _rows(path: str | os.PathLike, shard: int, shards: int, every: int) -> np.ndarray:
    labels = read_labels(path)[0]
    names = labels["identity" if "identity" in labels else "stimulus_id"].astype(str)
    in_shard = np.array([shard_of(each, shards) == shard for each in names])
    return in_shard & sampled_rows(labels, every)
