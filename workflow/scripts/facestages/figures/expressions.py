"""Expressions in figures: their order, looks and legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from facestages.expressions import EXPRESSIONS
from facestages.figures import style

_UNKNOWN = {"color": style.DARK, "marker": "o"}


def expression_looks(expressions: Sequence[str]) -> dict[str, dict]:
    """Colour and marker of each expression that is there, in the one order; "" is grey."""
    present = set(expressions)
    order = [*(e for e in EXPRESSIONS if e in present), *sorted(present - {*EXPRESSIONS, ""})]
    return ({"": _UNKNOWN} if "" in present else {}) | style.point_styles(order)


def add_expression_legend(figure: Figure, looks: Mapping[str, dict], loc: str) -> None:
    """Add a legend of expressions above a figure, but for the unknown."""
    looks = {name: look for name, look in looks.items() if name}
    if looks:
        figure.legend(
            [plt.Line2D([], [], linestyle="", **look) for look in looks.values()],
            list(looks),
            loc=loc,
            ncols=min(len(looks), 7),
            frameon=False,
            handletextpad=0.2,
            borderaxespad=0.2,
        )
