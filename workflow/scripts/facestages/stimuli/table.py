"""A user's face set: a CSV table of labels and a folder of pictures."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from facestages import store
from facestages.errors import FacestagesError, did_you_mean, shorten
from facestages.rows import MISSING, parse_number, read_rows, require_number
from facestages.stimuli.crop import CROP_LABELS
from facestages.stimuli.photographs import write_photographs
from facestages.stimuli.pictures import Picture, PictureSource, read_picture

# These stay text: a person named "01" is not the number 1.
_TEXT = ("stimulus_id", "path", "identity", "sex", "expression", "session")
# Whole numbers below it are exact in float64.
_EXACT = 2**53
_NUMBERS = ("frame", "intensity", "valence", "arousal")
# Labels are copied to files of every kind, beside arrays of these names, and cropping adds labels.
_TAKEN = {*CROP_LABELS, *(name for names in store.NAMES.values() for name in names)}


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
        CSV file with a header. ``path`` names the picture within `folder`. The usual other columns
        are ``identity``, ``expression``, ``sex``, ``session`` (text), ``frame``, ``intensity``,
        ``valence``, ``arousal``, ``au_*`` (numbers; empty, NA or NaN if missing). Further columns
        are kept as text, or as numbers if every filled value is a number.
    folder : path-like, optional
        Folder of the pictures; the table's own if not given.
    sources : mapping, optional
        Source of a label (``human``, ``posed``, ...). Other labels have the source ``file``.

    Returns
    -------
    PictureSource
        In the order of the table. ``stimulus_id`` is the table's column of that name, and ``path``
        is then a label; without such a column it is ``path``. Pictures are of the formats of
        `stimuli.pictures.read_picture`.

    Raises
    ------
    FacestagesError
        Naming the file, the row and the remedy, if a column or value is missing or wrong. Pictures
        are checked later, when they are read.
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


def _sources(names: list[str], given: Mapping[str, str], table: Path) -> dict[str, str]:
    for name in given:
        if name not in names:
            raise FacestagesError(
                f"{table}: 'sources' names '{name}', which is no label of the table; "
                f"{did_you_mean(name, names)}"
            )
    return {name: given.get(name, "file") for name in names}


def _read_labels(table: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Read all rows, each with its place for messages, and check what identifies a picture."""
    places, rows, place_of = [], [], {}
    for place, row in read_rows(table, ("path",)):
        row["path"] = _inner_path(row["path"], place)
        for name in ("path", "stimulus_id"):
            if name not in row:
                continue
            if not row[name]:
                raise FacestagesError(f"{place}: '{name}' is empty. Fill it in or remove the row")
            if (name, row[name]) in place_of:
                raise FacestagesError(
                    f"{place}: {name} '{shorten(row[name])}' is already in "
                    f"{place_of[name, row[name]].split(': ')[-1]}. Remove one of the rows"
                )
            place_of[name, row[name]] = place
        places.append(place)
        rows.append(row)
    if not rows:
        raise FacestagesError(f"{table}: has a header but no rows. Add one row a picture")
    for name in rows[0]:
        _require_free(table, name)
    return places, rows


def _require_free(table: Path, name: str) -> None:
    """Refuse a column whose name no label can have in an HDF5 file of facestages."""
    if name in (".", "..") or "/" in name or "\0" in name:
        reason, other = "it is no name in an HDF5 file", re.sub(r"\W+", "_", name).strip("_")
    elif name in _TAKEN:
        reason, other = "the files with the labels have other data under this name", name
    else:
        return
    raise FacestagesError(
        f"{table}: a label cannot be named '{shorten(name)}': {reason}. Rename the column, e.g. to "
        f"'{'_'.join(filter(None, ('label', other)))}'"
    )


def _inner_path(text: str, place: str) -> str:
    """Tidy a path without access to the disk; refuse one that leads out of the folder."""
    path = posixpath.normpath(text) if text else ""
    if path.startswith("/") or path.split("/")[0] == "..":
        raise FacestagesError(
            f"{place}: path '{shorten(text)}' leads out of the folder of pictures. Give it "
            f"relative to that folder, and set 'folder' to the one that holds all pictures"
        )
    return path


def _to_column(name: str, values: list[str], places: list[str]) -> list | np.ndarray:
    """Turn a column into numbers if its name asks for them, or if all filled values are numbers."""
    if name in _TEXT:
        return values
    if name not in _NUMBERS and not name.startswith("au_"):
        filled = [value for value in values if value.lower() not in MISSING]
        if not filled or any(parse_number(value) is None for value in filled):
            return values
    numbers = np.array(
        [require_number(place, name, value) for place, value in zip(places, values, strict=True)]
    )
    if name == "frame" and np.all((numbers == np.floor(numbers)) & (np.abs(numbers) < _EXACT)):
        return numbers.astype(np.int64)
    return numbers


def prepare(out, name: str, entry: Mapping, *, source, detector, threads: int) -> None:
    """Make a face set for `stimuli.sources.prepare_stimuli`."""
    listed = list_table(entry["table"], folder=entry["folder"], sources=entry["sources"])
    write_photographs(out, name, listed, entry, detector, threads)
