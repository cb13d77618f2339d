"""What readers of references return, and `references.files` writes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

#: Name of the only rater, where judgements are not told apart, and where only means are known.
ALL, MEAN = "all", "mean"


class Conditions(NamedTuple):
    """Conditions that have several pictures."""

    names: list[str]
    #: Rows of the face set of each.
    pictures: list[np.ndarray]


class Pairs(NamedTuple):
    """Dissimilarities of pairs of pictures, or of conditions. Pictures are rows of the face set."""

    raters: list[str]
    #: In ms, shape (T,); None where judgements have no time.
    times: np.ndarray | None
    #: The two pictures of each pair, or the numbers of its two conditions, shape (m,).
    first: np.ndarray
    second: np.ndarray
    #: Of each rater, shape (T, m) or (1, m); NaN where not judged.
    dissimilarities: Iterable[np.ndarray]
    #: None where each condition is one picture.
    conditions: Conditions | None = None

    kind = "pairs"


class Ratings(NamedTuple):
    """Ratings of pictures on scales."""

    raters: list[str]
    #: The rated pictures, shape (n,).
    pictures: np.ndarray
    scales: list[str]
    #: Shape (raters, n, scales); NaN where not rated.
    rating: np.ndarray
    #: Standard deviation and number of ratings, shape (n, scales), where only means are known.
    sd: np.ndarray | None = None
    n: np.ndarray | None = None

    kind = "ratings"


class Triplets(NamedTuple):
    """Odd ones out: the third picture of each trial."""

    #: Shape (trials, 3).
    triplet: np.ndarray
    #: Who judged each trial, shape (trials,).
    rater: np.ndarray

    kind = "triplets"


class Confusions(NamedTuple):
    """How often pictures of an expression were given an answer."""

    expressions: list[str]
    answers: list[str]
    #: Shape (expressions, answers).
    count: np.ndarray
    raters: list[str]
    #: Shape (raters, expressions, answers); None where raters are not told apart.
    rater_count: np.ndarray | None

    kind = "confusions"
