"""A small face set, and maps of layers as `embed_umap` and `measure_geometry` write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from facestages import store
from facestages.analysis.parallel_analysis import noise_edge
from facestages.stimuli import StimulusSet, add_ids, read_labels, write_stimuli

EXPRESSIONS = ("neutral", "happy", "angry")


def write_faces(
    folder: Path, people: int = 3, pictures: int = 20, leave_out: Sequence[str] = ()
) -> Path:
    """Write a face set of random pictures; people and expressions take turns."""
    n = people * pictures
    rng = np.random.default_rng(0)
    number = np.arange(n)
    labels = pd.DataFrame(
        {
            "stimulus_id": [f"set/{k:03}" for k in number],
            "identity": [f"F{k % people:02}" for k in number],
            "expression": [EXPRESSIONS[k // people % 3] for k in number],
            "intensity": rng.random(n),
            "valence": rng.normal(size=n),
            "arousal": rng.normal(size=n),
        }
    ).drop(columns=list(leave_out))
    sources = dict.fromkeys(labels.columns[1:], "rendered")
    sources |= {name: "rendered: declared" for name in ("valence", "arousal") if name in sources}
    images = rng.integers(0, 256, (n, 16, 16), dtype=np.uint8)
    faces = StimulusSet(images, labels, sources, {"rendered": 1})
    path = folder / "faces.h5"
    write_stimuli(path, faces, "set")
    return path


def spread(path: Path, apart: float, seed: int = 0) -> np.ndarray:
    """Points in a plane, shape (n, 2), whose people lie `apart` from each other."""
    labels, _, _ = read_labels(path)
    people = pd.factorize(labels["identity"])[0] if "identity" in labels else np.zeros(len(labels))
    angles = 2 * np.pi * people / 3
    middles = apart * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return middles + np.random.default_rng(seed).normal(size=(len(labels), 2))


def write_layers(
    path: Path,
    stimuli: Path,
    kind: str,
    layers: Mapping[str, np.ndarray],
    network: str = "nn1",
    seed: int = 0,
) -> Path:
    """Write points (n, k) of layers as an ``embedding``, or as components of a ``geometry``."""
    labels, sources, known = read_labels(stimuli)
    notes = {"network": network, "seed": seed, "dataset": known["dataset"]}
    notes |= {"stimuli_digest": known["stimuli_digest"]}
    if kind == "embedding":
        notes |= {"neighbours": 15, "min_dist": 0.1, "umap_seed": 0, "umap_version": "0"}
    with store.create(path, kind, **notes) as file:
        for layer, points in layers.items():
            group = file.create_group(layer)
            group.attrs["layer_shape"] = [points.shape[1]]
            add_ids(group, labels["stimulus_id"])
            if kind == "embedding":
                group.attrs.update(axis1="valence", axis2="farthest point", graph_parts=2)
                store.add_dimension(group, "axis", [1, 2])
                store.add_array(group, "umap", ("stimulus_id", "axis"), points)
                continue
            centred = points - points.mean(axis=0)
            variance = (centred**2).sum(axis=0)
            edge = noise_edge(variance, (centred**2).sum(axis=1))
            group.attrs.update(total_variance=variance.sum(), noise_edge=edge)
            store.add_dimension(group, "other_stimulus", len(points))
            store.add_dimension(group, "component", np.arange(points.shape[1]) + 1)
            values = np.append(variance, np.zeros(len(points) - len(variance)))
            store.add_dimension(group, "eigenvalue_number", np.arange(len(points)) + 1)
            store.add_array(group, "eigenvalue", ("eigenvalue_number",), values)
            store.add_array(group, "gram", ("stimulus_id", "other_stimulus"), centred @ centred.T)
            store.add_array(group, "score", ("stimulus_id", "component"), centred)
            store.add_array(
                group, "variance_ratio", ("component",), variance / (variance.sum() or 1)
            )
    return path


def write_scores(
    values: Mapping[tuple[str, str, str], float], network: str = "nn1", seed: int = 0
) -> pd.DataFrame:
    """Scores by layer, space and measure; a measure may name its label (``r_axis1 valence``)."""
    rows = []
    for (layer, space, what), value in values.items():
        measure, _, label = what.partition(" ")
        rows.append(
            {
                **{"dataset": "set", "network": network, "seed": seed, "layer": layer},
                **{"label": label or "identity", "measure": measure, "components": space},
                **{"value": value, "ci_low": value - 0.05, "ci_high": value + 0.05, "n": 60},
                **{"label_source": "rendered: declared" if label else "rendered", "note": ""},
            }
        )
    return pd.DataFrame(rows)
