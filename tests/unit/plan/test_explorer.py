"""The explorer shows what a run measures anyway, and asks for no more."""

import pytest

from facestages.config import load_config
from facestages.config.explorer import Explorer
from facestages.errors import FacestagesError
from facestages.plan import explorer, targets


def shown(planned):
    return {
        one["name"]: {entry["network"] for entry in one["recordings"]}
        for one in explorer.plan_explorer(planned).face_sets
    }


def test_face_sets_and_networks_of_figure_4(default, plan):
    fig4 = default.figures.fig4
    planned = plan(default)
    assert shown(planned) == {name: set(fig4.networks) for name in fig4.datasets}
    instances = explorer.plan_explorer(planned).face_sets[0]["recordings"]
    assert [one["seed"] for one in instances if one["network"] == "nn3"] == [0, 1, 2, 3, 4]


def test_nothing_is_made_for_it_alone(default, plan):
    planned = plan(default)
    made = {*targets.measures(planned)}
    for name in planned.drawable:
        if name.startswith("figures."):
            for value in planned.figure(name.split(".")[1]).files.values():
                made |= {value} if isinstance(value, str) else {*value}
    asked = {*explorer.plan_explorer(planned).files}
    # The geometry of a layer is what its silhouettes are measured on.
    needed = {path.replace("separability", "geometry").replace(".csv", ".h5") for path in made}
    stimuli = {path for path in asked if "/stimuli/" in path}
    assert asked - stimuli <= made | needed


def test_maps_of_umap_where_a_figure_shows_them(default, plan):
    one = explorer.plan_explorer(plan(default)).face_sets[0]
    mapped = {entry["network"] for entry in one["recordings"] if entry["embedding"]}
    assert one["name"] == "video" and mapped == {"nn1", "nn3", "efficientnet_lite0"}


def test_a_figure_that_is_refused_refuses_no_explorer(default, plan):
    fig7 = default.figures.fig7.model_copy(update={"dataset": "orl"})
    figures = default.figures.model_copy(update={"fig7": fig7})
    planned = plan(default.model_copy(update={"figures": figures}))
    with pytest.raises(FacestagesError, match="figures.fig7"):
        planned.figure("fig7")
    assert "posed" in shown(planned)


def test_what_is_absent_is_left_out(default, plan):
    planned = plan(default, {"datasets.orl": "gone", "networks.nn1": "gone"})
    assert "orl" not in shown(planned) and "nn1" not in shown(planned)["posed"]
    assert explorer.is_made(planned)
    gone = dict.fromkeys([f"datasets.{name}" for name in default.figures.fig4.datasets], "gone")
    assert not explorer.is_made(plan(default, gone))


def test_chosen_or_none(default, plan):
    chosen = Explorer(datasets=["orl"], networks=["pixels", "nn1"])
    assert shown(plan(default.model_copy(update={"explore": chosen}))) == {"orl": {"pixels", "nn1"}}
    assert not explorer.is_made(plan(default.model_copy(update={"explore": None})))


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"datasets": ["posd"]}, "explore.datasets = 'posd': no such face set"),
        ({"networks": ["nn1", "nn1"]}, "explore.networks: 'nn1' occurs twice"),
        ({"neighbours": 0}, "explore.neighbours = 0"),
        ({"network": ["nn1"]}, "explore: unknown key 'network'"),
    ],
)
def test_mistakes(default, section, words):
    config = default.model_dump(exclude_none=True)
    with pytest.raises(FacestagesError, match=words):
        load_config({**config, "explore": section})
