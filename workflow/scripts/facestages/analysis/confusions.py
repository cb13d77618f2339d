"""Confusions of expressions: a network's beside people's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from facestages.analysis.resampling import interval, people_weights


class Likeness(NamedTuple):
    """Correlation of two confusion matrices, with its interval over the people on the pictures."""

    value: float
    low: float
    high: float


def off_diagonal(counts: np.ndarray) -> np.ndarray:
    """Shares (..., k (k - 1)) of wrong answers: ``n_ij / sum_j n_ij`` for i other than j."""
    with np.errstate(invalid="ignore"):
        shares = counts / counts.sum(axis=-1, keepdims=True)
    return shares[..., ~np.eye(counts.shape[-1], dtype=bool)]


def count_answers(
    shown: np.ndarray, answered: np.ndarray, classes: int, weights: np.ndarray | None = None
) -> np.ndarray:
    """Counts (..., classes, classes) of answers (n,), by code of what was shown (n,), weighted."""
    weights = np.ones((1, len(shown))) if weights is None else weights
    cell = np.eye(classes * classes)[shown * classes + answered]
    return (weights @ cell).reshape(-1, classes, classes)


def correlate_confusions(
    shown: np.ndarray,
    answered: np.ndarray,
    people: Sequence,
    others: np.ndarray,
    resamples: int = 1000,
) -> Likeness:
    """Correlation of the wrong answers of a network with those of people.

    ``r`` of the off-diagonal shares (`off_diagonal`). How often an expression is named correctly
    does not count, so that it is the kind of error that is compared.

    Parameters
    ----------
    shown, answered : numpy.ndarray of int, shape (n,)
        Codes of the expression of each picture, and of the network's answer.
    people : sequence, shape (n,)
        Who is on each picture.
    others : numpy.ndarray, shape (classes, classes)
        Counts of people's answers (columns) to expressions (rows).
    resamples : int
        Bootstrap over the people on the pictures. People's counts stay as they are.
    """
    wanted = off_diagonal(np.asarray(others, float))
    weights = np.vstack([np.ones(len(shown)), people_weights(people, resamples)])
    found = off_diagonal(count_answers(shown, answered, len(others), weights))
    with np.errstate(invalid="ignore", divide="ignore"):
        x = found - found.mean(axis=1, keepdims=True)
        y = wanted - wanted.mean()
        r = (x * y).sum(axis=1) / np.sqrt((x**2).sum(axis=1) * (y**2).sum())
    return Likeness(float(r[0]), *interval(r[1:], len(np.unique(np.asarray(people).astype(str)))))
