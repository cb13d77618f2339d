"""Instances of networks: means and intervals as Student's, tests as scipy's."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from facestages import tables
from facestages.analysis.instances import (
    CHANGE,
    ONE_INSTANCE,
    WELCH,
    compare_instances,
    compare_with_control,
    describe_instances,
)

NETWORKS = {
    "nn2": {"kind": "trained", "architecture": "light_cnn"},
    "shuffled": {"kind": "shuffled labels", "architecture": "light_cnn"},
    "nn3": {"kind": "untrained", "architecture": "light_cnn"},
    "other": {"kind": "trained", "architecture": "mini_xception"},
}


def test_mean_and_interval_of_instances():
    values = np.random.default_rng(0).normal(size=10)
    estimate = describe_instances(values)
    expected = stats.ttest_1samp(values, 0).confidence_interval()
    assert (estimate["ci_low"], estimate["ci_high"]) == pytest.approx(tuple(expected))
    assert (estimate["value"], estimate["sd"]) == pytest.approx((values.mean(), values.std(ddof=1)))
    alone = describe_instances(values[:1])
    assert alone == {"value": values[0], "note": "one instance: no interval"}


def test_difference_of_two_samples_is_welchs():
    rng = np.random.default_rng(1)
    trained, untrained = rng.normal(1, 0.1, 3), rng.normal(0, 1, 10)
    estimate = compare_with_control(trained, untrained)
    expected = stats.ttest_ind(trained, untrained, equal_var=False)
    interval = expected.confidence_interval()
    assert estimate["test"] == WELCH
    assert (estimate["t"], estimate["df"], estimate["p"]) == pytest.approx(
        (expected.statistic, expected.df, expected.pvalue)
    )
    assert (estimate["ci_low"], estimate["ci_high"]) == pytest.approx(tuple(interval))


def test_one_instance_beside_a_sample_keeps_its_level():
    rng = np.random.default_rng(2)
    p = [compare_with_control(rng.normal(size=1), rng.normal(size=10))["p"] for _ in range(4000)]
    assert 0.043 < np.mean(np.less(p, 0.05)) < 0.057
    estimate = compare_with_control(np.array([4.0]), rng.normal(size=10))
    assert estimate["test"] == ONE_INSTANCE and estimate["df"] == 9
    assert (estimate["p"] < 0.05) == (estimate["ci_low"] > 0)


@pytest.mark.parametrize(("control", "words"), [([1.0], "one instance"), ([1.0, 1.0], "differs")])
def test_what_cannot_be_told_is_said(control, words):
    estimate = compare_with_control(np.array([2.0]), np.array(control))
    assert estimate["value"] == 1 and words in estimate["note"] and "p" not in estimate


def write(folder, network, seed, **values):
    """A table of one instance: identity silhouettes by stage."""
    common = {"dataset": "faces", "rendered": 1, "network": network, "seed": seed}
    common |= {"label": "identity", "label_source": "rendered", "measure": "silhouette"}
    rows = [
        {**common, "stage": stage, "layer": stage, "components": k, "value": value + k / 100}
        for stage, value in values.items()
        for k in (2, 10)
    ]
    rows.append({**common, "stage": "early", "layer": "early", "components": "all", "note": "none"})
    path = folder / f"{network}-{seed}.csv"
    tables.write_table(path, pd.DataFrame(rows))
    return path


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(3)
    files = [write(tmp_path, "nn3", s, early=rng.normal(), final=rng.normal()) for s in range(10)]
    files += [write(tmp_path, "nn2", 0, early=0.5, final=9.0)]
    files += [write(tmp_path, "shuffled", s, early=0.5 + s, final=0.0) for s in range(3)]
    return compare_instances([*files, write(tmp_path, "other", 0, early=0.1)], NETWORKS)


def test_controls_are_those_of_the_architecture(table):
    pairs = table[table["control"].notna()][["network", "control"]].drop_duplicates()
    assert sorted(map(tuple, pairs.to_numpy())) == [
        ("nn2", "nn3"),
        ("nn2", "shuffled"),
        ("shuffled", "nn3"),
    ]
    alone = table[table["control"].isna()]
    assert set(alone["network"]) == set(NETWORKS)
    assert alone.loc[alone["network"] == "nn3", "instances"].unique().tolist() == [10]
    assert alone.loc[alone["network"] == "other", "note"].unique() == ["one instance: no interval"]


def test_where_no_control_is_as_wide_others_do_but_at_the_last_stage(tmp_path):
    rng = np.random.default_rng(5)
    networks = {
        "people": {"kind": "trained", "architecture": "light_cnn", "width": 30},
        "nn2": {"kind": "trained", "architecture": "light_cnn", "width": 7},
        "seven": {"kind": "untrained", "architecture": "light_cnn", "width": 7},
        "three": {"kind": "untrained", "architecture": "light_cnn", "width": 3},
    }
    files = [
        write(tmp_path, name, seed, early=rng.normal(), penultimate=rng.normal(), final=1.0)
        for name in networks
        for seed in range(3)
    ]
    table = compare_instances(files, networks)
    beside = table[table["control"].notna()].groupby(["network", "stage"])["control"].unique()
    assert {stage: set(beside["nn2", stage]) for stage in ("penultimate", "final", CHANGE)} == {
        "penultimate": {"seven"},
        "final": {"seven"},
        CHANGE: {"seven"},
    }
    assert set(beside["people", "penultimate"]) == {"seven", "three"}
    assert ("people", "final") not in beside and ("people", CHANGE) not in beside


def test_what_is_beside_another_label_is_a_measurement_of_its_own(tmp_path):
    rows = [
        {"dataset": "faces", "rendered": 0, "network": name, "seed": seed, "stage": "early",
         "layer": "early", "label": "expression", "other": other, "label_source": "posed",
         "measure": "erasure_leace", "components": "all", "value": value}
        for name in ("nn2", "nn3")
        for seed in range(3)
        for other, value in (("identity", 0.5 + seed / 10), ("expression", 0.1))
    ]  # fmt: skip
    tables.write_table(tmp_path / "subspaces.csv", pd.DataFrame(rows))
    table = compare_instances([tmp_path / "subspaces.csv"], NETWORKS)
    alone = table[table["control"].isna()].set_index(["network", "other"])["value"]
    assert alone["nn2", "identity"] == pytest.approx(0.6)
    assert alone["nn2", "expression"] == pytest.approx(0.1)


def test_what_changes_from_first_to_last_stage(table):
    change = table[(table["stage"] == CHANGE) & (table["components"] == "10")]
    of = change[change["control"].isna()].set_index("network")["value"]
    assert of["nn2"] == pytest.approx(8.5) and of["shuffled"] == pytest.approx(-1.5)
    assert "other" not in of
    beside = change[(change["network"] == "nn2") & (change["control"] == "nn3")].iloc[0]
    assert beside["value"] == pytest.approx(of["nn2"] - of["nn3"])
    assert beside["p"] < beside["p_holm"] < 0.05


def test_holm_is_over_all_of_a_measure_and_number_of_components(table):
    tests = table[(table["components"] == "10") & table["p"].notna()]
    assert len(tests) == 9  # three comparisons at two stages and of the change
    assert tests["p_holm"].min() == pytest.approx(9 * tests["p"].min())
