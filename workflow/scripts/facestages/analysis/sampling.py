"""Sampling error: how far a value of a sample may be from that of the whole face set.

The sample is halved several times, and each half is measured. The difference between two random
halves shows how much the value depends on which pictures were taken. The difference between halves
of alternate pictures and the whole sample shows how much it depends on the step between pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import h5py
import numpy as np

from facestages.analysis.distances import Points

#: Number of random halvings; ten give a standard error to within a fifth.
SPLITS = 10

_ROWS_A_BLOCK = 1024


class Sample(NamedTuple):
    """A sample and its halves."""

    #: Share of the whole face set's pictures that the sample has.
    share: float
    #: Shape (splits, n): whether a picture belongs to the first half; see `split_halves`.
    halves: np.ndarray


def read_sample(people: np.ndarray, faces: Mapping[str, object]) -> Sample | None:
    """Halve a sample of `stimuli.sample.sample_stimuli`; None where the face set is whole.

    `people` has the person of each picture, and `faces` are the attributes of the pictures.
    """
    if "pictures_of" not in faces:
        return None
    return Sample(len(people) / int(faces["pictures_of"]), split_halves(people))


def split_halves(people: np.ndarray, splits: int = SPLITS, seed: int = 0) -> np.ndarray:
    """Whether each picture is in the first of two halves, shape (1 + splits, n).

    The first row takes alternate pictures of each person (n,); the others take pictures by chance.
    If a person has an odd number of pictures, chance decides which half has one more.
    """
    rng = np.random.default_rng(seed)
    _, codes = np.unique(np.asarray(people).astype(str), return_inverse=True)
    starts = np.concatenate([[0], np.cumsum(np.bincount(codes))[:-1]])
    first = np.empty((1 + splits, len(codes)), bool)
    for number, half in enumerate(first):
        # Pictures are sorted by person; those of one person keep their order in the first row, and
        # are in random order in the others.
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

    The variance ``V`` is that of random halves (`variance_of_halves`); people are strata, all of
    whom are in the sample.

    The bias ``B`` is ``(x1 + x2) / 2 - x`` of the halves of alternate pictures. A sample of every
    k-th picture lacks the nearest neighbours of each picture, and small groups look wider apart or
    closer than they are. If such a bias falls as 1 / m, these halves, which hold every 2k-th
    picture, are as far from the sample as the sample is from an infinite whole (Quenouille 1956,
    doi:10.1093/biomet/43.3-4.353).

    ``1 - m/N`` is the finite population correction of the variance and of the bias, since
    1 / m - 1 / N is (1 - m / N) / m. The error is about all N pictures of the same people;
    intervals over people are about other people. For frames of a video, the standard error is too
    large: neighbouring frames are alike, and regular steps represent them better than chance would
    (Cochran 1977, Sampling Techniques, chapter 8).

    Parameters
    ----------
    value : float or numpy.ndarray, shape (...)
        Value of the whole sample.
    first, second : numpy.ndarray, shape (1 + splits, ...)
        Values of the two halves of each of `split_halves`.
    share : float
        m / N.

    Returns
    -------
    float or numpy.ndarray, shape (...)
        NaN where the halves have no value.
    """
    bias = (first[0] + second[0]) / 2 - value
    variance, _ = variance_of_halves(first[1:], second[1:])
    return np.sqrt((1 - share) * variance + ((1 - share) * bias) ** 2)


def variance_of_halves(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Variance (...) of a value, from those in random halves (splits, ...); and splits that count.

    ``mean((first - second)^2) / 4``, because half the difference between two disjoint halves has
    the standard error of the whole as its root mean square (random groups, Wolter 2007,
    Introduction to Variance Estimation, chapter 2). Splits where either half is NaN do not count.
    """
    squares = (first - second) ** 2 / 4
    finite = np.isfinite(squares)
    counted = finite.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(finite, squares, 0).sum(axis=0) / counted, counted


def components_of_part(scores: np.ndarray, k: int | None = None) -> np.ndarray:
    """The k leading principal components (h, k) of some pictures, or all, the largest first.

    They are sought within the components of the whole sample, in which the pictures have the scores
    (h, components).
    """
    centred = scores - scores.sum(axis=0) / max(len(scores), 1)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    return centred @ vectors[:, ::-1][:, :k]


def space_of_part(
    gram: np.ndarray | None, scores: np.ndarray, k: int | str, rows: np.ndarray
) -> np.ndarray | Points:
    """Inner products (h, h) of some pictures: in the full space, if k is "all", which `gram` is of.

    Otherwise points in k principal components of these pictures alone (`components_of_part`).
    """
    if k == "all":
        return gram[np.ix_(rows, rows)]
    return Points(components_of_part(scores[rows], k))


def half_variance_ratios(
    gram: np.ndarray | h5py.Dataset, scores: np.ndarray, halves: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Shares of variance of each half's components, two arrays (splits, k), the largest first.

    The Gram matrix (n, n) of the sample is read block by block; the components of a half are sought
    within those of the sample (n, k). NaN for a half without two pictures.
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
    """`sampling_error` (k,) of each principal component's share of variance (k,).

    The scores (n, k) and shares are those of `analysis.geometry.principal_components`.
    """
    return sampling_error(ratio, *half_variance_ratios(gram, scores, sample.halves), sample.share)
