"""YAML files of users: what is wrong with one, and where, and what YAML takes for something else.

Snakemake reads the config at the start of a run, so nothing heavy is imported here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from facestages.bounds import require_few_nodes, require_size
from facestages.errors import FacestagesError, did_you_mean, shorten

if TYPE_CHECKING:
    import yaml

# The largest that comes with the project has 30 kB.
_MOST_BYTES = 500_000

# Octal numbers, and numbers to the base 60.
_ODD_NUMBER = re.compile(r"[-+]?(0[0-9_]|[0-9_]+:)")

# Web pages and word processors write them.
_OTHER_BLANK = re.compile("[\u00a0\u2000-\u200b\u202f\u3000\ufeff]")

# What helps against a mistake in YAML, by a part of what PyYAML calls it.
_YAML_REMEDIES = (
    ("'\\t'", "Indent with blanks instead of tabs"),
    ("mapping values", "Text with ': ' needs quotes; keys side by side need the same indentation"),
    ("got ':'", "Text with ': ' needs quotes, and a bracket its end"),
    (
        "expected ',' or",
        "Close the bracket; text with quotes, brackets or ' #' needs quotes around",
    ),
    ("escape", "Use single quotes, or write \\\\ for each \\"),
    ("expected alphabetic", "Put the text in quotes"),
    ("undefined alias", "A text that begins with * needs quotes"),
    ("constructor for the tag", "A text that begins with ! needs quotes"),
    ("another document", "Remove the line '---'"),
    ("unexpected end of stream", "Close the quote"),
    ("<stream end>", "Close the bracket"),
    ("cannot start any token", "Put the text in quotes"),
    ("block", "Keys side by side need the same indentation, and lists and texts their end"),
    ("expected ':'", "Write 'key: value'"),
)


def read_yaml(path: str | os.PathLike) -> dict:
    """Read a YAML file of keys and values.

    Raises
    ------
    FacestagesError
        If the file is missing, is not YAML, gives a key twice, or holds something else; the message
        names line and column.
    """
    import yaml

    try:
        require_size(path, _MOST_BYTES, "a YAML file")
        loader = yaml.SafeLoader(Path(path).read_text(encoding="utf-8"))
        node = loader.get_single_node()
        require_few_nodes(path, node)
        for problem in _surprises(node):
            raise FacestagesError(f"{path}: {problem}")
        content = None if node is None else loader.construct_document(node)
    except FacestagesError:
        raise
    except FileNotFoundError as error:
        beside = [other.name for other in Path(path).parent.glob("*.y*ml")]
        hint = f"; {did_you_mean(Path(path).name, beside)}" if beside else ""
        raise FacestagesError(f"{path}: no such file. Correct the path{hint}") from error
    # PyYAML raises errors of many kinds, for instance for what looks like a date and is none.
    except Exception as error:
        problem = _yaml_problem(error)
        raise FacestagesError(f"{path}: cannot be read as YAML: {problem}") from error
    if not isinstance(content, dict):
        raise FacestagesError(f"{path}: must hold keys and values, a line 'key: value' each")
    return content


def name_lines(message: str, paths: Sequence[str | os.PathLike]) -> str:
    """A message on keys of a config, with the file and line of each key.

    ``config: figures.fig4.dataset: ...`` becomes ``mine.yaml, line 7: figures.fig4.dataset: ...``.
    The line is that of the key, or of the innermost section around it that is there. Of several
    files the last counts that has the key's section. What is found in none stays as it is.
    """
    return "\n".join(_name_line(line, paths) for line in message.split("\n"))


def _name_line(line: str, paths: Sequence[str | os.PathLike]) -> str:
    about = re.match(r"config: ([\w.-]+?):? ", line)
    if about is None:
        return line
    keys = about[1].split(".") if not line.startswith("config: top level") else []
    keys += re.findall(r"^[^']* unknown key '([^']+)'", line)[:1]
    for path in reversed(paths):
        if number := _line_of(path, keys):
            return f"{path}, line {number}{line.removeprefix('config')}"
    return line


def _line_of(path: str | os.PathLike, keys: Sequence[str]) -> int | None:
    """Line of the innermost of nested keys that a file has; None if it has none of them."""
    import yaml

    try:
        node = yaml.compose(Path(path).read_text(encoding="utf-8"), yaml.SafeLoader)
    except Exception:
        # Whatever is wrong with the file was told before, or Snakemake reads it in another way.
        return None
    found = None
    for key in keys:
        if node.id == "mapping":
            inside = {name.value: (name, value) for name, value in node.value}
        else:
            inside = {str(n): (one, one) for n, one in enumerate(node.value)}
        if node.id == "scalar" or key not in inside:
            break
        name, node = inside[key]
        found = name.start_mark.line + 1
    return found


def _surprises(node: yaml.Node | None) -> Iterator[str]:
    """What YAML takes in silence for something else than the user means: place, and what it is."""
    if node is None:
        return
    # An alias is the node that it stands for, so a node may occur several times.
    nodes, seen = [node], set()
    while nodes:
        node = nodes.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.id == "scalar":
            if node.tag.endswith(":int") and node.style is None and _ODD_NUMBER.match(node.value):
                yield (
                    f"{_place(node.start_mark)}: YAML takes {node.value} for another number. Write "
                    f"it without leading zeros and colons, or as text, in quotes"
                )
            continue
        lines: dict[tuple, int] = {}
        for key, value in node.value if node.id == "mapping" else ():
            name = (key.tag, str(key.value))
            if blank := _OTHER_BLANK.search(name[1]):
                yield (
                    f"{_place(key.start_mark)}: the key '{shorten(key.value)}' holds the character "
                    f"U+{ord(blank[0]):04X}, a blank of another kind. Write a plain blank"
                )
            if name in lines and not key.tag.endswith(":merge"):
                yield (
                    f"{_place(key.start_mark)}: the key '{shorten(key.value)}' is already in line "
                    f"{lines[name]}, and YAML takes the last alone. Join the two, or remove one"
                )
            lines.setdefault(name, key.start_mark.line + 1)
            nodes.append(value)
        nodes += node.value if node.id == "sequence" else ()


def _yaml_problem(error: Exception) -> str:
    """What is wrong with a YAML file, where, and what helps."""
    if isinstance(error, UnicodeDecodeError):
        line = error.object.count(b"\n", 0, error.start) + 1
        return f"line {line}: is no text in UTF-8. Save the file as UTF-8"
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    if mark is None:
        return f"{shorten(error, 200)}. Mend it"
    start = getattr(error, "context_mark", None)
    if start is not None and start.line != mark.line:
        problem += f", {error.context} that begins in {_place(start)}"
    remedy = next((text for sign, text in _YAML_REMEDIES if sign in problem), "Mend it")
    return f"{_place(mark)}: {problem}. {remedy}"


def _place(mark: yaml.Mark) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}"
