"""Augmentation."""

import numpy as np

from facestages.config.training import Augmentation
from facestages.networks.augmentation import affine_transforms, augment


def test_no_augmentation_changes_nothing():
    images = np.random.default_rng(0).random((3, 8, 8, 1), np.float32)
    nothing = Augmentation(rotation=0, shift=0, shear=0, zoom=0, flip=False)
    same = np.asarray(augment(images, nothing, np.random.default_rng(0)))
    np.testing.assert_allclose(same, images, atol=1e-6)


def test_flips_mirror_half_of_the_pictures():
    images = np.random.default_rng(0).random((400, 6, 6, 1), np.float32)
    flips = Augmentation(rotation=0, shift=0, shear=0, zoom=0, flip=True)
    changed = np.asarray(augment(images, flips, np.random.default_rng(0)))
    mirrored = np.isclose(changed, images[:, :, ::-1], atol=1e-5).all(axis=(1, 2, 3))
    kept = np.isclose(changed, images, atol=1e-5).all(axis=(1, 2, 3))
    assert (mirrored | kept).all()
    assert 150 < mirrored.sum() < 250


def test_changes_stay_within_their_limits():
    change = Augmentation(rotation=0, shift=0.25, shear=0, zoom=0, flip=False)
    transforms = affine_transforms(500, 8, change, np.random.default_rng(0))
    np.testing.assert_allclose(transforms[:, [0, 1, 3, 4]], np.tile([1, 0, 0, 1], (500, 1)))
    assert 1.9 < np.abs(transforms[:, 2]).max() <= 2
