"""Measures of maps, against scipy."""

import numpy as np
import scipy.stats

from facestages.recording.map_measures import measure_maps, rank_correlation


def test_rank_correlation_is_spearmans():
    rng = np.random.default_rng(0)
    one, two = np.maximum(rng.normal(size=(2, 6, 5, 7)), 0)
    expected = [
        scipy.stats.spearmanr(a.ravel(), b.ravel())[0] for a, b in zip(one, two, strict=True)
    ]
    np.testing.assert_allclose(rank_correlation(one, two), expected)
    assert np.isnan(rank_correlation(np.zeros((1, 3, 3)), one[:1, :3, :3])).all()


def test_each_picture_is_measured_and_those_of_every_shuffle():
    maps = np.zeros((2, 2, 2), np.float32)
    maps[0, 0] = 1  # the upper half; the second map is empty
    regions = np.tile(np.float32([(0, 0, 0.5, 1), (0.5, 0, 0.6, 1), (0.6, 0, 1, 1)]), (2, 1, 1))
    own, shuffled = measure_maps(maps, [1 - maps, maps], regions, (2, 2))
    np.testing.assert_allclose(own["share_eyes"], [1, np.nan])
    np.testing.assert_allclose(own["enrichment_eyes"], [2, np.nan])
    np.testing.assert_allclose(own["empty_maps"], [0, 1])
    np.testing.assert_allclose(shuffled["randomised_share_eyes"], [[0, 0.5], [1, np.nan]])
    np.testing.assert_allclose(shuffled["randomisation_similarity"], [[-1, np.nan], [1, np.nan]])
