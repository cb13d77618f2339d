"""Samples and shards as arithmetic: which step, how many pictures, which shard."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from facestages.errors import FacestagesError
from facestages.stimuli.sample import sampled_rows
from facestages.subsets import sample_size, sampling_step

ROOT = Path(__file__).parents[2]


def test_step_of_all_disfa():
    assert sampling_step([4845] * 27, 20000) == 7
    assert sample_size([4845] * 27, 7) == 18711
    assert sampling_step([211] * 27, 20000) == 1
    assert sampling_step([35887], 20000) == 2


def test_step_is_the_smallest_that_fits():
    rng = np.random.default_rng(0)
    for _ in range(50):
        pictures = rng.integers(1, 60, rng.integers(1, 9)).tolist()
        most = int(rng.integers(2 * len(pictures), 100))
        people = np.repeat(np.arange(len(pictures)), pictures)
        sizes = (sampled_rows(people, k).sum() for k in range(1, 99))
        first = next(k for k, size in enumerate(sizes, 1) if size <= most)
        assert sampling_step(pictures, most) == first
        # Somebody has two pictures, so that silhouettes exist.
        assert first == 1 or max(math.ceil(n / first) for n in pictures) > 1


def test_steps_that_leave_one_picture_a_person_are_refused():
    with pytest.raises(FacestagesError, match="53 pictures of 27 people.*most_pictures = 54"):
        sampling_step([100] * 27, 53)
    assert sampling_step([100] * 27, 54) == 50
    assert sampling_step([1] * 27, 27) == 1


def test_foreseeing_needs_nothing_heavy():
    code = "import sys, facestages.subsets; print(*{m.partition('.')[0] for m in sys.modules})"
    scripts = ROOT / "workflow" / "scripts"
    run = subprocess.run([sys.executable, "-c", code], cwd=scripts, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert not {"numpy", "pandas", "h5py", "pydantic", "PIL"} & set(run.stdout.split())
