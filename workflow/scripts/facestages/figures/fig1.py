"""Figure 1: the layers of a network, drawn from the network itself."""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Polygon
from matplotlib.textpath import TextPath

from facestages.errors import FacestagesError
from facestages.figures import style
from facestages.tables import markdown_table

#: Columns that a table of layers must have.
COLUMNS = ("network", "layer", "kind", "shape", "parameters", "stage", "network_parameters")

#: More layers than this do not fit beside each other on a page in legible type.
MOST_LAYERS = 50

#: Colour of each kind of layer: apart in grey and for every kind of colour blindness.
KINDS = {
    "convolution": "#16568F",
    "normalisation": "#8CC6EC",
    "pooling": "#CC79A7",
    "dropout": "#F0DA6A",
    "dense": "#12885F",
    "other": "#EDEDED",
}

#: Layers in which branches meet.
_JOINS = ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract")

#: The layers that the analyses use.
STAGE_COLOR = "#C43C00"

_INK = "#303030"
_FAINT = "#808080"

# All lengths below are millimetres on the page, which is the unit of the drawing's axes too.
_PAGE = style.PAGE_WIDTH / style.MILLIMETRE
_LEFT, _RIGHT, _EDGE = 17.0, 5.0, 3.0
_TALLEST, _LOWEST = 35.0, 0.9
_NARROWEST, _NARROW, _WIDEST = 2.5, 3.6, 14.0
_MOST_GROWTH = 0.8  # of a block's width with the square root of its channels
_GAP, _VECTOR_GAP = 2.4, 5.0
_DEPTH = (0.13, 0.085)  # the far face of a block is so much of its height to the right, and above
_LINE = 3.4
_REACH = 4.5  # the white at either end that a text of the ruler may use
_RULER = 6.5
_POINT = 1 / 72 / style.MILLIMETRE


@dataclass(frozen=True)
class _Layer:
    """A layer; `space` is its rows and columns, none where its output is a vector."""

    name: str
    kind: str
    space: tuple[int, ...]
    channels: int
    stage: str

    @property
    def side(self) -> float:
        # Tokens, which have one axis, are counted as if they lay in a square.
        return math.sqrt(math.prod(self.space))

    @property
    def units(self) -> int:
        return math.prod(self.space) * self.channels


@dataclass(frozen=True)
class _Block:
    """A layer with its place on the page: left edge, width, height, and shift of the far face."""

    layer: _Layer
    x: float
    width: float
    height: float
    shift: tuple[float, float]

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


def draw_fig1(layers: pd.DataFrame, *, label: str, note: str = "") -> Figure:
    """Draw a network's layers as blocks from left to right.

    Parameters
    ----------
    layers : pandas.DataFrame
        One row a layer of one network in the order of the forward pass, with the columns of
        `COLUMNS`; ``shape`` such as ``48x48x64``, ``64x56x56`` or ``128``; ``stage`` may be empty.
        A first row of kind ``Input`` is drawn but not counted.
    label : str
        The network's name in figures.
    note : str
        What the caption says besides, such as where the weights come from.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    FacestagesError
        If a column is missing, there is no layer, or a shape is not understood.
    """
    table = _check(layers)
    style.use_style()
    shown, left_out = _choose_rows(table)
    blocks = _place(_read_layers(shown))
    caption = _caption(shown, blocks, left_out, note)

    # From the lower edge up: caption, ruler, names, blocks, stages, legend, title.
    size = 7 if min(block.width for block in blocks) > 2.9 else 6
    names = max(_extent(_shorten(layer), size, "bold") for layer in shown["layer"]) + 3
    channels = _ruler(blocks, _size_key, lambda layer: f"{layer.channels:,}")
    pixels = _ruler(blocks, lambda layer: layer.space, _space_text)
    below = (caption.count("\n") + 1) * _LINE + _EDGE
    ground = below + _ruler_height(pixels) + _ruler_height(channels) + names
    skyline = ground + max(block.height + block.shift[1] for block in blocks)
    top = skyline + (12 if shown["stage"].any() else 3)

    figure, axis = _page(top + 12)
    _write_title(axis, top + 7.5, label, table)
    _draw_legend(axis, top + 1.5, blocks)
    for block in blocks:
        _draw_block(axis, block, ground)
        _write_name(axis, block, ground, size)
    _draw_stages(axis, blocks, ground, skyline)
    of_maps = bool(blocks[0].layer.space)
    _draw_ruler(axis, channels, ground - names, "channels" if of_maps else "units")
    _draw_ruler(axis, pixels, ground - names - _ruler_height(channels), "pixels" if of_maps else "")
    _write(axis, _EDGE, below - 1, caption, 7, va="top", linespacing=1.35)
    return figure


def layers_in_words(layers: pd.DataFrame) -> str:
    """The table of Figure 1 in Markdown: every layer with its kind, output, parameters and stage.

    Parameters
    ----------
    layers : pandas.DataFrame
        As for `draw_fig1`.
    """
    shown = layers[["layer", "kind", "shape", "parameters", "stage"]]
    shown = shown.assign(parameters=shown["parameters"].map("{:,}".format))
    return markdown_table(shown.rename(columns={"shape": "output"}))


def _check(layers: pd.DataFrame) -> pd.DataFrame:
    """The table with the columns' own types: a network of vectors alone has numbers as shapes."""
    missing = [column for column in COLUMNS if column not in layers]
    if missing:
        raise FacestagesError(
            f"Figure 1: the table of layers has no column {', '.join(missing)}; delete the table "
            f"and run again"
        )
    if layers.empty:
        raise FacestagesError(
            "Figure 1 has nothing to draw: the table of layers has no rows; delete the table and "
            "run again"
        )
    table = layers.astype(dict.fromkeys(("network", "layer", "kind", "shape"), str))
    table["stage"] = table["stage"].fillna("").astype(str)
    table["parameters"] = pd.to_numeric(table["parameters"], errors="coerce")
    for row in table[table["parameters"].isna()].itertuples():
        raise FacestagesError(
            f"Figure 1: layer {row.layer} of {row.network} has no number of parameters; delete the "
            f"table of layers and run again"
        )
    return table


def _choose_rows(table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The layers that are drawn, and what to say of those that are not: as many as fit."""
    always = (table["stage"] != "") | (table["kind"] == "Input")
    whole = ~table["layer"].str.contains(".", regex=False)
    layers = _read_layers(table)
    last = [here.space != after.space for here, after in itertools.pairwise(layers)] + [True]
    end = [False] * (len(table) - 1) + [True]
    choices = [
        (_has_no_parts(table), ""),
        (whole, "Shown: the modules at the top level, each for all of its parts, and the stages."),
        (last, "Shown: the last layer at each number of rows and columns, and the stages."),
        (end, "Shown: the stages and the last layer."),
    ]
    shown = [(table[always | np.asarray(chosen)], remark) for chosen, remark in choices]
    return next((choice for choice in shown if len(choice[0]) <= MOST_LAYERS), shown[-1])


def _has_no_parts(table: pd.DataFrame) -> pd.Series:
    """Which rows are no modules that hold other rows, and so would be drawn or counted twice."""
    holders = {holder for name in table["layer"] for holder in _holders(name)}
    return ~table["layer"].str.partition("#")[0].isin(holders)


def _holders(name: str) -> list[str]:
    """The modules that hold a module: ``a`` and ``a.b`` for ``a.b.c``."""
    return [name[:end] for end, mark in enumerate(name) if mark == "."]


def _read_layers(table: pd.DataFrame) -> list[_Layer]:
    first = _channels_first(table)
    return [
        _Layer(row.layer, _kind(row.kind), *_read_shape(row, first), row.stage)
        for row in table.itertuples()
    ]


def _channels_first(table: pd.DataFrame) -> bool:
    """Whether rows and columns come last, as in PyTorch, whose classes are spelled Conv2d."""
    return bool(table["kind"].str.contains(r"\dd$").any())


def _read_shape(row, channels_first: bool) -> tuple[tuple[int, ...], int]:
    """Rows and columns, and channels."""
    sizes = row.shape.split("x")
    if not all(size.isascii() and size.isdigit() and int(size) > 0 for size in sizes):
        raise FacestagesError(
            f"Figure 1: layer {row.layer} of {row.network} has the shape '{row.shape}', not sizes "
            f"such as 48x48x64 or 128; delete the table of layers and run again"
        )
    sizes = tuple(map(int, sizes))
    if len(sizes) == 3 and (sizes[0] == sizes[1]) != (sizes[1] == sizes[2]):
        # Pictures are nearly always square: a surer sign than the framework.
        channels_first = sizes[1] == sizes[2]
    return (sizes[1:], sizes[0]) if channels_first and len(sizes) > 2 else (sizes[:-1], sizes[-1])


def _kind(name: str) -> str:
    name = name.lower()
    if name in ("dense", "linear"):
        return "dense"
    parts = {"conv": "convolution", "norm": "normalisation", "pool": "pooling", "drop": "dropout"}
    return next((kind for part, kind in parts.items() if part in name), "other")


def _place(layers: Sequence[_Layer]) -> list[_Block]:
    """Stand the layers beside each other, with gaps where the number of rows and columns changes.

    A part of every width is the same for all, to carry the name; the rest grows with the square
    root of the channels.
    """
    room = _PAGE - _LEFT - _RIGHT
    least = min(max(0.6 * room / len(layers), _NARROWEST), _NARROW)
    heights = _heights(layers)
    shifts = [
        (_DEPTH[0] * height, _DEPTH[1] * height) if layer.space else (0.9, 0.7)
        for layer, height in zip(layers, heights, strict=True)
    ]
    gaps = [0.0]
    for (before, after), shift in zip(itertools.pairwise(layers), shifts, strict=False):
        gap = max(_GAP + shift[0], 0 if after.space else _VECTOR_GAP)
        gaps.append(gap if _space_key(before) != _space_key(after) else 0.0)
    free = room - len(layers) * least
    gaps = [gap * min(1, 0.9 * free / max(sum(gaps), 1e-9)) for gap in gaps]
    roots = [math.sqrt(layer.channels) if layer.space else 0.0 for layer in layers]
    growth = (free - sum(gaps)) / max(sum(roots), 1e-9)
    growth = min(growth, (_WIDEST - least) / max(*roots, 1e-9), _MOST_GROWTH)
    widths = [least + growth * root for root in roots]
    blocks = []
    x = _LEFT + (room - sum(widths) - sum(gaps)) / 2
    for layer, width, height, gap, shift in zip(layers, widths, heights, gaps, shifts, strict=True):
        x += gap
        blocks.append(_Block(layer, x, width, height, shift))
        x += width
    return blocks


def _space_key(layer: _Layer) -> tuple[int, ...]:
    """What layers must have in common to stand without a gap."""
    return layer.space or (layer.channels,)


def _heights(layers: Sequence[_Layer]) -> list[float]:
    """Maps stand as high as they have rows, vectors as the logarithm of their units."""
    most = max((layer.side for layer in layers if layer.space), default=1)
    longest = max((layer.channels for layer in layers if not layer.space), default=1)
    return [
        max(_LOWEST, _TALLEST * layer.side / most)
        if layer.space
        else max(_LOWEST, 0.6 * _TALLEST * math.log(layer.channels + 1) / math.log(longest + 1))
        for layer in layers
    ]


def _page(height: float) -> tuple[Figure, Axes]:
    """An empty figure across the page, measured in millimetres from its lower left corner."""
    figure = plt.figure(figsize=(style.PAGE_WIDTH, height * style.MILLIMETRE))
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set(xlim=(0, _PAGE), ylim=(0, height))
    axis.set_axis_off()
    return figure, axis


def _write(axis: Axes, x: float, y: float, text: str, size: float, **options) -> None:
    """Write text as it stands: a dollar in a name starts no formula."""
    options = {"color": _INK, "fontsize": size, "parse_math": False, **options}
    axis.text(x, y, text, **options)


def _extent(text: str, size: float, weight: str = "normal") -> float:
    """Length of a line of text on the page."""
    font = FontProperties(weight=weight)
    # A dollar would start a formula here.
    return TextPath((0, 0), text.replace("$", "S"), size, font).get_extents().width * _POINT


def _shorten(name: str) -> str:
    """A name as it is written, its middle left out where it is too long."""
    return name if len(name) <= 36 else f"{name[:14]}...{name[-19:]}"


def _write_title(axis: Axes, y: float, label: str, table: pd.DataFrame) -> None:
    _write(axis, _EDGE, y, label, 9, weight="bold")
    own = table[(table["kind"] != "Input") & _has_no_parts(table)]
    plural = "" if len(own) == 1 else "s"
    size = f"{len(own):,} layer{plural}, {int(table['network_parameters'].iloc[0]):,} parameters"
    _write(axis, _PAGE - _EDGE, y, size, 8, ha="right")


def _draw_legend(axis: Axes, y: float, blocks: Iterable[_Block]) -> None:
    present = {block.layer.kind for block in blocks}
    x = _EDGE
    for kind, color in KINDS.items():
        if kind in present:
            face = [(x, y), (x + 3, y), (x + 3, y + 2.2), (x, y + 2.2)]
            axis.add_patch(Polygon(face, facecolor=color, edgecolor=_INK, linewidth=0.4))
            _write(axis, x + 4, y + 0.2, kind, 7)
            x += 4 + _extent(kind, 7) + 4.5


def _draw_block(axis: Axes, block: _Block, ground: float) -> None:
    front, top, side = _faces(block, ground)
    color = to_rgb(KINDS[block.layer.kind])
    look = {"edgecolor": _INK, "linewidth": 0.35, "joinstyle": "round"}
    axis.add_patch(Polygon(side, facecolor=_mix(color, 0.0, 0.28), **look))
    axis.add_patch(Polygon(top, facecolor=_mix(color, 1.0, 0.35), **look))
    axis.add_patch(Polygon(front, facecolor=color, **look))


def _faces(block: _Block, ground: float) -> tuple[list, list, list]:
    x, right, roof = block.x, block.right, ground + block.height
    dx, dy = block.shift
    front = [(x, ground), (right, ground), (right, roof), (x, roof)]
    top = [(x, roof), (right, roof), (right + dx, roof + dy), (x + dx, roof + dy)]
    side = [(right, ground), (right + dx, ground + dy), (right + dx, roof + dy), (right, roof)]
    return front, top, side


def _mix(color: Sequence[float], grey: float, share: float) -> tuple[float, ...]:
    return tuple((1 - share) * part + share * grey for part in color)


def _write_name(axis: Axes, block: _Block, ground: float, size: float) -> None:
    marked = {"color": STAGE_COLOR, "weight": "bold"} if block.layer.stage else {}
    _write(
        axis,
        block.middle,
        ground - 1.5,
        _shorten(block.layer.name),
        size,
        rotation=90,
        ha="center",
        va="top",
        **marked,
    )


def _draw_stages(axis: Axes, blocks: Sequence[_Block], ground: float, skyline: float) -> None:
    """Outline the layers that the analyses use, and name them above."""
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
    """Places near the wanted ones where texts of these widths do not touch or leave the page."""
    gap = 2.5
    xs = list(wanted)
    for i in range(1, len(xs)):
        xs[i] = max(xs[i], xs[i - 1] + (widths[i - 1] + widths[i]) / 2 + gap)
    limit = _PAGE - _EDGE
    for i in reversed(range(len(xs))):
        xs[i] = min(xs[i], limit - widths[i] / 2)
        limit = xs[i] - widths[i] / 2 - gap
    return xs


@dataclass(frozen=True)
class _Span:
    """A stretch of the ruler below the blocks; its text stands upright where it has no room."""

    left: float
    right: float
    text: str
    upright: bool

    @property
    def height(self) -> float:
        return _extent(self.text, _RULER) if self.upright else 2.5 * (self.text.count("\n") + 1)


def _ruler(blocks: Sequence[_Block], key: Callable, text: Callable) -> list[_Span]:
    """One stretch for each run of layers with the same key."""
    runs = [list(run) for _, run in itertools.groupby(blocks, lambda block: key(block.layer))]
    ends = [(run[0].x, run[-1].right) for run in runs]
    gaps = [after[0] - before[1] for before, after in itertools.pairwise(ends)]
    spans = []
    for (left, right), run, *beside in zip(
        ends, runs, [_REACH, *gaps], [*gaps, _REACH], strict=True
    ):
        # A text may reach half into the smaller of the gaps beside it, less a little air.
        room = right - left + min(beside) - 0.8
        said = text(run[0].layer)
        if _extent(said, _RULER) > room:
            said = said.replace(" × ", "\n× ")
        upright = max(_extent(line, _RULER) for line in said.splitlines()) > room
        spans.append(_Span(left, right, said.replace("\n", " ") if upright else said, upright))
    return spans


def _size_key(layer: _Layer) -> tuple:
    return layer.space, layer.channels


def _space_text(layer: _Layer) -> str:
    if len(layer.space) == 1:
        return f"{layer.space[0]} tokens"
    return " × ".join(map(str, layer.space)) or "units"


def _ruler_height(spans: Sequence[_Span]) -> float:
    return 3 + max(span.height for span in spans)


def _draw_ruler(axis: Axes, spans: Sequence[_Span], y: float, heading: str) -> None:
    for span in spans:
        left, right = span.left + 0.3, span.right - 0.3
        axis.plot([left, left, right, right], [y + 0.8, y, y, y + 0.8], color=_FAINT, linewidth=0.7)
        options = {"rotation": 90 if span.upright else 0, "ha": "center", "va": "top"}
        _write(axis, (left + right) / 2, y - 0.8, span.text, _RULER, **options)
    place = {"ha": "right", "va": "top"}
    _write(axis, spans[0].left - 3.2, y - 0.8, heading, _RULER, color=_FAINT, **place)


def _caption(shown: pd.DataFrame, blocks: Sequence[_Block], left_out: str, note: str) -> str:
    parts = ["Layers in the order of the forward pass."]
    if shown["kind"].isin(_JOINS).any():
        parts.append("Branches stand one after another; connections are not drawn.")
    if any(block.layer.space for block in blocks):
        parts.append("Height: rows and columns, to scale; width: square root of channels.")
    if not all(block.layer.space for block in blocks):
        parts.append("Vectors are thin columns, as high as the logarithm of their units.")
    if shown["stage"].any():
        parts.append("Outlined: the stages that the analyses compare.")
    return textwrap.fill(" ".join(filter(None, [*parts, left_out, note])), 135)
