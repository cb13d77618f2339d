"""Figure 4: the numbers drawn, the same bytes twice, and what it says where data lack."""

import numpy as np
import pandas as pd
import pytest

from facestages.errors import FacestagesError
from facestages.figures import fig4, style

STAGES = ["early", "middle", "penultimate", "final"]
OPTIONS = {
    "datasets": {"video": "Faces in motion", "posed": "Posed faces"},
    "networks": {"nn1": "Trained", "nn3": "Control"},
    "looks": {"nn1": 0, "nn3": "untrained"},
    "tasks": {"nn1": "expression", "nn3": "untrained"},
    "labels": ["expression", "identity"],
    "stages": STAGES,
    "components": 10,
    "band": "range",
}


@pytest.fixture
def scores():
    rows = [
        {
            "dataset": dataset,
            "rendered": int(dataset == "video"),
            "network": network,
            "seed": seed,
            "stage": stage,
            "label": label,
            "label_source": "rendered" if dataset == "video" else "posed",
            "measure": "silhouette",
            "components": components,
            "value": number / 10 + seed / 100,
            "ci_low": number / 10 + seed / 100 - 0.05,
            "ci_high": number / 10 + seed / 100 + 0.04,
            "n": 70,
            "note": "",
        }
        for dataset in OPTIONS["datasets"]
        for network, seeds in [("nn1", 2), ("nn3", 1)]
        for seed in range(seeds)
        for number, stage in enumerate(STAGES)
        for label in OPTIONS["labels"]
        for components in ("2", "10", "all")
    ]
    return pd.DataFrame(rows)


def test_summary_is_mean_and_range_over_seeds(scores):
    _, summary, *_ = fig4.draw(scores, **OPTIONS)
    rows = summary[(summary.network == "nn1") & (summary.dataset == "posed")]
    rows = rows[rows.label == "identity"].set_index("stage").loc[STAGES]
    np.testing.assert_allclose(rows["mean"], [0.005, 0.105, 0.205, 0.305])
    np.testing.assert_allclose(rows["low"], [0, 0.1, 0.2, 0.3])
    np.testing.assert_allclose(rows["high"], [0.01, 0.11, 0.21, 0.31])
    assert set(rows["seeds"]) == {2}
    np.testing.assert_allclose(rows["ci_low"], [-0.05, 0.05, 0.15, 0.25])
    np.testing.assert_allclose(rows["ci_high"], [0.05, 0.15, 0.25, 0.35])


def test_chance_is_subtracted_and_the_paper_s_value_stays(scores):
    chance = scores["stage"].map(dict(zip(STAGES, [0, -0.1, -0.2, -0.3], strict=True)))
    figure, summary, _, caption = fig4.draw(scores.assign(null_mean=chance), **OPTIONS)
    rows = summary[(summary.network == "nn1") & (summary.dataset == "posed")]
    rows = rows[rows.label == "identity"].set_index("stage").loc[STAGES]
    np.testing.assert_allclose(rows["silhouette"], [0.005, 0.105, 0.205, 0.305])
    np.testing.assert_allclose(rows["mean"], [0.005, 0.205, 0.405, 0.605])
    np.testing.assert_allclose(rows["high"] - rows["low"], 0.01)
    np.testing.assert_allclose(rows["ci_low"], rows["mean"] - 0.055)
    np.testing.assert_allclose(figure.axes[3].get_lines()[1].get_ydata(), rows["mean"])
    assert "Not permuted" not in caption


def test_what_was_not_permuted_is_said(scores):
    chance = np.where(scores["label"] == "identity", np.nan, -0.1)
    caption = fig4.draw(scores.assign(null_mean=chance), **OPTIONS).caption
    line = "Not permuted, so not less chance: identity (Faces in motion); identity (Posed faces)."
    assert line in caption


def test_band_of_one_standard_deviation(scores):
    _, summary, *_ = fig4.draw(scores, **{**OPTIONS, "band": "sd"})
    rows = summary[summary.network == "nn1"]
    np.testing.assert_allclose(rows["high"] - rows["mean"], 0.01 / 2**0.5)


def test_panels_lines_and_honest_caption(scores):
    figure, _, _, caption = fig4.draw(scores, **OPTIONS)
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert titles[0] == "a  Expression\nFaces in motion"
    assert titles[3] == "d  Identity\nPosed faces"
    assert "RENDERED, not photographs: Faces in motion." in caption
    assert "Seeds: Trained 2, Control 1" in caption
    assert "Faces in motion 70" in caption


def test_caption_of_whole_face_sets_says_nothing_is_left_out(scores):
    assert "Nothing is drawn" not in fig4.draw(scores, **OPTIONS).caption


def test_caption_where_all_faces_are_rendered(scores):
    caption = fig4.draw(scores.assign(rendered=1), **OPTIONS).caption
    assert "All faces are RENDERED, not photographs." in caption


def test_caption_counts_labelled_pictures(scores):
    scores.loc[(scores.dataset == "posed") & (scores.label == "expression"), "n"] = 60
    caption = fig4.draw(scores, **OPTIONS).caption
    assert "Faces in motion 70; Posed faces 60 (expression), 70 (identity)." in caption


def test_missing_label_is_said_in_its_panel(scores):
    rows = (scores.dataset == "posed") & (scores.label == "expression")
    scores.loc[rows, ["value", "note"]] = [np.nan, "the face set has no label 'expression'"]
    figure, _, _, caption = fig4.draw(scores, **OPTIONS)
    (text,) = figure.axes[1].texts
    assert text.get_text().split() == "the face set has no label 'expression'".split()
    assert not figure.axes[0].texts
    assert "Nothing is drawn of expression (Posed faces)." in caption
    assert "No mean where" not in caption


def test_caption_counts_no_pictures_of_a_label_that_is_not_there(scores):
    rows = (scores.dataset == "posed") & (scores.label == "expression")
    scores.loc[rows, ["value", "n"]] = [np.nan, 0]
    assert "Posed faces 70." in fig4.draw(scores, **OPTIONS).caption
    of_none = fig4.draw(scores, **{**OPTIONS, "labels": ["expression"]}).caption
    assert "Posed faces 0." in of_none


def test_nothing_to_draw_is_an_error(scores):
    with pytest.raises(FacestagesError, match="nothing to draw"):
        fig4.draw(scores.assign(value=np.nan), **OPTIONS)


def test_same_bytes_twice(scores, tmp_path):
    kinds = ("pdf", "svg", "png")
    for run in "ab":
        figure, _, *_ = fig4.draw(scores, **OPTIONS)
        style.save_figure(figure, {kind: tmp_path / f"{run}.{kind}" for kind in kinds})
    for kind in kinds:
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


def test_what_one_of_ten_seeds_has_is_not_drawn(scores):
    """A mean of one seed would be captioned as that of ten."""
    rows = scores[(scores["network"] == "nn3") & (scores["label"] == "identity")]
    seeds = pd.concat([rows.assign(seed=seed) for seed in range(10)])
    lacking = (seeds["stage"] == "final") & (seeds["seed"] > 0)
    seeds.loc[lacking, ["value", "ci_low", "ci_high"]] = np.nan
    others = scores[scores["network"] == "nn1"]
    figure, summary, _, caption = fig4.draw(pd.concat([others, seeds]), **OPTIONS)
    assert "No mean where half of the seeds or fewer have a value (Control: final)." in caption
    means = summary[(summary["network"] == "nn3") & (summary["dataset"] == "posed")]
    means = means.set_index("stage")
    assert set(means["seeds"]) == {10}
    assert means["mean"].isna().to_dict() == {stage: stage == "final" for stage in STAGES}
    assert means.loc["final", ["low", "high", "ci_low", "ci_high"]].isna().all()
    # After the line at 0, that of the first network.
    drawn = figure.axes[3].get_lines()[2].get_ydata()
    assert np.isnan(drawn).tolist() == [False, False, False, True]


def test_the_middle_stage_has_the_paper_s_name_beside_it(scores):
    name = 'The middle stage is the paper\'s "ID layer".'
    assert fig4.draw(scores, **OPTIONS).caption.count(name) == 1
    assert name not in fig4.draw(scores, **{**OPTIONS, "stages": ["early", "final"]}).caption


def test_caption_says_whose_weights_a_library_gives(scores):
    words = {"nn1": "timm, pretrained"}
    label = OPTIONS["networks"]["nn1"]
    assert fig4.draw(scores, **OPTIONS, pretrained=words).caption.endswith(
        f"Weights: {label}: {words['nn1']}."
    )
    assert "Weights" not in fig4.draw(scores, **OPTIONS).caption


def test_caption_says_where_labels_come_from_and_what_is_circular(scores):
    rows = (scores["dataset"] == "video") & (scores["label"] == "expression")
    scores.loc[rows, "label_source"] = "network:nn1"
    circular = rows & (scores["network"] == "nn1")
    scores.loc[circular, "note"] = "CIRCULAR: the labels are this network's own predictions"
    caption = fig4.draw(scores, **OPTIONS).caption
    titles = OPTIONS["datasets"]
    assert f"network:nn1 ({titles['video']})" in caption and f"posed ({titles['posed']})" in caption
    line = f"CIRCULAR: {OPTIONS['networks']['nn1']} on {titles['video']} is scored with its own"
    assert line in caption and caption.count("CIRCULAR") == 1
    assert "RENDERED, not photographs: Faces in motion." in caption


def test_the_title_counts_changes_whose_intervals_are_apart(scores):
    title = fig4.draw(scores, **OPTIONS).title
    assert title == (
        "Trained on expression: early to final, expression rises in 2 of 2 curves, identity "
        "rises in 2 of 2; controls: expression rises in 2 of 2, identity rises in 2 of 2"
    )
    wide = scores.assign(ci_low=scores["value"] - 1, ci_high=scores["value"] + 1)
    assert "expression rises in 0 of 2 curves" in fig4.draw(wide, **OPTIONS).title
    falling = scores["label"] == "identity"
    for column in ("value", "ci_low", "ci_high"):
        wide[column] = scores[column].where(~falling, 1 - scores[column])
    wide.loc[falling, ["ci_low", "ci_high"]] = wide.loc[falling, ["ci_high", "ci_low"]].to_numpy()
    assert "expression rises in 2 of 2 curves, identity falls" in fig4.draw(wide, **OPTIONS).title


def test_a_title_without_intervals_claims_nothing(scores):
    drawing = fig4.draw(scores.assign(ci_low=np.nan, ci_high=np.nan), **OPTIONS)
    assert drawing.title == "Silhouettes, early to final"


def test_a_stage_without_a_value_is_marked_and_named(scores):
    lacking = (scores["network"] == "nn3") & (scores["stage"] == "middle")
    scores.loc[lacking, ["value", "note"]] = [np.nan, "all pictures are alike"]
    figure, *_, caption = fig4.draw(scores, **OPTIONS)
    assert "Cross: no value of Control middle (all pictures are alike)." in caption
    crosses = [line for line in figure.axes[0].get_lines() if line.get_marker() == "x"]
    assert len(crosses) == 1 and crosses[0].get_xdata()[0] == pytest.approx(1, abs=0.1)
