"""What Table 1 and the table of Grad-CAM are made from."""

import pytest

from facestages.errors import FacestagesError
from facestages.plan import tables


def test_table_1_reads_what_it_names(default, plan):
    table = tables.plan_table1(plan(default))
    assert "results/layers/nn3.csv" in table.files and table.test["name"] == "posed"
    assert len(table.networks["nn3"]["predictions"]) == 5
    assert table.networks["nn1"]["reports"][0].endswith("nn1.json")
    assert table.absent == []


def test_table_1_does_without_its_test(default, plan):
    table = tables.plan_table1(plan(default, {"datasets.posed": "no portraits"}))
    assert table.test is None and not table.networks["nn3"]["predictions"]
    assert list(table.datasets) == ["video", "orl"] and table.absent == ["no portraits"]


def test_a_trained_network_reports_itself(tiny, plan):
    entry = tables.plan_table1(plan(tiny)).networks["nn1"]
    assert entry["reports"] == ["results/networks/nn1/seed-0/metrics.json"]
    assert entry["predictions"] == []


def test_tables_without_a_section_are_refused(default, plan):
    without = {
        "figures": default.figures.model_copy(update={"fig2": None}),
        "tables": default.tables.model_copy(update={"table1": None}),
    }
    planned = plan(default.model_copy(update=without))
    with pytest.raises(FacestagesError, match="tables.table1: this key is missing"):
        tables.plan_table1(planned)
    with pytest.raises(FacestagesError, match="figures.fig2: this key is missing"):
        tables.gradcam_files(planned)


def test_grad_cam_is_made_of_figure_2s_face_set(default, plan):
    labels = tables.gradcam_labels(plan(default))
    assert "pixels" not in labels and labels["nn3"] == "NN3 (untrained)"
    assert all("/video/" in path for path in tables.gradcam_files(plan(default)))
