"""The action units of DISFA are read as they are written, and frames are chosen by them."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from disfa_files import (
    label_path,
    write_disfa,
)
from facestages.action_units import DISFA_UNITS
from facestages.stimuli.disfa_labels import choose_frames, read_action_units
from refusals import refusal

SIZE = (160, 120)


def coded_number(subject, frame, unit):
    """Intensities from which the frame's number can be told."""
    return {12: frame % 6, 25: frame // 6 % 6, 1: frame // 36 % 6}.get(unit, 0)


def write(folder, subjects, **options):
    return write_disfa(folder, subjects, **{"size": SIZE, **options})


def quiet(n, active=()):
    """Action units of `n` frames; AU 12 has the intensity 3 in the active ones."""
    units = pd.DataFrame(0, index=range(1, n + 1), columns=list(DISFA_UNITS), dtype=np.int8)
    units.loc[list(active), 12] = 3
    return units


def choose(units, count, **options):
    defaults = {"subject": "SN001", "select": "even", "min_distance": 1, "seed": 0}
    return choose_frames(units, count, **{**defaults, **options})


def test_read_action_units(tmp_path):
    folder = write(tmp_path, {"SN001": 50}, intensities=coded_number)
    units = read_action_units(folder, "SN001")
    assert units.shape == (50, 12) and list(units.columns) == list(DISFA_UNITS)
    assert list(units.index) == list(range(1, 51)) and units.index.name == "frame"
    assert list(units[12]) == [frame % 6 for frame in range(1, 51)]
    assert units[2].sum() == 0


def test_label_files_of_other_editors(tmp_path):
    folder = write(tmp_path, {"SN001": 3})
    path = label_path(folder, "SN001", 12)
    path.write_bytes(b"\xef\xbb\xbf1,0\r\n2, 4 \r\n\r\n3,5\r\n\r\n")
    assert list(read_action_units(folder, "SN001")[12]) == [0, 4, 5]
    for separator in (";", "\t"):
        path.write_bytes("1,0\r\n2,4\r\n3,5\r\n".replace(",", separator).encode("utf-16"))
        assert list(read_action_units(folder, "SN001")[12]) == [0, 4, 5]


def test_a_subject_without_labels(tmp_path):
    folder = write(tmp_path, {"SN001": 3, "SN002": 3})
    for unit in DISFA_UNITS:
        label_path(folder, "SN002", unit).unlink()
    for subject in ("SN002", "SN003"):
        message = refusal(read_action_units, folder, subject)
        assert message.startswith(f"{subject}: is a subject without labels")
        assert f"ActionUnit_Labels/{subject}/{subject}_au1.txt" in message
        assert "leave the subject out" in message
    message = refusal(read_action_units, folder / "Videos_LeftCamera", "SN001")
    assert message.endswith(f"{folder} does: give that folder")
    label_path(folder, "SN001", 12).unlink()
    message = refusal(read_action_units, folder, "SN001")
    assert message.startswith("SN001: SN001_au12.txt missing in ") and "Copy" in message


@pytest.mark.parametrize(
    "content, parts",
    [
        ("1,0\n2 0\n3,0\n", ["line 2", "'2 0'", "'frame,intensity'", "Correct"]),
        ("1,0\n2,0.5\n3,0\n", ["line 2", "'2,0.5'", "whole numbers"]),
        ("1,0\n2,-1\n3,0\n", ["line 2", "'2,-1'"]),
        ("1,0\n2,0,0\n3,0\n", ["line 2", "'2,0,0'"]),
        ("frame,intensity\n1,0\n", ["line 1", "'frame,intensity'"]),
        (b"\xff\xfe1\x00,\x00", ["line 1", "'frame,intensity'"]),
        ("1,0\n2,6\n3,0\n", ["line 2", "intensity is 6", "0 to 5", "Correct"]),
        ("1,0\n2,0\n4,0\n", ["line 3", "frame 4 where 3", "without a gap", "Copy"]),
        ("1,0\n1,0\n2,0\n", ["line 2", "frame 1 where 2"]),
        ("0,0\n1,0\n2,0\n", ["line 1", "frame 0 where 1"]),
        ("1,0\n2,0\n", ["has 2 lines", "have 3", "Copy"]),
        ("1,0\n2,0\n3,0\n4,0\n", ["has 4 lines", "have 3", "Copy"]),
        ("", ["is empty", "Copy"]),
    ],
)
@pytest.mark.parametrize("unit", [1, 12])
def test_label_files_that_are_refused(tmp_path, unit, content, parts):
    folder = write(tmp_path, {"SN001": 3})
    path = label_path(folder, "SN001", unit)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    message = refusal(read_action_units, folder, "SN001")
    assert message.startswith("SN001: ") and str(path) in message
    assert all(part in message for part in parts), message


@pytest.mark.parametrize("select", ["even", "activity"])
@pytest.mark.parametrize("n, count, min_distance", [(4845, 212, 10), (100, 99, 1), (50, 1, 40)])
def test_chosen_frames(select, n, count, min_distance):
    units = quiet(n, active=range(10, n, 3))
    for seed in range(20):
        frames = choose(units, count, select=select, min_distance=min_distance, seed=seed)
        assert frames.shape == (count,) and frames.dtype.kind == "i"
        assert frames[0] >= 1 and frames[-1] <= n - 1, "the last label may have no frame"
        assert all(b - a >= min_distance for a, b in pairwise(frames))


@pytest.mark.parametrize("select", ["even", "activity"])
def test_the_seed_decides(select):
    units = quiet(1000)
    chosen = [choose(units, 7, select=select, seed=seed) for seed in (0, 1, -1, 0)]
    np.testing.assert_array_equal(chosen[0], chosen[3])
    assert not np.array_equal(chosen[0], chosen[1])
    assert not np.array_equal(chosen[1], chosen[2])


@pytest.mark.parametrize("select", ["even", "activity"])
def test_each_subject_has_random_numbers_of_its_own(select):
    units = quiet(1000)
    alone = choose(units, 7, select=select, subject="SN002")
    other = choose(units, 7, select=select, subject="SN001")
    np.testing.assert_array_equal(alone, choose(units, 7, select=select, subject="SN002"))
    assert not np.array_equal(alone, other)


def test_even_frames_are_evenly_spaced():
    for seed in range(20):
        distances = np.diff(choose(quiet(4845), 212, seed=seed))
        assert set(distances) == {22, 23}
        assert set(np.diff(choose(quiet(101), 10, seed=seed))) == {10}
    firsts = {choose(quiet(101), 10, seed=seed)[0] for seed in range(200)}
    assert firsts == set(range(1, 11)), "every first frame can come"


def test_even_frames_fit_exactly():
    np.testing.assert_array_equal(choose(quiet(12), 3, min_distance=5), [1, 6, 11])


def test_activity_picks_the_active_frames():
    active = range(300, 340)
    frames = choose(quiet(1000, active), 40, select="activity")
    np.testing.assert_array_equal(frames, active)
    units = quiet(1000, active)
    units.loc[500, [1, 2, 4]] = 2
    assert 500 in choose(units, 1, select="activity")
    spread = choose(units, 20, select="activity", min_distance=10)
    assert 500 in spread
    assert 3 <= np.isin(spread, active).sum() <= 4, "as many active ones as the distance allows"


def test_activity_goes_on_with_quiet_frames():
    frames = choose(quiet(1000, range(1, 11)), 30, select="activity")
    assert set(range(1, 11)) <= set(frames)
    assert frames.max() > 500, "quiet frames come from everywhere"


@pytest.mark.parametrize("select, fit", [("even", "only 20 fit"), ("activity", "fit")])
def test_frames_that_do_not_fit(select, fit):
    message = refusal(choose, quiet(201), 21, select=select, min_distance=10, subject="SN007")
    assert message.startswith("SN007: frames_per_person = 21 with min_distance = 10")
    assert "of 200 usable frames" in message and fit in message
    assert "Lower frames_per_person or min_distance" in message
    assert "only 0 fit" in refusal(choose, quiet(1), 1, select=select)


def test_choices_that_are_refused():
    assert "did you mean 'activity'?" in refusal(choose, quiet(9), 1, select="active")
    assert "frames_per_person = 0" in refusal(choose, quiet(9), 0)
    assert "min_distance = 0" in refusal(choose, quiet(9), 1, min_distance=0)
