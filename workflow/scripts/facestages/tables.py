"""Tidy tables: one row a measurement, kept as CSV."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pandas as pd

from facestages.errors import FacestagesError, name_error
from facestages.files import atomic_path

# Columns that stay text, even where a name looks like a number or like a missing value.
_TEXT = (
    *("dataset", "network", "stage", "layer", "label", "label_source", "components", "note"),
    *("stimulus_id", "expression", "sampled", "null", "held_out", "other_network", "other_layer"),
    *("kind", "shape", "control", "control_kind", "test"),
)
_NUMBERS = (
    *("probability", "value", "ci_low", "ci_high", "sampling_error", "pictures_of", "null_mean"),
    *("null_sd", "z", "p", "p_holm", "n", "n_groups", "components_used", "seed", "other_seed"),
    *("chance", "folds", "component", "position", "bin", "distance", "wanted", "instances"),
    *("control_instances", "sd", "t", "df"),
)
_EMPTY = dict.fromkeys(_NUMBERS, [""])


def write_table(path: str | os.PathLike, table: pd.DataFrame) -> None:
    """Write a table as CSV, numbers with nine significant digits."""
    with atomic_path(path) as partial:
        table.to_csv(partial, index=False, float_format="%.9g")


def read_tables(paths: Sequence[str | os.PathLike]) -> pd.DataFrame:
    """Read tables of the same columns as one; empty text stays empty text.

    Raises
    ------
    FacestagesError
        If a table is missing or damaged.
    """
    return pd.concat(map(_read_table, paths), ignore_index=True)


def _read_table(path: str | os.PathLike) -> pd.DataFrame:
    dtypes = dict.fromkeys(_TEXT, str)
    try:
        return pd.read_csv(path, dtype=dtypes, keep_default_na=False, na_values=_EMPTY)
    # pandas raises errors of many kinds for a file that is no table.
    except Exception as error:
        raise FacestagesError(
            f"{path}: cannot be read as a table ({name_error(error)}). Delete it and run the same "
            f"command again"
        ) from error


def markdown_table(table: pd.DataFrame) -> str:
    """Format a table of text as Markdown."""
    rule = "|".join("---" for _ in table)
    cells = table.astype(str).map(lambda cell: cell.replace("|", "\\|"))
    rows = [list(table), *cells.itertuples(index=False)]
    head, *body = (f"| {' | '.join(row)} |\n" for row in rows)
    return f"{head}|{rule}|\n{''.join(body)}"
