"""Figure 10: layers beside what people say of the faces, and recordings of their brains."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes

from facestages.figures import judged, moments, page, style
from facestages.figures.judged import Look
from facestages.figures.seeds import mean_over_seeds
from facestages.text import abbreviate

# Of ratings on more scales, the rest is in the caption.
_SCALES = 3

#: Panels of each kind of reference, and their height in millimetres.
_PANELS: dict[str, tuple[tuple[Callable[..., judged.Drawn], ...], float]] = {
    "pairs": ((judged.draw_depth, judged.draw_mixture), 54),
    "times": ((moments.draw_moments, moments.draw_order), 54),
    "ratings": ((judged.draw_scale,), 46),
    "triplets": ((judged.draw_triplets,), 46),
    "confusions": ((judged.draw_confusions,), 46),
}

# Height of a text in place of panels.
_BLANK = 16

#: What each kind of reference is measured by; of the first that a table has, it is that kind.
_MEASURES = {
    "ratings": ("r_held_out", "r_held_out_within", "agreement"),
    "triplets": ("accuracy",),
    "confusions": ("r_off_diagonal", "recall"),
    "pairs": ("share_of_ceiling", "rho_a", "weight", "unique"),
}
_TIMED = ("coefficient", "peak", "peak_slope", "order_agreement")

#: What judges, and what is judged, by kind.
_WHO = {
    "pairs": ("raters", "pairs of pictures"),
    "times": ("subjects", "pairs of pictures"),
    "ratings": ("raters", "pictures"),
    "triplets": ("raters", "triplets"),
    "confusions": ("raters", "pictures"),
}

#: Sentences of the caption, by kind.
_WHAT = {
    "pairs": "Layers beside judgements of pairs: rank correlation (rho-a) of a layer's distances "
    "with each rater's, as a share of that of the mean of all raters, the upper noise ceiling; "
    "marks are stages. Weights: of how much identity, valence-arousal and category judgements, and "
    "distances in stages, are made; R² is the variance that all three explain.",
    "times": "Layers beside recordings: rank correlation of distances with those at each moment. "
    "Beside them, coefficients of models of identity, valence-arousal and category in a regression "
    "of each moment's ranks. "
    "Points: where a course is highest after 0 ms, if it is above two standard errors anywhere. "
    "Tau: Kendall's, of the order of the models' peaks in time and in depth; 1 is the same.",
    "ratings": "Ratings: mean correlation of raters with what a ridge regression on a layer "
    "predicts of people it was not fitted to; dashed, open: less the mean of each category, so "
    "within categories.",
    "triplets": "Odd ones out: share that is the raters', less a third, which is guessing.",
    "confusions": "Confusions: correlation of networks' and people's counts off the diagonal; the "
    "interval is over the people on the pictures alone.",
}
_CEILING = (
    "Noise ceiling: from the mean agreement of each rater with the others to that with all raters."
)

_INTERVALS = (
    "95 % intervals over raters and people at once, for several seeds from the lowest to the "
    "highest end"
)

_KEYS = ["reference", "network", "stage", "layer", "label", "measure", "time"]
_COLUMNS = [
    *("panel", "reference", "simulated", "dataset", "rendered", "network", "stage", "layer"),
    *("position", "depth", "label", "label_source", "measure", "time", "value", "low", "high"),
    *("ci_low", "ci_high", "ceiling_low", "ceiling_high", "seeds", "raters", "people", "n", "note"),
]


class Panel(NamedTuple):
    """A panel: what it is about, and what draws it."""

    reference: str
    draw: Callable[..., judged.Drawn]
    scale: str
    height: float


def draw(
    layers: pd.DataFrame,
    raters: pd.DataFrame,
    differences: pd.DataFrame,
    *,
    dataset: str,
    networks: Mapping[str, str],
    looks: Mapping[str, int | str],
    references: Mapping[str, Mapping[str, str]],
    absent: Sequence[str] = (),
) -> page.Drawing:
    """Draw panels by the kinds of the references: pairs, pairs in time, ratings, triplets, names.

    Parameters
    ----------
    layers : pandas.DataFrame
        Rows of `references.compare.compare_reference`, of all seeds, networks and references.
    raters : pandas.DataFrame
        Rows of `references.describe.describe_reference`, of all references.
    differences : pandas.DataFrame
        Rows of `references.networks.compare_networks`, of all references.
    dataset : str
        Name in figures of the face set.
    networks : mapping of str to str
        Name in figures of each network, in order. What layers are made of, and layers beside
        moments, are those of the first with a value.
    looks : mapping of str to int or str
        See `figures.style.line_styles`.
    references : mapping of str to mapping
        ``label`` and ``cite`` of each reference, in order.
    absent : sequence of str
        A line for each network and reference that is left out.

    Returns
    -------
    figures.page.Drawing
        Numbers: means over seeds; rows without a network are of raters.

    Raises
    ------
    FacestagesError
        If there is nothing to draw.
    """
    numbers = _choose(layers, raters, networks, references)
    page.require_values(
        numbers, "Figure 10", "nothing of its references is measured; check figures.fig10"
    )
    kinds = {name: _kind(numbers[numbers["reference"] == name]) for name in references}
    look = Look(networks, style.line_styles(looks), _stages(numbers))
    rows = list(_arrange(numbers, kinds))
    heights = [max(panel.height for panel in row) for row in rows]
    figure = page.new_figure(sum(heights) + 16)
    grid = figure.add_gridspec(len(rows), 1, height_ratios=heights)
    letters, drawn, places = page.letters(), [], {}
    for number, row in enumerate(rows):
        # Rows have no columns in common, whose widest names all others would make room for.
        axes = grid[number].subgridspec(1, len(row)).subplots(squeeze=False)[0]
        for axis, panel in zip(axes, row, strict=True):
            letter = next(letters)
            is_first = panel.reference not in places
            places.setdefault(panel.reference, []).append(letter)
            of = (
                f"{abbreviate(references[panel.reference]['label'], style.columns(40))}: "
                if is_first
                else ""
            )
            shown = _draw_panel(axis, panel, numbers, look, f"{letter}  {of}", 90 // len(row))
            drawn.append(shown.assign(panel=letter))
    table = pd.concat(drawn, ignore_index=True)
    judged.add_legend(figure, table, look)
    sentences = _caption(table, numbers, dataset, kinds, references, places, look)
    sentences += list(judged.describe_nearer(differences, references, look))
    title = _title(table, kinds, references, look)
    return page.finish(figure, table[_COLUMNS], title, sentences, absent)


# ------------------------------------------------------------------------------- numbers


def _choose(layers, raters, networks, references) -> pd.DataFrame:
    """Means over seeds of what layers have, with their depth, and what raters have."""
    layers = layers[layers["network"].isin(networks) & layers["reference"].isin(references)]
    means = mean_over_seeds(layers, _KEYS, "range")
    # The same for all layers.
    of = ["reference", "measure", "label"]
    same = layers.groupby(of, dropna=False)[["simulated", "ceiling_low", "ceiling_high", "raters"]]
    means = means.merge(same.first().reset_index(), on=of, how="left")
    people = layers.groupby(of, dropna=False)["people"].max().reset_index()
    means = means.merge(people, on=of, how="left")
    places = layers.loc[layers["layer"] != "", ["reference", "network", "layer"]].drop_duplicates()
    by_network = places.groupby(["reference", "network"], sort=False)["layer"]
    places["position"] = by_network.cumcount()
    places["depth"] = places["position"] / (by_network.transform("size") - 1).clip(lower=1)
    means = means.merge(places, on=["reference", "network", "layer"], how="left")
    raters = raters[raters["reference"].isin(references)]
    raters = raters.assign(network="", stage="", layer="")
    return pd.concat([means.reindex(columns=_COLUMNS), raters.reindex(columns=_COLUMNS)])


def _kind(rows: pd.DataFrame) -> str:
    """What a reference is, by what is measured of it."""
    measures = set(rows["measure"])
    if rows["time"].notna().any() or measures & {*_TIMED}:
        return "times"
    for kind, own in _MEASURES.items():
        # Triplets have an agreement, too, but no scales.
        if measures & {*own} and not (kind == "ratings" and "accuracy" in measures):
            return kind
    return "pairs"


def _stages(numbers: pd.DataFrame) -> list[str]:
    """Stages of all networks, from input to output."""
    of_stages = numbers[numbers["stage"] != ""].groupby("stage", sort=False)["depth"].mean()
    return of_stages.sort_values(kind="stable").index.tolist()


# ------------------------------------------------------------------------------- panels


def _arrange(numbers: pd.DataFrame, kinds: Mapping[str, str]) -> Iterator[list[Panel]]:
    """Rows of panels: one a reference; two references of one panel stand side by side."""
    waiting: list[Panel] = []
    for name, kind in kinds.items():
        draws, height = _PANELS[kind]
        rows, scales = numbers[numbers["reference"] == name], [""]
        if not rows["value"].notna().any():
            height = _BLANK
        if kind == "ratings":
            scales = _scales(rows)[:_SCALES] or [""]
        panels = [Panel(name, one, scale, height) for one in draws for scale in scales]
        if len(panels) > 1:
            yield panels
            continue
        waiting += panels
        if len(waiting) == 2:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _scales(rows: pd.DataFrame) -> list[str]:
    labels = rows.loc[rows["measure"].isin(_MEASURES["ratings"]), "label"]
    return [label for label in labels.unique() if label]


def _draw_panel(
    axis: Axes, panel: Panel, numbers: pd.DataFrame, look: Look, head: str, columns: int
) -> pd.DataFrame:
    rows = numbers[numbers["reference"] == panel.reference]
    title, shown = panel.draw(axis, rows, look, panel.scale)
    heading = textwrap.fill(f"{head}{title}", style.columns(columns))
    axis.set_title(heading, loc="left", fontsize=8)
    return shown


# ------------------------------------------------------------------------------- caption


def _title(table, kinds, references, look) -> str:
    parts = []
    for name, kind in kinds.items():
        rows = table[table["reference"] == name]
        if words := _finding(rows, kind, look):
            parts.append(f"{references[name]['label']}: {words}")
    return "; ".join(parts) or "Layers beside judgements and recordings"


def _finding(rows: pd.DataFrame, kind: str, look: Look) -> str:
    """What a reference shows, in a few words; "" where nothing is measured."""
    if kind == "times":
        slope = rows[(rows["measure"] == "peak_slope") & rows["value"].notna()]
        if slope.empty:
            return ""
        row = slope.iloc[0]
        network = look.networks[row["network"]]
        order = "peak later" if row["ci_low"] > 0 else "do not clearly peak later"
        return f"deeper layers of {network} {order} ({judged.spell_row(row)} ms a layer)"
    measures = {
        "pairs": ("share_of_ceiling", "nearest is {} ({:.2f} of the ceiling)"),
        "ratings": ("r_held_out", "{scale} is read best at {} (r = {:.2f})"),
        "triplets": ("accuracy", "{} agrees best (accuracy less a third {:.2f})"),
        "confusions": ("r_off_diagonal", "errors most like people's in {} (r = {:.2f})"),
    }
    measure, words = measures[kind]
    chosen = rows[rows["measure"] == measure]
    scale = chosen["label"].iloc[0] if len(chosen) else ""
    best = judged.where_best(chosen[chosen["label"] == scale], look)
    return words.format(*best, scale=scale) if best else ""


def _caption(table, numbers, dataset, kinds, references, places, look) -> list[str]:
    of_networks = table[table["network"] != ""].astype({"seeds": int})
    is_limit = (table["measure"] == "ceiling") & table["value"].notna()
    return [
        f"{dataset}.",
        *(
            f"{_named(name, references, places)}: {_counted(table, name, kind)}source: "
            f"{references[name]['cite'].rstrip('.')}."
            for name, kind in kinds.items()
        ),
        *(_WHAT[kind] for kind in _PANELS if kind in kinds.values()),
        *([_CEILING] * bool(table["ceiling_high"].notna().any())),
        *(["Dashed: with unlimited raters, extrapolated."] * bool(is_limit.any())),
        *_beyond(table),
        *_further_scales(numbers, kinds, references),
        *_simulated(table, references, places),
        *page.rendered((table["rendered"] == 1).all()),
        *page.declared(table["label_source"]),
        *_orders(of_networks, look),
        *_unmeasured(of_networks, kinds, references, look),
        *_alone(numbers[numbers["network"] == ""], references),
        f"Lines: means over seeds; bands: lowest to highest. Bars: {_INTERVALS}. Seeds: "
        f"{page.count_seeds(of_networks, look.networks)}.",
    ]


def _named(name: str, references: Mapping, places: Mapping[str, Sequence[str]]) -> str:
    """A reference, and its panels."""
    return f"{references[name]['label']} ({', '.join(places[name])})"


def _counted(table: pd.DataFrame, name: str, kind: str) -> str:
    """``"20 raters, 25 people, 4,950 pairs of pictures; "``, as far as that is known."""
    rows, (who, what) = table[table["reference"] == name], _WHO[kind]
    if rows["note"].str.contains("conditions are means", na=False).any():
        what = "pairs of conditions"
    counts = {who: rows["raters"].max(), "people": rows["people"].max(), what: rows["n"].max()}
    told = [
        f"{int(count):,} {word if count > 1 else word.removesuffix('s')}"
        for word, count in counts.items()
        if count > 0
    ]
    return "; ".join([", ".join(told), ""]) if told else ""


def _beyond(table: pd.DataFrame) -> list[str]:
    """The sentence on weights that the axis does not reach."""
    ends = table.loc[table["measure"] == "weight", ["ci_low", "ci_high"]]
    low, high = judged.WEIGHTS
    is_cut = (ends["ci_low"] < low).any() or (ends["ci_high"] > high).any()
    return [f"Weights are drawn from {low:g} to {high:g}.".replace("-", "−")] * bool(is_cut)


def _further_scales(numbers, kinds, references) -> Iterator[str]:
    """A sentence for each table of ratings on more scales than are drawn."""
    for name, kind in kinds.items():
        further = _scales(numbers[numbers["reference"] == name])[_SCALES:]
        if kind == "ratings" and further:
            yield f"{references[name]['label']} has further scales: {', '.join(further)}."


def _simulated(table, references, places) -> list[str]:
    names = table.loc[table["simulated"] == 1, "reference"]
    listed = ", ".join(
        _named(name, references, places) for name in references if name in set(names)
    )
    return [f"SIMULATED observers, no people: {listed}."] if listed else []


def _alone(numbers: pd.DataFrame, references: Mapping) -> Iterator[str]:
    """A sentence for each reference whose intervals are not over raters and people at once."""
    for name, notes in numbers.groupby("reference", sort=False)["note"]:
        told = {part for note in notes.dropna() for part in note.split("; ") if "interval" in part}
        if told:
            yield f"{references[name]['label']}: {', '.join(sorted(told))}."


def _orders(rows: pd.DataFrame, look: Look) -> Iterator[str]:
    """A sentence on tau of all networks for each reference in time."""
    for _, of_reference in rows[rows["measure"] == "order_agreement"].groupby("reference"):
        taus = [
            f"{look.networks[row['network']]} "
            + (judged.spell_row(row) if pd.notna(row["value"]) else f"none ({_why(row['note'])})")
            for _, row in of_reference.iterrows()
        ]
        yield f"Tau by network: {', '.join(taus)}."


def _why(note: object) -> str:
    """Why there is no value, without what the note says of all values."""
    return str(note).rpartition("; ")[2] if note and pd.notna(note) else "not measured"


def _unmeasured(
    rows: pd.DataFrame, kinds: Mapping, references: Mapping, look: Look
) -> Iterator[str]:
    """A sentence for each reference beside which a network has no value at all."""
    for reference, of_reference in rows.groupby("reference", sort=False):
        if kinds[reference] == "times":
            # Those beside the first are told by `_orders`.
            continue
        lacking = []
        for network, of_network in of_reference.groupby("network", sort=False):
            if not of_network["value"].notna().any():
                lacking.append(f"{look.networks[network]} ({_why(of_network['note'].iloc[0])})")
        if lacking:
            yield f"No value beside {references[reference]['label']}: {', '.join(lacking)}."
