"""`facestages check`: what is wrong with a config, and what is odd about its files."""

import numpy as np
import pytest
import yaml
from PIL import Image

from facestages.__main__ import main
from facestages.doctor.check import check_config
from facestages.errors import FacestagesError

TABLE = "path,identity,expression\na.png,p1,happy\nb.png,p1,sad\nc.png,p2,happy\nd.png,p2,sad\n"
NETWORK = {
    "label": "NN3",
    "architecture": "light_cnn",
    "classes": ["happy", "sad"],
    "stages": {
        "early": "batchnorm_1",
        "middle": "flatten",
        "penultimate": "dropout_4",
        "final": "out_layer",
    },
}


def write_config(place, lines=TABLE, **changes):
    """A config of four pictures of two people, with changes of its face set."""
    for number, name in enumerate("abcd"):
        pixels = np.full((20, 20), 40 * number, np.uint8)
        Image.fromarray(pixels).save(place / f"{name}.png")
    (place / "faces.csv").write_text(lines)
    faces = {"source": "table", "label": "Mine", "table": str(place / "faces.csv"), "size": 20}
    config = {
        "datasets": {"mine": {**faces, "color": "grey", "crop": None, **changes}},
        "networks": {"nn3": {**NETWORK, "weights": "untrained"}},
        "figures": {"fig4": {"datasets": ["mine"], "networks": ["nn3"]}},
    }
    path = place / "mine.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def test_nothing_is_wrong(tmp_path):
    path = write_config(tmp_path)
    assert check_config(path) == [f"{path}: no mistake; figures: figures.fig4"]


def test_an_odd_word_is_named_and_no_mistake(tmp_path):
    path = write_config(tmp_path, TABLE.replace("sad", "sadly"))
    odd, last = check_config(path)
    assert (
        odd.startswith("look at: datasets.mine.table = ")
        and "'sadly' (2 pictures, did you mean 'sad'?)" in odd
    )
    assert "rename" in odd and "no mistake" in last


@pytest.mark.parametrize(
    ("table", "changes", "words"),
    [
        (TABLE.replace("b.png", "bb.png"), {}, "there is no picture"),
        (TABLE.replace("identity", "person"), {}, "columns: {identity: person}"),
        (TABLE, {"folder": "none"}, "datasets.mine.folder = 'none': no such file or folder"),
        (TABLE, {"table": "none.csv"}, "datasets.mine.table = 'none.csv': no such file"),
        (TABLE, {"histogram": "match"}, "its place is datasets.NAME.crop.histogram"),
        (TABLE, {"crop": {}, "size": None}, "size"),
    ],
)
def test_what_would_end_a_run(tmp_path, capsys, table, changes, words):
    path = write_config(tmp_path, table, **changes)
    with pytest.raises(FacestagesError) as caught:
        check_config(path)
    assert words in str(caught.value)
    assert main(["check", str(path)]) == 1
    assert words in capsys.readouterr().err


def test_licensed_sets_that_are_not_there_are_left_out():
    lines = check_config("config/paper.yaml")
    assert any(line.startswith("left out: datasets.kdef.path") for line in lines)
    assert "no mistake" in lines[-1]
