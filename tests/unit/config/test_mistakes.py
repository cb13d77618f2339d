"""Mistakes in a config: what texts say, where an unknown key belongs, what YAML makes of words."""

import datetime

import pytest

from facestages.config import Config, load_config
from facestages.config.mistakes import places_of
from facestages.errors import FacestagesError

PIXELS = {"label": "P", "architecture": "pixels", "stages": {"early": "pixels", "final": "pixels"}}
TRAINED = {
    "label": "T",
    "architecture": "light_cnn",
    "classes": ["happy", "sad"],
    "weights": "train",
    "training": {"dataset": "faces"},
    "stages": {"early": "batchnorm_1", "final": "out_layer"},
}
WILD = {"source": "rendered", "design": "wild"}
TEXT = "YAML takes this for a number, a date, or yes or no; put it in quotes"


def config_with(path, value):
    fig4 = {"datasets": ["faces"], "networks": ["pixels"], "stages": ["early", "final"]}
    config = {
        "datasets": {"faces": dict(WILD)},
        "networks": {
            "pixels": dict(PIXELS),
            "trained": {**TRAINED, "training": {"dataset": "faces"}},
        },
        "analysis": {},
        "figures": {"fig4": fig4},
    }
    *above, last = path
    node = config
    for key in above:
        node = node.setdefault(key, {})
    node[last] = value
    return config


def value_at(config, path):
    for key in path:
        config = config[key] if isinstance(config, dict | list) else getattr(config, key)
    return config


@pytest.mark.parametrize(
    ("path", "given", "wanted"),
    [
        (["analysis", "permutations"], "5", 5),
        (["analysis", "permutations"], "1e3", 1000),
        (["analysis", "components"], ["2", "10", "all"], [2, 10, "all"]),
        (["analysis", "pictures_per_person"], "null", None),
        (["analysis", "umap"], {"min_dist": "0.5"}, {"min_dist": 0.5}),
        (["figures", "fig1"], "null", None),
        (["datasets", "faces", "seed"], "-3", -3),
        (["networks", "trained", "training", "learning_rate"], "1e-3", 1e-3),
        (["networks", "trained", "training", "augmentation"], {"flip": "off"}, {"flip": False}),
        (["networks", "trained", "training", "shuffle_labels"], "True", True),
        (["networks", "trained", "training", "class_weights"], {"sad": "2"}, {"sad": 2.0}),
        (["networks", "trained", "seeds"], ["0", "1"], [0, 1]),
        # Text stays text where text is wanted.
        (["networks", "trained", "label"], "5", "5"),
        (["networks", "trained", "classes"], ["1", "yes"], ["1", "yes"]),
    ],
)
def test_text_is_what_it_says_where_something_else_is_wanted(path, given, wanted):
    """All values of ``--config`` are text; YAML takes 1e-3 for text."""
    found = value_at(load_config(config_with(path, given)), path)
    if isinstance(wanted, dict) and not isinstance(found, dict):
        found = {key: getattr(found, key) for key in wanted}
    assert found == wanted and type(found) is type(wanted)


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        (["analysis", "permutations"], True, "analysis.permutations = True: input should be a "),
        (["analysis", "permutations"], 5.0, "analysis.permutations = 5.0: input should be a "),
        (["analysis", "permutations"], "5.5", "analysis.permutations = 5.5: input should be a "),
        (["analysis", "permutations"], "five", "analysis.permutations = 'five': input should"),
        (
            ["networks", "trained", "training", "learning_rate"],
            "nan",
            "networks.trained.training.learning_rate = nan: input should be a finite number",
        ),
        # What is at the wrong place.
        (["permutations"], 5, "top level: unknown key 'permutations': its place is analysis.per"),
        (["fig4"], {}, "top level: unknown key 'fig4': its place is figures.fig4"),
        (
            ["analysis", "stages"],
            {},
            "analysis: unknown key 'stages': its place is networks.NAME.s",
        ),
        (["figures", "table1"], {}, "figures: unknown key 'table1': its place is tables.table1"),
        (
            ["networks", "trained", "size"],
            48,
            "networks.trained: unknown key 'size': its place is n",
        ),
        (
            ["analysis", "decoding"],
            {"permutations": 1},
            "analysis.decoding: unknown key 'permutation",
        ),
        (
            ["figures", "fig4", "dataset"],
            "faces",
            "figures.fig4: unknown key 'dataset': did you mea",
        ),
        (
            ["datasets", "faces", "drop_duplicates"],
            True,
            "datasets.faces: unknown key 'drop_duplicat",
        ),
        (["FIGURES"], {}, "top level: unknown key 'FIGURES': did you mean 'figures'?"),
        (["figures", "FIG5"], {}, "figures: unknown key 'FIG5': did you mean 'fig5'?"),
        (
            ["analysis", "figures"],
            {},
            "analysis: unknown key 'figures': its place is the top level; ",
        ),
        (["datasets", "networks"], {}, "'networks' stands within 'datasets': indent both alike"),
        (
            ["networks", "analysis"],
            {"permutations": 5},
            "'analysis' stands within 'networks': inde",
        ),
        (
            ["datasets", "顔"],
            WILD,
            "datasets: the name 顔: names are made of A to Z, digits, '-' and '_'",
        ),
        # What YAML makes of words and numbers.
        (["datasets", 1], WILD, f"datasets: the name 1: {TEXT}"),
        (["datasets", datetime.date(2024, 1, 1)], WILD, f"datasets: the name 2024-01-01: {TEXT}"),
        (["datasets", False], WILD, f"datasets: the name False: {TEXT}"),
        (["networks", "trained", "label"], 2024, f"networks.trained.label = 2024: {TEXT}"),
        (
            ["datasets", "faces", "label"],
            datetime.date(2024, 1, 1),
            f"datasets.faces.label = 2024-01-01: {TEXT}",
        ),
        (["figures", "fig4", "networks"], [True], f"figures.fig4.networks.0 = True: {TEXT}"),
        (
            ["figures", "fig4", "networks"],
            "pixels",
            "figures.fig4.networks = 'pixels': must be a li",
        ),
        *(
            (path, None, f"{'.'.join(path)}: this section is empty; fill it, or remove its line")
            for path in (["analysis"], ["figures"], ["datasets"], ["datasets", "x"])
        ),
        (["networks", "trained", "label"], None, "networks.trained.label: is empty; write a text"),
        (["datasets", "x"], {"sorce": "table"}, "datasets.x: the key 'source' is missing; did you"),
        *(
            (
                ["analysis"],
                value,
                f"analysis = {value!r}: must be a section of keys and values, 'key",
            )
            for value in ("permutations:20", [{"permutations": 20}], True)
        ),
        (
            ["networks", "trained", "weights"],
            {"path": 5},
            f"networks.trained.weights.path = 5: {TEXT}",
        ),
    ],
)
def test_a_mistake_in_one_line(path, value, line):
    with pytest.raises(FacestagesError) as caught:
        load_config(config_with(path, value))
    assert str(caught.value).startswith(f"config: {line}")
    assert len(str(caught.value).splitlines()) == 1


def test_an_entry_that_is_not_indented():
    config = config_with(["datasets"], None) | {"faces": WILD}
    with pytest.raises(
        FacestagesError, match="'faces': if it belongs to 'datasets', which is empty"
    ):
        load_config(config)


def test_where_a_key_belongs():
    assert places_of("permutations", Config) == ["analysis.permutations"]
    assert places_of("learning_rate", Config) == ["networks.NAME.training.learning_rate"]
    assert places_of("margin", Config) == ["datasets.NAME.crop.margin"]
    assert places_of("nothing", Config) == []
