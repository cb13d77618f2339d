"""Gram matrices computed while a network is recorded, so that wide layers never reach the disk.

The rows of a layer that fit the memory allowed are held, and multiplied once all pictures have been
shown. A wider layer is held a part of the rows at a time: the pictures after the part are shown
again, and their rows multiplied with it as they come. That is cheap, as wide layers are early ones
and PyTorch networks run only up to the layer.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from facestages import store
from facestages.errors import FacestagesError
from facestages.files import require_space
from facestages.gram import ROWS_OF_ORIGIN, add_products, unit_sums
from facestages.networks import Network
from facestages.networks.repeatability import require_repeatable
from facestages.recording.activations import (
    batch_size,
    chosen_layers,
    describe_recording,
    forward_all,
)
from facestages.stimuli import read_facts

logger = logging.getLogger(__name__)

_MB = 10**6
_LEAST_ROWS = 32
# Number of rows of pictures shown again that are multiplied at once.
_ROWS_AT_ONCE = 256


class Part(NamedTuple):
    """Layers that are held at the same time, and for how many pictures."""

    layers: list[str]
    rows: int


def accumulate_gram(
    network: Network,
    stimuli: str | os.PathLike,
    layers: Sequence[str],
    out: str | os.PathLike,
    attributes: Mapping[str, object],
    memory_mb: float,
    *,
    threads: int = 1,
) -> None:
    """Write the inner products of a face set's pictures in layers, without recording the layers.

    Parameters
    ----------
    network : Network
    stimuli : path-like
        The face set's HDF5 file.
    layers : sequence of str
        Layers, by name or by glob.
    out : path-like
        HDF5 file to write, with a group for each layer.
    attributes : mapping
        More attributes of the file, such as the network's seed.
    memory_mb : float
        What this process may use altogether, in MB. Less memory means more passes.
    threads : int
        Forward passes at the same time, where the network allows several.

    Raises
    ------
    FacestagesError
        If the network has no such layer, or is not repeatable, a layer gives NaN or infinity, there
        are fewer than two pictures, or the memory is too small for a few pictures of the widest
        layer.
    """
    layers = chosen_layers(network, layers)
    facts, _, face_set = read_facts(stimuli)
    n, ids = len(facts), facts["stimulus_id"].to_numpy()
    if n < 2:
        raise FacestagesError(f"a Gram matrix needs two pictures or more, not {n}")
    widths = {layer: math.prod(network.layers[layer]) for layer in layers}
    require_space(out, len(layers) * n * n * 4)
    with store.open_read(stimuli, "stimuli") as faces:
        images = faces["images"]
        batch = batch_size(network, layers)
        require_repeatable(network, images[:batch], layers)
        batches = min(n, (threads + 1) * batch)
        # The framework allocates on its first passes; these come before memory is counted.
        forward_all(network, images, ids, layers, _ignore, stop=batches, threads=threads)
        parts = plan_parts(widths, n, memory_mb * _MB - resident_bytes(), batches)
        logger.info("held at once: %s", "; ".join(f"{p.rows} rows of {p.layers}" for p in parts))
        with store.create(out, "gram", **describe_recording(network, face_set, attributes)) as file:
            # Groups in the network's order, in which figures show layers; parts have another one.
            for layer in layers:
                shape = network.layers[layer]
                file.create_group(layer).attrs.update(layer=layer, layer_shape=shape)
            for part in parts:
                multiplied = _products(network, images, ids, part, widths, threads)
                for layer, products, sums in multiplied:
                    add_products(file[layer], products, ids, ids, sums)


def _ignore(start: int, outputs: Mapping[str, np.ndarray]) -> None:
    pass


def plan_parts(widths: Mapping[str, int], n: int, n_bytes: float, on_the_way: int) -> list[Part]:
    """Decide which layers to hold together, narrow ones first, and for how many pictures.

    Parameters
    ----------
    widths : mapping of str to int
        Units of each layer.
    n : int
        Pictures.
    n_bytes : float
        Memory for what is held, and for the products.
    on_the_way : int
        Pictures in all batches that are being recorded, whose outputs take memory too.

    Returns
    -------
    list of Part
        Where ``rows == n``, one pass is enough.

    Raises
    ------
    FacestagesError
        If a layer alone is too wide; the message says how much memory is missing.
    """
    # Beside the rows, memory holds the products of one layer and the batches being recorded.
    narrow_first = sorted(widths, key=widths.__getitem__)
    widest = narrow_first[-1]
    n_bytes -= 4 * n * n + 4 * on_the_way * widths[widest]
    if 4 * n * sum(widths.values()) <= n_bytes:
        return [Part(narrow_first, n)]
    # Pictures are shown again, and some of their rows are held as well.
    n_bytes -= 4 * min(n, _ROWS_AT_ONCE) * widths[widest]
    # With fewer rows, all pictures would be shown again too often.
    least = min(n, _LEAST_ROWS)
    short = 4 * least * widths[widest] - n_bytes
    if short > 0:
        raise FacestagesError(
            f"layer {widest} of {widths[widest]:,} units: the memory allowed is "
            f"{math.ceil(short / _MB):,} MB short. Ask for more (mem_mb), or say 'activations: "
            f"keep'"
        )
    parts, together, used = [], [], 0
    for layer in narrow_first:
        size = 4 * n * widths[layer]
        if size > n_bytes:
            parts.append(Part([layer], int(n_bytes // (4 * widths[layer]))))
            continue
        if together and used + size > n_bytes:
            parts.append(Part(together, n))
            together, used = [], 0
        together, used = [*together, layer], used + size
    return [Part(together, n), *parts] if together else parts


def resident_bytes() -> int:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _products(
    network: Network,
    images: h5py.Dataset,
    ids: Sequence[str],
    part: Part,
    widths: Mapping[str, int],
    threads: int,
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Each layer of a part, its inner products (n, n) float32 about an origin near the mean, and
    the sums of its units."""
    n = len(images)
    held = {layer: np.empty((part.rows, widths[layer]), np.float32) for layer in part.layers}
    if part.rows == n:
        _hold(network, images, ids, held, 0, threads)
        for layer in part.layers:
            rows = held.pop(layer)
            rows -= rows.mean(axis=0, dtype=np.float64).astype(np.float32)
            yield layer, rows @ rows.T, unit_sums(rows)
        return
    (layer,) = part.layers
    products, origin, sums = np.empty((n, n), np.float32), None, 0
    # Many rows at once, since each product reads all rows that are held.
    shown_again = np.empty((min(_ROWS_AT_ONCE, n), widths[layer]), np.float32)
    for start in range(0, n, part.rows):
        stop = min(start + part.rows, n)
        _hold(network, images, ids, held, start, threads)
        rows = held[layer][: stop - start]
        if origin is None:
            origin = rows[:ROWS_OF_ORIGIN].mean(axis=0, dtype=np.float64).astype(np.float32)
        rows -= origin
        sums += unit_sums(rows)
        products[start:stop, start:stop] = rows @ rows.T
        for first in range(stop, n, _ROWS_AT_ONCE):
            later = shown_again[: n - first]
            _hold(network, images, ids, {layer: later}, first, threads)
            later -= origin
            here, there = slice(first, first + len(later)), slice(start, stop)
            products[here, there] = later @ rows.T
            products[there, here] = products[here, there].T
    yield layer, products, sums


def _hold(
    network: Network,
    images: h5py.Dataset,
    ids: Sequence[str],
    held: Mapping[str, np.ndarray],
    start: int,
    threads: int,
) -> None:
    """Fill `held` with the outputs of its layers for the pictures from `start` on."""

    def keep(first: int, outputs: Mapping[str, np.ndarray]) -> None:
        for layer, block in outputs.items():
            held[layer][first - start : first - start + len(block)] = block

    stop = min(start + len(next(iter(held.values()))), len(images))
    forward_all(network, images, ids, list(held), keep, start=start, stop=stop, threads=threads)
