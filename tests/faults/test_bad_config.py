"""Mistakes in the config: refused before any job, one line each."""

import pytest

from facestages.config import load_config
from facestages.errors import FacestagesError

MINI_XCEPTION = {
    "label": "X",
    "architecture": "mini_xception",
    "weights": {"asset": "mini_exception", "member": "x"},
    "stages": {"early": "predictions"},
}


def set_key(config, path, value):
    """Set, or with None remove, the key at a dotted path."""
    *above, last = path.split(".")
    for key in above:
        config[key] = dict(config[key])
        config = config[key]
    if value is None:
        del config[last]
    else:
        config[last] = value


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("analyis", {}, ("top level: unknown key 'analyis'", "did you mean 'analysis'?")),
        ("analysis.permutations", "five", ("analysis.permutations = 'five'", "valid integer")),
        ("networks.pixels.stages.early", "pixel", ("stages.early = 'pixel'", "mean 'pixels'?")),
        ("networks.pixels.architecture", "pixel", ("architecture = 'pixel'", "mean 'pixels'?")),
        ("figures.fig4.datasets", ["owm"], ("figures.fig4.datasets = 'owm'", "mean 'own'?")),
        ("figures.fig4.networks", ["pixel"], ("fig4.networks = 'pixel'", "mean 'pixels'?")),
        ("networks.x", MINI_XCEPTION, ("networks.x.weights.asset = ", "mean 'mini_xception'?")),
        ("networks", None, ("config: networks: this key is missing", "config/README.md")),
    ],
)
def test_a_mistake_is_named_with_what_is_allowed(workspace, path, value, said):
    set_key(workspace.config, path, value)
    workspace.refuse_config("all", *said)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("datasets.own.tabel", "x", "config: datasets.own: unknown key 'tabel': did you mean"),
        ("datasets.own.label", None, "config: datasets.own.label: this key is missing"),
        ("datasets.own.table", 5, "config: datasets.own.table = 5: "),
        ("datasets.own.source", "tabel", "config: datasets.own.source = 'tabel': did you mean"),
    ],
)
def test_the_key_is_named_as_it_was_written(finished, path, value, said):
    config = dict(finished.config)
    set_key(config, path, value)
    with pytest.raises(FacestagesError) as caught:
        load_config(config)
    assert str(caught.value).startswith(said) and len(str(caught.value).splitlines()) == 1


def test_an_unknown_target_is_refused(workspace):
    result = workspace.refuse("results/separability/own/pixel/seed-0.csv")
    assert "results/separability/own/pixel/seed-0.csv" in result.stderr


# Snakemake itself reads a file given with --configfile, before any line of the Snakefile.
@pytest.mark.parametrize("text", ["a: [b", "", "just text"], ids=["no YAML", "empty", "no keys"])
def test_a_config_file_that_is_none(workspace, text):
    workspace.config = workspace.folder / "x.yaml"
    workspace.config.write_text(text)
    result = workspace.refuse("all")
    assert "Config file" in result.stderr and "YAML" in result.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b"analysis:\n  labels: [a\nx: y",
            "x.yaml: cannot be read as YAML: line 3, column 2: expected",
        ),
        (b"a\n\xff\xfe\xfa", "x.yaml: cannot be read as YAML: line 2: is no text in UTF-8"),
        (b"", "x.yaml: must hold keys and values"),
        (b"just text", "x.yaml: must hold keys and values"),
        (None, "x.yaml: no such file"),
    ],
    ids=["no YAML", "no text", "empty", "no keys", "missing"],
)
def test_a_config_file_that_the_library_reads(tmp_path, content, said):
    path = tmp_path / "x.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FacestagesError) as caught:
        load_config(path)
    assert str(caught.value).startswith(str(tmp_path)) and said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
