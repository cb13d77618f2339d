"""Predictions: the expression that a network reads from each picture of a face set."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import pandas as pd

from facestages import store
from facestages.errors import FacestagesError
from facestages.networks import Network
from facestages.networks.repeatability import require_repeatable
from facestages.recording.activations import batch_size, chosen_layers, forward_all
from facestages.stimuli import read_facts


def predict_expressions(
    network: Network,
    seed: int,
    layer: str,
    classes: Sequence[str],
    stimuli: str | os.PathLike,
    affect: Sequence[str] = (),
    threads: int = 1,
) -> pd.DataFrame:
    """Predict the expression in every picture.

    Parameters
    ----------
    network : Network
    seed : int
        Which instance of the network it is.
    layer : str
        Its output layer: a unit for each class, as probabilities or logits, then those of `affect`.
    classes : sequence of str
        The classes in the order of the units.
    stimuli : path-like
        The face set's HDF5 file.
    affect : sequence of str
        Names of the units after the classes, e.g. ``valence`` and ``arousal`` from -1 to 1.
    threads : int
        Forward passes at the same time, where the network allows several.

    Returns
    -------
    pandas.DataFrame
        Tidy, in the order of the face set: ``dataset``, ``network``, ``seed``, ``stimulus_id``,
        ``expression`` (the likeliest class), ``probability`` (its softmax probability), and a
        column for each name in `affect`, clipped to [-1, 1].

    Raises
    ------
    FacestagesError
        If there is no such layer, it has not one unit for each class, gives NaN or infinity, or is
        not repeatable.
    """
    chosen_layers(network, [layer])
    facts, _, face_set = read_facts(stimuli)
    ids = facts["stimulus_id"].to_numpy()
    n_units = len(classes) + len(affect)
    scores = np.empty((len(ids), n_units))

    def keep(start: int, outputs: dict[str, np.ndarray]) -> None:
        output = outputs[layer]
        if output.shape[1] != n_units:
            also = f" and {' and '.join(affect)}" if affect else ""
            raise FacestagesError(
                f"network {network.name}: layer '{layer}' has {output.shape[1]} units for "
                f"{len(classes)} classes{also}. Name its output layer last in 'stages', and "
                f"all of its classes in 'classes'"
            )
        scores[start : start + len(output)] = output

    with store.open_read(stimuli, "stimuli") as file:
        require_repeatable(network, file["images"][: batch_size(network, [layer])], [layer])
        forward_all(network, file["images"], ids, [layer], keep, threads=threads)
    probabilities = class_probabilities(scores[:, : len(classes)])
    best = probabilities.argmax(axis=1)
    return pd.DataFrame(
        {
            "dataset": face_set["dataset"],
            "network": network.name,
            "seed": seed,
            "stimulus_id": ids,
            "expression": np.array(classes, dtype=object)[best],
            "probability": probabilities[np.arange(len(best)), best],
            **dict(zip(affect, np.clip(scores[:, len(classes) :], -1, 1).T, strict=True)),
        }
    )


def class_probabilities(scores: np.ndarray) -> np.ndarray:
    """Softmax of logits (n, classes): exp(s) / sum(exp(s)). Probabilities stay as they are."""
    if (scores >= 0).all() and np.allclose(scores.sum(axis=1), 1, atol=1e-3):
        return scores
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)
