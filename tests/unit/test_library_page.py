"""The examples of docs/api.md run."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


def test_examples_run_in_order():
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(examples) > 10
    names = {}
    for example in examples:
        exec(example, names)
    assert names["value"] > names["null"].max()
    assert names["results"][1]["p"] < 0.01 < 0.05 < names["results"][0]["p"]
    assert names["parts"]["identity"] > 0.5 > 0.1 > abs(names["parts"]["category"])
    assert names["low"] < 0.3 and names["high"] > -0.3
