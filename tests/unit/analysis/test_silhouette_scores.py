"""Silhouettes of one label: what is found, what is not estimable, what is circular."""

import numpy as np
import pandas as pd
import pytest
from bench.simulated_faces import portraits, sequences, video

from facestages.analysis.permutation import permute_label
from facestages.analysis.silhouette_scores import CENTRED, score_label

WITHIN = "silhouette_within"


def scored(points, table, label="expression", permutations=0, **sources):
    """Rows of `score_label` by measure."""
    points = points - points.mean(axis=0)
    moved = permute_label(table, label, permutations) if permutations else None
    sources = dict.fromkeys(table, "posed") | sources
    rows = score_label(points @ points.T, label, table, sources, "net", moved)
    return {row["measure"]: row for row in rows}


@pytest.mark.parametrize("label", ["expression", "identity"])
@pytest.mark.parametrize("make", [video, portraits])
def test_an_effect_is_found(make, label):
    points, table = make(0, effect_of=label, present=True)
    for measure, row in scored(points, table, label, permutations=199).items():
        assert row["p"] <= 0.01 and row["z"] > 3, measure
        assert row["ci_low"] < row["value"] < row["ci_high"]


def test_what_is_not_estimable_says_why_and_the_rest_is_measured():
    points, table = portraits(0)
    one = scored(points, table.assign(expression="happy"))
    assert {row["note"] for row in one.values()} == {"one expression only"}
    alone = scored(points, table.assign(identity=[f"p{n}" for n in range(len(table))]))
    assert alone["silhouette"]["value"] == pytest.approx(
        scored(points, table)["silhouette"]["value"], abs=1e-6
    )
    assert alone[CENTRED]["note"] == "no identity has two values of 'expression'"
    nobody = scored(points, table.drop(columns=["identity", "sex"]))
    assert nobody[WITHIN]["note"] == "the face set has no label 'identity' to hold constant"
    assert np.isfinite(nobody["silhouette_macro"]["value"]) and "ci_low" not in nobody["silhouette"]
    assert nobody["silhouette"]["note"] == "no two people, so no interval"
    lacking = scored(points, table.drop(columns="expression"))
    assert {row["note"] for row in lacking.values()} == {"the face set has no label 'expression'"}
    people = scored(points, table.drop(columns="expression"), "identity")
    assert people["silhouette"]["value"] != 0 and np.isnan(people[CENTRED]["value"])


def test_an_expression_that_one_person_shows_and_a_person_with_one_picture():
    points, table = portraits(1)
    table.loc[3, "expression"] = "contempt"
    table = pd.concat([table, table.iloc[:1].assign(identity="p99")], ignore_index=True)
    points = np.concatenate([points, points[:1] + 0.1])
    for label in ("expression", "identity"):
        for measure, row in scored(points, table, label, permutations=20).items():
            assert np.isfinite([row["value"], row["p"]]).all(), (label, measure)
            assert ("ci_low" in row) == (label == "identity")
            note = "one person alone shows contempt, so no interval"
            assert row["note"] == (note if label == "expression" else "")


def test_two_people_have_no_interval():
    rows = scored(*portraits(0, people=2)).values()
    assert {row["note"] for row in rows} == {"2 people, so no interval"}
    assert not any("ci_low" in row for row in rows)


def test_people_with_one_expression_are_not_centred():
    """Their effect cannot be told from that of the expression."""
    points, table = portraits(0)
    alone = table["identity"].isin(["p00", "p01"]) & (table["expression"] != "e0")
    few, kept = table[~alone].reset_index(drop=True), (~alone).to_numpy()
    others = ~table["identity"].isin(["p00", "p01"]).to_numpy()
    value = scored(points[kept], few)[CENTRED]["value"]
    expected = scored(points[others], table[others].reset_index(drop=True))[CENTRED]["value"]
    assert value == pytest.approx(expected, abs=1e-5)


def test_sets_of_people_that_share_no_expression_are_not_centred():
    points, table = portraits(0, people=4)
    other = table["identity"].isin(["p02", "p03"])
    table.loc[other, "expression"] = "other " + table.loc[other, "expression"]
    row = scored(points, table)[CENTRED]
    assert np.isnan(row["value"])
    assert row["note"] == "people fall into sets that share no expression"


def test_a_person_with_one_sequence_of_each_expression_has_no_test_within():
    """Whatever name a sequence gets, the same pictures are together."""
    row = scored(*sequences(0), permutations=19)[WITHIN]
    assert np.isfinite(row["value"]) and np.isnan(row["p"])
    assert row["note"] == "no p, as no permutation that the design allows changes it"


def test_own_answers_are_circular():
    points, table = portraits(0)
    rows = scored(points, table, expression="network:net").values()
    assert all(row["note"].startswith("CIRCULAR") for row in rows)
