"""The table of Grad-CAM, and the page that carries it."""

import pandas as pd
import pytest

from facestages.figures.gradcam import gradcam_table, write_gradcam_table
from facestages.stimuli import REGIONS


@pytest.fixture
def rows():
    table = []
    for expression, mouth in (("all", 2.0), ("happy", 5.0), ("angry", None)):
        common = {"dataset": "video", "rendered": 1, "network": "net", "layer": "conv"}
        common |= {"expression": expression, "n": 12, "note": ""}
        values = {f"enrichment_{region}": 1.0 for region in REGIONS} | {"enrichment_mouth": mouth}
        values |= {f"randomised_enrichment_{region}": 0.5 for region in REGIONS}
        values |= {"empty_maps": 0.25, "randomisation_similarity": -0.1}
        for measure, value in values.items():
            low, high = (None, None) if value is None else (value - 0.5, value + 0.5)
            row = {**common, "measure": measure, "value": value}
            table.append(row | {"ci_low": low, "ci_high": high})
    note = "rendered landmarks"
    table.append(
        {**common, "expression": "all", "measure": "share_mouth", "value": 0.3, "note": note}
    )
    return pd.DataFrame(table)


def test_a_row_for_each_kind_of_faces(rows):
    table = gradcam_table(rows, {"net": "Net", "other": "Other"}, ["happy", "angry"])
    assert table["Faces"].tolist() == ["all (12)", "happy (12)", "angry (12)"]
    assert table.loc[1, "Mouth"] == "5.00 [4.50, 5.50]; shuffled 0.50"
    assert table.loc[2, "Mouth"] == "not known; shuffled 0.50"
    assert table.loc[0, "Empty maps"] == "25%"
    assert table.loc[0, "Similarity to shuffled"] == "-0.10 [-0.60, 0.40]"


def test_the_page_says_what_it_rests_on(rows, tmp_path):
    table = gradcam_table(rows, {"net": "Net <1>"}, [])
    markdown, page = tmp_path / "t.md", tmp_path / "t.html"
    write_gradcam_table(table, rows, "Faces in motion", markdown, page)
    for path in (markdown, page):
        text = path.read_text()
        assert "Faces in motion, all RENDERED" in text and "rendered landmarks" in text
    assert "Net &lt;1&gt;" in page.read_text() and page.read_text().count("<tr>") == 2
    before = page.read_bytes()
    write_gradcam_table(table, rows, "Faces in motion", markdown, page)
    assert page.read_bytes() == before
