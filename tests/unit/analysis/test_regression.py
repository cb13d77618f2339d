"""Lines and parabolas against scipy and numpy; intervals against fits to each resample."""

import numpy as np
import pytest
import scipy.stats

from facestages.analysis import regression, resampling
from facestages.errors import FacestagesError


@pytest.fixture
def cloud():
    """Valence of 200 pictures of 20 people, and something that rises with it."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, 200)
    return x, 3 * x + 1 + rng.normal(size=200), np.repeat(np.arange(20), 10)


def test_line_is_that_of_scipy(cloud):
    x, y, people = cloud
    expected = scipy.stats.linregress(x, y)
    line = regression.regress(x, y, people)
    assert line.slope.value == pytest.approx(expected.slope)
    assert line.intercept.value == pytest.approx(expected.intercept)
    assert line.r.value == pytest.approx(expected.rvalue)
    assert line.r2.value == pytest.approx(expected.rvalue**2)
    assert line.p == pytest.approx(expected.pvalue) and line.n == 200
    for estimate in (line.slope, line.intercept, line.r, line.r2):
        assert estimate.low < estimate.value < estimate.high


def test_pictures_without_affect_are_left_out(cloud):
    x, y, people = cloud
    gaps = np.where(np.arange(200) % 4 == 0, np.nan, x)
    line = regression.regress(gaps, y, people)
    expected = regression.regress(*(values[np.isfinite(gaps)] for values in (x, y, people)))
    assert line.n == 150 and line[:5] == expected[:5]


def test_more_pictures_of_the_same_people_say_nothing_new(cloud):
    """With ten copies of each picture the naive p falls, and the interval over people stays."""
    x, y, people = cloud
    once = regression.regress(x[:30], y[:30], people[:30])
    often = regression.regress(
        *(np.tile(values[:30], 10) for values in (x, y)), np.tile(people[:30], 10)
    )
    assert often.p < once.p
    assert often.r == pytest.approx(once.r) and often.slope == pytest.approx(once.slope)


def test_intervals_are_of_fits_to_the_people_drawn(cloud):
    x, y, people = cloud
    y = y + 2 * x**2
    slopes, curvatures = [], []
    for row in resampling.people_weights(people).astype(int):
        drawn_x, drawn_y = np.repeat(x, row), np.repeat(y, row)
        slopes.append(np.polyfit(drawn_x, drawn_y, 1)[0])
        curvatures.append(np.polyfit(_standard(drawn_x), _standard(drawn_y), 2)[0])
    line, bent = regression.regress(x, y, people), regression.fit_quadratic(x, y, people)
    assert line.slope[1:] == pytest.approx(resampling.interval(np.array(slopes), len(set(people))))
    assert bent.curvature[1:] == pytest.approx(
        resampling.interval(np.array(curvatures), len(set(people)))
    )


def _standard(values):
    return (values - values.mean()) / values.std()


@pytest.mark.parametrize(("bend", "shape"), [(1, "U"), (-1, "inverted U"), (0, "undecided")])
def test_shape_of_a_known_curve(bend, shape):
    rng = np.random.default_rng(1)
    x = rng.uniform(-2, 3, 400)
    y = bend * (x - 0.5) ** 2 + rng.normal(size=400)
    parabola = regression.fit_quadratic(x, y, np.repeat(np.arange(40), 10))
    assert parabola.shape == shape
    expected = np.polyfit(_standard(x), _standard(y), 2)
    np.testing.assert_allclose(parabola.fit.coefficients[::-1], expected)
    if bend:
        assert parabola.vertex == pytest.approx(0.5, abs=0.1) and parabola.vertex_inside


def test_one_arm_is_no_u():
    x = np.linspace(1, 3, 60)
    parabola = regression.fit_quadratic(x, x**2, np.arange(60) % 6)
    assert parabola.vertex == pytest.approx(0, abs=1e-6) and not parabola.vertex_inside


def test_curve_and_band(cloud):
    x, y, people = cloud
    line = regression.regress(x, y, people)
    places = np.array([-1.0, 0.0, 2.0])
    middle, low, high = regression.curve(line.fit, places)
    np.testing.assert_allclose(middle, line.intercept.value + line.slope.value * places)
    assert (low < middle).all() and (middle < high).all()
    assert high[2] - low[2] > high[1] - low[1]
    at_zero = regression.curve(line.fit, np.zeros(1))
    assert (at_zero[1][0], at_zero[2][0]) == pytest.approx(line.intercept[1:])


@pytest.mark.parametrize("people", [None, np.zeros(200)])
def test_one_person_has_no_interval(cloud, people):
    x, y, _ = cloud
    line, bent = regression.regress(x, y, people), regression.fit_quadratic(x, y, people)
    assert np.isnan([*line.r[1:], *line.slope[1:], *bent.curvature[1:]]).all()
    assert np.isfinite(line.r.value) and bent.shape == "undecided"
    assert np.isnan(regression.curve(line.fit, x)[1]).all()


def test_what_cannot_be_fitted_is_refused(cloud):
    x, y, people = cloud
    with pytest.raises(FacestagesError, match="3 pictures or more, not 2"):
        regression.regress(x[:2], y[:2], people[:2])
    with pytest.raises(FacestagesError, match="same value"):
        regression.fit_quadratic(np.ones(200), y, people)
