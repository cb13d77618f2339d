"""Figure 4: where people and expressions become separate, stage by stage."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facestages.errors import FacestagesError
from facestages.figures import style
from facestages.stimuli.sample import sample_in_words

# How far to each side of its stage a network is drawn, in distances between stages.
_ASIDE = 0.12


def select_scores(
    scores: pd.DataFrame, labels: Sequence[str], stages: Sequence[str], components: int | str
) -> pd.DataFrame:
    """The silhouettes that Figure 4 shows.

    Parameters
    ----------
    scores : pandas.DataFrame
        Rows of `analysis.separability.score_separability`, of any number of networks, seeds and
        face sets.
    labels, stages : sequence of str
    components : int or "all"

    Returns
    -------
    pandas.DataFrame
        Silhouettes of these labels and stages in this number of components.
    """
    chosen = (
        (scores["measure"] == "silhouette")
        & scores["label"].isin(labels)
        & scores["stage"].isin(stages)
        & (scores["components"].astype(str) == str(components))
    )
    return scores[chosen]


def summarise_seeds(scores: pd.DataFrame, band: str) -> pd.DataFrame:
    """Mean and band over the seeds of each network; of one seed, its interval over people.

    Parameters
    ----------
    scores : pandas.DataFrame
        From `select_scores`.
    band : str
        ``"range"``: lowest to highest seed; ``"sd"``: one standard deviation to each side.

    Returns
    -------
    pandas.DataFrame
        Columns ``dataset, label, label_source, network, stage, mean, low, high, ci_low, ci_high,
        seeds``: low to high is the band over seeds; ``ci_low`` to ``ci_high`` the interval over
        people, of several seeds the widest.
    """
    keys = ["dataset", "label", "label_source", "network", "stage"]
    table = scores.groupby(keys, sort=False).agg(
        mean=("value", "mean"),
        low=("value", "min"),
        high=("value", "max"),
        ci_low=("ci_low", "min"),
        ci_high=("ci_high", "max"),
        seeds=("value", "size"),
        sd=("value", "std"),
    )
    if band == "sd":
        spread = table["sd"].fillna(0.0)
        table["low"], table["high"] = table["mean"] - spread, table["mean"] + spread
    return table.drop(columns="sd").reset_index()


def draw_fig4(
    scores: pd.DataFrame,
    *,
    datasets: Mapping[str, str],
    networks: Mapping[str, str],
    looks: Mapping[str, int | str],
    absent: Sequence[str] = (),
    labels: Sequence[str],
    stages: Sequence[str],
    components: int | str,
    band: str,
) -> tuple[Figure, pd.DataFrame, str]:
    """Draw silhouettes by stage: a row of panels a label, a column a face set, a line a network.

    Parameters
    ----------
    scores : pandas.DataFrame
        Rows of `analysis.separability.score_separability`.
    datasets, networks : mapping of str to str
        Name in figures of each face set and network, in order.
    looks : mapping of str to int or str
        See `figures.style.line_styles`.
    absent : sequence of str
        A line for each face set and network that is left out.
    labels, stages : sequence of str
    components : int or "all"
    band : str
        See `summarise_seeds`.

    Returns
    -------
    figure : matplotlib.figure.Figure
    summary : pandas.DataFrame
        The numbers drawn.
    caption : str
        The text below the figure.

    Raises
    ------
    FacestagesError
        If there is nothing to draw.
    """
    chosen = select_scores(scores, labels, stages, components)
    if chosen["value"].notna().sum() == 0:
        raise FacestagesError(
            f"Figure 4 has nothing to draw: no silhouette of {', '.join(labels)} in "
            f"{components} components; check figures.fig4 and the face sets' labels"
        )
    style.use_style()
    summary = summarise_seeds(chosen, band)
    lines = style.line_styles(looks)
    height = (42 * len(labels) + 48) * style.MILLIMETRE
    figure, axes = plt.subplots(
        len(labels),
        len(datasets),
        figsize=(style.PAGE_WIDTH, height),
        sharex=True,
        sharey="row",
        squeeze=False,
        layout="constrained",
    )
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    for row, label in zip(axes, labels, strict=True):
        for axis, (dataset, title) in zip(row, datasets.items(), strict=True):
            panel = summary[(summary["label"] == label) & (summary["dataset"] == dataset)]
            _draw_panel(axis, panel, lines, stages)
            axis.set_title(f"{next(letters)}  {title}: {label}", loc="left")
            _say_if_missing(axis, chosen, dataset, label)
        row[0].set_ylabel(f"{label.capitalize()} silhouette")
    _add_legend(figure, axes, networks, lines)
    caption = _caption(chosen, summary, datasets, networks, components, band)
    caption = " ".join([caption, *(f"LEFT OUT: {line}." for line in absent)])
    style.add_caption(figure, caption)
    return figure, summary, caption


def _draw_panel(axis: Axes, panel: pd.DataFrame, lines: Mapping, stages: Sequence[str]) -> None:
    axis.axhline(0, color="#b0b0b0", linewidth=0.6, zorder=0)
    positions = np.arange(len(stages))
    # A little beside each other, so that intervals do not hide each other.
    places = np.linspace(-_ASIDE, _ASIDE, len(lines)) if len(lines) > 1 else [0.0]
    for (network, line), aside in zip(lines.items(), places, strict=True):
        own = panel[panel["network"] == network].set_index("stage").reindex(stages)
        axis.plot(positions + aside, own["mean"], **line)
        axis.vlines(
            positions + aside, own["ci_low"], own["ci_high"], color=line["color"], linewidth=0.8
        )
        if own["seeds"].max() > 1:
            axis.fill_between(
                positions + aside,
                own["low"],
                own["high"],
                color=line["color"],
                alpha=0.2,
                linewidth=0,
            )
    axis.set_xticks(positions, [stage.capitalize() for stage in stages])
    axis.margins(x=0.06)


def _say_if_missing(axis: Axes, chosen: pd.DataFrame, dataset: str, label: str) -> None:
    own = chosen[(chosen["dataset"] == dataset) & (chosen["label"] == label)]
    if own["value"].notna().any():
        return
    note = own["note"].iloc[0] if len(own) else "not measured"
    axis.text(0.5, 0.5, note, transform=axis.transAxes, ha="center", va="center", color="#404040")


def _add_legend(figure: Figure, axes, networks: Mapping[str, str], lines: Mapping) -> None:
    handles = [plt.Line2D([], [], **lines[name]) for name in networks]
    columns = len(networks) if len(networks) <= 3 else math.ceil(len(networks) / 2)
    figure.legend(
        handles,
        list(networks.values()),
        loc="outside upper center",
        ncols=columns,
        frameon=False,
        handlelength=3.2,
    )


def _caption(chosen, summary, datasets, networks, components, band) -> str:
    space = "full space" if components == "all" else f"first {components} principal components"
    spread = {"range": "lowest to highest", "sd": "one standard deviation"}[band]
    seeds = summary.groupby("network", sort=False)["seeds"].max()
    counts = ", ".join(f"{networks[name]} {number}" for name, number in seeds.items())
    sizes = "; ".join(_count_pictures(chosen, name, title) for name, title in datasets.items())
    parts = [f"Mean silhouette, Euclidean distance, {space} (fewer where a layer has fewer)."]
    rendered = set(chosen[chosen["rendered"] == 1]["dataset"])
    if rendered == set(datasets):
        parts.append("All faces are RENDERED, not photographs.")
    elif rendered:
        names = ", ".join(title for name, title in datasets.items() if name in rendered)
        parts.append(f"RENDERED, not photographs: {names}.")
    parts += _label_sources(chosen, datasets, networks)
    parts.append(
        f"Line: mean over seeds; band: {spread}. Bars: 95 % intervals over people, of several "
        f"seeds the widest. Seeds: {counts}. Pictures: {sizes}."
    )
    return " ".join(parts)


def _label_sources(
    chosen: pd.DataFrame, datasets: Mapping[str, str], networks: Mapping[str, str]
) -> list[str]:
    """Where the expressions come from, and which lines are circular."""
    known = chosen[(chosen["label"] == "expression") & (chosen["label_source"] != "")]
    sources = known.groupby("dataset")["label_source"].first()
    titles: dict[str, list[str]] = {}
    for name, title in datasets.items():
        if name in sources:
            titles.setdefault(sources[name], []).append(title)
    listed = [f"{source} ({', '.join(own)})" for source, own in titles.items()]
    said = [f"Expression labels: {'; '.join(listed)}."] if listed else []
    own = known[known["note"].astype(str).str.startswith("CIRCULAR")]
    for (dataset, network), _ in own.groupby(["dataset", "network"], sort=False):
        said.append(
            f"CIRCULAR: {networks[network]} on {datasets[dataset]} is scored with its own labels."
        )
    return said


def _count_pictures(chosen: pd.DataFrame, dataset: str, title: str) -> str:
    """Number of pictures of a face set, by label where not every picture has every label."""
    own = chosen[chosen["dataset"] == dataset]
    counts = own.groupby("label", sort=False)["n"].max()
    if counts.nunique() <= 1:
        said = [title, str(int(counts.max()))]
    else:
        said = [title, ", ".join(f"{int(n)} ({label})" for label, n in counts.items())]
    samples = own.reindex(columns=["pictures_of", "sampled"]).dropna()
    for sample in samples.astype({"pictures_of": int}).head(1).to_dict("records"):
        said.append(sample_in_words(sample))
    return " ".join(said)
