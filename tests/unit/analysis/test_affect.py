"""The table of regressions on valence and arousal."""

import numpy as np
import pandas as pd
import pytest

import affect_files
from facestages.analysis import affect, categories, components, regression
from facestages.analysis.grouped_regression import holm
from facestages.errors import FacestagesError
from facestages.stimuli import read_labels
from facestages.tables import read_tables, write_table


@pytest.fixture
def faces(tmp_path):
    return tmp_path / "faces.h5", affect_files.write_faces(tmp_path / "faces.h5")


def test_notes_of_a_fit():
    x = np.linspace(1, 3, 60)
    one_arm = regression.fit_quadratic(x, x**2, np.arange(60) % 6)
    assert "one arm only" in affect.quadratic_measures(one_arm)[0]["note"]
    line = regression.regress(x, x**2, None)
    assert "no interval" in affect.regression_measures(line)[0]["note"]


def measured(table, measure, component, label=""):
    rows = table[(table["measure"] == measure) & (table["component"] == component)]
    return rows[rows["label"] == label].iloc[0]


def top_components(geometry, stimuli):
    digest = read_labels(stimuli)[2]["stimuli_digest"]
    return components.read_components(geometry, "top", components.read_reference(stimuli), digest)


def test_table_of_a_network(faces, tmp_path):
    stimuli, labels = faces
    geometry = affect_files.write_geometry(tmp_path / "g.h5", stimuli, labels, bend=0.0)
    table = affect.regress_affect(geometry, stimuli, {"penultimate": "top"})
    top = top_components(geometry, stimuli)
    row = measured(table, "r", 1, "valence")
    assert row["value"] == pytest.approx(np.corrcoef(top.scores[:, 0], labels["valence"])[0, 1])
    assert row["value"] > 0.9 and row["ci_low"] < row["value"] < row["ci_high"]
    assert row["n"] == 80 and row["p"] < 1e-6 and row["note"] == affect.NAIVE
    assert row[["dataset", "network", "stage", "layer"]].tolist() == [
        *("faces", "net", "penultimate", "top")
    ]
    assert row["rendered"] == 1 and row["label_source"] == affect_files.SOURCE
    crossed = measured(table, "r", 2, "valence")
    assert abs(crossed["value"]) < measured(table, "r", 2, "arousal")["value"]
    ratios = top.eigenvalues / top.eigenvalues.sum()
    assert measured(table, "variance_ratio", 2)["value"] == pytest.approx(ratios[1])
    assert measured(table, "eigengap", 1)["value"] == pytest.approx(1 - ratios[1] / ratios[0])
    expected = regression.fit_quadratic(top.scores[:, 0], top.scores[:, 1], labels["identity"])
    row = measured(table, "curvature", 2)
    assert row[["value", "ci_low", "ci_high"]].tolist() == pytest.approx(list(expected.curvature))
    write_table(tmp_path / "t.csv", table)
    again = read_tables([tmp_path / "t.csv"])
    assert again["component"].tolist() == pytest.approx(
        table["component"].astype(float).tolist(), nan_ok=True
    )
    assert again["value"].tolist() == pytest.approx(table["value"].tolist(), nan_ok=True)


def test_categories_are_the_units_where_affect_follows_from_them(faces, tmp_path):
    stimuli, labels = faces
    geometry = affect_files.write_geometry(tmp_path / "g.h5", stimuli, labels, bend=0.0)
    table = affect.regress_affect(geometry, stimuli, {"penultimate": "top"})
    shares = table[table["measure"] == "share_of_category"].set_index("label")["value"]
    share = categories.share_of_category(labels["valence"].to_numpy(), labels["expression"])
    assert shares["valence"] == pytest.approx(share) and share > 0.9
    row, top = measured(table, "r_categories", 1, "valence"), top_components(geometry, stimuli)
    pairs = labels["valence"].to_numpy(), top.scores[:, 0]
    found = categories.correlate_categories(*pairs, labels["expression"], labels["identity"])
    assert row[["value", "p", "n"]].tolist() == pytest.approx([found.r, found.p, 5])
    # 80 pictures and 5 categories are not the same evidence.
    assert row["p"] > 1e6 * measured(table, "r", 1, "valence")["p"]
    within = measured(table, "r_within_category", 1, "valence")
    assert np.isnan(within["value"]) and within["note"].startswith("follows from category by 9")


def test_own_ratings_are_compared_within_categories(tmp_path):
    rng = np.random.default_rng(0)
    stimuli, labels = tmp_path / "f.h5", affect_files.write_faces(tmp_path / "f.h5")
    rated = {name: labels[name] + rng.normal(size=80) for name in ("valence", "arousal")}
    predictions = affect_files.write_predictions(
        tmp_path / "p.csv", labels, labels["expression"], "emofan", rated
    )
    geometry = affect_files.write_geometry(tmp_path / "g.h5", stimuli, labels.assign(**rated))
    table = affect.regress_affect(geometry, stimuli, {"penultimate": "top"}, predictions)
    row = measured(table, "r_within_category", 1, "valence")
    assert row["ci_low"] > 0.5 and row["n"] == 8 and row["p"] < 0.05


def test_regressions_over_people_stand_beside_the_naive_one(faces, tmp_path):
    stimuli, labels = faces
    geometry = affect_files.write_geometry(tmp_path / "g.h5", stimuli, labels, bend=0.0)
    table = affect.regress_affect(geometry, stimuli, {"penultimate": "top"})
    top = top_components(geometry, stimuli)
    pairs = labels["valence"], top.scores[:, 0], labels["identity"]
    for measure, estimate in affect.GROUPED.items():
        row, expected = measured(table, measure, 1, "valence"), estimate(*pairs)
        assert row[["value", "ci_low", "ci_high", "p", "n"]].tolist() == pytest.approx(
            list(expected), rel=1e-6
        )
    robust = measured(table, "slope_cluster_robust", 1, "valence")["value"]
    assert robust == pytest.approx(measured(table, "slope", 1, "valence")["value"], rel=1e-3)
    assert measured(table, "stability", 1)["value"] > 0.9


def test_correction_is_over_all_tests_but_circular_ones(faces, tmp_path):
    stimuli, labels = faces
    geometry = affect_files.write_geometry(tmp_path / "g.h5", stimuli, labels, bend=0.0)
    one = affect.regress_affect(geometry, stimuli, {"penultimate": "top"})
    other = one.assign(network="other", note="CIRCULAR: its own output")
    tests = affect.correct_for_many(pd.concat([one, other]))
    assert set(tests["measure"]) == {"r_person"}
    net = tests[tests["network"] == "net"]
    assert net["p_holm"].tolist() == pytest.approx(holm(net["p"].to_numpy(float)).tolist())
    assert tests.loc[tests["network"] == "other", "p_holm"].isna().all()


def test_a_networks_own_output_is_circular(faces, tmp_path):
    stimuli, labels = faces
    geometry = affect_files.write_geometry(tmp_path / "g.h5", stimuli, labels)
    outputs = {name: labels[name] for name in ("valence", "arousal")}
    arguments = (labels, labels["expression"])
    for network, circular in (("net", True), ("emofan", False)):
        path = tmp_path / f"{network}.csv"
        affect_files.write_predictions(path, *arguments, network, outputs)
        table = affect.regress_affect(geometry, stimuli, {}, path)
        row = measured(table, "r", 1, "valence")
        assert row["note"].startswith("CIRCULAR") == circular
        assert row["label_source"] == f"network:{network}" and row["stage"] == ""


def test_no_affect_leaves_a_note(tmp_path):
    labels = affect_files.write_faces(tmp_path / "f.h5", without=["valence", "arousal"])
    geometry = affect_files.write_geometry(tmp_path / "g.h5", tmp_path / "f.h5", labels)
    table = affect.regress_affect(geometry, tmp_path / "f.h5", {"penultimate": "top"})
    row = measured(table, "r2", 2, "arousal")
    assert np.isnan(row["value"]) and row["note"] == "the face set has no arousal"
    assert np.isfinite(measured(table, "curvature", 2)["value"])


def test_one_component_leaves_a_note(faces, tmp_path):
    stimuli, labels = faces
    geometry = affect_files.write_geometry(tmp_path / "g.h5", stimuli, labels, layers=["flat"])
    table = affect.regress_affect(geometry, stimuli, {"penultimate": "flat"})
    assert measured(table, "r", 1, "valence")["value"] == pytest.approx(1)
    second = table[table["component"] == 2]
    assert second["value"].isna().all() and second["note"].str.contains("one component only").all()


def test_geometry_of_something_else_is_refused(faces, tmp_path):
    stimuli, labels = faces
    geometry = affect_files.write_geometry(tmp_path / "g.h5", stimuli, labels)
    with pytest.raises(FacestagesError, match="network 'net' has no layer 'bottom'"):
        affect.regress_affect(geometry, stimuli, {"early": "bottom"})
    affect_files.write_faces(tmp_path / "other.h5", people=3)
    with pytest.raises(FacestagesError, match="another stimuli digest"):
        affect.regress_affect(geometry, tmp_path / "other.h5", {})
