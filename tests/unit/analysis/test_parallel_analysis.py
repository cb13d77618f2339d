"""The edge of noise, against parallel analysis by drawing (Horn 1965, Buja and Eyuboglu 1992)."""

import numpy as np
import pytest

from facestages.analysis.parallel_analysis import noise_edge
from facestages.gram import gram_and_squares


def eigenvalues(layer):
    gram, squares = gram_and_squares(layer)
    return np.linalg.eigvalsh(gram)[::-1], noise_edge(squares, len(layer))


@pytest.mark.parametrize("units", [30, 200, 3000])
def test_edge_of_equal_units_is_known(units):
    squares = np.full(units, 2.0 * 99)
    assert noise_edge(squares, 100) == pytest.approx(2 * (99**0.5 + units**0.5) ** 2)


@pytest.mark.parametrize(("n", "units"), [(300, 5), (300, 40), (300, 300), (100, 5000)])
def test_edge_is_the_quantile_of_drawn_noise(n, units):
    """Of normal units of very different variance, as Buja and Eyuboglu take 95 % of the draws."""
    rng = np.random.default_rng(units)
    spread = rng.gamma(1, size=units)
    edge = noise_edge(spread**2 * (n - 1), n)
    largest = [eigenvalues(rng.normal(size=(n, units)) * spread)[0][0] for _ in range(100)]
    assert np.quantile(largest, 0.95) == pytest.approx(edge, rel=0.05)


@pytest.mark.parametrize("planted", [0, 1, 7])
def test_planted_components_are_counted(planted):
    rng = np.random.default_rng(planted)
    noise = rng.normal(size=(250, 1000)) * rng.uniform(0.5, 2, size=1000)
    signal = rng.normal(size=(250, planted)) @ rng.normal(size=(planted, 1000))
    values, edge = eigenvalues(noise + 1.5 * signal)
    # By chance the first one of noise lies a little above the edge, or a little below.
    assert (values > 1.03 * edge).sum() == planted


def test_units_that_do_not_vary_count_for_nothing():
    squares = np.array([3.0, 2.0, 5.0])
    assert noise_edge(np.append(squares, [0, 0, 0]), 50) == noise_edge(squares, 50)
    assert noise_edge(np.zeros(4), 50) == 0


def test_one_unit_stands_out_from_nothing():
    rng = np.random.default_rng(0)
    values, edge = eigenvalues(rng.normal(size=(500, 1)))
    assert values[0] < edge < 1.1 * values[0]
