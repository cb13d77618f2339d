"""A changed file of a reference prepares that reference again, and nothing else."""

import csv

import numpy as np
import pytest
from PIL import Image

from facestages.references import read_reference
from workflow_runner import jobs, run_snakemake

PEOPLE, EXPRESSIONS = 4, ("happy", "sad", "neutral")
ABOUT = {"dataset": "own", "label": "People", "cite": "A lab, 2026"}
CONFIG = {
    "datasets": {"own": {"source": "table", "table": "own/faces.csv", "label": "Own"}},
    "networks": {
        "pixels": {
            "label": "Pixels", "architecture": "pixels",
            "stages": {"early": "pixels", "final": "pixels"},
        },
    },
    "references": {
        "judged": {**ABOUT, "source": "pairs", "path": "pairs.csv"},
        "rated": {**ABOUT, "source": "ratings", "path": "ratings.csv"},
        "meg": {**ABOUT, "source": "rdms", "path": "meg.npy", "conditions": "conditions.csv"},
        "named": {**ABOUT, "source": "confusions", "path": "answers.csv"},
        "simulated": {
            "source": "simulated", "dataset": "own", "raters": 3, "pictures": 12,
            "weights": {"affect": 0.0}, "times": {"start": 0, "end": 100, "step": 50},
        },
    },
    "figures": {
        "fig4": {"datasets": ["own"], "networks": ["pixels"], "stages": ["early", "final"]},
    },
}  # fmt: skip
REFERENCES = [f"results/references/{name}.h5" for name in CONFIG["references"]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished run of references of pictures of one's own."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "own").mkdir()
    rng = np.random.default_rng(0)
    names = []
    for person in range(PEOPLE):
        for expression in EXPRESSIONS:
            names.append(f"{person}-{expression}.png")
            noise = rng.integers(0, 256, (8, 8)).astype(np.uint8)
            Image.fromarray(noise).save(folder / "own" / names[-1])
    faces = [(name, name[0], name[2:-4]) for name in names]
    write_rows(folder / "own/faces.csv", [("path", "identity", "expression"), *faces])
    pairs = [(one, other, 1.5, "anna") for one in names[:3] for other in names[3:6]]
    write_rows(folder / "pairs.csv", [("picture", "other", "dissimilarity", "rater"), *pairs])
    rated = [(name, rater, 4) for name in names for rater in ("anna", "ben")]
    write_rows(folder / "ratings.csv", [("picture", "rater", "trust"), *rated])
    write_rows(folder / "conditions.csv", [("picture",), *((name,) for name in names)])
    np.save(folder / "meg.npy", 1.0 - np.eye(len(names))[None])
    answers = [("happy", "happy", 9), ("sad", "neutral", 5)]
    write_rows(folder / "answers.csv", [("expression", "answer", "count"), *answers])
    result = run_all(folder, CONFIG)
    assert result.returncode == 0, result.stderr
    return folder


def run_all(folder, config, *options):
    *others, last = REFERENCES
    return run_snakemake(folder, config, last, *options, *others)


def write_rows(path, rows):
    with open(path, "w", newline="") as stream:
        csv.writer(stream).writerows(rows)


def planned(folder, config=CONFIG):
    return jobs(run_all(folder, config, "--dry-run"))


def planned_with(folder, name, old, new):
    """Jobs after a change in a file, which is taken back."""
    path = folder / name
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))
    try:
        return planned(folder)
    finally:
        path.write_bytes(content)


def test_what_was_prepared(folder):
    assert planned(folder) == {}
    found = {name: read_reference(folder / path) for name, path in zip(
        CONFIG["references"], REFERENCES, strict=True
    )}  # fmt: skip
    assert {name: one.kind for name, one in found.items()} == {
        **{"judged": "pairs", "rated": "ratings", "meg": "pairs"},
        **{"named": "confusions", "simulated": "pairs"},
    }
    assert [name for name, one in found.items() if one.simulated] == ["simulated"]
    assert found["simulated"].times == [0, 50, 100]


def count(n):
    return {"prepare_reference": n}


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("pairs.csv", b"1.5", b"2.5"),
        ("ratings.csv", b"anna", b"anne"),
        ("conditions.csv", b"0-happy.png\r\n0-sad.png", b"0-sad.png\r\n0-happy.png"),
        ("answers.csv", b"sad,neutral", b"sad,sad"),
    ],
)
def test_a_changed_file(folder, name, old, new):
    assert planned_with(folder, name, old, new) == count(1)


def test_a_corrected_label_counts_where_labels_decide(folder):
    plan = planned_with(folder, "own/faces.csv", b",happy", b",sad")
    assert plan == {"prepare_labels": 1} | count(2)


def test_a_changed_source(folder):
    """The source is shown wherever the reference is, so it is in the file."""
    judged = CONFIG["references"]["judged"] | {"cite": "Another lab, 2026"}
    references = CONFIG["references"] | {"judged": judged}
    assert planned(folder, CONFIG | {"references": references}) == count(1)


def test_an_unknown_picture_stops_the_job_with_one_line(folder):
    path = folder / "pairs.csv"
    content = path.read_bytes()
    path.write_bytes(content.replace(b".png", b".mpg"))
    result = run_snakemake(folder, CONFIG, REFERENCES[0])
    path.write_bytes(content)
    lines = [line for line in result.stderr.splitlines() if line.startswith("error in")]
    assert result.returncode != 0
    assert "pairs.csv: 6 of 6 pictures are not in face set own, such as '0-happy.mpg'" in lines[0]
    assert run_snakemake(folder, CONFIG, REFERENCES[0]).returncode == 0
