"""Accuracy of a network over its seeds, on a face set or on the pictures kept back in training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from facestages.errors import FacestagesError


def mean_accuracy(accuracies: Sequence[float], n: int) -> dict[str, float]:
    """Mean accuracy over seeds, with the interval that the number of test pictures gives.

    Parameters
    ----------
    accuracies : sequence of float
        Accuracy of each seed on the same number of pictures.
    n : int
        Number of test pictures.

    Returns
    -------
    dict
        ``value``, ``ci_low`` and ``ci_high`` (Wilson's 95 % score interval of a share of n
        independent pictures), ``n``, ``seeds``, and ``seed_sd``, the standard deviation over seeds
        (NaN for one seed), which the interval leaves out.
    """
    mean = float(np.mean(accuracies))
    interval = binomtest(round(mean * n), n).proportion_ci(0.95, method="wilson")
    spread = float(np.std(accuracies, ddof=1)) if len(accuracies) > 1 else float("nan")
    return {
        "value": mean,
        "ci_low": float(interval.low),
        "ci_high": float(interval.high),
        "n": n,
        "seeds": len(accuracies),
        "seed_sd": spread,
    }


def accuracy_on(
    labels: pd.DataFrame, predictions: Sequence[pd.DataFrame], classes: Sequence[str]
) -> dict[str, float]:
    """The `mean_accuracy` of a network's seeds on a face set.

    Parameters
    ----------
    labels : pandas.DataFrame of n rows
        The face set's ``stimulus_id`` and ``expression``.
    predictions : sequence of pandas.DataFrame
        Tables of `recording.predictions.predict_expressions`, one for each seed.
    classes : sequence of str
        The network's classes; pictures of other expressions are left out.

    Raises
    ------
    FacestagesError
        If the predictions are of other pictures, or no picture has one of the classes.
    """
    if "expression" not in labels:
        raise FacestagesError("the face set has no expressions; name another one as 'test'")
    in_classes = labels["expression"].isin(classes).to_numpy()
    if not in_classes.any():
        raise FacestagesError(f"no picture has one of the expressions {', '.join(classes)}")
    truth = labels.loc[in_classes, "expression"].to_numpy()
    accuracies = []
    for table in predictions:
        if list(table["stimulus_id"]) != list(labels["stimulus_id"]):
            raise FacestagesError(
                "the predictions are of other pictures; delete them and run again"
            )
        answers = table.loc[in_classes, "expression"].to_numpy()
        accuracies.append(float((answers == truth).mean()))
    return mean_accuracy(accuracies, int(in_classes.sum()))


def held_out_accuracy(reports: Sequence[Mapping]) -> dict[str, float]:
    """The `mean_accuracy` on pictures kept back in training, from each seed's training report."""
    sizes = {report["n"] for report in reports}
    if len(sizes) > 1:
        raise FacestagesError(f"the seeds were tested on different numbers of pictures: {sizes}")
    return mean_accuracy([report["accuracy"] for report in reports], sizes.pop())
