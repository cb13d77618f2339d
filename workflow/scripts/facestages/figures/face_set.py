"""A face set as figures need it: all labels, the pictures that are shown, and numbers in words."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from facestages import store
from facestages.analysis.labels import read_people
from facestages.stimuli import read_labels
from facestages.stimuli.sample import pictures_in_words


class FaceSet(NamedTuple):
    """A face set without its pictures, from `read_face_set`."""

    path: str | os.PathLike
    label_file: str | os.PathLike | None
    labels: pd.DataFrame
    #: Where each label comes from.
    sources: dict[str, str]
    attributes: dict[str, object]

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

    def pictures(self, rows: Sequence[int]) -> list[np.ndarray]:
        """Pictures (rows, columns[, 3]) uint8 of some stimuli."""
        with store.open_read(self.path, "stimuli") as file:
            return [file["images"][int(row)] for row in rows]

    def count(self) -> str:
        """``"972 pictures of 70 people"``; of a sample also how many there are in all."""
        people = len({*self.identities} - {""})
        of = f" of {people} {'person' if people == 1 else 'people'}" if people else ""
        return f"{pictures_in_words(len(self.labels), self.attributes)}{of}"


def read_face_set(
    stimuli: str | os.PathLike,
    labels: str | os.PathLike | None = None,
    labels_from: str | os.PathLike | None = None,
) -> FaceSet:
    """Read a face set from its files of pictures and of labels (`stimuli.read_labels`).

    Predictions in `labels_from` take the place of its expressions.
    """
    return FaceSet(stimuli, labels, *read_labels(stimuli, labels, labels_from))
