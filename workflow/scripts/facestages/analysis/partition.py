"""Variance partitioning: shares of a layer's space for identity, valence-arousal and category.

A multivariate analysis of variance on the principal components takes identities first, then valence
and arousal, then category. Each share is what a step adds to the steps before it. Identities and
expressions do not overlap where each person shows every expression. Valence-arousal and category
overlap in any face set, so the reverse order of these two is measured too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from facestages.analysis import planes, sampling
from facestages.analysis.components import AFFECT
from facestages.analysis.labels import NO_GEOMETRY, circular_note, is_labelled, join_notes, no_label
from facestages.analysis.layers import Geometry, Layer, Rows, tabulate
from facestages.analysis.resampling import interval, people_weights
from facestages.analysis.shares import (
    LEAST_SHARE,
    SHARES,
    Design,
    Moments,
    describe_design,
    measure_moments,
    split_variance,
)
from facestages.errors import FacestagesError
from facestages.progress import progress
from facestages.stimuli.sample import people_of

_NEEDED = ("identity", "expression")
#: Which shares follow which, and the names of the distances between their positions.
_STEPS = (("identity", "affect"), ("affect", "category"), ("identity", "category_alone"))


class _LayerShares(NamedTuple):
    """Shares of a layer: of all pictures first, then of resampled people."""

    shares: dict[str, np.ndarray]
    #: Shares of all planes (planes,), and of some in resamples of people (resamples, planes).
    planes: np.ndarray
    resampled: np.ndarray


def half_maximum(curve: np.ndarray) -> float:
    """Position at which a share of variance (layers,) first reaches half of its maximum.

    The first layer has position 0; positions between layers are interpolated linearly. NaN if the
    share is below `LEAST_SHARE` everywhere.
    """
    half = np.max(curve) / 2
    if not half >= LEAST_SHARE / 2:
        return np.nan
    first = int(np.argmax(curve >= half))
    if first == 0:
        return 0.0
    below, above = curve[first - 1], curve[first]
    return first - 1 + (half - below) / (above - below)


@tabulate(
    *("position", "label", "label_source", "measure", "components", "value", "ci_low", "ci_high"),
    *("null_mean", "null_sd", "null_low", "null_high", "p", "sampling_error", "n", "note"),
)
def partition_variance(
    geometry: Geometry, components: Sequence[int | str], resamples: int = 1000
) -> Iterator[tuple[Layer | None, Rows]]:
    """Shares of variance in every recorded layer, their order, and arbitrary planes beside them.

    Parameters
    ----------
    geometry, stimuli, stages, predictions
        See `analysis.layers.tabulate`.
    components : sequence of int or "all"
        Numbers of principal components; ``all`` is not partitioned.
    resamples : int
        Bootstrap over people, for the intervals (95 %).

    Returns
    -------
    pandas.DataFrame
        Tidy: a ``share`` (`shares.variance_shares`) for each layer x number of components x label,
        with a ``sampling_error`` where the face set is a sample (`analysis.sampling`). For each
        layer, ``affect_beside_planes``: the share of the plane of the categories' mean valence and
        arousal, less the mean of arbitrary planes (`planes.arbitrary_planes`), with the mean,
        standard deviation and 95 % range of their shares and p. For each number of components also
        the position (0 is the first recorded layer) of the ``half_maximum`` and of the ``maximum``
        of a share; by how many layers one share follows another (``half_maximum_difference``,
        ``maximum_difference``); and ``order_beside_planes``, what `planes.order_beside_planes`
        finds. If the face set lacks identity or expression, one row whose note names it; if it
        lacks valence or arousal, only shares of identity, of category alone and of the rest.
    """
    no_affect = next(
        (no_label(name) for name in AFFECT if not is_labelled(geometry.labels, name).any()), ""
    )
    needed = _NEEDED if no_affect else (*_NEEDED, *AFFECT)
    used = np.all([is_labelled(geometry.labels, label) for label in needed], axis=0)
    note = _missing(geometry.labels, used)
    if note:
        yield None, [{"n": 0, "note": note}]
        return
    labels = geometry.labels[used]
    sources = {label: geometry.sources[label] for label in needed}
    note = circular_note(sources.values(), geometry.network)
    common = {"label_source": _name_sources(sources), "n": len(labels)}
    people = labels["identity"].nunique()
    weights = people_weights(labels["identity"], resamples)
    weights = np.vstack([np.ones(len(labels)), weights])
    design, (arbitrary, no_planes) = _describe(labels, no_affect), _find_planes(labels, no_affect)
    sample = sampling.read_sample(people_of(geometry.labels), geometry.faces)
    if sample:
        sample = sample._replace(halves=sample.halves[:, used])
    for k in (k for k in components if k != "all"):
        common["components"] = k
        measured = []
        for position, layer in enumerate(progress(geometry.layers, f"shares in {k} components")):
            scores = layer.scores[:][used]
            one = _measure_layer(scores[:, :k], design, arbitrary, weights)
            measured.append(one)
            errors = _sampling_errors(scores, k, labels, no_affect, sample) if sample else {}
            where = {**common, "position": position}
            where["note"] = join_notes(note, "" if scores.any() else NO_GEOMETRY)
            for share, values in one.shares.items():
                row = {**where, "measure": "share", "label": share, **_estimate(values, people)}
                yield layer, [{**row, "sampling_error": errors.get(share)}]
            if np.isfinite(one.planes[:1]).any():
                yield layer, [{**where, **_affect_beside_planes(one, people)}]
        order = _order_beside_planes(measured, no_planes, people)
        for row in [*_milestones(measured, people), order, *_without(no_affect)]:
            yield None, [{**common, **row, "note": join_notes(note, row["note"])}]


def _describe(labels: pd.DataFrame, no_affect: str) -> Design:
    affect = None if no_affect else labels[list(AFFECT)].to_numpy(float)
    return describe_design(labels["identity"], affect, labels["expression"])


def _find_planes(labels: pd.DataFrame, no_affect: str) -> tuple[np.ndarray, str]:
    """Arbitrary planes of the categories (planes, K, 2), or none and why."""
    try:
        if no_affect:
            raise FacestagesError(f"not testable: {no_affect}")
        positions = labels[list(AFFECT)].astype(float).groupby(labels["expression"]).mean()
        return planes.arbitrary_planes(positions.to_numpy()), ""
    except FacestagesError as error:
        return np.empty((0, 1, 2)), str(error)


def _measure_layer(
    scores: np.ndarray, design: Design, arbitrary: np.ndarray, weights: np.ndarray
) -> _LayerShares:
    moments = measure_moments(scores, design, weights)
    shares = split_variance(moments, design)
    if not len(arbitrary):
        return _LayerShares(shares, np.empty(0), np.empty((len(weights) - 1, 0)))
    identity = shares["identity"]
    every, resampled = (
        Moments(*(sums[rows] for sums in moments)) for rows in (slice(1), slice(1, None))
    )
    return _LayerShares(
        shares,
        planes.plane_shares(every, arbitrary, identity[:1])[0],
        planes.plane_shares(resampled, planes.thin_planes(arbitrary), identity[1:]),
    )


def _affect_beside_planes(one: _LayerShares, people: int) -> dict[str, object]:
    excess = one.resampled[:, 0] - one.resampled[:, 1:].mean(axis=1)
    low, high = interval(excess, people)
    row = {"measure": "affect_beside_planes", "label": "affect", "ci_low": low, "ci_high": high}
    return row | planes.beside_planes(one.planes)._asdict()


def _order_beside_planes(
    measured: Sequence[_LayerShares], no_planes: str, people: int
) -> dict[str, object]:
    row = {"measure": "order_beside_planes", "label": "category after affect", "n": None}
    category = np.array([one.shares["category_alone"] for one in measured])[:, :, None]
    try:
        if no_planes:
            raise FacestagesError(no_planes)
        found = planes.order_beside_planes(
            np.array([one.planes for one in measured]), category[:, 0]
        )
    except FacestagesError as error:
        return row | {"note": str(error)}
    later = planes.rise_after(np.array([one.resampled for one in measured]), category[:, 1:])
    low, high = interval(later[:, 0] - later[:, 1:].mean(axis=1), people)
    return row | {"ci_low": low, "ci_high": high, "note": ""} | found._asdict()


def _without(no_affect: str) -> list[dict[str, object]]:
    """Rows that say why valence and arousal have no share."""
    row = {"measure": "share", "label": "affect", "note": no_affect}
    return [row] if no_affect else []


def _sampling_errors(
    scores: np.ndarray, k: int, labels: pd.DataFrame, no_affect: str, sample: sampling.Sample
) -> dict[str, float]:
    """Sampling error of each share, from halves in their own principal components."""

    def measure(points: np.ndarray, labels: pd.DataFrame) -> dict[str, np.ndarray]:
        design = _describe(labels, no_affect)
        return split_variance(measure_moments(points[:, :k], design), design)

    whole = measure(scores, labels)
    halves = [
        measure(sampling.components_of_part(scores[half]), labels[half])
        for half in np.concatenate([sample.halves, ~sample.halves])
    ]
    errors = {}
    for name, (value,) in whole.items():
        first, second = np.reshape([half[name] for half in halves], (2, -1))
        errors[name] = sampling.sampling_error(value, first, second, sample.share)
    return errors


def _name_sources(sources: Mapping[str, str]) -> str:
    """Sources of labels as text, each after all labels that come from it."""
    named: dict[str, list[str]] = {}
    for label, source in sources.items():
        named.setdefault(source, []).append(label)
    return "; ".join(f"{', '.join(labels)}: {source}" for source, labels in named.items())


def _missing(table: pd.DataFrame, used: np.ndarray) -> str:
    """Note on why the variance cannot be partitioned; empty if it can."""
    for label in _NEEDED:
        if not is_labelled(table, label).any():
            return no_label(label)
    table = table[used]
    for label in _NEEDED:
        if table[label].nunique() < 2:
            return f"fewer than two values of '{label}' among the {len(table)} pictures"
    if not table["identity"].duplicated().any():
        return "no person has two pictures, so identity cannot be told from chance"
    return ""


def _estimate(resampled: np.ndarray, people: int) -> dict[str, float]:
    """The first value, and its interval from the others, which are resamples."""
    low, high = interval(resampled[1:], people)
    return {"value": resampled[0], "ci_low": low, "ci_high": high}


def _milestones(measured: Sequence[_LayerShares], people: int) -> list[dict[str, object]]:
    """Positions of half maximum and maximum of each share, and the distances between them."""
    # A space without variance counts as a share of 0.
    curves = {
        share: np.nan_to_num([one.shares[share] for one in measured]).T
        for share in (*SHARES, "category_alone")
        if share in measured[0].shares
    }
    rows = []
    for measure, find in (("half_maximum", half_maximum), ("maximum", _maximum)):
        positions = {share: np.array(list(map(find, curve))) for share, curve in curves.items()}
        for share, values in positions.items():
            row = {"measure": measure, "label": share, "note": ""}
            if np.isnan(values[0]):
                values[:], row["note"] = np.nan, f"never {LEAST_SHARE:.0%} of the variance"
            rows.append({**row, **_estimate(values, people)})
        for first, second in _STEPS:
            if not {first, second} <= positions.keys():
                continue
            # Both positions are of the same resample of people.
            later = positions[second] - positions[first]
            row = {"measure": f"{measure}_difference", "label": f"{second} after {first}"}
            never = f"{first} or {second} is never {LEAST_SHARE:.0%} of the variance"
            row["note"] = never if np.isnan(later[0]) else ""
            rows.append({**row, **_estimate(later, people)})
    return rows


def _maximum(curve: np.ndarray) -> float:
    return float(np.argmax(curve)) if curve.max() >= LEAST_SHARE else np.nan
