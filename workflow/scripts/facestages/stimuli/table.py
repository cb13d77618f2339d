"""A face set of one's own: a CSV table beside a folder of pictures."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageOps

from facestages.errors import FacestagesError, did_you_mean
from facestages.progress import progress
from facestages.stimuli import StimulusSet
from facestages.stimuli.rows import read_rows

# A name such as "01" is not a number.
_TEXT = ("stimulus_id", "path", "identity", "sex", "expression", "session")
_NUMBERS = ("frame", "intensity", "valence", "arousal")
# Names that the HDF5 files, to which labels are copied, use for themselves.
_TAKEN = (
    *("images", "row", "column", "channel", "unit", "activation", "other_stimulus"),
    *("component", "gram", "eigenvalue", "score", "variance_ratio"),
)
_MISSING = ("", "na", "nan")
_MODES = {"grey": "L", "rgb": "RGB"}
_BEHIND_TRANSPARENT = 128


def read_table(
    table: str | os.PathLike,
    *,
    folder: str | os.PathLike | None = None,
    size: int | None = None,
    color: str = "grey",
    sources: Mapping[str, str] | None = None,
) -> StimulusSet:
    """Read a face set from a table of labels and a folder of pictures.

    Parameters
    ----------
    table : path-like
        CSV file with a header. ``path`` names the picture within `folder`; the usual other columns
        are ``identity``, ``expression``, ``sex``, ``session`` (text), ``frame``, ``intensity``,
        ``valence``, ``arousal``, ``au_*`` (numbers; empty, NA or NaN if missing). Further columns
        are kept, as numbers if every filled value is one. Labels are kept as they are written.
    folder : path-like, optional
        Folder of the pictures; the table's own if not given.
    size : int, optional
        Rows and columns of the pictures: the largest square around the centre is cut out, so that
        faces keep their proportions, and resampled (antialiased bilinear). Without it the pictures
        stay as they are and must all have one size.
    color : {"grey", "rgb"}
        How pictures are kept; grey is the luminance of ITU-R 601.
    sources : mapping, optional
        Source of a label (``human``, ``posed``, ...); ``file`` for those not in it.

    Returns
    -------
    StimulusSet
        In the order of the table. ``stimulus_id`` is the table's column of that name (``path`` is
        then kept as a label), else ``path``.

    Raises
    ------
    FacestagesError
        Naming the file, the row and the remedy, if a column, value or picture is missing or cannot
        be read.

    Notes
    -----
    Any format that Pillow reads, with or without extension. The camera's orientation is applied,
    16-bit grey is scaled from 0-65535 to 0-255, transparent parts are put on middle grey (128),
    and of an animation the first picture is taken.
    """
    table = Path(table)
    folder = table.parent if folder is None else Path(folder)
    _check_arguments(folder, size, color)
    places, rows = _read_labels(table)
    labels = pd.DataFrame(
        {name: _to_column(name, [row[name] for row in rows], places) for name in rows[0]}
    )
    images = _read_pictures(folder, labels["path"], places, size, _MODES[color])
    if "stimulus_id" not in labels:
        labels = labels.rename(columns={"path": "stimulus_id"})
    names = [name for name in labels.columns if name != "stimulus_id"]
    return StimulusSet(
        images=images,
        labels=labels[["stimulus_id", *names]],
        sources=_sources(names, sources or {}, table),
    )


def _check_arguments(folder: Path, size: int | None, color: str) -> None:
    if not folder.is_dir():
        raise FacestagesError(f"{folder}: no such folder of pictures. Correct 'folder'")
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 1):
        raise FacestagesError(f"'size' must be a whole number of pixels above 0, not {size!r}")
    if color not in _MODES:
        raise FacestagesError(f"unknown color '{color}'; {did_you_mean(color, _MODES)}")


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


# ------------------------------------------------------------------------------- pictures


def _read_pictures(
    folder: Path, paths: pd.Series, places: list[str], size: int | None, mode: str
) -> np.ndarray:
    """Read all pictures into one array of shape (n, rows, columns[, 3])."""
    images = None
    for i, path in enumerate(progress(list(paths), "reading pictures")):
        image = _read_picture(folder / path, places[i], size, mode)
        if images is None:
            images = np.empty((len(paths), *image.shape), np.uint8)
        if image.shape != images.shape[1:]:
            raise FacestagesError(
                f"{places[i]}: {path} is {_size_text(image)} pixels, the ones before are "
                f"{_size_text(images[0])}. Set 'size' to bring all pictures to one size"
            )
        images[i] = image
    return images


def _size_text(image: np.ndarray) -> str:
    return f"{image.shape[1]}x{image.shape[0]}"


def _read_picture(path: Path, place: str, size: int | None, mode: str) -> np.ndarray:
    if not path.is_file():
        raise FacestagesError(
            f"{place}: there is no picture {path}. Correct 'path', set 'folder', or remove the row"
        )
    try:
        with Image.open(path) as opened:
            picture = _to_eight_bit(ImageOps.exif_transpose(opened))
            picture = _without_alpha(picture).convert(mode)
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise FacestagesError(
            f"{place}: {path} cannot be read as a picture ({error}). Replace it or remove the row"
        ) from error
    if size is not None:
        picture = _crop_square(picture).resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(picture)


def _crop_square(picture: Image.Image) -> Image.Image:
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side))


def _to_eight_bit(picture: Image.Image) -> Image.Image:
    """Scale 16-bit grey to 8 bits; Pillow itself would cut it off at 255."""
    if not picture.mode.startswith(("I", "F")):
        return picture
    values = np.asarray(picture)
    if picture.mode == "F" or values.min() < 0 or values.max() > 65535:
        raise ValueError(f"mode {picture.mode} values are not 8 or 16 bit; save it as PNG")
    return Image.fromarray(np.round(values / 257).astype(np.uint8))


def _without_alpha(picture: Image.Image) -> Image.Image:
    """Put transparent parts on middle grey, so that they are no edge of black or white."""
    if not picture.has_transparency_data:
        return picture
    picture = picture.convert("RGBA")
    behind = Image.new("RGBA", picture.size, (_BEHIND_TRANSPARENT,) * 3 + (255,))
    return Image.alpha_composite(behind, picture)
