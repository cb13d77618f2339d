"""The multiverse: what is drawn is what the table says, in one order in all panels."""

import numpy as np
import pandas as pd
import pytest

from facestages.analysis.multiverse import (
    AGREEING,
    CLAIMS,
    CLEARLY,
    EVERY,
    MEASURES,
    OPPOSING,
    PAIRS,
)
from facestages.errors import FacestagesError
from facestages.figures import multiverse

SETTINGS = {
    "datasets": {"video": "Faces in motion", "posed": "Posed faces"},
    "networks": {"nn1": "Trained", "nn3": "Control"},
    "components": 10,
}


@pytest.fixture
def choices():
    rows = []
    for dataset in SETTINGS["datasets"]:
        for network in SETTINGS["networks"]:
            for claim, (label, direction) in CLAIMS.items():
                common = {"dataset": dataset, "rendered": 1, "network": network, "claim": claim}
                common |= {"label": label, "note": ""}
                sign = 1 if direction == "rises" else -1
                for number, (first, last) in enumerate(PAIRS):
                    for measure in MEASURES:
                        for k in ("10", "2", "all") if measure != MEASURES[-1] else ("10", "2"):
                            value = sign * (0.3 - 0.2 * number)
                            row = {"measure": measure, "components": k, "value": value}
                            row |= {
                                "ci_low": value - 0.2,
                                "ci_high": value + 0.2,
                                "seeds": 2,
                                "people": 9,
                            }
                            row["direction"] = "rises" if value > 0 else "falls"
                            rows.append({**common, **row, "stages": f"{first} to {last}"})
                shares = {AGREEING: 40 / 60, CLEARLY: 20 / 60, OPPOSING: 0.0}
                for measure, share in shares.items():
                    row = {"measure": measure, "components": EVERY, "stages": EVERY}
                    rows.append({**common, **row, "value": share, "choices": 60})
    return pd.DataFrame(rows)


def test_a_panel_a_claim_network_and_face_set(choices):
    figure, numbers, _, caption = multiverse.draw(choices, **SETTINGS)
    assert len(figure.axes) == 2 * 2 * 2 and len(numbers) == len(choices)
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    shares = "rises in 40 of 60 choices, clearly in 20; clearly falls in 0"
    assert titles[0] == f"a  Trained, Faces in motion\n{shares}"
    assert titles[7].startswith("h  Control, Posed faces\nfalls in 40 of 60")
    assert "centred in the first 10 principal components" in caption
    assert "(from left to right 2, 10, all;" in caption and "Trained 2, Control 2" in caption
    assert "RENDERED" in caption


def test_photographs_without_expression_are_named(choices):
    is_posed = choices["dataset"] == "posed"
    choices.loc[is_posed, "rendered"] = 0
    choices = choices[~(is_posed & (choices["label"] == "expression"))].copy()
    figure, _, _, caption = multiverse.draw(choices, **SETTINGS)
    assert "RENDERED, not photographs: Faces in motion." in caption
    assert [text.get_text() for text in figure.axes[4].texts] == ["not measured"]
    assert [len(axis.texts) for axis in figure.axes[5:]] == [0, 1, 0]


def test_measures_without_a_value_are_named_with_the_reason(choices):
    assert "Not measured" not in multiverse.draw(choices, **SETTINGS).caption
    rows = (choices["dataset"] == "posed") & (choices["label"] == "identity")
    rows &= choices["measure"].isin(["silhouette_within", "silhouette_centred"])
    choices.loc[rows, ["value", "note"]] = [np.nan, "no expression to hold constant"]
    caption = multiverse.draw(choices, **SETTINGS).caption
    what = "centred, within (no expression to hold constant)"
    assert f"Not measured, identity on Posed faces: {what}." in caption


def test_dots_are_the_changes_in_one_order(choices):
    axis = multiverse.draw(choices.sample(frac=1, random_state=0), **SETTINGS).figure.axes[0]
    (dots,) = (part for part in axis.collections if len(part.get_offsets()) == 60)
    places, values = np.asarray(dots.get_offsets()).T
    assert (np.diff(places) > 0).all()
    assert values == pytest.approx(np.repeat([0.3, 0.1, -0.1], 20))


def test_dots_say_whether_the_choice_agrees_and_is_clear(choices):
    axes = multiverse.draw(choices, **SETTINGS).figure.axes
    for axis in axes[:2]:
        (dots,) = (part for part in axis.collections if len(part.get_offsets()) == 60)
        edges, faces = dots.get_edgecolors(), dots.get_facecolors()
        assert (edges[:40] == edges[0]).all() and not (edges[40] == edges[0]).all()
        assert (faces[:20] == edges[:20]).all() and (faces[20:] == 1).all()


def test_a_network_without_values_says_why(choices):
    lacking = choices["network"] == "nn3"
    choices.loc[lacking, ["value", "ci_low", "ci_high"]] = np.nan
    choices.loc[lacking, ["note", "choices"]] = ["no two people", 0]
    axes = multiverse.draw(choices, **SETTINGS).figure.axes
    assert [text.get_text() for text in axes[2].texts] == ["no two people"]
    with pytest.raises(FacestagesError, match="nothing to draw"):
        multiverse.draw(choices.assign(value=np.nan), **SETTINGS)
