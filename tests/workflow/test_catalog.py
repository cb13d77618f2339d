"""What the catalog of Snakemake workflows looks for, and what a release needs.

The catalog reads files of the latest release, and shows what ``snakemake --lint`` and ``snakefmt``
say of it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
import yaml

import facestages
from workflow_runner import REPOSITORY, jobs

SNAKEFILE = REPOSITORY / "workflow" / "Snakefile"
FORMS = sorted((REPOSITORY / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
RELEASE = REPOSITORY / ".github" / "workflows" / "release.yaml"


def read(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, env={**os.environ, **environment}
    )


def test_files_that_the_catalog_reads():
    assert SNAKEFILE.is_file() and list((REPOSITORY / "workflow" / "rules").glob("*.smk"))
    words = read("README.md").lower()
    assert "snakemake" in words and "workflow" in words
    assert "## " in read("config/README.md")
    usage = yaml.safe_load(read(".snakemake-workflow-catalog.yml"))["usage"]
    assert usage["software-stack-deployment"] == {"conda": True} and usage["report"] is True


def test_every_environment_of_a_rule_is_a_file():
    text = "".join(path.read_text() for path in (REPOSITORY / "workflow" / "rules").glob("*.smk"))
    named = set(re.findall(r'"(\.\./\.\./envs/\w+\.yaml)"', text))
    assert named
    for path in named:
        assert (REPOSITORY / "workflow" / "rules" / path).is_file(), path


def test_lint_has_nothing_to_say():
    done = run(sys.executable, "-m", "snakemake", "-s", str(SNAKEFILE), "--lint")
    assert done.returncode == 0 and "Congratulations" in done.stdout + done.stderr, done.stderr


def test_the_format_is_that_of_snakefmt():
    done = run(sys.executable, "-m", "snakefmt", "--check", "Snakefile", "workflow")
    assert done.returncode == 0, done.stderr


def test_the_snakefile_of_the_catalog_is_the_same_workflow(tmp_path):
    config = str(REPOSITORY / "tests" / "workflow" / "tiny.yaml")
    options = ("-n", "--cores", "1", "--directory", str(tmp_path), "--configfile", config)
    root, catalog = (
        jobs(run(sys.executable, "-m", "snakemake", "-s", str(path), *options))
        for path in (REPOSITORY / "Snakefile", SNAKEFILE)
    )
    # Without a target, all is made.
    assert root == catalog and {"all", "plot_fig4", "make_report"} <= root.keys()


def test_one_version_everywhere():
    version, date = re.search(r"^## \[(.+)\] - (\S+)$", read("CHANGELOG.md"), re.MULTILINE).groups()
    citation = yaml.safe_load(read("CITATION.cff"))
    assert facestages.__version__ == version == str(citation["version"])
    assert str(citation["date-released"]) == date


def test_the_citation_has_what_its_format_wants():
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["cff-version"] == "1.2.0" and citation["type"] == "software"
    assert {"message", "title", "authors", "abstract", "keywords", "license"} <= citation.keys()
    assert all(one["authors"] and one["title"] and one["type"] for one in citation["references"])


def test_the_article_cites_what_its_bibliography_has():
    entries = set(re.findall(r"^@\w+\{(\w+),", read("paper/paper.bib"), re.MULTILINE))
    assert entries == set(re.findall(r"@(\w+\d{4}|devanand)\b", read("paper/paper.md")))
    for picture in re.findall(r"\]\((.+\.png)\)", read("paper/paper.md")):
        assert (REPOSITORY / "paper" / picture).is_file(), picture


@pytest.mark.parametrize("path", FORMS, ids=[path.stem for path in FORMS])
def test_issue_forms(path):
    form = yaml.safe_load(path.read_text())
    if path.stem == "config":
        assert form.keys() <= {"blank_issues_enabled", "contact_links"}
        return
    assert form["name"] and form["description"]
    fields = [one for one in form["body"] if one["type"] != "markdown"]
    assert {one["type"] for one in fields} <= {"input", "textarea", "dropdown", "checkboxes"}
    names = [one["id"] for one in fields]
    assert len(set(names)) == len(names) and all(one["attributes"]["label"] for one in fields)


def step(name: str) -> str:
    """The command of a step of the release."""
    steps = yaml.safe_load(RELEASE.read_text())["jobs"]["release"]["steps"]
    return next(one["run"] for one in steps if one.get("name") == name)


def test_a_release_is_refused_under_another_tag():
    tag = f"v{facestages.__version__}"
    assert run("bash", "-ec", step("The tag is the version"), GITHUB_REF_NAME=tag).returncode == 0
    wrong = run("bash", "-ec", step("The tag is the version"), GITHUB_REF_NAME="v0.0.9")
    assert wrong.returncode == 1


def test_a_release_has_its_part_of_the_changelog(tmp_path):
    command, _, _ = step("Release").partition("gh release")
    command = command.replace("notes.md", str(tmp_path / "notes.md"))
    done = run("bash", "-ec", command, GITHUB_REF_NAME=f"v{facestages.__version__}")
    assert done.returncode == 0, done.stderr
    notes = (tmp_path / "notes.md").read_text()
    assert notes.strip().startswith("### Added") and "\n## " not in notes
    assert len(notes) < len(read("CHANGELOG.md"))
