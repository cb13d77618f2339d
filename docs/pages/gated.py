"""Public sets of people's judgements and of recordings, from ``gated.yaml``."""

from __future__ import annotations

from collections.abc import Mapping

from docs.pages.markdown import section

from facestages.plan.presence import read_gated

#: Entries of the page of people and brains; all others are sets of faces, or of other pictures.
REFERENCE_SETS = (
    *("jozwik", "guo_jiahui", "cichy_meg", "avfs"),
    *("vida_meg", "wakeman_henson", "nfed"),
)
_NAMES = {
    "address": "Address",
    "licence": "Licence",
    "request": "How to get it",
    "size": "Size",
    "files": "Files",
    "citation": "Cite",
}


def reference_sets() -> str:
    """A section for each set: where it is, on what terms, and how its files are laid out."""
    gated = read_gated()
    return "\n".join(_describe(gated[name]) for name in REFERENCE_SETS)


def _describe(entry: Mapping[str, str]) -> str:
    lines = [f"- **{title}**: {_link(entry[key])}" for key, title in _NAMES.items()]
    return section(entry["title"], *lines, "", level=3)


def _link(text: str) -> str:
    return f"<{text}>" if text.startswith("https://") else text
