"""The table of a network's layers beside one reference."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import numpy as np

from facestages.analysis.crossed import estimate
from facestages.analysis.judgements import mix_models, noise_ceiling, rank_items
from facestages.analysis.labels import NO_GEOMETRY
from facestages.analysis.layers import Geometry, Layer, Rows, tabulate
from facestages.errors import FacestagesError
from facestages.references.beside import (
    Shown,
    add_columns,
    changes,
    common_columns,
    estimate_columns,
    model_distances,
    open_pairs,
    open_shown,
    pair_distances,
)
from facestages.references.beside_ratings import compare_ratings
from facestages.references.beside_times import compare_times
from facestages.references.choices import compare_confusions, compare_triplets
from facestages.references.files import Reference, read_reference

#: Columns of the table after those of `analysis.layers.COMMON`.
COLUMNS = (
    *("reference", "simulated", "label", "measure", "time", "value", "ci_low", "ci_high", "p"),
    *("ceiling_low", "ceiling_high", "raters", "people", "n", "note"),
)


@tabulate(*COLUMNS)
def compare_reference(
    geometry: Geometry, reference: str | os.PathLike, answers: str | os.PathLike | None = None
) -> Iterator[tuple[Layer | None, Rows]]:
    """Every recorded layer of one network beside people's judgements, or recordings.

    Intervals are over raters (or subjects) and over the people on the pictures at once
    (`analysis.crossed`); p is one-sided.

    Parameters
    ----------
    geometry, stimuli, stages, predictions
        See `analysis.layers.tabulate`.
    reference : path-like
        What `prepare_reference` made.
    answers : path-like, optional
        Table of the network's predictions, for confusions.

    Returns
    -------
    pandas.DataFrame
        Tidy. ``ceiling_low`` and ``ceiling_high`` are what the best possible layer would have. By
        kind of the reference the measures are

        - pairs: ``rho_a`` (`analysis.judgements.rank_items`), ``share_of_ceiling``, which is
          ``rho_a`` over the upper ceiling, ``rho_a_change`` from stage to stage, and of the layer's
          own distances ``weight`` and ``unique`` (`analysis.judgements.mix_models`);
        - pairs in time: ``rho_a`` at each ``time``, the ``peak`` of each layer in ms, and the
          ``peak_slope`` over layers (`analysis.timing`);
        - ratings: ``r_held_out`` and ``r_held_out_within`` (`references.beside_ratings`), and of
          PC1 ``r_pc1`` and ``r_pc1_within``, by scale (``label``);
        - triplets: ``accuracy``, the share of odd ones out that are the raters', less a third;
        - confusions: ``r_off_diagonal`` (`analysis.confusions`).
    """
    read = read_reference(reference)
    common = common_columns(read)
    parts = _of_kind(read)(geometry, open_shown(geometry.labels, read.conditions), read, answers)
    for layer, rows in parts:
        yield layer, [add_columns(common, row) for row in rows]


def _of_kind(reference: Reference) -> Callable[..., Iterator[tuple[Layer | None, Rows]]]:
    if reference.has_time:
        return compare_times
    return {
        "pairs": compare_pairs,
        "ratings": compare_ratings,
        "triplets": compare_triplets,
        "confusions": compare_confusions,
    }[reference.kind]


def compare_pairs(
    geometry: Geometry, shown: Shown, reference: Reference, answers: object
) -> Iterator[tuple[Layer | None, Rows]]:
    """Rows of `compare_reference` for judgements of pairs."""
    pairs = open_pairs(shown, reference)
    first, second, _, ranked, _ = pairs
    lower, upper = noise_ceiling(ranked)
    models, common = model_distances(shown, first, second), pairs.columns
    ends = {"ceiling_low": lower, "ceiling_high": upper, "note": pairs.note_on_ceiling}
    of_stages = {}
    for layer in geometry.layers:
        distances = pair_distances(layer, shown, first, second)
        if not distances.any():
            yield layer, [add_columns(common, {"measure": "rho_a", "note": NO_GEOMETRY})]
            continue
        items = rank_items(distances, ranked)
        found = estimate(items.__getitem__, len(items), ranked.shared)
        of_stages |= {stage: items for stage, name in geometry.stages.items() if name == layer.name}
        rows = [
            {"measure": "rho_a", **estimate_columns(found), **ends},
            {
                "measure": "share_of_ceiling",
                **estimate_columns(found, scale=1 / upper),
                "ceiling_low": lower / upper,
                "ceiling_high": 1.0,
                "note": pairs.note_on_ceiling,
            },
            *mixture_rows(distances[None], models, ranked.shared),
        ]
        yield layer, [add_columns(common, row) for row in rows]
    moved = changes(of_stages, lambda items: estimate(items.__getitem__, len(items), ranked.shared))
    yield None, [{**common, "measure": "rho_a_change", **row} for row in moved]


def mixture_rows(dissimilarity, models, shared) -> list[dict[str, object]]:
    """Rows of ``weight`` and ``unique`` of each model, and of what all ``explained``."""
    if len(models) < 2:
        return []
    try:
        weights, unique = mix_models(dissimilarity, np.stack(list(models.values())), shared)
    except FacestagesError as error:
        return [{"measure": "weight", "note": str(error)}]
    rows = [
        {"measure": "weight", "label": name, **estimate_columns(weights, place)}
        for place, name in enumerate(models)
    ]
    shares = zip([*models, "all"], unique, strict=True)
    return rows + [{"measure": "unique", "label": name, "value": share} for name, share in shares]
