"""How much of a layer's space is identity, valence-arousal and expression category.

A multivariate analysis of variance on the principal components: people first, then valence and
arousal, then category, each for what the ones before leave over. Where everybody shows every
expression, people and expressions are kept apart; valence-arousal and category overlap in any set,
so category counts for what it adds to valence-arousal, and also the other way round.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from facestages import store
from facestages.analysis import sampling
from facestages.analysis.resampling import interval, people_weights
from facestages.analysis.separability import CIRCULAR, NO_GEOMETRY, is_labelled
from facestages.progress import progress
from facestages.stimuli import read_labels

#: What each share is, in the order of the stages that the paper claims.
SHARES = {
    "identity": "identity",
    "affect": "valence and arousal, beyond identity",
    "category": "category, beyond identity, valence and arousal",
}

# What is measured beside them: what overlaps, seen from the other side.
_OTHERS = ("category_alone", "affect_beyond_category", "rest")

#: Below this maximum a share says next to nothing, and where it rises is not asked.
LEAST_SHARE = 0.02

_LEAST = 1e-9


def variance_shares(
    scores: np.ndarray,
    people: Sequence,
    affect: np.ndarray,
    categories: Sequence,
    weights: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Shares of the variance of a space, adjusted for the number of groups.

    Each share is a difference of adjusted R2 (Ezekiel 1930; over all dimensions together, as in
    redundancy analysis, Peres-Neto et al. 2006), so that what has nothing to say gets 0 on average,
    and may fall below.

    Parameters
    ----------
    scores : numpy.ndarray, shape (n, k)
        Points, e.g. in principal components.
    people, categories : sequence, shape (n,)
    affect : numpy.ndarray, shape (n, 2)
        Valence and arousal; they count linearly.
    weights : numpy.ndarray, shape (resamples, n), optional
        How often each picture counts, from `analysis.resampling.people_weights`; once each if
        not given. A picture drawn twice brings no second sample of its noise, and the adjustment
        takes account of that.

    Returns
    -------
    dict of str to numpy.ndarray, shape (resamples,) or (1,)
        ``identity``, ``affect``, ``category`` as in `SHARES`; ``category_alone``: category beyond
        identity alone; ``affect_beyond_category``; ``rest``: what none of them explains. NaN where
        there is no variance, or no picture beyond those that the fit takes up.
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
        # The noise that the fit takes up: a part for each person, and for each dimension fitted.
        free = total - drawn - basis.shape[1] * repeats
        if variance == 0 or free < _LEAST:
            return np.nan
        return 1 - left / variance * (total - 1) / free

    identity, with_affect, with_category = adjusted(), adjusted(affect), adjusted(category)
    # Twice the same space; the order of the blocks only decides about rounding.
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
    """Orthonormal basis (n, rank) of what some blocks of columns span together."""
    if not blocks:
        return np.empty((n, 0))
    left, values, _ = np.linalg.svd(np.hstack(blocks), full_matrices=False)
    return left[:, values > values[0] * 1e-8] if values[0] > _LEAST else left[:, :0]


def half_maximum(curve: np.ndarray) -> float:
    """Where a share of variance first reaches half of its maximum.

    Parameters
    ----------
    curve : numpy.ndarray, shape (layers,)

    Returns
    -------
    float
        Position from 0 (the first layer), between two layers by linear interpolation; NaN if the
        share is nowhere as much as `LEAST_SHARE`.
    """
    half = np.max(curve) / 2
    if not half >= LEAST_SHARE / 2:
        return np.nan
    first = int(np.argmax(curve >= half))
    if first == 0:
        return 0.0
    below, above = curve[first - 1], curve[first]
    return first - 1 + (half - below) / (above - below)


def partition_variance(
    geometry: str | os.PathLike,
    stimuli: str | os.PathLike,
    stages: Mapping[str, str],
    components: Sequence[int | str],
    resamples: int = 1000,
    predictions: str | os.PathLike | None = None,
) -> pd.DataFrame:
    """Shares of variance in every recorded layer, and where each share reaches half its maximum.

    Parameters
    ----------
    geometry : path-like
        HDF5 file of `analysis.geometry.measure_geometry`.
    stimuli : path-like
        The face set.
    stages : mapping of str to str
        Layer of each stage; other layers have none.
    components : sequence of int or "all"
        Numbers of principal components; ``all`` is not partitioned.
    resamples : int
        Bootstrap over people, for the intervals (95 %).
    predictions : path-like, optional
        Predictions taken as the label ``expression``; see `stimuli.read_labels`.

    Returns
    -------
    pandas.DataFrame
        Tidy: a ``share`` for each layer x number of components x label, and for each number of
        components the position (0 is the first recorded layer) of the ``half_maximum`` and of the
        ``maximum`` of identity, affect and category, and by how many layers the second follows the
        first and the third the second (``half_maximum_difference``, ``maximum_difference``). If the
        face set lacks a label, one row whose note says so. A share has a ``sampling_error`` where
        the face set is a sample; see `analysis.sampling.sampling_error`.
    """
    table, sources, known = read_labels(stimuli, predictions)
    rows = []
    with store.open_read(geometry, "geometry", stimuli_digest=known["stimuli_digest"]) as file:
        common = {name: file.attrs[name] for name in ("dataset", "network", "seed")}
        common["rendered"] = int(known.get("rendered", 0))
        note = _missing(table)
        if note:
            return pd.DataFrame([{**common, "n": 0, "note": note}], columns=_COLUMNS)
        used = np.all([is_labelled(table, label) for label in _NEEDED], axis=0)
        labels = table[used]
        if sources["expression"] == f"network:{common['network']}":
            note = CIRCULAR
        common |= {"label_source": _name_sources(sources), "n": int(used.sum()), "note": note}
        people = labels["identity"].nunique()
        weights = people_weights(labels["identity"], resamples)
        weights = np.vstack([np.ones(len(labels)), weights])
        sample = sampling.read_sample(table, known)
        if sample:
            sample = sample._replace(halves=sample.halves[:, used])
        for k in (k for k in components if k != "all"):
            curves: dict[str, list[np.ndarray]] = {}
            for position, layer in enumerate(progress(list(file), f"shares in {k} components")):
                scores = file[layer]["score"][:][used]
                shares = variance_shares(scores[:, :k], *_explaining(labels), weights)
                errors = _sampling_errors(shares, scores, k, labels, sample) if sample else {}
                served = [stage for stage, own in stages.items() if own == layer] or [""]
                said = [note, "" if scores.any() else NO_GEOMETRY]
                for share in (*SHARES, *_OTHERS):
                    # Where there is no variance, nothing can be read.
                    curves.setdefault(share, []).append(np.nan_to_num(shares[share]))
                    row = {**common, "layer": layer, "position": position, "components": k}
                    row |= {"measure": "share", "label": share, **_value(shares[share], people)}
                    row["sampling_error"] = errors.get(share)
                    row["note"] = "; ".join(filter(None, said))
                    rows += [{**row, "stage": stage} for stage in served]
            for row in _milestones(curves, people):
                notes = filter(None, [note, row.get("note", "")])
                rows.append({**common, "components": k, **row, "note": "; ".join(notes)})
    return pd.DataFrame(rows, columns=_COLUMNS).astype({"n": "Int64", "position": "Int64"})


_NEEDED = ("identity", "valence", "arousal", "expression")

_COLUMNS = [
    *("dataset", "rendered", "network", "seed", "stage", "layer", "position", "label"),
    *("label_source", "measure", "components", "value", "ci_low", "ci_high", "sampling_error"),
    *("n", "note"),
]


def _explaining(labels: pd.DataFrame) -> tuple[pd.Series, np.ndarray, pd.Series]:
    """People, affect and categories, as `variance_shares` takes them."""
    affect = labels[["valence", "arousal"]].to_numpy(float)
    return labels["identity"], affect, labels["expression"]


def _sampling_errors(
    shares: Mapping[str, np.ndarray],
    scores: np.ndarray,
    k: int,
    labels: pd.DataFrame,
    sample: sampling.Sample,
) -> dict[str, float]:
    """Error that the sampling puts into each share; halves have components of their own."""
    found = []
    for half in np.concatenate([sample.halves, ~sample.halves]):
        own = sampling.own_components(scores[half])[:, :k]
        found.append(variance_shares(own, *_explaining(labels[half])))
    errors = {}
    for name, values in shares.items():
        halves = np.reshape([own[name] for own in found], (2, -1))
        errors[name] = sampling.sampling_error(values[0], *halves, sample.share)
    return errors


def _name_sources(sources: Mapping[str, str]) -> str:
    """Where the labels come from, those of one source together."""
    named: dict[str, list[str]] = {}
    for label in _NEEDED:
        named.setdefault(sources[label], []).append(label)
    return "; ".join(f"{', '.join(labels)}: {source}" for source, labels in named.items())


def _missing(table: pd.DataFrame) -> str:
    """Why the variance cannot be partitioned, or nothing."""
    lacking = [label for label in _NEEDED if not is_labelled(table, label).any()]
    if lacking:
        return f"the face set has no label '{lacking[0]}'"
    used = np.all([is_labelled(table, label) for label in _NEEDED], axis=0)
    for label in ("identity", "expression"):
        if table.loc[used, label].nunique() < 2:
            return f"fewer than two values of '{label}' among the {int(used.sum())} pictures"
    if not table.loc[used, "identity"].duplicated().any():
        return "no person has two pictures, so identity cannot be told from chance"
    return ""


def _value(resampled: np.ndarray, people: int) -> dict[str, float]:
    """The first is the estimate, the others are the resamples of its interval."""
    low, high = interval(resampled[1:], people)
    return {"value": resampled[0], "ci_low": low, "ci_high": high}


def _milestones(curves: Mapping[str, Sequence[np.ndarray]], people: int) -> list[dict[str, object]]:
    """Where each share reaches half of its maximum, and its maximum; how sure their order is."""
    rows = []
    for measure, find in (("half_maximum", half_maximum), ("maximum", _maximum)):
        found = {
            share: np.array([find(curve) for curve in np.stack(curves[share], axis=1)])
            for share in SHARES
        }
        for share, positions in found.items():
            note = f"never {LEAST_SHARE:.0%} of the variance" if np.isnan(positions[0]) else ""
            if note:
                positions[:] = np.nan
            rows.append(
                {"measure": measure, "label": share, **_value(positions, people), "note": note}
            )
        for first, second in (("identity", "affect"), ("affect", "category")):
            # The distance from the one to the other, people drawn anew for both together.
            later = found[second] - found[first]
            row = {"measure": f"{measure}_difference", "label": f"{second} after {first}"}
            if np.isnan(later[0]):
                row["note"] = f"{first} or {second} is never {LEAST_SHARE:.0%} of the variance"
            rows.append({**row, **_value(later, people)})
    return rows


def _maximum(curve: np.ndarray) -> float:
    return float(np.argmax(curve)) if curve.max() >= LEAST_SHARE else np.nan
