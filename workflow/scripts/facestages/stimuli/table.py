"""A face set of one's own: a CSV table beside a folder of pictures."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from facestages.errors import FacestagesError, did_you_mean
from facestages.rows import read_rows
from facestages.stimuli.photographs import write_photographs
from facestages.stimuli.pictures import Picture, PictureSource, read_picture

# A name such as "01" is not a number.
_TEXT = ("stimulus_id", "path", "identity", "sex", "expression", "session")
_NUMBERS = ("frame", "intensity", "valence", "arousal")
# Names that the HDF5 files, to which labels are copied, use for themselves.
_TAKEN = (
    *("images", "row", "column", "channel", "unit", "activation", "other_stimulus"),
    *("component", "gram", "eigenvalue", "score", "variance_ratio", "variance_ratio_error"),
    *("eigenvalue_number", "other_stimulus_id", "product"),
    *("examples", "irregular", "face_score", "eye_distance"),
)
_MISSING = ("", "na", "nan")


def list_table(
    table: str | os.PathLike,
    *,
    folder: str | os.PathLike | None = None,
    sources: Mapping[str, str] | None = None,
) -> PictureSource:
    """List the pictures of a table of labels and a folder of pictures.

    Parameters
    ----------
    table : path-like
        CSV file with a header. ``path`` names the picture within `folder`; the usual other columns
        are ``identity``, ``expression``, ``sex``, ``session`` (text), ``frame``, ``intensity``,
        ``valence``, ``arousal``, ``au_*`` (numbers; empty, NA or NaN if missing). Further columns
        are kept, as numbers if every filled value is one. Labels are kept as they are written.
    folder : path-like, optional
        Folder of the pictures; the table's own if not given.
    sources : mapping, optional
        Source of a label (``human``, ``posed``, ...); ``file`` for those not in it.

    Returns
    -------
    PictureSource
        In the order of the table. ``stimulus_id`` is the table's column of that name (``path`` is
        then kept as a label), else ``path``. The files are those that
        `stimuli.pictures.read_picture` can read.

    Raises
    ------
    FacestagesError
        Naming the file, the row and the remedy, if a column or value is missing or wrong. What is
        wrong with a picture is said when it is read.
    """
    table = Path(table)
    folder = table.parent if folder is None else Path(folder)
    if not folder.is_dir():
        raise FacestagesError(f"{folder}: no such folder of pictures. Correct 'folder'")
    places, rows = _read_labels(table)
    labels = pd.DataFrame(
        {name: _to_column(name, [row[name] for row in rows], places) for name in rows[0]}
    )
    paths = list(labels["path"])
    if "stimulus_id" not in labels:
        labels = labels.rename(columns={"path": "stimulus_id"})
    names = [name for name in labels.columns if name != "stimulus_id"]
    pictures = [
        Picture(path, row, partial(read_picture, folder / path, place=place))
        for path, row, place in zip(
            paths, labels[["stimulus_id", *names]].to_dict("records"), places, strict=True
        )
    ]
    return PictureSource(pictures, len(pictures), _sources(names, sources or {}, table))


def _sources(names: list[str], own: Mapping[str, str], table: Path) -> dict[str, str]:
    for name in own:
        if name not in names:
            raise FacestagesError(
                f"{table}: 'sources' names '{name}', which is no label of the table; "
                f"{did_you_mean(name, names)}"
            )
    return {name: own.get(name, "file") for name in names}


# ------------------------------------------------------------------------------- labels


def _read_labels(table: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Read all rows, each with its place for messages, and check what identifies a picture."""
    places, rows, seen = [], [], {}
    for place, row in read_rows(table, ("path",)):
        row["path"] = _inner_path(row["path"], place)
        for name in ("path", "stimulus_id"):
            if name not in row:
                continue
            if not row[name]:
                raise FacestagesError(f"{place}: '{name}' is empty. Fill it in or remove the row")
            if (name, row[name]) in seen:
                raise FacestagesError(
                    f"{place}: {name} '{row[name]}' is already in "
                    f"{seen[name, row[name]].split(': ')[-1]}. Remove one of the rows"
                )
            seen[name, row[name]] = place
        places.append(place)
        rows.append(row)
    if not rows:
        raise FacestagesError(f"{table}: has a header but no rows. Add one row a picture")
    for name in rows[0]:
        if name in _TAKEN or "/" in name:
            raise FacestagesError(
                f"{table}: a label cannot be named '{name}' in the face set's file. Rename the "
                f"column"
            )
    return places, rows


def _inner_path(text: str, place: str) -> str:
    """Tidy a path without looking at the disk; refuse one that leads out of the folder."""
    path = posixpath.normpath(text) if text else ""
    if path.startswith("/") or path.split("/")[0] == "..":
        raise FacestagesError(
            f"{place}: path '{text}' leads out of the folder of pictures. Give it relative to "
            f"that folder, and set 'folder' to the one that holds all pictures"
        )
    return path


def _to_column(name: str, values: list[str], places: list[str]) -> list | np.ndarray:
    """Turn a column into numbers if it must hold some, or if all its filled values are some."""
    if name in _TEXT:
        return values
    must = name in _NUMBERS or name.startswith("au_")
    numbers = np.full(len(values), np.nan)
    for i, value in enumerate(values):
        if value.lower() in _MISSING:
            continue
        number = _to_number(value)
        if number is None and must:
            raise FacestagesError(
                f"{places[i]}: {name} is '{value}', not a number. Correct it, or leave it empty"
            )
        if number is None:
            return values
        numbers[i] = number
    if not must and np.isnan(numbers).all():
        return values
    if name == "frame" and np.all(numbers == np.floor(numbers)):
        return numbers.astype(np.int64)
    return numbers


def _to_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def prepare(out, name: str, entry: Mapping, *, source, detector, threads: int) -> None:
    """Make a face set for `stimuli.sources.prepare_stimuli`."""
    listed = list_table(entry["table"], folder=entry["folder"], sources=entry["sources"])
    write_photographs(out, name, listed, entry, detector, threads)
