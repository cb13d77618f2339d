"""Figure 7: answers and accuracies are those of the predictions; what is missing is said."""

import numpy as np
import pytest

import affect_files
from facestages.analysis.components import read_components, read_reference
from facestages.analysis.extremity import accuracy_by_distance
from facestages.analysis.labels import read_people
from facestages.errors import FacestagesError
from facestages.figures import fig7, style
from facestages.stimuli import read_labels


@pytest.fixture
def faces(tmp_path):
    return tmp_path / "faces.h5", affect_files.write_faces(tmp_path / "faces.h5")


def entry(tmp_path, faces, name="net", layer="top", classes=None):
    """A network that knows every second angry face, and calls all others happy."""
    _, labels = faces
    angry = (labels["expression"] == "angry") & (labels.index % 2 == 0)
    answers = np.where(angry, "angry", "happy")
    geometry, predictions = tmp_path / f"{name}.h5", tmp_path / f"{name}.csv"
    affect_files.write_geometry(geometry, *faces, network=name, layers=[layer])
    affect_files.write_predictions(predictions, labels, answers, name)
    shown = {"label": name.upper(), "stage": "penultimate", "layer": layer, "geometry": geometry}
    shown |= {"predictions": predictions, "classes": classes or affect_files.EXPRESSIONS}
    return {name: shown}


LOOKS = {"net": 0, "more": "untrained"}


def accuracies(numbers, panel="a"):
    own = numbers[(numbers["panel"] == panel) & (numbers["measure"] == "accuracy")]
    return dict(zip(own["label"], own["value"], strict=True))


def test_accuracies_are_counted(tmp_path, faces):
    networks = entry(tmp_path, faces) | entry(tmp_path, faces, "more")
    figure, numbers, _, caption = fig7.draw(networks, faces[0], dataset="Faces", looks=LOOKS)
    expected = {"": 0.3, "angry": 0.5, "happy": 1, "sad": 0, "surprise": 0, "neutral": 0}
    assert accuracies(numbers) == pytest.approx(expected)
    assert accuracies(numbers, "b") == pytest.approx(expected)
    titles = [axis.get_title() for axis in figure.axes]
    assert titles[:5] == ["angry 50 %", "happy 100 %", "sad 0 %", "surprise 0 %", "neutral 0 %"]
    said = affect_files.words(figure)
    assert "a NET: 30.0 % [30.0, 30.0] correct, n = 80" in said and "nan" not in said.lower()
    assert "All faces are RENDERED" in caption and "expressions: rendered" in caption


def test_right_and_wrong_differ_in_colour_and_shape(tmp_path, faces):
    figure, _, *_ = fig7.draw(entry(tmp_path, faces), faces[0], dataset="F", looks=LOOKS)
    others, right, wrong = figure.axes[0].collections
    assert [len(part.get_offsets()) for part in (others, right, wrong)] == [64, 8, 8]
    assert len({part.get_facecolor()[0].tobytes() for part in (others, right, wrong)}) == 3
    assert right.get_paths()[0].vertices.shape != wrong.get_paths()[0].vertices.shape
    assert {look["color"] for look in fig7.ANSWERS.values()} >= {"#009E73", "#D55E00"}


def test_accuracy_by_distance_is_that_of_extremity(tmp_path, faces):
    networks = entry(tmp_path, faces)
    _, numbers, *_ = fig7.draw(networks, faces[0], dataset="Faces", looks=LOOKS)
    labels, _, known = read_labels(faces[0])
    reference, digest = read_reference(faces[0]), known["stimuli_digest"]
    own = read_components(networks["net"]["geometry"], "top", reference, digest)
    expression = faces[1]["expression"]
    correct = (expression == "happy") | ((expression == "angry") & (faces[1].index % 2 == 0))
    people = read_people(labels)
    for number, space in enumerate(("PC1", "PC2")):
        arguments = (correct.to_numpy(), own.scores[:, number], people)
        expected = accuracy_by_distance(*arguments)
        fifths = numbers[(numbers["measure"] == "accuracy_in_fifth") & (numbers["space"] == space)]
        assert fifths["value"].tolist() == expected.bins["value"].tolist()
        assert fifths["bin"].tolist() == [1, 2, 3, 4, 5] and set(fifths["n"]) == {16}
        trends = numbers[(numbers["measure"] == "accuracy_trend") & (numbers["space"] == space)]
        within = accuracy_by_distance(*arguments, expression)
        columns = ["value", "ci_low", "ci_high"]
        assert trends[columns].to_numpy() == pytest.approx(np.array([expected[1], within[1]]))
        assert trends["label"].tolist() == ["", "within expressions"]


def test_network_of_fewer_classes(tmp_path, faces):
    networks = entry(tmp_path, faces, classes=["happy", "sad"])
    figure, numbers, *_ = fig7.draw(networks, faces[0], dataset="Faces", looks=LOOKS)
    assert accuracies(numbers) == {"": 0.5, "happy": 1, "sad": 0}
    assert "n = 32 (does not know angry, surprise, neutral)" in affect_files.words(figure)
    assert not figure.axes[0].axison and figure.axes[0].texts[0].get_text() == (
        "not one of its\nclasses"
    )
    trend = numbers[numbers["measure"] == "accuracy_trend"]
    assert set(trend["n"]) == {32}


def test_network_of_other_classes_is_left_out(tmp_path, faces):
    networks = entry(tmp_path, faces) | entry(tmp_path, faces, "more", classes=["dog", "cat"])
    figure, numbers, *_ = fig7.draw(networks, faces[0], dataset="Faces", looks=LOOKS)
    said = affect_files.words(figure)
    assert "b MORE" in said and "it knows none of the face set's expressions" in said
    assert set(numbers["network"]) == {"net"}


def test_labels_of_the_network_itself_are_circular(tmp_path, faces):
    networks = entry(tmp_path, faces)
    path = networks["net"]["predictions"]
    figure, numbers, _, caption = fig7.draw(
        networks, faces[0], dataset="Faces", looks=LOOKS, labels_from=path
    )
    assert accuracies(numbers) == {"": 1, "angry": 1, "happy": 1}
    assert "CIRCULAR" in caption and "; CIRCULAR" in affect_files.words(figure)
    assert set(numbers["label_source"]) == {"network:net"}


def test_one_person_and_few_pictures(tmp_path):
    path = tmp_path / "faces.h5"
    labels = affect_files.write_faces(path, people=1, pictures=1)
    networks = entry(tmp_path, (path, labels), classes=["happy", "sad"])
    figure, numbers, _, caption = fig7.draw(networks, path, dataset="Faces", looks=LOOKS)
    said = affect_files.words(figure)
    assert said.count("fifths need 5 pictures or more, not 2") == 2
    assert "No two people, so no intervals." in caption and numbers["ci_low"].isna().all()
    assert "nan" not in said.lower() and "NET: 50.0 % correct, n = 2" in said


def test_layer_of_one_component_and_an_absent_network(tmp_path, faces):
    networks = entry(tmp_path, faces, layer="flat")
    figure, numbers, *_ = fig7.draw(
        networks, faces[0], dataset="F", looks=LOOKS, absent={"RMN": "its weights are not there"}
    )
    said = affect_files.words(figure)
    assert "one component only; no PC2" in said and "its weights are not there" in said
    assert accuracies(numbers)["angry"] == 0.5 and "nan" not in said.lower()
    networks["net"]["layer"] = ""
    with pytest.raises(FacestagesError, match="NET: the network has no stage 'penultimate'"):
        fig7.draw(networks, faces[0], dataset="F", looks=LOOKS)
    assert {"PC1"} == set(numbers[numbers["measure"] == "accuracy_trend"]["space"])


def test_what_cannot_be_drawn_is_an_error(tmp_path, faces):
    networks = entry(tmp_path, faces)
    options = {"dataset": "Faces", "looks": LOOKS}
    with pytest.raises(FacestagesError, match="Figure 7 has nothing to draw: RMN: not there"):
        fig7.draw({}, faces[0], **options, absent={"RMN": "not there"})
    stranger = entry(tmp_path, faces, classes=["contempt"])
    with pytest.raises(FacestagesError, match="NET: it knows none of the face set's"):
        fig7.draw(stranger, faces[0], **options)
    affect_files.write_predictions(networks["net"]["predictions"], faces[1][::-1], "happy")
    with pytest.raises(FacestagesError, match="other stimuli"):
        fig7.draw(networks, faces[0], **options)
    affect_files.write_faces(tmp_path / "bare.h5", without=["expression"])
    with pytest.raises(FacestagesError, match="'faces' has no expressions"):
        fig7.draw(networks, tmp_path / "bare.h5", **options)


def test_same_bytes_twice(tmp_path, faces):
    networks = entry(tmp_path, faces)
    for run in "ab":
        figure, _, *_ = fig7.draw(networks, faces[0], dataset="Faces", looks=LOOKS)
        style.save_figure(figure, {kind: tmp_path / f"{run}.{kind}" for kind in ("pdf", "svg")})
    for kind in ("pdf", "svg"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()
