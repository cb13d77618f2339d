"""What the site is made of beside its pages: parts that are made from their one source.

A page names such a part in a line of its own, ``<!-- made: rules -->``. Sphinx reads the part in
place of the line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from docs.pages import api, claims, columns, commands, errors, gallery, gated, notebooks, rules

from facestages.generated import config_reference

#: By name in a page: the function that makes the part, as Markdown.
PARTS: dict[str, Callable[[], str]] = {
    "api": api.names_by_group,
    "claims": claims.claim_tables,
    "columns": columns.column_tables,
    "commands of make": commands.of_make,
    "commands of snakemake": commands.of_snakemake,
    "commands of facestages": commands.of_facestages,
    # The page has a title of its own, and nobody edits it here.
    "config": lambda: config_reference().partition("do not edit.")[2],
    "gallery": gallery.figures,
    "errors": errors.error_tables,
    "people and brains": gated.reference_sets,
    "notebook": lambda: notebooks.page("own-plot"),
    "rules": rules.rule_tables,
}

#: The line that names a part.
PART = re.compile(r"^<!-- made: (.+) -->$", re.MULTILINE)


def fill_in(text: str) -> str:
    """A page with its parts in place."""
    return PART.sub(lambda found: PARTS[found[1]](), text)


def draw_pictures(folder: Path) -> None:
    """Draw what pages show beside the results that are kept with the project."""
    rules.draw_graph(rules.default_graph(), folder / "rules.svg")
    notebooks.write_pictures("own-plot", folder)
