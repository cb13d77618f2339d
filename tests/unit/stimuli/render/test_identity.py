"""Invented people differ, and the same numbers invent the same person."""

import numpy as np
import pytest

from facestages.errors import FacestagesError
from facestages.stimuli.render.identity import sample_identity


def test_people_differ_and_sex_is_checked(head):
    first = sample_identity(head, np.random.default_rng(1), "female")
    again = sample_identity(head, np.random.default_rng(1), "female")
    other = sample_identity(head, np.random.default_rng(2), "female")
    np.testing.assert_array_equal(first.vertices, again.vertices)
    assert np.abs(first.vertices - other.vertices).max() > 0.02
    with pytest.raises(FacestagesError, match="sex 'woman'"):
        sample_identity(head, np.random.default_rng(1), "woman")
