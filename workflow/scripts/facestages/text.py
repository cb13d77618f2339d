"""Text of users, written so that it stays text where some characters are commands.

Labels and names in a config or a table are one line of text without control characters (see
`line_problem`). Names of files and of layers are taken as they are, so all that is written for
readers has its control characters made visible. Cells of CSV are the matter of `tables`.
"""

from __future__ import annotations

import html
import re

# Control characters, which a terminal obeys; line and paragraph separators; marks that turn the
# direction of all that follows; halves of characters, and characters that XML forbids.
_CONTROL = "\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff"
_CONTROLS = re.compile(f"[{_CONTROL}]")
# A colon before a blank is text; another may belong to a role, an address or a literal block.
_RST = re.compile(r"[\\`*_|@]|:(?=\S)")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
# An underscore within a word and brackets that no link follows are text; what stands at the start
# may begin a list.
_MARKDOWN = re.compile(r"[\\`*<>|~$&#]|(?<![^\W_])_|_(?![^\W_])|\](?=[\[(])|^[-+\[]")
_PLAIN_YAML = re.compile(r"[^\W\d_](?:[\w -]*\w)?")
_NO_TEXT_IN_YAML = ("yes", "no", "on", "off", "true", "false", "null", "y", "n")
_LATEX = {sign: f"\\{sign}" for sign in "&%_#${}"}
_LATEX |= {"\\": r"\textbackslash{}", "^": r"\^{}", "~": r"\~{}"}
_LATEX |= {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"}
# Both would belong to the line break before them.
_LATEX |= {"[": "{[}", "*": "{*}"}


def line_problem(text: str) -> str:
    """Why text is not one line without control characters, for a message; empty if it is one."""
    found = None if text.isprintable() else _CONTROLS.search(text)
    if found is None:
        return ""
    before = text[max(0, found.start() - 20) : found.start()]
    return (
        f"has the character {printable(found[0])} after '{before}'. Text must be one line without "
        f"control characters; remove it"
    )


def printable(text: object) -> str:
    """Text, or a path, with each control character as its escape, such as ``\\x1b``."""
    text = str(text)
    if text.isprintable():
        return text
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def printable_lines(text: str) -> str:
    """As `printable`, for text of several lines."""
    return "\n".join(map(printable, text.split("\n")))


def abbreviate(text: str, length: int) -> str:
    """A name without its middle, where it is longer than `length`."""
    if len(text) <= length:
        return text
    half = (length - 1) // 2
    return f"{text[:half]}\N{HORIZONTAL ELLIPSIS}{text[-half:]}"


def quote_yaml(text: str) -> str:
    """A word as a user writes it into a config: in quotes, unless it is letters and the like."""
    if _PLAIN_YAML.fullmatch(text) and text.lower() not in _NO_TEXT_IN_YAML:
        return text
    return "'" + printable(text).replace("'", "''") + "'"


def escape_html(text: str) -> str:
    """Text in HTML, or in an attribute of it."""
    return html.escape(printable_lines(text))


def escape_rst(text: str) -> str:
    """A paragraph of reStructuredText that is this text, without directive, role, link or list."""
    # The first two characters stand for nothing, and nothing but text begins with them.
    return "\\ " + _RST.sub(r"\\\g<0>", printable(text))


def unescape_rst(text: str) -> str:
    """The text of a paragraph that `escape_rst` wrote."""
    return _ESCAPED.sub(lambda found: found[1].strip(), text).strip()


def escape_markdown(text: str) -> str:
    """Text in a line or table of Markdown: no HTML, link, emphasis or cell begins in it."""
    return _MARKDOWN.sub(r"\\\g<0>", printable(text))


def escape_latex(text: str) -> str:
    """Text in LaTeX."""
    return "".join(_LATEX.get(sign, sign) for sign in printable(text))
