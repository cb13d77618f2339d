"""Names that are commands elsewhere: a run takes them as text, or refuses them in one line."""

import csv
from xml.etree import ElementTree

from markdown_it import MarkdownIt

PEOPLE = ("</script><b>A</b>", "=1+1", "$x_{$ `c` \\input{x}", '"q" | [a](b)')
EXPRESSIONS = ("-happy", "<i>日</i> **s**")
SOURCE = ".. raw:: html :file: config.yaml `x <javascript:y>`__ $^$"
FILES = (
    "=0.png",
    "-1.png",
    "@2 $x$.png",
    "+3.png",
    "'4'.png",
    "5|6.png",
    "<b>.png",
    "日 %d {}.png",
)


def test_a_run_of_hostile_names(workspace):
    rows = [(name, PEOPLE[i % 4], EXPRESSIONS[i // 4]) for i, name in enumerate(FILES)]
    workspace.add_table("odd", rows)
    workspace.config["datasets"]["odd"] |= {
        "label": "$\\frac{ </script> {{ x }} %s" + "z" * 200,
        "sources": {"expression": SOURCE},
    }
    workspace.config["figures"]["fig4"]["datasets"] = ["odd"]
    workspace.config["figures"]["caption"] = True
    workspace.config["tables"] = {"table1": {"networks": ["pixels"], "datasets": ["odd"]}}
    workspace.make("all")
    results = workspace.folder / "results"

    report = (results / "stimuli/odd.report.md").read_text()
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(report)
    inline = [token for parent in tokens for token in parent.children or ()]
    assert {token.type for token in inline} <= {"text", "text_special", "code_inline", "softbreak"}
    text = "".join(token.content for token in inline)
    assert all(name in text for name in (*PEOPLE, *EXPRESSIONS, SOURCE))

    svg = ElementTree.parse(results / "figures/fig4.svg").getroot()
    assert SOURCE in " ".join("".join(svg.itertext()).split())

    with open(results / "tables/table1.csv", newline="", encoding="utf-8") as stream:
        cells = [cell for row in csv.reader(stream) for cell in row]
    assert "'-happy" in cells and not any(cell.startswith(("-h", "=", "@")) for cell in cells)
    latex = (results / "tables/table1.tex").read_text()
    assert r"\$\textbackslash{}frac\{ \textless{}/script" in latex and r"\frac" not in latex
    assert "</script> {{ x }}" not in (results / "report.html").read_text()


def test_a_label_of_two_lines(workspace):
    workspace.config["datasets"]["own"]["label"] = "Own\n\n.. include:: config.yaml"
    workspace.refuse_config(
        "all", r".yaml, line 4: datasets.own.label: has the character \n after 'Own'", "remove it"
    )


def test_a_name_that_clears_the_terminal(workspace):
    workspace.add_table("odd", [("0.png", "A\x1b[2J", "happy"), ("1.png", "B", "sad")])
    message = workspace.refuse_config(
        "results/stimuli/odd.h5",
        ": datasets.odd: odd/faces.csv: row 1 (line 2): ",
        r"identity has the character \x1b after 'A'",
    )
    assert "\x1b" not in message
