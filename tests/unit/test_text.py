"""Text of users stays text: as the readers of each kind of markup see it."""

import html
import random
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from docutils import nodes
from docutils.core import publish_doctree
from markdown_it import MarkdownIt

from facestages import text
from facestages.errors import FacestagesError

MARKUP = (
    *(".. include:: /etc/passwd", ".. raw:: html", ".. _a: b", ":raw:`x`", ":field: x", "`a`:b:"),
    *("`x <javascript:hacked()>`__", "word_", "__ http://a.b", "[1]_", "|sub|", "a::", "::", "====")
    + ("* a", "- b", "+ c", "1. d", "(a) e", ">>> 1", "-a opt", "/V y", "| line", "• x", "    x"),
    *("http://a.b/c_d", "a@b.c", "mailto:a@b.c", "<http://a.b>", "javascript:x", "{{ 7 * 7 }}"),
    *("<script>x</script>", "</script>", "<!-- x", "&lt;", "<b>x</b>", '" onerror="x', "' x='"),
    *("[a](b)", "![a](b)", "[a][b]", "**b** *i* _u_ __v__", "`code`", "~~s~~", "a | b", "# h"),
    *("> q", "- [x] done", "\\", "\\\\", "\\`", "$x$", "snake_case_name", "x" * 200, "日本 😀 ж"),
)
SIGNS = "`*_|\\:@<>[]().-+=~#^\"'{}!?,;/&%$ ab1•"


def words(shown: str) -> str:
    """Text without its blanks at the ends, and with single blanks inside."""
    return " ".join(shown.split())


@pytest.mark.parametrize(
    ("sign", "name"),
    [("\n", r"\n"), ("\x1b", r"\x1b"), ("\0", r"\x00"), ("\x85", r"\x85"), ("\u2028", r"\u2028")]
    + [("\u202e", r"\u202e"), ("\u2066", r"\u2066"), ("\ud800", r"\ud800"), ("\t", r"\t")],
)
def test_control_characters_are_named_and_shown(sign, name):
    given = f"a{sign}b"
    assert name in text.line_problem(given) and "after 'a'" in text.line_problem(given)
    assert text.printable(given) == f"a{name}b"
    assert str(FacestagesError(f"{sign.strip()}x")) == ("" if sign.isspace() else name) + "x"


@pytest.mark.parametrize("given", ["Größe", "日本 😀 👩‍👩‍👧", "عربى", "a\u00a0b", "", "\U000e0fff"])
def test_text_of_any_language_is_a_line(given):
    assert text.line_problem(given) == "" and text.printable(given) == given


def test_lines_stay_apart():
    assert text.printable_lines("a\nb\x1b[31m") == "a\nb\\x1b[31m"


def check_restructuredtext(given: str) -> None:
    document = publish_doctree(text.escape_rst(given), settings_overrides={"report_level": 5})
    for paragraph in document:
        assert isinstance(paragraph, nodes.paragraph), given
        assert all(isinstance(node, nodes.Text) for node in paragraph), given
    assert words(document.astext()) == words(text.printable(given))


def check_markdown(given: str) -> None:
    """As a reader of GitHub's Markdown sees it, in a line and in a cell of a table."""
    reader = MarkdownIt("gfm-like", {"linkify": False})
    escaped = text.escape_markdown(given)
    for markdown, first in ((f"Z: {escaped}", "Z:"), (f"| Z |\n|---|\n| {escaped} |\n", "Z")):
        tokens = [token.children for token in reader.parse(markdown) if token.children]
        shown = [token for children in tokens for token in children]
        assert {token.type for token in shown} <= {"text", "text_special"}, given
        content = "".join(token.content for token in shown)
        assert words(content.removeprefix(first)) == words(given)


@pytest.mark.parametrize("check", [check_restructuredtext, check_markdown])
@pytest.mark.parametrize("given", MARKUP)
def test_markup_is_this_text(check, given):
    check(given)


@pytest.mark.parametrize("check", [check_restructuredtext, check_markdown])
def test_any_signs_are_this_text(check):
    rng = random.Random(0)
    for _ in range(1000):
        check("".join(rng.choices(SIGNS, k=rng.randint(1, 14))))


def test_lines_of_a_caption_become_one():
    check_restructuredtext("a\n\n.. include:: /etc/passwd\n   :literal:")


class Page(HTMLParser):
    """Tags, attributes and texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("given", MARKUP)
def test_html_is_this_text(given):
    escaped = text.escape_html(given)
    page = Page(f"<p title='{escaped}' class=\"{escaped}\">{escaped}</p>")
    assert page.tags == [("p", {"title": given, "class": given})] and page.text == given
    assert ElementTree.fromstring(f"<p>{escaped}</p>").text == html.unescape(escaped)


def test_latex_has_no_commands():
    assert text.escape_latex(r"\input{x}") == r"\textbackslash{}input\{x\}"
    assert text.escape_latex("50 % & #1_a$ ~^") == r"50 \% \& \#1\_a\$ \~{}\^{}"
    # After a line break these would be an argument, and a star.
    assert text.escape_latex("[1cm] *") == "{[}1cm] {*}"


def test_long_names_lose_their_middle():
    assert text.abbreviate("a" * 10, 10) == "a" * 10
    assert text.abbreviate("abcdefghijk", 7) == "abc\N{HORIZONTAL ELLIPSIS}ijk"
