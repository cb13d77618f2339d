"""Regressions over people, against statsmodels and scipy, and refusals to test."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import statsmodels.formula.api as smf
from statsmodels.stats.multitest import multipletests

from facestages.analysis.grouped_regression import (
    cluster_robust_slope,
    holm,
    mixed_model_slope,
    person_correlation,
)
from facestages.errors import FacestagesError

ALL = (person_correlation, cluster_robust_slope, mixed_model_slope)


def pictures(people=15, each=12, effect=0.5, seed=0):
    """x, y and people; each person has a place and a slope of its own."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), each)
    x = rng.normal(size=people)[person] + rng.normal(size=people * each)
    slope = effect + 0.3 * rng.normal(size=people)
    y = slope[person] * x + rng.normal(size=people)[person] + rng.normal(size=people * each)
    return x, y, np.array([f"p{n}" for n in person])


def around(values, people):
    """Values around their mean in each person."""
    return values - pd.Series(values).groupby(people).transform("mean").to_numpy()


def test_the_robust_error_is_that_of_leaving_people_out():
    x, y, people = pictures(people=6)
    x = around(x, people)
    slopes = [np.polyfit(x[people != p], y[people != p], 1)[0] for p in np.unique(people)]
    whole = np.polyfit(x, y, 1)[0]
    error = np.sqrt(5 / 6 * ((np.array(slopes) - whole) ** 2).sum())
    estimate = cluster_robust_slope(x, y, people)
    half = scipy.stats.t.ppf(0.975, 5) * error
    assert estimate[:3] == pytest.approx((whole, whole - half, whole + half))


def test_person_correlation_is_the_t_test_of_fisher_z():
    x, y, people = pictures()
    z = [np.arctanh(np.corrcoef(x[people == p], y[people == p])[0, 1]) for p in set(people)]
    estimate = person_correlation(x, y, people)
    expected = scipy.stats.ttest_1samp(z, 0)
    assert estimate.p == pytest.approx(expected.pvalue)
    assert estimate[:3] == pytest.approx(np.tanh([np.mean(z), *expected.confidence_interval()]))
    assert estimate.people == 15


def test_slopes_are_those_of_statsmodels():
    x, y, people = pictures()
    data = pd.DataFrame({"x": around(x, people), "y": y})
    codes = np.unique(people, return_inverse=True)[1]
    robust = smf.ols("y ~ x", data).fit(cov_type="cluster", cov_kwds={"groups": codes})
    estimate = cluster_robust_slope(x, y, people)
    assert estimate.value == pytest.approx(robust.params["x"])
    # The jackknife is a little wider than the sandwich.
    half = robust.bse["x"] * scipy.stats.t.ppf(0.975, 14)
    assert 1 < (estimate.high - estimate.value) / half < 1.25
    mixed = smf.mixedlm("y ~ x", data, groups=people, re_formula="~x").fit(method="powell")
    estimate = mixed_model_slope(x, y, people)
    assert estimate.value == pytest.approx(mixed.params["x"], rel=1e-2)
    assert estimate.high - estimate.value == pytest.approx(
        mixed.bse["x"] * scipy.stats.t.ppf(0.975, 14), rel=0.02
    )


@pytest.mark.parametrize("estimate", ALL)
def test_people_who_differ_in_both_make_no_slope(estimate):
    """Between people y follows x; within them it does for some, and the opposite for others."""
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        people = np.repeat(np.arange(20), 8)
        place, inside = rng.normal(size=20)[people], rng.normal(size=160)
        y = 3 * place + 0.5 * rng.normal(size=20)[people] * inside + rng.normal(size=160)
        found.append(estimate(3 * place + inside, y, people).p < 0.05)
    assert sum(found) <= 8


@pytest.mark.parametrize("estimate", ALL)
def test_people_without_variation_do_not_count_and_two_are_too_few(estimate):
    x, y, people = pictures(people=5)
    x[people == "p0"] = 1.0
    assert estimate(x, y, people).people == 4
    two = np.isin(people, ["p0", "p1", "p2"])
    with pytest.raises(FacestagesError, match="2 people.*needs 3"):
        estimate(x[two], y[two], people[two])
    with pytest.raises(FacestagesError):
        estimate(np.ones_like(x), y, people)


def test_one_picture_a_person_has_no_correlation_within():
    x, y, _ = pictures()
    with pytest.raises(FacestagesError, match="0 people with 4 different pictures"):
        person_correlation(x, y, np.arange(len(x)))


def test_holm_is_that_of_statsmodels_and_leaves_out_what_is_not_known():
    p = np.array([0.01, np.nan, 0.04, 0.2])
    corrected = holm(p)
    assert np.isnan(corrected[1])
    assert corrected[[0, 2, 3]] == pytest.approx(multipletests(p[[0, 2, 3]], method="holm")[1])
    assert np.isnan(holm(np.array([np.nan]))).all()
