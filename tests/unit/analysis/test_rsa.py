"""The table of rank correlations with models, and the error rates of its p and intervals."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import pdist, squareform

from crossed_faces import EXPRESSIONS, make_labels, make_points
from facestages import store
from facestages.analysis import rsa
from facestages.analysis.labels import CIRCULAR
from facestages.analysis.layers import Layer
from facestages.analysis.rdms import model_rdms, rank_correlations
from facestages.analysis.rsa import correlate_rdms
from facestages.stimuli import StimulusSet, add_ids, read_labels, write_stimuli

STAGES = {"early": "first", "final": "last"}


@pytest.fixture
def write(tmp_path):
    """A function that writes a face set and the geometry of its layers, and returns their paths."""

    def write_files(labels, order=None, **points):
        labels = labels if order is None else labels.iloc[order].reset_index(drop=True)
        sources = dict.fromkeys(labels.columns.drop("stimulus_id"), "rendered")
        stimuli, geometry = tmp_path / "faces.h5", tmp_path / "geometry.h5"
        images = np.arange(len(labels) * 4).reshape(-1, 2, 2).astype(np.uint8)
        faces = StimulusSet(images, labels, sources, {"rendered": 1})
        write_stimuli(stimuli, faces, "faces")
        digest = read_labels(stimuli)[2]["stimuli_digest"]
        common = {"dataset": "faces", "network": "net", "seed": 0, "stimuli_digest": digest}
        with store.create(geometry, "geometry", **common) as file:
            for layer, values in points.items():
                values = values if order is None else values[order]
                values = values - values.mean(axis=0)
                group = file.create_group(layer)
                add_ids(group, labels["stimulus_id"])
                store.add_dimension(group, "other_stimulus", len(labels))
                store.add_dimension(group, "component", values.shape[1])
                axes = ("stimulus_id", "other_stimulus")
                store.add_array(group, "gram", axes, (values @ values.T).astype(np.float32))
                store.add_array(group, "score", ("stimulus_id", "component"), values)
        return geometry, stimuli

    return write_files


def values_of(table, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    return table.set_index(["label", "measure"])["value"]


def test_the_table_is_that_of_the_pairs(write):
    labels, rng = make_labels(), np.random.default_rng(2)
    layers = {"first": make_points(labels, rng, 2, 0.3), "last": make_points(labels, rng, 0.3, 2)}
    order = rng.permutation(len(labels))
    files = write(labels, order, **layers)
    table = correlate_rdms(*files, STAGES, ["all", 2], permutations=99, resamples=200)
    assert len(table) == 2 * 2 * 15 and not table["value"].isna().any()
    assert set(table["stage"]) == {"early", "final"} and (table["rendered"] == 1).all()
    assert ((table["ci_low"] < table["value"]) & (table["value"] < table["ci_high"])).all()
    models = model_rdms(labels)
    for layer, points in layers.items():
        for k in ("all", 2):
            values = values_of(table, layer=layer, components=k)
            distances = pdist(points if k == "all" else (points - points.mean(axis=0))[:, :2])
            for label, model in models.items():
                for measure, value in rank_correlations(distances, model).items():
                    assert values[label, measure] == pytest.approx(value, abs=2e-6)
    first, last = (values_of(table, layer=name, components="all") for name in layers)
    assert first["identity", "rho_a"] > last["identity", "rho_a"]
    assert first["expression", "rho_a_within"] < last["expression", "rho_a_within"]
    strong = table[(table["layer"] == "first") & (table["label"] == "identity")]
    assert (strong["p"] == 0.01).all() and (strong["z"] > 5).all()
    how = table.set_index(["label", "measure"]).sort_index()["null"]
    assert set(how["identity", "rho_a"]) == {"within expressions"}
    assert set(how["affect", "rho_a_within"]) == {"within people"}


def test_within_is_the_mean_over_people_or_expressions(write):
    labels = make_labels()
    points = make_points(labels, np.random.default_rng(3))
    table = correlate_rdms(*write(labels, first=points), {}, ["all"], 0)
    values = values_of(table, measure="rho_a_within")
    for label, shared in rsa.WITHIN.items():
        every = [
            rank_correlations(pdist(points[rows]), model_rdms(labels.iloc[rows])[label])["rho_a"]
            for rows in labels.groupby(shared).indices.values()
        ]
        assert values[label, "rho_a_within"] == pytest.approx(np.mean(every), abs=1e-6)
    assert table[["z", "p", "null_mean"]].isna().all(axis=None)


def test_rotation_and_scale_change_nothing(write):
    labels, rng = make_labels(), np.random.default_rng(4)
    points = make_points(labels, rng)
    turned = 7 * points @ np.linalg.qr(rng.normal(size=(6, 6)))[0]
    table = correlate_rdms(*write(labels, first=points, last=turned), STAGES, ["all"], 20, 50)
    first, last = (table[table["layer"] == name].reset_index() for name in ("first", "last"))
    for column in ("value", "ci_low", "ci_high", "null_mean", "null_sd"):
        np.testing.assert_allclose(first[column], last[column], atol=1e-4)


def test_the_null_is_that_of_labels_ranked_anew(write):
    labels = make_labels(people=4)
    points = make_points(labels, np.random.default_rng(5))
    table = correlate_rdms(*write(labels, first=points), {}, ["all"], permutations=400)
    rng, distances = np.random.default_rng(6), pdist(points)
    for label, shared in rsa.WITHIN.items():
        groups = list(labels.groupby(shared).indices.values())
        square, expected = squareform(model_rdms(labels)[label]), []
        for _ in range(300):
            moved = np.arange(len(labels))
            for rows in groups:
                moved[rows] = rng.permutation(rows)
            model = squareform(square[np.ix_(moved, moved)])
            expected.append(rank_correlations(distances, model)["rho_a"])
        row = table[(table["label"] == label) & (table["measure"] == "rho_a")].iloc[0]
        error = np.std(expected) * np.sqrt(1 / 300 + 1 / 400)
        assert row["null_mean"] == pytest.approx(np.mean(expected), abs=4 * error)
        assert 0.8 < row["null_sd"] / np.std(expected) < 1.25


def test_of_many_pictures_the_affect_null_is_that_of_a_part(write, monkeypatch):
    monkeypatch.setattr(rsa, "MOST_PICTURES", 40)
    labels = make_labels(people=6)
    points = make_points(labels, np.random.default_rng(7))
    table = correlate_rdms(*write(labels, first=points), {}, ["all"], permutations=99)
    row = table.set_index(["label", "measure"]).loc[("affect", "rho_a")]
    assert row["null"] == "within people, 40 of the pictures" and row["n"] == 72
    assert row["p"] == 0.01
    chosen = rsa.spread_rows(np.arange(72), np.repeat(np.arange(6), 12))
    assert len(set(chosen)) == 40 and set(np.bincount(chosen // 12)) == {6, 7}


def test_affect_has_no_p_within_videos(write):
    """Shifts in time do not keep their level there."""
    labels = make_labels(people=5)
    frames = labels.groupby("identity").cumcount().astype(float)
    points = make_points(labels, np.random.default_rng(8))
    files = write(labels.assign(frame=frames), first=points)
    table = correlate_rdms(*files, {}, ["all"], 30, 20).set_index(["label", "measure"])
    for measure in rsa.WITHIN_MEASURES:
        row = table.loc[("affect", measure)]
        assert row["null"] == "shifted in time within people" and np.isfinite(row["null_mean"])
        assert np.isnan([row["z"], row["p"]]).all() and row["note"].startswith("no p, as shifts")
    assert table.loc[("affect", "rho_a"), "p"] > 0


# ------------------------------------------------------------------------- how often they are right


def prepare(labels, permutations, resamples):
    sources = dict.fromkeys(labels.columns, "rendered")
    return rsa.prepare_comparisons(labels, sources, "net", permutations, resamples)


def compare(comparisons, points):
    points = points - points.mean(axis=0)
    layer = Layer("net", 0, "layer", {"gram": (points @ points.T).astype(np.float32)})
    ranks = rsa.rank_layer(layer, "all", np.arange(len(points)), comparisons)
    return pd.DataFrame(row for one in comparisons for row in rsa.compare_ranks(one, ranks))


def test_p_is_calibrated_in_spite_of_people_and_expressions():
    """Where people alone differ, p of expression is < .05 in 5 %; and the other way round."""
    labels, rng = make_labels(people=6, repeats=2), np.random.default_rng(10)
    comparisons = prepare(labels, 99, 2)
    of_identity, others = comparisons[:2], comparisons[2:]
    below = np.zeros(15, int)
    for _ in range(300):
        parts = [
            compare(of_identity, make_points(labels, rng, identity=0, expression=2)),
            compare(others, make_points(labels, rng, identity=2, expression=0)),
        ]
        below += (pd.concat(parts)["p"] <= 0.05).to_numpy()
    # 15 of 300 are expected; fewer than 5 or more than 27 have a chance of one in 300.
    assert ((below >= 5) & (below <= 27)).all(), below
    assert 0.03 < below.mean() / 300 < 0.07


def test_intervals_cover():
    """Each sample draws 27 people anew; 95 of 100 intervals hold the mean of all samples."""
    labels, rng = make_labels(people=27, repeats=2), np.random.default_rng(11)
    comparisons = prepare(labels, 0, 400)
    samples = [compare(comparisons, make_points(labels, rng, 1, 0.7)) for _ in range(100)]
    truth = np.mean([sample["value"] for sample in samples], axis=0)
    covered = sum((s["ci_low"] <= truth) & (truth <= s["ci_high"]) for s in samples)
    # In 1,000 samples it was 93.8 to 95.7 %; in 100, fewer than 87 have a chance of one in 200.
    assert covered.min() >= 87, covered.to_dict()
    assert covered.mean() <= 98


# -------------------------------------------------------------------------------- what is not there


@pytest.mark.parametrize(
    ("drop", "note", "missing"),
    [
        (["valence"], "the face set has no label 'valence'", {"affect"}),
        (["expression"], "the face set has no label 'expression'", {"expression"}),
    ],
)
def test_a_missing_label_is_said_and_the_others_measured(write, drop, note, missing):
    labels = make_labels()
    points = make_points(labels, np.random.default_rng(13))
    table = correlate_rdms(*write(labels.drop(columns=drop), first=points), {}, ["all"], 20, 20)
    empty = table[table["value"].isna()]
    assert set(empty["note"]) == {note} and (empty["n"] == 0).all()
    whole = table[~table["measure"].str.endswith("_within")]
    assert set(whole[whole["value"].isna()]["label"]) == missing
    assert whole[~whole["label"].isin(missing)]["p"].notna().all()


def test_one_person_has_values_without_intervals(write):
    labels = make_labels(people=1, repeats=6)
    points = make_points(labels, np.random.default_rng(14))
    table = correlate_rdms(*write(labels, first=points), {}, ["all"], 50, 20)
    table = table.set_index(["label", "measure"])
    assert table.loc[("identity", "rho_a"), "note"] == (
        "all pairs of the 24 pictures share the identity, or none do"
    )
    row = table.loc[("expression", "rho_a")]
    assert row["value"] > 0 and row["p"] < 0.05 and np.isnan(row["ci_low"])
    assert row["note"] == "no two people, so no interval"


def test_one_expression_and_people_with_one_picture(write):
    labels = make_labels(people=20, repeats=1).drop_duplicates("identity").reset_index(drop=True)
    points = make_points(labels, np.random.default_rng(15))
    table = correlate_rdms(*write(labels, first=points), {}, ["all"], 20, 20)
    assert table["value"].isna().all()
    assert set(table[table["label"] == "expression"]["note"]) == {
        "all pairs of the 20 pictures share the expression, or none do",
        "all pairs of one identity share the expression, or none do",
    }
    mixed = labels.assign(expression=np.array(EXPRESSIONS)[np.arange(20) % 4])
    table = correlate_rdms(*write(mixed, first=points), {}, ["all"], 20, 20)
    row = table.set_index(["label", "measure"]).loc[("expression", "rho_a")]
    assert row["null"] == "freely" and np.isfinite(row["ci_low"])


def test_pictures_without_a_label_are_left_out(write):
    labels = make_labels()
    points = make_points(labels, np.random.default_rng(16))
    some = np.arange(len(labels)) % 5 > 0
    lacking = labels.assign(
        valence=labels["valence"].where(some), expression=labels["expression"].where(some, "")
    )
    table = correlate_rdms(*write(lacking, first=points), {}, ["all"], 20, 20)
    assert table[table["label"] == "affect"]["n"].eq(some.sum()).all()
    values = values_of(table)
    expected = rank_correlations(pdist(points[some]), model_rdms(labels[some])["expression"])
    assert values["expression", "rho_a"] == pytest.approx(expected["rho_a"], abs=2e-6)
    whole = rank_correlations(pdist(points), model_rdms(labels)["identity"])
    assert values["identity", "spearman"] == pytest.approx(whole["spearman"], abs=2e-6)


def test_a_networks_own_labels_are_circular(write, tmp_path):
    labels = make_labels()
    files = write(labels, first=make_points(labels, np.random.default_rng(17)))
    predictions = tmp_path / "net.csv"
    labels[["stimulus_id", "expression"]].assign(network="net").to_csv(predictions, index=False)
    table = correlate_rdms(*files, {}, ["all"], 20, 20, predictions=predictions)
    circular = table.set_index(["label", "measure"])["note"] == CIRCULAR
    assert circular["expression"].all() and not circular["affect"].any()
    # Identity is compared within expressions, and these are the network's own.
    assert circular["identity", "rho_a_within"] and not circular["identity", "rho_a"]


def test_shares_of_the_ceiling_are_of_that_of_the_same_pairs(write):
    """Unequal numbers of pictures: people who are resampled change the ceiling, too."""
    labels = make_labels().drop(index=[0, 1, 2, 5]).reset_index(drop=True)
    points = make_points(labels, np.random.default_rng(19))
    table = correlate_rdms(*write(labels, first=points), {}, ["all"], 99, 200)
    table = table.set_index(["label", "measure"]).sort_index()
    for label, shared in rsa.WITHIN.items():
        for end, groups in (("", [labels]), ("_within", [g for _, g in labels.groupby(shared)])):
            models = [model_rdms(group)[label] for group in groups]
            sizes = [len(model) for model in models]
            ceilings = [rank_correlations(model, model)["rho_a"] for model in models]
            ceiling = np.average(ceilings, weights=sizes)
            share, rho_a = (
                table.loc[label, f"{name}{end}"] for name in ("share_of_ceiling", "rho_a")
            )
            for column in ("value", "null_mean", "null_sd"):
                assert share[column] == pytest.approx(rho_a[column] / ceiling, abs=1e-5)
            assert share["p"] == rho_a["p"] and share["z"] == pytest.approx(rho_a["z"], abs=1e-4)
            assert share["ci_low"] < share["value"] < min(share["ci_high"], 1)


def test_a_stage_that_shares_a_layer_has_rows_of_its_own(write):
    labels = make_labels()
    files = write(labels, first=make_points(labels, np.random.default_rng(18)))
    table = correlate_rdms(*files, {"early": "first", "final": "first"}, ["all"], 0, 20)
    assert list(table["stage"].value_counts()) == [15, 15]
