"""Where expression overtakes identity, and the table of a network's layers."""

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from facestages.analysis.separability import overtaking, score_separability
from facestages.stimuli import read_labels
from map_files import spread, write_faces, write_layers


@pytest.mark.parametrize(
    ("identity", "expression", "position"),
    [
        ([3, 2, 1, 0], [0, 1, 2, 3], 1.5),
        ([0, 0, 0], [1, 1, 1], 0.0),
        ([1, 1, 1], [0, 0, 0], np.inf),
        ([1, 0, 1, 0], [0, 1, 0, 3], 2.25),  # for good
        ([1, 1], [0, 1], np.inf),  # as much is not more
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
    table = score_separability(geometry, faces, stages, labels, [1, "all"], 20, 5)
    return table, layers, read_labels(faces)[0]


def test_silhouettes_are_those_of_scikit_learn_in_each_space(scored):
    table, layers, labels = scored
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
    # Two labels in two spaces; identity alone is scored on fewer pictures.
    assert measured["silhouette"] == measured["silhouette_centred"] == 4
    assert measured["silhouette_subsampled"] == measured["variance_explained"] == 2
    assert measured["components_60"] == measured["components_parallel_analysis"] == 1
    few = table[table["measure"] == "silhouette_subsampled"]
    assert set(few["n"]) == {15} and set(few["note"]) == {"5 pictures a person, mean of 20 draws"}
    overtaken = table[table["measure"] == "silhouette_overtaking"]
    assert list(overtaken["components"]) == [1, "all"] and overtaken["layer"].isna().all()
    assert set(overtaken["label"]) == {"expression over identity"}
