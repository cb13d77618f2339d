"""What all unit tests share."""

import sys

import pytest


@pytest.fixture(autouse=True)
def close_figures():
    """Close what a test drew, where one drew at all: most never load matplotlib."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
