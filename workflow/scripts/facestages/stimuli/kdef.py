"""KDEF, the Karolinska Directed Emotional Faces (Lundqvist, Flykt and Öhman 1998).

70 people, each photographed in two sessions with seven expressions from five angles: 4,900 colour
pictures of 562x762 pixels. The name of a picture holds all its labels, by position: session A or B,
sex F or M, number 01 to 35 within the sex, expression, angle. ``AF01AFS`` is session A of the first
woman, afraid, straight on.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import logging
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from facestages.errors import FacestagesError, check_choice
from facestages.files import ARCHIVE_SUFFIXES
from facestages.stimuli.photographs import write_photographs
from facestages.stimuli.pictures import Picture, PictureSource, read_picture
from facestages.text import printable

logger = logging.getLogger(__name__)

#: Straight, half and full profile, of the left and right side.
ANGLES = ("FL", "HL", "S", "HR", "FR")
SESSIONS = ("A", "B")
#: Women F01 to F35 and men M01 to M35.
PEOPLE = tuple(f"{sex}{number:02d}" for sex in "FM" for number in range(1, 36))

#: Pictures are recognised by these endings; other files are ignored.
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp")

#: Expressions: afraid, angry, disgusted, happy, neutral, sad, surprised.
CODES = ("AF", "AN", "DI", "HA", "NE", "SA", "SU")
_EXPRESSION, _ANGLE = "|".join(CODES), "|".join(ANGLES)
#: Session, sex, number, expression and angle.
STEM = re.compile(f"([AB])([FM])(0[1-9]|[12][0-9]|3[0-5])({_EXPRESSION})({_ANGLE})")
# The averages of AKDEF have neither session nor number: FAFFL is the women, afraid, full left.
_AVERAGE = re.compile(f"[FM]({_EXPRESSION})({_ANGLE})")
# Two names are cut short in the distributed copies; each is completed to the one its person lacks.
_ERRATA = {"AF31V": "AF31SAHL", "AM31H": "AM31SUHR"}

_MANY = 5

_NOT_KDEF = "its name is none of KDEF, such as AF01AFS"
_BROKEN_LINK = "a link to a file that is not there"


def list_kdef(
    folder: str | os.PathLike,
    *,
    angles: Sequence[str] = ("S",),
    sessions: Sequence[str] = SESSIONS,
) -> PictureSource:
    """List the pictures of a copy of KDEF, by their names.

    Parameters
    ----------
    folder : path-like
        Searched with all its subfolders, linked ones too, but not hidden ones (``.name``). The
        arrangement into folders and the case of names do not matter.
    angles, sessions : sequence of str
        Angles and sessions to keep: full left profile ``FL``, half left ``HL``, straight ``S``,
        half right ``HR``, full right ``FR``; ``A`` and ``B``.

    Returns
    -------
    PictureSource
        Sorted by ``stimulus_id``, the picture's KDEF name in capitals; read as RGB. ``excluded``
        lists pictures with other names, links that lead nowhere, and copies of pictures that are
        kept. ``report`` has the numbers ``n_pictures`` (picture files),
        ``n_kdef`` (KDEF's pictures, without copies), ``n_chosen`` (those of `angles` and
        `sessions`) and ``people``; ``people_missing`` (the others of the 70), ``missing`` (KDEF
        names that the people in the folder lack), ``mended`` (the completed name of each file
        whose name is cut short), and ``averages_skipped`` (files of AKDEF, the averaged faces).

    Raises
    ------
    FacestagesError
        If the folder is missing, is a file or an archive, cannot be read, or holds no picture of
        KDEF; if no picture is left; if an angle or session is unknown; or if two files of the same
        KDEF name differ.

    Notes
    -----
    Names and errata as in the official copies and their descriptions (https://kdef.se). A few
    pictures there are all black, which shows only when they are read.
    """
    folder = Path(folder)
    check_choice("KDEF", "angles", angles, ANGLES)
    check_choice("KDEF", "sessions", sessions, SESSIONS)
    _check_folder(folder)
    files = {printable(path.relative_to(folder).as_posix()): path for path in _walk(folder)}
    stems, report, excluded = _sort_names(folder, dict(sorted(files.items())))
    if not stems:
        raise FacestagesError(
            f"{folder}: holds no picture of KDEF (found: {_few(sorted(files), 3) or 'no files'}). "
            f"Give the folder with pictures named as AF01AFS.JPG; unpack archives first"
        )
    chosen = {
        stem: names
        for stem, names in sorted(stems.items())
        if stem[0] in sessions and stem[6:] in angles
    }
    if not chosen:
        raise FacestagesError(
            f"{folder}: no picture is left with angles={list(angles)} and "
            f"sessions={list(sessions)}. It holds the angles "
            f"{_in_order({stem[6:] for stem in stems}, ANGLES)} and the sessions "
            f"{_in_order({stem[0] for stem in stems}, SESSIONS)}"
        )
    excluded += _refuse_twins(chosen, files)
    report |= {"n_kdef": len(stems), "n_chosen": len(chosen)}
    report |= _find_gaps(chosen, angles, sessions)
    _warn(folder, report)
    return PictureSource(
        pictures=[
            Picture(first, stem, functools.partial(read_picture, files[first], "rgb"))
            for stem, (first, *_) in chosen.items()
        ],
        n=len(chosen),
        excluded=excluded,
        report=report,
        has_black=True,
    )


def _check_folder(folder: Path) -> None:
    if os.path.isdir(folder):
        return
    if not os.path.exists(folder):
        raise FacestagesError(
            f"{folder}: no such folder. Correct the path; KDEF has to be asked for at "
            f"https://kdef.se"
        )
    if folder.suffix.lower() in ARCHIVE_SUFFIXES:
        raise FacestagesError(
            f"{folder}: is an archive. Unpack it first, then give the folder that it makes"
        )
    raise FacestagesError(f"{folder}: is a file. Give the folder that holds the pictures of KDEF")


def _walk(root: Path) -> Iterator[Path]:
    """Find all files but hidden ones; a folder with several links to it is searched once."""
    visited, folders, links = set(), [root], []
    while folders or links:
        # Links come last, so that a file gets its path without a link if it has one.
        folder = folders.pop() if folders else links.pop(0)
        if os.path.realpath(folder) in visited:
            continue
        visited.add(os.path.realpath(folder))
        inner, linked, files = _look_into(folder)
        folders += inner
        links += linked
        yield from files


def _look_into(folder: Path) -> tuple[list[Path], list[Path], list[Path]]:
    """Return the folders, the linked folders and the files in `folder`, without hidden ones."""
    inner, linked, files = [], [], []
    try:
        for item in sorted(folder.iterdir()):
            if item.name.startswith("."):
                continue
            if item.is_dir():
                (linked if item.is_symlink() else inner).append(item)
            elif item.is_file() or item.is_symlink():
                files.append(item)
    except OSError as error:
        raise FacestagesError(
            f"{folder}: cannot be read ({error.strerror}). Change its permissions, or move it "
            f"away if it does not belong to KDEF"
        ) from error
    return inner, linked, files


def _sort_names(
    root: Path, files: Mapping[str, Path]
) -> tuple[dict[str, list[str]], dict[str, object], list[tuple[str, str]]]:
    """Sort the files: those of each KDEF name, facts for the report, and excluded pictures."""
    stems: dict[str, list[str]] = {}
    mended, averages, excluded, n_pictures = {}, [], [], 0
    for name, path in files.items():
        if path.suffix.lower() not in PICTURE_SUFFIXES:
            continue
        n_pictures += 1
        written = path.stem.upper()
        stem = _ERRATA.get(written, written)
        if not path.is_file():
            excluded.append((name, _BROKEN_LINK))
        elif STEM.fullmatch(stem):
            stems.setdefault(stem, []).append(name)
            if stem != written:
                mended[name] = stem
        elif _AVERAGE.fullmatch(stem):
            averages.append(name)
        else:
            excluded.append((name, _NOT_KDEF))
    report = {"n_pictures": n_pictures, "mended": mended, "averages_skipped": averages}
    return stems, report, excluded


def _refuse_twins(
    chosen: Mapping[str, list[str]], files: Mapping[str, Path]
) -> list[tuple[str, str]]:
    """List the copies of a picture; refuse different pictures of one name."""
    copies = []
    for stem, (first, *others) in chosen.items():
        for other in others:
            if _digest(files[first]) != _digest(files[other]):
                raise FacestagesError(
                    f"KDEF: {stem} is there twice, and the files differ: {files[first]} and "
                    f"{files[other]}. Keep the original and move the other one away"
                )
            copies.append((other, f"a copy of {first}"))
    return copies


def _digest(path: Path) -> str:
    try:
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise FacestagesError(
            f"{path}: cannot be read ({error.strerror}). Change its permissions or remove it"
        ) from error


def _find_gaps(
    chosen: Mapping[str, object], angles: Sequence[str], sessions: Sequence[str]
) -> dict[str, object]:
    """Count the people; list the missing people, and the missing pictures of the others."""
    people = {stem[1:4] for stem in chosen}
    complete = itertools.product(
        [session for session in SESSIONS if session in sessions],
        [person for person in PEOPLE if person in people],
        CODES,
        [angle for angle in ANGLES if angle in angles],
    )
    return {
        "people": len(people),
        "people_missing": [person for person in PEOPLE if person not in people],
        "missing": [stem for stem in map("".join, complete) if stem not in chosen],
    }


def _warn(folder: Path, report: Mapping) -> None:
    """Log in one line what a whole copy has and this one lacks."""
    gaps = []
    if report["people_missing"]:
        absent = report["people_missing"]
        gaps.append(f"{len(absent)} of 70 people ({_few(absent)})")
    if report["missing"]:
        absent = report["missing"]
        gaps.append(f"{len(absent)} pictures of the others ({_few(absent)})")
    if gaps:
        logger.warning("%s is not the whole KDEF, it lacks %s", folder, " and ".join(gaps))


def _few(names: Sequence[str], most: int = _MANY) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def _in_order(values: Collection[str], order: Sequence[str]) -> str:
    return ", ".join(value for value in order if value in values)


def prepare(out, name: str, entry: Mapping, *, source, detector, threads: int) -> None:
    """Make a face set for `stimuli.sources.prepare_stimuli`."""
    listed = list_kdef(entry["path"], angles=entry["angles"], sessions=entry["sessions"])
    write_photographs(out, name, listed, entry, detector, threads)
