"""The examples of docs/library.md run."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "library.md"


def test_examples_run_in_order():
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(examples) > 10
    names = {}
    for example in examples:
        exec(example, names)
    assert names["value"] > names["null"].max() and names["number"] >= 1
    assert names["low"] < names["high"]
