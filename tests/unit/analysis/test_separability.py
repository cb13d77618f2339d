"""Silhouettes of layers against scikit-learn, and where expression overtakes identity."""

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score

from blurs import Blurs, record_blurs, write_blurs_faces
from facestages import tables
from facestages.analysis.geometry import measure_geometry
from facestages.analysis.parallel_analysis import noise_edge
from facestages.analysis.resampling import pseudo_interval
from facestages.analysis.separability import overtaking, score_separability
from facestages.stimuli import StimulusSet, read_labels, write_stimuli
from map_files import spread, write_faces, write_layers


@pytest.mark.parametrize(
    ("identity", "expression", "position"),
    [
        ([3, 2, 1, 0], [0, 1, 2, 3], 1.5),
        ([0, 0, 0], [1, 1, 1], 0.0),
        ([1, 1, 1], [0, 0, 0], np.inf),
        ([1, 0, 1, 0], [0, 1, 0, 3], 2.25),  # for good
        ([1, 1], [0, 1], np.inf),  # as much is not more
        ([-3, -3], [-4, -1], np.inf),  # both are below chance
    ],
)
def test_where_expression_overtakes_identity(identity, expression, position):
    assert overtaking(np.array(identity, float), np.array(expression, float)) == position


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """Three people, apart in one layer and together in the other, and the table of both layers."""
    folder = tmp_path_factory.mktemp("scored")
    faces = write_faces(folder)
    layers = {"conv": spread(faces, 40.0), "dense": spread(faces, 0.0)}
    geometry = write_layers(folder / "g.h5", faces, "geometry", layers)
    stages, labels = {"early": "conv", "final": "dense"}, ["identity", "expression"]
    people = folder / "people.csv"
    table = score_separability(geometry, faces, stages, labels, [1, "all"], 20, people=people)
    return table, layers, read_labels(faces)[0], tables.read_tables([people])


def test_people_sum_up_to_values_and_intervals(scored):
    table, people = scored[0], scored[3]
    keys = ["stage", "layer", "label", "measure", "components"]
    rows = table[table["ci_low"].notna() & table["stage"].isin(["early", "final"])]
    rows = rows.assign(components=rows["components"].astype(str)).fillna({"label": ""})
    rows = rows.set_index(keys)
    assert set(people["identity"]) == set(scored[2]["identity"])
    by_value = dict(iter(people.groupby(keys)["pseudo_value"]))
    assert set(by_value) == set(rows.index)
    for key, values in by_value.items():
        assert values.mean() == pytest.approx(rows.loc[key, "value"], abs=1e-6)
        low, high = np.clip(pseudo_interval(values.to_numpy()), -2, 2)
        if abs(low) < 1 and abs(high) < 1:
            assert [low, high] == pytest.approx(rows.loc[key, ["ci_low", "ci_high"]], abs=1e-6)


def test_silhouettes_are_those_of_scikit_learn_in_each_space(scored):
    table, layers, labels, _ = scored
    rows = table[table["measure"] == "silhouette"].set_index(["layer", "components", "label"])
    for layer, points in layers.items():
        for label in ("identity", "expression"):
            for space, part in (("all", points), (1, points[:, :1])):
                expected = silhouette_score(part, labels[label])
                row = rows.loc[(layer, space, label)]
                assert row["value"] == pytest.approx(expected, abs=1e-5)
                assert row["components_used"] == part.shape[1] and row["n"] == 60


def test_all_measures_have_their_rows(scored):
    table = scored[0]
    measured = table[table["stage"] == "early"].groupby("measure").size()
    # Two labels in two spaces.
    assert measured["silhouette"] == measured["silhouette_centred"] == 4
    assert measured["variance_explained"] == 2
    assert measured["components_60"] == measured["components_parallel_analysis"] == 1
    overtaken = table[table["measure"] == "silhouette_overtaking"]
    assert list(overtaken["components"]) == [1, "all"] and overtaken["layer"].isna().all()
    assert set(overtaken["label"]) == {"expression over identity"}


@pytest.fixture
def faces(tmp_path):
    return write_blurs_faces(tmp_path / "faces.h5")


def test_geometry_and_silhouettes_are_those_of_scikit_learn(tmp_path, faces):
    path, out = record_blurs(tmp_path), tmp_path / "geometry.h5"
    measure_geometry(path, tmp_path / "faces.h5", 10, out)
    table = score_separability(
        out,
        tmp_path / "faces.h5",
        {"early": "wide", "final": "narrow"},
        ["identity", "expression", "sex"],
        [2, 10, "all"],
        permutations=50,
    )
    flat = Blurs().record(faces.images, ["narrow", "wide"])
    for stage, layer in [("early", "wide"), ("final", "narrow")]:
        points = flat[layer].reshape(70, -1).astype(float)
        pca = PCA(8, svd_solver="full").fit(points)
        for k, space in [(2, pca.transform(points)[:, :2]), ("all", points)]:
            rows = table[(table.stage == stage) & (table.components == k)]
            rows = rows[rows.measure.isin(["silhouette", "variance_explained"])].set_index("label")
            for label in ("identity", "expression"):
                expected = silhouette_score(space, faces.labels[label])
                assert rows.loc[label, "value"] == pytest.approx(expected, abs=1e-5)
                assert rows.loc[label, "label_source"] == "posed"
            if k == 2:
                explained = pca.explained_variance_ratio_[:2].sum()
                assert rows.loc[np.nan, "value"] == pytest.approx(explained, abs=1e-6)
            assert "no label 'sex'" in rows.loc["sex", "note"]
            assert rows.loc["identity", "p"] == pytest.approx(1 / 51)
        every = PCA(svd_solver="full").fit(points)
        rows = table[table.stage == stage].set_index("measure")["value"]
        for share in (60, 90):
            enough = np.argmax(every.explained_variance_ratio_.cumsum() > share / 100) + 1
            assert rows[f"components_{share}"] == enough
        squares = every.explained_variance_ * 69
        centred = points - points.mean(axis=0)
        edge = noise_edge((centred**2).sum(axis=0), (centred**2).sum(axis=1))
        assert rows["components_parallel_analysis"] == (squares > edge).sum()
    assert set(table[table.components == 10].components_used.dropna()) == {10, 8}


def test_each_number_of_components_has_its_permutations(tmp_path, faces):
    path, out = record_blurs(tmp_path), tmp_path / "geometry.h5"
    measure_geometry(path, tmp_path / "faces.h5", 10, out)
    files = (out, tmp_path / "faces.h5", {"early": "wide"}, ["identity"])
    mixed = score_separability(*files, [2, 5, "all"], [9, 49, 0])
    assert mixed.loc[mixed["components"] == "all", "null_mean"].isna().all()
    tenths = 10 * mixed.loc[mixed["components"] == 2, "p"].dropna()
    assert len(tenths) and np.allclose(tenths, tenths.round())
    most = mixed[mixed["components"] == 5].reset_index(drop=True)
    alone = score_separability(*files, [5], 49)
    alone = alone[alone["components"] == 5].reset_index(drop=True)
    pd.testing.assert_frame_equal(most, alone)


def test_pictures_without_a_label_are_left_out(tmp_path, faces):
    age = np.where(np.arange(70) % 5 == 0, np.nan, np.arange(70) % 2)
    labels = faces.labels.assign(age=age, none=np.nan)
    stimuli = StimulusSet(faces.images, labels, {**faces.sources, "age": "file", "none": "file"})
    write_stimuli(tmp_path / "faces.h5", stimuli, "faces")
    measure_geometry(record_blurs(tmp_path), tmp_path / "faces.h5", 10, tmp_path / "g.h5")
    table = score_separability(
        tmp_path / "g.h5", tmp_path / "faces.h5", {"final": "narrow"}, ["age", "none"], ["all"], 0
    )
    table = table[(table.stage == "final") & (table.measure == "silhouette")].set_index("label")
    labelled = np.isfinite(age)
    points = Blurs().record(faces.images, ["narrow"])["narrow"][labelled]
    assert table.loc["age", "value"] == pytest.approx(
        silhouette_score(points, age[labelled]), abs=1e-6
    )
    assert (table.loc["age", "n"], table.loc["age", "n_groups"]) == (56, 2)
    assert "no label 'none'" in table.loc["none", "note"]


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("expression", ["happy"] * 70, "one expression only"),
        ("identity", [f"p{i}" for i in range(70)], "no identity has two pictures"),
    ],
)
def test_labels_that_make_no_groups(tmp_path, faces, column, value, words):
    stimuli = StimulusSet(faces.images, faces.labels.assign(**{column: value}), faces.sources)
    write_stimuli(tmp_path / "faces.h5", stimuli, "faces")
    measure_geometry(record_blurs(tmp_path), tmp_path / "faces.h5", 10, tmp_path / "g.h5")
    files = tmp_path / "g.h5", tmp_path / "faces.h5"
    table = score_separability(*files, {"early": "wide"}, ["identity", "expression"], [2], 0)
    table = table[(table.stage == "early") & (table.measure == "silhouette")].set_index("label")
    assert table.note[column] == words and np.isnan(table.value[column])
    assert table["value"].notna().sum() == 1
