"""DISFA, videos of 27 people with coded action units (doi:10.1109/T-AFFC.2013.4).

Chosen frames of a subject's video become stimuli (Mavadati et al. 2013). Frames count from 1, as in
the label files.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from pathlib import Path

from facestages.disfa_files import find_videos
from facestages.errors import FacestagesError
from facestages.stimuli import write_pictures
from facestages.stimuli.crop import crop_pictures
from facestages.stimuli.disfa_labels import FRAMES_OFF, choose_frames, read_action_units
from facestages.stimuli.pictures import Picture, PictureSource
from facestages.stimuli.quiet_cv2 import cv2

logger = logging.getLogger(__name__)


def read_subject(
    folder: str | os.PathLike,
    subject: str,
    *,
    camera: str,
    frames_per_person: int,
    select: str,
    min_distance: int,
    seed: int,
) -> PictureSource:
    """Read chosen frames of a subject.

    Parameters
    ----------
    folder : path-like
        As for `disfa_files.find_subjects` and `disfa_labels.read_action_units`.
    subject : str
    camera : {"left", "right"}
    frames_per_person, select, min_distance, seed
        As for `disfa_labels.choose_frames`.

    Returns
    -------
    PictureSource
        In the order of the video; ``stimulus_id`` is the subject and the frame, ``SN001/00123``.
        Iterating over the pictures decodes the video, one frame at a time. ``report`` has the
        numbers ``label_lines`` and ``frames_chosen``; ``frames_in_video`` is added at the end of
        the video.

    Raises
    ------
    FacestagesError
        If the subject has no video or no labels, they cannot be read, or the video has over one
        frame more or fewer than there are label lines. Damage that only decoding shows is raised
        during the iteration.
    """
    folder = Path(folder)
    video = find_videos(folder, camera).get(subject)
    if video is None:
        raise FacestagesError(
            f"{subject}: {folder} holds no video of the {camera} camera of this subject. Add it, "
            f"or leave the subject out"
        )
    units = read_action_units(folder, subject)
    frames = choose_frames(
        units,
        frames_per_person,
        subject=subject,
        select=select,
        min_distance=min_distance,
        seed=seed,
    )
    _check_beforehand(subject, video, len(units))
    report: dict[str, object] = {"label_lines": len(units), "frames_chosen": len(frames)}
    return PictureSource(
        pictures=_decode(subject, video, set(frames.tolist()), len(units), report),
        n=len(frames),
        report=report,
    )


def _decode(
    subject: str, video: Path, frames: Collection[int], n_labels: int, report: dict
) -> Iterator[Picture]:
    """Decode some frames, which count from 1, then check the number of all."""
    capture = _open_video(subject, video)
    try:
        number = 0
        # Frame by frame, because a jump in a compressed video may land on another frame.
        while capture.grab():
            number += 1
            if number in frames:
                yield _retrieve(subject, video, capture, number)
    finally:
        capture.release()
    _check_length(subject, video, number, n_labels)
    report["frames_in_video"] = number


def _retrieve(subject: str, video: Path, capture, number: int) -> Picture:
    name = f"{video.name}, frame {number}"
    decoded, frame = capture.retrieve()
    if not decoded:
        raise FacestagesError(f"{subject}: {name}: cannot be decoded. Copy the video again")
    read = partial(cv2.cvtColor, frame, cv2.COLOR_BGR2RGB)
    return Picture(name, f"{subject}/{number:05d}", read)


def _check_beforehand(subject: str, video: Path, n_labels: int) -> None:
    """Stop before any decoding if the video does not belong to its labels."""
    capture = _open_video(subject, video)
    try:
        stated = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        if abs(stated - n_labels) <= FRAMES_OFF:
            return
        # Some files state no number or a wrong one, so a video is refused only by a count.
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
    # FFmpeg could take a relative path for an address with a protocol. Other readers of OpenCV take
    # a number in the name for that of a picture in a series.
    capture = cv2.VideoCapture(os.path.abspath(video), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise _unreadable(subject, video)
    return capture


def _unreadable(subject: str, video: Path) -> FacestagesError:
    return FacestagesError(
        f"{subject}: {video} cannot be read as a video ({video.stat().st_size:,} bytes). Copy it "
        f"again"
    )


def extract_frames(
    out: str | os.PathLike,
    name: str,
    subject: str,
    entry: Mapping,
    detector: str | os.PathLike | None = None,
    threads: int = 1,
) -> None:
    """Make stimuli of the frames of one person's video, and write them.

    Parameters
    ----------
    out, name, entry, detector, threads
        As for `stimuli.sources.prepare_stimuli`.
    subject : str
        The person, e.g. ``"SN001"``.

    Raises
    ------
    FacestagesError
        If video and labels do not fit together, or either is not as described.
    """
    choice = ("camera", "frames_per_person", "select", "min_distance", "seed")
    frames = read_subject(entry["path"], subject, **{key: entry[key] for key in choice})
    cropping = {key: entry[key] for key in ("size", "color", "crop")}
    parts = crop_pictures(
        frames, name=f"{name}, {subject}", **cropping, detector=detector, threads=threads
    )
    write_pictures(out, parts, name)
