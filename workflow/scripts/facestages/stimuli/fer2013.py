"""FER2013 (Goodfellow et al. 2013, arXiv:1307.0414): 35,887 grey faces of 48x48 pixels.

Copies are one CSV file or folders of pictures. Both become the same face set, with the classes in
the order of `stimuli.EXPRESSIONS`, which is that of the CSV file's numbers.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from facestages.errors import FacestagesError, check_choice, did_you_mean, shorten
from facestages.fer2013_counts import OFFICIAL_COUNTS, SPLITS
from facestages.files import ARCHIVE_SUFFIXES, is_clutter
from facestages.progress import progress
from facestages.rows import read_header, read_rows
from facestages.stimuli import EXPRESSIONS, StimulusSet, write_pictures
from facestages.stimuli.pictures import read_picture
from facestages.text import line_problem, printable

logger = logging.getLogger(__name__)

_SIDE = 48
# Levels of folders in which a copy is looked for.
_DEEPEST = 3
_N_PIXELS = _SIDE * _SIDE
_COLUMNS = ("emotion", "pixels", "Usage")
_CSV_NAMES = ("fer2013.csv", "icml_face_data.csv")
_FOLDER_SPLITS = {
    "train": "Training",
    "training": "Training",
    "validation": "PublicTest",
    "val": "PublicTest",
    "publictest": "PublicTest",
    "test": "test",
    "privatetest": "PrivateTest",
}
# Of equal pictures, the one whose split comes first here is kept, so that test pictures are never
# trained on.
_KEEP_FIRST = ("PrivateTest", "PublicTest", "test", "Training")


class _Face(NamedTuple):
    stimulus_id: str
    expression: str
    split: str
    #: Returns 2,304 bytes.
    read: Callable[[], bytes]


def read_fer2013(
    path: str | os.PathLike,
    *,
    splits: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    drop_duplicates: bool = False,
) -> StimulusSet:
    """Read FER2013 from its CSV file or from folders of pictures.

    Parameters
    ----------
    path : path-like
        ``fer2013.csv`` or ``icml_face_data.csv`` (columns ``emotion``, ``pixels``, ``Usage``), a
        folder that holds one of them, or a folder with ``train/<class>/`` and ``test/<class>/``;
        or a folder around such a folder, of which it holds one.
        With a third folder ``validation/<class>/``, that one is PublicTest and ``test/`` is
        PrivateTest; without it, ``test/`` is the split ``test``. A picture named
        ``PublicTest_*``, ``PrivateTest_*`` or ``Training_*`` is of that split in any folder.
    splits : sequence of str, optional
        Splits to keep; ``"test"`` keeps both test splits. All if not given.
    classes : sequence of str, optional
        Expressions to keep, names from `stimuli.EXPRESSIONS`. All if not given.
    drop_duplicates : bool
        Keep one of exactly equal pictures: that of PrivateTest before PublicTest before Training,
        and the first within a split. Duplicates are dropped before splits and classes are chosen,
        so that no picture of a training split is in a test split of another reading.

    Returns
    -------
    StimulusSet
        ``images`` of shape (n, 48, 48); labels ``expression`` and ``split``. ``stimulus_id`` is
        ``row-<number>`` (CSV) or the picture's path within the folder. The attribute ``report`` is
        JSON text: counts by split and class, differences from the official counts, and numbers of
        exact duplicates.

    Raises
    ------
    FacestagesError
        Naming the file, the row or picture, and the remedy, if the data are not as described.
    """
    path = Path(path)
    if splits is not None:
        check_choice("FER2013", "splits", splits, SPLITS)
    if classes is not None:
        check_choice("FER2013", "classes", classes, EXPRESSIONS)
    faces, copy = list_faces(path)
    pixels, labels = _collect(faces)
    if labels.empty:
        raise FacestagesError(f"{path}: holds no pictures. Give the whole copy of FER2013")
    content = _number_contents(pixels)
    order = _order_of_copies(content, labels["split"])
    report = {"copy": copy, **_report(labels, content)}
    _warn(path, report)
    keep = _chosen(labels, splits, classes)
    if drop_duplicates:
        keep &= order == 0
    if not keep.any():
        raise FacestagesError(
            f"{path}: no picture is left with splits={splits} and classes={classes}. It holds "
            f"the splits {', '.join(sorted(labels['split'].unique()))}"
        )
    report |= {"duplicates_dropped": drop_duplicates, "n_read": int(keep.sum())}
    return StimulusSet(
        images=pixels[keep].reshape(-1, _SIDE, _SIDE),
        labels=labels[keep].reset_index(drop=True),
        sources={"expression": "file", "split": "file"},
        attributes={"report": json.dumps(report)},
    )


def list_faces(path: Path) -> tuple[Iterator[_Face], str]:
    """Recognise the kind of copy, and start listing its faces, whose pixels are read later."""
    if path.is_dir():
        path = _find_copy(path)
        inside = [path / name for name in _CSV_NAMES if (path / name).is_file()]
        if not inside:
            return _read_folders(path)
        path = inside[0]
    if not path.exists():
        raise FacestagesError(
            f"{path}: no such file or folder. Give the path of fer2013.csv, icml_face_data.csv or "
            f"the folder with train/ and test/"
        )
    return _read_csv(path), "csv"


def _find_copy(path: Path) -> Path:
    """The folder of a copy: `path`, or one deeper, as unpacking makes; `path` if there is none."""
    level = [path]
    for _ in range(_DEEPEST):
        copies = [folder for folder in level if _holds_copy(folder)]
        if len(copies) > 1:
            names = ", ".join(printable(copy.relative_to(path)) for copy in copies)
            raise FacestagesError(f"{path}: holds several copies of FER2013 ({names}). Give one")
        if copies:
            return copies[0]
        level = [inner for folder in level for inner in _subfolders(folder)]
    return path


def _holds_copy(path: Path) -> bool:
    splits = (_FOLDER_SPLITS.get(folder.name.lower()) for folder in _subfolders(path))
    return "Training" in splits or any((path / name).is_file() for name in _CSV_NAMES)


def _collect(faces: Iterator[_Face]) -> tuple[np.ndarray, pd.DataFrame]:
    """Gather pictures of shape (n, 2304) and their labels."""
    buffer, rows = bytearray(), []
    n_official = sum(map(sum, OFFICIAL_COUNTS.values()))
    for face in progress(faces, "reading FER2013", n_official):
        buffer += face.read()
        rows.append(face[:3])
    labels = pd.DataFrame(rows, columns=["stimulus_id", "expression", "split"], dtype=object)
    return np.frombuffer(buffer, np.uint8).reshape(-1, _N_PIXELS), labels


def _chosen(
    labels: pd.DataFrame, splits: Sequence[str] | None, classes: Sequence[str] | None
) -> np.ndarray:
    """Mark the rows of the chosen splits and classes."""
    keep = np.ones(len(labels), bool)
    if splits is not None:
        both_tests = {"PublicTest", "PrivateTest"} if "test" in splits else set()
        keep &= labels["split"].isin({*splits, *both_tests}).to_numpy()
    if classes is not None:
        keep &= labels["expression"].isin(classes).to_numpy()
    return keep


def _read_csv(path: Path) -> Iterator[_Face]:
    emotions = {str(number): name for number, name in enumerate(EXPRESSIONS)}
    rows = read_rows(path, _COLUMNS)
    for number, (where, row) in enumerate(rows, 1):
        if row["emotion"] not in emotions:
            raise FacestagesError(
                f"{where}: emotion is '{shorten(row['emotion'])}', but FER2013 has 0 to 6 "
                f"({', '.join(EXPRESSIONS)}). Correct or remove the row"
            )
        if row["Usage"] not in SPLITS[:3]:
            raise FacestagesError(
                f"{where}: unknown Usage '{shorten(row['Usage'])}'; "
                f"{did_you_mean(row['Usage'], SPLITS[:3])}"
            )
        read = partial(_parse_pixels, row["pixels"], where)
        yield _Face(f"row-{number:05d}", emotions[row["emotion"]], row["Usage"], read)


def _parse_pixels(text: str, where: str) -> bytes:
    """Turn 2,304 numbers between 0 and 255 into bytes."""
    with warnings.catch_warnings():
        # Older NumPy warns of text among the numbers and stops there, so that too few are left.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            values = np.fromstring(text, dtype=np.int64, sep=" ")
        except ValueError:
            values = np.empty(0)
    if len(values) != _N_PIXELS or values.min() < 0 or values.max() > 255:
        raise FacestagesError(f"{where}: {_pixel_problem(text)}")
    return values.astype(np.uint8).tobytes()


def _pixel_problem(text: str) -> str:
    remedy = "Correct or remove the row, or fetch the file again"
    values = text.split()
    for position, value in enumerate(values, 1):
        if not (value.isascii() and value.isdigit() and len(value) < 9 and int(value) <= 255):
            short = shorten(value, 20)
            return f"pixel {position} is '{short}', not a whole number from 0 to 255. {remedy}"
    return f"has {len(values)} pixels where {_N_PIXELS} (48x48) are needed. {remedy}"


def _read_folders(path: Path) -> tuple[Iterator[_Face], str]:
    folders = _subfolders(path)
    splits = {folder: _FOLDER_SPLITS.get(folder.name.lower(), "") for folder in folders}
    if not any(splits.values()):
        raise FacestagesError(
            f"{path}: holds neither a folder train/ nor {' or '.join(_CSV_NAMES)}. "
            f"{_nearby(path) or 'Give the folder that holds them'}"
        )
    for folder, split in splits.items():
        if not split:
            raise FacestagesError(
                f"{printable(folder)}: unknown folder name; "
                f"{did_you_mean(folder.name, _FOLDER_SPLITS)}"
            )
    if "Training" not in splits.values():
        raise FacestagesError(f"{path}: holds no folder train/. Give the whole copy of FER2013")
    if "PublicTest" in splits.values():
        splits = {
            folder: "PrivateTest" if split == "test" else split for folder, split in splits.items()
        }
    return _read_pictures(path, splits), "/".join(sorted(folder.name for folder in folders))


def _nearby(path: Path) -> str:
    """Where a copy is that is not in a folder: above it, packed, or under another name."""
    for folder in path.absolute().parents[: _DEEPEST - 1]:
        if _holds_copy(folder):
            return f"Give {printable(folder)}"
    files = [item for folder in (path, *_subfolders(path)) for item in sorted(folder.iterdir())]
    for file in files:
        if file.name.lower().endswith(ARCHIVE_SUFFIXES) and not is_clutter(file.name):
            return f"It holds {printable(file.relative_to(path))}: unpack it first"
    for file in files:
        if file.name.lower().endswith(".csv") and not is_clutter(file.name):
            with contextlib.suppress(FacestagesError):
                read_header(file, _COLUMNS)
                return f"It holds {printable(file.relative_to(path))}: give that as 'path'"
    return ""


def _subfolders(path: Path) -> list[Path]:
    return sorted(item for item in path.iterdir() if item.is_dir() and item.name[0] not in "._")


def _read_pictures(root: Path, splits: dict[Path, str]) -> Iterator[_Face]:
    for folder, split in splits.items():
        class_folders = _subfolders(folder)
        if not class_folders:
            raise FacestagesError(
                f"{folder}: holds no class folders. There must be {', '.join(EXPRESSIONS)}"
            )
        for class_folder in class_folders:
            expression = class_folder.name.lower()
            if expression not in EXPRESSIONS:
                raise FacestagesError(
                    f"{printable(class_folder)}: unknown class folder; "
                    f"{did_you_mean(class_folder.name, EXPRESSIONS)}"
                )
            for picture in sorted(class_folder.iterdir()):
                if is_clutter(picture.name):
                    continue
                if problem := line_problem(picture.name):
                    raise FacestagesError(f"{class_folder}: the name of a picture {problem}")
                stimulus_id = picture.relative_to(root).as_posix()
                picture_split = _split_in_name(picture.name) or split
                read = partial(_read_picture, picture)
                yield _Face(stimulus_id, expression, picture_split, read)


def _split_in_name(name: str) -> str | None:
    prefix = name.split("_")[0]
    return prefix if "_" in name and prefix in SPLITS[:3] else None


def _read_picture(path: Path) -> bytes:
    pixels = read_picture(path, "grey")
    rows, columns = pixels.shape
    if (rows, columns) != (_SIDE, _SIDE):
        raise FacestagesError(
            f"{printable(path)}: is {columns}x{rows} pixels, but FER2013 has 48x48. Is it another "
            f"data set? Read other pictures with a table (source: table)"
        )
    return pixels.tobytes()


def _number_contents(pixels: np.ndarray) -> np.ndarray:
    """Give equal pictures (rows of shape (n, 2304)) the same number."""
    digests = [hashlib.blake2b(row, digest_size=16).digest() for row in pixels]
    return pd.factorize(np.array(digests, dtype=object))[0]


def _order_of_copies(content: np.ndarray, splits: pd.Series) -> np.ndarray:
    """Number equal pictures (of one `content`) 0, 1, 2, ...; number 0 is the one to keep."""
    rank = splits.map({split: number for number, split in enumerate(_KEEP_FIRST)})
    ranked = pd.Series(content).loc[rank.sort_values(kind="stable").index]
    return ranked.groupby(ranked).cumcount().sort_index().to_numpy()


def _report(labels: pd.DataFrame, content: np.ndarray) -> dict:
    """Count pictures and duplicates, and list differences from the official counts."""
    counted = Counter(zip(labels["split"], labels["expression"], strict=True))
    present = [split for split in SPLITS if (labels["split"] == split).any()]
    counts = {split: {name: counted[split, name] for name in EXPRESSIONS} for split in present}
    copies = labels.groupby(content)
    return {
        "n_pictures": len(labels),
        "counts": counts,
        "differences": _differences(counts),
        "n_distinct": copies.ngroups,
        "n_duplicates": len(labels) - copies.ngroups,
        "n_pictures_in_two_splits": int((copies["split"].nunique() > 1).sum()),
        "n_pictures_with_two_labels": int((copies["expression"].nunique() > 1).sum()),
    }


def _warn(path: Path, report: dict) -> None:
    if report["differences"]:
        logger.warning("%s is not the official FER2013: %s", path, "; ".join(report["differences"]))
    logger.info(
        "%s: %d pictures, %d of them copies of another; %d pictures are in two splits",
        path,
        report["n_pictures"],
        report["n_duplicates"],
        report["n_pictures_in_two_splits"],
    )


def _differences(counts: dict[str, dict[str, int]]) -> list[str]:
    official = {
        split: dict(zip(EXPRESSIONS, numbers, strict=True))
        for split, numbers in OFFICIAL_COUNTS.items()
    }
    if "test" in counts:
        merged = Counter(official.pop("PublicTest")) + Counter(official.pop("PrivateTest"))
        official["test"] = dict(merged)
    counted = {(split, name): n for split, row in counts.items() for name, n in row.items()}
    return [
        f"{split} {name}: {counted.get((split, name), 0)}, officially {n}"
        for split, row in official.items()
        for name, n in row.items()
        if counted.get((split, name), 0) != n
    ]


def prepare(out, name: str, entry: Mapping, *, source, detector, threads: int) -> None:
    """Make a face set for `stimuli.sources.prepare_stimuli`."""
    options = {key: value for key, value in entry.items() if key != "source"}
    faces = read_fer2013(**options)
    write_pictures(out, replace(faces, labels=faces.labels[["stimulus_id"]], sources={}), name)
