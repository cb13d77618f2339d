"""Boxes around eyes, brows and mouth, and the pupils, are where the picture shows them."""

import numpy as np
import pytest

from facestages.stimuli import (
    EDGES,
    EXPRESSIONS,
    REGIONS,
)
from facestages.stimuli.render import designs


def mean_near(picture, column, row, radius):
    rows, columns = np.indices(picture.shape)
    return picture[np.hypot(rows - row, columns - column) < radius].mean()


@pytest.mark.parametrize("sex", ["female", "male"])
def test_the_eyes_of_a_portrait_are_where_it_says(head, sex):
    for seed in range(3):
        picture, eyes = designs.render_portrait(
            head, sex=sex, seed=seed, expression="surprise", size=281
        )
        assert picture.shape == (281, 281) and picture.dtype == np.uint8
        assert eyes.shape == (2, 2) and eyes.dtype == np.float64
        assert ((eyes > 0) & (eyes < 280)).all()
        across, down = eyes[1] - eyes[0]
        assert across > 40, "the eye at the left of the picture comes first"
        assert abs(down / across) < 0.1
        for column, row in eyes:
            # Of the distance of the eyes an iris is about 0.2 wide; the white follows.
            pupil, left, right = (
                mean_near(picture, column + step * across, row, 0.03 * across)
                for step in (0.0, -0.14, 0.14)
            )
            assert pupil < min(left, right)


@pytest.fixture(scope="module")
def posed(head):
    return designs.render_posed(head, people=6, sessions=1, size=96, seed=1)


def test_regions_lie_within_the_picture_one_below_the_other(posed):
    assert posed.regions.shape == (42, len(REGIONS), len(EDGES))
    assert posed.regions.dtype == np.float32
    assert (posed.regions >= 0).all() and (posed.regions <= 1).all()
    eyes, brows, mouth = (posed.regions[:, k] for k in range(3))
    for box in (eyes, brows, mouth):
        assert (box[:, 0] < box[:, 2]).all() and (box[:, 1] < box[:, 3]).all()
    assert (brows[:, 2] <= eyes[:, 0]).all() and (eyes[:, 2] < mouth[:, 0]).all()


def test_pupils_are_in_the_box_of_the_eyes(head, monkeypatch):
    seen = []
    paint = designs.take_picture

    def keep(*arguments):
        picture, regions = paint(*arguments)
        seen.append(regions)
        return picture, regions

    monkeypatch.setattr(designs, "take_picture", keep)
    for seed in range(3):
        for expression in ("neutral", "surprise"):
            _, pupils = designs.render_portrait(
                head, sex="female", seed=seed, expression=expression, size=100
            )
            top, left, bottom, right = seen[-1][REGIONS.index("eyes")] * 100 - 0.5
            assert ((pupils > [left, top]) & (pupils < [right, bottom])).all()


def test_regions_move_with_the_expression(posed):
    boxes = {
        expression: posed.regions[(posed.labels["expression"] == expression).to_numpy()]
        for expression in EXPRESSIONS
    }

    def side(expression, region, edge):
        return boxes[expression][:, REGIONS.index(region), EDGES.index(edge)]

    def extent(expression, region, low, high):
        return side(expression, region, high) - side(expression, region, low)

    tall = {name: extent(name, "mouth", "top", "bottom") for name in ("surprise", "neutral")}
    assert (tall["surprise"] > 1.2 * tall["neutral"]).all(), "the mouth opens"
    wide = {name: extent(name, "mouth", "left", "right") for name in ("happy", "neutral")}
    assert (wide["happy"] > 1.1 * wide["neutral"]).all(), "the mouth widens"
    assert (side("surprise", "brows", "top") < side("angry", "brows", "top")).all()
    open_eyes = {name: extent(name, "eyes", "top", "bottom") for name in ("surprise", "disgust")}
    assert (open_eyes["surprise"] > open_eyes["disgust"]).all()
