"""What all benchmarks share: a process for each measurement, its time and memory, and the table.

A measurement runs in a process of its own, so that its peak memory is its own and TensorFlow and
torch never meet. This module and the process that starts the others import nothing heavy: a process
inherits the peak memory of the one that starts it.
"""

from __future__ import annotations

import contextlib
import csv
import importlib
import importlib.metadata
import json
import math
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench.sizes import Sizes

REPOSITORY = Path(__file__).parents[1]

PACKAGES = ("numpy", "scipy", "h5py", "scikit-learn", "keras", "tensorflow-cpu", "torch")

_HEAD = ("part", "what", "n", "units", "seconds", "peak_mb", "increase_mb")
_BOUNDS = {"<=": lambda value, limit: value <= limit, ">=": lambda value, limit: value >= limit}


class Bench(NamedTuple):
    """How the benchmarks are run."""

    sizes: Sizes
    #: Threads of each process.
    threads: int
    #: Where files are made; tens of GB, removed at the end.
    folder: Path


class Measurement(NamedTuple):
    """One contender at one size."""

    part: str
    what: str
    n: int
    #: Width: units of the layers together.
    units: int
    seconds: float
    #: Peak memory of the process, and how much of it came after the imports.
    peak_mb: float
    increase_mb: float
    note: str = ""


class Outcome(NamedTuple):
    """A number computed from measurements, such as a ratio, and its bound, e.g. ``<= 1.15``."""

    part: str
    what: str
    value: float
    wanted: str = ""
    note: str = ""

    @property
    def met(self) -> str:
        """``"yes"``, ``"no"``, or nothing where there is no bound."""
        if not self.wanted:
            return ""
        sign, limit = self.wanted.split()
        return "yes" if _BOUNDS[sign](self.value, float(limit)) else "no"


def run(
    bench: Bench, function: Callable[..., dict], env: dict[str, str] | None = None, **arguments: Any
) -> dict[str, Any]:
    """Call a function in a new process.

    Parameters
    ----------
    bench : Bench
    function : callable
        A function of a module, which returns what JSON can hold.
    env : dict, optional
        More environment variables.
    **arguments
        Its arguments: numbers, text, lists.

    Returns
    -------
    dict
        What the function returned, and ``wall_seconds`` of the whole process.

    Raises
    ------
    RuntimeError
        If the process failed; with the last line that it wrote.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "answer.json")
        command = [sys.executable, "-m", "bench.child", function.__module__, function.__name__]
        begin = time.perf_counter()
        done = subprocess.run(
            [*command, json.dumps(arguments, default=os.fspath), answer],
            cwd=REPOSITORY,
            env={**os.environ, **_environment(bench.threads), **(env or {})},
            capture_output=True,
            text=True,
        )
        wall = time.perf_counter() - begin
        if done.returncode:
            last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
            raise RuntimeError(f"{function.__module__}.{function.__name__}: {last}")
        return {**json.loads(answer.read_text()), "wall_seconds": wall}


def _environment(threads: int) -> dict[str, str]:
    number = str(threads)
    libraries = ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM", "NUMBA")
    return {
        **{f"{library}_NUM_THREADS": number for library in libraries},
        "TF_NUM_INTRAOP_THREADS": number,
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY / "workflow" / "scripts"), str(REPOSITORY)]),
    }


@contextlib.contextmanager
def timed() -> Iterator[dict[str, float]]:
    """Measure a block: ``seconds``, ``peak_mb`` of the process, ``increase_mb`` since before."""
    timing: dict[str, float] = {}
    before, begin = peak_mb(), time.perf_counter()
    yield timing
    timing["seconds"] = time.perf_counter() - begin
    timing["peak_mb"] = peak_mb()
    timing["increase_mb"] = timing["peak_mb"] - before


def peak_mb() -> float:
    """Peak memory of this process, or of the largest that it started, in MB."""
    users = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    peak = max(resource.getrusage(user).ru_maxrss for user in users)
    # In bytes on a Mac, in KiB elsewhere.
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def fastest(results: Sequence[dict[str, float]]) -> dict[str, float]:
    """The shortest time of repeated measurements, the least disturbed one, and the largest peak."""
    timing = dict(min(results, key=lambda result: result["seconds"]))
    for name in ("peak_mb", "increase_mb"):
        timing[name] = max(result[name] for result in results)
    return timing


def measurement(
    part: str, what: str, n: int, units: int, timing: dict[str, float], note: str = ""
) -> Measurement:
    """A row of the table from the result of `timed`."""
    return Measurement(
        part, what, n, units, timing["seconds"], timing["peak_mb"], timing["increase_mb"], note
    )


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Exponent b of ``seconds = a sizes^b``: least squares on the logarithms of both.

    Raises
    ------
    ValueError
        If there are fewer than two different sizes, or a number is not positive.
    """
    if len(set(sizes)) < 2 or len(sizes) != len(seconds):
        raise ValueError(f"no exponent from sizes {list(sizes)} and seconds {list(seconds)}")
    if min(*sizes, *seconds) <= 0:
        raise ValueError("an exponent needs positive sizes and times")
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def describe_machine(threads: int) -> list[str]:
    """The machine, its load, and the versions, a line each."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    versions = [f"Python {platform.python_version()}"]
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions.append(f"{name} {importlib.metadata.version(name)}")
    return [
        f"Machine: {_processor()}, {os.cpu_count()} cores, {memory:.0f} GB of memory, "
        f"{platform.system()} {platform.machine()}.",
        f"Every measurement: {threads} threads, no GPU, a process of its own. "
        f"Load of the machine before: {os.getloadavg()[0]:.1f}.",
        f"Versions: {', '.join(versions)}.",
    ]


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"


def write_tables(
    out: str | os.PathLike, head: Sequence[str], rows: Iterable[Measurement | Outcome]
) -> None:
    """Write ``<out>.md``, to be read, and ``<out>.csv``, a row for each number."""
    rows, out = list(rows), Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    outcomes = [row for row in rows if isinstance(row, Outcome)]
    measured = [row for row in rows if isinstance(row, Measurement)]
    lines = ["# Benchmark", "", *(f"{line}  " for line in head), "", "## Ratios", ""]
    lines += _markdown(
        ("part", "what", "value", "wanted", "met", "note"),
        [(r.part, r.what, _short(r.value), r.wanted, r.met, r.note) for r in outcomes],
    )
    lines += ["", "## Measurements", ""]
    lines += _markdown(
        ("part", "what", "n", "units", "seconds", "peak MB", "MB after imports", "note"),
        [(*r[:4], *map(_short, r[4:7]), r.note) for r in measured],
    )
    out.with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with open(out.with_suffix(".csv"), "w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow((*_HEAD, "value", "wanted", "met", "note"))
        for row in rows:
            if isinstance(row, Measurement):
                table.writerow((*row[:4], *map(_short, row[4:7]), "", "", "", row.note))
            else:
                value = (_short(row.value), row.wanted, row.met, row.note)
                table.writerow((row.part, row.what, *[""] * 5, *value))


def _markdown(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    numbers = {"n", "units", "value", "seconds", "peak MB", "MB after imports"}
    rule = ["---:" if name in numbers else "---" for name in head]
    return [f"| {' | '.join(map(str, row))} |" for row in (head, rule, *rows)]


def _short(value: float) -> str:
    """Three significant digits, and never fewer digits than the whole number has."""
    if not math.isfinite(value):
        return str(value)
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
