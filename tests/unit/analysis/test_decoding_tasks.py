"""What cannot be decoded, or only in part, has a note."""

import numpy as np
import pytest

from decoding_faces import decode_one, gram_of, portraits
from facestages.analysis.decoding import decode


@pytest.fixture
def noise():
    return np.random.default_rng(5).normal(size=(120, 12))


def test_people_without_a_second_session_are_left_out():
    table = portraits(6)
    table = table[(table["identity"] != "P03") | (table["session"] == "A")]
    table = table.reset_index(drop=True)
    points = np.random.default_rng(0).normal(size=(len(table), 8))
    row = decode_one(points, table, "identity")
    assert row["n_groups"] == 5 and row["n"] == 50
    assert row["note"] == "1 people left out, who have too few sessions"


def test_a_person_who_shows_alone_what_nobody_else_does(noise):
    table = portraits()
    table.loc[:2, "expression"] = "smug"
    row = decode_one(noise, table, "expression", resamples=9)
    assert row["n_groups"] == 5 and row["n"] == 117
    assert row["note"] == "left out, not shown by people of two folds: smug"
    assert row["ci_low"] < row["value"] < row["ci_high"]


@pytest.mark.parametrize(
    ("change", "label", "words"),
    [
        ({"expression": ""}, "expression", "the face set has no label 'expression'"),
        ({}, "arousal", "the face set has no label 'arousal'"),
        ({"valence": np.nan}, "valence", "the face set has no label 'valence'"),
        ({"expression": "sad"}, "expression", "all 120 pictures have one expression"),
        ({"valence": 0.5}, "valence", "all 120 pictures have one valence"),
        ({"identity": "P00"}, "expression", "no two people to hold out in turn"),
        ({"identity": "P00"}, "identity", "one person only, nobody to tell from whom"),
        ({"session": ""}, "identity", "pictures of one person are in no order"),
        ({"session": "A"}, "identity", "pictures of one person are in no order"),
        ({"session": "", "frame": np.nan}, "identity", "or three of 'frame'"),
        ({"identity": np.arange(120).astype(str)}, "identity", "are in no order"),
        ({"sex": ["m"] * 10 + ["f"] * 110}, "sex", "all 110 pictures have one sex"),
    ],
)
def test_what_cannot_be_decoded_is_said(noise, change, label, words):
    table = portraits().assign(**change)
    row = decode_one(noise, table, label)
    assert np.isnan(row["value"]) and words in row["note"]
    # Other labels are decoded.
    others = decode(gram_of(noise), table, [label, "expression", "identity"], [2, 5], 9, 9)
    assert len(others) == 6


def test_few_people_have_fewer_folds_and_no_interval(noise):
    few = decode_one(noise[:30], portraits(3), "expression", resamples=99)
    assert few["folds"] == 3 and np.isfinite(few["value"]) and np.isnan(few["ci_low"])
    assert few["note"] == "3 folds, as there are 3 people; no interval with fewer than 4 people"
    two = decode_one(noise[:20], portraits(2), "sex")
    assert np.isnan(two["value"]) and "no two people" in two["note"]


def test_pictures_of_unknown_people_are_independent(noise):
    table = portraits().drop(columns=["identity", "session"])
    row = decode_one(noise, table, "expression", resamples=9)
    assert (row["held_out"], row["null"]) == ("pictures", "freely")
    assert row["note"] == "people are not known, pictures are taken as independent"
    assert row["ci_low"] < row["value"] < row["ci_high"]


def test_pictures_without_the_label_are_left_out_of_it_alone(noise):
    table = portraits()
    table["valence"] = np.where(
        np.arange(120) % 3, np.random.default_rng(0).normal(size=120), np.nan
    )
    rows = decode(gram_of(noise), table, ["valence", "expression"], [3], 9, 9)
    assert [row["n"] for row in rows] == [80, 120]
    assert all(np.isfinite(row["value"]) for row in rows)
