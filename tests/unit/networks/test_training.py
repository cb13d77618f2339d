"""Training: what is learnt, reproducibility, resumption."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facestages.architectures import InputSpec
from facestages.config.training import Augmentation, Holdout, Splits, Training
from facestages.errors import FacestagesError
from facestages.networks import training as module
from facestages.networks.quiet_keras import keras
from facestages.networks.training import evaluate, train_classifier
from facestages.networks.training_data import list_classes, split_training_data
from facestages.stimuli import StimulusSet

CLASSES = ["happy", "sad", "neutral"]
SPEC = InputSpec(12, 1, "unit")
RECIPE = Training(
    dataset="toy", holdout=Holdout(share=0.25), epochs=3, batch_size=8, learning_rate=0.01
)


def small_cnn(seed=0):
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((12, 12, 1))
    x = keras.layers.Conv2D(4, 3, activation="elu")(inputs)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Dropout(0.4)(keras.layers.Flatten()(x))
    return keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(x))


def toy_stimuli(n=72):
    """Bright bars at a height of each class's own."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 60, (n, 12, 12), dtype=np.uint8)
    expression = np.array(CLASSES)[np.arange(n) % 3]
    for number, image in enumerate(images):
        image[1 + 4 * (number % 3) :][:3] += 150
    labels = pd.DataFrame(
        {
            "stimulus_id": [f"s{i}" for i in range(n)],
            "identity": [f"p{i // 6}" for i in range(n)],
            "expression": expression,
            "split": np.where(np.arange(n) < n // 2, "Training", "PublicTest"),
        }
    )
    return StimulusSet(images, labels, dict.fromkeys(labels.columns[1:], "file"))


def prepare(recipe, expressions=CLASSES):
    """The face set, its parts and its classes, as arguments of `train_classifier`."""
    stimuli = toy_stimuli()
    parts = split_training_data(stimuli.labels, expressions, recipe)
    return SPEC, stimuli, parts, list_classes(stimuli.labels, parts, expressions, recipe), recipe


def train(tmp_path, seed=0, recipe=RECIPE):
    folder = tmp_path / "checkpoint"
    return train_classifier(small_cnn(seed), *prepare(recipe), seed, folder)


def weights(model):
    return np.concatenate([w.ravel() for w in model.get_weights()])


def test_learns_and_reports(tmp_path):
    recipe = RECIPE.model_copy(
        update={"epochs": 12, "augmentation": Augmentation(rotation=0, shift=0, zoom=0)}
    )
    model, history, report = train(tmp_path, recipe=recipe)
    assert report["accuracy"] > 0.9
    assert report["n"] == 18 and report["n_train"] == 54
    assert np.sum(report["confusion"]) == 18
    assert list(history["epoch"]) == list(range(1, report["epochs"] + 1))
    assert history["validation_accuracy"].max() == pytest.approx(report["accuracy"])


def test_two_labels_share_a_trunk(tmp_path):
    """A bar's height tells the expression, and its column the person."""
    recipe = RECIPE.model_copy(
        update={
            "label": ["expression", "identity"],
            "holdout": Holdout(share=0.25, stratify=["identity"], strangers=0.25),
            "epochs": 40,
            "augmentation": Augmentation(rotation=0, shift=0, zoom=0, flip=False),
        }
    )
    _, stimuli, parts, classes, _ = prepare(recipe)
    for number, image in enumerate(stimuli.images):
        image[:, number // 6] = 255
    model = small_cnn()
    second = module.add_output(model, len(classes["identity"]), "identity")
    assert [tensor.shape[1] for tensor in second.outputs] == [3, 9]
    assert second.get_layer("out_identity").input is second.layers[-3].output
    args = (SPEC, stimuli, parts, classes, recipe, 0, tmp_path / "both")
    model, history, report = train_classifier(second, *args)
    assert report["accuracy"] > 0.8 and report["classes"] == CLASSES
    assert report["identity"]["people"] == 9 and report["identity"]["accuracy"] > 0.6
    mean = (report["accuracy"] + report["identity"]["accuracy"]) / 2
    assert history["validation_accuracy"].max() == pytest.approx(mean)
    assert report["verification"]["people"] == 3 and report["verification"]["n"] == 18


def test_shuffled_labels_teach_nothing(tmp_path):
    changes = {"epochs": 12, "augmentation": Augmentation(rotation=0, shift=0, zoom=0)}
    recipe = RECIPE.model_copy(update={**changes, "shuffle_labels": True})
    _, history, report = train(tmp_path, recipe=recipe)
    assert history["validation_accuracy"].max() < 0.75
    assert report["accuracy"] < 0.75 and "SHUFFLED" in report["test_part"]


def test_mixed_precision_ends_in_float32(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mixed = small_cnn()
    finally:
        keras.config.set_dtype_policy("float32")
    model = module.to_float32(mixed)
    assert {layer.compute_dtype for layer in mixed.layers} == {"bfloat16"}
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}
    np.testing.assert_array_equal(weights(model), weights(mixed))
    recipe = RECIPE.model_copy(update={"epochs": 2, "precision": "mixed_bfloat16"})
    args = (*prepare(recipe), 0, tmp_path / "mixed")
    trained, history, report = train_classifier(mixed, *args)
    assert {layer.compute_dtype for layer in trained.layers} == {"float32"}
    assert np.isfinite(history["loss"]).all()
    assert report["shares"] == pytest.approx(dict.fromkeys(CLASSES, 1 / 3), abs=0.02)


_TRAINING_ELSEWHERE = """
import os, sys
os.environ["KERAS_BACKEND"] = "{backend}"
sys.path[:0] = ["{tests}", "{tests}/../../../workflow/scripts"]
import test_training
recipe = test_training.RECIPE.model_copy(update={{"epochs": 6, "backend": "{backend}"}})
model, history, report = test_training.train(test_training.Path("{folder}"), recipe=recipe)
model.save("{folder}/model.keras")
print(test_training.keras.config.backend(), "tensorflow" in filter(sys.modules.get, sys.modules))
print(history["loss"].iloc[-1] < history["loss"].iloc[0])
"""


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_other_backends(backend, tmp_path):
    """In processes of their own, without TensorFlow; the file is read here."""
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    code = _TRAINING_ELSEWHERE.format(
        backend=backend, tests=Path(__file__).parent, folder=tmp_path.as_posix()
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout.split() == [backend, "False", "True"], run.stderr
    model = keras.models.load_model(tmp_path / "model.keras", compile=False, safe_mode=True)
    assert model.predict(np.zeros((2, 12, 12, 1)), verbose=0).shape == (2, 3)


def test_history_is_over_the_whole_epoch(tmp_path):
    """A model that answers the same to everything has the same loss in every batch and epoch."""
    nothing = RECIPE.model_copy(update={"learning_rate": 1e-30, "minimum_rate": 1e-30})
    inputs = keras.Input((12, 12, 1))
    flat = keras.layers.Flatten()(inputs)
    zero = keras.layers.Dense(3, activation="softmax", kernel_initializer="zeros")(flat)
    model = keras.Model(inputs, zero)
    history = train_classifier(model, *prepare(nothing), 0, tmp_path / "checkpoint")[1]
    np.testing.assert_allclose(history["loss"], np.log(3), rtol=1e-5)
    # All ties go to the first class, a third of the pictures.
    np.testing.assert_allclose(history["accuracy"], 1 / 3, rtol=1e-5)


def test_same_seed_same_weights(tmp_path):
    first, again = (weights(train(tmp_path / str(i), seed=5)[0]) for i in range(2))
    np.testing.assert_array_equal(first, again)
    other = weights(train(tmp_path / "other", seed=6)[0])
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("killed_after", [1, 2])
def test_a_killed_training_goes_on_as_if_nothing_had_been(tmp_path, monkeypatch, killed_after):
    recipe = RECIPE.model_copy(update={"minimum_gain": 0.0})
    model, history, _ = train(tmp_path / "whole", recipe=recipe)
    save = module.Checkpoint.save

    def save_and_die(self, state, *arguments):
        save(self, state, *arguments)
        if state.epoch == killed_after:
            raise KeyboardInterrupt

    monkeypatch.setattr(module.Checkpoint, "save", save_and_die)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "killed", recipe=recipe)
    monkeypatch.setattr(module.Checkpoint, "save", save)
    resumed, resumed_history, _ = train(tmp_path / "killed", recipe=recipe)
    pd.testing.assert_frame_equal(
        history.drop(columns="seconds"), resumed_history.drop(columns="seconds")
    )
    np.testing.assert_array_equal(weights(model), weights(resumed))


def test_a_checkpoint_of_another_training_is_not_taken_up(tmp_path):
    train(tmp_path, seed=0)
    other = train(tmp_path, seed=1)[0]
    fresh = train(tmp_path / "fresh", seed=1)[0]
    np.testing.assert_array_equal(weights(other), weights(fresh))


def test_a_checkpoint_of_other_code_is_not_taken_up(tmp_path, caplog):
    arguments = (*prepare(RECIPE), 0, tmp_path / "checkpoint")
    train_classifier(small_cnn(), *arguments, "before")
    with caplog.at_level("INFO"):
        train_classifier(small_cnn(), *arguments, "before")
    assert "going on after epoch" in caplog.text
    caplog.clear()
    with caplog.at_level("INFO"):
        train_classifier(small_cnn(), *arguments, "after")
    assert "of another training" in caplog.text


def test_divergence_is_named(tmp_path):
    recipe = RECIPE.model_copy(update={"learning_rate": 1e30})
    with pytest.raises(FacestagesError, match="diverged in epoch.*Lower training.learning_rate"):
        train(tmp_path, recipe=recipe)


@pytest.mark.parametrize(
    ("classes", "change", "words"),
    [
        (["happy"], {}, "two classes or more"),
        (["happy", "sadd"], {}, "no picture of class 'sadd': did you mean 'sad'"),
        (
            CLASSES,
            {"splits": Splits(train=["Trainng"], validation=["PublicTest"], test=["PublicTest"])},
            "training.splits.train = 'Trainng'.*did you mean 'Training'",
        ),
        (CLASSES, {"class_weights": {"hapy": 2.0}}, "class_weights.hapy.*did you mean 'happy'"),
    ],
)
def test_what_cannot_be_trained_is_refused(tmp_path, classes, change, words):
    recipe = RECIPE.model_copy(update=change)
    with pytest.raises(FacestagesError, match=words):
        train_classifier(small_cnn(), *prepare(recipe, classes), 0, tmp_path / "c")


def test_evaluate_known_answer():
    targets = np.array([0, 0, 0, 1])
    answers = np.eye(2)[[0, 0, 1, 1]]
    report = evaluate(answers, targets, ["happy", "sad"])
    assert report["accuracy"] == 0.75
    assert report["balanced_accuracy"] == pytest.approx((2 / 3 + 1) / 2)
    assert report["f1"] == pytest.approx({"happy": 0.8, "sad": 2 / 3})
    assert report["confusion"] == [[2, 1], [0, 1]]


def test_a_batch_that_the_memory_of_a_gpu_does_not_hold(monkeypatch, tmp_path):
    def fail(*args, **options):
        raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 8589934592 bytes")

    monkeypatch.setattr(module.KeptPictures, "fit", fail)
    spec, stimuli, parts, classes, recipe = prepare(RECIPE)
    with pytest.raises(FacestagesError) as caught:
        train_classifier(small_cnn(), spec, stimuli, parts, classes, recipe, 0, tmp_path)
    assert str(caught.value).startswith(
        "epoch 1 (training.batch_size: 8): the memory of the GPU is too small. "
    )
