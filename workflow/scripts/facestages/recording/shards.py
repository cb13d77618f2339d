"""Shards of a recording, joined."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import h5py

from facestages import store
from facestages.errors import FacestagesError
from facestages.stimuli import add_ids, read_facts


def join_shards(
    shards: Sequence[str | os.PathLike], stimuli: str | os.PathLike, out: str | os.PathLike
) -> None:
    """Join the shards of a recording in one file of virtual datasets, which point to the shards.

    Parameters
    ----------
    shards : sequence of path-like
        HDF5 files of `recording.activations.record_activations`. Their paths relative to `out`
        must not change afterwards.
    stimuli : path-like
        The whole face set; the rows take its order.
    out : path-like
        HDF5 file to write.

    Raises
    ------
    FacestagesError
        If the shards are of several networks, or not of these stimuli.
    """
    facts, _, face_set = read_facts(stimuli)
    ids = list(facts["stimulus_id"])
    row_of = {name: row for row, name in enumerate(ids)}
    with store.open_read(shards[0], "activations") as first:
        notes = store.notes_of(first)
        shapes = {layer: first[layer]["activation"].shape[1:] for layer in first}
        dtypes = {layer: first[layer]["activation"].dtype for layer in first}
        attributes = {layer: dict(first[layer].attrs) for layer in first}
    rows = {}
    for path in shards:
        same = {name: notes[name] for name in ("network", "weights_sha256")}
        with store.open_read(path, "activations", **same) as file:
            names = store.read_column(next(iter(file.values()))["stimulus_id"])
        rows[path] = [row_of.get(name, -1) for name in names]
    if sorted(row for part in rows.values() for row in part) != list(range(len(ids))):
        raise FacestagesError(
            f"{out}: the shards do not hold the pictures of {stimuli} once each: delete "
            f"{Path(shards[0]).parent} and run the same command again"
        )
    notes |= {"stimuli_digest": face_set["stimuli_digest"]}
    with store.create(out, "activations", **notes) as target:
        for layer, shape in shapes.items():
            group = target.create_group(layer)
            group.attrs.update(attributes[layer])
            add_ids(group, ids)
            store.add_dimension(group, "unit", shape[0])
            layout = h5py.VirtualLayout((len(ids), *shape), dtypes[layer])
            for path, places in rows.items():
                source = h5py.VirtualSource(
                    os.path.relpath(path, Path(out).parent),
                    f"{layer}/activation",
                    (len(places), *shape),
                )
                for here, there, length in _runs(places):
                    layout[there : there + length] = source[here : here + length]
            store.add_virtual(group, "activation", ("stimulus_id", "unit"), layout)


def _runs(places: Sequence[int]) -> list[tuple[int, int, int]]:
    """Runs of consecutive places: position and place of the first, and length."""
    breaks = [0, *(i for i in range(1, len(places)) if places[i] != places[i - 1] + 1)]
    ends = [*breaks[1:], len(places)]
    return [(b, places[b], e - b) for b, e in zip(breaks, ends, strict=True) if e > b]
