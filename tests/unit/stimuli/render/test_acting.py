"""Expressions move the right parts of the face."""

import numpy as np

from facestages.stimuli.render.acting import express
from facestages.stimuli.render.identity import sample_identity


def test_expressions_move_the_right_parts(head):
    someone = sample_identity(head, np.random.default_rng(1))
    amounts = np.zeros(len(head.shapes))
    np.testing.assert_array_equal(express(head, someone, amounts), someone.vertices)
    amounts[head.shapes.index("jawOpen")] = 1.0
    moved = express(head, someone, amounts)
    assert moved[head.chin, 1] < someone.vertices[head.chin, 1] - 0.1
    ball = head.eyes[0]
    np.testing.assert_allclose(moved[ball], someone.vertices[ball], atol=1e-5)
