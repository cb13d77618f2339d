"""What can be made, by one rule; and what a whole run makes."""

import pytest

from facestages.plan import targets


def test_everything_can_be_made_where_everything_is_at_hand(default, plan):
    planned = plan(default)
    assert planned.drawable == list(default.uses)
    assert "results/tables/gradcam.csv" in targets.figures(planned)
    assert targets.figures(planned)[-1] == "results/claims.html"


FIG4_NETWORKS = (
    *("nn1", "nn2", "nn1_short", "nn2_short", "nn3", "nn3_7"),
    *("mini_xception", "efficientnet_lite0", "hse_mobilenet"),
)


@pytest.mark.parametrize(
    ("absent", "can"),
    [
        (["datasets.video", "datasets.posed"], True),
        (["datasets.video", "datasets.posed", "datasets.orl"], False),
        (["networks.nn1", "networks.nn2"], True),
        ([f"networks.{name}" for name in FIG4_NETWORKS], False),
    ],
)
def test_a_figure_needs_one_face_set_and_one_network(default, plan, absent, can):
    planned = plan(default, dict.fromkeys(absent, "gone"))
    assert targets.can_be_made(planned, "figures.fig4") is can
    assert ("results/figures/fig4.pdf" in targets.figures(planned)) is can
    assert bool(targets.measures(planned)) is can


def test_table_1_needs_a_row_and_can_do_without_its_test(default, plan):
    rows = default.tables.table1.model_copy(update={"datasets": ["video"], "test": "posed"})
    config = default.model_copy(
        update={"tables": default.tables.model_copy(update={"table1": rows})}
    )
    for absent, can in (("datasets.posed", True), ("datasets.video", False)):
        assert targets.can_be_made(plan(config, {absent: "gone"}), "tables.table1") is can


def test_figure_1_needs_no_weights_where_code_says_the_layers(default, plan):
    planned = plan(default, {"networks.nn1": "gone"})
    assert targets.can_be_made(planned, "figures.fig1")


def test_what_is_absent_has_no_report(paper, plan):
    planned = plan(paper, {"datasets.kdef": "gone", "ratings.oasis": "gone"})
    assert not any("kdef" in path or "oasis" in path for path in targets.reports(planned))
    assert "results/paper/stimuli/disfa.report.md" in targets.reports(planned)


def test_captions_are_shown_of_all_figures(default, plan):
    shown = targets.shown(plan(default))
    assert "results/figures/fig4.rst" in shown and "results/figures/fig1.rst" in shown


def test_a_trained_network_needs_its_face_set(tiny, plan):
    needs = targets.sections_needed(plan(tiny))
    assert "datasets.wild" in needs["figures.fig4"]
    assert needs["datasets.wild"] == ["datasets.wild"]


def test_labels_need_the_network_that_names_them(paper, plan):
    needs = targets.sections_needed(plan(paper))
    assert "networks.resmasknet" in needs["figures.controls"]
    products = targets.products(plan(paper))
    assert products["figures.fig4"] == ["results/paper/figures/fig4.pdf"]
    assert len(products["networks.nn1"]) == 3


def test_targets_that_no_rule_makes(default, paper, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "mine.yaml").touch()
    told = targets.explain_target(default, "results/mine/figures/fig4.pdf")
    assert "make CONFIG=config/mine.yaml results/mine/figures/fig4.pdf" in told
    assert "did you mean 'fig4'" in targets.explain_target(default, "results/figures/fig44.pdf")
    assert targets.explain_target(default, "results/figures/captions.md") == ""
    told = targets.explain_target(default, "results/figures/fig4.jpg")
    assert "a figure is made as .pdf, .svg, .png" in told
    assert "did you mean 'explorer.html'" in targets.explain_target(default, "results/explorer")
    for path in ("results/figures/fig4.pdf", "results/report.html", "--cores", "mine/fig4.pdf"):
        assert targets.explain_target(default, path) == ""
    told = targets.explain_target(paper, "results/figures/fig4.pdf")
    assert told.endswith("Ask for results/paper/figures/fig4.pdf")
    told = targets.explain_target(paper, "results/mine/figures/fig4.pdf")
    assert told.endswith("Ask for results/paper/figures/fig4.pdf")
    told = targets.explain_target(paper, "results/report.html")
    assert told.endswith("Ask for results/paper/report.html")
