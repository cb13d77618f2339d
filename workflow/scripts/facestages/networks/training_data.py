"""Which pictures of a face set train a network, which test it, and how much each one counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit, train_test_split
from sklearn.utils.class_weight import compute_sample_weight

from facestages.config.training import Holdout, Training
from facestages.errors import FacestagesError, did_you_mean

# Distinguish random numbers of the same seed.
_SHUFFLE, _STRANGERS = 1, 2


def split_training_data(
    labels: pd.DataFrame, expressions: Sequence[str] | None, training: Training
) -> dict[str, np.ndarray]:
    """Choose the pictures that train, those that choose the epoch, and those that test.

    Parameters
    ----------
    labels : pandas.DataFrame of n rows
        With the labels that are learnt, and those by which `training` splits.
    expressions : sequence of str or None
        Expressions that are learnt; pictures of other expressions are left out. None if only people
        are.

    Returns
    -------
    dict of str to numpy.ndarray of int
        Row numbers under ``train``, ``validation`` and ``test``; of people who do not train, where
        people are known, under ``strangers``. With a random holdout, validation and test are the
        same rows, as in the published protocol.

    Raises
    ------
    FacestagesError
        If a label is missing, a class has no picture in one of the parts, or a split is unknown.
    """
    for column in _columns_needed(training):
        if column not in labels:
            raise FacestagesError(
                f"face set '{training.dataset}' has no label '{column}', which training needs"
            )
    rows = _find_usable(labels, expressions, training)
    if training.splits:
        parts = _named_rows(labels, rows, training)
    else:
        strangers = _set_aside(labels, rows, training)
        train, held = _hold_out(labels, np.setdiff1d(rows, strangers), training)
        parts = {"train": train, "validation": held, "test": held}
    if "identity" in labels:
        trained = labels["identity"].isin(labels["identity"].iloc[parts["train"]]).to_numpy()
        parts["strangers"] = rows[~trained[rows] & labels["identity"].notna().to_numpy()[rows]]
        if "identity" in training.label:
            parts |= {part: parts[part][trained[parts[part]]] for part in ("validation", "test")}
    for label, names in list_classes(labels, parts, expressions, training).items():
        _require_classes(labels[label].to_numpy(), label, names, parts, training)
    return parts


def list_classes(
    labels: pd.DataFrame,
    parts: Mapping[str, np.ndarray],
    expressions: Sequence[str] | None,
    training: Training,
) -> dict[str, list[str]]:
    """Classes of each output, by the label that it learns: expressions, or the people who train."""
    people = labels["identity"].iloc[parts["train"]] if "identity" in labels else pd.Series()
    names = {"expression": list(expressions or ()), "identity": sorted(people.dropna().unique())}
    return {label: names[label] for label in training.label}


def number_classes(labels: pd.DataFrame, classes: Mapping[str, Sequence[str]]) -> np.ndarray:
    """Number of each picture's class, (n, outputs); -1 where it has none of them."""
    numbers = [pd.Index(names).get_indexer(labels[label]) for label, names in classes.items()]
    return np.stack(numbers, axis=1)


def _columns_needed(training: Training) -> list[str]:
    columns = list(training.label)
    if training.splits:
        return [*columns, "split"]
    if training.holdout.by != "stimulus" or training.holdout.strangers:
        columns.append("identity")
    if training.holdout.by == "session":
        columns.append("session")
    return [*columns, *(training.holdout.stratify or ())]


def _find_usable(
    labels: pd.DataFrame, expressions: Sequence[str] | None, training: Training
) -> np.ndarray:
    """Rows of the pictures that have all labels that are learnt."""
    usable = labels[training.label].notna().all(axis=1).to_numpy()
    if "expression" in training.label:
        found = set(labels["expression"])
        missing = [name for name in expressions if name not in found]
        if missing:
            raise FacestagesError(
                f"face set '{training.dataset}' has no picture of class '{missing[0]}': "
                f"{did_you_mean(missing[0], found)}"
            )
        usable &= labels["expression"].isin(expressions).to_numpy()
    return np.flatnonzero(usable)


def _require_classes(
    values: np.ndarray,
    label: str,
    names: Sequence[str],
    parts: Mapping[str, np.ndarray],
    training: Training,
) -> None:
    if len(set(names)) < 2:
        kind = "classes" if label == "expression" else "people"
        raise FacestagesError(f"training needs two {kind} or more, not {list(names)}")
    for part in ("train", "validation", "test"):
        empty = set(names) - set(values[parts[part]])
        if empty:
            raise FacestagesError(
                f"face set '{training.dataset}': no picture of '{sorted(empty)[0]}' in the "
                f"{part} part ({len(parts[part])} pictures); give it more pictures or another split"
            )


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


def _set_aside(labels: pd.DataFrame, rows: np.ndarray, training: Training) -> np.ndarray:
    """Rows of the people who are strangers to the network."""
    holdout = training.holdout
    if not holdout.strangers:
        return rows[:0]
    people = labels["identity"].iloc[rows]
    names = np.array(sorted(people.dropna().unique()), dtype=object)
    if len(names) < 2:
        raise FacestagesError(
            f"face set '{training.dataset}' has {len(names)} people, none of whom can be set "
            f"aside; leave out training.holdout.strangers"
        )
    number = int(np.clip(round(holdout.strangers * len(names)), 1, len(names) - 1))
    chosen = np.random.default_rng([holdout.seed, _STRANGERS]).permutation(names)[:number]
    return rows[people.isin(chosen).to_numpy()]


def _hold_out(
    labels: pd.DataFrame, rows: np.ndarray, training: Training
) -> tuple[np.ndarray, np.ndarray]:
    holdout = training.holdout
    if holdout.by == "identity":
        splitter = GroupShuffleSplit(1, test_size=holdout.share, random_state=holdout.seed)
        groups = labels["identity"].to_numpy()[rows]
        train, held = next(splitter.split(rows, groups=groups))
        return rows[train], rows[held]
    if holdout.by == "session":
        held = _hold_out_sessions(labels.iloc[rows], holdout)
        return rows[~held], rows[held]
    strata = labels.iloc[rows].groupby(holdout.stratify or training.label).ngroup()
    try:
        train, held = train_test_split(
            rows, test_size=holdout.share, random_state=holdout.seed, stratify=strata
        )
    except ValueError as error:
        raise FacestagesError(
            f"face set '{training.dataset}': cannot hold out {holdout.share:.0%} of "
            f"{len(rows)} pictures by class ({error})"
        ) from error
    return train, held


def _hold_out_sessions(labels: pd.DataFrame, holdout: Holdout) -> np.ndarray:
    """Whether each picture is of a session that is held out: some of each person's, not all."""
    rng, held = np.random.default_rng(holdout.seed), np.zeros(len(labels), bool)
    for rows in labels.groupby("identity").indices.values():
        sessions = labels["session"].iloc[rows]
        names = sorted(sessions.dropna().unique())
        number = min(max(round(holdout.share * len(names)), 1), len(names) - 1)
        chosen = rng.permutation(np.array(names, dtype=object))[:number]
        held[rows] = sessions.isin(chosen)
    return held


def shuffle_targets(data: Mapping[str, tuple], seed: int) -> dict[str, tuple]:
    """Permute the rows of targets within each part (images, targets), so that a picture keeps its
    classes by chance alone, and classes keep their numbers."""
    rng = np.random.default_rng([seed, _SHUFFLE])
    return {part: (images, rng.permutation(targets)) for part, (images, targets) in data.items()}


def class_shares(expression: pd.Series, classes: Sequence[str]) -> dict[str, float]:
    """Share of each class among pictures, by their expression."""
    return {name: float((expression == name).mean()) for name in classes}


def weigh_samples(
    targets: np.ndarray, classes: Mapping[str, Sequence[str]], training: Training
) -> np.ndarray | None:
    """Weight of each training picture in the loss, (n,), by its only target, (n, 1).

    None for no weights; `classes` are as `list_classes` returns them.
    """
    if training.class_weights == "none":
        return None
    (names,) = classes.values()
    if training.class_weights == "balanced":
        return compute_sample_weight("balanced", targets[:, 0])
    unknown = set(training.class_weights) - set(names)
    if unknown:
        name = sorted(unknown)[0]
        raise FacestagesError(
            f"training.class_weights.{name}: no such class; {did_you_mean(name, names)}"
        )
    by_class = np.array([training.class_weights.get(name, 1.0) for name in names])
    return by_class[targets[:, 0]]


def describe_test(training: Training) -> str:
    """The pictures that the accuracy is from, in words."""
    labels = "; trained on SHUFFLED labels" if training.shuffle_labels else ""
    if training.splits:
        return "splits " + ", ".join(training.splits.test) + labels
    units = {"stimulus": "pictures", "session": "sessions of each person", "identity": "people"}
    held = f"{training.holdout.share:.0%} of the {units[training.holdout.by]}"
    return f"{held} held out (they also chose the epoch){labels}"
