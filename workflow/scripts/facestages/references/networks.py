"""Networks beside each other: which of two is nearer to a reference."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy.stats

from facestages.analysis.crossed import Shared, degrees_of_freedom, estimate
from facestages.analysis.distances import gram_distances
from facestages.analysis.grouped_regression import holm
from facestages.analysis.judgements import rank_items
from facestages.analysis.labels import NO_GEOMETRY
from facestages.analysis.layers import Layer, open_layers
from facestages.analysis.triplets import odd_one_out, triplet_items
from facestages.references.beside import (
    Shown,
    add_columns,
    common_columns,
    open_pairs,
    open_shown,
    pair_distances,
)
from facestages.references.choices import open_triplets
from facestages.references.files import Reference, read_reference
from facestages.stimuli import read_labels

#: Columns of the table.
COLUMNS = (
    *("dataset", "rendered", "reference", "simulated", "stage", "network", "other", "measure"),
    *("value", "ci_low", "ci_high", "p", "p_holm", "raters", "people", "n", "note"),
)

_RHO_A = "rho_a_difference"

# What each value becomes where networks change places.
_TURNED = {"value": "value", "ci_low": "ci_high", "ci_high": "ci_low"}


class _Measured(NamedTuple):
    """What each judgement contributes to a measure of a layer, (raters, m), and who is shown."""

    measure: str
    items_of: Callable[[Layer], np.ndarray]
    shared: Shared
    #: What all rows share.
    columns: Mapping[str, object]


class _Instances(NamedTuple):
    """Contributions to the measure of one network at one stage: their mean over seeds."""

    items: np.ndarray
    #: The measure of each seed.
    values: list[float]


def compare_networks(
    reference: str | os.PathLike,
    stimuli: str | os.PathLike,
    labels: str | os.PathLike,
    geometries: Sequence[str | os.PathLike],
    stages: Mapping[str, Mapping[str, str]],
) -> pd.DataFrame:
    """By how much a network is nearer to a reference than another one, at each stage of both.

    ``d = mean(a - b)`` over raters and judgements, for what each judgement contributes to the
    measure of one network, a, and of the other, b; of several seeds, contributions are averaged.
    Raters and people are the same for both, so the interval of d (`analysis.crossed.estimate`) is
    narrower than two intervals suggest. Over several seeds it reaches from the lower end of the
    least difference between two of them to the upper end of the largest, and p is that of the
    difference that is nearest to 0, or 1 if they differ in sign.

    Parameters
    ----------
    reference, stimuli, labels : path-like
        What `prepare_reference` made, and pictures and labels of its face set.
    geometries : sequence of path-like
        HDF5 files of `analysis.geometry.measure_geometry`, of any number of networks and seeds.
    stages : mapping of str to mapping
        Layer of each stage, by network. Rows are in the order of these networks.

    Returns
    -------
    pandas.DataFrame
        Two rows for two networks, one for each order. ``measure`` is ``rho_a_difference`` for
        judgements of pairs, ``accuracy_difference`` for odd ones out; beside other references one
        row says that networks are not compared. ``p`` is two-sided, and ``p_holm`` corrected for
        all pairs of networks at the stage.
    """
    read = read_reference(reference)
    table, _, facts = read_labels(stimuli, labels)
    common = {"dataset": facts["dataset"], "rendered": int(facts.get("rendered", 0))}
    common |= common_columns(read)
    measured = _measure(open_shown(table, read.conditions), read)
    if measured is None:
        rows = [{"measure": _RHO_A, "note": "networks are not compared here"}]
    else:
        names = dict.fromkeys(stage for of_network in stages.values() for stage in of_network)
        rows = [
            add_columns(measured.columns, {"stage": stage, "measure": measured.measure, **row})
            for stage in names
            for row in _differences(
                measured, _instances(measured, geometries, stages, stage, facts)
            )
        ]
        why = "no two networks have a stage in common"
        rows = rows or [{"measure": measured.measure, "note": why}]
    whole = {name: "Int64" for name in ("raters", "people", "n")}
    return pd.DataFrame([add_columns(common, row) for row in rows], columns=COLUMNS).astype(whole)


def _measure(shown: Shown, reference: Reference) -> _Measured | None:
    if reference.kind == "pairs" and not reference.has_time:
        pairs = open_pairs(shown, reference)
        ends = pairs.first, pairs.second
        return _Measured(
            _RHO_A,
            lambda layer: rank_items(pair_distances(layer, shown, *ends), pairs.ranked),
            pairs.ranked.shared,
            pairs.columns,
        )
    if reference.kind == "triplets":
        choices, shared, columns = open_triplets(shown, reference)

        def items_of(layer: Layer) -> np.ndarray:
            distances = gram_distances(layer.gram[:])
            return triplet_items(odd_one_out(distances, choices.pictures), choices)

        counts = {name: columns[name] for name in ("raters", "people", "n", "note")}
        return _Measured("accuracy_difference", items_of, shared, counts)
    return None


def _instances(
    measured: _Measured,
    geometries: Sequence[str | os.PathLike],
    stages: Mapping[str, Mapping[str, str]],
    stage: str,
    facts: Mapping[str, object],
) -> dict[str, _Instances | None]:
    """Networks that have a stage; None of one of which a seed has no geometry there."""
    found: dict[str, list] = {name: [] for name, own in stages.items() if stage in own}
    for path in geometries:
        with open_layers(path, facts["stimuli_digest"]) as layers:
            for layer in layers:
                if stages[layer.network].get(stage) == layer.name:
                    is_known = layer.total_variance > 0
                    found[layer.network].append(measured.items_of(layer) if is_known else None)
    return {
        name: None
        if any(one is None for one in items)
        else _Instances(
            np.mean(items, axis=0), [float(np.nanmean(one, axis=1).mean()) for one in items]
        )
        for name, items in found.items()
        if items
    }


def _differences(
    measured: _Measured, networks: Mapping[str, _Instances | None]
) -> Iterator[dict[str, object]]:
    """Rows of all two networks at a stage, in both orders."""
    pairs = list(combinations(networks, 2))
    found = [_subtract(measured, networks[one], networks[other]) for one, other in pairs]
    corrected = holm([difference.get("p", np.nan) for difference in found])
    for pair, difference, p in zip(pairs, found, corrected, strict=True):
        difference["p_holm"] = p
        turned = difference | {
            name: 0.0 - difference[other] for name, other in _TURNED.items() if other in difference
        }
        for names, row in ((pair, difference), (pair[::-1], turned)):
            yield {**dict(zip(("network", "other"), names, strict=True)), **row}


def _subtract(
    measured: _Measured, one: _Instances | None, other: _Instances | None
) -> dict[str, object]:
    if one is None or other is None:
        return {"note": NO_GEOMETRY}
    apart = one.items - other.items
    found = estimate(apart.__getitem__, len(apart), measured.shared)
    value = float(found.value)
    least = min(one.values) - max(other.values)
    most = max(one.values) - min(other.values)
    nearest = max(least, -most, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        t = np.divide(nearest, found.error)
    p = 2 * scipy.stats.t.sf(t, degrees_of_freedom(len(apart), measured.shared))
    return {
        "value": value,
        "ci_low": float(found.low) + least - value,
        "ci_high": float(found.high) + most - value,
        "p": 1.0 if nearest == 0 and np.isfinite(found.error) else float(p),
    }
