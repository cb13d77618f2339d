"""Augmentation, and pictures that are named by their rows."""

import numpy as np
import pytest

from facestages.config.training import Augmentation
from facestages.networks.augmentation import KeptPictures, affine_transforms
from facestages.networks.inputs import scale_images
from facestages.networks.quiet_keras import keras

NOTHING = Augmentation(rotation=0, shift=0, shear=0, zoom=0, flip=False)


def kept(images, change, scaling="unit"):
    """Pictures as a model that leaves them as they are sees them in training."""
    picture = keras.Input(images.shape[1:])
    trained = KeptPictures(keras.Model(picture, picture), images, scaling, change)
    return np.asarray(trained(np.arange(len(images))[:, None], training=True))


@pytest.mark.parametrize("scaling", ["unit", "caffe"])
def test_no_augmentation_changes_nothing(scaling):
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)
    same = kept(images, NOTHING, scaling)
    np.testing.assert_allclose(same, scale_images(images, scaling), atol=1e-4)


def test_flips_mirror_half_of_the_pictures():
    images = np.random.default_rng(0).integers(0, 256, (400, 6, 6, 1), np.uint8)
    changed = kept(images, NOTHING.model_copy(update={"flip": True}))
    images = images / 255
    mirrored = np.isclose(changed, images[:, :, ::-1], atol=1e-5).all(axis=(1, 2, 3))
    same = np.isclose(changed, images, atol=1e-5).all(axis=(1, 2, 3))
    assert (mirrored | same).all()
    assert 150 < mirrored.sum() < 250


def test_changes_stay_within_their_limits():
    draws = np.random.default_rng(0).uniform(-1, 1, (7, 500)).astype(np.float32)
    shifts = NOTHING.model_copy(update={"shift": 0.25})
    transforms = np.asarray(affine_transforms(draws, 8, shifts))
    np.testing.assert_allclose(transforms[:, [0, 1, 3, 4]], np.tile([1, 0, 0, 1], (500, 1)))
    np.testing.assert_allclose(transforms[:, 2], 2 * draws[4], atol=1e-6)
    turns = NOTHING.model_copy(update={"rotation": 90.0})
    a, b, _, d, e = np.asarray(affine_transforms(draws, 8, turns))[:, :5].T
    np.testing.assert_allclose(np.arctan2(d, a), np.pi / 2 * draws[0], atol=1e-5)
    np.testing.assert_allclose([a, b], [e, -d], atol=1e-6)
