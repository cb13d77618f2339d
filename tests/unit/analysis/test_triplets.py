"""Odd ones out by distances, and how raters agree on them."""

import numpy as np
import pytest

from facestages.analysis.triplets import (
    agreement,
    gather_choices,
    odd_one_out,
    share_triplets,
    triplet_accuracy,
)


def test_pictures_that_are_equally_odd_share_the_answer():
    distances = np.array([[0, 1, 2, 2], [1, 0, 2, 2], [2, 2, 0, 2], [2, 2, 2, 0]], float)
    odd = odd_one_out(distances, np.array([[0, 1, 2], [0, 2, 3]]))
    np.testing.assert_allclose(odd, [[0, 0, 1], [1 / 3, 1 / 3, 1 / 3]])


@pytest.mark.parametrize("place", [0, 2])
def test_distances_that_tell_nothing_are_at_chance(place):
    """Whichever row is odd: the order of the face set must not matter."""
    rng = np.random.default_rng(0)
    trials = np.sort([rng.permutation(40)[:3] for _ in range(300)], axis=1)
    trials[:, [place, 2]] = trials[:, [2, place]]
    choices = gather_choices(trials, np.arange(300) % 5)
    odd = odd_one_out(1.0 - np.eye(40), choices.pictures)
    shared = share_triplets(choices, np.arange(40) // 2)
    assert triplet_accuracy(odd, choices, shared).value == pytest.approx(0)


def test_a_rater_is_nobody_else():
    """Two raters who never agree, and repeat themselves."""
    trials = np.array([[0, 1, 2], [0, 2, 1]] * 10)
    assert agreement(gather_choices(trials, np.array(["a", "b"] * 10))) == (0, 0.5)
    alone = agreement(gather_choices(trials, np.array(["a"] * 20)))
    assert np.isnan(alone).all()
