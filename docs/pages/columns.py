"""The page of the tables: every column of every table, as the library itself tells it."""

from __future__ import annotations

from docs.pages.markdown import section, table

from facestages.columns import Description, describe_tables
from facestages.paths import PATTERNS


def column_tables() -> str:
    """A section for each kind of table: where it is, what a row is, its columns and measures."""
    return "\n".join(_describe(name, about) for name, about in describe_tables().items())


def _describe(name: str, about: Description) -> str:
    # Some kinds are tables of one pattern.
    place = PATTERNS.get(name) or PATTERNS["table"].format(table=name)
    parts = [
        f"`{place.replace('<results>', 'results')}`",
        "",
        f"A row is {about.rows.rstrip('.')}.",
        "",
        table(("column", "what it holds"), _code_first(about.columns)),
    ]
    if about.measures:
        parts.append(table(("`measure`", "what was measured"), _code_first(about.measures)))
    return section(name, *parts)


def _code_first(texts: dict[str, str]) -> list[tuple[str, str]]:
    return [(f"`{name}`", text) for name, text in texts.items()]
