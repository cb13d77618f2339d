"""Activations: the output of each layer of a network for each picture of a face set."""

from __future__ import annotations

import logging
import math
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np

from facestages import store
from facestages.architectures import select_layers
from facestages.errors import FacestagesError
from facestages.files import require_space
from facestages.networks import Network
from facestages.networks.inputs import resize_images
from facestages.networks.repeatability import require_repeatable
from facestages.progress import progress
from facestages.stimuli import add_ids, digest_pictures, read_facts

logger = logging.getLogger(__name__)

#: Shape of the chunks. Recording writes blocks of rows, and readers take blocks of columns.
ROWS_A_CHUNK = 256
COLUMNS_A_CHUNK = 8192

# Most memory that the recorded outputs of one batch may take.
_BATCH_BYTES = 1 << 28

_BYTES = {"float32": 4, "float16": 2}


def record_activations(
    network: Network,
    stimuli: str | os.PathLike,
    layers: Sequence[str],
    out: str | os.PathLike,
    attributes: Mapping[str, object],
    *,
    precision: str = "float32",
    threads: int = 1,
) -> None:
    """Record layers of a network in one pass over a face set.

    Reading, resizing, the forward pass and writing overlap. The memory that this takes depends on
    the width of the layers, not on the number of pictures.

    Parameters
    ----------
    network : Network
    stimuli : path-like
        The face set's HDF5 file.
    layers : sequence of str
        Layers to record, by name or by glob.
    out : path-like
        HDF5 file to write, with a group for each layer. With ``float16``, the group's attributes
        ``float16_error`` and ``float16_largest`` give the root mean square and the largest of the
        rounding errors, relative to the root mean square of the layer.
    attributes : mapping
        More attributes of the file, such as the network's seed.
    precision : {"float32", "float16"}
        Of the values in the file.
    threads : int
        Forward passes at the same time, where the network allows several.

    Raises
    ------
    FacestagesError
        If the network has no such layer, or is not repeatable, a layer gives NaN or infinity or
        values that are too large for the precision, or the disk is too small.
    """
    layers = chosen_layers(network, layers)
    facts, _, face_set = read_facts(stimuli)
    ids = facts["stimulus_id"].to_numpy()
    widths = {layer: math.prod(network.layers[layer]) for layer in layers}
    require_space(out, len(ids) * sum(widths.values()) * _BYTES[precision])
    notes = describe_recording(network, face_set, attributes)
    notes["pictures_digest"] = digest_pictures(stimuli, np.ones(len(ids), bool))
    with (
        store.create(out, "activations", **notes) as file,
        store.open_read(stimuli, "stimuli") as faces,
    ):
        require_repeatable(network, faces["images"][: batch_size(network, layers)], layers)
        targets = {}
        for layer in layers:
            group = file.create_group(layer)
            group.attrs.update(layer=layer, layer_shape=network.layers[layer])
            add_ids(group, ids)
            store.add_dimension(group, "unit", widths[layer])
            targets[layer] = store.add_array(
                group,
                "activation",
                ("stimulus_id", "unit"),
                dtype=np.dtype(precision),
                chunks=(ROWS_A_CHUNK, COLUMNS_A_CHUNK),
            )
        rounding = {layer: _Rounding() for layer in layers}

        def write(start: int, outputs: Mapping[str, np.ndarray]) -> None:
            for layer, block in outputs.items():
                if precision == "float16":
                    block = rounding[layer].round(block, f"network {network.name}, layer {layer}")
                _write_rows(targets[layer], start, block)

        forward_all(network, faces["images"], ids, layers, write, threads=threads)
        if precision == "float16":
            for layer in layers:
                file[layer].attrs.update(rounding[layer].errors())


def _write_rows(target: h5py.Dataset, start: int, rows: np.ndarray) -> None:
    """Write rows chunk by chunk: what is contiguous in memory, HDF5 copies into a chunk at once."""
    for first in range(0, rows.shape[1], COLUMNS_A_CHUNK):
        columns = slice(first, first + COLUMNS_A_CHUNK)
        target[start : start + len(rows), columns] = np.ascontiguousarray(rows[:, columns])


def chosen_layers(network: Network, layers: Sequence[str]) -> list[str]:
    """Do as `select_layers`, with the network's name in the error."""
    try:
        return select_layers(network.layers, layers, network.unlisted)
    except FacestagesError as error:
        raise FacestagesError(f"network {network.name}: {error}") from error


def describe_recording(
    network: Network, face_set: Mapping[str, object], attributes: Mapping[str, object]
) -> dict[str, object]:
    """Attributes of a file that was recorded from a network, with those of the face set's file."""
    return {
        "network": network.name,
        "weights_sha256": network.weights_digest,
        "dataset": face_set["dataset"],
        "stimuli_digest": face_set["stimuli_digest"],
        "rendered": int(face_set.get("rendered", 0)),
        **attributes,
    }


def batch_size(network: Network, layers: Sequence[str]) -> int:
    """Pictures in one forward pass: the network's fastest number, fewer for very wide layers."""
    units = sum(math.prod(network.layers[layer]) for layer in layers)
    return max(1, min(network.batch, _BATCH_BYTES // (4 * units)))


def forward_all(
    network: Network,
    images: h5py.Dataset | np.ndarray,
    ids: Sequence[str],
    layers: Sequence[str],
    use: Callable[[int, dict[str, np.ndarray]], None],
    *,
    start: int = 0,
    stop: int | None = None,
    threads: int = 1,
) -> None:
    """Show pictures to a network, batch by batch, and pass the outputs of its layers on.

    There is one thread more than forward passes at the same time, so that reading, resizing and
    the use of the outputs go on beside these.

    Parameters
    ----------
    network : Network
    images : HDF5 dataset or array of uint8, shape (n, rows, columns[, 3])
    ids : sequence of str, shape (n,)
        Names of the pictures, for error messages.
    layers : sequence of str
    use : callable
        Called with the number of a batch's first picture and, by layer, the batch's outputs
        (m, units) float32. Calls come from several threads, in any order.
    start, stop : int
        First picture, and the one after the last.
    threads : int
        Forward passes at the same time, if the network is ``side_by_side``.

    Raises
    ------
    FacestagesError
        If a layer gives NaN or infinity.
    """
    stop = len(images) if stop is None else stop
    passes = threads if network.side_by_side else 1
    allowed = threading.Semaphore(passes)
    spec = network.input
    batch = batch_size(network, layers)

    def work(first: int) -> None:
        pictures = images[first : min(first + batch, stop)]
        pictures = resize_images(pictures, spec)
        with allowed:
            outputs = network.record(pictures[..., 0] if spec.grey else pictures, layers)
        flat = {layer: output.reshape(len(output), -1) for layer, output in outputs.items()}
        for layer, block in flat.items():
            require_finite(block, network.name, layer, ids[first:])
        use(first, flat)

    starts = range(start, stop, batch)
    pool = ThreadPoolExecutor(passes + 1)
    try:
        for _ in progress(pool.map(work, starts), f"recording {network.name}", len(starts)):
            pass
    finally:
        pool.shutdown(cancel_futures=True)


def record(
    network: Network, images: np.ndarray, layers: str | Sequence[str] = "*"
) -> dict[str, np.ndarray]:
    """Outputs of a network's layers for pictures, in inference mode.

    Pictures are resized to the network's input, scaled as it wants them, and shown in batches.

    Parameters
    ----------
    network : Network
        What `open_network` returns.
    images : array of uint8, shape (n, rows, columns) or (n, rows, columns, 3)
    layers : str or sequence of str
        Layers by name or by glob; all of them if not given. ``network.layers`` has their shapes.

    Returns
    -------
    dict of str to numpy.ndarray of float32, shape (n, units)

    Raises
    ------
    FacestagesError
        If the pictures have another type or shape, there is no such layer, or a layer gives NaN.
    """
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or images.shape[3:] not in ((), (3,)):
        raise FacestagesError(
            f"images must be uint8 of shape (n, rows, columns) or (n, rows, columns, 3), not "
            f"{images.dtype} of shape {images.shape}"
        )
    chosen = chosen_layers(network, [layers] if isinstance(layers, str) else layers)
    outputs = {name: np.empty((len(images), 0), np.float32) for name in chosen}

    def keep(start: int, batch: Mapping[str, np.ndarray]) -> None:
        for name, rows in batch.items():
            if not outputs[name].size:
                outputs[name] = np.empty((len(images), rows.shape[1]), np.float32)
            outputs[name][start : start + len(rows)] = rows

    forward_all(network, images, np.arange(len(images)).astype(str), chosen, keep)
    return outputs


class _Rounding:
    """Rounds to float16, and sums the errors up."""

    def __init__(self) -> None:
        self.squares = self.error_squares = self.largest = 0.0
        self.n = 0
        self._lock = threading.Lock()

    def round(self, block: np.ndarray, what: str) -> np.ndarray:
        """The block in float16.

        Raises
        ------
        FacestagesError
            If a value is beyond the range of float16.
        """
        with np.errstate(over="ignore"):
            rounded = block.astype(np.float16)
        if np.isinf(rounded).any():
            raise FacestagesError(
                f"{what}: a value of {np.abs(block).max():.3g} is beyond float16 (65,504). Say "
                f"'precision: float32'"
            )
        error = rounded.astype(np.float32) - block
        with self._lock:
            self.n += block.size
            self.squares += float(np.square(block, dtype=np.float64).sum())
            self.error_squares += float(np.square(error, dtype=np.float64).sum())
            self.largest = max(self.largest, float(np.abs(error).max(initial=0)))
        return rounded

    def errors(self) -> dict[str, float]:
        """Errors relative to the root mean square of all values."""
        scale = math.sqrt(self.squares / self.n) or 1.0
        return {
            "float16_error": math.sqrt(self.error_squares / self.n) / scale,
            "float16_largest": self.largest / scale,
        }


def require_finite(block: np.ndarray, network: str, layer: str, ids: Sequence[str]) -> None:
    """Refuse outputs (n, units) of a layer with NaN or infinity in them; `ids` name the rows."""
    # The sum is finite only if all terms are, and takes no memory.
    if np.isfinite(block.sum()) or np.isfinite(block).all():
        return
    row = int(np.flatnonzero(~np.isfinite(block).all(axis=1))[0])
    raise FacestagesError(
        f"network {network}, layer {layer}: NaN or infinity for picture '{ids[row]}'. "
        "Its weights may be damaged or its input scaling wrong: check 'weights' and 'input'"
    )
