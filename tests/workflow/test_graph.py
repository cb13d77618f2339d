"""The default run and the paper's run plan the jobs that ``graph.json`` has the digests of."""

from __future__ import annotations

import json
import os
import re

import pytest

from empty_sets import write_empty_sets
from job_graph import digest_jobs, plan_jobs
from workflow_runner import REPOSITORY, list_rules

FROZEN = REPOSITORY / "tests" / "workflow" / "graph.json"
REWRITE = "If that is meant: REWRITE=1 python -m pytest tests/workflow/test_graph.py"


@pytest.fixture(scope="module", params=["config.yaml", "paper.yaml"])
def planned(request, tmp_path_factory):
    """A config's name, and its jobs."""
    folder = tmp_path_factory.mktemp("run")
    write_empty_sets(folder)
    # So that the plan is the same where npm is not installed.
    downloads = folder / "resources" / "assets" / "downloads"
    downloads.mkdir(parents=True)
    (downloads / "vladmandic-human-3.3.6.tgz").touch()
    return request.param, plan_jobs(folder, REPOSITORY / "config" / request.param)


def test_jobs_are_as_frozen(planned):
    config, jobs = planned
    frozen, now = json.loads(FROZEN.read_text()), digest_jobs(jobs)
    if os.environ.get("REWRITE"):
        FROZEN.write_text(json.dumps({**frozen, config: now}, indent=1) + "\n")
        return
    before = frozen[config]
    differences = [
        _describe(rule, before.get(rule), jobs.get(rule))
        for rule in sorted(before.keys() | now.keys())
        if before.get(rule) != now.get(rule)
    ]
    assert not differences, "\n".join([*differences, REWRITE])


def _describe(rule: str, before: str | None, jobs: list[list[str]] | None) -> str:
    """What was frozen of a rule, and its first job as it is now."""
    if not jobs:
        return f"rule {rule} ({before} before) has no job now."
    first = "\n".join(line[:300] for line in jobs[0])
    return f"rule {rule} ({before or 'no job'} before): {len(jobs)} jobs now, the first is\n{first}"


# Folders that a job fills or reads beside its inputs: the state of an unfinished training, archives
# as they were fetched, and Snakemake's benchmarks. The report prints the config.
NO_PRODUCTS = ("checkpoint", "downloads", "benchmarks", "config")


def test_params_name_no_product_that_is_no_input(planned):
    """A job finds a product through its input alone: in a bucket, it lies nowhere else."""
    _, planned_jobs = planned
    seen = 0
    for of_rule in planned_jobs.values():
        for lines in of_rule:
            inputs = [path for line in lines if line.startswith("  input") for path in paths(line)]
            params = [line for line in lines if line.startswith("  params ")]
            for line in params:
                if line.split()[1].rstrip(":") in NO_PRODUCTS:
                    continue
                for path in paths(line):
                    seen += 1
                    assert any(f"{path}/".startswith(f"{one}/") for one in inputs), (lines[0], path)
    assert seen > 100


def paths(line: str) -> list[str]:
    """Paths of products in a line of a job."""
    return re.findall(r'"((?:results|resources/(?:assets|zoos))/[^"]+)"', line)


def test_every_rule_says_what_it_makes():
    # `snakemake --list` and the page of the rules print it.
    rules = list_rules()
    assert len(rules) > 30
    for rule, about in rules.items():
        assert re.fullmatch(r"[A-Z1-9].{10,}\.", about), f"{rule} needs a docstring of a sentence"
