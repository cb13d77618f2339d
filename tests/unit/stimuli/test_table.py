"""A face set of one's own: every format becomes uint8, and errors name the row."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facestages.errors import FacestagesError
from facestages.stimuli import join_stimuli, read_stimuli, write_stimuli
from facestages.stimuli.crop import crop_pictures
from facestages.stimuli.table import list_table

YALE = Path(__file__).parents[4] / "shared" / "data" / "yalefaces"
RAMP = np.tile(np.arange(0, 256, 16, dtype=np.uint8), (16, 1))


def write_table(folder, header, *rows):
    path = folder / "faces.csv"
    with open(path, "w", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])
    return path


def read_table(table, size=None, color="grey", **options):
    """Read all pictures of a table."""
    listed = list_table(table, **options)
    return join_stimuli(crop_pictures(listed, name="own", size=size, color=color))


def one(tmp_path, name, **options):
    """Read a table of one picture; return the picture."""
    return read_table(write_table(tmp_path, ["path"], [name]), **options).images[0]


def refusal(*args, **options):
    """Read what must be refused; return the message, which has one or two lines."""
    with pytest.raises(FacestagesError) as caught:
        read_table(*args, **options)
    message = str(caught.value)
    assert len(message.splitlines()) <= 2
    return message


@pytest.fixture
def two(tmp_path):
    """A folder of two pictures."""
    for name in ("a.png", "b.png"):
        Image.fromarray(RAMP).save(tmp_path / name)
    return tmp_path


# ------------------------------------------------------------------------------- labels


def test_labels_are_kept_as_written(two):
    header = ["path", "identity", "expression", "valence", "au_12", "age", "place", "frame"]
    table = write_table(
        two,
        header,
        ["a.png", "01", "Happiness", "0.5", "", "31", "Haifa", "1"],
        ["./b.png", "02", "", "NA", "2", "", "7", "2"],
    )
    faces = read_table(table, sources={"valence": "human"})
    labels = faces.labels
    assert list(labels["stimulus_id"]) == ["a.png", "b.png"] and "path" not in labels
    assert list(labels["identity"]) == ["01", "02"]
    assert list(labels["expression"]) == ["Happiness", ""]
    assert labels["valence"][0] == 0.5 and np.isnan(labels["valence"][1])
    assert np.isnan(labels["au_12"][0]) and labels["age"][0] == 31.0
    assert list(labels["place"]) == ["Haifa", "7"] and labels["frame"].dtype == np.int64
    assert faces.sources["valence"] == "human" and faces.sources["identity"] == "file"
    write_stimuli(two / "x.h5", faces, "own")
    assert read_stimuli(two / "x.h5").digest == faces.digest


def test_a_stimulus_id_of_ones_own(two):
    table = write_table(two, ["stimulus_id", "path"], ["one", "a.png"], ["two", "b.png"])
    labels = read_table(table).labels
    assert list(labels["stimulus_id"]) == ["one", "two"]
    assert list(labels["path"]) == ["a.png", "b.png"]


def test_line_ends_and_byte_order_mark(two):
    table = two / "faces.csv"
    table.write_bytes(b"\xef\xbb\xbfpath, identity\ra.png, x\r\rb.png, y\r")
    assert list(read_table(table).labels["identity"]) == ["x", "y"]


# ------------------------------------------------------------------------------- pictures


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


def test_transparent_parts_become_middle_grey(tmp_path):
    pixels = np.full((4, 4, 4), 255, np.uint8)
    pixels[:2, :, 3] = 0
    Image.fromarray(pixels).save(tmp_path / "x.png")
    assert one(tmp_path, "x.png")[:, 0].tolist() == [128, 128, 255, 255]


def test_the_orientation_of_the_camera_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(RAMP[:8]).save(tmp_path / "x.png", exif=exif)
    assert one(tmp_path, "x.png").shape == (16, 8)


def test_resizing_keeps_proportions(tmp_path):
    wide = np.zeros((40, 80), np.uint8)
    wide[:, 20:60] = 200
    Image.fromarray(wide).save(tmp_path / "x.png")
    assert (one(tmp_path, "x.png", size=20) == 200).all()
    assert one(tmp_path, "x.png", size=20, color="rgb").shape == (20, 20, 3)


@pytest.mark.skipif(not YALE.exists(), reason="the Yale faces are not on this machine")
def test_photographs_without_extension(tmp_path):
    names = sorted(item.name for item in YALE.iterdir())
    rows = [[name, *name.split(".")] for name in names]
    table = write_table(tmp_path, ["path", "identity", "expression"], *rows)
    faces = read_table(table, folder=YALE, size=48)
    assert faces.images.shape == (164, 48, 48)
    assert faces.labels["identity"].nunique() == 15
    assert faces.labels["expression"].nunique() == 11


# ------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("header", "second", "said"),
    [
        (["path"], ["c.png"], ("there is no picture", "c.png", "Correct the path")),
        (["path"], [""], ("'path' is empty", "remove the row")),
        (["path"], ["./a.png"], ("path 'a.png' is already in row 1 (line 2)", "Remove one")),
        (["path"], ["../a.png"], ("leads out of the folder", "relative")),
        (["path"], ["x/../../a.png"], ("leads out of the folder", "relative")),
        (["path"], ["/etc/passwd"], ("leads out of the folder", "relative")),
        (["path"], ["faces.csv"], ("cannot be read as a picture", "Replace or remove it")),
        (["path", "valence"], ["b.png", "high"], ("valence is 'high', not a number", "Correct")),
        (["path", "au_1"], ["b.png", "inf"], ("au_1 is 'inf'", "leave it empty")),
        (["path", "sex"], ["b.png"], ("has 1 values where the header has 2 columns", "Mend")),
        (["path", "stimulus_id"], ["b.png", "1"], ("stimulus_id '1' is already in row 1",)),
    ],
)
def test_a_bad_row_is_named_with_the_remedy(two, header, second, said):
    table = write_table(two, header, ["a.png", *["1"] * (len(header) - 1)], second)
    message = refusal(table)
    assert f"{table}: row 2 (line 3)" in message
    assert all(part in message for part in said), message


def test_pictures_of_different_sizes_need_a_size(two):
    Image.new("L", (20, 10), 99).save(two / "b.png")
    table = write_table(two, ["path"], ["a.png"], ["b.png"])
    message = refusal(table)
    assert "own: b.png" in message and "is 20x10 pixels" in message and "Set 'size'" in message
    assert read_table(table, size=8).images.shape == (2, 8, 8)


def test_a_truncated_and_a_float_picture(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole.png")
    (tmp_path / "x.png").write_bytes((tmp_path / "whole.png").read_bytes()[:1000])
    table = write_table(tmp_path, ["path"], ["x.png"])
    assert "row 1 (line 2)" in refusal(table) and "cannot be read" in refusal(table)
    Image.fromarray(RAMP.astype(np.float32)).save(tmp_path / "x.tif")
    table = write_table(tmp_path, ["path"], ["x.tif"])
    assert "not 8 or 16 bit; save it as PNG" in refusal(table)


def test_bad_tables(two):
    table = write_table(two, ["file", "identity"], ["a.png", "1"])
    message = refusal(table)
    assert str(table) in message and "has no column 'path'" in message and "rename" in message
    assert "no rows" in refusal(write_table(two, ["path"]))
    assert "column 1 has no name" in refusal(write_table(two, ["", "path"], ["0", "a.png"]))
    assert "two columns 'sex'" in refusal(write_table(two, ["path", "sex", "sex"]))
    message = refusal(write_table(two, ["path", "row"], ["a.png", "1"]))
    assert "cannot be named 'row'" in message and "Rename" in message
    message = refusal(two / "none.csv")
    assert str(two / "none.csv") in message and "no such file" in message


def test_bad_arguments(two):
    table = write_table(two, ["path", "identity"], ["a.png", "1"])
    assert "did you mean 'grey'?" in refusal(table, color="gray")
    assert "'size' must be" in refusal(table, size=0)
    assert "no such folder" in refusal(table, folder=two / "none")
    assert "did you mean 'identity'?" in refusal(table, sources={"identiy": "human"})
