"""Faces in figures: at equal steps along an axis, in strips, and at points of a map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from scipy.optimize import linear_sum_assignment

from facestages.figures import style
from facestages.figures.face_set import thumbnail


def equally_spaced(values: np.ndarray, count: int = 11) -> np.ndarray:
    """Pictures at equally spaced positions along an axis.

    The positions go from the lowest value to the highest. No picture is taken twice, and the sum of
    the distances between values and positions is the least possible (linear assignment).

    `values` has the shape (n,), and NaN where a picture has no position. The result holds at most
    `count` rows in the order of rising values, from the lowest to the highest.
    """
    order = np.argsort(values, kind="stable")
    order = order[np.isfinite(values[order])]
    if len(order) == 0:
        return order
    ranked = values[order]
    positions = np.linspace(ranked[0], ranked[-1], min(count, len(order)))
    _, taken = linear_sum_assignment(np.abs(positions[:, None] - ranked))
    return order[np.sort(taken)]


def draw_strip(axis: Axes, pictures: Sequence[np.ndarray], columns: int | None = None) -> None:
    """Draw pictures side by side from the left, in a strip with room for `columns` of them."""
    columns = columns or len(pictures)
    for place, picture in enumerate(pictures):
        extent = (place + 0.02, place + 0.98, 0.02, 0.98)
        axis.imshow(thumbnail(picture), extent=extent, interpolation="none", aspect="equal")
    axis.set_xlim(0, columns)
    axis.set_ylim(0, 1)
    axis.set_axis_off()


def draw_faces_at(
    axis: Axes,
    pictures: Sequence[np.ndarray],
    points: np.ndarray,
    millimetres: float = 6.0,
    places: np.ndarray | None = None,
) -> None:
    """Draw pictures at points of a map, shape (n, 2), each `millimetres` high.

    With `places` (n, 2), from `free_places`, each picture stands at its place and a line leads to
    its point. A picture whose place is NaN is not drawn.
    """
    places = points if places is None else places
    for picture, point, place in zip(pictures, points, places, strict=True):
        if np.isnan(place).any():
            continue
        if np.any(place != point):
            # Artists leave the axes' limits as they are; plot and scatter would not.
            axis.add_artist(
                Line2D(*np.transpose([point, place]), color=style.INK, lw=0.6, zorder=4)
            )
            dot = {"marker": "o", "markersize": 2.5, "color": "white", "markeredgecolor": style.INK}
            axis.add_artist(Line2D(*point[:, None], **dot, zorder=4))
        face = thumbnail(picture)
        # OffsetImage measures in pixels of 72 to the inch.
        zoom = millimetres / 25.4 * 72 / face.shape[0]
        box = OffsetImage(face, zoom=zoom, interpolation="none", resample=False)
        frame = {"linewidth": 0.5, "edgecolor": style.INK}
        axis.add_artist(
            AnnotationBbox(box, tuple(place), pad=0.0, frameon=True, bboxprops=frame, zorder=5)
        )


def free_places(
    axis: Axes, points: np.ndarray, chosen: Sequence[int], millimetres: float = 6.0
) -> np.ndarray:
    """Places beside some points of a map where pictures hide little, and never each other.

    The pictures are placed one by one. Each takes the place with the least cost: the share of
    points that it hides, and 1 % for each picture's height of distance to its point. No picture
    may hide another, a chosen point, the line to one, or more than 1 % of the points.

    `points` (n, 2) are all points of the map, `chosen` the k rows whose pictures, so many
    `millimetres` high, are shown. The axes must have their final limits and size. The result (k, 2)
    holds the middle of each picture in data coordinates; NaN where it has no room.
    """
    axis.apply_aspect()
    to_millimetres = 25.4 / axis.get_figure(root=True).dpi
    on_page = axis.transData.transform(points) * to_millimetres
    low, high = axis.transAxes.transform([(0, 0), (1, 1)]) * to_millimetres
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1) * millimetres
    around = np.concatenate([ring * radius for radius in (0.8, 1.0, 1.25, 1.6, 2.0)])
    # The least distance between the middles of two pictures.
    room = millimetres + 0.6
    edge = millimetres / 2 + 1
    steps = np.linspace(0, 1, 9)[:, None]
    taken, lines, places = np.empty((0, 2)), on_page[list(chosen)], []
    for row in chosen:
        point = on_page[row]
        tried = point + around
        hidden = _covers(tried, on_page, room / 2).mean(axis=1)
        away = np.linalg.norm(tried - point, axis=1) / millimetres
        to_point = point + steps * (tried - point)[:, None]
        free = ((tried > low + edge) & (tried < high - edge)).all(axis=1) & (hidden <= 0.01)
        free &= ~_covers(tried, taken, room).any(axis=1)
        free &= ~_covers(tried, lines, room / 2).any(axis=1)
        free &= ~_covers(to_point, taken, room / 2).any(axis=(1, 2))
        if not free.any():
            places.append((np.nan, np.nan))
            continue
        best = tried[free][np.argmin((hidden + 0.01 * away)[free].round(6))]
        taken = np.vstack([taken, best])
        lines = np.vstack([lines, point + steps * (best - point)])
        places.append(axis.transData.inverted().transform(best / to_millimetres))
    return np.array(places).reshape(-1, 2)


def _covers(middles: np.ndarray, points: np.ndarray, reach: float) -> np.ndarray:
    """Whether squares around middles (..., 2) cover points (m, 2); shape (..., m)."""
    return (np.abs(middles[..., None, :] - points) < reach).all(axis=-1)
