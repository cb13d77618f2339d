"""Figure 4: where identities and expressions become separate, stage by stage."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from facestages.figures import page, style
from facestages.figures.chance import less_chance, without_chance
from facestages.figures.seeds import mean_over_seeds
from facestages.text import abbreviate

# Networks are spread so far to each side of a stage, in distances between stages.
_ASIDE = 0.12

# Characters of a line inside one of three panels.
_WIDEST_NOTE = 24

# How silhouettes are drawn that chance is not subtracted from.
_AS_MEASURED = {"linewidth": 0.6, "alpha": 0.6}

_KEYS = ["dataset", "label", "label_source", "network", "stage"]
_COLUMNS = [*_KEYS, "mean", "low", "high", "ci_low", "ci_high", "silhouette", "seeds"]


def draw(
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
    pretrained: Mapping[str, str] | None = None,
) -> page.Drawing:
    """Draw silhouettes by stage: a row of panels a label, a column a face set, a line a network.

    `looks` is described in `figures.style.line_styles`, `band` in `figures.seeds.mean_over_seeds`.

    Parameters
    ----------
    scores : pandas.DataFrame
        Rows of `analysis.separability.score_separability`, of any number of networks, seeds and
        face sets.
    datasets, networks : mapping of str to str
        Name in figures of each face set and network, in order.
    absent : sequence of str
        A line for each face set and network that is left out.
    components : int or "all"
        Number of principal components whose silhouettes are drawn.
    pretrained : mapping of str to str
        Whose weights those networks have that a library gives.

    Returns
    -------
    figures.page.Drawing
        Numbers: ``mean`` is less chance, the mean of permuted labels. ``low`` to ``high`` is its
        band over seeds, ``ci_low`` to ``ci_high`` its interval over people. ``silhouette`` is the
        mean with chance in it, as in the paper.

    Raises
    ------
    FacestagesError
        If there is nothing to draw.
    """
    chosen = scores[
        (scores["measure"] == "silhouette")
        & scores["label"].isin(labels)
        & scores["stage"].isin(stages)
        & (scores["components"].astype(str) == str(components))
    ]
    page.require_values(
        chosen,
        "Figure 4",
        f"no silhouette of {', '.join(labels)} in {components} components; check figures.fig4 and "
        f"the face sets' labels",
    )
    summary = mean_over_seeds(less_chance(chosen), _KEYS, band)
    summary["silhouette"] = mean_over_seeds(chosen, _KEYS)["value"]
    lines = style.line_styles(looks)
    height = 42 * len(labels) + 48
    figure, axes = page.new_panels(len(labels), len(datasets), height, sharex=True, sharey="row")
    letters = page.letters()
    for row, label in zip(axes, labels, strict=True):
        for axis, (dataset, title) in zip(row, datasets.items(), strict=True):
            panel = summary[(summary["label"] == label) & (summary["dataset"] == dataset)]
            _draw_panel(axis, panel, lines, stages)
            heading = f"{next(letters)}  {abbreviate(title, 30)}: {label}"
            axis.set_title(heading, loc="left", fontsize=9 if len(datasets) < 3 else 8)
        row[0].set_ylabel(f"{label.capitalize()} silhouette\nless chance")
    # Of four networks two and two; more than three names side by side may be wider than the page.
    columns = 2 if len(networks) == 4 else min(3, len(networks))
    page.add_line_legend(figure, networks, lines, columns)
    sentences = _caption(chosen, summary, datasets, networks, stages, components, band)
    if pretrained:
        listed = "; ".join(f"{networks[name]}: {words}" for name, words in pretrained.items())
        sentences.append(f"Weights: {listed}.")
    numbers = summary.rename(columns={"value": "mean"})[_COLUMNS]
    return page.finish(figure, numbers, sentences, absent)


def _draw_panel(axis: Axes, panel: pd.DataFrame, lines: Mapping, stages: Sequence[str]) -> None:
    style.mark_zero(axis)
    positions = np.arange(len(stages))
    # Networks stand a little beside each other, so that no interval hides another.
    places = np.linspace(-_ASIDE, _ASIDE, len(lines)) if len(lines) > 1 else [0.0]
    for (network, line), aside in zip(lines.items(), places, strict=True):
        curve = panel[panel["network"] == network].set_index("stage").reindex(stages)
        x = positions + aside
        axis.plot(x, curve["value"], **line)
        axis.plot(x, curve["silhouette"], color=line["color"], **_AS_MEASURED)
        axis.vlines(x, curve["ci_low"], curve["ci_high"], color=line["color"], linewidth=0.8)
        if curve["seeds"].max() > 1:
            style.fill_band(axis, x, curve["low"], curve["high"], line["color"], alpha=0.2)
    axis.set_xticks(positions, [stage.capitalize() for stage in stages])
    axis.margins(x=0.06)
    if not panel["value"].notna().any():
        note = panel["note"].iloc[0] if len(panel) else "not measured"
        style.write_inside(axis, textwrap.fill(note, _WIDEST_NOTE))


def _caption(chosen, summary, datasets, networks, stages, components, band) -> list[str]:
    spread = {"range": "lowest to highest", "sd": "one standard deviation"}[band]
    pictures = "; ".join(
        f"{title} {page.count_pictures(chosen[chosen['dataset'] == name])}"
        for name, title in datasets.items()
    )
    return [
        f"Mean silhouette, Euclidean distance, {page.name_space(components)} (fewer where a layer "
        f"has fewer), less the mean of permuted labels, which is chance. Thin: the silhouette "
        f"itself, as in the paper.",
        *without_chance(chosen, datasets),
        *(['The middle stage is the paper\'s "ID layer".'] if "middle" in stages else []),
        *page.rendered_among(chosen, datasets),
        *page.without_label(chosen, datasets),
        *_label_sources(chosen, datasets),
        *page.circular(chosen, networks, datasets),
        *page.differ_in_people(chosen, datasets),
        f"Line: mean over seeds; band: {spread}. Bars: {page.INTERVALS}. Seeds: "
        f"{page.count_seeds(summary, networks)}. Pictures: {pictures}.",
        *_without_mean(summary, networks),
    ]


def _without_mean(summary: pd.DataFrame, networks: Mapping[str, str]) -> list[str]:
    """The sentence on stages where too few of several seeds have a value."""
    has_values = summary.groupby(["label", "dataset"])["value"].transform("count") > 0
    lacking = summary[summary["value"].isna() & (summary["seeds"] > 1) & has_values]
    stages = lacking.groupby("network", sort=False)["stage"].unique()
    listed = "; ".join(f"{networks[name]}: {', '.join(stages[name])}" for name in stages.index)
    return [f"No mean where half of the seeds or fewer have a value ({listed})."] if listed else []


def _label_sources(chosen: pd.DataFrame, datasets: Mapping[str, str]) -> list[str]:
    """The sentence on where the expressions of each face set come from."""
    labelled = chosen[(chosen["label"] == "expression") & (chosen["label_source"] != "")]
    sources = labelled.groupby("dataset")["label_source"].first()
    titles: dict[str, list[str]] = {}
    for name, title in datasets.items():
        if name in sources:
            titles.setdefault(sources[name], []).append(title)
    listed = "; ".join(f"{source} ({', '.join(names)})" for source, names in titles.items())
    return [f"Expression labels: {listed}."] if listed else []
