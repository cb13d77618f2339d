"""Tables of layers."""

import pytest

from facestages.architectures import InputSpec
from facestages.errors import FacestagesError
from facestages.figures.blocks import check_layers
from facestages.networks import load_network
from facestages.networks.listing import describe_layers, print_layers
from facestages.tables import write_table


@pytest.fixture(scope="module")
def network():
    return load_network("nn3", architecture="light_cnn", classes=["happy", "sad", "neutral"])


def test_table_of_layers(network, tmp_path, capsys):
    stages = {"early": "batchnorm_1", "middle": "flatten", "penultimate": "flatten"}
    table = describe_layers(network, stages).set_index("layer")
    assert list(table.index) == ["input", *network.layers]
    assert table.loc["conv2d_1", ["kind", "shape", "parameters"]].tolist() == [
        "Conv2D",
        "48x48x64",
        5 * 5 * 64 + 64,
    ]
    assert table["parameters"].sum() == 2_395_075 == table["network_parameters"].iloc[0]
    assert table.loc["flatten", "stage"] == "middle, penultimate"
    write_table(tmp_path / "nn3.csv", table.reset_index())
    print_layers(tmp_path / "nn3.csv", "posed", tmp_path / "none.h5")
    lines = capsys.readouterr().out.splitlines()
    assert "2,395,075 parameters; on disk for 1,000 pictures (posed is not" in lines[0]
    assert lines[3].split() == ["conv2d_1", "Conv2D", "48x48x64", "147,456", "1,664", "590", "MB"]


class Listed:
    """A network with parts of layers, tokens, and outputs that cannot be recorded."""

    name, n_parameters, input = "net", 10, InputSpec(8, 3)
    layers = {
        **{"blocks.0": (17, 8), "blocks.0@cls": (8,), "blocks.0@mean": (8,)},
        **{"blocks.0[1]": (2, 17, 17), "head": (5,)},
    }
    kinds, parameters = dict.fromkeys(layers, "Kind"), dict.fromkeys(layers, 1)
    unlisted = {"proj": "it does not run"}


def listing(tmp_path, capsys, stages):
    write_table(tmp_path / "net.csv", describe_layers(Listed(), stages))
    print_layers(tmp_path / "net.csv", "posed", tmp_path / "none.h5")
    return capsys.readouterr().out.splitlines()


def test_layers_are_listed_whatever_is_wrong_with_the_stages(tmp_path, capsys):
    stages = {"early": "blocks.3", "middle": "blocks.0@cls", "final": "proj", "last": "*"}
    lines = listing(tmp_path, capsys, stages)
    rows = [line.split()[0] for line in lines[3:7]]
    assert rows == ["blocks.0", "blocks.0@cls", "blocks.0[1]", "head"]
    assert lines[4].split()[-1] == "middle"
    assert "blocks.0@cls is the first token" in lines[8]
    assert lines[10:] == [
        "Stages without a layer:",
        "  final: no layer 'proj': it does not run",
        "  early: no layer 'blocks.3': did you mean 'blocks.0'?",
        "  last: no layer '*': no layer has a similar name",
    ]


def test_a_network_without_layers_is_listed(tmp_path, capsys):
    network = Listed()
    network.layers = {}
    write_table(tmp_path / "net.csv", describe_layers(network, {"early": "conv"}))
    print_layers(tmp_path / "net.csv", "posed", tmp_path / "none.h5")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("net: 0 layers")
    assert "No part of it is a layer" in lines[4]
    assert lines[-4:-2] == ["  proj: it does not run", ""]


def test_what_cannot_be_recorded_is_listed_with_the_reason(tmp_path, capsys):
    lines = listing(tmp_path, capsys, {})
    assert lines[-2:] == ["Not recorded:", "  proj: it does not run"]


def test_a_stage_without_a_layer_is_not_drawn():
    table = describe_layers(Listed(), {"early": "head"})
    assert list(check_layers(table)["layer"]) == ["input", "blocks.0", "blocks.0[1]", "head"]
    with pytest.raises(FacestagesError, match="net: no layer 'hed': did you mean 'head'?"):
        check_layers(describe_layers(Listed(), {"early": "hed"}))
