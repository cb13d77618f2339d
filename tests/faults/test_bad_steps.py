"""What a step refuses in the files of the steps before it."""

import csv
import shutil
from pathlib import Path

import h5py
import pytest

from facestages import notes

STIMULI = Path("results/stimuli/own.h5")
ACTIVATIONS = Path("results/activations/own/pixels/seed-0.h5")
GEOMETRY = Path("results/geometry/own/pixels/seed-0.h5")
SCORES = Path("results/separability/own/pixels/seed-0.csv")


def remove(workspace, *paths):
    for path in paths:
        (workspace.folder / path).unlink()


def log_of(target):
    rule = {"activations": "record_activations", "geometry": "measure_geometry"}
    rule["separability"] = "score_separability"
    return f"logs/{rule[target.parts[1]]}/own/pixels/seed-0.log"


@pytest.mark.parametrize(
    ("spoiled", "target"), [(STIMULI, ACTIVATIONS), (ACTIVATIONS, GEOMETRY), (GEOMETRY, SCORES)]
)
def test_truncated_hdf5(workspace, spoiled, target):
    # All outputs of the job; that of silhouettes has two.
    for output in (workspace.folder / target).parent.glob("seed-0*"):
        output.unlink()
    path = workspace.folder / spoiled
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    workspace.refuse_job(
        str(target),
        log_of(target),
        f"{spoiled}: is truncated or damaged",
        "delete it and run the same command again",
    )
    if spoiled == ACTIVATIONS:
        path.unlink()
        workspace.make(str(target))


def test_hdf5_of_other_stimuli(workspace):
    other = workspace.folder / "other.h5"
    shutil.copy(workspace.folder / ACTIVATIONS, other)
    with h5py.File(other, "a") as file:
        file.attrs["stimuli_digest"] = "0" * 64
    # It has the note of the right one, so that no job makes it anew.
    notes.begin({k: v for k, v in notes.read(other).items() if k != "crc32"})
    notes.write_user_block(other)
    notes.begin({})
    remove(workspace, GEOMETRY)
    shutil.move(other, workspace.folder / ACTIVATIONS)
    workspace.refuse_job(
        str(GEOMETRY),
        log_of(GEOMETRY),
        f"{ACTIVATIONS}: was made with another stimuli digest (000000000000...",
        "delete it and run the same command again",
    )


def notes_of(workspace, dataset):
    """What the table says of each label's silhouette; empty where it was measured."""
    scores = f"results/separability/{dataset}/pixels/seed-0.csv"
    workspace.make(scores)
    rows = csv.DictReader((workspace.folder / scores).open())
    return {row["label"]: row["note"] for row in rows if row["measure"] == "silhouette"}


def test_one_class_only(workspace):
    rows = [(f"{i}.png", f"person {i % 2}", "happy") for i in range(4)]
    workspace.add_table("same", rows)
    notes = notes_of(workspace, "same")
    assert notes == {
        "identity": "2 people, so no interval",
        "expression": "one expression only",
    }


def test_one_picture_a_person(workspace):
    rows = [(f"{i}.png", f"person {i}", ("happy", "sad")[i % 2]) for i in range(4)]
    workspace.add_table("single", rows)
    notes = notes_of(workspace, "single")
    assert notes == {"identity": "no identity has two pictures", "expression": ""}


def test_one_picture(workspace):
    workspace.add_table("lone", [("0.png", "a", "happy")])
    workspace.refuse_job(
        "results/geometry/lone/pixels/seed-0.h5",
        "logs/measure_geometry/lone/pixels/seed-0.log",
        "face set lone: a Gram matrix needs two pictures or more, not 1",
    )
