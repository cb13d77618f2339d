"""Accuracy over seeds: known answers."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score

from facestages import accuracy
from facestages.errors import FacestagesError

CLASSES = ["happy", "sad"]


def test_wilson_interval_of_a_textbook():
    """Ten right of ten, 0.722 to 1; 45 of 100, 0.356 to 0.548."""
    found = accuracy.mean_accuracy([1.0], 10)
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((0.7225, 1.0), abs=1e-4)
    found = accuracy.mean_accuracy([0.45], 100)
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((0.3561, 0.5476), abs=1e-4)
    assert np.isnan(found["seed_sd"])


def test_seeds_are_averaged():
    found = accuracy.mean_accuracy([0.2, 0.4], 100)
    assert found["value"] == pytest.approx(0.3) and found["seeds"] == 2
    assert found["seed_sd"] == pytest.approx(np.std([0.2, 0.4], ddof=1))


def test_accuracy_leaves_out_what_the_network_does_not_know():
    rng = np.random.default_rng(0)
    labels = pd.DataFrame({"stimulus_id": range(40)})
    labels["expression"] = rng.choice(["happy", "sad", "fear"], 40)
    predicted = labels.assign(expression=rng.choice(CLASSES, 40))
    known = labels["expression"].isin(CLASSES)
    found = accuracy.accuracy_on(labels, [predicted], CLASSES)
    expected = accuracy_score(labels["expression"][known], predicted["expression"][known])
    assert found["value"] == pytest.approx(expected) and found["n"] == known.sum()
    with pytest.raises(FacestagesError, match="no picture has one of the expressions angry"):
        accuracy.accuracy_on(labels, [predicted], ["angry"])
    with pytest.raises(FacestagesError, match="of other pictures"):
        accuracy.accuracy_on(labels, [predicted.iloc[::-1]], CLASSES)
    with pytest.raises(FacestagesError, match="has no expressions"):
        accuracy.accuracy_on(labels.drop(columns="expression"), [predicted], CLASSES)


def test_seeds_tested_on_different_pictures_are_refused():
    with pytest.raises(FacestagesError, match="different numbers of pictures"):
        accuracy.held_out_accuracy([{"n": 3, "accuracy": 1}, {"n": 4, "accuracy": 1}])
