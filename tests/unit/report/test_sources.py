"""Citation and runtimes."""

import pytest

from facestages.assets import shipped
from facestages.report.sources import Runtime, bibtex, read_runtimes

CFF = """
title: "A tool"
type: software
version: 0.1.0
license: MIT
authors: [{name: The authors}]
references:
  - type: article
    title: A paper
    year: 2020
    doi: 10.1/x
    authors: [{given-names: Ada, family-names: Lovelace}, {given-names: B., family-names: C}]
"""
HEAD = "s\th:m:s\tmax_rss\tmean_load\n"


def test_a_citation_file_becomes_bibtex(tmp_path):
    (tmp_path / "c.cff").write_text(CFF)
    assert bibtex(tmp_path / "c.cff") == (
        "@software{facestages,\n  title = {{A tool}},\n  author = {{The authors}},\n"
        "  version = {0.1.0},\n  license = {MIT},\n}\n\n"
        "@article{reference1,\n  title = {{A paper}},\n  author = {Lovelace, Ada and C, B.},\n"
        "  year = {2020},\n  doi = {10.1/x},\n}"
    )


def test_the_projects_own_citation_names_the_paper():
    text = bibtex(shipped("CITATION.cff"))
    assert text.startswith("@software{facestages,") and "@unpublished{reference1," in text
    assert "Sofer, Carmel" in text and text.count("{") == text.count("}")


@pytest.fixture
def folder(tmp_path):
    for name, rows in {
        "make_report.tsv": ["9\t0:00:09\t900\t50"],
        "plot.tsv": ["2.5\t0:00:02\t100\t50"],
        "score/a/b.tsv": ["10\t0:00:10\t300\t50"],
        "score/c.tsv": ["20\t0:00:20\tNA\t50", "1\t0:00:01\t500.5\t50"],
        "fetch/a.tsv": ["1\t0:00:01\tNA\tNA"],
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(HEAD + "".join(f"{row}\n" for row in rows))
    return tmp_path


def test_runtimes_are_added_up_by_rule(folder):
    assert read_runtimes(folder) == [
        Runtime("score", 3, 31.0, 500.5),
        Runtime("plot", 1, 2.5, 100.0),
        Runtime("fetch", 1, 1.0, None),
    ]


def test_without_benchmarks_there_are_no_runtimes(tmp_path):
    assert read_runtimes(tmp_path / "none") == []
