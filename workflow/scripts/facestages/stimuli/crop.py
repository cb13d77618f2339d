"""From pictures of any size to a face set: faces found, upright, of one size.

Every picture that is left out or taken otherwise is listed with the reason. A few originals are
kept beside their crops, for a contact sheet.
"""

from __future__ import annotations

import json
import logging
import math
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np
import pandas as pd
from PIL import Image

from facestages.errors import FacestagesError, did_you_mean
from facestages.progress import progress
from facestages.stimuli import Example, Irregularity, StimulusSet
from facestages.stimuli.detection import FaceFinder
from facestages.stimuli.examples import ExampleChoice, make_thumbnail
from facestages.stimuli.pictures import MODES, Picture, PictureSource
from facestages.stimuli.quiet_cv2 import cv2
from facestages.stimuli.stimulus_set import BLOCK, CROP_LABELS

logger = logging.getLogger(__name__)

# Crops are framed as the median FER2013 picture, so that they fit networks trained on it: distance
# of the eyes, and their distance from the top, both in parts of the width.
EYE_DISTANCE = 0.36
EYE_LINE = 0.38

_BLACK = 8.0
# Fewer values than these show nothing.
_FLAT = 8
# A second face with less than this share of the first one's area is in the background.
_ANOTHER = 0.25

_STOPS = "stops the preparation"
_OUTCOMES = {"stop": _STOPS, "drop": "left out", "whole": "whole picture taken"}

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Cropped(NamedTuple):
    """The result of one picture."""

    image: np.ndarray | None
    trouble: Irregularity | None
    example: Example
    score: float = np.nan
    eye_distance: float = np.nan


class _FinderOfThread(threading.local):
    """A face finder for each thread."""

    def __init__(self, detector: str | os.PathLike) -> None:
        self.find = FaceFinder(detector).find


def crop_pictures(
    source: PictureSource,
    *,
    name: str,
    size: int | None,
    color: str,
    crop: Mapping | None = None,
    detector: str | os.PathLike | None = None,
    threads: int = 1,
) -> Iterator[StimulusSet]:
    """Turn pictures into a face set, block by block.

    The memory that this takes depends on the size of a picture, not on their number.

    Parameters
    ----------
    source : PictureSource
    name : str
        Name of the face set, for messages.
    size : int or None
        Rows and columns of a stimulus. None keeps whole pictures at their own size.
    color : {"grey", "rgb"}
    crop : mapping, optional
        ``margin``: room around the face on each side, in parts of the tight crop's width; at 0 the
        eyes are 0.36 of the width apart and 0.38 below the top. ``failures``: what to do with a
        picture that does not show just one face (a face with less than a quarter of the largest
        one's area does not count): ``"stop"``, ``"drop"``, or ``"whole"``: take the whole picture.
        Without `crop` the whole picture is always taken: the largest square around its centre.
    detector : path-like
        Folder of the asset ``face_detector``, needed for `crop`.
    threads : int

    Yields
    ------
    StimulusSet
        Blocks of up to 256 pictures in the order of the source. The attribute ``report`` is the
        source's, as JSON. The labels are ``stimulus_id`` and, with `crop`, ``face_score`` (0 to 1)
        and ``eye_distance`` (pixels of the original, as if the head were not turned aside), both
        NaN where the whole picture was taken.

    Raises
    ------
    FacestagesError
        At once, if `size` or `color` is not as described, a picture cannot be read, or whole
        pictures at their own size differ in size. At the end, if a picture fails and `crop` says
        ``"stop"``, or if no picture is left.
    """
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 1):
        raise FacestagesError(f"'size' must be a whole number of pixels above 0, not {size!r}")
    if color not in MODES:
        raise FacestagesError(f"unknown color '{color}'; {did_you_mean(color, MODES)}")
    finder = None if crop is None else _FinderOfThread(detector)

    def make(picture: Picture) -> _Cropped:
        return _crop_picture(picture, size, color, crop, finder, source.has_black)

    crop_sources = dict.fromkeys(CROP_LABELS, "detector") if crop else {}
    examples = ExampleChoice(source.n)
    irregular = [Irregularity(file, reason, "left out") for file, reason in source.excluded]
    rows, images = [], []

    def block() -> StimulusSet:
        labels = pd.DataFrame(rows)
        # The report of some sources is complete only after the last picture.
        report = {"report": json.dumps(source.report)}
        return StimulusSet(np.stack(images), labels, crop_sources, report)

    done = _map_in_order(make, source.pictures, threads)
    for number, (picture, cropped) in enumerate(progress(done, f"preparing {name}", source.n)):
        examples.offer(number, cropped.example, cropped.trouble, cropped.score)
        if cropped.trouble is not None:
            logger.warning("%s: %s: %s", *cropped.trouble)
            irregular.append(cropped.trouble)
        if cropped.image is None:
            continue
        if images and cropped.image.shape != images[0].shape:
            raise FacestagesError(
                f"{name}: {picture.name} is {_size_text(cropped.image)} pixels, the ones before "
                f"are {_size_text(images[0])}. Set 'size' to bring all pictures to one size"
            )
        if len(images) == BLOCK:
            yield block()
            rows, images = [], []
        measured = zip(CROP_LABELS, cropped[-2:], strict=True) if crop else ()
        rows.append({"stimulus_id": picture.stimulus_id, **dict(measured)})
        images.append(cropped.image)
    _refuse_failures(name, irregular, source.n)
    if not images:
        raise FacestagesError(
            f"{name}: no picture is left of {source.n}. The log of this job lists why"
        )
    last = block()
    last.irregular.extend(irregular)
    last.examples.extend(examples.chosen)
    yield last


def _refuse_failures(name: str, irregular: list[Irregularity], n: int) -> None:
    failed = [item for item in irregular if item.outcome == _STOPS]
    if not failed:
        return
    listed = ", ".join(f"{item.file} ({item.reason})" for item in failed[:3])
    more = f" and {len(failed) - 3} more, listed in the log" if len(failed) > 3 else ""
    raise FacestagesError(
        f"{name}: {len(failed)} of {n} pictures do not show just one face: {listed}{more}.\n"
        f"Remove them, or set crop.failures to 'drop' (leave such pictures out) or 'whole' (take "
        f"the whole picture)"
    )


def _map_in_order(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int
) -> Iterator[tuple[Item, Result]]:
    """Apply a function in threads, keep the order, and hold no more items than are at work."""
    pending: deque = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                pending.append((item, pool.submit(function, item)))
                if len(pending) > threads + 1:
                    done, future = pending.popleft()
                    yield done, future.result()
            while pending:
                done, future = pending.popleft()
                yield done, future.result()
        finally:
            for _, future in pending:
                future.cancel()


def _crop_picture(
    picture: Picture,
    size: int | None,
    color: str,
    crop: Mapping | None,
    finder: _FinderOfThread | None,
    has_black: bool,
) -> _Cropped:
    """Read one picture, find its face and cut it out."""
    original = picture.read()
    thumbnail, shrink = make_thumbnail(original)
    example = Example(picture.name, picture.stimulus_id, "", thumbnail, np.full((2, 2), np.nan))
    if has_black and original.mean() < _BLACK:
        reason = f"black (mean intensity {original.mean():.1f} of 255)"
        trouble = Irregularity(picture.name, reason, "left out")
        return _Cropped(None, trouble, example._replace(stimulus_id=""))
    coloured = np.asarray(Image.fromarray(original).convert(MODES[color]))
    if crop is None:
        whole = _whole(coloured, size)
        return _Cropped(whole, _flatness(picture, whole), example)
    faces = finder.find(original)
    faces = [f for f in faces if f.extent.prod() >= _ANOTHER * faces[0].extent.prod()]
    if len(faces) == 1:
        (face,) = faces
        apart = float(np.linalg.norm(face.eyes[1] - face.eyes[0])) * face.foreshortening
        image = cut_out(coloured, face.eyes, size, crop["margin"], face.foreshortening)
        return _Cropped(image, None, example._replace(eyes=shrink(face.eyes)), face.score, apart)
    reason = f"{len(faces)} faces found" if faces else "no face found"
    trouble = Irregularity(picture.name, reason, _OUTCOMES[crop["failures"]])
    if crop["failures"] == "whole":
        return _Cropped(_whole(coloured, size), trouble, example)
    return _Cropped(None, trouble, example._replace(stimulus_id=""))


def _flatness(picture: Picture, image: np.ndarray) -> Irregularity | None:
    """Note a picture that shows nothing: black, white or one grey."""
    low, high = int(image.min()), int(image.max())
    if high - low >= _FLAT:
        return None
    reason = f"all its pixels are {low} to {high} of 255"
    return Irregularity(picture.name, reason, "taken as it is")


def cut_out(
    picture: np.ndarray, eyes: np.ndarray, size: int, margin: float, foreshortening: float = 1.0
) -> np.ndarray:
    """Cut a face out of a picture, upright, scaled by the distance of its eyes.

    Parameters
    ----------
    picture : numpy.ndarray of uint8, shape (rows, columns) or (rows, columns, 3)
    eyes : numpy.ndarray, shape (2, 2)
        (column, row) of the eyes, the left one of the picture first.
    size : int
        Rows and columns of the result.
    margin : float
        Room on each side, in parts of the tight crop's width.
    foreshortening : float
        Distance of the eyes if the head faced the camera, in parts of `eyes`' own. A turned head
        is cut out as large as if it faced the camera.

    Returns
    -------
    numpy.ndarray of uint8, shape (size, size[, 3])
        Shrunk with area averaging, enlarged bilinearly. Beyond the picture its edge is continued.
    """
    distance = EYE_DISTANCE / (1 + 2 * margin) * size / foreshortening
    coarse = int(np.linalg.norm(eyes[1] - eyes[0]) / distance / 4)
    if coarse > 1:
        # A large picture shrinks first, so that the warped one below stays small.
        rows, columns = (max(1, length // coarse) for length in picture.shape[:2])
        factors = [columns / picture.shape[1], rows / picture.shape[0]]
        picture = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA)
        eyes = (eyes + 0.5) * factors - 0.5
    across = eyes[1] - eyes[0]
    # A picture that shrinks is warped to a multiple of its size first, and averaged at the end.
    finer = max(1, math.ceil(float(np.linalg.norm(across)) / distance))
    side = size * finer
    scale = distance * finer / float(np.linalg.norm(across)) ** 2
    turn = scale * np.array([[across[0], across[1]], [-across[1], across[0]]])
    line = (EYE_LINE + margin) / (1 + 2 * margin)
    # Coordinates are whole numbers at the pixels' centres.
    target = side * np.array([0.5, line]) - 0.5
    matrix = np.column_stack([turn, target - turn @ eyes.mean(axis=0)])
    face = cv2.warpAffine(
        picture, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return cv2.resize(face, (size, size), interpolation=cv2.INTER_AREA) if finer > 1 else face


def _whole(picture: np.ndarray, size: int | None) -> np.ndarray:
    """Take the largest square around the centre, or the picture as it is if `size` is None."""
    if size is None:
        return picture
    rows, columns = picture.shape[:2]
    side = min(rows, columns)
    top, left = (rows - side) // 2, (columns - side) // 2
    square = Image.fromarray(picture[top : top + side, left : left + side])
    return np.asarray(square.resize((size, size), Image.Resampling.BILINEAR))


def _size_text(image: np.ndarray) -> str:
    return f"{image.shape[1]}x{image.shape[0]}"
