"""The jobs of a dry run as lines of text, and digests of these."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

from workflow_runner import REPOSITORY

# Digests of code, and the way from the run's folder to the checkout.
_LEFT_OUT = ("code", "snakefile")
_RESOURCES = ("mem_mb", "runtime", "gpu")

Jobs = dict[str, list[list[str]]]


def plan_jobs(folder: Path, config: Path) -> Jobs:
    """Lines of each job, by rule, that a run on 8 cores in a folder would start.

    A job's lines are its rule and wildcards, its input, output and params by name, its threads and
    its resources. They do not depend on the machine, on where the checkout lies, or on code that
    only the job runs.
    """
    dump = folder / "jobs.json"
    command = [sys.executable, __file__, str(dump), "--dry-run", "--cores", "8"]
    command += ["--profile", "none", "--snakefile", str(REPOSITORY / "Snakefile")]
    command += ["--directory", str(folder), "--configfile", str(config)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(dump.read_text())


def digest_jobs(jobs: Jobs) -> dict[str, str]:
    """Number of jobs and a digest of their lines, by rule."""
    return {
        rule: f"jobs: {len(of_rule)}, digest: {_digest(of_rule)}"
        for rule, of_rule in sorted(jobs.items())
    }


def _digest(lines: list[list[str]]) -> str:
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()[:16]


def _dump_jobs(path: str, arguments: list[str]) -> None:
    """Run Snakemake, and write the jobs of its graph: no option of its own tells params."""
    from snakemake.cli import main
    from snakemake.dag import DAG

    stats = DAG.stats

    def dump_and_count(dag):
        jobs: Jobs = {}
        for lines in sorted(_job_lines(job) for job in dag.jobs):
            jobs.setdefault(lines[0].split()[0], []).append(lines)
        Path(path).write_text(json.dumps(jobs).replace(f"{REPOSITORY}/", "./"))
        return stats(dag)

    DAG.stats = dump_and_count
    main(arguments)


def _job_lines(job) -> list[str]:
    lines = [" ".join([job.rule.name, *(f"{k}={v}" for k, v in job.wildcards_dict.items())])]
    for kind, files in (("input", job.input), ("output", job.output)):
        named = dict(files._get_names())
        lines += [f"  {kind} {name}: {_text(getattr(files, name))}" for name in named]
        positions = {
            place for start, end in named.values() for place in range(start, end or start + 1)
        }
        rest = [file for place, file in enumerate(files) if place not in positions]
        lines += [f"  {kind}: {_text(rest)}"] if rest else []
    values = {key: value for key, value in job.params.items() if key not in _LEFT_OUT}
    if "given" in values:
        # An edited claim or word of the report changes a digest and no job.
        values["given"] = [one[:2] for one in values["given"]]
    lines += [f"  params {key}: {_text(value)}" for key, value in values.items()]
    lines += [f"  {key}: {job.resources.get(key)}" for key in _RESOURCES]
    # The order in which a rule declares its names is no matter.
    return [lines[0], f"  threads: {job.threads}", *sorted(lines[1:])]


def _text(value) -> str:
    return json.dumps(value, default=str, sort_keys=True)


if __name__ == "__main__":
    _dump_jobs(sys.argv[1], sys.argv[2:])
