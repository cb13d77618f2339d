"""The benchmarks' own arithmetic, table and processes."""

import csv

import numpy as np
import pytest
from bench import figure4, geometry, measure, memory
from bench.__main__ import main
from bench.faces import EXPRESSIONS, PEOPLE, make_faces
from bench.measure import Bench, Measurement, Outcome
from bench.sizes import QUICK


@pytest.mark.parametrize("power", [0.0, 1.0, 2.05, 3.0])
def test_exponent_of_a_power_law(power):
    sizes = np.array([500, 1000, 2000, 4000])
    assert measure.exponent(sizes, 0.01 * sizes**power) == pytest.approx(power)


def test_exponent_is_that_of_least_squares():
    sizes, seconds = [1, 2, 4, 8], [1.0, 2.2, 3.7, 8.5]
    x, y = np.log(sizes), np.log(seconds)
    slope = np.cov(x, y)[0, 1] / np.var(x, ddof=1)
    assert measure.exponent(sizes, seconds) == pytest.approx(slope)


@pytest.mark.parametrize(
    ("sizes", "seconds"), [([1], [1.0]), ([2, 2], [1.0, 1.1]), ([1, 2], [0.0, 1.0]), ([1, 2], [1])]
)
def test_exponent_refuses_what_has_none(sizes, seconds):
    with pytest.raises(ValueError, match="exponent"):
        measure.exponent(sizes, seconds)


@pytest.mark.parametrize(
    ("value", "wanted", "met"),
    [
        (1.15, "<= 1.15", "yes"),
        (1.151, "<= 1.15", "no"),
        (2.5, ">= 2.5", "yes"),
        (2.49, ">= 2.5", "no"),
        (float("nan"), "<= 1.2", "no"),
        (5.0, "", ""),
    ],
)
def test_bound(value, wanted, met):
    assert Outcome("part", "what", value, wanted).met == met


def test_fastest_of_repeats_has_the_largest_peak():
    repeats = [
        {"seconds": 2.0, "peak_mb": 300.0, "increase_mb": 100.0},
        {"seconds": 1.5, "peak_mb": 280.0, "increase_mb": 120.0},
    ]
    assert measure.fastest(repeats) == {"seconds": 1.5, "peak_mb": 300.0, "increase_mb": 120.0}


def test_jobs_one_after_the_other():
    jobs = [
        {"seconds": 2.0, "peak_mb": 300.0, "increase_mb": 10.0, "values": {}},
        {"seconds": 3.0, "peak_mb": 200.0, "increase_mb": 20.0},
    ]
    assert figure4._together(jobs) == {"seconds": 5.0, "peak_mb": 300.0, "increase_mb": 20.0}


def test_components_differ_up_to_sign():
    ours = np.random.default_rng(0).normal(size=(50, 3)) * [100, 10, 1]
    theirs = ours * [1, -1, 1]
    assert geometry.component_difference(ours, theirs) == 0
    theirs[7, 2] += 0.01 * np.abs(ours[:, 2]).max()
    assert geometry.component_difference(ours, theirs) == pytest.approx(0.01)


def test_tables(tmp_path):
    rows = [
        Measurement(
            "geometry", "gram_matrix", 5700, 147456, 61.2345, 1234.56, 0.5, "from the file"
        ),
        Outcome("geometry", "share of the product's rate", 0.71234, ">= 0.6"),
    ]
    measure.write_tables(tmp_path / "new" / "bench", ["Machine: one."], rows)
    text = (tmp_path / "new" / "bench.md").read_text()
    assert "Machine: one." in text
    assert "| geometry | share of the product's rate | 0.712 | >= 0.6 | yes |  |" in text
    assert "| geometry | gram_matrix | 5700 | 147456 | 61.2 | 1235 | 0.5 | from the file |" in text
    with open(tmp_path / "new" / "bench.csv", newline="") as stream:
        measured, outcome = csv.DictReader(stream)
    assert (measured["n"], measured["seconds"], measured["value"]) == ("5700", "61.2", "")
    assert (outcome["value"], outcome["met"], outcome["n"]) == ("0.712", "yes", "")


def test_process_of_its_own(tmp_path):
    bench = Bench(QUICK, 1, tmp_path)
    timing = measure.run(bench, geometry.multiply, size=16)
    assert timing["rate"] > 0
    assert timing["wall_seconds"] > 0
    with pytest.raises(RuntimeError, match="bench.geometry.multiply: ValueError: negative"):
        measure.run(bench, geometry.multiply, size=-1)


def test_timed_block():
    with measure.timed() as timing:
        held = np.ones(10**8 // 8)
    assert timing["peak_mb"] >= held.nbytes / 1e6
    assert timing["seconds"] > 0
    assert 0 <= timing["increase_mb"] <= timing["peak_mb"]


def test_machine_is_stated():
    text = " ".join(measure.describe_machine(2))
    assert "2 threads" in text
    assert f"numpy {np.__version__}" in text


def test_faces():
    images, people, expressions = make_faces(200, 48)
    assert images.shape == (200, 48, 48)
    assert len(np.unique(images.reshape(200, -1), axis=0)) == 200
    assert len(set(zip(people, expressions, strict=True))) == PEOPLE * len(EXPRESSIONS)
    # People look more like themselves than like others.
    flat = images.reshape(200, -1).astype(float)
    apart = np.linalg.norm(flat[:, None, ::8] - flat[None, :, ::8], axis=2)
    same = people[:, None] == people
    assert apart[same & ~np.eye(200, dtype=bool)].mean() < 0.8 * apart[~same].mean()
    assert np.array_equal(images, make_faces(200, 48)[0])


def test_unknown_part(capsys):
    with pytest.raises(SystemExit):
        main(["geometri"])
    assert "no part 'geometri'" in capsys.readouterr().err


def test_memory_asked_and_used(tmp_path, capsys):
    for name, text in {
        "record/posed/nn1.log": "done, peak memory 1000 MB, asked for 1400 MB\n",
        "record/posed/nn2.log": "done, peak memory 900 MB, asked for 1400 MB\n",
        "report.log": "starts\ndone, peak memory 100 MB, asked for 150 MB\n",
        "failed.log": "error in failed\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert memory.read_logs(tmp_path) == {
        "record": [(1400, 1000), (1400, 900)],
        "report": [(150, 100)],
    }
    assert memory.main(str(tmp_path)) == 1
    said = capsys.readouterr().out
    assert "| record | 2 | 1,400 | 900 to 1,000 | 1.40 to 1.56 | 1 not |" in said
    assert "| report | 1 | 150 | 100 | 1.50 to 1.50 | yes |" in said


@pytest.mark.parametrize(
    ("asked", "used", "right"),
    [(1000, 1000, True), (999, 1000, False), (1500, 1000, True), (1501, 1000, False)],
)
def test_memory_is_right(asked, used, right):
    assert memory.is_right(asked, used) == right


def test_memory_without_logs(tmp_path, capsys):
    assert memory.main(str(tmp_path)) == 1
    assert "no log of a finished job" in capsys.readouterr().out
