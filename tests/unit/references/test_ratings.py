"""Ratings in three layouts, on any scale."""

import numpy as np
import pytest

PICTURES = ("p0-happy", "p0-sad", "p1-happy", "p1-sad")
LONG = [
    *(f"{picture},{rater},{scale},{value}" for value, (picture, rater, scale) in enumerate(
        (picture, rater, scale)
        for picture in PICTURES for rater in ("anna", "ben") for scale in ("valence", "pain")
    )),
]  # fmt: skip


def test_a_rating_a_row(prepared, write):
    found = prepared("ratings", path=write("picture,rater,scale,rating", *LONG[:-1]))
    assert found.kind == "ratings" and found.raters == ["anna", "ben"]
    assert found.scales == ["valence", "pain"]
    assert found.stimuli == [f"{name}.png" for name in PICTURES]
    expected = np.arange(16.0).reshape(4, 2, 2).transpose(1, 0, 2)
    expected[1, 3, 1] = np.nan
    np.testing.assert_array_equal(found.rating, expected)
    assert found.sd is None and found.n is None


def test_a_picture_and_rater_a_row(prepared, write):
    rows = (
        f"{picture},{rater},{2 * i + j},{10 + i},f"
        for i, picture in enumerate(PICTURES)
        for j, rater in enumerate(("anna", "ben"))
    )
    found = prepared("ratings", path=write("Stimulus,subject,Trust,dominance,sex", *rows))
    # `sex` holds no numbers.
    assert found.scales == ["trust", "dominance"]
    np.testing.assert_array_equal(found.rating[:, :, 0], [[0, 2, 4, 6], [1, 3, 5, 7]])
    path = "table.csv"
    assert prepared("ratings", path=path, scales=["dominance"]).scales == ["dominance"]
    message = prepared.refuses("ratings", path=path, scales=["dominanc"])
    assert "has no scale 'dominanc'; did you mean 'dominance'" in message


@pytest.mark.parametrize(
    "header", ["picture,valence,valence_sd,valence_n", ",Theme,Valence_mean,Valence_SD,Valence_N"]
)
def test_means(prepared, write, header):
    start = "I1," if header.startswith(",") else ""
    rows = [f"{start}{name},{number},0.5,{20 + number}" for number, name in enumerate(PICTURES)]
    found = prepared("ratings", path=write(header, *rows[::-1]))
    assert found.raters == ["mean"] and found.scales == ["valence"]
    np.testing.assert_array_equal(found.rating[0, :, 0], [0, 1, 2, 3])
    np.testing.assert_array_equal(found.sd[:, 0], 0.5)
    np.testing.assert_array_equal(found.n[:, 0], [20, 21, 22, 23])


def test_intensities_of_six_emotions(prepared, write):
    emotions = ("happy", "sad", "angry", "disgusted", "fearful", "surprised")
    header = ",".join(["file_name", "Observer_Count", *(f"intVal_{name}" for name in emotions)])
    rows = [f"{name},100,{','.join('123456')}" for name in PICTURES]
    scales = [f"intval_{name}" for name in emotions]
    found = prepared("ratings", path=write(header, *rows), scales=scales)
    assert found.scales == scales and found.rating.shape == (1, 4, 6)


def test_two_ratings_of_one_rater(prepared, write, caplog):
    rows = [*LONG, "p0-happy,anna,valence,6"]
    found = prepared("ratings", path=write("picture,rater,scale,rating", *rows))
    assert found.rating[0, 0, 0] == 3
    assert "row 17 (line 18): a picture that its rater rated before. The mean is taken" in (
        caplog.text
    )


def test_what_is_refused(prepared, write):
    header = "picture,valence,valence_sd"
    rows = [f"{name},1,2" for name in PICTURES]
    message = prepared.refuses("ratings", path=write(header, *rows, "p0-sad.jpg,1,2"))
    assert "row 5 (line 6): picture 'p0-sad.jpg' is already in row 2" in message
    message = prepared.refuses("ratings", path=write(header, *rows, "p2-sad,1,-2"))
    assert "row 5 (line 6): valence_sd is -2, which is negative" in message
    message = prepared.refuses("ratings", path=write(header, *rows, "p2-sad,good,2"))
    assert "row 5 (line 6): valence is 'good', not a number" in message
    words = write("picture,word", *(f"{name},x" for name in PICTURES))
    assert "has no column of ratings" in prepared.refuses("ratings", path=words)
    assert "has no column 'picture'" in prepared.refuses("ratings", path=write("face,a", "p,1"))
    empty = write("picture,rater,rating", *(f"{name},a," for name in PICTURES))
    assert "has no rating" in prepared.refuses("ratings", path=empty)


def test_two_columns_of_one_mean_are_refused(prepared, write):
    path = write("picture,valence,Valence_mean", *(f"{name},1,2" for name in PICTURES))
    message = prepared.refuses("ratings", path=path)
    assert "'valence' and 'Valence_mean' both hold the mean of valence" in message
