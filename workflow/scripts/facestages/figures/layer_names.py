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
    places = place_names(layers, millimetres)
    named = layers.set_index("position").loc[list(places)]
    names = [abbreviate(layer, _LONGEST) for layer in named["layer"]]
    axis.set_xticks(list(places.values()), names, rotation=90, fontsize=_SIZE)
    axis.set_xticks(layers["position"], minor=True)
    # A name may stand beside its layer's mark, which is a minor one.
    axis.xaxis.remove_overlapping_locs = False
    axis.tick_params(axis="x", length=0, pad=3)
    axis.tick_params(axis="x", which="minor", length=2)
    for tick, stage in zip(axis.get_xticklabels(), named["stage"], strict=True):
        tick.set_fontweight("bold" if stage else "normal")


def place_names(layers: pd.DataFrame, millimetres: float) -> dict[int, float]:
    """Where names stand, by the layers' positions: of all stages, and of others that have room.

    Names of stages that are too near move to the left.
    """
    apart = _PITCH * len(layers) / millimetres
    is_stage = layers["stage"] != ""
    places: dict[int, float] = {}
    last = float("inf")
    for position in layers["position"][is_stage][::-1].astype(int):
        places[position] = last = min(position, last - apart)
    for position in layers["position"][~is_stage].astype(int):
        if all(abs(position - place) >= apart for place in places.values()):
            places[position] = position
    return dict(sorted(places.items()))


def place_in_words(position: float, layers: pd.DataFrame) -> str:
    """``"at conv_2"`` or ``"between conv_2 and conv_3"``: the layers that a position is among."""
    names = layers.drop_duplicates("position").set_index("position")["layer"]
    low, high = int(position // 1), int(-(-position // 1))
    if low == high:
        return f"at {names[low]}"
    return f"between {names[low]} and {names[high]}"
