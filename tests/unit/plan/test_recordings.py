"""Recordings, their shards, and what is measured on them."""

from facestages.paths import Recording

ONE = Recording("posed", "nn1", 0)


def sharded(config, shards, activations="discard"):
    entry = config.datasets["posed"].model_copy(update={"shards": shards})
    analysis = config.analysis.model_copy(update={"activations": activations})
    datasets = {**config.datasets, "posed": entry}
    return config.model_copy(update={"datasets": datasets, "analysis": analysis})


def test_geometry_is_made_of_products_or_of_activations(default, plan):
    assert plan(default).recordings.geometry_sources(ONE) == "results/grams/posed/nn1/seed-0.h5"
    kept = plan(sharded(default, 1, "keep")).recordings
    assert kept.geometry_sources(ONE) == "results/activations/posed/nn1/seed-0.h5"
    assert kept.joined_activations(ONE) == []


def test_shards_are_multiplied_pair_by_pair(default, plan):
    recordings = plan(sharded(default, 3, "keep")).recordings
    assert len(recordings.activation_shards(ONE)) == 3
    blocks = recordings.geometry_sources(ONE)
    assert [path.split("/")[-1] for path in blocks] == [
        *("0x0.h5", "0x1.h5", "0x2.h5", "1x1.h5", "1x2.h5", "2x2.h5")
    ]
    assert recordings.joined_activations(ONE) == "results/activations/posed/nn1/seed-0.h5"
    assert recordings.in_shards() == ["posed"] and "posed" not in recordings.in_one()


def test_every_recording_is_a_job_for_each_shard(default, plan):
    # Figure 4's networks on three face sets, the pixels on all, and the twins on two face sets.
    assert plan(default).recordings.jobs == 3 * (5 + 2 * 3 + 5 + 5) + 3 + 2 * 3 * 3
    more = plan(sharded(default, 3)).recordings.jobs - plan(default).recordings.jobs
    assert more == 2 * (5 + 2 * 3 + 5 + 5 + 3 * 3)


def test_instances_know_kind_and_architecture(default, plan):
    files, networks = plan(default).recordings.instances("posed")
    assert networks["nn3"] == {"kind": "untrained", "architecture": "light_cnn", "width": 3}
    assert len(files["separability"]) == len(files["decoding"]) == 5 + 2 * 3 + 5 + 5


def test_each_trained_light_cnn_has_an_untrained_one_of_its_width(default, paper, plan):
    for config, dataset in ((default, "posed"), (paper, "kdef")):
        networks = plan(config).recordings.instances(dataset)[1]
        for trained, control in (("nn1", "nn3"), ("nn2", "nn3_7")):
            same = ("architecture", "width")
            assert [networks[trained][key] for key in same] == [
                networks[control][key] for key in same
            ]
            assert networks[control]["kind"] == "untrained"
        assert networks["nn2"]["width"] != networks["nn3"]["width"]


def test_contrasts_are_on_face_sets_that_may_have_both_labels(default, paper, plan):
    of_default = plan(default).recordings.contrasts()
    assert {one.dataset for one in of_default} == {"posed"} and len(of_default) == 4 + 5 + 9
    # What KDEF holds is not known before it is read.
    assert {one.dataset for one in plan(paper).recordings.contrasts()} == {"kdef"}
    files = plan(default).recordings.instances("posed")[0]
    assert files["subspaces"] == plan(default).paths("subspaces", of_default)
    assert plan(default).recordings.instances("orl")[0]["subspaces"] == []
    without = default.model_copy(
        update={"figures": default.figures.model_copy(update={"fig9": None})}
    )
    assert plan(without).recordings.contrasts() == []


def test_choices_are_compared_on_all_seeds_of_the_figures_networks(default, plan):
    files = plan(default).recordings.choices("posed")
    assert {len(paths) for paths in files.values()} == {3 + 5}
    assert "results/decoding/posed/nn3/seed-4.csv" in files["decoding"]
    gone = plan(default, {"networks.nn2": "gone"}).recordings.choices("posed")
    assert not any("/nn2/" in path for path in gone["separability"])


def test_numbers_of_components_that_figures_show_are_permuted_more_often(default, plan):
    assert default.analysis.components == [2, 10, 50, "all"]
    assert plan(default).recordings.permutations() == [100, 1000, 100, 100]
    for fewest, expected in ((1000, [1000] * 4), (0, [0, 1000, 0, 0])):
        analysis = default.analysis.model_copy(update={"chance_permutations": fewest})
        every = default.model_copy(update={"analysis": analysis})
        assert plan(every).recordings.permutations() == expected


def test_affect_is_taken_from_the_figures_reference(default, paper, plan):
    predictions = plan(paper).recordings.affect_predictions
    assert predictions("kdef") == "results/paper/predictions/kdef/emofan/seed-0.csv"
    assert predictions("disfa") == [] and plan(default).recordings.affect_predictions("posed") == []
    gone = plan(paper, {"networks.emofan": "gone"}).recordings
    assert gone.affect_predictions("kdef") == []


def test_a_joint_change_makes_shards_depend_on_all_frames(paper, plan, monkeypatch):
    planned = plan(paper)
    monkeypatch.setattr(planned.face_sets, "subjects", lambda name: ["SN001", "SN002", "SN003"])
    assert planned.recordings.has_shards_of_videos("disfa")
    assert not planned.recordings.has_shards_of_videos("disfa_matched")
    assert planned.recordings.shard_sources("disfa", 0) == [
        f"results/paper/frames/disfa/SN00{n}.h5" for n in (1, 2, 3)
    ]
