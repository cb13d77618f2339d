"""Is a label read out alike under other conditions, and by more than memory?

A format is abstract if a read-out that was fitted under some conditions works under others
(Bernardi et al. 2020, doi:10.1016/j.cell.2020.09.031). Expression is always decoded from other
people; here identity is decoded from other expressions. Selectivity asks whether a read-out could
as well have learnt labels that mean nothing (Hewitt and Liang 2019, doi:10.18653/v1/D19-1275).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from facestages.analysis.decoding_tasks import Settings, Task, describe, number_groups, swap_people
from facestages.analysis.folds import Folds, hold_out_people, hold_out_times
from facestages.analysis.labels import is_labelled, no_label
from facestages.analysis.permutation import compare_with_null
from facestages.analysis.resampling import people_weights
from facestages.errors import FacestagesError

_ROUNDING = 1e-9


def hold_out_expressions(table: pd.DataFrame, folds: int) -> Folds:
    """Hold out expressions, and another time too where there are sessions or frames.

    Training pictures show other expressions at another time (`folds.hold_out_times`), so that what
    stays during a session does not help.

    Raises
    ------
    FacestagesError
        If there are no two expressions.
    """
    _require_labels(table)
    if table["expression"].nunique() < 2:
        raise FacestagesError("all pictures show one expression, there is no other to hold out")
    rows = np.arange(len(table))
    shown = hold_out_people(table["expression"].to_numpy(), rows, folds)
    shown = shown._replace(held_out="expressions")
    try:
        timed = hold_out_times(table, 2)
    except FacestagesError:
        return shown
    expression, time = shown.fold[timed.rows], timed.fold
    training = [
        (expression != number) & (time != half)
        for number in range(len(shown.training))
        for half in (0, 1)
    ]
    held_out = f"expressions and {timed.held_out}"
    return Folds(timed.rows, 2 * expression + time, np.array(training), held_out)


def identity_across_expressions(table: pd.DataFrame, settings: Settings) -> Task:
    """The task of decoding identity from pictures of other expressions, for `decoding.measure`.

    Every picture of the table has an identity and an expression. Errors are those of
    `hold_out_expressions`.
    """
    folds = hold_out_expressions(table, settings.folds)
    truth = number_groups(table["identity"], folds.rows)[0]
    people, groups = truth[folds.rows], int(truth.max()) + 1
    moved = swap_people(people, folds.fold, settings.permutations, settings.seed)
    drawn = people_weights(np.arange(groups), settings.resamples, settings.seed)
    row = {"n": len(folds.rows)}
    row |= describe(folds, groups, f"from person to person within {folds.held_out}")
    return Task(row, folds, truth, np.vstack([people, moved]), groups, groups, drawn=drawn)


def control_task(table: pd.DataFrame, label: str, settings: Settings) -> Task:
    """The task of decoding a label, or else control labels, at another time.

    A control label belongs to each expression of each person, and is the same at all times: the
    labels of these are permuted among them. A read-out that remembers how each person shows each
    expression learns it as well as the label.

    Raises
    ------
    FacestagesError
        If no expression of a person is shown at two times.
    """
    _require_labels(table)
    folds = hold_out_times(table, settings.folds)
    names = table["identity"].astype(str) + "\n" + table["expression"].astype(str)
    cells = pd.factorize(names)[0]
    several = pd.Series(folds.fold).groupby(cells[folds.rows]).transform("nunique").to_numpy() > 1
    if not several.any():
        raise FacestagesError(
            f"no person shows an expression in two {folds.held_out}, so that control labels cannot "
            f"be learnt"
        )
    folds = Folds(
        folds.rows[several], folds.fold[several], folds.training[:, several], folds.held_out
    )
    cells = pd.factorize(cells[folds.rows])[0]
    truth = number_groups(table[label], folds.rows)[0]
    used = truth[folds.rows]
    groups = int(used.max()) + 1
    of_cells = used[np.unique(cells, return_index=True)[1]]
    rng = np.random.default_rng(settings.seed)
    controls = rng.permuted(np.tile(of_cells, (settings.permutations, 1)), axis=1)[:, cells]
    row = {"n": len(folds.rows)} | describe(folds, groups, "control labels")
    return Task(row, folds, truth, np.vstack([used, controls]), groups, 0)


def _require_labels(table: pd.DataFrame) -> None:
    for label in ("identity", "expression"):
        if not is_labelled(table, label).any():
            raise FacestagesError(no_label(label))


def selectivity(accuracies: np.ndarray) -> dict[str, float]:
    """The first accuracy, of the label, less the mean of the others, of control labels."""
    compared = compare_with_null(accuracies[0], accuracies[1:], _ROUNDING)
    return {"value": accuracies[0] - accuracies[1:].mean(), **compared}
