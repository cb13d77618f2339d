"""Layer curves: what is separate, readable and alike in each recorded layer of each network."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facestages.figures import page, style
from facestages.figures.chance import less_chance
from facestages.figures.layer_names import name_layers, place_in_words
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
_OTHER_LABEL = {"color": style.GREY, "marker": "X", "linestyle": "-"}

# The R2 of a label that cannot be decoded has no lower bound; the axis ends here.
_LOWEST_R2 = -0.35

# Millimetres that all panels of a row share.
_WIDTH = 155


class Row(NamedTuple):
    """A row of panels."""

    title: str
    axis: str
    #: Measures that are drawn; the config names that of silhouettes.
    measures: tuple[str, ...] = ()
    #: Column of the value at chance, which is subtracted.
    chance: str = "null_mean"
    #: Whether the rest is divided by its highest value, 1 - chance.
    is_scaled: bool = False


ROWS = {
    "separability": Row("separate", "Silhouette less chance"),
    "decoding": Row(
        "readable",
        "Decoding, 0 is chance",
        ("balanced_accuracy", "r2_held_out"),
        "chance",
        is_scaled=True,
    ),
    "rsa": Row("alike", "Share of ceiling less chance", ("share_of_ceiling_within",)),
}

_COLUMNS = [
    *("panel", "dataset", "rendered", "network", "layer", "stage", "position", "label"),
    *("label_source", "measure", "components", "value", "ci_low", "ci_high", "seeds", "n", "note"),
]


def draw(
    separability: pd.DataFrame,
    decoding: pd.DataFrame,
    rsa: pd.DataFrame,
    *,
    dataset: str,
    networks: Mapping[str, str],
    components: int | str,
    measure: str,
    absent: Sequence[str] = (),
) -> page.Drawing:
    """Draw curves over layers: a column a network; rows are silhouettes, decoding and RSA.

    Parameters
    ----------
    separability, decoding, rsa : pandas.DataFrame
        Rows of `analysis.separability.score_separability`, `analysis.decoding.decode_labels` and
        `analysis.rsa.correlate_rdms`, of all seeds of the networks on one face set.
    dataset, networks : str, mapping of str to str
        Name in figures of the face set, and of each network, in order.
    components : int or "all"
        Number of principal components of the first two rows; correlations are in the full space.
    measure : str
        Kind of silhouette, one of `analysis.silhouettes.MEASURES` or ``silhouette_centred``.
    absent : sequence of str
        A line for each network that is left out.

    Returns
    -------
    figures.page.Drawing
        Numbers are less chance, as the axes say.

    Raises
    ------
    FacestagesError
        If there is nothing to draw.
    """
    of_measure = separability.loc[separability["measure"] == measure, "value"]
    if len(of_measure) and not of_measure.notna().any():
        # Without the other label nothing can be centred, nor compared within it.
        measure = "silhouette"
    scores = {"separability": separability, "decoding": decoding, "rsa": rsa}
    numbers = _choose(scores, networks, components, measure)
    page.require_values(
        numbers,
        "the figure of layers",
        f"no {measure} in {components} components; check figures.layers and the face set's labels",
    )
    crossings = _overtaking(separability, networks, measure, components)
    # A row of which nothing is measured would be blank.
    measured = set(numbers.loc[numbers["value"].notna(), "panel"])
    rows = [kind for kind in ROWS if kind in measured]
    height = 44 * len(rows) + 24
    figure, axes = page.new_panels(len(rows), len(networks), height, sharex="col", sharey="row")
    letters = page.letters()
    for row, kind in zip(axes, rows, strict=True):
        for axis, (network, title) in zip(row, networks.items(), strict=True):
            _draw_panel(axis, numbers[(numbers["panel"] == kind) & (numbers["network"] == network)])
            if kind == "separability" and network in crossings:
                _mark_crossing(axis, crossings[network])
            name = title if kind == rows[0] else ""
            heading = textwrap.fill(f"{next(letters)}  {name}", 92 // len(networks))
            axis.set_title(heading, loc="left", fontsize=8)
        row[0].set_ylabel(f"{ROWS[kind].title.capitalize()}\n{ROWS[kind].axis}")
        if kind == "decoding":
            row[0].set_ylim(_LOWEST_R2, 1.05)
    for axis, network in zip(axes[-1], networks, strict=True):
        layers = numbers[numbers["network"] == network]
        name_layers(axis, layers, _WIDTH / len(networks))
    _add_legend(figure, numbers)
    pictures = " ".join([str(int(numbers["n"].max())), *page.describe_sample(separability)])
    sentences = [
        *_caption(numbers, crossings, dataset, networks, components, measure),
        *_blank_rows(numbers, rows),
        f"Seeds: {page.count_seeds(numbers, networks)}. Pictures: {pictures}.",
    ]
    title = _title(crossings, numbers, dataset, networks)
    return page.finish(figure, numbers, title, sentences, absent)


def _choose(
    scores: Mapping[str, pd.DataFrame],
    networks: Mapping[str, str],
    components: int | str,
    measure: str,
) -> pd.DataFrame:
    """Means over seeds of what is drawn, with each layer's stage, and its position from 0."""
    parts = []
    for kind, table in scores.items():
        measures = (measure,) if kind == "separability" else ROWS[kind].measures
        space = "all" if kind == "rsa" else str(components)
        is_drawn = table["measure"].isin(measures) & (table["components"].astype(str) == space)
        rows = table[is_drawn & table["network"].isin(networks)]
        rows = less_chance(rows, ROWS[kind].chance, is_scaled=ROWS[kind].is_scaled)
        means = mean_over_seeds(rows, ["network", "layer", "label", "measure"])
        parts.append(means.assign(panel=kind))
    table = scores["separability"]
    layers = table[table["layer"] != ""].drop_duplicates(["network", "layer"])
    layers = layers.assign(position=layers.groupby("network", sort=False).cumcount())
    places = layers[["network", "layer", "stage", "position"]]
    return pd.concat(parts).merge(places, on=["network", "layer"]).reindex(columns=_COLUMNS)


def _overtaking(
    separability: pd.DataFrame, networks: Mapping[str, str], measure: str, components: int | str
) -> dict[str, dict]:
    """By network, the layer from which on expression is more separate than identity.

    It is the mean over the seeds in which expression overtakes, if those are more than half.
    """
    rows = separability[
        (separability["measure"] == f"{measure}_overtaking")
        & (separability["components"].astype(str) == str(components))
    ]
    crossings = {}
    for network in networks:
        seeds = rows[rows["network"] == network]
        # A crossing beyond the last layer has no value, nor has an interval that ends there.
        if len(seeds) and seeds["value"].notna().mean() > 0.5:
            crossings[network] = {
                "value": seeds["value"].mean(),
                "ci_low": seeds["ci_low"].min(),
                "ci_high": seeds["ci_high"].max() if seeds["ci_high"].notna().all() else np.nan,
                "instances": int(seeds["value"].notna().sum()),
                "seeds": len(seeds),
            }
    return crossings


def _draw_panel(axis: Axes, panel: pd.DataFrame) -> None:
    style.mark_zero(axis)
    for label, curve in panel.groupby("label", sort=False):
        curve, line = curve.sort_values("position"), LABELS.get(label, _OTHER_LABEL)
        axis.plot(curve["position"], curve["value"], **{**line, "markersize": 3.5})
        ends = (curve["ci_low"], curve["ci_high"])
        style.fill_band(axis, curve["position"], *ends, line["color"])
    if not panel["value"].notna().any():
        note = "; ".join(panel["note"].dropna().unique()) or "not measured"
        style.write_inside(axis, textwrap.fill(note, 28))


def _mark_crossing(axis: Axes, crossing: Mapping[str, float]) -> None:
    """The layer where expression overtakes identity, and its interval over people."""
    right = axis.get_xlim()[1] if np.isnan(crossing["ci_high"]) else crossing["ci_high"]
    axis.axvspan(crossing["ci_low"], right, color="#c8c8c8", alpha=0.35, linewidth=0, zorder=-1)
    axis.axvline(crossing["value"], color=style.DARK, linewidth=0.9, linestyle="--", zorder=-1)


def _add_legend(figure: Figure, numbers: pd.DataFrame) -> None:
    drawn = set(numbers["label"][numbers["value"].notna()])
    lines = {label: line for label, line in LABELS.items() if label in drawn}
    # The model of affect holds valence and arousal.
    names = {label: label for label in LABELS} | {"affect": "affect (model)"}
    page.add_line_legend(figure, names, lines, len(lines))


def _caption(numbers, crossings, dataset, networks, components, measure) -> list[str]:
    space, kind = page.name_space(components), " ".join(reversed(measure.split("_")))
    return [
        f"{dataset}, layer by layer. Separate: {kind} in the {space}, less the mean of permuted "
        f"labels. Readable: linear decoding "
        f"from the {space}, tested on people (for identity, on sessions or stretches of time) that "
        f"it was not fitted to; balanced accuracy from 0 (chance) to 1, and R2 of valence and "
        f"arousal. Alike: rank correlation (rho-a) of distances in the full space with those of a "
        f"model, within people (for identity, within expressions), as a share of the highest that "
        f"the model's ties allow, less that of permuted labels. Bands: {page.INTERVALS}.",
        *_crossings_in_words(crossings, numbers, networks),
        *page.rendered((numbers["rendered"] == 1).all()),
        *page.declared(numbers["label_source"]),
        *page.circular(numbers, networks),
    ]


def _title(crossings, numbers, dataset, networks) -> str:
    """Where expression overtakes identity, by network."""
    separate = numbers[(numbers["panel"] == "separability") & numbers["value"].notna()]
    labels = [label for label in ("identity", "expression") if label in set(separate["label"])]
    if len(labels) < 2:
        return f"{' and '.join(labels).capitalize() or 'Labels'} in each layer, {dataset}"
    parts = [
        f"in {networks[name]} {_place(ends['value'], numbers, name)}"
        for name, ends in crossings.items()
    ]
    never = [title for name, title in networks.items() if name not in crossings]
    parts += [f"not in {', '.join(never)}"] * bool(never)
    return f"Expression overtakes identity {'; '.join(parts)}"


def _place(position: float, numbers: pd.DataFrame, network: str) -> str:
    return place_in_words(position, numbers[numbers["network"] == network])


def _blank_rows(numbers: pd.DataFrame, rows: Sequence[str]) -> list[str]:
    """The sentence on rows of panels that are not drawn, with the reasons."""
    return [
        f"Nothing is {ROWS[kind].title} ({'; '.join(reasons) or 'not measured'})."
        for kind in ROWS
        if kind not in rows
        for reasons in [numbers.loc[numbers["panel"] == kind, "note"].dropna().unique()]
    ]


def _crossings_in_words(crossings, numbers, networks) -> list[str]:
    if not crossings:
        return []
    places = []
    for name, ends in crossings.items():
        low = _place(ends["ci_low"], numbers, name)
        high = "never"
        if not np.isnan(ends["ci_high"]):
            high = _place(ends["ci_high"], numbers, name)
        several = f", {ends['instances']} of {ends['seeds']} seeds" if ends["seeds"] > 1 else ""
        place = f"{networks[name]} {_place(ends['value'], numbers, name)}"
        places.append(f"{place} (interval: from {low} to {high}{several})")
    return [f"Dashed: from here on expression is above identity: {'; '.join(places)}."]
