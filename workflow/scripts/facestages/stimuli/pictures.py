"""Pictures on their way into a face set, one at a time, from whatever they are kept in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from facestages.errors import FacestagesError

MODES = {"grey": "L", "rgb": "RGB"}
_BEHIND_TRANSPARENT = 128


class Picture(NamedTuple):
    """One picture that has not been read yet."""

    #: The file within its folder (of a video also the frame), for messages and reports.
    name: str
    #: One row of labels; ``stimulus_id`` among them.
    labels: dict[str, object]
    #: Returns uint8 of shape (rows, columns) or (rows, columns, 3); runs in a thread of its own.
    read: Callable[[], np.ndarray]


@dataclass(frozen=True)
class PictureSource:
    """The pictures of a face set and what is known before they are read.

    Attributes
    ----------
    pictures : iterable of Picture
        In the order of the face set; gone through once.
    n : int
        Their number.
    sources : dict of str to str
        For each label but ``stimulus_id`` where it comes from, as in `StimulusSet`.
    excluded : list of (str, str)
        Files left out without being read, and why.
    report : dict
        What else is to be reported: plain values, lists and dicts, as JSON has them.
    has_black : bool
        Some of its pictures are known to be black; they are left out.
    """

    pictures: Iterable[Picture]
    n: int
    sources: dict[str, str]
    excluded: list[tuple[str, str]] = field(default_factory=list)
    report: dict[str, object] = field(default_factory=dict)
    has_black: bool = False


def read_picture(path: str | os.PathLike, color: str = "rgb", place: str = "") -> np.ndarray:
    """Read a picture file of any format that Pillow knows, with or without extension.

    The camera's orientation is applied, 16-bit grey is scaled from 0-65535 to 0-255, transparent
    parts are put on middle grey (128), and of an animation the first picture is taken.

    Parameters
    ----------
    path : path-like
    color : {"grey", "rgb"}
        Grey is the luminance of ITU-R 601.
    place : str
        Where the path was found, for messages, e.g. ``"faces.csv: row 3"``.

    Returns
    -------
    numpy.ndarray of uint8, shape (rows, columns) or (rows, columns, 3)

    Raises
    ------
    FacestagesError
        If there is no such file or it is no picture.
    """
    path, place = Path(path), f"{place}: " if place else ""
    try:
        if not path.is_file():
            raise FacestagesError(
                f"{place}there is no picture {path}. Correct the path or remove it"
            )
        with Image.open(path) as opened:
            picture = _to_eight_bit(ImageOps.exif_transpose(opened))
            return np.asarray(_without_alpha(picture).convert(MODES[color]))
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise FacestagesError(
            f"{place}{path} cannot be read as a picture ({error}). Replace or remove it"
        ) from error


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
