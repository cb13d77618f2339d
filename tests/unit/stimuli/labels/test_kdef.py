"""Labels of KDEF follow from the letters of a picture's name."""

import itertools

import pandas as pd
import pytest

from facestages.expressions import EXPRESSIONS
from facestages.stimuli.kdef import ANGLES, CODES, PEOPLE
from facestages.stimuli.labels.kdef import list_labels, list_people


def label(*stems):
    return list_labels({"norms": None}, pd.DataFrame({"stimulus_id": stems}))


@pytest.mark.parametrize(
    ("stem", *("identity", "sex", "expression", "session", "angle")),
    [
        ("AF01AFS", "F01", "female", "fear", "A", "S"),
        ("AF01AFFL", "F01", "female", "fear", "A", "FL"),
        ("BM35SUHR", "M35", "male", "surprise", "B", "HR"),
        ("BF10SAS", "F10", "female", "sad", "B", "S"),
        ("AM29DIFR", "M29", "male", "disgust", "A", "FR"),
        ("AM20ANHL", "M20", "male", "angry", "A", "HL"),
        ("AF09HAS", "F09", "female", "happy", "A", "S"),
        ("BF19NES", "F19", "female", "neutral", "B", "S"),
    ],
)
def test_names_are_read_by_position(stem, identity, sex, expression, session, angle):
    assert label(stem).table.to_dict("records") == [
        {
            "identity": identity,
            "sex": sex,
            "expression": expression,
            "session": session,
            "angle": angle,
        }
    ]


def test_every_official_name_has_its_own_cell():
    table = label(*map("".join, itertools.product("AB", PEOPLE, CODES, ANGLES))).table
    cells = table[["identity", "expression", "session", "angle"]].drop_duplicates()
    assert len(table) == len(cells) == 4900
    assert set(table["expression"]) == set(EXPRESSIONS)


def test_the_same_number_is_another_person_in_the_other_sex():
    assert list(label("AF01HAS", "AM01HAS", "BF01HAS").table["identity"]) == ["F01", "M01", "F01"]


def test_people_are_those_of_the_labels():
    facts = pd.DataFrame({"stimulus_id": ["AF01HAS", "BM35SUHR"]})
    assert list_people({}, facts) == list(label("AF01HAS", "BM35SUHR").table["identity"])


def test_sources():
    sources = label("AF01HAS").sources
    assert sources.pop("expression") == "posed"
    assert sources == dict.fromkeys(("identity", "sex", "session", "angle"), "file")
