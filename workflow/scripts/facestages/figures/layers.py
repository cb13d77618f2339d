"""Layer curves: what is separate, readable and alike in each recorded layer of each network."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facestages.errors import FacestagesError
from facestages.figures import style
from facestages.figures.seeds import mean_over_seeds

#: Colour, marker and dash of each label; another one is grey.
LABELS = {
    "identity": style.LINES[0],
    "expression": style.LINES[1],
    "valence": style.LINES[2],
    "arousal": style.LINES[3],
    "affect": style.LINES[5],
    "sex": style.LINES[4],
}

# R2 of what cannot be read has no lower end.
_LOWEST_READ = -0.35

# So many names of layers can stand below a panel.
_MOST_NAMES = 12


class Row(NamedTuple):
    """A row of panels."""

    title: str
    axis: str
    measures: tuple[str, ...]


ROWS = {
    "separability": Row("separate", "Silhouette", ()),
    "decoding": Row("readable", "Above chance", ("balanced_accuracy", "r2_held_out")),
    "rsa": Row("alike", "Above chance", ("rho_a_within",)),
}

_COLUMNS = [
    *("panel", "dataset", "rendered", "network", "layer", "stage", "position", "label"),
    *("label_source", "measure", "components", "value", "ci_low", "ci_high", "seeds", "n", "note"),
]


def draw_layers(
    scores: Mapping[str, pd.DataFrame],
    *,
    dataset: str,
    networks: Mapping[str, str],
    components: int | str,
    measure: str,
    absent: Sequence[str] = (),
) -> tuple[Figure, pd.DataFrame, str]:
    """Draw curves over layers: a column of panels a network; a row silhouettes, linear read-outs,
    and rank correlations with models.

    Parameters
    ----------
    scores : mapping
        Rows of `analysis.separability.score_separability` (``separability``),
        `analysis.decoding.decode_labels` (``decoding``) and `analysis.rsa.correlate_rdms`
        (``rsa``), of all seeds of the networks on one face set.
    dataset : str
        Its name in figures.
    networks : mapping of str to str
        Name in figures of each network, in order.
    components : int or "all"
        Number of principal components of the first two rows; correlations are in the full space.
    measure : str
        Kind of silhouette, one of `analysis.silhouettes.MEASURES` or ``silhouette_centred``.
    absent : sequence of str
        A line for each network that is left out.

    Returns
    -------
    figure : matplotlib.figure.Figure
    numbers : pandas.DataFrame
        The numbers drawn: less chance, where the axis says so.
    caption : str

    Raises
    ------
    FacestagesError
        If there is nothing to draw.
    """
    parts = []
    for kind, table in scores.items():
        wanted = (measure,) if kind == "separability" else ROWS[kind].measures
        space = "all" if kind == "rsa" else str(components)
        of_kind = table["measure"].isin(wanted) & (table["components"].astype(str) == space)
        own = _less_chance(table[of_kind & table["network"].isin(networks)], kind)
        keys = ["network", "layer", "label", "measure"]
        parts.append(mean_over_seeds(own, keys).assign(panel=kind))
    numbers = _add_positions(pd.concat(parts), scores["separability"]).reindex(columns=_COLUMNS)
    if numbers["value"].notna().sum() == 0:
        raise FacestagesError(
            f"the figure of layers has nothing to draw: no {measure} in {components} components; "
            f"check figures.layers and the face set's labels"
        )
    crossings = _overtaking(scores["separability"], networks, measure, components)
    style.use_style()
    figure, axes = plt.subplots(
        len(scores),
        len(networks),
        figsize=(style.PAGE_WIDTH, (44 * len(scores) + 42) * style.MILLIMETRE),
        sharex="col",
        sharey="row",
        squeeze=False,
        layout="constrained",
    )
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    for row, kind in zip(axes, scores, strict=True):
        for axis, (network, title) in zip(row, networks.items(), strict=True):
            own = numbers[(numbers["panel"] == kind) & (numbers["network"] == network)]
            _draw_panel(axis, own)
            if kind == "separability" and network in crossings:
                _mark_crossing(axis, crossings[network])
            name = title if kind == next(iter(scores)) else ""
            words = textwrap.fill(f"{next(letters)}  {name}", 84 // len(networks))
            axis.set_title(words, loc="left", fontsize=8)
        row[0].set_ylabel(f"{ROWS[kind].axis}\n({ROWS[kind].title})")
        if kind == "decoding":
            row[0].set_ylim(_LOWEST_READ, 1.05)
    for axis, network in zip(axes[-1], networks, strict=True):
        _name_layers(axis, numbers[numbers["network"] == network])
    _add_legend(figure, numbers)
    caption = _caption(numbers, crossings, dataset, networks, components, measure)
    caption = " ".join([caption, *(f"LEFT OUT: {line}." for line in absent)])
    style.add_caption(figure, caption)
    return figure, numbers, caption


def _less_chance(table: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Accuracies from 0 (chance) to 1; correlations less what permuted labels give."""
    if kind == "separability":
        return table
    table = table.copy()
    chance = table.reindex(columns=["chance"])["chance"].fillna(0)
    if kind == "rsa":
        chance = table.reindex(columns=["null_mean"])["null_mean"].fillna(0)
    scale = 1 if kind == "rsa" else 1 - chance
    for name in ("value", "ci_low", "ci_high"):
        table[name] = (table[name] - chance) / scale
    return table


def _add_positions(numbers: pd.DataFrame, separability: pd.DataFrame) -> pd.DataFrame:
    """Add each layer's number, from 0 at the first recorded one, and its stage."""
    known = separability[separability["layer"] != ""].drop_duplicates(["network", "layer"])
    known = known.assign(position=known.groupby("network", sort=False).cumcount())
    return numbers.merge(known[["network", "layer", "stage", "position"]], on=["network", "layer"])


def _overtaking(
    separability: pd.DataFrame, networks: Mapping[str, str], measure: str, components: int | str
) -> dict[str, dict]:
    """Of each network the layer from which on expression is above identity: the mean over its
    seeds, if it comes to that in most of them."""
    rows = separability[
        (separability["measure"] == f"{measure}_overtaking")
        & (separability["components"].astype(str) == str(components))
    ]
    found = {}
    for network in networks:
        own = rows[rows["network"] == network]
        # Where it happens beyond the last layer, there is no value; so for the end of an interval.
        if len(own) and own["value"].notna().mean() > 0.5:
            high = own["ci_high"].max() if own["ci_high"].notna().all() else np.nan
            found[network] = {"value": own["value"].mean(), "ci_low": own["ci_low"].min()}
            found[network] |= {"ci_high": high, "instances": int(own["value"].notna().sum())}
    return found


def _draw_panel(axis: Axes, own: pd.DataFrame) -> None:
    axis.axhline(0, color="#b0b0b0", linewidth=0.6, zorder=0)
    for label, curve in own.groupby("label", sort=False):
        curve, line = curve.sort_values("position"), _line(label)
        axis.plot(curve["position"], curve["value"], **{**line, "markersize": 3.5})
        axis.fill_between(
            curve["position"],
            curve["ci_low"],
            curve["ci_high"],
            color=line["color"],
            alpha=0.18,
            linewidth=0,
        )
    if own["value"].notna().sum() == 0:
        style.say_missing(axis, "; ".join(own["note"].dropna().unique()) or "not measured")


def _line(label: str) -> dict:
    return LABELS.get(label, {"color": "#808080", "marker": "X", "linestyle": "-"})


def _mark_crossing(axis: Axes, crossing: Mapping[str, float]) -> None:
    """The layer where expression overtakes identity, and its interval over people."""
    right = axis.get_xlim()[1] if np.isnan(crossing["ci_high"]) else crossing["ci_high"]
    axis.axvspan(crossing["ci_low"], right, color="#c8c8c8", alpha=0.35, linewidth=0, zorder=-1)
    axis.axvline(crossing["value"], color="#606060", linewidth=0.9, linestyle="--", zorder=-1)


def _name_layers(axis: Axes, own: pd.DataFrame) -> None:
    places = own.drop_duplicates("layer").sort_values("position")
    if len(places) > _MOST_NAMES:
        places = places[places["stage"] != ""]
    axis.set_xticks(places["position"], places["layer"], rotation=90, fontsize=6)


def _add_legend(figure: Figure, numbers: pd.DataFrame) -> None:
    known = set(numbers["label"][numbers["value"].notna()])
    labels = [label for label in LABELS if label in known]
    # Affect is valence and arousal, in one model.
    names = ["affect (model)" if label == "affect" else label for label in labels]
    handles = [plt.Line2D([], [], **_line(label)) for label in labels]
    figure.legend(
        handles,
        names,
        loc="outside upper center",
        ncols=len(handles),
        frameon=False,
        handlelength=3.0,
    )


def _caption(numbers, crossings, dataset, networks, components, measure) -> str:
    space = "full space" if components == "all" else f"first {components} principal components"
    kind = " ".join(reversed(measure.split("_")))
    parts = [
        f"{dataset}, layer by layer. Separate: {kind} in the {space}. Readable: linear read-out of "
        f"the {space}, of people (identity: of sessions or stretches of time) that it was not "
        f"fitted to; balanced accuracy from 0, chance, to 1, and R2 of valence and arousal. Alike: "
        f"rank correlation (rho-a, within people; of identity within "
        f"expressions) of the full space's distances with those of a model, less that of permuted "
        f"labels; a model that ties, as identity and expression do, cannot reach 1. Bands: 95 % "
        f"intervals over people, of several seeds the widest."
    ]
    if crossings:
        words = []
        for name, ends in crossings.items():
            high = "never" if np.isnan(ends["ci_high"]) else f"{ends['ci_high']:.1f}"
            where = f"{networks[name]} {ends['value']:.1f} [{ends['ci_low']:.1f}, {high}]"
            of = int(numbers.loc[numbers["network"] == name, "seeds"].max())
            words.append(where + (f" ({ends['instances']} of {of} seeds)" if of > 1 else ""))
        parts.append(
            f"Dashed: from here on expression is above identity; position among the layers drawn, "
            f"the first is 0: {', '.join(words)}."
        )
    if (numbers["rendered"] == 1).all():
        parts.append("All faces are RENDERED, not photographs.")
    declared = numbers["label_source"].astype(str).str.contains("declared")
    if declared.any():
        parts.append("Valence and arousal are DECLARED positions, not ratings.")
    if numbers["note"].astype(str).str.contains("CIRCULAR").any():
        own = numbers[numbers["note"].astype(str).str.contains("CIRCULAR")]["network"].unique()
        named = ", ".join(networks[name] for name in own)
        parts.append(f"CIRCULAR: {named} scored with labels of its own.")
    seeds = numbers.groupby("network", sort=False)["seeds"].max()
    listed = ", ".join(f"{networks[name]} {seeds[name]}" for name in networks if name in seeds)
    return " ".join([*parts, f"Seeds: {listed}. Pictures: {int(numbers['n'].max())}."])
