"""A face set as figures need it: all labels, the pictures that are shown, and numbers in words."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from PIL import Image

from facestages import store
from facestages.analysis.labels import read_people
from facestages.errors import FacestagesError, did_you_mean
from facestages.stimuli import read_labels
from facestages.stimuli.sample import pictures_in_words

# Longest side of a face, enough for 14 mm at 300 dots an inch.
_PIXELS = 166


class FaceSet(NamedTuple):
    """A face set without its pictures, from `read_face_set`."""

    path: str | os.PathLike
    label_file: str | os.PathLike | None
    labels: pd.DataFrame
    #: Where each label comes from.
    sources: dict[str, str]
    attributes: dict[str, object]
    #: Whose faces may be shown: ``"all"``, ``"none"`` or identities.
    may_show: str | Sequence[str] = "none"

    @property
    def digest(self) -> str:
        return str(self.attributes["stimuli_digest"])

    @property
    def rendered(self) -> bool:
        return bool(self.attributes.get("rendered", 0))

    @property
    def columns(self) -> dict[str, object]:
        """Columns ``dataset`` and ``rendered`` of a table of numbers."""
        return {"dataset": self.attributes["dataset"], "rendered": int(self.rendered)}

    @property
    def identities(self) -> np.ndarray:
        """Identity of each picture; "" where it is not known."""
        return self._label("identity")

    @property
    def people(self) -> np.ndarray | None:
        """Identity of each picture, for bootstraps; see `analysis.labels.read_people`."""
        return read_people(self.labels)

    @property
    def expressions(self) -> np.ndarray:
        """Expression of each picture; "" where it is not known."""
        return self._label("expression")

    def _label(self, name: str) -> np.ndarray:
        if name in self.labels:
            return self.labels[name].astype(str).to_numpy()
        return np.full(len(self.labels), "")

    @property
    def is_shown(self) -> np.ndarray:
        """Whether each face may be shown; one whose identity is not known, only if all may."""
        if isinstance(self.may_show, str):
            return np.full(len(self.labels), self.may_show == "all")
        return np.isin(self.identities, list(self.may_show))

    def pictures(self, rows: Sequence[int]) -> list[np.ndarray]:
        """Pictures (rows, columns[, 3]) uint8 of some stimuli; where not shown, a placeholder."""
        is_shown = self.is_shown
        with store.open_read(self.path, "stimuli") as file:
            images = file["images"]
            hidden = placeholder(images.shape[1:])
            return [images[int(row)] if is_shown[row] else hidden for row in rows]

    def count(self) -> str:
        """``"972 pictures of 70 people"``; of a sample also how many there are in all."""
        people = len({*self.identities} - {""})
        of = f" of {people} {'person' if people == 1 else 'people'}" if people else ""
        return f"{pictures_in_words(len(self.labels), self.attributes)}{of}"


def read_face_set(
    stimuli: str | os.PathLike,
    labels: str | os.PathLike | None = None,
    labels_from: str | os.PathLike | None = None,
    may_show: str | Sequence[str] = "none",
) -> FaceSet:
    """Read a face set from its files of pictures and of labels (`stimuli.read_labels`).

    Predictions in `labels_from` take the place of its expressions. `may_show` says whose faces may
    be shown: ``"all"``, ``"none"`` or a list of identities.

    Raises
    ------
    FacestagesError
        If `may_show` names people of whom the set has none.
    """
    faces = FaceSet(stimuli, labels, *read_labels(stimuli, labels, labels_from), may_show)
    if may_show and not isinstance(may_show, str) and not faces.is_shown.any():
        name, people = faces.attributes["dataset"], sorted({*faces.identities} - {""})
        raise FacestagesError(
            f"datasets.{name}.may_show: no face is of {', '.join(may_show)}; "
            f"{did_you_mean(may_show[0], people)}"
        )
    return faces


def placeholder(shape: Sequence[int]) -> np.ndarray:
    """Head and shoulders in grey (rows, columns[, 3]) uint8, in place of a face."""
    y, x = (np.linspace(-1, 1, size) for size in shape[:2])
    y = y[:, None]
    head = (x / 0.4) ** 2 + ((y + 0.2) / 0.5) ** 2 < 1
    shoulders = (x / 0.8) ** 2 + ((y - 1.15) / 0.65) ** 2 < 1
    drawn = np.where(head | shoulders, 150, 215).astype(np.uint8)
    return drawn if len(shape) == 2 else np.repeat(drawn[..., None], shape[2], axis=2)


def thumbnail(picture: np.ndarray, pixels: int = _PIXELS) -> np.ndarray:
    """A picture (rows, columns[, 3]) uint8 as RGB, its longer side at most `pixels`."""
    image = Image.fromarray(np.ascontiguousarray(picture)).convert("RGB")
    longest = max(image.size)
    if longest > pixels:
        size = tuple(max(1, round(side * pixels / longest)) for side in image.size)
        image = image.resize(size, Image.Resampling.LANCZOS)
    return np.asarray(image)
