"""A user's table of pictures: its columns and its words."""

import csv

import pytest

import refusals
from facestages.face_tables import (
    inner_path,
    label_name,
    labels_of,
    meant_column,
    read_face_table,
    reading_as_text,
)


def write(folder, *rows):
    path = folder / "faces.csv"
    with open(path, "w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)
    return path


@pytest.mark.parametrize(
    ("header", "columns", "labels"),
    [
        (["path", "identity"], {}, ["path", "identity"]),
        (["Path", "IDENTITY", "Region"], {}, ["path", "identity", "Region"]),
        (["file", "subject", "x"], {"path": "file", "identity": "subject"},
         ["path", "identity", "x"]),
        # A column that has the name stays the one, whatever others are called in capitals.
        (["path", "sex", "Sex"], {}, ["path", "sex", "Sex"]),
    ],
)  # fmt: skip
def test_columns_by_label(tmp_path, header, columns, labels):
    table = write(tmp_path, header, [f"{n}.png" for n, _ in enumerate(header)])
    assert labels_of(table, columns) == labels
    _, (row,) = read_face_table(table, columns)
    assert list(row) == labels


@pytest.mark.parametrize(
    ("header", "columns", "words"),
    [
        (["Image_Name", "subject"], {}, "columns: {path: Image_Name}"),
        (["path", "emotion"], {"expression": "emotoin"},
         "has no column 'emotoin', which 'columns' names; did you mean 'emotion'?"),
        (["x", "y"], {}, "has no column 'path' (its first line is: x, y)"),
        (["path", "identity", "subject"], {"identity": "subject"},
         "e.g. columns: {identity: subject, identity_2: identity}"),
        (["path", "subject"], {"subject": "identity"},
         "the label comes first: columns: {identity: subject}"),
        (["“path”", "x"], {}, "columns: {path: '“path”'}"),
    ],
)  # fmt: skip
def test_columns_that_are_not_there(tmp_path, header, columns, words):
    table = write(tmp_path, header, header)
    assert words in refusals.refusal(labels_of, table, columns)
    assert words in refusals.refusal(read_face_table, table, columns)


def test_words_of_a_label_that_is_not_there(tmp_path):
    table = write(tmp_path, ["path", "emotion"], ["a.png", "normal"])
    columns, rename = {"expression": "emotion"}, {"emotion": {"normal": "neutral"}}
    for read in (labels_of, read_face_table):
        message = refusals.refusal(read, table, columns, rename)
        assert "has no label 'emotion', whose words 'rename' gives" in message
        assert "'columns' takes that column for 'expression': write this name" in message
    assert "Allowed: emotion, path" in refusals.refusal(labels_of, table, {}, {"x": {"a": "b"}})


@pytest.mark.parametrize(
    ("label", "column"),
    [
        *(("identity", name) for name in ("subject", "Subject_ID", "person", "participant", "id")),
        *(("expression", name) for name in ("emotion", "Emotion", "label", "expresion")),
        *(("path", name) for name in ("file", "filename", "Image Path", "img")),
        ("sex", "gender"),
        ("identity", ""),
        ("valence", ""),
    ],
)
def test_the_column_that_was_probably_meant(label, column):
    assert meant_column(label, ["age", "arousal", "weight", column]) == column


def test_words_are_read_as_others_and_capitals_do_not_count(tmp_path):
    words = ["surprised", "Happy", "NEUTRAL", "wink", "NA", "Contempt"]
    table = write(tmp_path, ["path", "expression"], *([f"{word}.png", word] for word in words))
    rename = {"expression": {"surprised": "surprise", "wink": ""}}
    _, rows = read_face_table(table, rename=rename)
    found = [row["expression"] for row in rows]
    assert found == ["surprise", "happy", "neutral", "", "", "Contempt"]


def test_labels_in_the_config():
    assert [label_name(name) for name in ("Identity", "re\u0301gion", "Age ")] == [
        *("identity", "r\u00e9gion", "Age")
    ]


@pytest.mark.parametrize(
    ("text", "path"),
    [("a.png", "a.png"), (r"img\a.png", "img/a.png"), (r".\img\\a.png", "img/a.png"), ("", "")],
)
def test_paths_have_slashes_alone(text, path):
    assert inner_path(text, "row 1") == path


@pytest.mark.parametrize(
    "text",
    [
        "/a.png",
        r"C:\img\a.png",
        "c:/a.png",
        r"..\a.png",
        "x/../../a",
        "~/a.png",
        "https://x.y/a.png",
    ],
)
def test_paths_that_lead_out_of_the_folder(text):
    assert "row 1: path" in refusals.refusal(inner_path, text, "row 1")


def test_spellings_of_one_path_are_one_picture(tmp_path):
    table = write(tmp_path, ["path"], ["Jos\u00e9.png"], ["Jose\u0301.png"])
    assert "is already in row 1" in refusals.refusal(read_face_table, table)


def test_how_a_table_is_read_is_told_as_far_as_it_matters():
    columns, rename = {"path": "file", "expression": "e"}, {"identity": {"a": "b"}}
    assert reading_as_text({"expression": "e"}, rename) == ()
    (pictures,) = reading_as_text(columns, rename)
    assert pictures == '[{"path": "file"}, {}]'
    (people,) = reading_as_text(columns, rename, "identity")
    assert people == '[{"path": "file"}, {"identity": {"a": "b"}}]'
