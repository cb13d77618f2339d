"""Labels of a user's table are kept as written, under names that every file can hold."""

import numpy as np
import pandas as pd
import pytest

from facestages import store
from facestages.stimuli.labels.table import list_people
from own_tables import READING, label_table, read_table, refusal, write_table
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
        *sorted({name for names in store.NAMES.values() for name in names}),
        *("face_score", "eye_distance"),
        *(".", "..", "a/b", "/"),
    ],
)
def test_columns_that_no_file_can_hold(two, name):
    message = refusal(write_table(two, ["path", name], ["a.png", "1"]))
    assert f"faces.csv: a label cannot be named '{name}': " in message
    assert "Rename the column, e.g. to 'label" in message
    other = message.split("'")[-2]
    table = write_table(two, ["path", other], ["a.png", "1"])
    assert other in read_table(table).sources


@pytest.mark.parametrize("name", ["region", "edge", "regions", "map", "axis", "umap", "."])
def test_columns_that_once_vanished_or_stopped_a_later_job(two, name):
    assert f"'{name}'" in refusal(write_table(two, ["path", name], ["a.png", "1"]))


@pytest.mark.parametrize("name", ["product", "note", "file", "kind", "attrs", "Region", "a.b", "é"])
def test_other_columns_are_labels(two, name):
    assert read_table(write_table(two, ["path", name], ["a.png", "1"])).sources == {name: "file"}
