"""Tidy tables: one row a measurement, kept as CSV."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pandas as pd

from facestages.files import atomic_path


def write_table(path: str | os.PathLike, table: pd.DataFrame) -> None:
    """Write a table as CSV; numbers keep nine significant digits."""
    with atomic_path(path) as partial:
        table.to_csv(partial, index=False, float_format="%.9g")


def read_tables(paths: Sequence[str | os.PathLike]) -> pd.DataFrame:
    """Read tables of the same columns as one; empty text stays empty text."""
    tables = [pd.read_csv(path, dtype={"components": str}) for path in paths]
    table = pd.concat(tables, ignore_index=True)
    text = table.select_dtypes("object").columns
    return table.fillna(dict.fromkeys(text, ""))
