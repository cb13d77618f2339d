"""Face sets: pictures and what is known of each.

A face set, wherever it comes from, becomes one HDF5 file: the pictures as they will be shown to
the networks, one row of labels a picture, and for every label its source.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from facestages import store
from facestages.errors import FacestagesError
from facestages.expressions import EXPRESSIONS

__all__ = ["EXPRESSIONS", "StimulusSet", "read_labels", "read_stimuli", "write_stimuli"]

_ROWS_A_CHUNK = 256


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

    Raises
    ------
    FacestagesError
        If pictures, labels and sources do not fit together.
    """

    images: np.ndarray
    labels: pd.DataFrame
    sources: dict[str, str]
    attributes: dict[str, object] = field(default_factory=dict)

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
        ids = self.labels["stimulus_id"]
        if ids.duplicated().any():
            raise FacestagesError(f"stimulus_id '{ids[ids.duplicated()].iloc[0]}' occurs twice")
        unsourced = set(self.labels.columns) - {"stimulus_id"} - set(self.sources)
        if unsourced:
            raise FacestagesError(f"labels without a source: {', '.join(sorted(unsourced))}")

    def __len__(self) -> int:
        return len(self.images)

    @property
    def digest(self) -> str:
        """SHA-256 of pictures, labels and sources; the name of this set's exact content."""
        sha = hashlib.sha256(str(self.images.shape).encode())
        sha.update(np.ascontiguousarray(self.images).data)
        sha.update(self.labels.to_csv(index=False).encode())
        sha.update(repr(sorted(self.sources.items())).encode())
        return sha.hexdigest()


def write_stimuli(path: str | os.PathLike, stimuli: StimulusSet, name: str) -> None:
    """Write a face set to an HDF5 file.

    Parameters
    ----------
    path : path-like
    stimuli : StimulusSet
    name : str
        The name of the face set in the config.
    """
    attributes = {"dataset": name, "stimuli_digest": stimuli.digest, **stimuli.attributes}
    with store.create(path, "stimuli", **attributes) as file:
        add_labels(file, stimuli.labels, stimuli.sources)
        axes = ("row", "column", "channel")[: stimuli.images.ndim - 1]
        for axis, length in zip(axes, stimuli.images.shape[1:], strict=True):
            store.add_dimension(file, axis, length)
        chunks = (_ROWS_A_CHUNK, *stimuli.images.shape[1:])
        store.add_array(file, "images", ("stimulus_id", *axes), stimuli.images, chunks=chunks)


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


def read_labels(path: str | os.PathLike) -> tuple[pd.DataFrame, dict[str, str], dict[str, object]]:
    """Read the labels of a face set, without its pictures.

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
            if item.ndim == 1 and name not in ("row", "column", "channel")
        }
        sources = {name: file[name].attrs["source"] for name in columns if name != "stimulus_id"}
        return pd.DataFrame(columns), sources, dict(file.attrs)


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
    labels, sources, attributes = read_labels(path)
    with store.open_read(path, "stimuli") as file:
        images = file["images"][:]
    own = ("kind", "schema_version", "dataset", "stimuli_digest")
    kept = {name: value for name, value in attributes.items() if name not in own}
    return StimulusSet(images, labels, sources, kept)
