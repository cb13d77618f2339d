"""Layers beside answers: odd ones out, and names of expressions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from facestages import tables
from facestages.analysis.confusions import correlate_confusions
from facestages.analysis.crossed import Shared
from facestages.analysis.distances import gram_distances
from facestages.analysis.labels import NO_GEOMETRY, is_labelled, no_label
from facestages.analysis.layers import Geometry, Layer, Rows
from facestages.analysis.triplets import (
    CHANCE,
    Choices,
    agreement,
    gather_choices,
    odd_one_out,
    share_triplets,
    triplet_accuracy,
)
from facestages.references.beside import (
    Shown,
    add_columns,
    count_columns,
    estimate_columns,
    require_pairs,
)
from facestages.references.files import Reference


def open_triplets(shown: Shown, reference: Reference) -> tuple[Choices, Shared, dict[str, object]]:
    """Odd ones out of measured pictures, who is shown, and columns that all their rows share."""
    triplets = shown.find(np.ravel(reference.triplet)).reshape(-1, 3)
    used = (triplets >= 0).all(axis=1)
    require_pairs(int(used.sum()), f"reference {reference.name}")
    choices = gather_choices(triplets[used], np.array(reference.trial_rater)[used])
    low, high = (end - CHANCE for end in agreement(choices))
    shared = share_triplets(choices, shown.people)
    columns = count_columns(shown, len(choices.counts), shared, *triplets[used].T)
    return choices, shared, {**columns, "ceiling_low": low, "ceiling_high": high}


def compare_triplets(
    geometry: Geometry, shown: Shown, reference: Reference, answers: object
) -> Iterator[tuple[Layer | None, Rows]]:
    """Rows of `compare.compare_reference` for odd ones out."""
    choices, shared, columns = open_triplets(shown, reference)
    common = {"measure": "accuracy", **columns}
    for layer in geometry.layers:
        if not layer.total_variance > 0:
            yield layer, [add_columns(common, {"note": NO_GEOMETRY})]
            continue
        odd = odd_one_out(gram_distances(layer.gram[:]), choices.pictures)
        yield layer, [{**common, **estimate_columns(triplet_accuracy(odd, choices, shared))}]


def compare_confusions(
    geometry: Geometry, shown: Shown, reference: Reference, answers: object
) -> Iterator[tuple[Layer | None, Rows]]:
    """Rows of `compare.compare_reference` for names of expressions, about the whole network."""
    row: dict[str, object] = {"measure": "r_off_diagonal", "label": "expression", "n": 0}
    row |= {"raters": len(reference.raters) or None}
    if not answers:
        yield None, [{**row, "note": "the network names no expressions"}]
        return
    if not is_labelled(shown.table, "expression").any():
        yield None, [{**row, "note": no_label("expression")}]
        return
    named = tables.read_tables([answers]).set_index("stimulus_id")["expression"]
    named = named.reindex(shown.table["stimulus_id"]).to_numpy()
    both = [name for name in reference.expressions if name in reference.answers]
    truth = shown.table["expression"]
    both = [name for name in both if name in set(named) and name in set(truth)]
    code = {name: number for number, name in enumerate(both)}
    used = truth.isin(both).to_numpy() & np.isin(named.astype(str), both)
    if len(both) < 3 or used.sum() < 3:
        yield None, [{**row, "note": "fewer than three expressions are known to both"}]
        return
    places = [
        [of.index(name) for name in both] for of in (reference.expressions, reference.answers)
    ]
    found = correlate_confusions(
        truth[used].map(code).to_numpy(),
        np.array([code[name] for name in named[used]]),
        shown.people[used],
        reference.count[np.ix_(*places)],
    )
    row |= {"n": int(used.sum()), "people": len(np.unique(shown.people[used]))}
    row |= {"value": found.value, "ci_low": found.low, "ci_high": found.high}
    yield None, [{**row, "note": "the interval is over the people on the pictures alone"}]
