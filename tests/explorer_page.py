"""An explorer of made-up faces, each of which shows its own number."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pandas as pd

from facestages import explorer
from facestages.figures.face_set import FaceSet
from facestages.stimuli import StimulusSet, write_stimuli
from workflow_runner import REPOSITORY

PAGE = REPOSITORY / "workflow" / "report" / "explorer"

#: Why identity is not decoded.
WHY = "all pictures are of one session"

#: Grey values of the four quarters of a face: far enough apart to survive JPEG.
_LEVELS = (20, 90, 160, 230)


def numbered_pictures(n: int, size: int = 48) -> np.ndarray:
    """Pictures (n, size, size), whose 4 x 4 fields spell their number in digits of base 4."""
    digits = (np.arange(n)[:, None] // 4 ** np.arange(16)) % 4
    fields = np.asarray(_LEVELS, dtype=np.uint8)[digits].reshape(n, 4, 4)
    return fields.repeat(size // 4, axis=1).repeat(size // 4, axis=2)


def read_number(fields: list[float]) -> int:
    """The number that 16 grey values of fields spell."""
    digits = np.abs(np.asarray(fields)[:, None] - _LEVELS).argmin(axis=1)
    return int((digits * 4 ** np.arange(16)).sum())


def labels_of(n: int, people: int) -> pd.DataFrame:
    number = np.arange(n)
    return pd.DataFrame(
        {
            "stimulus_id": [f"set/{i:05d}" for i in number],
            "identity": [f"P{i % people}" for i in number],
            "expression": np.array(["happy", "sad", "neutral"])[number // people % 3],
            "valence": np.linspace(-1, 1, n),
        }
    )


def faces_of(folder: Path, n: int, people: int, may_show: str | list[str] = "all") -> FaceSet:
    """A face set on the disk."""
    labels = labels_of(n, people)
    sources = dict.fromkeys(labels.columns.drop("stimulus_id"), "made up")
    path = folder / "faces.h5"
    write_stimuli(path, StimulusSet(numbered_pictures(n), labels, sources, {}), "set")
    return FaceSet(path, None, labels, sources, {"stimuli_digest": ""}, may_show)


def recording(n: int, layers: int, seed: int = 0) -> dict[str, object]:
    """A network whose layers are random maps."""
    rng = np.random.default_rng(seed)
    names = [f"layer_{number}" for number in range(layers)]
    k = min(12, n - 1)
    points = {name: rng.normal(size=(n, 2)) / 3 for name in names}
    near = (np.arange(n)[:, None] + np.arange(1, k + 1)) % n
    scores = {"identity": [0.3, 0.2, 0.4, 0.0], "expression": [0.1, 0.0, 0.2, 0.0]}
    decoded = {"identity": [None, None, None, None, WHY], "expression": [0.5, 0.4, 0.6, 0.33]}
    answers = explorer._encode(rng.integers(1, 3, n), "<u2")
    return {
        "network": f"net{seed}",
        "label": f"Network {seed}",
        "seed": 0,
        "weights": ["made up", "nothing"],
        "neighbours": k,
        "layers": [
            {
                "name": name,
                "stage": {0: "early", layers - 1: "final"}.get(number, ""),
                "shape": "8",
                "variance": [0.5, 0.25],
                "nearest": explorer._encode(near, "<u2"),
                "silhouette": scores,
                "decoding": decoded,
            }
            for number, name in enumerate(names)
        ],
        "maps": {"pca": explorer._encode_maps(names, points)},
        "circular": False,
        "answers": {"categories": ["happy", "sad"], "codes": answers},
    }


def write_page(path: Path, faces: FaceSet, networks: int = 2, layers: int = 4) -> None:
    """Write an explorer of one face set."""
    n = len(faces.labels)
    one = {
        "name": "set",
        "label": "Made-up faces",
        "rendered": False,
        "count": faces.count(),
        "ids": list(faces.labels["stimulus_id"]),
        "labels": explorer._labels(faces),
        "hidden": int((~faces.is_shown).sum()),
        "thumbnails": explorer.draw_pages(faces),
        "recordings": [recording(n, layers, seed) for seed in range(networks)],
    }
    explorer.write_page(path, {"version": "0", "components": 10, "sets": [one]}, PAGE)


def read_pages(pages: list[str]) -> list[bytes]:
    """JPEG files of a face set's small pictures."""
    return [base64.b64decode(page.partition(",")[2]) for page in pages]
