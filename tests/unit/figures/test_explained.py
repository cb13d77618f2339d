"""Grad-CAM of single faces: which face is shown, and how its map lies over it."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from facestages.figures import explained


def test_without_intensity_the_most_certain_right_answer_is_shown():
    table = pd.DataFrame(
        {
            "expression": ["happy", "sad", "happy", "happy"],
            "answer": ["happy", "happy", "happy", "sad"],
            "probability": [0.5, 0.9, 0.8, 0.99],
        }
    )
    assert explained.choose_face(table, "happy") == (2, "most certain answer")
    assert explained.choose_face(table, "sad") == (1, "most certain answer")
    table["intensity"] = [1.0, 1.0, np.nan, 2.0]
    assert explained.choose_face(table, "happy") == (0, "highest intensity")
    row, why = explained.choose_face(table, "fear")
    assert row is None and why == "none of the explained pictures is labelled 'fear'"
    row, why = explained.choose_face(table.drop(columns="expression"), "fear")
    assert row is None and why == "the face set has no expression labels"


def test_overlay_shows_where_the_map_is_high():
    picture = np.full((40, 40), 128, np.uint8)
    heat = np.zeros((4, 4))
    heat[0, 3] = 1
    shown = explained.overlay(picture, heat).astype(float)
    assert shown.shape == (40, 40, 3)
    low, high = (plt.get_cmap("viridis")(value)[:3] for value in (0.0, 1.0))
    np.testing.assert_allclose(shown[39, 0], 64 + 127.5 * np.array(low), atol=1)
    np.testing.assert_allclose(shown[0, 39], 64 + 127.5 * np.array(high), atol=1)
