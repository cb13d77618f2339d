"""Networks beside each other: which of two is nearer to a reference."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from facestages.analysis.crossed import Estimate, Shared, estimate, share_people
from facestages.analysis.distances import gram_distances
from facestages.analysis.judgements import rank_items
from facestages.analysis.labels import join_notes
from facestages.analysis.layers import Layer, open_layers
from facestages.analysis.triplets import odd_one_out, triplet_items
from facestages.references.beside import (
    Shown,
    common_columns,
    estimate_columns,
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
    *("value", "ci_low", "ci_high", "p", "raters", "people", "n", "note"),
)


class _Measured(NamedTuple):
    """What each judgement contributes to a measure of a layer, (raters, m), and who is shown."""

    measure: str
    items_of: Callable[[Layer], np.ndarray]
    shared: Shared
    columns: Mapping[str, object]


def compare_networks(
    reference: str | os.PathLike,
    stimuli: str | os.PathLike,
    labels: str | os.PathLike,
    geometries: Sequence[str | os.PathLike],
    stages: Mapping[str, Mapping[str, str]],
) -> pd.DataFrame:
    """By how much a network is nearer to a reference than another one, at each stage of both.

    ``d = mean(a - b)`` over raters and judgements, for what each judgement contributes to the
    measure of one network, a, and of the other, b. Raters and people are the same for both, so the
    interval of d (`analysis.crossed.estimate`) is narrower than two intervals suggest. Of several
    seeds, contributions are averaged.

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
        row says that networks are not compared. ``p`` is two-sided, of one comparison.
    """
    read = read_reference(reference)
    table, _, facts = read_labels(stimuli, labels)
    common = {"dataset": facts["dataset"], "rendered": int(facts.get("rendered", 0))}
    common |= common_columns(read)
    measured = _measure(open_shown(table, read.conditions), read)
    rows: list[dict] = [{"note": join_notes(common["note"], "networks are not compared here")}]
    if measured:
        names = list(dict.fromkeys(stage for of_network in stages.values() for stage in of_network))
        rows = [
            {"stage": stage, **row}
            for stage in names
            for row in _differences(measured, _items(measured, geometries, stages, stage, facts))
        ]
    whole = {name: "Int64" for name in ("raters", "people", "n")}
    return pd.DataFrame([{**common, **row} for row in rows], columns=COLUMNS).astype(whole)


def _measure(shown: Shown, reference: Reference) -> _Measured | None:
    if reference.kind == "pairs" and not reference.has_time:
        pairs = open_pairs(shown, reference)
        ends = pairs.first, pairs.second
        return _Measured(
            "rho_a_difference",
            lambda layer: rank_items(pair_distances(layer, shown, *ends), pairs.ranked),
            pairs.ranked.shared,
            pairs.columns,
        )
    if reference.kind == "triplets":
        choices, columns = open_triplets(shown, reference)

        def items_of(layer: Layer) -> np.ndarray:
            return triplet_items(
                odd_one_out(gram_distances(layer.gram[:]), choices.pictures), choices
            )

        counts = {name: columns[name] for name in ("raters", "people", "n")}
        shared = share_people(*shown.people[choices.pictures].T)
        return _Measured("accuracy_difference", items_of, shared, counts)
    return None


def _items(
    measured: _Measured,
    geometries: Sequence[str | os.PathLike],
    stages: Mapping[str, Mapping[str, str]],
    stage: str,
    facts: Mapping[str, object],
) -> dict[str, np.ndarray]:
    """Contributions to the measure of one stage, by network; means over seeds."""
    sums: dict[str, list] = {network: [0, 0.0] for network in stages}
    for path in geometries:
        with open_layers(path, facts["stimuli_digest"]) as layers:
            for layer in layers:
                is_stage = stages[layer.network].get(stage) == layer.name
                if is_stage and layer.total_variance > 0:
                    number, total = sums[layer.network]
                    sums[layer.network] = [number + 1, total + measured.items_of(layer)]
    return {network: total / number for network, (number, total) in sums.items() if number}


def _differences(measured: _Measured, items: Mapping[str, np.ndarray]) -> Iterator[dict]:
    for one, other in combinations(items, 2):
        apart = items[one] - items[other]
        found = estimate(apart.__getitem__, len(apart), measured.shared)
        found = found._replace(p=2 * np.minimum(found.p, 1 - found.p))
        turned = Estimate(-found.value, found.error, -found.high, -found.low, found.p)
        for pair, difference in (((one, other), found), ((other, one), turned)):
            names = dict(zip(("network", "other"), pair, strict=True))
            yield {
                **measured.columns,
                **names,
                "measure": measured.measure,
                **estimate_columns(difference),
            }
