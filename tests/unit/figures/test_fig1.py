"""Figure 1: every layer named, the stages marked, sizes to scale, and large networks abridged."""

import itertools
import math

import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Polygon

from facestages.errors import FacestagesError
from facestages.figures import fig1, style

STAGES = {
    "batchnorm_1": "early",
    "flatten": "identity",
    "dropout_4": "penultimate",
    "out_layer": "final",
}


def table(rows, stages=()):
    """A table of layers from their names, kinds, shapes and parameters."""
    stages = dict(stages)
    return pd.DataFrame(
        {
            "network": "net",
            "layer": name,
            "kind": kind,
            "shape": shape,
            "units": math.prod(map(int, shape.split("x"))),
            "parameters": parameters,
            "network_parameters": 1_234_567,
            "stage": stages.get(name, ""),
        }
        for name, kind, shape, parameters in rows
    )


@pytest.fixture
def light():
    rows = [("input", "Input", "48x48x1", 0)]
    for block, (side, channels) in enumerate([(48, 64), (24, 128), (12, 256)]):
        for number in (2 * block + 1, 2 * block + 2):
            shape = f"{side}x{side}x{channels}"
            rows.append((f"conv2d_{number}", "Conv2D", shape, 1000))
            rows.append((f"batchnorm_{number}", "BatchNormalization", shape, 100))
        shape = f"{side // 2}x{side // 2}x{channels}"
        rows.append((f"maxpool2d_{block + 1}", "MaxPooling2D", shape, 0))
        rows.append((f"dropout_{block + 1}", "Dropout", shape, 0))
    rows += [("flatten", "Flatten", "9216", 0), ("dense_1", "Dense", "128", 5000)]
    rows += [("batchnorm_7", "BatchNormalization", "128", 10), ("dropout_4", "Dropout", "128", 0)]
    return table([*rows, ("out_layer", "Dense", "3", 387)], STAGES)


@pytest.fixture
def xception():
    """Long names, branches, and as many layers as are drawn one by one."""
    rows = [("input", "Input", "64x64x1", 0), ("conv2d_1", "Conv2D", "62x62x8", 72)]
    for block, side in enumerate((60, 30, 15, 8, 4)):
        shape = f"{side}x{side}x{8 << block}"
        for number in range(2 * block, 2 * block + 2):
            rows.append((f"separable_conv2d_{number}", "SeparableConv2D", shape, 9))
            rows.append((f"batch_normalization_{number}", "BatchNormalization", shape, 9))
            rows.append((f"activation_{number}", "Activation", shape, 0))
            rows.append((f"max_pooling2d_{number}", "MaxPooling2D", shape, 0))
        rows.append((f"add_{block}", "Add", shape, 0))
    rows.append(("global_average_pooling2d_1", "GlobalAveragePooling2D", "7", 0))
    rows.append(("predictions", "Activation", "7", 0))
    stages = ("batch_normalization_1", "add_4", "global_average_pooling2d_1", "predictions")
    return table(rows, zip(stages, STAGES.values(), strict=True))


@pytest.fixture
def modules():
    """A residual network in PyTorch: 300 modules that hold each other."""
    rows = [("input", "Input", "3x224x224", 0), ("conv1", "Conv2d", "64x112x112", 9408)]
    rows += [("bn1", "BatchNorm2d", "64x112x112", 128), ("maxpool", "MaxPool2d", "64x56x56", 0)]
    for stage, (channels, side, blocks) in enumerate([(256, 56, 30), (512, 28, 40)], start=1):
        shape = f"{channels}x{side}x{side}"
        for block in range(blocks):
            name = f"layer{stage}.{block}"
            rows += [
                (f"{name}.conv1", "Conv2d", shape, 10),
                (f"{name}.bn1", "BatchNorm2d", shape, 2),
            ]
            rows += [(f"{name}.relu#1", "ReLU", shape, 0), (name, "BasicBlock", shape, 12)]
        rows.append((f"layer{stage}", "Sequential", shape, 12 * blocks))
    rows += [("avgpool", "AdaptiveAvgPool2d", "512x1x1", 0), ("fc", "Linear", "7", 3591)]
    stages = {"bn1": "early", "layer2.31.bn1": "identity", "avgpool": "penultimate", "fc": "final"}
    return table(
        [*rows, *((f"head.{n}", "Identity", "7", 0) for n in range(300 - len(rows)))], stages
    )


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def caption(figure):
    return " ".join(texts(figure)[-1].split())


def outlines(figure):
    """Left edge of each layer that is marked as a stage."""
    patches = [patch for patch in figure.axes[0].patches if not patch.get_fill()]
    assert all(to_hex(patch.get_edgecolor()).upper() == fig1.STAGE_COLOR for patch in patches)
    return [patch.get_xy()[:, 0].min() for patch in patches]


def fronts(figure, layers):
    """Height and width of each layer's front, by the layer's name."""
    blocks = [patch for patch in figure.axes[0].patches if isinstance(patch, Polygon)]
    faces = [patch.get_xy() for patch in blocks if patch.get_fill()][-3 * len(layers) :][2::3]
    sizes = [face.max(axis=0) - face.min(axis=0) for face in faces]
    return {name: (y, x) for name, (x, y) in zip(layers["layer"], sizes, strict=True)}


@pytest.mark.parametrize("network", ["light", "xception"])
def test_every_layer_is_named_and_no_text_hides_another(network, request):
    layers = request.getfixturevalue(network)
    figure = fig1.draw_fig1(layers, label="Network", note="Seed 0.")
    assert set(layers["layer"]) <= set(texts(figure))
    written = figure.axes[0].texts
    assert min(text.get_fontsize() for text in written) >= 6
    figure.draw_without_rendering()
    boxes = [text.get_window_extent().padded(-1) for text in written]
    for (one, a), (other, b) in itertools.combinations(zip(written, boxes, strict=True), 2):
        assert not a.overlaps(b), (one.get_text(), other.get_text())
    assert all(figure.bbox.containsx(box.x0) and figure.bbox.containsx(box.x1) for box in boxes)


def test_title_legend_ruler_and_caption(light):
    figure = fig1.draw_fig1(light, label="NN1", note="Seed 0.")
    written = texts(figure)
    assert {"NN1", "23 layers, 1,234,567 parameters"} <= set(written)
    assert set(fig1.KINDS) <= set(written)
    assert {"48 × 48", "24 × 24", "12 × 12", "6 × 6", "64", "256", "9,216"} <= set(written)
    assert caption(figure).endswith("the stages that the analyses compare. Seed 0.")
    assert "Branches" not in caption(figure)


def test_branches_are_said(xception):
    assert "connections are not drawn" in caption(fig1.draw_fig1(xception, label="Network"))


def test_stages_are_named_and_outlined(light):
    figure = fig1.draw_fig1(light, label="NN1")
    assert len(outlines(figure)) == len(STAGES)
    colors = {text.get_text(): to_hex(text.get_color()).upper() for text in figure.axes[0].texts}
    marked = {text for text, color in colors.items() if color == fig1.STAGE_COLOR}
    assert set(STAGES) | {stage.capitalize() for stage in STAGES.values()} <= marked
    assert "147,456 units" in marked and "conv2d_1" not in marked


def test_network_without_stages(light):
    figure = fig1.draw_fig1(light.assign(stage=float("nan")), label="NN1")
    assert not outlines(figure)
    assert "Early" not in texts(figure) and "analyses" not in caption(figure)


def test_blocks_are_to_scale(light):
    sizes = fronts(fig1.draw_fig1(light, label="NN1"), light)
    heights = [sizes[name][0] for name in ("conv2d_1", "conv2d_3", "conv2d_5", "maxpool2d_3")]
    assert heights == pytest.approx([heights[0] / part for part in (1, 2, 4, 8)])
    widths = [sizes[name][1] for name in ("dense_1", "input", "conv2d_1", "conv2d_3", "conv2d_5")]
    assert widths == sorted(widths) and len(set(widths)) == 5
    assert sizes["flatten"][0] > sizes["dense_1"][0] > sizes["out_layer"][0]


def test_channels_may_come_first():
    rows = [("a", "Conv2d", "64x56x56"), ("b", "Conv2d", "28x28x28"), ("c", "Conv2d", "8x14x10")]
    layers = table([(*row, 0) for row in rows])
    written = texts(fig1.draw_fig1(layers, label="Torch"))
    assert {"64", "56 × 56", "8", "14 × 10"} <= set(written)


def test_vectors_alone_are_drawn():
    layers = table([("a", "Dense", "128", 9), ("b", "Dense", "3", 9)])
    figure = fig1.draw_fig1(layers.assign(shape=[128, 3]), label="Dense")
    assert {"a", "b", "128", "3", "units"} <= set(texts(figure))


def test_many_modules_are_abridged(modules):
    figure = fig1.draw_fig1(modules, label="ResNet")
    written = texts(figure)
    assert len(modules) == 300
    assert {"conv1", "layer1", "layer2", "layer2.31.bn1", "fc"} <= set(written)
    assert not {"layer1.0", "layer1.0.conv1", "layer2.31.relu"} & set(written)
    assert "the modules at the top level, each for all of its parts" in caption(figure)
    assert len(outlines(figure)) == 4
    # Those of the whole network, not the sum of modules that hold each other.
    assert any(text.endswith(" 1,234,567 parameters") for text in written)


def test_few_modules_stand_for_their_parts_once():
    rows = [("body.conv", "Conv2d", "8x6x6", 5), ("body", "Sequential", "8x6x6", 5)]
    written = texts(fig1.draw_fig1(table([*rows, ("fc", "Linear", "3", 7)]), label="Small"))
    assert {"body.conv", "fc", "2 layers, 1,234,567 parameters"} <= set(written)
    assert "body" not in written


def test_many_layers_without_modules_are_abridged():
    sides = [64] * 40 + [32] * 40 + [16] * 40
    rows = [(f"layer_{n}", "Conv2D", f"{side}x{side}x8", 1) for n, side in enumerate(sides)]
    figure = fig1.draw_fig1(table(rows, {"layer_50": "early"}), label="Deep")
    assert {"layer_39", "layer_50", "layer_79", "layer_119"} <= set(texts(figure))
    assert "layer_0" not in texts(figure)
    assert "the last layer at each number of rows and columns" in caption(figure)


def test_size_that_changes_all_the_time():
    rows = [(f"layer_{n}", "Conv2D", f"{200 - n}x{200 - n}x8", 1) for n in range(120)]
    figure = fig1.draw_fig1(table(rows, {"layer_50": "early"}), label="Odd")
    assert {"layer_50", "layer_119"} <= set(texts(figure))
    assert "Shown: the stages and the last layer." in caption(figure)


def test_same_bytes_twice(light, tmp_path):
    kinds = ("pdf", "svg", "png")
    for run in "ab":
        figure = fig1.draw_fig1(light, label="NN1")
        style.save_figure(figure, {kind: tmp_path / f"{run}.{kind}" for kind in kinds})
    for kind in kinds:
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


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
def test_bad_table_is_an_error_of_one_line(light, change, words):
    with pytest.raises(FacestagesError, match=words) as caught:
        fig1.draw_fig1(change(light), label="NN1")
    assert "run again" in str(caught.value) and "\n" not in str(caught.value)
