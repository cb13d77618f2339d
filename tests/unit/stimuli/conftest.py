"""Pictures that several readers are tried with."""

import pytest
from PIL import Image

from own_tables import RAMP


@pytest.fixture
def two(tmp_path):
    """A folder of two pictures."""
    for name in ("a.png", "b.png"):
        Image.fromarray(RAMP).save(tmp_path / name)
    return tmp_path
