"""Values less chance: intervals move along, and what has no chance stays."""

import numpy as np
import pandas as pd
import pytest

from facestages.figures.chance import less_chance, without_chance

TABLE = pd.DataFrame(
    {
        **{"label": ["identity", "sex"], "dataset": ["a", "b"]},
        **{"value": [0.2, 0.75], "ci_low": [0.1, 0.5], "ci_high": [0.3, 1.0]},
        **{"null_mean": [-0.1, np.nan], "chance": [0.2, 0.5]},
    }
)


def test_values_and_intervals_are_less_chance():
    rows = less_chance(TABLE)[["value", "ci_low", "ci_high"]].to_numpy()
    assert rows == pytest.approx(np.array([[0.3, 0.2, 0.4], [0.75, 0.5, 1.0]]))


def test_an_accuracy_goes_from_chance_to_one():
    rows = less_chance(TABLE, "chance", is_scaled=True)[["value", "ci_low", "ci_high"]].to_numpy()
    assert rows == pytest.approx(np.array([[0, -0.125, 0.125], [0.5, 0, 1.0]]))


def test_what_has_no_chance_is_named():
    sentences = without_chance(TABLE, {"a": "A", "b": "B"})
    assert sentences == ["Not permuted, so not less chance: sex (B)."]
    assert not without_chance(TABLE.assign(null_mean=0.0), {"a": "A", "b": "B"})
    assert not without_chance(TABLE.assign(value=np.nan), {"a": "A", "b": "B"})
