"""What seems odd about the labels of a table, and lines that can be pasted into the config."""

import csv

import pytest
import yaml

from facestages.face_tables import read_face_table
from facestages.odd_labels import odd_words, oddities, without_groups


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
    ("people", "line"),
    [
        (["Bo", "Bo"], "all pictures have the identity 'Bo'"),
        (["Bo", "Al", ""], "no two pictures have the same identity"),
        (["Bo", "Al", "Al"], ""),
        ([""], ""),
    ],
)
def test_labels_that_make_no_groups_get_a_line(people, line):
    lines = without_groups([{"path": "a.png", "identity": name} for name in people])
    assert "".join(lines).startswith(line) and bool(lines) == bool(line)
