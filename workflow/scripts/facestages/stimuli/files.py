"""Face sets as HDF5 files: one of pictures, with notes on how they were prepared, one of labels."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from facestages import store, tables
from facestages.errors import FacestagesError
from facestages.stimuli.stimulus_set import (
    BLOCK,
    CROP_LABELS,
    EDGES,
    REGIONS,
    Example,
    Irregularity,
    StimulusSet,
    digest_stimuli,
    join_regions,
    join_stimuli,
    require_unique,
    start_digest,
)

_CHUNK_BYTES = 1 << 22
_AXES = ("row", "column", "channel")
_REGION_AXES = {"region": REGIONS, "edge": EDGES}


def write_stimuli(path: str | os.PathLike, stimuli: StimulusSet, name: str) -> None:
    """Write a face set: its pictures to an HDF5 file, and its labels to a second one beside it.

    `name` is the name of the face set in the config. The second file is called NAME.labels.h5.
    """
    known = [label for label in CROP_LABELS if label in stimuli.labels]
    sources = {label: stimuli.sources[label] for label in known}
    facts = stimuli.labels[["stimulus_id", *known]]
    write_pictures(path, replace(stimuli, labels=facts, sources=sources), name)
    write_labels(_labels_beside(path, name), stimuli.labels, stimuli.sources, name)


def _labels_beside(path: str | os.PathLike, name: object) -> Path:
    return Path(path).with_name(f"{name}.labels.h5")


def write_pictures(
    path: str | os.PathLike,
    parts: StimulusSet | Iterable[StimulusSet],
    name: str,
    finish: Callable[[h5py.Dataset], None] | None = None,
) -> None:
    """Write the pictures of a face set to an HDF5 file.

    Parameters
    ----------
    path : path-like
    parts : StimulusSet or iterable of StimulusSet
        The face set, or its parts one after the other, so that only one part is in memory. Their
        labels are what was measured or told when the pictures were made. All parts have the same
        labels and sources; attributes are those of the last.
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
        _add_labels(file, table, sources)
        axes = _AXES[: images.ndim - 1]
        for axis, length in zip(axes, images.shape[1:], strict=True):
            store.add_dimension(file, axis, length)
        store.attach_dimensions(images, ("stimulus_id", *axes))
        boxes = join_regions(regions)
        if boxes is not None:
            add_regions(file, boxes)
        _add_irregular(file, irregular)
        _add_examples(file, examples)
        file.attrs["stimuli_digest"] = digest_stimuli(images, table["stimulus_id"])


def write_labels(
    path: str | os.PathLike,
    labels: pd.DataFrame,
    sources: Mapping[str, str],
    name: str,
    report: Mapping[str, object] | None = None,
) -> None:
    """Write the labels of a face set to an HDF5 file.

    Parameters
    ----------
    path : path-like
    labels : pandas.DataFrame
        A row a picture, with ``stimulus_id``.
    sources : mapping of str to str
        Source of each label.
    name : str
        The name of the face set in the config.
    report : mapping, optional
        Further facts for the report, of JSON's types.
    """
    with store.create(path, "labels", dataset=name, report=json.dumps(report or {})) as file:
        _add_labels(file, labels, sources)


def add_ids(group: h5py.Group, ids: Sequence[str]) -> None:
    """Add ``stimulus_id``, the names of pictures, as a dimension of `group`."""
    store.add_dimension(group, "stimulus_id", np.asarray(ids, dtype=object))


def _add_labels(file: h5py.File, labels: pd.DataFrame, sources: Mapping[str, str]) -> None:
    add_ids(file, labels["stimulus_id"])
    for column in labels.columns.drop("stimulus_id"):
        store.add_label(file, column, labels[column].to_numpy(), sources[column])


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


def read_stimuli(path: str | os.PathLike, labels: str | os.PathLike | None = None) -> StimulusSet:
    """Read a face set: pictures and labels.

    Parameters
    ----------
    path : path-like
        HDF5 file of pictures.
    labels : path-like, optional
        HDF5 file of labels. If not given, the one beside `path` is read; without any, the labels
        are what is known from making the pictures.

    Returns
    -------
    StimulusSet
        ``images``, uint8, shape (n, rows, columns) or (n, rows, columns, 3); ``labels``, a
        DataFrame of n rows; and ``sources``, where each label comes from.

    Raises
    ------
    FacestagesError
        If a file is missing or damaged or something else, or has no labels of a picture.
    """
    parts = list(read_parts(path))
    stimuli = parts[0] if len(parts) == 1 else join_stimuli(parts)
    known, sources, _ = read_labels(path, labels)
    return replace(stimuli, labels=known, sources=sources)


def read_parts(path: str | os.PathLike) -> Iterator[StimulusSet]:
    """Read the pictures of a face set part by part, 256 at a time, without the file of labels.

    Raises
    ------
    FacestagesError
        At the end, if pictures and names are not those that were written; see `read_stimuli`.
    """
    facts, sources, attributes = read_facts(path)
    for name in ("kind", "schema_version", "dataset"):
        del attributes[name]
    digest = attributes.pop("stimuli_digest")
    regions = read_regions(path)
    with store.open_read(path, "stimuli") as file:
        images = file["images"]
        irregular, examples = _irregular(file), _examples(file)
        sha = start_digest(images, facts["stimulus_id"])
        for start in range(0, len(images), BLOCK):
            rows = slice(start, start + BLOCK)
            block = images[rows]
            sha.update(block)
            yield StimulusSet(
                block,
                facts.iloc[rows].reset_index(drop=True),
                sources,
                attributes,
                irregular,
                examples,
                None if regions is None else regions[rows],
            )
            irregular, examples = [], []
    if sha.hexdigest() != digest:
        raise FacestagesError(
            f"{path}: is damaged, its pictures are not those that were written: delete it and run "
            f"the same command again"
        )


def read_facts(
    path: str | os.PathLike,
) -> tuple[pd.DataFrame, dict[str, str], dict[str, object]]:
    """Read what is known from making the pictures of a face set, without pictures and labels.

    Returns
    -------
    facts : pandas.DataFrame
        A row a picture: ``stimulus_id``, and what was measured or told when it was made.
    sources : dict of str to str
        Source of each column but ``stimulus_id``.
    attributes : dict
        The attributes of the file, among them ``dataset`` and ``stimuli_digest``.
    """
    with store.open_read(path, "stimuli") as file:
        return *_read_table(file), dict(file.attrs)


def read_labels(
    path: str | os.PathLike,
    labels: str | os.PathLike | None = None,
    predictions: str | os.PathLike | None = None,
) -> tuple[pd.DataFrame, dict[str, str], dict[str, object]]:
    """Read the labels of the pictures of a face set, in the order of the pictures.

    Parameters
    ----------
    path, labels : path-like
        As for `read_stimuli`. The file of labels may have more pictures.
    predictions : path-like, optional
        Table of `recording.predictions.predict_expressions`. Its expressions replace those of the
        face set, and the label's source becomes ``network:<name>``.

    Returns
    -------
    labels : pandas.DataFrame
    sources : dict of str to str
    attributes : dict
        The attributes of the file of pictures, among them ``dataset`` and ``stimuli_digest``.

    Raises
    ------
    FacestagesError
        If there are no labels of a picture, or `predictions` are of other stimuli.
    """
    known, sources, attributes = read_facts(path)
    beside = _labels_beside(path, attributes["dataset"])
    if labels is not None or beside.exists():
        ids = known["stimulus_id"]
        table, sources = read_label_file(labels or beside)
        known = take_rows(table, ids, labels or beside)
        known.insert(0, "stimulus_id", ids)
    if predictions is not None:
        predicted = tables.read_tables([predictions])
        if list(predicted["stimulus_id"]) != list(known["stimulus_id"]):
            raise FacestagesError(
                f"{predictions}: was made from other stimuli than {path}. Delete it and run the "
                f"same command again"
            )
        known["expression"] = predicted["expression"]
        sources["expression"] = f"network:{predicted['network'].iloc[0]}"
    return known, sources, attributes


def read_label_file(path: str | os.PathLike) -> tuple[pd.DataFrame, dict[str, str]]:
    """All labels in a file of `write_labels`, with ``stimulus_id``, and the source of each."""
    with store.open_read(path, "labels") as file:
        return _read_table(file)


def take_rows(labels: pd.DataFrame, ids: Sequence[str], path: str | os.PathLike) -> pd.DataFrame:
    """The labels of some pictures, in their order, without ``stimulus_id``.

    A FacestagesError names `path` if it has no labels of a picture.
    """
    rows = pd.Index(labels["stimulus_id"]).get_indexer(ids)
    if (rows < 0).any():
        lacking = np.asarray(ids)[rows < 0][0]
        raise FacestagesError(
            f"{path}: has no labels of picture '{lacking}'. If it is a result, delete it and run "
            f"the same command again"
        )
    return labels.drop(columns="stimulus_id").iloc[rows].reset_index(drop=True)


def _read_table(file: h5py.File) -> tuple[pd.DataFrame, dict[str, str]]:
    sources = store.label_sources(file)
    columns = {name: store.read_label(file, name) for name in ("stimulus_id", *sources)}
    return pd.DataFrame(columns), sources


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
    """Read what the reader of a source reports, from a file of pictures or of labels."""
    with store.open_read(path, ("stimuli", "labels")) as file:
        return json.loads(file.attrs.get("report", "{}"))


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
