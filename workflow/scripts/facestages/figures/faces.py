"""Faces in figures: at equal steps along an axis, in strips, and at their points in a map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from PIL import Image

# Enough for a face of 10 mm at 300 dots an inch.
_PIXELS = 120


def equally_spaced(values: np.ndarray, count: int = 21) -> np.ndarray:
    """Pictures at equally spaced positions along an axis.

    The positions go from the lowest value to the highest; each takes, from low to high, the picture
    with the nearest value that no earlier position has taken.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        Position of each picture; NaN where it has none, which is never taken.
    count : int
        Number of positions; as many as there are pictures if those are fewer.

    Returns
    -------
    numpy.ndarray of int, shape (min(count, n),)
        Rows, each once.
    """
    free = [int(row) for row in np.flatnonzero(np.isfinite(values))]
    if not free:
        return np.empty(0, int)
    positions = np.linspace(np.nanmin(values), np.nanmax(values), min(count, len(free)))
    rows = []
    for position in positions:
        nearest = min(free, key=lambda row: abs(values[row] - position))
        free.remove(nearest)
        rows.append(nearest)
    return np.array(rows)


def thumbnail(picture: np.ndarray, pixels: int = _PIXELS) -> np.ndarray:
    """A picture (rows, columns[, 3]) uint8 as RGB, not larger than it prints crisply."""
    image = Image.fromarray(np.ascontiguousarray(picture)).convert("RGB")
    longest = max(image.size)
    if longest > pixels:
        size = tuple(max(1, round(side * pixels / longest)) for side in image.size)
        image = image.resize(size, Image.Resampling.LANCZOS)
    return np.asarray(image)


def draw_strip(axis: Axes, pictures: Sequence[np.ndarray], columns: int | None = None) -> None:
    """Draw pictures side by side, the first at the left; `columns` leaves room for more of them."""
    columns = columns or len(pictures)
    for place, picture in enumerate(pictures):
        axis.imshow(
            thumbnail(picture),
            extent=(place + 0.02, place + 0.98, 0.02, 0.98),
            interpolation="none",
            aspect="equal",
        )
    axis.set_xlim(0, columns)
    axis.set_ylim(0, 1)
    axis.set_axis_off()


def draw_faces_at(
    axis: Axes, pictures: Sequence[np.ndarray], points: np.ndarray, millimetres: float = 6.0
) -> None:
    """Draw pictures at points of a map, shape (n, 2), each `millimetres` high."""
    for picture, point in zip(pictures, points, strict=True):
        face = thumbnail(picture)
        # OffsetImage measures in pixels of 72 to the inch.
        zoom = millimetres / 25.4 * 72 / face.shape[0]
        box = OffsetImage(face, zoom=zoom, interpolation="none", resample=False)
        frame = {"linewidth": 0.5, "edgecolor": "#404040"}
        axis.add_artist(
            AnnotationBbox(box, tuple(point), pad=0.0, frameon=True, bboxprops=frame, zorder=5)
        )
