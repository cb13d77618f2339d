"""Variance partitioning: shares of a layer's space for identity, valence-arousal and category.

A multivariate analysis of variance on the principal components takes identities first, then valence
and arousal, then category. Each share is what a step adds to the steps before it. Identities and
expressions do not overlap where each person shows every expression. Valence-arousal and category
overlap in any face set, so the reverse order of these two is measured too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from facestages.analysis import sampling
from facestages.analysis.labels import NO_GEOMETRY, circular_note, is_labelled, join_notes, no_label
from facestages.analysis.layers import Geometry, Layer, Rows, tabulate
from facestages.analysis.resampling import interval, people_weights
from facestages.progress import progress
from facestages.stimuli.sample import people_of

#: Shares and their names, in the order of the stages that the paper claims.
SHARES = {
    "identity": "identity",
    "affect": "valence and arousal, beyond identity",
    "category": "category, beyond identity, valence and arousal",
}

# Further shares: those of the reverse order, and the rest.
_OTHERS = ("category_alone", "affect_beyond_category", "rest")

_NEEDED = ("identity", "valence", "arousal", "expression")

#: A share that stays below this has no positions of half maximum and maximum.
LEAST_SHARE = 0.02

_LEAST = 1e-9


def variance_shares(
    scores: np.ndarray,
    people: Sequence,
    affect: np.ndarray,
    categories: Sequence,
    weights: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Shares of the variance of a space for identity, valence-arousal, and category.

    ``R2 = 1 - (S_left / S_total) (n - 1) / (n - p)`` is the adjusted R2 of a fit of p parameters to
    n points, over all dimensions together (Ezekiel 1930; as in redundancy analysis, Peres-Neto et
    al. 2006, doi:10.1890/0012-9658(2006)87[2614:VPOSDM]2.0.CO;2). A share is the difference of two
    of them: ``identity = R2(I)``, ``affect = R2(I, A) - R2(I)`` and
    ``category = R2(I, A, C) - R2(I, A)``. A label without any relation gets 0 on average, and may
    fall below.

    Parameters
    ----------
    scores : numpy.ndarray, shape (n, k)
        Points, e.g. in principal components.
    people, categories : sequence, shape (n,)
        Identity and expression of each picture.
    affect : numpy.ndarray, shape (n, 2)
        Valence and arousal; they count linearly.
    weights : numpy.ndarray, shape (resamples, n), optional
        How often each picture counts, from `analysis.resampling.people_weights`; once each if not
        given. A picture drawn twice has the same noise twice, which p takes into account.

    Returns
    -------
    dict of str to numpy.ndarray, shape (resamples,) or (1,)
        ``identity``, ``affect``, ``category`` as in `SHARES`; ``category_alone``: category beyond
        identity alone; ``affect_beyond_category``; ``rest``: what none of them explains. NaN where
        there is no variance, or n is not above p.
    """
    _, person = np.unique(np.asarray(people).astype(str), return_inverse=True)
    if weights is None:
        weights = np.ones((1, len(scores)))
    if scores.shape[1] == 0:
        return {name: np.full(len(weights), np.nan) for name in (*SHARES, *_OTHERS)}
    names, category = np.unique(np.asarray(categories).astype(str), return_inverse=True)
    dummies = np.eye(len(names))[category]
    affect = (affect - affect.mean(axis=0)) / np.maximum(affect.std(axis=0), _LEAST)
    rows = [_shares(scores, person, affect, dummies, row) for row in weights]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _shares(
    scores: np.ndarray,
    person: np.ndarray,
    affect: np.ndarray,
    dummies: np.ndarray,
    weights: np.ndarray,
) -> dict[str, float]:
    total = weights.sum()
    centred = scores - weights @ scores / total
    variance = weights @ (centred**2).sum(axis=1)
    root = np.sqrt(weights)[:, None]
    points, affect, category = (
        root * _centre_within(values, person, weights) for values in (scores, affect, dummies)
    )
    drawn = (np.bincount(person, weights) / np.bincount(person)).sum()
    repeats = (weights**2).sum() / total

    def adjusted(*blocks: np.ndarray) -> float:
        basis = _basis(blocks, len(points))
        left = (points**2).sum() - ((basis.T @ points) ** 2).sum()
        # The mean of each person and each fitted dimension take up noise.
        free = total - drawn - basis.shape[1] * repeats
        if variance == 0 or free < _LEAST:
            return np.nan
        return 1 - left / variance * (total - 1) / free

    identity, with_affect, with_category = adjusted(), adjusted(affect), adjusted(category)
    everything = adjusted(affect, category)
    return {
        "identity": identity,
        "affect": with_affect - identity,
        "category": everything - with_affect,
        "category_alone": with_category - identity,
        "affect_beyond_category": everything - with_category,
        "rest": 1 - everything,
    }


def _centre_within(values: np.ndarray, person: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Values minus the mean of their person."""
    totals = np.bincount(person, weights)
    sums = np.stack([np.bincount(person, weights * column) for column in values.T], axis=1)
    return values - (sums / np.maximum(totals, _LEAST)[:, None])[person]


def _basis(blocks: Sequence[np.ndarray], n: int) -> np.ndarray:
    """Orthonormal basis (n, rank) of the space that blocks of columns (n, m) span together."""
    if not blocks:
        return np.empty((n, 0))
    left, values, _ = np.linalg.svd(np.hstack(blocks), full_matrices=False)
    return left[:, values > values[0] * 1e-8] if values[0] > _LEAST else left[:, :0]


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
    *("sampling_error", "n", "note"),
)
def partition_variance(
    geometry: Geometry, components: Sequence[int | str], resamples: int = 1000
) -> Iterator[tuple[Layer | None, Rows]]:
    """Shares of variance in every recorded layer, and the positions of their maxima.

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
        Tidy: a ``share`` (`variance_shares`) for each layer x number of components x label, with a
        ``sampling_error`` where the face set is a sample (`analysis.sampling`). For each number of
        components also the position (0 is the first recorded layer) of the ``half_maximum`` and of
        the ``maximum`` of identity, affect and category, and by how many layers affect follows
        identity, and category affect (``half_maximum_difference``, ``maximum_difference``). If the
        face set lacks a label, one row whose note names it.
    """
    note = _missing(geometry.labels)
    if note:
        yield None, [{"n": 0, "note": note}]
        return
    used = _are_used(geometry.labels)
    labels = geometry.labels[used]
    sources = {label: geometry.sources[label] for label in _NEEDED}
    note = circular_note(sources.values(), geometry.network)
    common = {"label_source": _name_sources(sources), "n": len(labels)}
    people = labels["identity"].nunique()
    weights = people_weights(labels["identity"], resamples)
    weights = np.vstack([np.ones(len(labels)), weights])
    sample = sampling.read_sample(people_of(geometry.labels), geometry.faces)
    if sample:
        sample = sample._replace(halves=sample.halves[:, used])
    for k in (k for k in components if k != "all"):
        common["components"] = k
        curves: dict[str, list[np.ndarray]] = {share: [] for share in (*SHARES, *_OTHERS)}
        for position, layer in enumerate(progress(geometry.layers, f"shares in {k} components")):
            scores = layer.scores[:][used]
            shares = variance_shares(scores[:, :k], *_explaining(labels), weights)
            errors = _sampling_errors(shares, scores, k, labels, sample) if sample else {}
            where = {**common, "position": position, "measure": "share"}
            where["note"] = join_notes(note, "" if scores.any() else NO_GEOMETRY)
            for share, curve in curves.items():
                # A space without variance counts as a share of 0.
                curve.append(np.nan_to_num(shares[share]))
                row = {**where, "label": share, **_estimate(shares[share], people)}
                yield layer, [{**row, "sampling_error": errors.get(share)}]
        for row in _milestones(curves, people):
            yield None, [{**common, **row, "note": join_notes(note, row["note"])}]


def _explaining(labels: pd.DataFrame) -> tuple[pd.Series, np.ndarray, pd.Series]:
    """Identities, affect and categories, as `variance_shares` takes them."""
    affect = labels[["valence", "arousal"]].to_numpy(float)
    return labels["identity"], affect, labels["expression"]


def _sampling_errors(
    shares: Mapping[str, np.ndarray],
    scores: np.ndarray,
    k: int,
    labels: pd.DataFrame,
    sample: sampling.Sample,
) -> dict[str, float]:
    """Sampling error of each share, from halves in their own principal components."""
    halves = []
    for half in np.concatenate([sample.halves, ~sample.halves]):
        points = sampling.components_of_part(scores[half])[:, :k]
        halves.append(variance_shares(points, *_explaining(labels[half])))
    errors = {}
    for name, values in shares.items():
        first, second = np.reshape([half[name] for half in halves], (2, -1))
        errors[name] = sampling.sampling_error(values[0], first, second, sample.share)
    return errors


def _name_sources(sources: Mapping[str, str]) -> str:
    """Sources of labels as text, each after all labels that come from it."""
    named: dict[str, list[str]] = {}
    for label, source in sources.items():
        named.setdefault(source, []).append(label)
    return "; ".join(f"{', '.join(labels)}: {source}" for source, labels in named.items())


def _are_used(table: pd.DataFrame) -> np.ndarray:
    return np.all([is_labelled(table, label) for label in _NEEDED], axis=0)


def _missing(table: pd.DataFrame) -> str:
    """Note on why the variance cannot be partitioned; empty if it can."""
    for label in _NEEDED:
        if not is_labelled(table, label).any():
            return no_label(label)
    used = table[_are_used(table)]
    for label in ("identity", "expression"):
        if used[label].nunique() < 2:
            return f"fewer than two values of '{label}' among the {len(used)} pictures"
    if not used["identity"].duplicated().any():
        return "no person has two pictures, so identity cannot be told from chance"
    return ""


def _estimate(resampled: np.ndarray, people: int) -> dict[str, float]:
    """The first value, and its interval from the others, which are resamples."""
    low, high = interval(resampled[1:], people)
    return {"value": resampled[0], "ci_low": low, "ci_high": high}


def _milestones(curves: Mapping[str, Sequence[np.ndarray]], people: int) -> list[dict[str, object]]:
    """Positions of half maximum and maximum of each share, and the distances between them."""
    rows = []
    for measure, find in (("half_maximum", half_maximum), ("maximum", _maximum)):
        positions = {
            share: np.array([find(curve) for curve in np.stack(curves[share], axis=1)])
            for share in SHARES
        }
        for share, values in positions.items():
            row = {"measure": measure, "label": share, "note": ""}
            if np.isnan(values[0]):
                values[:], row["note"] = np.nan, f"never {LEAST_SHARE:.0%} of the variance"
            rows.append({**row, **_estimate(values, people)})
        for first, second in (("identity", "affect"), ("affect", "category")):
            # Both positions are of the same resample of people.
            later = positions[second] - positions[first]
            row = {"measure": f"{measure}_difference", "label": f"{second} after {first}"}
            never = f"{first} or {second} is never {LEAST_SHARE:.0%} of the variance"
            row["note"] = never if np.isnan(later[0]) else ""
            rows.append({**row, **_estimate(later, people)})
    return rows


def _maximum(curve: np.ndarray) -> float:
    return float(np.argmax(curve)) if curve.max() >= LEAST_SHARE else np.nan
