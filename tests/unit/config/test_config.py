"""The config: what is refused, and in what words."""

import copy
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from facestages.assets import read_manifest
from facestages.config import Config, load_config
from facestages.config.networks import NO_STAGES
from facestages.errors import FacestagesError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def tiny():
    return yaml.safe_load((ROOT / "tests" / "workflow" / "tiny.yaml").read_text())


def change(config, path, value):
    config = copy.deepcopy(config)
    node = config
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return config


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda p: p.name)
def test_shipped_configs_are_valid(path):
    assert isinstance(load_config(path), Config)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (["datset"], {}, ["top level", "'datset'", "did you mean 'dataset'"]),
        (["dataset"], {}, ["dataset: is one name", "did you mean 'datasets'"]),
        (["dataset"], "pose", ["dataset = 'pose'", "no such face set", "did you mean 'posed'"]),
        (["network"], "nn11", ["network = 'nn11'", "no such network", "did you mean 'nn1'"]),
        (["datasets", "posed", "peple"], 3, ["datasets.posed", "'peple'", "mean 'people'"]),
        (["datasets", "posed", "people"], "x", ["datasets.posed.people = 'x'", "integer"]),
        (["datasets", "posed", "people"], 0, ["datasets.posed.people = 0", "greater than 0"]),
        (["datasets", "posed", "design"], "pose", ["datasets.posed.design = 'pose'", "'posed'"]),
        (["datasets", "posed", "source"], "render", ["datasets.posed.source", "'rendered'"]),
        (["networks", "nn1", "weights"], "trian", ["networks.nn1.weights = 'trian'", "'train'"]),
        (["networks", "nn1", "weights"], {"assett": "x"}, ["'assett'", "mean 'asset'"]),
        (["networks", "nn1", "architecture"], "light_cn", ["'light_cn'", "mean 'light_cnn'"]),
        (["networks", "nn1", "seeds"], [1, 1], ["networks.nn1.seeds = [1, 1]", "twice"]),
        (["networks", "nn1", "training"], None, ["networks.nn1", "needs the key 'training'"]),
        (
            ["networks", "nn1", "stages"],
            {"early": "batchnorm_11"},
            ["networks.nn1.stages.early = 'batchnorm_11'", "mean 'batchnorm_1'", "list_layers"],
        ),
        (
            ["networks", "nn1", "training", "dataset"],
            "wld",
            ["networks.nn1.training.dataset = 'wld'", "mean 'wild'", "posed, video, wild"],
        ),
        (["figures", "fig4", "networks"], ["nn4"], ["figures.fig4.networks = 'nn4'", "no such"]),
        (["figures", "fig4", "datasets"], ["pose"], ["figures.fig4.datasets", "mean 'posed'"]),
        (["figures", "fig4", "stages"], ["early", "finl"], ["'finl'", "mean 'final'"]),
        (["figures", "fig4", "labels"], ["sex"], ["figures.fig4.labels = 'sex'", "identity"]),
        (["figures", "fig4", "components"], 11, ["figures.fig4.components = '11'", "10"]),
        (["analysis", "components"], [2, "al"], ["analysis.components.1 = 'al'"]),
        (["networks", "a b"], {}, ["networks: the name a b: names are made of A to Z"]),
        (["networks", "nn1", "weights"], {"member": "x"}, ["networks.nn1.weights", "give either"]),
        (["networks", "nn1", "weights"], {"path": "x", "member": "y"}, ["goes with 'asset'"]),
        (
            ["networks", "nn1", "weights"],
            "imagenet",
            ["'light_cnn' takes train or untrained or {a"],
        ),
        (
            ["networks", "nn1", "weights"],
            None,
            ["needs the key 'weights': train, untrained, {asset"],
        ),
        (
            ["networks", "nn3"],
            {"label": "x", "timm": "vit tiny", "weights": "untrained", "stages": {"early": "a"}},
            ["networks.nn3.timm = 'vit tiny': give the name of a network"],
        ),
        (
            ["networks", "nn3"],
            {"label": "x", "torchvision": "resnet18", "stages": {"early": "a"}}
            | {"weights": "untrained", "input": {"size": 96, "channels": 3}},
            ["networks.nn3.input.scaling: this key is missing: 'input' replaces the library's"],
        ),
        (
            ["networks", "nn3"],
            {"label": "x", "torchvision": "resnet18", "stages": {"early": "a"}},
            ["needs the key 'weights': pretrained, untrained, {asset"],
        ),
        (
            ["networks", "nn3"],
            {"label": "x", "timm": "x", "keras": "x.keras", "stages": {"early": "a"}},
            ["exactly one of: architecture, keras, torch, timm, torchvision, keras_application"],
        ),
        (
            ["networks", "nn3"],
            {
                "label": "x",
                "torch": "a.b:c",
                "input": {"size": 8, "channels": 3, "scaling": {"mean": [0.5], "deviation": [1]}},
                "stages": {"early": "a"},
            },
            ["networks.nn3.input: input scaling needs 3 of 'mean' and of 'deviation'"],
        ),
        (
            ["networks", "nn1", "weights"],
            {"path": "x.h5", "key": "ema"},
            ["networks.nn1.weights.key: goes with a torch file"],
        ),
        (["networks", "nn1", "width"], 8, ["networks.nn1.width = 8", "has one width only"]),
        (["networks", "nn1", "layers"], ["conw*"], ["layers = 'conw*'", "no layer of light_cnn"]),
        (["networks", "mini_xception", "weights"], "untrained", ["takes {asset: ...} or {path"]),
        (["networks", "mini_xception", "weights"], "train", ["takes {asset: ...} or {path: ...}"]),
        (
            ["networks", "nn3"],
            {
                "label": "x",
                "torch": {"module": "a.b:c", "weight": "x.pth"},
                "stages": {"early": "a"},
            },
            ["networks.nn3.torch: unknown key 'weight'", "did you mean 'weights'"],
        ),
        (
            ["networks", "nn3"],
            {"label": "x", "torch": {"modul": "a.b:c"}, "stages": {"early": "a"}},
            ["networks.nn3.torch.module: this key is missing"],
        ),
        (
            ["networks", "nn3"],
            {
                "label": "x",
                "torch": {"module": "a.b:c", "input": {"size": "x", "channels": 3}},
                "stages": {"early": "a"},
            },
            ["networks.nn3.torch.input.size: 'x' is neither a whole number nor two"],
        ),
        (
            ["networks", "nn3"],
            {
                "label": "x",
                "torch": {"module": "a.b:c", "input": {"size": [55], "channels": 3}},
                "stages": {"early": "a"},
            },
            ["networks.nn3.torch.input.size: [55] is neither", "[rows, columns]"],
        ),
        (
            ["networks", "nn3"],
            {
                "label": "x",
                "torch": "a.b",
                "input": {"size": 8, "channels": 3},
                "stages": {"early": "a"},
            },
            ["networks.nn3.torch = 'a.b': give package.module:function"],
        ),
        (
            ["networks", "nn3"],
            {
                "label": "x",
                "torch": "a.b:c",
                "input": {"size": 8, "channels": 1, "scaling": "caffe"},
                "stages": {"early": "a"},
            },
            ["networks.nn3.input: input scaling 'caffe' is for 3 channels"],
        ),
        (
            ["networks", "nn3"],
            {
                "label": "x",
                "torch": "a.b:c",
                "input": {"size": 8, "channels": 1},
                "stages": {"early": "conv*"},
            },
            ["networks.nn3.stages.early = 'conv*': a stage is one layer"],
        ),
        (
            ["networks", "nn3"],
            {
                "label": "x",
                "torch": "a.b:c",
                "width": 8,
                "input": {"size": 8, "channels": 1},
                "stages": {"early": "a"},
            },
            ["networks.nn3.width = 8: 'a network of your own' has one width"],
        ),
        (
            ["networks", "nn3"],
            {
                "label": "x",
                "keras": "x.keras",
                "weights": "untrained",
                "input": {"size": 48, "channels": 1},
                "stages": {"early": "a"},
            },
            ["networks.nn3.weights: 'keras' takes no weights"],
        ),
        (
            ["networks", "nn1", "training", "splits"],
            {"train": ["Training"], "validation": ["PublicTest"], "test": ["Training"]},
            ["networks.nn1.training.splits", "'Training' is trained on"],
        ),
        (["figures", "fig4", "datasets"], ["posed", "posed"], ["'posed' occurs twice"]),
        (["pathvars"], {"result": "x"}, ["pathvars", "'result'", "mean 'results'"]),
        (
            ["networks", "nn1", "label"],
            "`x <javascript:hacked=3>`__",
            ["networks: label: '`x <javascript:hacked=3>`__' occurs twice"],
        ),
        (
            ["networks", "nn1", "gradcam"],
            ["conv2d_9"],
            ["gradcam = 'conv2d_9'", "no layer of light"],
        ),
        (
            ["figures", "fig2", "stages"],
            ["late"],
            ["figures.fig2.stages = 'late'", "no such stage"],
        ),
        (["figures", "fig3", "pixels"], "nn1", ["figures.fig3.pixels = 'nn1'", "architecture"]),
        (["figures", "fig3", "untrained"], "nn1", ["figures.fig3.untrained = 'nn1': has weights"]),
        (["figures", "fig5", "stage"], "penultimat", ["fig5.stage", "mean 'penultimate'"]),
        (
            ["figures", "fig5", "reference"],
            "nn1",
            ["fig5.reference = 'nn1'", "valence and arousal"],
        ),
        (["figures", "fig5", "ratings"], "oases", ["fig5.ratings = 'oases'", "mean 'oasis'"]),
        (
            ["figures", "fig8", "components"],
            3,
            ["figures.fig8.components = '3'", "Add it to analysis.components"],
        ),
        (["analysis", "umap", "neighbours"], 1, ["analysis.umap.neighbours = 1"]),
        (
            ["datasets", "posed", "label"],
            "Posed\n\n.. raw:: html",
            ["datasets.posed.label: has the character \\n after 'Posed'", "must be one line"],
        ),
        (["networks", "nn1", "label"], "N\x1b[2JN", ["networks.nn1.label: ", r"character \x1b"]),
        (["networks", "nn1", "classes"], ["happy\u202e", "sad"], ["nn1.classes: ", r"\u202e"]),
        (["assets"], {"a\tb": "x"}, [r"assets: has the character \t after 'a'"]),
    ],
)
def test_mistake_is_named_in_one_line(tiny, path, value, words):
    with pytest.raises(FacestagesError) as caught:
        load_config(change(tiny, path, value))
    line = str(caught.value).splitlines()[0]
    assert line.startswith("config: ")
    for word in words:
        assert word in line


def test_labels_that_figures_shorten_must_still_differ(tiny):
    for name, middle in (("nn1", "a"), ("nn3", "b")):
        tiny = change(tiny, ["networks", name, "label"], f"{'x' * 90}{middle}{'x' * 90}")
    with pytest.raises(FacestagesError, match="networks: label: 'x+…x+' occurs twice"):
        load_config(tiny)


def test_every_mistake_gets_a_line(tiny):
    config = change(tiny, ["datasets", "posed", "people"], "x")
    config = change(config, ["analysis", "permutations"], -1)
    with pytest.raises(FacestagesError) as caught:
        load_config(config)
    assert len(str(caught.value).splitlines()) == 2


def test_unknown_asset(tiny):
    with pytest.raises(
        FacestagesError, match="networks.mini_xception.weights.asset.*no such asset"
    ):
        load_config(tiny, {"headmodel": {}})


def test_classes_must_be_those_of_the_weights(tiny):
    """Other orders have the same shapes, and would name every expression wrongly."""
    manifest = read_manifest(ROOT / "resources" / "manifest.yaml")
    five = {
        "label": "EmoFAN",
        "architecture": "emofan",
        "weights": {"asset": "emofan_5"},
        "stages": {"early": "maxpool"},
    }
    right = ["neutral", "happy", "sad", "surprise", "fear"]
    for classes in (None, sorted(right)):
        config = change(tiny, ["networks", "five"], {**five, "classes": classes})
        with pytest.raises(FacestagesError, match="networks.five.classes.* in the order .neutral"):
            load_config(config, manifest)
    config = change(tiny, ["networks", "five"], {**five, "classes": right})
    assert load_config(config, manifest).networks["five"].affect == ["valence", "arousal"]


def test_all_layers_in_one_line(tiny):
    config = change(tiny, ["networks", "nn1", "layers"], "all")
    assert load_config(config).networks["nn1"].layers == ["*"]


def test_short_forms_of_weights_and_torch(tiny):
    stages = {"early": "a", "final": "b"}
    spec = {"size": 32, "channels": 3, "scaling": "imagenet"}
    section = {"module": "mine.nets:small", "weights": "mine/small.pth", "input": spec}
    config = change(tiny, ["networks", "own"], {"label": "x", "torch": section, "stages": stages})
    long = {"label": "y", "torch": section["module"], "stages": stages, "input": spec}
    long["weights"] = {"path": section["weights"]}
    config = load_config(change(config, ["networks", "same"], long))
    assert config.networks["own"] == config.networks["same"].model_copy(update={"label": "x"})
    assert config.networks["own"].weights.path == "mine/small.pth"


def test_code_under_keras_takes_weights_and_files(tiny):
    entry = {"label": "x", "input": {"size": [55, 47], "channels": 3}, "stages": {"early": "a"}}
    entry |= {"keras": "mine.nets:small"}
    full = {**entry, "weights": "mine/small.h5", "files": ["mine/table.csv"]}
    own = load_config(change(tiny, ["networks", "own"], full)).networks["own"]
    assert (own.framework, own.code, own.kind) == ("keras", "mine.nets:small", "trained")
    assert own.input_spec.shape == (55, 47, 3) and not own.input_spec.grey
    grey = {**entry, "input": {**entry["input"], "grey": True}}
    assert load_config(change(tiny, ["networks", "own"], grey)).networks["own"].input_spec.grey
    untrained = {**entry, "weights": "untrained", "seeds": [0, 1]}
    untrained = load_config(change(tiny, ["networks", "own"], untrained)).networks["own"]
    assert untrained.kind == "untrained"
    for more in ({"weights": "./small.h5"}, {"files": ["mine/table.csv"]}, {"seeds": [0, 1]}):
        with pytest.raises(FacestagesError, match=f"networks.own.{next(iter(more))}"):
            load_config(change(tiny, ["networks", "own"], {**entry, "keras": "net.h5", **more}))


OLD_STAGE = "this stage is called 'middle' now; write 'middle'"


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        (
            ["networks", "nn1", "stages"],
            {"early": "batchnorm_1", "identity": "flatten"},
            "networks.nn1.stages.identity: ",
        ),
        (["figures", "fig2", "stages"], ["identity"], "figures.fig2.stages = 'identity': "),
        (
            ["figures", "fig4", "stages"],
            ["early", "identity"],
            "figures.fig4.stages (network nn1) = 'identity': ",
        ),
        (["figures", "fig5", "stage"], "identity", "figures.fig5.stage = 'identity': "),
    ],
)
def test_a_stage_of_an_old_config_is_answered_with_its_new_name(tiny, path, value, where):
    with pytest.raises(FacestagesError, match=re.escape(f"config: {where}{OLD_STAGE}")):
        load_config(change(tiny, path, value))


def test_uses_are_what_a_figure_names(tiny):
    uses = load_config(tiny).uses
    assert uses["figures.fig3"].datasets == ["video"]
    assert uses["figures.fig5"].ratings == ["oasis"]
    assert not uses["figures.fig1"].datasets
    assert set(uses["tables.table1"].datasets) == {"wild", "posed", "video"}


def test_parse_time_imports_nothing_heavy():
    """What the Snakefile imports runs again in every cluster job."""
    code = (
        "import sys; import facestages.assets, facestages.plan, facestages.provenance; "
        "import facestages.doctor.requirements; "
        "print(*{m.partition('.')[0] for m in sys.modules})"
    )
    scripts = ROOT / "workflow" / "scripts"
    run = subprocess.run([sys.executable, "-c", code], cwd=scripts, capture_output=True, text=True)
    heavy = {"numpy", "pandas", "scipy", "h5py", "PIL", "sklearn", "tensorflow", "keras", "torch"}
    assert run.returncode == 0, run.stderr
    assert not heavy & set(run.stdout.split())


@pytest.mark.parametrize(
    ("stages", "listed"),
    [
        ({"early": "nothing", "final": "out_layer"}, {"early": "nothing", "final": "out_layer"}),
        ({"early": "conv*", "identity": "flatten"}, {"early": "conv*", "identity": "flatten"}),
        ({}, NO_STAGES),
        (None, NO_STAGES),
        ("flatten", NO_STAGES),
        ({"my stage": "flatten", "early": 3}, NO_STAGES),
    ],
)
def test_a_config_with_wrong_layers_lists_them(tiny, stages, listed):
    wrong = {"stages": stages, "layers": 7, "gradcam": ["no"]}
    config = change(tiny, ["networks", "nn1"], tiny["networks"]["nn1"] | wrong)
    with pytest.raises(FacestagesError):
        load_config(config)
    config = change(config, ["network"], "nn1")
    assert load_config(config).networks["nn1"].stages == listed


def test_parts_of_layers_are_stages(tiny):
    stages = {"early": "a[1]", "final": "norm@cls"}
    own = {"label": "Own", "torch": "own:net", "input": {"size": 8, "channels": 1}}
    config = change(tiny, ["networks", "own"], own | {"stages": stages})
    assert load_config(config).networks["own"].stages == stages


# ------------------------------------------------------------------------------- own tables

TABLE = {"source": "table", "label": "Mine", "table": "t.csv"}


def test_words_that_yaml_takes_for_numbers_are_text(tiny):
    text = "{Expression: {0: angry, 1: disgust, '2': '', wink: sad, pain: null, 3: 4}}"
    config = change(tiny, ("datasets", "mine"), TABLE | {"rename": yaml.safe_load(text)})
    expected = {"0": "angry", "1": "disgust", "2": "", "wink": "sad", "pain": "", "3": "4"}
    assert load_config(config).datasets["mine"].rename == {"expression": expected}


def test_labels_are_compared_whatever_their_form(tiny):
    config = change(tiny, ("datasets", "mine"), TABLE | {"columns": {"re\u0301gion": "x"}})
    config = change(config, ("analysis", "labels"), ["identity", "expression", "re\u0301gion "])
    loaded = load_config(config)
    assert [*loaded.datasets["mine"].columns] == loaded.analysis.labels[2:] == ["r\u00e9gion"]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"rename": {"expression": {False: "neutral"}}}, "put it in quotes"),
        ({"rename": {"path": {"a": "b"}}}, "'path' names pictures, and only labels"),
        ({"rename": {"expression": {"a": "b\n"}}}, "has the character"),
        ({"columns": {"identity": "x", "sex": "x"}}, "datasets.mine.columns: 'x' occurs twice"),
        ({"collumns": {}}, "did you mean 'columns'?"),
    ],
)
def test_columns_and_words_that_are_refused(tiny, keys, words):
    with pytest.raises(FacestagesError, match="config: datasets.mine") as caught:
        load_config(change(tiny, ("datasets", "mine"), TABLE | keys))
    assert words in str(caught.value)
