"""Face sets to measure with: smooth patterns of identities and expressions, and noise.

They need no renderer and no data. Their labels can be decoded, no two pictures are equal, and the
spectrum of a layer falls as for faces, so that principal components are well separated.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from bench.measure import Bench, run

PEOPLE, EXPRESSIONS = 27, ("happy", "sad", "neutral")
LABELS = ("identity", "expression")
_WAVES = 6


def face_set(bench: Bench, n: int, size: int = 48) -> Path:
    """Face set of n grey pictures, made once."""
    path = bench.folder / f"faces-{n}-{size}.h5"
    if not path.exists():
        run(bench, write_faces, out=path, n=n, size=size)
    return path


def write_faces(out: str | os.PathLike, n: int, size: int) -> dict:
    """Make a face set in a process of its own."""
    import pandas as pd

    from facestages.stimuli import StimulusSet, write_stimuli

    images, people, expressions = make_faces(n, size)
    labels = pd.DataFrame(
        {
            "stimulus_id": [f"s{i:06d}" for i in range(n)],
            "identity": [f"p{i:02d}" for i in people],
            "expression": np.array(EXPRESSIONS)[expressions],
        }
    )
    sources = dict.fromkeys(LABELS, "synthetic")
    write_stimuli(out, StimulusSet(images, labels, sources), Path(out).stem)
    return {}


def make_faces(n: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures (n, size, size) uint8, and the number of each one's person and expression (n,)."""
    rng = np.random.default_rng(0)
    people, expressions = np.arange(n) % PEOPLE, np.arange(n) // PEOPLE % len(EXPRESSIONS)
    grid = (np.arange(size) + 0.5) / size
    waves = np.cos(np.pi * np.arange(_WAVES)[:, None] * grid)
    basis = np.einsum("ur,vc->uvrc", waves, waves).reshape(_WAVES**2, size * size)
    u, v = np.divmod(np.arange(_WAVES**2), _WAVES)
    strength = 1 / (1 + u + v)
    identity = rng.standard_normal((PEOPLE, _WAVES**2))[people]
    expression = rng.standard_normal((len(EXPRESSIONS), _WAVES**2))[expressions]
    noise = rng.standard_normal(identity.shape)
    weights = (30 * identity + 15 * expression + 10 * noise) * strength
    images = np.empty((n, size, size), np.uint8)
    for start in range(0, n, 1000):
        rows = slice(start, start + 1000)
        smooth = (weights[rows] @ basis).reshape(-1, size, size) + 128
        images[rows] = np.clip(smooth + rng.normal(0, 8, smooth.shape), 0, 255)
    return images, people, expressions
