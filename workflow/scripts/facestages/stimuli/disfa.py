"""DISFA (Mavadati et al. 2013, doi:10.1109/T-AFFC.2013.4): videos of 27 people with coded action
units.

A subject's video becomes a face set of chosen frames. Expressions are not part of DISFA; they are
derived from the action units by the rules of `action_units`.

The label files count frames from 1: their frame k is the k-th frame of the video.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from facestages.action_units import DISFA_UNITS, count_labels, label_expressions
from facestages.disfa_files import find_labels, find_videos, read_subject_list
from facestages.errors import FacestagesError, did_you_mean
from facestages.stimuli import write_stimuli
from facestages.stimuli.crop import crop_pictures
from facestages.stimuli.pictures import Picture, PictureSource
from facestages.stimuli.quiet_cv2 import cv2

logger = logging.getLogger(__name__)

SELECTIONS = ("even", "activity")

#: A video may have this many frames more or fewer than its label files have lines.
FRAMES_OFF = 1

_HIGHEST_INTENSITY = 5


# ------------------------------------------------------------------------------- labels


def read_action_units(folder: str | os.PathLike, subject: str) -> pd.DataFrame:
    """Read the action units of a subject.

    Parameters
    ----------
    folder : path-like
        The folder of DISFA, with ``ActionUnit_Labels/SN001/SN001_au1.txt`` and so on (or the files
        in ``ActionUnit_Labels/`` itself); upper and lower case are the same.
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
        raise FacestagesError(
            f"{subject}: is a subject without labels, {folder} holds no ActionUnit_Labels/"
            f"{subject}/{subject}_au1.txt. Add them, or leave the subject out"
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
        lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
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
        match = re.fullmatch(r"\s*([0-9]{1,9})\s*,\s*([0-9]{1,9})\s*", line)
        if not match:
            raise FacestagesError(
                f"{where} is '{line[:40]}', not 'frame,intensity' in whole numbers. Correct the "
                f"line, or copy the file again"
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


# ------------------------------------------------------------------------------- frames


def choose_frames(
    units: pd.DataFrame,
    count: int,
    *,
    subject: str,
    select: str,
    min_distance: int,
    seed: int,
    n_usable: int | None = None,
) -> np.ndarray:
    """Choose the frames of a subject.

    Parameters
    ----------
    units : pandas.DataFrame, shape (n_frames, n_units)
        From `read_action_units`.
    count : int
        How many frames.
    subject : str
        Each subject draws random numbers of its own, so that one more changes none of the others.
    select : {"even", "activity"}
        ``even``: evenly spaced, from a random first frame. ``activity``: those with the largest
        sum of intensities, equal ones in random order; quiet ones follow where active ones run
        out.
    min_distance : int
        Frames from one chosen frame to the next, at least.
    seed : int
    n_usable : int, optional
        Frames 1 to `n_usable` may be chosen. All but the last if not given: a video may have one
        frame fewer than it has labels.

    Returns
    -------
    numpy.ndarray of int, shape (count,)
        Frames counted from 1, ascending.

    Raises
    ------
    FacestagesError
        If so many frames so far apart do not fit (``activity`` takes frames as they come, which
        leaves gaps, so that fewer fit than with ``even``), or an argument is not as described.
    """
    if select not in SELECTIONS:
        raise FacestagesError(
            f"DISFA: unknown select '{select}'; {did_you_mean(select, SELECTIONS)}"
        )
    for key, value in (("frames_per_person", count), ("min_distance", min_distance)):
        if value < 1:
            raise FacestagesError(f"DISFA: {key} = {value}: must be at least 1")
    n_usable = len(units) - FRAMES_OFF if n_usable is None else n_usable
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
    # In steps of 1/count frame, so that all is whole numbers and no distance is rounded down.
    step = max(n, count * min_distance)
    first = random.integers(count * n - (count - 1) * step)
    return (first + step * np.arange(count)) // count + 1


def _most_active(
    activity: np.ndarray, count: int, min_distance: int, random: np.random.Generator
) -> np.ndarray:
    """As many frames as fit, up to `count`."""
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


# ------------------------------------------------------------------------------- subject


def read_subject(
    folder: str | os.PathLike,
    subject: str,
    *,
    camera: str,
    sex: str = "",
    frames_per_person: int,
    select: str,
    min_distance: int,
    seed: int,
    rules: Mapping[str, str],
    rules_version: str,
    threshold: int,
) -> PictureSource:
    """Read chosen frames of a subject.

    Parameters
    ----------
    folder : path-like
        As for `disfa_files.find_subjects` and `read_action_units`.
    subject : str
    camera : {"left", "right"}
    sex : {"female", "male", ""}
        From `disfa_files.read_subject_list`; "" if it is not known.
    frames_per_person, select, min_distance, seed
        As for `choose_frames`.
    rules, threshold
        As for `action_units.label_expressions`.
    rules_version : str
        The source of the label ``expression``.

    Returns
    -------
    PictureSource
        In the order of the video. The labels are ``identity``, ``sex``, ``expression``, ``frame``
        (from 1, as in the label files) and ``au_01`` to ``au_26``. The video is decoded while the
        pictures are gone through, one frame at a time, to its end. ``report`` counts the labels of
        all frames and of the chosen ones at thresholds 1, 2 and 3; it gets ``frames_in_video``
        once the video is decoded.

    Raises
    ------
    FacestagesError
        If the subject has no video or no labels, they cannot be read, or the video has over one
        frame more or fewer than there are label lines. What only decoding shows is raised while
        the pictures are gone through.
    """
    folder = Path(folder)
    video = find_videos(folder, camera).get(subject)
    if video is None:
        raise FacestagesError(
            f"{subject}: {folder} holds no video of the {camera} camera of this subject. Add it, "
            f"or leave the subject out"
        )
    units = read_action_units(folder, subject)
    expressions = label_expressions(units, DISFA_UNITS, rules, threshold)
    frames = choose_frames(
        units,
        frames_per_person,
        subject=subject,
        select=select,
        min_distance=min_distance,
        seed=seed,
    )
    _check_beforehand(subject, video, len(units))
    chosen = units.loc[frames]
    labels = {
        int(frame): {
            "stimulus_id": f"{subject}/{frame:05d}",
            "identity": subject,
            "sex": sex,
            "expression": expressions[frame - 1],
            "frame": int(frame),
            **{f"au_{unit:02d}": float(chosen.at[frame, unit]) for unit in DISFA_UNITS},
        }
        for frame in frames
    }
    report: dict[str, object] = {
        "label_lines": len(units),
        "frames_chosen": len(frames),
        "counts_by_threshold": count_labels(units, DISFA_UNITS, rules),
        "chosen_counts_by_threshold": count_labels(chosen, DISFA_UNITS, rules),
    }
    return PictureSource(
        pictures=_decode(subject, video, labels, len(units), report),
        n=len(frames),
        sources={
            "identity": "file",
            "sex": "file",
            "expression": rules_version,
            "frame": "file",
            **{f"au_{unit:02d}": "human" for unit in DISFA_UNITS},
        },
        report=report,
    )


# ------------------------------------------------------------------------------- video


def _decode(
    subject: str, video: Path, labels: Mapping[int, dict], n_labels: int, report: dict
) -> Iterator[Picture]:
    """Decode the frames that `labels` holds, by frame from 1; then check the number of frames."""
    capture = _open_video(subject, video)
    try:
        number = 0
        # Frame by frame: where a jump in a compressed video lands is not certain.
        while capture.grab():
            number += 1
            if number in labels:
                yield _retrieve(subject, video, capture, labels[number])
    finally:
        capture.release()
    _check_length(subject, video, number, n_labels)
    report["frames_in_video"] = number


def _retrieve(subject: str, video: Path, capture, labels: dict) -> Picture:
    name = f"{video.name}, frame {labels['frame']}"
    decoded, frame = capture.retrieve()
    if not decoded:
        raise FacestagesError(f"{subject}: {name}: cannot be decoded. Copy the video again")
    return Picture(name, labels, partial(_to_rgb, frame))


def _to_rgb(frame: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)


def _check_beforehand(subject: str, video: Path, n_labels: int) -> None:
    """Stop before the work on other subjects if this video does not belong to its labels."""
    capture = _open_video(subject, video)
    try:
        stated = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        if abs(stated - n_labels) <= FRAMES_OFF:
            return
        # Some files state no number or a wrong one, so only counting can refuse a video.
        logger.info("%s: %s states %d frames; counting them", subject, video.name, stated)
        number = 0
        while capture.grab():
            number += 1
    finally:
        capture.release()
    _check_length(subject, video, number, n_labels)


def _check_length(subject: str, video: Path, n_frames: int, n_labels: int) -> None:
    if n_frames == 0:
        raise _unreadable(subject, video)
    if abs(n_frames - n_labels) <= FRAMES_OFF:
        return
    cause = (
        "The video is cut short or damaged (copy it again), or the labels are of another video"
        if n_frames < n_labels
        else "The label files are cut short (copy them again), or of another video"
    )
    raise FacestagesError(
        f"{subject}: {video} has {n_frames} frames that can be decoded, but the label files have "
        f"{n_labels} lines. {cause}"
    )


def _open_video(subject: str, video: Path):
    # Only a path that begins at the root cannot be taken for an address with a protocol; other
    # readers than FFmpeg would take the number in a file's name for that of a picture in a series.
    capture = cv2.VideoCapture(os.path.abspath(video), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise _unreadable(subject, video)
    return capture


def _unreadable(subject: str, video: Path) -> FacestagesError:
    return FacestagesError(
        f"{subject}: {video} cannot be read as a video ({video.stat().st_size:,} bytes). Copy it "
        f"again"
    )


# ------------------------------------------------------------------------------- face set


def extract_frames(
    out: str | os.PathLike,
    name: str,
    subject: str,
    entry: Mapping,
    detector: str | os.PathLike | None = None,
    threads: int = 1,
) -> None:
    """Make a face set of the frames of one person's video, and write it.

    Parameters
    ----------
    out : path-like
        HDF5 file to write.
    name : str
        The face set's name in the config.
    subject : str
        The person, e.g. ``"SN001"``.
    entry : mapping
        The face set's entry in the config, with all defaults filled in.
    detector : path-like, optional
        Folder of the face detector, where faces are cropped.
    threads : int
        Number of threads.

    Raises
    ------
    FacestagesError
        If video and labels do not fit together, or either is not as described.
    """
    sexes = read_subject_list(entry["subject_list"]) if entry["subject_list"] else {}
    units = entry["action_units"]
    choice = ("camera", "frames_per_person", "select", "min_distance", "seed")
    frames = read_subject(
        entry["path"],
        subject,
        sex=sexes.get(subject, ""),
        rules=units["rules"],
        rules_version=units["version"],
        threshold=units["threshold"],
        **{key: entry[key] for key in choice},
    )
    cropping = {key: entry[key] for key in ("size", "color", "crop")}
    parts = crop_pictures(
        frames, name=f"{name}, {subject}", **cropping, detector=detector, threads=threads
    )
    write_stimuli(out, parts, name)
