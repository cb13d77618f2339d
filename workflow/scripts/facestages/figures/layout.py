"""Pages laid out in millimetres from their upper left corner."""

from __future__ import annotations

import textwrap

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facestages.figures import style

#: Width of a page.
WIDTH = style.PAGE_WIDTH / style.MILLIMETRE

#: Characters of a line of the caption.
CAPTION = 135

# Height of a line of the caption: 7 points and the space between lines.
_LINE = 7 * 1.25 / 72 / style.MILLIMETRE


def new_page(height: float, caption: str) -> Figure:
    """An empty page with `height` for the panels, and room for the caption below them."""
    style.use_style()
    whole = height + len(textwrap.wrap(caption, CAPTION)) * _LINE + 3
    return plt.figure(figsize=(style.PAGE_WIDTH, whole * style.MILLIMETRE))


def add_axes(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Axes at a place on a page."""
    wide, high = (length / style.MILLIMETRE for length in figure.get_size_inches())
    return figure.add_axes((left / wide, 1 - (top + height) / high, width / wide, height / high))
