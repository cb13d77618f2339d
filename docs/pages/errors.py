"""The page of the errors: what every message says, as it stands in the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from docs.pages.markdown import section, table

from facestages import provenance

# The models of the config raise the second, which becomes the first.
_ERRORS = ("FacestagesError", "ValueError")

# A message with fewer letters of its own says too little to be looked for.
_LEAST = 25

#: Rooms of the library and the rules, and what their errors are about.
_ABOUT = {
    "config": "The config",
    "plan": "What a run needs, and whether it is there",
    "stimuli": "Face sets: pictures and labels",
    "references": "References: people and brains",
    "networks": "Networks and weights",
    "recording": "Recording",
    "analysis": "Measures",
    "figures": "Figures",
    "claims": "Claims",
    "doctor": "What a machine lacks",
    "report": "Reports",
    "rules": "Use as a module, and the start of a run",
    "": "Files, tables, downloads, memory",
}


def error_tables() -> str:
    """A section for each room of the library, with its messages."""
    found: dict[str, dict[str, str]] = {room: {} for room in _ABOUT}
    for path in sorted((provenance.PACKAGE.parents[1] / "rules").glob("*.smk")):
        for message in messages_of_rules(path):
            found["rules"].setdefault(message, path.name)
    for path in sorted(provenance.PACKAGE.rglob("*.py")):
        place = path.relative_to(provenance.PACKAGE)
        room = place.parts[0] if len(place.parts) > 1 else ""
        for message in messages(path):
            found[room].setdefault(message, place.as_posix())
    heads = ("message", "raised in")
    return "\n".join(
        section(
            _ABOUT[room],
            table(heads, [(_quote(m), f"`{place}`") for m, place in rows.items()]),
            level=3,
        )
        for room, rows in found.items()
        if rows
    )


def messages(path: Path) -> Iterator[str]:
    """Messages of the errors that a module raises; an ellipsis stands for what a run fills in."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
            continue
        if node.func.id in _ERRORS:
            yield from _if_told(_text(node.args[0]))


def messages_of_rules(path: Path) -> Iterator[str]:
    """The same of a file of rules, which is not quite Python."""
    for call in re.findall(r'sys\.exit\(\s*((?:f?"[^"]*"\s*)+)\)', path.read_text()):
        yield from _if_told(re.sub(r"\{[^}]*\}", "…", "".join(re.findall(r'"([^"]*)"', call))))


def _if_told(text: str) -> Iterator[str]:
    """A message, if it says enough to be looked for."""
    if sum(map(str.isalpha, text)) >= _LEAST:
        yield " ".join(text.split())


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left) + _text(node.right)
    return "…"


def _quote(message: str) -> str:
    """A message as code, which may hold back ticks itself."""
    return f"`` {message} ``" if "`" in message else f"`{message}`"
