"""Rank correlations with models: known answers, two other libraries, and how often p and intervals
are right."""

import numpy as np
import pandas as pd
import pytest
import rsatoolbox
import scipy.stats
from scipy.spatial.distance import pdist, squareform

from facestages import store
from facestages.analysis import rsa
from facestages.analysis.resampling import interval, people_weights
from facestages.analysis.rsa import correlate_rdms, model_rdms, rank_correlations, rank_pairs
from facestages.analysis.separability import CIRCULAR
from facestages.errors import FacestagesError
from facestages.stimuli import StimulusSet, add_labels, read_labels, write_stimuli

EXPRESSIONS = ["angry", "happy", "neutral", "sad"]
AFFECT = np.array([(-0.6, 0.7), (0.8, 0.5), (0.0, 0.0), (-0.6, -0.4)])
STAGES = {"early": "first", "final": "last"}


def make_labels(people=8, repeats=3):
    """People who show each of four expressions some times, more or less strongly."""
    expression = np.tile(np.repeat(np.arange(4), repeats), people)
    strength = np.tile(np.linspace(0.5, 1.3, repeats), people * 4)
    person = np.repeat(np.arange(people), 4 * repeats)
    return pd.DataFrame(
        {
            "stimulus_id": [f"s{n:03d}" for n in range(len(person))],
            "identity": [f"P{n:02d}" for n in person],
            "expression": np.array(EXPRESSIONS, dtype=object)[expression],
            "valence": AFFECT[expression, 0] * strength,
            "arousal": AFFECT[expression, 1] * strength,
        }
    )


def make_points(labels, rng, identity=1.0, expression=1.0, noise=1.0, size=6):
    """Points with a place of each person and, the same in every sample, of each expression."""
    person, kind = (pd.factorize(labels[name])[0] for name in ("identity", "expression"))
    places = np.random.default_rng(99).normal(size=(4, size))
    points = identity * rng.normal(size=(person.max() + 1, size))[person]
    return points + expression * places[kind] + noise * rng.normal(size=(len(labels), size))


@pytest.fixture
def write(tmp_path):
    """Writes a face set and the geometry of two layers; gives their paths and the points."""

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
                add_labels(group, labels, sources)
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


# ------------------------------------------------------------------------------ the coefficients


def test_models_of_three_pictures():
    labels = pd.DataFrame(
        {
            "identity": ["a", "a", "b"],
            "expression": ["sad", "happy", "sad"],
            "valence": [0.0, 3.0, 0.0],
            "arousal": [0.0, 4.0, 1.0],
        }
    )
    models = model_rdms(labels)
    np.testing.assert_array_equal(models["identity"], [0, 1, 1])
    np.testing.assert_array_equal(models["expression"], [1, 0, 1])
    np.testing.assert_allclose(models["affect"], [5, 1, 18**0.5], rtol=1e-6)
    assert set(model_rdms(labels.drop(columns="arousal"))) == {"identity", "expression"}


@pytest.mark.parametrize("levels", [2, 3, 40, 0])
def test_as_scipy_and_rsatoolbox(levels):
    rng = np.random.default_rng(levels)
    x = pdist(rng.normal(size=(25, 4)))
    y = rng.integers(0, levels, len(x)).astype(float) if levels else x + rng.random(len(x))
    found = rank_correlations(x, y)
    assert found["spearman"] == pytest.approx(scipy.stats.spearmanr(x, y)[0], abs=1e-6)
    rdms = [rsatoolbox.rdm.RDMs(values[None]) for values in (x, y)]
    for measure, method in (("spearman", "spearman"), ("rho_a", "rho-a")):
        expected = rsatoolbox.rdm.compare(*rdms, method=method).item()
        assert found[measure] == pytest.approx(expected, abs=1e-6)


def test_rho_a_is_spearman_with_ties_broken_by_chance():
    rng = np.random.default_rng(1)
    x, y = rng.random(60), rng.integers(0, 3, 60)
    broken = [scipy.stats.spearmanr(x, y + 0.1 * rng.random(60))[0] for _ in range(2000)]
    error = np.std(broken) / np.sqrt(2000)
    assert rank_correlations(x, y)["rho_a"] == pytest.approx(np.mean(broken), abs=4 * error)


def test_ranks_of_truth_values_and_of_zeros():
    truth = np.array([True, False, True, True, False])
    np.testing.assert_allclose(rank_pairs(truth), rank_pairs(truth.astype(float)), atol=1e-6)
    np.testing.assert_array_equal(rank_pairs([0.0, -0.0, 1.0])[:2], rank_pairs([0.0, 0.0, 1.0])[:2])
    assert np.isnan(rank_correlations(np.ones(5), truth)["spearman"])
    with pytest.raises(FacestagesError, match="negative or NaN"):
        rank_pairs([1.0, -1.0])


# ------------------------------------------------------------------------------------- the table


def test_the_table_is_that_of_the_pairs(write):
    labels, rng = make_labels(), np.random.default_rng(2)
    layers = {"first": make_points(labels, rng, 2, 0.3), "last": make_points(labels, rng, 0.3, 2)}
    order = rng.permutation(len(labels))
    files = write(labels, order, **layers)
    table = correlate_rdms(*files, STAGES, ["all", 2], permutations=99, resamples=200)
    assert len(table) == 2 * 2 * 9 and not table["value"].isna().any()
    assert set(table["stage"]) == {"early", "final"} and (table["rendered"] == 1).all()
    assert ((table["ci_low"] < table["value"]) & (table["value"] < table["ci_high"])).all()
    models = model_rdms(labels)
    for layer, points in layers.items():
        for k in ("all", 2):
            found = values_of(table, layer=layer, components=k)
            distances = pdist(points if k == "all" else (points - points.mean(axis=0))[:, :2])
            for label, model in models.items():
                for measure, value in rank_correlations(distances, model).items():
                    assert found[label, measure] == pytest.approx(value, abs=2e-6)
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
    found = values_of(table, measure="rho_a_within")
    for label, shared in rsa.WITHIN.items():
        every = [
            rank_correlations(pdist(points[rows]), model_rdms(labels.iloc[rows])[label])["rho_a"]
            for rows in labels.groupby(shared).indices.values()
        ]
        assert found[label, "rho_a_within"] == pytest.approx(np.mean(every), abs=1e-6)
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
    chosen = rsa._spread(np.arange(72), np.repeat(np.arange(6), 12))
    assert len(set(chosen)) == 40 and set(np.bincount(chosen // 12)) == {6, 7}


def test_copies_of_a_person_make_no_pairs():
    """As if the pairs of the people drawn had been listed one by one."""
    rng = np.random.default_rng(8)
    people = np.repeat([0, 1, 2, 3], [3, 1, 4, 2])
    matrix = squareform(rng.random(45))
    weights = people_weights(np.arange(4), 20)
    found = rsa.pair_sums(matrix, people, weights)
    for (total, number), drawn in zip(found.T, weights, strict=True):
        factor = 12 / (16 - (drawn**2).sum()) if drawn.max() < 4 else 0
        pairs = np.array(
            [
                (drawn[p] if p == q else drawn[p] * drawn[q] * factor, matrix[i, j])
                for i, p in enumerate(people)
                for j, q in enumerate(people)
                if i != j
            ]
        )
        assert number == pytest.approx(pairs[:, 0].sum())
        assert total == pytest.approx(pairs[:, 0] @ pairs[:, 1])


def test_resamples_are_as_if_ranked_anew():
    labels = make_labels(people=12)
    rng = np.random.default_rng(9)
    distances = pdist(make_points(labels, rng))
    people = pd.factorize(labels["identity"])[0]
    weights = people_weights(np.arange(12), 60)
    pairs = people[np.array(np.triu_indices(len(people), 1))]
    for model in model_rdms(labels).values():
        influence = rsa.pair_influence(rank_pairs(distances), rank_pairs(model))
        sums = rsa.pair_sums(squareform(influence), people, weights)
        anew = []
        for drawn in weights:
            factor = 12 * 11 / (144 - (drawn**2).sum())
            counts = np.where(
                pairs[0] == pairs[1], drawn[pairs[0]], drawn[pairs].prod(axis=0) * factor
            )
            ranks = [_weighted_ranks(values, counts) for values in (distances, model)]
            anew.append(12 * np.average(ranks[0] * ranks[1], weights=counts))
        resampled = sums[0] / sums[1]
        assert np.corrcoef(resampled, anew)[0, 1] > 0.98
        assert np.std(resampled) == pytest.approx(np.std(anew), rel=0.1)


def _weighted_ranks(values, counts):
    """Mean ranks from -1/2 to 1/2 of values that occur so often each."""
    _, group = np.unique(values, return_inverse=True)
    sizes = np.bincount(group, counts)
    return ((sizes.cumsum() - sizes / 2) / sizes.sum())[group] - 0.5


# ----------------------------------------------------------------------- how often they are right


def ask(labels, permutations, resamples):
    sources = dict.fromkeys(labels.columns, "rendered")
    return [
        rsa._ask(labels, model, within, sources, "net", permutations, resamples)
        for model, other in rsa.WITHIN.items()
        for within in (None, other)
    ]


def answer(questions, points):
    points = points - points.mean(axis=0)
    group = {"gram": (points @ points.T).astype(np.float32)}
    ranks = rsa._rank_layer(group, "all", np.arange(len(points)), questions)
    return pd.DataFrame([row for question in questions for row in rsa._answer(question, ranks)])


def test_p_is_calibrated_in_spite_of_people_and_expressions():
    """No expression where people differ, no identity where expressions differ: p < .05 in 5 %."""
    labels, rng = make_labels(people=6, repeats=2), np.random.default_rng(10)
    questions = ask(labels, 99, 2)
    of_identity, others = questions[:2], questions[2:]
    below = np.zeros(9, int)
    for _ in range(300):
        found = [
            answer(of_identity, make_points(labels, rng, identity=0, expression=2)),
            answer(others, make_points(labels, rng, identity=2, expression=0)),
        ]
        below += (pd.concat(found)["p"] <= 0.05).to_numpy()
    # 15 are expected; fewer than 5 or more than 27 are a chance of one in 300.
    assert ((below >= 5) & (below <= 27)).all(), below
    assert 0.03 < below.mean() / 300 < 0.07


def test_intervals_cover():
    """Of 27 people drawn anew, the mean of all samples lies in 95 of 100 intervals."""
    labels, rng = make_labels(people=27, repeats=2), np.random.default_rng(11)
    questions = ask(labels, 0, 400)
    samples = [answer(questions, make_points(labels, rng, 1, 0.7)) for _ in range(100)]
    truth = np.mean([sample["value"] for sample in samples], axis=0)
    covered = sum((s["ci_low"] <= truth) & (truth <= s["ci_high"]) for s in samples)
    # 1,000 samples gave 93.8 to 95.7 %; of 100, fewer than 87 are a chance of one in 200.
    assert covered.min() >= 87, covered.to_dict()
    assert covered.mean() <= 98


def test_pairs_of_people_widen_no_interval():
    """Of what is particular to pairs of people, a bootstrap alone would show sqrt(3) times."""
    rng = np.random.default_rng(12)
    weights = np.vstack([np.ones(27), 1 - np.eye(27), people_weights(np.arange(27), 400)])
    values, half_widths = [], []
    for _ in range(150):
        matrix = squareform(rng.normal(size=351))
        sums = rsa.pair_sums(matrix, np.arange(27), weights)
        mean = sums[0] / sums[1]
        values.append(mean[0])
        half_widths.append(np.ptp(interval(rsa._without_excess(mean, weights), 27)) / 2)
    assert np.mean(half_widths) / np.std(values) == pytest.approx(2.056, rel=0.15)


# ---------------------------------------------------------------------------- what is not there


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
    whole = table[table["measure"] != "rho_a_within"]
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
    found = values_of(table)
    expected = rank_correlations(pdist(points[some]), model_rdms(labels[some])["expression"])
    assert found["expression", "rho_a"] == pytest.approx(expected["rho_a"], abs=2e-6)
    whole = rank_correlations(pdist(points), model_rdms(labels)["identity"])
    assert found["identity", "spearman"] == pytest.approx(whole["spearman"], abs=2e-6)


def test_a_networks_own_labels_are_circular(write, tmp_path):
    labels = make_labels()
    files = write(labels, first=make_points(labels, np.random.default_rng(17)))
    predictions = tmp_path / "net.csv"
    labels[["stimulus_id", "expression"]].assign(network="net").to_csv(predictions, index=False)
    table = correlate_rdms(*files, {}, ["all"], 20, 20, predictions)
    circular = table.set_index(["label", "measure"])["note"] == CIRCULAR
    assert circular["expression"].all() and not circular["affect"].any()
    # Identity is compared within expressions, and these are the network's own.
    assert circular["identity", "rho_a_within"] and not circular["identity", "rho_a"]


def test_a_stage_that_shares_a_layer_has_rows_of_its_own(write):
    labels = make_labels()
    files = write(labels, first=make_points(labels, np.random.default_rng(18)))
    table = correlate_rdms(*files, {"early": "first", "final": "first"}, ["all"], 0, 20)
    assert list(table["stage"].value_counts()) == [9, 9]
