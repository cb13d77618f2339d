"""What a run says in the terminal: one line a job, and how long the rest will take.

Snakemake imports this at the start of every run, so nothing heavy is imported here.
"""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence

from snakemake.logging import get_event
from snakemake_interface_logger_plugins.common import LogEvent

# What Snakemake tells between the jobs.
_BETWEEN = ("Select jobs to execute", "Execute ", "Removing temporary output")
# Jobs that have ended before the rest is estimated.
_FEWEST = 3


def shorten_log(workflow) -> None:
    """Have Snakemake's terminal say one line a job, unless the user wants more, or another logger.

    The file of Snakemake's log keeps all that it says.
    """
    for handler in logging.getLogger("snakemake.logging").handlers:
        if handler.name == "DefaultStreamHandler" and not workflow.output_settings.verbose:
            jobs = list(workflow.dag.needrun_jobs())
            lines = _Lines(handler.formatter, jobs, workflow.local_exec)
            handler.addFilter(lines)
            handler.setFormatter(lines)


def say_made(places: Sequence[str]) -> None:
    """Name what a run has made."""
    if places:
        print(f"Made: {', '.join(places)}", file=sys.stderr)


class TimeLeft:
    """How long jobs will take, from those of the same rule that have ended, or from earlier runs.

    ``sum of jobs left (mean seconds of their rule) / jobs at a time``, where the jobs at a time are
    the seconds of all jobs over those of the run.
    """

    def __init__(self, jobs: Iterable, clock=time.monotonic) -> None:
        self._clock, self._begin = clock, clock()
        self._left: Counter[str] = Counter()
        self._seconds: dict[str, list[float]] = defaultdict(list)
        self._running: dict[int, tuple[str, float]] = {}
        self._ended = 0
        self._earlier: dict[str, list[float]] = defaultdict(list)
        for job in jobs:
            self._left[job.rule.name] += 1
            if (seconds := _read_benchmark(job.benchmark)) is not None:
                self._earlier[job.rule.name].append(seconds)

    def begin(self, number: int, rule: str) -> None:
        """A job begins."""
        self._running[number] = rule, self._clock()

    def end(self, number: int) -> None:
        """A job has ended well."""
        if number in self._running:
            rule, begin = self._running.pop(number)
            self._seconds[rule].append(self._clock() - begin)
            self._left[rule] -= 1
            self._ended += 1

    def estimate(self) -> float | None:
        """Seconds until all jobs have ended; None if too little is known."""
        known = {**self._earlier, **self._seconds}
        every = [one for values in self._seconds.values() for one in values]
        unknown = sum(number for rule, number in self._left.items() if rule not in known)
        if self._ended < _FEWEST or 2 * unknown > self._left.total():
            return None
        typical = sum(every) / len(every)
        means = {rule: sum(values) / len(values) for rule, values in known.items()}
        work = sum(number * means.get(rule, typical) for rule, number in self._left.items())
        now = self._clock()
        running = [(rule, now - begin) for rule, begin in self._running.values()]
        done = sum(min(spent, means.get(rule, typical)) for rule, spent in running)
        busy = sum(every) + sum(spent for _, spent in running)
        at_once = max(busy / max(now - self._begin, 1e-9), 1e-9)
        return (work - done) / at_once


def _read_benchmark(path: object) -> float | None:
    """Seconds of a job in an earlier run, by its file of Snakemake's benchmark."""
    try:
        with open(str(path), encoding="utf-8") as file:
            return float(file.read().splitlines()[1].split("\t")[0])
    except (OSError, ValueError, IndexError):
        return None


def describe_time(seconds: float) -> str:
    """A duration in words: ``40 s``, ``6 min``, ``1 h 10 min``."""
    if seconds < 90:
        return f"{max(round(seconds / 10) * 10, 10)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


class _Lines(logging.Filter, logging.Formatter):
    """One line for the start of a job, or for its failure here; all else as Snakemake has it.

    Of a job on a cluster, Snakemake tells its number there.
    """

    def __init__(self, other: logging.Formatter, jobs: Collection, is_local: bool) -> None:
        logging.Formatter.__init__(self)
        logging.Filter.__init__(self)
        self._other, self._time_left, self._is_local = other, TimeLeft(jobs), is_local
        self._progress = f"0 of {len(jobs)} done"

    def filter(self, record: logging.LogRecord) -> bool:
        """Drop what the next job's line tells as well."""
        event = get_event(record)
        if event == LogEvent.JOB_FINISHED:
            self._time_left.end(record.job_id)
        elif event == LogEvent.PROGRESS:
            self._progress = f"{record.done} of {record.total} done"
        elif self._is_local and event == LogEvent.ERROR:
            # The job has told what it failed with.
            return "CalledProcessError" not in record.getMessage()
        else:
            return not record.getMessage().startswith(_BETWEEN)
        return False

    def format(self, record: logging.LogRecord) -> str:
        event, now = get_event(record), time.strftime("%H:%M:%S")
        if event == LogEvent.JOB_ERROR and self._is_local:
            logs = ", ".join(record.log)
            return f"{now} failed: {record.rule_msg or record.rule_name} (log: {logs})"
        if event != LogEvent.JOB_INFO:
            return self._other.format(record)
        self._time_left.begin(record.jobid, record.rule_name)
        left = self._time_left.estimate()
        rest = "" if left is None else f", about {describe_time(left)} left"
        line = f"{now} [{self._progress}{rest}] {record.rule_msg or record.rule_name}"
        # Jobs of a group stand below its line.
        return f"    {line}" if getattr(record, "indent", False) else line
