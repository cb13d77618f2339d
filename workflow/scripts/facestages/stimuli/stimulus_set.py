"""The type of a face set in memory, and what goes into its digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import h5py
import numpy as np
import pandas as pd

from facestages.errors import FacestagesError

#: Parts of a face whose place in a picture may be known, and the edges of the boxes around them.
REGIONS = ("eyes", "brows", "mouth")
EDGES = ("top", "left", "bottom", "right")

#: What cropping measures of a picture: certainty of its face, and distance of the eyes in the
#: original.
CROP_LABELS = ("face_score", "eye_distance")

#: Pictures in memory at a time.
BLOCK = 256


class Irregularity(NamedTuple):
    """A picture that was left out, or did not become a stimulus as the others did."""

    file: str
    reason: str
    #: ``"left out"``, or what was done instead.
    outcome: str


class Example(NamedTuple):
    """A picture before it was cropped."""

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
        Source of each label but ``stimulus_id``: ``posed``, ``rendered``, ``human``,
        ``au-rule-v1``, ``network:<name>``, ``file``.
    attributes : dict
        Facts about the whole set, e.g. ``rendered`` (1 if the faces are renders).
    irregular : list of Irregularity
    examples : list of Example
        Some pictures before they were cropped, for a contact sheet.
    regions : numpy.ndarray of float32, shape (n, 3, 4), or None
        Boxes around `REGIONS` in each picture: their `EDGES` as fractions of its height and width,
        counted from the upper left corner; NaN where unknown. None if all are unknown.

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
        shape = (len(self.images), len(REGIONS), len(EDGES))
        if self.regions is not None and self.regions.shape != shape:
            raise FacestagesError(f"regions must be of shape {shape}, not {self.regions.shape}")

    def __len__(self) -> int:
        return len(self.images)

    @property
    def digest(self) -> str:
        """SHA-256 of the pictures and their names; labels do not count."""
        return digest_stimuli(self.images, self.labels["stimulus_id"])


def require_unique(ids: pd.Series) -> None:
    """Refuse a face set in which a stimulus occurs twice."""
    if ids.duplicated().any():
        raise FacestagesError(f"stimulus_id '{ids[ids.duplicated()].iloc[0]}' occurs twice")


def join_stimuli(parts: Iterable[StimulusSet]) -> StimulusSet:
    """Join parts of a face set; attributes are those of the last part."""
    parts = list(parts)
    return StimulusSet(
        np.concatenate([part.images for part in parts]),
        pd.concat([part.labels for part in parts], ignore_index=True),
        parts[-1].sources,
        parts[-1].attributes,
        [item for part in parts for item in part.irregular],
        [item for part in parts for item in part.examples],
        join_regions([part.regions for part in parts]),
    )


def join_regions(parts: list[np.ndarray | None]) -> np.ndarray | None:
    """Join the regions of parts; None if a part has none."""
    return None if any(part is None for part in parts) else np.concatenate(parts)


def digest_stimuli(images: np.ndarray | h5py.Dataset, ids: Sequence[str]) -> str:
    """SHA-256 of pictures and their names, `BLOCK` pictures in memory at a time."""
    sha = start_digest(images, ids)
    for start in range(0, len(images), BLOCK):
        sha.update(np.ascontiguousarray(images[start : start + BLOCK]).data)
    return sha.hexdigest()


def start_digest(images: np.ndarray | h5py.Dataset, ids: Sequence[str]):
    """The hash of `digest_stimuli` before it is given the pictures, one block after the other."""
    return hashlib.sha256(json.dumps([images.shape, list(ids)]).encode())
