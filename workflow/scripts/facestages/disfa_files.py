"""Which files of a user's DISFA folder belong to whom.

Snakemake asks this at the start of every run, so nothing heavy is imported here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from facestages.action_units import DISFA_UNITS
from facestages.errors import FacestagesError, did_you_mean, shorten
from facestages.files import ARCHIVE_SUFFIXES
from facestages.rows import read_rows
from facestages.text import printable

#: The 27 people; the numbers between them were never given out.
OFFICIAL_SUBJECTS = tuple(
    f"SN{number:03d}" for number in (*range(1, 14), *range(16, 19), 21, *range(23, 33))
)

CAMERAS = ("left", "right")
_VIDEO_SUFFIXES = (".avi", ".mp4", ".m4v", ".mov", ".mkv", ".mpg", ".mpeg", ".wmv")
_SUBJECT = re.compile(r"SN[0-9]{3}(?![0-9])", re.IGNORECASE)
_SEXES = {
    **dict.fromkeys(("f", "female", "woman", "women"), "female"),
    **dict.fromkeys(("m", "male", "man", "men"), "male"),
}


def missing_subjects(subjects: list[str]) -> list[str]:
    """Name the other subjects of the official DISFA."""
    return [subject for subject in OFFICIAL_SUBJECTS if subject not in subjects]


def find_subjects(folder: str | os.PathLike, camera: str = "left") -> list[str]:
    """Find the subjects that have a video of the left or right camera; sorted.

    Parameters
    ----------
    folder : path-like
        The folder of DISFA. The videos lie in it or in a folder of it whose name has "video" and
        the camera (``Videos_LeftCamera/LeftVideoSN001_comp.avi``), in upper or lower case.
    camera : {"left", "right"}

    Raises
    ------
    FacestagesError
        If there is no such folder or no video of that camera in it, or two of one subject.
    """
    return list(find_videos(Path(folder), camera))


def subject_files(folder: str | os.PathLike, subject: str, camera: str = "left") -> list[Path]:
    """List those files of a subject that exist: the video, then the labels by action unit.

    Raises
    ------
    FacestagesError
        As `find_subjects`, and if there are two label files of one action unit.
    """
    folder = Path(folder)
    video = find_videos(folder, camera).get(subject)
    labels = find_labels(folder, subject)
    return [*filter(None, [video]), *(labels[unit] for unit in sorted(labels))]


def find_videos(folder: Path, camera: str) -> dict[str, Path]:
    """Find the videos of a camera by subject, sorted."""
    if camera not in CAMERAS:
        raise FacestagesError(f"DISFA: unknown camera '{camera}'; {did_you_mean(camera, CAMERAS)}")
    videos = _all_videos(folder)
    by_subject: dict[str, Path] = {}
    for subject, path in sorted(videos[camera]):
        if subject in by_subject:
            raise FacestagesError(
                f"{subject}: has two videos of the {camera} camera, "
                f"{printable(by_subject[subject])} and {printable(path)}. Remove or rename one"
            )
        by_subject[subject] = path
    if not by_subject:
        name = camera.title()
        raise FacestagesError(
            f"{folder}: holds no video of the {camera} camera, such as Videos_{name}Camera/{name}"
            f"VideoSN001_comp.avi. {_what_is_there(folder, videos)}"
        )
    return by_subject


def _all_videos(folder: Path) -> dict[str, list[tuple[str, Path]]]:
    """Find all videos: by camera, the subject and the file of each."""
    # The search goes one level deep, so that links that lead in circles cannot trap it.
    places: dict[Path, str | None] = {folder: None}
    for item in _listing(folder):
        if "video" in item.name.lower() and _camera_in(item.name) and item.is_dir():
            places[item] = _camera_in(item.name)
    videos: dict[str, list[tuple[str, Path]]] = {camera: [] for camera in CAMERAS}
    searched = set()
    for place, camera_of_folder in places.items():
        # A link to a searched folder leads to the same files again.
        if os.path.realpath(place) in searched:
            continue
        searched.add(os.path.realpath(place))
        for path in _listing(place):
            subject = _SUBJECT.search(path.name)
            camera = _camera_in(path.name) or camera_of_folder
            if subject and camera and path.suffix.lower() in _VIDEO_SUFFIXES and path.is_file():
                videos[camera].append((subject[0].upper(), path))
    return videos


def _camera_in(name: str) -> str | None:
    """The one camera in a name of a file or folder, or None."""
    named = [camera for camera in CAMERAS if camera in name.lower()]
    return named[0] if len(named) == 1 else None


def _listing(folder: Path) -> list[Path]:
    """What a folder holds, sorted, without hidden files."""
    if folder.is_file():
        packed = folder.suffix.lower() in ARCHIVE_SUFFIXES
        remedy = "Unpack it first, and give the folder" if packed else "Give the folder of DISFA"
        raise FacestagesError(f"{folder}: is a file. {remedy}")
    try:
        return sorted(item for item in folder.iterdir() if not item.name.startswith("."))
    except FileNotFoundError as error:
        raise FacestagesError(
            f"{folder}: no such folder. Correct the path in the config"
        ) from error
    except OSError as error:
        raise FacestagesError(
            f"{folder}: cannot be looked into ({error.strerror}). Correct the path or the folder's "
            f"permissions"
        ) from error


def _what_is_there(folder: Path, videos: Mapping[str, list]) -> str:
    for camera, others in videos.items():
        if others:
            return f"It holds {len(others)} of the {camera} camera: set 'camera' to {camera}"
    items = _listing(folder)
    for item in filter(Path.is_dir, items):
        if any(_all_videos(item).values()):
            return f"{printable(item)} holds videos: give that folder"
    names = [item.name for item in items]
    packed = [name for name in names if Path(name).suffix.lower() in ARCHIVE_SUFFIXES]
    if packed:
        return f"It holds {packed[0]}: unpack it first"
    shown = ", ".join(map(printable, names[:5])) + (", ..." if len(names) > 5 else "")
    return f"It holds {shown or 'nothing'}. Give the folder that holds the folders of videos"


def find_labels(folder: Path, subject: str) -> dict[int, Path]:
    """The label files of a subject by action unit; none if there is no folder for them."""
    for labels in _folders_named(folder, "actionunitlabels?"):
        for place in (*_folders_named(labels, subject), labels):
            files: dict[int, Path] = {}
            for path in _listing(place):
                match = re.fullmatch(rf"{subject}_au([0-9]+)\.txt", path.name, re.IGNORECASE)
                unit = int(match[1]) if match else None
                if unit not in DISFA_UNITS or not path.is_file():
                    continue
                if unit in files:
                    raise FacestagesError(
                        f"{subject}: has two label files of AU {unit}, {files[unit]} and "
                        f"{path.name}. Remove one"
                    )
                files[unit] = path
            if files:
                return files
    return {}


def _folders_named(folder: Path, pattern: str) -> list[Path]:
    """Folders by name; case, underscores, hyphens and blanks make no difference."""
    return [
        item
        for item in _listing(folder)
        if re.fullmatch(pattern, re.sub(r"[\s_-]", "", item.name), re.IGNORECASE) and item.is_dir()
    ]


def read_subject_list(path: str | os.PathLike) -> dict[str, str]:
    """Read the sex of each subject, ``female`` or ``male``, from a CSV file.

    It has the columns ``subject`` (``SN001``) and ``sex`` (``female`` or ``male``, or ``f``, ``m``,
    ``women``, ... in upper or lower case).

    Raises
    ------
    FacestagesError
        Naming the row, if a value is something else or a subject is there twice.
    """
    sexes: dict[str, str] = {}
    for where, row in read_rows(path, ("subject", "sex")):
        subject = row["subject"].upper()
        if not _SUBJECT.fullmatch(subject):
            raise FacestagesError(
                f"{where}: subject is '{shorten(row['subject'])}', not SN and three digits. "
                f"Correct the row"
            )
        if subject in sexes:
            raise FacestagesError(f"{where}: subject {subject} is there twice. Remove one row")
        if row["sex"].lower() not in _SEXES:
            raise FacestagesError(
                f"{where}: sex of {subject} is '{shorten(row['sex'])}', but must be female or "
                f"male. Correct it, or remove the row"
            )
        sexes[subject] = _SEXES[row["sex"].lower()]
    return sexes


def choose_subjects(
    folder: str | os.PathLike,
    camera: str,
    subjects: str | list[str],
    subject_list: str | os.PathLike | None = None,
) -> list[str]:
    """Choose people whose video is there; sorted.

    Parameters
    ----------
    folder, camera
        As for `find_subjects`.
    subjects : {"all", "women", "men"} or list of str
    subject_list : path-like, optional
        Table for `read_subject_list`; needed to choose by sex.

    Raises
    ------
    FacestagesError
        As `find_subjects` and `read_subject_list`; and if nobody is chosen, a person who is asked
        for has no video, or one whose video is there has no sex in the table.
    """
    filmed = find_subjects(folder, camera)
    if subjects == "all":
        return filmed
    if isinstance(subjects, list):
        lacking = sorted(set(subjects) - set(filmed))
        if lacking:
            raise FacestagesError(
                f"{folder}: holds no video of the {camera} camera of {', '.join(lacking)}. Add it, "
                f"or leave the subject out of 'subjects'"
            )
        return sorted(set(subjects))
    sexes = read_subject_list(subject_list)
    unknown = [subject for subject in filmed if subject not in sexes]
    if unknown:
        raise FacestagesError(
            f"{subject_list}: says nothing of {', '.join(unknown)}, whose video is there. Add a "
            f"row for each"
        )
    sex = {"women": "female", "men": "male"}[subjects]
    chosen = [subject for subject in filmed if sexes[subject] == sex]
    if not chosen:
        raise FacestagesError(
            f"{subject_list}: none of the {len(filmed)} people whose video is there is {sex}. "
            f"Correct the table or 'subjects'"
        )
    return chosen
