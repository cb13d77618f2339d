"""Data that their owners must be asked for: what is missing is told, and where to get it."""

import os
import re
import zipfile
from pathlib import Path

import pytest
import yaml

from workflow_runner import REPOSITORY, run_snakemake

GATED = yaml.safe_load((REPOSITORY / "resources" / "gated.yaml").read_text())
ODD = 'my "faces", it\'s/KDEF (1)'
CLOSING = "Nothing is missing."


def add_gated(workspace, kdef="data/KDEF", disfa="data/DISFA"):
    """Name KDEF and DISFA, KDEF for Figure 4; uncropped, so that no detector is fetched."""
    workspace.config["datasets"] |= {
        "kdef": {"source": "kdef", "path": kdef, "crop": None},
        "disfa": {"source": "disfa", "path": disfa, "crop": None},
    }
    figure = workspace.config["figures"]["fig4"]
    workspace.config["figures"] = {"fig4": figure | {"datasets": ["kdef"]}}


def write_kdef(folder: Path):
    (folder / "AF01").mkdir(parents=True)
    (folder / "AF01" / "AF01AFS.JPG").touch()


def write_disfa(folder: Path):
    (folder / "Videos_LeftCamera").mkdir(parents=True)
    (folder / "Videos_LeftCamera" / "LeftVideoSN001_comp.avi").touch()


def check(workspace, status, *said):
    """Ask the doctor; return what it prints."""
    result = workspace.run("check_resources")
    assert result.returncode == status, result.stderr
    assert "Traceback" not in result.stderr + result.stdout, result.stderr
    # Below Snakemake's own lines stands what is missing, and nothing else.
    told = result.stderr.split("error in check_resources: ")[1:]
    assert [line.startswith("missing: ") for line in told] == [True] * status
    for part in said:
        assert part in result.stdout, f"{part!r} is not said in: {result.stdout}"
    return result.stdout


def refuse_figure(workspace, *said):
    """Ask for a figure whose data are missing; return the lines that say so."""
    result = workspace.refuse("results/figures/fig4.pdf", *())
    assert "MissingInputException" not in result.stderr
    (begin,) = re.finditer(r"^\S+\.yaml, line \d+: ", result.stderr, re.MULTILINE)
    told = result.stderr[begin.start() :].strip().splitlines()
    assert len(told) <= 2, told
    for part in said:
        assert part in "\n".join(told), told
    return told


# ------------------------------------------------------------------------------- the doctor


def test_doctor_tells_all_that_is_missing(workspace):
    add_gated(workspace)
    text = check(workspace, 1)
    assert re.search(r"^KDEF +MISSING +datasets.kdef.path = data/KDEF$", text, re.M)
    assert re.search(r"^DISFA +MISSING +datasets.disfa.path = data/DISFA$", text, re.M)
    assert re.search(r"^your own files +found +datasets.own.table = own/faces.csv$", text, re.M)
    words = " ".join(text.split())
    for name in ("kdef", "disfa"):
        for key in ("address", "licence", "request", "size", "files", "citation"):
            assert " ".join(GATED[name][key].split()) in words
    assert "Made already\n  results/stimuli/own.{,labels.}h5" in text
    waiting = text[text.index("Waits for what is missing") :]
    assert re.search(
        r"results/stimuli/disfa\.\{,labels\.\}h5\n +waits for +datasets.disfa.path\n", waiting
    )
    assert "results/stimuli/kdef.{,labels.}h5" in waiting
    assert text.splitlines()[-1].startswith("MISSING: 2 of 3.")
    log = (workspace.folder / "logs" / "check_resources.log").read_text()
    assert "ERROR missing: datasets.kdef.path, datasets.disfa.path" in log


def test_doctor_says_what_can_be_made_without(workspace):
    add_gated(workspace)
    os.remove(workspace.folder / "results/stimuli/own.h5")
    check(workspace, 1, "Can be made now\n  results/stimuli/own.{,labels.}h5\n")


def test_doctor_finds_everything(workspace):
    add_gated(workspace)
    write_kdef(workspace.folder / "data/KDEF")
    write_disfa(workspace.folder / "data/DISFA")
    text = check(workspace, 0, CLOSING, "Can be made now\n  results/stimuli/kdef.{,labels.}h5\n")
    assert text.strip().endswith(CLOSING) and "MISSING" not in text


def test_doctor_on_the_paper(tmp_path):
    result = run_snakemake(tmp_path, REPOSITORY / "config/paper.yaml", "check_resources")
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert "results/paper/figures/fig4.pdf" in result.stdout
    assert "MISSING: 11 of 16." in result.stdout
    assert "Can be made now\n  results/paper/figures/fig1.pdf\n" in result.stdout


def test_doctor_on_the_default_config(tmp_path):
    result = run_snakemake(tmp_path, REPOSITORY / "config/config.yaml", "check_resources")
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip().endswith(CLOSING)
    assert re.search(r"^headmodel +to be fetched +package index$", result.stdout, re.M)


def test_doctor_runs_each_time(workspace):
    check(workspace, 0, CLOSING)
    check(workspace, 0, CLOSING)


def test_doctor_goes_through_odd_paths(workspace):
    os.symlink("circle", workspace.folder / "circle")
    os.mkfifo(workspace.folder / "pipe")
    add_gated(workspace, kdef="circle", disfa="pipe")
    check(
        workspace,
        1,
        "circle: cannot be looked at (Too many levels of symbolic links)",
        "pipe: is neither a file nor a folder",
    )


# ------------------------------------------------------------------------------- a figure


def test_figure_whose_folder_is_missing(workspace):
    add_gated(workspace)
    told = refuse_figure(
        workspace,
        ": datasets.kdef.path = 'data/KDEF': no such file or folder; correct the path.",
        GATED["kdef"]["address"],
        "snakemake check_resources",
    )
    assert len(told) == 2


def test_disfa_that_is_missing(workspace):
    add_gated(workspace)
    result = workspace.refuse("results/stimuli/disfa.h5")
    assert "datasets.disfa.path = 'data/DISFA': no such file or folder" in result.stderr
    assert GATED["disfa"]["address"] in result.stderr


def test_ratings_that_are_missing(workspace):
    workspace.config["ratings"] = {"oasis": {"source": "oasis", "path": "OASIS.csv"}}
    result = workspace.refuse("results/ratings/oasis.csv")
    assert "ratings.oasis.path = 'OASIS.csv': no such file or folder" in result.stderr
    assert GATED["oasis"]["address"] in result.stderr


# ------------------------------------------------------------------------------- archives


@pytest.mark.parametrize("name", ["kdef", "disfa"])
def test_archive_instead_of_a_folder(workspace, name):
    archive = workspace.folder / f"{name}.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("AF01/AF01AFS.JPG", b"")
    add_gated(workspace, **{name: archive.name})
    check(workspace, 1, f"datasets.{name}.path = {name}.zip: is an archive: unpack it first")
    result = workspace.refuse(f"results/stimuli/{name}.h5")
    assert re.search("unpack it first", result.stderr, re.IGNORECASE), result.stderr


def test_folder_of_archives(workspace):
    (workspace.folder / "data/KDEF").mkdir(parents=True)
    (workspace.folder / "data/KDEF/KDEF_and_AKDEF.zip").touch()
    add_gated(workspace)
    text = " ".join(check(workspace, 1).split())
    assert "data/KDEF: holds nothing but KDEF_and_AKDEF.zip: unpack it first" in text


# ------------------------------------------------------------------------------- blanks, quotes


def test_path_with_blanks_and_quotes(workspace):
    add_gated(workspace, kdef=ODD)
    check(workspace, 1, f"datasets.kdef.path = {ODD}\n")
    refuse_figure(workspace, f"datasets.kdef.path = '{ODD}': no such file or folder")
    write_kdef(workspace.folder / ODD)
    text = check(workspace, 1)
    assert re.search(f"^KDEF +found +datasets.kdef.path = {re.escape(ODD)}$", text, re.M)
