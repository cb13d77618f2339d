"""Pictures of a table on the disk, whatever the spelling of their paths there.

Disks and tables write one letter in several ways: composed or not (NFC, NFD), large or small. Such
paths are one path to a user. Snakemake asks for pictures at the start of a run, so nothing heavy is
imported here.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable

from facestages.errors import FacestagesError
from facestages.rows import tidy
from facestages.text import printable


def find_pictures(folder: str | os.PathLike, paths: Iterable[str]) -> dict[str, str]:
    """The file of each path of a table, by the path.

    A file of another spelling is taken where it is the only one. Where there is none, the file is
    that of the path as it is written.

    Raises
    ------
    FacestagesError
        If several files fit a path, or several paths one file.
    """
    folder = os.fspath(folder)
    names_in = functools.cache(_names_in)
    found = {}
    for path in paths:
        file = os.path.join(folder, path)
        # Of a name with accents, the disk may have two spellings, and either is as good.
        if not path.isascii() or not os.path.exists(file):
            file = _nearest(folder, path, names_in) or file
        found[path] = file
    path_of: dict[str, str] = {}
    for path, file in found.items():
        if path_of.setdefault(file, path) != path:
            raise FacestagesError(
                f"{printable(file)}: is the picture of both {ascii(path_of[file])} and "
                f"{ascii(path)} in the table, which differ in spelling alone. Remove one of the "
                f"rows"
            )
    return found


def _nearest(folder: str, path: str, names_in: Callable[[str], dict[str, list[str]]]) -> str | None:
    """The one file whose path differs in spelling alone, if there is one."""
    place = folder
    for part in path.split("/"):
        names = names_in(place).get(tidy(part).casefold(), [])
        names = [name for name in names if tidy(name) == part] or names
        if not names:
            return None
        if len(names) > 1:
            raise FacestagesError(
                f"{printable(place)}: holds {' and '.join(map(ascii, names))}, whose names are one "
                f"name in the table: they differ in case or in how letters are composed (NFC, "
                f"NFD). Rename one"
            )
        place = os.path.join(place, names[0])
    return place


def _names_in(folder: str) -> dict[str, list[str]]:
    """What a folder holds, by the names without differences of spelling."""
    names: dict[str, list[str]] = {}
    try:
        for name in sorted(os.listdir(folder)):
            names.setdefault(tidy(name).casefold(), []).append(name)
    except OSError:
        pass
    return names


def spelt_otherwise(folder: str | os.PathLike, found: dict[str, str]) -> list[str]:
    """A line on paths that are written otherwise on the disk; none if all are as written."""
    pairs = [(path, os.path.relpath(file, folder)) for path, file in found.items()]
    others = [(path, name) for path, name in pairs if path != name]
    if not others:
        return []
    path, name = others[0]
    return [
        f"{len(others)} of {len(pairs)} paths are spelt otherwise on the disk, e.g. "
        f"{ascii(path)} is {ascii(name)}"
    ]


def missing_pictures(folder: str | os.PathLike, found: dict[str, str]) -> tuple[int, str]:
    """Number of the first picture that is not there, and what is missing; -1 and "" if none is."""
    missing = [number for number, file in enumerate(found.values()) if not os.path.exists(file)]
    if not missing:
        return -1, ""
    path = list(found)[missing[0]]
    return missing[0], (
        f"there is no picture {printable(os.path.join(folder, path))} ({len(missing)} of "
        f"{len(found)} are missing). "
        f"{where_else(folder, path) or 'Correct the path or remove the row'}"
    )


def where_else(folder: str | os.PathLike, path: str) -> str:
    """Where a picture is that is not where a table says: one folder higher, deeper, or packed."""
    folder = os.path.normpath(folder)
    deeper = [os.path.join(folder, name) for name in sorted(_visible(folder))]
    higher = os.path.normpath(os.path.join(folder, ".."))
    for other in (higher, *filter(os.path.isdir, deeper)):
        if os.path.exists(find_pictures(other, [path])[path]):
            return f"It is in {printable(other)}: set 'folder' to that"
    name = os.path.basename(path)
    place = os.path.join(folder, os.path.dirname(path))
    for other in sorted(_visible(place)):
        if os.path.splitext(other)[0] in (name, os.path.splitext(name)[0]):
            return f"{printable(other)} is there: write names with their endings"
    file = find_pictures(folder, [name])[name]
    if "/" in path and os.path.exists(file):
        return f"{printable(file)} is there: correct the column of paths"
    return ""


def _visible(folder: str) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if not name.startswith(".")]
    except OSError:
        return []
