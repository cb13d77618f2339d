"""Table 1: known answers, and what readers see."""

import json

import numpy as np
import pandas as pd
import pytest

from facestages.figures import table1
from facestages.stimuli import StimulusSet, write_stimuli
from facestages.tables import write_table

CLASSES = ["happy", "sad"]


def face_labels(n=40):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "stimulus_id": [f"s{i}" for i in range(n)],
            "identity": [f"p{i % 5}" for i in range(n)],
            "expression": rng.choice(["happy", "sad", "fear"], n),
        }
    )


def answers(labels, seed):
    expression = np.random.default_rng(seed).choice(["happy", "sad"], len(labels))
    return pd.DataFrame({"stimulus_id": labels["stimulus_id"], "expression": expression})


@pytest.fixture
def table(tmp_path):
    """Of a trained network, an untrained one, and one face set."""
    labels = face_labels()
    faces = StimulusSet(
        np.zeros((40, 6, 8), np.uint8),
        labels,
        {"identity": "rendered", "expression": "rendered"},
        {"rendered": 1},
    )
    write_stimuli(tmp_path / "faces.h5", faces, "faces")
    write_table(tmp_path / "layers.csv", pd.DataFrame({"network_parameters": [1234]}))
    report = {"dataset": "wild", "test_part": "a tenth", "n_train": 90, "n": 10, "accuracy": 0.8}
    report |= {"classes": CLASSES, "confusion": [[7, 0], [2, 1]]}
    report["shares"] = {"happy": 0.75, "sad": 0.25}
    (tmp_path / "metrics.json").write_text(json.dumps(report))
    write_table(tmp_path / "seen.csv", answers(labels, 1))
    entry = {"classes": CLASSES, "seeds": [0], "layers": tmp_path / "layers.csv"}
    trained = {"label": "NN1", "weights": "trained here", "trained_on": "wild", "paper": "NN1"}
    trained |= {"reports": [tmp_path / "metrics.json"], "predictions": []}
    control = {"label": "NN_3 & co", "weights": "untrained", "trained_on": "none", "paper": None}
    control |= {"reports": [], "predictions": [tmp_path / "seen.csv"]}
    paper = tmp_path / "paper.yaml"
    paper.write_text(
        "table1: {networks: {NN1: {data: FER2013, accuracy: [{test: FER2013, value: 0.8232}]}}, "
        "datasets: {KDEF: {n: 980, people: 70, labels: 7 expressions, rows: 762, columns: 562}}}"
    )
    files = {"stimuli": tmp_path / "faces.h5", "labels": tmp_path / "faces.labels.h5"}
    return table1.make_table1(
        {"nn1": trained | entry, "nn3": control | entry},
        {"faces": {"label": "Faces", "paper": "KDEF", **files}},
        {"name": "faces", "label": "Faces", **files},
        paper,
    )


def test_rows_are_tidy(table):
    shares = table[(table["name"] == "nn1") & (table["measure"] == "class")]
    assert dict(zip(shares["item"], shares["value"], strict=True)) == {"happy": 0.75, "sad": 0.25}
    held_out = table[table["measure"] == "held-out accuracy"]
    assert held_out[["name", "value", "n"]].values.tolist() == [["nn1", 0.8, 10]]
    assert list(table[table["measure"] == "test accuracy"]["name"]) == ["nn3"]
    size = table.set_index("measure").loc[["rows", "columns"]]
    assert size[["value", "paper"]].values.tolist() == [[6, 762], [8, 562]]
    kind = table.set_index("measure").loc["kind"]
    assert (kind["text"], kind["paper_text"]) == ("rendered", "KDEF")


def test_markdown_shows_measured_and_published(table):
    text = table1.to_markdown(table)
    row = next(line for line in text.splitlines() if line.startswith("| NN1 "))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:6] == [
        "NN1",
        "trained here",
        "wild (n = 90)",
        "happy 75.0%, sad 25.0%",
        "1,234",
        "1",
    ]
    assert cells[6] == (
        "80.0% [49.0%, 94.3%] on 10 of wild: a tenth; balanced 66.7%; chance 50.0%, most frequent "
        "class 70.0%; recall: happy 100.0%, sad 33.3%"
    )
    assert cells[7] == ""
    assert cells[8] == "FER2013; 82.32% (FER2013)"
    row = next(line for line in text.splitlines() if line.startswith("| Faces "))
    assert "| rendered | 40 | 5 |" in row and "(rendered) | 8x6 |" in row
    assert "KDEF, n = 980, 70 people, 7 expressions, 562x762" in row


def test_rendered_faces_are_told_where_there_are_some(table):
    assert "Rendered faces stand in" in table1.to_markdown(table)
    photographs = table.assign(text=table["text"].replace("rendered", "pictures of people"))
    assert "Rendered faces" not in table1.to_markdown(photographs)


def test_latex_is_escaped_and_even(table):
    text = table1.to_latex(table)
    assert r"NN\_3 \& co" in text and r"80.0\%" in text
    body = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {line.replace(r"\&", "").count("&") for line in body} == {6, 8}


def test_what_is_left_out_is_said_in_every_form(table, tmp_path):
    paths = [tmp_path / f"table1.{kind}" for kind in ("md", "tex", "html")]
    line = "datasets.kdef.path = 'KDEF': no such file or folder"
    table1.write_table1(table, *paths, absent=[line])
    for path in paths:
        text = path.read_text().replace("&#x27;", "'").replace("\\", "")
        assert f"LEFT OUT: {line}." in text
