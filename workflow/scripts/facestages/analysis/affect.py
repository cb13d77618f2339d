"""Whether a layer's first two principal components are valence (PC1) and arousal (PC2).

Each component is regressed on each label. Pictures of one person are not independent, so intervals
are over people (identities), and a p-value that takes pictures as independent has a note.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from facestages.analysis.categories import (
    FOLLOWS,
    correlate_categories,
    correlate_within_categories,
    share_of_category,
)
from facestages.analysis.components import (
    AFFECT,
    Components,
    Reference,
    affect_of,
    component_scores,
    component_stability,
    find_layer,
    orient_layer,
    read_reference,
    too_few_components,
)
from facestages.analysis.grouped_regression import (
    cluster_robust_slope,
    holm,
    mixed_model_slope,
    person_correlation,
)
from facestages.analysis.labels import circular_note, join_notes, read_people
from facestages.analysis.layers import Geometry, Layer, Rows, tabulate
from facestages.analysis.regression import Estimate, Quadratic, Regression, fit_quadratic, regress
from facestages.errors import FacestagesError
from facestages.progress import progress

#: Note of the p-value of r.
NAIVE = "p takes pictures as independent"

#: Regressions whose n are people, by measure.
GROUPED = {
    "r_person": person_correlation,
    "slope_cluster_robust": cluster_robust_slope,
    "slope_mixed_model": mixed_model_slope,
}


def regress_affect(
    geometry: str | os.PathLike,
    stimuli: str | os.PathLike,
    stages: Mapping[str, str],
    predictions: str | os.PathLike | None = None,
    label_file: str | os.PathLike | None = None,
) -> pd.DataFrame:
    """Regressions of PC1 and PC2 on valence and arousal, in every recorded layer of one network.

    Figure 5b of the paper has PC1 on valence and PC2 on arousal; here each component is regressed
    on both labels.

    Parameters
    ----------
    geometry, stimuli, stages, label_file
        See `analysis.layers.tabulate`.
    predictions : path-like, optional
        See `components.read_reference`.

    Returns
    -------
    pandas.DataFrame
        Tidy, by layer: measures ``r``, ``r2``, ``slope``, ``intercept`` for each ``component`` (1,
        2) and ``label``, and those of `GROUPED`, whose n are people; ``r_categories``, whose n are
        categories; ``r_within_category`` (n people), where the label does not follow from category
        (`categories.FOLLOWS`); ``share_of_category`` of each label; ``curvature`` and ``vertex``
        of PC2 on PC1; ``eigengap`` of component k, ``(l_k - l_(k+1)) / l_k`` of the eigenvalues;
        ``stability`` (`components.component_stability`) and ``variance_ratio``. Signs are those of
        `components.orient`. A value that cannot be measured is empty and has a note. Errors are
        those of `components.read_reference` and `components.read_components`.
    """
    reference = read_reference(stimuli, label_file, predictions)
    return _regress_layers(geometry, stimuli, stages, reference, label_file=label_file)


@tabulate(
    *("label", "label_source", "measure", "component", "value", "ci_low", "ci_high", "p", "n"),
    "note",
)
def _regress_layers(geometry: Geometry, reference: Reference) -> Iterator[tuple[Layer, Rows]]:
    """The layers of the stages first, then the others."""
    people, categories = read_people(geometry.labels), _read_categories(geometry.labels)
    names = dict.fromkeys([*geometry.stages.values(), *(layer.name for layer in geometry.layers)])
    for name in progress(names, "regressions"):
        layer = find_layer(geometry.layers, name)
        components = orient_layer(layer, reference)
        measured = [
            *_regression_rows(components, reference, people),
            *_category_rows(components, reference, categories, people),
            *_curvature_rows(components, people),
            *_spectrum_rows(components),
            *_stability_rows(components, people),
        ]
        yield layer, [{"label": "", "label_source": "", "note": "", **row} for row in measured]


def correct_for_many(regressions: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``r_person`` with ``p_holm``, corrected for their number.

    Rows of `regress_affect` may be of any number of networks and seeds; p is corrected over both
    components, both labels, all layers, networks and seeds. Circular rows do not count, because
    they are no tests.
    """
    tests = regressions[regressions["measure"] == "r_person"]
    counted = tests["p"].where(~tests["note"].str.contains("CIRCULAR"))
    return tests.assign(p_holm=holm(counted.to_numpy(float)))


def _regression_rows(
    components: Components, reference: Reference, people: np.ndarray | None
) -> list[dict]:
    circular = circular_note([reference.source], components.network)
    rows = []
    for component in (1, 2):
        for label in AFFECT:
            where = {"label": label, "component": component}
            try:
                affect = affect_of(reference, label)
                scores = component_scores(components, component)
                line = regress(affect, scores, people)
            except FacestagesError as error:
                measures = ("r", "r2", "slope", "intercept", *GROUPED)
                rows += [{**where, "measure": name, "note": str(error)} for name in measures]
                continue
            measured = [
                *regression_measures(line, circular),
                *_grouped_measures(affect, scores, people, circular),
            ]
            rows += [{**where, "label_source": reference.source, **row} for row in measured]
    return rows


def _grouped_measures(
    x: np.ndarray, y: np.ndarray, people: np.ndarray | None, circular: str
) -> list[dict]:
    """Regressions of `GROUPED` as parts of rows of `regress_affect`."""
    finite, rows = np.isfinite(x) & np.isfinite(y), []
    for name, estimate in GROUPED.items():
        numbers, note = {}, ""
        try:
            if people is None:
                raise FacestagesError("no two people")
            value, low, high, p, n = estimate(x[finite], y[finite], people[finite])
            numbers = {"value": value, "ci_low": low, "ci_high": high, "p": p, "n": n}
        except FacestagesError as error:
            note = str(error)
        rows.append({"measure": name, **numbers, "note": join_notes(circular, note)})
    return rows


def _read_categories(labels: pd.DataFrame) -> np.ndarray:
    """Category of each picture, (n,); "" where it is not known."""
    if "expression" not in labels:
        return np.full(len(labels), "")
    return labels["expression"].fillna("").astype(str).to_numpy()


def _category_rows(
    components: Components,
    reference: Reference,
    categories: np.ndarray,
    people: np.ndarray | None,
) -> Iterator[dict[str, object]]:
    circular = circular_note([reference.source], components.network)
    for label in AFFECT:
        where = {"label": label, "label_source": reference.source}
        try:
            affect = affect_of(reference, label)
            share = share_of_category(affect, categories)
        except FacestagesError as error:
            measures = [("share_of_category", None), ("r_categories", 1), ("r_categories", 2)]
            for name, component in measures:
                yield {**where, "measure": name, "component": component, "note": str(error)}
            continue
        yield {**where, "measure": "share_of_category", "value": share, "n": len(affect)}
        for component in (1, 2):
            where["component"] = component
            try:
                scores = component_scores(components, component)
            except FacestagesError as error:
                yield {**where, "measure": "r_categories", "note": str(error)}
                continue
            for row in category_measures(affect, scores, categories, people, share):
                yield {**where, **row, "note": join_notes(circular, row["note"])}


def category_measures(
    affect: np.ndarray,
    scores: np.ndarray,
    categories: np.ndarray,
    people: np.ndarray | None,
    share: float,
) -> Iterator[dict[str, object]]:
    """Correlations of a component with a label, between and within categories, as parts of rows.

    `share` is `categories.share_of_category` of the label.
    """
    row = {"measure": "r_categories", "note": ""}
    try:
        found = correlate_categories(affect, scores, categories, people)
        yield row | {"value": found.r, "p": found.p, "n": len(found.names)}
    except FacestagesError as error:
        yield row | {"note": str(error)}
    row, note = {"measure": "r_within_category"}, ""
    numbers = {}
    if share >= FOLLOWS:
        note = f"follows from category by {share:.0%}"
    elif people is None:
        note = "no two people"
    else:
        try:
            value, low, high, p, n = correlate_within_categories(affect, scores, categories, people)
            numbers = {"value": value, "ci_low": low, "ci_high": high, "p": p, "n": n}
        except FacestagesError as error:
            note = str(error)
    yield row | numbers | {"note": note}


def regression_measures(line: Regression, circular: str = "") -> list[dict[str, object]]:
    """A regression as parts of rows of `regress_affect`: ``measure, value, ..., n, note``.

    `circular` is the `analysis.labels.circular_note` of the reference.
    """
    note = join_notes(circular, _no_interval(line.r))
    estimates = {"r": line.r, "r2": line.r2, "slope": line.slope, "intercept": line.intercept}
    rows = [
        {"measure": name, **_bounded(estimate), "n": line.n, "note": note}
        for name, estimate in estimates.items()
    ]
    rows[0] |= {"p": line.p, "note": join_notes(note, NAIVE)}
    return rows


def quadratic_measures(parabola: Quadratic) -> list[dict[str, object]]:
    """A second-degree fit as parts of rows of `regress_affect`; the note names the shape."""
    outside = parabola.shape != "undecided" and not parabola.vertex_inside
    one_arm = "one arm only: it turns outside the cloud" if outside else ""
    note = join_notes(parabola.shape, one_arm, _no_interval(parabola.curvature))
    where = {"n": parabola.n, "note": note}
    return [
        {**where, "measure": "curvature", **_bounded(parabola.curvature)},
        {**where, "measure": "vertex", "value": parabola.vertex},
    ]


def _bounded(estimate: Estimate) -> dict[str, float]:
    return {"value": estimate.value, "ci_low": estimate.low, "ci_high": estimate.high}


def _no_interval(estimate: Estimate) -> str:
    return "" if np.isfinite(estimate.low) else "no two people, so no interval"


def _curvature_rows(components: Components, people: np.ndarray | None) -> list[dict]:
    try:
        first, second = (component_scores(components, number) for number in (1, 2))
        measured = quadratic_measures(fit_quadratic(first, second, people))
    except FacestagesError as error:
        measured = [{"measure": name, "note": str(error)} for name in ("curvature", "vertex")]
    return [{"component": 2, **row} for row in measured]


def _spectrum_rows(components: Components) -> list[dict]:
    rows = []
    for component in (1, 2):
        where = {"component": component, "n": len(components.scores)}
        where["note"] = too_few_components(components, component)
        gap = share = np.nan
        if not where["note"]:
            eigenvalue, following = components.eigenvalues[component - 1 : component + 1]
            gap = float((eigenvalue - following) / eigenvalue)
            share = float(components.variance_ratio[component - 1])
        rows.append({**where, "measure": "eigengap", "value": gap})
        rows.append({**where, "measure": "variance_ratio", "value": share})
    return rows


def _stability_rows(components: Components, people: np.ndarray | None) -> list[dict]:
    no_people, rows = "no two people" if people is None else "", []
    for component in (1, 2):
        note = too_few_components(components, component) or no_people
        row = {"component": component, "measure": "stability", "note": note}
        if not note:
            correlations = component_stability(components.scores, people, component)
            low, high = np.quantile(correlations, [0.025, 0.975])
            row |= {"value": correlations.mean(), "ci_low": low, "ci_high": high}
            row |= {"n": len(correlations), "note": "mean and range of 95 % of the resamples"}
        rows.append(row)
    return rows
