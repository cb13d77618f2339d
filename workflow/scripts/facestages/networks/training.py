"""Training of Keras networks, resumable after a kill and reproducible by seed."""

from __future__ import annotations

import json
import logging
import math
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import metrics
from sklearn.model_selection import GroupShuffleSplit, train_test_split
from sklearn.utils.class_weight import compute_sample_weight

from facestages import provenance
from facestages.architectures import InputSpec
from facestages.config import Augmentation, Training
from facestages.errors import FacestagesError, did_you_mean
from facestages.files import atomic_path
from facestages.networks import load_network
from facestages.networks.inputs import resize_images, scale_images
from facestages.networks.quiet_keras import keras
from facestages.progress import progress
from facestages.stimuli import StimulusSet, read_stimuli
from facestages.tables import write_table

logger = logging.getLogger(__name__)

# Keras' ReduceLROnPlateau counts a gain from here on; the published recipe left it at its default.
_PLATEAU_MINIMUM_GAIN = 1e-4
_EVALUATION_BATCH = 256
# Sets the numbers that shuffle labels apart from all others of a seed.
_SHUFFLE = 1


def split_stimuli(
    labels: pd.DataFrame, classes: Sequence[str], training: Training
) -> dict[str, np.ndarray]:
    """Choose the pictures for training, for choosing the epoch, and for the accuracy.

    Parameters
    ----------
    labels : pandas.DataFrame of n rows
        With ``expression``, and with ``split`` or ``identity`` where `training` splits by them.
    classes : sequence of str
        Expressions used; pictures of others are left out.
    training : Training

    Returns
    -------
    dict of str to numpy.ndarray of int
        Row numbers under ``train``, ``validation`` and ``test``. With a random holdout the last
        two are the same rows, as in the published protocol.

    Raises
    ------
    FacestagesError
        If a class has no picture to learn from, or a split is unknown.
    """
    for column in ("expression", *_column_needed(training)):
        if column not in labels:
            raise FacestagesError(
                f"face set '{training.dataset}' has no label '{column}', which training needs"
            )
    expression = labels["expression"].to_numpy()
    missing = [name for name in classes if name not in set(expression)]
    if missing:
        raise FacestagesError(
            f"face set '{training.dataset}' has no picture of class '{missing[0]}': "
            f"{did_you_mean(missing[0], set(expression))}"
        )
    if len(set(classes)) < 2:
        raise FacestagesError(f"training needs two classes or more, not {list(classes)}")
    rows = np.flatnonzero(np.isin(expression, classes))
    chosen = _named_rows(labels, rows, training) if training.splits else None
    if chosen is None:
        train, held = _hold_out(labels, rows, training)
        chosen = {"train": train, "validation": held, "test": held}
    for part, part_rows in chosen.items():
        empty = set(classes) - set(expression[part_rows])
        if empty:
            raise FacestagesError(
                f"face set '{training.dataset}': no picture of '{sorted(empty)[0]}' in the "
                f"{part} part ({len(part_rows)} pictures); give it more pictures or another split"
            )
    return chosen


def _column_needed(training: Training) -> tuple[str, ...]:
    if training.splits:
        return ("split",)
    return ("identity",) if training.holdout.by == "identity" else ()


def _named_rows(labels: pd.DataFrame, rows: np.ndarray, training: Training) -> dict:
    split = labels["split"].to_numpy()[rows]
    chosen = {}
    for part in ("train", "validation", "test"):
        names = getattr(training.splits, part)
        for name in names:
            if name not in split:
                raise FacestagesError(
                    f"training.splits.{part} = '{name}': face set '{training.dataset}' has no such "
                    f"split; {did_you_mean(name, set(split))}"
                )
        chosen[part] = rows[np.isin(split, names)]
    return chosen


def _hold_out(
    labels: pd.DataFrame, rows: np.ndarray, training: Training
) -> tuple[np.ndarray, np.ndarray]:
    holdout = training.holdout
    if holdout.by == "identity":
        splitter = GroupShuffleSplit(1, test_size=holdout.share, random_state=holdout.seed)
        groups = labels["identity"].to_numpy()[rows]
        train, held = next(splitter.split(rows, groups=groups))
        return rows[train], rows[held]
    expression = labels["expression"].to_numpy()[rows]
    try:
        train, held = train_test_split(
            rows, test_size=holdout.share, random_state=holdout.seed, stratify=expression
        )
    except ValueError as error:
        raise FacestagesError(
            f"face set '{training.dataset}': cannot hold out {holdout.share:.0%} of "
            f"{len(rows)} pictures by class ({error})"
        ) from error
    return train, held


def affine_transforms(n: int, size: int, change: Augmentation, rng: np.random.Generator):
    """Draw random affine changes of square pictures.

    Parameters
    ----------
    n : int
        Number of pictures.
    size : int
        Rows and columns of a picture.
    change : Augmentation
        Largest changes.
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray of float32, shape (n, 8)
        First eight coefficients of each 3 x 3 matrix from output to input pixels (x, y), as
        ``keras.ops.image.affine_transform`` takes them.
    """
    angle = np.deg2rad(rng.uniform(-change.rotation, change.rotation, n))
    shear = np.deg2rad(rng.uniform(-change.shear, change.shear, n))
    zoom_x, zoom_y = rng.uniform(1 - change.zoom, 1 + change.zoom, (2, n))
    shift_x, shift_y = rng.uniform(-change.shift, change.shift, (2, n)) * size
    zoom_x = zoom_x * np.where(rng.random(n) < 0.5 * change.flip, -1.0, 1.0)
    a = np.cos(angle) * zoom_x
    b = -np.sin(angle + shear) * zoom_y
    d = np.sin(angle) * zoom_x
    e = np.cos(angle + shear) * zoom_y
    centre = (size - 1) / 2
    c = centre - (a + b) * centre + shift_x
    f = centre - (d + e) * centre + shift_y
    zero = np.zeros(n)
    return np.stack([a, b, c, d, e, f, zero, zero], axis=1).astype(np.float32)


def augment(images: np.ndarray, change: Augmentation, rng: np.random.Generator):
    """Change pictures at random; edges are filled with the nearest pixel.

    Parameters
    ----------
    images : numpy.ndarray of float32, shape (n, size, size, channels)
    change : Augmentation
    rng : numpy.random.Generator

    Returns
    -------
    tensor of the backend, shape (n, size, size, channels)
    """
    transforms = affine_transforms(len(images), images.shape[1], change, rng)
    return keras.ops.image.affine_transform(images, transforms, fill_mode="nearest")


@dataclass
class TrainingState:
    """Where a training stands at the end of an epoch; enough to go on from there."""

    epoch: int = 0
    rate: float = 0.0
    best_accuracy: float = -1.0
    best_epoch: int = 0
    plateau_best: float = -1.0
    plateau_wait: int = 0
    history: list[dict] = field(default_factory=list)

    def stopped(self, training: Training) -> bool:
        """Whether training is over."""
        patience = training.stopping_patience
        waited = self.epoch - self.best_epoch
        return self.epoch >= training.epochs or (patience is not None and waited >= patience)

    def end_epoch(self, accuracy: float, training: Training) -> bool:
        """Note an epoch's validation accuracy; say whether it is the best so far."""
        self.epoch += 1
        if accuracy > self.plateau_best + _PLATEAU_MINIMUM_GAIN:
            self.plateau_best, self.plateau_wait = accuracy, 0
        else:
            self.plateau_wait += 1
            if training.schedule == "plateau" and self.plateau_wait >= training.plateau_patience:
                self.rate = max(self.rate / 2, training.minimum_rate)
                self.plateau_wait = 0
        improved = accuracy > self.best_accuracy + training.minimum_gain
        if improved:
            self.best_accuracy, self.best_epoch = accuracy, self.epoch
        return improved


def learning_rate(step: int, n_steps: int, rate: float, training: Training) -> float:
    """Learning rate of one step.

    Parameters
    ----------
    step : int
        Number of the step, from 0, counted over all epochs.
    n_steps : int
        Steps in one epoch.
    rate : float
        The rate as the plateau schedule has left it.
    training : Training
    """
    warmup = training.warmup_epochs * n_steps
    if step < warmup:
        return rate * (step + 1) / (warmup + 1)
    if training.schedule == "plateau":
        return rate
    done = (step - warmup) / max(training.epochs * n_steps - warmup, 1)
    return max(rate * 0.5 * (1 + math.cos(math.pi * done)), training.minimum_rate)


class Checkpoint:
    """Keeps a training's state on disk, beside the rule's outputs, which Snakemake may delete.

    Parameters
    ----------
    folder : path-like
    fingerprint : str
        What the training depends on; a checkpoint of another training is not taken up.
    """

    def __init__(self, folder, fingerprint: str) -> None:
        self.folder = Path(folder)
        self.fingerprint = fingerprint

    def load(self) -> tuple[TrainingState, keras.Model] | None:
        """The last complete epoch's state and compiled model, or None."""
        if not self.folder.exists():
            return None
        try:
            saved = json.loads((self.folder / "state.json").read_text())
            if saved.pop("fingerprint") != self.fingerprint:
                logger.info("%s is of another training and is not used", self.folder)
                return None
            state = TrainingState(**saved)
            return state, keras.models.load_model(self._model(state.epoch), safe_mode=True)
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("%s cannot be used, training begins anew: %s", self.folder, error)
            return None

    def save(self, state: TrainingState, model: keras.Model, improved: bool) -> None:
        """Keep the end of an epoch; the state file is renamed last and so makes it valid."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_path(self._model(state.epoch)) as partial:
            model.save(partial)
        if improved:
            with atomic_path(self.best(state)) as partial:
                shutil.copyfile(self._model(state.epoch), partial)
        with atomic_path(self.folder / "state.json") as partial:
            partial.write_text(json.dumps({"fingerprint": self.fingerprint, **asdict(state)}))
        keep = {self._model(state.epoch), self.best(state)}
        for path in set(self.folder.glob("*.keras")) - keep:
            path.unlink()

    def best(self, state: TrainingState) -> Path:
        """Path of the best epoch's model."""
        return self.folder / f"best-{state.best_epoch:03d}.keras"

    def _model(self, epoch: int) -> Path:
        return self.folder / f"epoch-{epoch:03d}.keras"


def fit(
    model: keras.Model,
    data: Mapping[str, tuple[np.ndarray, np.ndarray]],
    scaling: str,
    training: Training,
    seed: int,
    checkpoint: Checkpoint,
    sample_weights: np.ndarray | None = None,
) -> tuple[keras.Model, TrainingState]:
    """Train a classifier, or go on where a killed training stopped.

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
        Seed of order and augmentation; with the same seed on the same machine the weights are
        the same, also if the training was interrupted.
    checkpoint : Checkpoint
    sample_weights : numpy.ndarray of float, shape (n,), optional
        Weight of each training picture in the loss.

    Returns
    -------
    model : keras.Model
        With the weights of the epoch of best validation accuracy.
    state : TrainingState

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
    """The same model with all its arithmetic in float32, whatever it was trained in."""

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
        # Keras gives the numbers of this batch alone.
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
    # Keras files do not hold the state of the random layers, so a resumed epoch would differ.
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
    """Accuracy of a classifier.

    Parameters
    ----------
    probabilities : numpy.ndarray, shape (n, n_classes)
    targets : numpy.ndarray of int, shape (n,)
    classes : sequence of str, length n_classes

    Returns
    -------
    dict
        ``n``, ``accuracy``, ``balanced_accuracy``, ``f1`` by class, ``confusion`` (row: true
        class, column: answer).
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
    """Train a network on a face set and measure it on the part held out.

    Parameters
    ----------
    model : keras.Model
        Untrained, one softmax output a class.
    spec : InputSpec
        What it expects.
    stimuli : StimulusSet
    classes : sequence of str
    training : Training
    seed : int
    checkpoint_folder : path-like
        Where an interrupted training is kept; the caller removes it at the end.
    code : str or sequence of str
        Digest of the code; a checkpoint of other code is not taken up.

    Returns
    -------
    model : keras.Model
    history : pandas.DataFrame
        One row an epoch.
    report : dict
        `evaluate` of the test part, and how it came about.
    """
    parts = split_stimuli(stimuli.labels, classes, training)
    targets = np.array(
        [classes.index(e) if e in classes else -1 for e in stimuli.labels.expression]
    )
    data = {
        part: (resize_images(stimuli.images[rows], spec.size, spec.channels), targets[rows])
        for part, rows in parts.items()
    }
    logger.info("pictures: %s", {part: len(rows) for part, rows in parts.items()})
    setup = [training.model_dump(), list(classes), seed, stimuli.digest, code]
    checkpoint = Checkpoint(checkpoint_folder, provenance.digest(setup))
    if training.shuffle_labels:
        data |= _shuffle_labels({part: data[part] for part in ("train", "validation")}, seed)
    weights = _sample_weights(data["train"][1], classes, training)
    model, state = fit(model, data, spec.scaling, training, seed, checkpoint, weights)
    model = to_float32(model)
    images, truth = data["test"]
    report = {
        "classes": list(classes),
        "dataset": training.dataset,
        "test_part": _describe_test(training),
        "n_train": len(parts["train"]),
        "shares": class_shares(stimuli.labels["expression"].iloc[parts["train"]], classes),
        "epochs": state.epoch,
        "best_epoch": state.best_epoch,
        "parameters": model.count_params(),
        **evaluate(predict(model, images, spec.scaling), truth, classes),
    }
    return model, pd.DataFrame(state.history), report


def _shuffle_labels(data: Mapping[str, tuple], seed: int) -> dict[str, tuple]:
    """Give each part's targets to its pictures by chance, as many of each class as before; what
    chooses the epoch sees no more of the truth than what trains. The test keeps its labels."""
    rng = np.random.default_rng([seed, _SHUFFLE])
    return {part: (images, rng.permutation(own)) for part, (images, own) in data.items()}


def class_shares(expression: pd.Series, classes: Sequence[str]) -> dict[str, float]:
    """Share of each class among pictures, by their expression."""
    return {name: float((expression == name).mean()) for name in classes}


def _sample_weights(targets, classes, training: Training) -> np.ndarray | None:
    if training.class_weights == "none":
        return None
    if training.class_weights == "balanced":
        return compute_sample_weight("balanced", targets)
    unknown = set(training.class_weights) - set(classes)
    if unknown:
        name = sorted(unknown)[0]
        raise FacestagesError(
            f"training.class_weights.{name}: no such class; {did_you_mean(name, classes)}"
        )
    by_class = np.array([training.class_weights.get(name, 1.0) for name in classes])
    return by_class[targets]


def _describe_test(training: Training) -> str:
    how = "; trained on SHUFFLED labels" if training.shuffle_labels else ""
    if training.splits:
        return "splits " + ", ".join(training.splits.test) + how
    unit = "people" if training.holdout.by == "identity" else "pictures"
    share = f"{training.holdout.share:.0%}"
    return f"{share} of the {unit} held out (they also chose the epoch){how}"


def train_network(
    name: str,
    source: Mapping,
    training: Training,
    seed: int,
    *,
    code: str | Sequence[str],
    stimuli,
    checkpoint,
    model_out,
    history_out,
    metrics_out,
    gpu: int = 0,
) -> None:
    """Train one instance of a network and write it with its history and metrics.

    Parameters
    ----------
    name : str
        Its name in the config.
    source : mapping
        What `networks.load_network` needs to know.
    training : Training
    seed : int
    code : str or sequence of str
        Digest of the code.
    stimuli, checkpoint, model_out, history_out, metrics_out : path-like
        The face set, the folder of the interrupted training, and the files to write.
    """
    keras.config.set_dtype_policy(training.precision)
    network = load_network(name, **source, seed=seed, gpu=gpu)
    keras.config.set_dtype_policy("float32")
    model, history, report = train_classifier(
        network.model,
        network.input,
        read_stimuli(stimuli),
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
    shutil.rmtree(checkpoint, ignore_errors=True)
