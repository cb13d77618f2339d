"""What `Containerfile` copies is enough for a run. No builder is needed, and none was at hand."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from workflow_runner import REPOSITORY, jobs

TEXT = (REPOSITORY / "Containerfile").read_text(encoding="utf-8")
HOME = "/opt/facestages"


def instructions() -> list[tuple[str, str]]:
    """Instructions and their arguments, lines joined."""
    lines = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", TEXT, flags=re.MULTILINE)).splitlines()
    return [(line.split()[0], line.partition(" ")[2]) for line in lines if line.strip()]


def command(name: str) -> list[str]:
    return json.loads(dict(instructions())[name])


def copies() -> dict[str, str]:
    """By path in the repository: where it comes to lie."""
    found = {}
    for name, arguments in instructions():
        if name == "COPY":
            *sources, target = shlex.split(arguments)
            many = target.endswith("/")
            found |= {one: f"{target}{one}" if many else target for one in sources}
    return found


def test_what_is_copied_makes_the_default_run(tmp_path):
    ignored = shutil.ignore_patterns("__pycache__", "assets", "zoos", "licensed")
    for source, target in copies().items():
        place = tmp_path / target.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if (REPOSITORY / source).is_dir():
            shutil.copytree(REPOSITORY / source, place, ignore=ignored)
        else:
            shutil.copy(REPOSITORY / source, place)
    work = tmp_path / "work"
    work.mkdir()
    program, *options = [*command("ENTRYPOINT"), *command("CMD")]
    options = [one.replace(HOME, str(tmp_path / HOME.lstrip("/"))) for one in options]
    asked = [sys.executable, "-m", program, *options, "--dry-run"]
    done = subprocess.run(asked, cwd=work, capture_output=True, text=True)
    assert {"plot_fig4", "make_report", "judge_claims"} <= jobs(done).keys()
    assert "results/figures/fig4.pdf" in done.stdout and "results/config/" not in done.stdout


def test_only_what_is_copied_is_sent_to_the_builder():
    lines = (REPOSITORY / ".containerignore").read_text().splitlines()
    taken = {line[1:] for line in lines if line.startswith("!")}
    assert "*" in lines and taken == copies().keys()
    kept_back = {line.strip("/") for line in (REPOSITORY / ".gitignore").read_text().splitlines()}
    assert {line for line in kept_back if line.startswith("resources/")} <= set(lines)


def test_it_runs_as_a_user_with_the_pinned_packages():
    names = [name for name, _ in instructions()]
    assert (
        names.index("USER") < names.index("ENTRYPOINT")
        and "root" not in dict(instructions())["USER"]
    )
    base = dict(instructions())["FROM"]
    python = re.fullmatch(r"python:(3\.\d+)-slim", base)[1]
    assert re.search(rf"3\.11.*{re.escape(python)}", (REPOSITORY / "Makefile").read_text())
    installs = [text for name, text in instructions() if name == "RUN" and "pip install" in text]
    assert len(installs) == 1 and f"-r {HOME}/requirements.txt" in installs[0]
    assert Path(REPOSITORY / "requirements.txt").is_file()
