"""The action units of DISFA's subjects, and the choice of frames by them."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pandas as pd

from facestages.action_units import DISFA_UNITS
from facestages.bounds import require_size
from facestages.disfa_files import find_labels
from facestages.errors import FacestagesError, did_you_mean, shorten
from facestages.rows import open_text

SELECTIONS = ("even", "activity")

#: A video may have this many frames more or fewer than its label files have lines.
FRAMES_OFF = 1

_HIGHEST_INTENSITY = 5
# An official file has 4,845 lines, 35 kB.
_MOST_BYTES = 10_000_000


def read_action_units(folder: str | os.PathLike, subject: str) -> pd.DataFrame:
    """Read the action units of a subject.

    Parameters
    ----------
    folder : path-like
        The folder of DISFA, with ``ActionUnit_Labels/SN001/SN001_au1.txt`` and so on (or the files
        in ``ActionUnit_Labels/`` itself). Upper and lower case are the same.
    subject : str

    Returns
    -------
    pandas.DataFrame of int8, shape (n_frames, 12)
        Intensities 0 to 5. The index is the frame, counted from 1; the columns are the numbers of
        the action units, `DISFA_UNITS`.

    Raises
    ------
    FacestagesError
        Naming subject, file, line and remedy, if a file is missing or its lines are not
        ``frame,intensity`` with frames 1, 2, 3, ...; or if the files differ in length.
    """
    folder = Path(folder)
    files = find_labels(folder, subject)
    if not files:
        above = folder.absolute().parent
        remedy = "Add them, or leave the subject out"
        if find_labels(above, subject):
            remedy = f"{above} does: give that folder"
        raise FacestagesError(
            f"{subject}: is a subject without labels, {folder} holds no ActionUnit_Labels/"
            f"{subject}/{subject}_au1.txt. {remedy}"
        )
    missing = [f"{subject}_au{unit}.txt" for unit in DISFA_UNITS if unit not in files]
    if missing:
        raise FacestagesError(
            f"{subject}: {', '.join(missing)} missing in {next(iter(files.values())).parent}. "
            f"Copy the label files again, or leave the subject out"
        )
    units = {unit: _read_intensities(subject, files[unit]) for unit in DISFA_UNITS}
    lengths = {unit: len(values) for unit, values in units.items()}
    usual = max(sorted(set(lengths.values())), key=list(lengths.values()).count)
    for unit, length in lengths.items():
        if length != usual:
            raise FacestagesError(
                f"{subject}: {files[unit]} has {length} lines where other label files have "
                f"{usual}. Copy the subject's label files again"
            )
    return pd.DataFrame(units, index=pd.RangeIndex(1, usual + 1, name="frame"), dtype=np.int8)


def _read_intensities(subject: str, path: Path) -> list[int]:
    try:
        require_size(path, _MOST_BYTES, "intensities of one action unit")
        with open_text(path, errors="replace") as stream:
            lines = stream.read().splitlines()
    except OSError as error:
        raise FacestagesError(
            f"{subject}: {path} cannot be read ({error.strerror}). Change its permissions, or "
            f"copy it again"
        ) from error
    intensities: list[int] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{subject}: {path}: line {number}"
        match = re.fullmatch(r"\s*([0-9]{1,9})\s*[,;\t]\s*([0-9]{1,9})\s*", line)
        if not match:
            raise FacestagesError(
                f"{where} is '{shorten(line, 40)}', not 'frame,intensity' in whole numbers. "
                f"Correct the line, or copy the file again"
            )
        frame, intensity = map(int, match.groups())
        if frame != len(intensities) + 1:
            raise FacestagesError(
                f"{where} is of frame {frame} where {len(intensities) + 1} must stand: frames "
                f"count 1, 2, 3, ... without a gap. Copy the file again"
            )
        if intensity > _HIGHEST_INTENSITY:
            raise FacestagesError(
                f"{where}: intensity is {intensity}, but must be 0 to {_HIGHEST_INTENSITY}. "
                f"Correct the line, or copy the file again"
            )
        intensities.append(intensity)
    if not intensities:
        raise FacestagesError(f"{subject}: {path} is empty. Copy the file again")
    return intensities


def choose_frames(
    units: pd.DataFrame,
    count: int,
    *,
    subject: str,
    select: str,
    min_distance: int,
    seed: int,
) -> np.ndarray:
    """Choose frames of a subject, but never the last, which the video may lack.

    Parameters
    ----------
    units : pandas.DataFrame, shape (n_frames, n_units)
        From `read_action_units`.
    count : int
        Number of frames.
    subject : str
        The random numbers depend on the subject, so that a new subject changes no other's frames.
    select : {"even", "activity"}
        ``even``: evenly spaced, from a random first frame. ``activity``: by the sum of intensities,
        the largest first and equal ones in random order.
    min_distance : int
        Smallest number of frames from one chosen frame to the next.
    seed : int

    Returns
    -------
    numpy.ndarray of int, shape (count,)
        Frames counted from 1, ascending.

    Raises
    ------
    FacestagesError
        If so many frames so far apart do not fit, or an argument is not as described. Fewer fit
        with ``activity`` than with ``even``, because it leaves gaps.
    """
    if select not in SELECTIONS:
        raise FacestagesError(
            f"DISFA: unknown select '{select}'; {did_you_mean(select, SELECTIONS)}"
        )
    for key, value in (("frames_per_person", count), ("min_distance", min_distance)):
        if value < 1:
            raise FacestagesError(f"DISFA: {key} = {value}: must be at least 1")
    n_usable = len(units) - FRAMES_OFF
    # NumPy takes no negative seeds.
    random = np.random.default_rng([seed % 2**32, int(subject[2:])])
    if select == "even":
        fit = 1 + (n_usable - 1) // min_distance if n_usable > 0 else 0
        if fit >= count:
            return _spread_evenly(n_usable, count, min_distance, random)
    else:
        activity = units.to_numpy()[:n_usable].sum(axis=1, dtype=np.int64)
        frames = _most_active(activity, count, min_distance, random)
        fit = len(frames)
        if fit == count:
            return frames
    raise FacestagesError(
        f"{subject}: frames_per_person = {count} with min_distance = {min_distance}: of "
        f"{max(n_usable, 0)} usable frames only {fit} fit. Lower frames_per_person or min_distance"
    )


def _spread_evenly(
    n: int, count: int, min_distance: int, random: np.random.Generator
) -> np.ndarray:
    # The unit is 1/count of a frame: all numbers are whole, and no distance is rounded down.
    step = max(n, count * min_distance)
    first = random.integers(count * n - (count - 1) * step)
    return (first + step * np.arange(count)) // count + 1


def _most_active(
    activity: np.ndarray, count: int, min_distance: int, random: np.random.Generator
) -> np.ndarray:
    """Take the most active frames that fit, up to `count`."""
    shuffled = random.permutation(len(activity))
    near = np.zeros(len(activity), bool)
    frames: list[int] = []
    for frame in shuffled[np.argsort(-activity[shuffled], kind="stable")]:
        if len(frames) == count:
            break
        if not near[frame]:
            frames.append(frame)
            near[max(0, frame - min_distance + 1) : frame + min_distance] = True
    return np.sort(np.array(frames, dtype=np.int64)) + 1
