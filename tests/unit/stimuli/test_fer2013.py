"""FER2013: the same faces and classes from every copy, and errors that name the row."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facestages.errors import FacestagesError
from facestages.stimuli import EXPRESSIONS, read_stimuli, write_stimuli
from facestages.stimuli.fer2013 import OFFICIAL_COUNTS, read_fer2013

CSV_TOOL = Path(__file__).parents[4] / "shared" / "tools" / "fer2013_csv.py"
HEADER = "emotion,pixels,Usage"


def picture(seed):
    return np.random.default_rng(seed).integers(0, 256, (48, 48)).astype(np.uint8)


def row(emotion, seed, usage):
    return f"{emotion},{' '.join(map(str, picture(seed).ravel()))},{usage}"


#: Emotion, seed of the picture, Usage. Pictures 1 and 2 are in two splits.
FACES = [
    (0, 0, "Training"),
    (3, 1, "Training"),
    (3, 2, "Training"),
    (3, 1, "Training"),
    (6, 3, "PublicTest"),
    (3, 2, "PublicTest"),
    (4, 1, "PrivateTest"),
]


def write_csv(path, rows=None, header=HEADER):
    rows = [row(*face) for face in FACES] if rows is None else rows
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def write_folders(root, folders, prefix=True):
    for number, (emotion, seed, usage) in enumerate(FACES):
        place = root / folders[usage] / EXPRESSIONS[emotion]
        place.mkdir(parents=True, exist_ok=True)
        name = f"{usage}_{number}.png" if prefix else f"{number}.png"
        Image.fromarray(picture(seed)).save(place / name)
    return root


def contents(faces):
    return set(zip(map(bytes, faces.images), faces.labels["expression"], strict=True))


def refusal(*args, **options):
    """Read what must be refused; return the message, which has one or two lines."""
    with pytest.raises(FacestagesError) as caught:
        read_fer2013(*args, **options)
    message = str(caught.value)
    assert len(message.splitlines()) <= 2
    return message


# ------------------------------------------------------------------------------- good copies


def test_csv(tmp_path):
    faces = read_fer2013(write_csv(tmp_path / "fer2013.csv"))
    assert faces.images.shape == (7, 48, 48)
    np.testing.assert_array_equal(faces.images[4], picture(3))
    assert list(faces.labels.columns) == ["stimulus_id", "expression", "split"]
    assert list(faces.labels["expression"]) == [EXPRESSIONS[face[0]] for face in FACES]
    assert list(faces.labels["split"]) == [face[2] for face in FACES]
    assert faces.sources == {"expression": "file", "split": "file"}
    write_stimuli(tmp_path / "x.h5", faces, "fer2013")
    back = read_stimuli(tmp_path / "x.h5")
    assert back.digest == faces.digest and back.attributes == faces.attributes


def test_the_other_csv_has_blanks_in_its_header_and_another_order(tmp_path):
    rows = []
    for emotion, seed, usage in FACES:
        rows.append(f"{emotion},{usage},{' '.join(map(str, picture(seed).ravel()))}")
    write_csv(tmp_path / "icml_face_data.csv", rows, header="emotion, Usage, pixels")
    other = read_fer2013(tmp_path)
    assert other.digest == read_fer2013(write_csv(tmp_path / "a.csv")).digest


@pytest.mark.parametrize(
    ("folders", "prefix", "test_splits"),
    [
        (("train", "test", "test"), True, {"PublicTest", "PrivateTest"}),
        (("train", "test", "test"), False, {"test"}),
        (("train", "validation", "test"), False, {"PublicTest", "PrivateTest"}),
        (("Training", "PublicTest", "PrivateTest"), False, {"PublicTest", "PrivateTest"}),
    ],
)
def test_folders_give_the_classes_and_splits_of_the_csv(tmp_path, folders, prefix, test_splits):
    folders = dict(zip(("Training", "PublicTest", "PrivateTest"), folders, strict=True))
    faces = read_fer2013(write_folders(tmp_path / "fer", folders, prefix))
    assert set(faces.labels["split"]) == {"Training"} | test_splits
    from_csv = read_fer2013(write_csv(tmp_path / "fer2013.csv"))
    assert contents(faces) == contents(from_csv)
    assert (tmp_path / "fer" / faces.labels["stimulus_id"][0]).exists()
    assert len(read_fer2013(tmp_path / "fer", splits=["test"])) == 3


def test_splits_and_classes_are_chosen(tmp_path):
    path = write_csv(tmp_path / "fer2013.csv")
    assert list(read_fer2013(path, splits=["Training"]).labels["split"]) == ["Training"] * 4
    assert len(read_fer2013(path, splits=["test"])) == 3
    some = read_fer2013(path, classes=["happy", "neutral"])
    assert set(some.labels["expression"]) == {"happy", "neutral"}
    assert list(some.labels["stimulus_id"])[0] == "row-00002"


def test_no_training_picture_equals_a_test_picture_after_dropping(tmp_path):
    path = write_csv(tmp_path / "fer2013.csv")
    kept = read_fer2013(path, drop_duplicates=True)
    assert list(kept.labels["stimulus_id"]) == ["row-00001", "row-00005", "row-00006", "row-00007"]
    training = read_fer2013(path, splits=["Training"], drop_duplicates=True)
    assert list(training.labels["stimulus_id"]) == ["row-00001"]


def test_the_report_counts_what_is_there(tmp_path):
    report = json.loads(read_fer2013(write_csv(tmp_path / "fer2013.csv")).attributes["report"])
    assert report["n_pictures"] == 7 and report["n_distinct"] == 4
    assert report["n_duplicates"] == 3
    assert report["n_pictures_in_two_splits"] == 2
    assert report["n_pictures_with_two_labels"] == 1
    assert report["counts"]["Training"]["happy"] == 3
    assert "Training happy: 3, officially 7215" in report["differences"]


def test_the_official_counts_are_those_of_the_paper():
    assert {split: sum(n) for split, n in OFFICIAL_COUNTS.items()} == {
        "Training": 28709,
        "PublicTest": 3589,
        "PrivateTest": 3589,
    }
    totals = [sum(column) for column in zip(*OFFICIAL_COUNTS.values(), strict=True)]
    assert totals == [4953, 547, 5121, 8989, 6077, 4002, 6198]


@pytest.mark.skipif(not CSV_TOOL.exists(), reason="the real pictures are not on this machine")
def test_real_pictures(tmp_path):
    subprocess.run([sys.executable, CSV_TOOL, tmp_path / "few.csv", "--per-class", "1"], check=True)
    faces = read_fer2013(tmp_path / "few.csv")
    assert len(faces) == 21
    assert faces.labels.groupby(["split", "expression"]).size().eq(1).all()
    assert 60 < faces.images.mean() < 190


# ------------------------------------------------------------------------------- bad copies


def spoiled(replace, by, usage="Training"):
    """Rows of which the third is spoiled."""
    rows = [row(0, 0, "Training"), row(1, 1, "Training"), row(2, 2, usage)]
    rows[2] = rows[2].replace(replace, by, 1) if replace else by
    return rows


FIRST = " ".join(map(str, picture(2).ravel()[:2]))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (spoiled(f",{FIRST} ", f",{FIRST.split()[0]} "), "has 2303 pixels where 2304"),
        (spoiled(f",{FIRST} ", f",{FIRST} 7 "), "has 2305 pixels where 2304"),
        (spoiled("2,", "9,"), "emotion is '9', but FER2013 has 0 to 6"),
        (spoiled("2,", "sad,"), "emotion is 'sad'"),
        (spoiled(f",{FIRST} ", f",{FIRST.split()[0]} 256 "), "pixel 2 is '256', not a whole"),
        (spoiled(f",{FIRST} ", f",{FIRST.split()[0]} -1 "), "pixel 2 is '-1'"),
        (spoiled(f",{FIRST} ", f",{FIRST.split()[0]} 1.5 "), "pixel 2 is '1.5'"),
        (spoiled(f",{FIRST} ", f",{FIRST.split()[0]} x "), "pixel 2 is 'x'"),
        (spoiled("Training", "Trainig"), "unknown Usage 'Trainig'; did you mean 'Training'?"),
        (spoiled("", "2,1 2 3"), "has 2 values where the header has 3 columns"),
        (spoiled("", "2,,Training"), "has 0 pixels"),
    ],
)
def test_a_bad_row_is_named_with_the_remedy(tmp_path, rows, said):
    path = write_csv(tmp_path / "fer2013.csv", rows)
    message = refusal(path)
    assert f"{path}: row 3 (line 4)" in message and said in message
    assert any(remedy in message for remedy in ("Correct", "Mend", "did you mean"))


def test_a_csv_that_is_another_file(tmp_path):
    path = write_csv(tmp_path / "fer2013.csv", ["0,1 2 3"], header="emotion,pixels")
    message = refusal(path)
    assert str(path) in message and "has no column 'Usage'" in message and "Add it" in message
    assert "holds no pictures" in refusal(write_csv(path, []))
    path.write_bytes(b"")
    assert "fer2013.csv: is empty" in refusal(path)
    path.write_bytes(b"PK\x03\x04\xff\xfe\x00")
    assert "is a zip archive without its end" in refusal(path)


def test_missing_and_empty_paths(tmp_path):
    message = refusal(tmp_path / "none.csv")
    assert str(tmp_path / "none.csv") in message and "Give the path" in message
    message = refusal(tmp_path)
    assert "neither a folder train/ nor fer2013.csv" in message and "Give the folder" in message
    (tmp_path / "train").mkdir()
    assert "holds no class folders" in refusal(tmp_path)
    (tmp_path / "train" / "happy").mkdir()
    assert "holds no pictures" in refusal(tmp_path)


FOLDERS = {"Training": "train", "PublicTest": "test", "PrivateTest": "test"}


def test_a_copy_one_folder_deeper_is_the_same_faces(tmp_path):
    """Windows unpacks fer2013.zip to fer2013/fer2013."""
    inner = write_folders(tmp_path / "fer2013" / "fer2013", FOLDERS)
    (tmp_path / "fer2013" / "fer2013.zip").touch()
    (tmp_path / "fer2013" / "__MACOSX" / "train").mkdir(parents=True)
    assert contents(read_fer2013(tmp_path / "fer2013")) == contents(read_fer2013(inner))
    (tmp_path / "archive" / "fer2013").mkdir(parents=True)
    csv = write_csv(tmp_path / "archive" / "fer2013" / "fer2013.csv")
    assert contents(read_fer2013(tmp_path / "archive")) == contents(read_fer2013(csv))


def test_a_folder_too_deep_and_one_that_is_still_packed(tmp_path):
    root = write_folders(tmp_path / "fer", FOLDERS)
    for inside in ("train", "train/angry"):
        message = refusal(root / inside)
        assert "holds neither a folder train/ nor" in message and message.endswith(f"Give {root}")
    packed = tmp_path / "kaggle" / "challenge"
    packed.mkdir(parents=True)
    (packed / "test.csv").touch()
    assert refusal(packed).endswith("Give the folder that holds them")
    write_csv(packed / "faces.csv")
    assert "It holds faces.csv: give that as 'path'" in refusal(packed)
    (packed / "fer2013.tar.gz").touch()
    assert "It holds fer2013.tar.gz: unpack it first" in refusal(packed)
    message = refusal(tmp_path / "kaggle")
    assert "It holds challenge/fer2013.tar.gz: unpack it first" in message


def test_a_copy_two_folders_deeper_and_two_copies(tmp_path):
    root = write_folders(tmp_path / "fer", FOLDERS)
    deeper = write_folders(tmp_path / "deep" / "archive" / "images", FOLDERS).parents[1]
    assert contents(read_fer2013(deeper)) == contents(read_fer2013(root))
    write_folders(tmp_path / "deep" / "other" / "images", FOLDERS)
    message = refusal(deeper)
    assert message.endswith(
        "holds several copies of FER2013 (archive/images, other/images). Give one"
    )


@pytest.mark.parametrize("name", ["Thumbs.db", "desktop.ini", ".DS_Store", "._Training_1.png"])
def test_what_programs_leave_in_folders_is_no_picture(tmp_path, name):
    root = write_folders(tmp_path / "fer", FOLDERS)
    before = contents(read_fer2013(root))
    (root / "train" / "happy" / name).write_bytes(b"x")
    assert contents(read_fer2013(root)) == before


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_csv_of_a_spreadsheet_is_the_same_faces(tmp_path, separator):
    csv = write_csv(tmp_path / "fer2013.csv")
    before = contents(read_fer2013(csv))
    csv.write_bytes(csv.read_text().replace(",", separator).encode("utf-16"))
    assert contents(read_fer2013(csv)) == before


def test_bad_folders_and_pictures_are_named(tmp_path):
    folders = {"Training": "train", "PublicTest": "test", "PrivateTest": "test"}
    root = write_folders(tmp_path / "fer", folders)
    (root / ".DS_Store").touch()
    (root / "train" / "happy" / ".DS_Store").touch()
    read_fer2013(root)

    bad = root / "train" / "happy" / "bad.png"
    bad.write_bytes(b"no picture")
    message = refusal(root)
    assert str(bad) in message and "cannot be read as a picture" in message and "remove" in message
    whole = (root / "train" / "happy" / "Training_1.png").read_bytes()
    bad.write_bytes(whole[: len(whole) // 2])
    assert str(bad) in refusal(root)
    Image.new("L", (64, 48)).save(bad)
    message = refusal(root)
    assert str(bad) in message and "is 64x48 pixels, but FER2013 has 48x48" in message
    bad.unlink()

    os.rename(root / "train" / "happy" / "Training_1.png", root / "train" / "happy" / "a\nb.png")
    assert r"the name of a picture has the character \n after 'a'" in refusal(root)
    os.rename(root / "train" / "happy" / "a\nb.png", root / "train" / "happy" / "Training_1.png")

    (root / "train" / "hapy").mkdir()
    assert "unknown class folder; did you mean 'happy'?" in refusal(root)
    shutil.rmtree(root / "train" / "hapy")
    (root / "trian").mkdir()
    assert f"{root / 'trian'}: unknown folder name; did you mean 'train'" in refusal(root)


def test_unknown_splits_and_classes(tmp_path):
    path = write_csv(tmp_path / "fer2013.csv")
    assert "did you mean 'Training'?" in refusal(path, splits=["training"])
    assert "did you mean 'happy'?" in refusal(path, classes=["hapy"])
    assert "must be a list" in refusal(path, classes="happy")
    message = refusal(path, splits=["PrivateTest"], classes=["fear"])
    assert "no picture is left" in message and "PublicTest" in message
