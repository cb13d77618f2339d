"""Layers of a network as blocks for Figure 1: which are shown, how large they are, and where.

All lengths are millimetres on the page.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from facestages.errors import FacestagesError

#: Columns that a table of layers must have.
COLUMNS = (
    *("network", "layer", "kind", "shape", "parameters", "stage", "network_parameters"),
    "problem",
)

#: More layers than this do not fit beside each other on a page in legible type.
MOST_LAYERS = 50

_TALLEST, _LOWEST = 35.0, 0.9
_NARROWEST, _NARROW, _WIDEST = 2.5, 3.6, 14.0
_MOST_GROWTH = 0.8  # of a block's width with the square root of its channels
_GAP, _VECTOR_GAP = 2.4, 5.0
_DEPTH = (0.13, 0.085)  # shift of the far face to the right and up, as a share of the height


class Layer(NamedTuple):
    """A layer; `space` is its rows and columns, and empty where its output is a vector."""

    name: str
    kind: str
    space: tuple[int, ...]
    channels: int
    stage: str

    @property
    def units(self) -> int:
        return math.prod(self.space) * self.channels


class Block(NamedTuple):
    """A layer with its place on the page: left edge, width, height, and shift of the far face."""

    layer: Layer
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


def check_layers(layers: pd.DataFrame) -> pd.DataFrame:
    """The table of layers, with shapes as text: where all are vectors, they were read as numbers.

    Outputs that cannot be recorded are left out.

    Raises
    ------
    FacestagesError
        If a column, all rows, or a layer's number of parameters is missing, or a stage has no
        layer.
    """
    missing = [column for column in COLUMNS if column not in layers]
    if missing:
        raise _bad_table(f"the table of layers has no column {', '.join(missing)}")
    if layers.empty:
        raise _bad_table("the table of layers has no rows")
    table = layers.astype(dict.fromkeys(("network", "layer", "kind", "shape"), str))
    for key in ("stage", "problem"):
        table[key] = table[key].fillna("").astype(str)
    for row in table[(table["problem"] != "") & (table["stage"] != "")].itertuples():
        raise FacestagesError(f"network {row.network}: no layer '{row.layer}': {row.problem}")
    table = table[table["problem"] == ""]
    table["parameters"] = pd.to_numeric(table["parameters"], errors="coerce")
    for row in table[table["parameters"].isna()].itertuples():
        raise _bad_table(f"layer {row.layer} of {row.network} has no number of parameters")
    return table


def _bad_table(fault: str) -> FacestagesError:
    return FacestagesError(f"Figure 1: {fault}; delete the table of layers and run again")


def choose_layers(table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The rows of a table of layers that fit on a page, and a sentence on which they are.

    The first choice that fits is taken: all layers, the modules at the top level, the last layer at
    each number of rows and columns, the last layer alone. Each choice holds the stages.
    """
    always = (table["stage"] != "") | (table["kind"] == "Input")
    whole = ~table["layer"].str.contains(".", regex=False)
    layers = read_layers(table)
    last = [here.space != after.space for here, after in itertools.pairwise(layers)] + [True]
    end = [False] * (len(table) - 1) + [True]
    choices = [
        (has_no_parts(table), ""),
        (whole, "Shown: the modules at the top level, each for all of its parts, and the stages."),
        (last, "Shown: the last layer at each number of rows and columns, and the stages."),
        (end, "Shown: the stages and the last layer."),
    ]
    shown = [(table[always | np.asarray(chosen)], remark) for chosen, remark in choices]
    return next((choice for choice in shown if len(choice[0]) <= MOST_LAYERS), shown[-1])


def has_no_parts(table: pd.DataFrame) -> pd.Series:
    """Which rows hold no other row, and are no part of one (``block[1]``, ``norm@cls``).

    Others would be drawn or counted twice.
    """
    # The modules that hold a.b.c are a and a.b.
    holders = {
        name[:end] for name in table["layer"] for end, sign in enumerate(name) if sign == "."
    }
    is_part = table["layer"].str.contains(r"[\[@]")
    return ~table["layer"].str.partition("#")[0].isin(holders) & ~is_part


def read_layers(table: pd.DataFrame) -> list[Layer]:
    """The layers of a table, in its order."""
    # PyTorch writes Conv2d, and puts rows and columns last.
    channels_first = bool(table["kind"].str.contains(r"\dd$").any())
    pictures = [_read_shape(row)[0] for row in table[table["kind"] == "Input"].itertuples()]
    proportion = next((rows / columns for rows, columns in filter(None, pictures)), 1.0)
    return [
        Layer(row.layer, _kind(row.kind), *_read_shape(row, channels_first, proportion), row.stage)
        for row in table.itertuples()
    ]


def _read_shape(
    row, channels_first: bool = False, proportion: float = 1.0
) -> tuple[tuple[int, ...], int]:
    """Rows and columns, and channels; `proportion` is rows over columns of the input."""
    sizes = row.shape.split("x")
    if not all(size.isascii() and size.isdigit() and int(size) > 0 for size in sizes):
        raise _bad_table(
            f"layer {row.layer} of {row.network} has the shape '{row.shape}', not sizes such as "
            f"48x48x64 or 128"
        )
    sizes = tuple(map(int, sizes))
    if row.kind == "Input":
        channels_first = False
    elif len(sizes) == 3:
        # Maps have the proportions of the input but for rounding, which tell more than the
        # framework does.
        last, first = (
            abs(rows - columns * proportion) < 1 for rows, columns in (sizes[:2], sizes[1:])
        )
        channels_first = first if first != last else channels_first
    return (sizes[1:], sizes[0]) if channels_first and len(sizes) > 2 else (sizes[:-1], sizes[-1])


def _kind(name: str) -> str:
    name = name.lower()
    if name in ("dense", "linear"):
        return "dense"
    parts = {"conv": "convolution", "norm": "normalisation", "pool": "pooling", "drop": "dropout"}
    return next((kind for part, kind in parts.items() if part in name), "other")


def place_layers(layers: Sequence[Layer], left: float, room: float) -> list[Block]:
    """Stand layers beside each other, with gaps where the number of rows and columns changes.

    Every block has the least width, which its name needs; the rest grows with the square root of
    the channels.
    """
    least = min(max(0.6 * room / len(layers), _NARROWEST), _NARROW)
    heights = _heights(layers)
    shifts = [
        (_DEPTH[0] * height, _DEPTH[1] * height) if layer.space else (0.9, 0.7)
        for layer, height in zip(layers, heights, strict=True)
    ]
    gaps = [0.0]
    for (before, after), shift in zip(itertools.pairwise(layers), shifts, strict=False):
        # Maps of one size, and vectors of one length, stand without a gap.
        alike = (before.space or before.channels) == (after.space or after.channels)
        gap = max(_GAP + shift[0], 0 if after.space else _VECTOR_GAP)
        gaps.append(0.0 if alike else gap)
    free = room - len(layers) * least
    gaps = [gap * min(1, 0.9 * free / max(sum(gaps), 1e-9)) for gap in gaps]
    roots = [math.sqrt(layer.channels) if layer.space else 0.0 for layer in layers]
    growth = (free - sum(gaps)) / max(sum(roots), 1e-9)
    growth = min(growth, (_WIDEST - least) / max(*roots, 1e-9), _MOST_GROWTH)
    widths = [least + growth * root for root in roots]
    x = left + (room - sum(widths) - sum(gaps)) / 2
    steps = (before + gap for before, gap in zip([x, *widths[:-1]], gaps, strict=True))
    places = itertools.accumulate(steps)
    return [Block(*parts) for parts in zip(layers, places, widths, heights, shifts, strict=True)]


def _heights(layers: Sequence[Layer]) -> list[float]:
    """The height of maps grows with their rows, that of vectors with the logarithm of units."""
    # Tokens have one axis; they count as if they lay in a square.
    sides = [math.sqrt(math.prod(layer.space)) for layer in layers]
    logs = [0 if layer.space else math.log(layer.channels + 1) for layer in layers]
    most = max((side for side, log in zip(sides, logs, strict=True) if not log), default=1)
    longest = max(logs) or 1
    return [
        max(_LOWEST, 0.6 * _TALLEST * log / longest if log else _TALLEST * side / most)
        for side, log in zip(sides, logs, strict=True)
    ]
