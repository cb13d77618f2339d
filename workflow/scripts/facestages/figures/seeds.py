"""Several instances of a network as one line of a figure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

_FIRST = ("dataset", "rendered", "label_source", "components", "note")


def mean_over_seeds(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Means over the seeds of each network; intervals over people, of several seeds the widest.

    What most seeds do not have, has no mean: that of the others would be no network's.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a seed and measurement; a further row of the same, as that of a layer that is two
        stages, does not count.
    keys : sequence of str
        Columns that tell measurements apart, ``network`` among them.

    Returns
    -------
    pandas.DataFrame
        ``keys``, ``value, ci_low, ci_high, seeds, n``, and of what the keys lack ``dataset,
        rendered, label_source, components, note``, as far as the table has them.
    """
    table = table.drop_duplicates([*keys, "seed"])
    table = table.assign(known=table["value"].notna())
    first = {name: (name, "first") for name in _FIRST if name in table and name not in keys}
    groups = {"sort": False, "dropna": False}
    summary = table.groupby(list(keys), **groups).agg(
        value=("value", "mean"),
        ci_low=("ci_low", "min"),
        ci_high=("ci_high", "max"),
        seeds=("seed", "nunique"),
        n=("n", "max"),
        known=("known", "mean"),
        **first,
    )
    lacking = summary["known"] <= 0.5
    summary.loc[lacking, ["value", "ci_low", "ci_high"]] = np.nan
    if "note" in first and lacking.any():
        reasons = table[~table["known"]].groupby(list(keys), **groups)["note"].first()
        summary.loc[lacking, "note"] = reasons.reindex(summary.index[lacking])
    return summary.drop(columns="known").reset_index()
