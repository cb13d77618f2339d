"""The gallery: the figures that are kept with the project, with their messages and captions."""

from __future__ import annotations

import re
from pathlib import Path

from docs.pages.markdown import section
from docs.pages.rules import read_rules

RESULTS = Path(__file__).parents[1] / "results"
_FIGURE = re.compile(r"^## (\w+)\n+(\*\*.*?\*\*)\n+(.*?)\n*(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def figures() -> str:
    """A section for each figure that has a picture: the picture, its message, and its caption."""
    titles = {rule["name"]: rule["about"].rstrip(".") for rule in read_rules()}
    captions = (RESULTS / "captions-default.md").read_text(encoding="utf-8")
    return "\n".join(
        section(
            titles[f"plot_{name}"],
            f"![{titles[f'plot_{name}']}](results/{name}-default.png)\n",
            f"{message}\n",
            f"<details><summary>Caption</summary>\n\n{caption}\n\n</details>\n",
        )
        for name, message, caption in _FIGURE.findall(captions)
        if (RESULTS / f"{name}-default.png").exists()
    )
