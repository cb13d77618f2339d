"""What is decoded of a layer, and what it says where a design does not tell."""

import numpy as np
import pandas as pd
import pytest
from bench.simulated_faces import planted_spaces

from facestages.analysis.decoding import decode
from facestages.analysis.decoding_tasks import Settings
from facestages.analysis.readouts import ALL_THE_SAME
from facestages.analysis.transfer import prepare_transfer, transfer_rows

SETTINGS = Settings(5, 19, 100, 0)


def measured(points, table):
    rows = pd.DataFrame(transfer_rows(points, prepare_transfer(table, SETTINGS)))
    return rows.fillna({"other": "", "note": ""}).set_index(["measure", "label", "other"])


@pytest.fixture
def layer():
    points, table = planted_spaces(0, 90, noise=0.25, people=12)
    return points - points.mean(axis=0), table


def test_accuracies_are_those_of_decoding(layer):
    points, table = layer
    rows = measured(points, table)
    gram = (points @ points.T).astype(np.float32)
    for expected in decode(gram, table, ["identity", "expression"], [30], 19, 100):
        row = rows.loc["accuracy", expected["label"], ""]
        for column in ("value", "ci_low", "ci_high", "null_mean", "chance"):
            assert row[column] == pytest.approx(expected[column], abs=0.03), column
        assert row["held_out"] == expected["held_out"]


def test_what_is_planted_crosses_conditions_and_is_no_memory(layer):
    rows = measured(*layer)
    across = rows.loc["accuracy_across", "identity", "expression"]
    assert across["value"] > 2 * across["chance"] and across["p"] == 0.05
    for label in ("identity", "expression"):
        selective = rows.loc["selectivity", label, ""]
        assert selective["value"] > 0.15 and selective["p"] == 0.05
        assert rows.loc["erasure_leace", label, label]["value"] < selective["chance"] + 0.1


def test_a_code_of_its_own_for_each_cell_is_memory(layer):
    """Each person shows each expression in a way of their own, which tells nothing of others."""
    _, table = layer
    rng = np.random.default_rng(0)
    cells = pd.factorize(table["identity"] + table["expression"])[0]
    points = 3 * rng.normal(size=(60, 40))[cells] + rng.normal(size=(len(table), 40))
    rows = measured(points - points.mean(axis=0), table)
    for label in ("identity", "expression"):
        assert rows.loc["selectivity", label, ""]["p"] > 0.05
    assert rows.loc["accuracy_across", "identity", "expression"]["p"] > 0.05


@pytest.mark.parametrize(
    ("drop", "label", "measure", "note"),
    [
        ("expression", "expression", "accuracy", "no label 'expression'"),
        ("expression", "identity", "accuracy_across", "no label 'expression'"),
        ("identity", "identity", "accuracy", "no label 'identity'"),
        ("session", "identity", "accuracy", "in no order"),
        ("session", "expression", "selectivity", "in no order"),
    ],
)
def test_what_cannot_be_decoded_has_a_note_and_the_rest_is_there(layer, drop, label, measure, note):
    points, table = layer
    rows = measured(points, table.drop(columns=drop)).reset_index()
    row = rows[(rows["measure"] == measure) & (rows["label"] == label)].iloc[0]
    assert np.isnan(row["value"]) and note in row["note"]
    assert rows["value"].notna().any()
    assert (rows["note"] != "")[rows["value"].isna()].all()


def test_pictures_that_are_nearly_all_on_one_point(layer):
    _, table = layer
    points = np.zeros((len(table), 3))
    points[0] = 1
    rows = measured(points, table)
    assert rows.loc["accuracy", "expression", ""]["note"] == ALL_THE_SAME


def test_permuted_classes_are_those_of_the_same_pictures(layer):
    _, table = layer
    transfer = prepare_transfer(table, SETTINGS)
    folds, (codes, permute) = transfer.plain["expression"].folds, transfer.classes["identity"]
    for training in folds.training:
        rows = folds.rows[training]
        permuted = permute(rows)
        assert len(permuted) == 39 and (permuted != codes[rows]).any(axis=1).all()
        np.testing.assert_array_equal(np.sort(permuted)[0], np.sort(codes[rows]))
