"""KDEF: what its names say, whatever the copy looks like, and errors that name the file."""

import itertools
import json
import logging
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from face_sets import KDEF_COLUMNS, KDEF_ROWS, write_fer2013_csv, write_kdef
from facestages.errors import FacestagesError
from facestages.expressions import EXPRESSIONS
from facestages.stimuli.fer2013 import read_fer2013
from facestages.stimuli.kdef import PEOPLE, list_kdef

CODES = ("AF", "AN", "DI", "HA", "NE", "SA", "SU")
ANGLES = ("FL", "HL", "S", "HR", "FR")
EVERYTHING = {"angles": ANGLES}


def put(root, *names):
    """Write files that differ; return their folder."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return root


def stems(source):
    return [picture.stimulus_id for picture in source.pictures]


def refusal(*args, **options):
    """List what must be refused; return the message, which has one or two lines."""
    with pytest.raises(FacestagesError) as caught:
        list_kdef(*args, **options)
    message = str(caught.value)
    assert len(message.splitlines()) <= 2
    return message


def portrait(identity, expression, session, size):
    """A grey ramp in place of a face; its eyes are where a test can know them."""
    level = 40 + 20 * EXPRESSIONS.index(expression) + "AB".index(session)
    picture = np.full((size, size), level, np.uint8)
    picture[0], picture[-1] = 10, 20
    return picture, np.array([[200.0, 220.0], [360.0, 221.5]])


# ------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("AF01AFS.JPG", "AF01AFS"),
        ("AF01AFFL.JPG", "AF01AFFL"),
        ("BM35SUHR.JPG", "BM35SUHR"),
        ("BF10SAS.jpg", "BF10SAS"),
        ("am29difr.jpeg", "AM29DIFR"),
        ("Am20aNhl.PNG", "AM20ANHL"),
        ("AF09HAS.bmp", "AF09HAS"),
        ("BF19NES.JPEG", "BF19NES"),
        ("AF31V.JPG", "AF31SAHL"),
        ("am31h.jpg", "AM31SUHR"),
    ],
)
def test_names_in_any_case_cut_short_or_not(tmp_path, name, stem):
    source = list_kdef(put(tmp_path, name, "AF02NES.JPG"), **EVERYTHING)
    (picture,) = (picture for picture in source.pictures if picture.name == name)
    assert picture.stimulus_id == stem


def test_every_official_name_is_known_and_has_its_own_cell(tmp_path, caplog):
    parts = itertools.product("AB", PEOPLE, CODES, ANGLES)
    names = ["".join(part) for part in parts]
    source = list_kdef(put(tmp_path, *(f"{name[:4]}/{name}.JPG" for name in names)), **EVERYTHING)
    assert source.n == len(source.pictures) == len(names) == 4900
    assert stems(source) == sorted(names)
    assert source.report["missing"] == source.report["people_missing"] == []
    assert source.report["people"] == 70
    assert not caplog.records

    frontal = list_kdef(tmp_path)
    assert frontal.n == 980
    assert frontal.report["n_pictures"] == frontal.report["n_kdef"] == 4900
    assert frontal.report["n_chosen"] == 980
    assert list_kdef(tmp_path, sessions=["B"]).n == 490
    json.dumps(frontal.report)


def test_any_folders_and_any_case_give_the_same_set(tmp_path):
    tree = put(tmp_path / "tree", "AF01/AF01HAS.JPG", "BF01/BF01SAS.JPG")
    flat = put(tmp_path / "flat", "af01has.jpg", "BF01SAS.png")
    deep = put(tmp_path / "deep", "KDEF_and_AKDEF/KDEF/AF01/AF01HAS.JPG", "more/x/y/bf01sas.Jpeg")
    for folder in (flat, deep):
        assert stems(list_kdef(folder)) == stems(list_kdef(tree)) == ["AF01HAS", "BF01SAS"]
    assert [p.name for p in list_kdef(deep).pictures][1] == "more/x/y/bf01sas.Jpeg"


def test_known_slips_are_mended_and_reported(tmp_path):
    put(tmp_path, "AF31/AF31V.JPG", "AM31/AM31H.JPG", "AF31/AF31SAS.JPG")
    source = list_kdef(tmp_path, **EVERYTHING)
    assert stems(source) == ["AF31SAHL", "AF31SAS", "AM31SUHR"]
    assert source.report["mended"] == {"AF31/AF31V.JPG": "AF31SAHL", "AM31/AM31H.JPG": "AM31SUHR"}
    assert source.excluded == []
    assert "AF31SAHL" not in source.report["missing"]
    assert stems(list_kdef(tmp_path)) == ["AF31SAS"]


def test_averages_are_skipped_and_reported(tmp_path):
    averages = ["AKDEF/FAFFL.JPG", "AKDEF/FAFS.JPG", "AKDEF/MSUHR.JPG", "AKDEF/mnes.jpg"]
    source = list_kdef(put(tmp_path, "AF01/AF01AFS.JPG", *averages), **EVERYTHING)
    assert stems(source) == ["AF01AFS"]
    assert source.report["averages_skipped"] == sorted(averages)
    assert source.excluded == []


@pytest.mark.parametrize(
    "name",
    [
        *("CF01HAS", "AX01HAS", "AF00HAS", "AF36HAS", "AF1HAS", "AF001HAS", "AF01XXS"),
        *("AF01HAX", "AF01HA", "AF01HASS", "AF01HAS (1)", "xAF01HAS", "AF31W", "FAF", "family"),
        *("AF\u0660\u0661HAS", "AF01HAS.JPG"),
    ],
)
def test_other_pictures_are_left_out_with_a_reason(tmp_path, name):
    source = list_kdef(put(tmp_path, "AF02HAS.JPG", f"{name}.JPG"), **EVERYTHING)
    assert stems(source) == ["AF02HAS"]
    ((file, reason),) = source.excluded
    assert file == f"{name}.JPG" and "none of KDEF" in reason
    assert source.report["n_pictures"] == 2


def test_what_is_no_picture_is_passed_over(tmp_path):
    others = ["Thumbs.db", "readme.txt", ".DS_Store", "._AF01ANS.JPG", ".thumbs/AF01ANS.JPG"]
    source = list_kdef(put(tmp_path, "AF01HAS.JPG", *others, "KDEF.zip", "AF01DIS"))
    assert stems(source) == ["AF01HAS"]
    assert source.excluded == [] and source.report["n_pictures"] == 1


# ------------------------------------------------------------------------------- twice


def test_a_copy_of_a_picture_is_left_out(tmp_path):
    put(tmp_path, "AF01/AF01HAS.JPG", "BF01/BF01HAS.JPG")
    (tmp_path / "flat").mkdir()
    (tmp_path / "flat" / "af01has.jpg").write_text("AF01/AF01HAS.JPG")
    source = list_kdef(tmp_path)
    assert stems(source) == ["AF01HAS", "BF01HAS"]
    assert source.pictures[0].name == "AF01/AF01HAS.JPG"
    assert source.excluded == [("flat/af01has.jpg", "a copy of AF01/AF01HAS.JPG")]
    assert source.report["n_kdef"] == 2


def test_two_pictures_of_one_name_are_refused(tmp_path):
    message = refusal(put(tmp_path, "AF01/AF01HAS.JPG", "flat/AF01HAS.jpg"))
    assert "AF01HAS" in message and "differ" in message
    assert str(Path("AF01", "AF01HAS.JPG")) in message
    assert str(Path("flat", "AF01HAS.jpg")) in message


def test_a_slip_beside_the_name_it_stands_for_is_a_twin(tmp_path):
    put(tmp_path, "AF31V.JPG", "AF31SAHL.JPG")
    assert "AF31SAHL is there twice" in refusal(tmp_path, angles=["HL"])
    (tmp_path / "AF31V.JPG").write_text("AF31SAHL.JPG")
    source = list_kdef(tmp_path, angles=["HL"])
    assert source.excluded == [("AF31V.JPG", "a copy of AF31SAHL.JPG")]


def test_twins_that_are_not_asked_for_do_no_harm(tmp_path):
    source = list_kdef(put(tmp_path, "a/AF01HAFL.JPG", "b/AF01HAFL.JPG", "AF01HAS.JPG"))
    assert stems(source) == ["AF01HAS"]


# ------------------------------------------------------------------------------- links


def test_loops_of_links_end(tmp_path):
    root = put(tmp_path / "root", "AF01/AF01HAS.JPG", "BF01/BF01HAS.JPG")
    (root / "self").symlink_to("self")
    (root / "AF01" / "up").symlink_to(root)
    (root / "BF01" / "above").symlink_to(tmp_path)
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    source = list_kdef(root)
    assert [picture.name for picture in source.pictures] == ["AF01/AF01HAS.JPG", "BF01/BF01HAS.JPG"]
    assert source.excluded == []


def test_a_linked_folder_is_searched_once(tmp_path):
    put(tmp_path / "elsewhere", "AF01/AF01HAS.JPG")
    root = put(tmp_path / "root", "BF01/BF01HAS.JPG")
    for name in ("one", "two"):
        (root / name).symlink_to(tmp_path / "elsewhere")
    (root / "A_first").symlink_to(root / "BF01")
    source = list_kdef(root)
    assert [picture.name for picture in source.pictures] == [
        "one/AF01/AF01HAS.JPG",
        "BF01/BF01HAS.JPG",
    ]
    (tmp_path / "link").symlink_to(root)
    assert stems(list_kdef(tmp_path / "link")) == ["AF01HAS", "BF01HAS"]


def test_a_link_that_leads_nowhere_is_left_out_with_a_reason(tmp_path):
    put(tmp_path, "AF01HAS.JPG")
    (tmp_path / "AF02HAS.JPG").symlink_to("none.jpg")
    source = list_kdef(tmp_path)
    assert stems(source) == ["AF01HAS"]
    assert source.excluded == [("AF02HAS.JPG", "a link to a file that is not there")]
    assert "F02" in source.report["people_missing"]


# ------------------------------------------------------------------------------- gaps


def test_a_missing_person_and_picture_are_one_warning(tmp_path, caplog):
    names = [
        "".join(part)
        for part in itertools.product("AB", PEOPLE, CODES, "S")
        if part[1] != "M07" and part != ("B", "F03", "DI", "S")
    ]
    with caplog.at_level(logging.WARNING):
        source = list_kdef(put(tmp_path, *(f"{name}.JPG" for name in names)))
    assert source.n == 980 - 14 - 1
    assert source.report["people"] == 69
    assert source.report["people_missing"] == ["M07"]
    assert source.report["missing"] == ["BF03DIS"]
    (record,) = caplog.records
    assert "M07" in record.getMessage() and "BF03DIS" in record.getMessage()
    assert str(tmp_path) in record.getMessage()


def test_only_what_was_asked_for_can_be_missing(tmp_path):
    put(tmp_path, *(f"AF01{code}S.JPG" for code in CODES), "AM01HAFL.JPG")
    source = list_kdef(tmp_path, sessions=("A",))
    assert source.report["missing"] == []
    assert source.report["people"] == 1 and "M01" in source.report["people_missing"]
    assert list_kdef(tmp_path).report["missing"] == [f"BF01{code}S" for code in CODES]


# ------------------------------------------------------------------------------- reading


@pytest.mark.parametrize("name", ["with spaces", 'it\'s "quoted"', "Gesichter äöü"])
def test_pictures_are_read_as_rgb_from_any_path(tmp_path, name):
    folder = tmp_path / name / "AF01"
    folder.mkdir(parents=True)
    grey = Image.fromarray(np.full((6, 8), 77, np.uint8))
    grey.save(folder / "AF01HAS.JPG")
    (picture,) = list_kdef(tmp_path / name).pictures
    read = picture.read()
    assert read.shape == (6, 8, 3) and read.dtype == np.uint8
    assert abs(int(read.mean()) - 77) <= 1


def test_a_tree_that_cannot_be_written_to(tmp_path):
    put(tmp_path, "AF01/AF01HAS.JPG", "copy/AF01HAS.JPG")
    (tmp_path / "copy" / "AF01HAS.JPG").write_text("AF01/AF01HAS.JPG")
    for path in [*tmp_path.rglob("*"), tmp_path]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        before = sorted(os.walk(tmp_path))
        assert list_kdef(str(tmp_path)).n == 1
        assert sorted(os.walk(tmp_path)) == before
    finally:
        for path in [tmp_path, *tmp_path.rglob("*")]:
            path.chmod(0o755)


# ------------------------------------------------------------------------------- refusals


def test_no_folder(tmp_path):
    message = refusal(tmp_path / "KDEF")
    assert str(tmp_path / "KDEF") in message and "no such folder" in message


@pytest.mark.parametrize("name", ["KDEF.zip", "KDEF.RAR", "KDEF.7z", "KDEF.tar", "KDEF.tar.gz"])
def test_an_archive_is_to_be_unpacked_first(tmp_path, name):
    message = refusal(put(tmp_path, name) / name)
    assert name in message and "Unpack it first" in message


def test_a_file_in_place_of_a_folder(tmp_path):
    message = refusal(put(tmp_path, "AF01HAS.JPG") / "AF01HAS.JPG")
    assert "is a file" in message and "Give the folder" in message


def test_a_folder_without_kdef_says_what_it_found(tmp_path):
    assert "found: no files" in refusal(tmp_path)
    put(tmp_path, "b.txt", "faces/me.jpg", "FAFFL.JPG", "KDEF.zip")
    message = refusal(tmp_path)
    assert "found: FAFFL.JPG, KDEF.zip, b.txt, ..." in message and "unpack" in message


def test_nothing_left_says_what_there_is(tmp_path):
    put(tmp_path, "AF01HAFL.JPG", "AF01HAHR.JPG")
    message = refusal(tmp_path)
    assert "no picture is left" in message and "the angles FL, HR" in message
    assert "the sessions A." in refusal(tmp_path, angles=["FL"], sessions=["B"]) + "."


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"angles": ["HLL"]}, "unknown name 'HLL' in 'angles'; did you mean 'HL'?"),
        ({"angles": ["s"]}, "unknown name 's' in 'angles'"),
        ({"angles": "S"}, "'angles' must be a list"),
        ({"angles": []}, "'angles' must be a list"),
        ({"sessions": ["A", "C"]}, "unknown name 'C' in 'sessions'; Allowed: A, B"),
        ({"sessions": None}, "'sessions' must be a list"),
    ],
)
def test_unknown_angles_and_sessions(tmp_path, options, said):
    assert said in refusal(put(tmp_path, "AF01HAS.JPG"), **options)


def test_a_folder_that_cannot_be_read(tmp_path, monkeypatch):
    put(tmp_path, "AF01HAS.JPG", "locked/AF02HAS.JPG")
    look = Path.iterdir

    def refuse(folder):
        if folder.name == "locked":
            raise PermissionError(13, "Permission denied")
        return look(folder)

    monkeypatch.setattr(Path, "iterdir", refuse)
    message = refusal(tmp_path)
    assert str(tmp_path / "locked") in message and "Permission denied" in message


def test_a_twin_that_cannot_be_read(tmp_path, monkeypatch):
    put(tmp_path, "a/AF01HAS.JPG", "b/AF01HAS.JPG")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("facestages.stimuli.kdef.hashlib.file_digest", refuse)
    message = refusal(tmp_path)
    assert str(tmp_path / "a" / "AF01HAS.JPG") in message and "Permission denied" in message


# ------------------------------------------------------------- the copies that other tests write


def test_a_written_copy_is_official_with_its_faults(tmp_path):
    eyes = write_kdef(tmp_path, portrait, people=["F01"], sessions="A", angles=["S", "FR"])
    source = list_kdef(tmp_path, **EVERYTHING)
    assert len(source.pictures) == 2 * 7 + 2
    assert set(eyes) == set(stems(source)) - {"AF01SUFR"}
    np.testing.assert_array_equal(eyes["AF01HAS"], [[200.0, 320.0], [360.0, 321.5]])
    assert source.report["mended"] == {"AF31/AF31V.JPG": "AF31SAHL", "AM31/AM31H.JPG": "AM31SUHR"}
    assert source.report["averages_skipped"] == ["AKDEF/FAFFL.JPG"]
    pictures = {picture.stimulus_id: picture for picture in source.pictures}
    assert pictures["AF01HAS"].name == "AF01/AF01HAS.JPG"
    happy, black = pictures["AF01HAS"].read(), pictures["AF01SUFR"].read()
    assert happy.shape == black.shape == (KDEF_ROWS, KDEF_COLUMNS, 3)
    assert black.max() == 0
    assert happy[:90].max() < 15 and happy[300].min() > 80
    assert happy[300, 0, 0] > happy[300, 0, 2]


def test_a_copy_can_be_written_without_faults(tmp_path):
    write_kdef(tmp_path, portrait, people=["F01"], expressions=["sad"], errata=False)
    source = list_kdef(tmp_path)
    assert stems(source) == ["AF01SAS", "BF01SAS"]
    assert source.report["n_pictures"] == 2


def test_a_written_fer2013_is_read_back(tmp_path):
    pictures = np.random.default_rng(0).integers(0, 256, (3, 48, 48)).astype(np.uint8)
    names, usages = ["happy", "angry", "neutral"], ["Training", "PublicTest", "PrivateTest"]
    write_fer2013_csv(tmp_path / "fer2013.csv", pictures, names, usages)
    faces = read_fer2013(tmp_path / "fer2013.csv")
    np.testing.assert_array_equal(faces.images, pictures)
    assert list(faces.labels["expression"]) == names
    assert list(faces.labels["split"]) == usages
