"""Figure 1: every layer named, the stages marked, sizes to scale."""

import itertools

import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Polygon

import layer_tables
from facestages.figures import fig1, style
from layer_tables import STAGES, table


@pytest.fixture
def light():
    return layer_tables.light()


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


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


@pytest.mark.parametrize("layers", [layer_tables.light(), layer_tables.xception()])
def test_every_layer_is_named_and_no_text_hides_another(layers):
    figure = fig1.draw(layers, label="Network").figure
    assert set(layers["layer"]) <= set(texts(figure))
    written = figure.axes[0].texts
    assert min(text.get_fontsize() for text in written) >= 6
    figure.draw_without_rendering()
    boxes = [text.get_window_extent().padded(-1) for text in written]
    for (one, a), (other, b) in itertools.combinations(zip(written, boxes, strict=True), 2):
        assert not a.overlaps(b), (one.get_text(), other.get_text())
    assert all(figure.bbox.containsx(box.x0) and figure.bbox.containsx(box.x1) for box in boxes)


def test_title_legend_ruler_and_caption(light):
    figure, _, title, caption = fig1.draw(light, label="NN1")
    written = texts(figure)
    assert title == "NN1: 23 layers, 1,234,567 parameters"
    assert {"NN1", "23 layers, 1,234,567 parameters"} <= set(written)
    assert set(fig1.KINDS) <= set(written)
    assert {"48 × 48", "24 × 24", "12 × 12", "6 × 6", "64", "256", "9,216"} <= set(written)
    assert caption.endswith("the stages that the analyses compare.")
    assert "Branches" not in caption


def test_branches_are_said():
    drawing = fig1.draw(layer_tables.xception(), label="Network")
    assert "connections are not drawn" in drawing.caption


def test_large_network_is_abridged_and_says_so():
    figure, *_, caption = fig1.draw(layer_tables.modules(), label="ResNet")
    assert "the modules at the top level, each for all of its parts" in caption
    assert len(outlines(figure)) == 4
    # Those of the whole network, not the sum of modules that hold each other.
    assert any(text.endswith(" 1,234,567 parameters") for text in texts(figure))


def test_parts_are_not_counted_twice():
    rows = [("body.conv", "Conv2d", "8x6x6", 5), ("body", "Sequential", "8x6x6", 5)]
    drawing = fig1.draw(table([*rows, ("fc", "Linear", "3", 7)]), label="Small")
    assert "2 layers, 1,234,567 parameters" in texts(drawing.figure)


def test_numbers_are_the_table_of_layers(light):
    numbers = fig1.draw(light, label="NN1").numbers
    assert list(numbers) == ["layer", "kind", "output", "parameters", "stage"]
    assert list(numbers.iloc[1]) == ["conv2d_1", "Conv2D", "48x48x64", "1,000", ""]


def test_stages_are_named_and_outlined(light):
    figure = fig1.draw(light, label="NN1").figure
    assert len(outlines(figure)) == len(STAGES)
    colors = {text.get_text(): to_hex(text.get_color()).upper() for text in figure.axes[0].texts}
    marked = {text for text, color in colors.items() if color == fig1.STAGE_COLOR}
    assert set(STAGES) | {stage.capitalize() for stage in STAGES.values()} <= marked
    assert "147,456 units" in marked and "conv2d_1" not in marked


def test_network_without_stages(light):
    figure, *_, caption = fig1.draw(light.assign(stage=float("nan")), label="NN1")
    assert not outlines(figure)
    assert "Early" not in texts(figure) and "analyses" not in caption


def test_blocks_are_to_scale(light):
    sizes = fronts(fig1.draw(light, label="NN1").figure, light)
    heights = [sizes[name][0] for name in ("conv2d_1", "conv2d_3", "conv2d_5", "maxpool2d_3")]
    assert heights == pytest.approx([heights[0] / part for part in (1, 2, 4, 8)])
    widths = [sizes[name][1] for name in ("dense_1", "input", "conv2d_1", "conv2d_3", "conv2d_5")]
    assert widths == sorted(widths) and len(set(widths)) == 5
    assert sizes["flatten"][0] > sizes["dense_1"][0] > sizes["out_layer"][0]


def test_channels_may_come_first():
    rows = [("a", "Conv2d", "64x56x56"), ("b", "Conv2d", "28x28x28"), ("c", "Conv2d", "8x14x10")]
    layers = table([(*row, 0) for row in rows])
    written = texts(fig1.draw(layers, label="Torch").figure)
    assert {"64", "56 × 56", "8", "14 × 10"} <= set(written)


def test_vectors_alone_are_drawn():
    layers = table([("a", "Dense", "128", 9), ("b", "Dense", "3", 9)])
    figure = fig1.draw(layers.assign(shape=[128, 3]), label="Dense").figure
    assert {"a", "b", "128", "3", "units"} <= set(texts(figure))


def test_same_bytes_twice(light, tmp_path):
    kinds = ("pdf", "svg", "png")
    for run in "ab":
        figure = fig1.draw(light, label="NN1").figure
        style.save_figure(figure, {kind: tmp_path / f"{run}.{kind}" for kind in kinds})
    for kind in kinds:
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()
