"""Measure and write the table: ``python -m bench [--quick] [--threads N] [--out PATH] [part ...]``

Prints each number and writes the table after it, so that a run that is stopped leaves what it has
measured. Ends with 1 if a part failed.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path

from bench import figure4, geometry, growth, recording, separability
from bench.measure import REPOSITORY, Bench, Measurement, Outcome, describe_machine, write_tables
from bench.sizes import FULL, QUICK

PARTS = {
    "recording": recording,
    "geometry": geometry,
    "separability": separability,
    "figure4": figure4,
    "growth": growth,
}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("bench", description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="small sizes, to try the benchmarks")
    parser.add_argument("--threads", type=int, default=2, help="of each process (default 2)")
    parser.add_argument("--out", type=Path, default=Path("results/bench"), help="without a suffix")
    given = parser.parse_args(arguments)
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"no part '{min(unknown)}'; there are: {', '.join(PARTS)}")
    head, rows, failed = describe_machine(given.threads), [], 0
    if given.quick:
        head.append("Small sizes, to try the benchmarks: these ratios mean nothing.")
    begin = time.monotonic()
    # An exit, unlike a signal, removes the files, which may have many GB.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    # Not in the system's folder for temporary files, which may be a small disk, or memory.
    made = REPOSITORY / "results"
    made.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=made) as folder:
        bench = Bench(QUICK if given.quick else FULL, given.threads, Path(folder))
        for part in given.parts or PARTS:
            try:
                for row in PARTS[part].measure(bench):
                    rows.append(row)
                    print(_line(row), flush=True)
                    write_tables(given.out, head, rows)
            except RuntimeError as error:
                failed += 1
                print(f"{part} failed: {error}", file=sys.stderr, flush=True)
                head.append(f"Not measured to its end: {part}.")
    head.append(f"Measured in {(time.monotonic() - begin) / 60:.0f} minutes.")
    write_tables(given.out, head, rows)
    print(f"{given.out}.md, {given.out}.csv")
    return 1 if failed else 0


def _line(row: Measurement | Outcome) -> str:
    if isinstance(row, Measurement):
        return f"{row.part}: {row.what}, n = {row.n}: {row.seconds:.3g} s, {row.peak_mb:.0f} MB"
    bound = f" ({row.wanted} wanted: {row.met})" if row.wanted else ""
    return f"{row.part}: {row.what}: {row.value:.3g}{bound}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
