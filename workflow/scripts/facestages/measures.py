"""The workflow's measures on layers of your own: arrays in, a number or a table out.

A layer is an array with one row a picture; several layers are a mapping of their names to arrays,
such as `record` returns. Labels are a data frame with one row a picture. Tables have the columns of
the workflow's tables (`tables.read_table` explains them) and a row for each measure of each layer,
with an interval over people and a null distribution where the design of the face set allows them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from facestages.analysis.arrays import (
    Layers,
    Metric,
    check_array,
    check_groups,
    check_labels,
    choose_labels,
    open_arrays,
    require_rows,
)
from facestages.analysis.cka import debiased_cka
from facestages.analysis.decoding import decode_labels
from facestages.analysis.distances import distances
from facestages.analysis.partition import partition_variance
from facestages.analysis.rsa import correlate_rdms
from facestages.analysis.separability import score_separability
from facestages.analysis.silhouettes import silhouette as matrix_silhouette
from facestages.analysis.subspace_scores import compare_subspaces
from facestages.gram import gram_matrix

# Columns that say from which run a row is.
_OF_A_RUN = ("dataset", "rendered", "network", "seed", "stage", "label_source")
_OF_A_SAMPLE = ("sampling_error", "pictures_of", "sampled")


def silhouette(X: np.ndarray, labels: Sequence, metric: Metric = "euclidean") -> float:
    """Mean silhouette: the mean over pictures of ``(b - a) / max(a, b)``.

    a is the mean distance of a picture to the others of its group, and b that to the nearest other
    group (Rousseeuw 1987, doi:10.1016/0377-0427(87)90125-7).

    Parameters
    ----------
    X : array, shape (n, units) or (n, n)
        Outputs of a layer; or, as `metric` says, inner products or distances of the pictures.
    labels : sequence, shape (n,)
        Group of each picture.
    metric : {"euclidean", "gram", "distances"}
        What `X` is: outputs, a Gram matrix, or distances.

    Returns
    -------
    float
        As ``sklearn.metrics.silhouette_score`` gives it; a group of one scores 0.

    Raises
    ------
    FacestagesError
        If `X` is not what `metric` says or holds NaN, there is not one label a picture, a label is
        missing, there is one group only, or no group has two pictures.

    See Also
    --------
    score_silhouettes : with intervals, null distributions, and other labels held constant.
    """
    X, labels = check_array(X, "X", metric), check_groups(labels)
    require_rows("X", X, labels.shape, "labels")
    return matrix_silhouette(distances(X) if metric == "euclidean" else X, labels)


def cka(X: np.ndarray, Y: np.ndarray, metric: Literal["euclidean", "gram"] = "euclidean") -> float:
    """Debiased centred kernel alignment of two layers.

    ``CKA = HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L))`` with the unbiased estimator of HSIC (Song et
    al. 2012; Murphy, Zylberberg and Fyshe 2024), so that independent layers have 0 on average, and
    layers that differ by rotation and scale alone have 1.

    Parameters
    ----------
    X, Y : array, shapes (n, units) and (n, other units)
        Outputs of two layers for the same pictures; or, with ``metric="gram"``, Gram matrices.
    metric : {"euclidean", "gram"}

    Returns
    -------
    float
        NaN where all pictures are equally far apart.

    Raises
    ------
    FacestagesError
        If there are fewer than four pictures, or the layers are of other numbers of them.
    """
    X, Y = (check_array(array, name, metric) for array, name in ((X, "X"), (Y, "Y")))
    require_rows("X", X, Y.shape, "Y")
    grams = (array if metric == "gram" else gram_matrix(array) for array in (X, Y))
    return debiased_cka(*grams)


def score_silhouettes(
    layers: Layers,
    labels: pd.DataFrame,
    names: Sequence[str] | None = None,
    components: Sequence[int | Literal["all"]] = ("all",),
    permutations: int = 1000,
    metric: Literal["euclidean", "gram"] = "euclidean",
) -> pd.DataFrame:
    """How well groups are separated in each layer; `analysis.separability.score_separability`.

    Parameters
    ----------
    layers : array of shape (n, units), or mapping of str to arrays
    labels : pandas.DataFrame of n rows
        ``identity`` says of which person a picture is. Intervals are over people, and permutations
        keep the design of the face set.
    names : sequence of str, optional
        Labels whose groups are scored. By default ``identity`` and ``expression``, if they are
        there.
    components : sequence of int or "all"
        Numbers of principal components; ``all`` is the layer's full space.
    permutations : int
        Permutations of each label, for z and p; 0 for none.
    metric : {"euclidean", "gram"}
        Whether the arrays are outputs of layers, or Gram matrices of shape (n, n).

    Returns
    -------
    pandas.DataFrame
        Tidy, with ``layer, label, measure, components, value, ci_low, ci_high, null, null_mean,
        null_sd, z, p, n, n_groups, note``.

    Raises
    ------
    FacestagesError
        If an array is not what `metric` says, or does not fit the labels.
    """
    labels = check_labels(labels)
    table = _measure(
        score_separability,
        *(layers, labels, metric, components),
        *(choose_labels(names, labels), components, permutations),
    )
    if metric == "gram":
        # Parallel analysis asks for the variance of each unit.
        table = table[table["measure"] != "components_parallel_analysis"].reset_index(drop=True)
    return table


def decode(
    layers: Layers,
    labels: pd.DataFrame,
    names: Sequence[str] | None = None,
    components: Sequence[int] = (10,),
    permutations: int = 1000,
    resamples: int = 1000,
    folds: int = 5,
    seed: int = 0,
    metric: Literal["euclidean", "gram"] = "euclidean",
) -> pd.DataFrame:
    """Decode labels from held-out people, and identity from a held-out time.

    Names have the balanced accuracy of a linear discriminant analysis, numbers the
    ``R2 = 1 - SSE / SST`` of a ridge regression (`analysis.decoding.decode`).

    Parameters
    ----------
    layers, metric
        See `score_silhouettes`.
    labels : pandas.DataFrame of n rows
        Labels are decoded from pictures of other people (``identity``); identity itself from
        pictures of another ``session``, or of other times by ``frame``.
    names : sequence of str, optional
        Labels to decode, names or numbers. By default ``identity`` and ``expression``, if they are
        there.
    components : sequence of int
        Numbers of principal components to read.
    permutations, resamples : int
        Permutations of each label, for z and p, and draws of people, for the interval of identity;
        0 for none.
    folds : int
        Parts that are held out in turn; fewer where there are fewer people or sessions.
    seed : int
        Of all that is drawn.

    Returns
    -------
    pandas.DataFrame
        Tidy, with ``layer, label, measure, components, value, chance, ci_low, ci_high, null_mean,
        null_sd, z, p, null, held_out, folds, n, n_groups, note``.

    Raises
    ------
    FacestagesError
        As `score_silhouettes`.
    """
    labels = check_labels(labels)
    return _measure(
        decode_labels,
        *(layers, labels, metric, components),
        *(choose_labels(names, labels), components, permutations, resamples, folds, seed),
    )


def rsa(
    layers: Layers,
    labels: pd.DataFrame,
    components: Sequence[int | Literal["all"]] = ("all",),
    permutations: int = 1000,
    resamples: int = 1000,
    metric: Literal["euclidean", "gram"] = "euclidean",
) -> pd.DataFrame:
    """Representational similarity with models of identity, expression and affect.

    ``rho_a``, its share of the highest that is possible, and Spearman's correlation of a layer's
    distances with what each model predicts (`analysis.rsa.correlate_rdms`).

    Parameters
    ----------
    layers, metric
        See `score_silhouettes`.
    labels : pandas.DataFrame of n rows
        With any of ``identity``, ``expression``, and ``valence`` and ``arousal``.
    components : sequence of int or "all"
    permutations, resamples : int
        For p, and for the intervals over people.

    Returns
    -------
    pandas.DataFrame
        Tidy, with ``layer, label`` (the model), ``measure, components, value, ci_low, ci_high,
        null_mean, null_sd, z, p, null, n, note``.

    Raises
    ------
    FacestagesError
        As `score_silhouettes`.
    """
    labels = check_labels(labels)
    return _measure(
        correlate_rdms,
        *(layers, labels, metric, components),
        *(components, permutations, resamples),
    )


def partition(
    layers: Layers,
    labels: pd.DataFrame,
    components: Sequence[int] = (10,),
    resamples: int = 1000,
    metric: Literal["euclidean", "gram"] = "euclidean",
) -> pd.DataFrame:
    """Shares of each layer's variance for identity, valence-arousal, and category.

    ``identity = R2(I)``, ``affect = R2(I, A) - R2(I)`` and ``category = R2(I, A, C) - R2(I, A)``,
    adjusted for the numbers of parameters (`analysis.partition.partition_variance`).

    Parameters
    ----------
    layers, metric
        See `score_silhouettes`; the order of the layers is that of the network.
    labels : pandas.DataFrame of n rows
        With ``identity`` and ``expression``, and ``valence`` and ``arousal`` where they are known.
    components : sequence of int
    resamples : int
        Bootstrap over people, for the intervals.

    Returns
    -------
    pandas.DataFrame
        Tidy, with ``layer, position, label`` (whose share), ``measure, components, value, ci_low,
        ci_high, null_mean, null_sd, null_low, null_high, p, n, note``.

    Raises
    ------
    FacestagesError
        As `score_silhouettes`.
    """
    labels = check_labels(labels)
    return _measure(
        partition_variance, *(layers, labels, metric, components), *(components, resamples)
    )


def subspace_angles(
    layers: Layers,
    labels: pd.DataFrame,
    draws: int = 199,
    resamples: int = 1000,
    folds: int = 5,
    seed: int = 0,
    metric: Literal["euclidean", "gram"] = "euclidean",
) -> pd.DataFrame:
    """Angles between the subspaces of identity and of expression, and what erasing one does.

    Effects of people and of expressions are fitted in two halves of the pictures, so that their
    noise does not turn the subspaces (`analysis.subspace_scores.compare_subspaces`).

    Parameters
    ----------
    layers, metric
        See `score_silhouettes`.
    labels : pandas.DataFrame of n rows
        With ``identity`` and ``expression``, and ``session`` where it is known.
    draws : int
        Random rotations and permutations, for p.
    resamples, folds, seed : int
        See `decode`.

    Returns
    -------
    pandas.DataFrame
        Tidy, with ``layer, label, other, measure, components_used, value, ci_low, ci_high, chance,
        null, null_mean, null_sd, p, held_out, n, n_groups, note``. The measure ``angle`` is in
        degrees.

    Raises
    ------
    FacestagesError
        As `score_silhouettes`.
    """
    return _measure(
        compare_subspaces,
        *(layers, check_labels(labels), metric, ("all",)),
        *(draws, resamples, folds, seed),
    )


def _measure(
    measure: Callable[..., pd.DataFrame],
    layers: Layers,
    labels: pd.DataFrame,
    metric: str,
    components: Sequence[int | str],
    *settings: object,
) -> pd.DataFrame:
    """The table of a measure that `analysis.layers.tabulate` made, without a run's columns."""
    with open_arrays(layers, labels, metric, components) as geometry:
        table = measure.of_geometry(geometry, *settings)
    return table.drop(columns=[*_OF_A_RUN, *_OF_A_SAMPLE], errors="ignore")
