"""Fonts for text of any script: our own, one of the machine's, or a note that there is none."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

#: The font that matplotlib brings, which all figures can have.
OWN = "DejaVu Sans"

# Matplotlib's own, in which each letter is a box with the sign of its script.
_BOXES = "Last Resort"

# Marks that change or join the letters beside them.
_NO_LETTERS = ("Cc", "Cf", "Mn", "Zs", "Zl", "Zp")


def use_fonts(figure: Figure) -> str:
    """Let texts of a figure have fonts of this machine for letters that our own font lacks.

    A figure whose letters are all in our own font stays as it is. Returns a note on letters that no
    font has, which is empty if there are none.
    """
    for axes in figure.axes:
        # Ticks have their texts only when somebody asks for them.
        axes.get_xticklabels(), axes.get_yticklabels()
    texts = figure.findobj(Text)
    letters = set("".join(text.get_text() for text in texts if not text.get_text().isascii()))
    if letters:
        letters -= _letters_of(font_manager.findfont(OWN))
    families, note = find_fonts(
        frozenset(c for c in letters if unicodedata.category(c) not in _NO_LETTERS)
    )
    if families:
        families = [*mpl.rcParams["font.family"], *families]
        for text in texts:
            text.set_fontfamily(families)
        for axes in figure.axes:
            axes.tick_params(labelfontfamily=families)
    return note


@functools.cache
def find_fonts(letters: frozenset[str]) -> tuple[list[str], str]:
    """Fonts of this machine that together have these letters, and a note on those that none has.

    The font that has most of them comes first; of several, one without serifs. The note is empty if
    all are found.
    """
    families, rest = [], set(letters)
    installed = _installed() if letters else []
    while rest:
        family, found = max(
            ((family, rest & of) for family, of in installed),
            key=lambda item: len(item[1]),
            default=("", set()),
        )
        if not found:
            break
        families.append(family)
        rest -= found
    return families, _note(rest)


def _installed() -> list[tuple[str, set[str]]]:
    """Upright fonts of this machine and their letters: first those without serifs."""
    manager = font_manager.fontManager
    # The list that matplotlib keeps may be older than a font.
    for path in set(font_manager.findSystemFonts()) - {font.fname for font in manager.ttflist}:
        try:
            manager.addfont(path)
        except (OSError, RuntimeError, ValueError):
            continue
    fonts: dict[str, set[str]] = {}
    for font in sorted(manager.ttflist, key=lambda font: ("Sans" not in font.name, font.fname)):
        regular = font.style == "normal" and font.weight in (400, "normal", "regular")
        if regular and font.name not in fonts and not font.name.startswith(_BOXES):
            fonts[font.name] = _letters_of(font.fname)
    return list(fonts.items())


@functools.cache
def _letters_of(path: str) -> set[str]:
    """Characters of a font; none of one that is made of pictures, which matplotlib cannot draw."""
    try:
        font = FT2Font(path)
        return set(map(chr, font.get_charmap())) if font.scalable else set()
    except (OSError, RuntimeError):
        return set()


def _note(letters: Iterable[str]) -> str:
    if not letters:
        return ""
    scripts = ", ".join(sorted(set(map(_script, letters))))
    return (
        f"NO FONT on this machine has these letters, and boxes stand for them: {scripts}. Install "
        f"one, e.g. of the family Noto, delete the figure, and run the same command again."
    )


def _script(letter: str) -> str:
    """Script of a letter, e.g. ``Hiragana``, ``CJK`` or ``symbols``."""
    if unicodedata.category(letter).startswith("S"):
        return "symbols"
    word = unicodedata.name(letter, "unknown").partition(" ")[0]
    return word if word == "CJK" else word.capitalize()
