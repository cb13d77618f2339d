"""Shares of a space's variance for identity, valence-arousal and category.

People are drawn with all of their pictures, so all fits of all resamples follow from sums over the
pictures of each person.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from facestages.analysis.categories import centre_within

#: Shares and their names, in the order of the stages that the paper claims.
SHARES = {
    "identity": "identity",
    "affect": "valence and arousal, beyond identity",
    "category": "category, beyond identity, valence and arousal",
}

#: A share that stays below this never comes: it has no position of half maximum or maximum.
LEAST_SHARE = 0.02

_LEAST = 1e-9
# Smaller parts of the largest eigenvalue are rounding errors of predictors that depend on others.
_NARROWEST = 1e-10


class Design(NamedTuple):
    """Who is shown, and what else explains the n pictures; see `describe_design`."""

    #: Number of each picture's person, from 0, (n,).
    person: np.ndarray
    #: A column for each category, then valence and arousal if they are known, (n, m).
    predictors: np.ndarray
    #: Number of categories.
    categories: int


class Moments(NamedTuple):
    """Sums over people that are drawn so often, a row a resample; see `measure_moments`."""

    #: Numbers of pictures and of people, and the mean weight of a picture, (resamples,).
    pictures: np.ndarray
    people: np.ndarray
    repeats: np.ndarray
    #: Squared distances from the mean of all, and from the mean of each person, (resamples,).
    variance: np.ndarray
    within: np.ndarray
    #: Products of the m predictors, around the means of people, with each other (resamples, m, m)
    #: and with the points (resamples, m, k).
    predictors: np.ndarray
    products: np.ndarray


def variance_shares(
    scores: np.ndarray,
    people: Sequence,
    affect: np.ndarray | None,
    categories: Sequence,
    weights: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Shares of the variance of a space for identity, valence-arousal, and category.

    ``R2 = 1 - (S_left / S_total) (n - 1) / (n - p)`` is the adjusted R2 of a fit of p parameters to
    n points, over all dimensions together (Ezekiel 1930; as in redundancy analysis, Peres-Neto et
    al. 2006, doi:10.1890/0012-9658(2006)87[2614:VPOSDM]2.0.CO;2). A share is the difference of two
    of them: ``identity = R2(I)``, ``affect = R2(I, A) - R2(I)`` and
    ``category = R2(I, A, C) - R2(I, A)``. The commonality analysis of Newton and Spurrell (1967,
    doi:10.2307/2985750) splits what affect and category explain together into three:
    ``category``, ``affect_beyond_category = R2(I, A, C) - R2(I, C)``, and
    ``shared = R2(I, A) + R2(I, C) - R2(I, A, C) - R2(I)``. A label without any relation gets 0 on
    average, and may fall below.

    Parameters
    ----------
    scores : numpy.ndarray, shape (n, k)
        Points, e.g. in principal components.
    people, categories : sequence, shape (n,)
        Identity and expression of each picture.
    affect : numpy.ndarray, shape (n, 2), or None
        Valence and arousal; they count linearly. Without them, only
        ``identity``, ``category_alone`` and ``rest`` are known.
    weights : numpy.ndarray, shape (resamples, n), optional
        How often each picture counts, from `analysis.resampling.people_weights`: the same for all
        pictures of a person; once each if not given. A picture drawn twice has the same noise
        twice, which p takes into account.

    Returns
    -------
    dict of str to numpy.ndarray, shape (resamples,) or (1,)
        ``identity``, ``affect``, ``category`` as in `SHARES`; ``category_alone``: category beyond
        identity alone, ``R2(I, C) - R2(I)``; ``affect_beyond_category``; ``shared``; ``rest``:
        what none of them explains. NaN where there is no variance, or n is not above p.
    """
    design = describe_design(people, affect, categories)
    return split_variance(measure_moments(scores, design, weights), design)


def describe_design(people: Sequence, affect: np.ndarray | None, categories: Sequence) -> Design:
    """What explains the pictures; parameters are those of `variance_shares`."""
    _, person = np.unique(np.asarray(people).astype(str), return_inverse=True)
    names, category = np.unique(np.asarray(categories).astype(str), return_inverse=True)
    predictors = np.eye(len(names))[category]
    if affect is not None:
        affect = (affect - affect.mean(axis=0)) / np.maximum(affect.std(axis=0), _LEAST)
        predictors = np.hstack([predictors, affect])
    return Design(person, predictors, len(names))


def measure_moments(
    scores: np.ndarray, design: Design, weights: np.ndarray | None = None
) -> Moments:
    """Sums over the pictures, of points (n, k), for each resample of people.

    Parameters are those of `variance_shares`.
    """
    person = design.person
    around, columns = centre_within(scores, person), centre_within(design.predictors, person)
    first = np.unique(person, return_index=True)[1]
    drawn = np.ones((1, len(first))) if weights is None else weights[:, first]
    counts = np.bincount(person)
    members = np.split(np.argsort(person, kind="stable"), np.cumsum(counts)[:-1])

    def sums(products) -> np.ndarray:
        return np.tensordot(drawn, np.array([products(rows) for rows in members]), 1)

    pictures = drawn @ counts
    squares = sums(lambda rows: (scores[rows] ** 2).sum())
    totals = sums(lambda rows: scores[rows].sum(axis=0))
    variance = squares - (totals**2).sum(axis=1) / pictures
    return Moments(
        pictures,
        drawn.sum(axis=1),
        drawn**2 @ counts / pictures,
        np.where(variance > _LEAST * squares, variance, np.nan),
        sums(lambda rows: (around[rows] ** 2).sum()),
        sums(lambda rows: columns[rows].T @ columns[rows]),
        sums(lambda rows: columns[rows].T @ around[rows]),
    )


def split_variance(moments: Moments, design: Design) -> dict[str, np.ndarray]:
    """Shares of `variance_shares`, from the sums that they follow from."""
    categories, every = design.categories, design.predictors.shape[1]

    def fit(columns: slice) -> np.ndarray:
        return adjusted_r2(moments, *_explained(moments, columns))

    identity, with_category = fit(slice(0)), fit(slice(categories))
    shares = {"identity": identity, "category_alone": with_category - identity}
    if every == categories:
        return {**shares, "rest": 1 - with_category}
    with_affect, everything = fit(slice(categories, every)), fit(slice(every))
    return {
        "identity": identity,
        "affect": with_affect - identity,
        "category": everything - with_affect,
        "category_alone": with_category - identity,
        "affect_beyond_category": everything - with_category,
        "shared": with_affect + with_category - everything - identity,
        "rest": 1 - everything,
    }


def adjusted_r2(moments: Moments, explained: np.ndarray, rank: np.ndarray | int) -> np.ndarray:
    """Adjusted R2 of a fit that explains so much of `Moments.within`, with so many dimensions.

    `explained` has the shape (resamples,) or (resamples, fits). The mean of each person and each
    fitted dimension take up noise. NaN where nothing is left for noise, or there is no variance.
    """
    shape = (-1, *(1,) * (explained.ndim - 1))
    n, people, repeats, variance, within = (values.reshape(shape) for values in moments[:5])
    free = n - people - rank * repeats
    return 1 - (within - explained) / variance * (n - 1) / np.where(free < _LEAST, np.nan, free)


def _explained(moments: Moments, columns: slice) -> tuple[np.ndarray, np.ndarray]:
    """What some predictors explain together, and how many dimensions they have, (resamples,)."""
    products = moments.products[:, columns]
    if products.shape[1] == 0:
        return np.zeros(len(products)), np.zeros(len(products))
    values, vectors = np.linalg.eigh(moments.predictors[:, columns, columns])
    counts = values > np.maximum(_NARROWEST * values[:, -1:], _LEAST)
    projections = (np.swapaxes(vectors, 1, 2) @ products) ** 2
    inverse = np.where(counts, 1 / np.where(counts, values, 1), 0)
    return (inverse[:, :, None] * projections).sum(axis=(1, 2)), counts.sum(axis=1)
