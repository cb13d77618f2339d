"""Seeds as one line: the mean where most seeds have a value, and how many have one."""

import numpy as np
import pandas as pd
import pytest

from facestages.figures import page
from facestages.figures.seeds import mean_over_seeds


def table(*values, **more):
    return pd.DataFrame(
        {
            "network": "nn3",
            "label": "affect",
            "seed": range(len(values)),
            "value": values,
            "ci_low": np.subtract(values, 1),
            "ci_high": np.add(values, range(len(values))),
            "n": 9,
            "note": ["never" if np.isnan(value) else "" for value in values],
            **more,
        }
    )


def test_mean_and_widest_interval():
    (row,) = mean_over_seeds(table(1.0, 3.0, 2.0), ["network", "label"]).to_dict("records")
    assert (row["value"], row["ci_low"], row["ci_high"], row["seeds"]) == (2, 0, 4, 3)


def test_a_layer_of_two_stages_counts_once():
    twice = pd.concat([table(1.0, 2.0, stage="early"), table(1.0, 2.0, stage="final")])
    (row,) = mean_over_seeds(twice, ["network", "label"]).to_dict("records")
    assert (row["value"], row["seeds"]) == (1.5, 2)


@pytest.mark.parametrize(
    ("values", "mean", "note"),
    [
        ((np.nan, 1.0, 2.0), 1.5, ""),
        ((1.0, np.nan, np.nan), np.nan, "never"),
        ((1.0, np.nan), np.nan, "never"),
    ],
)
def test_what_most_seeds_lack_has_no_mean(values, mean, note):
    (row,) = mean_over_seeds(table(*values), ["network", "label"]).to_dict("records")
    assert row["value"] == pytest.approx(mean, nan_ok=True)
    assert np.isnan(row["ci_low"]) == np.isnan(mean)
    assert row["note"] == note or not np.isnan(mean)


def test_seeds_with_a_value_are_counted():
    rows = [table(1.0, np.nan, 2.0), table(np.nan, np.nan, 1.0, label="sex")]
    summary = mean_over_seeds(pd.concat(rows), ["network", "label"])
    # Without a mean, all that were measured count.
    assert summary["seeds"].tolist() == [2, 3]
    assert page.count_seeds(summary, {"nn3": "Net 3"}) == "Net 3 2"


def test_missing_keys_are_kept():
    (row,) = mean_over_seeds(table(1.0, stage=None), ["network", "stage"]).to_dict("records")
    assert row["value"] == 1


@pytest.mark.parametrize(
    ("band", "ends"), [("range", (1, 3)), ("sd", (2 - 2**0.5, 2 + 2**0.5)), (None, None)]
)
def test_band_over_seeds(band, ends):
    (row,) = mean_over_seeds(table(1.0, 3.0), ["network", "label"], band).to_dict("records")
    assert ("low" in row) == ("high" in row) == (band is not None)
    assert ends is None or (row["low"], row["high"]) == pytest.approx(ends)


@pytest.mark.parametrize("band", ["range", "sd"])
def test_the_band_of_one_seed_has_no_height_and_that_of_a_missing_mean_is_missing(band):
    (row,) = mean_over_seeds(table(1.0), ["network", "label"], band).to_dict("records")
    assert row["low"] == row["high"] == 1
    (row,) = mean_over_seeds(table(1.0, np.nan), ["network"], band).to_dict("records")
    assert np.isnan(row["low"]) and np.isnan(row["high"])
