"""How many pictures a face set will have, as far as the config says, and what sample is measured.

Snakemake asks this at the start of every run, so nothing heavy is imported here, and no picture is
read.
"""

from __future__ import annotations

import csv
import math
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from facestages.disfa_files import OFFICIAL_SUBJECTS
from facestages.errors import FacestagesError
from facestages.expressions import EXPRESSIONS
from facestages.fer2013_counts import OFFICIAL_COUNTS

if TYPE_CHECKING:
    from facestages.config import FaceSet

_ORL_PEOPLE, _ORL_PICTURES_EACH = 40, 10
_KDEF_PEOPLE = 70


def foreseen_pictures(entry: FaceSet, subjects: Sequence[str] | None = None) -> list[int]:
    """The most pictures that a face set may have, person by person.

    Pictures that turn out to be missing, doubled or without a face make it smaller. The official
    numbers of FER2013, KDEF and ORL are taken, whatever the user's copy holds.

    Parameters
    ----------
    entry : facestages.config.FaceSet
        The face set's section of the config.
    subjects : sequence of str, optional
        The people of a DISFA face set, from `disfa_files.choose_subjects`. If not
        given, those that the config lists, or all 27.

    Returns
    -------
    list of int
        One number where the source knows no people. No numbers for a table that is not there.
    """
    if entry.source == "disfa":
        if subjects is None:
            listed = isinstance(entry.subjects, list)
            subjects = set(entry.subjects) if listed else OFFICIAL_SUBJECTS
        return [entry.frames_per_person] * len(subjects)
    kind = entry.design if entry.source == "rendered" else entry.source
    return _COUNTERS[kind](entry)


def sampling_step(pictures: Sequence[int], most: int) -> int:
    """The smallest k so that every k-th picture of each person makes at most so many pictures.

    Parameters
    ----------
    pictures : sequence of int
        Pictures of each person, from `foreseen_pictures`.
    most : int

    Returns
    -------
    int
        1 where all pictures are few enough.

    Raises
    ------
    FacestagesError
        If people would be left with one picture each, so that nobody could be told from others.
    """
    if sum(pictures) <= most:
        return 1
    if most < 2 * len(pictures):
        raise FacestagesError(
            f"a sample of {most} pictures of {len(pictures)} people leaves most of them with one "
            f"picture. Give analysis.most_pictures = {2 * len(pictures)} or more"
        )
    step = math.ceil(sum(pictures) / most)
    while sample_size(pictures, step) > most:
        step += 1
    return step


def sample_size(pictures: Sequence[int], step: int) -> int:
    """How many pictures every `step`-th of each person are."""
    return sum(math.ceil(own / step) for own in pictures)


def shard_of(name: str, shards: int) -> int:
    """Shard of a person, or of a picture where people are unknown.

    It does not depend on who else is there, so that a new person changes one shard alone. Numbered
    names (``SN001``) are dealt out in turn; the rest by a checksum.

    Parameters
    ----------
    name : str
    shards : int

    Returns
    -------
    int
        0 to ``shards - 1``.
    """
    number = re.search(r"\d+$", name)
    return (int(number[0]) if number else zlib.crc32(name.encode())) % shards


def _wild(entry) -> list[int]:
    each, more = divmod(entry.images, entry.people)
    return [each + 1] * more + [each] * (entry.people - more)


def _posed(entry) -> list[int]:
    return [entry.sessions * len(EXPRESSIONS)] * entry.people


def _video(entry) -> list[int]:
    return [entry.frames_per_person] * (entry.women + entry.men)


def _orl(entry) -> list[int]:
    return [_ORL_PICTURES_EACH] * _ORL_PEOPLE


def _kdef(entry) -> list[int]:
    sittings = len(set(entry.sessions)) * len(set(entry.angles))
    return [sittings * len(EXPRESSIONS)] * _KDEF_PEOPLE


def _fer2013(entry) -> list[int]:
    splits = set(entry.splits or OFFICIAL_COUNTS)
    if "test" in splits:
        splits |= {"PublicTest", "PrivateTest"}
    classes = EXPRESSIONS if entry.classes is None else entry.classes
    counts = (
        dict(zip(EXPRESSIONS, numbers, strict=True))
        for split, numbers in OFFICIAL_COUNTS.items()
        if split in splits
    )
    return [sum(own[name] for own in counts for name in EXPRESSIONS if name in classes)]


def _table(entry) -> list[int]:
    """Rows of each person; what is wrong with a table is said by the job that reads it."""
    people: Counter[str] = Counter()
    try:
        with open(entry.table, newline="", encoding="utf-8-sig", errors="replace") as stream:
            rows = csv.reader(stream)
            header = [name.strip() for name in next(rows, [])]
            column = header.index("identity") if "identity" in header else len(header)
            people.update(row[column].strip() if column < len(row) else "" for row in rows if row)
    except (OSError, csv.Error):
        pass
    return list(people.values())


_COUNTERS = {
    "wild": _wild,
    "posed": _posed,
    "video": _video,
    "orl": _orl,
    "kdef": _kdef,
    "fer2013": _fer2013,
    "table": _table,
}
