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


def test_every_rule_says_what_it_makes():
    # `snakemake --list` and the page of the rules print it.
    rules = list_rules()
    assert len(rules) > 30
    for rule, about in rules.items():
        assert re.fullmatch(r"[A-Z1-9].{10,}\.", about), f"{rule} needs a docstring of a sentence"
