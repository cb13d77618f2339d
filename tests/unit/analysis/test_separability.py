"""Where expression overtakes identity, and the table of a network's layers."""

import numpy as np
import pytest

from facestages.analysis.separability import overtaking


@pytest.mark.parametrize(
    ("identity", "expression", "position"),
    [
        ([3, 2, 1, 0], [0, 1, 2, 3], 1.5),
        ([0, 0, 0], [1, 1, 1], 0.0),
        ([1, 1, 1], [0, 0, 0], np.inf),
        ([1, 0, 1, 0], [0, 1, 0, 3], 2.25),  # for good
        ([1, 1], [0, 1], np.inf),  # as much is not more
    ],
)
def test_where_expression_overtakes_identity(identity, expression, position):
    assert overtaking(np.array(identity, float), np.array(expression, float)) == position
