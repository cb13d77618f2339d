"""The table of shares of variance: stages in order, and what it says where something lacks."""

import numpy as np
import pandas as pd
import pytest

from facestages import store
from facestages.analysis.labels import CIRCULAR
from facestages.analysis.partition import half_maximum, partition_variance
from facestages.analysis.shares import LEAST_SHARE
from facestages.stimuli import StimulusSet, add_ids, read_labels, write_stimuli
from planted_shares import EXPRESSIONS, make_design, planted


@pytest.fixture
def design():
    return make_design()


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
    assert list(peaks[["identity", "affect", "category"]]) == [0, 1, 2]
    order = table[table["measure"] == "order_beside_planes"].iloc[0]
    assert order["p"] < 0.05 and 0 < order["ci_low"] < order["value"] < order["ci_high"]
    assert order["n"] == 120 and order["label"] == "category after affect"
    shares = table[table["measure"] == "share"]
    assert set(shares["stage"]) == {"early", "", "final"}
    assert (shares["rendered"] == 1).all() and (shares["n"] == 600).all()
    large = shares[shares["value"] > 0.01]
    assert ((large["ci_low"] < large["value"]) & (large["value"] < large["ci_high"])).all()


def test_affect_stands_beside_arbitrary_planes(files):
    table = partition_variance(*files(), STAGES, [10], resamples=50)
    planes = table[table["measure"] == "affect_beside_planes"].set_index("layer")
    shares = table[(table["measure"] == "share") & (table["label"] == "affect")].set_index("layer")
    middle = planes.loc["middle"]
    assert middle["p"] == pytest.approx(1 / 120) and middle["null_low"] > 0
    # Strength varies within categories, so the plane of their means explains a little less.
    assert middle["value"] + middle["null_mean"] < shares["value"]["middle"]
    assert planes["p"]["first"] > 0.05 and abs(planes["value"]["first"]) < 0.01


def test_identity_and_category_are_measured_without_affect(files):
    table = partition_variance(*files(), STAGES, [10], resamples=50)
    without = partition_variance(*files(drop=["arousal"]), STAGES, [10], resamples=50)
    keys = ["measure", "label", "position"]
    known = without[without["value"].notna()].set_index(keys)["value"]
    assert set(known.index.get_level_values("label")) == {
        *("identity", "category_alone", "rest", "category_alone after identity")
    }
    known = known.drop("rest", level="label")
    assert known.tolist() == pytest.approx(table.set_index(keys)["value"][known.index].tolist())
    notes = without[without["value"].isna()].set_index("measure")["note"]
    assert notes["share"] == "the face set has no label 'arousal'"
    assert notes["order_beside_planes"] == "not testable: the face set has no label 'arousal'"


@pytest.mark.parametrize("label", ["identity", "expression"])
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
