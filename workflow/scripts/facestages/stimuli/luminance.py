"""Equal luminance for all pictures of a face set, as in the SHINE toolbox.

Willenbockel et al. 2010, Controlling low-level image properties: the SHINE toolbox, Behavior
Research Methods 42, 671-684.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import h5py
import numpy as np

from facestages.errors import FacestagesError
from facestages.stimuli.quiet_cv2 import cv2

_LEVELS = 256
_ROWS = 256
_OUTSIDE = 128


def oval(size: int, margin: float = 0.0) -> np.ndarray:
    """Mask of a cropped face without hair, ears and background; bool, shape (size, size).

    True inside an ellipse from the forehead to the chin: 0.80 of the tight crop's width and all of
    its height. `size` and `margin` are those of `stimuli.crop.cut_out`.
    """
    shrink = 1 / (1 + 2 * margin)
    row, column = (np.mgrid[:size, :size] + 0.5) / size - 0.5
    # The margin is the same on all sides, so the ellipse has the same centre as the tight crop.
    return (column / (0.40 * shrink)) ** 2 + ((row - 0.01 * shrink) / (0.49 * shrink)) ** 2 <= 1


def control_luminance(
    size: int, histogram: str, mask: str, margin: float = 0.0
) -> Callable[[h5py.Dataset], None] | None:
    """The change to all pictures that a face set's ``histogram`` and ``mask`` ask for.

    Parameters
    ----------
    histogram : {"none", "match"}
    mask : {"none", "oval"}
    size, margin
        As for `oval`.

    Returns
    -------
    callable or None
        `normalise`, of the pictures alone.
    """
    if (histogram, mask) == ("none", "none"):
        return None
    inside = oval(size, margin) if mask == "oval" else None
    return partial(normalise, mask=inside, match=histogram == "match")


def normalise(images: h5py.Dataset, mask: np.ndarray | None, match: bool) -> None:
    """Match the histograms of pictures and grey out the pixels outside a mask, in place.

    Parameters
    ----------
    images : h5py.Dataset of uint8, shape (n, rows, columns) or (n, rows, columns, 3)
        Changed 256 pictures at a time.
    mask : numpy.ndarray of bool, shape (rows, columns), or None
        Pixels outside it become middle grey (128).
    match : bool
        Give every picture the mean histogram of all pictures, inside the mask. For grey pictures.

    Raises
    ------
    FacestagesError
        If colour pictures are to be matched.
    """
    inside = np.ones(images.shape[1:3], bool) if mask is None else mask
    if match:
        if images.ndim != 3:
            raise FacestagesError(
                "crop.histogram = 'match' needs grey pictures. Set color: grey, or histogram: none"
            )
        target = mean_histogram(block[:, inside] for block in _blocks(images))
    for start, block in zip(range(0, len(images), _ROWS), _blocks(images), strict=True):
        if match:
            block = np.stack([match_histogram(image, target, inside) for image in block])
        block[:, ~inside] = _OUTSIDE
        images[start : start + len(block)] = block


def _blocks(images: h5py.Dataset) -> Iterator[np.ndarray]:
    return (images[start : start + _ROWS] for start in range(0, len(images), _ROWS))


def mean_histogram(pixels: Iterator[np.ndarray]) -> np.ndarray:
    """Fraction of pixels at each grey level, float64, shape (256,); the sum is 1.

    `pixels` are blocks of pictures of one size, uint8.
    """
    counts = sum(np.bincount(block.ravel(), minlength=_LEVELS) for block in pixels)
    return counts / counts.sum()


def match_histogram(image: np.ndarray, target: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Give a picture exactly the target histogram, and keep the order of its grey levels.

    Pixels of one level are ordered by the mean of their neighbourhood, which adds no noise (Coltuc,
    Bolon and Chassery 2006, Exact histogram specification).

    Parameters
    ----------
    image : numpy.ndarray of uint8, shape (rows, columns)
    target : numpy.ndarray, shape (256,)
        Fraction of pixels at each grey level.
    inside : numpy.ndarray of bool, shape (rows, columns)
        The pixels that are changed and counted.

    Returns
    -------
    numpy.ndarray of uint8, shape (rows, columns)
    """
    exact = image.astype(np.float32)
    near, far = cv2.blur(exact, (3, 3)), cv2.blur(exact, (7, 7))
    order = np.lexsort([far[inside], near[inside], exact[inside]])
    ranks = (np.arange(len(order)) + 0.5) / len(order)
    values = np.empty(len(order), np.uint8)
    values[order] = np.minimum(np.searchsorted(np.cumsum(target), ranks), _LEVELS - 1)
    out = image.copy()
    out[inside] = values
    return out
