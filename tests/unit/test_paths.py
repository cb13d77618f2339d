"""Where products lie."""

import re

from facestages.paths import PATTERNS, Recording, fill


def test_no_two_products_share_a_file():
    assert len(set(PATTERNS.values())) == len(PATTERNS)


def test_path_variables_move_products():
    one = Recording("posed", "nn2", 3)._asdict()
    assert fill("geometry", {}, **one) == "results/geometry/posed/nn2/seed-3.h5"
    moved = fill("geometry", {"results": "results/paper"}, **one)
    assert moved == "results/paper/geometry/posed/nn2/seed-3.h5"
    assert fill("asset", {"resources": "/r"}, asset="orl") == "/r/assets/orl"


def test_wildcards_are_those_of_the_rules():
    wildcards = {name for path in PATTERNS.values() for name in re.findall(r"{(\w+)}", path)}
    assert wildcards == {
        *("dataset", "network", "seed", "shard", "other", "subject", "ratings", "asset"),
        "reference",
        *("zoo", "model", "figure", "table"),
    }
