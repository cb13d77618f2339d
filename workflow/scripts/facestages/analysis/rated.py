"""Layers beside people's ratings of pictures, with the people on them held out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from facestages.analysis.crossed import Estimate, estimate, share_people


def rating_items(
    predicted: np.ndarray, ratings: np.ndarray, categories: Sequence | None
) -> np.ndarray:
    """What each picture contributes to the correlation of a prediction with each rater.

    ``r + z_x z_y - r (z_x^2 + z_y^2) / 2``, whose mean is Pearson's r and whose second part is its
    influence function (Devlin, Gnanadesikan and Kettenring 1975, doi:10.1093/biomet/62.3.531).

    Parameters
    ----------
    predicted : numpy.ndarray, shape (n,) or (raters, n)
    ratings : numpy.ndarray, shape (raters, n)
        NaN where a picture was not rated.
    categories : sequence, shape (n,), optional
        Both are taken less their means in each category; None of a picture that is left out.

    Returns
    -------
    numpy.ndarray, shape (raters, n)
    """
    items = np.full(ratings.shape, np.nan)
    labelled = True if categories is None else pd.notna(np.asarray(categories))
    predicted = np.broadcast_to(predicted, ratings.shape)
    for row, x, y in zip(items, predicted, ratings, strict=True):
        known = np.isfinite(x) & np.isfinite(y) & labelled
        x, y = x[known], y[known]
        if categories is not None:
            groups = np.asarray(categories)[known]
            x, y = (values - _group_means(values, groups) for values in (x, y))
        if len(x) < 3 or not (x.std() > 0 and y.std() > 0):
            continue
        x, y = ((values - values.mean()) / values.std() for values in (x, y))
        r = (x * y).mean()
        row[known] = r + x * y - r * (x**2 + y**2) / 2
    return items


def correlate_ratings(
    predicted: np.ndarray,
    ratings: np.ndarray,
    people: np.ndarray,
    categories: Sequence | None = None,
) -> Estimate:
    """Mean correlation of a prediction with raters; `people` (n,) are codes of who is shown.

    Other parameters are those of `rating_items`. A rater without two different ratings is left out.
    """
    items = rating_items(predicted, ratings, categories)
    items = items[np.isfinite(items).any(axis=1)]
    if not len(items):
        nothing = np.float64(np.nan)
        return Estimate(nothing, nothing, nothing, nothing, nothing)
    # Pictures that nobody rated tell nothing about the people on them.
    rated = np.isfinite(items).any(axis=0)
    items = items[:, rated]
    return estimate(lambda rater: items[rater], len(items), share_people(people[rated]))


def rating_ceiling(ratings: np.ndarray, categories: Sequence | None = None) -> tuple[float, float]:
    """Mean correlation of each rater with the mean of the others, and with the mean of all.

    The first is NaN with one rater. `judgements.noise_ceiling` is the same of pairs.
    """
    known = np.isfinite(ratings)
    total, counts = np.where(known, ratings, 0).sum(axis=0), known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        every = total / counts
        others = (total - np.where(known, ratings, 0)) / (counts - known)
    ends = []
    for best in (others, every):
        items = rating_items(best, ratings, categories)
        rows = np.isfinite(items).any(axis=1)
        ends.append(float(np.nanmean(items[rows], axis=1).mean()) if rows.any() else np.nan)
    return ends[0], ends[1]


def mean_reliability(mean: np.ndarray, sd: np.ndarray, n: np.ndarray) -> float:
    """Share of the variance of mean ratings that is not noise: ``1 - mean(sd^2 / n) / var(mean)``.

    Its square root is the highest correlation that a prediction has with the means.
    """
    known = np.isfinite(mean) & np.isfinite(sd) & (n > 0)
    if known.sum() < 3 or mean[known].var(ddof=1) == 0:
        return np.nan
    noise = (sd[known] ** 2 / n[known]).mean()
    return float(max(1 - noise / mean[known].var(ddof=1), 0))


def _group_means(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    return pd.Series(values).groupby(groups).transform("mean").to_numpy()
