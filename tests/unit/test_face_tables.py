"""A user's table of pictures: its columns, its words, and what seems odd about them."""

import csv

import pytest
import yaml

import refusals
from facestages.face_tables import (
    inner_path,
    label_name,
    labels_of,
    meant_column,
    odd_words,
    oddities,
    read_face_table,
    reading_as_text,
)


def write(folder, *rows):
    path = folder / "faces.csv"
    with open(path, "w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)
    return path


def odd(label, words, rename=None):
    """Lines on a table in which pictures have these words as a label."""
    rows = [{"path": f"{n}.png", "identity": "", label: word} for n, word in enumerate(words)]
    return oddities([{"expression": "", **row} for row in rows], rename or {})


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


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        *(("surprised", "surprise"), ("anger", "angry"), ("sadness", "sad"), ("normal", "neutral")),
        *(("Fearful", "fear"), ("disgusted", "disgust"), ("joy", "happy"), ("happyness", "happy")),
        *(("AF", "fear"), ("suprise", "surprise"), ("Angst", "fear"), ("neutrality", "neutral")),
    ],
)
def test_an_unknown_word_gets_a_line(word, meant):
    (line,) = odd("expression", ["happy", word, word])
    seven = "angry, disgust, fear, happy, sad, surprise, neutral"
    asked = f"'{word}' (2 pictures, did you mean '{meant}'?)"
    said = f"Say what is meant: rename: {{expression: {{{word}: {meant}}}}}"
    assert line == f"expressions that are none of {seven}: {asked}. {said}"
    assert odd("expression", [meant], {"expression": {word: meant}}) == []


def test_a_word_of_ones_own_is_kept_without_a_line_when_it_is_given_to_itself():
    (line,) = odd("expression", ["happy", "contempt"])
    assert line.endswith("Say what is meant: rename: {expression: {contempt: contempt}}")
    assert odd("expression", ["contempt"], {"expression": {"contempt": "contempt"}}) == []
    assert odd("expression", ["happy", "", "sad"]) == []
    (line,) = odd("expression", ["pride"])
    assert "did you mean" not in line


def test_a_slip_in_the_config_is_mended_there():
    (line,) = odd("expression", ["suprise"], {"expression": {"astonished": "suprise"}})
    assert line.endswith("rename: {expression: {astonished: surprise}}")
    assert odd("expression", ["contempt"], {"expression": {"contemptuous": "contempt"}}) == []


def test_suggestions_can_be_pasted():
    words = ["no", "#VALUE!", "it's", "?", "1,5", "a: b"]
    (line,) = odd("expression", words)
    said = yaml.safe_load("{" + line.partition("what is meant: ")[2] + "}")
    assert said == {"rename": {"expression": {word: word for word in words}}}


def test_words_are_renamed_whatever_their_form_and_may_swap(tmp_path):
    words = ["Jose\u0301", "a", "b", "NA", "NULL", "Cy", "Di"]
    table = write(tmp_path, ["path", "identity"], *([f"{n}.png", w] for n, w in enumerate(words)))
    given = {"Jos\u00e9": "Zoe\u0308 ", "a": "b", " b": "a", "NA": "NA", "NULL": "Nul", "Cy": ""}
    rename = {"identity": given | {"Di": "NaN"}}
    _, rows = read_face_table(table, rename=rename)
    assert [row["identity"] for row in rows] == ["Zo\u00eb", "b", "a", "NA", "Nul", "", ""]
    assert odd_words(table, {}, rename) == []


def test_people_who_may_be_missing_and_words_that_are_not_there_get_a_line(tmp_path):
    people = ["NA", "NA", "Nancy", "unknown", "?", "😀", "Nan"]
    table = write(tmp_path, ["path", "who"], *([f"{n}.png", name] for n, name in enumerate(people)))
    columns = {"identity": "who"}
    lines = odd_words(table, columns, {"identity": {"nancy": "Ann", "Nan": "Nan"}})
    missing, unknown, sign, absent = lines
    assert missing.startswith("identity is 'NA' in 2 of 7 rows, which counts as missing")
    assert missing.endswith("rename: {identity: {NA: NA}}")
    assert "'unknown' in 1 of 7 rows, which counts as a person" in unknown
    assert sign.endswith("rename: {identity: {'?': ''}}")
    assert absent.startswith("'rename' gives the identity 'nancy', which no row has; did you mean")


def test_labels_in_the_config():
    assert [label_name(name) for name in ("Identity", "re\u0301gion", "Age ")] == [
        *("identity", "r\u00e9gion", "Age")
    ]


def test_many_words_make_one_line_and_numbers_another():
    (line,) = odd("expression", [f"word {n:02d}" for n in range(30)])
    assert "'word 09' (1 pictures) and 20 more. Say what is meant" in line
    (line,) = odd("expression", ["0", "1", "2", "3"])
    assert line.startswith("expressions are numbers (0, 1, 2, ...)") and "{'0': angry, ...}" in line


@pytest.mark.parametrize(
    "people",
    [
        *(["Subject01", "subject01"], ["1", "01", "1.0"], ["s1", "s01"]),
        *(["Ann Lee", "Ann  Lee"], ["ann_lee", "Ann-Lee"], ["7.0", "007"]),
        *(["O'Neil", "O’Neil"], ["S1", "\uff331"], ["yes", "Yes"], ["a: #b", "A: #b"]),
    ],
)
def test_people_who_seem_to_be_one_get_a_line_and_stay_apart(people):
    (line,) = odd("identity", [*people, "another", *people])
    assert line.startswith(f"{len(people)} people differ only in case, leading zeros or blanks: ")
    assert ", ".join(f"'{person}'" for person in people) in line
    said = yaml.safe_load("{" + line.partition("say so: ")[2] + "}")["rename"]["identity"]
    assert said == dict.fromkeys(people[1:], people[0])


def test_other_people_get_no_line():
    assert (
        odd("identity", ["C", "C#", "1", "10", "100", "a1", "b1", "1.5", "Zoë", "Zoe", "", "0"])
        == []
    )


def test_columns_under_other_names_get_a_line():
    (line,) = oddities([{"path": "a.png", "subject": "x", "emotion": "happy"}], {})
    assert "has no column 'identity' and 'expression' (it has: path, subject, emotion)" in line
    assert line.endswith("say so: columns: {identity: subject, expression: emotion}")


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
