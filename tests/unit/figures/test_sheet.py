"""The contact sheet: every picture with its label, and originals beside their stimuli."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from facestages.figures.face_set import placeholder
from facestages.figures.sheet import draw_sheet
from facestages.stimuli import Example, Irregularity, StimulusSet, write_stimuli
from facestages.tables import write_table


def write_faces(path, examples=()):
    """Three pictures of two people, and a fourth left out."""
    labels = pd.DataFrame({"stimulus_id": ["a", "b", "c"], "identity": ["x", "x", "y"]})
    labels["expression"] = ["happy", "sad", ""]
    sources = {"identity": "file", "expression": "posed"}
    irregular = [Irregularity("d.png", "no face found", "left out")]
    images = np.arange(3 * 64, dtype=np.uint8).reshape(3, 8, 8)
    faces = StimulusSet(images, labels, sources, {}, irregular, list(examples))
    write_stimuli(path, faces, "mine")
    return path


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_every_picture_is_shown_with_its_label(tmp_path):
    faces = write_faces(tmp_path / "faces.h5")
    predictions = pd.DataFrame({"stimulus_id": ["a", "b", "c"], "network": "net"})
    predictions["expression"] = ["happy", "contempt", "sad"]
    write_table(tmp_path / "predictions.csv", predictions)
    figure = draw_sheet(faces, "My faces", predictions=tmp_path / "predictions.csv")
    titles = [axis.get_title() for axis in figure.axes if axis.images]
    assert titles == ["a\nhappy", "b\ncontempt", "c\nsad"]
    heading = " ".join(figure.get_suptitle().split())
    assert "My faces: 3 pictures of 2 people; expression: network:net" in heading
    assert "1 left out" in heading and "RENDERED" not in heading


def test_originals_stand_beside_their_stimuli(tmp_path):
    small, eyes = np.full((6, 6, 3), 200, np.uint8), np.array([[1.0, 2.0], [4.0, 2.0]])
    examples = [
        Example("b.png", "b", "lowest score", small, eyes),
        Example("d.png", "", "no face found", small, np.full((2, 2), np.nan)),
    ]
    faces = write_faces(tmp_path / "faces.h5", examples)
    figure = draw_sheet(faces, "My faces", may_show="all")
    original, stimulus, left_out, empty = figure.axes[:4]
    assert original.get_title() == "b" and stimulus.get_title() == "x, sad, lowest\nscore"
    np.testing.assert_array_equal(original.lines[0].get_xydata(), eyes)
    np.testing.assert_array_equal(stimulus.images[0].get_array(), np.arange(64, 128).reshape(8, 8))
    assert left_out.get_title() == "d.png" and not empty.images
    assert empty.texts[0].get_text() == "no face found"


def test_faces_and_originals_that_may_not_be_shown(tmp_path):
    small, eyes = np.full((6, 6, 3), 200, np.uint8), np.full((2, 2), np.nan)
    examples = [
        Example("b.png", "b", "of x", small, eyes),
        Example("c.png", "c", "of y", small, eyes),
        Example("d.png", "", "nobody knows whose face", small, eyes),
    ]
    faces = write_faces(tmp_path / "faces.h5", examples)
    figure = draw_sheet(faces, "My faces", may_show=["y"])
    shown = [axis.images[0].get_array() for axis in figure.axes if axis.images]
    hidden, stimulus = placeholder((6, 6, 3)), np.arange(128, 192).reshape(8, 8)
    for drawn, expected in zip(
        shown, [hidden, placeholder((8, 8)), small, stimulus, hidden], strict=True
    ):
        np.testing.assert_array_equal(drawn, expected)
    assert "2 of 3 faces may not be shown" in " ".join(figure.get_suptitle().split())
