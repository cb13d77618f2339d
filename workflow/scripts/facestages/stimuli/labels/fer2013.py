"""Labels of FER2013: they lie in the same file, or in the same folders, as its pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from facestages.stimuli import take_rows
from facestages.stimuli.fer2013 import list_faces
from facestages.stimuli.labels import Labels


def list_labels(entry: Mapping, facts: pd.DataFrame) -> Labels:
    """``expression`` and ``split``; see `stimuli.labels.label_pictures`."""
    faces, _ = list_faces(Path(entry["path"]))
    columns = ["stimulus_id", "expression", "split"]
    labels = pd.DataFrame([face[:3] for face in faces], columns=columns)
    labels = take_rows(labels, facts["stimulus_id"], entry["path"])
    return Labels(labels, dict.fromkeys(labels, "file"))


def list_people(entry: Mapping, facts: pd.DataFrame) -> list[str]:
    """Nobody is known; see `stimuli.labels.list_people`."""
    return [""] * len(facts)
