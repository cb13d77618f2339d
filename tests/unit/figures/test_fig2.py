"""Figure 2: maps, strips and Grad-CAM, and what is missing is said in its panel."""

import numpy as np
import pandas as pd
import pytest

from facestages import store
from facestages.errors import FacestagesError
from facestages.figures import fig2, style
from facestages.stimuli import add_ids, read_labels
from map_files import spread, write_faces, write_layers, write_scores

LAYERS = {"early": "batchnorm_1", "middle": "flatten", "penultimate": "dropout_4"}
GRADCAM = ["batchnorm_1", "conv2d_4", "conv2d_6"]
NAMES = {"network": "NN1", "dataset": "Faces", "layers": LAYERS, "gradcam": GRADCAM}
NAMES["may_show"] = "all"


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    return write_faces(tmp_path_factory.mktemp("set"))


@pytest.fixture(scope="module")
def embedding(faces, tmp_path_factory):
    points = {
        layer: spread(faces, apart, seed=number)
        for number, (layer, apart) in enumerate(zip(LAYERS.values(), (30, 10, 0), strict=True))
    }
    return write_layers(tmp_path_factory.mktemp("m") / "umap.h5", faces, "embedding", points)


def write_attribution(path, stimuli, layers=GRADCAM):
    """Maps of every third picture; that of the last layer is empty."""
    labels, _, known = read_labels(stimuli)
    labels = labels.iloc[::3].reset_index(drop=True)
    if "expression" in labels:
        answers = labels["expression"].replace("angry", "sad")
    else:
        answers = pd.Series(["happy"] * len(labels))
    notes = {"dataset": "set", "network": "nn1", "seed": 0}
    with store.create(path, "attribution", stimuli_digest=known["stimuli_digest"], **notes) as file:
        for number, layer in enumerate(layers):
            group, side = file.create_group(layer), 12 // (number + 1)
            add_ids(group, labels["stimulus_id"])
            store.add_array(group, "answer", ("stimulus_id",), answers.to_numpy(object))
            certainty = np.linspace(0.4, 0.9, len(labels))
            store.add_array(group, "probability", ("stimulus_id",), certainty)
            store.add_dimension(group, "row", side)
            store.add_dimension(group, "column", side)
            values = np.zeros((len(labels), side, side), np.float16)
            values[:, 0, 0] = 0 if number == 2 else 1
            store.add_array(group, "map", ("stimulus_id", "row", "column"), values)
    return path


@pytest.fixture(scope="module")
def attribution(faces, tmp_path_factory):
    return write_attribution(tmp_path_factory.mktemp("a") / "gradcam.h5", faces)


@pytest.fixture
def scores():
    values = {}
    for number, layer in enumerate(LAYERS.values()):
        values[layer, "umap", "silhouette"] = 0.5 - number / 4
        values[layer, "all", "silhouette"] = 0.2 - number / 10
        for label in ("valence", "arousal"):
            values[layer, "umap", f"r_axis1 {label}"] = 0.6 if label == "valence" else -0.1
            values[layer, "umap", f"r_axis2 {label}"] = 0.3
            values[layer, "umap", f"r2_map {label}"] = 0.4
    return write_scores(values)


def words(figure):
    """All text of a figure, in one line."""
    texts = [text.get_text() for axis in figure.axes for text in axis.texts]
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    return " ".join(" ".join([*titles, *texts]).split())


def test_numbers_and_words_are_those_of_the_scores(embedding, faces, scores, attribution):
    figure, numbers, _, caption = fig2.draw(embedding, faces, scores, attribution, **NAMES)
    own = numbers[numbers["label"] == "identity"].set_index(["panel", "space"])
    assert own.loc[("a", "umap"), "value"] == 0.5 and own.loc[("c", "all"), "value"] == 0
    assert own.loc[("b", "umap"), "stage"] == "middle"
    axis = numbers[(numbers["measure"] == "r_axis1") & (numbers["panel"] == "c")]
    assert axis.set_index("label")["value"].to_dict() == {"valence": 0.6, "arousal": -0.1}
    said = words(figure)
    assert "b flatten (middle) c" in said
    assert "identity silhouette 0.25 on the map, 0.10 in the layer's space" in said
    assert "r = 0.60 with declared valence, r = −0.10 with declared arousal" in said
    assert "UMAP 1 rises with valence and UMAP 2 is positive at its farthest point" in caption
    assert "a map 0.50 [0.45, 0.55], layer 0.20 [0.15, 0.25]" in caption
    assert "NN1, seed 0, on Faces, 60 pictures of 3 people. All faces are RENDERED" in caption
    assert "nan" not in said.lower() + caption.lower()


def test_strips_show_faces_at_equal_steps(embedding, faces, scores, attribution):
    _, numbers, *_ = fig2.draw(embedding, faces, scores, attribution, **NAMES)
    points = spread(faces, 0, seed=2)
    labels, *_ = read_labels(faces)
    for axis in (1, 2):
        own = numbers[numbers["space"] == f"umap{axis}"]
        assert len(own) == 11 and own["note"].is_unique
        rows = [int(np.flatnonzero(labels["stimulus_id"] == name)[0]) for name in own["note"]]
        np.testing.assert_allclose(own["value"], points[rows, axis - 1])
        assert own["value"].is_monotonic_increasing
        assert own["value"].iloc[0] == points[:, axis - 1].min()
        assert own["value"].iloc[-1] == points[:, axis - 1].max()


def test_gradcam_is_of_the_strongest_expression(embedding, faces, scores, attribution):
    figure, numbers, _, caption = fig2.draw(embedding, faces, scores, attribution, **NAMES)
    labels, *_ = read_labels(faces)
    explained = labels.iloc[::3]
    own = numbers[numbers["measure"] == "probability"]
    for panel, expression, answer in (("e", "happy", "happy"), ("f", "angry", "sad")):
        shown = explained[explained["expression"] == expression]
        best = shown["stimulus_id"][shown["intensity"].idxmax()]
        rows = own[own["panel"] == panel]
        assert rows["layer"].tolist() == GRADCAM and set(rows["label"]) == {answer}
        assert rows["note"].iloc[0] == f"{best}, labelled {expression}"
        assert f"{panel} Labelled {expression}; answer: {answer} (0." in words(figure)
    assert "has the highest intensity of those explained with that label and named rightly." in (
        caption
    )
    assert "f: no picture labelled angry is named so; the one shown has the highest" in caption
    assert words(figure).count("all zero") == 2


def test_what_is_missing_is_said_in_its_panel(embedding, faces, scores):
    names = {**NAMES, "stages": ["early", "conv9"]}
    figure, numbers, _, caption = fig2.draw(embedding, faces, scores, None, **names)
    lines = {
        "b": "network nn1 has no stage or layer 'conv9' here",
        "c": "network nn1 has no stage or layer 'conv9' here",
        "e": "no Grad-CAM of this network",
    }
    notes = numbers.drop_duplicates("panel").set_index("panel")["note"]
    for letter, line in lines.items():
        assert notes[letter] == line and f"LEFT OUT: {letter}: {line}." in caption
        assert line in words(figure)
    # No scale of colours without a map.
    assert len(figure.axes) == 5 and not any(axis.axison for axis in figure.axes[1:])
    assert "nan" not in words(figure).lower() + caption.lower()


def test_layer_without_gradcam_is_said_in_its_tile(embedding, faces, scores, tmp_path):
    file = write_attribution(tmp_path / "a.h5", faces, layers=["conv2d_4"])
    figure, numbers, *_ = fig2.draw(embedding, faces, scores, file, **NAMES)
    assert words(figure).count("no such layer here") == 4
    assert set(numbers[numbers["measure"] == "probability"]["layer"]) == {"conv2d_4"}
    names = {**NAMES, "gradcam": ["dense_1"]}
    figure, _, _, caption = fig2.draw(embedding, faces, scores, file, **names)
    assert "LEFT OUT: e: no Grad-CAM of dense_1: the network has no such layer here." in caption


def test_face_set_without_expressions_or_affect(tmp_path, scores):
    faces = write_faces(tmp_path, leave_out=["expression", "valence", "arousal"])
    embedding = write_layers(
        tmp_path / "m.h5", faces, "embedding", {"dropout_4": spread(faces, 5.0)}
    )
    file = write_attribution(tmp_path / "a.h5", faces)
    unknown = scores["measure"].str.startswith("r")
    scores.loc[unknown, "value"] = np.nan
    scores.loc[unknown, "note"] = "the face set has no label 'valence'"
    scores.loc[unknown, "label_source"] = ""
    names = {**NAMES, "stages": ["penultimate"]}
    figure, _, _, caption = fig2.draw(embedding, faces, scores, file, **names)
    said = words(figure)
    no_valence = "valence and arousal: the face set has no label 'valence'"
    assert no_valence in caption and no_valence not in said
    assert "LEFT OUT: c: the face set has no expression labels." in caption
    assert "nan" not in said.lower() + caption.lower()


def test_one_person_of_few_pictures(tmp_path, scores):
    faces = write_faces(tmp_path, people=1, pictures=8)
    points = {layer: spread(faces, 0.0) for layer in LAYERS.values()}
    embedding = write_layers(tmp_path / "m.h5", faces, "embedding", points)
    own = scores["measure"] == "silhouette"
    scores.loc[own, ["value", "note"]] = [np.nan, "one identity only"]
    figure, numbers, _, caption = fig2.draw(
        embedding, faces, scores, write_attribution(tmp_path / "a.h5", faces), **NAMES
    )
    said = words(figure)
    assert said.count("no identity silhouette: one identity only") == 3
    assert said.count("(the face set has 8)") == 2
    assert (numbers["space"] == "umap1").sum() == 8
    assert "8 pictures of 1 person" in caption
    assert "nan" not in said.lower() + caption.lower()


def test_nothing_to_draw_and_other_stimuli_are_errors(embedding, faces, scores, tmp_path):
    names = {**NAMES, "stages": ["conv9"]}
    with pytest.raises(FacestagesError, match="nothing to draw: network nn1 has no stage"):
        fig2.draw(embedding, faces, scores, None, **names)
    other = write_faces(tmp_path, people=2)
    with pytest.raises(FacestagesError, match="another stimuli digest"):
        fig2.draw(embedding, other, scores, None, **NAMES)


def test_same_bytes_twice(embedding, faces, scores, attribution, tmp_path):
    kinds = ("pdf", "svg", "png")
    for run in "ab":
        figure, _, *_ = fig2.draw(embedding, faces, scores, attribution, **NAMES)
        style.save_figure(figure, {kind: tmp_path / f"{run}.{kind}" for kind in kinds})
    for kind in kinds:
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()
