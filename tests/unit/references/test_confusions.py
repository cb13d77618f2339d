"""Answers of people who name expressions."""

import numpy as np


def test_counts(prepared, write):
    rows = ["sad,sad,8", "sad,pain,2", "happy,happy,9", "happy,sad,1", "happy,sad,2"]
    found = prepared("confusions", path=write("expression,answer,count", *rows))
    assert found.expressions == ["sad", "happy"] and found.answers == ["sad", "happy", "pain"]
    np.testing.assert_array_equal(found.count, [[8, 0, 2], [3, 9, 0]])
    assert found.rater_count is None and found.raters == []


def test_an_answer_a_row_by_rater(prepared, write):
    rows = ["sad,sad,anna", "sad,sad,ben", "happy,sad,ben"]
    found = prepared("confusions", path=write("expression,answer,rater", *rows))
    assert found.raters == ["anna", "ben"]
    np.testing.assert_array_equal(found.rater_count[:, :, 0], [[1, 0], [1, 1]])
    np.testing.assert_array_equal(found.count, found.rater_count.sum(axis=0))


def test_words_that_no_picture_has(prepared, write, caplog):
    rows = ["sad,sad,8", "compound,sad,2"]
    prepared("confusions", path=write("expression,answer,count", *rows))
    assert "1 of 2 expressions are not in face set own, such as 'compound'" in caplog.text
    message = prepared.refuses("confusions", path=write("expression,answer", "joy,joy"))
    assert "1 of 1 expressions" in message and "happy, neutral, sad" in message


def test_what_is_refused(prepared, write):
    header = "expression,answer,count"
    for row, words in (
        ("sad,sad,-1", "row 1 (line 2): count is '-1', not a count"),
        ("sad,sad,", "row 1 (line 2): count is '', not a count"),
        ("sad,,3", "row 1 (line 2): answer is empty"),
        ("sad,sad,0", "all counts are 0"),
    ):
        assert words in prepared.refuses("confusions", path=write(header, row))
