"""Memory that the jobs of a run asked for, against what they used.

    python -m bench.memory [LOGS]

Every job of the workflow writes both into its log. Prints a row for each rule and ends with 1 if a
job used more than it had asked for, or asked for more than 1.5 times what it used.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

MOST = 1.5
_LINE = re.compile(r"peak memory (\d+) MB, asked for (\d+) MB")


def read_logs(folder: Path) -> dict[str, list[tuple[int, int]]]:
    """By rule: memory asked for and used by each job, in MB."""
    jobs: dict[str, list[tuple[int, int]]] = {}
    for path in sorted(folder.rglob("*.log")):
        if lines := _LINE.findall(path.read_text(encoding="utf-8", errors="replace")):
            used, asked = map(int, lines[-1])
            rule = path.relative_to(folder).parts[0].removesuffix(".log")
            jobs.setdefault(rule, []).append((asked, used))
    return jobs


def is_right(asked: int, used: int) -> bool:
    """Whether a job asked for enough, and not for much more."""
    return used <= asked <= MOST * used


def describe(jobs: Iterable[tuple[int, int]]) -> tuple[int, str, str, str, str]:
    """A row of the table: number of jobs, asked, used, asked / used, whether all are right."""
    asked, used = zip(*jobs, strict=True)
    shares = [a / u for a, u in zip(asked, used, strict=True)]
    wrong = sum(not is_right(a, u) for a, u in zip(asked, used, strict=True))
    return (
        len(asked),
        _range(min(asked), max(asked)),
        _range(min(used), max(used)),
        f"{min(shares):.2f} to {max(shares):.2f}",
        f"{wrong} not" if wrong else "yes",
    )


def _range(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def main(folder: str = "logs") -> int:
    rules = read_logs(Path(folder))
    if not rules:
        print(f"{folder}: no log of a finished job. Run the workflow, or name another folder")
        return 1
    print("| rule | jobs | asked, MB | used, MB | asked / used | right |")
    print("| --- | ---: | ---: | ---: | ---: | --- |")
    for rule, jobs in rules.items():
        print(f"| {rule} | {' | '.join(map(str, describe(jobs)))} |")
    return int(any(not is_right(*job) for jobs in rules.values() for job in jobs))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
