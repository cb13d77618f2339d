"""What the report shows of a plan."""

from facestages.plan import report


def test_all_figures_tables_and_face_sets_of_the_default_run(default, plan):
    planned = report.plan_report(plan(default))
    assert list(planned.figures)[:3] == ["fig1", "fig2", "fig3"]
    assert set(planned.tables) == {"table1", "gradcam"}
    assert set(planned.sheets) == set(default.datasets)
    fig4 = planned.figures["fig4"]
    assert fig4 == {
        "svg": "results/figures/fig4.svg",
        "png": "results/figures/fig4.png",
        "pdf": "results/figures/fig4.pdf",
        "numbers": "results/figures/fig4.csv",
        "caption": "results/figures/fig4.rst",
    }
    assert {*fig4.values(), planned.sheets["orl"]} <= set(planned.files)
    assert planned.tables["table1"]["page"] in planned.files


def test_what_is_not_there_is_not_shown(default, plan):
    planned = report.plan_report(plan(default, {"datasets.video": "gone", "datasets.orl": "gone"}))
    assert "fig2" not in planned.figures and set(planned.tables) == {"table1"}
    assert "orl" not in planned.sheets and "posed" in planned.sheets


def test_assets_are_those_of_networks_and_faces_at_hand(default, plan):
    found = report.assets(plan(default, {"networks.mini_xception": "gone"}))
    assert {"nn1", "headmodel", "orl"} <= set(found) and "mini_xception" not in found
    assert all(entry["licence"] and entry["citation"] for entry in found.values())
