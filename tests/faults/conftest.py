"""A finished small run, to be spoiled in one way a test."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facestages import run_lock
from workflow_runner import run_snakemake

HEADER = ("path", "identity", "expression")
PIXELS = {"label": "Pixels", "architecture": "pixels"} | {
    "stages": dict.fromkeys(("early", "middle", "penultimate", "final"), "pixels")
}

# How a line on a key of the config begins: with its file and line, where it is in the file.
ON_KEYS = re.compile(r"(config|\S+\.yaml(, line \d+)?): ")


class Workspace:
    """A folder with a face set, the config of a run over it, and what was made so far.

    Attributes
    ----------
    folder : Path
    config : dict
        Face set ``own``, network ``pixels``; a test adds to it or spoils it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = {
            "datasets": {"own": {"source": "table", "label": "Own", "table": "own/faces.csv"}},
            "networks": {"pixels": PIXELS},
            "analysis": {"components": [2, "all"], "permutations": 3, "activations": "keep"},
            "figures": {"fig4": {"datasets": ["own"], "networks": ["pixels"], "components": 2}},
        }

    def add_table(self, name: str, rows: list[tuple[str, ...]] | None = None) -> Path:
        """Write pictures of noise and their table, and name them in the config as `name`."""
        folder = self.folder / name
        folder.mkdir()
        rng = np.random.default_rng(0)
        rows = rows or [(f"{i}.png", f"person {i % 4}", ("happy", "sad")[i // 4]) for i in range(8)]
        for path, *_ in rows:
            noise = rng.integers(0, 256, (48, 48)).astype(np.uint8)
            Image.fromarray(noise).save(folder / os.path.basename(path))
        with open(folder / "faces.csv", "w", newline="") as stream:
            csv.writer(stream).writerows([HEADER, *rows])
        entry = {"source": "table", "label": name, "table": f"{name}/faces.csv"}
        self.config["datasets"][name] = entry
        return folder

    def run(self, target: str, *options: str, **more) -> subprocess.CompletedProcess[str]:
        return run_snakemake(self.folder, self.config, target, *options, **more)

    def make(self, target: str) -> None:
        """Ask for `target`, which must be made."""
        result = self.run(target)
        assert result.returncode == 0, result.stderr

    def made(self) -> dict[Path, bytes]:
        """Content of all results, without their notes and the name of the last run."""
        files = [path for path in (self.folder / "results").rglob("*") if path.is_file()]
        results = [path for path in files if path.suffix != ".note" and path.name != run_lock.NAME]
        return {path: path.read_bytes() for path in results}

    def refuse_job(self, target: str, log: str, *said: str, **options) -> str:
        """Ask for `target`, whose job must fail; check all that must hold then.

        Parameters
        ----------
        target : str
            File that must not appear.
        log : str
            The rule's log.
        *said : str
            What the message must hold.

        Returns
        -------
        str
            The message.
        """
        result = self.refuse(target, **options)
        assert not (self.folder / target).exists(), f"{target} was left behind"
        # Once when it happens, and once more below all that Snakemake says.
        assert result.stderr.count("error in ") == 2, result.stderr
        logged = (self.folder / log).read_text()
        assert "Traceback" not in logged, logged
        # The log knows where the message ends; on the terminal, Snakemake's lines may follow.
        message = re.split(r"\n\d\d:\d\d:\d\d ", logged.split(" ERROR ")[1])[0].rstrip()
        self._check_message(message, said)
        for told in result.stderr.split("error in ")[1:]:
            assert told.split(": ", 1)[1].startswith(message), told
        assert result.stderr.endswith(f"{message}\n"), result.stderr
        return message

    def refuse_config(self, target: str, *said: str) -> str:
        """Ask for `target` with a config to be refused before any job; return the message."""
        result = self.refuse(target)
        assert " failed: " not in result.stderr
        told = [line for line in result.stderr.splitlines() if ON_KEYS.match(line)]
        self._check_message("\n".join(told), said)
        return "\n".join(told)

    def refuse(self, target: str, **options) -> subprocess.CompletedProcess[str]:
        """Run what must fail: without a traceback, and leaving what was there as it was."""
        before = self.made()
        result = self.run(target, **options)
        assert result.returncode != 0, f"{target} was made"
        assert "Traceback" not in result.stderr + result.stdout, result.stderr
        after = self.made()
        assert [path for path in before if after.get(path) != before[path]] == []
        assert [path for path in self.folder.rglob("*") if ".partial" in path.name] == []
        return result

    @staticmethod
    def _check_message(message: str, said: tuple[str, ...]) -> None:
        print(message)
        assert 1 <= len(message.splitlines()) <= 2, message
        for part in said:
            assert part in message, f"{part!r} is not said in: {message}"


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A run that went well to its end."""
    workspace = Workspace(tmp_path_factory.mktemp("finished"))
    workspace.add_table("own")
    workspace.make("all")
    return workspace


@pytest.fixture
def workspace(finished, tmp_path):
    """A copy of the finished run, for one test to spoil."""
    folder = tmp_path / "run"
    shutil.copytree(finished.folder, folder)
    copy = Workspace(folder)
    copy.config["datasets"] = {"own": dict(finished.config["datasets"]["own"])}
    return copy


@pytest.fixture
def mount_disk():
    """A function that mounts a small disk of its own at a folder; skip where that is forbidden."""
    mounted = []

    def mount(folder: Path, kilobytes: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        options = ["-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs"]
        try:
            subprocess.run(["mount", *options, folder], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("mounting a small disk is not allowed here")
        mounted.append(folder)
        # Snakemake removes a folder that it has emptied, but cannot remove this one.
        (folder / "other").touch()

    yield mount
    for folder in reversed(mounted):
        # Lazily, as matplotlib leaves a file open that it could not write.
        subprocess.run(["umount", "--lazy", folder], check=True)
