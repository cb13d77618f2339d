"""Expressions in figures: one order, one look each, and a legend."""

from matplotlib import pyplot as plt

from facestages.figures import style
from facestages.figures.expressions import add_expression_legend, expression_looks


def test_order_is_that_of_the_classes():
    looks = expression_looks(["smirk", "happy", "", "angry", "happy"])
    assert list(looks) == ["", "angry", "happy", "smirk"]
    assert looks["happy"] == style.EXPRESSIONS["happy"]


def test_unknown_expressions_are_not_in_the_legend():
    figure = plt.figure()
    add_expression_legend(figure, expression_looks(["", "sad"]), "upper center")
    assert [text.get_text() for text in figure.legends[0].texts] == ["sad"]
    empty = plt.figure()
    add_expression_legend(empty, expression_looks([""]), "upper center")
    assert not empty.legends
    plt.close("all")
