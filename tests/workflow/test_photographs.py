"""Real photographs, brought as a table, through to a Figure 4 of their own."""

import csv
from pathlib import Path

import pandas as pd
import pytest
import yaml

from workflow_runner import REPOSITORY, link_downloads, run_snakemake

YALE = REPOSITORY.parent / "shared" / "data" / "yalefaces"
EXPRESSIONS = {"happy": "happy", "sad": "sad", "surprised": "surprise", "normal": "neutral"}


def write_table(path: Path) -> int:
    """The table of the Yale faces: file names are subjectNN.condition."""
    rows = []
    for picture in sorted(YALE.glob("subject*.*")):
        person, condition = picture.name.split(".")
        rows.append((picture.name, person, EXPRESSIONS.get(condition, ""), condition))
    with open(path, "w", newline="") as stream:
        csv.writer(stream).writerows([("path", "identity", "expression", "condition"), *rows])
    return len(rows)


@pytest.mark.skipif(not YALE.is_dir(), reason="the Yale faces are not on this machine")
def test_yale_faces_get_their_own_figure(tmp_path):
    assert write_table(tmp_path / "yale.csv") == 164
    networks = yaml.safe_load((REPOSITORY / "tests/workflow/tiny.yaml").read_text())["networks"]
    link_downloads(tmp_path)
    chosen = ("nn3", "mini_xception", "pixels")
    config = {
        "datasets": {
            "yale": {
                "source": "table",
                "label": "Yale faces",
                "table": str(tmp_path / "yale.csv"),
                "folder": str(YALE),
                "size": 96,
                "crop": {},
                "sources": {"expression": "posed"},
            }
        },
        "networks": {name: networks[name] for name in chosen},
        "analysis": {"components": [10, "all"], "permutations": 50},
        "figures": {"fig4": {"datasets": ["yale"], "networks": list(chosen)}},
    }
    result = run_snakemake(tmp_path, config, "results/figures/fig4.pdf")
    assert result.returncode == 0, result.stderr
    assert not list((tmp_path / "results/activations").rglob("*.h5")), "activations are discarded"
    table = pd.read_csv(tmp_path / "results/figures/fig4.csv").set_index(
        ["label", "network", "stage"]
    )["mean"]
    # Photographs of a person look alike, and a network trained on expressions tells them apart.
    assert table["identity", "pixels", "early"] > 0
    assert table["expression", "mini_xception", "final"] > table["expression", "pixels", "final"]
    scores = pd.read_csv(tmp_path / "results/separability/yale/nn3/seed-0.csv")
    own = scores[scores.label == "expression"]
    assert set(own.n) == {60} and set(own.label_source) == {"posed"}
    svg = (tmp_path / "results/figures/fig4.svg").read_text()
    assert "RENDERED" not in svg
