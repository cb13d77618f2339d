"""Pictures as networks take them."""

import keras
import numpy as np
import pytest
from PIL import Image

from facestages.architectures import InputSpec
from facestages.errors import FacestagesError
from facestages.networks.inputs import prepare_images, resize_images


@pytest.fixture(scope="module")
def faces():
    return np.random.default_rng(0).integers(0, 255, (5, 48, 48), dtype=np.uint8)


@pytest.mark.parametrize(
    ("scaling", "low", "high"), [("unit", 0, 1), ("symmetric", -1, 1), ("none", 0, 255)]
)
def test_scaling(scaling, low, high):
    images = np.array([0, 255] * 8, np.uint8).reshape(1, 4, 4)
    prepared = prepare_images(images, InputSpec(4, 1, scaling))
    assert prepared.min() == pytest.approx(low)
    assert prepared.max() == pytest.approx(high)


def test_scalings_by_channel():
    """Known answers of keras.applications and of ImageNet's mean and deviation."""
    images = np.random.default_rng(0).integers(0, 255, (2, 4, 4, 3), dtype=np.uint8)
    prepared = prepare_images(images, InputSpec(4, 3, "caffe"))
    expected = keras.applications.vgg16.preprocess_input(images.astype(np.float32))
    np.testing.assert_allclose(prepared, expected, rtol=1e-5, atol=1e-4)
    prepared = prepare_images(images, InputSpec(4, 3, "imagenet"))
    expected = (images / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(prepared, expected, rtol=1e-5, atol=1e-5)
    own = {"mean": [0.5, 0.1, 0.2], "deviation": [1.0, 0.5, 0.25]}
    prepared = prepare_images(images, InputSpec(4, 3, own))
    expected = (images / 255 - own["mean"]) / own["deviation"]
    np.testing.assert_allclose(prepared, expected, rtol=1e-5, atol=1e-5)
    grey = prepare_images(images, InputSpec(4, 1, {"mean": [0.5], "deviation": [0.25]}))
    assert grey.shape == (2, 4, 4, 1) and grey.min() >= -2 and grey.max() <= 2
    with pytest.raises(FacestagesError, match="needs 1 of 'mean' and of 'deviation'"):
        InputSpec(4, 1, own)
    with pytest.raises(FacestagesError, match="'caffe' is for 3 channels"):
        InputSpec(4, 1, "caffe")


def test_resizing_keeps_grey_values_and_channels(faces):
    assert resize_images(faces, InputSpec(48, 1)).base is not None  # no copy where nothing changes
    flat = np.full((2, 30, 40, 3), 77, np.uint8)
    assert (resize_images(flat, InputSpec(16, 1)) == 77).all()
    assert resize_images(faces, InputSpec(24, 3)).shape == (5, 24, 24, 3)
    red = np.zeros((1, 4, 4, 3), np.uint8)
    red[..., 0] = 255
    assert resize_images(red, InputSpec(4, 1))[0, 0, 0, 0] == 76  # ITU-R 601: 0.299 of 255


def test_a_picture_is_stretched_to_rows_and_columns():
    """A gradient along columns stays one, and reaches from edge to edge."""
    images = np.repeat(np.arange(0, 192, 4, dtype=np.uint8)[None, None], 48, axis=1)
    spec = InputSpec([55, 47], 3)
    assert spec.shape == (55, 47, 3) and spec == InputSpec((55, 47), 3)
    prepared = prepare_images(images, spec)
    assert prepared.shape == (1, 55, 47, 3)
    expected = ((np.arange(47) + 0.5) * 48 / 47 - 0.5) * 4 / 255
    np.testing.assert_allclose(prepared[0, :, :, 0], np.tile(expected, (55, 1)), atol=1.5 / 255)
    assert resize_images(prepared.astype(np.uint8), spec).base is not None
    with pytest.raises(FacestagesError, match=r"one number or \[rows, columns\], not \[55\]"):
        InputSpec([55], 3)


@pytest.mark.parametrize("size", [30, 48])
def test_a_network_trained_on_grey_gets_the_luminance_in_three_channels(size):
    """A picture in colour, its luminance in one channel, and that in three are the same to it."""
    colour = np.random.default_rng(0).integers(0, 255, (3, size, size, 3), dtype=np.uint8)
    luminance = np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in colour])
    spec = InputSpec(48, 3, "unit", grey=True)
    shown = prepare_images(colour, spec)
    assert shown.shape == (3, 48, 48, 3)
    expected = prepare_images(luminance, InputSpec(48, 1))
    for channel in range(3):
        np.testing.assert_array_equal(shown[..., channel], expected[..., 0])
    for same in (luminance, luminance[..., None], np.repeat(luminance[..., None], 3, axis=3)):
        np.testing.assert_array_equal(prepare_images(same, spec), shown)
    assert not np.array_equal(prepare_images(colour, InputSpec(48, 3)), shown)


@pytest.mark.parametrize("images_in", ["grey", "colour"])
@pytest.mark.parametrize(
    "spec",
    [
        InputSpec(48, 1),
        InputSpec(48, 3, "imagenet"),
        InputSpec(48, 3, "caffe"),
        InputSpec(48, 3, grey=True),
    ],
)
def test_pictures_may_be_resized_before(spec, images_in):
    """So that this goes on beside a forward pass."""
    shape = (3, 30, 30) if images_in == "grey" else (3, 30, 30, 3)
    images = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    resized = resize_images(images, spec)
    np.testing.assert_array_equal(prepare_images(resized, spec), prepare_images(images, spec))
