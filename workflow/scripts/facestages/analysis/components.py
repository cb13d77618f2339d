"""A layer's principal components, with signs that valence and arousal fix.

The sign of a principal component is arbitrary. A reference for valence and arousal fixes it: the
labels of the face set, or another network's output for the same pictures.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from facestages import tables
from facestages.analysis.layers import Layer, open_layers
from facestages.analysis.resampling import people_weights
from facestages.errors import FacestagesError
from facestages.stimuli import read_labels

#: The reference of PC1 and of PC2.
AFFECT = ("valence", "arousal")

#: How the sign of a component is fixed.
SIGN_RULE = "PC1 is turned so that it rises with valence, PC2 so that it rises with arousal"


class Reference(NamedTuple):
    """Valence and arousal of each picture, (n,), NaN where missing; None where all are missing."""

    valence: np.ndarray | None
    arousal: np.ndarray | None
    #: Their source: ``rendered...``, ``human`` or ``network:<name>``; "" without reference.
    source: str


class Components(NamedTuple):
    """A layer's principal components, turned by `orient`."""

    network: str
    seed: int
    layer: str
    #: Shape (n, k).
    scores: np.ndarray
    #: Share of the layer's variance, shape (k,).
    variance_ratio: np.ndarray
    #: All n, largest first.
    eigenvalues: np.ndarray


def read_reference(
    stimuli: str | os.PathLike,
    labels: str | os.PathLike | None = None,
    predictions: str | os.PathLike | None = None,
) -> Reference:
    """Valence and arousal of the pictures of a face set.

    Parameters
    ----------
    stimuli, labels : path-like
        The files of the face set (`stimuli.read_labels`); its labels ``valence`` and ``arousal``
        are the reference.
    predictions : path-like, optional
        Table of `recording.predictions.predict_expressions`. The valence and arousal that its
        network outputs are the reference instead, source ``network:<name>``.

    Raises
    ------
    FacestagesError
        If the table is of other pictures or has no valence or arousal.
    """
    table, sources, _ = read_labels(stimuli, labels, predictions)
    if predictions is not None:
        table = tables.read_tables([predictions])
        network = str(table["network"].iloc[0])
        lacking = [name for name in AFFECT if name not in table]
        if lacking:
            raise FacestagesError(
                f"{predictions}: network '{network}' gives no {' and no '.join(lacking)}. Take "
                f"another as the reference, or none"
            )
        sources = dict.fromkeys(AFFECT, f"network:{network}")
    affect = {name: _read_numbers(table, name) for name in AFFECT}
    used = [sources[name] for name, values in affect.items() if values is not None]
    return Reference(*affect.values(), "; ".join(dict.fromkeys(used)))


def _read_numbers(labels: pd.DataFrame, name: str) -> np.ndarray | None:
    if name not in labels:
        return None
    numbers = pd.to_numeric(labels[name], errors="coerce").to_numpy(np.float64)
    return numbers if np.isfinite(numbers).any() else None


def affect_of(reference: Reference, label: str) -> np.ndarray:
    """Valence or arousal, shape (n,); a FacestagesError if the reference lacks it."""
    values = reference[AFFECT.index(label)]
    if values is None:
        raise FacestagesError(f"the face set has no {label}")
    return values


def orient(
    scores: np.ndarray, valence: np.ndarray | None, arousal: np.ndarray | None
) -> np.ndarray:
    """Fix the signs of the components: PC1 rises with valence, PC2 with arousal.

    Parameters
    ----------
    scores : numpy.ndarray, shape (n, k)
        Of `analysis.geometry.principal_components`, where the largest score by size is positive.
    valence, arousal : numpy.ndarray, shape (n,), or None
        Pictures where it is NaN do not count. None, or values that do not vary, leave the sign of
        the component as it is.

    Returns
    -------
    numpy.ndarray, shape (n, k)
    """
    turned = scores.copy()
    for component, affect in zip(turned.T, (valence, arousal), strict=False):
        if affect is None:
            continue
        finite = np.isfinite(affect)
        if finite.any() and np.ptp(affect[finite]) > 0:
            around = affect[finite] - affect[finite].mean()
            component *= -1 if component[finite] @ around < 0 else 1
    return turned


def read_components(
    geometry: str | os.PathLike, layer: str, reference: Reference, stimuli_digest: str
) -> Components:
    """Read a layer's principal components from a file of `analysis.geometry.measure_geometry`.

    Their signs are fixed by the reference.

    Raises
    ------
    FacestagesError
        If the file is of other stimuli, or has no such layer.
    """
    with open_layers(geometry, stimuli_digest) as layers:
        return orient_layer(find_layer(layers, layer), reference)


def find_layer(layers: Sequence[Layer], name: str) -> Layer:
    """The layer of this name; a FacestagesError if there is none."""
    for layer in layers:
        if layer.name == name:
            return layer
    raise FacestagesError(
        f"{layers[0].group.file.filename}: network '{layers[0].network}' has no layer '{name}' (it "
        f"has: {', '.join(layer.name for layer in layers)[:80]}). Correct the layer of the stage "
        f"in the config"
    )


def orient_layer(layer: Layer, reference: Reference) -> Components:
    """Principal components of an open layer, their signs fixed by the reference."""
    scores = orient(layer.scores[:], reference.valence, reference.arousal)
    return Components(
        layer.network, layer.seed, layer.name, scores, layer.variance_ratio, layer.eigenvalues
    )


def component_scores(components: Components, number: int) -> np.ndarray:
    """Scores (n,) of a component, counted from 1; a FacestagesError if the layer has fewer."""
    note = too_few_components(components, number)
    if note:
        raise FacestagesError(f"{note}; no PC{number}")
    return components.scores[:, number - 1]


def too_few_components(components: Components, number: int) -> str:
    """Note of a layer that lacks component number 1 or 2; empty if it has it."""
    k = components.scores.shape[1]
    few = f"layer {components.layer} has {'one' if k else 'no'} component{' only' * k}"
    return few if number > k else ""


def component_stability(
    scores: np.ndarray, people: Sequence, component: int, resamples: int = 1000
) -> np.ndarray:
    """Absolute correlations (resamples,) of a component with those of resampled people.

    The principal components of a resample are sought within the k that are kept (n, k). Over all
    pictures, the one of the same number, counted from 1, is correlated with the original one. Where
    two eigenvalues are nearly equal, components trade places or rotate into each other, and the
    correlation is far below 1.
    """
    correlations = np.empty(resamples)
    original = scores[:, component - 1]
    for number, weights in enumerate(people_weights(people, resamples)):
        centred = scores - weights @ scores / weights.sum()
        _, vectors = np.linalg.eigh((centred * weights[:, None]).T @ centred)
        correlations[number] = abs(np.corrcoef(original, scores @ vectors[:, -component])[0, 1])
    return correlations
