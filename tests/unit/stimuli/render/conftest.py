"""The head model, for tests that draw faces."""

import pytest

from face_sets import ASSETS
from facestages.stimuli.render.head_model import load_head


@pytest.fixture(scope="session")
def head():
    if not (ASSETS / "headmodel").is_dir():
        pytest.skip("the head model is not there: resources/assets/headmodel")
    return load_head(ASSETS / "headmodel")
