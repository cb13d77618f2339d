"""How separate people, or expressions, lie in a layer's space.

A silhouette (Rousseeuw 1987) compares, picture by picture, the mean distance to its own group with
that to the nearest other group: near 1 where groups are tight and apart, near 0 where they overlap,
negative where pictures lie closer to another group. Distances do not depend on labels, so one
product with the labels' indicator matrix gives the silhouettes of many labellings at once.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from facestages import sampling, store
from facestages.errors import FacestagesError
from facestages.progress import progress
from facestages.resampling import interval, people_weights, weighted_mean
from facestages.stimuli import read_labels

#: Note where a network is scored with labels that it gave itself.
CIRCULAR = "CIRCULAR: the labels are this network's own predictions"

# Columns of the stacked indicator matrices that are multiplied at once (memory: n x this x 4 B).
_COLUMNS_AT_ONCE = 8192


def distances(points: np.ndarray) -> np.ndarray:
    """Euclidean distances between rows.

    Parameters
    ----------
    points : numpy.ndarray, shape (n, k)

    Returns
    -------
    numpy.ndarray, shape (n, n)
        Of the type of the points.
    """
    centred = points - points.mean(axis=0)
    return _turn_into_distances(centred @ centred.T)


def gram_distances(gram: np.ndarray) -> np.ndarray:
    """Euclidean distances from inner products: ``d_ij^2 = g_ii + g_jj - 2 g_ij``."""
    return _turn_into_distances(np.array(gram, dtype=np.float64))


def _turn_into_distances(gram: np.ndarray) -> np.ndarray:
    """As `gram_distances`, in place: of 20,000 pictures another matrix takes another 3.2 GB."""
    squares = np.diag(gram).copy()
    gram *= -2
    gram += squares[:, None]
    gram += squares[None, :]
    np.fill_diagonal(gram, 0.0)
    return np.sqrt(np.maximum(gram, 0.0, out=gram), out=gram)


def silhouette(matrix: np.ndarray, labels: Sequence) -> float:
    """Mean silhouette.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (n, n)
        Distances, or a Gram matrix; told apart by the diagonal, which is zero for distances.
    labels : sequence, shape (n,)
        Group of each row.

    Returns
    -------
    float
        As ``sklearn.metrics.silhouette_score`` gives it; a group of one scores 0.

    Raises
    ------
    FacestagesError
        If there is one group only, or no group has two members.
    """
    return float(silhouette_samples(matrix, labels).mean())


def silhouette_samples(matrix: np.ndarray, labels: Sequence) -> np.ndarray:
    """Silhouette of each picture.

    Parameters and errors are those of `silhouette`.

    Returns
    -------
    numpy.ndarray of float64, shape (n,)
        As ``sklearn.metrics.silhouette_samples`` gives them.
    """
    codes = _encode(labels, len(matrix))
    return _silhouette_block(_as_distances(matrix), codes[None], codes.max() + 1)[:, 0]


def silhouette_null(
    matrix: np.ndarray, labels: Sequence, permutations: int = 1000, seed: int = 0
) -> np.ndarray:
    """Mean silhouettes of randomly permuted labels: what no relation at all would give.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (n, n)
        Distances or a Gram matrix.
    labels : sequence, shape (n,)
    permutations : int
    seed : int

    Returns
    -------
    numpy.ndarray of float, shape (permutations,)
    """
    rng = np.random.default_rng(seed)
    codes = _encode(labels, len(matrix))
    permuted = rng.permuted(np.tile(codes, (permutations, 1)), axis=1)
    return _silhouettes(_as_distances(matrix).astype(np.float32), permuted)


def _as_distances(matrix: np.ndarray) -> np.ndarray:
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise FacestagesError(f"distances must be square, not of shape {matrix.shape}")
    if not np.isfinite(matrix).all():
        raise FacestagesError("distances hold NaN or infinity")
    return gram_distances(matrix) if np.any(np.diag(matrix) != 0) else matrix


def _encode(labels: Sequence, n: int) -> np.ndarray:
    values, codes = np.unique(np.asarray(labels).astype(str), return_inverse=True)
    if len(codes) != n:
        raise FacestagesError(f"{len(codes)} labels for {n} pictures")
    if len(values) < 2:
        raise FacestagesError(f"all {n} pictures have the one label '{values[0]}'; two are needed")
    if len(values) == n:
        raise FacestagesError(f"each of the {n} pictures has a label of its own; none has two")
    return codes


def _silhouettes(distance: np.ndarray, labellings: np.ndarray) -> np.ndarray:
    """Mean silhouette of each labelling.

    Parameters
    ----------
    distance : numpy.ndarray, shape (n, n)
    labellings : numpy.ndarray of int, shape (b, n)
        Group numbers 0..k-1; every labelling has the same group sizes.

    Returns
    -------
    numpy.ndarray of float64, shape (b,)
    """
    groups = int(labellings.max(initial=0)) + 1
    at_once = max(1, _COLUMNS_AT_ONCE // groups)
    scores = [
        _silhouette_block(distance, labellings[first : first + at_once], groups).mean(axis=0)
        for first in range(0, len(labellings), at_once)
    ]
    return np.concatenate(scores) if scores else np.empty(0)


def _silhouette_block(distance: np.ndarray, labellings: np.ndarray, groups: int) -> np.ndarray:
    """Silhouette of each picture (rows) under each labelling (columns)."""
    b, n = labellings.shape
    rows = np.arange(n)
    indicator = np.zeros((n, b, groups), distance.dtype)
    indicator[rows[:, None], np.arange(b), labellings.T] = 1
    sums = (distance @ indicator.reshape(n, b * groups)).reshape(n, b, groups)
    sizes = np.bincount(labellings[0], minlength=groups)
    own = (rows[:, None], np.arange(b), labellings.T)
    own_size = sizes[labellings.T]
    within = sums[own] / np.maximum(own_size - 1, 1)
    sums /= sizes.astype(distance.dtype)
    sums[own] = np.inf
    nearest = sums.min(axis=2)
    widest = np.maximum(within, nearest)
    score = np.divide(nearest - within, widest, out=np.zeros_like(within), where=widest > 0)
    return np.where(own_size > 1, score, 0).astype(np.float64)


def score_separability(
    geometry: str | os.PathLike,
    stimuli: str | os.PathLike,
    stages: Mapping[str, str],
    labels: Sequence[str],
    components: Sequence[int | str],
    permutations: int,
    predictions: str | os.PathLike | None = None,
) -> pd.DataFrame:
    """Silhouettes of every recorded layer of one network on one face set.

    Parameters
    ----------
    geometry : path-like
        HDF5 file of `measure_geometry`.
    stimuli : path-like
        The face set.
    stages : mapping of str to str
        Layer of each stage; other layers have none.
    labels : sequence of str
        Labels whose groups are scored, e.g. ``identity``.
    components : sequence of int or "all"
        Numbers of principal components; ``all`` is the layer's full space.
    permutations : int
        Label permutations for z and p; 0 for none.
    predictions : path-like, optional
        A network's predictions, taken as the label ``expression``; see
        `facestages.stimuli.read_labels`.

    Returns
    -------
    pandas.DataFrame
        Tidy: a row for each stage or further layer x number of components x (label's
        ``silhouette``, or ``variance_explained``). A label that the face set lacks has an empty
        value and a note. Where the face set is a sample, ``pictures_of`` and ``sampled`` say of
        what, and ``sampling_error`` how far the value may be from that of the whole face set
        (`facestages.sampling.sampling_error`).

    Raises
    ------
    FacestagesError
        If a label has one value only, or a value of its own for each picture.
    """
    table, sources, known = read_labels(stimuli, predictions)
    rows = []
    expected = {"stimuli_digest": known["stimuli_digest"]}
    with store.open_read(geometry, "geometry", **expected) as file:
        common = {name: file.attrs[name] for name in ("dataset", "network", "seed")}
        common["rendered"] = int(known.get("rendered", 0))
        common |= {name: known[name] for name in ("pictures_of", "sampled") if name in known}
        sample = sampling.read_sample(table, known)
        # Layers beside the stages.
        more = [("", layer) for layer in file if layer not in stages.values()]
        for stage, layer in progress([*stages.items(), *more], "silhouettes"):
            group = file[layer]
            ratio = group["variance_ratio"][:]
            halves = sample and _read_halves(group, sample)
            for k in components:
                matrix, used = _space(group, k)
                where = {**common, "stage": stage, "layer": layer, "components": k}
                where["components_used"] = used
                explained = 1.0 if k == "all" else float(ratio[:used].sum())
                found = [{"measure": "variance_explained", "value": explained}]
                for label in labels:
                    scored = score_label(matrix, label, table, sources, permutations, common)
                    found.append({"measure": "silhouette", "label": label, **scored})
                if sample is not None:
                    _add_errors(found, matrix, k, table, halves, sample)
                rows += [{**where, **row} for row in found]
    return pd.DataFrame(rows, columns=_COLUMNS).astype(
        {"n": "Int64", "n_groups": "Int64", "pictures_of": "Int64"}
    )


class _Halves(NamedTuple):
    """A layer's space in a sample and in its halves."""

    #: Principal components, shape (n, kept).
    scores: np.ndarray
    #: Shares of variance of the components of each first and each second half, (splits, kept).
    ratios: tuple[np.ndarray, np.ndarray]


def _read_halves(group, sample: sampling.Sample) -> _Halves:
    scores = group["score"][:]
    return _Halves(scores, sampling.half_variance_ratios(group["gram"], scores, sample.halves))


def _add_errors(
    rows: Sequence[dict],
    matrix: np.ndarray,
    k: int | str,
    table: pd.DataFrame,
    halves: _Halves,
    sample: sampling.Sample,
) -> None:
    """Add to the measurements in one space the error that the sampling puts into them."""
    explained, *silhouettes = rows
    explained["sampling_error"] = 0.0
    if k != "all":
        shares = (ratios[:, :k].sum(axis=1) for ratios in halves.ratios)
        explained["sampling_error"] = sampling.sampling_error(
            explained["value"], *shares, sample.share
        )
    labels = [row["label"] for row in silhouettes]
    first, second = _half_silhouettes(matrix, halves.scores, k, table, labels, sample.halves)
    for row, *values in zip(silhouettes, first.T, second.T, strict=True):
        row["sampling_error"] = sampling.sampling_error(row["value"], *values, sample.share)


def _half_silhouettes(
    matrix: np.ndarray,
    scores: np.ndarray,
    k: int | str,
    table: pd.DataFrame,
    labels: Sequence[str],
    halves: np.ndarray,
) -> np.ndarray:
    """Silhouettes of some labels in each half of a sample, each half in components of its own.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (n, n)
        Distances, for ``all``.
    scores : numpy.ndarray, shape (n, kept)
        Principal components, for a number of them.
    k : int or "all"
    table : pandas.DataFrame of n rows
    labels : sequence of str
    halves : numpy.ndarray of bool, shape (splits, n)

    Returns
    -------
    numpy.ndarray, shape (2, splits, labels)
        NaN where a half has no two groups of a label.
    """
    found = []
    for half in np.concatenate([halves, ~halves]):
        rows = np.flatnonzero(half)
        if k == "all":
            own = matrix[np.ix_(rows, rows)]
        else:
            own = distances(sampling.own_components(scores[rows])[:, :k].astype(np.float32))
        found.append([_silhouette_if_any(own, label, table.iloc[rows]) for label in labels])
    return np.reshape(found, (2, len(halves), len(labels)))


def _silhouette_if_any(matrix: np.ndarray, label: str, table: pd.DataFrame) -> float:
    known = is_labelled(table, label)
    if not known.any():
        return np.nan
    if not known.all():
        matrix = matrix[np.ix_(known, known)]
    try:
        return silhouette(matrix, table.loc[known, label].to_numpy())
    except FacestagesError:
        return np.nan


_COLUMNS = [
    *(
        "dataset",
        "rendered",
        "network",
        "seed",
        "stage",
        "layer",
        "label",
        "label_source",
        "measure",
    ),
    *("components", "components_used", "value", "ci_low", "ci_high", "sampling_error"),
    *("null_mean", "null_sd", "z", "p"),
    *("n", "n_groups", "pictures_of", "sampled", "note"),
]


def _space(group, k: int | str) -> tuple[np.ndarray, int]:
    """Distances in the first k components or in the full space, and the number of dimensions."""
    if k == "all":
        gram = group["gram"].astype(np.float64)[:]
        return _turn_into_distances(gram), math.prod(group.attrs["layer_shape"])
    scores = group["score"][:, :k]
    return distances(scores), scores.shape[1]


def is_labelled(table: pd.DataFrame, label: str) -> np.ndarray:
    """Which pictures have a label; none where the face set lacks it."""
    if label not in table:
        return np.zeros(len(table), bool)
    return (table[label].notna() & (table[label] != "")).to_numpy()


def score_label(
    matrix: np.ndarray,
    label: str,
    table: pd.DataFrame,
    sources: Mapping[str, str],
    permutations: int,
    common: Mapping[str, object],
) -> dict[str, object]:
    """Silhouette of one label in one space, as part of a row of `score_separability`.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (n, n)
        Distances or a Gram matrix.
    label : str
    table : pandas.DataFrame of n rows
        Labels of the face set; pictures without this one are left out.
    sources : mapping of str to str
        Source of each label.
    permutations : int
    common : mapping
        ``dataset`` and ``network``.

    Returns
    -------
    dict
        ``label_source, value, ci_low, ci_high, n, n_groups, note`` and, with permutations,
        ``null_mean, null_sd, z, p``. The interval is over people (95 %): the pictures' silhouettes
        stay as they are while people are drawn anew.

    Raises
    ------
    FacestagesError
        If the label has one value only, or a value of its own for each picture.
    """
    empty = {"label_source": "", "n": 0, "n_groups": 0, "value": np.nan}
    known = is_labelled(table, label)
    if not known.any():
        return {**empty, "note": f"the face set has no label '{label}'"}
    if not known.all():
        matrix = matrix[np.ix_(known, known)]
    groups = table.loc[known, label].to_numpy()
    scored = {"label_source": sources[label], "n": int(known.sum()), "note": ""}
    if sources[label] == f"network:{common['network']}":
        scored["note"] = CIRCULAR
    scored["n_groups"] = len(set(groups))
    try:
        samples = silhouette_samples(matrix, groups)
    except FacestagesError as error:
        raise FacestagesError(
            f"face set '{common['dataset']}', label '{label}': {error}. Give it more pictures, or "
            f"take '{label}' out of analysis.labels"
        ) from error
    scored["value"] = samples.mean()
    if "identity" in table and table.loc[known, "identity"].nunique() > 1:
        weights = people_weights(table.loc[known, "identity"])
        scored["ci_low"], scored["ci_high"] = interval(weighted_mean(samples, weights))
    if permutations:
        null = silhouette_null(matrix, groups, permutations)
        sd = null.std(ddof=1)
        scored |= {
            "null_mean": null.mean(),
            "null_sd": sd,
            "z": (scored["value"] - null.mean()) / sd,
            "p": (1 + (null >= scored["value"]).sum()) / (1 + permutations),
        }
    return scored
