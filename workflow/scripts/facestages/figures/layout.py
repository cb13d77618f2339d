"""Pages laid out in millimetres from their upper left corner."""

from __future__ import annotations

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facestages.figures import style

#: Width of a page.
WIDTH = style.PAGE_WIDTH / style.MILLIMETRE


def new_page(height: float) -> Figure:
    """An empty page of this height."""
    style.use_style()
    return plt.figure(figsize=(style.PAGE_WIDTH, height * style.MILLIMETRE))


def add_axes(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Axes at a place on a page."""
    wide, high = (length / style.MILLIMETRE for length in figure.get_size_inches())
    return figure.add_axes((left / wide, 1 - (top + height) / high, width / wide, height / high))
