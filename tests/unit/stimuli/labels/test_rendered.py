"""Labels of rendered faces follow what was drawn."""

import numpy as np
import pandas as pd
import pytest

from facestages.expressions import EXPRESSIONS
from facestages.stimuli.labels.rendered import CIRCUMPLEX, list_labels


def acted(expression, intensity, seen=True, **shapes):
    """What is known of a picture of a rendered face."""
    return {
        "stimulus_id": f"{expression}-{intensity}",
        "identity": "F01",
        "acted": expression,
        "expression": expression if seen else "neutral",
        "intensity": intensity,
        **{"shape_mouthSmileLeft": 0.0, "shape_mouthSmileRight": 0.0, "shape_jawOpen": 0.0},
        **{f"shape_{name}": value for name, value in shapes.items()},
    }


def label(*rows):
    return list_labels({}, pd.DataFrame(rows))


def test_every_expression_has_a_declared_position():
    assert set(CIRCUMPLEX) == set(EXPRESSIONS)
    assert all(abs(x) <= 1 for pair in CIRCUMPLEX.values() for x in pair)


def test_affect_is_that_of_the_acted_expression_at_its_intensity():
    table, sources, _ = label(acted("happy", 0.5), acted("happy", 0.2, seen=False), acted("sad", 9))
    np.testing.assert_allclose(table["valence"], [0.4, 0.16, -1])
    np.testing.assert_allclose(table["arousal"], [0.25, 0.1, -1])
    assert list(table["expression"]) == ["happy", "neutral", "sad"]
    assert sources["valence"] == "rendered: declared circumplex position, not a human rating"


def test_action_units_follow_from_the_shapes():
    table, sources, _ = label(acted("happy", 1, mouthSmileLeft=1.0, jawOpen=0.3))
    assert table["au_12"][0] == 0.5 and table["au_26"][0] == 0.3 and table["au_04"][0] == 0
    assert sources["au_12"] == "rendered" and set(sources) == set(table)


def test_what_was_drawn_stays():
    row = acted("happy", 0.5, jawOpen=0.25)
    (found,) = label(row).table.to_dict("records")
    assert {"identity": "F01", "intensity": 0.5, "shape_jawOpen": 0.25}.items() <= found.items()
    assert "acted" not in found


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_positions_grow_with_intensity(expression):
    weak, strong = (label(acted(expression, x)).table for x in (0.25, 0.5))
    np.testing.assert_allclose(2 * weak["valence"], strong["valence"])
