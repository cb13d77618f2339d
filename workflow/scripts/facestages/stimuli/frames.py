"""Frames of videos: chosen, decoded and cropped one person at a time."""

from __future__ import annotations

import os
from collections.abc import Mapping

from facestages.disfa_files import read_subject_list
from facestages.stimuli import write_stimuli
from facestages.stimuli.crop import crop_pictures
from facestages.stimuli.disfa import read_subject


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
