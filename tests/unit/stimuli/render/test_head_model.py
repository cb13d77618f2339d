"""The head model is read, or its missing file is named."""

import pytest

from facestages.errors import FacestagesError
from facestages.stimuli.render.head_model import load_head


def test_a_missing_head_model_is_named(tmp_path):
    with pytest.raises(FacestagesError, match="base.obj"):
        load_head(tmp_path)
