"""Face sets that are missing, empty or spoiled."""

import csv

import numpy as np
import pytest

NOISE = np.random.default_rng(0).integers(0, 256, (6, 48 * 48))


def add_fer2013(workspace, path):
    workspace.config["datasets"]["fer"] = {"source": "fer2013", "path": path}


def write_fer2013(workspace, emotion=3, pixels=2304):
    """Write fer2013.csv whose third row has this emotion and so many pixels."""
    rows = [[3, " ".join(map(str, face)), "Training"] for face in NOISE]
    rows[2][:2] = emotion, " ".join(map(str, NOISE[2, :pixels]))
    with open(workspace.folder / "fer2013.csv", "w", newline="") as stream:
        csv.writer(stream).writerows([["emotion", "pixels", "Usage"], *rows])
    add_fer2013(workspace, "fer2013.csv")


# ------------------------------------------------------------------------------- missing, empty


def test_missing_table(workspace):
    workspace.config["datasets"]["bad"] = {"source": "table", "label": "Bad", "table": "bad/f.csv"}
    workspace.refuse_config(
        "results/stimuli/bad.h5", "datasets.bad.table = 'bad/f.csv': no such file", "correct"
    )


def test_missing_fer2013(workspace):
    add_fer2013(workspace, "data/fer2013.csv")
    workspace.refuse_config(
        "results/stimuli/fer.h5", "datasets.fer.path = 'data/fer2013.csv': no such file", "correct"
    )


def test_missing_folder_of_pictures(workspace):
    workspace.add_table("bad")
    workspace.config["datasets"]["bad"]["folder"] = "pictures"
    workspace.refuse_config(
        "results/stimuli/bad.h5", "datasets.bad.folder = 'pictures': no such file or folder"
    )


def test_empty_folder_of_fer2013(workspace):
    (workspace.folder / "faces").mkdir()
    add_fer2013(workspace, "faces")
    said = "datasets.fer.path = 'faces': is an empty folder"
    workspace.refuse_config("results/stimuli/fer.h5", said)
    for name in ("train", "test"):
        (workspace.folder / "faces" / name / "happy").mkdir(parents=True)
    workspace.refuse_job(
        "results/stimuli/fer.h5",
        "logs/prepare_stimuli/fer.log",
        "faces: holds no pictures",
        "Give the whole copy",
    )


# ------------------------------------------------------------------------------- rows, pictures


def test_fer2013_row_of_too_few_pixels(workspace):
    write_fer2013(workspace, pixels=2303)
    workspace.refuse_job(
        "results/stimuli/fer.h5",
        "logs/prepare_stimuli/fer.log",
        "fer2013.csv: row 3 (line 4): has 2303 pixels where 2304",
        "Correct or remove the row",
    )


def test_fer2013_row_of_an_unknown_class(workspace):
    write_fer2013(workspace, emotion=9)
    workspace.refuse_job(
        "results/stimuli/fer.h5",
        "logs/prepare_stimuli/fer.log",
        "fer2013.csv: row 3 (line 4): emotion is '9', but FER2013 has 0 to 6",
        "Correct or remove the row",
    )


def test_unreadable_picture(workspace):
    picture = workspace.add_table("bad") / "4.png"
    whole = picture.read_bytes()
    picture.write_bytes(whole[:700])
    workspace.refuse_job(
        "results/stimuli/bad.h5",
        "logs/prepare_stimuli/bad.log",
        "bad/faces.csv: row 5 (line 6): bad/4.png cannot be read as a picture",
        "Replace or remove it",
    )
    picture.write_bytes(whole)
    workspace.make("results/stimuli/bad.h5")


def test_a_table_with_nul(workspace):
    table = workspace.add_table("bad") / "faces.csv"
    table.write_bytes(table.read_bytes().replace(b"happy", b"hap\0y", 1))
    workspace.refuse_config(
        "results/stimuli/bad.h5",
        ": datasets.bad: bad/faces.csv: line 2 holds a NUL character",
        "Save a table as 'CSV UTF-8'",
    )


def test_a_picture_that_would_start_a_program(workspace):
    picture = workspace.add_table("bad") / "4.png"
    picture.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    workspace.refuse_job(
        "results/stimuli/bad.h5",
        "logs/prepare_stimuli/bad.log",
        "bad/faces.csv: row 5 (line 6): bad/4.png cannot be read as a picture (it is none of JPEG",
        "Replace or remove it",
    )


@pytest.mark.parametrize("path", ["../own/0.png", "/etc/0.png"])
def test_path_that_leads_out_of_the_folder(workspace, path):
    workspace.add_table("bad", [("1.png", "a", "happy"), (path, "b", "sad")])
    workspace.refuse_job(
        "results/stimuli/bad.h5",
        "logs/prepare_stimuli/bad.log",
        f"bad/faces.csv: row 2 (line 3): path '{path}' leads out of the folder",
        "Give it relative to that folder",
    )
