"""Decoders of identity and of expression, of which each may use the subspace of the other.

Both labels are decoded in the full space; from other conditions; against control labels; and with
either label erased.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from facestages.analysis.decoding import measure, score
from facestages.analysis.decoding_tasks import Settings, Task, prepare_task
from facestages.analysis.erasure import Classes, Spaces, measure_erasure, task_spaces
from facestages.analysis.generalisation import (
    control_task,
    identity_across_expressions,
    selectivity,
)
from facestages.analysis.labels import is_labelled
from facestages.analysis.permutation import permute_label
from facestages.analysis.readouts import ALL_THE_SAME
from facestages.analysis.subspaces import LABELS
from facestages.errors import FacestagesError

# So many permuted labels are erased.
_ERASED = 39


class Transfer(NamedTuple):
    """What is decoded, the same in all layers."""

    #: Pictures with both labels, shape (m,), or with one where no picture has the other.
    rows: np.ndarray
    #: By label: what is erased.
    classes: Mapping[str, Classes]
    #: By label: the tasks of `decoding_tasks.prepare_task` and of `generalisation.control_task`.
    plain: Mapping[str, Task]
    controls: Mapping[str, Task]
    #: The task of `generalisation.identity_across_expressions`.
    across: Task


def prepare_transfer(table: pd.DataFrame, settings: Settings) -> Transfer:
    """Tasks of the pictures (n,) that have an identity and an expression, or all that have one."""
    labelled = {label: is_labelled(table, label) for label in LABELS}
    there = [label for label in LABELS if labelled[label].any()]
    rows = np.flatnonzero(np.all([labelled[label] for label in there], axis=0))
    table = table.iloc[rows].reset_index(drop=True)
    return Transfer(
        rows,
        {label: _classes(table, label, settings.seed) for label in there},
        {label: prepare_task(table, label, settings) for label in LABELS},
        {label: _try(control_task, table, label, settings) for label in LABELS},
        _try(identity_across_expressions, table, settings),
    )


def _classes(table: pd.DataFrame, label: str, seed: int) -> Classes:
    codes = pd.factorize(table[label])[0].astype(np.int32)
    # All layers have the same folds.
    known: dict[bytes, np.ndarray] = {}

    def permute(rows: np.ndarray) -> np.ndarray:
        key = rows.tobytes()
        if key not in known:
            try:
                moved = permute_label(table.iloc[rows], label, _ERASED, seed).rows
                known[key] = codes[rows][moved]
            except FacestagesError:
                known[key] = np.empty((0, len(rows)), np.int32)
        return known[key]

    return Classes(codes, permute)


def _try(prepare: Callable[..., Task], *about: object) -> Task:
    """A task, or one without folds, whose note says why there is none."""
    try:
        return prepare(*about)
    except FacestagesError as error:
        return Task({"note": str(error)})


def transfer_rows(points: np.ndarray, transfer: Transfer) -> Iterator[dict[str, object]]:
    """Rows of all that is decoded from the points (n, k) of a layer."""
    points = points[transfer.rows]
    spaces = {}
    for label, task in transfer.plain.items():
        row = {"label": label, "measure": "accuracy"}
        spaces[label] = _spaces(points, task)
        yield {**row, **_measured(points, task, spaces[label])}
    across = {"label": "identity", "other": "expression", "measure": "accuracy_across"}
    yield {**across, **_measured(points, transfer.across, _spaces(points, transfer.across))}
    for label, task in transfer.controls.items():
        yield {"label": label, "measure": "selectivity", **_selectivity(points, task)}
    for label, task in transfer.plain.items():
        for erased in reversed(LABELS) if label == "identity" else LABELS:
            if spaces[label] is None or erased not in transfer.classes:
                continue
            before = spaces[label]
            if erased == label:
                # What is left of a label itself needs no interval, which takes most of the time.
                task, before = task._replace(halves=()), before[:1]
            for row in measure_erasure(points, task, before, transfer.classes[erased]):
                yield {**task.row, "label": label, "other": erased, **row}


def _spaces(points: np.ndarray, task: Task) -> Spaces | None:
    """Spaces of a task, if it has any: all training pictures of a fold may be the same."""
    if task.folds is None:
        return None
    try:
        return task_spaces(points, task)
    except FacestagesError:
        return None


def _measured(points: np.ndarray, task: Task, spaces: Spaces | None) -> dict[str, object]:
    """Columns of `decoding.measure`, or the note of a task that cannot be done."""
    columns = {name: value for name, value in task.row.items() if name not in ("label", "measure")}
    if spaces is None:
        return columns | {"note": columns.get("note") or ALL_THE_SAME}
    (row,) = measure(task, spaces, [points.shape[1]])
    return columns | row


def _selectivity(points: np.ndarray, task: Task) -> dict[str, object]:
    spaces = _spaces(points, task)
    if spaces is None:
        return task.row | {"note": task.row.get("note") or ALL_THE_SAME}
    if len(task.labellings) == 1:
        return task.row | {"note": "no control labels are drawn"}
    accuracies = score(task, spaces[0], task.folds, task.labellings, [points.shape[1]])[0]
    return task.row | selectivity(accuracies)
