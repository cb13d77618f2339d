"""What figures are made from: with everything at hand, and without."""

from pathlib import Path

import pytest

from facestages.config import Training, load_config
from facestages.plan import Planner

CONFIGS = Path(__file__).parents[3] / "config"


@pytest.fixture
def default():
    return load_config(CONFIGS / "config.yaml")


@pytest.fixture
def paper():
    return load_config(CONFIGS / "paper.yaml")


FIGURES = ("fig2", "fig3", "fig4", "fig5", "fig6", "fig7", "fig8")


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_files_of_known_steps(default, name):
    plan = getattr(Planner(default, {}), name)()
    lists = ([files] if isinstance(files, str) else files for files in plan.files.values())
    paths = [path for files in lists for path in files]
    assert paths and all(path.startswith("results/") for path in paths)
    steps = {path.split("/")[1] for path in paths}
    known = "stimuli geometry embeddings separability affect predictions partition attribution"
    assert steps <= set(known.split())


def test_what_is_absent_is_in_no_file_and_said(default):
    line = "networks.mini_xception.weights.path = 'x': no such file or folder"
    planner = Planner(default, {"networks.mini_xception": line})
    for name in ("fig4", "fig5", "fig6", "fig7", "fig8"):
        plan = getattr(planner, name)()
        assert (
            "mini_xception" not in str(plan.files) and "mini_xception" not in plan.said["networks"]
        )
        assert line in str(plan.said["absent"])


def test_where_nothing_is_at_hand_everything_is_asked_for(default):
    # So that Snakemake stops at the missing path and says where to get it.
    planner = Planner(default, {"networks.nn2": "gone", "networks.mini_xception": "gone"})
    assert list(planner.fig7().said["networks"]) == ["nn2", "mini_xception"]


def test_a_network_has_one_look_in_all_figures(default):
    planner = Planner(default, {})
    looks = planner.fig4().said["looks"]
    assert looks["nn3"] == "untrained"
    assert planner.fig7().said["looks"].items() <= looks.items()


def test_conjectures_are_tested_on_what_is_there(default):
    planner = Planner(default, {"datasets.posed": "no portraits", "networks.nn2": "no NN2"})
    plan = planner.controls()
    assert not any("/posed/" in path or "/nn2/" in path for path in plan.files["scores"])
    assert "results/separability/video_masked/pixels/seed-0.csv" in plan.files["scores"]
    assert plan.said["absent"] == ["no portraits", "no NN2"]


def test_controls_are_told_apart(default):
    entries = default.networks
    recipe = {"dataset": "posed", "shuffle_labels": True}
    again = entries["nn2"].model_copy(
        update={"weights": "train", "training": Training.model_validate(recipe)}
    )
    networks = {**entries, "again": again}
    planner = Planner(default.model_copy(update={"networks": networks}), {})
    assert planner.looks(networks)["again"] == "shuffled labels"
    assert planner.answers("nn2") and not planner.answers("again")
    kinds = planner.instances_of("posed").said
    assert kinds["nn3"] == {"kind": "untrained", "architecture": "light_cnn"}
    assert planner.instances() == ["results/instances/video.csv", "results/instances/posed.csv"]


def test_the_papers_run_uses_its_own_reference_and_ratings(paper):
    planner = Planner(paper, {})
    fig5 = planner.fig5()
    assert fig5.files["predictions"] == "results/paper/predictions/kdef/emofan/seed-0.csv"
    assert fig5.files["ratings"] == "results/paper/ratings/oasis.csv"
    without = Planner(paper, {"networks.emofan": "no EmoFAN", "ratings.oasis": "no OASIS"}).fig5()
    assert without.files["predictions"] == [] and without.files["ratings"] == []
    assert without.said["no_reference"] == "no EmoFAN" and without.said["no_ratings"] == "no OASIS"


def test_claims_come_from_what_can_be_drawn(default):
    planner = Planner(default, {})
    everything = planner.claims(default.uses)
    assert all(everything.files.values()) and not everything.said["absent"]
    some = planner.claims(["figures.fig4"])
    assert [name for name, files in some.files.items() if files] == [
        "separability",
        "decoding",
        "instances",
    ]
    assert some.said["absent"]["fig5"] == "figures.fig5 cannot be drawn here"


def test_claims_know_kinds_of_networks_and_what_the_paper_had(paper):
    absent = {"networks.resmasknet": "no ResMaskNet"}
    said = Planner(paper, absent).claims(paper.uses).said
    assert said["networks"]["nn1"]["kinds"][0] == "expressions"
    assert said["networks"]["nn3"]["kinds"] == ["untrained", "figure4"]
    assert said["networks"]["nn3"]["roles"] == ["untrained"]
    assert said["networks"]["vgg16"]["roles"] == ["objects"]
    assert said["absent"]["RMN"] == "no ResMaskNet"
    assert not said["datasets"]["kdef"]["rendered"]


def test_umap_maps_what_the_figures_show(default):
    planner = Planner(default, {})
    assert planner.mapped_stages("nn1") == ["early", "middle", "penultimate"]
    assert planner.mapped_stages("pixels") == ["early"]
    assert planner.mapped_stages("nn3") == ["penultimate"]
    assert planner.mapped_stages("nn2") is None
