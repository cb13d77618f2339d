"""After a change exactly the jobs run that the change needs."""

import re
from collections import Counter

import pytest

from workflow_runner import REPOSITORY, jobs, run_snakemake

NETWORKS = {"nn1": 1, "nn3": 2, "pixels": 1, "mini_xception": 1}
INSTANCES = sum(NETWORKS.values())
# Those that Table 1 tests on the portraits: pixels have no classes, nn1 has its held-out part.
TESTED = NETWORKS["nn3"] + NETWORKS["mini_xception"]
# Figure 9 shows all but the pixels, on the portraits.
CONTRASTED = INSTANCES - NETWORKS["pixels"]
# The figure `layers` shows these, on the portraits.
CORRELATED = NETWORKS["nn3"] + NETWORKS["mini_xception"]
# A network's own steps on both face sets; NN1 is in Figures 2 and 4.
REMADE = {
    **{"record_activations": 2, "measure_geometry": 2, "score_separability": 2},
    **{"score_subsamples": 2, "decode_labels": 2},
    **{"compare_layers": 2, "compare_instances": 2},
    **{"embed_umap": 1, "explain_gradcam": 1, "summarise_gradcam": 1},
    **{"compare_subspaces": 1, "plot_fig2": 1, "plot_fig4": 1, "plot_fig9": 1},
    **{
        "compare_choices": 2,
        "plot_multiverse": 1,
        "plot_cka": 1,
        "plot_controls": 1,
        "make_gradcam_table": 1,
        "write_captions": 1,
        "judge_claims": 1,
    },
}
# What the report of a run is made of; a changed config is part of it.
REPORT = {"make_report": 1, "all": 1}
# The explorer shows Figure 4's face sets and networks, and is linked from the report.
PAGES = {"make_explorer": 1, **REPORT}
# Figures beyond the paper's.
BEYOND = ("layers", "multiverse", "cka", "controls")
LIBRARY = "workflow/scripts/facestages"


@pytest.fixture
def edit(tiny_run):
    """Change a file of the copied workflow for one test."""
    before = {}

    def change(path, old, new):
        file = tiny_run.folder / path
        before[file] = text = file.read_text()
        assert text.count(old) >= 1, f"{old!r} is not in {path}"
        file.write_text(text.replace(old, new, 1))

    yield change
    for file, text in before.items():
        file.write_text(text)


def planned(run, config=None):
    return jobs(run.snakemake("all", "--dry-run", config=config))


def plots(*names):
    """Jobs that draw these figures, and join their captions; a number is a figure of the paper."""
    drawn = {f"plot_{f'fig{name}' if isinstance(name, int) else name}": 1 for name in names}
    return {**drawn, "write_captions": 1}


def changed(config, *path, value):
    """A copy of a config with one value changed."""
    key, *rest = path
    inner = changed(config[key], *rest, value=value) if rest else value
    return {**config, key: inner}


def test_nothing_changed(tiny_run):
    assert planned(tiny_run) == {}


def test_the_default_run_trains_nothing(tmp_path):
    result = run_snakemake(tmp_path, REPOSITORY / "config" / "config.yaml", "all", "--dry-run")
    plan = jobs(result)
    # Of trained networks five and six instances, and ten untrained instances, on three face sets;
    # pixels on three of the video; and nine twins on two.
    assert plan["accumulate_gram"] == 3 * (5 + 6 + 10) + 3 + 2 * 9 and "train_network" not in plan
    figures = plots(*range(1, 11), *BEYOND)
    assert figures.items() <= plan.items() and plan["judge_claims"] == 1


def test_scripts_touched_as_by_a_checkout(tiny_run):
    for path in (tiny_run.folder / "workflow").rglob("*.py"):
        path.touch()
    assert planned(tiny_run) == {}


def test_one_face_set_changed(tiny_run):
    config = changed(tiny_run.config, "datasets", "posed", "seed", value=77)
    assert planned(tiny_run, config) == {
        "prepare_stimuli": 1,
        "prepare_labels": 1,
        "report_stimuli": 1,
        "predict_expressions": TESTED,
        "record_activations": INSTANCES,
        "measure_geometry": INSTANCES,
        "score_separability": INSTANCES,
        "score_subsamples": INSTANCES,
        "decode_labels": INSTANCES,
        "correlate_rdms": CORRELATED,
        "compare_subspaces": CONTRASTED,
        "compare_layers": 1,
        "compare_instances": 1,
        "compare_choices": 1,
        "regress_affect": 1,
        "partition_variance": 3,
        **{"prepare_reference": 1, "describe_reference": 1, "compare_reference": 1},
        "compare_networks": 1,
        **plots(4, 5, 6, 7, 8, 9, 10, *BEYOND),
        "make_table1": 1,
        "judge_claims": 1,
        **PAGES,
    }


def test_training_set_changed(tiny_run):
    config = changed(tiny_run.config, "datasets", "wild", "seed", value=77)
    assert planned(tiny_run, config) == {
        "prepare_stimuli": 1,
        "prepare_labels": 1,
        "report_stimuli": 1,
        "train_network": 1,
        **REMADE,
        "make_table1": 1,
        **PAGES,
    }


def test_plotting_option_changed(tiny_run):
    config = changed(tiny_run.config, "figures", "fig4", "band", value="sd")
    assert planned(tiny_run, config) == plots(4) | REPORT


def test_label_of_a_network_changed(tiny_run):
    config = changed(tiny_run.config, "networks", "nn1", "label", value="The first")
    made = {"make_table1": 1, "make_gradcam_table": 1, "judge_claims": 1}
    shown = plots(1, 2, 4, 9, "multiverse", "cka", "controls") | made | PAGES
    assert planned(tiny_run, config) == shown


def test_further_layers_asked_for(tiny_run):
    config = changed(tiny_run.config, "networks", "nn3", "layers", value=["dense_1", "conv2d_*"])
    plan = planned(tiny_run, config)
    recorded = ("record_activations", "measure_geometry")
    steps = ("score_separability", "score_subsamples", "decode_labels")
    on_both = dict.fromkeys((*recorded, *steps), 2 * NETWORKS["nn3"])
    on_both |= {"compare_layers": 2, "compare_instances": 2, "compare_choices": 2}
    on_one = ("embed_umap", "partition_variance", "correlate_rdms", "compare_subspaces")
    on_one = dict.fromkeys(on_one, NETWORKS["nn3"])
    assert plan == on_both | on_one | plots(3, 4, 8, 9, *BEYOND) | {"judge_claims": 1} | PAGES


def test_code_of_a_network_changed(tiny_run, edit):
    """Only that network's jobs: those of mini-Xception and of the pixels stay."""
    edit(f"{LIBRARY}/networks/light_cnn.py", "Dropout(0.6", "Dropout(0.61")
    plan = planned(tiny_run)
    light = NETWORKS["nn1"] + NETWORKS["nn3"]
    assert plan["record_activations"] == 2 * light and plan["train_network"] == 1
    assert plan["describe_layers"] == 2


def test_code_of_a_network_that_is_not_here_changed(tiny_run, edit):
    edit(f"{LIBRARY}/networks/zoos.py", "def build_network(", "SPARE = 1\n\n\ndef build_network(")
    assert planned(tiny_run) == {}


def test_label_of_a_face_set_changed(tiny_run):
    config = changed(tiny_run.config, "datasets", "posed", "label", value="Renders")
    made = {"make_table1": 1, "report_stimuli": 1, "judge_claims": 1}
    shown = plots(4, 5, 6, 7, 8, 9, 10, *BEYOND) | made | PAGES
    assert planned(tiny_run, config) == shown


def test_labels_of_a_network_taken_instead(tiny_run):
    config = changed(tiny_run.config, "datasets", "posed", "expression_from", value="mini_xception")
    assert planned(tiny_run, config) == {
        "score_separability": INSTANCES,
        "score_subsamples": INSTANCES,
        "decode_labels": INSTANCES,
        "correlate_rdms": CORRELATED,
        "compare_subspaces": CONTRASTED,
        "compare_instances": 1,
        "compare_choices": 1,
        "partition_variance": 3,
        "report_stimuli": 1,
        **plots(4, 7, 8, 9, "layers", "multiverse", "controls"),
        "judge_claims": 1,
        **PAGES,
    }


def test_one_network_changed(tiny_run):
    config = changed(tiny_run.config, "networks", "nn1", "training", "epochs", value=2)
    assert planned(tiny_run, config) == {
        "train_network": 1,
        **REMADE,
        "make_table1": 1,
        **PAGES,
    }


def test_one_seed_more(tiny_run):
    config = changed(tiny_run.config, "networks", "nn3", "seeds", value=[0, 1, 2])
    assert planned(tiny_run, config) == {
        "predict_expressions": 1,
        "record_activations": 2,
        "measure_geometry": 2,
        "score_separability": 2,
        "score_subsamples": 2,
        "decode_labels": 2,
        "correlate_rdms": 1,
        "compare_subspaces": 1,
        "compare_layers": 2,
        "compare_instances": 2,
        "compare_choices": 2,
        "embed_umap": 1,
        "partition_variance": 1,
        **plots(3, 4, 8, 9, *BEYOND),
        "make_table1": 1,
        "judge_claims": 1,
        **PAGES,
    }


def test_library_function_of_one_step_changed(tiny_run, edit):
    edit(f"{LIBRARY}/analysis/shares.py", "LEAST_SHARE = 0.02", "LEAST_SHARE = 0.03")
    plan = {"partition_variance": 3, "judge_claims": 1, "make_report": 1, "all": 1}
    assert planned(tiny_run) == plan | plots(8)


def test_reader_of_another_source_changed(tiny_run, edit):
    edit(f"{LIBRARY}/stimuli/kdef.py", "def list_kdef(", "SPARE = 1\n\n\ndef list_kdef(")
    edit(f"{LIBRARY}/stimuli/ratings.py", "def join_norms(", "SPARE = 1\n\n\ndef join_norms(")
    assert planned(tiny_run) == {}
    edit(f"{LIBRARY}/stimuli/render/shapes.py", "RECIPES: dict", "SPARE = 1\nRECIPES: dict")
    assert planned(tiny_run)["prepare_stimuli"] == 4


def test_a_declared_valence_changed(tiny_run, edit):
    edit(f"{LIBRARY}/stimuli/labels/rendered.py", '"happy": (0.8, 0.5)', '"happy": (0.7, 0.5)')
    plan = planned(tiny_run)
    assert plan["prepare_labels"] == 4 and plan["regress_affect"] == 1
    # NN1 learns from labels; its own steps follow from that.
    assert plan["train_network"] == 1 and plan["record_activations"] == 2 * NETWORKS["nn1"]
    assert not {"prepare_stimuli", "predict_expressions"} & plan.keys()


def test_the_rule_of_a_claim_changed(tiny_run, edit):
    edit("resources/claims.yaml", "reported: 82.32 %", "reported: 82.31 %")
    assert planned(tiny_run) == {"judge_claims": 1, "make_report": 1, "all": 1}


@pytest.mark.parametrize(
    "path, old", [("page.html.j2", "<main"), ("page.css", "body {"), ("findings.yaml", "F4.b: ")]
)
def test_template_of_the_report_changed(tiny_run, edit, path, old):
    edit(f"workflow/report/{path}", old, f" {old}")
    assert planned(tiny_run) == REPORT


def test_page_of_the_explorer_changed(tiny_run, edit):
    edit("workflow/report/explorer/pane.js", "const RADIUS = 4", "const RADIUS = 5")
    assert planned(tiny_run) == PAGES


def test_faces_that_may_be_shown(tiny_run):
    """No picture is prepared again, and no network looks at one."""
    config = changed(tiny_run.config, "datasets", "posed", "may_show", value="none")
    assert planned(tiny_run, config) == {"report_stimuli": 1, **plots(6), **PAGES}


def test_code_of_the_report_changed(tiny_run, edit):
    edit(f"{LIBRARY}/report/findings.py", "_TOLD = 6", "_TOLD = 5")
    assert planned(tiny_run) == REPORT


def test_helper_of_the_figures_changed(tiny_run, edit):
    edit(f"{LIBRARY}/figures/style.py", '"font.size": 7', '"font.size": 9')
    plan = planned(tiny_run)
    assert plan.pop("judge_claims") == 1  # numbers of some figures are among its tables
    assert plan == plots(*range(1, 11), *BEYOND) | {"report_stimuli": 4, "make_report": 1, "all": 1}


def test_script_changed(tiny_run, edit):
    edit("workflow/scripts/measure_geometry.py", "with job(snakemake):", "with job( snakemake ):")
    assert planned(tiny_run) == {}
    edit(f"{LIBRARY}/figures/fig4.py", "_WIDEST_NOTE = 24", "_WIDEST_NOTE = 25")
    assert planned(tiny_run) == plots(4) | {"make_report": 1, "all": 1}


def test_comment_and_docstring_changed(tiny_run, edit):
    edit(f"{LIBRARY}/analysis/silhouette_scores.py", "# Equal silhouettes", "# Silhouettes")
    edit(f"{LIBRARY}/gram.py", "Inner products of the centred rows.", "Products.")
    edit(f"{LIBRARY}/store.py", "import h5py", "# HDF5 itself\nimport h5py")
    assert planned(tiny_run) == {}


def test_wording_of_an_error_changed(tiny_run, edit):
    edit(f"{LIBRARY}/errors.py", "none is defined", "there is none")
    assert planned(tiny_run) == {}


def test_only_the_planned_jobs_run_and_the_rest_stays(tiny_run):
    """Not a dry run: a face set changes, and the other set's files keep their bytes and times."""
    kept = sorted((tiny_run.folder / "results/geometry/video").rglob("*.h5"))
    before = [path.stat().st_mtime_ns for path in kept]
    figure = tiny_run.folder / "results/figures/fig4.pdf"
    drawn = figure.stat().st_mtime_ns
    config = changed(tiny_run.config, "networks", "nn3", "label", value="Untrained")
    result = tiny_run.snakemake("all", config=config)
    assert result.returncode == 0, result.stderr
    # The terminal says less.
    log = max((tiny_run.folder / ".snakemake" / "log").iterdir())
    ran = Counter(re.findall(r"Rule: (\w+)\)", log.read_text()))
    made = {"make_table1": 1, "make_gradcam_table": 1, "judge_claims": 1}
    shown = plots(3, 4, 8, 9, *BEYOND) | made
    assert ran == shown | PAGES
    assert [path.stat().st_mtime_ns for path in kept] == before
    assert figure.stat().st_mtime_ns > drawn
    assert tiny_run.snakemake("all").returncode == 0
    assert planned(tiny_run) == {}
