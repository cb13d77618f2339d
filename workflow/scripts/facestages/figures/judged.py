"""Panels of layers beside what people say: by depth, by stage, by network, and what it is made of.

A panel is a function of axes, the rows of one reference, a `Look` and perhaps a scale. It draws,
and returns what its title says and the rows that it has drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from facestages.figures import page, style
from facestages.text import abbreviate

#: Names of the models of which judgements and layers are mixed.
PARTS = {"identity": "identity", "affect": "valence-arousal", "category": "category"}

#: How the band between both noise ceilings is drawn.
CEILING = {"facecolor": "#d2d2d2", "edgecolor": "none", "zorder": 0}
#: The ceiling of infinitely many raters.
LIMIT = {"color": style.GREY, "linestyle": (0, (4, 2)), "linewidth": 1.0, "zorder": 0.5}
#: The band of ratings within categories.
INNER = {"facecolor": "none", "edgecolor": "#b4b4b4", "hatch": "....", "linewidth": 0}

#: Dash and name of ratings across categories, and within them.
RATED = {
    "r_held_out": ("-", "across categories"),
    "r_held_out_within": ((0, (2, 1.4)), "within categories"),
}
WITHIN = ("r_held_out_within",)

#: A blank that no line breaks at.
TIED = "\u00a0"

# Networks stand so far apart, in distances between stages, and in depths.
_ASIDE, _APART = 0.09, 0.006
#: Weights beyond these are not drawn.
WEIGHTS = (-1.0, 2.0)
_BAR = 0.24
_SHORT = {"penultimate": "penult."}

# The stage at which networks are compared in the caption, and pairs that are listed there.
_STAGE, _PAIRS = "penultimate", 6


class Look(NamedTuple):
    """What panels share."""

    #: Name in figures of each network, in order.
    networks: Mapping[str, str]
    #: Colour, marker and dash of each network.
    lines: Mapping[str, Mapping]
    #: From input to output.
    stages: Sequence[str]

    def first(self, rows: pd.DataFrame) -> str | None:
        """The first network that has a value in some rows."""
        measured = set(rows.loc[rows["value"].notna(), "network"])
        return next((name for name in self.networks if name in measured), None)


Drawn = tuple[str, pd.DataFrame]


def say_nothing(axis: Axes, title: str, rows: pd.DataFrame) -> Drawn:
    """In place of a panel, why nothing is drawn."""
    notes = dict.fromkeys(note.rpartition("; ")[2] for note in rows["note"].dropna() if note)
    style.say_missing(axis, "; ".join(notes) or "nothing is measured", 52)
    return title, rows


def draw_depth(axis: Axes, rows: pd.DataFrame, look: Look, scale: str = "") -> Drawn:
    """How near each layer is to judgements of pairs, from input to output."""
    of_layers = rows[rows["network"] != ""]
    share = of_layers[of_layers["measure"] == "share_of_ceiling"]
    plain = of_layers[of_layers["measure"] == "rho_a"]
    chosen, title = (share, "share of the noise ceiling")
    if not share["value"].notna().any():
        chosen, title = plain, "rank correlation"
    if not chosen["value"].notna().any():
        return say_nothing(axis, title, chosen)
    style.mark_zero(axis)
    draw_ceiling(axis, chosen)
    limit = rows[rows["measure"] == "ceiling"]
    if limit["value"].notna().any():
        highest = plain["ceiling_high"].max() if chosen is share else 1.0
        axis.axhline(limit["value"].iloc[0] / highest, **LIMIT)
    for (network, line), aside in zip(look.lines.items(), _places(look, _APART), strict=True):
        curve = chosen[chosen["network"] == network].sort_values("position", kind="stable")
        # Of a layer that is two stages, the first.
        curve = curve.drop_duplicates("position")
        x = curve["depth"] + aside
        stages = np.flatnonzero(curve["stage"] != "").tolist()
        axis.plot(x, curve["value"], **line, markevery=stages)
        _draw_spread(axis, x, curve, line["color"])
    axis.set_xticks([0, 0.5, 1], ["Input", "Depth; marks are stages", "Output"])
    axis.set_xlim(-0.04, 1.04)
    axis.set_ylabel(title[:1].upper() + title[1:])
    return f"{title} by depth", pd.concat([chosen, limit])


def draw_mixture(axis: Axes, rows: pd.DataFrame, look: Look, scale: str = "") -> Drawn:
    """What judgements are mixed of, and the stages of the first network."""
    title, weights = "weights", rows[rows["measure"] == "weight"]
    if not weights["value"].notna().any():
        return say_nothing(axis, title, weights)
    network = look.first(weights[weights["network"] != ""])
    explained = rows[(rows["measure"] == "unique") & (rows["label"] == "all")]
    drawn, names = [], []
    for stage in ("", *look.stages):
        of = "" if stage == "" else network
        group, total = (
            table[(table["network"] == of) & (table["stage"] == stage)]
            for table in (weights, explained)
        )
        if group["value"].notna().any():
            _draw_bars(axis, group, len(names))
            share = f"  R² {total['value'].iloc[0]:.2f}" if len(total) else ""
            names.append(f"{stage.capitalize() or 'Raters'}{share}")
            drawn += [group, total]
    style.mark_zero(axis, vertical=True)
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.tick_params(axis="y", length=0)
    table = pd.concat(drawn)
    ends = table.loc[table["measure"] == "weight", ["value", "ci_low", "ci_high"]]
    low, high = np.nanmin(ends.to_numpy()), np.nanmax(ends.to_numpy())
    axis.set_xlim(max(WEIGHTS[0], min(low, 0) - 0.03), min(WEIGHTS[1], max(high, 1) + 0.03))
    axis.locator_params(axis="x", nbins=5)
    axis.set_xlabel("Weight; all three sum to 1")
    spaces = ["raters"] * ("" in set(table["network"]))
    spaces += [short(look.networks[network])] * bool(network)
    return f"{title} in {' and '.join(spaces)}", table


def _draw_bars(axis: Axes, group: pd.DataFrame, place: int) -> None:
    """Bars of the weights of one row, each with its mark and interval."""
    group = group.set_index("label").reindex(PARTS)
    for number, (part, row) in enumerate(group.iterrows()):
        y, look = place + (number - 1) * _BAR, style.PARTS[part]
        axis.barh(y, row["value"], _BAR * 0.86, **_bar(part))
        axis.hlines(y, row["ci_low"], row["ci_high"], color=look["color"], linewidth=1.1)
        mark = {"color": look["color"], "marker": look["marker"], "markersize": 3.8}
        axis.plot(row["value"], y, **mark)


def draw_scale(axis: Axes, rows: pd.DataFrame, look: Look, scale: str) -> Drawn:
    """How well a scale of ratings is read out of each stage, across and within categories."""
    chosen = rows[rows["measure"].isin(RATED) & (rows["label"] == scale)]
    if not chosen["value"].notna().any():
        return say_nothing(axis, scale, chosen)
    for measure, (dash, _) in RATED.items():
        of_measure = chosen[chosen["measure"] == measure]
        is_within = measure in WITHIN
        draw_ceiling(axis, of_measure, **(INNER if is_within else {}))
        more = {"linestyle": dash} | ({"markerfacecolor": "white"} if is_within else {})
        draw_stages(axis, of_measure, look, more)
    axis.set_ylabel("r with raters, held out")
    return scale, chosen


def draw_triplets(axis: Axes, rows: pd.DataFrame, look: Look, scale: str = "") -> Drawn:
    """How often the odd one out of a stage is that of people."""
    chosen = rows[(rows["measure"] == "accuracy") & (rows["network"] != "")]
    title = "accuracy by stage"
    if not chosen["value"].notna().any():
        return say_nothing(axis, title, chosen)
    draw_ceiling(axis, chosen)
    draw_stages(axis, chosen, look)
    axis.set_ylabel("Accuracy less a third")
    return title, chosen


def draw_confusions(axis: Axes, rows: pd.DataFrame, look: Look, scale: str = "") -> Drawn:
    """How alike the confusions of each network and of people are."""
    chosen = rows[rows["measure"] == "r_off_diagonal"]
    title = "off the diagonal"
    if not chosen["value"].notna().any():
        return say_nothing(axis, title, chosen)
    style.mark_zero(axis, vertical=True)
    by_network = chosen.drop_duplicates("network").set_index("network").reindex(look.networks)
    for place, (network, row) in enumerate(by_network.iterrows()):
        if np.isnan(row["value"]):
            note = row["note"] if isinstance(row["note"], str) else "not measured"
            text = abbreviate(note, style.columns(46))
            axis.text(0.02, place, text, fontsize=6, va="center", color=style.INK)
            continue
        line = look.lines[network]
        axis.hlines(place, row["ci_low"], row["ci_high"], color=line["color"], linewidth=1.4)
        axis.plot(row["value"], place, **{**line, "linestyle": ""})
    names = [abbreviate(name, 24) for name in look.networks.values()]
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.set_xlim(min(0, np.nanmin(chosen[["value", "ci_low"]].to_numpy())) - 0.03, 1)
    axis.set_xlabel("r of confusions with people's")
    return title, chosen


# --------------------------------------------------------------------------- parts of panels


def draw_ceiling(axis: Axes, rows: pd.DataFrame, **look: object) -> None:
    """The band between the lower and upper noise ceiling; a line where both are one."""
    ends = rows[["ceiling_low", "ceiling_high"]].dropna(subset=["ceiling_high"])
    if ends.empty:
        return
    low, high = ends.iloc[0]
    if np.isnan(low) or low == high:
        axis.axhline(high, color=CEILING["facecolor"], linewidth=2, zorder=0)
    else:
        axis.axhspan(low, high, **(CEILING | look))


def draw_stages(
    axis: Axes, rows: pd.DataFrame, look: Look, more: Mapping[str, object] | None = None
) -> None:
    """A line a network over stages, with its intervals."""
    style.mark_zero(axis)
    positions = np.arange(len(look.stages))
    for (network, line), aside in zip(look.lines.items(), _places(look, _ASIDE), strict=True):
        curve = rows[rows["network"] == network].drop_duplicates("stage")
        curve = curve.set_index("stage").reindex(look.stages)
        axis.plot(positions + aside, curve["value"], **{**line, **(more or {})})
        _draw_spread(axis, positions + aside, curve, line["color"])
    names = [_SHORT.get(stage, stage).capitalize() for stage in look.stages]
    axis.set_xticks(positions, names)
    axis.set_xlim(-0.4, len(positions) - 0.6)


def _draw_spread(axis: Axes, x, curve: pd.DataFrame, color: str) -> None:
    """Intervals over people as bars and, of several seeds, their range as a band."""
    axis.vlines(x, curve["ci_low"], curve["ci_high"], color=color, linewidth=0.8)
    if curve["seeds"].max() > 1:
        style.fill_band(axis, x, curve["low"], curve["high"], color, alpha=0.2)


def _places(look: Look, apart: float) -> np.ndarray:
    """Where networks stand beside a stage, so that their bars do not hide each other."""
    count = len(look.lines)
    return apart * (np.arange(count) - (count - 1) / 2)


def add_legend(figure: Figure, table: pd.DataFrame, look: Look) -> None:
    """Networks, models, what dashes mean, and ceilings, as far as a table of numbers has them."""
    measured = table[table["value"].notna()]
    drawn = set(measured["network"])
    networks = [
        (Line2D([], [], **line), abbreviate(look.networks[name], 26))
        for name, line in look.lines.items()
        if name in drawn
    ]
    of_parts = set(measured.loc[measured["measure"].isin(["weight", "coefficient"]), "label"])
    parts = [
        ((Rectangle((0, 0), 1, 1, **_bar(part)), Line2D([], [], **style.PARTS[part])), name)
        for part, name in PARTS.items()
        if part in of_parts
    ]
    dashes = [
        (Line2D([], [], color=style.INK, linestyle=dash), name)
        for measure, (dash, name) in RATED.items()
        if measure in set(measured["measure"])
    ]
    is_within = table.loc[table["ceiling_high"].notna(), "measure"].isin(WITHIN)
    ceilings = [
        (Rectangle((0, 0), 1, 1, **(CEILING | band)), name)
        for name, is_drawn, band in (
            ("noise ceiling", (~is_within).any(), {}),
            ("ceiling within", is_within.any(), INNER),
        )
        if is_drawn
    ]
    if "ceiling" in set(measured["measure"]):
        ceilings.append((Line2D([], [], **LIMIT), "ceiling, unlimited raters"))
    high = max(2, len(parts), len(dashes) + len(ceilings))
    pieces = [networks[start : start + high] for start in range(0, len(networks), high)]
    heads = ["Networks", *[""] * len(pieces)][: len(pieces)]
    more = [*dashes, *ceilings]
    columns = [*zip(heads, pieces, strict=True), ("Models", parts), ("", more)]
    columns = [(head, entries) for head, entries in columns if entries]
    # Columns are of one height.
    blank, high = Line2D([], [], linestyle=""), max(len(entries) for _, entries in columns)
    filled = [
        one
        for head, entries in columns
        for one in ((blank, head), *entries, *[(blank, "")] * (high - len(entries)))
    ]
    handles, names = zip(*filled, strict=True)
    page.add_legend(figure, handles, names, len(columns), handlelength=3.2)
    for text in figure.legends[0].get_texts():
        text.set_fontweight("bold" if text.get_text() in ("Networks", "Models") else "normal")


def _bar(part: str) -> dict[str, object]:
    return {"color": style.PARTS[part]["color"], "alpha": 0.35, "linewidth": 0}


def where_best(rows: pd.DataFrame, look: Look) -> tuple[str, float] | None:
    """In words, the layer (or network) with the highest value, and that value."""
    known = rows[rows["value"].notna() & rows["network"].isin(look.networks)]
    if known.empty:
        return None
    best = known.loc[known["value"].idxmax()]
    place = f"the {best['stage']} stage" if best["stage"] else best["layer"]
    network = look.networks[best["network"]]
    return f"{place} of {network}" if place else network, float(best["value"])


def spell_row(row: pd.Series) -> str:
    """A value with its interval, on one line."""
    return page.spell(*row[["value", "ci_low", "ci_high"]].astype(float)).replace(" ", TIED)


def short(network: str) -> str:
    """The name of a network in the title of a panel, on one line."""
    return abbreviate(network, 24).replace(" ", TIED)


def describe_nearer(
    differences: pd.DataFrame, references: Mapping[str, Mapping[str, str]], look: Look
) -> Iterator[str]:
    """A sentence for each reference: which network is nearer to it than which other one."""
    known = differences[differences["value"].notna() & differences["network"].isin(look.networks)]
    for name, rows in known.groupby("reference", sort=False):
        stages = [stage for stage in look.stages if stage in set(rows["stage"])]
        stage = _STAGE if _STAGE in stages else stages[-1]
        rows = rows[(rows["stage"] == stage) & rows["p"].notna()]
        # Of the two orders of a pair, the one in which the first is nearer.
        clear = rows[(rows["value"] > 0) & (rows["p_holm"] < 0.05)].sort_values("p")
        nearer = [
            f"{look.networks[row['network']]} than {look.networks[row['other']]} ({spell_row(row)})"
            for _, row in clear.iterrows()
        ]
        more = f" and {len(nearer) - _PAIRS} more" if len(nearer) > _PAIRS else ""
        words = f"nearer are {', '.join(nearer[:_PAIRS])}{more}" if nearer else "none is nearer"
        if len(rows):
            yield (
                f"Networks beside each other on {references[name]['label']}, {stage} stage, Holm's "
                f"p < 0.05 over {len(rows) // 2} pairs: {words}."
            )
