"""What figures are made from: with everything at hand, and without."""

import pytest

from facestages.errors import FacestagesError
from facestages.paths import Recording

FIGURES = ("fig1", *map("fig{}".format, range(2, 10)), "layers", "multiverse", "cka", "controls")


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_files_of_known_steps(default, plan, name):
    files = plan(default).figure(name).files
    lists = ([value] if isinstance(value, str) else value for value in files.values())
    paths = [path for value in lists for path in value]
    assert paths and all(path.startswith("results/") for path in paths)
    steps = {path.split("/")[1] for path in paths}
    known = "stimuli geometry embeddings separability affect predictions partition attribution"
    known += " layers decoding rsa cka multiverse subsamples subspaces"
    assert steps <= {*known.split()}


def test_a_figure_without_a_section_is_refused(default, plan):
    figures = default.figures.model_copy(update={"fig2": None})
    with pytest.raises(FacestagesError, match="config: figures.fig2: this key is missing"):
        plan(default.model_copy(update={"figures": figures})).figure("fig2")


def test_what_is_absent_is_in_no_file_and_in_the_settings(default, plan):
    line = "networks.mini_xception.weights.path = 'x': no such file or folder"
    without = plan(default, {"networks.mini_xception": line})
    for name in (*(f"fig{number}" for number in range(4, 11)), "layers", "multiverse"):
        files, settings = without.figure(name)
        assert "mini_xception" not in str(files) and "mini_xception" not in settings["networks"]
        assert line in str(settings["absent"])


def test_figure_4_of_faces_of_ones_own_brings_their_contact_sheet(default, paper, plan):
    assert plan(default).figure("fig4").files["needed"] == []
    files = plan(paper, {}).figure("fig4").files["needed"]
    assert [path.rpartition("/")[2] for path in files] == [
        f"{name}.sheet.png" for name in paper.figures.fig4.datasets
    ]


def test_where_nothing_is_at_hand_everything_is_asked_for(default, plan):
    # So that Snakemake stops at the missing path and says where to get it.
    without = plan(default, {"networks.nn2": "gone", "networks.mini_xception": "gone"})
    assert list(without.figure("fig7").settings["networks"]) == ["nn2", "mini_xception"]


def test_conjectures_are_tested_on_what_is_there(default, plan):
    without = plan(default, {"datasets.posed": "no portraits", "networks.nn2": "no NN2"})
    files, settings = without.figure("controls")
    assert not any("/posed/" in path or "/nn2/" in path for path in files["scores"])
    assert "results/separability/video_masked/pixels/seed-0.csv" in files["scores"]
    assert settings["absent"] == ["no portraits", "no NN2"]


def test_the_papers_run_uses_its_own_reference_and_ratings(paper, plan):
    fig5 = plan(paper).figure("fig5")
    assert fig5.files["predictions"] == "results/paper/predictions/kdef/emofan/seed-0.csv"
    assert fig5.files["ratings"] == "results/paper/ratings/oasis.csv"
    absent = {"networks.emofan": "no EmoFAN", "ratings.oasis": "no OASIS"}
    files, settings = plan(paper, absent).figure("fig5")
    assert files["predictions"] == [] and files["ratings"] == []
    assert settings["no_reference"] == "no EmoFAN" and settings["no_ratings"] == "no OASIS"


def test_figure_9_compares_labels_where_both_are_known_and_knows_what_networks_tell(default, plan):
    files, settings = plan(default).figure("fig9")
    assert {path.split("/")[2] for path in files["subspaces"]} == {"posed"}
    assert {path.split("/")[2] for path in files["scores"]} == {"posed", "orl"}
    assert settings["tasks"]["hse_mobilenet"] == "identity"
    gone = plan(default, {"datasets.posed": "no portraits"}).figure("fig9")
    assert gone.files["subspaces"] == [] and gone.settings["absent"] == ["no portraits"]


def test_figure_10_says_where_each_reference_comes_from(default, plan):
    files, settings = plan(default).figure("fig10")
    fig10 = default.figures.fig10
    assert list(settings["references"]) == fig10.references
    assert all("simulated" in one["cite"].lower() for one in settings["references"].values())
    assert files["raters"] == [f"results/references/{name}.csv" for name in fig10.references]
    untrained = [path for path in files["layers"] if "/nn3/" in path]
    assert len(untrained) == 5 * len(fig10.references)
    gone = plan(default, {f"references.{fig10.references[0]}": "not here"}).figure("fig10")
    assert list(gone.settings["references"]) == fig10.references[1:]
    assert gone.settings["absent"] == ["not here"]
    assert not any(f"/{fig10.references[0]}/" in path for path in gone.files["layers"])


def test_figures_7_and_8_ask_for_answers(default):
    from facestages.plan import Plan, figures

    answering = figures.answering(Plan(default, absent={}))
    assert set(answering) == {
        Recording("posed", "nn2", 0),
        Recording("posed", "mini_xception", 0),
    }


FIG4 = {"datasets": ["mine"], "networks": ["p"]}
ONE = {"dataset": "mine", "networks": ["p"]}


@pytest.mark.parametrize(
    ("name", "figure", "header", "words"),
    [
        ("fig4", FIG4, "path,subject,emotion", "columns: {expression: emotion, identity: subject}"),
        ("fig4", FIG4, "path,identity,emotion", "figures.fig4 shows expression, and datasets.mine"),
        ("fig4", FIG4, "path,age", "shows expression and identity, which its face sets lack: "
         "datasets.mine has path, age"),
        ("fig7", ONE, "path,identity", "figures.fig7 shows expression, which its face sets lack"),
        ("fig8", ONE, "path,person,expression", "columns: {identity: person}"),
        ("fig4", {**FIG4, "labels": ["identity", "Age"]}, "path,identity,age",
         "shows Age, which none of its face sets has; did you mean 'age'? Allowed: age, identity"),
    ],
)  # fmt: skip
def test_a_figure_without_its_labels_is_refused(
    plan_of, tmp_path, monkeypatch, name, figure, header, words
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FacestagesError) as caught:
        plan_of(name, figure, header).figure(name)
    assert str(caught.value).startswith("config: figures.") and words in str(caught.value)


@pytest.mark.parametrize(
    ("name", "figure", "header", "face_set"),
    [
        ("fig4", FIG4, "path,identity,age", {}),
        ("fig4", FIG4, "path,subject,emotion",
         {"columns": {"identity": "subject", "expression": "emotion"}}),
        ("fig4", {**FIG4, "labels": ["expression"]}, "path,subject,expression", {}),
        ("fig4", {**FIG4, "labels": ["identity", "Age"]}, "path,identity,Age", {}),
    ],
)  # fmt: skip
def test_a_figure_with_one_of_its_labels_is_planned(
    plan_of, tmp_path, monkeypatch, name, figure, header, face_set
):
    monkeypatch.chdir(tmp_path)
    assert plan_of(name, figure, header, **face_set).figure(name).files["scores"]


def test_figures_of_the_paper_show_no_network_enlarged_faces(paper):
    shown = {
        (dataset, network)
        for product, uses in paper.uses.items()
        if product.startswith("figures.")
        for dataset in uses.datasets
        for network in uses.networks
    }
    assert {("kdef", "emofan"), ("disfa_women", "resmasknet")} <= shown
    for dataset, network in shown:
        largest = max(paper.networks[network].input_spec.shape[:2])
        assert paper.datasets[dataset].size >= largest, (dataset, network)
