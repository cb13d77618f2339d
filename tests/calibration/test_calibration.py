"""P-values and intervals keep what they promise, on simulated faces whose truth is known."""

import pytest
from bench.calibration import EFFECT, NO_EFFECT, coverage, false_alarms

# By chance a share of 5 % of so many sets is within 1.7 points, two standard deviations, of itself.
SETS = 600


@pytest.mark.parametrize("case", NO_EFFECT, ids=str)
def test_without_an_effect_one_p_in_twenty_is_small(case):
    shares = false_alarms(case, SETS)
    assert shares and all(0.03 <= share <= 0.07 for share in shares.values()), shares


@pytest.mark.parametrize("case", EFFECT, ids=str)
def test_nineteen_intervals_in_twenty_cover_the_truth(case):
    shares = coverage(case, SETS)
    assert shares and all(0.93 <= share <= 0.97 for share in shares.values()), shares
