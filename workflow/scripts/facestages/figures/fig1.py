"""Figure 1: the layers of a network, drawn from its table of layers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Polygon
from matplotlib.textpath import TextPath

from facestages.figures import layout, page, style
from facestages.figures.blocks import (
    Block,
    Layer,
    check_layers,
    choose_layers,
    has_no_parts,
    place_layers,
    read_layers,
)
from facestages.text import abbreviate

#: Colour of each kind of layer: apart in grey and for every kind of colour blindness.
KINDS = {
    "convolution": "#16568F",
    "normalisation": "#8CC6EC",
    "pooling": style.COLORS["purple"],
    "dropout": "#F0DA6A",
    "dense": "#12885F",
    "other": "#EDEDED",
}

#: Layers in which branches meet.
_JOINS = ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract")

#: Outline and name of a stage.
STAGE_COLOR = "#C43C00"

_INK = "#303030"

# All lengths are millimetres on the page, which is also the unit of the axes.
_LEFT, _RIGHT, _EDGE = 17.0, 5.0, 3.0
_REACH = 4.5  # white at either end of the ruler, into which its texts may reach
_RULER = 6.5  # points
_POINT = 1 / 72 / style.MILLIMETRE


def draw(layers: pd.DataFrame, *, label: str) -> page.Drawing:
    """Draw a network's layers as blocks from left to right.

    Parameters
    ----------
    layers : pandas.DataFrame
        One row a layer of one network in the order of the forward pass, with the columns
        `figures.blocks.COLUMNS`. A ``shape`` is written ``48x48x64``, ``64x56x56`` or ``128``;
        ``stage`` may be empty. A first row of kind ``Input`` is drawn but not counted.
    label : str
        The network's name in figures.

    Returns
    -------
    figures.page.Drawing
        Its numbers are the table of layers in words: layer, kind, output, parameters and stage.

    Raises
    ------
    FacestagesError
        If a column is missing, there is no layer, or a shape is not understood.
    """
    table = check_layers(layers)
    style.use_style()
    shown, left_out = choose_layers(table)
    blocks = place_layers(read_layers(shown), _LEFT, layout.WIDTH - _LEFT - _RIGHT)
    caption = _caption(shown, blocks, left_out)

    # From the lower edge up: ruler, names, blocks, stages, legend, title.
    size = 7 if min(block.width for block in blocks) > 2.9 else 6
    names = max(_extent(_abbreviate(layer), size, "bold") for layer in shown["layer"]) + 3
    channels = _ruler(
        blocks, lambda layer: (layer.space, layer.channels), lambda layer: f"{layer.channels:,}"
    )
    pixels = _ruler(blocks, lambda layer: layer.space, _space_text)
    ground = _EDGE + _ruler_height(pixels) + _ruler_height(channels) + names
    skyline = ground + max(block.height + block.shift[1] for block in blocks)
    top = skyline + (12 if shown["stage"].any() else 3)

    figure = plt.figure(figsize=(style.PAGE_WIDTH, (top + 12) * style.MILLIMETRE))
    axis = figure.add_axes((0, 0, 1, 1), xlim=(0, layout.WIDTH), ylim=(0, top + 12))
    axis.set_axis_off()
    _write_title(axis, top + 7.5, label, table)
    _draw_legend(axis, top + 1.5, blocks)
    for block in blocks:
        _draw_block(axis, block, ground)
        _write_name(axis, block, ground, size)
    _draw_stages(axis, blocks, ground, skyline)
    of_maps = bool(blocks[0].layer.space)
    _draw_ruler(axis, channels, ground - names, "channels" if of_maps else "units")
    _draw_ruler(axis, pixels, ground - names - _ruler_height(channels), "pixels" if of_maps else "")
    title = f"{label}: {_count(table)}"
    return page.finish(figure, _in_words(table), title, [caption])


def _in_words(layers: pd.DataFrame) -> pd.DataFrame:
    columns = ["layer", "kind", "shape", "parameters", "stage"]
    table = layers[columns].rename(columns={"shape": "output"})
    return table.assign(parameters=table["parameters"].map("{:,}".format))


def _write(axis: Axes, x: float, y: float, text: str, size: float, **options) -> None:
    """Write text without formulas, which a dollar in a name would start."""
    options = {"color": _INK, "fontsize": size, "parse_math": False, **options}
    axis.text(x, y, text, **options)


def _extent(text: str, size: float, weight: str = "normal") -> float:
    """Length of a line of text on the page."""
    font = FontProperties(weight=weight)
    # A dollar would start a formula here.
    return TextPath((0, 0), text.replace("$", "S"), size, font).get_extents().width * _POINT


def _abbreviate(name: str) -> str:
    return abbreviate(name, 36)


def _write_title(axis: Axes, y: float, label: str, table: pd.DataFrame) -> None:
    _write(axis, _EDGE, y, label, 8, weight="bold")
    _write(axis, layout.WIDTH - _EDGE, y, _count(table), 7, ha="right")


def _count(table: pd.DataFrame) -> str:
    """Numbers of layers and parameters in words."""
    n = int(((table["kind"] != "Input") & has_no_parts(table)).sum())
    plural = "" if n == 1 else "s"
    return f"{n:,} layer{plural}, {int(table['network_parameters'].iloc[0]):,} parameters"


def _draw_legend(axis: Axes, y: float, blocks: Sequence[Block]) -> None:
    present = {block.layer.kind for block in blocks}
    x = _EDGE
    for kind, color in KINDS.items():
        if kind in present:
            face = [(x, y), (x + 3, y), (x + 3, y + 2.2), (x, y + 2.2)]
            axis.add_patch(Polygon(face, facecolor=color, edgecolor=_INK, linewidth=0.4))
            _write(axis, x + 4, y + 0.2, kind, 7)
            x += 4 + _extent(kind, 7) + 4.5


def _draw_block(axis: Axes, block: Block, ground: float) -> None:
    front, top, side = _faces(block, ground)
    color = to_rgb(KINDS[block.layer.kind])
    look = {"edgecolor": _INK, "linewidth": 0.35, "joinstyle": "round"}
    axis.add_patch(Polygon(side, facecolor=_mix(color, 0.0, 0.28), **look))
    axis.add_patch(Polygon(top, facecolor=_mix(color, 1.0, 0.35), **look))
    axis.add_patch(Polygon(front, facecolor=color, **look))


def _faces(block: Block, ground: float) -> tuple[list, list, list]:
    x, right, roof = block.x, block.right, ground + block.height
    dx, dy = block.shift
    front = [(x, ground), (right, ground), (right, roof), (x, roof)]
    top = [(x, roof), (right, roof), (right + dx, roof + dy), (x + dx, roof + dy)]
    side = [(right, ground), (right + dx, ground + dy), (right + dx, roof + dy), (right, roof)]
    return front, top, side


def _mix(color: Sequence[float], grey: float, share: float) -> tuple[float, ...]:
    return tuple((1 - share) * part + share * grey for part in color)


def _write_name(axis: Axes, block: Block, ground: float, size: float) -> None:
    look = {"rotation": 90, "ha": "center", "va": "top"}
    look |= {"color": STAGE_COLOR, "weight": "bold"} if block.layer.stage else {}
    _write(axis, block.middle, ground - 1.5, _abbreviate(block.layer.name), size, **look)


def _draw_stages(axis: Axes, blocks: Sequence[Block], ground: float, skyline: float) -> None:
    """Outline the stages, and name them above."""
    marked = [block for block in blocks if block.layer.stage]
    texts = [f"{block.layer.units:,} units" for block in marked]
    widths = [
        max(_extent(block.layer.stage.capitalize(), 8, "bold"), _extent(text, 6.5))
        for block, text in zip(marked, texts, strict=True)
    ]
    feet = [block.middle + block.shift[0] for block in marked]
    xs = _spread(feet, widths)
    line = {"color": STAGE_COLOR, "zorder": 3}
    for block, text, foot, x in zip(marked, texts, feet, xs, strict=True):
        front, top, _ = _faces(block, ground)
        outline = [*front[:3], *top[2:], top[0]]
        axis.add_patch(Polygon(outline, fill=False, linewidth=1.4, joinstyle="round", **line))
        roof = top[2][1]
        axis.plot([foot, foot, x], [roof, skyline + 1, skyline + 4.5], linewidth=0.8, **line)
        options = {"ha": "center", "color": STAGE_COLOR}
        _write(axis, x, skyline + 8, block.layer.stage.capitalize(), 8, weight="bold", **options)
        _write(axis, x, skyline + 5.2, text, 6.5, **options)


def _spread(wanted: Sequence[float], widths: Sequence[float]) -> list[float]:
    """Places near those wanted, where texts of these widths neither touch nor leave the page."""
    gap = 2.5
    xs = list(wanted)
    for i in range(1, len(xs)):
        xs[i] = max(xs[i], xs[i - 1] + (widths[i - 1] + widths[i]) / 2 + gap)
    limit = layout.WIDTH - _EDGE
    for i in reversed(range(len(xs))):
        xs[i] = min(xs[i], limit - widths[i] / 2)
        limit = xs[i] - widths[i] / 2 - gap
    return xs


class _Span(NamedTuple):
    """A stretch of the ruler below the blocks; its text runs upwards where it has no room."""

    left: float
    right: float
    text: str
    upright: bool

    @property
    def height(self) -> float:
        return _extent(self.text, _RULER) if self.upright else 2.5 * (self.text.count("\n") + 1)


def _ruler(blocks: Sequence[Block], key: Callable, text: Callable) -> list[_Span]:
    """A stretch for each run of layers with the same key."""
    runs = [list(run) for _, run in itertools.groupby(blocks, lambda block: key(block.layer))]
    ends = [(run[0].x, run[-1].right) for run in runs]
    gaps = [after[0] - before[1] for before, after in itertools.pairwise(ends)]
    spans = []
    for (left, right), run, *beside in zip(
        ends, runs, [_REACH, *gaps], [*gaps, _REACH], strict=True
    ):
        # A text may reach half into each gap beside it, as far as the smaller gap allows.
        room = right - left + min(beside) - 0.8
        size = text(run[0].layer)
        if _extent(size, _RULER) > room:
            size = size.replace(" × ", "\n× ")
        upright = max(_extent(line, _RULER) for line in size.splitlines()) > room
        spans.append(_Span(left, right, size.replace("\n", " ") if upright else size, upright))
    return spans


def _space_text(layer: Layer) -> str:
    if len(layer.space) == 1:
        return f"{layer.space[0]} tokens"
    return " × ".join(map(str, layer.space)) or "units"


def _ruler_height(spans: Sequence[_Span]) -> float:
    return 3 + max(span.height for span in spans)


def _draw_ruler(axis: Axes, spans: Sequence[_Span], y: float, heading: str) -> None:
    for span in spans:
        left, right = span.left + 0.3, span.right - 0.3
        axis.plot(
            [left, left, right, right], [y + 0.8, y, y, y + 0.8], color=style.GREY, linewidth=0.7
        )
        options = {"rotation": 90 if span.upright else 0, "ha": "center", "va": "top"}
        _write(axis, (left + right) / 2, y - 0.8, span.text, _RULER, **options)
    place = {"ha": "right", "va": "top"}
    _write(axis, spans[0].left - 3.2, y - 0.8, heading, _RULER, color=style.GREY, **place)


def _caption(shown: pd.DataFrame, blocks: Sequence[Block], left_out: str) -> str:
    parts = ["Layers in the order of the forward pass."]
    if shown["kind"].isin(_JOINS).any():
        parts.append("Branches stand one after another; connections are not drawn.")
    if any(block.layer.space for block in blocks):
        parts.append("Height: rows and columns, to scale; width: square root of channels.")
    if not all(block.layer.space for block in blocks):
        parts.append("Vectors are thin columns, as high as the logarithm of their units.")
    if shown["stage"].any():
        parts.append("Outlined: the stages that the analyses compare.")
    return " ".join(filter(None, [*parts, left_out]))
