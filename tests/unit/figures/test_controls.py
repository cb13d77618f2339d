"""Controls: what is left of a silhouette, and what equal numbers of people and pictures change."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

from facestages.analysis.subsamples import MEASURES
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
    rows = [
        row("video", "pixels", 0.8, stage="early"),
        row("matched", "pixels", 0.2, stage="early"),
        row("video", "net", 0.5),
        row("video", "net", 0.4, components="2"),
        row("video", "net", 0.3, stage="final", label="expression"),
        row("posed", "net", 0.1),
        row("video", "nn3", 0.6),
    ]
    return pd.DataFrame(rows)


# Silhouettes as the sets are, on few pictures, of few people, and of both.
VALUES = {"video": (0.5, 0.45, 0.5, 0.45), "posed": (0.1, 0.1, 0.26, 0.26)}
PEOPLE = {"video": (4, 4, 4, 4), "posed": (9, 9, 4, 4)}


def subsamples(seeds=(0,), spread=0.01, values=VALUES):
    """Pseudo-values of 4 and of 9 people, which differ by `spread` around each silhouette."""
    rows = []
    for dataset, of_set in values.items():
        aside = np.linspace(-1, 1, PEOPLE[dataset][0]) * spread
        for seed in seeds:
            for measure, value, people in zip(MEASURES, of_set, PEOPLE[dataset], strict=True):
                columns = {"measure": measure, "people": people, "n": 14 * people, "seed": seed}
                rows += [
                    row(dataset, "net", np.nan, **columns, identity=f"p{n}", pseudo_value=value + a)
                    for n, a in enumerate(aside + seed)
                ]
    return pd.DataFrame(rows).drop(columns=["value", "ci_low", "ci_high"])


def number(numbers, **where):
    for column, value in where.items():
        numbers = numbers[numbers[column] == value]
    (row,) = numbers.to_dict("records")
    return row


def test_what_low_level_control_leaves(scores):
    _, numbers, _, caption = controls.draw(scores, **SETTINGS)
    change = number(numbers, measure="change")
    assert change["dataset"] == "matched"
    # The widest interval that the two allow: .1 - 1 and .4 - .7.
    left = change["value"], change["ci_low"], change["ci_high"]
    assert left == pytest.approx((-0.6, 0.1 - 1.0, 0.4 - 0.7))
    assert number(numbers, measure="share_left")["value"] == pytest.approx(0.25)
    assert "RENDERED" in caption


def test_the_gap_is_told_in_parts(scores):
    numbers = controls.draw(scores, subsamples(), **SETTINGS)[1]
    # The portraits are .4 below; few pictures close .05 of it, few people .16, both together .21.
    parts = {"few pictures": 0.125, "few people": 0.4, "few of both": 0.525}
    for panel, part in parts.items():
        explained = number(numbers, measure="gap_explained", panel=panel)
        assert explained["value"] == pytest.approx(part) and explained["network"] == "net"
        assert explained["ci_low"] < part < explained["ci_high"] and explained["n"] == 4 + 9
    assert explained["note"] == "Video: 56 pictures of 4 people; Portraits: 56 pictures of 4 people"


def test_numbers_that_still_differ_are_told(scores):
    table = subsamples()
    fewer = (table["dataset"] == "video") & (table["people"] == 4)
    numbers = controls.draw(
        scores, table.assign(people=table["people"].mask(fewer, 3)), **SETTINGS
    )[1]
    notes = numbers[numbers["measure"] == "gap_explained"].set_index("panel")["note"]
    assert list(notes.str.contains("people still differ, lower")) == [False, True, True]


def test_sets_that_may_not_differ_have_no_interval(scores):
    _, numbers, _, caption = controls.draw(scores, subsamples(spread=1.0), **SETTINGS)
    explained = number(numbers, measure="gap_explained", panel="few of both")
    assert explained["value"] == pytest.approx(0.525) and np.isnan(explained["ci_low"])
    assert "no interval" in explained["note"] and "no interval" not in caption


def test_silhouettes_are_means_over_seeds_and_people(scores):
    numbers = controls.draw(scores, subsamples(seeds=(0, 1)), **SETTINGS)[1]
    row = number(numbers, panel="equal numbers", dataset="posed", measure="silhouette_few_people")
    assert row["value"] == pytest.approx(0.26 + 0.5) and row["seeds"] == 2
    low, high = ttest_1samp(0.76 + np.linspace(-1, 1, 9) * 0.01, 0).confidence_interval()
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((low, high))


def test_the_config_says_which_set_has_many_pictures(scores):
    figure, _, *_ = controls.draw(scores, subsamples()[::-1], **SETTINGS)
    axis = figure.get_axes()[1]
    drawn = {
        line.get_label(): line.get_xdata() for line in axis.lines if len(line.get_xdata()) == 1
    }
    assert {name: float(x[0]) for name, x in drawn.items()} == pytest.approx(
        {
            "Video, all": 0.5,
            "Video, equal numbers": 0.45,
            "Portraits, all": 0.1,
            "Portraits, equal numbers": 0.26,
        }
    )


def test_components_from_few_to_all(scores):
    more = pd.concat([scores, pd.DataFrame([row("video", "net", 0.2, components="all")])])
    figure, numbers, *_ = controls.draw(more, **SETTINGS)
    axis = figure.get_axes()[3]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["2", "10", "all"]
    sweep = numbers[(numbers["panel"] == "components") & (numbers["network"] == "net")]
    assert sweep.set_index(["label", "components"])["value"]["identity"].tolist() == [0.5, 0.4, 0.2]


@pytest.mark.parametrize("missing", ["table", "set", "people"])
def test_without_both_sets_the_panels_say_so(scores, missing):
    table = subsamples()
    if missing == "people":
        lone = table[table["dataset"] == "posed"].drop_duplicates("measure")
        lone = lone.assign(identity="", pseudo_value=np.nan, note="2 people")
        table = pd.concat([table[table["dataset"] == "video"], lone])
    tables = {"table": None, "set": table[table["dataset"] == "video"], "people": table}
    figure, numbers, *_ = controls.draw(scores, tables[missing], **SETTINGS)
    assert "of both face sets" in figure.get_axes()[2].texts[0].get_text().replace("\n", " ")
    explained = numbers[numbers["measure"] == "gap_explained"]
    assert explained["value"].isna().all()
    assert set(explained["note"]) == ({"2 people"} if missing == "people" else set())


def test_nothing_to_draw_is_refused(scores):
    with pytest.raises(FacestagesError, match="nothing to draw"):
        controls.draw(scores.assign(value=np.nan), **SETTINGS)
