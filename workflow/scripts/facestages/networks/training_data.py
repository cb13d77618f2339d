"""Which pictures of a face set train a network, which test it, and how much each one counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit, train_test_split
from sklearn.utils.class_weight import compute_sample_weight

from facestages.config.training import Training
from facestages.errors import FacestagesError, did_you_mean

# Distinguishes the random numbers that shuffle labels from all others of the same seed.
_SHUFFLE = 1


def split_training_data(
    labels: pd.DataFrame, classes: Sequence[str], training: Training
) -> dict[str, np.ndarray]:
    """Choose the pictures that train, those that choose the epoch, and those that test.

    Parameters
    ----------
    labels : pandas.DataFrame of n rows
        With ``expression``, and with ``split`` or ``identity`` where `training` splits by them.
    classes : sequence of str
        Expressions used; pictures of other expressions are left out.
    training : Training

    Returns
    -------
    dict of str to numpy.ndarray of int
        Row numbers under ``train``, ``validation`` and ``test``. With a random holdout the last
        two are the same rows, as in the published protocol.

    Raises
    ------
    FacestagesError
        If a class has no picture in one of the parts, or a split is unknown.
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
    if training.splits:
        parts = _named_rows(labels, rows, training)
    else:
        train, held = _hold_out(labels, rows, training)
        parts = {"train": train, "validation": held, "test": held}
    for part, part_rows in parts.items():
        empty = set(classes) - set(expression[part_rows])
        if empty:
            raise FacestagesError(
                f"face set '{training.dataset}': no picture of '{sorted(empty)[0]}' in the "
                f"{part} part ({len(part_rows)} pictures); give it more pictures or another split"
            )
    return parts


def _column_needed(training: Training) -> tuple[str, ...]:
    if training.splits:
        return ("split",)
    return ("identity",) if training.holdout.by == "identity" else ()


def _named_rows(
    labels: pd.DataFrame, rows: np.ndarray, training: Training
) -> dict[str, np.ndarray]:
    split = labels["split"].to_numpy()[rows]
    parts = {}
    for part, names in training.splits:
        for name in names:
            if name not in split:
                raise FacestagesError(
                    f"training.splits.{part} = '{name}': face set '{training.dataset}' has no such "
                    f"split; {did_you_mean(name, set(split))}"
                )
        parts[part] = rows[np.isin(split, names)]
    return parts


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


def shuffle_targets(data: Mapping[str, tuple], seed: int) -> dict[str, tuple]:
    """Permute the targets within each part (images, targets), so that a picture keeps its class by
    chance alone, and classes keep their numbers."""
    rng = np.random.default_rng([seed, _SHUFFLE])
    return {part: (images, rng.permutation(targets)) for part, (images, targets) in data.items()}


def class_shares(expression: pd.Series, classes: Sequence[str]) -> dict[str, float]:
    """Share of each class among pictures, by their expression."""
    return {name: float((expression == name).mean()) for name in classes}


def weigh_samples(
    targets: np.ndarray, classes: Sequence[str], training: Training
) -> np.ndarray | None:
    """Weight of each training picture in the loss, (n,), by its class; None for no weights."""
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


def describe_test(training: Training) -> str:
    """The pictures that the accuracy is from, in words."""
    labels = "; trained on SHUFFLED labels" if training.shuffle_labels else ""
    if training.splits:
        return "splits " + ", ".join(training.splits.test) + labels
    unit = "people" if training.holdout.by == "identity" else "pictures"
    share = f"{training.holdout.share:.0%}"
    return f"{share} of the {unit} held out (they also chose the epoch){labels}"
