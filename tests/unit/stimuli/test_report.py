"""What a face set's report and contact sheet say, and what a network's predictions become."""

import json
import logging

import numpy as np
import pandas as pd
import pytest

from facestages import tables
from facestages.architectures import InputSpec
from facestages.errors import FacestagesError
from facestages.recording.predictions import predict_expressions
from facestages.stimuli import (
    Irregularity,
    StimulusSet,
    read_labels,
    read_stimuli,
    write_labels,
    write_pictures,
    write_stimuli,
)
from facestages.stimuli.report import report_stimuli, write_report
from facestages.stimuli.sample import sample_stimuli

CLASSES = ("happy", "sad", "contempt")


class Answers:
    """A network that gives one prepared row of scores a picture."""

    name = "net"
    layers = {"out": (3,)}
    input, batch, side_by_side, unlisted = InputSpec(4, 1), 32, False, {}

    def __init__(self, scores):
        self.scores = np.array(scores, np.float32)

    def record(self, images, layers):
        return {layers[0]: self.scores[images.mean(axis=(1, 2)).astype(int) // 64]}


@pytest.fixture
def faces(tmp_path):
    """A file of three pictures of two people, and a fourth left out."""
    labels = pd.DataFrame(
        {
            "stimulus_id": ["a", "b", "c"],
            "identity": ["x", "x", "y"],
            "expression": ["happy", "sad", ""],
        }
    )
    sources = {"identity": "file", "expression": "posed"}
    irregular = [Irregularity("d.png", "no face found", "left out")]
    images = np.arange(3 * 64, dtype=np.uint8).reshape(3, 8, 8)
    path = tmp_path / "faces.h5"
    write_stimuli(path, StimulusSet(images, labels, sources, irregular=irregular), "mine")
    return path


def predict(faces, scores):
    return predict_expressions(Answers(scores), 0, "out", CLASSES, faces)


def test_probabilities_and_logits_name_the_same_class(faces):
    shares = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]]
    for scores in (shares, np.log(shares) + 3):
        table = predict(faces, scores)
        assert list(table["expression"]) == ["happy", "sad", "contempt"]
        assert np.allclose(table["probability"], [0.7, 0.8, 0.6], atol=1e-4)


def test_a_damaged_network_names_nothing(faces):
    with pytest.raises(FacestagesError, match="layer out: NaN or infinity for picture 'b'"):
        predict(faces, [[1, 0, 0], [np.nan, 0, 0], [0, 1, 0]])


def test_a_layer_that_is_not_the_output(faces):
    with pytest.raises(FacestagesError, match="network net: no layer 'outt': did you mean 'out'"):
        predict_expressions(Answers([[1, 0]] * 3), 0, "outt", CLASSES, faces)
    with pytest.raises(FacestagesError, match="has 2 units for 3 classes"):
        predict(faces, [[1, 0]] * 3)


def test_valence_and_arousal_come_after_the_classes(faces):
    scores = [[5, 0, 0, 0.5, -0.25], [0, 5, 0, 1.5, 0], [0, 0, 5, -2, 0.125]]
    affect = ("valence", "arousal")
    table = predict_expressions(Answers(scores), 0, "out", CLASSES, faces, affect)
    assert list(table["expression"]) == ["happy", "sad", "contempt"]
    assert table["valence"].tolist() == [0.5, 1, -1], "clipped as the network's authors do"
    assert table["arousal"].tolist() == [-0.25, 0, 0.125]
    with pytest.raises(FacestagesError, match="3 units for 3 classes and valence and arousal"):
        predict_expressions(Answers([[1, 0, 0]] * 3), 0, "out", CLASSES, faces, affect)


@pytest.fixture
def predictions(faces, tmp_path):
    path = tmp_path / "predictions.csv"
    tables.write_table(path, predict(faces, [[1, 0, 0], [0, 0, 1], [0, 1, 0]]))
    return path


def test_predictions_become_the_label_and_say_so(faces, predictions):
    labels, sources, _ = read_labels(faces, predictions=predictions)
    assert list(labels["expression"]) == ["happy", "contempt", "sad"]
    assert sources["expression"] == "network:net" and sources["identity"] == "file"


def test_predictions_of_other_pictures_are_refused(faces, predictions):
    table = tables.read_tables([predictions])
    tables.write_table(predictions, table.assign(stimulus_id=["a", "b", "z"]))
    with pytest.raises(FacestagesError, match="was made from other stimuli"):
        read_labels(faces, predictions=predictions)
    with pytest.raises(FacestagesError, match="was made from other stimuli"):
        report_stimuli(faces, faces.with_name("mine.labels.h5"), [predictions])


def test_report(faces, predictions, tmp_path):
    report = report_stimuli(
        faces, faces.with_name("mine.labels.h5"), [predictions], expression_from="net"
    )
    assert (report["n"], report["people"], report["rendered"]) == (3, 2, False)
    assert report["counts"] == {"": {"x": {"happy": 1, "sad": 1}, "y": {"unlabelled": 1}}}
    assert report["predicted"] == {"net": {"happy": 1, "contempt": 1, "sad": 1}}
    assert report["agreement"]["net"]["n"] == 2
    write_report(report, "My faces", tmp_path / "r.json", tmp_path / "r.md")
    text = (tmp_path / "r.md").read_text()
    assert "**The analyses take expressions from `network:net`**" in text
    assert "- d.png: no face found; left out" in text
    assert "| x | 1 | 1 | 0 | 2 |" in text
    # A class that only the network has keeps its column.
    assert "|  | happy | contempt |" in text and "| sad | 0 | 1 |" in text


def test_labels_that_a_network_cannot_give_are_not_counted(faces, tmp_path):
    """One of two pictures is sad, and the network knows no sadness: it is right in all."""
    answers = pd.DataFrame({"stimulus_id": ["a", "b", "c"], "expression": ["happy"] * 3})
    tables.write_table(tmp_path / "p.csv", answers.assign(network="net"))
    files = faces, faces.with_name("mine.labels.h5"), [tmp_path / "p.csv"]
    every = report_stimuli(*files)["agreement"]["net"]
    assert (every["percent"], every["n"], every["not_counted"]) == (50, 2, {})
    report = report_stimuli(*files, {"net": ["happy", "neutral"]})
    known = report["agreement"]["net"]
    assert (known["percent"], known["n"], known["not_counted"]) == (100, 1, {"sad": 1})
    write_report(report, "My faces", tmp_path / "r.json", tmp_path / "r.md")
    text = (tmp_path / "r.md").read_text()
    assert "Pictures not counted, as the network cannot name them: sad 1." in text
    none = report_stimuli(*files, {"net": ["fear"]})
    assert none["agreement"]["net"]["n"] == 0
    write_report(none, "My faces", tmp_path / "r.json", tmp_path / "r.md")
    assert "No picture is left." in (tmp_path / "r.md").read_text()


def test_the_report_joins_what_is_known_of_pictures_and_of_labels(faces, tmp_path):
    labels, sources, _ = read_labels(faces)
    people = {"SN001": {"frames_chosen": 2}, "SN002": {"frames_chosen": 1}}
    attributes = {"report": json.dumps({"subjects": people, "n_pictures": 3})}
    stimuli = StimulusSet(read_stimuli(faces).images, labels[["stimulus_id"]], {}, attributes)
    write_pictures(faces, stimuli, "mine")
    counts = {"SN001": {"counts_by_threshold": {}}, "SN002": {"counts_by_threshold": {"2": {}}}}
    write_labels(tmp_path / "l.h5", labels, sources, "mine", {"subjects": counts, "norms": {}})
    assert report_stimuli(faces, tmp_path / "l.h5")["source"] == {
        "n_pictures": 3,
        "norms": {},
        "subjects": {name: {**people[name], **counts[name]} for name in people},
    }


def test_what_seems_odd_stands_above_the_labels(faces, tmp_path):
    labels, sources, _ = read_labels(faces)
    attributes = {"report": json.dumps({"to_look_at": ["3 paths *"]})}
    stimuli = StimulusSet(read_stimuli(faces).images, labels[["stimulus_id"]], {}, attributes)
    write_pictures(faces, stimuli, "mine")
    write_labels(tmp_path / "l.h5", labels, sources, "mine", {"to_look_at": ["'joy'?"]})
    report = report_stimuli(faces, tmp_path / "l.h5")
    write_report(report, "Mine", tmp_path / "r.json", tmp_path / "r.md")
    text = (tmp_path / "r.md").read_text()
    assert "## To look at\n\n- 3 paths \\*\n- 'joy'?\n\n## Labels and their sources" in text


def test_copies_are_named_with_labels_in_which_they_differ(tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (1030, 4, 4), dtype=np.uint8)
    # One pair far apart, and three of which one is of another person.
    images[1020] = images[3]
    images[[600, 700]] = images[5]
    labels = pd.DataFrame({"stimulus_id": [f"p{number}" for number in range(1030)]})
    labels = labels.assign(identity="x", expression="happy")
    labels.loc[600, "identity"] = ""
    sources = {"identity": "file", "expression": "file"}
    assert odd_lines(tmp_path, images, labels, sources) == [
        "3 of the pictures are copies of another one: 'p1020' is 'p3'. Copies are nearest to each "
        "other in every layer: leave them out",
        "1 of the copied pictures have two values of identity: 'p5' is x, and 'p600' is none. "
        "Mend the table",
    ]
    assert odd_lines(tmp_path, images[:5], labels[:5], sources) is None


def odd_lines(folder, images, labels, sources):
    write_stimuli(folder / "mine.h5", StimulusSet(images, labels, sources), "mine")
    report = report_stimuli(folder / "mine.h5", folder / "mine.labels.h5")
    return report["source"].get("to_look_at")


def test_pictures_of_nobody_are_no_person(faces, tmp_path):
    labels, sources, _ = read_labels(faces)
    labels["identity"] = ["x", "", ""]
    write_labels(tmp_path / "l.h5", labels, sources, "mine")
    report = report_stimuli(faces, tmp_path / "l.h5")
    assert report["people"] == 1
    write_report(report, "Mine", tmp_path / "r.json", tmp_path / "r.md")
    assert "| 1 people |" in (tmp_path / "r.md").read_text()


def test_expressions_that_a_sample_lacks_are_named(faces, tmp_path, caplog):
    sample_stimuli(faces, 3, tmp_path / "sample.h5", np.full(3, ""))
    with caplog.at_level(logging.WARNING, logger="facestages"):
        report_stimuli(faces, faces.with_name("mine.labels.h5"), measured=tmp_path / "sample.h5")
    assert "'mine': the sample has no picture of no expression, sad" in caplog.text
