"""The order test beside arbitrary planes: its level, its power, and what cannot be tested."""

import numpy as np
import pytest

from facestages.analysis.planes import (
    arbitrary_planes,
    mean_rise,
    order_beside_planes,
    plane_shares,
)
from facestages.analysis.shares import describe_design, measure_moments, split_variance
from facestages.errors import FacestagesError
from planted_shares import variance_by_fits

#: Mean valence and arousal of seven expressions.
POSITIONS = np.array(
    [(-0.6, 0.7), (-0.65, 0.35), (-0.6, 0.8), (0.75, 0.5), (-0.65, -0.4), (0.2, 0.8), (0.0, 0.0)]
)


def layers_of(seed, affect, specific, any_category=(), k=7, people=12):
    """Layers in which the plane of affect, what is beyond it, and category have these sizes."""
    rng = np.random.default_rng(seed)
    person, category = (
        np.repeat(np.arange(people), 2 * k),
        np.tile(np.repeat(np.arange(k), 2), people),
    )
    plane = np.linalg.qr(POSITIONS[:k] - POSITIONS[:k].mean(axis=0))[0]
    plane = plane @ plane.T
    rest = np.eye(k) - 1 / k - plane
    of_affect, of_rest, of_any = (
        part @ rng.normal(size=(k, 8)) for part in (plane, rest, rest + plane)
    )
    of_people = rng.normal(size=(people, 8))
    sizes = zip(affect, specific, any_category or [0] * len(affect), strict=True)
    for layer, (a, b, c) in enumerate(sizes):
        points = (a * of_affect + b * of_rest + c * of_any)[category]
        points += of_people[person] / (1 + layer) + rng.normal(size=points.shape)
        yield points - points.mean(axis=0), person, category


def order(layers, k=7):
    planes, plane, alone = arbitrary_planes(POSITIONS[:k]), [], []
    for points, person, category in layers:
        design = describe_design(person, None, category)
        moments = measure_moments(points, design)
        shares = split_variance(moments, design)
        plane.append(plane_shares(moments, planes, shares["identity"])[0])
        alone.append(shares["category_alone"])
    return order_beside_planes(np.array(plane), np.array(alone))


GROWING, LATER = (0, 0.3, 0.6, 0.9, 1.0, 1.0), (0, 0.0, 0.1, 0.4, 0.8, 1.2)


def test_a_plane_explains_what_a_fit_of_its_positions_explains():
    ((points, person, category),) = layers_of(0, [1], [1])
    planes = arbitrary_planes(POSITIONS)[[0, 7, 4000]]
    # People who lack some pictures: the design is not balanced.
    kept = np.random.default_rng(1).random(len(points)) < 0.7
    points, person, category = points[kept], person[kept], category[kept]
    design = describe_design(person, None, category)
    moments = measure_moments(points, design)
    identity = split_variance(moments, design)["identity"]
    shares = plane_shares(moments, planes, identity)[0]
    people = np.eye(12)[person]
    expected = [
        variance_by_fits(points, people, positions[category]) - variance_by_fits(points, people)
        for positions in planes
    ]
    assert shares == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("k", [4, 5, 6])
def test_category_alone_is_seldom_called_in_order(k):
    """Other dimensions of category come at other layers, but none has to do with affect."""
    p = []
    for seed in range(200):
        early = layers_of(seed, [0] * 4, [0] * 4, [0, 0.4, 0.6, 0.7], k)
        late = layers_of(seed + 1000, [0] * 4, [0] * 4, [0, 0.0, 0.5, 1.5], k)
        together = [(x + y, *design) for (x, *design), (y, *_) in zip(early, late, strict=True)]
        p.append(order(together, k).p)
    # 5 % are expected; 9 % or more would have a chance of one in a hundred.
    assert np.mean(np.array(p) <= 0.05) < 0.09


def test_affect_before_category_is_found_and_category_before_affect_is_not():
    first = [order(layers_of(seed, GROWING, LATER)) for seed in range(10)]
    assert all(found.p < 0.05 and found.value > 0 for found in first)
    last = [order(layers_of(seed, LATER, GROWING)) for seed in range(10)]
    assert all(found.p > 0.5 and found.value < 0 for found in last)


def test_shares_that_grow_together_have_no_order():
    together = [order(layers_of(seed, GROWING, GROWING)) for seed in range(20)]
    assert np.mean([found.p < 0.05 for found in together]) <= 0.2
    assert abs(np.mean([found.value for found in together])) < 0.2


def test_what_cannot_be_tested_is_said():
    for k, reason in ((3, "in 3 categories, valence and arousal are all"), (7, "on a line")):
        positions = POSITIONS[:k] * ((1, 1) if k == 3 else (1, 0))
        with pytest.raises(FacestagesError, match=f"not testable: .*{reason}"):
            arbitrary_planes(positions)
    # Three categories at one place: six of 120 assignments, and those that are nearly the same.
    alike = np.array([(0, 0), (0, 0.01), (0.01, 0), (1, 0), (0, 1)])
    with pytest.raises(FacestagesError, match="p is never below .05"):
        arbitrary_planes(alike)
    nothing = [0] * 6
    for sizes, reason in (((nothing, nothing), "category is"), ((GROWING, nothing), "beyond")):
        with pytest.raises(FacestagesError, match=f"not testable: .*{reason}.* never 2%"):
            order(layers_of(0, *sizes, people=70))
    with pytest.raises(FacestagesError, match="one layer has no order"):
        order(layers_of(0, [1], [1]))


def test_mean_rise():
    assert mean_rise(np.array([[0.8], [0.4], [0.1]])) == 0
    assert mean_rise(np.array([[0.0], [0.0], [0.5]])) == 1.5
    assert mean_rise(np.array([[0.0], [0.2], [0.4]])) == pytest.approx(1)
    # What never comes rises last; what falls later has risen once.
    assert mean_rise(np.array([[0.0], [0.0], [0.0]])) == 2
    assert mean_rise(np.array([[0.0], [0.4], [0.1]])) == pytest.approx(0.5)
