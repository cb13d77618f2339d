"""Pictures of a source, read one at a time on their way into a face set."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from facestages.bounds import require_size
from facestages.errors import FacestagesError, shorten
from facestages.file_kinds import not_a_picture
from facestages.stimuli.quiet_cv2 import cv2
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
# Whole numbers of 8, 10, 12, 14 and 16 bits: what is white in pictures of such values.
_WHITE = (255, 1023, 4095, 16383, 65535)
# A picture whose largest value is so much below white may have fewer bits than others.
_MIXED = 16
#: By kind of value that Pillow does not bring to 8 bits: what may be white.
_WHITES = {"16 bits": _WHITE, "signed 16 bits": (*_WHITE[:-1], 32767), "floats": (1, *_WHITE)}
_ORIENTATION = 0x0112
# Tags of TIFF: width and length of a tile, offsets of strips and of tiles; what zero is; signs.
_TILE, _OFFSETS = (322, 323), (273, 324)
_PHOTOMETRIC, _SAMPLE_FORMAT = 262, 339


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


def read_picture(
    path: str | os.PathLike,
    color: str = "rgb",
    place: str = "",
    white: Mapping[str, float] | None = None,
) -> np.ndarray:
    """Read a picture file: JPEG, PNG, TIFF, BMP, GIF, WebP, PGM or PPM, with any extension or none.

    The camera's orientation is applied, more than 8 bits are scaled to 0-255, transparent parts
    become middle grey (128), and an animation gives its first picture.

    Parameters
    ----------
    path : path-like
    color : {"grey", "rgb"}
        Grey is the luminance of ITU-R 601.
    place : str
        The line that gave the path, for messages, e.g. ``"faces.csv: row 3"``.
    white : mapping of str to float, optional
        From `find_white`, of all pictures that belong together. If not given, white is the largest
        number of 16 bits, and of floats the least of 1, 255, ... that the picture does not exceed.

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
        with _opened(path) as opened:
            _require_few_pixels(path, opened)
            picture = ImageOps.exif_transpose(_to_eight_bit(path, opened, white or {}))
            return np.asarray(_without_alpha(picture).convert(MODES[color]))
    except FacestagesError as error:
        raise FacestagesError(f"{place}{error}") from error
    # Pillow raises errors of many kinds for a damaged picture.
    except Exception as error:
        raise FacestagesError(
            f"{place}{printable(path)} cannot be read as a picture ({_reason(path, error)}). "
            f"Replace or remove it"
        ) from error


def _reason(path: Path, error: Exception) -> str:
    """Why a picture cannot be read."""
    if not isinstance(error, UnidentifiedImageError):
        return shorten(error, 120)
    return not_a_picture(path) or f"it is none of {', '.join(FORMATS)}, or of a rare kind"


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """A picture whose header is read."""
    # By its name, Pillow would map a TIFF into memory, and mix up the sides of one that is turned.
    with open(path, "rb") as stream, Image.open(stream, formats=FORMATS) as opened:
        yield opened


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


def find_white(paths: Iterable[str | os.PathLike]) -> tuple[dict[str, float], list[str]]:
    """What is white in pictures of more than 8 bits, by the largest value in all of them.

    Cameras fill 16 bits with values of 8, 10, 12 or 14. One number for all pictures keeps their
    differences in brightness. Only the headers of other pictures are read.

    Returns
    -------
    white : dict of str to float
        By kind of value: ``16 bits``, ``signed 16 bits``, ``floats``.
    lines : list of str
        Lines for the report: where that is less than the largest number of 16 bits, and where
        pictures of fewer bits seem to be among others.
    """
    tops: dict[str, dict[Path, float]] = {}
    for path in map(Path, paths):
        # What cannot be read is told when it is, with its place in the table.
        with contextlib.suppress(Exception):
            if not path.is_file():
                continue
            with _opened(path) as opened:
                kind = _deep_kind(opened)
                if kind:
                    require_size(path, _MOST_BYTES, "a picture")
                    _require_few_pixels(path, opened)
                    values = _deep_values(path, opened)
                    colours = values[..., :3] if values.ndim == 3 else values
                    tops.setdefault(kind, {})[path] = colours.max()
    white = {kind: _least_white(kind, max(of.values())) for kind, of in tops.items()}
    return white, [line for kind, of in tops.items() for line in _lines_on(kind, of, white[kind])]


def _lines_on(kind: str, tops: Mapping[Path, float], white: float) -> Iterator[str]:
    """Lines on what is white in pictures of a kind, and on those that may have fewer bits."""
    if white != 65535:
        yield (
            f"{len(tops)} pictures of {kind} hold values up to {max(tops.values()):,g}, so "
            f"{white:,} is white in all of them"
        )
    darkest = min(tops, key=lambda path: tops[path])
    if 0 < tops[darkest] <= white / _MIXED:
        yield (
            f"{printable(darkest)} holds values up to {tops[darkest]:,g} where {white:,} is white. "
            f"If pictures of fewer bits are among those of {kind}, save all of them alike"
        )


def _least_white(kind: str, value: float) -> float:
    """The least of the kind's whites that is not below a value; the largest if all are."""
    whites = _WHITES[kind]
    return next((white for white in whites if value <= white), whites[-1])


def _deep_kind(opened: Image.Image) -> str:
    """Kind of values beyond 8 bits in a picture that is not decoded yet; "" if there are none."""
    tile = opened.tile[0] if opened.tile else None
    arguments = tile.args if tile else ""
    raw = str(arguments if isinstance(arguments, str) else arguments[0])
    if opened.format == "PPM" and tile and tile.codec_name != "raw":
        # Pillow scales by the header's own largest value.
        return "16 bits" if opened.mode == "RGB" and arguments[1] == 65535 else ""
    if opened.mode == "F":
        return "floats"
    if opened.mode.startswith("I"):
        return "signed 16 bits" if "16S" in raw or "16BS" in raw else "16 bits"
    return "16 bits" if ";16" in raw and opened.mode in ("RGB", "RGBA", "LA") else ""


def _deep_values(path: Path, opened: Image.Image) -> np.ndarray:
    """Values of a picture beyond 8 bits, shape (rows, columns) or (rows, columns, 3 or 4)."""
    if opened.format == "TIFF" and opened.tag_v2.get(_PHOTOMETRIC) == 0:
        raise ValueError("its zero is white; save it as PNG")
    if opened.mode.startswith(("I", "F")):
        values = np.asarray(opened)
    else:
        # Pillow drops the lower byte of colours.
        values = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
        if values is None or values.ndim != 3:
            raise ValueError("its 16-bit colours cannot be decoded; save it as PNG")
        values = values[..., [2, 1, 0, 3][: values.shape[2]]]
    # NaN fails as well.
    if not (values.min() >= 0 and values.max() <= 65535):
        raise ValueError("its values are not between 0 and 65535; save it as PNG")
    return values


def _to_eight_bit(path: Path, opened: Image.Image, white: Mapping[str, float]) -> Image.Image:
    """Scale what has more than 8 bits; Pillow itself would clip it at 255, or drop a byte."""
    kind = _deep_kind(opened)
    if not kind and not opened.mode.startswith("I"):
        if opened.format == "TIFF" and 2 in opened.tag_v2.get(_SAMPLE_FORMAT, ()):
            raise ValueError("its values are signed; save it as PNG")
        # Pillow turns a TIFF when it is decoded, and must not be asked to before.
        opened.load()
        return opened
    values = _deep_values(path, opened).astype(np.float32)
    top = white.get(kind, _least_white(kind, values.max()) if kind == "floats" else 65535)
    scaled = np.rint(np.minimum(values / top, 1) * 255).astype(np.uint8)
    picture = Image.fromarray(scaled)
    # Whoever decodes a TIFF turns it.
    turned = opened.format == "TIFF"
    picture.getexif()[_ORIENTATION] = 1 if turned else opened.getexif().get(_ORIENTATION, 1)
    return picture


def _without_alpha(picture: Image.Image) -> Image.Image:
    """Make transparent parts middle grey, because black or white would make an edge."""
    if not picture.has_transparency_data:
        return picture
    if picture.mode != "RGBA":
        picture = picture.convert("RGBA")
    behind = Image.new("RGBA", picture.size, (_BEHIND_TRANSPARENT,) * 3 + (255,))
    return Image.alpha_composite(behind, picture)
