"""Figure 9: the numbers drawn, a colour a task, and what it says where labels or values lack."""

import numpy as np
import pandas as pd
import pytest

from facestages.errors import FacestagesError
from facestages.figures import fig9

STAGES = ["early", "final"]
OPTIONS = {
    "datasets": {"posed": "Posed faces", "people": "People"},
    "networks": {"id": "Knows people", "ex": "Names", "un": "Control"},
    "tasks": {"id": "identity", "ex": "expression", "un": "untrained"},
    "stages": STAGES,
    "components": 10,
}
TITLES = [panel.title for panel in fig9.PANELS]


def rows_of(dataset, measures, components, seeds=2):
    """A row for each network, seed and stage; the value is that of the measure, plus .1 a stage."""
    return [
        {
            "dataset": dataset,
            "rendered": int(dataset == "posed"),
            "network": network,
            "seed": seed,
            "stage": stage,
            "label": label,
            "other": other,
            "label_source": "posed",
            "measure": measure,
            "components": components,
            "value": value + number / 10 + seed / 100,
            "ci_low": value + number / 10 - 0.05,
            "ci_high": value + number / 10 + 0.05,
            "chance": 0.2,
            "null_mean": null,
            "n": 70,
            "note": "",
        }
        for network in OPTIONS["networks"]
        for seed in range(seeds if network == "un" else 1)
        for number, stage in enumerate(STAGES)
        for measure, label, other, value, null in measures
    ]


@pytest.fixture
def scores():
    measures = [("silhouette_centred", label, None, 0.4, -0.1) for label in fig9.LABELS]
    table = pd.DataFrame(rows_of("posed", measures, "10"))
    centred = rows_of("people", measures, "10")
    plain = [("silhouette", label, None, 0.6, -0.2) for label in fig9.LABELS]
    plain = rows_of("people", plain, "10")
    for row in [*centred, *(row for row in plain if row["label"] == "expression")]:
        row |= {"value": None, "ci_low": None, "ci_high": None}
        row["note"] = "the face set has no label 'expression'"
    return pd.concat([table, pd.DataFrame([*centred, *plain])], ignore_index=True)


@pytest.fixture
def subspaces():
    measures = [
        *(("accuracy", label, None, 0.6, 0.2) for label in fig9.LABELS),
        *(("selectivity", label, None, 0.3, 0.28) for label in fig9.LABELS),
        ("erasure_leace", "identity", "expression", 0.5, 0.52),
        ("erasure_leace", "identity", "identity", 0.2, 0.5),
        ("erasure_leace", "expression", "identity", 0.4, 0.44),
        ("angle", "identity", "expression", 60, 80),
        ("overlap", "expression", "identity", 0.3, 0.1),
        ("overlap", "identity", "expression", 0.7, 0.6),
    ]
    return pd.DataFrame(rows_of("posed", measures, "all"))


def values(numbers, panel, network="id", dataset="posed"):
    of = numbers[(numbers["panel"] == panel) & (numbers["network"] == network)]
    return of[of["dataset"] == dataset].set_index("stage").loc[STAGES]


def test_numbers_are_on_the_axes_of_the_panels(scores, subspaces):
    numbers = fig9.draw(scores, subspaces, **OPTIONS).numbers
    np.testing.assert_allclose(values(numbers, "identity")["value"], [0.5, 0.6])
    read_out = values(numbers, "identity read out")
    # 0 is guessing and 1 is all; the thin line is that of control labels.
    np.testing.assert_allclose(read_out["value"], [0.5, 0.625])
    np.testing.assert_allclose(read_out["null"], [0.1, 0.1])
    np.testing.assert_allclose(read_out["ci_low"], [0.4375, 0.5625])
    erased = values(numbers, "expression without identity")
    np.testing.assert_allclose(erased["value"], [0.25, 0.375])
    np.testing.assert_allclose(erased["null"], [0.3, 0.3])
    np.testing.assert_allclose(values(numbers, "angle of both")["null"], [80, 80])
    np.testing.assert_allclose(values(numbers, "overlap")["value"], [0.3, 0.4])


def test_instances_are_a_band(scores, subspaces):
    numbers = fig9.draw(scores, subspaces, **OPTIONS).numbers
    rows = values(numbers, "overlap", "un")
    np.testing.assert_allclose(rows["value"], [0.305, 0.405])
    np.testing.assert_allclose(rows[["low", "high"]], [[0.3, 0.31], [0.4, 0.41]])
    assert set(rows["seeds"]) == {2} and set(rows["task"]) == {"untrained"}


def test_panels_of_a_face_set_and_one_where_a_label_lacks(scores, subspaces):
    figure, _, _, caption = fig9.draw(scores, subspaces, **OPTIONS)
    titles = [axis.get_title(loc="left") for axis in figure.axes if axis.axison]
    assert titles[:3] == [
        "a  Posed faces: identity",
        "b  Posed faces: expression",
        f"c  {TITLES[2]}",
    ]
    assert len(titles) == 9 and titles[-1] == "i  People: identity"
    (lacking,) = (axis for axis in figure.axes if not axis.axison)
    assert lacking.get_title(loc="left") == "j  People: expression"
    assert "no label 'expression'" in " ".join(lacking.texts[0].get_text().split())
    left_out = ", ".join(TITLES[2:])
    assert f"Nothing is drawn on People of {left_out} (the face set has no label" in caption
    assert "Plain silhouettes, as one label alone is known: People." in caption
    assert "RENDERED, not photographs: Posed faces." in caption
    assert "Seeds: Knows people 1, Names 1, Control 2." in caption


def test_people_alone(scores):
    only = {**OPTIONS, "datasets": {"people": "People"}}
    figure, numbers, _, caption = fig9.draw(scores[scores["dataset"] == "people"], **only)
    np.testing.assert_allclose(values(numbers, "identity", dataset="people")["value"], [0.8, 0.9])
    assert [axis.axison for axis in figure.axes] == [True, False]
    assert "LEACE" not in caption


def test_one_colour_a_task():
    tasks = {"un": "untrained", "b": "expression", "a": "identity", "c": "expression"}
    lines = fig9.task_lines(tasks | {"x": "age", "p": "nothing", "y": "not told"})
    assert list(lines) == ["a", "b", "c", "x", "y", "un", "p"]
    colors = {name: line["color"] for name, line in lines.items()}
    assert colors["b"] == colors["c"] and colors["un"] == colors["p"]
    assert len({colors[name] for name in ("a", "b", "x", "y", "un")}) == 5
    assert lines["b"]["marker"] != lines["c"]["marker"]


def test_networks_of_no_known_task_are_named(scores, subspaces):
    tasks = {**OPTIONS["tasks"], "ex": "not told"}
    caption = fig9.draw(scores, subspaces, **{**OPTIONS, "tasks": tasks}).caption
    assert "The config does not tell (key 'task') what was learnt by: Names." in caption
    assert "does not tell" not in fig9.draw(scores, subspaces, **OPTIONS).caption


def test_what_a_design_does_not_tell_is_left_out_with_the_reason(scores, subspaces):
    apart = subspaces["measure"].isin(["angle", "overlap"])
    subspaces.loc[apart, "value"] = np.nan
    subspaces.loc[apart, "note"] = "one picture of a person cannot be halved"
    figure, numbers, _, caption = fig9.draw(scores, subspaces, **OPTIONS)
    assert len(figure.axes) == 6 + 2
    words = "angle of both, overlap (one picture of a person cannot be halved)"
    assert f"Nothing is drawn on Posed faces of {words}." in caption
    assert values(numbers, "identity read out")["value"].notna().all()


def test_a_panel_beside_one_with_values_says_why_it_has_none(scores, subspaces):
    rows = (subspaces["measure"] == "accuracy") & (subspaces["label"] == "identity")
    subspaces.loc[rows, ["value", "note"]] = [np.nan, "pictures of one person are in no order"]
    figure = fig9.draw(scores, subspaces, **OPTIONS).figure
    (blank,) = (axis for axis in figure.axes[:8] if not axis.axison)
    assert blank.get_title(loc="left") == "c  identity read out"
    assert "in no order" in blank.texts[0].get_text()


def test_expressions_that_cannot_be_told_from_people_are_not_the_plain_silhouette(scores):
    rows = (scores["dataset"] == "posed") & (scores["label"] == "identity")
    scores.loc[rows, ["value", "note"]] = [np.nan, "people fall into sets that share no expression"]
    more = scores[rows].assign(measure="silhouette", value=0.9)
    numbers = fig9.draw(pd.concat([scores, more]), **OPTIONS).numbers
    assert values(numbers, "identity")["value"].isna().all()


def test_a_stage_without_a_value_is_named_with_its_reason(scores, subspaces):
    rows = (subspaces["measure"] == "erasure_leace") & (subspaces["stage"] == "final")
    rows &= subspaces["network"] == "id"
    subspaces.loc[rows, ["value", "note"]] = [np.nan, "as many classes as dimensions (6)"]
    caption = fig9.draw(scores, subspaces, **OPTIONS).caption
    panels = "identity without expression, expression without identity on Posed faces"
    words = "Knows people final (as many classes as dimensions (6))"
    assert f"No value of {panels}: {words}." in caption


def test_nothing_to_draw_is_an_error(scores):
    with pytest.raises(FacestagesError, match="Figure 9 has nothing to draw"):
        fig9.draw(scores.assign(value=np.nan), **OPTIONS)
