"""Pictures that train a network: kept where it computes, and changed at random there."""

from __future__ import annotations

import numpy as np

from facestages.architectures import BLUE_FIRST, factor_and_shift
from facestages.config.training import Augmentation
from facestages.networks.quiet_keras import keras

ops = keras.ops


def affine_transforms(draws, size: int, change: Augmentation):
    """Rotations, shears, zooms, shifts and mirrorings of square pictures.

    Parameters
    ----------
    draws : tensor, shape (7, n)
        Numbers between -1 and 1: of the angle, the shear, both zooms, both shifts and the mirroring
        of each picture.
    size : int
        Rows and columns of a picture.
    change : Augmentation
        The largest change of each kind.

    Returns
    -------
    tensor of float32, shape (n, 8)
        First eight coefficients of each 3 x 3 matrix from output to input pixels (x, y), as
        ``keras.ops.image.affine_transform`` takes them.
    """
    angle = np.deg2rad(change.rotation) * draws[0]
    shear = np.deg2rad(change.shear) * draws[1]
    zoom_x, zoom_y = 1 + change.zoom * draws[2], 1 + change.zoom * draws[3]
    shift_x, shift_y = change.shift * size * draws[4], change.shift * size * draws[5]
    if change.flip:
        zoom_x = zoom_x * ops.where(draws[6] < 0, -1.0, 1.0)
    a = ops.cos(angle) * zoom_x
    b = -ops.sin(angle + shear) * zoom_y
    d = ops.sin(angle) * zoom_x
    e = ops.cos(angle + shear) * zoom_y
    centre = (size - 1) / 2
    c = centre - (a + b) * centre + shift_x
    f = centre - (d + e) * centre + shift_y
    zero = ops.zeros_like(a)
    return ops.stack([a, b, c, d, e, f, zero, zero], axis=1)


class KeptPictures(keras.Model):
    """A classifier of pictures that stay where it computes, which are named by their rows.

    Only row numbers go to an accelerator with each step, and the random changes are part of the
    compiled step. Pixels from outside a picture take its nearest value.

    Parameters
    ----------
    model : keras.Model
        The classifier, whose variables are trained.
    images : numpy.ndarray of uint8, shape (n, size, size, channels)
    scaling : str or mapping
        Input scaling of the classifier, as of `architectures.InputSpec`.
    change : Augmentation
    """

    def __init__(self, model: keras.Model, images: np.ndarray, scaling, change: Augmentation):
        super().__init__(dtype="float32")
        self.classifier, self.change = model, change
        self.images = keras.Variable(images, dtype="uint8", trainable=False)
        self.seed = keras.random.SeedGenerator(0)
        self.factor, self.shift = (np.float32(value) for value in factor_and_shift(scaling))
        self.blue_first = scaling in BLUE_FIRST

    def call(self, rows, training=False):
        """What the classifier answers to pictures (n, 1) named by their rows."""
        images = ops.cast(ops.take(self.images, rows[:, 0], axis=0), "float32")
        images = images * self.factor + self.shift
        if self.blue_first:
            images = ops.flip(images, axis=-1)
        if training:
            draws = keras.random.uniform((7, ops.shape(rows)[0]), -1, 1, seed=self.seed)
            transforms = affine_transforms(draws, self.images.shape[1], self.change)
            images = ops.image.affine_transform(images, transforms, fill_mode="nearest")
        return self.classifier(images, training=training)
