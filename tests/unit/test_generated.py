"""Generated files and versions: nothing has drifted from its source."""

import re
import tomllib
from pathlib import Path

import pytest

from facestages.generated import generated_files

ROOT = Path(__file__).parents[2]
FILES = generated_files(ROOT)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize("path", FILES, ids=str)
def test_file_is_as_generated(path):
    assert (ROOT / path).read_text() == FILES[path], "run: make generated"


def test_requirements_hold_every_version_of_the_project():
    locked = set((ROOT / "requirements.txt").read_text().lower().split())
    extras = PROJECT["optional-dependencies"]
    for requirement in [*PROJECT["dependencies"], *extras["cpu"], *extras["test"]]:
        assert re.sub(r"\[.*\]", "", requirement).lower() in locked


def test_the_bucket_is_tried_with_the_version_of_the_project():
    locked = (ROOT / "tests" / "requirements-bucket.txt").read_text().split()
    assert set(PROJECT["optional-dependencies"]["cloud"]) <= set(locked)


def test_requirements_are_pinned_and_without_addresses():
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line)


def test_gpu_and_cpu_builds_are_of_one_version():
    extras = PROJECT["optional-dependencies"]
    versions = {extras[kind][0].split("==")[1] for kind in ("cpu", "gpu")}
    assert len(versions) == 1


def test_every_key_of_the_config_is_documented():
    for line in FILES[Path("config/README.md")].splitlines():
        if line.startswith("| `"):
            assert re.split(r"(?<!\\)\|", line)[4].strip(), f"no meaning: {line}"


def test_links_to_sections_of_the_config_have_their_headings():
    text = FILES[Path("config/README.md")]
    headings = re.findall(r"^## (.*)", text, re.MULTILINE)
    anchors = {re.sub(r"[`.<>:]", "", heading).lower().replace(" ", "-") for heading in headings}
    links = set(re.findall(r"\]\(#(.*?)\)", text))
    assert links <= anchors and len(links) == len(headings) - 1
