"""Do a layer's first components say what affect does: PC1 valence, PC2 arousal?

The reference is the face set's own valence and arousal, or what another network says of the same
pictures. Pictures of one person are not independent, so intervals are over people; a p-value that
takes pictures as independent is marked so.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy.stats

from facestages import store, tables
from facestages.analysis.grouped_regression import (
    cluster_robust_slope,
    holm,
    mixed_model_slope,
    person_correlation,
)
from facestages.analysis.resampling import (
    interval,
    people_weights,
    weighted_correlation,
    weighted_mean,
)
from facestages.errors import FacestagesError
from facestages.progress import progress
from facestages.stimuli import read_labels

#: The reference of each component, first to second.
AFFECT = ("valence", "arousal")

#: Note where a network is compared with its own outputs.
CIRCULAR = "CIRCULAR: the reference is this network's own output"

#: Note of the p-value of r.
NAIVE = "p takes pictures as independent"

#: Regressions whose p-values count people, by measure.
GROUPED = {
    "r_person": person_correlation,
    "slope_cluster_robust": cluster_robust_slope,
    "slope_mixed_model": mixed_model_slope,
}

#: How the sign of a component is fixed.
SIGN_RULE = "PC1 is turned so that it rises with valence, PC2 so that it rises with arousal"

_FEWEST = 3


class Reference(NamedTuple):
    """Valence and arousal of each picture, shape (n,), NaN where unknown; None if there is none."""

    valence: np.ndarray | None
    arousal: np.ndarray | None
    #: Where they come from: ``rendered...``, ``human``, ``network:<name>``; "" if there is none.
    source: str


class Estimate(NamedTuple):
    """A value and its 95 % interval over people; NaN to NaN where there are no two people."""

    value: float
    low: float
    high: float


class Polynomial(NamedTuple):
    """A least-squares polynomial of y on x, and that of each resample of people.

    Both axes are standardised: ``(x - centre_x) / scale_x``.

    Attributes
    ----------
    coefficients : numpy.ndarray, shape (degree + 1,)
        Constant first.
    resampled : numpy.ndarray, shape (resamples, degree + 1)
        No rows where there are no two people.
    people : int
        Number of people who were drawn from; 0 where there are no two.
    centre_x, scale_x, centre_y, scale_y : float
        Mean and standard deviation (over n).
    """

    coefficients: np.ndarray
    resampled: np.ndarray
    people: int
    centre_x: float
    scale_x: float
    centre_y: float
    scale_y: float


class Regression(NamedTuple):
    """A straight line of y on x; see `regress`."""

    slope: Estimate
    intercept: Estimate
    r: Estimate
    r2: Estimate
    p: float
    n: int
    fit: Polynomial


class Quadratic(NamedTuple):
    """A second-degree fit of y on x; see `fit_quadratic`."""

    curvature: Estimate
    #: Where the curve turns, on the axis of x.
    vertex: float
    #: Whether it turns between the lowest and the highest x.
    vertex_inside: bool
    n: int
    fit: Polynomial

    @property
    def shape(self) -> str:
        """``U``, ``inverted U``, or ``undecided`` where the interval holds zero or is none."""
        if self.curvature.low > 0:
            return "U"
        return "inverted U" if self.curvature.high < 0 else "undecided"


class Components(NamedTuple):
    """A layer's principal components, turned by `orient`."""

    network: str
    seed: int
    layer: str
    #: Shape (n, k).
    scores: np.ndarray
    #: Share of the layer's variance, shape (k,).
    variance_ratio: np.ndarray
    #: All n, largest first.
    eigenvalues: np.ndarray


# -------------------------------------------------------------------------- what is compared


def read_reference(
    stimuli: str | os.PathLike, predictions: str | os.PathLike | None = None
) -> Reference:
    """Valence and arousal of the pictures of a face set.

    Parameters
    ----------
    stimuli : path-like
        The face set; its labels ``valence`` and ``arousal`` are the reference.
    predictions : path-like, optional
        Table of `recording.predictions.predict_expressions` of a network that also gives valence
        and arousal; they are the reference instead, source ``network:<name>``.

    Returns
    -------
    Reference

    Raises
    ------
    FacestagesError
        If the table is of other pictures or has no valence or arousal.
    """
    labels, sources, _ = read_labels(stimuli, predictions)
    if predictions is not None:
        labels = tables.read_tables([predictions])
        network = str(labels["network"].iloc[0])
        lacking = [name for name in AFFECT if name not in labels]
        if lacking:
            raise FacestagesError(
                f"{predictions}: network '{network}' gives no {' and no '.join(lacking)}. Take "
                f"another as the reference, or none"
            )
        sources = dict.fromkeys(AFFECT, f"network:{network}")
    columns = [_numbers(labels, name) for name in AFFECT]
    present = [
        sources[name] for name, found in zip(AFFECT, columns, strict=True) if found is not None
    ]
    return Reference(*columns, "; ".join(dict.fromkeys(present)))


def _numbers(labels: pd.DataFrame, name: str) -> np.ndarray | None:
    if name not in labels:
        return None
    numbers = pd.to_numeric(labels[name], errors="coerce").to_numpy(np.float64)
    return numbers if np.isfinite(numbers).any() else None


def read_people(labels: pd.DataFrame) -> np.ndarray | None:
    """Person of each picture, shape (n,); None where there are no two people to draw from.

    A picture without a person counts as one of its own.
    """
    if "identity" not in labels:
        return None
    people = labels["identity"].where(labels["identity"] != "", labels["stimulus_id"])
    return people.to_numpy() if people.nunique() > 1 else None


def orient(
    scores: np.ndarray, valence: np.ndarray | None, arousal: np.ndarray | None
) -> np.ndarray:
    """Fix the signs of the components: PC1 rises with valence, PC2 with arousal.

    Parameters
    ----------
    scores : numpy.ndarray, shape (n, k)
        As `analysis.geometry.principal_components` gives them.
    valence, arousal : numpy.ndarray, shape (n,), or None
        Pictures where it is NaN do not count. Where there is none, or it does not vary, the sign
        stays: the largest score by size is positive.

    Returns
    -------
    numpy.ndarray, shape (n, k)
    """
    turned = scores.copy()
    for component, affect in zip(turned.T, (valence, arousal), strict=False):
        if affect is None:
            continue
        known = np.isfinite(affect)
        if known.any() and np.ptp(affect[known]) > 0:
            around = affect[known] - affect[known].mean()
            component *= -1 if component[known] @ around < 0 else 1
    return turned


def read_components(
    geometry: str | os.PathLike, layer: str, reference: Reference, stimuli_digest: str
) -> Components:
    """Read a layer's principal components, their signs fixed by the reference.

    Parameters
    ----------
    geometry : path-like
        HDF5 file of `analysis.geometry.measure_geometry`.
    layer : str
    reference : Reference
    stimuli_digest : str
        Of the face set that they must be of.

    Raises
    ------
    FacestagesError
        If the file is of other stimuli, or has no such layer.
    """
    with store.open_read(geometry, "geometry", stimuli_digest=stimuli_digest) as file:
        network, seed = str(file.attrs["network"]), int(file.attrs["seed"])
        if layer not in file:
            raise FacestagesError(
                f"{geometry}: network '{network}' has no layer '{layer}' (it has: "
                f"{', '.join(file)[:80]}). Correct the layer of the stage in the config"
            )
        group = file[layer]
        scores = orient(group["score"][:], reference.valence, reference.arousal)
        return Components(
            network, seed, layer, scores, group["variance_ratio"][:], group["eigenvalue"][:]
        )


def name_source(reference: Reference, network_label: str = "") -> str:
    """A reference's source in a few words, e.g. for a panel's title; `network_label` names it."""
    kind, _, name = reference.source.partition(":")
    if kind == "network":
        return f"{network_label or name} outputs"
    known = {"rendered": "declared", "human": "human norms"}
    return known.get(kind, reference.source)


def is_circular(reference: Reference, network: str) -> bool:
    """Whether the reference is this network's own output."""
    return reference.source == f"network:{network}"


# ---------------------------------------------------------------------------------- the fits


def regress(x: np.ndarray, y: np.ndarray, people: Sequence | None) -> Regression:
    """Straight line of y on x, with Pearson's r.

    Parameters
    ----------
    x, y : numpy.ndarray, shape (n,)
        Pictures where one of them is NaN are left out.
    people : sequence, shape (n,), or None
        Person of each picture; intervals are over people (`analysis.resampling`). None where
        there are no two: no intervals.

    Returns
    -------
    Regression
        `p` is that of r = 0 for n independent pictures, which they are not.

    Raises
    ------
    FacestagesError
        If fewer than three pictures are left, or one of x and y does not vary.
    """
    x, y, weights, drawn_from = _prepare(x, y, people)
    line = scipy.stats.linregress(x, y)
    fit = _fit(x, y, weights, drawn_from, degree=1)
    slopes = fit.resampled[:, 1] * fit.scale_y / fit.scale_x
    intercepts = fit.centre_y + fit.scale_y * fit.resampled[:, 0] - slopes * fit.centre_x
    r = weighted_correlation(x, y, weights)
    return Regression(
        Estimate(float(line.slope), *interval(slopes, drawn_from)),
        Estimate(float(line.intercept), *interval(intercepts, drawn_from)),
        Estimate(float(line.rvalue), *interval(r, drawn_from)),
        Estimate(float(line.rvalue**2), *interval(r**2, drawn_from)),
        float(line.pvalue),
        len(x),
        fit,
    )


def fit_quadratic(x: np.ndarray, y: np.ndarray, people: Sequence | None) -> Quadratic:
    """Second-degree fit of y on x: is the cloud bent like a U?

    Parameters and errors are those of `regress`.

    Returns
    -------
    Quadratic
        `curvature` is the coefficient of x squared where x and y have mean 0 and standard
        deviation 1, in each resample anew.
    """
    x, y, weights, drawn_from = _prepare(x, y, people)
    fit = _fit(x, y, weights, drawn_from, degree=2)
    around_x = (x - fit.centre_x) / fit.scale_x
    around_y = (y - fit.centre_y) / fit.scale_y
    # The axes of each resample have another standard deviation than those of all pictures.
    variance_x, variance_y = (_variances(values, weights) for values in (around_x, around_y))
    with np.errstate(invalid="ignore", divide="ignore"):
        curvatures = fit.resampled[:, 2] * variance_x / np.sqrt(variance_y)
    _, slope, curvature = fit.coefficients
    with np.errstate(divide="ignore", invalid="ignore"):
        vertex = float(fit.centre_x - fit.scale_x * np.divide(slope, 2 * curvature))
    inside = bool(x.min() <= vertex <= x.max())
    estimate = Estimate(float(curvature), *interval(curvatures, drawn_from))
    return Quadratic(estimate, vertex, inside, len(x), fit)


def curve(fit: Polynomial, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A fitted curve and its band over people.

    Parameters
    ----------
    fit : Polynomial
    x : numpy.ndarray, shape (m,)

    Returns
    -------
    y, low, high : numpy.ndarray, shape (m,)
        `low` and `high`, the 95 % interval at each x alone, are NaN where there are no two people.
    """
    powers = np.vander((x - fit.centre_x) / fit.scale_x, len(fit.coefficients), increasing=True)
    resampled = fit.resampled @ powers.T
    bounds = np.array([interval(column, fit.people) for column in resampled.T])
    y, low, high = powers @ fit.coefficients, bounds[:, 0], bounds[:, 1]
    return tuple(fit.centre_y + fit.scale_y * values for values in (y, low, high))


def _prepare(
    x: np.ndarray, y: np.ndarray, people: Sequence | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """The known pictures, how often each counts in each resample (b, n), and of how many people."""
    known = np.isfinite(x) & np.isfinite(y)
    x, y = np.asarray(x, np.float64)[known], np.asarray(y, np.float64)[known]
    if len(x) < _FEWEST:
        raise FacestagesError(f"a fit needs {_FEWEST} pictures or more, not {len(x)}")
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        raise FacestagesError(f"all {len(x)} pictures have the same value; nothing to fit")
    if people is None or len(set(np.asarray(people)[known])) < 2:
        return x, y, np.empty((0, len(x))), 0
    people = np.asarray(people)[known]
    return x, y, people_weights(people), len(set(people))


def _fit(x: np.ndarray, y: np.ndarray, weights: np.ndarray, people: int, degree: int) -> Polynomial:
    centre_x, scale_x, centre_y, scale_y = x.mean(), x.std(), y.mean(), y.std()
    powers = np.vander((x - centre_x) / scale_x, degree + 1, increasing=True)
    y = (y - centre_y) / scale_y
    coefficients = np.linalg.lstsq(powers, y)[0]
    # The normal equations of all resamples at once: sums over pictures are products with weights.
    squares = (powers[:, :, None] * powers[:, None, :]).reshape(len(x), -1)
    left = (weights @ squares).reshape(-1, degree + 1, degree + 1)
    right = weights @ (powers * y[:, None])
    resampled = np.full(right.shape, np.nan)
    # Of the people drawn too few may differ to fit a curve at all.
    solvable = np.linalg.cond(left) < 1e10 if len(left) else np.empty(0, bool)
    resampled[solvable] = np.linalg.solve(left[solvable], right[solvable, :, None])[:, :, 0]
    scales = (float(value) for value in (centre_x, scale_x, centre_y, scale_y))
    return Polynomial(coefficients, resampled, people, *scales)


def _variances(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return weighted_mean(values**2, weights) - weighted_mean(values, weights) ** 2


# --------------------------------------------------------------------------------- the table

_COLUMNS = [
    *("dataset", "rendered", "network", "seed", "stage", "layer", "label", "label_source"),
    *("measure", "component", "value", "ci_low", "ci_high", "p", "n", "note"),
]


def regress_affect(
    geometry: str | os.PathLike,
    stimuli: str | os.PathLike,
    stages: Mapping[str, str],
    predictions: str | os.PathLike | None = None,
) -> pd.DataFrame:
    """Regressions of PC1 on valence and PC2 on arousal, in every recorded layer of one network.

    As Figure 5b of the paper, and for both components the other label too.

    Parameters
    ----------
    geometry : path-like
        HDF5 file of `analysis.geometry.measure_geometry`.
    stimuli : path-like
        The face set.
    stages : mapping of str to str
        Layer of each stage; other layers have none.
    predictions : path-like, optional
        See `read_reference`.

    Returns
    -------
    pandas.DataFrame
        Tidy, by layer: measures ``r``, ``r2``, ``slope``, ``intercept`` for each ``component`` (1,
        2) and ``label``, and those of `GROUPED`, whose n are people; ``curvature`` and ``vertex``
        of PC2 on PC1; ``eigengap`` (of component k: its eigenvalue less the next, over its own),
        ``stability`` (`component_stability`) and ``variance_ratio``. Signs are those of `orient`.
        What cannot be measured has an empty value and a note.

    Raises
    ------
    FacestagesError
        See `read_reference` and `read_components`.
    """
    reference = read_reference(stimuli, predictions)
    labels, _, known = read_labels(stimuli)
    people = read_people(labels)
    with store.open_read(geometry, "geometry", stimuli_digest=known["stimuli_digest"]) as file:
        layers, dataset = list(file), str(file.attrs["dataset"])
    more = [("", layer) for layer in layers if layer not in stages.values()]
    rows = []
    for stage, layer in progress([*stages.items(), *more], "regressions"):
        components = read_components(geometry, layer, reference, known["stimuli_digest"])
        common = {
            "dataset": dataset,
            "rendered": int(known.get("rendered", 0)),
            "network": components.network,
            "seed": components.seed,
            "stage": stage,
            "layer": layer,
        }
        measured = [
            *_regression_rows(components, reference, people),
            *_curvature_rows(components, people),
            *_spectrum_rows(components),
            *_stability_rows(components, people),
        ]
        rows += [{"label": "", "label_source": "", "note": "", **common, **row} for row in measured]
    return pd.DataFrame(rows, columns=_COLUMNS).astype({"n": "Int64"})


def correct_for_many(regressions: pd.DataFrame) -> pd.DataFrame:
    """The tests within people, corrected for all that were made.

    Parameters
    ----------
    regressions : pandas.DataFrame
        Rows of `regress_affect`, of any number of networks and seeds.

    Returns
    -------
    pandas.DataFrame
        The rows of ``r_person``, with ``p_holm``: Holm's p over both components, both labels, all
        layers, networks and seeds. What is circular is no test, and does not count.
    """
    tests = regressions[regressions["measure"] == "r_person"]
    counted = tests["p"].where(~tests["note"].str.contains("CIRCULAR"))
    return tests.assign(p_holm=holm(counted.to_numpy(float)))


def component_scores(components: Components, number: int) -> np.ndarray:
    """Scores of a component, counted from 1, shape (n,).

    Raises
    ------
    FacestagesError
        If the layer has fewer.
    """
    if number > components.scores.shape[1]:
        raise FacestagesError(f"{_too_few(components)}; no PC{number}")
    return components.scores[:, number - 1]


def _too_few(components: Components) -> str:
    number = components.scores.shape[1]
    return f"layer {components.layer} has {'one' if number else 'no'} component{' only' * number}"


def affect_of(reference: Reference, label: str) -> np.ndarray:
    """Valence or arousal, shape (n,).

    Raises
    ------
    FacestagesError
        If the reference has none.
    """
    values = getattr(reference, label)
    if values is None:
        raise FacestagesError(f"the face set has no {label}")
    return values


def _regression_rows(components: Components, reference: Reference, people) -> list[dict]:
    rows = []
    for component in (1, 2):
        for label in AFFECT:
            where = {"label": label, "component": component}
            try:
                affect = affect_of(reference, label)
                found = regress(affect, component_scores(components, component), people)
            except FacestagesError as error:
                empty = {**where, "note": str(error)}
                measures = ("r", "r2", "slope", "intercept", *GROUPED)
                rows += [{**empty, "measure": name} for name in measures]
                continue
            where["label_source"] = reference.source
            circular = is_circular(reference, components.network)
            scores = component_scores(components, component)
            measured = [
                *regression_measures(found, circular),
                *_grouped_measures(affect, scores, people, circular),
            ]
            rows += [{**where, **row} for row in measured]
    return rows


def _grouped_measures(x: np.ndarray, y: np.ndarray, people, circular: bool) -> list[dict]:
    """Regressions that count people, as `regression_measures`."""
    known, said = np.isfinite(x) & np.isfinite(y), [CIRCULAR] if circular else []
    rows = []
    for measure, estimate in GROUPED.items():
        row = {"measure": measure, "note": "; ".join(said)}
        try:
            if people is None:
                raise FacestagesError("no two people")
            value, low, high, p, number = estimate(x[known], y[known], people[known])
            row |= {"value": value, "ci_low": low, "ci_high": high, "p": p, "n": number}
        except FacestagesError as error:
            row["note"] = "; ".join([*said, str(error)])
        rows.append(row)
    return rows


def component_stability(
    scores: np.ndarray, people: Sequence, component: int, resamples: int = 1000
) -> np.ndarray:
    """How much of a component is left if other people had been seen.

    In each resample of people the components are found anew, within those that are kept, and
    the one of the same number is correlated with the original one, over all pictures. Where two
    eigenvalues are nearly equal, components trade places and turn freely, and this is far below 1.

    Parameters
    ----------
    scores : numpy.ndarray, shape (n, k)
    people : sequence, shape (n,)
    component : int
        Counted from 1.
    resamples : int

    Returns
    -------
    numpy.ndarray, shape (resamples,)
        Absolute correlations.
    """
    found = np.empty(resamples)
    original = scores[:, component - 1]
    for number, weights in enumerate(people_weights(people, resamples)):
        centred = scores - weights @ scores / weights.sum()
        _, vectors = np.linalg.eigh((centred * weights[:, None]).T @ centred)
        found[number] = abs(np.corrcoef(original, scores @ vectors[:, -component])[0, 1])
    return found


def _stability_rows(components: Components, people) -> list[dict]:
    rows = []
    for component in (1, 2):
        row = {"component": component, "measure": "stability"}
        if component > components.scores.shape[1]:
            row["note"] = _too_few(components)
        elif people is None:
            row["note"] = "no two people"
        else:
            found = component_stability(components.scores, people, component)
            low, high = np.quantile(found, [0.025, 0.975])
            row |= {"value": found.mean(), "ci_low": low, "ci_high": high, "n": len(found)}
            row["note"] = "mean and range of 95 % of the resamples"
        rows.append(row)
    return rows


def _curvature_rows(components: Components, people) -> list[dict]:
    try:
        first, second = (component_scores(components, number) for number in (1, 2))
        measured = quadratic_measures(fit_quadratic(first, second, people))
    except FacestagesError as error:
        measured = [{"measure": name, "note": str(error)} for name in ("curvature", "vertex")]
    return [{"component": 2, **row} for row in measured]


def regression_measures(found: Regression, circular: bool = False) -> list[dict[str, object]]:
    """A regression as parts of rows of `regress_affect`: ``measure, value, ..., n, note``."""
    said = [CIRCULAR] if circular else []
    said += _no_interval(found.r)
    rows = []
    for name in ("r", "r2", "slope", "intercept"):
        value, low, high = getattr(found, name)
        row = {"measure": name, "value": value, "ci_low": low, "ci_high": high, "n": found.n}
        if name == "r":
            rows.append({**row, "p": found.p, "note": "; ".join([*said, NAIVE])})
        else:
            rows.append({**row, "note": "; ".join(said)})
    return rows


def quadratic_measures(found: Quadratic) -> list[dict[str, object]]:
    """A second-degree fit as parts of rows of `regress_affect`; the note names the shape."""
    said = [found.shape]
    if found.shape != "undecided" and not found.vertex_inside:
        said.append("one arm only: it turns outside the cloud")
    where = {"n": found.n, "note": "; ".join([*said, *_no_interval(found.curvature)])}
    value, low, high = found.curvature
    return [
        {**where, "measure": "curvature", "value": value, "ci_low": low, "ci_high": high},
        {**where, "measure": "vertex", "value": found.vertex},
    ]


def _no_interval(estimate: Estimate) -> list[str]:
    return [] if np.isfinite(estimate.low) else ["no two people, so no interval"]


def _spectrum_rows(components: Components) -> list[dict]:
    rows, values = [], components.eigenvalues
    n = len(components.scores)
    for component in (1, 2):
        where = {"component": component, "n": n}
        if component > components.scores.shape[1]:
            note = {"note": _too_few(components)}
            rows += [{**where, "measure": m, **note} for m in ("eigengap", "variance_ratio")]
            continue
        own, following = values[component - 1 : component + 1]
        share = components.variance_ratio[component - 1]
        rows.append({**where, "measure": "eigengap", "value": float((own - following) / own)})
        rows.append({**where, "measure": "variance_ratio", "value": float(share)})
    return rows
