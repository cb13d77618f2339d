"""What each layer of a network says to each picture of a face set."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import h5py
import numpy as np

from facestages import store
from facestages.errors import FacestagesError
from facestages.files import require_space
from facestages.networks import Network, select_layers
from facestages.progress import progress
from facestages.stimuli import add_labels, read_labels

logger = logging.getLogger(__name__)

#: Chunks that serve the writer, who adds rows, and the reader, who takes blocks of columns.
ROWS_A_CHUNK = 256
COLUMNS_A_CHUNK = 8192

_BATCH = 64
_BLOCK_BYTES = 1 << 30
_BYTES = 4  # float32


def record_activations(
    network: Network,
    stimuli: str | os.PathLike,
    layers: Sequence[str],
    out: str | os.PathLike,
    attributes: Mapping[str, object],
) -> None:
    """Record layers of a network in one forward pass over a face set.

    The memory that this takes depends on the layers' width, not on the number of pictures.

    Parameters
    ----------
    network : Network
    stimuli : path-like
        The face set's HDF5 file.
    layers : sequence of str
        Layers to record, by name or by glob; a group of the output each.
    out : path-like
        HDF5 file to write.
    attributes : mapping
        What else to note of the network, e.g. its seed.

    Raises
    ------
    FacestagesError
        If the network has no such layer, a layer gives NaN or infinity, or the disk is too small.
    """
    try:
        layers = select_layers(network.layers, layers)
    except FacestagesError as error:
        raise FacestagesError(f"network {network.name}: {error}") from error
    labels, sources, known = read_labels(stimuli)
    widths = {layer: math.prod(network.layers[layer]) for layer in layers}
    require_space(out, len(labels) * sum(widths.values()) * _BYTES)
    notes = {
        "network": network.name,
        "weights_sha256": network.weights_digest,
        "dataset": known["dataset"],
        "stimuli_digest": known["stimuli_digest"],
        **attributes,
    }
    with store.create(out, "activations", **notes) as file, h5py.File(stimuli, "r") as faces:
        targets = {}
        for layer in layers:
            group = file.create_group(layer)
            group.attrs.update(layer=layer, layer_shape=network.layers[layer])
            add_labels(group, labels, sources)
            store.add_dimension(group, "unit", widths[layer])
            targets[layer] = store.add_array(
                group,
                "activation",
                ("stimulus_id", "unit"),
                dtype=np.float32,
                chunks=(ROWS_A_CHUNK, COLUMNS_A_CHUNK),
            )
        _fill(targets, network, faces["images"], labels["stimulus_id"].to_numpy())


def _fill(
    targets: Mapping[str, h5py.Dataset], network: Network, images: h5py.Dataset, ids: np.ndarray
) -> None:
    """Write whole rows of chunks, so that no chunk is touched twice unless memory is short.

    While one block is checked and written, the network is at work on the next.
    """
    units = sum(target.shape[1] for target in targets.values())
    # Fewer rows where all layers together are very wide.
    length = max(1, min(ROWS_A_CHUNK, len(images), _BLOCK_BYTES // (units * _BYTES)))
    starts = range(0, len(images), length)
    # Two sets of buffers take turns; fresh ones would cost more than their copying.
    buffers = [
        {layer: np.empty((length, t.shape[1]), np.float32) for layer, t in targets.items()}
        for _ in range(min(2, len(starts)))
    ]
    written: Future | None = None
    with ThreadPoolExecutor(1) as writer:
        for number, start in enumerate(progress(starts, f"recording {network.name}")):
            pictures = images[start : start + length]
            rows = {k: v[: len(pictures)] for k, v in buffers[number % 2].items()}
            for first in range(0, len(pictures), _BATCH):
                batch = slice(first, min(first + _BATCH, len(pictures)))
                for layer, output in network.record(pictures[batch], list(targets)).items():
                    rows[layer][batch] = output.reshape(len(output), -1)
            if written is not None:
                written.result()
            written = writer.submit(_write_block, targets, rows, start, network.name, ids)
        written.result()


def _write_block(
    targets: Mapping[str, h5py.Dataset],
    rows: Mapping[str, np.ndarray],
    start: int,
    network: str,
    ids: np.ndarray,
) -> None:
    for layer, block in rows.items():
        require_finite(block, network, layer, ids[start:])
        targets[layer][start : start + len(block)] = block


def require_finite(block: np.ndarray, network: str, layer: str, ids: np.ndarray) -> None:
    """Refuse what a layer gave, (n, units), if NaN or infinity is in it; `ids` name its rows."""
    # A finite sum has finite terms, and needs no array of truth values.
    if np.isfinite(block.sum()) or np.isfinite(block).all():
        return
    row = int(np.flatnonzero(~np.isfinite(block).all(axis=1))[0])
    raise FacestagesError(
        f"network {network}, layer {layer}: NaN or infinity for picture '{ids[row]}'. "
        "Its weights may be damaged or its input scaling wrong: check 'weights' and 'input'"
    )
