"""The matrix of similarities: symmetric, in the order of networks and layers."""

import numpy as np
import pandas as pd
import pytest

from facestages.errors import FacestagesError
from facestages.figures import cka

NETWORKS = {"b": "Network B", "a": "Network A"}


def similarities():
    """Each pair of two layers of two networks, of which one has two seeds, once."""
    points = [("a", 0, "early"), ("a", 0, "late"), ("b", 0, "early"), ("b", 1, "early")]
    rows = []
    for number, (network, seed, layer) in enumerate(points):
        for other_network, other_seed, other_layer in points[number + 1 :]:
            rows.append(
                {
                    "dataset": "faces",
                    "rendered": 0,
                    "network": network,
                    "seed": seed,
                    "layer": layer,
                    "other_network": other_network,
                    "other_seed": other_seed,
                    "other_layer": other_layer,
                    "measure": "cka",
                    "value": (len(rows) + 1) / 10,
                    "n": 50,
                }
            )
    return pd.DataFrame(rows)


def test_matrix_has_each_pair_of_first_seeds_on_both_sides():
    figure, numbers, _, caption = cka.draw(similarities(), dataset="Faces", networks=NETWORKS)
    matrix = figure.get_axes()[0].collections[0].get_array()
    # The order is that of the networks asked for: b early, a early, a late.
    expected = np.array([[1, 0.2, 0.4], [0.2, 1, 0.1], [0.4, 0.1, 1]])
    np.testing.assert_allclose(matrix, expected)
    names = [label.get_text() for label in figure.get_axes()[0].get_yticklabels()]
    assert names == ["early", "early", "late"]
    pair = numbers[numbers["panel"] == "seeds"].iloc[0]
    assert (pair["network"], pair["layer"], pair["value"], pair["pairs"]) == ("b", "early", 0.6, 1)
    assert "Network B: a layer in two seeds is alike by 0.60" in caption
    assert "RENDERED" not in caption


def test_nothing_to_draw_is_refused():
    with pytest.raises(FacestagesError, match="no two layers on Faces"):
        cka.draw(similarities().assign(value=np.nan), dataset="Faces", networks=NETWORKS)


def test_of_many_layers_some_have_names():
    table = similarities()
    layers = [table.assign(layer=table["layer"] + str(number)) for number in range(50)]
    figure, _, *_ = cka.draw(pd.concat(layers), dataset="Faces", networks=NETWORKS)
    axis = figure.get_axes()[0]
    assert 20 < len([text for text in axis.get_yticklabels() if text.get_text()]) <= 45
    assert {text.get_text() for text in axis.texts} == {"Network B", "Network A"}
