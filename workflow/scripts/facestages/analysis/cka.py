"""Similarity of layers: centred kernel alignment (CKA) of their Gram matrices, debiased.

With fewer pictures than units the plain estimate (Kornblith et al. 2019) is near 1 for any two
layers, even of noise. The debiased one is near 0 for noise.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence

import h5py
import numpy as np
import pandas as pd
import scipy.stats

from facestages.analysis.labels import read_people
from facestages.analysis.layers import open_layers
from facestages.errors import FacestagesError
from facestages.progress import progress
from facestages.stimuli import read_labels

# The unbiased estimator needs this many pictures.
_FEWEST = 4

# Memory for the rows of all layers that are read at once, in numbers of Gram matrices.
_MATRICES = 4

# Fisher's z of 1 is infinite.
_NEARLY_ONE = 1 - 1e-12

_COLUMNS = [
    *("dataset", "rendered", "network", "seed", "layer", "other_network", "other_seed"),
    *("other_layer", "measure", "value", "ci_low", "ci_high", "n", "note"),
]


def debiased_cka(gram: np.ndarray, other: np.ndarray) -> float:
    """Debiased centred kernel alignment of two spaces of the same pictures.

    ``CKA = HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L))``, where HSIC is the unbiased estimator of the
    Hilbert-Schmidt independence criterion (Song et al. 2012, equation 5) instead of the biased one
    (Nguyen, Raghu and Kornblith 2021; Murphy, Zylberberg and Fyshe 2024).

    Parameters
    ----------
    gram, other : numpy.ndarray, shape (n, n)
        Inner products, such as ``activations @ activations.T``, centred or not.

    Returns
    -------
    float
        1 for spaces that differ by rotation and scale alone. Independent spaces have 0 on average,
        and may fall below. NaN where all pictures are equally far apart.

    Raises
    ------
    FacestagesError
        If there are fewer than four pictures, or the matrices are not of the same pictures.
    """
    if gram.shape != other.shape:
        raise FacestagesError(
            f"Gram matrices of shapes {gram.shape} and {other.shape}: CKA compares two layers on "
            f"the same pictures. Record both on one face set"
        )
    note = _too_few(len(gram))
    if note:
        raise FacestagesError(f"{note}. Give the face set more")
    x, y = (
        _centre_rows(np.asarray(matrix, float), 0, _margins(matrix)) for matrix in (gram, other)
    )
    with np.errstate(invalid="ignore"):
        return float(np.vdot(x, y) / np.sqrt(np.vdot(x, x) * np.vdot(y, y)))


def _too_few(n: int) -> str:
    return f"CKA without bias needs {_FEWEST} pictures, not {n}" if n < _FEWEST else ""


def _margins(gram: np.ndarray) -> np.ndarray:
    """Margins that `_centre_rows` subtracts, shape (n,).

    ``c_ij = g_ij - margin_i - margin_j`` is the U-centring of Székely and Rizzo (2014,
    doi:10.1214/14-AOS1255), with a diagonal of 0. The sum of products of two matrices centred like
    this is the estimator of Song et al. times n (n - 3).
    """
    n = len(gram)
    sums = gram.sum(axis=1, dtype=np.float64) - np.diag(gram)
    return sums / (n - 2) - sums.sum() / (2 * (n - 1) * (n - 2))


def _centre_rows(rows: np.ndarray, start: int, margins: np.ndarray) -> np.ndarray:
    """Centred copy of rows (r, n) of a Gram matrix, from the row `start` on."""
    numbers = np.arange(len(rows))
    centred = rows - margins[start : start + len(rows), None]
    centred -= margins
    centred[numbers, start + numbers] = 0
    return centred


def compare_layers(
    geometries: Sequence[str | os.PathLike],
    stimuli: str | os.PathLike,
    labels: str | os.PathLike | None = None,
) -> pd.DataFrame:
    """Debiased CKA of all pairs of recorded layers of some networks on one face set.

    Parameters
    ----------
    geometries : sequence of path-like
        HDF5 files of `analysis.geometry.measure_geometry`, of several networks or seeds.
    stimuli, labels : path-like
        The files of the face set; see `stimuli.read_labels`.

    Returns
    -------
    pandas.DataFrame
        Tidy: a row for each pair of different layers, measure ``cka_debiased``. The interval (95 %)
        is over people, by a jackknife (`_estimate`). A value that cannot be estimated is empty and
        has a note.

    Raises
    ------
    FacestagesError
        If a file is missing, or of other stimuli.
    """
    table, _, faces = read_labels(stimuli, labels)
    people = read_people(table)
    common = {"dataset": faces["dataset"], "rendered": int(faces.get("rendered", 0))}
    common |= {"measure": "cka_debiased", "n": len(table), "note": _too_few(len(table))}
    with contextlib.ExitStack() as stack:
        opened = (open_layers(path, faces["stimuli_digest"]) for path in geometries)
        layers = [layer for file in opened for layer in stack.enter_context(file)]
        pairs = np.triu_indices(len(layers), 1)
        if not common["note"]:
            codes = np.zeros(len(table), int) if people is None else pd.factorize(people)[0]
            products = _person_products([layer.gram for layer in layers], codes)
            value, low, high = (matrix[pairs] for matrix in _estimate(products))
            same = "all pictures of a layer are equally far apart"
            alone = "no two people, so no interval" if people is None else ""
            common |= {"value": value, "ci_low": low, "ci_high": high}
            common["note"] = np.where(np.isnan(value), same, alone)
    names = [layer[:3] for layer in layers]
    first, second = (
        pd.DataFrame([names[i] for i in side], columns=["network", "seed", "layer"])
        for side in pairs
    )
    return first.join(second.add_prefix("other_")).assign(**common).reindex(columns=_COLUMNS)


def _person_products(grams: Sequence[h5py.Dataset | np.ndarray], people: np.ndarray) -> np.ndarray:
    """Sums of the products of every two of L layers' centred Gram matrices, shape (3, P, L, L).

    For each of P people they are sums over pairs of the person's pictures, over pairs with pictures
    of other people of even number, and over pairs with those of odd number. Blocks of rows of all
    layers are read together, so that each matrix is read twice, whatever the number of layers.
    """
    n, layers = len(people), len(grams)
    indicator = np.eye(people.max() + 1)[people]
    sums = np.zeros((3, indicator.shape[1], layers, layers))
    margins = [_margins(gram[:]) for gram in grams]
    scales = [np.abs(margin).max() or 1.0 for margin in margins]
    at_once = min(n, max(1, int(_MATRICES * n / layers)))
    for start in progress(range(0, n, at_once), "alignments"):
        members = people[start : start + at_once]
        block = np.empty((len(members), layers, n), np.float32)
        for number, gram in enumerate(grams):
            rows = _centre_rows(gram[start : start + at_once], start, margins[number])
            rows /= scales[number]
            block[:, number] = rows
        for half in (0, 1):
            products = _products(block[:, :, people % 2 == half])
            sums[1 + half] += np.tensordot(indicator[start : start + at_once], products, (0, 0))
        for person in np.unique(members):
            among = np.ix_(members == person, np.arange(layers), people == person)
            within = _products(block[among]).sum(axis=0)
            sums[0, person] += within
            sums[1 + person % 2, person] -= within
    return sums


def _products(block: np.ndarray) -> np.ndarray:
    """Inner products (r, L, L) of the rows (r, L, n) of every two layers."""
    return np.matmul(block, block.swapaxes(1, 2))


def _estimate(products: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """CKA of every two layers, and its 95 % interval over people; each of shape (L, L).

    ``tanh(z -+ t sqrt(v))`` with Fisher's z of the CKA and Student's t of P - 1 degrees of freedom.
    The variance v is the mean of two variances. That of the jackknife over people counts the
    variance of pairs of people twice (Efron and Stein 1981, doi:10.1214/aos/1176345462), which
    matters where layers have little in common. The other one leaves the variance of pairs out: it
    is the covariance of two jackknives, each of which leaves people out of the pairs with one half
    of the people alone. The halves share people, but no pairs.

    Without a person, the centring is still that of all pictures. It is the same to first order: a
    person changes it by functions of one picture, whose products with the centred rows of the other
    layer add up to zero.
    """
    within, *halves = products
    total, people = products.sum(axis=(0, 1)), len(within)
    value = _normalise(total)
    if people < 2:
        return value, *np.full((2, *value.shape), np.nan)
    left_out = _fisher_z(total - within - 2 * (halves[0] + halves[1]))
    first, second = (_fisher_z(total - within - 4 * half) for half in halves)
    jackknife = (people - 1) * left_out.var(axis=0)
    of_people = (people - 1) * np.mean((first - first.mean(axis=0)) * second, axis=0)
    # The least is half the jackknife's, as if all variance were of pairs; it is also the variance
    # where there are too few people for the halves to have one.
    variance = np.fmax(jackknife + of_people, jackknife) / 2
    reach = scipy.stats.t.ppf(0.975, people - 1) * np.sqrt(variance)
    z = _fisher_z(total)
    return value, np.tanh(z - reach), np.tanh(z + reach)


def _normalise(products: np.ndarray) -> np.ndarray:
    """Products (..., L, L) divided by the norms of both layers."""
    with np.errstate(invalid="ignore"):
        norms = np.sqrt(np.diagonal(products, axis1=-2, axis2=-1))
        return products / (norms[..., :, None] * norms[..., None, :])


def _fisher_z(products: np.ndarray) -> np.ndarray:
    return np.arctanh(np.clip(_normalise(products), -_NEARLY_ONE, _NEARLY_ONE))
