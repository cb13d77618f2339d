"""Tidy tables: one row a measurement, kept as CSV; and reports, kept as JSON."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from facestages.errors import FacestagesError
from facestages.files import atomic_path
from facestages.notes import require_intact
from facestages.rows import parse_number
from facestages.text import escape_markdown

# Columns that stay text, even where a name looks like a number or like a missing value.
_TEXT = (
    *("dataset", "network", "stage", "layer", "label", "label_source", "components", "note"),
    *("stimulus_id", "expression", "sampled", "null", "held_out", "other_network", "other_layer"),
    *("kind", "shape", "control", "control_kind", "test", "claim", "stages", "direction"),
    *("identity", "reference"),
)
_NUMBERS = (
    *("probability", "value", "ci_low", "ci_high", "sampling_error", "pictures_of", "null_mean"),
    *("null_sd", "null_low", "null_high", "z", "p", "p_holm", "n", "n_groups", "components_used"),
    *("chance", "folds", "component", "position", "bin", "distance", "wanted", "instances"),
    *("control_instances", "sd", "t", "df", "pseudo_value", "seeds", "people", "choices", "seed"),
    *("other_seed", "time", "depth", "ceiling_low", "ceiling_high", "raters"),
)
_EMPTY = dict.fromkeys(_NUMBERS, [""])

# Text that a spreadsheet would take for a formula, alone or behind apostrophes.
_FORMULA = re.compile(r"'*[=+\-@]")


def write_table(path: str | os.PathLike, table: pd.DataFrame) -> None:
    """Write a table as CSV, numbers with nine significant digits.

    Text that a spreadsheet would take for a formula, such as a layer ``-relu``, gets an apostrophe
    before it. `read_tables` takes it away.
    """
    with atomic_path(path) as partial:
        _map_text(table, _guard).to_csv(partial, index=False, float_format="%.9g")


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
    return _map_text(table, _unguard)


def _map_text(table: pd.DataFrame, function: Callable[[object], object]) -> pd.DataFrame:
    """A table with what the function makes of each cell of its columns of text."""
    text = table.select_dtypes(exclude=["number", "bool"])
    return table.assign(**{name: text[name].map(function) for name in text})


def _guard(cell: object) -> object:
    return f"'{cell}" if _is_formula(cell) else cell


def _unguard(cell: object) -> object:
    return cell[1:] if _is_formula(cell) and cell[0] == "'" else cell


def _is_formula(cell: object) -> bool:
    is_text = isinstance(cell, str) and _FORMULA.match(cell) is not None
    return is_text and parse_number(cell) is None


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
    cells = table.astype(str).map(escape_markdown)
    rows = [[escape_markdown(name) for name in table], *cells.itertuples(index=False)]
    head, *body = (f"| {' | '.join(row)} |\n" for row in rows)
    return f"{head}|{rule}|\n{''.join(body)}"
