"""One finished run of the tiny config, made by a copy of the workflow that tests may edit."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from workflow_runner import REPOSITORY, link_downloads, run_snakemake

PARTS = ("Snakefile", "CITATION.cff", "workflow", "profiles", "envs", "resources/manifest.yaml")
PARTS += tuple(f"resources/{name}.yaml" for name in ("gated", "paper", "claims"))


class Run(NamedTuple):
    """A folder that holds a copy of the workflow, its config, and what it made."""

    folder: Path
    config: dict
    log: str

    def snakemake(self, target: str, *options: str, config: dict | None = None):
        """Run the copied workflow."""
        return run_snakemake(
            self.folder, config or self.config, target, *options, repository=self.folder
        )

    def table(self, name: str) -> Path:
        """CSV of the face set of one's own."""
        return self.folder / name / "faces.csv"


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("tiny")
    for part in PARTS:
        source, target = REPOSITORY / part, folder / part
        target.parent.mkdir(exist_ok=True)
        ignored = shutil.ignore_patterns("__pycache__")
        if source.is_dir():
            shutil.copytree(source, target, ignore=ignored)
        else:
            shutil.copy(source, target)
    link_downloads(folder)
    config = yaml.safe_load((REPOSITORY / "tests/workflow/tiny.yaml").read_text())
    run = Run(folder, config, "")
    result = run.snakemake("all")
    assert result.returncode == 0, result.stderr
    return run._replace(log=result.stderr)
