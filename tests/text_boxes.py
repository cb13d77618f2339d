"""Boxes of the texts of a figure: which lie on each other, and which leave the page."""

from __future__ import annotations

import itertools

from matplotlib.figure import Figure
from matplotlib.text import Text

from facestages.figures import style

# Texts may touch by so many points: a box is taller than its letters.
_SLACK = 1.0


def text_faults(figure: Figure) -> list[str]:
    """A line for each two texts that overlap, and for each that the page clips."""
    style.settle(figure)
    figure.draw_without_rendering()
    dots = figure.dpi / 72
    boxes = [
        (text.get_text(), text.get_window_extent().padded(-_SLACK * dots))
        for text in _texts(figure)
    ]
    faults = [
        f"{one!r} lies on {other!r}"
        for (one, a), (other, b) in itertools.combinations(boxes, 2)
        if a.overlaps(b)
    ]
    page = figure.bbox.padded(dots)
    clipped = [
        name
        for name, box in boxes
        if box.x0 < page.x0 or box.y0 < page.y0 or box.x1 > page.x1 or box.y1 > page.y1
    ]
    return faults + [f"{name!r} is clipped" for name in clipped]


def _texts(figure: Figure) -> list[Text]:
    """Texts that are drawn; those of ticks beyond an axis' limits are not."""
    ticks = {}
    for axes in figure.findobj(lambda one: hasattr(one, "get_xaxis")):
        for axis in (axes.xaxis, axes.yaxis):
            drawn = set()
            if axes.axison and axis.get_visible():
                for tick in axis._update_ticks():
                    drawn |= {tick.label1} if tick.label1.get_visible() else set()
                    drawn |= {tick.label2} if tick.label2.get_visible() else set()
            for tick in [*axis.majorTicks, *axis.minorTicks]:
                for label in (tick.label1, tick.label2):
                    ticks[label] = label in drawn
            if not axes.axison:
                ticks[axis.label] = ticks[axis.offsetText] = False
    shown = [text for text in figure.findobj(Text) if text.get_visible()]
    return [text for text in shown if text.get_text().strip() and ticks.get(text, True)]
