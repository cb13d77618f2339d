"""Expressions are declared for every word, in shapes that move action units."""

from facestages.expressions import EXPRESSIONS
from facestages.stimuli.render import shapes


def test_every_expression_has_a_recipe():
    assert set(shapes.RECIPES) == set(EXPRESSIONS)
    assert shapes.RECIPES["neutral"] == {}


def test_every_shape_of_a_recipe_moves_an_action_unit():
    mapped = {shape for moved in shapes.ACTION_UNITS.values() for shape in moved}
    used = {shape for recipe in shapes.RECIPES.values() for shape in recipe}
    assert used <= mapped


def test_action_units_average_the_sides_and_are_clipped():
    units = shapes.action_units({"mouthSmileLeft": 1.0, "browInnerUp": 1.4, "jawOpen": 0.3})
    assert units[12] == 0.5
    assert units[1] == 1.0
    assert units[25] == units[26] == 0.3
    assert units[4] == 0.0
