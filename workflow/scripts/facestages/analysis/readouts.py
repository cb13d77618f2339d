"""Linear read-outs of principal components, fitted to many labellings at once.

They equal scikit-learn's ``LinearDiscriminantAnalysis`` and ``Ridge``, which fit one labelling at a
time: a null distribution of a thousand permutations would take a thousand times as long.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.preprocessing import KernelCenterer

from facestages.analysis.folds import Folds
from facestages.analysis.geometry import leading_components
from facestages.errors import FacestagesError

#: Note of a fold whose training pictures lie on one point.
ALL_THE_SAME = "the layer says the same of all pictures of a training set"

# Columns of stacked indicator matrices that are multiplied at once (memory: n x this x 4 B).
_COLUMNS_AT_ONCE = 4096

# A variance below this share of the squares is the rounding error of float32.
_CONSTANT = 10 * np.finfo(np.float32).eps


def project(gram: np.ndarray, folds: Folds, k: int) -> list[np.ndarray]:
    """Scores of all pictures in the principal components of each fold's training pictures.

    They are float32 arrays (m, k), from a Gram matrix (n, n), with fewer than k columns where a
    space has fewer dimensions. Each component has mean 0 and variance 1 over the training pictures.
    ``sklearn.decomposition.KernelPCA`` gives the same ones from a Gram matrix, and
    ``sklearn.decomposition.PCA`` from the layer itself.

    Raises
    ------
    FacestagesError
        If all training pictures of a fold lie on one point.
    """
    spaces = []
    for training in folds.training:
        rows, others = folds.rows[training], folds.rows[~training]
        inner = gram[np.ix_(rows, rows)]
        centre, size = KernelCenterer().fit(inner), np.trace(inner)
        centred = centre.transform(inner, copy=False)
        if np.trace(centred) <= _CONSTANT * size:
            raise FacestagesError(ALL_THE_SAME)
        scores, values = leading_components(centred, k)
        values = values[: scores.shape[1]]
        spread = np.sqrt(values / len(rows))
        space = np.empty((len(training), len(values)), np.float32)
        space[training] = scores / spread
        # Eigenvectors of the Gram matrix give the axes onto which the other pictures are projected.
        products = centre.transform(gram[np.ix_(others, rows)], copy=False)
        space[~training] = products @ (scores / values) / spread
        spaces.append(space)
    return spaces


def held_out_recall(
    spaces: Sequence[np.ndarray],
    folds: Folds,
    labellings: np.ndarray,
    groups: int,
    components: Sequence[int],
) -> np.ndarray:
    """Recall of each group in held-out pictures, by a linear discriminant analysis.

    ``recall_g = hits_g / n_g``, shape (len(components), b, groups), NaN for a group without
    pictures. The mean over groups is the balanced accuracy. The spaces are those of `project`; the
    read-out is trained on each labelling (b, m) of group numbers anew.
    """
    b = len(labellings)
    hits, sizes = np.zeros((len(components), b, groups)), np.zeros((b, groups))
    for first in range(0, b, max(1, _COLUMNS_AT_ONCE // groups)):
        part = slice(first, first + max(1, _COLUMNS_AT_ONCE // groups))
        for fold, (scores, training) in enumerate(zip(spaces, folds.training, strict=True)):
            test = folds.fold == fold
            truth = labellings[part, test].astype(int)
            sizes[part] += _count(truth, np.ones_like(truth), groups)
            predictions = predict_groups(
                scores[training], labellings[part, training], scores[test], groups, components
            )
            for number, predicted in enumerate(predictions):
                hits[number, part] += _count(truth, predicted == truth, groups)
    with np.errstate(invalid="ignore"):
        return hits / sizes


def _count(labellings: np.ndarray, weights: np.ndarray, groups: int) -> np.ndarray:
    """Sum of the weights in each group (columns) of each labelling (rows)."""
    b = len(labellings)
    cells = labellings + groups * np.arange(b)[:, None]
    return np.bincount(cells.ravel(), weights.ravel(), b * groups).reshape(b, groups)


def predict_groups(
    points: np.ndarray,
    labellings: np.ndarray,
    others: np.ndarray,
    groups: int,
    components: Sequence[int],
) -> list[np.ndarray]:
    """Linear discriminant analysis of many labellings of the same points at once.

    A point x goes to the group g of largest ``m_g' C^-1 x - m_g' C^-1 m_g / 2``, where m_g is the
    mean of the group. Groups have equal priors and a common covariance, which is shrunk towards
    that of all points: ``C = (n W + k T) / (n + k)`` for n points in k components, with W within
    groups and T in total, here the unit matrix (Friedman 1989,
    doi:10.1080/01621459.1989.10478752). This amounts to k more points that belong to no group.
    Unlike the shrinkage of Ledoit and Wolf it is the same for all labellings, so that permuted
    labels are fitted in the same way as the labels.

    Parameters
    ----------
    points : numpy.ndarray, shape (n, kept)
        Uncorrelated, with mean 0 and variance 1.
    labellings : numpy.ndarray of int, shape (b, n)
    others : numpy.ndarray, shape (m, kept)
        Points whose groups are predicted.
    groups : int
    components : sequence of int
        Numbers of leading components to use.

    Returns
    -------
    list of numpy.ndarray of int, shape (b, m)
        For each number of components. A group without points is never predicted.
    """
    b, n = labellings.shape
    member = labellings[:, None] == np.arange(groups)[:, None]
    share = member.mean(axis=2, dtype=np.float32)
    sums = member.reshape(b * groups, n).astype(np.float32) @ points
    means = sums.reshape(b, groups, -1) / np.maximum(n * share, 1)[:, :, None]
    predicted = []
    for k in components:
        centres = means[:, :, :k].swapaxes(1, 2)
        k = centres.shape[1]
        # W is the total, the unit matrix, less the covariance between groups: C = 1 - AB. Then
        # C^-1 A = A (1 - BA)^-1, with a matrix to invert that is the smaller, the fewer groups.
        weighted = n / (n + k) * share[:, :, None] * centres.swapaxes(1, 2)
        if groups < k:
            inner = np.eye(groups, dtype=np.float32) - weighted @ centres
            axes = np.linalg.solve(inner.swapaxes(1, 2), centres.swapaxes(1, 2)).swapaxes(1, 2)
        else:
            axes = np.linalg.solve(np.eye(k, dtype=np.float32) - centres @ weighted, centres)
        scores = others[:, :k] @ axes.swapaxes(0, 1).reshape(k, b * groups)
        scores = scores.reshape(len(others), b, groups) - (centres * axes).sum(axis=1) / 2
        scores[:, share == 0] = -np.inf
        predicted.append(scores.argmax(axis=2).T)
    return predicted


def held_out_r2(
    spaces: Sequence[np.ndarray], folds: Folds, values: np.ndarray, components: Sequence[int]
) -> np.ndarray:
    """Variance of a number that a ridge regression explains in held-out pictures.

    ``R2 = 1 - SSE / SST``, shape (len(components), b), with SST about the mean of the training
    pictures and both summed over all folds; below 0 where the training mean predicts better. The
    weights are ``x'y / (n + k)`` for n pictures in k uncorrelated components: the ridge k shrinks
    them as k more pictures like the mean would. The spaces are those of `project`; the read-out is
    trained on each row of values (b, m) anew.
    """
    errors, total = np.zeros((len(components), len(values))), np.zeros(len(values))
    for fold, (scores, training) in enumerate(zip(spaces, folds.training, strict=True)):
        test, points = folds.fold == fold, scores[training]
        mean = values[:, training].mean(axis=1, keepdims=True)
        products = (values[:, training] - mean) @ points
        around = values[:, test] - mean
        total += (around**2).sum(axis=1)
        for number, k in enumerate(components):
            weights = products[:, :k] / (len(points) + min(k, points.shape[1]))
            errors[number] += ((around - weights @ scores[test, :k].T) ** 2).sum(axis=1)
    return 1 - errors / total


def predict_values(spaces: Sequence[np.ndarray], folds: Folds, values: np.ndarray) -> np.ndarray:
    """Predictions (m,) of a number (m,) for held-out pictures, by the ridge of `held_out_r2`."""
    predicted = np.empty(len(values))
    for fold, (scores, training) in enumerate(zip(spaces, folds.training, strict=True)):
        points, test = scores[training], folds.fold == fold
        mean = values[training].mean()
        weights = (values[training] - mean) @ points / (len(points) + points.shape[1])
        predicted[test] = mean + scores[test] @ weights
    return predicted
