"""Another workflow uses this one as a module: from a folder, and from a repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from workflow_runner import REPOSITORY, link_downloads

TAG, OTHER_TAG = "v1", "v2"
# What a clone of the repository needs: the package, and what Snakemake asks it for.
PARTS = ("Snakefile", "workflow", "envs", "resources", "pyproject.toml", "README.md", "LICENSE")
FOLDER = f'"{REPOSITORY}/Snakefile"'
PREFIXED = "as facestages_*"
PLAIN = "exclude all"

SECTION = {
    "pathvars": {"results": "results/faces", "logs": "logs/faces"},
    "datasets": {
        "posed": {
            "source": "rendered", "design": "posed", "people": 4, "sessions": 1, "size": 48,
        },
    },
    "networks": {
        "pixels": {
            "label": "Pixels", "architecture": "pixels",
            "stages": {"early": "pixels", "final": "pixels"},
        },
        "untrained": {
            "label": "Untrained", "architecture": "light_cnn", "weights": "untrained",
            "classes": ["happy", "sad", "neutral"],
            "stages": {"early": "batchnorm_1", "final": "out_layer"},
        },
    },
    "analysis": {"components": [2], "permutations": 5},
    "figures": {
        "fig4": {
            "datasets": ["posed"], "networks": ["pixels"],
            "stages": ["early", "final"], "components": 2,
        },
    },
}  # fmt: skip

SNAKEFILE = """
configfile: "outer.yaml"

rule all:
    input: "lines.txt"

module facestages:
    snakefile: {snakefile}
{keys}
use rule * from facestages {names}

rule count_lines:
    input: "results/faces/separability/posed/{network}/seed-0.csv"
    output: "lines.txt"
    shell: "wc -l < {{input}} > {{output}}"
"""

OWN_CONFIG = '    config: config["faces"]'


class Outer:
    """The folder of the other workflow."""

    def __init__(self, folder: Path, environment: Mapping[str, str] = os.environ) -> None:
        self.folder, self.environment = folder, environment
        link_downloads(folder)
        # A config of its own, at the place where ours is looked for.
        (folder / "config").mkdir()
        (folder / "config" / "config.yaml").write_text("samples: [a, b]\n")

    def write(
        self, snakefile: str, names: str = PREFIXED, *, network: str = "pixels",
        keys: str = OWN_CONFIG, config: Mapping = SECTION,
    ) -> Outer:  # fmt: skip
        text = SNAKEFILE.format(snakefile=snakefile, names=names, keys=keys, network=network)
        (self.folder / "Snakefile").write_text(text)
        (self.folder / "outer.yaml").write_text(yaml.safe_dump({"faces": dict(config)}))
        return self

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "snakemake", "--cores", "1", *options]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True
        )

    def refuses(self, *options: str) -> list[str]:
        """Lines of the error, without what Snakemake says before it reads a workflow."""
        done = self.run("--dry-run", "--quiet", "all", "--", *options)
        assert done.returncode != 0
        return [line for line in done.stderr.splitlines() if line.strip()]


@pytest.fixture
def outer(tmp_path) -> Outer:
    return Outer(tmp_path)


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Path:
    """A git repository with the workflow at two tags; the package says another version at one."""
    folder = tmp_path_factory.mktemp("hosts") / "lab" / "facestages"
    ignored = shutil.ignore_patterns("__pycache__", "assets", "licensed", "keras")
    for part in PARTS:
        source = REPOSITORY / part
        copy = shutil.copytree if source.is_dir() else shutil.copy
        folder.mkdir(parents=True, exist_ok=True)
        copy(source, folder / part, **({"ignore": ignored} if source.is_dir() else {}))

    def git(*options: str) -> None:
        who = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org")
        subprocess.run(["git", *who, *options], cwd=folder, check=True, capture_output=True)

    git("init", "--quiet")
    version = folder / "workflow" / "scripts" / "facestages" / "__init__.py"
    content = version.read_text()
    for tag, text in ((OTHER_TAG, '__version__ = "0.0.0"\n'), (TAG, content)):
        version.write_text(text)
        git("add", "--all")
        git("commit", "--quiet", "--message", tag)
        git("tag", tag)
    return folder


@pytest.fixture(scope="module")
def installed(repository, tmp_path_factory) -> Path:
    """A folder into which pip has installed the package."""
    folder = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation"]
    done = subprocess.run(
        [*pip, *offline, "--target", str(folder), str(repository)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def remote(tmp_path, repository) -> Outer:
    """A folder where the address of a hosting service leads to the repository on this disk."""
    environment = {
        **{key: value for key, value in os.environ.items() if key != "GITHUB_TOKEN"},
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{repository.parents[1]}/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    return Outer(tmp_path, environment)


def hosted(tag: str) -> str:
    return f'github("lab/facestages", path="Snakefile", tag="{tag}")'


def at_tag(remote: Outer, tag: str, installed: Path | None) -> Outer:
    if installed:
        remote.environment["PYTHONPATH"] = str(installed)
    return remote.write(hosted(tag))


def made(outer: Outer) -> int:
    """Lines of the table that this workflow made and the other one counted."""
    return int((outer.folder / "lines.txt").read_text())


def test_from_a_folder(outer):
    outer.write(FOLDER, network="untrained")
    done = outer.run()
    assert done.returncode == 0, done.stderr
    assert "rule: facestages_score_separability" in done.stderr.lower()
    scores = outer.folder / "results/faces/separability/posed/untrained/seed-0.csv"
    assert made(outer) == len(scores.read_text().splitlines()) > 1
    assert {path.name for path in (outer.folder / "results").iterdir()} == {"faces"}
    assert (outer.folder / "logs/faces/score_separability/posed/untrained/seed-0.log").exists()
    # Without a prefix too, what the other workflow asks for first stays its default target.
    again = outer.write(FOLDER, PLAIN, network="untrained").run("--dry-run")
    assert "Nothing to be done" in again.stdout


def test_from_a_repository(remote, installed):
    at_tag(remote, TAG, installed)
    done = remote.run()
    assert done.returncode == 0, done.stderr
    assert made(remote) > 1
    assert "Nothing to be done" in remote.run("--dry-run").stdout
    # What lies beside the Snakefile: claims, captions, and the code that reports show.
    assert remote.run("facestages_all").returncode == 0
    targets = ("results/faces/figures/fig4.pdf", "results/faces/claims.html")
    report = remote.run("--report", "report.html", *targets)
    assert report.returncode == 0, report.stderr
    page = (remote.folder / "report.html").read_text()
    assert "Mean silhouettes of expression and of identity" in page


def test_the_installed_package_does_what_a_release_asks(installed, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    smoke = [sys.executable, str(REPOSITORY / "tests" / "smoke.py")]
    done = subprocess.run(smoke, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "measures and files work" in done.stdout


def test_from_a_repository_without_a_path(remote, installed):
    """Snakemake takes workflow/Snakefile then."""
    named = at_tag(remote, TAG, installed).run("--dry-run")
    assert named.returncode == 0, named.stderr
    unnamed = remote.write(f'"gh:lab/facestages@{TAG}"').run("--dry-run")
    assert unnamed.returncode == 0, unnamed.stderr
    assert "facestages_score_separability" in unnamed.stdout
    assert rules_of(unnamed) == rules_of(named)


def rules_of(done: subprocess.CompletedProcess[str]) -> set[str]:
    """Rules of the jobs that a dry run announces."""
    return set(re.findall(r"^(facestages_\w+) +\d+$", done.stdout, re.MULTILINE))


def test_folders_may_be_set_beside_the_config(outer):
    section = {key: value for key, value in SECTION.items() if key != "pathvars"}
    keys = f'{OWN_CONFIG}\n    pathvars:\n        results="results/faces"'
    done = outer.write(FOLDER, keys=keys, config=section).run("--dry-run", "facestages_all")
    assert done.returncode == 0, done.stderr
    assert "results/faces/separability/posed/pixels/seed-0.csv" in done.stdout
    assert "results/separability" not in done.stdout


def test_a_mistake_in_the_config_is_named_as_ever(outer):
    wrong = {**SECTION, "datasets": {"posed": {**SECTION["datasets"]["posed"], "peple": 3}}}
    (line,) = outer.write(FOLDER, config=wrong).refuses()
    assert line.startswith("config: datasets.posed: unknown key 'peple': did you mean 'people'?")


def test_without_a_config_nobody_elses_is_taken(outer):
    lines = outer.write(FOLDER, keys="").refuses()
    assert lines[0].startswith("config: datasets: this key is missing")
    assert not any("samples" in line for line in lines)


@pytest.mark.parametrize("key", ['prefix: "faces"', 'replace_prefix: {"results/": "faces/"}'])
def test_prefixes_are_refused(outer, key):
    (line,) = outer.write(FOLDER, keys=f"{OWN_CONFIG}\n    {key}").refuses()
    assert "'prefix' and 'replace_prefix'" in line and "pathvars" in line


def test_the_report_is_the_other_workflows(outer):
    *_, line = outer.write(FOLDER).refuses("results/faces/report.html")
    assert "snakemake --report" in line


def test_rules_from_a_repository_want_the_package(remote):
    found = [sys.executable, "-c", "import facestages"]
    if subprocess.run(found, cwd=remote.folder, capture_output=True).returncode == 0:
        pytest.skip("the package is installed where the tests run")
    *_, line = at_tag(remote, TAG, None).refuses()
    assert "is not installed" in line and "pip" in line


def test_rules_from_a_repository_want_the_package_of_their_version(remote, installed):
    *_, line = at_tag(remote, OTHER_TAG, installed).refuses()
    assert "the rules are of version 0.0.0" in line and "pip" in line


def test_jobs_import_the_folders_library_whatever_is_installed(outer, tmp_path):
    """The other library cannot be imported, so that no job can have used it."""
    other = tmp_path / "other" / "facestages"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("raise ImportError('the other library')")
    outer.environment = {**os.environ, "PYTHONPATH": str(other.parent)}
    done = outer.write(FOLDER).run("resources/assets/headmodel")
    assert done.returncode == 0, done.stderr


def test_the_package_holds_all_that_the_library_reads(installed):
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["setuptools"]
    library = REPOSITORY / "workflow" / "scripts"
    folders = {path.parent.relative_to(library) for path in library.rglob("__init__.py")}
    packages = {".".join(folder.parts) for folder in folders}
    shipped = {"facestages.resources", "facestages.workflow.report.explorer"}
    assert set(settings["packages"]) == packages | shipped
    resources = {path.name for path in (REPOSITORY / "resources").glob("*.yaml")}
    weights = {path.name for path in (REPOSITORY / "resources" / "weights").iterdir()}
    page = REPOSITORY / "workflow" / "report" / "explorer"
    copied = installed / "facestages" / "workflow" / "report" / "explorer"
    assert {path.name for path in page.iterdir()} <= {path.name for path in copied.iterdir()}
    there = installed / "facestages" / "resources"
    assert {path.name for path in there.iterdir()} == resources | {"weights"}
    assert {path.name for path in (there / "weights").iterdir()} == weights
