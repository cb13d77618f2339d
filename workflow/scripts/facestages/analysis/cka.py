"""How alike layers are: centred kernel alignment of their Gram matrices, without its bias.

With fewer pictures than units the plain estimate (Kornblith et al. 2019) is near 1 for any two
layers, even of noise. The one here is near 0 for noise.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence

import h5py
import numpy as np
import pandas as pd
import scipy.stats

from facestages import store
from facestages.analysis.affect import read_people
from facestages.errors import FacestagesError
from facestages.progress import progress
from facestages.stimuli import read_labels

# The centring without bias leaves nothing of fewer pictures.
_FEWEST = 4

# Rows of all layers that are in memory at once, in numbers of Gram matrices.
_MATRICES = 4

# Fisher's z of 1 is infinite.
_NEARLY_ONE = 1 - 1e-12


def debiased_cka(gram: np.ndarray, other: np.ndarray) -> float:
    """Debiased centred kernel alignment of two spaces of the same pictures.

    The unbiased estimator of the Hilbert-Schmidt independence criterion (Song et al. 2012, equation
    5) takes the place of the biased one (Nguyen, Raghu and Kornblith 2021; Murphy, Zylberberg and
    Fyshe 2024).

    Parameters
    ----------
    gram, other : numpy.ndarray, shape (n, n)
        Inner products, of centred rows or not.

    Returns
    -------
    float
        1 for spaces that are equal but for rotation and scale, 0 on average for independent ones,
        so also below. NaN where all pictures are equally far apart.

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
    """What `_centre_rows` takes off, shape (n,).

    The centring of Székely and Rizzo (2014, doi:10.1214/14-AOS1255), without the diagonal: products
    of two matrices centred like this add up to the estimator of Song et al. times n (n - 3).
    """
    n = len(gram)
    sums = gram.sum(axis=1, dtype=np.float64) - np.diag(gram)
    return sums / (n - 2) - sums.sum() / (2 * (n - 1) * (n - 2))


def _centre_rows(rows: np.ndarray, start: int, margins: np.ndarray) -> np.ndarray:
    """Centre some rows (r, n) of a Gram matrix, of which `start` is the first; in a new array."""
    numbers = np.arange(len(rows))
    centred = rows - margins[start : start + len(rows), None]
    centred -= margins
    centred[numbers, start + numbers] = 0
    return centred


def compare_layers(
    geometries: Sequence[str | os.PathLike], stimuli: str | os.PathLike
) -> pd.DataFrame:
    """Debiased CKA of all pairs of recorded layers of some networks on one face set.

    Parameters
    ----------
    geometries : sequence of path-like
        HDF5 files of `analysis.geometry.measure_geometry`, of several networks or seeds.
    stimuli : path-like
        The face set that all of them are of.

    Returns
    -------
    pandas.DataFrame
        Tidy: a row for each pair of layers, measure ``cka_debiased``; no layer is compared with
        itself. The interval (95 %) is over people, by a jackknife (`_estimate`). What cannot be
        estimated has an empty value and a note.

    Raises
    ------
    FacestagesError
        If a file is missing, or of other stimuli.
    """
    table, _, known = read_labels(stimuli)
    people = read_people(table)
    common = {"dataset": known["dataset"], "rendered": int(known.get("rendered", 0))}
    common |= {"measure": "cka_debiased", "n": len(table)}
    with contextlib.ExitStack() as stack:
        expected = {"stimuli_digest": known["stimuli_digest"]}
        files = [
            stack.enter_context(store.open_read(p, "geometry", **expected)) for p in geometries
        ]
        layers = [
            (file.attrs["network"], file.attrs["seed"], name) for file in files for name in file
        ]
        pairs = np.triu_indices(len(layers), 1)
        common["note"] = _too_few(len(table))
        if not common["note"]:
            grams = [group["gram"] for file in files for group in file.values()]
            codes = pd.factorize(people)[0] if people is not None else np.zeros(len(table), int)
            estimates = _estimate(_person_products(grams, codes))
            value, low, high = (matrix[pairs] for matrix in estimates)
            same = "all pictures of a layer are equally far apart"
            alone = "" if people is not None else "no two people, so no interval"
            common |= {"value": value, "ci_low": low, "ci_high": high}
            common["note"] = np.where(np.isnan(value), same, alone)
    names = ["network", "seed", "layer"]
    first, second = (pd.DataFrame([layers[i] for i in side], columns=names) for side in pairs)
    return first.join(second.add_prefix("other_")).assign(**common).reindex(columns=_COLUMNS)


def _person_products(grams: Sequence[h5py.Dataset | np.ndarray], people: np.ndarray) -> np.ndarray:
    """Sums of the products of every two layers' centred Gram matrices, by person.

    The rows of all layers are taken a block at a time, so that each matrix is read twice, however
    many it is compared with.

    Parameters
    ----------
    grams : sequence of L HDF5 datasets or arrays, shape (n, n)
    people : numpy.ndarray of int, shape (n,)
        Number of each picture's person.

    Returns
    -------
    numpy.ndarray, shape (3, P, L, L)
        Over the pairs of each person's pictures with each other, with those of the other people of
        even number, and with those of odd number.
    """
    n, layers = len(people), len(grams)
    indicator = np.eye(people.max() + 1)[people]
    sums = np.zeros((3, indicator.shape[1], layers, layers))
    margins = [_margins(gram[:]) for gram in grams]
    scales = [np.abs(margin).max() or 1.0 for margin in margins]
    at_once = min(n, max(1, int(_MATRICES * n / layers)))
    for start in progress(range(0, n, at_once), "alignments"):
        own = people[start : start + at_once]
        block = np.empty((len(own), layers, n), np.float32)
        for number, gram in enumerate(grams):
            rows = _centre_rows(gram[start : start + at_once], start, margins[number])
            rows /= scales[number]
            block[:, number] = rows
        for half in (0, 1):
            products = _products(block[:, :, people % 2 == half])
            sums[1 + half] += np.tensordot(indicator[start : start + at_once], products, (0, 0))
        for person in np.unique(own):
            among = np.ix_(own == person, np.arange(layers), people == person)
            within = _products(block[among]).sum(axis=0)
            sums[0, person] += within
            sums[1 + person % 2, person] -= within
    return sums


def _products(block: np.ndarray) -> np.ndarray:
    """Inner products (r, L, L) of the rows (r, L, n) of every two layers, picture by picture."""
    return np.matmul(block, block.swapaxes(1, 2))


def _estimate(products: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """CKA of every two layers, and its 95 % interval over people; each of shape (L, L).

    A jackknife: the spread of Fisher's z when each person is left out, with Student's t of P - 1
    degrees of freedom. It counts what is particular to pairs of people twice (Efron and Stein 1981,
    doi:10.1214/aos/1176345462), which matters where layers have little in common. What is of people
    themselves shows alike when each is left out of the pairs with one half of the people and with
    the other, and the mean of both counts pairs once.

    The centring stays that of all pictures, which is the same to first order: what a person adds to
    it is a function of one picture, and adds up to zero with the centred rows of the other layer.

    Parameters
    ----------
    products : numpy.ndarray, shape (3, P, L, L)
        Of `_person_products`.
    """
    own, *halves = products
    total, people = products.sum(axis=(0, 1)), len(own)
    value = _normalise(total)
    if people < 2:
        return value, *np.full((2, *value.shape), np.nan)
    left_out = _fisher_z(total - own - 2 * (halves[0] + halves[1]))
    first, second = (_fisher_z(total - own - 4 * half) for half in halves)
    jackknife = (people - 1) * left_out.var(axis=0)
    of_people = (people - 1) * np.mean((first - first.mean(axis=0)) * second, axis=0)
    # Pairs alone would show twice; with very few people the halves may have no value.
    variance = np.fmax(jackknife + of_people, jackknife) / 2
    reach = scipy.stats.t.ppf(0.975, people - 1) * np.sqrt(variance)
    z = _fisher_z(total)
    return value, np.tanh(z - reach), np.tanh(z + reach)


def _normalise(products: np.ndarray) -> np.ndarray:
    """Products (..., L, L) over the norms of both layers."""
    with np.errstate(invalid="ignore"):
        norms = np.sqrt(np.diagonal(products, axis1=-2, axis2=-1))
        return products / (norms[..., :, None] * norms[..., None, :])


def _fisher_z(products: np.ndarray) -> np.ndarray:
    return np.arctanh(np.clip(_normalise(products), -_NEARLY_ONE, _NEARLY_ONE))


_COLUMNS = [
    *("dataset", "rendered", "network", "seed", "layer", "other_network", "other_seed"),
    *("other_layer", "measure", "value", "ci_low", "ci_high", "n", "note"),
]
