"""Pictures resized and scaled to the input of a network."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PIL import Image

from facestages.architectures import BLUE_FIRST, InputSpec, factor_and_shift
from facestages.errors import FacestagesError


def resize_images(images: np.ndarray, spec: InputSpec) -> np.ndarray:
    """Resize pictures for a network, and convert them to grey or RGB.

    Where rows and columns are not in the proportion of the pictures', these are stretched.

    Parameters
    ----------
    images : numpy.ndarray of uint8, shape (n, rows, columns) or (n, rows, columns, 1 or 3)
    spec : InputSpec
        Its rows and columns; resampling is bilinear, with antialiasing. Its channels: luminance
        (ITU-R 601) if it is grey, otherwise RGB. Grey pictures get equal channels.

    Returns
    -------
    numpy.ndarray of uint8, shape (n, *spec.shape)
        Read only where `images` need no change.
    """
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    rows, columns, _ = spec.shape
    mode = "L" if spec.grey else "RGB"
    present_mode = "L" if images.ndim == 3 else "RGB"
    if images.shape[1:3] == (rows, columns) and mode == present_mode:
        with_channels = images if images.ndim == 4 else images[..., None]
        return np.broadcast_to(with_channels, (len(images), *spec.shape))
    out = np.empty((len(images), *spec.shape), np.uint8)
    for target, image in zip(out, images, strict=True):
        picture = Image.fromarray(np.ascontiguousarray(image)).convert(mode)
        picture = picture.resize((columns, rows), Image.Resampling.BILINEAR)
        target[:] = np.asarray(picture).reshape(rows, columns, -1)
    return out


def scale_images(images: np.ndarray, scaling: str | Mapping) -> np.ndarray:
    """Scale uint8 pictures to the values that a network was trained on: x * factor + shift.

    Parameters
    ----------
    images : numpy.ndarray of uint8, shape (n, rows, columns, channels)
        Channels in the order red, green, blue.
    scaling : str or mapping
        As of `architectures.InputSpec`.

    Returns
    -------
    numpy.ndarray of float32, shape (n, rows, columns, channels)
        Channels in the order that the network takes.
    """
    factor, shift = (np.float32(value) for value in factor_and_shift(scaling))
    scaled = images.astype(np.float32)
    scaled *= factor
    scaled += shift
    return scaled[..., ::-1] if scaling in BLUE_FIRST else scaled


def prepare_images(images: np.ndarray, spec: InputSpec) -> np.ndarray:
    """Resize and scale uint8 pictures (n, rows, columns[, 3]) for a network.

    Returns (n, *spec.shape) float32.
    """
    return scale_images(resize_images(images, spec), spec.scaling)


def require_halvable(network: str, shape: tuple[int, ...]) -> None:
    """Raise `FacestagesError` for a batch that is not (n, 3, rows, columns) with sides that can be
    halved five times."""
    if len(shape) != 4 or shape[1] != 3 or any(side % 32 for side in shape[2:]):
        raise FacestagesError(
            f"{network} takes (n, 3, rows, columns) with rows and columns multiples of 32, such as "
            f"224, not {tuple(shape)}; check the network's 'input' in the config"
        )
