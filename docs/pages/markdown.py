"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; a bar in a cell is escaped, and a line end becomes a space."""
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for row in rows:
        cells = (" ".join(str(cell).replace("|", r"\|").split()) for cell in row)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def section(title: str, *parts: str, level: int = 2) -> str:
    """A heading, and what stands below it."""
    return "\n".join([f"{'#' * level} {title}", "", *parts])
