"""Files that a user replaces, and results that are put back: contents decide what runs again."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from workflow_runner import jobs

NETS = """
import pathlib

import numpy as np
import torch

import helper


class Sums(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.out = torch.nn.Linear(64, helper.WIDTH)
        self.scale = float(np.load("scale.npy"))

    def forward(self, pictures):
        return self.out(pictures.flatten(1)) * self.scale


def small():
    exec(pathlib.Path("hook.py").read_text())
    return Sums()
"""
MINE = {
    "label": "Mine",
    "torch": {"module": "nets:small", "weights": "mine.pth", "files": ["scale.npy"]},
    "input": {"size": 8, "channels": 1},
    "stages": {"early": "out"},
}
RECORDED = "results/activations/own/mine/seed-0.h5"
GEOMETRY = "results/geometry/own/mine/seed-0.h5"
FACES, LABELS = "results/stimuli/own.h5", "results/stimuli/own.labels.h5"

#: What must run for labels and geometry after a change of each file.
PASSES = {"record_activations", "measure_geometry"}
CHANGES = {
    "own/1.png": {"prepare_stimuli", "prepare_labels", *PASSES},
    "own/norms.csv": {"prepare_labels"},
    "mine.pth": PASSES,
    "scale.npy": PASSES,
    "helper.py": PASSES,
}


@pytest.fixture(scope="module")
def made(finished, tmp_path_factory):
    """A finished run of a network of the user's own, with norms of the pictures."""
    folder = tmp_path_factory.mktemp("made") / "run"
    shutil.copytree(finished.folder, folder)
    workspace = type(finished)(folder)
    entry = finished.config["datasets"]["own"]
    workspace.config["datasets"] = {"own": {**entry, "norms": "own/norms.csv"}}
    workspace.config["networks"]["mine"] = MINE
    rows = [f"{n}.png,{n}.5,{n}.25" for n in range(8)]
    (folder / "own/norms.csv").write_text("\n".join(["picture,valence,arousal", *rows]))
    (folder / "nets.py").write_text(NETS)
    (folder / "helper.py").write_text("WIDTH = 4\n")
    (folder / "hook.py").write_text("")
    np.save(folder / "scale.npy", 2.0)
    write_weights(folder / "mine.pth", 1.0)
    workspace.make(GEOMETRY)
    workspace.make(LABELS)
    return workspace


def write_weights(path: Path, value: float) -> None:
    """Write a state dict in a process of its own: TensorFlow and torch do not mix."""
    code = f"""
import torch
layer = torch.nn.Linear(64, 4)
torch.nn.init.constant_(layer.weight, {value})
torch.save({{"out." + name: tensor for name, tensor in layer.state_dict().items()}}, {str(path)!r})
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture
def workspace(made, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(made.folder, folder, symlinks=True)
    copy = type(made)(folder)
    copy.config = json.loads(json.dumps(made.config))
    return copy


def steps(workspace, *targets):
    """Rules that would run for some targets; for labels and geometry, if none is named."""
    first, *more = targets or (GEOMETRY, LABELS)
    return set(jobs(workspace.run(first, "--dry-run", *more)))


def other_content(file: Path) -> bytes:
    content = file.read_bytes()
    if file.suffix == ".py":
        return content.replace(b"4", b"5")
    return content[:-1] + bytes([content[-1] ^ 1])


def move_over(file, other):
    os.replace(other, file)


def copy_over(file, other):
    shutil.copy2(other, file)


def write_in_place(file, other):
    status = file.stat()
    with open(file, "r+b") as stream:
        stream.write(other.read_bytes())
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


WAYS = (move_over, copy_over, write_in_place)


# ------------------------------------------------------------------------------- replaced


@pytest.mark.parametrize(
    ("name", "replace"), [(name, WAYS[n % 3]) for n, name in enumerate(CHANGES)]
)
def test_an_older_file_in_its_place_reruns_what_depends_on_it(workspace, name, replace):
    file, other = workspace.folder / name, workspace.folder / "other"
    other.write_bytes(other_content(file))
    os.utime(other, (10**9, 10**9))
    before = file.read_bytes()
    replace(file, other)
    assert steps(workspace) == CHANGES[name]
    file.write_bytes(before)
    assert steps(workspace) == set()


def test_touching_reruns_nothing(workspace):
    for name in ("own/faces.csv", *CHANGES):
        (workspace.folder / name).touch()
    (workspace.folder / "nets.py").write_text("# a comment\n" + NETS)
    assert steps(workspace) == set()


def test_a_label_and_a_picture_of_the_table(workspace):
    table = workspace.folder / "own/faces.csv"
    before = table.read_text()
    table.write_text(before.replace("7.png,", "7.png,another "))
    assert steps(workspace) == {"prepare_labels"}
    table.write_text(before.replace("7.png,", "6.png,"))
    assert steps(workspace) == CHANGES["own/1.png"]


def test_what_changes_while_the_job_runs_fails_it(workspace):
    """The user's module changes its own file of weights."""
    (workspace.folder / "hook.py").write_text("open('mine.pth', 'ab').write(b'more')")
    (workspace.folder / RECORDED).unlink()
    message = workspace.refuse_job(
        RECORDED, "logs/record_activations/own/mine/seed-0.log", "mine.pth changed during the run"
    )
    assert len(message.splitlines()) == 1


# ------------------------------------------------------------------------------- not there


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("own", "datasets.own.table = 'own/faces.csv'"),
        ("own/norms.csv", "datasets.own.norms = 'own/norms.csv'"),
        ("mine.pth", "networks.mine.weights.path = 'mine.pth'"),
        ("scale.npy", "networks.mine.files.0 = 'scale.npy'"),
    ],
)
def test_without_a_source_the_same_results_are_used_and_that_is_told(workspace, name, key):
    (workspace.folder / name).rename(workspace.folder / "away")
    result = workspace.run(GEOMETRY, "--dry-run", LABELS)
    assert jobs(result) == {}
    line = f"not there: {key}: no such file or folder; results made from it are used"
    assert result.stderr.count(line) == 1


def change_table(config):
    config["datasets"]["own"]["table"] = "onw/faces.csv"


def change_crop(config):
    config["datasets"]["own"]["size"] = 24


def change_weights(config):
    config["networks"]["mine"]["torch"]["weights"] = "mien.pth"


def change_layers(config):
    config["networks"]["mine"]["stages"] = {"early": "out", "final": "out"}
    config["networks"]["mine"]["layers"] = ["o*"]


@pytest.mark.parametrize(
    ("change", "gone", "key", "noted"),
    [
        (change_table, None, "datasets.own.table = 'onw/faces.csv'", True),
        (change_crop, "own", "datasets.own.table = 'own/faces.csv'", True),
        (change_crop, "own", "datasets.own.table = 'own/faces.csv'", False),
        (change_weights, None, "networks.mine.weights.path = 'mien.pth'", True),
        (change_layers, "mine.pth", "networks.mine.weights.path = 'mine.pth'", False),
        # Other pictures need the weights.
        (change_crop, "mine.pth", "networks.mine.weights.path = 'mine.pth'", True),
    ],
)
def test_without_a_source_other_results_are_refused(workspace, change, gone, key, noted):
    if gone:
        (workspace.folder / gone).rename(workspace.folder / "away")
    if not noted:
        shutil.rmtree(workspace.folder / ".snakemake")
    change(workspace.config)
    workspace.refuse_config(GEOMETRY, key, "no such file or folder; correct the path")


# ------------------------------------------------------------------------------- notes, copies


@pytest.mark.parametrize("damage", ["lost", "cut off"])
def test_without_snakemakes_notes_nothing_stale_is_served(workspace, damage):
    notes = workspace.folder / ".snakemake" / "metadata"
    for note in list(notes.rglob("*")):
        if note.is_file() and damage == "lost":
            note.unlink()
        elif note.is_file():
            note.write_bytes(note.read_bytes()[: note.stat().st_size // 2])
    assert steps(workspace) == set()
    change_layers(workspace.config)
    assert steps(workspace) == PASSES


def test_a_result_put_back_from_a_copy_is_made_anew(workspace):
    copy = workspace.folder / "copy"
    shutil.copytree(workspace.folder / "results", copy)
    change_crop(workspace.config)
    workspace.make(GEOMETRY)
    workspace.make(LABELS)
    assert steps(workspace) == set()
    # The geometry was told the same both times; what it was made from differs.
    shutil.copy(copy / "geometry/own/mine/seed-0.h5", workspace.folder / GEOMETRY)
    assert steps(workspace) == {"measure_geometry"}
    shutil.copy2(copy / "stimuli/own.h5", workspace.folder / FACES)
    assert "prepare_stimuli" in steps(workspace)
    # Everything at once, with Snakemake's notes of today.
    shutil.copytree(copy, workspace.folder / "results", dirs_exist_ok=True)
    assert steps(workspace) == CHANGES["own/1.png"]


def test_a_table_changed_by_hand_is_not_drawn(workspace):
    table = "results/separability/own/pixels/seed-0.csv"
    del workspace.config["datasets"]["own"]["norms"]
    workspace.make(table)
    path = workspace.folder / table
    # Snakemake removes old results before it makes new ones.
    shutil.rmtree(workspace.folder / "results/figures")
    path.write_text(path.read_text().replace("0", "1", 1))
    message = workspace.refuse_job(
        "results/figures/fig4.pdf",
        "logs/plot_fig4.log",
        f"{table}: is truncated or damaged, or was changed by other means: delete it",
    )
    assert len(message.splitlines()) == 1


def test_an_asset_that_was_changed_is_fetched_anew(workspace):
    folder = "resources/assets/nn1"
    workspace.make(folder)
    assert steps(workspace, folder) == set()
    (weights,) = (workspace.folder / folder).glob("*.h5")
    before = weights.read_bytes()
    weights.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    assert steps(workspace, folder) == {"fetch_asset"}
    workspace.make(folder)
    assert weights.read_bytes() == before
