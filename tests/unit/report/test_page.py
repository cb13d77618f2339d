"""The report as a page: what stands where, and that text stays text."""

import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from PIL import Image

from facestages import pages, tables
from facestages.report.page import Contents, Facts, write_report
from facestages.text import escape_rst

HOSTILE = '</style><script>hacked = 1</script> {{ 7 * 7 }} "&'
CLAIM = dict.fromkeys(
    ("where", "reported", "because", "files", "agreement", "as_published", "ours", "rule"), ""
)
CLAIM |= {"dataset": "", "why": "the config has none", "faces": "", "claim": "It is so"}
JUDGED = {"ours": f"silhouette: {HOSTILE} 0.5 [0.4, 0.6]", "rule": "silhouette above 0"}
JUDGED |= {"why": f"silhouette above 0: yes, {HOSTILE}", "faces": "rendered"}


class Tags(HTMLParser):
    """Elements and text of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words.append(data)

    def named(self, *names):
        return [attributes for tag, attributes in self.tags if tag in names]

    @property
    def text(self):
        return " ".join("".join(self.words).split())


@pytest.fixture
def write(tmp_path, files):
    """Write a report with two figures and a table, and read it."""
    stimuli, labels, geometry = files
    folder = tmp_path / "figures"
    folder.mkdir()
    exhibits = []
    for number, group in ((1, "Networks"), (4, HOSTILE)):
        paths = {
            kind: str(folder / f"fig{number}.{end}")
            for kind, end in (("svg", "svg"), ("png", "png"), ("pdf", "pdf"), ("numbers", "csv"))
        }
        (folder / f"fig{number}.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
        Image.new("L", (30, 20)).save(paths["png"])
        entry = {"name": f"fig{number}", "group": group, "label": f"Figure {number}"}
        exhibits.append({**entry, "title": "a title", **paths})
    caption = folder / "fig4.rst"
    words = f"{HOSTILE} is RENDERED. Two. Three."
    caption.write_text(f"**{escape_rst('Identity falls')}.**\n\n{escape_rst(words)}\n")
    exhibits[1]["caption"] = str(caption)
    table = {"name": "table1", "group": "Networks", "label": "Table 1", "title": "networks"}
    table |= {"page": str(tmp_path / "t.html"), "numbers": str(tmp_path / "t.csv")}
    pages.write_page(
        table["page"], "T", ["<h2>Part</h2>", *[pages.html_table(["a"], [[HOSTILE]])] * 2]
    )
    Image.new("L", (1800, 20)).save(tmp_path / "sheet.png")
    claims = [
        {**CLAIM, "id": "X0", "verdict": "not testable here"},
        {**CLAIM, **JUDGED, "id": "X1", "verdict": "holds", "claim": HOSTILE},
        {**CLAIM, **JUDGED, "id": "X2", "verdict": "fails", "agreement": "the face sets differ"},
        {**CLAIM, **JUDGED, "id": "X2", "verdict": "fails", "dataset": "posed"},
        {**CLAIM, **JUDGED, "id": "X2", "verdict": "holds", "dataset": "other"},
    ]
    tables.write_table(tmp_path / "claims.csv", pd.DataFrame(claims))
    config = {
        "datasets": {"posed": {"label": HOSTILE}, "other": {"label": "Other"}},
        "networks": {"nn3": {"label": HOSTILE, "architecture": "light_cnn"}},
    }

    def make(explorer="", absent=(), shown=(exhibits[0], table, exhibits[1])):
        path = tmp_path / "report.html"
        contents = Contents(
            exhibits=shown,
            sheets={"posed": str(tmp_path / "sheet.png")},
            claims=tmp_path / "claims.csv",
            stimuli=stimuli,
            labels=labels,
            geometry=geometry,
            explorer=explorer,
        )
        asset = {"description": HOSTILE, "source": {"pip": "a==1"}, "licence": "MIT"}
        facts = Facts(
            config=config,
            weights={"nn3": ("untrained", "none")},
            absent=absent,
            assets={"nn1": {**asset, "citation": "A 2020", "sha256": "ab"}},
            benchmarks=str(tmp_path / "benchmarks"),
        )
        write_report(path, contents, facts)
        return path.read_text(encoding="utf-8")

    return make


def test_labels_stay_text(write):
    page = Tags(write())
    assert not page.named("script") and len(page.named("style")) == 1
    words = " ".join(HOSTILE.split())
    # Of a face set, a network, a group of figures, a caption, a table, a claim, an asset.
    assert page.text.count(words) >= 8
    assert any(HOSTILE in image["alt"] for image in page.named("img"))


def test_same_files_give_the_same_bytes(write):
    assert write() == write()


def test_sections_follow_each_other(write):
    page = write()
    places = [page.index(f'<section id="{name}"') for name in ("asked", "findings", "figures")]
    places += [page.index('<section id="claims"'), page.index('<section id="made"')]
    assert places == sorted(places)
    order = [page.index(f'id="{name}"') for name in ("fig1", "table1", "fig4")]
    assert order == sorted(order)
    assert Tags(page).text.startswith("What this run found")


def test_figures_have_title_caption_links_and_alternative_text(write):
    page = Tags(write())
    assert "Figure 4: Identity falls" in page.text and "Figure 1: a title" in page.text
    assert all(image["alt"] and image["src"].startswith("data:") for image in page.named("img"))
    links = [link["href"] for link in page.named("a")]
    assert {"figures/fig4.csv", "figures/fig4.pdf", "t.csv", "claims.csv"} <= set(links)
    short = page.text.index("is RENDERED. Two.")
    assert "Three." not in page.text[short : page.text.index("Full caption of Figure 4")]


def test_tables_stand_in_frames_of_their_own(write):
    page = write()
    table = page[page.index('id="table1"') : page.index('id="fig4"')]
    frames = Tags(table).named("div")
    assert [frame["aria-label"] for frame in frames] == ["Table 1, part 1", "Table 1, part 2"]
    assert "<h5>Part</h5>" in table and table.count("</table></div>") == 2


def test_nothing_untestable_before_what_was_tested(write):
    page = write()
    assert page.index('id="claim-X2"') < page.index('id="claim-X0"')
    assert "the config has none" in page[page.index("Not testable here") :]


def test_face_sets_of_a_claim_stand_side_by_side(write):
    page = write()
    assert "sides" not in page[page.index('id="claim-X1"') : page.index('id="claim-X2"')]
    card = page[page.index('id="claim-X2"') : page.index('id="claim-X0"')]
    heads = re.search(r'<table class="sides">.*?</thead>', card, re.DOTALL)[0]
    assert heads.count('scope="col"') == 2 and "Other" in heads


def test_findings_lead_to_their_claims(write):
    page = Tags(write())
    ids = {one["id"] for _, one in page.tags if "id" in one}
    inner = [link["href"][1:] for link in page.named("a") if link["href"].startswith("#")]
    assert set(inner) <= ids and "claim-X2" in inner
    assert len(ids) == sum("id" in one for _, one in page.tags)


def test_the_explorer_is_linked_where_the_run_makes_one(write, tmp_path):
    assert "explorer.html" not in write()
    page = Tags(write(explorer=str(tmp_path / "explorer.html")))
    assert [link["href"] for link in page.named("a")].count("explorer.html") == 2


def test_what_is_left_out_is_told(write):
    assert "Left out" not in Tags(write()).text
    assert "datasets.kdef: <not> there" in Tags(write(absent=["datasets.kdef: <not> there"])).text


def test_a_run_without_figures_has_a_report(write):
    page = Tags(write(shown=()))
    assert "Figures and tables" in page.text and len(page.named("img")) == 1
