"""The page of the tables: every column of every table, from ``columns.yaml`` of the library."""

from __future__ import annotations

from pathlib import Path

from docs.pages.markdown import section, table

from facestages.yaml_files import read_yaml

_PAGES = Path(__file__).parent
_SOURCE = _PAGES.parents[1] / "workflow" / "scripts" / "facestages" / "columns.yaml"


def column_tables() -> str:
    """A section for each kind of table: where it is, what a row is, and its columns."""
    source = _SOURCE if _SOURCE.exists() else _PAGES / "columns_stub.yaml"
    return "\n".join(_describe(name, about) for name, about in read_yaml(source).items())


def _describe(name: str, about: dict) -> str:
    columns = ((f"`{column}`", meaning) for column, meaning in about["columns"].items())
    rows = about["rows"].rstrip(".")
    return section(
        name, f"`{about['file']}`; a row is {rows}.", "", table(("column", "meaning"), columns)
    )
