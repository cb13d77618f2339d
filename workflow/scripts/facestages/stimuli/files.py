"""Face sets as HDF5 files: pictures, labels, regions, and notes on how they were prepared."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping

import h5py
import numpy as np
import pandas as pd

from facestages import store, tables
from facestages.errors import FacestagesError
from facestages.stimuli.stimulus_set import (
    BLOCK,
    EDGES,
    REGIONS,
    Example,
    Irregularity,
    StimulusSet,
    digest_stimuli,
    join_regions,
    join_stimuli,
    require_unique,
)

_CHUNK_BYTES = 1 << 22
_AXES = ("row", "column", "channel")
_REGION_AXES = {"region": REGIONS, "edge": EDGES}


def write_stimuli(
    path: str | os.PathLike,
    parts: StimulusSet | Iterable[StimulusSet],
    name: str,
    finish: Callable[[h5py.Dataset], None] | None = None,
) -> None:
    """Write a face set to an HDF5 file.

    Parameters
    ----------
    path : path-like
    parts : StimulusSet or iterable of StimulusSet
        The face set, or its parts one after the other, so that only one part is in memory. All
        parts have the same labels and sources; attributes are those of the last.
    name : str
        The name of the face set in the config.
    finish : callable, optional
        Changes the pictures in place when all of them are there.

    Raises
    ------
    FacestagesError
        If parts do not fit together, or the disk is full.
    """
    if isinstance(parts, StimulusSet):
        parts = [parts]
    with store.create(path, "stimuli", dataset=name) as file:
        labels, regions, irregular, examples = [], [], [], []
        images = sources = None
        for part in parts:
            if images is None:
                sources, shape = part.sources, part.images.shape[1:]
                rows = int(np.clip(_CHUNK_BYTES // np.prod(shape), 1, BLOCK))
                images = store.add_growing(file, "images", shape, np.uint8, rows)
            if part.images.shape[1:] != images.shape[1:] or part.sources != sources:
                raise FacestagesError(
                    f"{name}: the parts of the face set have different sizes or labels. Delete "
                    f"its files and run the same command again"
                )
            store.append(images, part.images)
            file.attrs.update(part.attributes)
            labels.append(part.labels)
            regions.append(part.regions)
            irregular += part.irregular
            examples += part.examples
        if not labels:
            raise FacestagesError(f"{name}: the face set is empty")
        table = pd.concat(labels, ignore_index=True)
        require_unique(table["stimulus_id"])
        if finish is not None:
            finish(images)
        add_labels(file, table, sources)
        axes = _AXES[: images.ndim - 1]
        for axis, length in zip(axes, images.shape[1:], strict=True):
            store.add_dimension(file, axis, length)
        store.attach_dimensions(images, ("stimulus_id", *axes))
        boxes = join_regions(regions)
        if boxes is not None:
            add_regions(file, boxes)
        _add_irregular(file, irregular)
        _add_examples(file, examples)
        file.attrs["stimuli_digest"] = digest_stimuli(images, table, sources, boxes)


def add_labels(group: h5py.Group, labels: pd.DataFrame, sources: Mapping[str, str]) -> None:
    """Add ``stimulus_id`` as a dimension of `group`, and the labels along it."""
    store.add_dimension(group, "stimulus_id", labels["stimulus_id"].to_numpy(dtype=object))
    for column in labels.columns.drop("stimulus_id"):
        store.add_label(group, column, labels[column].to_numpy(), sources[column])


def add_regions(group: h5py.Group, regions: np.ndarray) -> None:
    """Add the boxes around `REGIONS`, shape (n, 3, 4), to a group that has its labels."""
    for axis, names in _REGION_AXES.items():
        store.add_dimension(group, axis, names)
    store.add_array(group, "regions", ("stimulus_id", *_REGION_AXES), regions.astype(np.float32))


def _add_irregular(file: h5py.File, irregular: list[Irregularity]) -> None:
    group = file.create_group("irregular")
    store.add_dimension(group, "irregular", len(irregular))
    for number, column in enumerate(Irregularity._fields):
        values = np.array([item[number] for item in irregular], dtype=object)
        store.add_array(group, column, ("irregular",), values)


def _add_examples(file: h5py.File, examples: list[Example]) -> None:
    if not examples:
        return
    group = file.create_group("examples")
    store.add_dimension(group, "example", len(examples))
    files, ids, notes, originals, eyes = zip(*examples, strict=True)
    # The stimulus of an example is no coordinate here, so it needs a name of its own.
    for column, values in {"file": files, "made_into": ids, "note": notes}.items():
        store.add_array(group, column, ("example",), np.array(values, dtype=object))
    originals = np.stack(originals)
    lengths = dict(zip(("line", "pixel", "rgb"), originals.shape[1:], strict=True), eye=2, xy=2)
    for axis, length in lengths.items():
        store.add_dimension(group, axis, length)
    store.add_array(group, "original", ("example", "line", "pixel", "rgb"), originals)
    store.add_array(group, "eyes", ("example", "eye", "xy"), np.stack(eyes))


def read_stimuli(path: str | os.PathLike) -> StimulusSet:
    """Read a face set from the HDF5 file that `write_stimuli` wrote.

    Raises
    ------
    FacestagesError
        If the file is missing, truncated or something else.
    """
    parts = list(read_parts(path))
    return parts[0] if len(parts) == 1 else join_stimuli(parts)


def read_parts(path: str | os.PathLike) -> Iterator[StimulusSet]:
    """Read a face set part by part, 256 pictures at a time; see `read_stimuli`."""
    labels, sources, attributes = read_labels(path)
    for name in ("kind", "schema_version", "dataset", "stimuli_digest"):
        del attributes[name]
    regions = read_regions(path)
    with store.open_read(path, "stimuli") as file:
        images = file["images"]
        irregular, examples = _irregular(file), _examples(file)
        for start in range(0, len(images), BLOCK):
            rows = slice(start, start + BLOCK)
            yield StimulusSet(
                images[rows],
                labels.iloc[rows].reset_index(drop=True),
                sources,
                attributes,
                irregular,
                examples,
                None if regions is None else regions[rows],
            )
            irregular, examples = [], []


def read_labels(
    path: str | os.PathLike, predictions: str | os.PathLike | None = None
) -> tuple[pd.DataFrame, dict[str, str], dict[str, object]]:
    """Read the labels of a face set, without its pictures.

    Parameters
    ----------
    path : path-like
        A file that `write_stimuli` wrote.
    predictions : path-like, optional
        Table of `recording.predictions.predict_expressions`. Its expressions replace those of the
        face set, and the label's source becomes ``network:<name>``.

    Returns
    -------
    labels : pandas.DataFrame
    sources : dict of str to str
    attributes : dict
        The attributes of the file, among them ``dataset`` and ``stimuli_digest``.

    Raises
    ------
    FacestagesError
        If `predictions` are of other stimuli.
    """
    with store.open_read(path, "stimuli") as file:
        sources = store.label_sources(file)
        columns = {
            name: store.read_column(item)
            for name, item in file.items()
            if name == "stimulus_id" or name in sources
        }
        labels, attributes = pd.DataFrame(columns), dict(file.attrs)
    if predictions is not None:
        predicted = tables.read_tables([predictions])
        if list(predicted["stimulus_id"]) != list(labels["stimulus_id"]):
            raise FacestagesError(
                f"{predictions}: was made from other stimuli than {path}. Delete it and run the "
                f"same command again"
            )
        labels["expression"] = predicted["expression"]
        sources["expression"] = f"network:{predicted['network'].iloc[0]}"
    return labels, sources, attributes


def digest_pictures(path: str | os.PathLike, rows: np.ndarray) -> str:
    """SHA-256 of the pictures, without labels, that `rows` marks (bool, shape (n,))."""
    with store.open_read(path, "stimuli") as file:
        images = file["images"]
        sha = hashlib.sha256(str(images.shape[1:]).encode())
        for start in range(0, len(images), BLOCK):
            chosen = rows[start : start + BLOCK]
            if chosen.any():
                sha.update(images[start : start + BLOCK][chosen].tobytes())
    return sha.hexdigest()


def read_regions(path: str | os.PathLike) -> np.ndarray | None:
    """Read the boxes around `REGIONS`, as in `StimulusSet.regions`."""
    with store.open_read(path, "stimuli") as file:
        return file["regions"][:] if "regions" in file else None


def read_report(path: str | os.PathLike) -> dict:
    """Read the report of the reader of a face set's source, as plain values."""
    return json.loads(read_labels(path)[2].get("report", "{}"))


def read_irregular(path: str | os.PathLike) -> list[Irregularity]:
    """Read the list of pictures that were left out or taken otherwise."""
    with store.open_read(path, "stimuli") as file:
        return _irregular(file)


def read_examples(path: str | os.PathLike) -> list[Example]:
    """Read the examples of pictures before they were cropped."""
    with store.open_read(path, "stimuli") as file:
        return _examples(file)


def _irregular(file: h5py.File) -> list[Irregularity]:
    if "irregular" not in file:
        return []
    columns = [store.read_column(file["irregular"][name]) for name in Irregularity._fields]
    return [Irregularity(*row) for row in zip(*columns, strict=True)]


def _examples(file: h5py.File) -> list[Example]:
    if "examples" not in file:
        return []
    group = file["examples"]
    text = [store.read_column(group[name]) for name in ("file", "made_into", "note")]
    return [
        Example(*row) for row in zip(*text, group["original"][:], group["eyes"][:], strict=True)
    ]
