"""The report of the tiny run, read in a real browser as a person does."""

import json
import os
import re

import pytest

from browser import CHROMIUM, find_violations, open_page

# On a machine of one's own a browser may be missing; in CI it may not.
pytestmark = pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ,
    reason="no Chromium on PATH (Debian: apt-get install chromium-headless-shell)",
)

WORDS = "document.querySelector({}).textContent.replace(/\\s+/g, ' ')"


@pytest.fixture(scope="module")
def path(tiny_run):
    return tiny_run.folder / "results" / "report.html"


@pytest.fixture(scope="module")
def page(path, tmp_path_factory):
    with open_page(path, tmp_path_factory.mktemp("chromium")) as page:
        yield page


def words(page, selector):
    return page.evaluate(WORDS.format(json.dumps(selector)))


def every(page, selector, what):
    """A JavaScript expression of `item` for every element of a selector."""
    found = f"[...document.querySelectorAll({json.dumps(selector)})]"
    return page.evaluate(f"{found}.map(item => {what})")


def test_it_loads_without_an_error_or_a_request(page):
    assert page.evaluate("document.title").startswith("What this run found")
    assert page.errors == [] and page.requests == []


def test_it_needs_no_script(page, path):
    assert page.evaluate("document.scripts.length") == 0
    assert path.stat().st_size < 15e6


def test_headings_leave_no_level_out(page):
    levels = every(page, "h1, h2, h3, h4, h5, h6", "Number(item.localName[1])")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))
    assert all(every(page, "h1, h2, h3, h4, h5, h6", "item.textContent.trim()"))


def test_axe_finds_nothing(path, tmp_path):
    with open_page(path, tmp_path) as page:
        assert find_violations(page) == []


def test_every_picture_is_there_and_has_words(page):
    pictures = every(page, "img", "[item.alt.length, item.src.slice(0, 11)]")
    # Fourteen figures, and four contact sheets.
    assert len(pictures) == 14 + 4
    assert all(length > 15 and source == "data:image/" for length, source in pictures)
    page.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
    page.wait("[...document.images].every(image => image.complete && image.naturalWidth > 20)")


def test_landmarks_and_names(page):
    for landmark in ("header", "nav", "main", "footer"):
        assert page.evaluate(f"document.querySelectorAll('body > {landmark}, header > nav').length")
    assert page.evaluate("document.querySelectorAll('main').length") == 1
    assert page.evaluate("document.documentElement.lang") == "en"
    named = "document.getElementById(item.getAttribute('aria-labelledby'))?.textContent.trim()"
    assert all(every(page, "[aria-labelledby]", named))
    assert all(
        every(page, "a, summary", "item.textContent.trim() || item.querySelector('img').alt")
    )
    ids = every(page, "[id]", "item.id")
    assert len(ids) == len(set(ids))


def test_keyboard_skips_to_the_content_and_shows_where_it_is(page):
    page.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.press("Enter")
    page.press("Tab")
    # The first thing to focus in the content.
    assert page.evaluate("document.activeElement.closest('main') !== null")


@pytest.mark.parametrize("width, mobile", [(1280, False), (380, True), (320, True)])
def test_nothing_scrolls_sideways(page, width, mobile):
    page.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
    page.resize(width, mobile=mobile)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.resize(1280)


def test_all_figures_stand_in_the_order_of_the_studies(page):
    names = every(page, ".exhibit", "item.id")
    assert names[:5] == ["fig1", "table1", "fig2", "gradcam", "fig3"]
    assert names[5:12] == [f"fig{number}" for number in range(4, 11)]
    assert {"layers", "multiverse", "cka", "controls"} == set(names[12:])
    studies = every(page, "#figures h3", "item.textContent")
    assert [name[:7] for name in studies if name.startswith("Study ")] == [
        f"Study {number}" for number in range(1, 6)
    ]


def test_links_lead_to_files_and_places(page, path):
    for address in set(every(page, "a", "item.getAttribute('href')")):
        if address.startswith("#"):
            place = json.dumps(address[1:])
            assert page.evaluate(f"document.getElementById(decodeURIComponent({place})) !== null")
        else:
            assert (path.parent / address).is_file(), address


def test_it_says_that_faces_are_rendered(page, tiny_run):
    asked = words(page, "#asked")
    assert "All faces are RENDERED, not photographs." in asked
    assert "Valence and arousal are DECLARED positions, not ratings." in asked
    assert "4 networks" not in asked and "3 networks in 4 instances" in asked
    assert "rendered faces" in words(page, "#fig4 .tags")


def test_labels_are_text(page, tiny_run):
    asked = words(page, "#asked")
    for section in ("datasets", "networks"):
        for entry in tiny_run.config[section].values():
            assert " ".join(entry.get("label", "").split()) in asked
    kinds = set(every(page, "body *", "item.localName"))
    assert not kinds & {"script", "iframe", "object", "embed", "svg", "b", "form"}
    assert page.evaluate("document.querySelectorAll('[onerror], [src=x]').length") == 0
    assert page.evaluate("typeof hacked") == "undefined"
    assert not re.search(r"\{\{ *[a-z]|\bnan\b|\bNone\b", words(page, "#figures"))


def test_findings_are_of_tested_claims(page):
    found = every(page, ".findings strong", "item.textContent")
    assert 1 <= len(found) <= 6 and all(one.startswith("This run ") for one in found)
    assert re.match(r"Of \d+ claims that this run can test, ", words(page, "#findings .lead"))
    verdicts = every(page, ".card > p > .chip", "item.textContent.trim().slice(2)")
    assert set(verdicts) <= {"holds", "holds in part", "undecided", "fails"}
    assert page.evaluate(
        "document.querySelector('.cards').compareDocumentPosition("
        "document.querySelector('.untested')) === Node.DOCUMENT_POSITION_FOLLOWING"
    )


def test_how_it_was_made_is_folded_and_complete(path, page, tiny_run):
    with open(path, encoding="utf-8") as file:
        assert "<details open" not in file.read()
    made = words(page, "#made")
    assert "permutations: 20" in made and "ratings.oasis" in made
    for entry in tiny_run.config["networks"].values():
        assert " ".join(entry["label"].split()) in made
    assert re.search(r"h5py ?\d+\.\d+", made) and re.search(r"[0-9a-f]{64}", made)
    assert "@software{facestages," in made and "CC0-1.0" in made
    assert "score_separability" in words(page, "#made details:last-of-type")


def test_it_prints(page):
    printed = page.print_pdf()
    assert printed.startswith(b"%PDF") and 8 < len(re.findall(rb"/Type /Page\b", printed)) < 60


def test_nothing_half_written_stays(path):
    assert not list(path.parent.glob(".partial*"))
