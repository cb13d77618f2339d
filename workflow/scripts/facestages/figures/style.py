"""One look for all figures: legible in print and in grey, safe for colour-blind readers."""

from __future__ import annotations

import os
from collections.abc import Mapping

import matplotlib as mpl
from matplotlib.figure import Figure

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

#: An untrained network is the control: grey, dotted, an open marker.
CONTROL = {"color": "#606060", "marker": "X", "linestyle": ":", "markerfacecolor": "white"}

_RC = {
    "font.family": "DejaVu Sans",
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
