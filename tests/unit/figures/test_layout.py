"""Pages in millimetres."""

import pytest
from matplotlib import pyplot as plt

from facestages.figures import layout


def test_axes_stand_where_they_are_put():
    figure = layout.new_page(105)
    width, height = figure.get_size_inches() * 25.4
    assert (width, height) == pytest.approx((180, 105))
    axis = layout.add_axes(figure, 20, 10, 60, 30)
    left, bottom, wide, high = axis.get_position().bounds
    assert (left * width, wide * width, high * height) == pytest.approx((20, 60, 30))
    assert (1 - bottom - high) * height == pytest.approx(10)
    plt.close(figure)
