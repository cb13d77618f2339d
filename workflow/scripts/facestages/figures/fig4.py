"""Figure 4: where identities and expressions become separate, stage by stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from facestages.figures import page, style
from facestages.figures.chance import less_chance, without_chance
from facestages.figures.seeds import mean_over_seeds
from facestages.text import abbreviate

# Networks stand so far apart beside a stage, in distances between stages; many stand closer.
_APART, _WIDEST = 0.04, 0.26

# Characters of a line inside one of three panels.
_WIDEST_NOTE = 24

# Of three panels side by side each has 50 mm.
_SHORT = {"penultimate": "penult."}

_EXPRESSION, _OTHERWISE, _CONTROLS = "trained on expression", "trained otherwise", "controls"
# Controls lie behind, so that the eye goes to the trained networks.
_BEHIND = {"linewidth": 0.9, "markersize": 3.5, "zorder": 1.5}
_OF = {
    _EXPRESSION: "trained on expression",
    _OTHERWISE: "trained otherwise",
    _CONTROLS: "controls",
}
_ENDS = ("ci_low", "ci_high")
_ABSENT = {"marker": "x", "linestyle": "", "markersize": 4, "clip_on": False}

_KEYS = ["dataset", "label", "label_source", "network", "stage"]
_COLUMNS = [*_KEYS, "mean", "low", "high", "ci_low", "ci_high", "silhouette", "seeds"]


def draw(
    scores: pd.DataFrame,
    *,
    datasets: Mapping[str, str],
    networks: Mapping[str, str],
    looks: Mapping[str, int | str],
    tasks: Mapping[str, str],
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
    tasks : mapping of str to str
        What each network was trained to tell, as `plan.networks.Networks.task_in_words` gives it.
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
    measured = set(summary.loc[summary["value"].notna(), "label"])
    labels = [label for label in labels if label in measured]
    groups = group_networks(tasks, looks)
    lines = style.line_styles(looks)
    lines |= {name: lines[name] | _BEHIND for name in groups.get(_CONTROLS, ())}
    # One face set has its labels side by side.
    rows, columns = (1, len(labels)) if len(datasets) == 1 else (len(labels), len(datasets))
    figure, axes = page.new_panels(rows, columns, 42 * rows + 34, sharex=True)
    axes = axes.reshape(len(labels), len(datasets))
    people = chosen.reindex(columns=["n_groups"])["n_groups"].where(chosen["label"] == "identity")
    people = people.groupby(chosen["dataset"]).max()
    letters = page.letters()
    for row, label in zip(axes, labels, strict=True):
        for axis, (dataset, title) in zip(row, datasets.items(), strict=True):
            panel = summary[(summary["label"] == label) & (summary["dataset"] == dataset)]
            _draw_panel(axis, panel, lines, stages, is_narrow=columns > 2)
            of = f" ({people[dataset]:.0f} people)" if people.get(dataset, 0) > 0 else ""
            heading = f"{next(letters)}  {label.capitalize()}\n{abbreviate(title, 24)}{of}"
            axis.set_title(heading, loc="left", fontsize=7)
        row[0].set_ylabel(f"How separate: {label}\n(silhouette less chance)")
    _share_limits(axes, labels)
    _add_legend(figure, groups, lines, networks)
    title = _title(summary, groups, labels, stages)
    page.add_title(figure, title)
    sentences = _caption(chosen, summary, datasets, networks, stages, components, band)
    if pretrained:
        listed = "; ".join(f"{networks[name]}: {words}" for name, words in pretrained.items())
        sentences.append(f"Weights: {listed}.")
    numbers = summary.rename(columns={"value": "mean"})[_COLUMNS]
    return page.finish(figure, numbers, title, sentences, absent)


def group_networks(
    tasks: Mapping[str, str], looks: Mapping[str, int | str]
) -> dict[str, list[str]]:
    """Networks by what they were trained on: expression, something else, or nothing."""
    groups: dict[str, list[str]] = {_EXPRESSION: [], _OTHERWISE: [], _CONTROLS: []}
    for name, task in tasks.items():
        is_control = isinstance(looks[name], str) or task == "nothing"
        trained = _EXPRESSION if "expression" in task else _OTHERWISE
        groups[_CONTROLS if is_control else trained].append(name)
    return {group: names for group, names in groups.items() if names}


def _draw_panel(
    axis: Axes, panel: pd.DataFrame, lines: Mapping, stages: Sequence[str], *, is_narrow: bool
) -> None:
    positions = np.arange(len(stages))
    short = _SHORT if is_narrow else {}
    axis.set_xticks(positions, [short.get(stage, stage).capitalize() for stage in stages])
    if not panel["value"].notna().any():
        note = panel["note"].iloc[0] if len(panel) else "not measured"
        style.say_missing(axis, note, _WIDEST_NOTE)
        return
    style.mark_zero(axis)
    axis.grid(axis="x", color=style.FAINT, linewidth=0.5)
    apart = min(_APART, _WIDEST / max(len(lines) - 1, 1))
    places = apart * (np.arange(len(lines)) - (len(lines) - 1) / 2)
    for (network, line), aside in zip(lines.items(), places, strict=True):
        curve = panel[panel["network"] == network].set_index("stage").reindex(stages)
        x = positions + aside
        axis.plot(x, curve["value"], **line)
        axis.vlines(x, curve["ci_low"], curve["ci_high"], color=line["color"], linewidth=0.8)
        if curve["seeds"].max() > 1:
            style.fill_band(axis, x, curve["low"], curve["high"], line["color"], alpha=0.15)
        # A layer that tells no two pictures apart has no silhouette.
        lacking = x[curve["value"].isna() & curve["value"].notna().any()]
        for place in lacking:
            bottom = axis.get_xaxis_transform()
            axis.plot(place, 0, color=line["color"], transform=bottom, **_ABSENT)
    axis.set_xlim(-0.3, len(stages) - 0.7)


def _share_limits(axes: np.ndarray, labels: Sequence[str]) -> None:
    """One axis for a row of panels, but not of identity, whose height compares no face sets."""
    for row, label in zip(axes, labels, strict=True):
        drawn = [axis for axis in row if axis.axison]
        if label != "identity" and drawn:
            low = min(axis.get_ylim()[0] for axis in drawn)
            high = max(axis.get_ylim()[1] for axis in drawn)
            for axis in drawn:
                axis.set_ylim(low, high)


def _add_legend(
    figure: Figure,
    groups: Mapping[str, Sequence[str]],
    lines: Mapping[str, Mapping],
    networks: Mapping[str, str],
) -> None:
    """Name the networks below the panels, under what they were trained on."""
    handles, names = [], []
    rows = 1 + max(map(len, groups.values()))
    for group, members in groups.items():
        # A column of the legend is a group.
        blank = rows - 1 - len(members)
        looks = [
            {"linestyle": ""},
            *(lines[name] for name in members),
            *[{"linestyle": ""}] * blank,
        ]
        handles += [Line2D([], [], **look) for look in looks]
        names += [group.capitalize(), *(networks[name] for name in members), *[""] * blank]
    place = {"loc": "outside lower center", "ncols": len(groups), "handlelength": 3.2}
    legend = figure.legend(handles, names, frameon=False, **place)
    for text in legend.get_texts():
        text.set_fontweight("bold" if text.get_text().lower() in groups else "normal")


def _title(
    summary: pd.DataFrame,
    groups: Mapping[str, Sequence[str]],
    labels: Sequence[str],
    stages: Sequence[str],
) -> str:
    """How often each label changes between the first and last stage, by group of networks.

    A change counts where the intervals over people are apart.
    """
    ends, parts = f"{stages[0]} to {stages[-1]}", []
    for group, members in groups.items():
        rows = summary[summary["network"].isin(members)]
        counts = [_count_changes(rows[rows["label"] == label], label, stages) for label in labels]
        told = list(filter(None, counts))
        if told and not parts:
            # The first says what is counted, and where.
            told[0] = f"{ends}, {told[0]} curves"
        if told:
            parts.append(f"{_OF[group]}: {', '.join(told)}")
    title = "; ".join(parts) or f"silhouettes, {ends}"
    return title[0].upper() + title[1:]


def _count_changes(rows: pd.DataFrame, label: str, stages: Sequence[str]) -> str:
    """``"identity falls in 15 of 15"``: courses of networks on face sets; "" without intervals."""
    ends = rows[rows["stage"].isin([stages[0], stages[-1]])].pivot(
        index=["dataset", "network"], columns="stage", values=["ci_low", "ci_high"]
    )
    ends = ends.reindex(columns=[(end, stage) for end in _ENDS for stage in stages]).dropna(
        subset=[(end, stage) for end in _ENDS for stage in (stages[0], stages[-1])]
    )
    if ends.empty:
        return ""
    first, last = stages[0], stages[-1]
    falls = (ends["ci_high", last] < ends["ci_low", first]).sum()
    rises = (ends["ci_low", last] > ends["ci_high", first]).sum()
    # The commoner of the two directions.
    verb, count = ("falls", falls) if falls > rises else ("rises", rises)
    return f"{label} {verb} in {count} of {len(ends)}"


def _caption(chosen, summary, datasets, networks, stages, components, band) -> list[str]:
    spread = {"range": "lowest to highest", "sd": "one standard deviation"}[band]
    seeds = page.count_seeds(summary, networks)
    pictures = "; ".join(
        f"{title} {page.count_pictures(chosen[chosen['dataset'] == name])}"
        for name, title in datasets.items()
    )
    return [
        f"Mean silhouette, Euclidean distance, {page.name_space(components)} (fewer where a layer "
        f"has fewer), less the mean of permuted labels, which is chance; 'silhouette' "
        f"in the table of numbers has chance in it, as in the paper.",
        "A curve, one network on one face set, rises or falls where the intervals of the first and "
        "last stage are apart.",
        *without_chance(chosen, datasets),
        *(['The middle stage is the paper\'s "ID layer".'] if "middle" in stages else []),
        *page.rendered_among(chosen, datasets),
        *page.without_label(chosen, datasets),
        *_label_sources(chosen, datasets),
        *page.circular(chosen, networks, datasets),
        *page.differ_in_people(chosen, datasets),
        *(
            [f"Line: mean over seeds; band: {spread}. Seeds: {seeds}."]
            if summary["seeds"].max() > 1
            else []
        ),
        f"Bars: {page.INTERVALS if summary['seeds'].max() > 1 else page.OVER_PEOPLE}. Pictures: "
        f"{pictures}.",
        *_without_mean(summary, networks),
        *_constant(summary, networks),
    ]


def _without_mean(summary: pd.DataFrame, networks: Mapping[str, str]) -> list[str]:
    """The sentence on stages where too few of several seeds have a value."""
    has_values = summary.groupby(["label", "dataset"])["value"].transform("count") > 0
    lacking = summary[summary["value"].isna() & (summary["seeds"] > 1) & has_values]
    stages = lacking.groupby("network", sort=False)["stage"].unique()
    listed = "; ".join(f"{networks[name]}: {', '.join(stages[name])}" for name in stages.index)
    return [f"No mean where half of the seeds or fewer have a value ({listed})."] if listed else []


def _constant(summary: pd.DataFrame, networks: Mapping[str, str]) -> list[str]:
    """The sentence on stages of a single seed without a value, which crosses mark."""
    has_values = summary.groupby(["label", "dataset"])["value"].transform("count") > 0
    lacking = summary[summary["value"].isna() & (summary["seeds"] <= 1) & has_values]
    notes = lacking.groupby(["network", "stage"], sort=False)["note"].first()
    listed = "; ".join(
        f"{networks[name]} {stage} ({note or 'not measured'})"
        for (name, stage), note in notes.fillna("").items()
    )
    return [f"Cross: no value of {listed}."] if listed else []


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
