"""How far a value that is measured on a sample may be from that of the whole face set.

The sample is halved several times, and each half is measured. The difference between two random
halves shows how much the value depends on which pictures were taken. The difference between the
halves of alternate pictures and the whole sample shows how much it depends on the step from picture
to picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import h5py
import numpy as np
import pandas as pd

from facestages.stimuli.sample import people_of

#: How often a sample is halved by chance; ten halvings give a standard error to within a fifth.
SPLITS = 10

_ROWS_A_BLOCK = 1024


class Sample(NamedTuple):
    """A sample and its halves."""

    #: Share of the whole face set's pictures that the sample has.
    share: float
    #: Shape (splits, n): whether a picture belongs to the first half; see `split_halves`.
    halves: np.ndarray


def read_sample(labels: pd.DataFrame, faces: Mapping[str, object]) -> Sample | None:
    """Halve a face set that is a sample.

    Parameters
    ----------
    labels : pandas.DataFrame of n rows
    faces : mapping
        Attributes of the face set; see `stimuli.sample.sample_stimuli`.

    Returns
    -------
    Sample or None
        None where the face set is whole.
    """
    if "pictures_of" not in faces:
        return None
    return Sample(len(labels) / int(faces["pictures_of"]), split_halves(people_of(labels)))


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
        Whether a picture is in the first half. The first row takes alternate pictures of each
        person, the others take pictures by chance. Where a person has an odd number of pictures,
        chance decides which half has one more.
    """
    rng = np.random.default_rng(seed)
    _, codes = np.unique(np.asarray(people).astype(str), return_inverse=True)
    starts = np.concatenate([[0], np.cumsum(np.bincount(codes))[:-1]])
    first = np.empty((1 + splits, len(codes)), bool)
    for number, half in enumerate(first):
        # Person after person, pictures are in their order first, then in a random one.
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

    ``sqrt((1 - m/N) V + ((1 - m/N) B)^2)``, with m of N pictures measured.

    The variance ``V`` is the mean of ``(x1 - x2)^2 / 4`` over pairs of random halves: for a mean of
    independent pictures, half the difference between two halves has the standard error as its root
    mean square (random groups, Wolter 2007, Introduction to Variance Estimation, chapter 2; people
    are strata, all of whom are in the sample).

    The bias ``B`` is ``(x1 + x2) / 2 - x`` of the halves of alternate pictures. A sample of every
    k-th picture has none of the nearest neighbours of a picture, and groups of few members look
    wider apart or closer than they are. If such a bias falls as 1 / m, these halves, every 2k-th
    picture of the whole, lie as far from the sample as the sample from an infinite whole
    (Quenouille 1956, doi:10.1093/biomet/43.3-4.353).

    ``1 - m/N`` is the finite population correction of the variance, and that of the bias, since
    1 / m - 1 / N is (1 - m / N) / m. The error is that against all N pictures of the same people;
    intervals over people say what other people would give. Where pictures are frames of a video,
    the standard error is too large: neighbouring frames are alike, and even steps miss less of them
    than chance would (Cochran 1977, Sampling Techniques, chapter 8).

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
    finite = np.isfinite(squares)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.where(finite, squares, 0).sum(axis=0) / finite.sum(axis=0)
    return np.sqrt((1 - share) * variance + ((1 - share) * bias) ** 2)


def components_of_part(scores: np.ndarray) -> np.ndarray:
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
    """Shares of variance of the principal components of each half.

    Parameters
    ----------
    gram : array or HDF5 dataset, shape (n, n)
        Of the sample; read block by block.
    scores : numpy.ndarray, shape (n, k)
        The sample's principal components, within which those of a half are found.
    halves : numpy.ndarray of bool, shape (splits, n)

    Returns
    -------
    first, second : numpy.ndarray, shape (splits, k)
        Largest first; NaN for a half without two pictures.
    """
    both = np.concatenate([halves, ~halves])
    totals = _total_variances(gram, both)
    components = (components_of_part(scores[half]) for half in both)
    ratios = np.array([(points**2).sum(axis=0) for points in components]) / totals[:, None]
    return ratios[: len(halves)], ratios[len(halves) :]


def _total_variances(gram: np.ndarray | h5py.Dataset, parts: np.ndarray) -> np.ndarray:
    """Sum of squares of the pictures in each part (parts, n) about the mean of the part.

    NaN for a part without two pictures.
    """
    weights, sizes = parts.T.astype(np.float64), parts.sum(axis=1)
    sums = np.where(sizes < 2, np.nan, 0.0)
    for start in range(0, len(weights), _ROWS_A_BLOCK):
        rows = slice(start, start + _ROWS_A_BLOCK)
        block, members = gram[rows], weights[rows]
        numbers = np.arange(len(members))
        sums += block[numbers, start + numbers] @ members
        sums -= (members * (block @ weights)).sum(axis=0) / np.maximum(sizes, 1)
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
