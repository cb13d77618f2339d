"""The plan's look-ups: paths, instances, what is at hand, how networks look."""

from facestages.config.training import Training
from facestages.paths import Recording


def test_paths_and_instances(default, plan):
    planned = plan(default)
    one = planned.first("posed", "nn2")
    assert one == Recording("posed", "nn2", 0)
    assert planned.path("geometry", one) == "results/geometry/posed/nn2/seed-0.h5"
    assert planned.path("stimuli", dataset="posed") == "results/stimuli/posed.h5"
    assert len(planned.every_seed(["posed", "video"], ["nn3", "nn1"])) == 2 * (5 + 1)


def test_what_is_present_and_what_is_left_out(default, plan):
    planned = plan(default, {"networks.nn1": "no NN1"})
    assert planned.at_hand("networks", ["nn1", "nn2"]) == ["nn2"]
    assert planned.at_hand("networks", ["nn1"]) == []
    assert planned.present("networks", ["nn1"]) == ["nn1"]
    assert planned.left_out("networks", ["nn1", "nn2"]) == {"nn1": "no NN1"}


def test_a_network_has_one_look_in_all_figures(default, plan):
    planned = plan(default)
    looks = planned.figure("fig4").settings["looks"]
    assert looks["nn3"] == "untrained"
    assert planned.figure("fig7").settings["looks"].items() <= looks.items()


def test_controls_are_told_apart(default, plan):
    entries = default.networks
    recipe = {"dataset": "posed", "shuffle_labels": True}
    again = entries["nn2"].model_copy(
        update={"weights": "train", "training": Training.model_validate(recipe)}
    )
    networks = {**entries, "again": again}
    planned = plan(default.model_copy(update={"networks": networks}))
    assert planned.looks(networks)["again"] == "shuffled labels"
    assert planned.answers("nn2") and not planned.answers("again")
    assert planned.instances() == [
        f"results/instances/{dataset}.csv" for dataset in ("video", "posed", "orl")
    ]


def test_one_instance_each_is_not_compared(default, plan):
    networks = {
        name: entry.model_copy(update={"seeds": [0]}) for name, entry in default.networks.items()
    }
    assert plan(default.model_copy(update={"networks": networks})).instances() == []


def test_an_asset_is_its_bytes(default, plan):
    assert set(plan(default).asset_entry("headmodel")) <= {
        *("source", "file", "bytes", "sha256", "members")
    }
