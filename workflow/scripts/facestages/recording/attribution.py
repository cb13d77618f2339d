"""Where a network looks: Grad-CAM (Selvaraju et al. 2017, ICCV, pages 618-626).

The maps are compared with those of the same network with shuffled weights, which must differ
(Adebayo et al. 2018, NeurIPS).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence

import h5py
import numpy as np
import pandas as pd

from facestages import store
from facestages.errors import FacestagesError
from facestages.networks import Network, is_spatial, require_spatial
from facestages.networks.repeatability import require_repeatable
from facestages.progress import progress
from facestages.recording.activations import chosen_layers, describe_recording, require_finite
from facestages.recording.map_measures import MeasuredMaps, measure_maps
from facestages.recording.predictions import class_probabilities
from facestages.stimuli import add_ids, add_regions, read_facts, read_regions
from facestages.stimuli.regions import find_regions

logger = logging.getLogger(__name__)

# Few pictures at a time: the gradient needs every layer of the network in memory.
_BATCH = 8


def gradcam(activation: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Grad-CAM: map = max(0, sum over channels k of mean(gradient_k) * activation_k).

    Equations 1 and 2 of Selvaraju et al. 2017: where a layer speaks for an answer.

    Parameters
    ----------
    activation : numpy.ndarray, shape (n, h, w, c)
    gradient : numpy.ndarray, shape (n, h, w, c)
        Of the answer's logit with respect to `activation`.

    Returns
    -------
    numpy.ndarray of float32, shape (n, h, w)
        Each map's maximum is 1. A map without a value above zero is 0 everywhere.

    Raises
    ------
    FacestagesError
        If the two are not of one shape with four axes.
    """
    if activation.ndim != 4 or activation.shape != gradient.shape:
        raise FacestagesError(
            f"Grad-CAM needs activation and gradient of one shape (n, h, w, c), not "
            f"{activation.shape} and {gradient.shape}"
        )
    weights = gradient.mean(axis=(1, 2), dtype=np.float64).astype(np.float32)
    maps = np.maximum(np.einsum("nhwc,nc->nhw", activation, weights, optimize=True), 0.0)
    peaks = maps.max(axis=(1, 2), keepdims=True, initial=0.0)
    return np.divide(maps, peaks, out=np.zeros_like(maps, np.float32), where=peaks > 0)


def choose_faces(facts: pd.DataFrame, count: int, seed: int = 0) -> np.ndarray:
    """Choose pictures so that rendered expressions, and people, come about equally often.

    Each step takes the picture whose pair of identity and expression is rarest among those chosen
    so far. Ties go to the rarest expression, then to the rarest identity, then to chance. Of
    photographs, whose labels may be corrected later, chance alone chooses.

    Parameters
    ----------
    facts : pandas.DataFrame of n rows
        From `stimuli.read_facts`, with ``expression`` and ``identity``, or without.
    count : int
    seed : int

    Returns
    -------
    numpy.ndarray of int, shape (min(count, n),)
        Row numbers, in ascending order.
    """
    n = len(facts)
    if count >= n:
        return np.arange(n)
    order = np.random.default_rng(seed).permutation(n)
    codes = {}
    for label in ("expression", "identity"):
        column = facts[label] if label in facts else pd.Series([""] * n)
        codes[label] = pd.factorize(column.astype(str))[0][order]
    pairs = codes["expression"] * n + codes["identity"]
    codes["pair"] = pd.factorize(pairs)[0]
    chosen_of = {label: np.zeros(n) for label in codes}
    free = np.ones(n, bool)
    for _ in range(count):
        rarity = np.zeros(n)
        for label in ("pair", "expression", "identity"):
            rarity = rarity * n + chosen_of[label][codes[label]]
        row = int(np.argmin(np.where(free, rarity, np.inf)))
        free[row] = False
        for label, code in codes.items():
            chosen_of[label][code[row]] += 1
    return np.sort(order[~free])


def explain_gradcam(
    network: Network,
    seed: int,
    stages: Mapping[str, str],
    classes: Sequence[str] | None,
    stimuli: str | os.PathLike,
    out: str | os.PathLike,
    *,
    layers: Iterable[str] = (),
    faces: int = 200,
    shuffles: int = 3,
    margin: float | None = None,
) -> None:
    """Explain a network's answers to the faces of a set, and write the maps and their measures.

    Parameters
    ----------
    network : Network
    seed : int
        Which instance of the network it is.
    stages : mapping of str to str
        Layer of each stage; the last one is the output layer.
    classes : sequence of str or None
        The classes, in the order of the output's first units; the answer is the likeliest of them.
        None for a network of other classes: then every unit counts, and its number is the answer.
    stimuli : path-like
        The face set.
    out : path-like
        HDF5 file to write, with a group for each layer: ``map``, and ``randomised_map`` of the
        first shuffle, (stimulus_id, row, column) float16, in the layer's resolution; ``regions``
        and their ``region_source``; ``answer`` and ``probability``; and ``measured``, for
        `analysis.attribution.summarise_maps`.
    layers : iterable of str
        Layers to explain, by name or by glob; without any, those stages that have maps. If no
        stage has maps, the file has no group.
    faces : int
        How many pictures, chosen by `choose_faces`.
    shuffles : int
        How many networks with shuffled weights, at least one. Each prefers some places by chance,
        so one alone says little.
    margin : float, optional
        Margin of the crop by the eyes, None if the face set was not cropped; see
        `stimuli.regions.find_regions`.

    Raises
    ------
    FacestagesError
        If the network has no answers, or is not repeatable, a layer that was given has no map, or
        one gives NaN or infinity.
    """
    chosen = _choose_layers(network, stages, layers)
    output = list(stages.values())[-1]
    facts, _, attributes = read_facts(stimuli)
    rows = choose_faces(facts, faces)
    facts = facts.iloc[rows].reset_index(drop=True)
    ids = facts["stimulus_id"].to_numpy()
    stored = read_regions(stimuli)
    regions, region_sources = find_regions(facts, None if stored is None else stored[rows], margin)
    with store.open_read(stimuli, "stimuli") as file:
        images = file["images"][rows]
    require_repeatable(network, images, [output])
    answers, certainty = _answers(network, output, classes, images, ids)
    names = [classes[answer] if classes else str(answer) for answer in answers]
    explain = (network, images, chosen, output, answers, ids)
    notes = describe_recording(network, attributes, {"seed": seed, "output": output})
    maps, shuffled = _maps(*explain), []
    for shuffle in range(shuffles):
        with network.randomised(shuffle):
            shuffled.append(_maps(*explain, what=f"shuffle {shuffle + 1} of"))
    with store.create(out, "attribution", **notes) as file:
        for layer in chosen:
            group = file.create_group(layer)
            group.attrs["layer"] = layer
            add_ids(group, ids)
            for name, values in (("answer", np.array(names, object)), ("probability", certainty)):
                by = {"source": f"network:{network.name}"}
                store.add_array(group, name, ("stimulus_id",), values, attributes=by)
            add_regions(group, regions)
            store.add_array(group, "region_source", ("stimulus_id",), region_sources)
            _add_maps(group, map=maps[layer], randomised_map=shuffled[0][layer])
            of_shuffled = [of[layer] for of in shuffled]
            size = images.shape[1:3]
            _add_measures(group, measure_maps(maps[layer], of_shuffled, regions, size))


def _choose_layers(network: Network, stages: Mapping[str, str], layers: Iterable[str]) -> list[str]:
    layers = list(layers)
    chosen = chosen_layers(network, layers or stages.values())
    chosen_layers(network, list(stages.values())[-1:])
    if not layers:
        chosen = [layer for layer in chosen if is_spatial(network.layers[layer])]
    if not chosen:
        logger.warning("network %s: none of its stages has a map to explain", network.name)
    require_spatial(network.name, network.layers, chosen)
    return chosen


def _batches(images: np.ndarray, what: str) -> Iterable[slice]:
    starts = range(0, len(images), _BATCH)
    return (slice(start, start + _BATCH) for start in progress(starts, what))


def _answers(
    network: Network,
    output: str,
    classes: Sequence[str] | None,
    images: np.ndarray,
    ids: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The likeliest class of each picture, and its probability among the classes."""
    scores = [
        network.record(images[batch], [output])[output].reshape(len(images[batch]), -1)
        for batch in _batches(images, f"{network.name} answers")
    ]
    scores = np.concatenate(scores)
    require_finite(scores, network.name, output, ids)
    n_classes = len(classes) if classes else scores.shape[1]
    if scores.shape[1] < n_classes:
        raise FacestagesError(
            f"network {network.name}: layer '{output}' has {scores.shape[1]} units for "
            f"{n_classes} classes. Name its output layer last in 'stages'"
        )
    chances = class_probabilities(scores[:, :n_classes])
    answers = chances.argmax(axis=1)
    return answers, chances[np.arange(len(answers)), answers]


def _maps(
    network: Network,
    images: np.ndarray,
    layers: Sequence[str],
    output: str,
    units: np.ndarray,
    ids: np.ndarray,
    what: str = "Grad-CAM of",
) -> dict[str, np.ndarray]:
    """Grad-CAM maps (n, h, w) of each layer, in the order of `layers`."""
    if not layers:
        return {}
    maps: dict[str, list[np.ndarray]] = {layer: [] for layer in layers}
    for batch in _batches(images, f"{what} {network.name}"):
        pairs = network.differentiate(images[batch], layers, output, units[batch])
        for layer, (activation, gradient) in pairs.items():
            for values in (activation, gradient):
                require_finite(values.reshape(len(values), -1), network.name, layer, ids[batch])
            maps[layer].append(gradcam(activation, gradient))
    return {layer: np.concatenate(parts) for layer, parts in maps.items()}


def _add_maps(group: h5py.Group, **maps: np.ndarray) -> None:
    """Add maps of one shape (n, h, w) by their names."""
    for axis, length in zip(("row", "column"), next(iter(maps.values())).shape[1:], strict=True):
        store.add_dimension(group, axis, length)
    for name, values in maps.items():
        store.add_array(group, name, ("stimulus_id", "row", "column"), values.astype(np.float16))


def _add_measures(group: h5py.Group, maps: MeasuredMaps) -> None:
    for array, axes, of in (
        ("measured", ("measure",), maps.own),
        ("measured_shuffled", ("shuffled_measure", "shuffle"), maps.shuffled),
    ):
        values = np.stack(list(of.values()))
        store.add_dimension(group, axes[0], list(of))
        for axis, length in zip(axes[1:], values.shape[1:-1], strict=True):
            store.add_dimension(group, axis, length)
        store.add_array(group, array, (*axes, "stimulus_id"), values)
