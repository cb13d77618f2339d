"""Accuracy of a network over its seeds, on a face set or on the pictures kept back in training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import binomtest, norm
from sklearn.metrics import roc_auc_score

from facestages.analysis.resampling import pseudo_interval, pseudo_values
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


class Tested(NamedTuple):
    """How a network names expressions."""

    #: The `mean_accuracy` of its seeds.
    accuracy: dict[str, float]
    #: Mean over seeds of the share named rightly, for each class that is shown.
    recall: dict[str, float]
    #: Number of pictures of each class that is shown.
    shown: dict[str, int]

    @property
    def balanced(self) -> dict[str, float]:
        """Mean recall r of the K classes that are shown: ``value, ci_low, ci_high``.

        The variance is ``sum_k r_k (1 - r_k) / n_k / K^2``, for n_k independent pictures of class
        k; a recall of 0 or 1 counts as half a picture away from it.
        """
        recall, n = np.array(list(self.recall.values())), np.array(list(self.shown.values()))
        share = np.clip(recall, 0.5 / n, 1 - 0.5 / n)
        reach = norm.isf(0.025) * np.sqrt((share * (1 - share) / n).sum()) / len(n)
        value = float(recall.mean())
        return {"value": value, "ci_low": value - reach, "ci_high": value + reach}

    @property
    def majority(self) -> float:
        """Accuracy of naming always the class that is shown most."""
        return max(self.shown.values()) / sum(self.shown.values())


def score_answers(
    labels: pd.DataFrame, predictions: Sequence[pd.DataFrame], classes: Sequence[str]
) -> Tested:
    """How a network's seeds name the expressions of a face set.

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
    rights = []
    for table in predictions:
        if list(table["stimulus_id"]) != list(labels["stimulus_id"]):
            raise FacestagesError(
                "the predictions are of other pictures; delete them and run again"
            )
        rights.append(table.loc[in_classes, "expression"].to_numpy() == truth)
    shown = {name: int((truth == name).sum()) for name in classes if name in truth}
    mean = np.mean(rights, axis=0)
    recall = {name: float(mean[truth == name].mean()) for name in shown}
    return Tested(mean_accuracy([right.mean() for right in rights], len(truth)), recall, shown)


def score_held_out(reports: Sequence[Mapping]) -> Tested:
    """How a network's seeds name the pictures kept back in training, from their reports.

    A report's ``confusion`` has a row for each true class, and a column for each answer.
    """
    sizes = {report["n"] for report in reports}
    if len(sizes) > 1:
        raise FacestagesError(f"the seeds were tested on different numbers of pictures: {sizes}")
    accuracy = mean_accuracy([report["accuracy"] for report in reports], sizes.pop())
    confusion = np.array([report["confusion"] for report in reports], float)
    right = np.diagonal(confusion, axis1=1, axis2=2).mean(axis=0)
    shown, recall = {}, {}
    for name, n, n_right in zip(
        reports[0]["classes"], confusion[0].sum(axis=1), right, strict=True
    ):
        if n:
            shown[name], recall[name] = int(n), float(n_right / n)
    return Tested(accuracy, recall, shown)


def verify_people(points: np.ndarray, people: Sequence[str]) -> dict[str, float]:
    """P(c > d) + P(c = d) / 2 for cosines c of two pictures of one person, and d of two people.

    This is the area under the ROC curve of verification: does a layer tell whether two pictures are
    of one person, without having learnt these people?

    Parameters
    ----------
    points : numpy.ndarray, shape (n, units)
        What the layer answers to each picture.
    people : sequence of str, shape (n,)

    Returns
    -------
    dict
        ``auc``; ``ci_low`` and ``ci_high``, its 95 % interval over people
        (`analysis.resampling.pseudo_interval`), NaN with fewer than three; ``people``; ``n``.
        The area is NaN if nobody has two pictures.
    """
    codes, names = pd.factorize(np.asarray(people))
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    directions = points / np.where(lengths > 0, lengths, 1)
    cosines = directions @ directions.T

    def area(chosen: np.ndarray) -> float:
        first, second = np.triu_indices(len(chosen), 1)
        same = codes[chosen[first]] == codes[chosen[second]]
        if same.all() or not same.any():
            return np.nan
        return float(roc_auc_score(same, cosines[chosen[first], chosen[second]]))

    value = area(np.arange(len(codes)))
    without = np.array([area(np.flatnonzero(codes != code)) for code in range(len(names))])
    low, high = np.clip(pseudo_interval(pseudo_values(value, without)), 0, 1)
    ends = {"ci_low": float(low), "ci_high": float(high)}
    return {"auc": value, **ends, "people": len(names), "n": len(codes)}
