"""Pages in millimetres."""

import pytest
from matplotlib import pyplot as plt

from facestages.figures import layout


def test_axes_stand_where_they_are_put():
    figure = layout.new_page(100, "A caption of one line.")
    width, height = figure.get_size_inches() * 25.4
    assert width == pytest.approx(180) and 103 < height < 110
    axis = layout.add_axes(figure, 20, 10, 60, 30)
    left, bottom, wide, high = axis.get_position().bounds
    assert (left * width, wide * width, high * height) == pytest.approx((20, 60, 30))
    assert (1 - bottom - high) * height == pytest.approx(10)
    plt.close(figure)


def test_a_longer_caption_has_more_room():
    low, high = (layout.new_page(100, "word " * n).get_figheight() for n in (10, 200))
    assert high > low
    plt.close("all")
