"""Maps of a layer's space: UMAP in two dimensions, from distances alone.

UMAP (McInnes, Healy and Melville 2018, arXiv:1802.03426) keeps which pictures are near each other,
but not how far apart the others are. Distances and silhouettes on the map are therefore not those
of the layer's space, which `analysis.separability` scores.
"""

from __future__ import annotations

import importlib.metadata
import logging
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
import scipy.sparse
from scipy.sparse.csgraph import connected_components

from facestages import store
from facestages.analysis.distances import gram_distances
from facestages.analysis.labels import no_label, read_people
from facestages.analysis.layers import Geometry, Layer, Rows, tabulate
from facestages.analysis.resampling import interval, people_weights, weighted_correlation
from facestages.analysis.silhouette_scores import score_label
from facestages.errors import FacestagesError
from facestages.imports import import_without
from facestages.progress import progress
from facestages.stimuli import add_ids

logger = logging.getLogger(__name__)

_AFFECT = ("valence", "arousal")


def umap_embedding(
    matrix: np.ndarray, neighbours: int = 15, min_dist: float = 0.1, seed: int = 0
) -> np.ndarray:
    """Two-dimensional UMAP of points whose distances are known.

    The neighbours are exact for every n (umap-learn itself approximates them from 4,096 points on).
    The defaults are those of umap-learn, as in the paper.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (n, n)
        Distances.
    neighbours : int
        Neighbours of a point, itself counted as the first.
    min_dist : float
        How near points may lie on the map.
    seed : int

    Returns
    -------
    numpy.ndarray of float64, shape (n, 2)
        Centred. The same on every run on one machine; other machines may differ.

    Raises
    ------
    FacestagesError
        If there are no more points than neighbours, a distance is NaN, or all points are equal.
    """
    nearest, near = _nearest(matrix, neighbours)
    if not near.any() and not np.any(matrix):
        raise FacestagesError(f"a UMAP of {len(matrix)} equal points: nothing to map")
    with warnings.catch_warnings():
        # umap-learn warns of three things that are intended: one thread because of the seed, no
        # inverse transform, and parts of the graph that are not connected.
        warnings.simplefilter("ignore")
        embedder = _umap_class()(
            n_neighbors=neighbours,
            min_dist=min_dist,
            random_state=seed,
            n_jobs=1,
            metric="precomputed",
            precomputed_knn=(nearest, near, None),
            # Makes umap-learn take the neighbours as given; nothing is approximated.
            force_approximation_algorithm=True,
        )
        points = embedder.fit_transform(matrix.astype(np.float32)).astype(np.float64)
    return points - points.mean(axis=0)


def graph_parts(matrix: np.ndarray, neighbours: int = 15) -> int:
    """Number of connected parts of the graph of nearest neighbours, from distances (n, n).

    Where a part lies on the map is arbitrary: the graph has no distances between parts. Errors are
    those of `umap_embedding`.
    """
    nearest, _ = _nearest(matrix, neighbours)
    n = len(matrix)
    rows = np.repeat(np.arange(n), neighbours)
    graph = scipy.sparse.coo_array((np.ones(n * neighbours), (rows, nearest.ravel())), (n, n))
    return int(connected_components(graph, directed=False)[0])


def _nearest(matrix: np.ndarray, neighbours: int) -> tuple[np.ndarray, np.ndarray]:
    """Nearest points of each point (n, neighbours), itself first, and their distances."""
    n = len(matrix)
    if n <= neighbours:
        raise FacestagesError(
            f"a UMAP with {neighbours} neighbours needs more pictures than that, not {n}. Lower "
            f"analysis.umap.neighbours, or give the face set more pictures"
        )
    if not np.isfinite(matrix).all():
        raise FacestagesError("distances hold NaN or infinity; no UMAP of them")
    single = matrix.astype(np.float32)
    nearest = np.argsort(single, axis=1, kind="stable")[:, :neighbours]
    return nearest, np.take_along_axis(single, nearest, axis=1)


def _umap_class() -> type:
    # For a variant that is not used here, umap-learn imports TensorFlow if it is installed. That
    # takes seconds, and TensorFlow and torch must not be in one process.
    with import_without("tensorflow"):
        from umap import UMAP
    return UMAP


def turn_axes(points: np.ndarray, affect: Mapping[str, np.ndarray]) -> tuple[np.ndarray, list[str]]:
    """Fix the sign of each axis of a map, which UMAP leaves open.

    The axis that correlates more with valence, in size, rises with valence; the other one rises
    with arousal. Where a label is missing or does not vary, the point farthest from the middle
    along the axis gets a positive coordinate. The axes keep their order, and are not rotated.

    Parameters
    ----------
    points : numpy.ndarray, shape (n, 2)
        Centred.
    affect : mapping of str to numpy.ndarray, shape (n,)
        ``valence`` and ``arousal``, or one of them; a missing value is NaN.

    Returns
    -------
    points : numpy.ndarray, shape (n, 2)
    rules : list of str
        What each axis rises with: ``valence``, ``arousal`` or ``farthest point``.
    """
    correlation = {name: _axis_correlations(points, affect.get(name)) for name in _AFFECT}
    sign = np.sign(points[np.abs(points).argmax(axis=0), [0, 1]])
    rules = ["farthest point", "farthest point"]
    if np.isfinite(correlation["valence"]).all():
        first = int(np.abs(correlation["valence"]).argmax())
    else:
        # Arousal gets the axis with which it correlates more.
        first = int(np.nan_to_num(np.abs(correlation["arousal"])).argmin())
    for axis, name in ((first, "valence"), (1 - first, "arousal")):
        if np.isfinite(correlation[name][axis]) and correlation[name][axis] != 0:
            sign[axis], rules[axis] = np.sign(correlation[name][axis]), name
    return points * np.where(sign == 0, 1, sign), rules


def _axis_correlations(points: np.ndarray, values: np.ndarray | None) -> np.ndarray:
    """Correlation of both axes with a label; NaN where it is missing or does not vary."""
    finite = np.isfinite(values) if values is not None else np.zeros(len(points), bool)
    if finite.sum() < 3:
        return np.full(2, np.nan)
    weights = np.ones((1, finite.sum()))
    values = values[finite]
    return np.array([weighted_correlation(axis, values, weights)[0] for axis in points[finite].T])


@tabulate(
    *("label", "label_source", "measure", "components", "components_used"),
    *("value", "ci_low", "ci_high", "n", "n_groups", "note"),
)
def embed_umap(
    geometry: Geometry,
    wanted: Sequence[str] | None,
    labels: Sequence[str],
    neighbours: int,
    min_dist: float,
    seed: int,
    embedding: str | os.PathLike,
) -> Iterator[tuple[Layer, Rows]]:
    """UMAP of the recorded layers of one network on one face set, and measures of the maps.

    Parameters
    ----------
    geometry, stimuli, stages, predictions
        See `analysis.layers.tabulate`.
    wanted : sequence of str, optional
        Stages or layers to map; all if None. Those that the network lacks are left out, and a
        warning names them.
    labels : sequence of str
        Labels whose silhouettes are scored on the map.
    neighbours, min_dist, seed
        See `umap_embedding`.
    embedding : path-like
        HDF5 file to write. The group of each layer holds ``umap`` (n, 2), turned by `turn_axes`.

    Returns
    -------
    pandas.DataFrame
        Tidy, as `analysis.separability.score_separability`, with ``components`` = ``umap``: a
        ``silhouette`` for each label; for ``valence`` and ``arousal`` the correlation with each
        axis, ``r_axis1`` and ``r_axis2``, and ``r2_map``, the share of variance that both axes
        explain together, which no rotation of the map changes. Intervals are over people (95 %).
        A measure without a value has a note.

    Raises
    ------
    FacestagesError
        If the geometry is of other stimuli, there are too few pictures, or no layer is wanted.
    """
    table, sources = geometry.labels, geometry.sources
    affect = {name: table[name].to_numpy(float) for name in _AFFECT if name in table}
    layers = _wanted_layers(geometry, wanted)
    settings = {
        "neighbours": neighbours,
        "min_dist": min_dist,
        "umap_seed": seed,
        "umap_version": importlib.metadata.version("umap-learn"),
    }
    with store.create(embedding, "embedding", **geometry.attributes, **settings) as file:
        for layer in progress(layers, "UMAP"):
            matrix = gram_distances(layer.gram[:])
            try:
                points = umap_embedding(matrix, neighbours, min_dist, seed)
            except FacestagesError as error:
                where = f"network {geometry.network}, layer {layer.name}"
                raise FacestagesError(
                    f"{where}, face set {geometry.attributes['dataset']}: {error}"
                ) from error
            points, rules = turn_axes(points, affect)
            group = file.create_group(layer.name)
            group.attrs.update(layer.attributes, axis1=rules[0], axis2=rules[1])
            group.attrs["graph_parts"] = graph_parts(matrix, neighbours)
            add_ids(group, table["stimulus_id"])
            store.add_dimension(group, "axis", np.array([1, 2]))
            store.add_array(group, "umap", ("stimulus_id", "axis"), points)
            # The paper's measure alone: the others would make a map look like a layer's space.
            scored = [
                score_label(points @ points.T, label, table, sources, geometry.network)[0]
                for label in labels
            ]
            scored += [row for name in _AFFECT for row in _correlate(points, name, table, sources)]
            yield layer, [{"components": "umap", "components_used": 2, **row} for row in scored]


def _wanted_layers(geometry: Geometry, wanted: Sequence[str] | None) -> list[Layer]:
    """Layers by their stages or names, in the order in which they are wanted."""
    if wanted is None:
        return geometry.layers
    recorded = {layer.name: layer for layer in geometry.layers}
    named = {name: geometry.stages.get(name, name) for name in wanted}
    missing = [name for name, layer in named.items() if layer not in recorded]
    if missing:
        logger.warning("network %s has no stage or layer %s", geometry.network, ", ".join(missing))
    layers = [recorded[layer] for layer in dict.fromkeys(named.values()) if layer in recorded]
    if not layers:
        raise FacestagesError(
            f"network {geometry.network}: none of the stages or layers to map "
            f"({', '.join(wanted)}) is recorded. It has: "
            f"{', '.join([*geometry.stages, *recorded])}"
        )
    return layers


def _correlate(
    points: np.ndarray, name: str, table: pd.DataFrame, sources: Mapping[str, str]
) -> list[dict]:
    """Correlations of the axes of a map with valence or arousal, as parts of rows."""
    measures = ("r_axis1", "r_axis2", "r2_map")
    rows = [{"measure": measure, "label": name, "n": 0, "note": ""} for measure in measures]
    if name not in table or not table[name].notna().any():
        empty = {"label_source": "", "value": np.nan, "note": no_label(name)}
        return [{**row, **empty} for row in rows]
    labelled = table[name].notna().to_numpy()
    values, points = table.loc[labelled, name].to_numpy(float), points[labelled]
    correlations = _map_correlations(points, values, np.ones((1, len(values))))[:, 0]
    people, resampled = read_people(table[labelled]), None
    if people is not None:
        resampled = _map_correlations(points, values, people_weights(people))
    for number, row in enumerate(rows):
        row |= {"label_source": sources[name], "value": correlations[number], "n": len(values)}
        if not np.isfinite(correlations[number]):
            row["note"] = f"'{name}' does not vary"
        elif resampled is not None:
            ends = interval(resampled[number], len(set(people)))
            row |= dict(zip(("ci_low", "ci_high"), ends, strict=True))
    return rows


def _map_correlations(points: np.ndarray, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """r of each axis, and R2 of both, under each row of weights; shape (3, resamples)."""
    first, second = (weighted_correlation(axis, values, weights) for axis in points.T)
    both = weighted_correlation(*points.T, weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        shared = (first**2 + second**2 - 2 * first * second * both) / (1 - both**2)
    return np.array([first, second, shared])
