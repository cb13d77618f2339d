"""Pictures are found whatever the spelling of their paths on the disk."""

import os

import pytest

import refusals
from facestages.picture_paths import find_pictures, spelt_otherwise, where_else

NFC, NFD = "Jos\u00e9.png", "Jose\u0301.png"


def touch(folder, *paths):
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()


@pytest.mark.parametrize(
    ("path", "on_disk"),
    [
        *(("img/a.png", "img/a.png"), ("img/a.png", "IMG/A.PNG"), ("IMG/a.PNG", "img/a.png")),
        *((NFC, NFC), (NFC, NFD), ("Jose\u0301/a.png", "Jos\u00e9/a.png")),
        ("Bild 1.png", "Bild\u202f1.png"),
    ],
)
def test_the_one_that_is_there(tmp_path, path, on_disk):
    touch(tmp_path, on_disk, "other.png")
    found = find_pictures(tmp_path, [path])
    assert found == {path: os.path.join(tmp_path, on_disk)}
    lines = spelt_otherwise(tmp_path, found)
    assert len(lines) == (path != on_disk)
    assert not lines or lines[0].startswith("1 of 1 paths are spelt otherwise on the disk")


def test_one_that_is_written_so_comes_before_others(tmp_path):
    touch(tmp_path, "a.png", "A.png")
    assert find_pictures(tmp_path, ["A.png"]) == {"A.png": os.path.join(tmp_path, "A.png")}


@pytest.mark.parametrize(
    ("path", "on_disk"), [("a.PNG", ("a.png", "A.png")), (NFC, (NFC, NFD)), (NFC, (NFD, NFC))]
)
def test_several_that_fit_are_named(tmp_path, path, on_disk):
    touch(tmp_path, *on_disk)
    message = refusals.refusal(find_pictures, tmp_path, [path])
    assert all(ascii(name) in message for name in on_disk) and "Rename one" in message


def test_two_paths_of_one_picture(tmp_path):
    """It would count twice."""
    touch(tmp_path, "a.png", "b.png")
    message = refusals.refusal(find_pictures, tmp_path, ["a.png", "b.png", "A.PNG"])
    assert "a.png: is the picture of both 'a.png' and 'A.PNG' in the table" in message


def test_one_that_is_not_there_is_where_it_would_be(tmp_path):
    expected = os.path.join(tmp_path, "no/a.png")
    assert find_pictures(tmp_path, ["no/a.png"]) == {"no/a.png": expected}


def test_a_folder_too_high_or_too_deep(tmp_path):
    touch(tmp_path, "faces/faces/img/a.png", "flat/a.png")
    inner, outer = tmp_path / "faces" / "faces", tmp_path / "faces"
    assert where_else(outer, "img/a.png") == f"It is in {inner}: set 'folder' to that"
    assert where_else(inner / "img", "img/a.png") == f"It is in {inner}: set 'folder' to that"
    assert where_else(tmp_path / "flat", "img/a.png").startswith(f"{tmp_path / 'flat/a.png'} is")
    for path in ("img/a", "img/a.jpg"):
        assert where_else(inner, path) == "a.png is there: write names with their endings"
    assert where_else(outer, "img/b.png") == ""


def test_a_folder_that_the_table_names_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    touch(tmp_path, "img/a.png")
    assert where_else("img", "img/a.png") == "It is in .: set 'folder' to that"
