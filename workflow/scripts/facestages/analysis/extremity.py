"""Are extreme faces easier: accuracy by distance from the centre along a component.

The centre is the mean of all pictures, where a component is zero. Bins are quantiles of the
distance, innermost first, so each holds as many pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from facestages.analysis.regression import Estimate, draw_people
from facestages.analysis.resampling import interval, weighted_mean
from facestages.errors import FacestagesError

#: The bins are fifths.
BINS = 5


class Extremity(NamedTuple):
    """Accuracy by distance from the centre; see `accuracy_by_distance`."""

    #: A row a bin, innermost first: ``distance, value, ci_low, ci_high, n``.
    bins: pd.DataFrame
    #: Accuracy of the outermost bin less that of the innermost.
    trend: Estimate


def accuracy(correct: np.ndarray, people: Sequence | None) -> Estimate:
    """Share of correct pictures, with its 95 % interval over people.

    Parameters
    ----------
    correct : numpy.ndarray of bool, shape (n,)
    people : sequence, shape (n,), or None
        Person of each picture; None where there are no two: no interval.
    """
    weights, drawn_from = draw_people(people, len(correct))
    resampled = weighted_mean(correct, weights)
    return Estimate(float(correct.mean()), *interval(resampled, drawn_from))


def distance_bins(distance: np.ndarray, within: Sequence | None = None) -> np.ndarray:
    """Fifth of the distance that each picture is in, 0 to 4.

    Parameters
    ----------
    distance : numpy.ndarray, shape (n,)
    within : sequence, shape (n,), optional
        Groups that are cut into fifths each on its own, so that each fifth holds as many of each.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
    """
    groups = np.zeros(len(distance)) if within is None else np.asarray(within).astype(str)
    bins = np.empty(len(distance), int)
    for group in np.unique(groups):
        own = np.flatnonzero(groups == group)
        order = own[np.argsort(distance[own], kind="stable")]
        bins[order] = np.arange(len(own)) * BINS // len(own)
    return bins


def accuracy_by_distance(
    correct: np.ndarray,
    component: np.ndarray,
    people: Sequence | None,
    within: Sequence | None = None,
) -> Extremity:
    """Accuracy in each fifth of the distance from the centre.

    Parameters
    ----------
    correct : numpy.ndarray of bool, shape (n,)
    component : numpy.ndarray, shape (n,)
        Score of each picture; its size is the distance, in standard deviations.
    people : sequence, shape (n,), or None
        Person of each picture, for intervals; the bins stay as they are while people are drawn.
    within : sequence, shape (n,), optional
        Expression of each picture: fifths of each expression's own pictures. It takes away that
        some expressions are both farther out and easier.

    Returns
    -------
    Extremity

    Raises
    ------
    FacestagesError
        If there are fewer pictures than bins, or the component does not vary.
    """
    if len(correct) < BINS:
        raise FacestagesError(f"fifths need {BINS} pictures or more, not {len(correct)}")
    if np.ptp(component) == 0:
        raise FacestagesError("all pictures are at the same place; no distance from the centre")
    distance = np.abs(component) / component.std()
    bins = distance_bins(distance, within)
    weights, drawn_from = draw_people(people, len(correct))
    rows, resampled = [], []
    for number in range(BINS):
        own = bins == number
        resampled.append(weighted_mean(correct[own], weights[:, own]))
        low, high = interval(resampled[-1], drawn_from)
        value = float(correct[own].mean())
        row = {"distance": float(distance[own].mean()), "value": value}
        rows.append({**row, "ci_low": low, "ci_high": high, "n": int(own.sum())})
    table = pd.DataFrame(rows)
    trend = table["value"].iloc[-1] - table["value"].iloc[0]
    bounds = interval(resampled[-1] - resampled[0], drawn_from)
    return Extremity(table, Estimate(float(trend), *bounds))
