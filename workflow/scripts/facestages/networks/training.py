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
from facestages.accuracy import verify_people
from facestages.architectures import InputSpec
from facestages.config.training import Training
from facestages.errors import FacestagesError, device_failure
from facestages.files import atomic_path
from facestages.networks import load_network
from facestages.networks.augmentation import KeptPictures
from facestages.networks.devices import warn_of_slow_precision
from facestages.networks.inputs import resize_images, scale_images
from facestages.networks.quiet_keras import keras
from facestages.networks.training_data import (
    class_shares,
    describe_test,
    list_classes,
    number_classes,
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
        Untrained, with softmax outputs.
    data : mapping of str to (images, targets)
        ``train`` and ``validation``: uint8 images of shape (n, size, size, channels), integer
        targets of shape (n, outputs).
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
    images, targets = data["train"]
    resumed = checkpoint.load()
    if resumed:
        state, model = resumed
        logger.info("going on after epoch %d", state.epoch)
    else:
        state = TrainingState(rate=training.learning_rate)
        rate = learning_rate(training, math.ceil(len(images) / training.batch_size))
        _compile(model, keras.optimizers.Adam(rate), len(model.outputs))
    trained = KeptPictures(model, images, scaling, training.augmentation)
    _compile(trained, model.optimizer, len(model.outputs))
    while not state.stopped(training):
        begin = time.monotonic()
        row = _train_epoch(trained, targets, training, seed, state, sample_weights)
        row |= _validate(model, *data["validation"], scaling)
        row["seconds"] = round(time.monotonic() - begin, 1)
        state.history.append(row)
        improved = state.end_epoch(row["validation_accuracy"], training)
        checkpoint.save(state, model, improved)
        logger.info("epoch %d: %s", state.epoch, " ".join(f"{k}={v:.4g}" for k, v in row.items()))
    return keras.models.load_model(checkpoint.best(state), compile=False, safe_mode=True), state


def _compile(model: keras.Model, optimizer: keras.optimizers.Optimizer, outputs: int) -> None:
    model.compile(
        optimizer,
        loss=["sparse_categorical_crossentropy"] * outputs,
        weighted_metrics=[["accuracy"]] * outputs,
        jit_compile=keras.config.backend() == "jax",
    )


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


def _train_epoch(trained, targets, training, seed, state, sample_weights) -> dict:
    """Train on all pictures once. Losses are fetched at the end, so that steps need not wait."""
    rng = np.random.default_rng([seed, state.epoch])
    order = rng.permutation(len(targets))
    _seed_random_layers(trained, rng)
    if training.schedule == "plateau":
        trained.optimizer.learning_rate = state.rate
    weights = None if sample_weights is None else sample_weights[order]
    options = {"batch_size": training.batch_size, "shuffle": False, "verbose": 0}
    try:
        logs = trained.fit(
            order[:, None], list(targets[order].T), sample_weight=weights, **options
        ).history
    except Exception as error:
        # A smaller batch would train another network, so the choice is the user's.
        of = f"epoch {state.epoch + 1} (training.batch_size: {training.batch_size})"
        if failure := device_failure(of, error):
            raise failure from error
        raise
    loss = logs["loss"][-1]
    if not math.isfinite(loss):
        raise FacestagesError(
            f"training diverged in epoch {state.epoch + 1}: the loss is {loss}. Lower "
            f"training.learning_rate (now {training.learning_rate:g})"
        )
    return {
        "epoch": state.epoch + 1,
        "learning_rate": float(trained.optimizer.learning_rate),
        "loss": loss,
        "accuracy": np.mean([logs[name][-1] for name in logs if name.endswith("accuracy")]),
    }


def _seed_random_layers(trained: KeptPictures, rng: np.random.Generator) -> None:
    # Keras files do not hold the state of random layers. Without a seed for each epoch, the epoch
    # after a resumption would differ.
    of_layers = (getattr(layer, "seed_generator", None) for layer in trained.classifier.layers)
    for generator in (trained.seed, *of_layers):
        if generator is not None:
            generator.state.assign(np.array([rng.integers(2**31), 0]))


def _validate(model, images, targets, scaling) -> dict:
    """Loss, summed over outputs as in training, and accuracy, their mean."""
    losses, accuracies = [], []
    for probabilities, target in zip(predict(model, images, scaling), targets.T, strict=True):
        of_target = probabilities[np.arange(len(target)), target]
        losses.append(-np.log(np.maximum(of_target, 1e-7)).mean())
        accuracies.append((probabilities.argmax(1) == target).mean())
    return {
        "validation_loss": float(np.sum(losses)),
        "validation_accuracy": float(np.mean(accuracies)),
    }


def predict(model: keras.Model, images: np.ndarray, scaling: str) -> list[np.ndarray]:
    """What each output gives, (n, units), for uint8 images of shape (n, size, size, c)."""
    batches = []
    for start in range(0, len(images), _EVALUATION_BATCH):
        outputs = model.predict_on_batch(
            scale_images(images[start : start + _EVALUATION_BATCH], scaling)
        )
        batches.append(outputs if isinstance(outputs, list) else [outputs])
    return [np.concatenate(parts) for parts in zip(*batches, strict=True)]


def add_output(model: keras.Model, units: int, label: str) -> keras.Model:
    """The model with one more softmax output, ``out_<label>``, beside its last layer."""
    layer = keras.layers.Dense(units, activation="softmax", dtype="float32", name=f"out_{label}")
    return keras.Model(model.inputs, [*model.outputs, layer(model.layers[-1].input)])


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
    parts: Mapping[str, np.ndarray],
    classes: Mapping[str, Sequence[str]],
    training: Training,
    seed: int,
    checkpoint_folder,
    code: str | Sequence[str] = "",
) -> tuple[keras.Model, pd.DataFrame, dict]:
    """Train an untrained model on a face set and measure it on the part held out.

    `checkpoint_folder` keeps the state of an interrupted training, until the caller removes it; a
    state of other code, by its digest `code`, is ignored.

    Parameters
    ----------
    model : keras.Model
        With one softmax output a label of `classes`, in their order.
    spec : InputSpec
    stimuli : StimulusSet
    parts : mapping of str to numpy.ndarray of int
        What `split_training_data` returns.
    classes : mapping of str to sequence of str
        What `list_classes` returns.
    training : Training
    seed : int
        See `fit`.

    Returns
    -------
    model : keras.Model
    history : pandas.DataFrame
        One row for each epoch.
    report : dict
        See `measure`; besides, the sizes of the parts, and the epochs.
    """
    targets = number_classes(stimuli.labels, classes)
    data = {
        part: (resize_images(stimuli.images[parts[part]], spec), targets[parts[part]])
        for part in ("train", "validation")
    }
    logger.info("pictures: %s", {part: len(rows) for part, rows in parts.items()})
    told = [stimuli.digest, stimuli.labels.to_csv(index=False)]
    setup = [training.model_dump(), dict(classes), seed, told, code]
    checkpoint = Checkpoint(checkpoint_folder, provenance.digest(setup))
    if training.shuffle_labels:
        # The test part keeps its labels. The epoch is chosen on shuffled labels, as it is trained.
        data = shuffle_targets(data, seed)
    weights = weigh_samples(data["train"][1], classes, training)
    model, state = fit(model, data, spec.scaling, training, seed, checkpoint, weights)
    model = to_float32(model)
    report = {
        "label": list(classes),
        "dataset": training.dataset,
        "test_part": describe_test(training),
        "n_train": len(parts["train"]),
        "epochs": state.epoch,
        "best_epoch": state.best_epoch,
        "parameters": model.count_params(),
        **measure(model, spec, stimuli, parts, classes),
    }
    return model, pd.DataFrame(state.history), report


def measure(
    model: keras.Model,
    spec: InputSpec,
    stimuli: StimulusSet,
    parts: Mapping[str, np.ndarray],
    classes: Mapping[str, Sequence[str]],
    part: str = "test",
) -> dict:
    """How a model names one part of a face set; parameters are of `train_classifier`.

    Of expressions, what `evaluate` returns, ``classes``, and ``shares`` of the classes in the
    training part. Of people, under ``identity``: ``n``, ``accuracy`` and their number, ``people``.
    Of people who did not train, if there are two or more, under ``verification``: what
    `accuracy.verify_people` tells of the layer before the output.
    """
    # One model for both passes: a second one would need its memory again.
    model = keras.Model(model.inputs, [model.layers[-1].input, *model.outputs])

    def pass_forward(rows: np.ndarray) -> list[np.ndarray]:
        return predict(model, resize_images(stimuli.images[rows], spec), spec.scaling)

    targets = number_classes(stimuli.labels.iloc[parts[part]], classes)
    _, *answers = pass_forward(parts[part])
    report: dict[str, object] = {}
    for (label, names), answer, target in zip(classes.items(), answers, targets.T, strict=True):
        if label == "expression":
            shown = stimuli.labels["expression"].iloc[parts["train"]]
            report |= {"classes": list(names), "shares": class_shares(shown, names)}
            report |= evaluate(answer, target, names)
        else:
            accuracy = float((answer.argmax(1) == target).mean())
            report[label] = {"people": len(names), "n": len(target), "accuracy": accuracy}
    strangers = parts.get("strangers", np.array([], int))
    people = stimuli.labels["identity"].iloc[strangers] if len(strangers) else pd.Series()
    if people.nunique() > 1:
        report["verification"] = verify_people(pass_forward(strangers)[0], people)
    return report


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
    faces = read_stimuli(stimuli, labels)
    parts = split_training_data(faces.labels, source["classes"], training)
    classes = list_classes(faces.labels, parts, source["classes"], training)
    first, *others = classes
    warn_of_slow_precision(training.precision, training.backend)
    keras.config.set_dtype_policy(training.precision)
    network = load_network(name, **{**source, "classes": classes[first]}, seed=seed, gpu=gpu)
    model = network.model
    for label in others:
        model = add_output(model, len(classes[label]), label)
    keras.config.set_dtype_policy("float32")
    model, history, report = train_classifier(
        model,
        network.input,
        faces,
        parts,
        classes,
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
