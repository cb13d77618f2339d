"""Snakemake's own report of a run, with runtimes and the provenance of every file."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from facestages.errors import FacestagesError
from facestages.files import atomic_path

logger = logging.getLogger(__name__)

# How Snakemake's lines about its progress begin.
_PROGRESS = ("Building DAG", "Creating report", "Adding ", "Loading script code")
# How Snakemake's template begins each script of data, whose JSON is one line.
_DATA = re.compile(r'^( *<script id="[\w-]+">\n *var \w+ = )(.*)$', re.MULTILINE)


def keep_data_text(page: str) -> str:
    """Write ``<`` in the data of Snakemake's report so that no tag can begin or end in it.

    A label, a caption or a param with ``</script>`` would end the script that holds it, and what
    follows would become a part of the page.
    """
    return _DATA.sub(lambda found: found[1] + found[2].replace("<", r"\u003c"), page)


def write_snakemake_report(
    path: str | os.PathLike,
    snakefile: str | os.PathLike,
    config: Mapping[str, object],
    targets: Sequence[str],
    stylesheet: str | os.PathLike,
) -> None:
    """Write Snakemake's report on the existing files of a run: one file that needs no network.

    A second Snakemake reads the workflow with the same config and without a profile. It runs no
    job and takes no lock, so the first one may wait for it.

    Parameters
    ----------
    path : path-like
        The report, an HTML file.
    snakefile : path-like
    config : mapping
        The whole config of the first Snakemake.
    targets : sequence of str
        Files of the run. Of these, of what is made with them and of what they are made from, the
        report shows the files that a rule marks for it.
    stylesheet : path-like
        CSS that is added to Snakemake's own.

    Raises
    ------
    FacestagesError
        If Snakemake fails; the message ends with the last lines of its output.
    """
    with tempfile.TemporaryDirectory() as folder, atomic_path(path) as partial:
        config_file = Path(folder, "config.yaml")
        config_file.write_text(yaml.safe_dump(dict(config), sort_keys=False), encoding="utf-8")
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile)]
        command += ["--profile", "none", "--workflow-profile", "none"]
        command += ["--configfile", str(config_file)]
        command += ["--report", str(partial), "--report-stylesheet", str(stylesheet)]
        command += ["--", *targets]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not partial.stat().st_size:
            lines = done.stderr.strip().splitlines()
            reasons = [line.strip() for line in lines if not line.startswith(_PROGRESS)]
            why = " ".join(reasons[-6:])
            raise FacestagesError(f"cannot write {path}: snakemake --report failed:\n{why}")
        page = partial.read_text(encoding="utf-8")
        partial.write_text(keep_data_text(page), encoding="utf-8")
    logger.info("%s", done.stderr)
