"""Accuracy over seeds: known answers."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, recall_score

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
    found = accuracy.score_answers(labels, [predicted], CLASSES)
    truth, answers = labels["expression"][known], predicted["expression"][known]
    expected = accuracy_score(truth, answers)
    assert found.accuracy["value"] == pytest.approx(expected) and found.accuracy["n"] == known.sum()
    assert found.balanced["value"] == pytest.approx(balanced_accuracy_score(truth, answers))
    recall = recall_score(truth, answers, labels=CLASSES, average=None)
    assert list(found.recall.values()) == pytest.approx(recall)
    assert found.majority == pytest.approx(truth.value_counts(normalize=True).max())
    with pytest.raises(FacestagesError, match="no picture has one of the expressions angry"):
        accuracy.score_answers(labels, [predicted], ["angry"])
    with pytest.raises(FacestagesError, match="of other pictures"):
        accuracy.score_answers(labels, [predicted.iloc[::-1]], CLASSES)
    with pytest.raises(FacestagesError, match="has no expressions"):
        accuracy.score_answers(labels.drop(columns="expression"), [predicted], CLASSES)


def test_seeds_tested_on_different_pictures_are_refused():
    with pytest.raises(FacestagesError, match="different numbers of pictures"):
        accuracy.score_held_out([{"n": 3, "accuracy": 1}, {"n": 4, "accuracy": 1}])


def test_pictures_kept_back_are_scored_from_the_confusion_of_each_seed():
    """No picture of 'fear' was kept back; 'sad' is never answered by the first seed."""
    reports = [
        {"accuracy": 0.75, "confusion": [[6, 0, 0], [2, 0, 0], [0, 0, 0]]},
        {"accuracy": 0.5, "confusion": [[3, 3, 0], [1, 1, 0], [0, 0, 0]]},
    ]
    common = {"n": 8, "classes": ["happy", "sad", "fear"]}
    found = accuracy.score_held_out([common | report for report in reports])
    assert found.recall == {"happy": 0.75, "sad": 0.25} and found.shown == {"happy": 6, "sad": 2}
    assert (found.balanced["value"], found.majority) == (0.5, 0.75)
    assert found.accuracy["value"] == pytest.approx(0.625)


def test_verification_known_answer():
    """Of the four pairs of two people, one is nearer than the farther pair of one person."""
    angles = np.radians([0, 10, 28, 50])
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * [[1], [5], [0.1], [3]]
    report = accuracy.verify_people(points, ["a", "a", "b", "b"])
    # Angles in one person: 10 and 22; of two: 18, 28, 40 and 50. So 7 of 8 comparisons are right.
    assert report["auc"] == pytest.approx(7 / 8)
    assert report["people"] == 2 and report["n"] == 4 and np.isnan(report["ci_low"])


def test_verification_by_chance_and_without_pairs():
    rng = np.random.default_rng(0)
    people = np.repeat(list("abcdefgh"), 12)
    report = accuracy.verify_people(rng.normal(size=(96, 20)), people)
    assert report["ci_low"] < 0.5 < report["ci_high"]
    apart = accuracy.verify_people(
        np.eye(8)[np.arange(96) // 12] + 0.01 * rng.normal(size=(96, 8)), people
    )
    assert apart["auc"] == 1.0 == apart["ci_low"]
    assert np.isnan(accuracy.verify_people(rng.normal(size=(3, 2)), ["a", "b", "c"])["auc"])
