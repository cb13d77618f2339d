"""Do pictures that differ in identity, expression or affect lie apart in a layer's space?

Representational similarity analysis (Kriegeskorte, Mur and Bandettini 2008): the distances of all
pairs of pictures in a layer are rank-correlated with those that a model predicts. Pairs are ranked
once; intervals and permutations are sums of these ranks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import h5py
import numpy as np
import pandas as pd
from scipy.spatial.distance import pdist, squareform

from facestages import store
from facestages.analysis.affect import read_people
from facestages.analysis.permutation import compare_with_null, permute_label
from facestages.analysis.resampling import interval, people_weights
from facestages.analysis.separability import CIRCULAR, is_labelled
from facestages.errors import FacestagesError
from facestages.progress import progress
from facestages.stimuli import read_labels

#: The labels that each model is made of.
MODELS = {
    "identity": ("identity",),
    "expression": ("expression",),
    "affect": ("valence", "arousal"),
}

#: What the pairs of ``rho_a_within`` share: the other label of a crossed design.
WITHIN = {"identity": "expression", "expression": "identity", "affect": "identity"}

#: Of more pictures than this, the null of the affect model is that of a part.
MOST_PICTURES = 1500

# Columns of the stacked indicator matrices that are multiplied at once (memory: n x this x 4 B).
_COLUMNS_AT_ONCE = 2048

# Where pairs move the ranks of others, ranks are told apart this finely.
_BINS = 4096
_PAIRS_AT_ONCE = 1 << 20

# Fewer pictures have no two pairs to rank.
_FEWEST = 3


def model_rdms(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Dissimilarities that the models predict.

    Parameters
    ----------
    table : pandas.DataFrame of n rows
        Labels of a face set.

    Returns
    -------
    dict of str to numpy.ndarray of float64, shape (n (n - 1) / 2,)
        Pairs in the order of `scipy.spatial.distance.pdist`. ``identity``, ``expression``: 0 for
        two pictures of one person or expression, else 1. ``affect``: Euclidean distance in the
        plane of valence and arousal. A model is left out where a picture lacks one of its labels.
    """
    known = {model: _are_labelled(table, labels).all() for model, labels in MODELS.items()}
    return {model: _model_rdm(table, model).astype(float) for model in MODELS if known[model]}


def _model_rdm(table: pd.DataFrame, model: str) -> np.ndarray:
    """As `model_rdms`, in a quarter or a half of the memory."""
    if model == "affect":
        return pdist(table[list(MODELS[model])].to_numpy(float)).astype(np.float32)
    return pdist(pd.factorize(table[model])[0][:, None], "hamming") > 0


def _are_labelled(table: pd.DataFrame, labels: Sequence[str]) -> np.ndarray:
    """Which pictures have all of some labels."""
    return np.all([is_labelled(table, label) for label in labels], axis=0)


def rank_correlations(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Rank correlations of two sets of dissimilarities.

    Models of categories tie most pairs, so ranks are means over ties. Spearman's correlation
    divides by the standard deviation of the tied ranks, and so favours models that tie: they are
    not asked about the order within a tie. ``rho_a`` does not: it is what Spearman's correlation
    would be on average if ties were broken by chance, ``12 sum(r_x r_y) / (m^3 - m)`` of the
    centred ranks of m pairs (Schütt et al. 2023, doi:10.7554/eLife.82566; it is to Spearman's what
    the tau-a of Nili et al. 2014 is to Kendall's). A model that ties cannot reach 1.

    Parameters
    ----------
    x, y : numpy.ndarray, shape (m,)

    Returns
    -------
    dict of str to float
        ``rho_a`` and ``spearman``, which is NaN where one of them does not vary.
    """
    x, y = (rank_pairs(values).astype(np.float64) for values in (x, y))
    spread = np.sqrt((x @ x) * (y @ y))
    return {"rho_a": x @ y / len(x), "spearman": x @ y / spread if spread else np.nan}


def rank_pairs(dissimilarities: np.ndarray) -> np.ndarray:
    """Ranks of mean 0, ties sharing their mean rank; without ties their variance is 1.

    Parameters
    ----------
    dissimilarities : numpy.ndarray, shape (m,)
        Taken as float32; or of bool, which is faster.

    Returns
    -------
    numpy.ndarray of float32, shape (m,)

    Raises
    ------
    FacestagesError
        If one is negative or NaN.
    """
    values, m = np.asarray(dissimilarities), len(dissimilarities)
    scale = np.float32(np.sqrt(3 / max(m**2 - 1, 1)))
    if values.dtype == bool:
        # Two ranks: they are half of all pairs apart, whatever the share of each.
        return (values - values.mean(dtype=np.float32)) * (m * scale)
    values = values.astype(np.float32, copy=False)
    if not np.all(values >= 0):
        raise FacestagesError("dissimilarities are negative or NaN; they must be distances")
    # Value and number of a pair as one number: sorted in half the time and memory of an argsort.
    # The bits of floats that are not negative rise with them (and those of -0.0 are made 0).
    keys = np.empty((m, 2), "<u4")
    keys[:, 0], keys[:, 1] = np.arange(m), (values + np.float32(0)).view(np.uint32)
    keys.view("<u8").sort(axis=0)
    starts = np.append(True, keys[1:, 1] != keys[:-1, 1])
    place = np.arange(m, dtype=np.int32)
    first = np.where(starts, place, 0)
    np.maximum.accumulate(first, out=first)
    last = np.where(np.append(starts[1:], True), place, m)[::-1]
    np.minimum.accumulate(last, out=last)
    # Twice the mean rank of a tie, less that of all.
    first += last[::-1]
    first -= m - 1
    ranks = np.empty(m, np.float32)
    ranks[keys[:, 0]] = first
    ranks *= scale
    return ranks


def squared_distances(gram: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances from inner products (n, n), pairs in the order of `pdist`."""
    n, squares = len(gram), np.diag(gram).astype(np.float64)
    # A Gram matrix of float32 says no more of them.
    distances, start = np.empty(n * (n - 1) // 2, np.float32), 0
    for i in range(n - 1):
        row = squares[i] + squares[i + 1 :] - 2.0 * gram[i, i + 1 :]
        distances[start : start + len(row)] = np.maximum(row, 0)
        start += len(row)
    return distances


# --------------------------------------------------------------- what is the same for all layers


class _Part(NamedTuple):
    """Pictures whose pairs are ranked together."""

    #: Rows of the table, shape (k,).
    rows: np.ndarray
    #: The model's dissimilarities as ranks, or as bool, which are ranked when they are needed:
    #: that takes no time, and ranks four times the memory; shape (k (k - 1) / 2,).
    model: np.ndarray
    #: First as labelled, then permuted, shape (1 + permutations, k): the label of each picture, or
    #: for affect the picture of this part that it takes its labels from.
    moved: np.ndarray | None = None


class _Question(NamedTuple):
    """A model and the pairs on which layers are compared with it; no parts where there are none."""

    model: str
    measures: tuple[str, ...]
    #: ``label``, ``label_source``, ``n`` and ``note`` of the rows.
    said: dict[str, object]
    parts: Sequence[_Part] = ()
    #: Person of each row of the table, as a column of `weights`.
    people: np.ndarray | None = None
    #: How often each person counts: once, then each left out in turn, then in each resample;
    #: shape (1 + P + resamples, P).
    weights: np.ndarray | None = None
    #: Pictures among which labels were permuted, and how; none without permutations.
    null_parts: Sequence[_Part] = ()
    null: str = ""


def _ask(
    table: pd.DataFrame,
    model: str,
    within: str | None,
    sources: Mapping[str, str],
    network: str,
    permutations: int,
    resamples: int,
) -> _Question:
    """Prepare the comparison with a model, of pairs that share the label `within` if there is one.

    The rows of the table are sorted by person.
    """
    measures = ("rho_a_within",) if within else ("rho_a", "spearman")
    origins = [sources[label] for label in MODELS[model] if label in sources]
    said = {"label": model, "label_source": "; ".join(dict.fromkeys(origins)), "n": 0}
    try:
        parts = _find_parts(table, model, within)
    except FacestagesError as error:
        return _Question(model, measures, said | {"note": str(error)})
    notes = [CIRCULAR] if f"network:{network}" in (*origins, sources.get(within)) else []
    rows = np.concatenate([part.rows for part in parts])
    persons = read_people(table.iloc[rows])
    if persons is None:
        notes.append("no two people, so no interval")
        persons = np.zeros(len(rows))
    people = np.zeros(len(table), int)
    names, people[rows] = np.unique(persons.astype(str), return_inverse=True)
    once = np.ones((1, len(names)))
    weights = np.vstack([once, once - np.eye(len(names)), people_weights(names, resamples)])
    said |= {"n": len(rows), "note": "; ".join(notes)}
    question = _Question(model, measures, said, parts, people, weights)
    return _add_null(question, table, permutations) if permutations else question


def _find_parts(table: pd.DataFrame, model: str, within: str | None) -> list[_Part]:
    """All labelled pictures, or those of each value of `within`.

    Raises
    ------
    FacestagesError
        If the model predicts no difference between pairs: why, as a note says it.
    """
    labels = [*MODELS[model], within] if within else MODELS[model]
    lacking = [label for label in labels if not is_labelled(table, label).any()]
    if lacking:
        raise FacestagesError(f"the face set has no label '{lacking[0]}'")
    used = _are_labelled(table, labels)
    groups = table[within].to_numpy() if within else np.zeros(len(table))
    every = [np.flatnonzero(used & (groups == value)) for value in pd.unique(groups[used])]
    parts = [_make_part(table, model, rows) for rows in every if len(rows) >= _FEWEST]
    parts = [part for part in parts if part.model.min() < part.model.max()]
    if not parts:
        among = f"of one {within}" if within else f"of the {used.sum()} pictures"
        if model == "affect":
            raise FacestagesError(f"all pairs {among} differ alike in valence and arousal")
        raise FacestagesError(f"all pairs {among} share the {model}, or none do")
    return parts


def _make_part(table: pd.DataFrame, model: str, rows: np.ndarray) -> _Part:
    predicted = _model_rdm(table.iloc[rows], model)
    return _Part(rows, rank_pairs(predicted) if model == "affect" else predicted)


def _model_ranks(part: _Part) -> np.ndarray:
    return rank_pairs(part.model) if part.model.dtype == bool else part.model


def _add_null(question: _Question, table: pd.DataFrame, permutations: int) -> _Question:
    """Permute the labels of a question's pictures, for affect of `MOST_PICTURES` at most."""
    model, parts = question.model, question.parts
    if model == "affect":
        chosen = [_spread(part.rows, question.people[part.rows]) for part in parts]
        parts = [_make_part(table, model, rows) for rows in chosen]
    rows = np.concatenate([part.rows for part in parts])
    labelled = table.iloc[rows]
    # Valence and arousal move together, as the number of their pair.
    labels = labelled.groupby(list(MODELS[model])).ngroup().to_numpy()
    labelled = labelled.assign(affect=labels) if model == "affect" else labelled
    moves = permute_label(labelled, model, permutations)
    origin = np.vstack([np.arange(len(rows), dtype=np.int32), moves.rows])
    null_parts, start = [], 0
    for part in parts:
        own = origin[:, start : start + len(part.rows)]
        # Labels never leave a part: it is a person's, or an expression's, or everything.
        own = own - start if model == "affect" else labels[own]
        null_parts.append(part._replace(moved=own.astype(np.min_scalar_type(len(rows)))))
        start += len(part.rows)
    fewer = f", {len(rows)} of the pictures" if len(rows) < question.said["n"] else ""
    return question._replace(null_parts=null_parts, null=moves.how + fewer)


def _spread(rows: np.ndarray, people: np.ndarray) -> np.ndarray:
    """At most `MOST_PICTURES` of some rows, drawn evenly from the people."""
    order = np.random.default_rng(0).permutation(len(rows))
    turn = pd.Series(people[order]).groupby(people[order]).cumcount()
    return np.sort(rows[order[np.argsort(turn, kind="stable")[:MOST_PICTURES]]])


# ------------------------------------------------------------------------ what one layer answers


def _rank_layer(
    group: h5py.Group, k: int | str, order: np.ndarray, questions: Sequence[_Question]
) -> Callable[[np.ndarray], np.ndarray]:
    """Ranks (m,) of a layer's distances among the rows of every part, found once each."""
    if k == "all":
        gram = group["gram"][:]
    else:
        scores = group["score"][:, :k].astype(np.float32)
        gram = scores @ scores.T
    pairs = {}
    for rows in (part.rows for own in questions for part in (*own.parts, *own.null_parts)):
        if rows.tobytes() not in pairs:
            pairs[rows.tobytes()] = squared_distances(gram[np.ix_(order[rows], order[rows])])
    # Before anything is ranked, which takes most of the memory.
    del gram
    for key in pairs:
        pairs[key] = rank_pairs(pairs[key])
    return lambda rows: pairs[rows.tobytes()]


def _answer(question: _Question, ranks: Callable[[np.ndarray], np.ndarray]) -> list[dict]:
    """Parts of rows of `correlate_rdms`, one a measure."""
    rows = [{**question.said, "measure": measure} for measure in question.measures]
    if not question.parts:
        return rows
    rho_a, spread = _resample(question, ranks)
    if not spread:
        return [{**row, "note": "all pictures are equally far apart in the layer"} for row in rows]
    null = _null(question, ranks) if question.null_parts else None
    for row in rows:
        # Spearman's is the same multiple of rho_a in all of them: the ties stay as they are.
        scale = 1 / spread if row["measure"] == "spearman" else 1
        resampled = _without_excess(scale * rho_a, question.weights)
        row["value"] = scale * rho_a[0]
        row["ci_low"], row["ci_high"] = interval(resampled, question.weights.shape[1])
        if null is not None:
            value, others = scale * null[0], scale * null[1:]
            # What is this near is the same grouping of the pictures, in sums of float32.
            found = compare_with_null(value, others, others.std(ddof=1) / 1000)
            row |= {**found, "null": question.null}
    return rows


def _resample(
    question: _Question, ranks: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, float]:
    """``rho_a`` under each row of the weights, and the product of both ranks' deviations."""
    sums, squares = np.zeros((2, len(question.weights))), np.zeros(2)
    for part in question.parts:
        x, y = ranks(part.rows), _model_ranks(part)
        squares += [np.mean(np.square(values), dtype=np.float64) for values in (x, y)]
        influence = squareform(pair_influence(x, y))
        sums += pair_sums(influence, question.people[part.rows], question.weights)
    with np.errstate(invalid="ignore"):
        return sums[0] / sums[1], np.sqrt(squares.prod())


def pair_influence(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """What each pair says of ``rho_a``, whose mean over the pairs they are.

    Beside the product of its ranks, a pair that counts more moves the ranks of the pairs beyond it.
    With both parts the mean over resampled pairs is, to first order, what ranking them anew would
    give (influence function of Spearman's correlation, Croux and Dehon 2010,
    doi:10.1007/s10260-010-0142-z).

    Parameters
    ----------
    x, y : numpy.ndarray of float32, shape (m,)
        Of `rank_pairs`.

    Returns
    -------
    numpy.ndarray of float32, shape (m,)
    """
    influence = x * y
    rho_a = influence.mean(dtype=np.float64)
    influence += _moved_ranks(x, y)
    influence += _moved_ranks(y, x)
    influence += rho_a - influence.mean(dtype=np.float64)
    return influence


def _moved_ranks(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """By how much the mean product rises for each pair (m,) when it moves the ranks in x."""
    # The ranks lie between -sqrt(3) and sqrt(3).
    bins = ((x / np.float32(2 * np.sqrt(3)) + np.float32(0.5)) * (_BINS - 1)).astype(np.int16)
    # A part of the pairs at a time, of which bincount makes wider copies.
    starts = range(0, len(x), _PAIRS_AT_ONCE)
    parts = [slice(start, start + _PAIRS_AT_ONCE) for start in starts]
    sums = sum(np.bincount(bins[part], y[part], _BINS) for part in parts) * np.sqrt(12) / len(x)
    beyond = sums[::-1].cumsum()[::-1] - sums / 2
    return beyond.astype(np.float32)[bins]


def pair_sums(matrix: np.ndarray, people: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sum over the pairs of pictures, and their number, when people are drawn with replacement.

    A person who is drawn twice makes no pairs with the copy: no new people would lie at distance
    zero. So pairs within a person count as often as the person is drawn, and pairs of two people as
    the product of both; these would be fewer than in the face set, and are weighted up to their
    number there. All of it follows from the sums over blocks of people x people.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (n, n)
        Symmetric, zero on the diagonal.
    people : numpy.ndarray of int, shape (n,)
        Person of each picture, sorted.
    weights : numpy.ndarray, shape (resamples, P)
        How often each person is drawn.

    Returns
    -------
    numpy.ndarray, shape (2, resamples)
        Each pair counts twice.
    """
    names, starts, sizes = np.unique(people, return_index=True, return_counts=True)
    drawn = weights.sum(axis=1)
    pairs = drawn**2 - (weights**2).sum(axis=1)
    factor = np.divide(drawn**2 - drawn, pairs, out=np.zeros_like(pairs), where=pairs > 0)
    weights = weights[:, names]
    ends = starts + sizes
    rows = [matrix[:, a:b].sum(axis=1, dtype=np.float64) for a, b in zip(starts, ends, strict=True)]
    blocks = np.add.reduceat(rows, starts, axis=1)
    sums = []
    for values in (blocks, np.outer(sizes, sizes) - np.diag(sizes)):
        within = np.diag(values)
        between = ((weights @ (values - np.diag(within))) * weights).sum(axis=1)
        sums.append(weights @ within + factor * between)
    return np.array(sums)


def _without_excess(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Resamples (b,) that lie about the value as those of new people would.

    What is particular to a pair of people varies more among resamples than among new people: it
    moves the sums of both, and so twice, and once more the product of their weights. Each person's
    own part is known from leaving people out one by one. Its variance less that of what then is
    left, of pairs, is the one wanted (Schütt et al. 2023 correct a bootstrap of two factors by the
    same reasoning).

    Parameters
    ----------
    values : numpy.ndarray, shape (1 + P + b,)
        Under each row of `weights`, of a `_Question`.
    """
    people = weights.shape[1]
    value, left_out, resampled = values[0], values[1 : 1 + people], values[1 + people :]
    known = np.isfinite(resampled)
    change = resampled[known] - value
    if not np.any(change):
        return resampled
    own = np.nan_to_num(value - left_out) * (people - 1) / people
    of_people = (weights[1 + people :][known] - 1) @ own
    variance, least = of_people.var() - (change - of_people).var(), of_people.var() / 2
    return value + change * np.sqrt(max(variance, least) / change.var())


def _null(question: _Question, ranks: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """``rho_a`` (1 + permutations,), first with the labels as they are."""
    sums, pairs = 0.0, 0
    for part in question.null_parts:
        x, y = ranks(part.rows), _model_ranks(part)
        pairs += len(x)
        if question.model == "affect":
            sums += _moved_sums(squareform(x), squareform(y), part.moved)
        else:
            # The model has two ranks and the layer's sum to zero: pairs of one label say it all.
            sums -= np.ptp(y) * _shared_sums(squareform(x), part.moved)
    return sums / pairs


def _moved_sums(x: np.ndarray, y: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Sums of x * y (n, n) over pairs, the pictures of y in each of several orders (b, n)."""
    return np.array([np.vdot(x, y.take(rows, 0).take(rows, 1)) / 2 for rows in moved])


def _shared_sums(x: np.ndarray, labellings: np.ndarray) -> np.ndarray:
    """Sums of x (n, n) over the pairs that share a label, for each of several labellings (b, n)."""
    groups = int(labellings.max()) + 1
    at_once = max(1, _COLUMNS_AT_ONCE // groups)
    sums = []
    for first in range(0, len(labellings), at_once):
        labels = labellings[first : first + at_once].T
        own = (np.arange(len(x))[:, None], np.arange(labels.shape[1]), labels)
        indicator = np.zeros((*labels.shape, groups), x.dtype)
        indicator[own] = 1
        to_groups = (x @ indicator.reshape(len(x), -1)).reshape(indicator.shape)
        sums.append(to_groups[own].sum(axis=0, dtype=np.float64) / 2)
    return np.concatenate(sums)


# ------------------------------------------------------------------------------------- the table

_COLUMNS = [
    *("dataset", "rendered", "network", "seed", "stage", "layer", "label", "label_source"),
    *("measure", "components", "value", "ci_low", "ci_high", "null_mean", "null_sd", "z", "p"),
    *("null", "n", "note"),
]


def correlate_rdms(
    geometry: str | os.PathLike,
    stimuli: str | os.PathLike,
    stages: Mapping[str, str],
    components: Sequence[int | str],
    permutations: int,
    resamples: int = 1000,
    predictions: str | os.PathLike | None = None,
) -> pd.DataFrame:
    """Rank correlations of the distances in every recorded layer with those that models predict.

    Parameters
    ----------
    geometry : path-like
        HDF5 file of `analysis.geometry.measure_geometry`.
    stimuli : path-like
        The face set.
    stages : mapping of str to str
        Layer of each stage; other layers have none.
    components : sequence of int or "all"
        Numbers of principal components; ``all`` is the layer's full space.
    permutations : int
        Label permutations for z and p (`analysis.permutation.permute_label`); 0 for none.
    resamples : int
        Bootstrap over people, for the intervals (95 %).
    predictions : path-like, optional
        Predictions taken as the label ``expression``; see `stimuli.read_labels`.

    Returns
    -------
    pandas.DataFrame
        Tidy: for each layer x number of components x model (`model_rdms`) the measures ``rho_a``
        and ``spearman`` (`rank_correlations`), and ``rho_a_within``: of the pairs that share a
        person, for identity an expression (`WITHIN`), ranked one person or expression at a time,
        the mean of ``rho_a`` over these, weighted by their pairs. Resampled people keep the ranks
        of the full set (`pair_sums`). p is one-sided. z and p of the affect model are those of
        `MOST_PICTURES` pictures at most (of each person, for ``rho_a_within``), drawn evenly from
        the people; ``null`` says so, and where labels were permuted. What cannot be measured has an
        empty value and a note.

    Raises
    ------
    FacestagesError
        If the geometry is of other stimuli.
    """
    table, sources, known = read_labels(stimuli, predictions)
    people = read_people(table)
    order = np.arange(len(table)) if people is None else np.argsort(people, kind="stable")
    table = table.iloc[order].reset_index(drop=True)
    rows = []
    with store.open_read(geometry, "geometry", stimuli_digest=known["stimuli_digest"]) as file:
        common = {name: file.attrs[name] for name in ("dataset", "network", "seed")}
        common["rendered"] = int(known.get("rendered", 0))
        questions = [
            _ask(table, model, within, sources, common["network"], permutations, resamples)
            for model, other in WITHIN.items()
            for within in (None, other)
        ]
        for layer in progress(list(file), "rank correlations"):
            served = [stage for stage, own in stages.items() if own == layer] or [""]
            for k in components:
                ranks = _rank_layer(file[layer], k, order, questions)
                found = [row for question in questions for row in _answer(question, ranks)]
                where = {**common, "layer": layer, "components": k}
                rows += [{**where, "stage": stage, **row} for stage in served for row in found]
    return pd.DataFrame(rows, columns=_COLUMNS).astype({"n": "Int64"})
