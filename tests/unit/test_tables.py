"""Tables are text that comes back as it was."""

import csv

import numpy as np
import pandas as pd

from facestages import tables


def test_names_that_look_like_numbers_stay_names(tmp_path):
    first = pd.DataFrame({"dataset": ["001"], "network": ["null"], "stage": ["1"], "value": [1.5]})
    tables.write_table(tmp_path / "t.csv", first)
    pd.testing.assert_frame_equal(tables.read_tables([tmp_path / "t.csv"]), first)


def test_tables_come_back(tmp_path):
    first = pd.DataFrame({"components": [2, "all"], "value": [1 / 3, np.nan], "note": ["", "x"]})
    tables.write_table(tmp_path / "t.csv", first)
    again = tables.read_tables([tmp_path / "t.csv", tmp_path / "t.csv"])
    assert list(again["components"]) == ["2", "all"] * 2
    assert list(again["note"]) == ["", "x"] * 2
    np.testing.assert_allclose(again["value"][0], 1 / 3, rtol=1e-8)


def test_text_that_a_spreadsheet_would_compute_comes_back(tmp_path):
    layers = ["=1+1", "-relu", "+x", "@sum", "'=1+1", "''-a", "-0.5", "a=b", "'x'", "", "conv"]
    table = pd.DataFrame({"layer": layers, "value": np.linspace(-1, 1, len(layers))})
    tables.write_table(tmp_path / "t.csv", table)
    with open(tmp_path / "t.csv", newline="", encoding="utf-8") as stream:
        shown, numbers = zip(*list(csv.reader(stream))[1:], strict=True)
    # A number stays a number; all other text begins with a sign that no formula begins with.
    assert [cell for cell in (*shown, *numbers) if cell[:1] in "=+-@" and cell] == [
        *["-0.5"], *[f"{value:.9g}" for value in table["value"] if value < 0]
    ]  # fmt: skip
    pd.testing.assert_frame_equal(tables.read_tables([tmp_path / "t.csv"]), table)


def test_cells_of_markdown_keep_to_themselves():
    table = pd.DataFrame({"a|b": ["x | y", "<b>"]})
    assert tables.markdown_table(table) == "| a\\|b |\n|---|\n| x \\| y |\n| \\<b\\> |\n"
