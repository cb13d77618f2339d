"""One look for all figures: legible in print and in grey, safe for colour-blind readers."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facestages import tables
from facestages.files import atomic_path

MILLIMETRE = 1 / 25.4  # inches

#: Width of a figure across a journal's page, inches.
PAGE_WIDTH = 180 * MILLIMETRE

#: Okabe and Ito's colours (2008) in an order of falling contrast; each with a marker and a dash of
#: its own, so that lines stay apart without colour.
LINES = (
    {"color": "#0072B2", "marker": "o", "linestyle": "-"},
    {"color": "#D55E00", "marker": "s", "linestyle": (0, (5, 1.2))},
    {"color": "#009E73", "marker": "^", "linestyle": (0, (3, 1, 1, 1))},
    {"color": "#CC79A7", "marker": "D", "linestyle": (0, (1, 0.8))},
    {"color": "#E69F00", "marker": "v", "linestyle": (0, (7, 1, 1, 1, 1, 1))},
    {"color": "#56B4E9", "marker": "P", "linestyle": (0, (2, 1))},
)

#: Controls, by kind, are grey, with an open marker.
CONTROLS = {
    "untrained": {
        "color": "#606060",
        "marker": "X",
        "linestyle": ":",
        "markerfacecolor": "white",
    },
    "shuffled labels": {
        "color": "#909090",
        "marker": "*",
        "linestyle": (0, (4, 2, 1, 2)),
        "markerfacecolor": "white",
    },
}

#: Colour and marker of each expression, in all figures.
EXPRESSIONS = {
    "angry": {"color": "#D55E00", "marker": "v"},
    "disgust": {"color": "#009E73", "marker": "s"},
    "fear": {"color": "#CC79A7", "marker": "D"},
    "happy": {"color": "#E69F00", "marker": "o"},
    "sad": {"color": "#0072B2", "marker": "P"},
    "surprise": {"color": "#56B4E9", "marker": "^"},
    "neutral": {"color": "#808080", "marker": "X"},
}

# Of a label that is none of these.
_OTHERS = ("#332288", "#882255", "#117733", "#999933", "#44AA99", "#AA4499")
_MARKERS = "osD^vP<>X*"

_RC = {
    "font.family": "sans-serif",
    # An SVG names them all: Verdana, about as wide, where a reader has no DejaVu Sans.
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.labelsize": 8,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
    "savefig.dpi": 300,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    # Without a salt of our own the ids in an SVG change from run to run.
    "svg.hashsalt": "facestages",
}


def line_styles(looks: Mapping[str, int | str]) -> dict[str, dict]:
    """How each network is drawn: its number among the trained ones of the config, or its kind.

    A network so has one colour, marker and dash in all figures.
    """
    return {
        network: CONTROLS[look] if isinstance(look, str) else LINES[look % len(LINES)]
        for network, look in looks.items()
    }


def point_styles(values: Sequence[str]) -> dict[str, dict]:
    """A colour and a marker for each value of a label, e.g. for people or expressions.

    Expressions have their own; others share colours, and differ in their markers then.
    """
    colours = [*(look["color"] for look in LINES), *_OTHERS]
    styles = {}
    for number, value in enumerate(dict.fromkeys(values)):
        marker = _MARKERS[(number // len(colours) + number) % len(_MARKERS)]
        own = {"color": colours[number % len(colours)], "marker": marker}
        styles[value] = EXPRESSIONS.get(value, own)
    return styles


def add_caption(figure: Figure, text: str, columns: int = 128) -> None:
    """Write below a figure what it was made from."""
    figure.supxlabel(textwrap.fill(text, columns), fontsize=7, ha="left", x=0.01)


def say_missing(axis: Axes, text: str, columns: int = 36) -> None:
    """Write in place of a panel why it is not there; no empty axis stays."""
    axis.set_axis_off()
    words = textwrap.fill(text, columns)
    axis.text(0.5, 0.5, words, transform=axis.transAxes, ha="center", va="center", color="#404040")


def use_style() -> None:
    """Set matplotlib's defaults for everything drawn from here on."""
    mpl.use("agg")
    mpl.rcParams.update(_RC)


def save_figure(figure: Figure, paths: Mapping[str, str | os.PathLike]) -> None:
    """Write a figure in several formats; the same figure gives the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    paths : mapping of str to path-like
        File for each format: ``pdf``, ``svg``, ``png``.
    """
    undated = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {}}
    for kind, path in paths.items():
        with atomic_path(path) as partial:
            figure.savefig(partial, format=kind, metadata=undated[kind])


def save_drawing(
    output: Mapping[str, str], figure: Figure, numbers: pd.DataFrame, caption: str
) -> None:
    """Write all that comes of a figure.

    Parameters
    ----------
    output : mapping of str to str
        Files ``pdf``, ``svg``, ``png``, ``numbers`` (CSV) and ``caption`` (reStructuredText).
    figure : matplotlib.figure.Figure
    numbers : pandas.DataFrame
        What is drawn.
    caption : str
        The text below the figure.
    """
    save_figure(figure, {kind: output[kind] for kind in ("pdf", "svg", "png")})
    tables.write_table(output["numbers"], numbers)
    with atomic_path(output["caption"]) as partial, open(partial, "w", encoding="utf-8") as file:
        # What marks emphasis in reStructuredText stands for itself here.
        file.write(re.sub(r"([*`_|\\])", r"\\\1", caption) + "\n")
