"""HTML pages of text and tables, each complete in one file, for the report."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from facestages.files import atomic_path
from facestages.text import escape_html

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font: 14px/1.4 "DejaVu Sans", Verdana, Arial, sans-serif; color: #222; margin: 2em; }}
table {{ border-collapse: collapse; margin-bottom: 1em; }}
th, td {{ text-align: left; vertical-align: top; padding: .3em .7em; }}
td {{ border-bottom: 1px solid #ddd; }}
th {{ border-bottom: 2px solid #222; position: sticky; top: 0; background: white; }}
.small, pre {{ font-size: 12px; overflow-wrap: anywhere; }}
.verdict {{ white-space: nowrap; font-weight: bold; }}
.verdict .small {{ white-space: normal; font-weight: normal; min-width: 14em; }}
pre {{ background: #f4f4f4; padding: 1em; white-space: pre-wrap; }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


def write_page(path: str | os.PathLike, title: str, parts: Iterable[str]) -> None:
    """Write a page of HTML parts. It has no date, so the same parts give the same bytes."""
    page = _PAGE.format(title=escape_html(title), body="\n".join(parts))
    with atomic_path(path) as partial:
        partial.write_text(page, encoding="utf-8")


def read_parts(path: str | os.PathLike) -> str:
    """The parts of a page of `write_page`, without its title."""
    text = Path(path).read_text(encoding="utf-8")
    return text.partition("</h1>\n")[2].rpartition("\n</body>")[0]


def html_rows(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose rows are sequences of ``<td>`` elements."""
    lines = [
        "".join(f'<th scope="col">{escape_html(word)}</th>' for word in head),
        *map("".join, rows),
    ]
    return "<table>" + "".join(f"<tr>{line}</tr>\n" for line in lines) + "</table>"


def html_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of plain values."""
    cells = ([f"<td>{escape_html(str(value))}</td>" for value in row] for row in rows)
    return html_rows(head, cells)


def html_frame(table: pd.DataFrame) -> str:
    """A table of text, as for `tables.markdown_table`."""
    return html_table(list(table), table.itertuples(index=False))


def paragraph(text: str) -> str:
    """A paragraph of plain text."""
    return f"<p>{escape_html(text)}</p>"
