"""Training data: parts, classes and their weights."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from facestages.config.training import Holdout, Splits, Training
from facestages.errors import FacestagesError
from facestages.networks.training_data import (
    list_classes,
    number_classes,
    shuffle_targets,
    split_training_data,
    weigh_samples,
)

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
    targets = np.array([[0], [0], [0], [1]])
    recipe = RECIPE.model_copy(update={"class_weights": "balanced"})
    np.testing.assert_allclose(
        weigh_samples(targets, {"expression": ["a", "b"]}, recipe), [2 / 3, 2 / 3, 2 / 3, 2]
    )


def test_shuffled_targets_keep_the_number_of_each_class():
    targets = np.repeat([0, 1, 2], [30, 20, 10])
    parts = {"train": (None, targets), "validation": (None, targets)}
    first, second = (shuffle_targets(parts, seed) for seed in (0, 1))
    assert not np.array_equal(first["train"][1], second["train"][1])
    for part in parts:
        assert np.bincount(first[part][1]).tolist() == [30, 20, 10]


def people_of(rows):
    return set(LABELS["identity"].to_numpy()[rows])


def with_holdout(**holdout):
    return {"holdout": Holdout(share=0.25, **holdout)}


def test_strangers_are_set_aside_whatever_is_learnt():
    """Twins that learn different labels share their pictures."""
    holdout = with_holdout(stratify=["identity"], strangers=0.25)
    learnt = [["expression"], ["identity"], ["identity", "expression"]]
    parts = [
        split_training_data(LABELS, CLASSES, RECIPE.model_copy(update={"label": label, **holdout}))
        for label in learnt
    ]
    for other in parts[1:]:
        for part, rows in parts[0].items():
            np.testing.assert_array_equal(other[part], rows)
    people = {part: people_of(rows) for part, rows in parts[0].items()}
    assert len(people["strangers"]) == 3 and not people["strangers"] & people["train"]
    assert people["train"] == people["test"]
    assert len(parts[0]["train"]) + len(parts[0]["test"]) + len(parts[0]["strangers"]) == 72


def test_sessions_held_out_leave_each_person_another():
    labels = LABELS.assign(session=np.array(["A", "B", "C"])[NUMBERS // 2 % 3])
    recipe = RECIPE.model_copy(update={"label": ["identity"], **with_holdout(by="session")})
    parts = split_training_data(labels, None, recipe)
    days = {
        part: set(map(tuple, labels[["identity", "session"]].iloc[rows].to_numpy()))
        for part, rows in parts.items()
        if part != "strangers"
    }
    assert not days["train"] & days["test"]
    assert len(days["train"]) == 24 and len(days["test"]) == 12
    one_day = labels.assign(session="A")
    with pytest.raises(FacestagesError, match="no picture of 'p0' in the validation part"):
        split_training_data(one_day, None, recipe)
    with pytest.raises(FacestagesError, match="no label 'session'"):
        split_training_data(LABELS, None, recipe)


def test_classes_are_the_people_who_train():
    recipe = RECIPE.model_copy(
        update={
            "label": ["identity", "expression"],
            **with_holdout(stratify=["identity"], strangers=0.25),
        }
    )
    parts = split_training_data(LABELS, CLASSES, recipe)
    classes = list_classes(LABELS, parts, CLASSES, recipe)
    assert list(classes) == ["identity", "expression"]
    assert set(classes["identity"]) == people_of(parts["train"]) and len(classes["identity"]) == 9
    numbers = number_classes(LABELS, classes)
    assert numbers.shape == (72, 2)
    assert (numbers[parts["strangers"], 0] == -1).all() and (numbers[parts["train"]] >= 0).all()


def test_people_of_named_splits_who_do_not_train_are_strangers():
    splits = Splits(train=["Training"], validation=["PublicTest"], test=["PublicTest"])
    recipe = RECIPE.model_copy(update={"splits": splits})
    assert people_of(split_training_data(LABELS, CLASSES, recipe)["strangers"]) == people_of(
        range(36, 72)
    )
    # No person of the training split is in another one.
    with pytest.raises(FacestagesError, match="no picture of 'p0' in the validation part"):
        split_training_data(LABELS, None, recipe.model_copy(update={"label": ["identity"]}))


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (LABELS.assign(identity="p0"), "1 people, none of whom can be set aside"),
        (LABELS.groupby("identity").head(1).reset_index(drop=True), "cannot hold out 25% of 9"),
        (LABELS.assign(identity=None), "0 people"),
        (LABELS.drop(columns="identity"), "no label 'identity'"),
    ],
)
def test_people_who_cannot_be_learnt(labels, words):
    recipe = RECIPE.model_copy(update={"label": ["identity"], **with_holdout(strangers=0.25)})
    with pytest.raises(FacestagesError, match=words):
        split_training_data(labels, None, recipe)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"label": "identity", "holdout": {"by": "identity"}}, "no picture is left to test"),
        ({"label": ["identity", "identity"]}, "named twice"),
        ({"label": "identity", "class_weights": "balanced"}, "label: expression alone"),
        ({"label": "idenity"}, "identity"),
    ],
)
def test_recipes_that_say_nothing(section, words):
    with pytest.raises(ValidationError, match=words):
        Training.model_validate({"dataset": "toy", **section})
