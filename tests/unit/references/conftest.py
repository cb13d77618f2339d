"""A small face set, and references of it as a job prepares them."""

import itertools

import numpy as np
import pandas as pd
import pytest

from facestages.config import load_config
from facestages.references import prepare_reference, read_reference
from facestages.stimuli import StimulusSet, write_stimuli
from refusals import refusal

EXPRESSIONS = ("happy", "sad", "neutral")
STAGES = {"early": "pixels", "final": "pixels"}


@pytest.fixture
def faces(tmp_path, monkeypatch):
    """Labels of 12 faces, ``p0-happy.png`` to ``p3-neutral.png``, whose files are in the folder."""
    monkeypatch.chdir(tmp_path)
    crossed = list(itertools.product(range(4), EXPRESSIONS))
    labels = pd.DataFrame(
        {
            "stimulus_id": [f"p{person}-{expression}.png" for person, expression in crossed],
            "identity": [f"p{person}" for person, _ in crossed],
            "expression": [expression for _, expression in crossed],
            "valence": [{"happy": 0.8, "sad": -0.7, "neutral": 0.0}[e] for _, e in crossed],
            "arousal": [{"happy": 0.4, "sad": -0.2, "neutral": -0.4}[e] for _, e in crossed],
        }
    )
    sources = dict.fromkeys(labels.columns.drop("stimulus_id"), "rendered")
    images = np.arange(12 * 4, dtype=np.uint8).reshape(12, 2, 2)
    write_stimuli(tmp_path / "own.h5", StimulusSet(images, labels, sources), "own")
    return labels


class Prepared:
    """Prepare references of `faces`."""

    def __init__(self, folder):
        self.folder = folder

    def entry(self, source, **section):
        section = {"label": "People", "cite": "A lab, 2026", "dataset": "own"} | section
        if source == "simulated":
            section |= {"label": "Simulated observers", "cite": "Simulated"}
        config = {
            "datasets": {"own": {"source": "table", "label": "Own", "table": "own.csv"}},
            "networks": {"p": {"label": "p", "architecture": "pixels", "stages": STAGES}},
            "references": {"people": {"source": source, **section}},
            "figures": {
                "fig4": {"datasets": ["own"], "networks": ["p"], "stages": ["early", "final"]}
            },
        }
        return load_config(config).references["people"].model_dump(exclude={"dataset"})

    def prepare(self, source, **section):
        labels = self.folder / "own.labels.h5"
        entry = self.entry(source, **section)
        prepare_reference("people.h5", "people", entry, self.folder / "own.h5", labels)

    def __call__(self, source, **section):
        self.prepare(source, **section)
        return read_reference("people.h5")

    def refuses(self, source, **section):
        return refusal(self.prepare, source, **section)


@pytest.fixture
def prepared(faces, tmp_path):
    return Prepared(tmp_path)


@pytest.fixture
def write():
    """Write lines to a table, and return its name."""

    def write(*lines, name="table.csv"):
        with open(name, "w") as stream:
            stream.writelines(f"{line}\n" for line in lines)
        return name

    return write
