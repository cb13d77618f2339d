"""A notebook as a page: its texts, its code, and what it gave when it was run last."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

HOW_TO = Path(__file__).parents[1] / "how-to"


def cells(name: str) -> list[dict]:
    """Cells of a notebook in docs/how-to."""
    return json.loads((HOW_TO / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]


def pictures(name: str) -> list[bytes]:
    """PNG files among the outputs."""
    return [
        base64.b64decode(output["data"]["image/png"])
        for cell in cells(name)
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", ())
    ]


def page(name: str) -> str:
    """The notebook as Markdown, without its title."""
    return "\n".join(_lines(name)).partition("\n")[2]


def write_pictures(name: str, folder: Path) -> None:
    """Write the pictures where the page looks for them."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures(name)):
        (folder / f"{name}-{number}.png").write_bytes(picture)


def _lines(name: str) -> Iterator[str]:
    number = 0
    for cell in cells(name):
        text = "".join(cell["source"])
        yield from [text, ""] if cell["cell_type"] == "markdown" else ["```python", text, "```", ""]
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if "image/png" in data:
                yield f"![What the cell draws](../_build/pictures/{name}-{number}.png)"
                number += 1
            else:
                told = "".join(output.get("text", data.get("text/plain", "")))
                yield f"```text\n{told.rstrip()}\n```"
            yield ""
