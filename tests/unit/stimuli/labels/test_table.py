"""Labels of a user's table are kept as written, whatever their names."""

import numpy as np
import pandas as pd
import pytest

from facestages.stimuli import read_labels, write_stimuli
from facestages.stimuli.labels.table import list_people
from own_tables import READING, label_table, read_table, write_table
from refusals import refusal as refusal_of


def test_labels_are_kept_as_written(two):
    header = ["path", "identity", "expression", "valence", "au_12", "age", "place", "frame"]
    table = write_table(
        two,
        header,
        ["a.png", "01", "Happiness", "0.5", "", "31", "Haifa", "1"],
        ["./b.png", "02", "", "NA", "2", "", "7", "2"],
    )
    faces = read_table(table, sources={"valence": "human"})
    labels = faces.labels
    assert list(labels["stimulus_id"]) == ["a.png", "b.png"] and "path" not in labels
    assert list(labels["identity"]) == ["01", "02"]
    assert list(labels["expression"]) == ["Happiness", ""]
    assert labels["valence"][0] == 0.5 and np.isnan(labels["valence"][1])
    assert np.isnan(labels["au_12"][0]) and labels["age"][0] == 31.0
    assert list(labels["place"]) == ["Haifa", "7"] and labels["frame"].dtype == np.int64
    assert faces.sources["valence"] == "human" and faces.sources["identity"] == "file"


def test_codes_with_leading_zeros_stay_text(two):
    header = ["path", "code", "share", "number"]
    table = write_table(two, header, ["a.png", "01", "0.5", "0"], ["b.png", "1", "0", "10"])
    labels = read_table(table).labels
    assert list(labels["code"]) == ["01", "1"]
    assert list(labels["share"]) == [0.5, 0.0] and list(labels["number"]) == [0.0, 10.0]


def test_a_stimulus_id_of_ones_own(two):
    table = write_table(two, ["stimulus_id", "path"], ["one", "a.png"], ["two", "b.png"])
    labels = read_table(table).labels
    assert list(labels["stimulus_id"]) == ["one", "two"]
    assert list(labels["path"]) == ["a.png", "b.png"]


@pytest.mark.parametrize("names", [[], ["stimulus_id"]])
def test_people_are_those_of_the_labels_and_no_other_label_is_read(tmp_path, names):
    rows = [["a.png", "01", "high", *names], ["b.png", "02", "low", *(f"{n}2" for n in names)]]
    table = write_table(tmp_path, ["path", "identity", "valence", *names], *rows)
    facts = pd.DataFrame({"stimulus_id": ["stimulus_id2"] if names else ["b.png"]})
    assert list_people({"table": table, **READING}, facts) == ["02"]
    facts_of_b = pd.DataFrame({"stimulus_id": ["b.png"]})
    nobody = write_table(tmp_path, ["path"], ["b.png"])
    assert list_people({"table": nobody, **READING}, facts_of_b) == [""]


def test_only_the_prepared_pictures_are_labelled_and_none_may_lack(tmp_path):
    table = write_table(tmp_path, ["path", "identity"], ["a.png", "x"], ["b.png", "y"])
    labels, *_ = label_table(table, pd.DataFrame({"stimulus_id": ["b.png"]}))
    assert labels.to_dict("list") == {"stimulus_id": ["b.png"], "identity": ["y"]}
    message = refusal_of(label_table, table, pd.DataFrame({"stimulus_id": ["b.png", "c.png"]}))
    assert "faces.csv: has no labels of picture 'c.png'" in message


@pytest.mark.parametrize(
    "name",
    [
        *("region", "edge", "regions", "map", "unit", "row", "column", "images", "irregular"),
        *("face_score", "eye_distance", "dataset", "network", "layer", "label", "index", "0"),
        *(".", "..", "a/b", "/", "a%2Fb", "100 %", "Region", "a.b", "é", "性別", "العمر"),
    ],
)
def test_a_label_may_have_any_name(two, name):
    """Names of arrays, of what cropping measures, of columns of tables, and no names of HDF5."""
    table = write_table(two, ["path", name, "a%2fb"], ["a.png", "x", "1"], ["b.png", "y", "2"])
    write_stimuli(two / "own.h5", read_table(table), "own")
    labels, sources, _ = read_labels(two / "own.h5")
    assert list(labels[name]) == ["x", "y"] and list(labels["a%2fb"]) == [1, 2]
    assert sources == {name: "file", "a%2fb": "file"}


def test_a_label_is_kept_where_cropping_measures_one_of_its_name(two):
    table = write_table(two, ["path", "face_score"], ["a.png", "x"], ["b.png", "y"])
    facts = pd.DataFrame({"stimulus_id": ["a.png", "b.png"], "face_score": [0.5, 0.25]})
    labels, sources, _ = label_table(table, facts)
    assert list(labels["face_score"]) == ["x", "y"] and sources == {"face_score": "file"}
