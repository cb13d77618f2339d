"""Training data: parts, classes and their weights."""

import numpy as np
import pandas as pd
import pytest

from facestages.config.training import Holdout, Splits, Training
from facestages.errors import FacestagesError
from facestages.networks.training_data import shuffle_targets, split_training_data, weigh_samples

CLASSES = ["happy", "sad", "neutral"]
RECIPE = Training(dataset="toy", holdout=Holdout(share=0.25))
NUMBERS = np.arange(72)
LABELS = pd.DataFrame(
    {
        "identity": [f"p{i // 6}" for i in NUMBERS],
        "expression": np.array(CLASSES)[NUMBERS % 3],
        "split": np.where(NUMBERS < 36, "Training", "PublicTest"),
    }
)


def test_pictures_held_out_keep_the_class_shares():
    parts = split_training_data(LABELS, CLASSES, RECIPE)
    assert not set(parts["train"]) & set(parts["test"])
    assert len(parts["train"]) + len(parts["test"]) == 72
    counts = LABELS["expression"].to_numpy()[parts["test"]]
    assert sorted(np.unique(counts, return_counts=True)[1]) == [6, 6, 6]
    np.testing.assert_array_equal(parts["validation"], parts["test"])


def test_people_held_out_are_never_trained_on():
    recipe = RECIPE.model_copy(update={"holdout": Holdout(share=0.25, by="identity")})
    parts = split_training_data(LABELS, CLASSES, recipe)
    people = LABELS["identity"].to_numpy()
    assert not set(people[parts["train"]]) & set(people[parts["test"]])


def test_named_splits_and_classes():
    splits = Splits(train=["Training"], validation=["PublicTest"], test=["PublicTest"])
    recipe = RECIPE.model_copy(update={"splits": splits})
    parts = split_training_data(LABELS, ["happy", "sad"], recipe)
    assert len(parts["train"]) == len(parts["validation"]) == 24
    assert set(LABELS["expression"].to_numpy()[parts["train"]]) == {"happy", "sad"}


def test_one_class_in_the_face_set():
    labels = LABELS.assign(expression="happy")
    with pytest.raises(FacestagesError, match="no picture of class 'sad'"):
        split_training_data(labels, CLASSES, RECIPE)
    with pytest.raises(FacestagesError, match="no label 'expression'"):
        split_training_data(labels.drop(columns="expression"), CLASSES, RECIPE)


def test_balanced_class_weights():
    targets = np.array([0, 0, 0, 1])
    recipe = RECIPE.model_copy(update={"class_weights": "balanced"})
    np.testing.assert_allclose(weigh_samples(targets, ["a", "b"], recipe), [2 / 3, 2 / 3, 2 / 3, 2])


def test_shuffled_targets_keep_the_number_of_each_class():
    targets = np.repeat([0, 1, 2], [30, 20, 10])
    parts = {"train": (None, targets), "validation": (None, targets)}
    first, second = (shuffle_targets(parts, seed) for seed in (0, 1))
    assert not np.array_equal(first["train"][1], second["train"][1])
    for part in parts:
        assert np.bincount(first[part][1]).tolist() == [30, 20, 10]
