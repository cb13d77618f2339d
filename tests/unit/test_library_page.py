"""The examples of docs/api.md run."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


def test_examples_run_in_order():
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(examples) > 10
    names = {}
    for example in examples:
        exec(example, names)
    assert names["value"] == pytest.approx(names["same"]) and names["value"] > names["null"].max()
    assert abs(names["alike"]) < 0.1
    assert {len(rows) for rows in names["recorded"].values()} == {60}
    p = names["decoded"].set_index(["layer", "label"])["p"]
    assert p["conv", "identity"] < 0.05 < min(p["conv", "expression"], p["dense", "identity"])
    share = names["parts"].query("measure == 'share'").set_index(["layer", "label"])["value"]
    assert share["conv", "identity"] > 0.5 > 0.1 > abs(share["conv", "category"])
    assert names["low"] < 0.3 and names["high"] > -0.3
