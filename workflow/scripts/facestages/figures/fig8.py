"""Figure 8: how much of each layer's space is identity, valence-arousal and category."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facestages.analysis.labels import is_circular
from facestages.expressions import EXPRESSIONS
from facestages.figures import page, style
from facestages.figures.face_set import read_face_set
from facestages.figures.layer_names import name_layers
from facestages.figures.seeds import mean_over_seeds
from facestages.stimuli.sample import pictures_in_words

_REST = "#DDDDDD"

#: Name, colour and hatch of each share, from the floor up; no share explains the rest.
_BANDS = {
    "identity": ("identity", style.PARTS["identity"]["color"], ""),
    "affect_beyond_category": ("valence-arousal only", style.PARTS["affect"]["color"], "////"),
    "shared": ("shared: valence-arousal, category", "#F6D38B", "xxxx"),
    "category": ("category only", style.PARTS["category"]["color"], "...."),
    "rest": ("rest", _REST, ""),
}
#: The same where there is no valence or arousal.
_WITHOUT_AFFECT = {
    "identity": _BANDS["identity"],
    "category_alone": ("category, beyond identity", *_BANDS["category"][1:]),
    "rest": _BANDS["rest"],
}
#: Name, colour and marker of each share whose rise is drawn.
_RISES = {
    share: (name, style.PARTS[share]["color"], style.PARTS[share]["marker"])
    for share, name in {
        "identity": "identity",
        "affect": "valence-arousal",
        "category": "category only",
    }.items()
}
_RISES_WITHOUT_AFFECT = {
    "identity": _RISES["identity"],
    "category_alone": ("category", *_RISES["category"][1:]),
}
_PLANES = "arbitrary planes"
# Width of a panel, millimetres.
_PANEL = 47
_LINE = 9  # points, of small type
# Below the curves, where each share reaches half of its maximum.
_HEIGHTS, _STRIP = (-0.36, -0.28, -0.20), (-0.44, -0.12)
_PLANES_LOOK = {"color": "black", "linewidth": 1.1, "marker": "_", "markersize": 3.5}

# Sentences of the caption.
_WHAT = (
    "Identity; beyond it, what valence and arousal (linear) explain alone, what they share with "
    "expression category, and what category explains alone."
)
_WHAT_WITHOUT_AFFECT = "Identity, and expression category beyond it."
_WHERE = [
    "Right of them, each share as a part of its own maximum, with 95 % bands over people; in the "
    "grey strip, where it first reaches half, with its interval. Layers in the order of the "
    "network; those of its stages are bold. An arrow at the first layer means there or before.",
]
_BESIDE = [
    "Valence-arousal includes what it shares with category. Black: where it would end for 95 % of "
    "arbitrary planes, those of other assignments of the positions to the categories. Beside "
    "planes: by how many layers category follows valence-arousal later than it follows an "
    "arbitrary plane, with its interval over people and p over planes.",
]

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

    Raises
    ------
    FacestagesError
        If no share was measured of any network.
    """
    page.require_values(shares, "Figure 8", "; ".join(shares["note"].unique()) or "no network")
    # Rows without a number of components say why nothing was measured.
    chosen = shares[shares["components"].isin([str(components), ""])]
    is_order = chosen["measure"] == "order_beside_planes"
    order, chosen = chosen[is_order], chosen[~is_order]
    summary = mean_over_seeds(chosen, _KEYS)
    faces = read_face_set(stimuli, labels, labels_from)
    source = faces.sources.get("expression", "")
    measured = set(summary.loc[summary["value"].notna(), "network"])
    # A network of which there is nothing has a line of text.
    heights = [50 if name in measured else 12 for name in networks]
    answering = set() if predictions is None else set(predictions["network"])
    # Where no network names expressions, there is no third column.
    columns = 3 if answering & set(networks) and faces.expressions.any() else 2
    widths = (1.1, 1.1, 1)[:columns]
    figure, axes = page.new_panels(
        len(networks), columns, sum(heights) + 12, width_ratios=widths, height_ratios=heights
    )
    letters, numbers = page.letters(), []
    for row, name in zip(axes, networks, strict=True):
        panels = [next(letters) for _ in row]
        rows = summary[summary["network"] == name]
        is_share = rows["measure"].isin(["share", "affect_beside_planes"])
        numbers.append(rows.assign(panel=np.where(is_share, panels[0], panels[1])))
        tests = order[order["network"] == name]
        numbers.append(tests.assign(panel=panels[1]))
        # A layer that is two stages has two rows of each share.
        drawn = rows[rows["value"].notna() & rows["layer"].ne("")]
        drawn = drawn.drop_duplicates(["position", "label", "measure"])
        curves = drawn[drawn["measure"] == "share"]
        if curves.empty:
            note = rows["note"].iloc[0] if len(rows) else "not measured"
            style.say_missing(row[0], f"{panels[0]}  {networks[name]}: {note}")
            row[1].set_axis_off()
        else:
            row[0].set_title(f"{panels[0]}  {networks[name]}", loc="left")
            _draw_shares(row[0], curves)
            _draw_planes(row[0], curves, drawn[drawn["measure"] == "affect_beside_planes"])
            order_words = _describe_order(tests) if _bands_of(curves) is _BANDS else ""
            _head(row[1], f"{panels[1]}  course of each share", order_words)
            _draw_rises(row[1], curves, rows[rows["measure"] == "half_maximum"])
        if columns < 3:
            continue
        answers = predictions[predictions["network"] == name]
        if answers.empty:
            why = "no answers: it is untrained, or its classes are not the expressions"
            style.say_missing(row[2], why)
        else:
            table = confusion(answers, faces.labels)
            where = {"panel": panels[2], "network": name, "label_source": source, **faces.columns}
            numbers.append(_confusion_rows(table).assign(**where))
            mark = " (CIRCULAR)" if is_circular(source, name) else ""
            row[2].set_title(f"{panels[2]}  answers{mark}", loc="left")
            _draw_confusion(row[2], table)
    _add_legend(figure, summary)
    sentences = _caption(summary, dataset, faces.attributes, networks, components)
    table = pd.concat(numbers, ignore_index=True)
    return page.finish(figure, table, _title(summary, networks), sentences, absent)


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
    for share, (_, color, hatch) in _bands_of(curves).items():
        # A share of nothing may come out just below 0.
        height = np.maximum(wide[share].to_numpy(), 0.0)
        look = {"color": color, "hatch": hatch, "edgecolor": "white", "linewidth": 0.4}
        axis.bar(wide.index, height, 0.82, bottom=floor, **look)
        floor += height
    axis.set_ylim(0, 1)
    axis.set_ylabel("Share of variance")
    name_layers(axis, curves, _PANEL)


def _bands_of(curves: pd.DataFrame) -> Mapping[str, tuple[str, str, str]]:
    is_known = (curves["label"] == "affect") & curves["value"].notna()
    return _BANDS if is_known.any() else _WITHOUT_AFFECT


def _draw_planes(axis: Axes, curves: pd.DataFrame, planes: pd.DataFrame) -> None:
    """Where valence-arousal would end if its plane were any other."""
    floor = curves[curves["label"] == "identity"].set_index("position")["value"].clip(lower=0)
    for _, row in planes.iterrows():
        low, high = (floor[row["position"]] + max(row[end], 0) for end in ("null_low", "null_high"))
        axis.plot([row["position"]] * 2, [low, high], **_PLANES_LOOK)


def _describe_order(tests: pd.DataFrame) -> str:
    """The order test beside arbitrary planes, or why there is none."""
    tested = tests[tests["value"].notna()]
    if tested.empty:
        return next(iter(tests["note"]), "").rpartition("; ")[2]
    if len(tested) > 1:
        small, value = (tested["p"] <= 0.05).sum(), page.spell(tested["value"].mean())
        return f"beside planes {value}, p < 0.05 in {small} of {len(tested)} seeds"
    *estimate, p = tested.iloc[0][["value", "ci_low", "ci_high", "p"]]
    return f"beside planes {page.spell(*estimate)}, {page.spell_p(p)}"


def _head(axis: Axes, title: str, text: str) -> None:
    """A title, and below it small lines."""
    text = text.replace(" = ", "\u00a0=\u00a0")
    text = textwrap.fill(text, 44, max_lines=2, placeholder=" ...")
    axis.set_title(title, loc="left", pad=5 + _LINE * (text.count("\n") + bool(text)))
    below = axis.text(0, 1.03, text, transform=axis.transAxes, va="bottom", fontsize=6.5)
    # The title's padding makes room for this text, which may be wider than the panel.
    below.set_in_layout(False)


def _draw_rises(axis: Axes, curves: pd.DataFrame, rises: pd.DataFrame) -> None:
    style.mark_zero(axis, 0.5)
    axis.axhspan(*_STRIP, color=style.FAINT, linewidth=0, zorder=0)
    notes, rises = {}, rises.set_index("label")
    shown = _RISES if _bands_of(curves) is _BANDS else _RISES_WITHOUT_AFFECT
    for height, (share, (name, color, marker)) in zip(_HEIGHTS, shown.items(), strict=False):
        rise = rises.loc[share]
        if np.isnan(rise["value"]):
            # CIRCULAR stands in the title and the caption.
            note = rise["note"].rpartition("; ")[2]
            notes[note] = [*notes.get(note, []), name]
            continue
        curve = curves[curves["label"] == share].sort_values("position")
        look = {"color": color, "marker": marker, "markersize": 3.5, "linewidth": 1.2}
        most = curve["value"].max()
        axis.plot(curve["position"], curve["value"] / most, **look)
        ends = (curve["ci_low"] / most, curve["ci_high"] / most)
        style.fill_band(axis, curve["position"], *ends, color)
        axis.plot([rise["ci_low"], rise["ci_high"]], [height] * 2, color=color, linewidth=1.5)
        # At the first layer it may have been before.
        mark = "<" if rise["value"] <= curve["position"].min() else marker
        axis.plot(rise["value"], height, mark, markersize=4.5, color=color)
    axis.set_ylim(_STRIP[0], 1.15)
    axis.set_yticks([sum(_STRIP) / 2, 0, 0.5, 1], ["half at", "0", "0.5", "1"])
    axis.set_ylabel("Share / its maximum")
    name_layers(axis, curves, _PANEL)
    if notes:
        lines = [f"{', '.join(names)}:\n{note}" for note, names in notes.items()]
        place = {"transform": axis.transAxes, "ha": "right", "fontsize": 6}
        axis.text(0.98, 0.24, "\n".join(lines), **place)


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
    axis.set_xticks(axis.get_xticks(), table.columns, rotation=90, fontsize=6)
    axis.set_yticks(axis.get_yticks(), table.index, rotation=0, fontsize=6)
    axis.tick_params(length=0, pad=2)
    axis.set_xlabel("Answer, % of each row", labelpad=1)
    axis.set_ylabel("")


def _confusion_rows(table: pd.DataFrame) -> pd.DataFrame:
    rows = table.rename_axis(index="shown", columns="answer").stack().rename("value").reset_index()
    rows["label"] = rows.pop("shown") + " called " + rows.pop("answer")
    return rows.assign(measure="confusion")


def _add_legend(figure: Figure, summary: pd.DataFrame) -> None:
    bands = _bands_of(summary)
    handles = [
        plt.Rectangle((0, 0), 1, 1, facecolor=color, hatch=hatch, edgecolor="white")
        for _, color, hatch in bands.values()
    ]
    names = [name for name, _, _ in bands.values()]
    if (summary["measure"] == "affect_beside_planes").any():
        handles.append(plt.Line2D([], [], **_PLANES_LOOK))
        names.append(_PLANES)
    page.add_legend(figure, handles, names, 3)


def _title(summary: pd.DataFrame, networks: Mapping[str, str]) -> str:
    """In how many networks identity reaches half of its maximum before category does."""
    halves = summary[(summary["measure"] == "half_maximum") & summary["value"].notna()]
    share = "category" if (halves["label"] == "affect").any() else "category_alone"
    both = halves[halves["label"].isin(["identity", share])].pivot_table(
        index="network", columns="label", values=["ci_low", "ci_high"]
    )
    ends = [(end, label) for end in ("ci_low", "ci_high") for label in ("identity", share)]
    if not set(ends) <= set(both.columns):
        return "How much of each layer's space is identity and expression category"
    both = both.dropna()
    first = (both["ci_high", "identity"] < both["ci_low", share]).sum()
    last = (both["ci_low", "identity"] > both["ci_high", share]).sum()
    return (
        f"Expression category reaches half of its largest share in later layers than identity in "
        f"{first} of {len(both)} networks, in earlier ones in {last}"
    )


def _caption(summary, dataset, attributes, networks, components) -> list[str]:
    shares = summary[summary["measure"] == "share"]
    no_affect = shares.loc[(shares["label"] == "affect") & shares["value"].isna(), "note"]
    sentences = [
        f"Shares of the variance of the first {components} principal components (adjusted R2).",
        *([_WHAT_WITHOUT_AFFECT] if len(no_affect) else [_WHAT]),
        *_WHERE,
        *([] if len(no_affect) else _BESIDE),
        *page.rendered(summary["rendered"].max() == 1),
        *page.declared(summary["label_source"]),
    ]
    pictures = pictures_in_words(int(shares["n"].max()), attributes)
    seeds = page.count_seeds(shares, networks)
    sentences += [
        f"{dataset}, {pictures}. Labels: {shares['label_source'].iloc[0]}.",
        f"Seeds: {seeds}; several have their mean and intervals from lowest to highest end.",
    ]
    lines = [f"valence-arousal: {note}" for note in no_affect.head(1)]
    return [*sentences, *page.circular(summary, networks), *page.left_out(lines)]
