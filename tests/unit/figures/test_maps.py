"""Maps: central pictures, values in words, and maps that cannot be read."""

import numpy as np
import pytest

from facestages.figures import maps
from facestages.stimuli import read_labels
from map_files import spread, write_faces, write_layers, write_scores


def test_medoid_is_the_most_central_picture():
    points = np.array([[0, 0], [10, 0], [1, 0], [11, 5], [5, 0], [12, 9.0]])
    assert maps.medoids(points, ["a", "b", "a", "b", "a", "b"]).tolist() == [2, 3]


def test_score_of_a_layer_and_none():
    scores = write_scores({("top", "umap", "silhouette"): 0.5, ("top", "2", "silhouette"): np.nan})
    where = {"dataset": "set", "network": "nn1", "seed": "0"}
    row = maps.find_score(scores, where, "top", "umap")
    assert (row["value"], row["space"], row["label"]) == (0.5, "umap", "identity")
    assert maps.spell(row, with_interval=True) == "0.50 [0.45, 0.55]"
    for space in ("2", "all"):
        row = maps.find_score(scores, where, "top", space)
        assert np.isnan(row["value"]) and maps.spell(row) == "none (not measured)"
    assert maps.spell({"value": -0.204}) == "\N{MINUS SIGN}0.20"


def test_map_without_the_layer_or_a_plane(tmp_path):
    faces = write_faces(tmp_path)
    points = {"flat": spread(faces, 1.0)[:, :1], "top": spread(faces, 1.0)}
    path = write_layers(tmp_path / "geometry.h5", faces, "geometry", points)
    digest = read_labels(faces)[2]["stimuli_digest"]
    read = {name: maps.read_map(path, "geometry", name, digest) for name in (*points, "conv9")}
    assert read["conv9"].missing == "network nn1 has no stage or layer 'conv9' here"
    assert "one principal component only, no plane" in read["flat"].missing
    assert read["top"].points.shape == (60, 2) and read["top"].missing == ""
    assert read["top"].variance.sum() == pytest.approx(1)


def test_a_value_in_a_caption_has_its_interval_and_its_chance():
    row = {"value": -0.085, "ci_low": -0.12, "ci_high": 0.04, "null_mean": -0.0981}
    assert maps.spell(row, with_interval=True).replace("\N{MINUS SIGN}", "-") == (
        "-0.09 [-0.12, 0.04] (chance -0.10)"
    )
    assert maps.spell({"value": 0.5, "null_mean": np.nan}, with_interval=True) == "0.50"
    assert maps.spell({**row, "value": 0.25}) == "0.25"
