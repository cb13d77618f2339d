"""Names of layers below a panel: as many as can be read, those of stages first."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from facestages.text import abbreviate

_SIZE = 5.5  # points
_PITCH = 2.4  # millimetres that a name takes
_LONGEST = 18


def name_layers(axis: Axes, layers: pd.DataFrame, millimetres: float) -> None:
    """Name layers below a panel of this width; those of stages are bold.

    `layers` has the columns ``position``, ``layer`` and ``stage``, which is "" of most layers.
    """
    layers = layers.drop_duplicates("position").sort_values("position")
    named = layers[layers["position"].isin(choose_names(layers, millimetres))]
    names = [abbreviate(layer, _LONGEST) for layer in named["layer"]]
    axis.set_xticks(named["position"], names, rotation=90, fontsize=_SIZE)
    axis.set_xticks(layers["position"], minor=True)
    axis.tick_params(axis="x", length=2.5, pad=1)
    axis.tick_params(axis="x", which="minor", length=1.2)
    for tick, stage in zip(axis.get_xticklabels(), named["stage"], strict=True):
        tick.set_fontweight("bold" if stage else "normal")


def choose_names(layers: pd.DataFrame, millimetres: float) -> list[int]:
    """Positions of layers whose names have room: of stages, last layer first, then of others."""
    apart = _PITCH * len(layers) / millimetres
    in_order = pd.concat([layers[layers["stage"] != ""][::-1], layers[layers["stage"] == ""]])
    chosen: list[int] = []
    for position in in_order["position"].astype(int):
        if all(abs(position - other) >= apart for other in chosen):
            chosen.append(position)
    return sorted(chosen)


def place_in_words(position: float, layers: pd.DataFrame) -> str:
    """``"at conv_2"`` or ``"between conv_2 and conv_3"``: the layers that a position is among."""
    names = layers.drop_duplicates("position").set_index("position")["layer"]
    low, high = int(position // 1), int(-(-position // 1))
    if low == high:
        return f"at {names[low]}"
    return f"between {names[low]} and {names[high]}"
