"""A reference by itself: how raters agree, and what their judgements are made of."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from facestages.analysis.crossed import estimate
from facestages.analysis.judgements import (
    noise_ceiling,
    rank_items,
    true_ceiling,
)
from facestages.analysis.labels import join_notes
from facestages.analysis.rdms import MODELS
from facestages.analysis.timing import model_weights, peak_times, time_courses
from facestages.analysis.triplets import (
    odd_one_out,
    triplet_accuracy,
)
from facestages.references.beside import (
    PARTS,
    Shown,
    add_columns,
    common_columns,
    count_columns,
    estimate_columns,
    missing_models,
    model_distances,
    open_pairs,
    open_shown,
)
from facestages.references.beside_ratings import scale_ceilings
from facestages.references.beside_times import course_rows, recorded_ranks
from facestages.references.choices import open_triplets
from facestages.references.compare import COLUMNS, mixture_rows
from facestages.references.files import Reference, read_reference
from facestages.stimuli import read_labels


def describe_reference(
    reference: str | os.PathLike, stimuli: str | os.PathLike, labels: str | os.PathLike
) -> pd.DataFrame:
    """A table of the raters (or subjects) of a reference.

    Parameters
    ----------
    reference : path-like
        What `prepare_reference` made.
    stimuli, labels : path-like
        Pictures and labels of its face set.

    Returns
    -------
    pandas.DataFrame
        Columns of `compare.compare_reference` without those of a network. By kind, the measures are

        - pairs: ``rho_a`` of each model (``label``: identity, affect, category) with raters, and
          ``weight`` and ``unique`` of what their judgements are mixed of; the ``ceiling`` of
          infinitely many raters (`analysis.judgements.true_ceiling`);
        - pairs in time: the ``coefficient`` of each model at each ``time``
          (`analysis.timing.model_weights`), its ``peak`` in ms, and ``peak_difference`` between
          models;
        - ratings: ``agreement`` of raters by scale, with both ceilings;
        - triplets: ``agreement``, and ``accuracy`` of the models;
        - confusions: ``recall`` of each expression.
    """
    read = read_reference(reference)
    table, sources, facts = read_labels(stimuli, labels)
    common = {"dataset": facts["dataset"], "rendered": int(facts.get("rendered", 0))}
    common |= common_columns(read)
    rows = [
        {**add_columns(common, row), "label_source": _source_of(row, sources)}
        for row in _rows(read, open_shown(table, read.conditions))
    ]
    columns = ["dataset", "rendered", "label_source", *COLUMNS]
    whole = {name: "Int64" for name in ("raters", "people", "n")}
    return pd.DataFrame(rows, columns=columns).astype(whole)


def _source_of(row: Mapping[str, object], sources: Mapping[str, str]) -> str:
    """Where the labels of the model come from that a row is about; "" of rows about none."""
    label = row.get("label")
    # A scale of ratings may be called like a model.
    if label not in PARTS or row["measure"] == "agreement":
        return ""
    return join_notes(*dict.fromkeys(sources.get(name, "") for name in MODELS[PARTS[label]]))


def _rows(reference: Reference, shown: Shown) -> Iterator[dict[str, object]]:
    if reference.has_time:
        yield from _times(reference, shown)
    else:
        of_kind = {"pairs": _pairs, "ratings": _ratings, "triplets": _triplets}
        yield from of_kind.get(reference.kind, _confusions)(reference, shown)


def _pairs(reference: Reference, shown: Shown) -> Iterator[dict[str, object]]:
    pairs = open_pairs(shown, reference)
    first, second, judged, ranked, _ = pairs
    ends = dict(zip(("ceiling_low", "ceiling_high"), noise_ceiling(ranked), strict=True))
    models, common = model_distances(shown, first, second), pairs.columns
    for name, distances in models.items():
        items = rank_items(distances, ranked)
        found = estimate(items.__getitem__, len(items), ranked.shared)
        yield {**common, "measure": "rho_a", "label": name, **estimate_columns(found), **ends}
    limit = true_ceiling(ranked)
    why = "" if np.isfinite(limit) else "fewer than four raters, or raters who do not agree"
    yield add_columns(common, {"measure": "ceiling", "value": limit, **ends, "note": why})
    for row in (*missing_models(models), *mixture_rows(judged, models, ranked.shared)):
        yield add_columns(common, row)


def _times(reference: Reference, shown: Shown) -> Iterator[dict[str, object]]:
    first, second, ranks, shared = recorded_ranks(shown, reference)
    models = model_distances(shown, first, second)
    common = count_columns(shown, len(ranks), shared, first, second)
    for row in missing_models(models):
        yield add_columns(common, row)
    if not models:
        return
    times = np.array(reference.times)
    weights = model_weights(np.stack(list(models.values())))
    courses = time_courses(ranks.__getitem__, len(ranks), weights, shared)
    for place, name in enumerate(models):
        for row in course_rows("coefficient", courses, place, times, shared, len(ranks)):
            yield add_columns(common, {"label": name, **row})
    peaks, resampled = peak_times(courses, times)
    names = list(models)
    for before, after in zip(range(len(names) - 1), range(1, len(names)), strict=True):
        later = resampled[:, after] - resampled[:, before]
        row = {
            **common,
            "measure": "peak_difference",
            "label": f"{names[after]} after {names[before]}",
        }
        if np.isfinite(later).all():
            low, high = np.quantile(later, [0.025, 0.975])
            row |= {"value": peaks[after] - peaks[before], "ci_low": low, "ci_high": high}
        else:
            row["note"] = "one of both has no clear peak"
        yield row


def _ratings(reference: Reference, shown: Shown) -> Iterator[dict[str, object]]:
    for name, raters, n, (low, high) in scale_ceilings(reference, shown):
        row = {"measure": "agreement", "label": name, "raters": raters, "n": n}
        yield {**row, "value": low, "ceiling_low": low, "ceiling_high": high}


def _triplets(reference: Reference, shown: Shown) -> Iterator[dict[str, object]]:
    choices, shared, common = open_triplets(shown, reference)
    yield {**common, "measure": "agreement", "value": common["ceiling_low"]}
    rows = np.unique(choices.pictures)
    i, j = np.triu_indices(len(rows), 1)
    for name, predicted in model_distances(shown, rows[i], rows[j]).items():
        distances = np.zeros((len(shown.table),) * 2)
        distances[rows[i], rows[j]] = distances[rows[j], rows[i]] = predicted
        found = triplet_accuracy(odd_one_out(distances, choices.pictures), choices, shared)
        yield {**common, "measure": "accuracy", "label": name, **estimate_columns(found)}


def _confusions(reference: Reference, shown: Shown) -> Iterator[dict[str, object]]:
    for number, name in enumerate(reference.expressions):
        total = reference.count[number].sum()
        if name in reference.answers and total:
            right = reference.count[number, reference.answers.index(name)]
            yield {"measure": "recall", "label": name, "value": right / total, "n": int(total)}
