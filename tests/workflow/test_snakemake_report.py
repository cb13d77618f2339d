"""Snakemake's own report of the tiny run, read in a real browser as a person does."""

import json
import os
import re
import time

import pytest

from browser import CHROMIUM, open_page

# On a machine of one's own a browser may be missing; in CI it may not.
pytestmark = pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ,
    reason="no Chromium on PATH (Debian: apt-get install chromium-headless-shell)",
)

# The result that the middle of the page shows: of an image whether its pixels are there.
SHOWN = """(() => {
  const image = document.querySelector(".grow img"), frame = document.querySelector(".grow iframe");
  const shown = image || frame;
  const loaded = image ? image.complete && image.naturalWidth > 0 : frame !== null;
  return loaded && shown.clientWidth > 300 && shown.src === results[ENTRY].data_uri;
})()"""

# A page of its own for the caption of each result.
CAPTIONS = """new Map(Object.entries(results).map(([path, result]) =>
  [path, new DOMParser().parseFromString(result.caption, "text/html").documentElement]))"""


@pytest.fixture(scope="module")
def path(tiny_run):
    target = "results/snakemake-report.html"
    done = tiny_run.snakemake(target)
    assert done.returncode == 0, done.stderr
    return tiny_run.folder / target


@pytest.fixture(scope="module")
def page(path, tmp_path_factory):
    with open_page(path, tmp_path_factory.mktemp("chromium")) as page:
        page.wait("document.querySelector('.prose h1') !== null")
        yield page


def click(page, selector, text):
    """Click the one element of these that shows this text."""
    chosen = f"[...document.querySelectorAll({json.dumps(selector)})]"
    chosen += f".filter(item => item.innerText.trim() === {json.dumps(text)})"
    assert page.wait(f"{chosen}.length") == 1, (selector, text)
    page.evaluate(f"{chosen}[0].click()")


def open_menu(page):
    page.evaluate("app.setView({navbarMode: 'menu', content: 'rulegraph'})")
    page.wait("document.querySelector('.prose h1') !== null")


def open_category(page, name):
    open_menu(page)
    click(page, "li a", name)
    return page.wait("document.querySelectorAll('tbody tr').length")


def await_result(page, entry):
    """Wait until an entry of the report has loaded; of a page, until it has words."""
    page.wait(SHOWN.replace("ENTRY", json.dumps(entry)))
    if entry.endswith(".html"):
        end = time.monotonic() + 10
        while len(page.frame_text()) < 100:
            assert time.monotonic() < end, f"{entry}: no words in 10 s"


def test_every_entry_of_every_category_loads(page):
    seen = []
    for category in page.evaluate("Object.keys(categories)"):
        for row in range(open_category(page, category)):
            buttons = f"document.querySelectorAll('tbody tr')[{row}].querySelectorAll('a')"
            page.evaluate(f"{buttons}[0].click()")
            entry = page.wait("app.state.resultPath")
            await_result(page, entry)
            page.evaluate(f"{buttons}[1].click()")
            assert len(page.wait("document.querySelector('.prose-invert')?.innerText")) > 60
            seen.append(entry)
            open_category(page, category)
    assert sorted(seen) == sorted(page.evaluate("Object.keys(results)"))
    assert page.errors == []


def test_first_page_leads_to_every_entry(page):
    open_menu(page)
    links = "[...document.querySelectorAll('.prose a')]"
    seen = []
    for number in range(page.evaluate(f"{links}.length")):
        open_menu(page)
        page.evaluate(f"{links}[{number}].click()")
        page.wait("app.state.content !== 'rulegraph'")
        seen.append(page.evaluate("app.state.resultPath"))
        await_result(page, seen[-1])
    assert sorted(seen) == sorted(page.evaluate("Object.keys(results)"))
    assert page.errors == []


def test_first_page_says_that_faces_are_rendered(page):
    open_menu(page)
    words = page.evaluate("document.querySelector('.prose').innerText")
    for name in ("wild", "posed", "video"):
        assert f"{name}: RENDERED, not photographs" in words


def test_all_that_the_run_drew_is_there(page, tiny_run):
    results = tiny_run.folder / "results"
    drawn = [*results.glob("figures/*.svg"), *results.glob("stimuli/*.sheet.png")]
    drawn.append(results / "claims.html")
    found = set(page.evaluate("Object.keys(results)"))
    assert {str(file.relative_to(tiny_run.folder)) for file in drawn} <= found


def test_categories_follow_the_studies(page):
    categories = page.evaluate("Object.keys(categories)")
    assert {"Claims", "Face sets", "Networks"} <= set(categories)
    assert {name[:7] for name in categories if name.startswith("Study ")} >= {"Study 3"}


def test_captions_read_as_text(page):
    captions = "Object.fromEntries(Object.entries(results).map(e => [e[0], e[1].caption]))"
    for entry, caption in page.evaluate(captions).items():
        text = re.sub("<[^>]+>", "", caption)
        # Neither complaints of docutils, nor gaps that nobody filled in.
        assert "system-message" not in caption, (entry, caption)
        assert not re.search(r"\{\{ *[a-z]|\bnan\b|\bNone\b", text), (entry, text)
        if entry == "results/figures/fig4.svg":
            # The run's own words: pictures, seeds, source of the labels.
            assert "RENDERED" in text and "120" in text and re.search("[Ss]eeds", text)


def test_labels_are_text_in_captions(page, tiny_run):
    fig4 = tiny_run.config["figures"]["fig4"]
    words = page.evaluate("(" + CAPTIONS + ").get('results/figures/fig4.svg').textContent")
    for section in ("datasets", "networks"):
        for name in fig4[section]:
            assert tiny_run.config[section][name]["label"] in " ".join(words.split())
    # Elements that the captions themselves are made of.
    kinds = "[...captions.values()].flatMap(c => [...c.querySelectorAll('body *')])"
    kinds = f"(captions => [...new Set({kinds}.map(item => item.localName))])({CAPTIONS})"
    assert set(page.evaluate(kinds)) <= {"p", "tt", "span", "strong"}


def test_labels_are_text_where_params_are_shown(page, tiny_run):
    page.evaluate("app.showResultInfo('results/figures/fig4.svg')")
    words = page.wait("[...document.querySelectorAll('li')].map(item => item.innerText).join()")
    assert tiny_run.config["datasets"]["posed"]["label"] in words
    assert page.evaluate("document.querySelectorAll('[onerror], [src=x]').length") == 0


@pytest.mark.parametrize("name", ["Workflow", "Statistics"])
def test_snakemakes_own_plots_are_drawn(page, name):
    open_menu(page)
    click(page, "li a", name)
    page.wait("document.querySelector('.vega-embed canvas, .vega-embed svg') !== null")
    assert page.errors == []


def test_no_label_has_run(page):
    """After all that has been opened: the labels of the run would set a global variable."""
    assert page.evaluate("typeof hacked") == "undefined"


def test_one_file_that_needs_no_network(page, path):
    assert page.requests == []
    assert path.stat().st_size < 100e6


def test_nothing_half_written_stays(path):
    assert not list(path.parent.glob(".partial*"))
