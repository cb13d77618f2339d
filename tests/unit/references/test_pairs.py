"""Judged pairs: what a table says is found again, and errors name the row."""

import numpy as np
import pytest

HEADER = "picture,other,dissimilarity,rater"
ROWS = ("p0-happy,p1-sad,2,anna", "p2-happy,p3-sad,1,anna", "p1-sad,p0-happy,4,ben")


def test_pairs_by_rater(prepared, write):
    found = prepared("pairs", path=write(HEADER, *ROWS))
    assert found.raters == ["anna", "ben"]
    # In the order of the face set, whichever picture comes first in the table.
    assert found.first == ["p0-happy.png", "p2-happy.png"]
    assert found.second == ["p1-sad.png", "p3-sad.png"]
    np.testing.assert_array_equal(found.dissimilarity[:, 0], [[2, 1], [4, np.nan]])
    assert found.dissimilarity.dtype == np.float32


def test_order_of_rows_does_not_count(prepared, write):
    first = prepared("pairs", path=write(HEADER, *ROWS))
    again = prepared("pairs", path=write(HEADER, *ROWS[::-1]))
    np.testing.assert_array_equal(again.dissimilarity, first.dissimilarity)
    assert again.first == first.first and again.raters == first.raters


def test_similarity_is_turned_around(prepared, write):
    header = "picture,other,similarity,rater"
    found = prepared("pairs", path=write(header, *ROWS), similarity=True)
    np.testing.assert_array_equal(found.dissimilarity[:, 0], [[2, 3], [0, np.nan]])


def test_columns_with_other_names(prepared, write):
    path = write("Left;Right;d;Participant", *(row.replace(",", ";") for row in ROWS))
    columns = {"picture": "Left", "other": "Right", "dissimilarity": "d"}
    assert prepared("pairs", path=path, columns=columns).raters == ["anna", "ben"]
    message = prepared.refuses("pairs", path=path, columns=columns | {"other": "Rigth"})
    assert "has no column 'Rigth', which 'columns' names; did you mean 'Right'" in message


def test_odd_rows_are_logged(prepared, write, caplog):
    path = write(
        HEADER,
        *ROWS,
        "p0-happy,p1-sad,3,anna",
        "p0-sad,P0-SAD.jpg,0,anna",
        "p0-sad,p1-sad,,anna",
        "nobody,p1-sad,1,anna",
    )
    found = prepared("pairs", path=path)
    # The mean of both.
    assert found.dissimilarity[0, 0, 0] == 2.5 and found.dissimilarity.shape == (2, 1, 2)
    log = caplog.text
    assert "row 4 (line 5): a pair that its rater judged before. The mean is taken" in log
    assert "row 5 (line 6): a pair of a picture with itself. These rows are left out" in log
    assert "row 6 (line 7): no dissimilarity" in log
    assert "1 of 7 pictures are not in face set own, such as 'nobody'" in log
    assert "1 of 2 raters have one judgement, such as 'ben'" in log


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("p0-happy,p1-sad,-1,anna", ["row 4 (line 5)", "-1", "negative", "similarity: true"]),
        ("p0-happy,p1-sad,inf,anna", ["row 4 (line 5)", "'inf', not a number"]),
        ("p0-happy,p1-sad,1e999,anna", ["row 4 (line 5)", "not a number"]),
        ("p0-happy,p1-sad,much,anna", ["row 4 (line 5)", "'much', not a number"]),
    ],
)
def test_values_that_are_no_dissimilarities(prepared, write, row, words):
    message = prepared.refuses("pairs", path=write(HEADER, *ROWS, row))
    assert all(word in message for word in words), message


def test_nothing_remains(prepared, write):
    rows = [f"p{n}-happy,p{n}-happy,0,anna" for n in range(4)]
    assert "two different pictures" in prepared.refuses("pairs", path=write(HEADER, *rows))
    assert "a header but no rows" in prepared.refuses("pairs", path=write(HEADER))
    assert "no such file" in prepared.refuses("pairs", path="none.csv")
    nameless = write("picture,other,rater", *(row.replace(",2,", ",") for row in ROWS[:1]))
    assert "has no column 'dissimilarity'" in prepared.refuses("pairs", path=nameless)


def test_one_rater_has_no_ceiling(prepared, write, caplog):
    prepared("pairs", path=write(HEADER, *ROWS[:2]))
    assert "has one rater, so no ceiling can be estimated" in caplog.text
