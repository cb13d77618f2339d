"""What the rows, measures and columns of the workflow's tables are, from ``columns.yaml``."""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import yaml

from facestages.paths import PATTERNS
from facestages.tables import read_tables


class Description(NamedTuple):
    """What a table holds."""

    #: What one row is.
    rows: str
    #: By column, in order: what it holds.
    columns: dict[str, str]
    #: By value of the column ``measure``: what was measured.
    measures: dict[str, str]


@functools.cache
def describe_tables() -> dict[str, Description]:
    """The description of each kind of table, by its product in `paths.PATTERNS` or its name."""
    told = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    common = told["common"]
    return {
        name: Description(
            table["rows"],
            {column: text or common[column] for column, text in table["columns"].items()},
            table.get("measures", {}),
        )
        for name, table in told["tables"].items()
    }


def find_kind(path: str | os.PathLike) -> str | None:
    """The kind of a table of the workflow, by its path; None for any other file."""
    place = Path(path).as_posix()
    # `.people.csv` ends with `.csv` too, so longer patterns come first.
    for product, pattern in sorted(PATTERNS.items(), key=lambda item: -len(item[1])):
        # Results may lie in any folder.
        parts = re.split(r"{\w+}", pattern.removeprefix("<results>/"))
        wanted = "(?:.*/)?" + "([^/]+)".join(map(re.escape, parts))
        if found := re.fullmatch(wanted, place):
            kind = found[1] if product == "table" else product
            return kind if kind in describe_tables() else None
    return None


def read_table(path: str | os.PathLike) -> pd.DataFrame:
    """Read a table of the workflow, with what its rows and columns are.

    Parameters
    ----------
    path : path-like
        A CSV file in the folder of results.

    Returns
    -------
    pandas.DataFrame
        Empty text stays empty text. ``attrs["rows"]`` says what one row is, ``attrs["columns"]``
        what each column holds, and ``attrs["measures"]`` what the values of ``measure`` are, where
        the file lies at its place in the folder of results.

    Raises
    ------
    FacestagesError
        If the file is missing, or is not as it was written.
    """
    table = read_tables([path])
    if kind := find_kind(path):
        told = describe_tables()[kind]
        columns = {name: told.columns[name] for name in table if name in told.columns}
        table.attrs = {"rows": told.rows, "columns": columns, "measures": told.measures}
    return table
