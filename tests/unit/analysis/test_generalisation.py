"""Folds of other expressions, and control labels, which memory alone learns."""

import numpy as np
import pandas as pd
import pytest
from bench.simulated_faces import planted_spaces

from facestages.analysis.decoding_tasks import Settings
from facestages.analysis.generalisation import (
    control_task,
    hold_out_expressions,
    identity_across_expressions,
    selectivity,
)
from facestages.errors import FacestagesError

SETTINGS = Settings(5, 30, 100, 0)


def labels(**options):
    return planted_spaces(0, 60, people=6, **options)[1]


def test_neither_expression_nor_session_of_a_held_out_picture_is_trained_on():
    table = labels()
    folds = hold_out_expressions(table, 5)
    assert folds.held_out == "expressions and sessions" and len(folds.training) == 10
    for number, training in enumerate(folds.training):
        used, held_out = (
            table.iloc[folds.rows[training]],
            table.iloc[folds.rows[folds.fold == number]],
        )
        assert len(used) == 6 * 4 and len(held_out) == 6
        for label in ("expression", "session"):
            assert not set(used[label]) & set(held_out[label])


def test_expressions_alone_are_held_out_without_sessions():
    folds = hold_out_expressions(labels(sessions=1).drop(columns="session"), 3)
    assert folds.held_out == "expressions" and len(folds.training) == 3
    assert (folds.training.sum(axis=0) == 2).all()


def test_the_task_of_other_expressions():
    task = identity_across_expressions(labels(), SETTINGS)
    assert task.groups == task.people == 6 and task.labellings.shape == (31, 60)
    assert task.row["chance"] == pytest.approx(1 / 6) and task.row["n"] == 60


@pytest.mark.parametrize("label", ["identity", "expression"])
def test_control_labels_belong_to_each_expression_of_each_person(label):
    table = labels()
    task = control_task(table, label, SETTINGS)
    cells = (table["identity"] + table["expression"]).to_numpy()[task.folds.rows]
    for control in task.labellings[1:]:
        assert (pd.Series(control).groupby(cells).nunique() == 1).all()
        np.testing.assert_array_equal(np.bincount(control), np.bincount(task.labellings[0]))
    assert (task.labellings[1:] != task.labellings[0]).any(axis=1).all()


def test_selectivity_is_what_the_label_has_more_than_its_controls():
    row = selectivity(np.array([0.9, 0.2, 0.4]))
    assert row["value"] == pytest.approx(0.6) and row["null_mean"] == pytest.approx(0.3)
    assert row["p"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (labels().drop(columns="expression"), "has no label 'expression'"),
        (labels(sessions=1), "no two people have two of 'session'"),
        (
            labels().assign(expression=lambda table: "e" + table.index.astype(str)),
            "no person shows an expression in two sessions",
        ),
    ],
)
def test_control_labels_that_cannot_be_learnt(table, message):
    with pytest.raises(FacestagesError, match=message):
        control_task(table, "identity", SETTINGS)


def test_one_expression_has_no_other():
    with pytest.raises(FacestagesError, match="there is no other to hold out"):
        hold_out_expressions(labels().assign(expression="happy"), 5)
