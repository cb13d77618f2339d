"""Human ratings: what a table says is found again, and errors name the row."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facestages.stimuli.ratings import join_norms, read_oasis
from refusals import refusal

OASIS = Path(__file__).parents[4] / "shared" / "data" / "OASIS.csv"
HEADER = (
    ",Theme,Category,Source,Valence_mean,Valence_SD,Valence_N,Arousal_mean,Arousal_SD,Arousal_N"
)


def oasis_lines(n=900):
    """Rows of a made-up OASIS, U-shaped as the real one."""
    lines = []
    for i in range(n):
        valence = 1 + 6 * i / 899
        arousal = 2 + 0.3 * (valence - 4) ** 2
        lines.append(f"I{i + 1},Thing {i + 1} ,Object,Web,{valence},1.5,101,{arousal},2.5,99")
    return lines


def write_oasis(folder, lines=None, header=HEADER, end="\r"):
    path = folder / "OASIS.csv"
    lines = oasis_lines() if lines is None else lines
    path.write_bytes(end.join([header, *lines]).encode())
    return path


def labels(*ids, **columns):
    return pd.DataFrame({"stimulus_id": list(ids), **columns})


def write_norms(folder, *rows):
    path = folder / "norms.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


# ------------------------------------------------------------------------------- OASIS


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_oasis(tmp_path, end):
    ratings = read_oasis(write_oasis(tmp_path, end=end))
    assert list(ratings.columns) == [
        *("theme", "category"),
        *("valence", "valence_sd", "valence_n"),
        *("arousal", "arousal_sd", "arousal_n"),
        *("source", "scale_low", "scale_high"),
    ]
    assert len(ratings) == 900
    first = ratings.iloc[0]
    assert (first["theme"], first["category"]) == ("Thing 1", "Object")
    assert (first["valence"], first["valence_sd"], first["valence_n"]) == (1.0, 1.5, 101)
    assert first["arousal"] == pytest.approx(2 + 0.3 * 9)
    assert ratings["valence"].iloc[-1] == 7.0
    assert ratings["arousal_n"].dtype == np.int64
    assert set(ratings["source"]) == {"human"}
    assert set(zip(ratings["scale_low"], ratings["scale_high"], strict=True)) == {(1, 7)}


@pytest.mark.skipif(not OASIS.is_file(), reason="OASIS.csv is not there")
def test_the_real_oasis():
    ratings = read_oasis(OASIS)
    assert len(ratings) == 900
    assert ratings["category"].value_counts().to_dict() == {
        "Person": 346,
        "Scenery": 220,
        "Object": 200,
        "Animal": 134,
    }
    acorns = ratings.set_index("theme").loc["Acorns 1"]
    assert acorns["valence"] == 4.68627451 and acorns["arousal_sd"] == 1.602720459
    assert "War 2" in set(ratings["theme"])
    assert not ratings.isna().any(axis=None)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (",1.5,101,", ",1.5,many,", "row 4: Valence_N is 'many', not a count"),
        (",1.5,101,", ",1.5,9.5,", "row 4: Valence_N is '9.5', not a count"),
        (",1.5,101,", ",-1.5,101,", "row 4: Valence_SD is '-1.5', not a spread"),
        (",1.5,101,", ",,101,", "row 4: Valence_SD is '', not a spread"),
        (",Web,", ",Web,1,2,", "row 4 (line 5) has 12 values where the header has 10"),
        (",99", ",nan", "row 4: Arousal_N is '', not a count"),
        ("Thing 4", "Thing 3", "row 4: picture 'Thing 3' is there twice"),
    ],
)
def test_a_wrong_value_of_oasis_is_named(tmp_path, old, new, said):
    lines = oasis_lines()
    lines[3] = lines[3].replace(old, new, 1)
    message = refusal(read_oasis, write_oasis(tmp_path, lines))
    assert said in message and "OASIS.csv" in message


@pytest.mark.parametrize("value", ["0.99", "7.01", "inf", "-4"])
def test_a_rating_out_of_range_is_named(tmp_path, value):
    lines = oasis_lines()
    lines[899] = f"I900,x,Object,Web,{value},1,100,2,1,100"
    message = refusal(read_oasis, write_oasis(tmp_path, lines))
    assert f"row 900: Valence_mean is '{value}', not a rating from 1 to 7" in message


def test_another_file_is_not_oasis(tmp_path):
    assert "no such file" in refusal(read_oasis, tmp_path / "OASIS.csv")
    assert "no such file" in refusal(read_oasis, tmp_path)
    empty = tmp_path / "empty.csv"
    empty.touch()
    assert "empty.csv: is empty" in refusal(read_oasis, empty)
    picture = tmp_path / "picture.csv"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe\x00")
    assert "is a picture: save the table as 'CSV UTF-8'" in refusal(read_oasis, picture)
    renamed = write_oasis(tmp_path, header=HEADER.replace("Arousal_SD", "Arousal_sd"))
    message = refusal(read_oasis, renamed)
    assert "no column 'Arousal_SD'" in message and "Theme, Category" in message


def test_a_part_of_oasis_is_refused(tmp_path):
    message = refusal(read_oasis, write_oasis(tmp_path, oasis_lines(450)))
    assert "has 450 pictures, OASIS has 900" in message


# ------------------------------------------------------------------------------- norms


def test_norms_go_to_the_pictures_of_their_names(tmp_path):
    path = write_norms(
        tmp_path,
        "picture,Valence,arousal_sd,comment",
        "af01has.JPG,6.5,1.25,good",
        "BF01SAS,2,NA,",
        "ZZ.png,1,1,",
    )
    faces = labels("AF01HAS", "AF01NES", "BF01SAS")
    faces.index = [10, 20, 30]
    columns, report = join_norms(faces, path)
    expected = pd.DataFrame(
        {"valence": [6.5, np.nan, 2.0], "arousal_sd": [1.25, np.nan, np.nan]}, faces.index
    )
    pd.testing.assert_frame_equal(columns, expected)
    assert report == {
        "sources": {"valence": "human", "arousal_sd": "human"},
        "columns_ignored": ["comment"],
        "n_matched": 2,
        "n_pictures_without_norms": 1,
        "pictures_without_norms": ["AF01NES"],
        "n_norms_without_picture": 1,
        "norms_without_picture": ["ZZ.png"],
    }
    json.dumps(report)
    path.write_bytes(path.read_text().replace(",", ";").replace("6.5", "6,5").encode("utf-16"))
    pd.testing.assert_frame_equal(join_norms(faces, path)[0], expected)


def test_only_the_first_few_unmatched_names_are_listed(tmp_path):
    path = write_norms(tmp_path, "name,valence", "a,1", *(f"x{i},1" for i in range(20)))
    _, report = join_norms(labels("a", *(f"y{i}" for i in range(30))), path)
    assert report["n_pictures_without_norms"] == 30 and report["n_norms_without_picture"] == 20
    assert report["norms_without_picture"] == ["x0", "x1", "x2", "x3", "x4"]
    assert report["pictures_without_norms"] == ["y0", "y1", "y2", "y3", "y4"]


def test_the_column_of_names_is_the_first_of_a_known_order(tmp_path):
    path = write_norms(tmp_path, "name,File,stimulus_id,valence", "x,y,a,3")
    columns, report = join_norms(labels("a"), path)
    assert columns["valence"].tolist() == [3.0]
    assert report["columns_ignored"] == ["name", "File"]
    path = write_norms(tmp_path, "name,file,valence", "a,b,3")
    assert join_norms(labels("b"), path)[1]["n_matched"] == 1
    path = write_norms(tmp_path, "valence,name", "3,a")
    assert join_norms(labels("a"), path)[1]["n_matched"] == 1


def test_extension_and_case_do_not_count_but_other_dots_do(tmp_path):
    path = write_norms(tmp_path, "picture,arousal", "Subject01.Happy,1", "s/02.sad.TIFF,2")
    faces = labels("subject01.happy", "subject01.sad", "S/02.sad.png", "02.sad")
    columns, _ = join_norms(faces, path)
    np.testing.assert_array_equal(columns["arousal"], [1, np.nan, 2, np.nan])


def test_another_label_can_be_compared(tmp_path):
    path = write_norms(tmp_path, "picture,valence", "clip,4")
    faces = labels("1", "2", "3", clip=["clip", "clip", "other"])
    columns, report = join_norms(faces, path, key="clip")
    np.testing.assert_array_equal(columns["valence"], [4, 4, np.nan])
    assert report["n_matched"] == 2
    assert "no label 'clp'; did you mean 'clip'" in refusal(join_norms, faces, path, key="clp")


def test_the_norms_of_kdef_pt(tmp_path):
    names = ["valence", "emotional_intensity", "familiarity", "attractiveness"]
    header = ",".join(["picture", *(f"{name}{part}" for name in names for part in ("", "_sd"))])
    path = write_norms(tmp_path, header, "AF01ANS," + ",".join("12345678"))
    columns, _ = join_norms(labels("AF01ANS"), path)
    assert columns.shape == (1, 8)
    assert columns["familiarity"].tolist() == [5.0]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["picture,valence", "a,1", "b,2", "A.jpg,3"], "row 3 (line 4): picture 'A.jpg' is alre"),
        (["picture,valence", "a,1", "b,2", "A.jpg,3"], "already in row 1 (line 2). Remove one"),
        (["picture,valence", "a,high"], "row 1 (line 2): valence is 'high', not a number"),
        (["picture,valence", "a,inf"], "valence is 'inf', not a number"),
        (["picture,valence", ",1"], "row 1 (line 2): 'picture' is empty"),
        (["picture,valence", ".jpg,1"], "row 1 (line 2): 'picture' is empty"),
        (["picture,valence"], "a header but no rows"),
        (["image,valence", "a,1"], "no column that names the pictures (it has: image, valence)"),
        (["image,valence", "a,1"], "Name one of picture, stimulus_id, file, name"),
        (["picture,pleasure", "a,1"], "no column that holds norms (it has: picture, pleasure)"),
        (["picture,Valence,valence", "a,1,2"], "has two columns 'valence', as case does not"),
        (["picture,valence", "c,1", "d,2"], "none of its 2 names, such as 'c', is a picture"),
        (["picture,valence", "c,1"], "has names such as 'a'"),
        (["picture,valence", "a,1,2"], "row 1 (line 2) has 3 values"),
    ],
)
def test_a_wrong_table_is_named(tmp_path, rows, said):
    message = refusal(join_norms, labels("a", "b"), write_norms(tmp_path, *rows))
    assert said in message and "norms.csv" in message


def test_no_table(tmp_path):
    assert "no such file" in refusal(join_norms, labels("a"), tmp_path / "norms.csv")


def test_a_label_that_is_there_already_is_not_replaced(tmp_path):
    path = write_norms(tmp_path, "picture,arousal,valence", "a,1,2")
    message = refusal(join_norms, labels("a", valence=[0.5]), path)
    assert "has a label 'valence' already" in message


def test_pictures_that_norms_cannot_tell_apart(tmp_path):
    path = write_norms(tmp_path, "picture,valence", "a,1")
    message = refusal(join_norms, labels("x", "a.jpg", "A.png"), path)
    assert "'a.jpg' and 'A.png'" in message
