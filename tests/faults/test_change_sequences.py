"""Random changes, one after the other: exactly the jobs that they need, and a fresh run's results.

A model of the run says what each job is made from. After a sequence of changes, a job has to run
again if anything that it is made from is not what it was, or if a job that it waits for runs.

``SEQUENCES`` and ``RUNS`` in the environment set how many sequences are planned, and how many of
them are run as well.
"""

import ast
import csv
import os
import re
import shutil
import subprocess
import sys
from copy import deepcopy

import h5py
import numpy as np
import pytest
from PIL import Image

from workflow_runner import run_snakemake

SEQUENCES = int(os.environ.get("SEQUENCES", 6))
RUNS = int(os.environ.get("RUNS", 1))

SETS, NETWORKS = ("one", "two"), ("pixels", "mine")
STAGES = ("early", "middle", "penultimate", "final")
HEADER = ["path", "identity", "expression", "session"]
ROWS = [
    [f"{i}.png", f"person {i % 4}", ("happy", "sad")[i // 4 % 2], f"{i // 8}"] for i in range(16)
]
EXPRESSIONS = ("happy", "sad", "anger")

CODE = """import torch


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(1, 2, 3)
        self.out = torch.nn.Linear(392, 3)

    def forward(self, pictures):
        maps = torch.relu(self.conv(pictures))
        return self.out(maps.flatten(1))


def build():
    return Net()
"""
WEIGHTS = """
import sys, torch
sys.path.insert(0, sys.argv[1])
import net
for number in range(3):
    torch.manual_seed(number)
    torch.save(net.build().state_dict(), f"{sys.argv[1]}/weights-{number}.pth")
"""

CONFIG = {
    "datasets": {
        "one": {
            "source": "table",
            "label": "One",
            "table": "one/faces.csv",
            "norms": "norms.csv",
            "size": 16,
        },
        "two": {"source": "table", "label": "Two", "table": "two/faces.csv", "size": 16},
    },
    "networks": {
        "pixels": {
            "label": "Pixels",
            "architecture": "pixels",
            "stages": dict.fromkeys(STAGES, "pixels"),
        },
        "mine": {
            "label": "Mine",
            "torch": "net:build",
            "weights": {"path": "weights.pth"},
            "input": {"size": 16, "channels": 1, "scaling": "unit"},
            "stages": dict.fromkeys(STAGES[:3], "conv") | {"final": "out"},
        },
    },
    "analysis": {"components": [2, "all"], "permutations": 3},
    "figures": {"fig4": {"datasets": list(SETS), "networks": list(NETWORKS), "components": 2}},
}
TARGETS = [f"results/separability/{d}/{n}/seed-0.csv" for d in SETS for n in NETWORKS]


class World:
    """What a user has, and what was made of it."""

    def __init__(self, folder):
        self.folder = folder
        self.config = deepcopy(CONFIG)

    def furnish(self):
        rng = np.random.default_rng(0)
        for name in SETS:
            (self.folder / name).mkdir(parents=True)
            for path, *_ in ROWS:
                noise = rng.integers(0, 256, (16, 16)).astype(np.uint8)
                Image.fromarray(noise).save(self.folder / name / path)
            self.write_rows(f"{name}/faces.csv", [HEADER, *ROWS])
        norms = [[path, f"{i % 9 + 1}", f"{i % 5 + 1}"] for i, (path, *_) in enumerate(ROWS)]
        self.write_rows("norms.csv", [["picture", "valence", "arousal"], *norms])
        (self.folder / "net.py").write_text(CODE)
        subprocess.run([sys.executable, "-c", WEIGHTS, str(self.folder)], check=True)
        shutil.copy(self.folder / "weights-0.pth", self.folder / "weights.pth")

    def copy(self, folder, *parts):
        """A copy of all, or of some parts, with the times of all files."""
        for part in parts or (".",):
            source, target = self.folder / part, folder / part
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        copied = World(folder)
        copied.config = deepcopy(self.config)
        return copied

    def read_rows(self, path):
        with open(self.folder / path, newline="") as stream:
            return list(csv.reader(stream))

    def write_rows(self, path, rows):
        with open(self.folder / path, "w", newline="") as stream:
            csv.writer(stream).writerows(rows)

    def snakemake(self, *options):
        return run_snakemake(self.folder, self.config, TARGETS[0], *options, *TARGETS[1:])

    # ------------------------------------------------------------------------------- the model

    def made_from(self):
        """What each job is made from, apart from what other jobs make."""
        analysis = self.config["analysis"]
        networks = {
            "pixels": None,
            "mine": [
                (self.folder / "weights.pth").read_bytes(),
                ast.dump(ast.parse((self.folder / "net.py").read_text())),
            ],
        }
        jobs = {}
        for name in SETS:
            table = self.read_rows(f"{name}/faces.csv")
            pictures = [(path, (self.folder / name / path).read_bytes()) for path, *_ in table[1:]]
            norms = (self.folder / "norms.csv").read_bytes() if name == "one" else None
            jobs["prepare_stimuli", name] = [pictures, self.config["datasets"][name]["size"]]
            jobs["prepare_labels", name] = [table, norms]
            for network, own in networks.items():
                jobs["accumulate_gram", name, network] = own
                most = max([2, *(k for k in analysis["components"] if k != "all")])
                jobs["measure_geometry", name, network] = most
                jobs["score_separability", name, network] = analysis
        return jobs

    def expected(self, before):
        """Jobs that have to run, if the results were made from `before`."""
        now = self.made_from()
        dirty = {job for job in now if now[job] != before[job]}
        for name in SETS:
            for network in NETWORKS:
                on = (name, network)
                if not (self.folder / f"results/separability/{name}/{network}/seed-0.csv").exists():
                    dirty.add(("score_separability", *on))
                if ("prepare_stimuli", name) in dirty:
                    dirty |= {("prepare_labels", name), ("accumulate_gram", *on)}
                gram, geometry = ("accumulate_gram", *on), ("measure_geometry", *on)
                if gram in dirty or geometry in dirty:
                    # Gram matrices are not kept.
                    dirty |= {gram, geometry}
                if geometry in dirty or ("prepare_labels", name) in dirty:
                    dirty.add(("score_separability", *on))
        return dirty


MESSAGES = {
    "prepare_stimuli": r"Prepare face set (?P<dataset>\w+)",
    "prepare_labels": r"Labels of face set (?P<dataset>\w+)",
    "accumulate_gram": r"Gram matrices of (?P<network>\w+), seed 0, on (?P<dataset>\w+)",
    "measure_geometry": r"Geometry of (?P<network>\w+), seed 0, on (?P<dataset>\w+)",
    "score_separability": r"Silhouettes of (?P<network>\w+), seed 0, on (?P<dataset>\w+)",
}


def planned(world):
    """Jobs that a dry run announces."""
    done = world.snakemake("--dry-run")
    assert done.returncode == 0, done.stderr
    found = set()
    for said in re.findall(r"^Job \d+: (.*)$", done.stdout + done.stderr, re.MULTILINE):
        (rule, match), *_ = [
            (rule, match)
            for rule, message in MESSAGES.items()
            if (match := re.fullmatch(message, said))
        ]
        names = match.groupdict()
        found.add((rule, *(names[key] for key in ("dataset", "network") if key in names)))
    return found


# -------------------------------------------------------------------------------------- changes


def picture_of(world, rng):
    return world.folder / str(rng.choice(SETS)) / f"{rng.integers(len(ROWS))}.png"


def new_picture(rng, path):
    Image.fromarray(rng.integers(0, 256, (16, 16)).astype(np.uint8)).save(path, format="PNG")


def edit_label(world, rng):
    path = f"{rng.choice(SETS)}/faces.csv"
    rows = world.read_rows(path)
    rows[rng.integers(1, len(rows))][2] = str(rng.choice(EXPRESSIONS))
    world.write_rows(path, rows)


def edit_session(world, rng):
    path = f"{rng.choice(SETS)}/faces.csv"
    rows = world.read_rows(path)
    rows[rng.integers(1, len(rows))][3] = str(rng.integers(3))
    world.write_rows(path, rows)


def swap_rows(world, rng):
    path = f"{rng.choice(SETS)}/faces.csv"
    head, *rows = world.read_rows(path)
    world.write_rows(path, [head, *rows[1:], rows[0]])


def edit_norms(world, rng):
    rows = world.read_rows("norms.csv")
    rows[rng.integers(1, len(rows))][1] = str(rng.integers(1, 10))
    world.write_rows("norms.csv", rows)


def edit_picture(world, rng):
    new_picture(rng, picture_of(world, rng))


def edit_picture_in_its_time(world, rng):
    path = picture_of(world, rng)
    status = path.stat()
    new_picture(rng, path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def move_an_older_picture_over(world, rng):
    older = world.folder / "older.png"
    new_picture(rng, older)
    os.utime(older, (1e9, 1e9))
    os.replace(older, picture_of(world, rng))


def copy_older_weights(world, rng):
    other = world.folder / f"weights-{rng.integers(3)}.pth"
    os.utime(other, (1e9, 1e9))
    shutil.copy2(other, world.folder / "weights.pth")


def touch(world, rng):
    files = ["one/faces.csv", "two/faces.csv", "norms.csv", "weights.pth", "net.py"]
    (world.folder / str(rng.choice(files))).touch()
    picture_of(world, rng).touch()


def edit_code(world, rng):
    path = world.folder / "net.py"
    function = str(rng.choice(["relu", "tanh", "sigmoid"]))
    path.write_text(
        re.sub(r"torch\.\w+\(self\.conv", f"torch.{function}(self.conv", path.read_text())
    )


def edit_comment(world, rng):
    path = world.folder / "net.py"
    path.write_text(f"{path.read_text()}# {rng.integers(100)}\n")


def set_permutations(world, rng):
    world.config["analysis"]["permutations"] = int(rng.integers(3, 6))


def set_components(world, rng):
    world.config["analysis"]["components"] = [2, *([3] if rng.integers(2) else []), "all"]


def set_size(world, rng):
    world.config["datasets"]["two"]["size"] = int(rng.choice([12, 16]))


def rename_in_figures(world, rng):
    world.config["datasets"][str(rng.choice(SETS))]["label"] = f"Faces {rng.integers(9)}"


def lose_notes(world, rng):
    shutil.rmtree(world.folder / ".snakemake" / "metadata")


def cut_notes(world, rng):
    for note in (world.folder / ".snakemake" / "metadata").rglob("*"):
        if note.is_file() and rng.integers(2):
            note.write_text(note.read_text()[:40])


def delete_a_table(world, rng):
    (world.folder / str(rng.choice(TARGETS))).unlink(missing_ok=True)


CHANGES = [
    *(edit_label, edit_session, swap_rows, edit_norms, edit_picture, edit_picture_in_its_time),
    *(move_an_older_picture_over, copy_older_weights, touch, edit_code, edit_comment),
    *(set_permutations, set_components, set_size, rename_in_figures, delete_a_table),
]
# Only one in a sequence: they do not change what has to run.
LOSSES = [lose_notes, cut_notes]


def put_back(world, base, rng):
    """Copy a file of the user's back, as from a backup."""
    files = ["one/faces.csv", "two/faces.csv", "norms.csv", "weights.pth", "net.py"]
    base.copy(world.folder, str(rng.choice(files)))


# ---------------------------------------------------------------------------------------- tests


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("base"))
    world.furnish()
    done = world.snakemake()
    assert done.returncode == 0, done.stderr
    assert planned(world) == set()
    return world


def change(base, folder, seed):
    """A copy of the finished run after some random changes, and their names."""
    rng = np.random.default_rng(seed)
    world, names = base.copy(folder), []
    for step in rng.choice(len(CHANGES), size=rng.integers(1, 5), replace=False):
        CHANGES[step](world, rng)
        names.append(CHANGES[step].__name__)
    if rng.integers(3) == 0:
        put_back(world, base, rng)
        names.append("put_back")
    if rng.integers(4) == 0:
        loss = LOSSES[rng.integers(2)]
        loss(world, rng)
        names.append(loss.__name__)
    return world, names


@pytest.mark.parametrize("seed", range(SEQUENCES))
def test_exactly_the_jobs_that_the_changes_need(base, tmp_path, seed):
    world, names = change(base, tmp_path / "run", seed)
    assert planned(world) == world.expected(base.made_from()), names


@pytest.mark.parametrize("seed", range(RUNS))
def test_results_of_a_fresh_run(base, tmp_path, seed):
    world, names = change(base, tmp_path / "run", seed)
    done = world.snakemake()
    assert done.returncode == 0, done.stderr
    assert planned(world) == set(), names
    parts = [*SETS, "norms.csv", "net.py", "weights.pth"]
    fresh = world.copy(tmp_path / "fresh", *parts)
    done = fresh.snakemake()
    assert done.returncode == 0, done.stderr
    assert contents(world) == contents(fresh), names


def contents(world):
    """Tables as text and arrays as bytes, by file."""
    found = {}
    for path in sorted((world.folder / "results").rglob("*")):
        name = str(path.relative_to(world.folder))
        if path.suffix == ".csv":
            found[name] = path.read_text()
        elif path.suffix == ".h5":
            with h5py.File(path) as file:
                file.visititems(
                    lambda key, item, name=name: (
                        found.update({f"{name}:{key}": np.asarray(item[()]).tobytes()})
                        if isinstance(item, h5py.Dataset) and item.dtype.kind in "fiu"
                        else None
                    )
                )
    return found
