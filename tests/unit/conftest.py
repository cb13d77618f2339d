"""What all unit tests share."""

import os
import sys

import pytest


@pytest.fixture(autouse=True)
def same_environment():
    """Take back what a job set for its libraries: threads, for one, cannot change in a process."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True)
def close_figures():
    """Close what a test drew, where one drew at all: most never load matplotlib."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
