"""Face sets: pictures and what is known of each.

A face set, wherever it comes from, becomes one HDF5 file: the pictures as they will be shown to
the networks, one row of labels a picture, and for every label its source.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import h5py
import numpy as np
import pandas as pd

from facestages import store, tables
from facestages.errors import FacestagesError
from facestages.expressions import EXPRESSIONS

__all__ = [
    "EDGES",
    "EXPRESSIONS",
    "Example",
    "Irregularity",
    "REGIONS",
    "StimulusSet",
    "join_stimuli",
    "read_labels",
    "read_regions",
    "read_stimuli",
    "write_stimuli",
]

#: The parts of a face whose place in each picture may be known, as boxes of four edges.
REGIONS = ("eyes", "brows", "mouth")
EDGES = ("top", "left", "bottom", "right")

_BLOCK = 256
_CHUNK_BYTES = 1 << 22
_AXES = ("row", "column", "channel")
_REGION_AXES = {"region": REGIONS, "edge": EDGES}


class Irregularity(NamedTuple):
    """A picture that did not become a stimulus as it should."""

    file: str
    reason: str
    #: ``"left out"``, or what was done instead.
    outcome: str


class Example(NamedTuple):
    """A picture as it was before it was cropped."""

    file: str
    #: The stimulus that was made of it, or "".
    stimulus_id: str
    note: str
    #: uint8, shape (k, k, 3): the whole picture, small.
    original: np.ndarray
    #: (column, row) of the eyes in `original`, shape (2, 2); NaN where none were looked for.
    eyes: np.ndarray


@dataclass(frozen=True)
class StimulusSet:
    """Pictures and their labels.

    Attributes
    ----------
    images : numpy.ndarray of uint8, shape (n, rows, columns) or (n, rows, columns, 3)
        Grey or RGB pictures.
    labels : pandas.DataFrame of n rows
        One row a picture. ``stimulus_id`` is unique; the usual others are ``identity``, ``sex``,
        ``expression``, ``session``, ``frame``, ``intensity``, ``valence``, ``arousal``, ``au_*``.
        Missing text is ``""``, a missing number is NaN.
    sources : dict of str to str
        For each label column but ``stimulus_id`` where it comes from: ``posed``, ``rendered``,
        ``human``, ``au-rule-v1``, ``network:<name>``, ``file``.
    attributes : dict
        What else is known of the whole set, e.g. ``rendered`` (1 if the faces are renders).
    irregular : list of Irregularity
        Pictures of the source that were left out, or did not come in as the others.
    examples : list of Example
        Some pictures as they were, for a contact sheet.
    regions : numpy.ndarray of float32, shape (n, 3, 4), or None
        Where `REGIONS` are in each picture: their `EDGES` as fractions of its height and width,
        counted from the upper left corner; NaN where unknown. None if nothing is known of any.

    Raises
    ------
    FacestagesError
        If pictures, labels, sources and regions do not fit together.
    """

    images: np.ndarray
    labels: pd.DataFrame
    sources: dict[str, str]
    attributes: dict[str, object] = field(default_factory=dict)
    irregular: list[Irregularity] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)
    regions: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or self.images.ndim not in (3, 4):
            raise FacestagesError(
                f"pictures must be uint8 of shape (n, rows, columns[, 3]), not "
                f"{self.images.dtype} of shape {self.images.shape}"
            )
        if len(self.images) != len(self.labels):
            raise FacestagesError(f"{len(self.images)} pictures but {len(self.labels)} label rows")
        if len(self.images) == 0:
            raise FacestagesError("the face set is empty")
        require_unique(self.labels["stimulus_id"])
        unsourced = set(self.labels.columns) - {"stimulus_id"} - set(self.sources)
        if unsourced:
            raise FacestagesError(f"labels without a source: {', '.join(sorted(unsourced))}")
        wanted = (len(self.images), len(REGIONS), len(EDGES))
        if self.regions is not None and self.regions.shape != wanted:
            raise FacestagesError(f"regions must be of shape {wanted}, not {self.regions.shape}")

    def __len__(self) -> int:
        return len(self.images)

    @property
    def digest(self) -> str:
        """SHA-256 of pictures, labels, sources and regions; the name of this exact content."""
        return _digest(self.images, self.labels, self.sources, self.regions)


def join_stimuli(parts: Iterable[StimulusSet]) -> StimulusSet:
    """Put parts of a face set together; attributes are those of the last part."""
    parts = list(parts)
    return StimulusSet(
        np.concatenate([part.images for part in parts]),
        pd.concat([part.labels for part in parts], ignore_index=True),
        parts[-1].sources,
        parts[-1].attributes,
        [item for part in parts for item in part.irregular],
        [item for part in parts for item in part.examples],
        _join_regions([part.regions for part in parts]),
    )


def _join_regions(parts: list[np.ndarray | None]) -> np.ndarray | None:
    return None if any(part is None for part in parts) else np.concatenate(parts)


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
        The face set, or its parts one after the other, so that it never needs to be in memory as a
        whole. All parts have the same labels and sources; attributes are those of the last.
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
                rows = int(np.clip(_CHUNK_BYTES // np.prod(shape), 1, _BLOCK))
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
        boxes = _join_regions(regions)
        if boxes is not None:
            add_regions(file, boxes)
        _add_irregular(file, irregular)
        _add_examples(file, examples)
        file.attrs["stimuli_digest"] = _digest(images, table, sources, boxes)


def require_unique(ids: pd.Series) -> None:
    """Refuse a face set in which a stimulus occurs twice."""
    if ids.duplicated().any():
        raise FacestagesError(f"stimulus_id '{ids[ids.duplicated()].iloc[0]}' occurs twice")


def _digest(
    images: np.ndarray | h5py.Dataset,
    labels: pd.DataFrame,
    sources: Mapping[str, str],
    regions: np.ndarray | None,
) -> str:
    sha = hashlib.sha256(str(images.shape).encode())
    for start in range(0, len(images), _BLOCK):
        sha.update(np.ascontiguousarray(images[start : start + _BLOCK]).data)
    sha.update(labels.to_csv(index=False).encode())
    sha.update(repr(sorted(sources.items())).encode())
    if regions is not None:
        sha.update(np.ascontiguousarray(regions, np.float32).data)
    return sha.hexdigest()


def digest_pictures(path: str | os.PathLike, rows: np.ndarray) -> str:
    """SHA-256 of some of a face set's pictures, whatever their labels.

    Parameters
    ----------
    path : path-like
        HDF5 file of the face set.
    rows : numpy.ndarray of bool, shape (n,)
        Which.
    """
    with store.open_read(path, "stimuli") as file:
        images = file["images"]
        sha = hashlib.sha256(str(images.shape[1:]).encode())
        for start in range(0, len(images), _BLOCK):
            chosen = rows[start : start + _BLOCK]
            if chosen.any():
                sha.update(images[start : start + _BLOCK][chosen].tobytes())
    return sha.hexdigest()


def add_regions(group, regions: np.ndarray) -> None:
    """Add where `REGIONS` are, shape (n, 3, 4), to a group that has its labels."""
    for axis, names in _REGION_AXES.items():
        store.add_dimension(group, axis, names)
    store.add_array(group, "regions", ("stimulus_id", *_REGION_AXES), regions.astype(np.float32))


def _add_irregular(file: h5py.File, irregular: list[Irregularity]) -> None:
    group = file.create_group("irregular")
    store.add_dimension(group, "irregular", len(irregular))
    for field_name in Irregularity._fields:
        values = np.array([getattr(item, field_name) for item in irregular], dtype=object)
        store.add_array(group, field_name, ("irregular",), values)


def _add_examples(file: h5py.File, examples: list[Example]) -> None:
    if not examples:
        return
    group = file.create_group("examples")
    store.add_dimension(group, "example", len(examples))
    for field_name in ("file", "stimulus_id", "note"):
        values = np.array([getattr(item, field_name) for item in examples], dtype=object)
        # Not a coordinate here: it says which stimulus belongs to the example.
        stored = "made_into" if field_name == "stimulus_id" else field_name
        store.add_array(group, stored, ("example",), values)
    originals = np.stack([item.original for item in examples])
    lengths = dict(zip(("line", "pixel", "rgb"), originals.shape[1:], strict=True), eye=2, xy=2)
    for axis, length in lengths.items():
        store.add_dimension(group, axis, length)
    store.add_array(group, "original", ("example", "line", "pixel", "rgb"), originals)
    eyes = np.stack([item.eyes for item in examples])
    store.add_array(group, "eyes", ("example", "eye", "xy"), eyes)


def add_labels(group, labels: pd.DataFrame, sources: Mapping[str, str]) -> None:
    """Add ``stimulus_id`` as a dimension of `group`, and the labels along it."""
    store.add_dimension(group, "stimulus_id", labels["stimulus_id"].to_numpy(dtype=object))
    for column in labels.columns.drop("stimulus_id"):
        store.add_array(
            group,
            column,
            ("stimulus_id",),
            labels[column].to_numpy(),
            attributes={"source": sources[column]},
        )


def read_labels(
    path: str | os.PathLike, predictions: str | os.PathLike | None = None
) -> tuple[pd.DataFrame, dict[str, str], dict[str, object]]:
    """Read the labels of a face set, without its pictures.

    Parameters
    ----------
    path : path-like
        A file that `write_stimuli` wrote.
    predictions : path-like, optional
        Table of `recording.predictions.predict_expressions`; what it says takes the place of the
        face set's own ``expression``, and the label's source becomes ``network:<name>``.

    Returns
    -------
    labels : pandas.DataFrame
    sources : dict of str to str
    attributes : dict
        The attributes of the file, among them ``dataset`` and ``stimuli_digest``.
    """
    with store.open_read(path, "stimuli") as file:
        columns = {
            name: store.read_column(item)
            for name, item in file.items()
            if isinstance(item, h5py.Dataset)
            and item.ndim == 1
            and name not in (*_AXES, *_REGION_AXES)
        }
        sources = {name: file[name].attrs["source"] for name in columns if name != "stimulus_id"}
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


def read_regions(path: str | os.PathLike) -> np.ndarray | None:
    """Read where `REGIONS` are in each picture, as `StimulusSet.regions`."""
    with store.open_read(path, "stimuli") as file:
        return file["regions"][:] if "regions" in file else None


def read_report(path: str | os.PathLike) -> dict:
    """What the reader of a face set's source had to say, as plain values."""
    return json.loads(read_labels(path)[2].get("report", "{}"))


def read_stimuli(path: str | os.PathLike) -> StimulusSet:
    """Read a face set from its HDF5 file.

    Parameters
    ----------
    path : path-like
        A file that `write_stimuli` wrote.

    Returns
    -------
    StimulusSet

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
    own = ("kind", "schema_version", "dataset", "stimuli_digest")
    kept = {name: value for name, value in attributes.items() if name not in own}
    regions = read_regions(path)
    with store.open_read(path, "stimuli") as file:
        images = file["images"]
        irregular, examples = _irregular(file), _examples(file)
        for start in range(0, len(images), _BLOCK):
            rows = slice(start, start + _BLOCK)
            own_labels = labels.iloc[rows].reset_index(drop=True)
            boxes = None if regions is None else regions[rows]
            yield StimulusSet(images[rows], own_labels, sources, kept, irregular, examples, boxes)
            irregular, examples = [], []


def read_irregular(path: str | os.PathLike) -> list[Irregularity]:
    """Read what is known of pictures that did not become stimuli as they should."""
    with store.open_read(path, "stimuli") as file:
        return _irregular(file)


def read_examples(path: str | os.PathLike) -> list[Example]:
    """Read the pictures that were kept as they were before they were cropped."""
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
