"""Run the real workflow, as a user does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[1]


def run_snakemake(
    directory: Path,
    config: Mapping[str, Any] | str | os.PathLike,
    target: str,
    *options: str,
    before: Callable[[], None] | None = None,
    repository: Path = REPOSITORY,
) -> subprocess.CompletedProcess[str]:
    """Ask the workflow for a target, on one core.

    Parameters
    ----------
    directory : Path
        Where the run keeps its results and logs; relative paths in the config start here.
    config : mapping or path-like
        The config, written to ``config.yaml`` in `directory`; or a config file that is there.
    target : str
        File or rule.
    *options : str
        Further options of Snakemake.
    before : callable, optional
        Called in the new process before Snakemake starts, e.g. to set a resource limit.
    repository : Path
        Where the workflow's code is.

    Returns
    -------
    subprocess.CompletedProcess
        Exit status, and both outputs as text.
    """
    command = snakemake_command(directory, config, target, *options, repository=repository)
    return subprocess.run(command, capture_output=True, text=True, preexec_fn=before, check=False)


def snakemake_command(
    directory: Path,
    config: Mapping[str, Any] | str | os.PathLike,
    target: str,
    *options: str,
    repository: Path = REPOSITORY,
) -> list[str]:
    """The command of `run_snakemake`; the config is written."""
    if isinstance(config, Mapping):
        text = yaml.safe_dump(dict(config), sort_keys=False)
        config = directory / "config.yaml"
        config.write_text(text)
    command = [sys.executable, "-m", "snakemake", "-s", str(repository / "Snakefile")]
    command += ["--directory", str(directory), "--cores", "1", *options]
    return [*command, target, "--configfile", str(config)]


def link_downloads(folder: Path) -> None:
    """Let a run in `folder` use the repository's archives: downloaded once a checkout."""
    downloads = REPOSITORY / "resources" / "assets" / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    (folder / "resources" / "assets").mkdir(parents=True, exist_ok=True)
    (folder / "resources" / "assets" / "downloads").symlink_to(downloads, target_is_directory=True)


def jobs(result) -> dict[str, int]:
    """Jobs by rule that a dry run announces."""
    assert result.returncode == 0, result.stderr
    text = result.stdout + result.stderr
    if "Nothing to be done" in text:
        return {}
    table = text.split("Job stats:")[1].split("total")[0]
    return {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}


def list_rules() -> dict[str, str]:
    """Names of the workflow's rules, those that a loop makes among them, and what they make."""
    command = [sys.executable, "-m", "snakemake", "--list-rules", "--cores", "1"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return dict(re.findall(r"^(\w+)(?: \((.*)\))?$", done.stdout, re.MULTILINE))
