"""Verdicts on claims are right in worlds whose truth is known.

`python -m bench.worlds` counts a hundred draws of each; docs/results/worlds.md has the table.
"""

import pytest
from bench.worlds import WORLDS, judge_world


@pytest.mark.parametrize("name", WORLDS)
def test_verdicts_of_a_planted_world(name):
    judged = judge_world(WORLDS[name], seed=1)
    right = WORLDS[name].right
    wrong = {claim: judged[claim] for claim in right if judged[claim] not in right[claim]}
    assert not wrong
