"""Tidy tables: one row a measurement, kept as CSV; and reports, kept as JSON."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from facestages.errors import FacestagesError
from facestages.files import atomic_path
from facestages.notes import require_intact

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
        If a table is missing, or is not as it was written.
    """
    return pd.concat([_read_table(path) for path in paths], ignore_index=True)


def _read_table(path: str | os.PathLike) -> pd.DataFrame:
    try:
        require_intact(path)
        text = Path(path).read_bytes().decode()
        if "\0" in text or not text.endswith("\n"):
            raise ValueError("it is cut, or holds NUL")
        rows = csv.reader(io.StringIO(text), strict=True)
        if len({len(row) for row in rows}) != 1:
            raise ValueError("its rows differ in length")
        table = pd.read_csv(
            io.StringIO(text),
            dtype=dict.fromkeys(_TEXT, str),
            keep_default_na=False,
            na_values=_EMPTY,
        )
        for name in table.columns.intersection(_NUMBERS):
            if len(table) and not pd.api.types.is_numeric_dtype(table[name]):
                raise ValueError(f"column '{name}' holds something else than numbers")
    except (OSError, ValueError, csv.Error) as error:
        raise _unreadable(path, error) from error
    return table


def read_report(path: str | os.PathLike) -> dict:
    """Read a report; errors are those of `read_tables`."""
    try:
        require_intact(path)
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str | os.PathLike, error: Exception) -> FacestagesError:
    if isinstance(error, FileNotFoundError):
        return FacestagesError(f"{path}: no such file. Make it with: snakemake --cores all {path}")
    reason = " ".join(str(error).split())
    return FacestagesError(
        f"{path}: is damaged ({reason}): delete it and run the same command again"
    )


def markdown_table(table: pd.DataFrame) -> str:
    """Format a table of text as Markdown."""
    rule = "|".join("---" for _ in table)
    cells = table.astype(str).map(lambda cell: cell.replace("|", "\\|"))
    rows = [list(table), *cells.itertuples(index=False)]
    head, *body = (f"| {' | '.join(row)} |\n" for row in rows)
    return f"{head}|{rule}|\n{''.join(body)}"
