"""Shards of a face set: some people's pictures, so that several jobs can record it."""

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
        The face set's HDF5 file, or those of the shard's people.
    name : str
        The face set's name in the config.
    shard, shards : int
        Which shard of how many.
    every : int
        Of each person every k-th picture is taken; 1 for all.
    out : path-like
        HDF5 file to write.

    Raises
    ------
    FacestagesError
        If nobody falls to this shard.
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
    own = np.array([shard_of(each, shards) == shard for each in names])
    return own & sampled_rows(labels, every)
