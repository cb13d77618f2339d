"""Claims are judged from tables: what is selected, what is said, and every claim of the paper."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from facestages.claims import judge_claims
from facestages.claims.page import write_claims
from facestages.claims.verdicts import FAILS, HOLDS, IN_PART, NOT_TESTABLE, UNDECIDED
from facestages.errors import FacestagesError

RESOURCES = Path(__file__).parents[3] / "resources"
NETWORKS = {
    "net": {"label": "Net", "paper": "NN1", "kinds": ["expressions"], "roles": []},
    "other": {"label": "Other", "paper": None, "kinds": ["expressions"], "roles": []},
    "control": {"label": "Control", "paper": "NN3", "kinds": ["untrained"], "roles": ["untrained"]},
}
DATASETS = {
    "video": {"label": "Video", "paper": "DISFA", "rendered": True, "of_paper": False},
    "posed": {"label": "Posed", "paper": "KDEF", "rendered": False, "of_paper": True},
}


@pytest.fixture
def judge(tmp_path):
    """Judge one claim with these decisive checks on these rows of a table named `scores`."""

    def run(decisive, rows, absent=None, **more):
        claims, table = tmp_path / "claims.yaml", tmp_path / "scores.csv"
        claim = {
            "id": "X1",
            "where": "here",
            "claim": "it is so",
            "reported": "0.4",
            "because": "so",
        }
        decided = {"decisive": decisive} if decisive else {}
        claims.write_text(yaml.safe_dump({"claims": [{**claim, **decided, **more}]}))
        pd.DataFrame(rows).to_csv(table, index=False)
        files = {"scores": [str(table)] if rows else []}
        return judge_claims(claims, files, NETWORKS, DATASETS, absent or {})

    return run


@pytest.fixture
def overall(judge):
    """As `judge`; the row over all face sets alone."""
    return lambda *args, **named: judge(*args, **named).iloc[0]


def row(value, low=None, high=None, **more):
    common = {"dataset": "video", "network": "net", "stage": "early", "n": 10}
    return {**common, "value": value, "ci_low": low, "ci_high": high, **more}


ABOVE = {"table": "scores", "select": {"stage": "early"}, "expect": "above", "bound": 0}
BELOW = {**ABOVE, "expect": "below"}
NEAR = {**ABOVE, "expect": "near", "bound": 0.4, "within": 0.1}


def test_above_needs_the_whole_interval(overall):
    assert overall([ABOVE], [row(0.3, 0.1, 0.5)])["verdict"] == HOLDS
    assert overall([ABOVE], [row(0.3, -0.1, 0.5)])["verdict"] == UNDECIDED
    assert overall([ABOVE], [row(0.3)])["verdict"] == UNDECIDED
    assert overall([ABOVE], [row(-0.3, -0.5, -0.1)])["verdict"] == FAILS
    assert overall([BELOW], [row(-0.3, -0.5, -0.1)])["verdict"] == HOLDS


def test_further_checks_only_take_away(overall):
    rows = [row(0.6, 0.5, 0.7)]
    judged = overall([ABOVE], rows, as_published=[NEAR], further=[{**ABOVE, "bound": 0.9}])
    assert (judged["verdict"], judged["as_published"]) == (IN_PART, UNDECIDED)
    assert "PAPER'S MEASURE: within 0.1 of 0.4: open, 0.6 [0.5, 0.7]" in judged["why"]
    assert "FURTHER: above 0.9: no, 0.6 [0.5, 0.7]" in judged["why"]
    assert overall([BELOW], rows, further=[ABOVE])["verdict"] == FAILS
    assert overall([ABOVE], rows)["as_published"] == ""


def test_one_number_has_its_columns(overall):
    judged = overall([NEAR], [row(0.42, 0.4, 0.45)])
    assert (judged["value"], judged["ci_low"], judged["n"]) == (0.42, 0.4, 10)
    assert judged["ours"] == "0.42 [0.4, 0.45]" and judged["rule"] == "within 0.1 of 0.4"
    assert judged["faces"] == "rendered" and "judged on rendered faces" in judged["why"]
    assert judged["because"] == "so"


def test_each_network_is_a_number_of_its_own_and_controls_are_apart(overall):
    rows = [row(0.5, 0.4, 0.6), row(-0.2, -0.3, -0.1, network="other"), row(9, network="control")]
    judged = overall([{**ABOVE, "each": ["network"], "networks": "expressions"}], rows)
    assert judged["verdict"] == FAILS
    assert judged["ours"] == "Net 0.5 [0.4, 0.6], Other -0.2 [-0.3, -0.1]"
    assert "above 0: yes in 1 of 2, no in Other -0.2 [-0.3, -0.1]" in judged["why"]


def test_a_claim_about_each_case_falls_with_one_of_them(overall):
    """Nine cases far above the bound do not make up for one below it."""
    rows = [row(0.9, 0.89, 0.91, stage=f"s{n}") for n in range(9)]
    check = {**ABOVE, "select": {"network": "net"}, "each": ["stage"], "bound": 0.6}
    assert overall([check], rows)["verdict"] == HOLDS
    assert overall([check], [*rows, row(0.27, 0.2, 0.3, stage="late")])["verdict"] == FAILS


def test_of_many_numbers_the_range(overall):
    rows = [row(n / 10, n / 10 - 0.01, n / 10 + 0.01, stage=f"s{n}") for n in range(1, 9)]
    check = {**ABOVE, "select": {"network": "net"}, "each": ["stage"], "bound": 0.25}
    judged = overall([check], rows)
    assert judged["ours"] == "0.1 to 0.8 (8 numbers)" and "yes in 6 of 8" in judged["why"]


def test_of_many_counterexamples_the_first(overall):
    rows = [row(-1, -2, -0.5, stage=f"s{n}") for n in range(9)]
    judged = overall([{**ABOVE, "select": {"network": "net"}, "each": ["stage"]}], rows)
    assert "s5 -1 [-2, -0.5] and 3 more" in judged["why"] and "s6" not in judged["why"]


def test_a_stand_in_is_named(overall):
    rows = [row(1, 0.9, 1.1, network="other")]
    judged = overall([{**ABOVE, "select": {"network": "other"}}], rows)
    assert "Other is not among the paper's networks" in judged["why"]


def test_every_face_set_has_its_verdict_and_whether_they_agree_is_said(judge):
    rows = [row(0.5, 0.4, 0.6), row(-0.5, -0.6, -0.4, dataset="posed")]
    table = judge([ABOVE], rows)
    assert list(table["dataset"]) == ["", "video", "posed"]
    assert list(table["verdict"]) == [FAILS, HOLDS, FAILS]
    assert list(table["faces"]) == ["photographs and rendered", "rendered", "photographs"]
    agreement = table["agreement"].iloc[0]
    assert agreement == "the face sets differ: holds on Video; fails on Posed"
    table = judge([BELOW], [row(-0.5, -0.6, -0.4), rows[1]])
    assert table["agreement"].iloc[0] == "the 2 face sets agree"
    assert table["verdict"].iloc[0] == HOLDS
    assert judge([ABOVE], rows[:1])["agreement"].iloc[0] == ""


def test_further_numbers_of_one_face_set_do_not_touch_another(judge):
    rows = [row(0.5, 0.4, 0.6), row(0.5, 0.4, 0.6, dataset="posed")]
    late = {"stage": "late"}
    rows += [row(-1, -2, -0.5, **late), row(1, 0.5, 2, dataset="posed", **late)]
    table = judge([ABOVE], rows, further=[{**ABOVE, "select": late}])
    assert list(table["verdict"]) == [IN_PART, IN_PART, HOLDS]


def test_what_the_run_lacks_is_not_testable_and_why(overall):
    judged = overall([ABOVE], [], {"scores": "figures.fig9 is not in the config"})
    assert (judged["verdict"], judged["why"]) == (NOT_TESTABLE, "figures.fig9 is not in the config")
    judged = overall([{**ABOVE, "paper_network": "RMN"}], [row(1)])
    assert (judged["verdict"], judged["why"]) == (NOT_TESTABLE, "the config has no RMN")
    judged = overall([{**ABOVE, "select": {"stage": "late"}}], [row(1)])
    assert (judged["verdict"], judged["why"]) == (NOT_TESTABLE, "scores has no stage late")
    judged = overall([ABOVE], [row(None, note="one person only")])
    assert (judged["verdict"], judged["why"]) == (NOT_TESTABLE, "one person only")


def test_half_of_a_claim_decides_nothing(overall):
    second = {**ABOVE, "paper_network": "RMN"}
    judged = overall([ABOVE, second], [row(1, 0.5, 1.5)])
    assert judged["verdict"] == NOT_TESTABLE and "the config has no RMN" in judged["why"]


def test_a_network_without_a_number_is_named(overall):
    rows = [row(2, 1, 3), row(None, network="other", note="never 2% of the variance")]
    judged = overall([{**ABOVE, "networks": "expressions", "say": "rise"}], rows)
    assert judged["verdict"] == HOLDS
    assert "not tested: rise: Other (never 2% of the variance)" in judged["why"]


def test_the_better_of_two_readings_counts_with_wider_intervals(overall):
    rows = [row(0.5, 0.4, 0.6), row(0.01, -0.1, 0.1, stage="final")]
    other = {**ABOVE, "select": {"stage": "final"}}
    judged = overall(None, rows, either=[[other], [ABOVE]])
    assert judged["verdict"] == HOLDS and judged["ours"] == "0.5 [0.4, 0.6]"
    rows[0] = row(0.5, 0.01, 0.99)
    assert overall([ABOVE], rows)["verdict"] == HOLDS
    assert overall(None, rows, either=[[other], [ABOVE]])["verdict"] == UNDECIDED


def test_a_second_choice_of_rows_where_the_first_has_no_number(overall):
    check = {**ABOVE, "select": {"stage": "late"}, "otherwise": {"stage": "early"}}
    rows = [row(None, stage="late"), row(0.5, 0.4, 0.6)]
    assert overall([check], rows)["value"] == 0.5
    rows[0] = row(-0.5, -0.6, -0.4, stage="late")
    assert overall([check], rows)["value"] == -0.5


def test_what_is_subtracted_is_of_the_second_choice_too(overall):
    rows = [
        row(None, measure="centred"),
        row(None, measure="centred", stage="late"),
        row(0.5, 0.4, 0.6, measure="plain"),
        row(2.0, 1.9, 2.1, measure="plain", stage="late"),
    ]
    select = {"stage": "late", "measure": "centred"}
    check = {**ABOVE, "select": select, "otherwise": {"measure": "plain"}}
    check["minus"] = {"stage": "early"}
    assert overall([check], rows)["value"] == 1.5
    # Where expressions are known but cannot be told from people, plain silhouettes mean nothing.
    rows[0]["note"] = rows[1]["note"] = "people fall into sets that share no expression"
    check["otherwise_if"] = "no label 'expression'"
    assert overall([check], rows)["verdict"] == NOT_TESTABLE
    rows[0]["note"] = rows[1]["note"] = "no label 'expression' to hold constant"
    assert overall([check], rows)["value"] == 1.5


def test_a_p_value_is_read_from_its_column(overall):
    check = {**ABOVE, "p": "p"}
    judged = overall([check], [row(0.3, p=1e-5)])
    assert judged["verdict"] == HOLDS and judged["ours"] == "0.3 (p = 1e-05)"
    assert overall([check], [row(0.3, p=0.2)])["verdict"] == UNDECIDED


def test_stand_in_faces_are_not_expected_to_give_the_paper_s_numbers(overall):
    check = {**NEAR, "of_paper": True}
    judged = overall([check], [row(0.4, 0.39, 0.41)])
    assert judged["verdict"] == NOT_TESTABLE and "other faces stand in" in judged["why"]
    assert overall([check], [row(0.4, 0.39, 0.41, dataset="posed")])["verdict"] == HOLDS
    rows = [row(0.9, 0.8, 1)]
    assert overall([ABOVE], rows, as_published=[check])["verdict"] == HOLDS


def test_a_declared_label_is_called_so_or_does_not_count(overall):
    rows = [row(1, 0.5, 1.5, label_source="rendered: declared circumplex position")]
    assert "valence and arousal are declared, not rated" in overall([ABOVE], rows)["why"]
    assert overall([{**ABOVE, "declared": False}], rows)["verdict"] == NOT_TESTABLE


def test_faces_of_a_network_that_was_trained_elsewhere(overall):
    check = {**ABOVE, "faces": "photographs"}
    elsewhere = [{"name": "net", "item": "FER2013", "stage": "early", "value": 0.8}]
    assert overall([check], elsewhere)["faces"] == "photographs"
    # One that was trained on renders is tested on renders, whatever the list expects.
    assert overall([check], [{**elsewhere[0], "item": "video"}])["faces"] == "rendered"
    assert overall([ABOVE], elsewhere)["faces"] == ""


def test_circular_is_carried_along(overall):
    rows = [row(1, 0.5, 1.5, note="CIRCULAR: own labels")]
    assert "CIRCULAR: own labels" in overall([ABOVE], rows)["why"]


@pytest.mark.parametrize("wrong", [{"expct": 1}, {"expect": "over"}, {"exact": 1}, {"bound": "0"}])
def test_a_mistake_in_a_check_is_named(judge, wrong):
    with pytest.raises(FacestagesError, match="claims: X1: "):
        judge([{**ABOVE, **wrong}], [row(1)])


@pytest.mark.parametrize("wrong", [{"decisiv": []}, {"either": [[]]}, {"further": "all"}])
def test_a_mistake_in_a_claim_is_named(judge, wrong):
    with pytest.raises(FacestagesError, match="claims: X1: "):
        judge([ABOVE], [row(1)], **wrong)
    with pytest.raises(FacestagesError, match="needs the key 'decisive'"):
        judge(None, [row(1)])


def test_the_page_shows_every_claim_and_the_face_sets_that_differ(judge, tmp_path):
    rows = [row(0.5, 0.4, 0.6), row(-0.5, -0.6, -0.4, dataset="posed")]
    table = pd.concat([judge([ABOVE], rows), judge([ABOVE], []).assign(id="X2")])
    write_claims(table.assign(claim="a < b & c"), tmp_path / "c.html", "Claims", DATASETS)
    page = (tmp_path / "c.html").read_text()
    assert page.count("<tr>") == 3 and "a &lt; b &amp; c" in page
    assert "1 fails, 1 not testable here" in page and "Video: <span" in page


def test_every_panel_of_the_paper_has_its_claim():
    claims = yaml.safe_load((RESOURCES / "claims.yaml").read_text())["claims"]
    names = [claim["id"] for claim in claims]
    assert len(set(names)) == len(names)
    expected = (
        "T1.1 T1.2 T1.3 T1.4 T1.5 F1 F2.a F2.b F2.c F2.d F2.e-f F3.a F3.b F3.c F3.d F4.a F4.b"
    )
    expected += " F4.c F5.a F5.b F6 F7 D1 D2 D3 C1 C2 C3"
    assert names == [
        *expected.split(),
        *(f"{kind}{number}" for kind in "SH" for number in range(1, 5)),
    ]


def test_numbers_of_the_paper_are_expected_of_its_own_faces_alone():
    claims = yaml.safe_load((RESOURCES / "claims.yaml").read_text())["claims"]
    for claim in claims:
        for check in (one for name in ("as_published", "further") for one in claim.get(name, [])):
            is_of_faces = check["expect"] == "near" and check["bound"] != 0
            assert not is_of_faces or check.get("of_paper"), claim["id"]


def test_a_number_is_selected_where_some_are_missing(overall):
    select = {"stage": "early", "component": 1}
    rows = [row(0.5, 0.4, 0.6, component=1), row(-1, component=2), row(0.0, component=None)]
    assert overall([{**ABOVE, "select": select}], rows)["value"] == 0.5


# ------------------------------------------------- networks that were trained to tell people or not

TRAINED = {
    "people": ["trained on identity", "trained on faces"],
    "smiles": ["expressions", "trained on expression", "trained on faces"],
    "blank": ["untrained"],
}


@pytest.fixture
def judge_contrast(tmp_path):
    """Verdicts on S1 to S4 for changes of measures between stages, and what is left of others."""

    def rows_of(measure, network, stage, value, **more):
        common = {"dataset": "posed", "seed": 0, "layer": stage, "components": "10", "n": 70}
        more = {"label": "identity", "null_mean": 0.0, "chance": 0.1, "p": 0.01, **more}
        ends = {"ci_low": value - 0.05, "ci_high": value + 0.05}
        common |= {"network": network, "stage": stage, "measure": measure, "value": value}
        return {**common, **ends, **more}

    def people_of(rows, rng):
        keys = ("dataset", "network", "seed", "stage", "layer", "label", "other", "measure")
        for row in rows:
            for person, noise in enumerate(rng.normal(0, 0.02, 20)):
                of_person = {key: row[key] for key in (*keys, "components") if key in row}
                yield {**of_person, "identity": f"p{person}", "pseudo_value": row["value"] + noise}

    def run(identity, overlap, transfer, erased, networks=TRAINED):
        tables = {"separability": [], "subspaces": [], "instances": []}
        for name in networks:
            for stage, part in (("early", 0.0), ("penultimate", 1.0)):
                value = 0.3 + part * identity.get(name, 0)
                tables["separability"].append(rows_of("silhouette_centred", name, stage, value))
                for label, other in (("identity", "expression"), ("expression", "identity")):
                    pair = {"label": label, "other": other, "components": "all"}
                    value = 0.5 + part * overlap
                    tables["subspaces"].append(rows_of("overlap", name, stage, value, **pair))
                    pair |= {"null_mean": 0.8}
                    left = rows_of("erasure_leace", name, stage, erased, **pair)
                    tables["subspaces"].append(left)
            for label in ("identity", "expression"):
                beside = {"label": label, "components": "all", "control_kind": "untrained"}
                row = rows_of("accuracy", name, "penultimate", transfer, **beside)
                tables["instances"].append(row)
        rng = np.random.default_rng(0)
        for name in ("separability", "subspaces"):
            rows = [row for row in tables[name] if row["measure"] != "erasure_leace"]
            tables[f"{name}_people"] = list(people_of(rows, rng))
        files = {}
        for name, rows in tables.items():
            files[name] = [str(tmp_path / f"{name}.csv")]
            pd.DataFrame(rows).to_csv(files[name][0], index=False)
        world = {
            name: {"label": name, "paper": None, "kinds": kinds, "roles": []}
            for name, kinds in networks.items()
        }
        table = judge_claims(RESOURCES / "claims.yaml", files, world, DATASETS, {})
        return table[table["dataset"] == ""].set_index("id").loc[["S1", "S2", "S3", "S4"]]

    return run


AS_CLAIMED = {"identity": {"people": 0.3, "smiles": -0.2}, "overlap": -0.3}
AS_CLAIMED |= {"transfer": 0.2, "erased": 0.78}


def test_the_contrast_as_claimed(judge_contrast):
    assert set(judge_contrast(**AS_CLAIMED)["verdict"]) == {HOLDS}


@pytest.mark.parametrize(
    ("claim", "change", "verdict"),
    [
        ("S1", {"identity": {"people": -0.2, "smiles": -0.2}}, FAILS),
        ("S1", {"identity": {"people": 0.3, "smiles": 0.2}}, FAILS),
        ("S1", {"identity": {"people": 0.005, "smiles": -0.2}}, UNDECIDED),
        ("S2", {"transfer": -0.2}, FAILS),
        ("S2", {"transfer": 0.02}, UNDECIDED),
        ("S3", {"overlap": 0.2}, FAILS),
        ("S4", {"erased": 0.5}, FAILS),
        ("S4", {"erased": 0.72}, UNDECIDED),
    ],
)
def test_the_contrast_otherwise(judge_contrast, claim, change, verdict):
    verdicts = judge_contrast(**{**AS_CLAIMED, **change})["verdict"]
    assert verdicts.to_dict() == {**dict.fromkeys(verdicts.index, HOLDS), claim: verdict}


def test_the_contrast_without_a_network_of_people(judge_contrast):
    without = {name: kinds for name, kinds in TRAINED.items() if name != "people"}
    judged = judge_contrast(**AS_CLAIMED, networks=without)
    assert list(judged["verdict"]) == [NOT_TESTABLE, NOT_TESTABLE, HOLDS, HOLDS]
    assert judged.loc["S1", "why"] == "the config has no network of the kind 'trained on identity'"


def test_the_contrast_is_not_called_the_papers(judge_contrast):
    judged = judge_contrast(**AS_CLAIMED)
    assert not judged["where"].str.contains("Study|paper").any()
    assert (judged["as_published"] == "").all() and judged["where"].str.contains("doi").sum() == 3


def test_changes_of_subspaces_are_paired_over_people(judge_contrast):
    """The intervals of single values are wide (.05 to each side), those of a change narrow."""
    why = judge_contrast(**{**AS_CLAIMED, "overlap": -0.04}).loc["S3", "verdict"]
    assert why == HOLDS


# ----------------------------------------------------------------- people, and recordings of brains

BESIDE = {
    "smiles": ["expressions", "trained on expression", "trained on faces"],
    "twin_identity": ["trained on identity", "trained on faces"],
    "twin_expression": ["trained on expression", "trained on faces"],
}


@pytest.fixture
def judge_people(tmp_path):
    """Verdicts on H1 to H4 for values of what decides them."""

    def run(simulated=0, pc1=0.3, within=0.2, change=-0.2, nearer=0.2, order=1.0):
        rows = []
        for name in BESIDE:
            common = {"dataset": "posed", "network": name, "seed": 0, "layer": "fc", "note": ""}
            common |= {"reference": "people", "simulated": simulated, "raters": 20, "n": 70}
            for measure, label, stage, value in (
                ("r_pc1", "valence", "penultimate", pc1),
                ("r_pc1_within", "valence", "penultimate", within),
                ("rho_a", "", "penultimate", 0.3),
                ("rho_a_change", "middle to penultimate", "", change),
                ("rho_a_change", "early to penultimate", "", change),
                ("order_agreement", "identity, affect, category", "", order),
            ):
                ends = {"value": value, "ci_low": value - 0.05, "ci_high": value + 0.05}
                rows.append({**common, "measure": measure, "label": label, "stage": stage, **ends})
        path, networks = tmp_path / "people.csv", tmp_path / "networks.csv"
        pd.DataFrame(rows).to_csv(path, index=False)
        twins = {"network": "twin_identity", "other": "twin_expression", "stage": "penultimate"}
        ends = {"value": nearer, "ci_low": nearer - 0.07, "ci_high": nearer + 0.07}
        about = {"dataset": "posed", "reference": "people", "simulated": simulated, "note": ""}
        measure = {"measure": "rho_a_difference", "raters": 20, "n": 70}
        pd.DataFrame([about | twins | measure | ends]).to_csv(networks, index=False)
        world = {
            name: {"label": name, "paper": None, "kinds": kinds, "roles": []}
            for name, kinds in BESIDE.items()
        }
        files = {"reference_layers": [str(path)], "reference_networks": [str(networks)]}
        table = judge_claims(RESOURCES / "claims.yaml", files, world, DATASETS, {})
        return table[table["dataset"] == ""].set_index("id").loc[["H1", "H2", "H3", "H4"]]

    return run


def test_people_as_claimed(judge_people):
    assert set(judge_people()["verdict"]) == {HOLDS}


@pytest.mark.parametrize(
    ("claim", "change", "verdict"),
    [
        ("H1", {"within": -0.2}, FAILS),
        ("H1", {"within": 0.02}, UNDECIDED),
        ("H2", {"change": 0.2}, FAILS),
        ("H2", {"change": -0.03}, UNDECIDED),
        ("H3", {"nearer": -0.15}, FAILS),
        ("H3", {"nearer": 0.05}, UNDECIDED),
        ("H4", {"order": -0.33}, FAILS),
    ],
)
def test_people_otherwise(judge_people, claim, change, verdict):
    verdicts = judge_people(**change)["verdict"]
    assert verdicts.to_dict() == {**dict.fromkeys(verdicts.index, HOLDS), claim: verdict}


def test_simulated_observers_decide_nothing(judge_people):
    judged = judge_people(simulated=1)
    assert set(judged["verdict"]) == {NOT_TESTABLE}
    assert set(judged["why"]) == {"the observers of this run are simulated, no people"}
