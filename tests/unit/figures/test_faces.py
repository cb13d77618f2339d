"""Faces in figures: which are chosen, and how they are drawn."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.offsetbox import AnnotationBbox

from facestages.figures import faces, maps, style


def test_equal_steps_along_the_axis_not_equal_ranks():
    values = np.array([0.0, 0.1, 0.2, 0.3, 5.0, 10.0])
    assert list(faces.equally_spaced(values, 3)) == [0, 4, 5]


def test_no_face_is_shown_twice():
    rows = faces.equally_spaced(np.array([0.0, 0.0, 0.0, 10.0, 0.01]), 5)
    assert sorted(rows) == [0, 1, 2, 3, 4]


def test_fewer_faces_than_positions_and_faces_without_a_value():
    rows = faces.equally_spaced(np.array([np.nan, 3.0, 1.0]), 21)
    assert list(rows) == [2, 1]
    assert len(faces.equally_spaced(np.array([np.nan]), 21)) == 0


@pytest.mark.parametrize("shape", [(192, 192), (300, 200, 3), (48, 48)])
def test_a_thumbnail_is_small_and_rgb(shape):
    picture = np.full(shape, 77, np.uint8)
    small = faces.thumbnail(picture, 100)
    assert small.shape[2] == 3 and max(small.shape) <= 100 and (small == 77).all()


def test_a_strip_has_its_faces_in_order():
    figure, axis = plt.subplots()
    faces.draw_strip(axis, [np.full((8, 8), level, np.uint8) for level in (0, 100, 200)], 4)
    drawn = axis.get_images()
    assert [image.get_array()[0, 0, 0] for image in drawn] == [0, 100, 200]
    assert [image.get_extent()[0] for image in drawn] == pytest.approx([0.02, 1.02, 2.02])
    assert axis.get_xlim() == (0, 4)
    plt.close(figure)


def test_faces_hide_neither_each_other_nor_leave_the_map():
    style.use_style()
    figure, axis = plt.subplots(figsize=(3, 3))
    points = np.random.default_rng(0).normal(size=(300, 2))
    maps.draw_people(axis, points, np.arange(300) % 30, ("x", "y"))
    chosen = np.arange(30)
    places = faces.free_places(axis, points, chosen, millimetres=8)
    shown = np.isfinite(places).all(axis=1)
    # Thirty of them have no room in 60 mm.
    assert 10 < shown.sum() < 30
    pictures = np.zeros((30, 10, 10), np.uint8)
    limits = axis.get_xlim(), axis.get_ylim()
    faces.draw_faces_at(axis, pictures, points[chosen], 8, places)
    figure.canvas.draw()
    assert (axis.get_xlim(), axis.get_ylim()) == limits
    boxes = [box for box in axis.artists if isinstance(box, AnnotationBbox)]
    extents = [box.get_window_extent() for box in boxes]
    assert len(extents) == shown.sum()
    for number, one in enumerate(extents):
        assert axis.bbox.x0 < one.x0 and one.x1 < axis.bbox.x1
        assert axis.bbox.y0 < one.y0 and one.y1 < axis.bbox.y1
        assert one.height == pytest.approx(8 / 25.4 * figure.dpi, rel=0.05)
        assert not any(one.overlaps(other) for other in extents[:number])
