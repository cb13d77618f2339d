"""The table of subspaces: planted layers, people's pseudo-values, and what cannot be told."""

import numpy as np
import pandas as pd
import pytest
from bench.simulated_faces import planted_spaces

from facestages.analysis import jackknife, subspace_scores
from facestages.analysis.labels import CIRCULAR, NO_GEOMETRY
from facestages.analysis.resampling import pseudo_interval
from facestages.analysis.subspace_scores import PEOPLE, compare_subspaces, subspace_rows
from facestages.stimuli import StimulusSet, write_stimuli
from map_files import write_layers

STAGES = {"early": "apart", "final": "near"}


@pytest.fixture
def write(tmp_path):
    """A function that writes a face set and the geometry of its layers, and returns their paths."""

    def write_files(table, source="posed", **layers):
        stimuli, geometry = tmp_path / "faces.h5", tmp_path / "geometry.h5"
        sources = dict.fromkeys(table.columns.drop("stimulus_id"), source)
        images = np.zeros((len(table), 2, 2), np.uint8)
        write_stimuli(stimuli, StimulusSet(images, table, sources), "faces")
        return write_layers(geometry, stimuli, "geometry", layers), stimuli

    return write_files


@pytest.fixture
def layers():
    apart, table = planted_spaces(1, 90, people=10, noise=0.25)
    near, _ = planted_spaces(1, 30, people=10, noise=0.25)
    return table, {"apart": apart, "near": near}


def keyed(table):
    return table.fillna({"other": ""}).set_index(["layer", "measure", "label", "other"])


def test_the_table_of_planted_layers(write, layers, tmp_path):
    table, points = layers
    people = tmp_path / "people.csv"
    found = compare_subspaces(*write(table, **points), STAGES, 39, 50, people=people)
    assert set(found["components"]) == {"all"} and set(found["components_used"]) <= set(range(31))
    rows = keyed(found)
    for layer, angle in (("apart", 90), ("near", 30)):
        assert rows.loc[layer, "angle", "identity", "expression"]["value"] == pytest.approx(
            angle, abs=6
        )
        for label, other in (("identity", "expression"), ("expression", "identity")):
            overlap = rows.loc[layer, "overlap", label, other]
            assert overlap["value"] == pytest.approx(np.cos(np.radians(angle)) ** 2, abs=0.05)
            assert overlap["null_mean"] < 0.3
            kept = rows.loc[layer, "factorisation", label, other]["value"]
            assert kept == pytest.approx(1 - overlap["value"], abs=0.1)
            assert rows.loc[layer, "dimensions", label, ""]["value"] == 3
            assert rows.loc[layer, "variance_share", label, ""]["p"] == 1 / 40
    assert rows.loc["near", "overlap", "identity", "expression"]["p"] == 0.05
    of_people = pd.read_csv(people)
    assert list(of_people) == list(PEOPLE)
    # What people contribute to an angle is not in degrees.
    assert "angle" not in set(of_people["measure"])
    cosines = of_people[of_people["measure"] == "angle_squared_cosine"]
    near = cosines[cosines["layer"] == "near"]["pseudo_value"].mean()
    angle = rows.loc["near", "angle", "identity", "expression"]["value"]
    assert near == pytest.approx(np.cos(np.radians(angle)) ** 2)
    means = of_people.groupby(["layer", "measure", "label", "other"], dropna=False)["pseudo_value"]
    for layer in ("apart", "near"):
        key = (layer, "overlap", "identity", "expression")
        assert means.mean()[key] == pytest.approx(rows.loc[key]["value"])
        pseudo = means.get_group(key).to_numpy()
        assert len(pseudo) == 10
        interval = rows.loc[key][["ci_low", "ci_high"]].astype(float)
        assert tuple(interval) == pytest.approx(pseudo_interval(pseudo))


def test_invariance_is_one_less_the_ratio_of_variances():
    points, table = planted_spaces(0, 90, identity=1.0, expression=0.5, noise=0.1)
    design = subspace_scores.prepare_design(table, 19, 0)
    rows = pd.DataFrame(subspace_rows(points - points.mean(axis=0), design, 19, 0))
    rows = rows.fillna({"other": ""}).set_index(["measure", "label", "other"])["value"]
    assert rows["invariance", "expression", "identity"] == pytest.approx(0.75, abs=0.02)
    assert rows["invariance", "identity", "expression"] == pytest.approx(-3, abs=0.2)


def test_a_label_without_an_effect_has_no_subspace():
    points, table = planted_spaces(5, 90, expression=0.0)
    design = subspace_scores.prepare_design(table, 39, 0)
    rows = pd.DataFrame(subspace_rows(points - points.mean(axis=0), design, 39, 0))
    compared = rows[rows["measure"].isin(["angle", "overlap", "factorisation"])]
    assert compared["value"].isna().all()
    assert compared["note"].str.startswith("expression has no variance beyond permuted").all()
    assert rows.set_index("measure")["value"]["variance_share"].notna().all()


def test_what_a_design_does_not_tell_has_a_note(write, layers):
    table, points = layers
    one_each = table.assign(identity=[f"p{n}" for n in range(len(table))], session="a")
    found = compare_subspaces(*write(one_each, apart=points["apart"]), STAGES, 9, 20)
    angle = found[found["measure"] == "angle"].iloc[0]
    assert np.isnan(angle["value"]) and "cannot be halved" in angle["note"]
    assert found["value"].notna().any()


def test_a_layer_that_says_nothing(write, layers):
    table, points = layers
    found = compare_subspaces(*write(table, apart=0 * points["apart"]), STAGES, 9, 20)
    assert set(found["note"]) == {NO_GEOMETRY} and found["value"].isna().all()
    assert set(found["measure"]) == {"angle", "overlap"}


def test_layers_without_a_stage_are_not_measured(write, layers):
    table, points = layers
    found = compare_subspaces(*write(table, **points), {"early": "near"}, 9, 20)
    assert set(found["layer"]) == {"near"}


def test_a_networks_own_labels_are_circular(write, layers):
    table, points = layers
    files = write(table, "network:nn1", apart=points["apart"])
    found = compare_subspaces(*files, STAGES, 9, 20)
    assert found["note"].str.startswith(CIRCULAR).all()


def test_large_face_sets_are_thinned(write, layers, monkeypatch):
    table, points = planted_spaces(0, 60, people=10, sessions=4)[::-1]
    monkeypatch.setattr(jackknife.thin_pictures, "__defaults__", (100,))
    found = compare_subspaces(*write(table, apart=points), STAGES, 9, 20)
    assert found.set_index("measure")["n"]["accuracy"].max() == 100
