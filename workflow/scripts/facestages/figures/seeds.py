"""Several instances of a network as one line of a figure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

_FIRST = ("dataset", "rendered", "label_source", "components", "note")
# Ranges of null distributions, which are averaged over seeds.
_RANGES = ("null_low", "null_high")
_VALUES = ("value", "low", "high", "ci_low", "ci_high")


def mean_over_seeds(
    table: pd.DataFrame, keys: Sequence[str], band: str | None = None
) -> pd.DataFrame:
    """Mean of each measurement over the seeds of its network, with an interval over people.

    The interval of several seeds goes from the lowest to the highest end of theirs.

    A measurement has a mean only if more than half of the seeds have a value. The mean of a few
    seeds would show a network unlike most of its instances.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a seed and measurement. A layer that is two stages has two rows with the same keys
        and seed; the first counts.
    keys : sequence of str
        Columns that tell measurements apart, ``network`` among them.
    band : str, optional
        ``"range"``: lowest to highest seed; ``"sd"``: one standard deviation to each side.

    Returns
    -------
    pandas.DataFrame
        ``keys``, ``value``, ``low, high`` of the band if there is one, ``ci_low, ci_high, seeds,
        n``; and those of ``null_low, null_high, dataset, rendered, label_source, components, note``
        that the table has and the keys lack. ``seeds`` counts those with a value; without a mean,
        all that were measured. A missing mean has the note of the first seed without a value.
    """
    table = table.drop_duplicates([*keys, "seed"])
    table = table.assign(has_value=table["value"].notna())
    first = {name: (name, "first") for name in _FIRST if name in table and name not in keys}
    first |= {name: (name, "mean") for name in _RANGES if name in table}
    groups = {"sort": False, "dropna": False}
    summary = table.groupby(list(keys), **groups).agg(
        value=("value", "mean"),
        low=("value", "min"),
        high=("value", "max"),
        sd=("value", "std"),
        ci_low=("ci_low", "min"),
        ci_high=("ci_high", "max"),
        seeds=("has_value", "sum"),
        measured=("seed", "nunique"),
        n=("n", "max"),
        has_value=("has_value", "mean"),
        **first,
    )
    if band == "sd":
        # One seed has no standard deviation; its band has no height.
        spread = summary["sd"].fillna(0.0)
        summary["low"], summary["high"] = summary["value"] - spread, summary["value"] + spread
    lacking = summary["has_value"] <= 0.5
    summary.loc[lacking, list(_VALUES)] = np.nan
    summary.loc[lacking, "seeds"] = summary["measured"]
    if "note" in first and lacking.any():
        reasons = table[~table["has_value"]].groupby(list(keys), **groups)["note"].first()
        summary.loc[lacking, "note"] = reasons.reindex(summary.index[lacking])
    unwanted = ["sd", "has_value", "measured", *([] if band else ["low", "high"])]
    return summary.drop(columns=unwanted).reset_index()
