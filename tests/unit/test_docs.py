"""README and the documentation: what they name is there, and every public name is documented."""

import inspect
import re
import textwrap
from pathlib import Path

import networkx as nx
import pytest
from docs import pages
from docs.pages import api, claims, columns, commands, errors, gallery, rules
from docs.pages.outside import loaded_from_elsewhere

import facestages
from facestages.assets import RESOURCES
from facestages.columns import describe_tables
from facestages.yaml_files import read_yaml

ROOT = Path(__file__).parents[2]
MADE = ("_build", "_api")
PAGES = sorted(
    page
    for folder in (".", "config", "docs", "profiles")
    for page in (ROOT / folder).glob("**/*.md" if folder == "docs" else "*.md")
    if not set(MADE) & set(page.relative_to(ROOT).parts)
)
README = (ROOT / "README.md").read_text()

# Folders of the project whose files pages name, and what a user or a run puts there.
FOLDERS = ("bench", "config", "docs", "envs", "profiles", "resources", "tests", "workflow")
NOT_OURS = r"config/mine\.|profiles/mine|docs/_build|resources/(licensed|assets|zoos)"


def name_of(page):
    return str(page.relative_to(ROOT))


def without_code(text):
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files(page):
    for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", without_code(page.read_text())):
        if not link.startswith(("http", "results/")) or (page.parent / link).exists():
            assert set(MADE) & set(Path(link).parts) or (page.parent / link).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_paths_in_the_text_are_there(page):
    # CHANGELOG tells of files that were.
    for word in re.findall(r"`([^`\s]+)`", "" if page.stem == "CHANGELOG" else page.read_text()):
        is_path = re.fullmatch(rf"({'|'.join(FOLDERS)})/[\w./-]*", word)
        if is_path and not re.match(NOT_OURS, word):
            # A room of the library may be named without its folder.
            places = [ROOT / word, ROOT / "workflow/scripts/facestages" / f"{word}.py"]
            assert any(place.exists() for place in places), word


def test_readme_can_be_read_at_once():
    assert len(README.splitlines()) <= 120
    assert "Snakemake" in README and "workflow" in README
    first_block = README.split("```sh\n")[1].splitlines()
    assert first_block[0].startswith("make results/figures/fig4.pdf ")
    assert first_block[1].startswith("make test ")


def test_pages_name_the_parts_that_there_are():
    texts = (page.read_text() for page in PAGES)
    named = [part for text in texts for part in pages.PART.findall(text)]
    assert sorted(named) == sorted(pages.PARTS)


def test_a_part_stands_in_place_of_its_line(monkeypatch):
    monkeypatch.setitem(pages.PARTS, "rules", lambda: r"all \1 of them")
    text = "# Rules\n\n<!-- made: rules -->\n\nEnd <!-- made: rules --> of it."
    expected = "# Rules\n\nall \\1 of them\n\nEnd <!-- made: rules --> of it."
    assert pages.fill_in(text) == expected


def test_the_page_of_the_library_has_every_public_name_once():
    names = [name for group in api.groups().values() for name in group]
    assert sorted(names) == sorted(facestages._ADDRESSES)


@pytest.mark.parametrize("name", sorted(facestages._ADDRESSES))
def test_every_public_name_tells_its_parameters_and_what_it_returns(name):
    function = getattr(facestages, name)
    text = inspect.getdoc(function)
    assert text.partition("\n")[0].endswith("."), "the first line is a sentence"
    sections = re.split(r"^(\w+)\n-+$", text, flags=re.MULTILINE)
    told = dict(zip(sections[1::2], sections[2::2], strict=True))
    # The lines that are not indented; a type may follow.
    names = re.findall(r"^([\w*, ]+?)(?: :.*)?$", told.get("Parameters", ""), re.MULTILINE)
    told_names = {part.strip(" *") for line in names for part in line.split(",")} - {""}
    assert told_names == set(inspect.signature(function).parameters)
    assert told.get("Returns", "").strip()


def test_the_page_of_the_tables_has_every_column():
    text = columns.column_tables()
    for name, about in describe_tables().items():
        section = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)[1]
        for column in about.columns:
            assert f"| `{column}` | " in section


def test_the_page_of_the_claims_has_every_check():
    entries = read_yaml(RESOURCES / "claims.yaml")["claims"]
    text = claims.claim_tables()
    assert re.findall(r"^## ([^:]+):", text, re.MULTILINE) == [entry["id"] for entry in entries]
    assert text.count("\n| decides") == sum(
        len(checks) for e in entries for checks in [e.get("decisive", ()), *e.get("either", ())]
    )


def test_the_page_of_the_commands_has_those_of_the_makefile():
    text = commands.of_make()
    for target in ("results/report.html", "test", "env", "docs", "generated", "lint", "bench"):
        assert f"| `make {target}` | " in text
    assert " check " in commands.of_facestages()


def test_messages_of_errors(tmp_path):
    module = tmp_path / "module.py"
    module.write_text(
        textwrap.dedent("""
            raise FacestagesError(
                f"{path}: the column '{name}' is missing. "
                "Add it, or name another one"
            )
            raise FacestagesError(message)
            raise TypeError("this one is no message to a user at all, but a fault")
        """)
    )
    expected = "…: the column '…' is missing. Add it, or name another one"
    assert list(errors.messages(module)) == [expected]


def test_the_page_of_the_errors_has_every_room():
    text = errors.error_tables()
    assert all(f"`{place}`" in text for place in ("references/rdms.py", "start.smk", "tables.py"))
    assert "the rules are of version …, the installed package is of version …" in text


def test_rules_that_read_the_same_share_a_box(tmp_path):
    graph = nx.DiGraph([("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("a", "e"), ("e", "f")])
    graph.add_edges_from([("f", "g"), ("d", "g")])
    picture = tmp_path / "rules.svg"
    rules.draw_graph(graph, picture)
    texts = re.findall(r">(\w)</t(?:ext|span)>", picture.read_text())
    assert sorted(texts) == list("abcdefg")
    boxes = rules._group(graph)
    assert ("b", "c", "e") in boxes and ("a",) in boxes


def test_what_a_page_loads_from_elsewhere_is_found(tmp_path):
    (tmp_path / "page.html").write_text(
        '<a href="https://example.org">read</a> <script src="local.js"></script>'
        '<img alt="" src="//example.org/counter.png">'
    )
    (tmp_path / "style.css").write_text("@import 'https://example.org/font.css';")
    assert list(loaded_from_elsewhere(tmp_path)) == [
        "page.html loads //example.org/counter.png",
        "style.css loads https://example.org/font.css",
    ]


def test_packages_for_the_site_are_pinned_beside_those_of_the_run():
    lines = (ROOT / "docs" / "requirements.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line) for line in lines)
    run = (ROOT / "requirements.txt").read_text().lower().splitlines()
    names = [{line.lower().split("==")[0] for line in part} for part in (lines, run)]
    assert not names[0] & names[1]


def test_the_gallery_has_every_picture_with_its_message():
    pictures = {path.stem for path in (ROOT / "docs" / "results").glob("*-default.png")}
    text = gallery.figures()
    assert set(re.findall(r"\(results/([\w-]+)\.png\)", text)) == pictures - {"explorer-default"}
    assert text.count("<summary>Caption</summary>") == len(re.findall(r"^\*\*.+\*\*$", text, re.M))
