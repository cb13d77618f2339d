"""From pictures as they are kept to a face set: faces found, upright, of one size.

Every picture that does not become a stimulus as it should is listed with the reason, and a few are
kept beside their crops, so that a contact sheet can show what went in.
"""

from __future__ import annotations

import heapq
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
from facestages.stimuli.detection import Face, FaceFinder
from facestages.stimuli.pictures import MODES, Picture, PictureSource
from facestages.stimuli.quiet_cv2 import cv2

logger = logging.getLogger(__name__)

# Where the eyes of the median FER2013 picture are, so that networks trained on it see what they
# know: their distance in parts of the width, and how far below the top they lie.
EYE_DISTANCE = 0.36
EYE_LINE = 0.38

_BLOCK = 256
_BLACK = 8.0
# A second face with less than this share of the first one's area stands in the background.
_ANOTHER = 0.25
_EXAMPLES, _UNSURE, _IRREGULAR = 24, 6, 12
_THUMBNAIL = 192

_SCORE = "score "
_STOPS = "stops the preparation"
_OUTCOMES = {"stop": _STOPS, "drop": "left out", "whole": "whole picture taken"}

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Made(NamedTuple):
    """What became of one picture."""

    image: np.ndarray | None
    trouble: Irregularity | None
    score: float
    eye_distance: float
    example: Example


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
        picture that does not show just one face (one of less than a quarter of the largest one's
        area does not count): ``"stop"``, ``"drop"``, or ``"whole"``: take the whole picture.
        Without it the whole picture is always taken: the largest square around its centre.
    detector : path-like
        Folder of the asset ``face_detector``; needed with `crop`.
    threads : int

    Yields
    ------
    StimulusSet
        Blocks of up to 256 pictures in the order of the source. The attribute ``report`` is the
        source's, as JSON. With `crop` there are two more labels: ``face_score`` (0 to 1) and
        ``eye_distance`` (pixels of the original, as if the head were not turned aside), both NaN
        where the whole picture was taken.

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
    finders = threading.local()

    def make(picture: Picture) -> _Made:
        find = None
        if crop is not None:
            if not hasattr(finders, "own"):
                finders.own = FaceFinder(detector)
            find = finders.own.find
        return _make(picture, size, color, crop, find, source.has_black)

    found = dict.fromkeys(("face_score", "eye_distance"), "detector") if crop else {}
    examples = _ExampleChoice(source.n)
    irregular = [Irregularity(file, reason, "left out") for file, reason in source.excluded]
    rows, images = [], []

    def block() -> StimulusSet:
        labels = pd.DataFrame(rows)
        # A reader may know more at the end.
        report = {"report": json.dumps(source.report)}
        return StimulusSet(np.stack(images), labels, {**source.sources, **found}, report)

    made = _map_in_order(make, source.pictures, threads)
    for number, (picture, one) in enumerate(progress(made, f"preparing {name}", source.n)):
        examples.offer(number, one)
        if one.trouble is not None:
            logger.warning("%s: %s: %s", *one.trouble)
            irregular.append(one.trouble)
        if one.image is None:
            continue
        if images and one.image.shape != images[0].shape:
            raise FacestagesError(
                f"{name}: {picture.name} is {_size_text(one.image)} pixels, the ones before are "
                f"{_size_text(images[0])}. Set 'size' to bring all pictures to one size"
            )
        if len(images) == _BLOCK:
            yield block()
            rows, images = [], []
        rows.append(picture.labels)
        if crop is not None:
            rows[-1] = {**rows[-1], "face_score": one.score, "eye_distance": one.eye_distance}
        images.append(one.image)
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


def thin_examples(examples: list[Example], share: int) -> list[Example]:
    """Keep one of `share` examples of each kind: at even steps, and the first of the others."""
    kinds = {"even": [], "unsure": [], "irregular": []}
    for example in examples:
        unsure = example.note.startswith(_SCORE)
        kinds["unsure" if unsure else "irregular" if example.note else "even"].append(example)
    first = {kind: own[: max(1, len(own) // share)] for kind, own in kinds.items()}
    return [*kinds["even"][::share], *first["unsure"], *first["irregular"]]


class _ExampleChoice:
    """Chooses while pictures go by: some at even steps, the least certain, the irregular."""

    def __init__(self, n: int) -> None:
        steps = np.linspace(0, n - 1, min(_EXAMPLES, n)).astype(int)
        self._wanted = set(steps.tolist())
        self._even: list[Example] = []
        self._unsure: list[tuple[float, int, Example]] = []  # a heap, the most certain on top
        self._irregular: list[Example] = []

    def offer(self, number: int, made: _Made) -> None:
        if made.trouble is not None:
            if len(self._irregular) < _IRREGULAR:
                note = f"{made.trouble.reason}: {made.trouble.outcome}"
                self._irregular.append(made.example._replace(note=note))
            return
        if number in self._wanted:
            self._even.append(made.example)
        elif not math.isnan(made.score):
            entry = (-made.score, number, made.example._replace(note=f"{_SCORE}{made.score:.2f}"))
            heapq.heappush(self._unsure, entry)
            if len(self._unsure) > _UNSURE:
                heapq.heappop(self._unsure)

    @property
    def chosen(self) -> list[Example]:
        unsure = [example for _, _, example in sorted(self._unsure, key=lambda entry: -entry[0])]
        return [*self._even, *unsure, *self._irregular]


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


def _make(
    picture: Picture,
    size: int | None,
    color: str,
    crop: Mapping | None,
    find: Callable[[np.ndarray], list[Face]] | None,
    has_black: bool,
) -> _Made:
    """Read one picture, find its face and cut it out."""
    original = picture.read()
    thumbnail, shrink = _thumbnail(original)
    stimulus_id = str(picture.labels["stimulus_id"])
    no_eyes = np.full((2, 2), np.nan)
    example = Example(picture.name, stimulus_id, "", thumbnail, no_eyes)
    if has_black and original.mean() < _BLACK:
        reason = f"black (mean intensity {original.mean():.1f} of 255)"
        trouble = Irregularity(picture.name, reason, "left out")
        return _Made(None, trouble, np.nan, np.nan, example._replace(stimulus_id=""))
    coloured = np.asarray(Image.fromarray(original).convert(MODES[color]))
    if crop is None:
        return _Made(_whole(coloured, size), None, np.nan, np.nan, example)
    faces = find(original)
    faces = [f for f in faces if f.extent.prod() >= _ANOTHER * faces[0].extent.prod()]
    if len(faces) == 1:
        (face,) = faces
        apart = float(np.linalg.norm(face.eyes[1] - face.eyes[0])) * face.foreshortening
        image = cut_out(coloured, face.eyes, size, crop["margin"], face.foreshortening)
        return _Made(image, None, face.score, apart, example._replace(eyes=shrink(face.eyes)))
    reason = f"{len(faces)} faces found" if faces else "no face found"
    trouble = Irregularity(picture.name, reason, _OUTCOMES[crop["failures"]])
    if crop["failures"] == "whole":
        return _Made(_whole(coloured, size), trouble, np.nan, np.nan, example)
    return _Made(None, trouble, np.nan, np.nan, example._replace(stimulus_id=""))


def cut_out(
    picture: np.ndarray, eyes: np.ndarray, size: int, margin: float, foreshortening: float = 1.0
) -> np.ndarray:
    """Cut a face out of a picture, upright, scaled by the distance of its eyes.

    Parameters
    ----------
    picture : numpy.ndarray of uint8, shape (rows, columns) or (rows, columns, 3)
    eyes : numpy.ndarray, shape (2, 2)
        (column, row) of the eyes, first the one at the left.
    size : int
        Rows and columns of the result.
    margin : float
        Room on each side, in parts of the tight crop's width.
    foreshortening : float
        How much farther apart the eyes would be if the head were not turned aside; a turned head
        is cut out as large as if it faced the camera.

    Returns
    -------
    numpy.ndarray of uint8, shape (size, size[, 3])
        Shrunk with area averaging, enlarged bilinearly. Where it reaches beyond the picture, the
        picture's edge is continued.
    """
    wanted = EYE_DISTANCE / (1 + 2 * margin) * size / foreshortening
    coarse = int(np.linalg.norm(eyes[1] - eyes[0]) / wanted / 4)
    if coarse > 1:
        # Large pictures shrink first, so that the drawing below stays small.
        rows, columns = (max(1, length // coarse) for length in picture.shape[:2])
        factors = [columns / picture.shape[1], rows / picture.shape[0]]
        picture = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA)
        eyes = (eyes + 0.5) * factors - 0.5
    across = eyes[1] - eyes[0]
    # Drawn larger by a whole number where the picture shrinks, then averaged.
    finer = max(1, math.ceil(float(np.linalg.norm(across)) / wanted))
    side = size * finer
    scale = wanted * finer / float(np.linalg.norm(across)) ** 2
    turn = scale * np.array([[across[0], across[1]], [-across[1], across[0]]])
    line = (EYE_LINE + margin) / (1 + 2 * margin)
    # Positions count from the pixels' centres.
    target = side * np.array([0.5, line]) - 0.5
    matrix = np.column_stack([turn, target - turn @ eyes.mean(axis=0)])
    face = cv2.warpAffine(
        picture, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return cv2.resize(face, (size, size), interpolation=cv2.INTER_AREA) if finer > 1 else face


def _whole(picture: np.ndarray, size: int | None) -> np.ndarray:
    """The largest square around the centre, or the picture as it is."""
    if size is None:
        return picture
    rows, columns = picture.shape[:2]
    side = min(rows, columns)
    top, left = (rows - side) // 2, (columns - side) // 2
    square = Image.fromarray(picture[top : top + side, left : left + side])
    return np.asarray(square.resize((size, size), Image.Resampling.BILINEAR))


def _thumbnail(picture: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """A small square copy on white, and a function that moves positions into it."""
    rows, columns = picture.shape[:2]
    scale = _THUMBNAIL / max(rows, columns)
    width, height = max(1, round(columns * scale)), max(1, round(rows * scale))
    small = cv2.resize(
        picture, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    )
    canvas = np.full((_THUMBNAIL, _THUMBNAIL, 3), 255, np.uint8)
    top, left = (_THUMBNAIL - height) // 2, (_THUMBNAIL - width) // 2
    canvas[top : top + height, left : left + width] = small if small.ndim == 3 else small[..., None]
    return canvas, lambda points: (points + 0.5) * scale - 0.5 + [left, top]


def _size_text(image: np.ndarray) -> str:
    return f"{image.shape[1]}x{image.shape[0]}"
