"""Odd ones out."""

HEADER = "a,b,odd,rater"
ROWS = ("p0-happy,p0-sad,p1-happy,anna", "p2-sad,p1-happy,p0-sad,ben")


def test_the_odd_one_is_last(prepared, write):
    found = prepared("triplets", path=write(HEADER, *ROWS))
    assert found.triplet == [
        ("p0-happy.png", "p0-sad.png", "p1-happy.png"),
        ("p2-sad.png", "p1-happy.png", "p0-sad.png"),
    ]
    assert found.trial_rater == ["anna", "ben"] and found.raters == ["anna", "ben"]


def test_without_raters(prepared, write):
    found = prepared("triplets", path=write("a,b,odd", *(r.rpartition(",")[0] for r in ROWS)))
    assert found.trial_rater == ["all", "all"]


def test_odd_rows_are_left_out(prepared, write, caplog):
    path = write(
        HEADER, *ROWS, "p0-sad,,p1-sad,ben", "p0-sad,p0-sad,p1-happy,ben", "x,p0-sad,p2-sad,ben"
    )
    assert len(prepared("triplets", path=path).triplet) == 2
    assert "row 3 (line 4): a picture is missing" in caplog.text
    assert "row 4 (line 5): a picture is there twice" in caplog.text
    assert "such as 'x'" in caplog.text


def test_nothing_remains(prepared, write):
    rows = ["p0-happy,p0-happy,p0-sad,a", "p1-happy,p1-happy,p1-sad,a"]
    message = prepared.refuses("triplets", path=write(HEADER, *rows))
    assert "has no trial of three different pictures" in message
