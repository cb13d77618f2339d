"""Tables and folders as users bring them, through the workflow: the right value, or one line."""

import json
import os
import tarfile
import unicodedata

import numpy as np
import pytest
from PIL import Image

REPORT = "results/stimuli/new.report.json"
FIGURE = "results/figures/fig4.pdf"
PEOPLE = ("José", "Zoë", "Renée")
WORDS = ("happy", "normal", "surprised", "NA")


def write_faces(workspace, header, encode, **face_set):
    """Pictures of noise of 12 bits in a folder, and a table whose text `encode` makes bytes."""
    folder = workspace.folder / "new"
    folder.mkdir()
    rng, lines = np.random.default_rng(0), [header]
    for number, person in enumerate(PEOPLE):
        for word in WORDS:
            form = ("NFC", "NFD")[len(lines) % 2]
            name = f"{person}-{word}.png"
            pixels = rng.integers(0, 4096, (48, 48)).astype(np.uint16)
            Image.fromarray(pixels).save(folder / unicodedata.normalize("NFD", name))
            written = unicodedata.normalize(form, f"{name};{person};{word};0,{number}5")
            lines.append(written)
    (folder / "faces.csv").write_bytes(encode("\r\n".join(lines)))
    entry = {"source": "table", "label": "New", "table": "new/faces.csv", **face_set}
    workspace.config["datasets"]["new"] = entry
    workspace.config["figures"]["fig4"]["datasets"] = ["new"]
    return folder


def test_a_table_of_a_spreadsheet_with_names_in_two_forms(workspace):
    """Three people stay three, and words become those of the project."""
    columns = {"path": "file", "identity": "subject", "expression": "emotion"}
    write_faces(
        workspace,
        "file;subject;emotion;valence",
        lambda text: text.encode("utf-16"),
        columns=columns,
        rename={"expression": {"normal": "neutral", "surprised": "surprise"}},
    )
    workspace.make(REPORT)
    report = json.loads((workspace.folder / REPORT).read_text())
    of_each = {"happy": 1, "neutral": 1, "surprise": 1, "unlabelled": 1}
    assert report["n"] == 12 and report["people"] == 3
    assert report["counts"] == {"": dict.fromkeys(sorted(PEOPLE), of_each)}
    spelt, depth = report["source"]["to_look_at"]
    assert spelt.startswith("12 of 12 paths are spelt otherwise on the disk")
    assert depth.startswith("12 pictures of 16 bits hold values up to 4,095, so 4,095 is white")


def test_columns_of_other_names_end_the_run_before_any_job(workspace):
    write_faces(workspace, "path;subject;emotion;valence", str.encode)
    said = "columns: {expression: emotion, identity: subject}"
    workspace.refuse_config(FIGURE, "figures.fig4 shows", "path, subject, emotion, valence", said)


@pytest.mark.parametrize("name", ["fer2013.tar.gz", "fer2013.csv"])
def test_a_packed_copy_of_fer2013(workspace, name):
    packed = workspace.folder / name
    with tarfile.open(packed, "w:gz" if name.endswith("gz") else "w") as archive:
        archive.addfile(tarfile.TarInfo("fer2013/fer2013.csv"))
    workspace.config["datasets"]["new"] = {"source": "fer2013", "path": name}
    message = workspace.refuse_config("results/stimuli/new.h5", "archive: unpack it first")
    assert f"datasets.new.path = '{name}'" in message and "\0" not in message


def test_a_folder_of_pictures_one_level_too_high(workspace):
    folder = write_faces(workspace, "path;identity;expression;valence", str.encode)
    (folder / "new").mkdir()
    for picture in folder.glob("*.png"):
        os.rename(picture, folder / "new" / picture.name)
    workspace.refuse_job(
        "results/stimuli/new.h5",
        "logs/prepare_stimuli/new.log",
        "row 1 (line 2): there is no picture",
        "(12 of 12 are missing). It is in new/new: set 'folder' to that",
    )
