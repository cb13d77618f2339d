"""A user's face set: a CSV table of labels and a folder of pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from facestages.errors import FacestagesError
from facestages.face_tables import read_face_table
from facestages.picture_paths import find_pictures, missing_pictures, spelt_otherwise
from facestages.stimuli.photographs import write_photographs
from facestages.stimuli.pictures import Picture, PictureSource, find_white, read_picture


def list_table(
    table: str | os.PathLike,
    *,
    folder: str | os.PathLike | None = None,
    columns: Mapping[str, str] | None = None,
) -> PictureSource:
    """List the pictures of a table of labels and a folder of pictures.

    Parameters
    ----------
    table : path-like
        CSV file with a header. ``path`` names the picture within `folder`. Of the other columns,
        `stimuli.labels.table` reads the labels.
    folder : path-like, optional
        Folder of the pictures; the table's own if not given.
    columns : mapping of str to str, optional
        As for `face_tables.read_face_table`.

    Returns
    -------
    PictureSource
        In the order of the table. ``stimulus_id`` is the table's column of that name; without such
        a column it is ``path``. Pictures are of the formats of `stimuli.pictures.read_picture`;
        the report's ``to_look_at`` says of those of 16 bits what is white in all of them.

    Raises
    ------
    FacestagesError
        Naming the file, the row and the remedy, if one of the two columns is missing or wrong, or
        a picture is not there. Pictures are checked later, when they are read.
    """
    table = Path(table)
    folder = table.parent if folder is None else Path(folder)
    if not folder.is_dir():
        raise FacestagesError(f"{folder}: no such folder of pictures. Correct 'folder'")
    places, rows = read_face_table(table, columns)
    found = find_pictures(folder, [row["path"] for row in rows])
    first, problem = missing_pictures(folder, found)
    if problem:
        raise FacestagesError(f"{places[first]}: {problem}")
    white, lines = find_white(found.values())
    pictures = [
        Picture(
            row["path"],
            row.get("stimulus_id", row["path"]),
            partial(read_picture, found[row["path"]], place=place, white=white),
        )
        for place, row in zip(places, rows, strict=True)
    ]
    odd = [*spelt_otherwise(folder, found), *lines]
    return PictureSource(pictures, len(pictures), report={"to_look_at": odd} if odd else {})


def prepare(out, name: str, entry: Mapping, *, source, detector, threads: int) -> None:
    """Make a face set for `stimuli.sources.prepare_stimuli`."""
    listed = list_table(entry["table"], folder=entry["folder"], columns=entry["columns"])
    write_photographs(out, name, listed, entry, detector, threads)
