"""Random changes of the pictures that train a network."""

from __future__ import annotations

import numpy as np

from facestages.config.training import Augmentation
from facestages.networks.quiet_keras import keras


def affine_transforms(
    n: int, size: int, change: Augmentation, rng: np.random.Generator
) -> np.ndarray:
    """Draw random rotations, shears, zooms, shifts and mirrorings of square pictures.

    Parameters
    ----------
    n : int
        Number of pictures.
    size : int
        Rows and columns of a picture.
    change : Augmentation
        The largest change of each kind.
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray of float32, shape (n, 8)
        First eight coefficients of each 3 x 3 matrix from output to input pixels (x, y), as
        ``keras.ops.image.affine_transform`` takes them.
    """
    angle = np.deg2rad(rng.uniform(-change.rotation, change.rotation, n))
    shear = np.deg2rad(rng.uniform(-change.shear, change.shear, n))
    zoom_x, zoom_y = rng.uniform(1 - change.zoom, 1 + change.zoom, (2, n))
    shift_x, shift_y = rng.uniform(-change.shift, change.shift, (2, n)) * size
    zoom_x = zoom_x * np.where(rng.random(n) < 0.5 * change.flip, -1.0, 1.0)
    a = np.cos(angle) * zoom_x
    b = -np.sin(angle + shear) * zoom_y
    d = np.sin(angle) * zoom_x
    e = np.cos(angle + shear) * zoom_y
    centre = (size - 1) / 2
    c = centre - (a + b) * centre + shift_x
    f = centre - (d + e) * centre + shift_y
    zero = np.zeros(n)
    return np.stack([a, b, c, d, e, f, zero, zero], axis=1).astype(np.float32)


def augment(images: np.ndarray, change: Augmentation, rng: np.random.Generator):
    """Transform pictures (n, size, size, channels) float32 at random, each by its own
    `affine_transforms`. Pixels from outside a picture take its nearest value."""
    transforms = affine_transforms(len(images), images.shape[1], change, rng)
    return keras.ops.image.affine_transform(images, transforms, fill_mode="nearest")
