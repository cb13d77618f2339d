"""Pictures become stimuli: faces upright and of one size, and every exception is listed."""

import threading
from functools import partial

import numpy as np
import pytest
import xarray

from face_sets import ASSETS, rendered_portraits
from facestages.errors import FacestagesError
from facestages.stimuli import (
    Irregularity,
    join_stimuli,
    read_examples,
    read_irregular,
    read_stimuli,
    write_stimuli,
)
from facestages.stimuli.crop import EYE_DISTANCE, EYE_LINE, crop_pictures, cut_out
from facestages.stimuli.pictures import Picture, PictureSource
from facestages.stimuli.render.head_model import load_head

STOP = {"margin": 0.2, "failures": "stop"}


@pytest.fixture(scope="module")
def portrait():
    """Grey picture (300, 300) of somebody."""
    draw = rendered_portraits(load_head(ASSETS / "headmodel"))
    return lambda person="F01", expression="happy": draw(person, expression, "A", 300)[0]


def source(pictures, excluded=()):
    """A source of pictures by name."""
    listed = [
        Picture(name, name, partial(np.asarray, picture)) for name, picture in pictures.items()
    ]
    return PictureSource(listed, len(listed), list(excluded), {"hello": 1}, has_black=True)


def crop(pictures, crop=None, size=64, color="grey", threads=1, **options):
    listed = pictures if isinstance(pictures, PictureSource) else source(pictures)
    detector = ASSETS / "face_detector"
    options |= {"name": "mine", "crop": crop, "detector": detector, "threads": threads}
    return join_stimuli(crop_pictures(listed, size=size, color=color, **options))


def dots(angle, apart, centre=(70.0, 60.0), shape=(120, 140)):
    """A picture with a bright spot at each eye, and the eyes."""
    across = apart / 2 * np.array([np.cos(angle), np.sin(angle)])
    eyes = np.array([centre - across, centre + across])
    row, column = np.mgrid[: shape[0], : shape[1]]
    spots = sum(np.exp(-((column - x) ** 2 + (row - y) ** 2) / 8) for x, y in eyes)
    return np.round(250 * spots.clip(0, 1)).astype(np.uint8), eyes


def brightest(image):
    """Centres of gravity of the spots in the two halves, columns and rows from pixel centres."""
    found = []
    for half, start in ((image[:, : image.shape[1] // 2], 0), (image[:, image.shape[1] // 2 :], 1)):
        row, column = np.mgrid[: half.shape[0], : half.shape[1]]
        weight = half / half.sum()
        found.append([(column * weight).sum() + start * image.shape[1] // 2, (row * weight).sum()])
    return np.array(found)


@pytest.mark.parametrize("angle", [0.0, 0.4, -0.7])
@pytest.mark.parametrize("apart", [12.0, 40.0])
@pytest.mark.parametrize("margin", [0.0, 0.5])
def test_eyes_come_to_lie_where_they_should(angle, apart, margin):
    size = 80
    image = cut_out(*dots(angle, apart), size, margin)
    tight = size / (1 + 2 * margin)
    expected_row = (EYE_LINE + margin) * tight - 0.5
    half = EYE_DISTANCE * tight / 2
    expected = [[size / 2 - half - 0.5, expected_row], [size / 2 + half - 0.5, expected_row]]
    assert np.allclose(brightest(image), expected, atol=0.35)


def test_shrinking_averages():
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (800, 800), dtype=np.uint8)
    image = cut_out(noise, np.array([[250.0, 400.0], [550.0, 400.0]]), 16, 0.0)
    assert abs(image.mean() - 127.5) < 3 and image.std() < 8


def test_beyond_the_edge_the_edge_goes_on():
    picture = np.full((40, 40), 90, np.uint8)
    image = cut_out(picture, np.array([[2.0, 5.0], [30.0, 5.0]]), 50, 1.0)
    assert (image == 90).all()


def test_order_labels_and_report(portrait):
    people = {f"{n}": portrait(f"F{n:02d}") for n in range(1, 8)}
    faces = crop(people, STOP, threads=3)
    assert list(faces.labels["stimulus_id"]) == list(people)
    assert faces.images.shape == (7, 64, 64) and faces.attributes == {"report": '{"hello": 1}'}
    assert faces.labels["face_score"].between(0.4, 1).all()
    assert faces.labels["eye_distance"].between(40, 90).all()
    assert faces.sources["face_score"] == "detector"
    again = crop(people, STOP, threads=1)
    assert again.digest == faces.digest


@pytest.mark.parametrize("color, shape", [("grey", (1, 64, 64)), ("rgb", (1, 64, 64, 3))])
def test_colour_as_wanted(portrait, color, shape):
    red = np.stack([portrait(), portrait() // 2, portrait() // 2], axis=2)
    image = crop({"red": red}, STOP, color=color).images
    assert image.shape == shape
    if color == "rgb":
        assert image[..., 0].mean() > 1.8 * image[..., 1].mean()


def test_failures_are_listed_in_every_way(portrait, tmp_path):
    one = portrait()
    small = np.pad(one[::4, ::4], ((200, 25), (25, 0)), mode="edge")
    pictures = {
        "good": one,
        "noise": np.random.default_rng(0).integers(0, 256, (300, 300), dtype=np.uint8),
        "pair": np.hstack([one, portrait("M02")]),
        "background": np.hstack([one, small]),
        "black": np.zeros((300, 300), np.uint8),
    }
    given = source(pictures, [("odd.jpg", "its name is odd")])
    with pytest.raises(FacestagesError) as caught:
        crop(given, STOP)
    message = str(caught.value)
    assert "2 of 5 pictures" in message and "noise (no face found)" in message
    assert "pair (2 faces found)" in message and "crop.failures" in message
    assert len(message.splitlines()) == 2

    dropped = crop(given, STOP | {"failures": "drop"})
    assert list(dropped.labels["stimulus_id"]) == ["good", "background"]
    assert [tuple(item) for item in dropped.irregular] == [
        ("odd.jpg", "its name is odd", "left out"),
        ("noise", "no face found", "left out"),
        ("pair", "2 faces found", "left out"),
        ("black", "black (mean intensity 0.0 of 255)", "left out"),
    ]
    whole = crop(given, STOP | {"failures": "whole"})
    assert list(whole.labels["stimulus_id"]) == ["good", "noise", "pair", "background"]
    assert list(whole.labels["face_score"].isna()) == [False, True, True, False]
    assert whole.irregular[1] == ("noise", "no face found", "whole picture taken")

    write_stimuli(tmp_path / "x.h5", dropped, "mine")
    assert read_irregular(tmp_path / "x.h5") == dropped.irregular
    examples = read_examples(tmp_path / "x.h5")
    assert [item.stimulus_id for item in examples] == ["good", "background", "", "", ""]
    assert examples[2].note == "no face found: left out"
    assert (examples[0].original == dropped.examples[0].original).all()
    assert np.isfinite(examples[0].eyes).all() and np.isnan(examples[2].eyes).all()
    assert read_stimuli(tmp_path / "x.h5").digest == dropped.digest
    with xarray.open_dataset(tmp_path / "x.h5", group="examples", engine="h5netcdf") as group:
        assert dict(group["original"].sizes) == {"example": 5, "line": 192, "pixel": 192, "rgb": 3}
    with xarray.open_dataset(tmp_path / "x.h5", engine="h5netcdf") as root:
        assert root["images"].dims == ("stimulus_id", "row", "column")
        assert list(root["images"].indexes["stimulus_id"]) == ["good", "background"]


def test_dark_pictures_stay_where_none_is_known_to_be_black():
    listed = [Picture("a", "a", partial(np.zeros, (9, 9), np.uint8))]
    faces = crop(PictureSource(listed, 1))
    assert len(faces) == 1


@pytest.mark.parametrize("value", [0, 128, 255])
def test_pictures_of_one_value_are_taken_and_noted(value):
    pictures = {"flat": np.full((9, 9), value, np.uint8), "edge": 9 * np.eye(9, dtype=np.uint8)}
    listed = [
        Picture(name, name, lambda pixels=pixels: pixels) for name, pixels in pictures.items()
    ]
    faces = crop(PictureSource(listed, 2))
    said = Irregularity("flat", f"all its pixels are {value} to {value} of 255", "taken as it is")
    assert faces.irregular == [said] and len(faces) == 2


def test_large_pictures_give_the_same_crop(portrait):
    one = portrait()
    large = np.repeat(np.repeat(one, 10, axis=0), 10, axis=1)
    near, far = (crop({"x": picture}, STOP).images[0].astype(int) for picture in (one, large))
    assert np.abs(near - far).mean() < 4


def test_nothing_left():
    with pytest.raises(FacestagesError, match="no picture is left of 1"):
        crop({"black": np.zeros((30, 30), np.uint8)}, STOP | {"failures": "drop"})


def test_whole_pictures_of_two_sizes():
    pictures = {"a": np.full((30, 20), 99, np.uint8), "b": np.full((30, 30), 99, np.uint8)}
    with pytest.raises(FacestagesError, match="b is 30x30 pixels, the ones before are 20x30"):
        crop(pictures, size=None)
    assert crop(pictures, size=10).images.shape == (2, 10, 10)


def test_no_more_pictures_in_memory_than_are_at_work():
    alive, most, lock = set(), 0, threading.Lock()

    class Tracked(np.ndarray):
        def __del__(self):
            alive.discard(id(self))

    def read():
        nonlocal most
        picture = np.full((20, 20), 99, np.uint8).view(Tracked)
        with lock:
            alive.add(id(picture))
            most = max(most, len(alive))
        return picture

    listed = [Picture(str(n), str(n), read) for n in range(600)]
    blocks = crop_pictures(
        PictureSource(iter(listed), 600), name="x", size=8, color="grey", threads=2
    )
    assert [len(block) for block in blocks] == [256, 256, 88]
    assert most <= 10
