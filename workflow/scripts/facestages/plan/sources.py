"""What is true of each kind of face set, of ratings and of references: one entry for each.

A new kind of face set needs its reader in ``stimuli/``, its model in ``config/face_sets`` and an
entry here; a kind of reference, in ``references/`` and ``config/references``.
Snakemake imports this module at the start of every run, so nothing heavy is imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from facestages import contents, face_tables
from facestages.disfa_files import OFFICIAL_SUBJECTS
from facestages.expressions import EXPRESSIONS
from facestages.fer2013_counts import OFFICIAL_COUNTS

_ORL_PEOPLE, _ORL_PICTURES_EACH = 40, 10
_KDEF_PEOPLE = 70


class Given(NamedTuple):
    """A file or folder of the user's that a key of the config names."""

    #: What must lie there: folder, table (a text file), file (of any kind), either, or table or
    #: folder.
    wanted: str
    #: How to get it, where only the user knows.
    how: str = ""
    #: Labels are read from it.
    has_labels: bool = False
    #: Entry of ``resources/gated.yaml`` that says where it can be asked for.
    gated: str | None = None


_NORMS = "A CSV table of human ratings by picture name (picture, valence, arousal, ...)."
_FACES = "A CSV table with the columns path and identity; docs/how-to/own-faces.md names others."
_SUBJECTS = (
    "Write it: a CSV table with the columns subject (SN001, ...) and sex (female or male), a row "
    "for each person whose video is there."
)


def _pictures(entry: Any) -> tuple[str, ...]:
    return "content", entry.pictures


def _listed_pictures(entry: Any) -> tuple[str, ...]:
    reading = face_tables.reading_as_text(entry.columns, entry.rename)
    return "pictures of a table", entry.table, entry.pictures, *reading


def _labels_of_table(entry: Any) -> Collection[str]:
    return face_tables.labels_of(entry.table, entry.columns, entry.rename)


@dataclass(frozen=True)
class Source:
    """What is true of a kind of face set."""

    #: From the face set's section of the config to the most pictures that it may have, person by
    #: person; one number where the source knows no people. See `FaceSets.foreseen`.
    count: Callable[[Any], list[int]]
    #: The asset that it is made from; None where it is made from the user's files.
    asset: str | None = None
    #: The user's files and folders, by the key that names each.
    given: dict[str, Given] = field(default_factory=dict)
    #: From the section to kind and arguments of the pictures' digest (`contents.digest_given`).
    pictures: Callable[[Any], tuple[str, ...]] = _pictures
    #: From the section to the labels that it has, those of norms left out; None if all are there.
    labels: Callable[[Any], Collection[str]] | None = None
    #: Memory of the job that prepares it, MB.
    mb: int = 210
    #: Its faces are renders, not photographs.
    is_rendered: bool = False
    #: Its frames come from videos, a file a person, which are decoded one by one.
    has_videos: bool = False


def _count_rendered(entry: Any) -> list[int]:
    if entry.design == "wild":
        each, more = divmod(entry.images, entry.people)
        return [each + 1] * more + [each] * (entry.people - more)
    if entry.design == "posed":
        return [entry.sessions * len(EXPRESSIONS)] * entry.people
    return [entry.frames_per_person] * (entry.women + entry.men)


def _count_orl(entry: Any) -> list[int]:
    return [_ORL_PICTURES_EACH] * _ORL_PEOPLE


def _count_kdef(entry: Any) -> list[int]:
    sittings = len(set(entry.sessions)) * len(set(entry.angles))
    return [sittings * len(EXPRESSIONS)] * _KDEF_PEOPLE


def _count_disfa(entry: Any) -> list[int]:
    """Frames of all who may be chosen, for where no videos are there to be counted."""
    listed = isinstance(entry.subjects, list)
    subjects = set(entry.subjects) if listed else OFFICIAL_SUBJECTS
    return [entry.frames_per_person] * len(subjects)


def _count_fer2013(entry: Any) -> list[int]:
    splits = set(entry.splits or OFFICIAL_COUNTS)
    if "test" in splits:
        splits |= {"PublicTest", "PrivateTest"}
    classes = EXPRESSIONS if entry.classes is None else entry.classes
    by_split = (
        dict(zip(EXPRESSIONS, numbers, strict=True))
        for split, numbers in OFFICIAL_COUNTS.items()
        if split in splits
    )
    return [sum(counts[name] for counts in by_split for name in EXPRESSIONS if name in classes)]


def _count_table(entry: Any) -> list[int]:
    """Rows of each person. The job that reads the table says what is wrong with it."""
    reading = face_tables.reading_as_text(entry.columns, entry.rename, "identity")
    return contents.count_people(entry.table, *reading)


#: By the word that the config gives as ``source``.
SOURCES = {
    "rendered": Source(_count_rendered, asset="headmodel", mb=410, is_rendered=True),
    "orl": Source(_count_orl, asset="orl", labels=lambda entry: ("identity",)),
    "fer2013": Source(
        _count_fer2013,
        given={"path": Given("table or folder", gated="fer2013")},
        labels=lambda entry: ("expression", "split"),
        mb=340,
    ),
    "kdef": Source(
        _count_kdef,
        given={
            "path": Given("folder", gated="kdef"),
            "norms": Given("table", _NORMS, has_labels=True, gated="kdef_pt"),
        },
    ),
    "disfa": Source(
        _count_disfa,
        given={
            "path": Given("folder", has_labels=True, gated="disfa"),
            "subject_list": Given("table", _SUBJECTS, has_labels=True),
        },
        has_videos=True,
    ),
    "table": Source(
        _count_table,
        given={
            "table": Given("table", _FACES, has_labels=True),
            "folder": Given("folder", "The folder of the table's pictures."),
            "norms": Given("table", _NORMS, has_labels=True),
        },
        pictures=_listed_pictures,
        labels=_labels_of_table,
    ),
}

#: Kinds of human ratings.
RATINGS = {"oasis": {"path": Given("table", gated="oasis")}}


class ReferenceSource(NamedTuple):
    """What is true of a kind of reference."""

    #: The user's files and folders, by the key that names each.
    given: dict[str, Given]
    #: It depends on the labels of its face set.
    needs_labels: bool = False


_JUDGED = "Your own table; docs/how-to/people-and-brains.md says which columns it has."
_CONDITIONS = "Write it: a CSV with the column picture, a row for each condition of the array."
_TIMES = "Write it: a CSV with the column time, a row for each time of the array."

#: Kinds of references.
REFERENCES = {
    "ratings": ReferenceSource({"path": Given("table", _JUDGED)}),
    "pairs": ReferenceSource({"path": Given("table", _JUDGED)}),
    "triplets": ReferenceSource({"path": Given("table", _JUDGED)}),
    "rdms": ReferenceSource(
        {
            "path": Given("file", "A stack of dissimilarity matrices (.npy, .mat, rsatoolbox)."),
            "conditions": Given("table", _CONDITIONS),
            "times": Given("table", _TIMES),
        }
    ),
    "confusions": ReferenceSource({"path": Given("table", _JUDGED)}, needs_labels=True),
    "jozwik": ReferenceSource({"path": Given("folder", gated="jozwik")}),
    "simulated": ReferenceSource({}, needs_labels=True),
}

#: Files of a network, by key.
NETWORK_FILES = {
    "keras": Given("file", "A Keras file of the network, its architecture inside."),
    "weights.path": Given("file", "A file of the network's weights."),
    "files": Given("either", "A file that the network's code reads, or a folder."),
}
