"""Values less what chance gives: for silhouettes, chance is not 0 and differs between layers."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd


def less_chance(
    table: pd.DataFrame, column: str = "null_mean", *, is_scaled: bool = False
) -> pd.DataFrame:
    """``value - chance``, or ``(value - chance) / (1 - chance)`` where it `is_scaled`.

    Chance stands in a `column`, the mean of permuted labels or the accuracy of guessing, and counts
    as known: ``ci_low`` and ``ci_high`` move with the value. Where it is missing, values stay.
    """
    chance = table.reindex(columns=[column])[column].fillna(0)
    scale = 1 - chance if is_scaled else 1
    ends = ("value", "ci_low", "ci_high")
    return table.assign(**{name: (table[name] - chance) / scale for name in ends})


def without_chance(table: pd.DataFrame, datasets: Mapping[str, str]) -> list[str]:
    """The sentence on values from which nothing was subtracted, by label and face set."""
    chance = table.reindex(columns=["null_mean"])["null_mean"]
    rows = table[table["value"].notna() & chance.isna()]
    pairs = rows[["label", "dataset"]].drop_duplicates().itertuples(index=False)
    listed = "; ".join(f"{label} ({datasets[dataset]})" for label, dataset in pairs)
    return [f"Not permuted, so not less chance: {listed}."] if listed else []
