"""Accuracy by distance from the centre along a component: whether extreme faces are easier.

The centre is the mean of all pictures, where a component is zero. Bins are quantiles of the
distance, innermost first, so that all of them hold the same number of pictures.
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

    #: A row for each bin, innermost first: ``distance, value, ci_low, ci_high, n``.
    bins: pd.DataFrame
    #: Accuracy of the outermost bin less that of the innermost.
    trend: Estimate


def accuracy(correct: np.ndarray, people: Sequence | None) -> Estimate:
    """Share of correct pictures (n,), with its 95 % interval over people (n,).

    A single person, or None, gives no interval.
    """
    weights, drawn_from = draw_people(people, len(correct))
    resampled = weighted_mean(correct, weights)
    return Estimate(float(correct.mean()), *interval(resampled, drawn_from))


def distance_bins(distance: np.ndarray, within: Sequence | None = None) -> np.ndarray:
    """Fifth, 0 to 4, that the distance (n,) of each picture is in.

    Each of the groups `within` (n,) is cut into fifths by itself.
    """
    groups = np.zeros(len(distance)) if within is None else np.asarray(within).astype(str)
    bins = np.empty(len(distance), int)
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        order = members[np.argsort(distance[members], kind="stable")]
        bins[order] = np.arange(len(members)) * BINS // len(members)
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
        Score of each picture; the distance is ``|score| / sd(score)``.
    people : sequence, shape (n,), or None
        Person of each picture, for intervals; resamples of people keep the bins.
    within : sequence, shape (n,), optional
        Expression of each picture. The pictures of each expression are cut into fifths by
        themselves, which removes the effect of expressions that are both farther out and easier.

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
        inside = bins == number
        resampled.append(weighted_mean(correct[inside], weights[:, inside]))
        low, high = interval(resampled[-1], drawn_from)
        value = float(correct[inside].mean())
        row = {"distance": float(distance[inside].mean()), "value": value}
        rows.append({**row, "ci_low": low, "ci_high": high, "n": int(inside.sum())})
    table = pd.DataFrame(rows)
    trend = table["value"].iloc[-1] - table["value"].iloc[0]
    bounds = interval(resampled[-1] - resampled[0], drawn_from)
    return Extremity(table, Estimate(float(trend), *bounds))
