"""Variance partitioning returns planted shares, and 0 on average where there are none."""

import numpy as np
import pandas as pd
import pytest

from facestages import store
from facestages.analysis.labels import CIRCULAR
from facestages.analysis.partition import (
    LEAST_SHARE,
    half_maximum,
    partition_variance,
    variance_shares,
)
from facestages.analysis.resampling import people_weights
from facestages.stimuli import StimulusSet, add_ids, read_labels, write_stimuli

EXPRESSIONS = ["angry", "disgust", "happy", "neutral", "sad"]
AFFECT = {"angry": (-0.6, 0.7), "disgust": (-0.6, 0.3), "happy": (0.8, 0.5), "sad": (-0.6, -0.4)}


@pytest.fixture
def design():
    """30 people who show each of five expressions four times, more or less strongly."""
    people = np.repeat(np.arange(30), 20)
    expression = np.tile(np.repeat(np.arange(5), 4), 30)
    strength = np.tile([0.4, 0.7, 1.0, 1.3], 150)
    declared = np.array([AFFECT.get(name, (0.0, 0.0)) for name in EXPRESSIONS])
    return people, expression, declared[expression] * strength[:, None]


def planted(design, identity, affect, category, noise, seed=0):
    """Points of a space with these variances, each in dimensions of its own, and noise in all."""
    people, expression, values = design
    rng = np.random.default_rng(seed)
    scores = np.zeros((len(people), 12))
    scores[:, :4] = rng.normal(size=(30, 4))[people] * np.sqrt(identity / 4)
    scores[:, 4:6] = values / values.std(axis=0) * np.sqrt(affect / 2)
    # Effects of category that are orthogonal to people and to affect.
    of_category = np.eye(5)[expression] - 0.2
    basis = np.column_stack([np.ones(len(values)), values])
    of_category -= basis @ np.linalg.lstsq(basis, of_category, rcond=None)[0]
    scores[:, 6:11] = of_category * np.sqrt(category / of_category.var(axis=0).sum())
    return scores + rng.normal(size=scores.shape) * np.sqrt(noise / 12)


def shares_of(scores, design, weights=None):
    people, expression, affect = design
    resampled = variance_shares(scores, people, affect, expression, weights)
    return {name: float(value[0]) for name, value in resampled.items()}


def test_planted_shares_come_back(design):
    shares = shares_of(planted(design, 4.0, 2.0, 3.0, 1.0), design)
    # The variance of thirty drawn people differs a little from that of their distribution.
    assert shares["identity"] == pytest.approx(0.4, abs=0.06)
    assert shares["affect"] / shares["category"] == pytest.approx(2 / 3, abs=0.03)
    assert shares["rest"] == pytest.approx(0.1, abs=0.03)
    assert shares["identity"] + shares["affect"] + shares["category"] + shares[
        "rest"
    ] == pytest.approx(1)


def test_nothing_comes_from_nothing(design):
    # Without the adjustment, 30 people would take 29 / 599 of pure noise.
    every = [shares_of(planted(design, 0, 0, 0, 1, seed), design) for seed in range(40)]
    for share in ("identity", "affect", "category", "category_alone", "affect_beyond_category"):
        values = [shares[share] for shares in every]
        assert np.mean(values) == pytest.approx(0, abs=3 * np.std(values) / np.sqrt(40))


def test_category_alone_includes_what_it_shares_with_affect(design):
    shares = shares_of(planted(design, 1.0, 3.0, 0.0, 1.0), design)
    assert shares["category"] == pytest.approx(0, abs=0.01)
    assert shares["category_alone"] > 0.3
    assert shares["affect_beyond_category"] > 0.05  # strength, which category does not know


def test_affect_that_is_a_function_of_category_leaves_nothing_beyond_it(design):
    people, expression, _ = design
    declared = np.array([AFFECT.get(name, (0.0, 0.0)) for name in EXPRESSIONS])[expression]
    shares = shares_of(planted(design, 1, 1, 1, 1), (people, expression, declared))
    assert shares["affect_beyond_category"] == pytest.approx(0, abs=1e-9)


def test_resampled_people_add_nothing_of_their_own(design):
    """Where only people differ, resamples lie about the value, without an upward bias."""
    scores = planted(design, 2, 0, 0, 2)
    people, expression, affect = design
    weights = people_weights(people, 400, seed=3)
    resampled = variance_shares(scores, people, affect, expression, weights)
    once = shares_of(scores, design)
    for share in ("affect", "category"):
        assert resampled[share].mean() == pytest.approx(once[share], abs=resampled[share].std() / 3)


def test_people_left_out_do_not_count(design):
    scores = planted(design, 2, 2, 2, 2)
    kept = design[0] < 20
    inside = shares_of(scores[kept], tuple(part[kept] for part in design))
    assert shares_of(scores, design, kept[None].astype(float)) == pytest.approx(inside, rel=1e-9)


def test_the_interval_of_nothing_holds_nothing_most_of_the_time(design):
    above = 0
    for seed in range(60):
        scores = planted(design, 2, 2, 0, 2, seed)
        people, expression, affect = design
        weights = people_weights(people, 100, seed)
        category = variance_shares(scores, people, affect, expression, weights)["category"]
        above += np.quantile(category, 0.025) > 0
    # The aim is 2.5 %; 6 of 60 or more would have a chance of one in 500.
    assert above < 6


def test_half_maximum():
    assert half_maximum(np.array([0.8, 0.4, 0.1])) == 0
    assert half_maximum(np.array([0.0, 0.2, 0.4])) == 1
    assert half_maximum(np.array([0.0, 0.1, 0.5, 0.4])) == pytest.approx(1.375)
    assert half_maximum(np.array([-0.1, 0.3])) == pytest.approx(0.625)
    assert np.isnan(half_maximum(np.array([0.0, LEAST_SHARE * 0.9])))


@pytest.fixture
def files(tmp_path, design):
    """A face set, and the geometry of three layers: identity first, category last."""
    people, expression, affect = design
    labels = pd.DataFrame(
        {
            "stimulus_id": [f"p/{n}" for n in range(len(people))],
            "identity": [f"P{n}" for n in people],
            "expression": np.array(EXPRESSIONS, dtype=object)[expression],
            "valence": affect[:, 0],
            "arousal": affect[:, 1],
        }
    )
    sources = dict.fromkeys(labels.columns.drop("stimulus_id"), "rendered")
    images = np.arange(len(people) * 4, dtype=np.uint8).reshape(-1, 2, 2)
    layers = {
        "first": planted(design, 8, 0, 0, 1),
        "middle": planted(design, 2, 6, 1, 1),
        "last": planted(design, 0.2, 2, 6, 1),
    }

    def write(drop=(), **changes):
        table = labels.drop(columns=list(drop)).assign(**changes)
        kept = {name: sources[name] for name in table.columns.drop("stimulus_id")}
        stimuli, geometry = tmp_path / "faces.h5", tmp_path / "geometry.h5"
        write_stimuli(stimuli, StimulusSet(images, table, kept, {"rendered": 1}), "faces")
        digest = read_labels(stimuli)[2]["stimuli_digest"]
        common = {"dataset": "faces", "network": "net", "seed": 0, "stimuli_digest": digest}
        with store.create(geometry, "geometry", **common) as file:
            for layer, scores in layers.items():
                group = file.create_group(layer)
                add_ids(group, table["stimulus_id"])
                store.add_dimension(group, "component", scores.shape[1])
                store.add_array(group, "score", ("stimulus_id", "component"), scores)
        return geometry, stimuli

    return write


STAGES = {"early": "first", "final": "last"}


def test_the_three_stages_come_in_order(files):
    table = partition_variance(*files(), STAGES, [10, "all"], resamples=50)
    assert set(table["components"]) == {10}
    rises = table[table["measure"] == "half_maximum"].set_index("label")["value"]
    assert rises["identity"] == 0 < rises["affect"] < rises["category"]
    later = table[table["measure"] == "half_maximum_difference"].set_index("label")
    assert (later["ci_low"] > 0).all()
    peaks = table[table["measure"] == "maximum"].set_index("label")["value"]
    assert list(peaks) == [0, 1, 2]
    shares = table[table["measure"] == "share"]
    assert set(shares["stage"]) == {"early", "", "final"}
    assert (shares["rendered"] == 1).all() and (shares["n"] == 600).all()
    large = shares[shares["value"] > 0.01]
    assert ((large["ci_low"] < large["value"]) & (large["value"] < large["ci_high"])).all()


@pytest.mark.parametrize("label", ["identity", "expression", "valence"])
def test_a_missing_label_is_said(files, label):
    table = partition_variance(*files(drop=[label]), STAGES, [10])
    assert len(table) == 1 and table["note"].item() == f"the face set has no label '{label}'"


def test_one_person_is_said(files):
    table = partition_variance(*files(identity="P0"), STAGES, [10])
    assert "fewer than two values of 'identity'" in table["note"].item()


def test_a_networks_own_labels_are_circular(files, tmp_path):
    geometry, stimuli = files()
    labels = read_labels(stimuli)[0]
    predictions = tmp_path / "net.csv"
    labels[["stimulus_id", "expression"]].assign(network="net").to_csv(predictions, index=False)
    table = partition_variance(geometry, stimuli, STAGES, [5], 10, predictions=predictions)
    assert set(table.loc[table["measure"] == "share", "note"]) == {CIRCULAR}
