"""The page of the library: the public names, in the groups of ``help(facestages)``."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from docs.pages.markdown import table

import facestages


def groups() -> dict[str, list[str]]:
    """Public names by group, as the package's own docstring has them."""
    found: dict[str, list[str]] = {}
    for line in facestages.__doc__.splitlines():
        if line and not line.startswith(" "):
            names = found.setdefault(line, [])
        else:
            # A name, or a list of names, stands at the start of a line, before any arguments.
            start = re.match(r" {4}(\w+(?:, \w+)*)", line)
            words = start[1].split(", ") if start else []
            names += [word for word in words if word in facestages._ADDRESSES]
    groups = {group: names for group, names in found.items() if names}
    told = {name for names in groups.values() for name in names}
    return groups | {"What these are made from": sorted(facestages._ADDRESSES.keys() - told)}


def names_by_group() -> str:
    """A table of names for each group, with the first line of what each one's docstring says."""
    parts, heads = [], ("name", "what it does")
    for group, names in groups().items():
        rows = [(f"[`{name}`](_api/{name}.md)", _first_line(name)) for name in names]
        parts += [f"### {group}", "", table(heads, rows)]
    pages = (f"_api/{name}" for names in groups().values() for name in names)
    return "\n".join([*parts, "```{toctree}\n:hidden:\n", *pages, "```", ""])


def write_pages(folder: Path) -> None:
    """Write a page for each public name, which Sphinx fills with the docstring."""
    folder.mkdir(exist_ok=True)
    pages = {f"{name}.md": _page(name) for names in groups().values() for name in names}
    for path in folder.glob("*.md"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        # Sphinx reads again what is newer than its result.
        if not (folder / name).exists() or (folder / name).read_text() != text:
            (folder / name).write_text(text)


def _page(name: str) -> str:
    kind = "class" if inspect.isclass(getattr(facestages, name)) else "function"
    return f"# {name}\n\n```{{eval-rst}}\n.. auto{kind}:: facestages.{name}\n```\n"


def _first_line(name: str) -> str:
    return inspect.getdoc(getattr(facestages, name)).partition("\n")[0]
