"""Pictures of a source, read one at a time on their way into a face set."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from facestages.bounds import require_size
from facestages.errors import FacestagesError, shorten
from facestages.text import printable

MODES = {"grey": "L", "rgb": "RGB"}
#: Formats that are read, as Pillow calls them. It knows many more, and starts programs for some.
FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "GIF", "WEBP", "PPM")
#: A picture, and a frame of a video, has at most so many pixels.
MOST_PIXELS = 50_000_000

_BEHIND_TRANSPARENT = 128
# No picture of that size is larger: 16 bits of four channels.
_MOST_BYTES = 8 * MOST_PIXELS
# Of samples that Pillow scales in Python, which takes a second for a million.
_MOST_SCALED = 10_000_000
# A progressive JPEG has ten or so. Every scan goes over the whole picture once more.
_MOST_SCANS = 100
_START_OF_SCAN = b"\xff\xda"
# Tags of TIFF: width and length of a tile, offsets of strips and of tiles.
_TILE, _OFFSETS = (322, 323), (273, 324)


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
    """Read a picture file: JPEG, PNG, TIFF, BMP, GIF, WebP, PGM or PPM, with any extension or none.

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
        If there is no such file, it is no picture of these formats, or it has more than 50 million
        pixels.
    """
    path, place = Path(path), f"{place}: " if place else ""
    try:
        if not path.is_file():
            raise FacestagesError(
                f"there is no picture {printable(path)}. Correct the path or remove it"
            )
        require_size(path, _MOST_BYTES, "a picture")
        with Image.open(path, formats=FORMATS) as opened:
            _require_few_pixels(path, opened)
            ImageOps.exif_transpose(opened, in_place=True)
            picture = _without_alpha(_to_eight_bit(opened))
            return np.asarray(picture.convert(MODES[color]))
    except FacestagesError as error:
        raise FacestagesError(f"{place}{error}") from error
    # Pillow raises errors of many kinds for a damaged picture.
    except Exception as error:
        unknown = isinstance(error, UnidentifiedImageError)
        reason = f"it is none of {', '.join(FORMATS)}" if unknown else shorten(error, 120)
        raise FacestagesError(
            f"{place}{printable(path)} cannot be read as a picture ({reason}). Replace or remove it"
        ) from error


def _require_few_pixels(path: Path, opened: Image.Image) -> None:
    """Refuse a picture, from its header, that takes long or much memory to decode."""
    most, n_pixels = MOST_PIXELS, opened.width * opened.height
    if opened.format == "TIFF":
        # Tiles are decoded whole, however little of them belongs to the picture.
        tile = [opened.tag_v2.get(number, 1) for number in _TILE]
        n_pixels = max(n_pixels, *tile, math.prod(tile))
    if opened.format == "PPM" and opened.tile[0].codec_name != "raw":
        most = _MOST_SCALED
    if n_pixels > most:
        raise FacestagesError(
            f"{path} has {n_pixels / 1e6:,.0f} million pixels, and at most {most / 1e6:,.0f} "
            f"million are read. Save it smaller"
        )
    _require_few_scans(path, opened)


def _require_few_scans(path: Path, opened: Image.Image) -> None:
    n_parts = 1
    if opened.format == "TIFF":
        if opened.info.get("compression") not in ("jpeg", "tiff_jpeg"):
            return
        # Strips and tiles are JPEGs each.
        n_parts = sum(len(set(opened.tag_v2.get(number, ()))) for number in _OFFSETS)
    elif opened.format not in ("JPEG", "MPO"):
        return
    n_scans = path.read_bytes().count(_START_OF_SCAN)
    if n_scans > _MOST_SCANS * n_parts:
        raise FacestagesError(
            f"{path} is a JPEG of {n_scans} scans, and at most {_MOST_SCANS} are read. Save it anew"
        )


def _to_eight_bit(picture: Image.Image) -> Image.Image:
    """Scale 16-bit grey to 8 bits; Pillow itself would clip it at 255."""
    if not picture.mode.startswith(("I", "F")):
        return picture
    values = np.asarray(picture)
    if picture.mode == "F" or values.min() < 0 or values.max() > 65535:
        raise ValueError(f"mode {picture.mode} values are not 8 or 16 bit; save it as PNG")
    # Rounded, in whole numbers.
    return Image.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8))


def _without_alpha(picture: Image.Image) -> Image.Image:
    """Make transparent parts middle grey, because black or white would make an edge."""
    if not picture.has_transparency_data:
        return picture
    if picture.mode != "RGBA":
        picture = picture.convert("RGBA")
    behind = Image.new("RGBA", picture.size, (_BEHIND_TRANSPARENT,) * 3 + (255,))
    return Image.alpha_composite(behind, picture)
