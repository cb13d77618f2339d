"""Regressions on valence and arousal, against scipy and known answers; accuracy by distance."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats

import affect_files
from facestages.analysis import affect, extremity, resampling
from facestages.analysis.grouped_regression import holm
from facestages.errors import FacestagesError
from facestages.stimuli import read_labels
from facestages.tables import read_tables, write_table


@pytest.fixture
def cloud():
    """Valence of 200 pictures of 20 people, and something that rises with it."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, 200)
    return x, 3 * x + 1 + rng.normal(size=200), np.repeat(np.arange(20), 10)


@pytest.fixture
def faces(tmp_path):
    return tmp_path / "faces.h5", affect_files.write_faces(tmp_path / "faces.h5")


# ---------------------------------------------------------------------------------- the fits


def test_line_is_that_of_scipy(cloud):
    x, y, people = cloud
    expected = scipy.stats.linregress(x, y)
    found = affect.regress(x, y, people)
    assert found.slope.value == pytest.approx(expected.slope)
    assert found.intercept.value == pytest.approx(expected.intercept)
    assert found.r.value == pytest.approx(expected.rvalue)
    assert found.r2.value == pytest.approx(expected.rvalue**2)
    assert found.p == pytest.approx(expected.pvalue) and found.n == 200
    for estimate in (found.slope, found.intercept, found.r, found.r2):
        assert estimate.low < estimate.value < estimate.high


def test_pictures_without_affect_are_left_out(cloud):
    x, y, people = cloud
    gaps = np.where(np.arange(200) % 4 == 0, np.nan, x)
    found = affect.regress(gaps, y, people)
    expected = affect.regress(*(values[np.isfinite(gaps)] for values in (x, y, people)))
    assert found.n == 150 and found[:5] == expected[:5]


def test_more_pictures_of_the_same_people_say_nothing_new(cloud):
    """Ten times the same pictures: the naive p falls, the interval over people stays."""
    x, y, people = cloud
    once = affect.regress(x[:30], y[:30], people[:30])
    often = affect.regress(
        *(np.tile(values[:30], 10) for values in (x, y)), np.tile(people[:30], 10)
    )
    assert often.p < once.p
    assert often.r == pytest.approx(once.r) and often.slope == pytest.approx(once.slope)


def test_intervals_are_of_fits_to_the_people_drawn(cloud):
    x, y, people = cloud
    y = y + 2 * x**2
    slopes, curvatures = [], []
    for row in resampling.people_weights(people).astype(int):
        drawn_x, drawn_y = np.repeat(x, row), np.repeat(y, row)
        slopes.append(np.polyfit(drawn_x, drawn_y, 1)[0])
        curvatures.append(np.polyfit(_standard(drawn_x), _standard(drawn_y), 2)[0])
    line, bent = affect.regress(x, y, people), affect.fit_quadratic(x, y, people)
    assert line.slope[1:] == pytest.approx(resampling.interval(np.array(slopes), len(set(people))))
    assert bent.curvature[1:] == pytest.approx(
        resampling.interval(np.array(curvatures), len(set(people)))
    )


def _standard(values):
    return (values - values.mean()) / values.std()


@pytest.mark.parametrize(("bend", "shape"), [(1, "U"), (-1, "inverted U"), (0, "undecided")])
def test_shape_of_a_known_curve(bend, shape):
    rng = np.random.default_rng(1)
    x = rng.uniform(-2, 3, 400)
    y = bend * (x - 0.5) ** 2 + rng.normal(size=400)
    found = affect.fit_quadratic(x, y, np.repeat(np.arange(40), 10))
    assert found.shape == shape
    expected = np.polyfit(_standard(x), _standard(y), 2)
    np.testing.assert_allclose(found.fit.coefficients[::-1], expected)
    if bend:
        assert found.vertex == pytest.approx(0.5, abs=0.1) and found.vertex_inside


def test_one_arm_is_no_u():
    x = np.linspace(1, 3, 60)
    found = affect.fit_quadratic(x, x**2, np.arange(60) % 6)
    assert found.vertex == pytest.approx(0, abs=1e-6) and not found.vertex_inside
    assert "one arm only" in affect.quadratic_measures(found)[0]["note"]


def test_curve_and_band(cloud):
    x, y, people = cloud
    found = affect.regress(x, y, people)
    places = np.array([-1.0, 0.0, 2.0])
    middle, low, high = affect.curve(found.fit, places)
    np.testing.assert_allclose(middle, found.intercept.value + found.slope.value * places)
    assert (low < middle).all() and (middle < high).all()
    assert high[2] - low[2] > high[1] - low[1]
    at_zero = affect.curve(found.fit, np.zeros(1))
    assert (at_zero[1][0], at_zero[2][0]) == pytest.approx(found.intercept[1:])


@pytest.mark.parametrize("people", [None, np.zeros(200)])
def test_one_person_has_no_interval(cloud, people):
    x, y, _ = cloud
    line, bent = affect.regress(x, y, people), affect.fit_quadratic(x, y, people)
    assert np.isnan([*line.r[1:], *line.slope[1:], *bent.curvature[1:]]).all()
    assert np.isfinite(line.r.value) and bent.shape == "undecided"
    assert np.isnan(affect.curve(line.fit, x)[1]).all()
    assert "no interval" in affect.regression_measures(line)[0]["note"]


def test_what_cannot_be_fitted_is_refused(cloud):
    x, y, people = cloud
    with pytest.raises(FacestagesError, match="3 pictures or more, not 2"):
        affect.regress(x[:2], y[:2], people[:2])
    with pytest.raises(FacestagesError, match="same value"):
        affect.fit_quadratic(np.ones(200), y, people)


# -------------------------------------------------------------------------- what is compared


def test_signs_follow_the_reference():
    rng = np.random.default_rng(2)
    scores = rng.normal(size=(50, 3))
    valence, arousal = -scores[:, 0] + 0.1, scores[:, 1] ** 3
    valence[:10] = np.nan
    turned = affect.orient(scores, valence, -arousal)
    np.testing.assert_array_equal(turned, scores * [-1, -1, 1])
    np.testing.assert_array_equal(affect.orient(turned, valence, -arousal), turned)
    np.testing.assert_array_equal(affect.orient(scores, None, np.ones(50)), scores)
    np.testing.assert_array_equal(affect.orient(scores[:, :1], valence, arousal), -scores[:, :1])


def test_reference_is_the_face_sets_own(faces):
    stimuli, labels = faces
    found = affect.read_reference(stimuli)
    np.testing.assert_allclose(found.valence, labels["valence"])
    np.testing.assert_allclose(found.arousal, labels["arousal"])
    assert found.source == affect_files.SOURCE and affect.name_source(found) == "declared"


def test_reference_of_a_network(faces, tmp_path):
    stimuli, labels = faces
    said = {"valence": labels["arousal"], "arousal": labels["valence"]}
    arguments = (labels, labels["expression"], "emofan", said)
    path = affect_files.write_predictions(tmp_path / "a.csv", *arguments)
    found = affect.read_reference(stimuli, path)
    np.testing.assert_allclose(found.valence, labels["arousal"])
    assert found.source == "network:emofan" and affect.is_circular(found, "emofan")
    assert affect.name_source(found, "EmoFAN") == "EmoFAN outputs"


def test_reference_that_is_not_there(tmp_path):
    labels = affect_files.write_faces(tmp_path / "a.h5", without=["valence"])
    found = affect.read_reference(tmp_path / "a.h5")
    assert found.valence is None and found.arousal is not None
    affect_files.write_faces(tmp_path / "b.h5", without=["valence", "arousal"])
    assert affect.read_reference(tmp_path / "b.h5") == (None, None, "")
    path = affect_files.write_predictions(tmp_path / "c.csv", labels, labels["expression"])
    with pytest.raises(FacestagesError, match="'net' gives no valence and no arousal"):
        affect.read_reference(tmp_path / "a.h5", path)
    path = affect_files.write_predictions(tmp_path / "d.csv", labels[::-1], "happy")
    with pytest.raises(FacestagesError, match="other stimuli"):
        affect.read_reference(tmp_path / "a.h5", path)


def test_pictures_without_a_person_are_people_of_their_own():
    labels = pd.DataFrame({"stimulus_id": list("abcd"), "identity": ["p", "p", "", ""]})
    assert list(affect.read_people(labels)) == ["p", "p", "c", "d"]
    assert affect.read_people(labels[:2]) is None
    assert affect.read_people(labels.drop(columns="identity")) is None


# --------------------------------------------------------------------------------- the table


def measured(table, measure, component, label=""):
    own = table[(table["measure"] == measure) & (table["component"] == component)]
    return own[own["label"] == label].iloc[0]


def test_table_of_a_network(faces, tmp_path):
    stimuli, labels = faces
    geometry = affect_files.write_geometry(tmp_path / "g.h5", stimuli, labels, bend=0.0)
    table = affect.regress_affect(geometry, stimuli, {"penultimate": "top"})
    reference, digest = affect.read_reference(stimuli), read_labels(stimuli)[2]["stimuli_digest"]
    own = affect.read_components(geometry, "top", reference, digest)
    row = measured(table, "r", 1, "valence")
    assert row["value"] == pytest.approx(np.corrcoef(own.scores[:, 0], labels["valence"])[0, 1])
    assert row["value"] > 0.9 and row["ci_low"] < row["value"] < row["ci_high"]
    assert row["n"] == 80 and row["p"] < 1e-6 and row["note"] == affect.NAIVE
    assert row[["dataset", "network", "stage", "layer"]].tolist() == [
        *("faces", "net", "penultimate", "top")
    ]
    assert row["rendered"] == 1 and row["label_source"] == affect_files.SOURCE
    crossed = measured(table, "r", 2, "valence")
    assert abs(crossed["value"]) < measured(table, "r", 2, "arousal")["value"]
    ratios = own.eigenvalues / own.eigenvalues.sum()
    assert measured(table, "variance_ratio", 2)["value"] == pytest.approx(ratios[1])
    assert measured(table, "eigengap", 1)["value"] == pytest.approx(1 - ratios[1] / ratios[0])
    expected = affect.fit_quadratic(own.scores[:, 0], own.scores[:, 1], labels["identity"])
    row = measured(table, "curvature", 2)
    assert row[["value", "ci_low", "ci_high"]].tolist() == pytest.approx(list(expected.curvature))
    write_table(tmp_path / "t.csv", table)
    again = read_tables([tmp_path / "t.csv"])
    assert again["component"].tolist() == table["component"].tolist()
    assert again["value"].tolist() == pytest.approx(table["value"].tolist())


def test_regressions_over_people_stand_beside_the_naive_one(faces, tmp_path):
    stimuli, labels = faces
    geometry = affect_files.write_geometry(tmp_path / "g.h5", stimuli, labels, bend=0.0)
    table = affect.regress_affect(geometry, stimuli, {"penultimate": "top"})
    reference, digest = affect.read_reference(stimuli), read_labels(stimuli)[2]["stimuli_digest"]
    own = affect.read_components(geometry, "top", reference, digest)
    pairs = labels["valence"], own.scores[:, 0], labels["identity"]
    for measure, estimate in affect.GROUPED.items():
        row, expected = measured(table, measure, 1, "valence"), estimate(*pairs)
        assert row[["value", "ci_low", "ci_high", "p", "n"]].tolist() == pytest.approx(
            list(expected), rel=1e-6
        )
    robust = measured(table, "slope_cluster_robust", 1, "valence")["value"]
    assert robust == pytest.approx(measured(table, "slope", 1, "valence")["value"])
    assert measured(table, "stability", 1)["value"] > 0.9


def test_a_component_that_other_people_would_not_give_is_unstable():
    """One direction is shared by all people; of the next two each person has one of its own."""
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(12), 10)
    scores = rng.normal(size=(120, 3)) * [5.0, 0.1, 0.1]
    scores[:, 1:] += rng.normal(size=(12, 2))[people]
    first, second = (affect.component_stability(scores, people, n, 200) for n in (1, 2))
    assert first.min() > 0.95
    assert np.median(second) < 0.95 and np.quantile(second, 0.025) < 0.6


def test_correction_is_over_all_tests_but_circular_ones(faces, tmp_path):
    stimuli, labels = faces
    geometry = affect_files.write_geometry(tmp_path / "g.h5", stimuli, labels, bend=0.0)
    one = affect.regress_affect(geometry, stimuli, {"penultimate": "top"})
    other = one.assign(network="other", note="CIRCULAR: its own output")
    tests = affect.correct_for_many(pd.concat([one, other]))
    assert set(tests["measure"]) == {"r_person"}
    own = tests[tests["network"] == "net"]
    assert own["p_holm"].tolist() == pytest.approx(holm(own["p"].to_numpy(float)).tolist())
    assert tests.loc[tests["network"] == "other", "p_holm"].isna().all()


def test_a_networks_own_output_is_circular(faces, tmp_path):
    stimuli, labels = faces
    geometry = affect_files.write_geometry(tmp_path / "g.h5", stimuli, labels)
    said = {name: labels[name] for name in ("valence", "arousal")}
    arguments = (labels, labels["expression"])
    for network, circular in (("net", True), ("emofan", False)):
        path = tmp_path / f"{network}.csv"
        affect_files.write_predictions(path, *arguments, network, said)
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


# -------------------------------------------------------------------- accuracy by distance


def test_extremes_that_are_easier():
    position = np.linspace(-1, 1, 101)[np.arange(101) != 50]
    correct = np.abs(position) > 0.5
    found = extremity.accuracy_by_distance(correct, position, np.arange(100) % 10)
    assert found.bins["n"].tolist() == [20] * 5
    assert found.bins["value"].iloc[[0, 1, 3, 4]].tolist() == [0, 0, 1, 1]
    assert found.bins["distance"].is_monotonic_increasing
    assert found.trend == pytest.approx((1, 1, 1))


def test_trend_within_expressions_does_not_see_which_are_far_out():
    rng = np.random.default_rng(3)
    expression = np.repeat(["happy", "neutral"], 50)
    far = np.where(expression == "happy", 5.0, 0.5) + rng.uniform(0, 0.4, 100)
    position = far * rng.choice([-1, 1], 100)
    correct, people = expression == "happy", np.arange(100) % 10
    assert extremity.accuracy_by_distance(correct, position, people).trend.value == 1
    within = extremity.accuracy_by_distance(correct, position, people, expression)
    assert within.trend.value == 0 and within.bins["value"].tolist() == [0.5] * 5


def test_interval_of_the_trend_is_over_people():
    rng = np.random.default_rng(4)
    position, people = rng.normal(size=300), np.repeat(np.arange(10), 30)
    correct = rng.uniform(size=300) < 0.5 + 0.1 * np.abs(position)
    found = extremity.accuracy_by_distance(correct, position, people)
    bins = extremity.distance_bins(np.abs(position))
    drawn = []
    for row in resampling.people_weights(people).astype(int):
        taken = np.repeat(np.arange(300), row)
        outer, inner = (correct[taken[bins[taken] == number]].mean() for number in (4, 0))
        drawn.append(outer - inner)
    assert found.trend[1:] == pytest.approx(resampling.interval(np.array(drawn), 10))


def test_accuracy_without_people_has_no_interval():
    correct = np.array([True, False, True, True, True])
    assert extremity.accuracy(correct, None)[0] == 0.8
    assert np.isnan(extremity.accuracy(correct, np.zeros(5))[1:]).all()
    found = extremity.accuracy_by_distance(correct, np.arange(5.0), None)
    assert np.isnan(found.trend.low) and found.bins["ci_low"].isna().all()


def test_what_has_no_distance_is_refused():
    with pytest.raises(FacestagesError, match="5 pictures or more, not 4"):
        extremity.accuracy_by_distance(np.ones(4, bool), np.arange(4.0), None)
    with pytest.raises(FacestagesError, match="same place"):
        extremity.accuracy_by_distance(np.ones(9, bool), np.ones(9), None)
