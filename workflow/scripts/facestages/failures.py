"""The errors of a run's jobs, told again at its very end, below Snakemake's own lines.

Snakemake imports this at the start of every run, so nothing heavy is imported here.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

# How `job` begins an entry of a log.
_ENTRY = re.compile(r"^\d\d:\d\d:\d\d ([A-Z]+) ", re.MULTILINE)


def repeat_errors(workflow, folder: str | os.PathLike) -> None:
    """Print the error of each job that failed, where Snakemake's `workflow` has run jobs.

    `folder` is that of the run, in which paths of logs begin.
    """
    if workflow.scheduler is not None:
        for line in sorted(_errors(workflow.scheduler.failed, Path(folder))):
            print(line, file=sys.stderr)


def _errors(failed: Iterable, folder: Path) -> Iterator[str]:
    for one in failed:
        for job in one.jobs if one.is_group() else [one]:
            for log in job.log:
                if error := last_error(folder / log):
                    yield f"error in {name_job(job.rule.name, job.wildcards_dict)}: {error}"


def name_job(rule: str, wildcards: dict[str, str]) -> str:
    """A job in messages, such as ``measure_geometry dataset=posed network=nn1 seed=0``."""
    return " ".join([rule, *(f"{key}={value}" for key, value in wildcards.items())])


def last_error(log: str | os.PathLike) -> str:
    """The error that a job's log ends with, or what to do where it ends without one.

    Empty where the log holds nothing of ours: the job did not start, or is of another workflow.
    """
    try:
        text = Path(log).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    _, *entries = _ENTRY.split(text)
    if entries[-2:-1] == ["ERROR"]:
        return entries[-1].strip()
    killed = (
        f"its log {log} ends without an error, as when the system kills a job (memory, time limit) "
        f"or a disk is full. Look above, and run the same command again"
    )
    return killed if entries else ""
