"""Figure 5: are the first two components of the penultimate layer valence and arousal?"""

from __future__ import annotations

import math
import os
import textwrap
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facestages import tables
from facestages.analysis.affect import (
    correct_for_many,
    quadratic_measures,
    regression_measures,
)
from facestages.analysis.components import (
    AFFECT,
    SIGN_RULE,
    Components,
    Reference,
    affect_of,
    component_scores,
    read_components,
    read_reference,
)
from facestages.analysis.labels import CIRCULAR, circular_note, describe_source, read_people
from facestages.analysis.regression import (
    Estimate,
    Polynomial,
    Quadratic,
    curve,
    fit_quadratic,
    regress,
)
from facestages.errors import FacestagesError
from facestages.expressions import EXPRESSIONS
from facestages.figures import style
from facestages.stimuli import read_labels
from facestages.stimuli.sample import pictures_in_words

_MOST_COLUMNS = 4
_SMALL = 7  # points
# An equals sign between spaces at which no line is broken.
_TIED = "\u00a0=\u00a0"
_PLAIN = {"": {"color": "#606060", "marker": "o"}}
_COLUMNS = [
    *("panel", "dataset", "rendered", "network", "seed", "stage", "layer", "label"),
    *(
        "label_source",
        "measure",
        "component",
        "value",
        "ci_low",
        "ci_high",
        "p",
        "p_holm",
        "n",
        "note",
    ),
]


class _Faces(NamedTuple):
    """What the panels share: the face set, who is on the pictures, and the reference."""

    dataset: str
    label: str
    rendered: int
    #: Shape (n,); "" where unknown.
    expressions: np.ndarray
    people: np.ndarray | None
    n_people: int
    reference: Reference
    #: The reference in a few words.
    source: str
    #: How many pictures, in words.
    pictures: str


def draw_fig5(
    networks: Mapping[str, Mapping],
    stimuli: str | os.PathLike,
    *,
    dataset: str,
    predictions: str | os.PathLike | None = None,
    reference_label: str = "",
    ratings: str | os.PathLike | None = None,
    ratings_label: str = "OASIS",
    absent: Mapping[str, str] | None = None,
    no_reference: str = "",
    no_ratings: str = "",
    regressions: pd.DataFrame | None = None,
) -> tuple[Figure, pd.DataFrame, str]:
    """Draw PC1-PC2 of each network, reference and human ratings; below, regressions on affect.

    Parameters
    ----------
    networks : mapping of str to mapping
        By name: ``label`` in figures, ``stage``, ``layer`` ("" if it has no such stage), and
        ``geometry``, the path of `analysis.geometry.measure_geometry` of one seed.
    stimuli : path-like
        The face set.
    dataset : str
        Its name in figures.
    predictions : path-like, optional
        Of the network that gives the reference; see `analysis.components.read_reference`.
    reference_label : str
        That network's name in figures.
    ratings : path-like, optional
        Table of human ratings of pictures, as rule ``prepare_ratings`` writes it.
    ratings_label : str
        Its name in figures.
    absent : mapping of str to str, optional
        Name in figures of each network that cannot be shown, and why, in a line.
    no_reference, no_ratings : str
        Why the reference or the ratings that were asked for cannot be shown, in a line; the
        reference is the face set's own valence and arousal then, if it has any.
    regressions : pandas.DataFrame, optional
        Rows of `analysis.affect.regress_affect` of all seeds, for the range over seeds.

    Returns
    -------
    figure : matplotlib.figure.Figure
    numbers : pandas.DataFrame
        The numbers drawn or said, by panel.
    caption : str

    Raises
    ------
    FacestagesError
        If no network can be shown.
    """
    networks, absent = drawable_networks(networks, absent)
    require_networks("Figure 5", networks, absent)
    faces, digest = _read_faces(stimuli, dataset, predictions, reference_label)
    components = {
        name: read_components(entry["geometry"], entry["layer"], faces.reference, digest)
        for name, entry in networks.items()
    }
    style.use_style()
    scatters = [*networks, *absent, "reference", "ratings"]
    rows = math.ceil(len(scatters) / _MOST_COLUMNS)
    columns = math.ceil(len(scatters) / rows)
    figure = plt.figure(
        figsize=(style.PAGE_WIDTH, (52 * rows + 106 + 24) * style.MILLIMETRE), layout="constrained"
    )
    upper, lower = figure.add_gridspec(2, 1, height_ratios=[52 * rows, 106])
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    numbers: list[dict] = []
    tests = None if regressions is None else correct_for_many(regressions)
    grid = upper.subgridspec(rows, columns)
    axes = [figure.add_subplot(grid[i // columns, i % columns]) for i in range(len(scatters))]
    for axis, name in zip(axes, scatters, strict=True):
        letter = next(letters)
        if name in networks:
            found = _draw_components(axis, letter, components[name], networks[name], faces)
        elif name in absent:
            found = _say(axis, f"{letter}  {name}", absent[name])
        elif name == "reference":
            found = _draw_reference(axis, letter, faces, no_reference)
        else:
            found = _draw_ratings(axis, letter, ratings, ratings_label, no_ratings)
        numbers += [{"panel": letter, **row} for row in found]
    grid = lower.subgridspec(2, len(networks))
    for row, label in enumerate(AFFECT):
        for column, name in enumerate(networks):
            letter, axis = next(letters), figure.add_subplot(grid[row, column])
            own = [] if tests is None else _own_test(tests, components[name], label)
            found = _draw_regression(
                axis, letter, components[name], networks[name], faces, label, len(networks), own
            )
            numbers += [{"panel": letter, **row} for row in [*found, *own]]
            numbers += _other_seeds(regressions, components[name], label, letter)
    add_expression_legend(figure, expression_looks(faces.expressions), "outside upper center")
    table = pd.DataFrame(numbers, columns=_COLUMNS).astype({"n": "Int64", "seed": "Int64"})
    caption = _caption(faces, networks, components, table, ratings and ratings_label)
    caption += f" LEFT OUT: {no_reference}." if no_reference else ""
    style.add_caption(figure, caption)
    return figure, table, caption


def drawable_networks(
    networks: Mapping[str, Mapping], absent: Mapping[str, str] | None
) -> tuple[dict[str, Mapping], dict[str, str]]:
    """The networks that have the stage, and all others, by name in figures, with the reason."""
    lines = {
        entry["label"]: f"the network has no stage '{entry['stage']}'"
        for entry in networks.values()
        if not entry["layer"]
    }
    return {name: entry for name, entry in networks.items() if entry["layer"]}, {
        **(absent or {}),
        **lines,
    }


def require_networks(figure: str, networks: Mapping, absent: Mapping[str, str]) -> None:
    """Refuse to draw a figure of no network."""
    if not networks:
        why = "; ".join(f"{name}: {line}" for name, line in absent.items()) or "none is named"
        raise FacestagesError(f"{figure} has no network to show ({why})")


def _read_faces(stimuli, dataset, predictions, reference_label) -> tuple[_Faces, str]:
    labels, _, known = read_labels(stimuli)
    reference = read_reference(stimuli, predictions)
    expressions = labels.get("expression", pd.Series([""] * len(labels))).to_numpy()
    people = read_people(labels)
    faces = _Faces(
        str(known["dataset"]),
        dataset,
        int(known.get("rendered", 0)),
        expressions,
        people,
        0 if people is None else len(set(people)),
        reference,
        describe_source(reference.source, reference_label),
        pictures_in_words(len(labels), known),
    )
    return faces, str(known["stimuli_digest"])


# ------------------------------------------------------------------------------ the panels


def _draw_components(axis: Axes, letter: str, own: Components, entry, faces: _Faces) -> list[dict]:
    title = f"{letter}  {entry['label']}"
    try:
        x, y = (component_scores(own, number) for number in (1, 2))
    except FacestagesError as error:
        return _say(axis, title, str(error))
    axis.set_xlabel(f"PC1 ({100 * own.variance_ratio[0]:.0f} % of variance)")
    axis.set_ylabel(f"PC2 ({100 * own.variance_ratio[1]:.0f} %)")
    where = {**_where(own, entry, faces), "component": 2}
    return [{**where, **row} for row in _draw_cloud(axis, title, x, y, faces)]


def _draw_reference(axis: Axes, letter: str, faces: _Faces, missing: str) -> list[dict]:
    reference = faces.reference
    if reference.valence is None or reference.arousal is None:
        title = f"{letter}  Reference"
        lacking = [name for name in AFFECT if getattr(reference, name) is None]
        return _say(axis, title, missing or f"the face set has no {' and no '.join(lacking)}")
    axis.set_xlabel("Valence")
    axis.set_ylabel("Arousal")
    title = f"{letter}  {faces.source[0].upper()}{faces.source[1:]}"
    rows = _draw_cloud(axis, title, reference.valence, reference.arousal, faces)
    where = {"dataset": faces.dataset, "rendered": faces.rendered, "label": "arousal on valence"}
    return [{**where, "label_source": reference.source, **row} for row in rows]


def _draw_cloud(axis: Axes, title: str, x, y, faces: _Faces) -> list[dict]:
    """Scatter by expression, with the curve; or why there is none."""
    try:
        found = fit_quadratic(x, y, faces.people)
    except FacestagesError as error:
        return _say(axis, title, str(error))
    _scatter(axis, x, y, faces.expressions)
    _draw_fit(axis, found.fit, x)
    _head(axis, title, _shape_in_words(found))
    return quadratic_measures(found)


def _draw_ratings(axis: Axes, letter: str, ratings, label: str, missing: str) -> list[dict]:
    if not ratings:
        missing = missing or "no human ratings of pictures are given"
        return _say(axis, f"{letter}  Human ratings", missing)
    table = tables.read_tables([ratings])
    x, y = table["valence"].to_numpy(), table["arousal"].to_numpy()
    title = f"{letter}  {label} (human)"
    try:
        # Each picture was rated on its own: pictures are drawn anew, there are no people on them.
        found = fit_quadratic(x, y, np.arange(len(x)))
    except FacestagesError as error:
        return _say(axis, title, str(error))
    _scatter(axis, x, y, np.full(len(x), ""))
    _draw_fit(axis, found.fit, x)
    low, high = table["scale_low"].iloc[0], table["scale_high"].iloc[0]
    axis.set_xlabel(f"Valence, {low} to {high}")
    axis.set_ylabel(f"Arousal, {low} to {high}")
    _head(axis, title, _shape_in_words(found))
    where = {"dataset": label, "rendered": 0, "label": "arousal on valence"}
    where["label_source"] = str(table["source"].iloc[0])
    return [{**where, **row} for row in quadratic_measures(found)]


def _draw_regression(
    axis: Axes,
    letter: str,
    own: Components,
    entry,
    faces: _Faces,
    label: str,
    columns: int,
    tests: Sequence[Mapping],
) -> list[dict]:
    number = AFFECT.index(label) + 1
    title = f"{letter}  {entry['label']}"
    where = {**_where(own, entry, faces), "label": label, "component": number}
    try:
        affect, scores = affect_of(faces.reference, label), component_scores(own, number)
        found = regress(affect, scores, faces.people)
    except FacestagesError as error:
        _say(axis, title, str(error))
        return [{**where, "measure": "r", "note": str(error)}]
    circular = circular_note([faces.reference.source], own.network)
    _scatter(axis, affect, scores, faces.expressions)
    _draw_fit(axis, found.fit, affect)
    narrow = {"fontsize": _SMALL} if columns == _MOST_COLUMNS else {}
    axis.set_xlabel(f"{label.capitalize()} ({faces.source})", **narrow)
    axis.set_ylabel(f"PC{number}")
    r2 = f"R² = {found.r2.value:.2f}"
    said = f"r = {_in_words(found.r)}, {r2}, naive {_p_in_words(found.p)}, n = {found.n}"
    lines = [said, *(_test_in_words(test) for test in tests)]
    title += " (CIRCULAR)" if circular else ""
    wrapped = (textwrap.fill(line.replace(" = ", _TIED), 104 // columns) for line in lines)
    _head(axis, title, "\n".join(wrapped), **narrow)
    where["label_source"] = faces.reference.source
    return [{**where, **row} for row in regression_measures(found, circular)]


def _own_test(tests: pd.DataFrame, own: Components, label: str) -> list[dict]:
    """The test within people of a panel's regression."""
    of_network = (tests["network"] == own.network) & (tests["seed"] == own.seed)
    of_panel = (tests["label"] == label) & (tests["component"] == AFFECT.index(label) + 1)
    chosen = tests[of_network & of_panel & (tests["layer"] == own.layer)]
    return chosen.head(1).to_dict("records")


def _test_in_words(test: Mapping) -> str:
    """What a test within people found, or why there is none."""
    if not np.isfinite(test["value"]):
        return f"within people: {test['note']}"
    r = Estimate(test["value"], test["ci_low"], test["ci_high"])
    corrected = f", Holm {_p_in_words(test['p_holm'])}" if np.isfinite(test["p_holm"]) else ""
    return f"within people r = {_in_words(r)}{corrected}, {int(test['n'])} people"


def _p_in_words(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _where(own: Components, entry, faces: _Faces) -> dict[str, object]:
    return {
        "dataset": faces.dataset,
        "rendered": faces.rendered,
        "network": own.network,
        "seed": own.seed,
        "stage": entry["stage"],
        "layer": own.layer,
    }


def _scatter(axis: Axes, x: np.ndarray, y: np.ndarray, expressions: np.ndarray) -> None:
    for value, look in expression_looks(expressions).items():
        own = expressions == value
        axis.scatter(
            x[own],
            y[own],
            s=5,
            alpha=0.5,
            linewidths=0,
            c=look["color"],
            marker=look["marker"],
            # A thousand points a panel are as crisp as pixels and spare the reader's browser.
            rasterized=True,
        )


def _draw_fit(axis: Axes, fit: Polynomial, x: np.ndarray) -> None:
    places = np.linspace(np.nanmin(x), np.nanmax(x), 101)
    y, low, high = curve(fit, places)
    if np.isfinite(low).all():
        axis.fill_between(places, low, high, color="black", alpha=0.25, linewidth=0, zorder=3)
    axis.plot(places, y, color="black", linewidth=1.2, zorder=4)


def _head(axis: Axes, title: str, said: str, **narrow: float) -> None:
    """A title, and smaller below it what the panel says."""
    axis.set_title(title, loc="left", pad=_pad(said.count("\n") + 1), **narrow)
    below = axis.text(0, 1.02, said, transform=axis.transAxes, va="bottom", fontsize=_SMALL)
    # The title's padding makes room for it; its width is that of the panel beside, too.
    below.set_in_layout(False)


def _pad(lines: int) -> float:
    """Room between a panel and its title, in points, for so many small lines."""
    return 5 + (_SMALL + 2) * lines


def _say(axis: Axes, title: str, line: str) -> list[dict]:
    """The title of a panel and, in its place, why it is not there."""
    axis.clear()
    axis.set_title(title, loc="left", pad=_pad(2))
    style.say_missing(axis, line, columns=26)
    return []


def _in_words(estimate: Estimate) -> str:
    value, low, high = (f"{number:.2f}".replace("-", "−") for number in estimate)
    return value if not np.isfinite(estimate.low) else f"{value} [{low},\u00a0{high}]"


def _shape_in_words(found: Quadratic) -> str:
    arms = "" if found.shape == "undecided" or found.vertex_inside else " (one arm)"
    return f"{found.shape}{arms}, curvature\n{_in_words(found.curvature)}"


# -------------------------------------------------------------------------- below the panels


def expression_looks(expressions: Sequence[str]) -> dict[str, dict]:
    """Colour and marker of each expression that is there, in the one order; grey if none."""
    present = set(expressions)
    order = [*(e for e in EXPRESSIONS if e in present), *sorted(present - {*EXPRESSIONS, ""})]
    return {**(_PLAIN if "" in present else {}), **style.point_styles(order)}


def add_expression_legend(figure: Figure, looks: Mapping[str, dict], loc: str) -> None:
    """Add a legend of expressions above a figure; none where no expression is known."""
    looks = {name: look for name, look in looks.items() if name}
    if not looks:
        return
    handles = [plt.Line2D([], [], linestyle="", **look) for look in looks.values()]
    figure.legend(
        handles,
        list(looks),
        loc=loc,
        ncols=min(len(looks), 7),
        frameon=False,
        handletextpad=0.2,
        borderaxespad=0.2,
    )


def _other_seeds(
    regressions: pd.DataFrame | None, own: Components, label: str, letter: str
) -> list[dict]:
    """The same regression of the network's further seeds."""
    if regressions is None:
        return []
    chosen = (
        (regressions["network"] == own.network)
        & (regressions["layer"] == own.layer)
        & (regressions["label"] == label)
        & (regressions["component"] == AFFECT.index(label) + 1)
        & (regressions["measure"] == "r")
        & (regressions["seed"] != own.seed)
    )
    return [{"panel": letter, **row} for row in regressions[chosen].to_dict("records")]


def _caption(faces: _Faces, networks, components, numbers: pd.DataFrame, ratings) -> str:
    layers = "; ".join(
        f"{networks[name]['label']}: {own.layer}, seed {own.seed}"
        for name, own in components.items()
    )
    stages = " and ".join(dict.fromkeys(entry["stage"] for entry in networks.values()))
    people = f" of {faces.n_people} people" if faces.n_people else ""
    parts = [f"Principal components of the {stages} layer ({layers})."]
    parts.append(f"{faces.label}: {faces.pictures}{people}.")
    if faces.rendered:
        parts.append("All faces are RENDERED, not photographs.")
    if faces.reference.source:
        parts.append(f"Valence and arousal ({faces.reference.source}). {SIGN_RULE}.")
    else:
        parts.append("No valence or arousal, so the signs of components are arbitrary.")
    if CIRCULAR in " ".join(numbers["note"].dropna()):
        parts.append("CIRCULAR: regressed on the same network's own outputs.")
    parts.append(
        "Curve: second-degree fit; curvature: its coefficient on standardised axes, a U where the "
        "interval is above zero, an inverted U below, so turning PC2 would turn the one into the "
        "other."
    )
    if faces.people is None:
        parts.append("No two people, so no intervals.")
    else:
        parts.append("Bands and brackets: 95 % bootstrap intervals over people.")
    parts.append(
        "The naive p takes pictures as independent. Within people: each person's own r, a t-test "
        "of their z; p corrected by Holm over components, labels, layers, networks and seeds."
    )
    for n in numbers.loc[numbers["dataset"] == ratings, "n"].head(1):
        parts.append(
            f"{ratings}: human ratings of {int(n)} other pictures; its interval is over these."
        )
    parts += _seeds_in_words(networks, numbers)
    return " ".join(parts)


def _seeds_in_words(networks, numbers: pd.DataFrame) -> list[str]:
    said = []
    r = numbers[(numbers["measure"] == "r") & numbers["value"].notna()]
    for (network, label), own in r.groupby(["network", "label"], sort=False):
        if len(own) > 1:
            said.append(
                f"{networks[network]['label']}, {label}: r {own['value'].min():.2f} to "
                f"{own['value'].max():.2f} over {len(own)} seeds."
            )
    return said
