"""Tables are text that comes back as it was."""

import csv
import hashlib
import json

import numpy as np
import pandas as pd
import pytest

from facestages import notes, tables
from facestages.errors import FacestagesError


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


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "t.csv"
    tables.write_table(path, pd.DataFrame({"layer": ["a", "b"], "value": [0.25, 0.5]}))
    return path


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY\xff\n",
        b"layer,value\na,0.25\nb",
        b"layer,value\na,0.25\nb\n",
        b"layer,value\na,0.\x005\n",
        b"layer,value\na,O.25\n",
        b'layer,value\n"a,0.25\n',
        b"layer,value\na,0.25,1\n",
    ],
    ids="empty binary cut row NUL letter quote more".split(),
)
def test_a_damaged_table_is_one_line(path, content):
    path.write_bytes(content)
    with pytest.raises(FacestagesError, match="t.csv: is damaged .*delete it") as caught:
        tables.read_tables([path])
    assert "\n" not in str(caught.value)


def test_a_missing_table_is_named(path):
    path.unlink()
    with pytest.raises(FacestagesError, match="t.csv: no such file. Make it with: snakemake"):
        tables.read_tables([path])


def test_the_note_beside_a_table_tells_other_numbers(path):
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    notes.beside(path).write_text(json.dumps({"sha256": digest}))
    assert list(tables.read_tables([path])["value"]) == [0.25, 0.5]
    path.write_bytes(path.read_bytes().replace(b"0.25", b"0.75"))
    with pytest.raises(FacestagesError, match="t.csv: is truncated or damaged"):
        tables.read_tables([path])


def test_a_damaged_report_is_one_line(tmp_path):
    path = tmp_path / "metrics.json"
    path.write_text('{"n_train": 3}')
    assert tables.read_report(path) == {"n_train": 3}
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FacestagesError, match="metrics.json: is damaged .*delete it"):
        tables.read_report(path)
