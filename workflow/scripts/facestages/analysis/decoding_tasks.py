"""Folds, permuted labels and halves of the people for decoding a label, the same in all layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from facestages.analysis.folds import Folds, hold_out_people, hold_out_times
from facestages.analysis.labels import is_labelled, join_notes, no_label
from facestages.analysis.permutation import permute_label
from facestages.analysis.resampling import people_weights
from facestages.analysis.sampling import SPLITS
from facestages.errors import FacestagesError

#: Note of identity that is decoded from one recording of each person.
ONE_RECORDING = "what stays during a recording, such as light or pose, counts as identity"

# Each half needs two people, so that one can be held out.
_FEWEST_PEOPLE = 4


class Settings(NamedTuple):
    """Settings of `analysis.decoding.decode`."""

    folds: int
    permutations: int
    resamples: int
    seed: int


class Task(NamedTuple):
    """A label to decode."""

    #: Columns of the table that are the same for all layers.
    row: dict[str, object]
    #: None where the label cannot be decoded; the row's note has the reason.
    folds: Folds | None = None
    #: Group numbers, or values, of all n pictures; meaningless for pictures that are not used.
    truth: np.ndarray | None = None
    #: The truth of the m pictures that are used, then its permutations, shape (1 + b, m).
    labellings: np.ndarray | None = None
    #: Number of groups; 0 for numbers.
    groups: int = 0
    #: Number of people.
    people: int = 0
    #: Folds of a first half of the people, of the second half, of another first half, ...; none
    #: for identity.
    halves: Sequence[Folds] = ()
    #: How often each person is drawn, shape (resamples, people); for identity.
    drawn: np.ndarray | None = None


def prepare_task(table: pd.DataFrame, label: str, settings: Settings) -> Task:
    """Prepare the decoding of a label from the table of a face set's labels."""
    labelled, notes = is_labelled(table, label), []
    numbers = labelled.any() and label != "identity" and is_numeric_dtype(table[label])
    row = {"label": label, "measure": "r2_held_out" if numbers else "balanced_accuracy"}
    task = Task({**row, "n": int(labelled.sum())})
    try:
        if not labelled.any():
            raise FacestagesError(no_label(label))
        prepare = _prepare_identity if label == "identity" else _prepare_other
        task = prepare(table, task, notes, settings)
    except FacestagesError as error:
        notes.append(str(error))
    return task._replace(row={**task.row, "note": join_notes(*notes)})


def _prepare_identity(
    table: pd.DataFrame, task: Task, notes: list[str], settings: Settings
) -> Task:
    folds = hold_out_times(table, settings.folds)
    truth = number_groups(table["identity"], folds.rows)[0]
    people, groups = truth[folds.rows], truth.max() + 1
    others = table.loc[is_labelled(table, "identity"), "identity"].nunique() - groups
    if others:
        notes.append(f"{others} people left out, who have too few {folds.held_out}")
    if folds.held_out == "time blocks":
        notes.append(ONE_RECORDING)
    moved = swap_people(people, folds.fold, settings.permutations, settings.seed)
    labellings = np.vstack([people, moved]).astype(np.int16)
    drawn = people_weights(np.arange(groups), settings.resamples, settings.seed)
    row = task.row | describe(folds, groups, f"from person to person within {folds.held_out}")
    return Task(row, folds, truth, labellings, groups, groups, drawn=drawn)


def number_groups(names: pd.Series, rows: np.ndarray) -> tuple[np.ndarray, pd.Index]:
    """Number of each picture's group (n,), -1 outside of `rows`, and the names of the groups."""
    return pd.factorize(names.where(np.isin(np.arange(len(names)), rows)))


def describe(folds: Folds, groups: int, moved: str) -> dict[str, object]:
    row = {"held_out": folds.held_out, "folds": len(folds.training), "n": len(folds.rows)}
    row |= {"n_groups": groups, "chance": 1 / groups} if groups else {}
    return row | {"null": moved}


def swap_people(people: np.ndarray, fold: np.ndarray, permutations: int, seed: int) -> np.ndarray:
    """Permuted identities (b, m): in each fold, all pictures of a person get one other name.

    Pictures of one session, or of one time block, are alike for more reasons than the person.
    Moving them one by one would make the null distribution too narrow.
    """
    rng = np.random.default_rng(seed)
    moved = np.empty((permutations, len(people)), people.dtype)
    for number in np.unique(fold):
        members = fold == number
        present, person = np.unique(people[members], return_inverse=True)
        names = rng.permuted(np.tile(present, (permutations, 1)), axis=1)
        moved[:, members] = names[:, person]
    return moved


def _prepare_other(table: pd.DataFrame, task: Task, notes: list[str], settings: Settings) -> Task:
    label, identified = task.row["label"], is_labelled(table, "identity")
    # A picture without an identity counts as an identity by itself.
    people = table["stimulus_id"].where(~identified, table.get("identity")).to_numpy()
    if not identified.any():
        notes.append("people are not known, pictures are taken as independent")
    rows = np.flatnonzero(is_labelled(table, label))
    if task.row["measure"] == "r2_held_out":
        folds, groups = hold_out_people(people, rows, settings.folds), 0
        truth = table[label].to_numpy(np.float64)
    else:
        folds = _hold_out_names(people, table[label].to_numpy(), rows, settings.folds, notes)
        truth, names = number_groups(table[label], folds.rows)
        groups = len(names)
    if not identified.any():
        folds = folds._replace(held_out="pictures")
    number = len(set(people[folds.rows]))
    if number < settings.folds:
        notes.append(f"{number} folds, as there are {number} {folds.held_out}")
    if number < _FEWEST_PEOPLE:
        notes.append(f"no interval with fewer than {_FEWEST_PEOPLE} {folds.held_out}")
    used = table.assign(identity=people).iloc[folds.rows]
    permuted = permute_label(used, label, settings.permutations, settings.seed)
    row, values = task.row | describe(folds, groups, permuted.how), truth[folds.rows]
    labellings = np.vstack([values, values[permuted.rows]])
    labellings = labellings.astype(np.int16 if groups else np.float64)
    halves = []
    if number >= _FEWEST_PEOPLE and settings.resamples:
        halves = _halve(people, folds.rows, settings)
    return Task(row, folds, truth, labellings, groups, number, halves)


def _hold_out_names(
    people: np.ndarray, names: np.ndarray, rows: np.ndarray, folds: int, notes: list[str]
) -> Folds:
    """Hold out people, and leave out names that appear in one fold only.

    No training set would have such a name when its pictures are held out.
    """
    while True:
        held_out = hold_out_people(people, rows, folds)
        spread = pd.Series(held_out.fold).groupby(names[rows]).nunique()
        alone = spread.index[spread < 2]
        if not len(alone):
            return held_out
        notes.append(f"left out, not shown by people of two folds: {', '.join(alone)}")
        rows = rows[~np.isin(names[rows], alone)]


def _halve(people: np.ndarray, rows: np.ndarray, settings: Settings) -> list[Folds]:
    """Folds of one half of the people and of the other, `sampling.SPLITS` times."""
    names, person = np.unique(people[rows].astype(str), return_inverse=True)
    rng = np.random.default_rng(settings.seed)
    halves = []
    for _ in range(SPLITS):
        first = (rng.permutation(len(names)) % 2 == 0)[person]
        halves += [hold_out_people(people, rows[half], settings.folds) for half in (first, ~first)]
    return halves
