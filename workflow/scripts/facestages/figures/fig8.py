"""Figure 8: how much of each layer's space is identity, valence-arousal and category."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facestages.analysis.labels import is_circular, no_label
from facestages.analysis.partition import SHARES
from facestages.expressions import EXPRESSIONS
from facestages.figures import page, style
from facestages.figures.face_set import read_face_set
from facestages.figures.seeds import mean_over_seeds
from facestages.stimuli.sample import pictures_in_words
from facestages.text import abbreviate

_REST = "#DDDDDD"

#: Name, colour and hatch of each share, from the floor up; no share explains the rest.
_BANDS = {
    "identity": ("identity", style.COLORS["blue"], ""),
    "affect": ("valence-arousal, beyond identity", style.COLORS["orange"], "////"),
    "category": ("category, beyond both", style.COLORS["green"], "...."),
    "rest": ("rest", _REST, ""),
}
# At most so many layers are named below an axis, beside those of the stages.
_NAMED = 12
_MARKERS = {"identity": "o", "affect": "s", "category": "^"}

_KEYS = [
    *("dataset", "rendered", "network", "stage", "layer", "position", "label", "label_source"),
    *("measure", "components"),
]


def draw(
    shares: pd.DataFrame,
    stimuli: str | os.PathLike,
    predictions: pd.DataFrame | None = None,
    labels_from: str | os.PathLike | None = None,
    labels: str | os.PathLike | None = None,
    *,
    dataset: str,
    networks: Mapping[str, str],
    components: int,
    absent: Sequence[str] = (),
) -> page.Drawing:
    """Draw shares of variance by layer, where they rise, and confusions; a row a network.

    Parameters
    ----------
    shares : pandas.DataFrame
        Rows of `analysis.partition.partition_variance`, of any number of networks and seeds.
    stimuli, labels, dataset : path-like, path-like, str
        The files of the face set, and its name in figures.
    predictions : pandas.DataFrame, optional
        Rows of `recording.predictions.predict_expressions` of the networks that name expressions.
    labels_from : path-like, optional
        Predictions that take the place of the face set's own expressions.
    networks : mapping of str to str
        Name in figures of each network, in order.
    absent : sequence of str
        A line for each network that is left out.

    Returns
    -------
    figures.page.Drawing
        Numbers: means over the seeds of each network, and confusions of its first seed.
    """
    # Rows without a number of components say why nothing was measured.
    chosen = shares[shares["components"].isin([str(components), ""])]
    summary = mean_over_seeds(chosen, _KEYS)
    faces = read_face_set(stimuli, labels, labels_from)
    source = faces.sources.get("expression", "")
    height = 46 * len(networks) + 34
    figure, axes = page.new_panels(len(networks), 3, height, width_ratios=(1.1, 1.1, 1))
    letters, numbers = page.letters(), []
    for row, name in zip(axes, networks, strict=True):
        panels = [next(letters) for _ in row]
        rows = summary[summary["network"] == name]
        is_share = rows["measure"] == "share"
        numbers.append(rows.assign(panel=np.where(is_share, panels[0], panels[1])))
        # A layer that is two stages has two rows of each share.
        curves = rows[is_share].drop_duplicates(["position", "label"])
        if curves.empty:
            note = rows["note"].iloc[0] if len(rows) else "not measured"
            style.say_missing(row[0], f"{panels[0]}  {networks[name]}: {note}")
            row[1].set_axis_off()
        else:
            row[0].set_title(f"{panels[0]}  {networks[name]}", loc="left")
            _draw_shares(row[0], curves)
            row[1].set_title(f"{panels[1]}  where each rises", loc="left")
            _draw_rises(row[1], curves, rows[rows["measure"] == "half_maximum"])
        answers = None if predictions is None else predictions[predictions["network"] == name]
        if not faces.expressions.any():
            style.say_missing(row[2], no_label("expression"))
        elif answers is None or answers.empty:
            why = "no answers: it is untrained, or its classes are not the expressions"
            style.say_missing(row[2], why)
        else:
            table = confusion(answers, faces.labels)
            where = {"panel": panels[2], "network": name, "label_source": source, **faces.columns}
            numbers.append(_confusion_rows(table).assign(**where))
            mark = " (CIRCULAR)" if is_circular(source, name) else ""
            row[2].set_title(f"{panels[2]}  answers{mark}", loc="left")
            _draw_confusion(row[2], table)
    _add_legend(figure)
    sentences = _caption(summary, dataset, faces.attributes, networks, components)
    return page.finish(figure, pd.concat(numbers, ignore_index=True), sentences, absent)


def confusion(predictions: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """How often each expression (row) has each answer (column); each row sums to 1.

    `predictions` are rows of `recording.predictions.predict_expressions` of one network; pictures
    whose ``expression`` in `labels` is "" are left out.
    """
    truth = labels.set_index("stimulus_id")["expression"]
    shown = predictions["stimulus_id"].map(truth).to_numpy()
    has_label = shown != ""
    answers = predictions["expression"].to_numpy()
    table = pd.crosstab(shown[has_label], answers[has_label], normalize="index")
    names = [*EXPRESSIONS, *sorted({*table.index, *table.columns} - {*EXPRESSIONS})]
    rows = [name for name in names if name in table.index]
    columns = [name for name in names if name in {*table.index, *table.columns}]
    return table.reindex(index=rows, columns=columns, fill_value=0.0)


def _draw_shares(axis: Axes, curves: pd.DataFrame) -> None:
    wide = curves.pivot(index="position", columns="label", values="value")
    floor = np.zeros(len(wide))
    for share, (_, color, hatch) in _BANDS.items():
        # A share of nothing may come out just below 0.
        height = np.maximum(wide[share].to_numpy(), 0.0)
        look = {"color": color, "hatch": hatch, "edgecolor": "white", "linewidth": 0.4}
        axis.bar(wide.index, height, 0.82, bottom=floor, **look)
        floor += height
    axis.set_ylim(0, 1)
    axis.set_ylabel("Share of variance")
    _name_layers(axis, curves)


def _name_layers(axis: Axes, curves: pd.DataFrame) -> None:
    layers = curves.drop_duplicates("position").sort_values("position")
    small = 6.5 if len(layers) > 6 else 7
    # Where there are many layers, the names are those of the stages and of some between.
    step = -(-len(layers) // _NAMED)
    is_named = [
        bool(stage) or number % step == 0 and not _is_near_a_stage(layers, number, step)
        for number, stage in enumerate(layers["stage"])
    ]
    names = [
        abbreviate(layer, 16) if named else ""
        for layer, named in zip(layers["layer"], is_named, strict=True)
    ]
    axis.set_xticks(layers["position"].astype(int), names, rotation=35, ha="right", fontsize=small)
    axis.tick_params(axis="x", length=2, pad=1)
    for tick, stage in zip(axis.get_xticklabels(), layers["stage"], strict=True):
        tick.set_rotation_mode("anchor")
        tick.set_fontweight("bold" if stage else "normal")


def _is_near_a_stage(layers: pd.DataFrame, number: int, step: int) -> bool:
    around = layers["stage"].iloc[max(0, number - step + 1) : number + step]
    return step > 1 and bool((around != "").any())


def _draw_rises(axis: Axes, curves: pd.DataFrame, rises: pd.DataFrame) -> None:
    style.mark_zero(axis, 0.5)
    notes, rises = [], rises.set_index("label")
    for height, share in zip((0.46, 0.50, 0.54), SHARES, strict=True):
        name, color, _ = _BANDS[share]
        rise, marker = rises.loc[share], _MARKERS[share]
        if np.isnan(rise["value"]):
            # CIRCULAR stands in the title and the caption.
            note = rise["note"].rpartition("; ")[2]
            notes.append(f"{name.partition(',')[0]}:\n{note}")
            continue
        curve = curves[curves["label"] == share].sort_values("position")
        look = {"color": color, "marker": marker, "markersize": 3.5, "linewidth": 1.2}
        axis.plot(curve["position"], curve["value"] / curve["value"].max(), **look)
        bar = {"color": color, "linewidth": 3, "alpha": 0.55, "solid_capstyle": "butt"}
        axis.plot([rise["ci_low"], rise["ci_high"]], [height] * 2, **bar)
        axis.plot(rise["value"], height, marker, markersize=6, color=color, mec="black", mew=0.7)
    axis.set_ylim(min(0, *axis.get_ylim()), 1.08)
    axis.set_ylabel("Share / its maximum")
    _name_layers(axis, curves)
    if notes:
        axis.text(0.98, 0.03, "\n".join(notes), transform=axis.transAxes, ha="right", fontsize=7)


def _draw_confusion(axis: Axes, table: pd.DataFrame) -> None:
    percent = (100 * table).map("{:.0f}".format).where(table >= 0.005, "")
    sns.heatmap(
        table,
        vmin=0,
        vmax=1,
        cmap="Greys",
        cbar=False,
        annot=percent,
        annot_kws={"fontsize": 6},
        fmt="",
        linewidths=0.4,
        linecolor=_REST,
        ax=axis,
    )
    axis.set_xticks(axis.get_xticks(), table.columns, rotation=45, ha="right", fontsize=6.5)
    axis.set_yticks(axis.get_yticks(), table.index, rotation=0, fontsize=6.5)
    axis.tick_params(length=0, pad=2)
    axis.set_xlabel("Answer, % of each row", labelpad=1)
    axis.set_ylabel("")


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
    page.add_legend(figure, handles, names, 4)


def _caption(summary, dataset, attributes, networks, components) -> list[str]:
    shares = summary[summary["measure"] == "share"]
    sentences = [
        f"Shares of the variance of the first {components} principal components (adjusted R2): "
        f"identity; valence and arousal (linear) beyond it; expression category beyond all three. "
        f"Right of them, each share as a part of its own maximum; the mark, with its 95 % interval "
        f"over people, is where it first reaches half. Layers in the order of the network; those "
        f"of its stages are bold. A mark at the first layer means there or before. Category counts "
        f"only what valence and arousal do not explain; beyond identity alone it explains more "
        f"(category_alone in the numbers).",
        *page.rendered(summary["rendered"].max() == 1),
        *page.declared(summary["label_source"]),
    ]
    if len(shares):
        pictures = pictures_in_words(int(shares["n"].max()), attributes)
        seeds = page.count_seeds(shares, networks)
        sentences += [
            f"{dataset}, {pictures}. Labels: {shares['label_source'].iloc[0]}.",
            f"Seeds: {seeds}; several have their mean and intervals from lowest to highest end.",
        ]
    return [*sentences, *page.circular(summary, networks)]
