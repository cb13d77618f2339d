"""Boxes around eyes, brows and mouth in a picture, and the share of a map inside them.

Rendered faces come with boxes around their projected landmarks. Photographs get the boxes of a face
template: on the eyes of pictures that were cropped by the eyes, or on the usual place of the eyes
in a face that fills the picture.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from facestages.errors import FacestagesError
from facestages.stimuli import REGIONS

#: Sources of regions.
LANDMARKS = "rendered landmarks"
EYES = "eye-aligned template"
CENTRED = "template of a centred face"

# The eyes of a tight crop, as in `stimuli.crop`, which is not imported as it imports much more.
_EYE_DISTANCE, _EYE_LINE = 0.36, 0.38

# Top, left, bottom and right of eyes, brows and mouth, from the point between the pupils and in
# distances of the pupils. The boxes are symmetric. They contain the landmarks (the face mesh of
# `stimuli.detection`) of four in five ORL photographs, with about 0.06 of room around them.
_TEMPLATE = np.array(
    [
        (-0.11, -0.81, 0.16, 0.81),
        (-0.44, -1.01, -0.11, 1.01),
        (0.69, -0.58, 1.34, 0.58),
    ]
)


def template_regions(margin: float = 0.0) -> np.ndarray:
    """Place the template on a picture that was cropped by the eyes; float32, shape (3, 4).

    `margin` is the crop's, as in `stimuli.crop.cut_out`; at 0 the template also fits a centred face
    that fills a whole picture. The boxes are as in `stimuli.StimulusSet.regions`.
    """
    width = 1 + 2 * margin
    line, middle = (_EYE_LINE + margin) / width, 0.5
    boxes = _TEMPLATE * (_EYE_DISTANCE / width) + [line, middle, line, middle]
    return np.clip(boxes, 0.0, 1.0).astype(np.float32)


def find_regions(
    labels: pd.DataFrame, stored: np.ndarray | None = None, margin: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Find the regions of every picture of a face set, and their sources.

    Parameters
    ----------
    labels : pandas.DataFrame of n rows
        The labels of the face set.
    stored : numpy.ndarray, shape (n, 3, 4), optional
        The result of `stimuli.read_regions`.
    margin : float, optional
        Margin of the crop by the eyes; None if pictures were not cropped. Pictures without an
        ``eye_distance`` were taken whole.

    Returns
    -------
    regions : numpy.ndarray of float32, shape (n, 3, 4)
    sources : numpy.ndarray of str, shape (n,)
        `LANDMARKS`, `EYES` or `CENTRED`.
    """
    n = len(labels)
    if stored is not None:
        return stored, np.full(n, LANDMARKS, dtype=object)
    regions = np.tile(template_regions(), (n, 1, 1))
    cropped = np.zeros(n, bool)
    if margin is not None and "eye_distance" in labels:
        cropped = labels["eye_distance"].notna().to_numpy()
        regions[cropped] = template_regions(margin)
    return regions, np.where(cropped, EYES, CENTRED).astype(object)


def region_shares(maps: np.ndarray, regions: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Share of each map that lies on each region, after enlargement to the picture.

    With ``R`` and ``C`` the bilinear enlargement along rows and columns and ``d``, ``a`` the parts
    of each row and column of the picture inside the box, the share is ``d' R M C' a / 1' R M C' 1``
    of the map ``M``.

    Parameters
    ----------
    maps : numpy.ndarray, shape (n, h, w)
        Not negative.
    regions : numpy.ndarray, shape (n, 3, 4)
        Boxes that do not overlap, as `stimuli.StimulusSet.regions`.
    size : tuple of two int
        Rows and columns of the pictures. A map larger than its picture is not shrunk.

    Returns
    -------
    numpy.ndarray of float64, shape (n, 3)
        NaN for an empty map and for an unknown region.

    Raises
    ------
    FacestagesError
        If maps and regions are not of the same pictures.
    """
    if len(maps) != len(regions):
        raise FacestagesError(f"{len(maps)} maps, but regions of {len(regions)} pictures")
    maps = maps.astype(np.float64)
    rows, columns = (
        _enlarging(small, max(small, large))
        for small, large in zip(maps.shape[1:], size, strict=True)
    )
    total = np.einsum("h,nhw,w->n", rows.sum(axis=0), maps, columns.sum(axis=0))
    shares = np.full((len(maps), len(REGIONS)), np.nan)
    for number in range(len(REGIONS)):
        top, left, bottom, right = regions[:, number].astype(np.float64).T
        across = _inside(left, right, len(columns)) @ columns
        down = _inside(top, bottom, len(rows)) @ rows
        within = np.einsum("nh,nhw,nw->n", down, maps, across)
        np.divide(within, total, out=shares[:, number], where=total > 0)
    return shares


def region_areas(regions: np.ndarray) -> np.ndarray:
    """Share of the picture that each region covers, shape (n, 3), from boxes (n, 3, 4)."""
    top, left, bottom, right = np.moveaxis(regions.astype(np.float64), -1, 0)
    return (bottom - top) * (right - left)


def enlarge(maps: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Enlarge maps (n, h, w) bilinearly to `size`, as `region_shares` does."""
    rows, columns = (_enlarging(*pair) for pair in zip(maps.shape[1:], size, strict=True))
    return rows @ maps @ columns.T


def _enlarging(small: int, large: int) -> np.ndarray:
    """Matrix (large, small) that interpolates between the centres of the cells of a side."""
    place = np.clip((np.arange(large) + 0.5) * small / large - 0.5, 0, small - 1)
    return np.maximum(0.0, 1.0 - np.abs(place[:, None] - np.arange(small)))


def _inside(low: np.ndarray, high: np.ndarray, pixels: int) -> np.ndarray:
    """Part of each pixel of a side between `low` and `high`, shapes (n,), as (n, pixels)."""
    edges = np.arange(pixels + 1) / pixels
    overlap = np.minimum(high[:, None], edges[1:]) - np.maximum(low[:, None], edges[:-1])
    return np.clip(overlap * pixels, 0.0, 1.0)
