"""Shares of variance come back as planted, and are 0 on average where there are none."""

import numpy as np
import pytest

from facestages.analysis.resampling import people_weights
from facestages.analysis.shares import variance_shares
from planted_shares import AFFECT, EXPRESSIONS, make_design, planted, variance_by_fits


@pytest.fixture
def design():
    return make_design()


def shares_of(scores, design, weights=None):
    people, expression, affect = design
    resampled = variance_shares(scores, people, affect, expression, weights)
    return {name: float(value[0]) for name, value in resampled.items()}


def test_planted_shares_come_back(design):
    shares = shares_of(planted(design, 4.0, 2.0, 3.0, 1.0), design)
    # The variance of thirty drawn people differs a little from that of their distribution.
    assert shares["identity"] == pytest.approx(0.4, abs=0.06)
    assert shares["affect"] / shares["category"] == pytest.approx(2 / 3, abs=0.03)
    assert shares["rest"] == pytest.approx(0.1, abs=0.03)
    assert shares["identity"] + shares["affect"] + shares["category"] + shares[
        "rest"
    ] == pytest.approx(1)


def test_nothing_comes_from_nothing(design):
    # Without the adjustment, 30 people would take 29 / 599 of pure noise.
    every = [shares_of(planted(design, 0, 0, 0, 1, seed), design) for seed in range(40)]
    for share in ("identity", "affect", "category", "category_alone", "affect_beyond_category"):
        values = [shares[share] for shares in every]
        assert np.mean(values) == pytest.approx(0, abs=3 * np.std(values) / np.sqrt(40))


def test_category_alone_includes_what_it_shares_with_affect(design):
    shares = shares_of(planted(design, 1.0, 3.0, 0.0, 1.0), design)
    assert shares["category"] == pytest.approx(0, abs=0.01)
    assert shares["category_alone"] > 0.3
    assert shares["affect_beyond_category"] > 0.05  # strength, which category does not know


def test_affect_that_is_a_function_of_category_leaves_nothing_beyond_it(design):
    people, expression, _ = design
    declared = np.array([AFFECT.get(name, (0.0, 0.0)) for name in EXPRESSIONS])[expression]
    shares = shares_of(planted(design, 1, 1, 1, 1), (people, expression, declared))
    assert shares["affect_beyond_category"] == pytest.approx(0, abs=1e-9)


def test_resampled_people_add_nothing_of_their_own(design):
    """Where only people differ, resamples lie about the value, without an upward bias."""
    scores = planted(design, 2, 0, 0, 2)
    people, expression, affect = design
    weights = people_weights(people, 400, seed=3)
    resampled = variance_shares(scores, people, affect, expression, weights)
    once = shares_of(scores, design)
    for share in ("affect", "category"):
        assert resampled[share].mean() == pytest.approx(once[share], abs=resampled[share].std() / 3)


def test_people_left_out_do_not_count(design):
    scores = planted(design, 2, 2, 2, 2)
    kept = design[0] < 20
    inside = shares_of(scores[kept], tuple(part[kept] for part in design))
    assert shares_of(scores, design, kept[None].astype(float)) == pytest.approx(inside, rel=1e-9)


def test_the_interval_of_nothing_holds_nothing_most_of_the_time(design):
    above = 0
    for seed in range(60):
        scores = planted(design, 2, 2, 0, 2, seed)
        people, expression, affect = design
        weights = people_weights(people, 100, seed)
        category = variance_shares(scores, people, affect, expression, weights)["category"]
        above += np.quantile(category, 0.025) > 0
    # The aim is 2.5 %; 6 of 60 or more would have a chance of one in 500.
    assert above < 6


def test_shares_are_those_of_fits_by_least_squares(design):
    kept = np.random.default_rng(0).random(600) < 0.6
    people, expression, affect = (part[kept] for part in design)
    scores = planted(design, 1, 2, 3, 4)[kept]
    shares = shares_of(scores, (people, expression, affect))
    identity, category = np.eye(30)[people], np.eye(5)[expression]
    alone = variance_by_fits(scores, identity)
    both, with_affect, with_category = (
        variance_by_fits(scores, identity, *others)
        for others in ((affect, category), (affect,), (category,))
    )
    assert shares == pytest.approx(
        {
            "identity": alone,
            "affect": with_affect - alone,
            "category": both - with_affect,
            "category_alone": with_category - alone,
            "affect_beyond_category": both - with_category,
            "shared": with_affect + with_category - both - alone,
            "rest": 1 - both,
        },
        abs=1e-9,
    )
