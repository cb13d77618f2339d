"""Expressions in figures: their order, looks and legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from facestages.expressions import EXPRESSIONS
from facestages.figures import page, style

_UNKNOWN = {"color": style.DARK, "marker": "o"}


def expression_looks(expressions: Sequence[str]) -> dict[str, dict]:
    """Colour and marker of each expression, in the order of all figures; "" (unknown) is grey."""
    present = set(expressions)
    order = [*(e for e in EXPRESSIONS if e in present), *sorted(present - {*EXPRESSIONS, ""})]
    return ({"": _UNKNOWN} if "" in present else {}) | style.point_styles(order)


def add_expression_legend(figure: Figure, looks: Mapping[str, dict], loc: str) -> None:
    """Add a legend of the expressions that are known."""
    names = list(filter(None, looks))
    handles = [plt.Line2D([], [], linestyle="", **looks[name]) for name in names]
    if names:
        close = {"handletextpad": 0.2, "borderaxespad": 0.2}
        page.add_legend(figure, handles, names, min(len(names), 7), loc=loc, **close)
