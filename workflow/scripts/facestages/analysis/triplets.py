"""Layers beside people who choose the odd one out of three pictures."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from facestages.analysis.crossed import Estimate, Shared, estimate, share_people

#: Share of triplets that guessing gets right.
CHANCE = 1 / 3

# Distances that differ by no more than this share are the same but for rounding.
_EQUAL = 1e-6


class Choices(NamedTuple):
    """Which of three pictures raters found odd; see `gather_choices`."""

    #: Pictures of each different triplet, in ascending order, shape (t, 3).
    pictures: np.ndarray
    #: How often each rater found each of the three odd, shape (raters, t, 3).
    counts: np.ndarray


def gather_choices(triplets: np.ndarray, raters: np.ndarray) -> Choices:
    """Trials (trials, 3) of row numbers, the odd one last, as counts by triplet and rater."""
    in_order = np.sort(triplets, axis=1)
    pictures, triplet = np.unique(in_order, axis=0, return_inverse=True)
    names, rater = np.unique(raters, return_inverse=True)
    odd = (in_order == triplets[:, 2:]).argmax(axis=1)
    counts = np.zeros((len(names), len(pictures), 3), np.float32)
    np.add.at(counts, (rater, triplet.ravel(), odd), 1)
    return Choices(pictures, counts)


def odd_one_out(distances: np.ndarray, pictures: np.ndarray) -> np.ndarray:
    """How far each of three is the odd one by distances (n, n), (t, 3).

    1 where the other two are the nearest; k pairs that are equally near have 1 / k each.
    """
    a, b, c = pictures.T
    others = np.stack([distances[b, c], distances[a, c], distances[a, b]], axis=1)
    nearest = others <= others.min(axis=1, keepdims=True) * (1 + _EQUAL)
    return nearest / nearest.sum(axis=1, keepdims=True)


def triplet_items(odd: np.ndarray, choices: Choices) -> np.ndarray:
    """Share of each rater's answers to a triplet that these are, (raters, t); NaN if none."""
    with np.errstate(invalid="ignore"):
        return (choices.counts * odd).sum(axis=2) / choices.counts.sum(axis=2)


def share_triplets(choices: Choices, people: np.ndarray) -> Shared:
    """Triplets by the people whom they show; `people` (n,) are codes of who is on each picture."""
    return share_people(*people[choices.pictures].T)


def triplet_accuracy(odd: np.ndarray, choices: Choices, shared: Shared) -> Estimate:
    """Mean share of answers that a layer predicts, less `CHANCE`; see `share_triplets`."""
    items = triplet_items(odd, choices) - CHANCE
    return estimate(lambda rater: items[rater], len(items), shared)


def agreement(choices: Choices) -> tuple[float, float]:
    """How well other raters, and the majority of all, predict a rater's answers.

    The first is the share of answers that another rater gives, over triplets that two or more
    judged: what a layer as good as one more person reaches. The second cannot be exceeded on these
    triplets. NaN where no triplet was judged by two.
    """
    answers, of_rater = choices.counts.sum(axis=0), choices.counts.sum(axis=2)
    number = answers.sum(axis=1)
    # Products of two answers of different raters: those that are the same, and all.
    same = (answers**2 - (choices.counts**2).sum(axis=0)).sum(axis=1)
    every = number**2 - (of_rater**2).sum(axis=0)
    both = every > 0
    if not both.any():
        return np.nan, np.nan
    total = number[both].sum()
    others = (same[both] / every[both] * number[both]).sum()
    return float(others / total), float(answers[both].max(axis=1).sum() / total)
