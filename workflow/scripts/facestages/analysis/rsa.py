"""Representational similarity analysis (RSA; Kriegeskorte, Mur and Bandettini 2008).

The distances of all pairs of pictures in a layer are rank-correlated with the dissimilarities that
a model of identity, expression or affect predicts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.spatial.distance import squareform

from facestages.analysis.labels import circular_note, is_labelled, join_notes, no_label, read_people
from facestages.analysis.layers import Geometry, Layer, Rows, tabulate
from facestages.analysis.permutation import SHIFTED, compare_with_null, permute_label
from facestages.analysis.rdms import (
    MODELS,
    correct_resamples,
    have_labels,
    model_rdm,
    moved_sums,
    pair_influence,
    pair_sums,
    rank_pairs,
    shared_sums,
    squared_distances,
)
from facestages.analysis.resampling import interval, people_weights
from facestages.errors import FacestagesError
from facestages.progress import progress

#: The label that the pairs of ``rho_a_within`` share, by model: the other one of a crossed design.
WITHIN = {"identity": "expression", "expression": "identity", "affect": "identity"}

#: The null distribution of the affect model takes at most this many pictures.
MOST_PICTURES = 1500

#: Measures on all pairs, and on the pairs of `WITHIN`.
MEASURES = ("rho_a", "spearman", "share_of_ceiling")
WITHIN_MEASURES = ("rho_a_within", "share_of_ceiling_within")

# Within videos without a relation (autocorrelation .95), p of shifts in time is below .05 in 32 %
# of the sets with 48 frames, and in none with 210.
_NO_TEST = "no p, as shifts in time do not keep their level within videos"

# Fewer pictures have no two pairs to rank.
_FEWEST = 3


@tabulate(
    *("label", "label_source", "measure", "components", "value", "ci_low", "ci_high"),
    *("null_mean", "null_sd", "z", "p", "null", "n", "note"),
)
def correlate_rdms(
    geometry: Geometry,
    components: Sequence[int | str],
    permutations: int,
    resamples: int = 1000,
) -> Iterator[tuple[Layer, Rows]]:
    """Rank correlations of each recorded layer's RDM with those of the models.

    Parameters
    ----------
    geometry, stimuli, stages, predictions
        See `analysis.layers.tabulate`.
    components : sequence of int or "all"
        Numbers of principal components; ``all`` is the layer's full space.
    permutations : int
        Label permutations for z and p (`analysis.permutation.permute_label`); 0 for none.
    resamples : int
        Bootstrap over people, for the intervals (95 %).

    Returns
    -------
    pandas.DataFrame
        Tidy: for each layer x number of components x model (`rdms.model_rdms`) the measures
        ``rho_a``, ``spearman`` and ``share_of_ceiling`` (`rdms.rank_correlations`), and
        ``rho_a_within``, the mean over people, weighted by their pairs, of the ``rho_a`` of each
        person's pairs; for identity, over expressions (`WITHIN`). ``share_of_ceiling_within`` is
        that mean divided by the mean of the ceilings. Resampled people keep the ranks of the full
        set (`rdms.pair_sums`). p is one-sided. The affect model's z and p are of at most
        `MOST_PICTURES` pictures (of each person, for measures within people), drawn evenly from the
        people; ``null`` names their number, and the kind of permutation. Within videos the affect
        model has no z and p. A value that cannot be measured is empty and has a note.
    """
    people = read_people(geometry.labels)
    order = np.arange(len(geometry.labels)) if people is None else np.argsort(people, kind="stable")
    table = geometry.labels.iloc[order].reset_index(drop=True)
    comparisons = prepare_comparisons(
        table, geometry.sources, geometry.network, permutations, resamples
    )
    for layer in progress(geometry.layers, "rank correlations"):
        for k in components:
            ranks = rank_layer(layer, k, order, comparisons)
            rows = [row for comparison in comparisons for row in compare_ranks(comparison, ranks)]
            yield layer, [{"components": k, **row} for row in rows]


# ------------------------------------------------------------------- the same for all layers


class Group(NamedTuple):
    """Pictures whose pairs are ranked together."""

    #: Rows of the table, shape (k,).
    rows: np.ndarray
    #: RDM of the model, shape (k (k - 1) / 2,): ranks, or values of bool, which are ranked in no
    #: time and take a quarter of the memory.
    model: np.ndarray
    #: Labels as they are, then permuted, shape (1 + permutations, k). For affect, the picture of
    #: this group from which each picture takes its labels.
    moved: np.ndarray | None = None


class Comparison(NamedTuple):
    """A model, and the pairs on which layers are compared with it."""

    model: str
    measures: tuple[str, ...]
    #: ``label``, ``label_source``, ``n`` and ``note`` of the table's rows.
    row: dict[str, object]
    #: None where the face set does not allow the comparison; the note has the reason.
    groups: Sequence[Group] = ()
    #: Person of each row of the table, as a column of `weights`.
    people: np.ndarray | None = None
    #: How often each person counts: once, then each left out in turn, then in each resample;
    #: shape (1 + P + resamples, P).
    weights: np.ndarray | None = None
    #: The highest ``rho_a`` that a layer can have, under each row of the weights.
    ceilings: np.ndarray | None = None
    #: Pictures among which labels were permuted, and how; none without permutations.
    null_groups: Sequence[Group] = ()
    null: str = ""


def prepare_comparisons(
    table: pd.DataFrame,
    sources: Mapping[str, str],
    network: str,
    permutations: int,
    resamples: int,
) -> list[Comparison]:
    """Comparisons with each model, on all pairs and on the pairs of `WITHIN`.

    The rows of the table are sorted by person.
    """
    return [
        _prepare(table, model, within, sources, network, permutations, resamples)
        for model, shared in WITHIN.items()
        for within in (None, shared)
    ]


def _prepare(
    table: pd.DataFrame,
    model: str,
    within: str | None,
    sources: Mapping[str, str],
    network: str,
    permutations: int,
    resamples: int,
) -> Comparison:
    measures = WITHIN_MEASURES if within else MEASURES
    origins = [sources[label] for label in MODELS[model] if label in sources]
    row = {"label": model, "label_source": "; ".join(dict.fromkeys(origins)), "n": 0}
    try:
        groups = _find_groups(table, model, within)
    except FacestagesError as error:
        return Comparison(model, measures, row | {"note": str(error)})
    rows = np.concatenate([group.rows for group in groups])
    persons, alone = read_people(table.iloc[rows]), ""
    if persons is None:
        persons, alone = np.zeros(len(rows)), "no two people, so no interval"
    people = np.zeros(len(table), int)
    names, people[rows] = np.unique(persons.astype(str), return_inverse=True)
    once = np.ones((1, len(names)))
    weights = np.vstack([once, once - np.eye(len(names)), people_weights(names, resamples)])
    note = join_notes(circular_note([*origins, sources.get(within)], network), alone)
    row |= {"n": len(rows), "note": note}
    comparison = Comparison(model, measures, row, groups, people, weights)
    comparison = comparison._replace(ceilings=_resample(comparison, _model_ranks)[0])
    return _add_null(comparison, table, permutations) if permutations else comparison


def _find_groups(table: pd.DataFrame, model: str, within: str | None) -> list[Group]:
    """All labelled pictures, or those of each value of `within`.

    A FacestagesError gives the reason why the model predicts no difference between pairs.
    """
    labels = [*MODELS[model], within] if within else MODELS[model]
    lacking = [label for label in labels if not is_labelled(table, label).any()]
    if lacking:
        raise FacestagesError(no_label(lacking[0]))
    used = have_labels(table, labels)
    values = table[within].to_numpy() if within else np.zeros(len(table))
    rows = [np.flatnonzero(used & (values == value)) for value in pd.unique(values[used])]
    groups = [_make_group(table, model, part) for part in rows if len(part) >= _FEWEST]
    groups = [group for group in groups if group.model.min() < group.model.max()]
    if not groups:
        among = f"of one {within}" if within else f"of the {used.sum()} pictures"
        if model == "affect":
            raise FacestagesError(f"all pairs {among} differ alike in valence and arousal")
        raise FacestagesError(f"all pairs {among} share the {model}, or none do")
    return groups


def _make_group(table: pd.DataFrame, model: str, rows: np.ndarray) -> Group:
    rdm = model_rdm(table.iloc[rows], model)
    return Group(rows, rank_pairs(rdm) if model == "affect" else rdm)


def _model_ranks(group: Group) -> np.ndarray:
    return rank_pairs(group.model) if group.model.dtype == bool else group.model


def _add_null(comparison: Comparison, table: pd.DataFrame, permutations: int) -> Comparison:
    """Permute the labels of the pictures, for affect of `MOST_PICTURES` at most."""
    model, groups = comparison.model, comparison.groups
    if model == "affect":
        chosen = [spread_rows(group.rows, comparison.people[group.rows]) for group in groups]
        groups = [_make_group(table, model, rows) for rows in chosen]
    rows = np.concatenate([group.rows for group in groups])
    labelled = table.iloc[rows]
    # Valence and arousal move together, as the number of their pair.
    labels = labelled.groupby(list(MODELS[model])).ngroup().to_numpy()
    labelled = labelled.assign(affect=labels) if model == "affect" else labelled
    permuted = permute_label(labelled, model, permutations)
    origins = np.vstack([np.arange(len(rows), dtype=np.int32), permuted.rows])
    null_groups, start = [], 0
    for group in groups:
        origin = origins[:, start : start + len(group.rows)]
        # Labels stay within a group, which is a person, an expression, or all pictures.
        moved = origin - start if model == "affect" else labels[origin]
        null_groups.append(group._replace(moved=moved.astype(np.min_scalar_type(len(rows)))))
        start += len(group.rows)
    fewer = f", {len(rows)} of the pictures" if len(rows) < comparison.row["n"] else ""
    return comparison._replace(null_groups=null_groups, null=permuted.how + fewer)


def spread_rows(rows: np.ndarray, people: np.ndarray) -> np.ndarray:
    """At most `MOST_PICTURES` of some rows (k,), drawn evenly from the people (k,)."""
    order = np.random.default_rng(0).permutation(len(rows))
    turn = pd.Series(people[order]).groupby(people[order]).cumcount()
    return np.sort(rows[order[np.argsort(turn, kind="stable")[:MOST_PICTURES]]])


# ------------------------------------------------------------------------------ one layer's part

Ranks = Callable[[Group], np.ndarray]


def rank_layer(
    layer: Layer, k: int | str, order: np.ndarray, comparisons: Sequence[Comparison]
) -> Ranks:
    """A function that gives the ranks (m,) of a layer's distances for the pictures of a group.

    `order` (n,) has the picture of each row of the table.
    """
    if k == "all":
        gram = layer.gram[:]
    else:
        scores = layer.scores[:, :k].astype(np.float32)
        gram = scores @ scores.T
    pairs = {}
    for comparison in comparisons:
        for rows, *_ in (*comparison.groups, *comparison.null_groups):
            if rows.tobytes() not in pairs:
                pairs[rows.tobytes()] = squared_distances(gram[np.ix_(order[rows], order[rows])])
    # Ranking takes most of the memory, so the Gram matrix is deleted before.
    del gram
    for key in pairs:
        pairs[key] = rank_pairs(pairs[key])
    return lambda group: pairs[group.rows.tobytes()]


def compare_ranks(comparison: Comparison, ranks: Ranks) -> list[dict[str, object]]:
    """Parts of rows of `correlate_rdms`, one a measure."""
    rows = [{**comparison.row, "measure": name} for name in comparison.measures]
    if not comparison.groups:
        return rows
    rho_a, spread = _resample(comparison, ranks)
    if not spread:
        return [{**row, "note": "all pictures are equally far apart in the layer"} for row in rows]
    null, ceiling = _permute(comparison, ranks) if comparison.null_groups else (None, 1)
    for row in rows:
        values, scale = rho_a, 1
        if row["measure"] == "spearman":
            # Resamples and permutations keep the ties, so spearman is a fixed multiple of rho_a.
            values, scale = rho_a / spread, 1 / spread
        elif row["measure"].startswith("share_of_ceiling"):
            # Resampled people have other shares of tied pairs; permuted labels have the same.
            with np.errstate(divide="ignore", invalid="ignore"):
                values, scale = rho_a / comparison.ceilings, 1 / ceiling
        row["value"] = values[0]
        resampled = correct_resamples(values, comparison.weights)
        row["ci_low"], row["ci_high"] = interval(resampled, comparison.weights.shape[1])
        if null is not None:
            value, others = scale * null[0], scale * null[1:]
            # Values this near to each other are of the same grouping, with sums in float32.
            rounding = others.std(ddof=1) / 1000
            row |= compare_with_null(value, others, rounding) | {"null": comparison.null}
            if comparison.null.startswith(SHIFTED) and row["measure"] in WITHIN_MEASURES:
                row |= {"z": np.nan, "p": np.nan, "note": join_notes(row["note"], _NO_TEST)}
    return rows


def _resample(comparison: Comparison, ranks: Ranks) -> tuple[np.ndarray, float]:
    """``rho_a`` under each row of the weights, and the product of both standard deviations."""
    sums, squares = np.zeros((2, len(comparison.weights))), np.zeros(2)
    for group in comparison.groups:
        x, y = ranks(group), _model_ranks(group)
        squares += [np.mean(np.square(values), dtype=np.float64) for values in (x, y)]
        influence = squareform(pair_influence(x, y))
        sums += pair_sums(influence, comparison.people[group.rows], comparison.weights)
    with np.errstate(invalid="ignore"):
        return sums[0] / sums[1], np.sqrt(squares.prod())


def _permute(comparison: Comparison, ranks: Ranks) -> tuple[np.ndarray, float]:
    """``rho_a`` (1 + permutations,), first with the labels as they are, and its ceiling."""
    sums, highest, pairs = 0.0, 0.0, 0
    for group in comparison.null_groups:
        x, y = ranks(group), _model_ranks(group)
        pairs += len(x)
        highest += np.vdot(y, y)
        if comparison.model == "affect":
            sums += moved_sums(squareform(x), squareform(y), group.moved)
        else:
            # The model has two ranks, and the layer's ranks sum to zero, so that sums over pairs
            # that share a label are enough.
            sums -= np.ptp(y) * shared_sums(squareform(x), group.moved)
    return sums / pairs, highest / pairs
