"""Figure 8: how much of each layer's space is identity, valence-arousal and category."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facestages import tables
from facestages.analysis.partition import SHARES
from facestages.analysis.separability import is_labelled
from facestages.expressions import EXPRESSIONS
from facestages.figures import style
from facestages.figures.seeds import mean_over_seeds
from facestages.stimuli import read_labels
from facestages.stimuli.sample import pictures_in_words

#: What is stacked, with its colour and hatch; the rest is what none of them explains.
_BANDS = {
    "identity": ("identity", "#0072B2", ""),
    "affect": ("valence-arousal, beyond identity", "#E69F00", "////"),
    "category": ("category, beyond both", "#009E73", "...."),
    "rest": ("rest", "#DDDDDD", ""),
}
# So many layers are named below an axis, beside those of the stages.
_NAMED = 12
_MARKERS = {"identity": "o", "affect": "s", "category": "^"}


def summarise_shares(shares: pd.DataFrame, components: int) -> pd.DataFrame:
    """Mean over the seeds of each network.

    Parameters
    ----------
    shares : pandas.DataFrame
        Rows of `analysis.partition.partition_variance`, of any number of networks and seeds.
    components : int

    Returns
    -------
    pandas.DataFrame
        Rows of this number of components, and those that only say what is missing. The interval
        is that over people where there is one seed, else the widest over the seeds.
    """
    chosen = shares[shares["components"].isin([str(components), ""])]
    keys = ["dataset", "rendered", "network", "stage", "layer", "position", "label"]
    keys += ["label_source", "measure", "components"]
    return mean_over_seeds(chosen, keys)


def confusion(predictions: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame | None:
    """How often each expression is called what.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Rows of `recording.predictions.predict_expressions`.
    labels : pandas.DataFrame
        Labels of the face set.

    Returns
    -------
    pandas.DataFrame or None
        Rows: expressions of the face set; columns: answers; each row sums to 1. None if the face
        set has no expressions.
    """
    if not is_labelled(labels, "expression").any():
        return None
    truth = labels.set_index("stimulus_id")["expression"]
    shown = predictions["stimulus_id"].map(truth).to_numpy()
    known = shown != ""
    table = pd.crosstab(shown[known], predictions["expression"].to_numpy()[known])
    names = [*EXPRESSIONS, *sorted({*table.index, *table.columns} - {*EXPRESSIONS})]
    rows = [name for name in names if name in table.index]
    columns = [name for name in names if name in {*table.index, *table.columns}]
    table = table.reindex(index=rows, columns=columns, fill_value=0)
    return table.div(table.sum(axis=1), axis=0)


def draw_fig8(
    shares: pd.DataFrame,
    stimuli: str | os.PathLike,
    predictions: Sequence[str],
    labels_from: str | os.PathLike | None = None,
    *,
    dataset: str,
    networks: Mapping[str, str],
    components: int,
    absent: Sequence[str] = (),
) -> tuple[Figure, pd.DataFrame, str]:
    """Draw shares of variance by layer, where they rise, and confusions; a row a network.

    Parameters
    ----------
    shares : pandas.DataFrame
        Rows of `analysis.partition.partition_variance`.
    stimuli : path-like
        The face set.
    predictions : sequence of str
        Tables of `recording.predictions.predict_expressions`; none of a network without answers.
    labels_from : path-like, optional
        Predictions that take the place of the face set's own expressions.
    dataset : str
        The face set's name in figures.
    networks : mapping of str to str
        Name in figures of each network, in order.
    components : int
        Number of principal components.
    absent : sequence of str
        A line for each network that is left out.

    Returns
    -------
    figure : matplotlib.figure.Figure
    numbers : pandas.DataFrame
    caption : str
    """
    style.use_style()
    summary = summarise_shares(shares, components)
    labels, sources, known = read_labels(stimuli, labels_from)
    shown = {
        "dataset": known["dataset"],
        "rendered": int(known.get("rendered", 0)),
        "label_source": sources.get("expression", ""),
    }
    answers = tables.read_tables(predictions) if predictions else None
    figure, axes = plt.subplots(
        len(networks),
        3,
        figsize=(style.PAGE_WIDTH, (46 * len(networks) + 34) * style.MILLIMETRE),
        width_ratios=(1.1, 1.1, 1),
        squeeze=False,
        layout="constrained",
    )
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    numbers = []
    for row, name in zip(axes, networks, strict=True):
        panels = [next(letters) for _ in row]
        own = summary[summary["network"] == name]
        numbers.append(own.assign(panel=np.where(own["measure"] == "share", panels[0], panels[1])))
        _draw_shares(row[0], own, f"{panels[0]}  {networks[name]}")
        _draw_rises(row[1], own, f"{panels[1]}  where each rises")
        table = None
        if answers is not None and (answers["network"] == name).any():
            table = confusion(answers[answers["network"] == name], labels)
        if table is not None:
            numbers.append(_confusion_rows(table).assign(panel=panels[2], network=name, **shown))
        lacking = "no answers: it is untrained, or its classes are not the expressions"
        if not is_labelled(labels, "expression").any():
            lacking = "the face set has no label 'expression'"
        circular = shown["label_source"] == f"network:{name}"
        title = f"{panels[2]}  answers{' (CIRCULAR)' if circular else ''}"
        _draw_confusion(row[2], table, title, lacking)
    _add_legend(figure)
    caption = _caption(summary, dataset, known, networks, components, absent)
    style.add_caption(figure, caption)
    return figure, pd.concat(numbers, ignore_index=True), caption


def _draw_shares(axis: Axes, own: pd.DataFrame, title: str) -> None:
    table = own[own["measure"] == "share"]
    if table.empty:
        style.say_missing(axis, f"{title}: {own['note'].iloc[0] if len(own) else 'not measured'}")
        return
    axis.set_title(title, loc="left")
    wide = table.pivot(index="position", columns="label", values="value")
    floor = np.zeros(len(wide))
    for share, (_, color, hatch) in _BANDS.items():
        # A share of nothing may come out just below 0.
        height = np.maximum(wide[share].to_numpy(), 0.0)
        axis.bar(
            wide.index, height, 0.82, bottom=floor, color=color, hatch=hatch,
            edgecolor="white", linewidth=0.4,
        )  # fmt: skip
        floor += height
    axis.set_ylim(0, 1)
    axis.set_ylabel("Share of variance")
    _name_layers(axis, table)


def _name_layers(axis: Axes, table: pd.DataFrame) -> None:
    layers = table.drop_duplicates("position").sort_values("position")
    small = 6.5 if len(layers) > 6 else 7
    # Of many layers those of the stages are named, and some between.
    step = -(-len(layers) // _NAMED)
    named = [
        bool(stage) or number % step == 0 and not _is_near_a_stage(layers, number, step)
        for number, stage in enumerate(layers["stage"])
    ]
    names = [
        _shorten(layer) if shown else ""
        for layer, shown in zip(layers["layer"], named, strict=True)
    ]
    axis.set_xticks(layers["position"].astype(int), names, rotation=35, ha="right", fontsize=small)
    axis.tick_params(axis="x", length=2, pad=1)
    for tick, stage in zip(axis.get_xticklabels(), layers["stage"], strict=True):
        tick.set_rotation_mode("anchor")
        tick.set_fontweight("bold" if stage else "normal")


def _is_near_a_stage(layers: pd.DataFrame, number: int, step: int) -> bool:
    around = layers["stage"].iloc[max(0, number - step + 1) : number + step]
    return step > 1 and bool((around != "").any())


def _shorten(name: str) -> str:
    return name if len(name) <= 16 else f"{name[:9]}...{name[-5:]}"


def _draw_rises(axis: Axes, own: pd.DataFrame, title: str) -> None:
    table = own[own["measure"] == "share"]
    if table.empty:
        axis.set_axis_off()
        return
    axis.set_title(title, loc="left")
    axis.axhline(0.5, color="#b0b0b0", linewidth=0.6, zorder=0)
    notes = []
    rises = own[own["measure"] == "half_maximum"].set_index("label")
    for height, share in zip((0.46, 0.50, 0.54), SHARES, strict=True):
        name, color, _ = _BANDS[share]
        curve = table[table["label"] == share].sort_values("position")
        if np.isnan(rises.loc[share, "value"]):
            notes.append(f"{name.partition(',')[0]}:\n{rises.loc[share, 'note']}")
            continue
        top = curve["value"].max()
        marker = _MARKERS[share]
        look = {"color": color, "marker": marker, "markersize": 3.5, "linewidth": 1.2}
        axis.plot(curve["position"], curve["value"] / top, **look)
        found = rises.loc[share]
        axis.plot([found["ci_low"], found["ci_high"]], [height] * 2, color=color, linewidth=3,
                  alpha=0.55, solid_capstyle="butt")  # fmt: skip
        axis.plot(found["value"], height, marker, markersize=6, color=color, mec="black", mew=0.7)
    axis.set_ylim(min(0, *axis.get_ylim()), 1.08)
    axis.set_ylabel("Share / its maximum")
    _name_layers(axis, table)
    if notes:
        axis.text(0.98, 0.03, "\n".join(notes), transform=axis.transAxes, ha="right", fontsize=7)


def _draw_confusion(axis: Axes, table: pd.DataFrame | None, title: str, lacking: str) -> None:
    if table is None:
        style.say_missing(axis, lacking)
        return
    axis.set_title(title, loc="left")
    axis.imshow(table.to_numpy(), vmin=0, vmax=1, cmap="Greys", aspect="auto")
    for i, values in enumerate(table.to_numpy()):
        for j, value in enumerate(values):
            if value >= 0.005:
                color = "white" if value > 0.55 else "black"
                text = f"{100 * value:.0f}"
                axis.text(j, i, text, ha="center", va="center", fontsize=6, color=color)
    axis.set_xticks(range(len(table.columns)), table.columns, rotation=45, ha="right", fontsize=6.5)
    axis.set_yticks(range(len(table)), table.index, fontsize=6.5)
    axis.tick_params(length=0, pad=2)
    axis.set_xlabel("Answer, % of each row", labelpad=1)


def _confusion_rows(table: pd.DataFrame) -> pd.DataFrame:
    rows = table.rename_axis(index="shown", columns="answer").stack().rename("value").reset_index()
    rows["label"] = rows.pop("shown") + " called " + rows.pop("answer")
    return rows.assign(measure="confusion")


def _add_legend(figure: Figure) -> None:
    handles = [
        plt.Rectangle((0, 0), 1, 1, facecolor=color, hatch=hatch, edgecolor="white")
        for _, color, hatch in _BANDS.values()
    ]
    names = [name for name, _, _ in _BANDS.values()]
    figure.legend(handles, names, loc="outside upper center", ncols=4, frameon=False)


def _caption(summary, dataset, known, networks, components, absent) -> str:
    shares = summary[summary["measure"] == "share"]
    parts = [
        f"Shares of the variance of the first {components} principal components (adjusted R2): "
        f"identity; valence and arousal (linear) beyond it; expression category beyond all three. "
        f"Right of them, each share as a part of its own maximum; the mark, with its 95 % interval "
        f"over people, is where it first reaches half. Layers in the order of the network; those "
        f"of its stages are bold. A mark at the first layer means there or before. Category takes "
        f"only what valence and arousal leave over; alone, beyond identity, it has more "
        f"(category_alone in the numbers)."
    ]
    if len(summary) and summary["rendered"].max() == 1:
        parts.append("All faces are RENDERED, not photographs; valence and arousal are DECLARED.")
    if len(shares):
        n = int(shares["n"].max())
        pictures = pictures_in_words(n, known)
        parts.append(f"{dataset}, {pictures}. Labels: {shares['label_source'].iloc[0]}.")
    seeds = shares.groupby("network", sort=False)["seeds"].max()
    counts = ", ".join(f"{networks[name]} {number}" for name, number in seeds.items())
    if counts:
        parts.append(f"Seeds: {counts}; of several, the mean, and the widest interval.")
    for name in summary.loc[summary["note"].str.contains("CIRCULAR"), "network"].unique():
        parts.append(f"CIRCULAR: {networks[name]} is scored with its own labels.")
    parts += [f"LEFT OUT: {line}." for line in absent]
    return " ".join(parts)
