"""Tables are text that comes back as it was."""

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
