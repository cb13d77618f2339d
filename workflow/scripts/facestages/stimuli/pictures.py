"""Pictures of a source, read one at a time on their way into a face set."""

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

    #: The file within its folder, and the frame of a video, for messages and reports.
    name: str
    stimulus_id: str
    #: Returns uint8 of shape (rows, columns) or (rows, columns, 3); is called in another thread.
    read: Callable[[], np.ndarray]


@dataclass(frozen=True)
class PictureSource:
    """The pictures of a face set before they are read.

    Attributes
    ----------
    pictures : iterable of Picture
        In the order of the face set; iterated once.
    n : int
        Number of pictures.
    excluded : list of (str, str)
        Files that are left out without being read, and the reason.
    report : dict
        Further facts for the report, of JSON's types.
    has_black : bool
        Some pictures of this source are black by mistake; black pictures are left out.
    """

    pictures: Iterable[Picture]
    n: int
    excluded: list[tuple[str, str]] = field(default_factory=list)
    report: dict[str, object] = field(default_factory=dict)
    has_black: bool = False


def read_picture(path: str | os.PathLike, color: str = "rgb", place: str = "") -> np.ndarray:
    """Read a picture file of any format that Pillow knows, with or without extension.

    The camera's orientation is applied, 16-bit grey is scaled from 0-65535 to 0-255, transparent
    parts become middle grey (128), and an animation gives its first picture.

    Parameters
    ----------
    path : path-like
    color : {"grey", "rgb"}
        Grey is the luminance of ITU-R 601.
    place : str
        The line that gave the path, for messages, e.g. ``"faces.csv: row 3"``.

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
    """Scale 16-bit grey to 8 bits; Pillow itself would clip it at 255."""
    if not picture.mode.startswith(("I", "F")):
        return picture
    values = np.asarray(picture)
    if picture.mode == "F" or values.min() < 0 or values.max() > 65535:
        raise ValueError(f"mode {picture.mode} values are not 8 or 16 bit; save it as PNG")
    return Image.fromarray(np.round(values / 257).astype(np.uint8))


def _without_alpha(picture: Image.Image) -> Image.Image:
    """Make transparent parts middle grey, because black or white would make an edge."""
    if not picture.has_transparency_data:
        return picture
    picture = picture.convert("RGBA")
    behind = Image.new("RGBA", picture.size, (_BEHIND_TRANSPARENT,) * 3 + (255,))
    return Image.alpha_composite(behind, picture)
