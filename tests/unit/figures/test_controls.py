"""Controls: what is left of a silhouette, and what few pictures change."""

import numpy as np
import pandas as pd
import pytest

from facestages.errors import FacestagesError
from facestages.figures import controls

SETTINGS = {
    "conditions": {"video": "Video", "matched": "Matched"},
    "pixels": {"pixels": "Pixels"},
    "many": ("video", "Video"),
    "few": ("posed", "Portraits"),
    "networks": {"net": "Net", "nn3": "NN3"},
    "looks": {"net": 0, "nn3": "untrained"},
    "components": 10,
}


def row(dataset, network, value, **more):
    return {
        "dataset": dataset,
        "rendered": 1,
        "network": network,
        "seed": 0,
        "stage": "middle",
        "layer": "layer",
        "label": "identity",
        "measure": "silhouette",
        "components": "10",
        "value": value,
        "ci_low": value - 0.1,
        "ci_high": value + 0.2,
        "n": 100,
        "note": "",
        **more,
    }


@pytest.fixture
def scores():
    few = {"note": "14 pictures a person, mean of 20 draws"}
    rows = [
        row("video", "pixels", 0.8, stage="early"),
        row("matched", "pixels", 0.2, stage="early"),
        row("video", "net", 0.5),
        row("video", "net", 0.4, components="2"),
        row("video", "net", 0.3, stage="final", label="expression"),
        row("video", "net", 0.45, measure="silhouette_subsampled", **few),
        row("video", "net", -0.05, measure="silhouette_subsampled_change", **few),
        row("posed", "net", 0.1),
        row("video", "nn3", 0.6),
        row("video", "nn3", 0.8, seed=1),
    ]
    return pd.DataFrame(rows)


def number(numbers, **where):
    for column, value in where.items():
        numbers = numbers[numbers[column] == value]
    (row,) = numbers.to_dict("records")
    return row


def test_what_low_level_control_leaves(scores):
    _, numbers, caption = controls.draw(scores, **SETTINGS)
    change = number(numbers, measure="change")
    assert change["dataset"] == "matched"
    # The widest interval that the two allow: .1 - 1 and .4 - .7.
    left = change["value"], change["ci_low"], change["ci_high"]
    assert left == pytest.approx((-0.6, 0.1 - 1.0, 0.4 - 0.7))
    assert number(numbers, measure="share_left")["value"] == pytest.approx(0.25)
    assert "RENDERED" in caption


def test_few_pictures_beside_the_set_that_has_few(scores):
    numbers = controls.draw(scores, **SETTINGS)[1]
    # The portraits are .4 below the video; on few pictures the video loses .05 of it.
    explained = number(numbers, measure="gap_explained")
    assert explained["value"] == pytest.approx(0.125) and explained["network"] == "net"
    ends = explained["ci_low"], explained["ci_high"]
    assert ends == pytest.approx((-0.15 / 0.4, 0.15 / 0.4))
    assert number(numbers, measure="silhouette_subsampled_change")["value"] == -0.05


def test_the_config_says_which_set_has_many_pictures(scores):
    """The set of few may be large enough for subsamples, too."""
    portraits = scores[scores["measure"].str.contains("subsampled")].assign(dataset="posed")
    figure, _, _ = controls.draw(pd.concat([portraits.assign(value=0.9), scores]), **SETTINGS)
    whole, few, other = (line.get_xdata()[0] for line in figure.get_axes()[1].lines[1:4])
    assert (whole, few, other) == pytest.approx((0.5, 0.45, 0.1))


def test_seeds_are_averaged(scores):
    numbers = controls.draw(scores, **SETTINGS)[1]
    mean = number(numbers, network="nn3", panel="few pictures")
    assert (mean["value"], mean["seeds"]) == (pytest.approx(0.7), 2)


def test_components_from_few_to_all(scores):
    more = pd.concat([scores, pd.DataFrame([row("video", "net", 0.2, components="all")])])
    figure, numbers, _ = controls.draw(more, **SETTINGS)
    axis = figure.get_axes()[2]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["2", "10", "all"]
    sweep = numbers[(numbers["panel"] == "components") & (numbers["network"] == "net")]
    assert sweep.set_index(["label", "components"])["value"]["identity"].tolist() == [0.5, 0.4, 0.2]


def test_without_few_pictures_the_panel_says_so(scores):
    few = scores[~scores["measure"].str.contains("subsampled")]
    figure, numbers, _ = controls.draw(few, **SETTINGS)
    assert "twice as many pictures" in figure.get_axes()[1].texts[0].get_text().replace("\n", " ")
    assert not numbers["measure"].str.contains("subsampled").any()


def test_nothing_to_draw_is_refused(scores):
    with pytest.raises(FacestagesError, match="nothing to draw"):
        controls.draw(scores.assign(value=np.nan), **SETTINGS)
