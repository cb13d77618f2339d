"""Tables of layers."""

import pytest

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
