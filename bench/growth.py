"""How time grows with the number of pictures and with the width, and memory while recording."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bench import calls
from bench.faces import EXPRESSIONS, PEOPLE, face_set
from bench.measure import Bench, Measurement, Outcome, exponent, fastest, measurement, run, timed
from bench.recording import WARM, record_nn1

PART = "growth"

#: Layers of NN1 that have 1, 2, 4 and 8 times as many units together.
WIDTHS = {
    73_728: ["conv2d_3"],
    147_456: ["batchnorm_1"],
    294_912: ["conv2d_1", "batchnorm_1"],
    589_824: ["conv2d_1", "batchnorm_1", "conv2d_2", "batchnorm_2"],
}


def measure(bench: Bench) -> Iterator[Measurement | Outcome]:
    """All rows of this part."""
    yield from _recording(bench)
    yield from _recording_width(bench)
    yield from _geometry(bench)
    yield from _geometry_width(bench)
    yield from _memory(bench)


def _fitted(
    what: str, sizes: Sequence[int], seconds: Sequence[float], by: str, wanted: str = ""
) -> Outcome:
    note = f"from {min(sizes):,} to {max(sizes):,}"
    return Outcome(PART, f"{what}: exponent in {by}", exponent(sizes, seconds), wanted, note)


def _record(bench: Bench, n: int, layers: Sequence[str], repeats: int = 1) -> dict:
    out, stimuli = bench.folder / "grown.h5", face_set(bench, n)
    arguments = {"stimuli": stimuli, "out": out, "warm": face_set(bench, WARM), "layers": layers}
    environment, timing = calls.recording_environment(bench.threads), []
    for _ in range(repeats):
        timing.append(run(bench, record_nn1, environment, **arguments))
        out.unlink()
    return fastest(timing)


def _recording(bench: Bench) -> Iterator[Measurement | Outcome]:
    sizes, layers, spent = bench.sizes.growth_recording, list(calls.UNITS), []
    for n in sizes:
        timing = _record(bench, n, layers, repeats=2)
        spent.append(timing["seconds"])
        yield measurement(PART, "recording of 4 stages", n, sum(calls.UNITS.values()), timing)
    yield _fitted("recording", sizes, spent, "n", "<= 1.05")


def _recording_width(bench: Bench) -> Iterator[Measurement | Outcome]:
    n, spent = bench.sizes.growth_recording_width, []
    for units, layers in WIDTHS.items():
        # The last layer too: the whole network runs, however few layers are recorded.
        timing = _record(bench, n, [*layers, "out_layer"])
        spent.append(timing["seconds"])
        yield measurement(PART, f"recording of {', '.join(layers)}", n, units, timing)
    yield _fitted("recording", list(WIDTHS), spent, "width")


def _geometry(bench: Bench) -> Iterator[Measurement | Outcome]:
    sizes, units = bench.sizes.growth_geometry, bench.sizes.growth_geometry_units
    source = calls.recorded_layer(bench, bench.sizes.gram)
    spent: dict[str, list[float]] = {}
    for n in sizes:
        file = bench.folder / "cut.h5"
        run(bench, cut, source=source, n=n, units=units, out=file)
        timing = _steps(bench, file)
        file.unlink()
        steps = timing["steps"]
        for step, seconds in steps.items():
            spent.setdefault(step, []).append(seconds)
        note = ", ".join(f"{step} {seconds:.2f} s" for step, seconds in steps.items())
        yield measurement(PART, "geometry", n, units, timing, note)
    for step, seconds in spent.items():
        yield _fitted(step, sizes, seconds, "n")
    together = [sum(seconds) for seconds in zip(*spent.values(), strict=True)]
    yield _fitted("geometry", sizes, together, "n", "<= 2.05")


def _steps(bench: Bench, file: Path) -> dict:
    """The shortest time of each step in two runs."""
    first, second = (run(bench, geometry_steps, file=file) for _ in range(2))
    steps = {step: min(spent, second["steps"][step]) for step, spent in first["steps"].items()}
    return {**fastest([first, second]), "steps": steps, "seconds": sum(steps.values())}


def _geometry_width(bench: Bench) -> Iterator[Measurement | Outcome]:
    n, spent = bench.sizes.growth_width_n, []
    source = calls.recorded_layer(bench, n)
    for units in bench.sizes.growth_width:
        file = bench.folder / "cut.h5"
        run(bench, cut, source=source, n=n, units=units, out=file)
        timing = _steps(bench, file)
        file.unlink()
        spent.append(timing["steps"]["Gram matrix"])
        timing["seconds"] = spent[-1]
        yield measurement(PART, "Gram matrix", n, units, timing)
    yield _fitted("Gram matrix", bench.sizes.growth_width, spent, "width")


def _memory(bench: Bench) -> Iterator[Measurement | Outcome]:
    small, large = bench.sizes.memory
    layers, units = list(calls.UNITS), sum(calls.UNITS.values())
    need, free = large * units * 4 * 1.1, shutil.disk_usage(bench.folder).free
    what = f"recording: peak memory at n = {large:,} / at n = {small:,}"
    if free < need:
        note = f"not measured: {need / 1e9:.0f} GB of disk needed, {free / 1e9:.0f} GB free"
        yield Outcome(PART, what, float("nan"), "<= 1.2", note)
        return
    timing = {n: _record(bench, n, layers) for n in (small, large)}
    for n in (small, large):
        yield measurement(PART, "recording of 4 stages, for its memory", n, units, timing[n])
    yield Outcome(PART, what, timing[large]["peak_mb"] / timing[small]["peak_mb"], "<= 1.2")


def cut(source: str, n: int, units: int, out: str) -> dict:
    """The first pictures and units of a recorded layer, in a file of the same layout."""
    import h5py

    with h5py.File(source, "r") as file, h5py.File(out, "w") as target:
        whole = calls.dataset_of(file, "batchnorm_1")
        part = target.create_dataset(
            "activation",
            (n, units),
            whole.dtype,
            chunks=tuple(map(min, whole.chunks, (n, units))),
        )
        for first in range(0, n, 256):
            part[first : first + 256] = whole[first : min(n, first + 256), :units]
    return {}


def geometry_steps(file: str) -> dict:
    """Seconds of the Gram matrix, of 50 components, and of silhouettes in 10 of them."""
    import h5py

    with h5py.File(file, "r") as activations:
        data = activations["activation"]
        n = len(data)
        groups = [np.arange(n) % PEOPLE, np.arange(n) // PEOPLE % len(EXPRESSIONS)]
        _warm_up()
        steps = {}
        with timed() as timing:
            gram = _clocked(steps, "Gram matrix", calls.gram_matrix, data)
            k = max(calls.COMPONENTS)
            scores = _clocked(steps, "components", calls.principal_components, gram, k)
            for labels in groups:
                _clocked(steps, "silhouettes", calls.silhouettes, scores[:, :10], labels, 20)
    return {**timing, "steps": steps}


def _warm_up() -> None:
    points = np.random.default_rng(0).standard_normal((40, 30)).astype(np.float32)
    calls.principal_components(calls.gram_matrix(points), 5)
    calls.silhouettes(points, np.arange(40) % 3, 2)


def _clocked(steps: dict[str, float], step: str, function, *arguments):
    begin = time.perf_counter()
    result = function(*arguments)
    steps[step] = steps.get(step, 0.0) + time.perf_counter() - begin
    return result
