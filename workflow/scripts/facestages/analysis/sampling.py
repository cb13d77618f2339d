"""How far what is measured on a sample of a face set may be from what the whole would give.

The sample is measured in two halves, several times over. How far two random halves lie apart says
how much the value depends on which pictures were taken; how far the halves of alternate pictures
lie from the whole sample says how much it depends on the distance from picture to picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import h5py
import numpy as np
import pandas as pd

from facestages.stimuli.sample import people_of

#: Times that a sample is halved by chance: a standard error is known to a fifth of itself then.
SPLITS = 10

_ROWS_A_BLOCK = 1024


class Sample(NamedTuple):
    """A sample and its halves."""

    #: Share of the whole face set's pictures that the sample has.
    share: float
    #: Shape (splits, n): whether a picture belongs to the first half; see `split_halves`.
    halves: np.ndarray


def read_sample(labels: pd.DataFrame, known: Mapping[str, object]) -> Sample | None:
    """Halve a face set that is a sample.

    Parameters
    ----------
    labels : pandas.DataFrame of n rows
    known : mapping
        Attributes of the face set; see `stimuli.sample.sample_stimuli`.

    Returns
    -------
    Sample or None
        None where the face set is whole.
    """
    if "pictures_of" not in known:
        return None
    return Sample(len(labels) / int(known["pictures_of"]), split_halves(people_of(labels)))


def split_halves(people: np.ndarray, splits: int = SPLITS, seed: int = 0) -> np.ndarray:
    """Cut each person's pictures into two halves.

    Parameters
    ----------
    people : numpy.ndarray, shape (n,)
        Person of each picture.
    splits : int
        How often they are cut by chance.
    seed : int

    Returns
    -------
    numpy.ndarray of bool, shape (1 + splits, n)
        Whether a picture is in the first half: first of alternate pictures of each person, then of
        pictures drawn by chance. Of an odd number one half has one more, either by chance.
    """
    rng = np.random.default_rng(seed)
    _, codes = np.unique(np.asarray(people).astype(str), return_inverse=True)
    starts = np.concatenate([[0], np.cumsum(np.bincount(codes))[:-1]])
    first = np.empty((1 + splits, len(codes)), bool)
    for number, half in enumerate(first):
        # The pictures of each person in their order or in a random one, person after person.
        keys = rng.random(len(codes)) if number else np.arange(len(codes))
        order = np.lexsort((keys, codes))
        place = np.arange(len(codes)) - starts[codes[order]]
        turned = rng.integers(0, 2, len(starts))
        half[order] = (place + turned[codes[order]]) % 2 == 0
    return first


def sampling_error(
    value: float | np.ndarray, first: np.ndarray, second: np.ndarray, share: float
) -> float | np.ndarray:
    """Root mean square error of a value that was measured on a sample, against the whole.

    Two parts are added as squares. The standard error: for a mean of independent pictures, half the
    difference between two random halves has it as its root mean square (random groups, Wolter 2007,
    Introduction to Variance Estimation, chapter 2; people are strata, all of whom are in the
    sample). The bias: a sample of every k-th picture has none of the nearest neighbours of a
    picture, and groups of few members look wider apart or closer than they are. If that falls as
    1 / m, two halves of alternate pictures, every 2k-th of the whole, lie as far from the sample as
    the sample from a whole without end (Quenouille 1956, doi:10.1093/biomet/43.3-4.353).

    With m of N pictures measured, the variance is multiplied by 1 - m / N, the finite population
    correction, and so is the bias, as 1 / m - 1 / N is (1 - m / N) / m. The error is thus that
    against all N pictures of the same people. What other people would give is another question,
    which intervals over people answer. Neighbouring frames of a video are alike, and even steps
    miss less of them than chance would (Cochran 1977, Sampling Techniques, chapter 8): there the
    standard error is too large.

    Parameters
    ----------
    value : float or numpy.ndarray, shape (...)
        Of the whole sample.
    first, second : numpy.ndarray, shape (splits, ...)
        Of the two halves, as `split_halves` cuts them; random splits where either is NaN do not
        count.
    share : float
        m / N.

    Returns
    -------
    float or numpy.ndarray, shape (...)
        NaN where the halves have no value.
    """
    bias = (first[0] + second[0]) / 2 - value
    squares = (first[1:] - second[1:]) ** 2 / 4
    known = np.isfinite(squares)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.where(known, squares, 0).sum(axis=0) / known.sum(axis=0)
    return np.sqrt((1 - share) * variance + ((1 - share) * bias) ** 2)


def own_components(scores: np.ndarray) -> np.ndarray:
    """Principal components of some pictures, within the components that all pictures have.

    Parameters
    ----------
    scores : numpy.ndarray, shape (h, k)
        Rows of `analysis.geometry.principal_components` of the whole sample.

    Returns
    -------
    numpy.ndarray, shape (h, k)
        Turned and centred, the largest component first.
    """
    centred = scores - scores.sum(axis=0) / max(len(scores), 1)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    return centred @ vectors[:, ::-1]


def half_variance_ratios(
    gram: np.ndarray | h5py.Dataset, scores: np.ndarray, halves: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Shares of variance of the principal components that each half has of its own.

    Parameters
    ----------
    gram : array or HDF5 dataset, shape (n, n)
        Of the sample; read block by block.
    scores : numpy.ndarray, shape (n, k)
        The sample's principal components, within which those of a half are looked for.
    halves : numpy.ndarray of bool, shape (splits, n)

    Returns
    -------
    first, second : numpy.ndarray, shape (splits, k)
        Largest first; NaN of a half without two pictures.
    """
    both = np.concatenate([halves, ~halves])
    totals = _total_variances(gram, both)
    components = (own_components(scores[half]) for half in both)
    ratios = np.array([(own**2).sum(axis=0) for own in components]) / totals[:, None]
    return ratios[: len(halves)], ratios[len(halves) :]


def _total_variances(gram: np.ndarray | h5py.Dataset, parts: np.ndarray) -> np.ndarray:
    """Sum of squares about their own mean of the pictures in each part (parts, n).

    NaN of a part without two pictures.
    """
    weights, sizes = parts.T.astype(np.float64), parts.sum(axis=1)
    sums = np.where(sizes < 2, np.nan, 0.0)
    for start in range(0, len(weights), _ROWS_A_BLOCK):
        rows = slice(start, start + _ROWS_A_BLOCK)
        block, own = gram[rows], weights[rows]
        sums += block[np.arange(len(own)), np.arange(start, start + len(own))] @ own
        sums -= (own * (block @ weights)).sum(axis=0) / np.maximum(sizes, 1)
    return sums


def variance_ratio_error(
    gram: np.ndarray | h5py.Dataset, scores: np.ndarray, ratio: np.ndarray, sample: Sample
) -> np.ndarray:
    """Error that the sampling puts into each principal component's share of variance.

    Parameters
    ----------
    gram : array or HDF5 dataset, shape (n, n)
    scores : numpy.ndarray, shape (n, k)
    ratio : numpy.ndarray, shape (k,)
        Both from `analysis.geometry.principal_components`.
    sample : Sample

    Returns
    -------
    numpy.ndarray, shape (k,)
        See `sampling_error`.
    """
    return sampling_error(ratio, *half_variance_ratios(gram, scores, sample.halves), sample.share)
