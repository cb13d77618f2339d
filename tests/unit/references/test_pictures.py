"""Names of pictures in tables, and which picture each means."""

import pandas as pd
import pytest

from facestages.references.pictures import Pictures
from refusals import refusal

IDS = ["a/one.jpg", "a/two.jpg", "b/two.jpg", "three", "FOUR", "five"]


@pytest.fixture
def pictures():
    return Pictures("mine", pd.DataFrame({"stimulus_id": IDS}))


def test_case_extension_and_folder_may_differ(pictures):
    names = ["A/ONE.png", "one", "elsewhere/three.jpg", "four", "five.bmp", "b/two"]
    assert pictures.find("t.csv", names) == dict(zip(names, [0, 0, 3, 4, 5, 2], strict=True))


def test_a_file_name_that_two_folders_have_is_no_name(pictures, caplog):
    found = pictures.find("t.csv", ["two", "one", "three", "four", "five"])
    assert "two" not in found and len(found) == 4
    assert "1 of 5 pictures are not in face set mine, such as 'two'" in caplog.text


def test_too_few_pictures_are_refused(pictures):
    message = refusal(pictures.find, "t.csv", ["one", "three", "four", "x", "y"])
    assert "t.csv: 2 of 5 pictures are not in face set mine, such as 'x', 'y'" in message
    assert "such as 'a/one.jpg'" in message


def test_a_file_in_another_folder_is_another_picture(pictures):
    names = ["b/one", "one", "three", "four", "five"]
    assert set(pictures.find("t.csv", names)) == set(names[1:])
    assert pictures.find("t.csv", ["data\\a\\one.jpg", *names[2:]])["data\\a\\one.jpg"] == 0
