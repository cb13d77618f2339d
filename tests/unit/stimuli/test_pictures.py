"""Pictures of every format become uint8."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facestages.stimuli import pictures
from facestages.stimuli.quiet_cv2 import cv2
from facestages.stimuli.table import list_table
from own_tables import RAMP, one, read_table, refusal, write_table

YALE = Path(__file__).parents[4] / "shared" / "data" / "yalefaces"


@pytest.mark.parametrize("name", ["x.png", "x.gif", "x.bmp", "x.pgm", "x.tif", "x.webp"])
def test_formats(tmp_path, name):
    Image.fromarray(RAMP).save(tmp_path / name, **({"lossless": True} if "webp" in name else {}))
    np.testing.assert_array_equal(one(tmp_path, name), RAMP)


def test_palette_rgb_and_one_bit(tmp_path):
    colors = np.zeros((4, 4, 3), np.uint8)
    colors[..., 0] = 200
    Image.fromarray(colors).save(tmp_path / "rgb.png")
    Image.fromarray(colors).quantize().save(tmp_path / "palette.png")
    for name in ("rgb.png", "palette.png"):
        np.testing.assert_array_equal(one(tmp_path, name, color="rgb"), colors)
        assert (one(tmp_path, name) == 60).all()
    Image.fromarray(RAMP > 127).save(tmp_path / "bit.png")
    assert set(one(tmp_path, "bit.png").ravel()) == {0, 255}


@pytest.mark.parametrize("name", ["x.png", "x.tif", "x.pgm"])
def test_sixteen_bit_is_scaled(tmp_path, name):
    Image.fromarray(RAMP.astype(np.uint16) * 257).save(tmp_path / name)
    np.testing.assert_array_equal(one(tmp_path, name), RAMP)


def save_colours(path, values):
    """Write 16-bit colours, or grey with alpha, which Pillow cannot."""
    assert cv2.imwrite(str(path), values[..., [2, 1, 0, 3][: values.shape[2]]])


@pytest.mark.parametrize("name", ["x.png", "x.tif"])
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_the_range_is_that_of_the_whole_set(tmp_path, name, bits):
    """Of two pictures the dark one stays half as bright, whatever the range of both."""
    white = 2**bits - 1
    bright = np.linspace(0, white, 64).round().astype(np.uint16).reshape(8, 8)
    dark = (bright // 2).astype(np.uint16)
    Image.fromarray(bright).save(tmp_path / f"bright{name}")
    Image.fromarray(dark).save(tmp_path / f"dark{name}")
    table = write_table(tmp_path, ["path"], [f"dark{name}"], [f"bright{name}"])
    images = read_table(table).images
    expected = [np.round(values * (255 / white)) for values in (dark, bright)]
    np.testing.assert_array_equal(images, expected)
    said = f"2 pictures of 16 bits hold values up to {white:,}, so {white:,} is white in all"
    lines = list_table(table).report.get("to_look_at", [])
    assert (said in "".join(lines)) == (bits < 16)


@pytest.mark.parametrize("name", ["x.png", "x.tif", "x.ppm"])
def test_colours_of_sixteen_bits_keep_their_lower_byte(tmp_path, name):
    grey = np.linspace(0, 4095, 64).round().astype(np.uint16).reshape(8, 8)
    colours = np.stack([grey, grey // 2, grey // 4], axis=-1)
    save_colours(tmp_path / name, colours)
    found = one(tmp_path, name, color="rgb")
    np.testing.assert_array_equal(found, np.round(colours * (255 / 4095)))


def test_transparent_colours_of_sixteen_bits(tmp_path):
    colours = np.full((4, 4, 4), 4095, np.uint16)
    colours[:2, :, 3], colours[2:, :, 3] = 0, 65535
    save_colours(tmp_path / "x.png", colours)
    assert one(tmp_path, "x.png")[:, 0].tolist() == [128, 128, 255, 255]


def test_floats_and_signed_numbers(tmp_path):
    Image.fromarray((RAMP / 255).astype(np.float32)).save(tmp_path / "unit.tif")
    np.testing.assert_array_equal(one(tmp_path, "unit.tif"), RAMP)
    Image.fromarray(RAMP.astype(np.float32)).save(tmp_path / "bytes.tif")
    np.testing.assert_array_equal(one(tmp_path, "bytes.tif"), RAMP)
    numbers = np.linspace(0, 32767, 64).round().astype(np.uint16).reshape(8, 8)
    Image.fromarray(numbers).save(tmp_path / "signed.tif", tiffinfo={339: 2})
    np.testing.assert_array_equal(one(tmp_path, "signed.tif"), np.round(numbers * (255 / 32767)))


def test_a_cmyk_jpeg(tmp_path):
    colours = np.full((16, 16, 3), (200, 60, 30), np.uint8)
    Image.fromarray(colours).convert("CMYK").save(tmp_path / "x.jpg", quality=100)
    np.testing.assert_allclose(one(tmp_path, "x.jpg", color="rgb"), colours, atol=3)


def test_transparent_parts_become_middle_grey(tmp_path):
    pixels = np.full((4, 4, 4), 255, np.uint8)
    pixels[:2, :, 3] = 0
    Image.fromarray(pixels).save(tmp_path / "x.png")
    assert one(tmp_path, "x.png")[:, 0].tolist() == [128, 128, 255, 255]


@pytest.mark.parametrize(
    ("name", "depth"),
    [
        *((name, np.uint8) for name in ("x.jpg", "x.tif", "x.png", "x.webp")),
        *((name, np.uint16) for name in ("x.tif", "x.png")),
    ],
)
def test_the_orientation_of_the_camera_is_applied(tmp_path, name, depth):
    """6: the camera's upper left corner is the picture's upper right one."""
    exif = Image.Exif()
    exif[0x0112] = 6
    corner = np.zeros((8, 16), depth)
    corner[:4, :4] = np.iinfo(depth).max
    Image.fromarray(corner).save(tmp_path / name, exif=exif)
    found = one(tmp_path, name)
    assert found.shape == (16, 8)
    assert found[:3, 5:].min() > 200 and found[6:].max() < 50 and found[:, :3].max() < 50


@pytest.mark.skipif(not YALE.exists(), reason="the Yale faces are not on this machine")
def test_photographs_without_extension(tmp_path):
    names = sorted(item.name for item in YALE.iterdir())
    rows = [[name, *name.split(".")] for name in names]
    table = write_table(tmp_path, ["path", "identity", "expression"], *rows)
    faces = read_table(table, folder=YALE, size=48)
    assert faces.images.shape == (164, 48, 48)
    assert faces.labels["identity"].nunique() == 15
    assert faces.labels["expression"].nunique() == 11


def test_a_truncated_and_a_float_picture(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole.png")
    (tmp_path / "x.png").write_bytes((tmp_path / "whole.png").read_bytes()[:1000])
    table = write_table(tmp_path, ["path"], ["x.png"])
    assert "row 1 (line 2)" in refusal(table) and "cannot be read" in refusal(table)
    for value in (-1, np.nan, 70000):
        Image.fromarray(np.array([[0, value]], np.float32)).save(tmp_path / "x.tif")
        table = write_table(tmp_path, ["path"], ["x.tif"])
        assert "its values are not between 0 and 65535; save it as PNG" in refusal(table)


def test_another_kind_of_file_is_named(tmp_path):
    (tmp_path / "x.jpg").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    message = refusal(write_table(tmp_path, ["path"], ["x.jpg"]))
    assert "x.jpg cannot be read as a picture (it is a HEIC picture" in message


def test_pictures_of_fewer_bits_among_others_get_a_line(tmp_path):
    for name, white in (("8.png", 255), ("16.png", 65535)):
        Image.fromarray(np.array([[0, white]], np.uint16)).save(tmp_path / name)
    (line,) = list_table(write_table(tmp_path, ["path"], ["8.png"], ["16.png"])).report[
        "to_look_at"
    ]
    assert "8.png holds values up to 255 where 65,535 is white" in line


@pytest.mark.parametrize(
    ("dtype", "tag", "value", "words"),
    [
        (np.uint16, 262, 0, "its zero is white; save it as PNG"),
        (np.uint8, 339, 2, "its values are signed; save it as PNG"),
    ],
)
def test_tiffs_whose_values_mean_something_else(tmp_path, dtype, tag, value, words):
    """Pillow writes neither, so that the tag of a file is changed."""
    Image.fromarray(np.ones((2, 2), dtype)).save(tmp_path / "x.tif", tiffinfo={339: 1})
    content = (tmp_path / "x.tif").read_bytes()
    # Tag, type (16 bits), one value; the tag's own value follows.
    start = content.index(struct.pack("<HHI", tag, 3, 1)) + 8
    changed = content[:start] + struct.pack("<H", value) + content[start + 2 :]
    (tmp_path / "x.tif").write_bytes(changed)
    assert words in refusal(write_table(tmp_path, ["path"], ["x.tif"]))


def test_other_formats_are_not_opened(tmp_path):
    """Pillow would start Ghostscript for the first."""
    (tmp_path / "x.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    Image.fromarray(RAMP).save(tmp_path / "x.tga")
    Image.fromarray(RAMP).convert("RGB").save(tmp_path / "x.dds")
    for name in ("x.png", "x.tga", "x.dds"):
        message = refusal(write_table(tmp_path, ["path"], [name]))
        assert "row 1 (line 2)" in message and "it is none of JPEG, PNG, TIFF" in message


@pytest.mark.parametrize("name", ["x.png", "x.tif", "x.gif", "x.webp"])
def test_large_pictures_are_refused_by_their_header(tmp_path, monkeypatch, name):
    Image.fromarray(RAMP).save(tmp_path / name)
    table = write_table(tmp_path, ["path"], [name])
    monkeypatch.setattr(pictures, "MOST_PIXELS", 255)
    assert "has 0 million pixels, and at most 0 million are read" in refusal(table)
    monkeypatch.setattr(pictures, "MOST_PIXELS", 256)
    assert read_table(table).images.shape == (1, 16, 16)


def test_every_sixteen_bit_value_is_rounded(tmp_path):
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    Image.fromarray(values).save(tmp_path / "x.png")
    np.testing.assert_array_equal(one(tmp_path, "x.png"), np.round(values / 257))
