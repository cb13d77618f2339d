"""The report of a run: Snakemake's own, one file that needs no network."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from facestages.errors import FacestagesError
from facestages.files import atomic_path

# How Snakemake's lines about its progress begin.
_PROGRESS = ("Building DAG", "Creating report", "Adding ", "Loading script code")


def write_report_page(
    path: str | os.PathLike,
    snakefile: str | os.PathLike,
    config: Mapping[str, object],
    targets: Sequence[str],
    stylesheet: str | os.PathLike,
) -> str:
    """Let Snakemake report on files of a run that are there.

    A second Snakemake reads the workflow with the same config and without a profile. It runs no
    job and takes no lock, so that the first one may wait for it.

    Parameters
    ----------
    path : path-like
        The report, an HTML file.
    snakefile : path-like
    config : mapping
        The whole config, as the first Snakemake has it.
    targets : sequence of str
        Files of the run; the report shows what is marked for it among them, among what is made
        with them, and among what they are made from.
    stylesheet : path-like
        CSS that is added to Snakemake's own.

    Returns
    -------
    str
        What Snakemake said.

    Raises
    ------
    FacestagesError
        If Snakemake fails; its last words are in the error.
    """
    with tempfile.TemporaryDirectory() as folder, atomic_path(path) as partial:
        given = Path(folder, "config.yaml")
        given.write_text(yaml.safe_dump(dict(config), sort_keys=False), encoding="utf-8")
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile)]
        command += ["--profile", "none", "--workflow-profile", "none", "--configfile", str(given)]
        command += ["--report", str(partial), "--report-stylesheet", str(stylesheet)]
        command += ["--", *targets]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not partial.exists():
            lines = done.stderr.strip().splitlines()
            words = [line for line in lines if not line.startswith(_PROGRESS)]
            raise FacestagesError(
                "\n".join([f"cannot write {path}: snakemake --report failed:", *words[-6:]])
            )
    return done.stderr
