"""Snakemake's own report, with the config of the run."""

import json
import re

import pytest

from facestages.errors import FacestagesError
from facestages.report.snakemake_report import write_snakemake_report

SNAKEFILE = """
rule plot:
    output:
        report("plot.svg", category="Study 1", labels={"figure": config["title"]})
    script:
        "plot.py"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A run that has drawn its figure."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "plot.py").touch()
    (tmp_path / "plot.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (tmp_path / "report.css").write_text(".grow { color: #123456; }")
    return tmp_path


def write(config, targets=("plot.svg",)):
    return write_snakemake_report("results/report.html", "Snakefile", config, targets, "report.css")


def test_report_has_results_config_and_style(folder):
    write({"title": 'An "Ä" title'})
    page = (folder / "results/report.html").read_text(encoding="utf-8")
    assert r"An \"\u00c4\" title" in page
    assert "data:image/svg+xml" in page and "color: #123456" in page


def test_no_text_ends_the_script_that_holds_it(folder):
    label = "</script><script>hacked = 1</script><!-- <script>"
    write({"title": label})
    page = (folder / "results/report.html").read_text(encoding="utf-8")
    data = re.search(r'<script id="results">\s*var results = (.*);\n', page)[1]
    assert json.loads(data)["plot.svg"]["labels"] == {"figure": label}
    assert "<" not in data and "hacked" not in page.replace(data, "")


def test_a_failure_says_why_and_leaves_the_old_report(folder):
    (folder / "results").mkdir()
    (folder / "results/report.html").write_text("old")
    with pytest.raises(FacestagesError, match="report.html: .* failed:\nKeyError"):
        write({"other": 1})
    with pytest.raises(FacestagesError, match="no-such-file"):
        write({"title": "T"}, ["no-such-file"])
    assert (folder / "results/report.html").read_text() == "old"
    assert [path.name for path in (folder / "results").iterdir()] == ["report.html"]
