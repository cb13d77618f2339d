"""Decoding finds planted labels, others at chance alone, and its intervals hold the truth."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from decoding_faces import EXPRESSIONS, along, decode_one, drift, gram_of, portraits, video
from facestages import store, tables
from facestages.analysis.decoding import decode, decode_labels
from facestages.analysis.decoding_tasks import ONE_RECORDING
from facestages.analysis.folds import Folds
from facestages.analysis.labels import CIRCULAR
from facestages.analysis.readouts import held_out_recall, project
from facestages.stimuli import StimulusSet, add_ids, read_labels, write_stimuli


def test_what_is_planted_is_found_and_nothing_else():
    rng, table = np.random.default_rng(0), portraits()
    noise = rng.normal(size=(len(table), 12))
    expression = pd.factorize(table["expression"])[0]
    identity = pd.factorize(table["identity"])[0]

    clear = decode_one(noise + along(expression, 5, rng), table, "expression")
    assert clear["value"] > 0.95 and clear["p"] == 0.01 and clear["z"] > 5
    assert clear["chance"] == 0.2 and clear["n_groups"] == 5 and clear["n"] == 120
    assert (clear["held_out"], clear["folds"], clear["null"]) == ("people", 5, "within people")

    person = decode_one(noise + along(identity, 5, rng), table, "identity", 10)
    assert person["value"] > 0.95 and person["p"] == 0.01
    assert (person["held_out"], person["folds"]) == ("sessions", 2)

    for label, chance in (("expression", 1 / 5), ("identity", 1 / 12), ("sex", 1 / 2)):
        row = decode_one(noise, table, label)
        assert row["chance"] == chance and row["p"] > 0.05
        assert row["value"] == pytest.approx(chance, abs=0.12)


def test_a_planted_number_is_found():
    rng, table = np.random.default_rng(1), portraits(100)
    table["valence"] = rng.normal(size=len(table))
    points = rng.normal(size=(len(table), 6))
    points[:, 0] = 3 * (table["valence"] + 0.5 * rng.normal(size=len(table)))
    row = decode_one(points, table, "valence")
    # Of the component's variance, 1 / (1 + 0.25) is valence.
    assert row["measure"] == "r2_held_out" and row["value"] == pytest.approx(0.8, abs=0.05)
    assert np.isnan(row.get("chance", np.nan)) and row["p"] == 0.01
    nothing = decode_one(points[:, 1:], table, "valence")
    assert nothing["value"] < 0.01 and nothing["p"] > 0.05


def test_identity_of_another_session_is_not_that_of_the_day():
    """Each session of a person has a look of its own, which is no identity."""
    rng, table = np.random.default_rng(2), portraits()
    days = pd.factorize(table["identity"] + table["session"])[0]
    row = decode_one(rng.normal(size=(120, 12)) + along(days, 5, rng), table, "identity", 10)
    assert row["value"] < 0.25 and row["p"] > 0.05


def test_a_slow_drift_is_not_an_identity():
    """Frames held out at random have their neighbours in the training set; time blocks do not."""
    rng, table = np.random.default_rng(4), video(6, 100)
    people, everything = pd.factorize(table["identity"])[0], np.arange(600)
    fold = rng.permutation(everything % 5)
    leaky = Folds(everything, fold, fold != np.arange(5)[:, None], "frames")
    near, far = [], []
    for _ in range(30):
        points = drift(rng, 6, 100, 0.9)
        spaces = project(gram_of(points), leaky, 10)
        near.append(held_out_recall(spaces, leaky, people[None], 6, [10]).mean())
        row = decode_one(points, table, "identity", 10, permutations=0)
        far.append(row["value"])
    assert np.mean(near) > 0.4
    assert np.mean(far) == pytest.approx(1 / 6, abs=0.04)
    assert row["note"] == ONE_RECORDING


def rejections(simulate, labels, simulations):
    """Number of simulated face sets in which p of each label is .05 or less."""
    small = dict.fromkeys(labels, 0)
    for seed in range(simulations):
        points, table = simulate(np.random.default_rng(seed))
        for row in decode(gram_of(points), table, labels, [5], 59, 0, folds=3, seed=seed):
            small[row["label"]] += row["p"] <= 0.05
    return small


def portraits_of_nothing(rng):
    """People and their sessions differ; no other label has an effect."""
    table = portraits(12)
    table["valence"] = rng.normal(size=120)
    people, days = (pd.factorize(table[name])[0] for name in ("identity", "session"))
    points = (
        rng.normal(size=(120, 8)) + along(people, 1, rng, 8) + along(2 * people + days, 1, rng, 8)
    )
    return points, table.assign(sex=np.repeat(rng.permutation(np.resize(["f", "m"], 12)), 10))


def video_of_nothing(rng):
    """People differ and drift; the order of expressions differs from person to person."""
    table = video(8, 40)
    order = np.concatenate(
        [np.repeat(rng.permutation(np.tile(EXPRESSIONS, 2)), 4) for _ in range(8)]
    )
    people = pd.factorize(table["identity"])[0]
    points = drift(rng, 8, 40, 0.95, 8) + along(people, 1, rng, 8)
    return points, table.assign(expression=order, valence=drift(rng, 8, 40, 0.95, 1))


def days_without_identity(rng):
    """Each session has a look of its own, whichever person it is of."""
    table = portraits(10)
    days = pd.factorize(table["identity"] + table["session"])[0]
    return rng.normal(size=(100, 8)) + along(days, 1, rng, 8), table


def drift_without_identity(rng):
    return drift(rng, 5, 80, 0.7, 8), video(5, 80)


@pytest.mark.parametrize(
    ("simulate", "labels"),
    [
        (portraits_of_nothing, ["expression", "valence", "sex"]),
        (video_of_nothing, ["expression", "valence"]),
        (days_without_identity, ["identity"]),
        (drift_without_identity, ["identity"]),
    ],
)
def test_p_values_are_calibrated(simulate, labels):
    """Without an effect, p is .05 or less about once in twenty."""
    simulations = 120
    low, high = scipy.stats.binom.ppf([0.01, 0.99], simulations, 0.05)
    for label, small in rejections(simulate, labels, simulations).items():
        assert low <= small <= high, label


def expressive(rng):
    """People differ, and so does how they show an expression."""
    table = portraits(12)
    shown, person = (pd.factorize(table[name])[0] for name in ("expression", "identity"))
    centres = np.random.default_rng(99).normal(size=(5, 8))[shown]
    manners = rng.normal(size=(12, 5, 8))[person, shown]
    points = centres + 0.7 * manners + along(person, 1, rng, 8) + rng.normal(size=(120, 8))
    return points, table.assign(valence=shown + rng.normal(size=120))


def test_intervals_hold_the_truth():
    """In nearly 95 % of the face sets, the interval holds the mean over all of them."""
    labels, estimates = ["identity", "expression", "valence"], {}
    for seed in range(200):
        points, table = expressive(np.random.default_rng(seed))
        resamples = 200 if seed < 60 else 0
        for row in decode(gram_of(points), table, labels, [4], 0, resamples, folds=2, seed=seed):
            bounds = row["ci_low"], row["ci_high"]
            estimates.setdefault(row["label"], []).append((row["value"], *bounds))
    for label in labels:
        value, low, high = np.array(estimates[label]).T
        truth = value.mean()
        held = ((low <= truth) & (truth <= high))[:60].sum()
        assert held >= scipy.stats.binom.ppf(0.01, 60, 0.95), label


@pytest.fixture
def noise():
    return np.random.default_rng(5).normal(size=(120, 12))


def test_fewer_components_than_asked_for(noise):
    flat = noise[:, :3]
    rows = decode(gram_of(flat), portraits(), ["expression", "identity"], [2, 50], 9, 9)
    assert [row["components_used"] for row in rows] == [2, 3, 2, 3]
    none = decode_one(np.ones((120, 4)), portraits(), "expression")
    assert np.isnan(none["value"])
    assert none["note"] == "the layer says the same of all pictures of a training set"


def test_without_permutations_and_resamples(noise):
    row = decode_one(noise, portraits(), "expression", permutations=0)
    assert np.isfinite(row["value"]) and np.isnan(row["ci_low"]) and "p" not in row


def test_the_same_again(noise):
    table = portraits()
    first, again = (decode_one(noise, table, "expression", resamples=99, seed=3) for _ in range(2))
    assert first == again
    assert decode_one(noise, table, "expression", seed=4)["null_mean"] != first["null_mean"]


@pytest.fixture
def files(tmp_path):
    """A face set, and the geometry of a layer of identities, one of expressions, and a dead one."""
    rng, table = np.random.default_rng(6), portraits()
    table["valence"] = np.where(table["expression"] == "happy", 0.8, -0.4) + 0.1 * rng.normal(
        size=120
    )
    sources = dict.fromkeys(table.columns.drop("stimulus_id"), "rendered")
    images = np.arange(480, dtype=np.uint8).reshape(120, 2, 2)
    stimuli, geometry = tmp_path / "faces.h5", tmp_path / "geometry.h5"
    write_stimuli(stimuli, StimulusSet(images, table, sources, {"rendered": 1}), "faces")
    digest = read_labels(stimuli)[2]["stimuli_digest"]
    noise = rng.normal(size=(120, 12))
    layers = {
        "early": noise + along(pd.factorize(table["identity"])[0], 5, rng),
        "dead": np.zeros((120, 2)),
        "late": noise + along(pd.factorize(table["expression"])[0], 5, rng),
    }
    common = {"dataset": "faces", "network": "net", "seed": 0, "stimuli_digest": digest}
    with store.create(geometry, "geometry", **common) as file:
        for layer, points in layers.items():
            group = file.create_group(layer)
            add_ids(group, table["stimulus_id"])
            store.add_dimension(group, "other_stimulus", 120)
            store.add_array(group, "gram", ("stimulus_id", "other_stimulus"), gram_of(points))
    return geometry, stimuli


STAGES = {"early": "early", "penultimate": "late", "final": "late"}


def test_table(files, tmp_path):
    labels = ["identity", "expression", "valence", "pose"]
    table = decode_labels(*files, STAGES, labels, [2, 5, "all"], 49, 99, folds=4)
    # A layer has a row for each of its stages.
    assert table["stage"].value_counts().to_dict() == dict.fromkeys((*STAGES, ""), 8)
    assert set(table["components"]) == {2, 5} and (table["rendered"] == 1).all()
    value = table[table["components"] == 5].set_index(["stage", "label"])["value"]
    assert value["early", "identity"] > 0.9 > 0.4 > value["final", "identity"]
    assert value["final", "expression"] > 0.9 > 0.4 > value["early", "expression"]
    assert value["final", "valence"] > 0.8 > 0.2 > value["early", "valence"]
    assert value["penultimate"].equals(value["final"])
    # The dead layer, and the label that is not there.
    empty = table[table["value"].isna()]
    assert set(empty["layer"] + " " + empty["label"]) == {
        *(f"dead {label}" for label in labels),
        *(f"{layer} pose" for layer in ("early", "late")),
    }
    assert (empty["note"] != "").all() and (table["label_source"] == "rendered").sum() == 24
    inside = table.dropna(subset="value")
    assert ((inside["ci_low"] <= inside["value"]) & (inside["value"] <= inside["ci_high"])).all()
    tables.write_table(tmp_path / "decoding.csv", table)
    pd.testing.assert_series_equal(
        tables.read_tables([tmp_path / "decoding.csv"])["value"], table["value"], rtol=1e-8
    )


def test_each_number_of_components_has_its_permutations(files):
    labels, spaces = ["expression"], [2, 5, "all"]
    mixed = decode_labels(*files, STAGES, labels, spaces, [9, 49, 0], 99)
    few, most = (mixed[mixed["components"] == k].reset_index(drop=True) for k in (2, 5))
    tenths = 10 * few["p"].dropna()
    assert len(tenths) and np.allclose(tenths, tenths.round())
    pd.testing.assert_frame_equal(most, decode_labels(*files, STAGES, labels, [5], 49, 99))


def test_a_networks_own_labels_are_circular(files, tmp_path):
    geometry, stimuli = files
    predictions = tmp_path / "net.csv"
    labels = read_labels(stimuli)[0]
    labels[["stimulus_id", "expression"]].assign(network="net").to_csv(predictions, index=False)
    table = decode_labels(
        geometry, stimuli, STAGES, ["expression", "sex"], [5], 9, 9, predictions=predictions
    ).set_index(["stage", "label"])
    assert table.loc[("final", "expression"), "note"] == CIRCULAR
    assert table.loc[("final", "expression"), "label_source"] == "network:net"
    assert table.loc[("final", "sex"), "note"] == ""


def test_only_the_full_space_asked_for_gives_no_rows(files):
    assert len(decode_labels(*files, STAGES, ["expression"], ["all"], 9, 9)) == 0
