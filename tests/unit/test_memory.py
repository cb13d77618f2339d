"""Memory is foreseen from shapes, and a job that cannot fit says so before it starts."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from facestages import memory
from facestages.errors import FacestagesError
from facestages.job import job

MEASURE = """
import numpy as np
from facestages import memory
from facestages.analysis import {modules}
rng = np.random.default_rng(0)
{setup}
{call}
print(memory.peak_memory())
"""


def peak_mb(modules, setup, call) -> float:
    """Peak memory of a process of its own."""
    code = MEASURE.format(modules=modules, setup=setup, call=call)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


@pytest.fixture
def import_path(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "workflow/scripts")


def test_geometry_is_foreseen_within_half(import_path, tmp_path):
    n = 3000
    used = peak_mb(
        "geometry",
        f"import h5py\n"
        f"file = h5py.File({str(tmp_path / 'a.h5')!r}, 'w')\n"
        f"layer = file.create_dataset('a', ({n}, 20000), 'f4', chunks=(256, 8192))\n"
        f"for i in range(0, {n}, 500): layer[i:i+500] = rng.normal(size=(500, 20000))",
        "g = geometry.gram_and_squares(layer)[0]; geometry.leading_components(g, 50)",
    )
    assert 1 <= memory.geometry(n, 20_000) / used <= 1.5


def test_separability_is_foreseen_within_half(import_path):
    n = 3000
    used = peak_mb(
        "permutation, silhouette_scores",
        "import pandas as pd\n"
        f"x = rng.normal(size=({n}, 9)); people = (np.arange({n}) % 27).astype(str)\n"
        "table = pd.DataFrame({'identity': people, 'expression': people[::-1]})\n"
        "moved = permutation.permute_label(table, 'expression', 300)",
        "sources = dict.fromkeys(table)\n"
        "silhouette_scores.score_label(x @ x.T, 'expression', table, sources, 'net', moved)",
    )
    assert 1 <= memory.separability(n, 300) / used <= 1.5


def test_wider_layers_and_more_pictures_want_more_up_to_what_is_held():
    small, large = memory.accumulation(10**4, 1000, 1), memory.accumulation(10**5, 1000, 1)
    assert small < large < memory.accumulation(10**5, 2000, 1)
    n = 10_000
    limit = memory.HELD + 4 * n * n / 1e6 + memory.recording(10**6, 2)
    assert memory.accumulation(10**6, n, 2) == pytest.approx(limit, abs=1)


def test_a_container_has_less_than_its_machine(tmp_path):
    whole = memory.total_memory(str(tmp_path))
    assert whole > 100
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.total_memory(str(tmp_path)) == whole
    (tmp_path / "memory.max").write_text("64000000\n")
    assert memory.total_memory(str(tmp_path)) == 64


def test_a_job_that_cannot_fit_says_so_before_it_starts(tmp_path, capsys):
    started = []
    asked = SimpleNamespace(
        threads=1, log=[str(tmp_path / "log")], rule="measure_geometry", scriptdir=str(tmp_path),
        wildcards={"dataset": "a"}, resources={"mem_mb": 10**9}, params={},
    )  # fmt: skip
    with pytest.raises(SystemExit), job(asked):
        started.append(True)
    assert not started
    said = capsys.readouterr().err
    assert "measure_geometry dataset=a: it needs 1,000,000,000 MB" in said
    assert "this machine has" in said and "most_pictures" in said
    with pytest.raises(FacestagesError):
        memory.require_memory(2, 1)
    memory.require_memory(2, None)


def test_batches_of_wide_layers_do_not_grow_without_end():
    assert memory.recording(10**9, 1) == memory.recording(10**8, 1) < 600
    assert np.isfinite(memory.forward("torch", 256**2, 60_000_000))
