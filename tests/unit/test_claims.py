"""Verdicts follow from numbers: each kind of check, each verdict, and every claim of the paper."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from facestages.claims import (
    FAILS,
    HOLDS,
    IN_PART,
    NOT_TESTABLE,
    judge_claims,
    verdict,
)
from facestages.claims.page import write_claims
from facestages.errors import FacestagesError

RESOURCES = Path(__file__).parents[2] / "resources"
NETWORKS = {
    "net": {"label": "Net", "paper": "NN1", "kinds": ["expressions"], "roles": []},
    "other": {"label": "Other", "paper": None, "kinds": ["expressions"], "roles": []},
    "control": {"label": "Control", "paper": "NN3", "kinds": ["untrained"], "roles": ["untrained"]},
}
DATASETS = {"video": {"label": "Video", "paper": "DISFA", "rendered": True}}


@pytest.fixture
def judge(tmp_path):
    """Judge one claim with these checks on these rows of a table named `scores`."""

    def run(checks, rows, absent=None, **more):
        claims, table = tmp_path / "claims.yaml", tmp_path / "scores.csv"
        claim = {"id": "X1", "where": "here", "claim": "it is so", "paper": "0.4", **more}
        claims.write_text(yaml.safe_dump({"claims": [{**claim, "checks": checks}]}))
        pd.DataFrame(rows).to_csv(table, index=False)
        files = {"scores": [str(table)] if rows else []}
        return judge_claims(claims, files, NETWORKS, DATASETS, absent or {}).iloc[0]

    return run


def row(value, low=None, high=None, **more):
    common = {"dataset": "video", "rendered": 1, "network": "net", "stage": "early", "n": 10}
    return {**common, "value": value, "ci_low": low, "ci_high": high, **more}


ABOVE = {"table": "scores", "select": {"stage": "early"}, "expect": "above", "bound": 0}
NEAR = {**ABOVE, "expect": "near", "bound": 0.4, "within": 0.1}


@pytest.mark.parametrize(
    ("met", "expected"),
    [
        ([True, True], HOLDS),
        ([True, None], IN_PART),
        ([True, False], IN_PART),
        ([None], IN_PART),
        ([False, False], FAILS),
    ],
)
def test_verdict(met, expected):
    assert verdict(met) == expected
    assert verdict([True], lacking=True) == IN_PART


def test_above_needs_the_whole_interval(judge):
    assert judge([ABOVE], [row(0.3, 0.1, 0.5)])["verdict"] == HOLDS
    assert judge([ABOVE], [row(0.3, -0.1, 0.5)])["verdict"] == IN_PART
    assert judge([ABOVE], [row(-0.3, -0.5, -0.1)])["verdict"] == FAILS
    below = {**ABOVE, "expect": "below"}
    assert judge([below], [row(-0.3, -0.5, -0.1)])["verdict"] == HOLDS


def test_near_and_what_is_said_of_it(judge):
    judged = judge([ABOVE, NEAR], [row(0.6, 0.5, 0.7)])
    assert judged["verdict"] == IN_PART and judged["ours"] == "0.6 [0.5, 0.7]"
    assert "within 0.1 of 0.4: no" in judged["why"] and "above 0: yes" in judged["why"]
    assert judged["faces"] == "rendered" and "judged on rendered faces" in judged["why"]


def test_one_number_has_its_columns(judge):
    judged = judge([NEAR], [row(0.42, 0.4, 0.5)])
    assert (judged["value"], judged["ci_low"], judged["n"]) == (0.42, 0.4, 10)


def test_a_difference_takes_the_widest_interval(judge):
    rows = [row(0.5, 0.45, 0.55, stage="final"), row(0.2, 0.1, 0.3)]
    check = {**ABOVE, "select": {"stage": "final"}, "minus": {"stage": "early"}}
    judged = judge([check], rows)
    assert judged["verdict"] == HOLDS and judged["ours"] == "0.3 [0.15, 0.45]"


def test_each_network_is_a_check_of_its_own_and_controls_are_apart(judge):
    rows = [row(0.5, 0.4, 0.6), row(-0.2, -0.3, -0.1, network="other"), row(9, network="control")]
    judged = judge([{**ABOVE, "each": ["network"], "networks": "expressions"}], rows)
    assert judged["verdict"] == IN_PART
    assert judged["ours"] == "Net 0.5 [0.4, 0.6], Other -0.2 [-0.3, -0.1]"
    assert "above 0: 1 of 2, not Other" in judged["why"]


def test_of_many_numbers_the_range(judge):
    rows = [row(n / 10, stage=f"s{n}") for n in range(1, 9)]
    check = {**ABOVE, "select": {"network": "net"}, "each": ["stage"], "bound": 0.25}
    judged = judge([check], rows)
    assert judged["ours"] == "0.1 to 0.8 (8 numbers)"
    assert "6 of 8, not s1 / s2" in judged["why"] and judged["verdict"] == IN_PART


def test_a_stand_in_is_named(judge):
    judged = judge([{**ABOVE, "select": {"network": "other"}}], [row(1, network="other")])
    assert "Other is not among the paper's networks" in judged["why"]


def test_the_size_of_a_correlation_has_no_sign(judge):
    check = {**ABOVE, "size": True, "bound": 0.3}
    assert judge([check], [row(-0.5, -0.6, -0.4)])["verdict"] == HOLDS
    assert judge([check], [row(-0.5, -0.8, 0.1)])["verdict"] == IN_PART


def test_seeds_count_together(judge):
    rows = [row(0.2, 0.1, 0.3, seed=0), row(0.4, -0.1, 0.5, seed=1)]
    assert judge([ABOVE], rows)["ours"] == "0.3 [-0.1, 0.5]"


def test_what_the_run_lacks_is_not_testable_and_why(judge):
    judged = judge([ABOVE], [], {"scores": "figures.fig9 is not in the config"})
    assert (
        judged["verdict"] == NOT_TESTABLE and judged["why"] == "figures.fig9 is not in the config"
    )
    judged = judge([{**ABOVE, "paper_network": "RMN"}], [row(1)])
    assert judged["verdict"] == NOT_TESTABLE and judged["why"] == "the config has no RMN"
    judged = judge([{**ABOVE, "select": {"stage": "late"}}], [row(1)])
    assert judged["verdict"] == NOT_TESTABLE and judged["why"] == "scores has no stage late"
    assert judge([ABOVE], [row(None)])["verdict"] == NOT_TESTABLE


def test_a_check_that_cannot_be_made_leaves_part_open(judge):
    judged = judge([ABOVE, {**ABOVE, "paper_network": "RMN"}], [row(1, 0.5, 1.5)])
    assert judged["verdict"] == IN_PART and "not tested: the config has no RMN" in judged["why"]


def test_the_better_of_two_readings_counts(judge, tmp_path):
    table = tmp_path / "scores.csv"
    pd.DataFrame([row(0.5, 0.4, 0.6), row(0.01, -0.1, 0.1, stage="final")]).to_csv(table)
    other = {**ABOVE, "select": {"stage": "final"}}
    claim = {"id": "X", "where": "", "claim": "", "paper": "", "either": [[other], [ABOVE]]}
    (tmp_path / "either.yaml").write_text(yaml.safe_dump({"claims": [claim]}))
    judged = judge_claims(
        tmp_path / "either.yaml", {"scores": [str(table)]}, NETWORKS, DATASETS, {}
    )
    assert judged["verdict"].item() == HOLDS and judged["ours"].item() == "0.5 [0.4, 0.6]"


def test_a_p_value_is_read_from_its_column(judge):
    check = {**ABOVE, "column": "p", "expect": "below", "bound": 0.001}
    assert judge([check], [row(0.3, p=1e-5)])["verdict"] == HOLDS
    assert judge([check], [row(0.3, p=0.02)])["verdict"] == FAILS


def test_rendered_faces_do_not_stand_in_where_photographs_are_meant(judge):
    judged = judge([{**ABOVE, "photographs": True, "paper_dataset": "DISFA"}], [row(1)])
    assert judged["verdict"] == NOT_TESTABLE
    assert judged["why"] == "only rendered faces stand in for the paper's"


def test_a_network_without_a_number_leaves_part_open(judge):
    rows = [row(2, 1, 3), row(None, network="other", note="never 2% of the variance")]
    judged = judge([{**ABOVE, "networks": "expressions", "say": "rise"}], rows)
    assert judged["verdict"] == IN_PART
    assert "not tested: Other, rise (never 2% of the variance)" in judged["why"]


def test_networks_and_face_sets_are_never_averaged(judge):
    rows = [row(0.5, 0.4, 0.6), row(0.7, 0.6, 0.8, dataset="posed")]
    judged = judge([ABOVE], rows)
    assert judged["ours"] == "Video 0.5 [0.4, 0.6], posed 0.7 [0.6, 0.8]"


def test_a_stand_in_holds_at_most_in_part(judge):
    judged = judge([{**ABOVE, "select": {"network": "other"}}], [row(1, 0.5, 1.5, network="other")])
    assert judged["verdict"] == IN_PART


def test_a_declared_label_is_called_so_or_does_not_count(judge):
    rows = [row(1, 0.5, 1.5, label_source="rendered: declared circumplex position")]
    assert "valence and arousal are declared, not rated" in judge([ABOVE], rows)["why"]
    assert judge([{**ABOVE, "declared": False}], rows)["verdict"] == NOT_TESTABLE


def test_faces_of_a_network_that_was_trained_elsewhere(judge):
    check = {**ABOVE, "faces": "photographs"}
    elsewhere = [{"name": "net", "item": "FER2013", "stage": "early", "value": 0.8}]
    assert judge([check], elsewhere)["faces"] == "photographs"
    # One that was trained on renders is tested on renders, whatever the list expects.
    assert judge([check], [{**elsewhere[0], "item": "video"}])["faces"] == "rendered"
    assert judge([ABOVE], elsewhere)["faces"] == ""


def test_circular_is_carried_along(judge):
    judged = judge([ABOVE], [row(1, 0.5, 1.5, note="CIRCULAR: own labels")])
    assert "CIRCULAR: own labels" in judged["why"]


@pytest.mark.parametrize("wrong", [{"expct": 1}, {"expect": "over"}])
def test_a_mistake_in_the_list_is_named(judge, wrong):
    with pytest.raises(FacestagesError, match="claims: X1: .*did you mean|claims: X1"):
        judge([{**ABOVE, **wrong}], [row(1)])


def test_the_page_shows_every_claim(judge, tmp_path):
    table = pd.DataFrame([judge([NEAR], [row(0.42, 0.4, 0.5)]), judge([ABOVE], [])])
    table.loc[:, "claim"] = "a < b & c"
    write_claims(table, tmp_path / "claims.html", "Claims")
    page = (tmp_path / "claims.html").read_text()
    assert page.count("<tr>") == 3 and "a &lt; b &amp; c" in page
    assert "1 holds, 1 not testable here" in page


def test_every_panel_of_the_paper_has_its_claim():
    claims = yaml.safe_load((RESOURCES / "claims.yaml").read_text())["claims"]
    names = [claim["id"] for claim in claims]
    assert len(set(names)) == len(names)
    expected = (
        "T1.1 T1.2 T1.3 T1.4 T1.5 F1 F2.a F2.b F2.c F2.d F2.e-f F3.a F3.b F3.c F3.d F4.a F4.b"
    )
    assert names == [*expected.split(), *"F4.c F5.a F5.b F6 F7 D1 D2 D3 C1 C2 C3".split()]
    for claim in claims:
        assert claim.get("checks") or claim["either"]


def test_a_claim_holds_only_if_the_careful_version_does(judge):
    careful = {**ABOVE, "select": {"stage": "late"}, "careful": True, "say": "centred"}
    rows = [row(0.5, 0.4, 0.6), row(0.1, -0.1, 0.3, stage="late")]
    judged = judge([ABOVE, careful], rows)
    assert (judged["as_claimed"], judged["careful"], judged["verdict"]) == (HOLDS, IN_PART, IN_PART)
    assert "CAREFUL: centred above 0: yes, but its interval reaches beyond" in judged["why"]
    judged = judge([ABOVE, careful], [rows[0], row(0.2, 0.1, 0.3, stage="late")])
    assert (judged["careful"], judged["verdict"]) == (HOLDS, HOLDS)
    assert judge([ABOVE], rows)["careful"] == ""


def test_a_number_is_selected_where_some_are_missing(judge):
    select = {"stage": "early", "component": 1}
    rows = [row(0.5, 0.4, 0.6, component=1), row(-1, component=2), row(0.0, component=None)]
    assert judge([{**ABOVE, "select": select}], rows)["value"] == 0.5
