"""Configs and command lines that people reported, as they typed them."""

import csv
import shutil
import subprocess
import sys

import pandas as pd
import pytest
import yaml

from workflow_runner import REPOSITORY

SCORES = "results/separability/own/pixels/seed-0.csv"


def test_the_home_folder_and_numbers_of_the_command_line(workspace, tmp_path, monkeypatch):
    """``~`` in paths and folders, and ``--config``, whose values are all text."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    shutil.move(workspace.folder / "own", tmp_path / "home" / "own")
    shutil.rmtree(workspace.folder / "results")
    workspace.config["datasets"]["own"] |= {"table": "~/own/faces.csv", "folder": "$HOME/own"}
    workspace.config["pathvars"] = {"results": "~/out"}
    given = "analysis={permutations: 7, components: [2, 3, all], decoding: {folds: 2}}"
    scores = tmp_path / "home" / SCORES.replace("results", "out")
    result = workspace.run(str(scores), "--config", given, "--nolock")
    assert result.returncode == 0, result.stderr
    measured = pd.read_csv(scores)
    assert set(measured["components"]) == {"2", "3", "all"}
    # Of seven permutations, p is a number of eighths.
    assert (measured["p"].dropna() * 8 % 1 == 0).all()
    assert not (workspace.folder / "~").exists()


def test_a_label_of_any_name_is_measured(workspace):
    table = workspace.folder / "own" / "faces.csv"
    names = ["region", "map", "unit", "dataset", "age/years", "性別"]
    rows = list(csv.DictReader(table.open()))
    with table.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, [*rows[0], *names])
        writer.writeheader()
        for number, row in enumerate(rows):
            writer.writerow(row | dict.fromkeys(names, f"value {number % 2}"))
    workspace.config["analysis"] = workspace.config["analysis"] | {"labels": names}
    workspace.config["figures"]["fig4"] = workspace.config["figures"]["fig4"] | {"labels": names}
    workspace.make("results/figures/fig4.pdf")
    scores = pd.read_csv(workspace.folder / SCORES)
    scores = scores[(scores["stage"] == "early") & (scores["measure"] == "silhouette")]
    values = scores.groupby("label")["value"].first()
    assert set(values.index) == set(names) and values.nunique() == 1 and values.notna().all()


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"a:\n\tb: 1\n", "cannot be read as YAML: line 2, column 1: found character"),
        (b"a: caf\xe9\n", "cannot be read as YAML: line 1: is no text in UTF-8"),
    ],
    ids=["tab", "no text"],
)
def test_a_mistake_in_the_default_config_has_its_line(tmp_path, content, line):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.yaml").write_bytes(content)
    command = [sys.executable, "-m", "snakemake", "-s", REPOSITORY / "Snakefile", "--dry-run"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode != 0 and "Traceback" not in run.stderr
    assert run.stderr.splitlines()[-1].startswith(f"config/config.yaml: {line}")


def test_a_key_that_a_config_file_gives_twice(workspace):
    text = yaml.safe_dump(workspace.config, sort_keys=False)
    workspace.config = workspace.folder / "mine.yaml"
    workspace.config.write_text(f"{text}analysis: {{permutations: 5}}\n")
    last = text.count("\n") + 1
    workspace.refuse_config(
        "all", f"mine.yaml: line {last}, column 1: the key 'analysis' is already"
    )
