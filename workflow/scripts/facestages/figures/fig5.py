"""Figure 5: are the first two components of the penultimate layer valence and arousal?"""

from __future__ import annotations

import math
import os
import textwrap
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facestages import tables
from facestages.analysis.affect import correct_for_many, quadratic_measures, regression_measures
from facestages.analysis.components import AFFECT, affect_of, component_scores
from facestages.analysis.labels import circular_note
from facestages.analysis.regression import Polynomial, curve, fit_quadratic, regress
from facestages.errors import FacestagesError
from facestages.figures import page, style
from facestages.figures.categories import (
    describe_categories,
    draw_categories,
    measure_categories,
    shares_in_words,
)
from facestages.figures.components import Shown, Study, read_study
from facestages.figures.expressions import add_expression_legend, expression_looks
from facestages.figures.face_set import read_face_set
from facestages.text import abbreviate

_MOST_COLUMNS = 4
# Millimetres: a row of clouds, of regressions, of categories; and the legend with the caption.
_CLOUDS, _REGRESSION, _CATEGORIES, _AROUND = 52, 53, 46, 24
_SMALL = 7  # points
# Lines are not broken beside this equals sign.
_TIED = "\u00a0=\u00a0"
_TESTS = (
    "The naive p takes pictures as independent. Within people: a t-test of each person's r (as "
    "Fisher's z); p corrected by Holm over components, labels, layers, networks and seeds."
)
_COLUMNS = [
    *("panel", "dataset", "rendered", "network", "seed", "stage", "layer", "label"),
    *("label_source", "measure", "component", "value", "ci_low", "ci_high", "p", "p_holm"),
    *("n", "note"),
]


class _Cloud(NamedTuple):
    """Pictures in a plane, or why there are none."""

    title: str
    missing: str = ""
    x: np.ndarray | None = None
    y: np.ndarray | None = None
    names: tuple[str, str] = ("", "")
    expressions: np.ndarray | None = None
    people: np.ndarray | None = None
    #: Columns of the table of numbers.
    columns: dict[str, object] | None = None


def draw(
    networks: Mapping[str, Mapping],
    stimuli: str | os.PathLike,
    labels: str | os.PathLike | None = None,
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
) -> page.Drawing:
    """Draw PC1-PC2 of each network, reference and human ratings; below, regressions on affect.

    The regressions have a point a picture, and then a point a category. What there is nothing of
    has no panels; the caption says why.

    `networks`, `predictions`, `reference_label` and `absent` are those of
    `figures.components.read_study`.

    Parameters
    ----------
    stimuli, labels, dataset : path-like, path-like, str
        The files of the face set, and its name in figures.
    ratings, ratings_label : path-like, str
        Table of human ratings of pictures, from rule ``prepare_ratings``, and its name in figures.
    no_reference, no_ratings : str
        Why the reference or the ratings that the config names cannot be shown. The face set's
        valence and arousal are the reference then, if it has any.
    regressions : pandas.DataFrame, optional
        Rows of `analysis.affect.regress_affect` of all seeds, for the tests within people and the
        range over seeds.

    Raises
    ------
    FacestagesError
        If no network can be shown.
    """
    faces = read_face_set(stimuli, labels)
    study = read_study(networks, faces, predictions, reference_label, absent)
    if not study.networks:
        raise study.nothing_to_draw("Figure 5")
    clouds = [
        *(_components_cloud(network, study) for network in study.networks.values()),
        *(_Cloud(label, why) for label, why in study.absent.items()),
    ]
    lines = [no_reference] if no_reference else []
    labels = [label for label in AFFECT if study.reference[AFFECT.index(label)] is not None]
    if len(labels) == len(AFFECT):
        clouds.append(_reference_cloud(study))
    elif not no_reference:
        lacking = " and no ".join(label for label in AFFECT if label not in labels)
        lines.append(f"the reference, and regressions on it: the face set has no {lacking}")
    if ratings:
        clouds.append(_ratings_cloud(ratings, ratings_label))
    else:
        lines.append(no_ratings or "no human ratings of pictures are given")
    networks = study.networks.values()
    pairs = [(label, network) for label in labels for network in networks]
    has_categories = study.faces.expressions.any()
    grids = [
        (len(clouds), _MOST_COLUMNS, _CLOUDS),
        (len(pairs), len(networks), _REGRESSION),
        (len(pairs) * has_categories, _MOST_COLUMNS, _CATEGORIES),
    ]
    figure, panels = _lay_out(grids)
    letters, numbers = page.letters(), []
    for axis, cloud in zip(panels[0], clouds, strict=True):
        letter = next(letters)
        numbers += [{"panel": letter, **row} for row in _draw_cloud(axis, letter, cloud)]
    for axis, (label, network) in zip(panels[1], pairs, strict=True):
        letter = next(letters)
        tests, other_seeds = _find_regressions(regressions, network, label)
        drawn = _draw_regression(axis, letter, network, study, label, tests)
        numbers += [{"panel": letter, **line} for line in [*drawn, *tests, *other_seeds]]
    for axis, (label, network) in zip(panels[2], pairs, strict=False):
        letter = next(letters)
        drawn = _draw_categories(axis, letter, network, study, label)
        numbers += [{"panel": letter, **row} for row in drawn]
    add_expression_legend(figure, expression_looks(study.faces.expressions), "outside upper center")
    table = pd.DataFrame(numbers, columns=_COLUMNS).astype({"n": "Int64", "seed": "Int64"})
    sentences = _caption(study, dataset, table, ratings and ratings_label)
    return page.finish(figure, table, _title(table, study), sentences, lines)


def _lay_out(grids: Sequence[tuple[int, int, int]]) -> tuple[Figure, list[list[Axes]]]:
    """Grids below one another: of so many panels, in so many columns at most, of this height."""
    rows = [math.ceil(panels / most) for panels, most, _ in grids]
    heights = [count * grid[2] for count, grid in zip(rows, grids, strict=True)]
    figure = page.new_figure(sum(heights) + _AROUND)
    drawn = [number for number, count in enumerate(rows) if count]
    parts = figure.add_gridspec(len(drawn), 1, height_ratios=[heights[n] for n in drawn])
    axes: list[list[Axes]] = [[] for _ in grids]
    for part, number in zip(parts, drawn, strict=True):
        panels, columns = grids[number][0], math.ceil(grids[number][0] / rows[number])
        grid = part.subgridspec(rows[number], columns)
        axes[number] = [figure.add_subplot(grid[divmod(n, columns)]) for n in range(panels)]
    return figure, axes


def _find_regressions(
    regressions: pd.DataFrame | None, network: Shown, label: str
) -> tuple[list[dict], list[dict]]:
    """The test within people of a panel's regression, and r of the network's other seeds."""
    if regressions is None:
        return [], []
    components, component = network.components, AFFECT.index(label) + 1
    of_panel = {"network": components.network, "layer": components.layer}
    of_panel |= {"label": label, "component": component}
    # The correction counts the tests of all panels.
    tests, r = correct_for_many(regressions), regressions[regressions["measure"] == "r"]
    for name, value in of_panel.items():
        tests, r = tests[tests[name] == value], r[r[name] == value]
    of_seed = tests[tests["seed"] == components.seed].head(1)
    return of_seed.to_dict("records"), r[r["seed"] != components.seed].to_dict("records")


# --------------------------------------------------------------------------------- the clouds


def _components_cloud(network: Shown, study: Study) -> _Cloud:
    components = network.components
    try:
        x, y = (component_scores(components, number) for number in (1, 2))
    except FacestagesError as error:
        return _Cloud(network.label, str(error))
    first, second = components.variance_ratio[:2]
    names = f"PC1 ({100 * first:.0f} % of variance)", f"PC2 ({100 * second:.0f} %)"
    columns = network.columns | {"component": 2}
    return _Cloud(
        network.label, "", x, y, names, study.faces.expressions, study.faces.people, columns
    )


def _reference_cloud(study: Study) -> _Cloud:
    x, y, source = study.reference
    columns = study.faces.columns | {"label": "arousal on valence", "label_source": source}
    title, names = f"{study.source[0].upper()}{study.source[1:]}", ("Valence", "Arousal")
    return _Cloud(title, "", x, y, names, study.faces.expressions, study.faces.people, columns)


def _ratings_cloud(ratings: str | os.PathLike, label: str) -> _Cloud:
    table = tables.read_tables([ratings])
    x, y = table["valence"].to_numpy(), table["arousal"].to_numpy()
    low, high = table["scale_low"].iloc[0], table["scale_high"].iloc[0]
    names = (f"Valence, {low} to {high}", f"Arousal, {low} to {high}")
    columns = {"dataset": label, "rendered": 0, "label": "arousal on valence"}
    columns["label_source"] = str(table["source"].iloc[0])
    # Pictures were rated one by one, so intervals are over pictures, not people.
    expressions, pictures = np.full(len(x), ""), np.arange(len(x))
    return _Cloud(f"{label} (human)", "", x, y, names, expressions, pictures, columns)


def _draw_cloud(axis: Axes, letter: str, cloud: _Cloud) -> list[dict]:
    """Draw a scatter by expression with its parabola, or why there is none."""
    title = f"{letter}  {abbreviate(cloud.title, 26)}"
    if cloud.missing:
        return _say(axis, title, cloud.missing)
    try:
        parabola = fit_quadratic(cloud.x, cloud.y, cloud.people)
    except FacestagesError as error:
        return _say(axis, title, str(error))
    _scatter(axis, cloud.x, cloud.y, cloud.expressions)
    _draw_fit(axis, parabola.fit, cloud.x)
    one_arm = parabola.shape != "undecided" and not parabola.vertex_inside
    shape = f"{parabola.shape}{' (one arm)' if one_arm else ''}"
    _head(axis, title, f"{shape}, curvature\n{page.spell(*parabola.curvature)}")
    axis.set(xlabel=cloud.names[0], ylabel=cloud.names[1])
    return [{**cloud.columns, **row} for row in quadratic_measures(parabola)]


# ---------------------------------------------------------------------------- the regressions


def _draw_regression(
    axis: Axes,
    letter: str,
    network: Shown,
    study: Study,
    label: str,
    tests: Sequence[Mapping],
) -> list[dict]:
    """Draw a component over valence or arousal with its line, or why there is none."""
    number, components = AFFECT.index(label) + 1, network.components
    title = f"{letter}  {network.label}"
    where = {**network.columns, "label": label, "component": number}
    try:
        affect, scores = affect_of(study.reference, label), component_scores(components, number)
        line = regress(affect, scores, study.faces.people)
    except FacestagesError as error:
        _say(axis, title, str(error))
        return [{**where, "measure": "r", "note": str(error)}]
    circular = circular_note([study.reference.source], components.network)
    _scatter(axis, affect, scores, study.faces.expressions)
    _draw_fit(axis, line.fit, affect)
    columns = len(study.networks)
    narrow = {"fontsize": _SMALL} if columns == _MOST_COLUMNS else {}
    axis.set_xlabel(f"{label.capitalize()} ({abbreviate(study.source, 60 // columns)})", **narrow)
    axis.set_ylabel(f"PC{number}")
    # What else the table of numbers and the caption say would fill the panel.
    lines = [f"r = {page.spell(*line.r)}", *(_describe_test(test) for test in tests)]
    wrapped = (textwrap.fill(text.replace(" = ", _TIED), 104 // columns) for text in lines)
    title += " (CIRCULAR)" if circular else ""
    _head(axis, title, "\n".join(wrapped), **narrow)
    where["label_source"] = study.reference.source
    return [{**where, **row} for row in regression_measures(line, circular)]


def _draw_categories(
    axis: Axes, letter: str, network: Shown, study: Study, label: str
) -> list[dict]:
    """Draw a component over valence or arousal, a point a category, or why there are none."""
    title = f"{letter}  {network.label}"
    try:
        rows = measure_categories(study, network, label)
        draw_categories(axis, study, network, label)
    except FacestagesError as error:
        return _say(axis, title, str(error))
    lines = [text.replace(" = ", _TIED) for text in describe_categories(rows)]
    _head(axis, title, "\n".join(textwrap.fill(line, 28) for line in lines))
    return rows


def _describe_test(test: Mapping) -> str:
    """The result of a test within people, or why there is none."""
    if not np.isfinite(test["value"]):
        return f"within people: {test['note']}"
    r = page.spell(test["value"], test["ci_low"], test["ci_high"])
    return f"within people r = {r}"


# ------------------------------------------------------------------------------- their marks


def _scatter(axis: Axes, x: np.ndarray, y: np.ndarray, expressions: np.ndarray) -> None:
    for value, look in expression_looks(expressions).items():
        rows = expressions == value
        # As vectors, a thousand points a panel would slow down the reader's browser.
        axis.scatter(x[rows], y[rows], s=5, alpha=0.5, linewidths=0, rasterized=True, **look)


def _draw_fit(axis: Axes, fit: Polynomial, x: np.ndarray) -> None:
    places = np.linspace(np.nanmin(x), np.nanmax(x), 101)
    y, low, high = curve(fit, places)
    if np.isfinite(low).all():
        axis.fill_between(places, low, high, color="black", alpha=0.25, linewidth=0, zorder=3)
    axis.plot(places, y, color="black", linewidth=1.2, zorder=4)


def _head(axis: Axes, title: str, text: str, **narrow: float) -> None:
    """A title, and below it the panel's numbers in smaller type."""
    axis.set_title(title, loc="left", pad=_pad(text.count("\n") + 1), **narrow)
    below = axis.text(0, 1.02, text, transform=axis.transAxes, va="bottom", fontsize=_SMALL)
    # The title's padding makes room for this text, which may be wider than the panel.
    below.set_in_layout(False)


def _pad(lines: int) -> float:
    """Points between a panel and its title that so many small lines need."""
    return 5 + (_SMALL + 2) * lines


def _say(axis: Axes, title: str, why: str) -> list[dict]:
    """Write a panel's title, and in place of the panel why it is missing."""
    axis.set_title(title, loc="left", pad=_pad(2))
    style.say_missing(axis, why, columns=26)
    return []


# --------------------------------------------------------------------------------- the caption


def _title(numbers: pd.DataFrame, study: Study) -> str:
    """Of how many networks the components follow affect within people."""
    tests = numbers[numbers["p_holm"].notna()]
    if tests.empty:
        by = ", by expression" if study.faces.expressions.any() else ""
        return f"The first two principal components{by}"
    shares = []
    for number, label in enumerate(AFFECT, start=1):
        of_label = tests[tests["label"] == label]
        if len(of_label):
            clear = (of_label["p_holm"] < 0.05).sum()
            shares.append(f"PC{number} follows {label} in {clear} of {len(of_label)} networks")
    declared = "declared positions" if "declared" in study.source.lower() else study.source
    return f"Within people, {', '.join(shares)} (Holm p < 0.05; {declared})"


def _describe_categories(numbers: pd.DataFrame) -> list[str]:
    drawn = numbers[numbers["measure"] == "r_categories"]
    if drawn.empty:
        return []
    return [
        f"{drawn['panel'].iloc[0]} to {drawn['panel'].iloc[-1]}: a point a category, of the "
        f"component without differences of people; p over all assignments of the positions to the "
        f"categories, which are the units where valence or arousal follow from category.",
        *shares_in_words(numbers.to_dict("records")),
    ]


def _caption(study: Study, dataset: str, numbers: pd.DataFrame, ratings: str | None) -> list[str]:
    sentences = [
        f"Principal components of {study.name_layers()}.",
        f"{dataset}: {study.faces.count()}.",
        *page.rendered(study.faces.rendered),
        study.describe_signs(),
        *page.circular(numbers, study.labels),
        "Curve: second-degree fit. Curvature: its coefficient on standardised axes; an interval "
        "above zero is a U, one below an inverted U, and the sign of PC2 decides which.",
        study.describe_intervals("Bands and brackets"),
        *([_TESTS] if (numbers["measure"] == "r").any() else []),
        *_describe_categories(numbers),
    ]
    for n in numbers.loc[numbers["dataset"] == ratings, "n"].head(1):
        sentences.append(
            f"{ratings}: human ratings of {int(n)} other pictures; its interval is over these."
        )
    r = numbers[(numbers["measure"] == "r") & numbers["value"].notna()]
    for (network, label), rows in r.groupby(["network", "label"], sort=False):
        if len(rows) > 1:
            low, high = rows["value"].min(), rows["value"].max()
            span = f"r {low:.2f} to {high:.2f} over {len(rows)} seeds"
            sentences.append(f"{study.labels[network]}, {label}: {span}.")
    return sentences
