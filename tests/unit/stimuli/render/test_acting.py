"""Expressions are declared for every word, and move the right parts of the face."""

import numpy as np

from facestages.stimuli import (
    EXPRESSIONS,
)
from facestages.stimuli.render import acting
from facestages.stimuli.render.acting import express
from facestages.stimuli.render.identity import sample_identity


def test_every_expression_has_a_recipe_and_a_declared_position():
    assert set(acting.RECIPES) == set(acting.CIRCUMPLEX) == set(EXPRESSIONS)
    assert acting.RECIPES["neutral"] == {}
    assert all(abs(x) <= 1 for pair in acting.CIRCUMPLEX.values() for x in pair)


def test_every_shape_of_a_recipe_moves_an_action_unit():
    mapped = {shape for shapes in acting.ACTION_UNITS.values() for shape in shapes}
    used = {shape for recipe in acting.RECIPES.values() for shape in recipe}
    assert used <= mapped


def test_action_units_average_the_sides_and_are_clipped():
    units = acting.action_units({"mouthSmileLeft": 1.0, "browInnerUp": 1.4, "jawOpen": 0.3})
    assert units[12] == 0.5
    assert units[1] == 1.0
    assert units[25] == units[26] == 0.3
    assert units[4] == 0.0


def test_expressions_move_the_right_parts(head):
    someone = sample_identity(head, np.random.default_rng(1))
    amounts = np.zeros(len(head.shapes))
    np.testing.assert_array_equal(express(head, someone, amounts), someone.vertices)
    amounts[head.shapes.index("jawOpen")] = 1.0
    moved = express(head, someone, amounts)
    assert moved[head.chin, 1] < someone.vertices[head.chin, 1] - 0.1
    ball = head.eyes[0]
    np.testing.assert_allclose(moved[ball], someone.vertices[ball], atol=1e-5)
