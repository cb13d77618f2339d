"""A user's face set: a CSV table of labels and a folder of pictures."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from facestages.errors import FacestagesError
from facestages.rows import read_rows
from facestages.stimuli.photographs import write_photographs
from facestages.stimuli.pictures import Picture, PictureSource, read_picture


def list_table(
    table: str | os.PathLike, *, folder: str | os.PathLike | None = None
) -> PictureSource:
    """List the pictures of a table of labels and a folder of pictures.

    Parameters
    ----------
    table : path-like
        CSV file with a header. ``path`` names the picture within `folder`. Of the other columns,
        `stimuli.labels.table` reads the labels.
    folder : path-like, optional
        Folder of the pictures; the table's own if not given.

    Returns
    -------
    PictureSource
        In the order of the table. ``stimulus_id`` is the table's column of that name; without such
        a column it is ``path``. Pictures are of the formats of `stimuli.pictures.read_picture`.

    Raises
    ------
    FacestagesError
        Naming the file, the row and the remedy, if one of the two columns is missing or wrong.
        Pictures are checked later, when they are read.
    """
    table = Path(table)
    folder = table.parent if folder is None else Path(folder)
    if not folder.is_dir():
        raise FacestagesError(f"{folder}: no such folder of pictures. Correct 'folder'")
    places, rows = read_listed(table)
    pictures = [
        Picture(
            row["path"],
            row.get("stimulus_id", row["path"]),
            partial(read_picture, folder / row["path"], place=place),
        )
        for place, row in zip(places, rows, strict=True)
    ]
    return PictureSource(pictures, len(pictures))


def read_listed(table: Path) -> tuple[list[str], list[dict[str, str]]]:
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
                    f"{place}: {name} '{row[name]}' is already in "
                    f"{place_of[name, row[name]].split(': ')[-1]}. Remove one of the rows"
                )
            place_of[name, row[name]] = place
        places.append(place)
        rows.append(row)
    if not rows:
        raise FacestagesError(f"{table}: has a header but no rows. Add one row a picture")
    return places, rows


def _inner_path(text: str, place: str) -> str:
    """Tidy a path without access to the disk; refuse one that leads out of the folder."""
    path = posixpath.normpath(text) if text else ""
    if path.startswith("/") or path.split("/")[0] == "..":
        raise FacestagesError(
            f"{place}: path '{text}' leads out of the folder of pictures. Give it relative to "
            f"that folder, and set 'folder' to the one that holds all pictures"
        )
    return path


def prepare(out, name: str, entry: Mapping, *, source, detector, threads: int) -> None:
    """Make a face set for `stimuli.sources.prepare_stimuli`."""
    listed = list_table(entry["table"], folder=entry["folder"])
    write_photographs(out, name, listed, entry, detector, threads)
