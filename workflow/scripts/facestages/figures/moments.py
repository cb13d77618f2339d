"""Panels of layers beside recordings in time: moment by layer, and the order of models.

Panels are functions as in `figures.judged`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from facestages.figures import style
from facestages.figures.judged import Drawn, Look, say_nothing, short, spell_row
from facestages.figures.layer_names import place_names
from facestages.text import abbreviate

_SIZE = 5.5  # points, of names of layers
# Height of a panel, millimetres.
_HEIGHT = 34
_PEAK = {"marker": "o", "markersize": 3.6, "markeredgecolor": "black", "color": "white"}
_LONGEST = 16


def draw_moments(axis: Axes, rows: pd.DataFrame, look: Look, scale: str = "") -> Drawn:
    """How near each layer of the first network is to each moment, and where it is nearest."""
    courses = rows[(rows["measure"] == "rho_a") & (rows["network"] != "")]
    network = look.first(courses)
    if network is None:
        return say_nothing(axis, "layers and moments", rows[rows["network"] != ""])
    of_network = rows[rows["network"] == network]
    curves = of_network[of_network["measure"] == "rho_a"]
    curves = curves.drop_duplicates(["position", "time"])
    wide = curves.pivot(index="position", columns="time", values="value")
    colors = sns.color_palette("mako_r", as_cmap=True).with_extremes(under="white", bad="white")
    highest = max(float(np.nanmax(wide)), 1e-6)
    mesh = axis.pcolormesh(
        wide.columns, wide.index, wide, cmap=colors, vmin=0, vmax=highest, rasterized=True
    )
    axis.figure.colorbar(mesh, ax=axis, pad=0.02, aspect=14).set_label("rho-a; white: below 0")
    peaks = of_network[of_network["measure"] == "peak"].drop_duplicates("position")
    for _, peak in peaks[peaks["value"].notna()].iterrows():
        ends, y = [peak["ci_low"], peak["ci_high"]], [peak["position"]] * 2
        axis.plot(ends, y, color="white", linewidth=2.4, solid_capstyle="butt")
        axis.plot(ends, y, color="black", linewidth=1.0)
        axis.plot(peak["value"], peak["position"], **_PEAK)
    _name_rows(axis, curves)
    axis.axvline(0, color=style.INK, linewidth=0.6, linestyle=":")
    axis.set_xlim(wide.columns.min(), wide.columns.max())
    axis.set_xlabel("Time, ms")
    slope = of_network[of_network["measure"] == "peak_slope"]
    order = _in_words(slope, "slope of peaks {}\u00a0ms/layer")
    drawn = pd.concat([curves, peaks, slope])
    return f"{short(look.networks[network])}: {order}", drawn


def _in_words(rows: pd.DataFrame, words: str) -> str:
    """A value in words, or why there is none."""
    if rows.empty:
        return "not measured"
    row = rows.iloc[0]
    return (
        words.format(spell_row(row))
        if pd.notna(row["value"])
        else str(row["note"]).rpartition("; ")[2]
    )


def _name_rows(axis: Axes, curves: pd.DataFrame) -> None:
    """Names of layers beside their rows, as many as have room; those of stages are bold."""
    layers = curves.drop_duplicates("position").sort_values("position")
    places = place_names(layers, _HEIGHT)
    named = layers.set_index("position").loc[list(places)]
    names = [abbreviate(layer, _LONGEST) for layer in named["layer"]]
    axis.set_yticks(list(places.values()), names, fontsize=_SIZE)
    axis.tick_params(axis="y", length=0)
    for tick, stage in zip(axis.get_yticklabels(), named["stage"], strict=True):
        tick.set_fontweight("bold" if stage else "normal")


def draw_order(axis: Axes, rows: pd.DataFrame, look: Look, scale: str = "") -> Drawn:
    """How much of each model is in each moment, and whether their order is that of depth."""
    of_raters = rows[rows["network"] == ""]
    courses = of_raters[of_raters["measure"] == "coefficient"]
    if not courses["value"].notna().any():
        return say_nothing(axis, "models and moments", of_raters)
    peaks = of_raters[of_raters["measure"] == "peak"].set_index("label")
    parts = [part for part in style.PARTS if part in set(courses["label"])]
    low, high = courses["ci_low"].min(), courses["ci_high"].max()
    # Below the curves is a strip for peaks.
    step = 0.09 * (high - low)
    bottom = low - step * (len(parts) + 0.8)
    axis.axhspan(bottom, low - 0.4 * step, color=style.FAINT, linewidth=0, zorder=0)
    style.mark_zero(axis)
    axis.axvline(0, color=style.INK, linewidth=0.6, linestyle=":")
    for number, part in enumerate(parts):
        line, curve = style.PARTS[part], courses[courses["label"] == part].sort_values("time")
        axis.plot(curve["time"], curve["value"], **{**line, "marker": ""})
        style.fill_band(axis, curve["time"], curve["ci_low"], curve["ci_high"], line["color"])
        y = low - step * (len(parts) - number)
        if part in peaks.index and pd.notna(peaks.loc[part, "value"]):
            peak = peaks.loc[part]
            axis.hlines(y, peak["ci_low"], peak["ci_high"], color=line["color"], linewidth=1.4)
            axis.plot(peak["value"], y, line["marker"], color=line["color"], markersize=4)
    ticks = MaxNLocator(5).tick_values(low, high)
    ticks = [tick for tick in ticks if low <= tick <= high]
    middle = (bottom + low - 0.4 * step) / 2
    axis.set_yticks([middle, *ticks], ["peak", *(f"{tick:g}" for tick in ticks)])
    axis.set_ylim(bottom, high + step)
    axis.set_xlim(curve["time"].min(), curve["time"].max())
    axis.set_xlabel("Time, ms")
    axis.set_ylabel("Coefficient of ranks")
    order = rows[rows["measure"] == "order_agreement"]
    network = look.first(rows[(rows["measure"] == "rho_a") & (rows["network"] != "")])
    words = _in_words(order[order["network"] == network], "tau\u00a0{}")
    drawn = pd.concat([courses, of_raters[of_raters["measure"] == "peak"], order])
    return f"order in time and in depth: {words}", drawn
