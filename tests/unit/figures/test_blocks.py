"""Layers as blocks: which are shown of a large network, and what a table must have."""

import pytest

from facestages.errors import FacestagesError
from facestages.figures.blocks import check_layers, choose_layers, place_layers, read_layers
from layer_tables import light, modules, table


def choose(layers):
    shown, remark = choose_layers(check_layers(layers))
    return set(shown["layer"]), remark


def test_few_layers_are_all_shown():
    shown, remark = choose(light())
    assert shown == set(light()["layer"]) and remark == ""


def test_many_modules_are_abridged():
    assert len(modules()) == 300
    shown, remark = choose(modules())
    assert {"conv1", "layer1", "layer2", "layer2.31.bn1", "fc"} <= shown
    assert not {"layer1.0", "layer1.0.conv1", "layer2.31.relu"} & shown
    assert "the modules at the top level" in remark


def test_few_modules_stand_for_their_parts_once():
    rows = [("body.conv", "Conv2d", "8x6x6", 5), ("body", "Sequential", "8x6x6", 5)]
    shown, _ = choose(table([*rows, ("fc", "Linear", "3", 7)]))
    assert shown == {"body.conv", "fc"}


def test_several_tensors_of_a_layer_are_one_block():
    rows = [(name, "LSTM", "6x7", 5) for name in ("lstm", "lstm[0]", "lstm[1]", "lstm@mean")]
    shown, _ = choose(table([*rows, ("fc", "Linear", "3", 7)], {"lstm@mean": "early"}))
    assert shown == {"lstm", "lstm@mean", "fc"}


def test_many_layers_without_modules_are_abridged():
    sides = [64] * 40 + [32] * 40 + [16] * 40
    rows = [(f"layer_{n}", "Conv2D", f"{side}x{side}x8", 1) for n, side in enumerate(sides)]
    shown, remark = choose(table(rows, {"layer_50": "early"}))
    assert shown == {"layer_39", "layer_50", "layer_79", "layer_119"}
    assert "the last layer at each number of rows and columns" in remark


def test_size_that_changes_all_the_time():
    rows = [(f"layer_{n}", "Conv2D", f"{200 - n}x{200 - n}x8", 1) for n in range(120)]
    shown, remark = choose(table(rows, {"layer_50": "early"}))
    assert shown == {"layer_50", "layer_119"}
    assert remark == "Shown: the stages and the last layer."


def test_rows_and_columns_are_told_from_channels():
    rows = [("a", "Conv2d", "64x56x56"), ("b", "Conv2d", "28x28x28"), ("c", "Conv2d", "8x14x10")]
    layers = read_layers(check_layers(table([(*row, 0) for row in rows])))
    assert [layer.space for layer in layers] == [(56, 56), (28, 28), (14, 10)]
    assert [layer.channels for layer in layers] == [64, 28, 8]


def test_maps_have_the_proportions_of_the_input():
    """55 x 47 pixels: channels last and first in one network of Keras, whatever the framework."""
    rows = [("a", "Conv2D", "53x45x46"), ("b", "Conv2D", "8x27x23"), ("c", "Dense", "16")]
    rows = [("input", "Input", "55x47x3"), *rows]
    layers = read_layers(check_layers(table([(*row, 0) for row in rows])))
    assert [layer.space for layer in layers] == [(55, 47), (53, 45), (27, 23), ()]


def test_blocks_fill_their_room_in_order():
    blocks = place_layers(read_layers(check_layers(light())), 17, 158)
    assert 17 <= blocks[0].x and blocks[-1].right <= 17 + 158 + 1e-9
    assert all(one.right <= other.x + 1e-9 for one, other in zip(blocks, blocks[1:], strict=False))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda layers: layers.drop(columns="shape"), "no column shape"),
        (lambda layers: layers[:0], "no rows"),
        (lambda layers: layers.assign(shape="48x?x64"), "input of net has the shape '48x\\?x64'"),
        (lambda layers: layers.assign(shape=""), "input of net has the shape ''"),
        (lambda layers: layers.assign(shape="0x0x8"), "the shape '0x0x8'"),
        (lambda layers: layers.assign(parameters=""), "input of net has no number of parameters"),
    ],
)
def test_bad_table_is_an_error_of_one_line(change, words):
    with pytest.raises(FacestagesError, match=words) as caught:
        choose(change(light()))
    assert "run again" in str(caught.value) and "\n" not in str(caught.value)
