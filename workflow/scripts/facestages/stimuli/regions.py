"""Where eyes, brows and mouth are in a picture, and how much of a map lies on them.

Rendered faces come with boxes around their projected landmarks. On photographs a template of a
face stands in for them: laid on the eyes where the pictures were cropped by them, else on where the
eyes are in a face that fills the picture.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from facestages.errors import FacestagesError
from facestages.stimuli import REGIONS

#: Where regions can come from.
LANDMARKS = "rendered landmarks"
EYES = "eye-aligned template"
CENTRED = "template of a centred face"

# Where `stimuli.crop`, which needs more to be installed, puts the eyes of a tight crop.
_EYE_DISTANCE, _EYE_LINE = 0.36, 0.38

# Top, left, bottom and right of eyes, brows and mouth: from the point between the pupils, in
# distances of the pupils. The boxes hold the landmarks of four in five of the ORL photographs (the
# face mesh of `stimuli.detection`), with about 0.06 of room around them, and are alike
# on both sides.
_TEMPLATE = np.array(
    [
        (-0.11, -0.81, 0.16, 0.81),
        (-0.44, -1.01, -0.11, 1.01),
        (0.69, -0.58, 1.34, 0.58),
    ]
)


def template_regions(margin: float = 0.0) -> np.ndarray:
    """The template on a picture that was cropped by the eyes.

    Parameters
    ----------
    margin : float
        The crop's margin, as in `stimuli.crop.cut_out`; 0 stands for a centred face
        that fills the picture too.

    Returns
    -------
    numpy.ndarray of float32, shape (3, 4)
        As one picture's `stimuli.StimulusSet.regions`.
    """
    whole = 1 + 2 * margin
    line, middle = (_EYE_LINE + margin) / whole, 0.5
    boxes = _TEMPLATE * (_EYE_DISTANCE / whole) + [line, middle, line, middle]
    return np.clip(boxes, 0.0, 1.0).astype(np.float32)


def find_regions(
    labels: pd.DataFrame, stored: np.ndarray | None = None, margin: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Regions of every picture of a face set, and where they come from.

    Parameters
    ----------
    labels : pandas.DataFrame of n rows
        The labels of the face set.
    stored : numpy.ndarray, shape (n, 3, 4), optional
        What `stimuli.read_regions` gave, if it gave anything.
    margin : float, optional
        Margin of the crop by the eyes; None if pictures were not cropped. Cropped are those that
        have an ``eye_distance``; the others were taken whole.

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
    """How much of each map lies on each region, once it is enlarged to its picture.

    The map is enlarged bilinearly, as if it covered the picture; pixels on a box's edge count with
    the part of them that is inside. Neither picture nor box is drawn for it: a share is a product
    of the map with one vector a side.

    Parameters
    ----------
    maps : numpy.ndarray, shape (n, h, w)
        None below zero.
    regions : numpy.ndarray, shape (n, 3, 4)
        Boxes that do not overlap, as `stimuli.StimulusSet.regions`.
    size : tuple of two int
        Rows and columns of the pictures. A map that is larger than them stays as large as it is.

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
    """Share of the picture that each region covers: boxes (n, 3, 4) to areas (n, 3)."""
    top, left, bottom, right = np.moveaxis(regions.astype(np.float64), -1, 0)
    return (bottom - top) * (right - left)


def enlarge(maps: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Maps (n, h, w) enlarged bilinearly to `size`, as `region_shares` does."""
    rows, columns = (_enlarging(*pair) for pair in zip(maps.shape[1:], size, strict=True))
    return rows @ maps @ columns.T


def _enlarging(small: int, large: int) -> np.ndarray:
    """Matrix (large, small) that interpolates between the centres of a side's cells."""
    place = np.clip((np.arange(large) + 0.5) * small / large - 0.5, 0, small - 1)
    return np.maximum(0.0, 1.0 - np.abs(place[:, None] - np.arange(small)))


def _inside(low: np.ndarray, high: np.ndarray, pixels: int) -> np.ndarray:
    """How much of each of a side's pixels is between `low` and `high` (n,): shape (n, pixels)."""
    edges = np.arange(pixels + 1) / pixels
    overlap = np.minimum(high[:, None], edges[1:]) - np.maximum(low[:, None], edges[:-1])
    return np.clip(overlap * pixels, 0.0, 1.0)
