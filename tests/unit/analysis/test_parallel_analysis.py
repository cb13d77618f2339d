"""The edge of noise, against parallel analysis by drawing (Horn 1965, Buja and Eyuboglu 1992)."""

import numpy as np
import pytest

from facestages.analysis.parallel_analysis import noise_edge
from facestages.gram import gram_and_squares


def eigenvalues(layer):
    gram, squares = gram_and_squares(layer)
    return np.linalg.eigvalsh(gram)[::-1], noise_edge(squares, np.diag(gram))


@pytest.mark.parametrize("units", [30, 200, 3000])
def test_edge_of_equal_units_is_known(units):
    """Johnstone (2001, doi:10.1214/aos/1009210544) centres and scales the largest eigenvalue."""
    edge = noise_edge(np.full(units, 2.0 * 99), np.full(100, 2.0 * units * 0.99))
    root = 99**0.5 + units**0.5
    spread = root * (99**-0.5 + units**-0.5) ** (1 / 3)
    assert edge == pytest.approx(2 * (root**2 + 0.9793 * spread), rel=2e-3)


@pytest.mark.parametrize(("n", "units"), [(300, 5), (300, 40), (300, 300), (100, 5000)])
def test_edge_is_the_quantile_of_drawn_noise(n, units):
    """Of normal units of very different variance, as Buja and Eyuboglu take 95 % of the draws."""
    rng = np.random.default_rng(units)
    spread = rng.gamma(1, size=units)
    drawn = [eigenvalues(rng.normal(size=(n, units)) * spread) for _ in range(100)]
    largest, edges = zip(*((values[0], edge) for values, edge in drawn), strict=True)
    assert np.quantile(largest, 0.95) == pytest.approx(np.mean(edges), rel=0.1)


@pytest.mark.parametrize(("n", "units", "active"), [(200, 500, 0.05), (200, 500, 0.02)])
def test_sparse_units_that_are_unrelated_have_no_component(n, units, active):
    """Each unit is active in few pictures; 18 to 36 % exceed the edge of the units alone."""
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(100):
        layer = np.abs(rng.normal(size=(n, units))) * (rng.random((n, units)) < active)
        values, edge = eigenvalues(layer)
        found += values[0] > edge
    assert found <= 10


@pytest.mark.parametrize("planted", [0, 1, 7])
def test_planted_components_are_counted(planted):
    rng = np.random.default_rng(planted)
    noise = rng.normal(size=(250, 1000)) * rng.uniform(0.5, 2, size=1000)
    signal = rng.normal(size=(250, planted)) @ rng.normal(size=(planted, 1000))
    values, edge = eigenvalues(noise + 1.5 * signal)
    assert (values > edge).sum() == planted


def test_units_that_do_not_vary_count_for_nothing():
    squares = np.array([3.0, 2.0, 5.0])
    pictures = np.full(50, 0.2)
    assert noise_edge(np.append(squares, [0, 0, 0]), pictures) == noise_edge(squares, pictures)
    assert noise_edge(np.zeros(4), np.zeros(50)) == 0


def test_one_unit_stands_out_from_nothing():
    rng = np.random.default_rng(0)
    values, edge = eigenvalues(rng.normal(size=(500, 1)))
    assert values[0] < edge < 1.3 * values[0]
