"""Training of Keras networks. A killed training can be resumed; a seed gives the same weights."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from sklearn import metrics

from facestages import provenance
from facestages.architectures import InputSpec
from facestages.config.training import Training
from facestages.errors import FacestagesError
from facestages.files import atomic_path
from facestages.networks import load_network
from facestages.networks.augmentation import augment
from facestages.networks.inputs import resize_images, scale_images
from facestages.networks.quiet_keras import keras
from facestages.networks.training_data import (
    class_shares,
    describe_test,
    shuffle_targets,
    split_training_data,
    weigh_samples,
)
from facestages.networks.training_state import (
    Checkpoint,
    TrainingState,
    learning_rate,
    remove_checkpoint,
)
from facestages.progress import progress
from facestages.stimuli import StimulusSet, read_stimuli
from facestages.tables import write_table

logger = logging.getLogger(__name__)

_EVALUATION_BATCH = 256


def fit(
    model: keras.Model,
    data: Mapping[str, tuple[np.ndarray, np.ndarray]],
    scaling: str,
    training: Training,
    seed: int,
    checkpoint: Checkpoint,
    sample_weights: np.ndarray | None = None,
) -> tuple[keras.Model, TrainingState]:
    """Train a classifier, or resume a killed training; return the best epoch's model.

    On one machine, a seed gives the same weights, also if the training was interrupted.

    Parameters
    ----------
    model : keras.Model
        Untrained, softmax output.
    data : mapping of str to (images, targets)
        ``train`` and ``validation``: uint8 images of shape (n, size, size, channels), integer
        targets of shape (n,).
    scaling : str
        Input scaling of the network.
    training : Training
    seed : int
        Seed of the order of pictures, of augmentation and of dropout.
    checkpoint : Checkpoint
    sample_weights : numpy.ndarray of float, shape (n,), optional
        Weight of each training picture in the loss.

    Raises
    ------
    FacestagesError
        If the loss is no longer a number.
    """
    _make_deterministic()
    resumed = checkpoint.load()
    if resumed:
        state, model = resumed
        logger.info("going on after epoch %d", state.epoch)
    else:
        state = TrainingState(rate=training.learning_rate)
        model.compile(
            keras.optimizers.Adam(training.learning_rate),
            loss="sparse_categorical_crossentropy",
            weighted_metrics=["accuracy"],
            jit_compile=keras.config.backend() == "jax",
        )
    while not state.stopped(training):
        begin = time.monotonic()
        row = _train_epoch(model, data["train"], scaling, training, seed, state, sample_weights)
        row |= _validate(model, *data["validation"], scaling)
        row["seconds"] = round(time.monotonic() - begin, 1)
        state.history.append(row)
        improved = state.end_epoch(row["validation_accuracy"], training)
        checkpoint.save(state, model, improved)
        logger.info("epoch %d: %s", state.epoch, " ".join(f"{k}={v:.4g}" for k, v in row.items()))
    return keras.models.load_model(checkpoint.best(state), compile=False, safe_mode=True), state


def _make_deterministic() -> None:
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
    elif keras.config.backend() == "torch":
        import torch

        torch.use_deterministic_algorithms(True, warn_only=True)


def to_float32(model: keras.Model) -> keras.Model:
    """A copy of a model that computes in float32, with the same weights."""

    def rebuild(layer):
        return type(layer).from_config({**layer.get_config(), "dtype": "float32"})

    copy = keras.models.clone_model(model, clone_function=rebuild)
    copy.set_weights(model.get_weights())
    return copy


def _train_epoch(model, data, scaling, training, seed, state, sample_weights) -> dict:
    images, targets = data
    rng = np.random.default_rng([seed, state.epoch])
    order = rng.permutation(len(images))
    starts = range(0, len(order), training.batch_size)
    what = f"epoch {state.epoch + 1} of {training.epochs}"
    _seed_dropout(model, rng)
    sums = {"loss": 0.0, "accuracy": 0.0}
    for number, start in enumerate(progress(starts, what)):
        rows = order[start : start + training.batch_size]
        step = state.epoch * len(starts) + number
        rate = learning_rate(step, len(starts), state.rate, training)
        model.optimizer.learning_rate.assign(rate)
        batch = augment(scale_images(images[rows], scaling), training.augmentation, rng)
        weights = None if sample_weights is None else sample_weights[rows]
        logs = model.train_on_batch(batch, targets[rows], sample_weight=weights, return_dict=True)
        # Keras returns the loss and accuracy of this batch alone.
        for measure in sums:
            sums[measure] += float(logs[measure]) * len(rows)
        if not math.isfinite(logs["loss"]):
            raise FacestagesError(
                f"training diverged in epoch {state.epoch + 1}, step {number + 1}: the loss is "
                f"{logs['loss']}. Lower training.learning_rate (now {training.learning_rate:g})"
            )
    return {
        "epoch": state.epoch + 1,
        "learning_rate": rate,
        **{measure: total / len(images) for measure, total in sums.items()},
    }


def _seed_dropout(model: keras.Model, rng: np.random.Generator) -> None:
    # Keras files do not hold the state of random layers. Without a seed for each epoch, the epoch
    # after a resumption would differ.
    for layer in model.layers:
        generator = getattr(layer, "seed_generator", None)
        if generator is not None:
            generator.state.assign(np.array([rng.integers(2**31), 0]))


def _validate(model, images, targets, scaling) -> dict:
    probabilities = predict(model, images, scaling)
    of_target = probabilities[np.arange(len(targets)), targets]
    return {
        "validation_loss": float(-np.log(np.maximum(of_target, 1e-7)).mean()),
        "validation_accuracy": float((probabilities.argmax(1) == targets).mean()),
    }


def predict(model: keras.Model, images: np.ndarray, scaling: str) -> np.ndarray:
    """Class probabilities, shape (n, classes), for uint8 images of shape (n, size, size, c)."""
    starts = range(0, len(images), _EVALUATION_BATCH)
    batches = (scale_images(images[s : s + _EVALUATION_BATCH], scaling) for s in starts)
    return np.concatenate([np.asarray(model.predict_on_batch(batch)) for batch in batches])


def evaluate(probabilities: np.ndarray, targets: np.ndarray, classes: Sequence[str]) -> dict:
    """Accuracy of class probabilities (n, n_classes) for targets (n,).

    ``n``, ``accuracy``, ``balanced_accuracy``, ``f1`` by class, and ``confusion`` (row: true class,
    column: answer).
    """
    answers = probabilities.argmax(1)
    numbers = range(len(classes))
    f1 = metrics.f1_score(targets, answers, labels=numbers, average=None, zero_division=0.0)
    return {
        "n": len(targets),
        "accuracy": float(metrics.accuracy_score(targets, answers)),
        "balanced_accuracy": float(metrics.balanced_accuracy_score(targets, answers)),
        "f1": dict(zip(classes, map(float, f1), strict=True)),
        "confusion": metrics.confusion_matrix(targets, answers, labels=numbers).tolist(),
    }


def train_classifier(
    model: keras.Model,
    spec: InputSpec,
    stimuli: StimulusSet,
    classes: Sequence[str],
    training: Training,
    seed: int,
    checkpoint_folder,
    code: str | Sequence[str] = "",
) -> tuple[keras.Model, pd.DataFrame, dict]:
    """Train an untrained model on a face set and measure it on the part held out.

    `checkpoint_folder` keeps the state of an interrupted training, until the caller removes it; a
    state of other code, by its digest `code`, is ignored.

    Returns
    -------
    model : keras.Model
    history : pandas.DataFrame
        One row for each epoch.
    report : dict
        What `evaluate` returns for the test part, the sizes of the parts, and the epochs.
    """
    parts = split_training_data(stimuli.labels, classes, training)
    targets = np.array(
        [classes.index(e) if e in classes else -1 for e in stimuli.labels.expression]
    )
    data = {
        part: (resize_images(stimuli.images[rows], spec), targets[rows])
        for part, rows in parts.items()
    }
    logger.info("pictures: %s", {part: len(rows) for part, rows in parts.items()})
    told = [stimuli.digest, stimuli.labels.to_csv(index=False)]
    setup = [training.model_dump(), list(classes), seed, told, code]
    checkpoint = Checkpoint(checkpoint_folder, provenance.digest(setup))
    if training.shuffle_labels:
        # The test part keeps its labels. The epoch is chosen on shuffled labels, as it is trained.
        data |= shuffle_targets({part: data[part] for part in ("train", "validation")}, seed)
    weights = weigh_samples(data["train"][1], classes, training)
    model, state = fit(model, data, spec.scaling, training, seed, checkpoint, weights)
    model = to_float32(model)
    images, truth = data["test"]
    report = {
        "classes": list(classes),
        "dataset": training.dataset,
        "test_part": describe_test(training),
        "n_train": len(parts["train"]),
        "shares": class_shares(stimuli.labels["expression"].iloc[parts["train"]], classes),
        "epochs": state.epoch,
        "best_epoch": state.best_epoch,
        "parameters": model.count_params(),
        **evaluate(predict(model, images, spec.scaling), truth, classes),
    }
    return model, pd.DataFrame(state.history), report


def train_network(
    name: str,
    source: Mapping,
    training: Training,
    seed: int,
    *,
    code: str | Sequence[str],
    stimuli,
    labels,
    checkpoint,
    model_out,
    history_out,
    metrics_out,
    gpu: int = 0,
) -> None:
    """Train one instance of a network and write it with its history and metrics.

    `source` holds the arguments of `networks.load_network` from the config, `code` is the digest of
    the code, `stimuli` and `labels` are the files of the face set, and `checkpoint` is the folder
    of an interrupted training.
    """
    keras.config.set_dtype_policy(training.precision)
    network = load_network(name, **source, seed=seed, gpu=gpu)
    keras.config.set_dtype_policy("float32")
    model, history, report = train_classifier(
        network.model,
        network.input,
        read_stimuli(stimuli, labels),
        source["classes"],
        training,
        seed,
        checkpoint,
        code,
    )
    with atomic_path(model_out) as partial:
        model.save(partial)
    write_table(history_out, history)
    versions = provenance.describe_versions("keras", "numpy", keras.config.backend())
    with atomic_path(metrics_out) as partial:
        text = json.dumps({"network": name, "seed": seed, **report, "versions": versions}, indent=2)
        partial.write_text(text + "\n")
    remove_checkpoint(checkpoint)
