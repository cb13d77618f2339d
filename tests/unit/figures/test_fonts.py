"""Text of any script: our own font, one of the machine's, or a note that there is none."""

import re

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from matplotlib.figure import Figure
from PIL import Image

from facestages.figures import fonts, page, style

# Where the machine has none of the fonts that journals like.
FAMILY = ["DejaVu Sans", "sans-serif"]
OURS = "naïve Русский Ελληνικά עברית العربية 😀 ♥ …"


def write_font(path, family, letters):
    """A font in which each letter is a black square."""
    pen = TTGlyphPen(None)
    for move, *point in (("M", 100, 0), ("L", 100, 700), ("L", 800, 700), ("L", 800, 0)):
        (pen.moveTo if move == "M" else pen.lineTo)(tuple(point))
    pen.closePath()
    square = pen.glyph()
    letters = {ord(letter): f"u{ord(letter):X}" for letter in letters}
    names = [".notdef", *letters.values()]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap(letters)
    builder.setupGlyf(dict.fromkeys(names, square))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (900, 100)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular", "psName": family})
    builder.setupOS2(sTypoAscender=800, usWeightClass=400)
    builder.setupPost()
    builder.save(path)
    return str(path)


@pytest.fixture
def machine(monkeypatch):
    """A machine that has matplotlib's own fonts; call it to install others."""
    manager = font_manager.fontManager
    own = [font for font in manager.ttflist if font.fname.startswith(mpl.get_data_path())]
    monkeypatch.setattr(manager, "ttflist", own)
    style.use_style()
    installed = []
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: installed)
    fonts.find_fonts.cache_clear()
    yield installed.append
    fonts.find_fonts.cache_clear()


def figure_with(text):
    figure = Figure(figsize=(2, 1))
    return figure, figure.text(0.1, 0.4, text, fontsize=20)


def ink(figure, tmp_path):
    style.save_figure(figure, {"png": tmp_path / "a.png"})
    return (np.asarray(Image.open(tmp_path / "a.png").convert("L")) < 128).sum()


def test_our_own_font_stays_alone_where_it_has_all_letters(machine, tmp_path):
    machine(write_font(tmp_path / "a.ttf", "Squares", OURS.replace(" ", "")))
    figure, text = figure_with(OURS)
    assert fonts.use_fonts(figure) == "" and text.get_fontfamily() == FAMILY


def test_a_font_of_the_machine_has_what_ours_lacks(machine, tmp_path):
    machine(write_font(tmp_path / "a.ttf", "Squares", "日本"))
    figure, text = figure_with("日本 A")
    assert fonts.use_fonts(figure) == ""
    assert text.get_fontfamily() == [*FAMILY, "Squares"]
    # Two squares of 0.7 of 20 points, at 300 dots an inch, and a slender letter.
    square = (0.7 * 20 / 72 * 300) ** 2
    assert 2 * square < ink(figure, tmp_path) < 2.5 * square
    style.save_figure(figure, {"pdf": tmp_path / "a.pdf", "svg": tmp_path / "a.svg"})
    assert re.search(rb"/FontName /\w+\+Squares", (tmp_path / "a.pdf").read_bytes())
    assert (
        "'DejaVu Sans', 'Arial', 'Helvetica', 'Liberation Sans', sans-serif, 'Squares'"
        in (tmp_path / "a.svg").read_text()
    )


def test_several_fonts_share_the_work_and_the_richest_comes_first(machine, tmp_path):
    machine(write_font(tmp_path / "a.ttf", "A Sans", "日"))
    machine(write_font(tmp_path / "b.ttf", "B Serif", "日本語"))
    machine(write_font(tmp_path / "c.ttf", "C Sans", "日本語"))
    machine(write_font(tmp_path / "d.ttf", "D Sans", "ไ"))
    assert fonts.find_fonts(frozenset("日本語ไ")) == (["C Sans", "D Sans"], "")


def test_what_stands_on_an_axis_counts_too(machine, tmp_path):
    machine(write_font(tmp_path / "a.ttf", "Squares", "男女"))
    figure = Figure()
    axes = figure.add_subplot()
    axes.set_xticks([1, 2], ["男", "女"])
    assert fonts.use_fonts(figure) == ""
    figure.draw_without_rendering()
    assert {tuple(label.get_fontfamily()) for label in axes.get_xticklabels()} == {
        (*FAMILY, "Squares")
    }


def test_without_a_font_the_figure_and_the_log_say_so(machine, tmp_path, caplog, recwarn):
    figure, text = figure_with("日本 ひら हिन्दी 🧑🏽 A")
    figure.set_figwidth(8)
    drawing = page.finish(figure, pd.DataFrame(), "Title", ["Sentence, ไทย."])
    note = "NO FONT on this machine has these letters, and boxes stand for them: "
    note += "CJK, Devanagari, Hiragana, symbols. Install one"
    assert note in drawing.caption and drawing.caption.startswith("Sentence, ไทย. ")
    style.save_figure(figure, {"png": tmp_path / "a.png"})
    assert note in caplog.text and not [one for one in recwarn if "Glyph" in str(one.message)]
    assert text.get_fontfamily() == FAMILY


def test_a_figure_without_a_caption_below_it_says_so_beside_it(machine, tmp_path):
    figure, _ = figure_with("日本")
    forms = ("pdf", "svg", "png", "caption")
    page.save(
        page.Drawing(figure, pd.DataFrame(), "Title", "Text."),
        {form: tmp_path / form for form in forms},
    )
    assert (
        (tmp_path / "caption")
        .read_text()
        .startswith("**Title.**\n\n\\ Text. NO FONT on this machine")
    )


def test_a_font_that_cannot_be_read_is_none(machine, tmp_path):
    (tmp_path / "a.ttf").write_bytes(b"no font")
    machine(str(tmp_path / "a.ttf"))
    assert fonts.find_fonts(frozenset("日"))[0] == []
