"""UMAP from distances against umap-learn on the vectors, and what is said of a map."""

import logging

import numpy as np
import pandas as pd
import pytest
import xarray
from sklearn.linear_model import LinearRegression
from sklearn.metrics import silhouette_score
from sklearn.neighbors import NearestNeighbors

from facestages import store
from facestages.analysis import embedding
from facestages.analysis.distances import distances, gram_distances
from facestages.analysis.embedding import embed_umap, graph_parts, turn_axes, umap_embedding
from facestages.errors import FacestagesError
from facestages.gram import gram_matrix
from facestages.stimuli import read_labels
from map_files import spread, write_faces, write_layers

STAGES = {"early": "conv", "late": "dense"}
LABELS = ["identity", "expression"]


def blob(n=150, seed=0):
    """One cloud of points whose distances have no rounding errors."""
    return np.random.default_rng(seed).normal(scale=100, size=(n, 4)).round()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    faces = write_faces(folder)
    layers = {"conv": spread(faces, 40.0), "dense": spread(faces, 0.0)}
    return write_layers(folder / "geometry.h5", faces, "geometry", layers), faces


@pytest.fixture(scope="module")
def embedded(files, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "umap.h5"
    return embed_umap(*files, STAGES, None, LABELS, 10, 0.1, 0, out), out


@pytest.mark.filterwarnings("ignore:precomputed_knn")
def test_as_umap_learn_on_the_vectors():
    points = blob()
    near, nearest = NearestNeighbors(n_neighbors=15).fit(points).kneighbors(points)
    # Given the neighbours, umap-learn has less to compile; those that it finds are the same.
    settings = {"random_state": 0, "n_jobs": 1, "precomputed_knn": (nearest, near, None)}
    reference = embedding._umap_class()(**settings).fit_transform(points)
    embedded_points = umap_embedding(distances(points))
    np.testing.assert_allclose(embedded_points, reference - reference.mean(axis=0), atol=1e-4)


def test_neighbours_of_a_wide_layer_are_those_of_its_vectors():
    wide = np.random.default_rng(1).normal(size=(80, 20_000)).astype(np.float32)
    nearest, near = embedding._nearest(gram_distances(gram_matrix(wide)), 15)
    expected_near, expected = NearestNeighbors(n_neighbors=15).fit(wide).kneighbors()
    # Without themselves, which come first here.
    np.testing.assert_array_equal(nearest[:, 0], np.arange(80))
    np.testing.assert_array_equal(nearest[:, 1:], expected[:, :14])
    np.testing.assert_allclose(near[:, 1:], expected_near[:, :14], rtol=1e-4)


def test_same_seed_same_map_another_seed_another():
    matrix = distances(blob(60))
    first, again, other = (umap_embedding(matrix, 10, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1
    np.testing.assert_allclose(first.mean(axis=0), 0, atol=1e-9)


def test_clusters_stay_apart():
    rng = np.random.default_rng(2)
    people = np.arange(90) % 3
    matrix = distances(rng.normal(size=(90, 5)) + 50 * np.eye(5)[people])
    assert silhouette_score(umap_embedding(matrix, 10), people) > 0.7
    assert graph_parts(matrix, 10) == 3
    assert graph_parts(matrix, 31) == 1


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (distances(blob(15)), "15 neighbours needs more pictures than that, not 15"),
        (np.full((20, 20), np.nan), "NaN or infinity"),
        (np.zeros((20, 20)), "20 equal points"),
    ],
)
def test_what_has_no_map_is_refused(matrix, words):
    with pytest.raises(FacestagesError, match=words) as error:
        umap_embedding(matrix)
    assert "\n" not in str(error.value)


def test_axes_rise_with_valence_and_arousal():
    rng = np.random.default_rng(3)
    points = rng.normal(size=(200, 2))
    valence = -2 * points[:, 1] + 0.1 * rng.normal(size=200)
    arousal = -points[:, 0] + rng.normal(size=200)
    valence[:5] = np.nan
    turned, rules = turn_axes(points, {"valence": valence, "arousal": arousal})
    np.testing.assert_array_equal(turned, -points)
    assert rules == ["arousal", "valence"]
    again, _ = turn_axes(turned, {"valence": valence, "arousal": arousal})
    np.testing.assert_array_equal(again, turned)


@pytest.mark.parametrize(
    "affect",
    [{}, {"valence": np.full(4, np.nan), "arousal": np.ones(4)}],
    ids=["unknown", "constant"],
)
def test_axes_without_affect_labels(affect):
    points = np.array([[-3.0, 1.0], [1.0, 2.0], [1.0, -1.0], [1.0, -2.5]])
    turned, rules = turn_axes(points, affect)
    np.testing.assert_array_equal(turned, -points)
    assert rules == ["farthest point"] * 2


def test_variance_that_both_axes_explain_is_that_of_a_regression():
    rng = np.random.default_rng(4)
    points = rng.normal(size=(50, 2)) @ [[1.0, 0.6], [0.0, 1.0]]
    values = points @ [0.5, -0.3] + rng.normal(size=50)
    weights = rng.integers(0, 3, (2, 50)).astype(float)
    correlations = embedding._map_correlations(points, values, weights)
    for row, share in zip(weights, correlations[2], strict=True):
        fit = LinearRegression().fit(points, values, sample_weight=row)
        assert share == pytest.approx(fit.score(points, values, sample_weight=row))
    turn = np.array([[0.8, 0.6], [-0.6, 0.8]])
    turned = embedding._map_correlations(points @ turn, values, weights)
    np.testing.assert_allclose(turned[2], correlations[2])


def test_table_says_what_the_maps_show(embedded, files):
    table, out = embedded
    labels, _, _ = read_labels(files[1])
    with store.open_read(out, "embedding") as file:
        maps = {layer: file[layer]["umap"][:] for layer in file}
    assert set(table["components"]) == {"umap"} and set(table["rendered"]) == {1}
    scores = table[table["measure"] == "silhouette"].set_index(["stage", "label"])
    for stage, layer in STAGES.items():
        for label in LABELS:
            expected = silhouette_score(maps[layer], labels[label])
            row = scores.loc[(stage, label)]
            assert row["value"] == pytest.approx(expected)
            assert row["layer"] == layer and row["ci_low"] <= row["value"] <= row["ci_high"]
    assert scores.loc[("early", "identity"), "value"] > 0.6
    assert scores.loc[("late", "identity"), "value"] < 0.1
    rows = table[table["layer"] == "dense"].set_index(["measure", "label"])
    for axis in (1, 2):
        for name in ("valence", "arousal"):
            expected = np.corrcoef(maps["dense"][:, axis - 1], labels[name])[0, 1]
            row = rows.loc[(f"r_axis{axis}", name)]
            assert row["value"] == pytest.approx(expected)
            assert row["label_source"] == "rendered: declared" and row["n"] == 60


def test_file_opens_with_xarray(embedded):
    file = xarray.open_dataset(embedded[1], group="conv", engine="h5netcdf")
    assert file["umap"].dims == ("stimulus_id", "axis")
    assert list(file["axis"]) == [1, 2]
    assert file.attrs["axis1"] in ("valence", "arousal") and file.attrs["graph_parts"] == 3
    whole = xarray.open_dataset(embedded[1], engine="h5netcdf").attrs
    assert (whole["neighbours"], whole["min_dist"], whole["umap_seed"]) == (10, 0.1, 0)


def test_only_what_is_wanted_is_mapped(files, tmp_path, caplog):
    wanted = ["late", "fc2", "dense"]
    with caplog.at_level(logging.WARNING):
        table = embed_umap(*files, STAGES, wanted, [], 10, 0.1, 0, tmp_path / "a.h5")
    assert set(table["layer"]) == {"dense"} and "no stage or layer fc2" in caplog.text
    with pytest.raises(FacestagesError, match=r"none of .* \(fc2\) is recorded. It has: early"):
        embed_umap(*files, STAGES, ["fc2"], [], 10, 0.1, 0, tmp_path / "b.h5")
    assert not (tmp_path / "b.h5").exists()


def test_a_layer_of_two_stages_has_rows_of_both(files, tmp_path):
    stages = {"early": "conv", "middle": "conv"}
    table = embed_umap(*files, stages, ["early"], ["identity"], 10, 0.1, 0, tmp_path / "a.h5")
    assert list(table.groupby("stage").size()) == [7, 7]


def test_too_few_pictures_end_in_one_line_that_says_where(files, tmp_path):
    words = "network nn1, layer conv, face set set: a UMAP with 60 neighbours .* not 60"
    with pytest.raises(FacestagesError, match=words):
        embed_umap(*files, STAGES, None, [], 60, 0.1, 0, tmp_path / "a.h5")


def test_one_person_and_no_affect_labels_are_noted(tmp_path):
    faces = write_faces(tmp_path, people=1, pictures=30, leave_out=["valence", "expression"])
    layers = {"conv": spread(faces, 0.0)}
    geometry = write_layers(tmp_path / "g.h5", faces, "geometry", layers)
    table = embed_umap(geometry, faces, STAGES, None, LABELS, 10, 0.1, 0, tmp_path / "a.h5")
    notes = table.set_index(["measure", "label"])["note"]
    assert notes["silhouette", "identity"] == "one identity only"
    assert notes["silhouette", "expression"] == "the face set has no label 'expression'"
    assert notes["r_axis1", "valence"] == "the face set has no label 'valence'"
    empty = table["label"].isin([*LABELS, "valence"])
    assert table.loc[empty, "value"].isna().all()
    # Known, but of one person, whom no interval can be over.
    arousal = table[table["label"] == "arousal"]
    assert arousal["value"].notna().all() and arousal["ci_low"].isna().all()


def test_geometry_of_another_face_set_is_refused(files, tmp_path):
    other = write_faces(tmp_path, people=2, pictures=31)
    with pytest.raises(FacestagesError, match="another stimuli digest"):
        embed_umap(files[0], other, STAGES, None, [], 10, 0.1, 0, tmp_path / "a.h5")


def test_label_that_does_not_vary_is_noted():
    points = blob(30)[:, :2]
    table = pd.DataFrame({"valence": np.ones(30), "identity": ["a", "b"] * 15})
    rows = embedding._correlate(points, "valence", table, {"valence": "human"})
    assert [row["note"] for row in rows] == ["'valence' does not vary"] * 3
