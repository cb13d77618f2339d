"""Examples of pictures before they were cropped, for a contact sheet."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable

import numpy as np

from facestages.stimuli import Example, Irregularity
from facestages.stimuli.quiet_cv2 import cv2

_EVEN, _UNSURE, _IRREGULAR = 24, 6, 12
_THUMBNAIL = 192
_SCORE = "score "


class ExampleChoice:
    """Chooses among n passing pictures: some at even steps, the least certain, the irregular."""

    def __init__(self, n: int) -> None:
        self._steps = set(np.linspace(0, n - 1, min(_EVEN, n)).astype(int).tolist())
        self._even: list[Example] = []
        self._unsure: list[tuple[float, int, Example]] = []  # a heap, the most certain on top
        self._irregular: list[Example] = []

    def offer(
        self, number: int, example: Example, trouble: Irregularity | None, score: float
    ) -> None:
        """Consider picture `number`, whose face has this score (NaN if none was looked for)."""
        if trouble is not None:
            if len(self._irregular) < _IRREGULAR:
                note = f"{trouble.reason}: {trouble.outcome}"
                self._irregular.append(example._replace(note=note))
        elif number in self._steps:
            self._even.append(example)
        elif not math.isnan(score):
            entry = (-score, number, example._replace(note=f"{_SCORE}{score:.2f}"))
            heapq.heappush(self._unsure, entry)
            if len(self._unsure) > _UNSURE:
                heapq.heappop(self._unsure)

    @property
    def chosen(self) -> list[Example]:
        """The chosen examples so far."""
        unsure = [example for _, _, example in sorted(self._unsure, key=lambda entry: -entry[0])]
        return [*self._even, *unsure, *self._irregular]


def thin_examples(examples: list[Example], share: int) -> list[Example]:
    """Keep one in `share` examples of each kind: at even steps, and the first of the others."""
    even, unsure, irregular = [], [], []
    for example in examples:
        is_unsure = example.note.startswith(_SCORE)
        (unsure if is_unsure else irregular if example.note else even).append(example)
    first = [kind[: max(1, len(kind) // share)] for kind in (unsure, irregular)]
    return [*even[::share], *first[0], *first[1]]


def make_thumbnail(picture: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Make a small square copy on white, and a function that moves positions into it."""
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
