"""Small face sets with valence and arousal, and geometry of a network on them."""

import numpy as np
import pandas as pd
from matplotlib.text import Text

from facestages import store
from facestages.analysis.geometry import measure_geometry
from facestages.stimuli import StimulusSet, read_labels, write_stimuli
from facestages.tables import write_table

EXPRESSIONS = ["angry", "happy", "sad", "surprise", "neutral"]
DECLARED = {
    "angry": (-0.6, 0.7),
    "happy": (0.8, 0.5),
    "sad": (-0.6, -0.4),
    "surprise": (0.2, 0.8),
    "neutral": (0.0, 0.0),
}
SOURCE = "rendered: declared circumplex position, not a human rating"


def write_faces(path, people=8, without=(), rendered=1, pictures=2, categories=5):
    """A face set of `people` who show each expression `pictures` times; its labels."""
    rng = np.random.default_rng(0)
    rows = [
        {
            "stimulus_id": f"p{person}-{expression}-{take}",
            "identity": f"p{person}",
            "expression": expression,
            "valence": DECLARED[expression][0] * (scale := rng.uniform(0.8, 1.2)),
            "arousal": DECLARED[expression][1] * scale,
        }
        for person in range(people)
        for expression in EXPRESSIONS[:categories]
        for take in range(pictures)
    ]
    labels = pd.DataFrame(rows).drop(columns=list(without))
    sources = dict.fromkeys(labels.columns.drop("stimulus_id"), "rendered")
    sources |= {name: SOURCE for name in ("valence", "arousal") if name in labels}
    images = rng.integers(0, 256, (len(labels), 8, 8), np.uint8)
    write_stimuli(path, StimulusSet(images, labels, sources, {"rendered": rendered}), "faces")
    return pd.DataFrame(rows)


def write_geometry(path, stimuli, labels, network="net", seed=0, bend=0.0, layers=("top",)):
    """A layer whose PC1 is valence, and PC2 arousal with `bend` times valence squared; and noise.

    The layer ``flat`` has one component only.
    """
    rng = np.random.default_rng(seed + 1)
    valence, arousal = labels["valence"].to_numpy(), labels["arousal"].to_numpy()
    noise = 0.3 * rng.normal(size=(len(labels), 6))
    units = np.column_stack([6 * valence, 2 * arousal + bend * valence**2]) @ rng.normal(
        size=(2, 6)
    )
    recorded = {"top": units + noise, "flat": np.outer(valence, np.ones(6))}
    digest = read_labels(stimuli)[2]["stimuli_digest"]
    about = {"dataset": "faces", "network": network, "seed": seed, "stimuli_digest": digest}
    activations = path.with_suffix(".activations.h5")
    with store.create(activations, "activations", **about) as file:
        for layer in layers:
            group = file.create_group(layer)
            store.add_dimension(group, "stimulus_id", labels["stimulus_id"])
            store.add_dimension(group, "unit", 6)
            axes = ("stimulus_id", "unit")
            store.add_array(group, "activation", axes, recorded[layer].astype(np.float32))
    measure_geometry(activations, stimuli, 10, path)
    return path


def write_predictions(path, labels, answers, network="net", affect=None):
    """A table as `predict_expressions` writes it, with these answers; `affect` adds columns."""
    table = pd.DataFrame(
        {
            "dataset": "faces",
            "network": network,
            "seed": 0,
            "stimulus_id": labels["stimulus_id"],
            "expression": answers,
            "probability": 0.9,
            **(affect or {}),
        }
    )
    write_table(path, table)
    return path


def words(figure):
    """All text of a figure."""
    return " ".join(" ".join(text.get_text() for text in figure.findobj(Text)).split())
