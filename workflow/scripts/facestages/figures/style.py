"""One look for all figures: legible in print and in grey, safe for colour-blind readers."""

from __future__ import annotations

import logging
import os
import textwrap
import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import matplotlib as mpl
import seaborn as sns
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from facestages.figures import fonts
from facestages.files import atomic_path
from facestages.text import printable_lines

logger = logging.getLogger(__name__)

MILLIMETRE = 1 / 25.4  # inches

#: Width in which figures are laid out, inches; `fit` makes them as wide as the config says.
PAGE_WIDTH = 180 * MILLIMETRE


class Look(NamedTuple):
    """How all figures look: the config's section ``style``, and ``figures.caption``."""

    width: float = 180  # millimetres
    fonts: Sequence[str] = ("Arial", "Helvetica", "Liberation Sans", "DejaVu Sans")
    #: Colours by network, in place of those of `LINES`.
    colors: Mapping[str, str] = {}
    talk: bool = False
    #: Whether captions stand below the figures.
    caption: bool = False


_look = Look()
# For slides: type and lines are so much larger, and figures so much higher.
_TALK_TYPE, _TALK_LINES, _TALK_HEIGHT = 1.15, 1.5, 1.15

#: Okabe and Ito's colours (2008), apart for every kind of colour blindness, by falling contrast.
COLORS = {
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "orange": "#E69F00",
    "sky": "#56B4E9",
}

#: Greys: of text, of controls, of what has no label, and of lines that only guide the eye.
INK, DARK, GREY, ZERO, FAINT = "#404040", "#606060", "#808080", "#b0b0b0", "#e4e4e4"

#: How networks are drawn. Markers and dashes keep lines apart without colour.
LINES = (
    {"color": COLORS["blue"], "marker": "o", "linestyle": "-"},
    {"color": COLORS["vermilion"], "marker": "s", "linestyle": (0, (5, 1.2))},
    {"color": COLORS["green"], "marker": "^", "linestyle": (0, (3, 1, 1, 1))},
    {"color": COLORS["purple"], "marker": "D", "linestyle": (0, (1, 0.8))},
    {"color": COLORS["orange"], "marker": "v", "linestyle": (0, (7, 1, 1, 1, 1, 1))},
    {"color": COLORS["sky"], "marker": "P", "linestyle": (0, (2, 1))},
    {"color": "#332288", "marker": "<", "linestyle": (0, (9, 1.5))},
    {"color": "#882255", "marker": ">", "linestyle": (0, (4, 1, 1, 1, 1, 1))},
    {"color": "#117733", "marker": "h", "linestyle": (0, (1, 1.6))},
    {"color": "#999933", "marker": "p", "linestyle": (0, (6, 1, 2, 1))},
)

#: How controls are drawn, by kind: grey, with an open marker.
CONTROLS = {
    "untrained": {"color": DARK, "marker": "X", "linestyle": ":", "markerfacecolor": "white"},
    "shuffled labels": {
        "color": "#909090",
        "marker": "*",
        "linestyle": (0, (4, 2, 1, 2)),
        "markerfacecolor": "white",
    },
}

# How further controls of a kind differ from the first.
_FURTHER = ({}, {"color": "#9a9a9a", "marker": "d"}, {"color": "#787878", "marker": "p"})

#: Colour and marker of each expression, in all figures.
EXPRESSIONS = {
    "angry": {"color": COLORS["vermilion"], "marker": "v"},
    "disgust": {"color": COLORS["green"], "marker": "s"},
    "fear": {"color": COLORS["purple"], "marker": "D"},
    "happy": {"color": COLORS["orange"], "marker": "o"},
    "sad": {"color": COLORS["blue"], "marker": "P"},
    "surprise": {"color": COLORS["sky"], "marker": "^"},
    "neutral": {"color": GREY, "marker": "X"},
}

#: How identity, affect and category are drawn, of which spaces and judgements are made.
PARTS = {
    "identity": {"color": COLORS["blue"], "marker": "o", "linestyle": "-"},
    "affect": {"color": COLORS["orange"], "marker": "s", "linestyle": (0, (5, 1.2))},
    "category": {"color": COLORS["green"], "marker": "^", "linestyle": (0, (3, 1, 1, 1))},
}

#: Further colours, for labels of many values, such as identity.
MORE_COLORS = ("#332288", "#882255", "#117733", "#999933", "#44AA99", "#AA4499")
_MARKERS = "osD^vP<>X*"

#: How face sets are drawn beside each other, and kinds of subsets: in no network's colours.
SETS = (
    {"color": "#202020", "marker": "o", "linestyle": "-"},
    {"color": MORE_COLORS[4], "marker": "s", "linestyle": (0, (5, 1.2))},
    {"color": MORE_COLORS[5], "marker": "^", "linestyle": (0, (3, 1, 1, 1))},
    {"color": "#7a5c2e", "marker": "D", "linestyle": (0, (1, 0.8))},
    {"color": "#202020", "marker": "v", "linestyle": (0, (7, 1, 1, 1, 1, 1))},
)

# What differs from seaborn's theme for papers.
_RC = {
    "font.size": 7,
    "axes.titlesize": 8,
    "axes.labelsize": 7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "figure.titlesize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "xtick.major.width": 0.8,
    "ytick.major.width": 0.8,
    "lines.linewidth": 1.4,
    "lines.markersize": 4.5,
    # A dollar sign in a name is no formula.
    "text.parse_math": False,
    # A frame around a face would be white.
    "patch.edgecolor": "black",
    "patch.force_edgecolor": False,
    # Text is as wide in the layout as in print.
    "text.hinting": "none",
    "savefig.dpi": 300,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    # Without a fixed salt the ids in an SVG change from run to run.
    "svg.hashsalt": "facestages",
}


def line_styles(looks: Mapping[str, int | str]) -> dict[str, dict]:
    """Colour, marker and dash of each network, the same in all figures.

    `looks` gives its number among the trained networks of the config, or the kind of a control.
    """
    styles, kinds = {}, []
    for network, look in looks.items():
        if isinstance(look, str):
            styles[network] = CONTROLS[look] | _FURTHER[kinds.count(look) % len(_FURTHER)]
            kinds.append(look)
        else:
            styles[network] = LINES[look % len(LINES)]
        if network in _look.colors:
            styles[network] = styles[network] | {"color": _look.colors[network]}
    return styles


def point_styles(values: Sequence[str]) -> dict[str, dict]:
    """A colour and a marker for each value of a label, such as identity or expression.

    Each expression has its own colour. Identities that share a colour differ in their markers.
    """
    colors = [*COLORS.values(), *MORE_COLORS]
    styles = {}
    for number, value in enumerate(dict.fromkeys(values)):
        marker = _MARKERS[(number // len(colors) + number) % len(_MARKERS)]
        look = {"color": colors[number % len(colors)], "marker": marker}
        styles[value] = EXPRESSIONS.get(value, look)
    return styles


def mark_zero(axis: Axes, value: float = 0.0, *, vertical: bool = False) -> None:
    """Draw a thin line at zero, or at another value that the eye should compare with."""
    draw = axis.axvline if vertical else axis.axhline
    draw(value, color=ZERO, linewidth=0.6, zorder=0)


def fill_band(axis: Axes, x, low, high, color: str, alpha: float = 0.18) -> None:
    """Draw an interval around a curve."""
    axis.fill_between(x, low, high, color=color, alpha=alpha, linewidth=0)


def write_inside(axis: Axes, text: str) -> None:
    """Write in the middle of a panel."""
    axis.text(0.5, 0.5, text, transform=axis.transAxes, ha="center", va="center", color=INK)


def say_missing(axis: Axes, text: str, columns: int = 36) -> None:
    """Write, in place of a panel, why it is missing."""
    axis.set_axis_off()
    write_inside(axis, textwrap.fill(text, columns))


def choose_look(**given: object) -> None:
    """Let all figures from here on look as the fields of `Look` say that are given."""
    global _look
    _look = Look(**given)


def has_caption() -> bool:
    """Whether captions stand below the figures."""
    return _look.caption


def columns(count: int) -> int:
    """How many characters of a line have room where otherwise so many have."""
    narrow = min(1.0, _look.width * MILLIMETRE / PAGE_WIDTH)
    return int(count * narrow / (_TALK_TYPE if _look.talk else 1))


def use_style() -> None:
    """Set matplotlib's defaults for everything drawn from here on."""
    mpl.use("agg")
    installed = set(font_manager.get_font_names())
    first = next((name for name in _look.fonts if name in installed), fonts.OWN)
    # An SVG names all fonts: its reader may have another one than this machine.
    families = list(dict.fromkeys([first, fonts.OWN, *_look.fonts]))
    own = list(dict.fromkeys([first, fonts.OWN, "sans-serif"]))
    family = {"font.family": own, "font.sans-serif": families}
    sns.set_theme("paper", "ticks", list(COLORS.values()), rc=_RC | family)


def fit(figure: Figure) -> None:
    """Give a figure the width of the config and, for a talk, larger type and thicker lines."""
    wide, high = figure.get_size_inches() * (_look.width * MILLIMETRE / PAGE_WIDTH)
    figure.set_size_inches(wide, high * (_TALK_HEIGHT if _look.talk else 1))
    if not _look.talk:
        return
    for text in figure.findobj(Text):
        text.set_fontsize(text.get_fontsize() * _TALK_TYPE)
    for line in figure.findobj(Line2D):
        line.set_linewidth(line.get_linewidth() * _TALK_LINES)


def save_figure(figure: Figure, paths: Mapping[str, str | os.PathLike]) -> str:
    """Write a figure as ``pdf``, ``svg`` or ``png``, a path for each.

    No date is written, so the same figure gives the same bytes. Control characters, which an SVG
    cannot hold, are made visible. Letters that our own font lacks are of one of the machine's.
    Returns a note on letters that no font has, which is empty if there are none.
    """
    for text in figure.findobj(Text):
        text.set_text(printable_lines(text.get_text()))
    note = fonts.use_fonts(figure)
    if note:
        logger.warning(note)
    settle(figure)
    undated = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {}}
    for kind, path in paths.items():
        with atomic_path(path) as partial, warnings.catch_warnings():
            # The note tells it in one line.
            warnings.filterwarnings("ignore", "Glyph .* missing from")
            figure.savefig(partial, format=kind, metadata=undated[kind])
    return note


def settle(figure: Figure) -> None:
    """Lay a figure out once, without the rounding errors in which two runs of the solver differ."""
    if figure.get_layout_engine() is None:
        return
    with warnings.catch_warnings():
        # The caption tells it in one line.
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for part in figure.subfigs:
        part.bbox_relative.set_points(part.bbox_relative.get_points().round(9))
    for axis in figure.axes:
        place = axis.get_position(original=True)
        axis.set_position([round(number, 9) for number in place.bounds])
