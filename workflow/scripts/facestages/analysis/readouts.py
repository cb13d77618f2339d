"""Linear read-outs of principal components, fitted for many labellings at once.

As scikit-learn's ``LinearDiscriminantAnalysis`` and ``Ridge`` have them; a null distribution that
fits them anew for each of a thousand permutations takes a thousand times as long with these.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.preprocessing import KernelCenterer

from facestages.analysis.folds import Folds
from facestages.analysis.geometry import leading_components
from facestages.errors import FacestagesError

#: Note of a fold in which there is nothing to read.
ALL_THE_SAME = "the layer says the same of all pictures of a training set"

# Columns of the stacked indicator matrices that are multiplied at once (memory: n x this x 4 B).
_COLUMNS_AT_ONCE = 4096

# A variance below this share of the squares is the rounding error of float32.
_CONSTANT = 10 * np.finfo(np.float32).eps


def project(gram: np.ndarray, folds: Folds, k: int) -> list[np.ndarray]:
    """Principal components of the training pictures of each fold, for all pictures.

    As ``sklearn.decomposition.KernelPCA`` finds them in a Gram matrix, which are those of
    ``sklearn.decomposition.PCA`` in the layer itself.

    Parameters
    ----------
    gram : numpy.ndarray, shape (n, n)
    folds : Folds
    k : int

    Returns
    -------
    list of numpy.ndarray of float32, shape (m, k)
        One a fold; less than k wide where a space has fewer dimensions. Each component has mean 0
        and variance 1 over the training pictures.

    Raises
    ------
    FacestagesError
        If all training pictures of a fold are the same to the layer.
    """
    spaces = []
    for training in folds.training:
        rows, others = folds.rows[training], folds.rows[~training]
        own = gram[np.ix_(rows, rows)]
        centre, size = KernelCenterer().fit(own), np.trace(own)
        centred = centre.transform(own, copy=False)
        if np.trace(centred) <= _CONSTANT * size:
            raise FacestagesError(ALL_THE_SAME)
        scores, values = leading_components(centred, k)
        values = values[: scores.shape[1]]
        spread = np.sqrt(values / len(rows))
        space = np.empty((len(training), len(values)), np.float32)
        space[training] = scores / spread
        # Eigenvectors of the Gram matrix, turned into axes of the layer.
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
    """Share of the held-out pictures of each group that a linear discriminant analysis recognises.

    Parameters
    ----------
    spaces : sequence of numpy.ndarray, shape (m, kept)
        From `project`.
    folds : Folds
    labellings : numpy.ndarray of int, shape (b, m)
        Group numbers; the read-out is trained on each labelling anew.
    groups : int
    components : sequence of int
        Numbers of principal components to read.

    Returns
    -------
    numpy.ndarray, shape (len(components), b, groups)
        NaN of a group without pictures. The mean over groups is the balanced accuracy.
    """
    b = len(labellings)
    hits, sizes = np.zeros((len(components), b, groups)), np.zeros((b, groups))
    for first in range(0, b, max(1, _COLUMNS_AT_ONCE // groups)):
        part = slice(first, first + max(1, _COLUMNS_AT_ONCE // groups))
        for fold, (scores, training) in enumerate(zip(spaces, folds.training, strict=True)):
            test = folds.fold == fold
            truth = labellings[part, test].astype(int)
            sizes[part] += _count(truth, np.ones_like(truth), groups)
            found = predict_groups(
                scores[training], labellings[part, training], scores[test], groups, components
            )
            for number, predicted in enumerate(found):
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

    The groups have equal priors. Their common covariance is shrunk towards that of all points, as
    if k more of them had been seen that belong to no group (Friedman 1989,
    doi:10.1080/01621459.1989.10478752): with n points in k components, ``k / (n + k)`` of it is the
    total covariance, which is the unit matrix here. Unlike the shrinkage of Ledoit and Wolf this
    is the same for all labellings, and one labelling is as good as another but for its labels.

    Parameters
    ----------
    points : numpy.ndarray, shape (n, kept)
        Uncorrelated, with mean 0 and variance 1.
    labellings : numpy.ndarray of int, shape (b, n)
    others : numpy.ndarray, shape (m, kept)
        Points whose groups are wanted.
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
        between = centres @ (centres * share[:, None]).swapaxes(1, 2)
        # Within groups is what the total, the unit matrix, has beyond the variance between them.
        covariance = np.eye(k, dtype=np.float32) - n / (n + k) * between
        axes = np.linalg.solve(covariance, centres)
        scores = others[:, :k] @ axes.swapaxes(0, 1).reshape(k, b * groups)
        scores = scores.reshape(len(others), b, groups) - (centres * axes).sum(axis=1) / 2
        scores[:, share == 0] = -np.inf
        predicted.append(scores.argmax(axis=2).T)
    return predicted


def held_out_r2(
    spaces: Sequence[np.ndarray], folds: Folds, values: np.ndarray, components: Sequence[int]
) -> np.ndarray:
    """Share of the variance of a number that a ridge regression foretells in held-out pictures.

    The components are uncorrelated, so that a ridge only makes all weights smaller, and with them
    the damage where there are few pictures. It is k, the number of components, as if k more
    pictures had been seen that are like the mean; see `predict_groups`.

    Parameters
    ----------
    spaces, folds, components
        See `held_out_recall`.
    values : numpy.ndarray, shape (b, m)
        The read-out is trained on each row anew.

    Returns
    -------
    numpy.ndarray, shape (len(components), b)
        ``1 - SSE / SST``, SST about the mean of the training pictures, both summed over all folds;
        below 0 where the training mean foretells better.
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
