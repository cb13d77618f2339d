"""Where a network looks: Grad-CAM, and how much of it lies on eyes, brows and mouth.

Selvaraju et al. 2017 (ICCV, pages 618-626). What the numbers are worth is checked as Adebayo et al.
2018 (NeurIPS) propose: a network whose weights are shuffled must have other maps.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence

import h5py
import numpy as np
import pandas as pd

from facestages import store
from facestages.analysis.resampling import interval, people_weights, weighted_mean
from facestages.architectures import select_layers
from facestages.errors import FacestagesError
from facestages.networks import Network, is_spatial, require_spatial
from facestages.progress import progress
from facestages.recording.activations import require_finite
from facestages.recording.predictions import class_probabilities
from facestages.stimuli import REGIONS, add_labels, add_regions, read_labels, read_regions
from facestages.stimuli.regions import find_regions, region_areas, region_shares

logger = logging.getLogger(__name__)

# Few at a time: with its gradient a picture holds every layer of the network.
_BATCH = 8

_COLUMNS = [
    *("dataset", "rendered", "network", "seed", "stage", "layer"),
    *("expression", "label_source", "measure", "value", "ci_low", "ci_high", "n", "note"),
]


def gradcam(activation: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Grad-CAM: where a layer speaks for an answer (Selvaraju et al. 2017, equations 1 and 2).

    Each channel is weighed with the mean of its gradient over the map; what the weighted sum has
    above zero is the map.

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


def choose_faces(labels: pd.DataFrame, count: int, seed: int = 0) -> np.ndarray:
    """Choose pictures so that expressions, and people, come about equally often.

    One after the other: a picture whose person has shown its expression least often among the
    chosen ones; of those one of the rarest expression, of those one of the rarest person, and of
    those a random one.

    Parameters
    ----------
    labels : pandas.DataFrame of n rows
        With ``expression`` and ``identity``, or without.
    count : int
    seed : int

    Returns
    -------
    numpy.ndarray of int, shape (min(count, n),)
        Rows, in their order.
    """
    n = len(labels)
    if count >= n:
        return np.arange(n)
    order = np.random.default_rng(seed).permutation(n)
    codes = {}
    for label in ("expression", "identity"):
        column = labels[label] if label in labels else pd.Series([""] * n)
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
    predictions: str | os.PathLike | None = None,
) -> pd.DataFrame:
    """Explain a network's own answers to the faces of a set, and say how much is on which region.

    Parameters
    ----------
    network : Network
    seed : int
        Which instance of the network it is.
    stages : mapping of str to str
        Layer of each stage; the last one is the output layer.
    classes : sequence of str or None
        The classes in the order of the output's first units; the answer is the likeliest of them.
        None for a network of many other classes: all units count, by number.
    stimuli : path-like
        The face set.
    out : path-like
        HDF5 file to write; a group a layer: ``map``, and ``randomised_map`` of the first shuffle,
        (stimulus_id, row, column) float16, not enlarged; ``regions``; the labels of the pictures,
        with ``answer`` and ``probability``.
    layers : iterable of str
        Layers to explain, by name or by glob; those stages that have maps if none are given. Where
        no stage has, file and table are empty.
    faces : int
        How many pictures, chosen by `choose_faces`.
    shuffles : int
        How many networks with shuffled weights stand beside this one, at least one. One alone
        shows its own random preferences for places.
    margin : float, optional
        Margin of the crop by the eyes, None if the face set was not cropped; see
        `stimuli.regions.find_regions`.
    predictions : path-like, optional
        A network's predictions, taken as the label ``expression``; see
        `stimuli.read_labels`.

    Returns
    -------
    pandas.DataFrame
        Tidy: a row for each layer x (all pictures, or those of one expression) x measure:
        ``share_<region>``, ``share_elsewhere``, ``enrichment_<region>`` (share of the map through
        share of the picture), ``empty_maps`` (share of maps without a value above zero, which are
        left out of the others), the mean of the same over the networks with shuffled weights as
        ``randomised_...``, and ``randomisation_similarity`` (Spearman's correlation of their maps
        with the network's). Means over pictures, 95 % intervals over people; how far the shuffles
        are apart is in the note.

    Raises
    ------
    FacestagesError
        If the network has no answers, a layer that was given has no map, or one gives NaN or
        infinity.
    """
    chosen = _choose_layers(network, stages, layers)
    output = list(stages.values())[-1]
    labels, sources, known = read_labels(stimuli, predictions)
    rows = choose_faces(labels, faces)
    labels = labels.iloc[rows].reset_index(drop=True)
    stored = read_regions(stimuli)
    regions, region_sources = find_regions(labels, None if stored is None else stored[rows], margin)
    with h5py.File(stimuli, "r") as file:
        images = file["images"][rows]
    answers, certainty = _answers(network, output, classes, images, labels["stimulus_id"])
    names = [classes[answer] if classes else str(answer) for answer in answers]
    labels = labels.assign(answer=names, probability=certainty)
    sources = {**sources, **dict.fromkeys(("answer", "probability"), f"network:{network.name}")}
    explain = (network, images, chosen, output, answers, labels["stimulus_id"].to_numpy())
    notes = {name: known[name] for name in ("dataset", "stimuli_digest")}
    notes |= {"network": network.name, "seed": seed, "weights_sha256": network.weights_digest}
    maps, shuffled = _maps(*explain), []
    for shuffle in range(shuffles):
        with network.randomised(shuffle):
            shuffled.append(_maps(*explain, what=f"shuffle {shuffle + 1} of"))
    with store.create(out, "attribution", **notes, output=output) as file:
        for layer in chosen:
            group = _add_layer(file, layer, labels, sources, regions)
            _add_maps(group, map=maps[layer], randomised_map=shuffled[0][layer])
    common = {"dataset": known["dataset"], "rendered": int(known.get("rendered", 0))}
    common |= {"network": network.name, "seed": seed}
    stage_of = {layer: stage for stage, layer in stages.items()}
    table = []
    for layer in chosen:
        where = {**common, "stage": stage_of.get(layer, ""), "layer": layer}
        others = [some[layer] for some in shuffled]
        measured = _measure_all(maps[layer], others, regions, images.shape[1:3])
        table += _summarise(measured, where, labels, sources, region_sources)
    return pd.DataFrame(table, columns=_COLUMNS).astype({"n": "Int64"})


def _choose_layers(network: Network, stages: Mapping[str, str], layers: Iterable[str]) -> list[str]:
    if not hasattr(network, "differentiate"):
        raise FacestagesError(
            f"network {network.name}: has no answer that Grad-CAM could explain; leave it out"
        )
    layers = list(layers)
    try:
        chosen = select_layers(network.layers, layers or stages.values())
        select_layers(network.layers, list(stages.values())[-1:])
    except FacestagesError as error:
        raise FacestagesError(f"network {network.name}: {error}") from error
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
    ids: pd.Series,
) -> tuple[np.ndarray, np.ndarray]:
    """The likeliest class of each picture, and its probability among the classes."""
    scores = [
        network.record(images[batch], [output])[output].reshape(len(images[batch]), -1)
        for batch in _batches(images, f"{network.name} answers")
    ]
    scores = np.concatenate(scores)
    require_finite(scores, network.name, output, ids.to_numpy())
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
    """Maps (n, h, w) of each layer."""
    if not layers:
        return {}
    maps: dict[str, list[np.ndarray]] = {layer: [] for layer in layers}
    for batch in _batches(images, f"{what} {network.name}"):
        found = network.differentiate(images[batch], layers, output, units[batch])
        for layer, (activation, gradient) in found.items():
            for values in (activation, gradient):
                require_finite(values.reshape(len(values), -1), network.name, layer, ids[batch])
            maps[layer].append(gradcam(activation, gradient))
    return {layer: np.concatenate(parts) for layer, parts in maps.items()}


def _add_layer(
    file: h5py.File,
    layer: str,
    labels: pd.DataFrame,
    sources: Mapping[str, str],
    regions: np.ndarray,
) -> h5py.Group:
    group = file.create_group(layer)
    group.attrs["layer"] = layer
    add_labels(group, labels, sources)
    add_regions(group, regions)
    return group


def _add_maps(group: h5py.Group, **maps: np.ndarray) -> None:
    """Add maps of one shape (n, h, w) by their names."""
    for axis, length in zip(("row", "column"), next(iter(maps.values())).shape[1:], strict=True):
        store.add_dimension(group, axis, length)
    for name, values in maps.items():
        store.add_array(group, name, ("stimulus_id", "row", "column"), values.astype(np.float16))


def _measure_all(
    maps: np.ndarray, shuffled: Sequence[np.ndarray], regions: np.ndarray, size: tuple[int, int]
) -> dict[str, np.ndarray]:
    """Each measure of each picture, (1, n), or (shuffles, n) of the shuffled networks."""
    measured = {name: values[None] for name, values in _measure(maps, regions, size).items()}
    of_shuffled = [_measure(some, regions, size) for some in shuffled]
    for name in measured.copy():
        measured[f"randomised_{name}"] = np.array([each[name] for each in of_shuffled])
    similarity = [rank_correlation(maps, some) for some in shuffled]
    return {**measured, "randomisation_similarity": np.array(similarity)}


def _measure(maps: np.ndarray, regions: np.ndarray, size: tuple[int, int]) -> dict[str, np.ndarray]:
    """Each measure of each picture, (n,); NaN where it has none."""
    shares, areas = region_shares(maps, regions, size), region_areas(regions)
    enrichment = np.full_like(shares, np.nan)
    np.divide(shares, areas, out=enrichment, where=areas > 0)
    measured = {f"share_{region}": shares[:, i] for i, region in enumerate(REGIONS)}
    measured["share_elsewhere"] = 1 - shares.sum(axis=1)
    measured |= {f"enrichment_{region}": enrichment[:, i] for i, region in enumerate(REGIONS)}
    measured["empty_maps"] = (maps.max(axis=(1, 2)) <= 0).astype(float)
    return measured


def rank_correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Spearman's correlation of each two maps.

    Parameters
    ----------
    first, second : numpy.ndarray, shape (n, h, w)

    Returns
    -------
    numpy.ndarray of float64, shape (n,)
        Equal values share their mean rank. NaN where a map is the same everywhere.
    """
    ranks = [pd.DataFrame(maps.reshape(len(maps), -1)).rank(axis=1) for maps in (first, second)]
    x, y = (rank.to_numpy() - rank.to_numpy().mean(axis=1, keepdims=True) for rank in ranks)
    product = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    correlation = np.full(len(x), np.nan)
    np.divide((x * y).sum(axis=1), product, out=correlation, where=product > 0)
    return correlation


def _summarise(
    measured: Mapping[str, np.ndarray],
    where: Mapping[str, object],
    labels: pd.DataFrame,
    sources: Mapping[str, str],
    region_sources: np.ndarray,
) -> list[dict[str, object]]:
    """Means over all pictures and over those of each expression, with intervals over people."""
    groups = {"all": (np.ones(len(labels), bool), "")}
    if "expression" in labels:
        for name in sorted(set(labels["expression"].astype(str)) - {"", "nan"}):
            of_it = (labels["expression"] == name).to_numpy()
            groups[name] = (of_it, sources["expression"])
    rows = []
    for expression, (of_it, source) in groups.items():
        for measure, each in measured.items():
            values = _known_mean(each, axis=0)
            counted = of_it & np.isfinite(values)
            low, high = np.nan, np.nan
            people = labels.loc[counted, "identity"].nunique() if "identity" in labels else 0
            if people > 1:
                weights = people_weights(labels.loc[counted, "identity"])
                low, high = interval(weighted_mean(values[counted], weights), people)
            rows.append(
                {
                    **where,
                    "expression": expression,
                    "label_source": source,
                    "measure": measure,
                    "value": float(_known_mean(values[of_it], axis=0)),
                    "ci_low": low,
                    "ci_high": high,
                    "n": int(counted.sum()),
                    "note": _note(measure, each[:, of_it], region_sources[of_it]),
                }
            )
    return rows


def _known_mean(values: np.ndarray, axis: int) -> np.ndarray:
    """Mean without what is NaN; NaN where all is."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    mean = np.full(count.shape, np.nan)
    return np.divide(np.where(known, values, 0).sum(axis=axis), count, out=mean, where=count > 0)


def _note(measure: str, each: np.ndarray, region_sources: np.ndarray) -> str:
    """Where regions come from, how far shuffles are apart, and how many maps are left out."""
    parts = []
    if "share" in measure or "enrichment" in measure:
        names, counts = np.unique(region_sources.astype(str), return_counts=True)
        several = len(names) > 1
        parts += [
            f"{name} ({n})" if several else name for name, n in zip(names, counts, strict=True)
        ]
    if measure.startswith("randomis"):
        means = _known_mean(each, axis=1)
        known = means[np.isfinite(means)]
        spread = f", {known.min():.2f} to {known.max():.2f}" if len(known) > 1 else ""
        parts.append(f"{len(each)} {'shuffle' if len(each) == 1 else 'shuffles'}{spread}")
    left_out = int(np.isnan(each).sum())
    if left_out:
        parts.append(f"{left_out} of {each.size} maps left out: empty or without the region")
    return "; ".join(parts)
