"""What a linear read-out finds in a layer: who it is, which expression, how pleasant.

The read-out is trained on some pictures and asked about others, of other people or of another time,
so that it gains nothing by knowing the very pictures. It reads principal components, which are
those of the training pictures alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy.stats
from pandas.api.types import is_numeric_dtype

from facestages import store
from facestages.analysis.folds import Folds, hold_out_people, hold_out_times
from facestages.analysis.permutation import compare_with_null, permute_label
from facestages.analysis.readouts import ALL_THE_SAME, held_out_r2, held_out_recall, project
from facestages.analysis.resampling import interval, people_weights, weighted_mean
from facestages.analysis.sampling import SPLITS
from facestages.analysis.separability import CIRCULAR, is_labelled
from facestages.errors import FacestagesError
from facestages.progress import progress
from facestages.stimuli import read_labels

#: Note of every identity that is decoded from one recording of each person.
ONE_RECORDING = "what stays during a recording, such as light or pose, counts as identity"

# Two people in each half, one of whom can be held out.
_FEWEST_PEOPLE = 4

# Equal values differ by this much if they were summed in another order.
_ROUNDING = 1e-9

_COLUMNS = [
    *("dataset", "rendered", "network", "seed", "stage", "layer", "label", "label_source"),
    *("measure", "components", "components_used", "value", "chance", "ci_low", "ci_high"),
    *("null_mean", "null_sd", "z", "p", "null", "held_out", "folds", "n", "n_groups", "note"),
]


def decode_labels(
    geometry: str | os.PathLike,
    stimuli: str | os.PathLike,
    stages: Mapping[str, str],
    labels: Sequence[str],
    components: Sequence[int | str],
    permutations: int = 1000,
    resamples: int = 1000,
    folds: int = 5,
    predictions: str | os.PathLike | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """What can be decoded from every recorded layer of one network on one face set.

    Identity is decoded from pictures of another time, see `hold_out_times`; every other label from
    pictures of other people, or of other pictures where nobody's identity is known.

    Parameters
    ----------
    geometry : path-like
        HDF5 file of `analysis.geometry.measure_geometry`.
    stimuli : path-like
        The face set.
    stages : mapping of str to str
        Layer of each stage; other layers have none.
    labels : sequence of str
        Names, such as ``expression``, or numbers, such as ``valence``.
    components : sequence of int or "all"
        Numbers of principal components to read; ``all`` is not decoded.
    permutations : int
        Permutations of each label, for z and p; 0 for none.
    resamples : int
        Bootstrap over people, for the interval of identity; 0 for no intervals at all.
    folds : int
        Number of parts that are held out in turn, 2 or more; fewer where there are fewer people or
        sessions.
    predictions : path-like, optional
        Predictions taken as the label ``expression``; see `stimuli.read_labels`.
    seed : int
        Of permutations and resamples.

    Returns
    -------
    pandas.DataFrame
        Tidy: for each layer x label x number of components the ``balanced_accuracy`` of names, by
        a linear discriminant analysis (`predict_groups`), or ``r2_held_out`` of numbers, by ridge
        regression (`held_out_r2`). ``chance`` is that of guessing; ``null`` says where labels moved
        for ``null_mean, null_sd, z, p``. What cannot be decoded has an empty value and a note.

    Notes
    -----
    For the null distribution the read-out is trained on each permutation of the labels anew; only
    the components stay, which know no labels. Permuting the labels of the predictions as they are
    would be quicker, but people are each other's training set: if one is recognised by chance from
    another, so is the other from the one, and without any relation p < .05 comes up to twice as
    often as it should.

    For the same reason a bootstrap over people, with predictions as they are, covered 80 to 95 %
    where it should 95 %. So, except for identity, all is done again in halves of the people, see
    `half_intervals`; with 20 people or more these cover 92 to 98 %, or 84 % where it hangs on the
    sample whether a label is among so few components. An identity is recognised by its own
    pictures, and its interval is a bootstrap over people of how often each is recognised: 91 to
    98 %.
    """
    table, sources, known = read_labels(stimuli, predictions)
    counts = [k for k in components if k != "all"]
    rows = []
    with store.open_read(geometry, "geometry", stimuli_digest=known["stimuli_digest"]) as file:
        common = {name: file.attrs[name] for name in ("dataset", "network", "seed")}
        common["rendered"] = int(known.get("rendered", 0))
        circular = f"network:{common['network']}"
        settings = _Settings(folds, permutations, resamples, seed)
        questions = []
        for label in labels:
            asked = _ask(table, label, settings)
            asked.said["label_source"] = sources.get(label, "")
            if sources.get(label) == circular:
                asked.notes.insert(0, CIRCULAR)
            questions.append(asked)
        for layer in progress(list(file), "decoding"):
            found = _decode_layer(file[layer]["gram"][:], questions, counts)
            # A layer may be that of several stages.
            for stage in [s for s, own in stages.items() if own == layer] or [""]:
                rows += [{**common, "stage": stage, "layer": layer, **row} for row in found]
    integers = dict.fromkeys(("components_used", "folds", "n", "n_groups"), "Int64")
    return pd.DataFrame(rows, columns=_COLUMNS).astype(integers)


def decode(
    gram: np.ndarray,
    table: pd.DataFrame,
    labels: Sequence[str],
    components: Sequence[int],
    permutations: int = 1000,
    resamples: int = 1000,
    folds: int = 5,
    seed: int = 0,
) -> list[dict[str, object]]:
    """What can be decoded from one layer, as parts of rows of `decode_labels`.

    Parameters
    ----------
    gram : numpy.ndarray, shape (n, n)
        Inner products of the pictures in the layer.
    table : pandas.DataFrame of n rows
        Labels of the face set.
    labels, components, permutations, resamples, folds, seed
        See `decode_labels`.

    Returns
    -------
    list of dict
        A row for each label x number of components.
    """
    settings = _Settings(folds, permutations, resamples, seed)
    return _decode_layer(gram, [_ask(table, label, settings) for label in labels], components)


# ----------------------------------------------------------------- what is asked of every layer


class _Settings(NamedTuple):
    folds: int
    permutations: int
    resamples: int
    seed: int


class _Question(NamedTuple):
    """What is asked about a label, the same of every layer."""

    #: What each row of the table says of it.
    said: dict[str, object]
    notes: list[str]
    #: None where the label cannot be decoded; the notes say why.
    folds: Folds | None = None
    #: Group numbers, or values, of all n pictures; of pictures that are not used any.
    truth: np.ndarray | None = None
    #: Those of the m pictures that are used, and then their permutations, shape (1 + b, m).
    labellings: np.ndarray | None = None
    #: Number of groups; 0 of numbers.
    groups: int = 0
    #: Number of people.
    people: int = 0
    #: First half of the people, second half, another first half, ...; none for identity.
    halves: Sequence[Folds] = ()
    #: How often each person is drawn, shape (resamples, people); for identity.
    drawn: np.ndarray | None = None


def _ask(table: pd.DataFrame, label: str, settings: _Settings) -> _Question:
    known, notes = is_labelled(table, label), []
    numbers = known.any() and label != "identity" and is_numeric_dtype(table[label])
    said = {"label": label, "measure": "r2_held_out" if numbers else "balanced_accuracy"}
    said["n"] = int(known.sum())
    try:
        if not known.any():
            raise FacestagesError(f"the face set has no label '{label}'")
        ask = _ask_identity if label == "identity" else _ask_other
        return ask(table, said, notes, settings)
    except FacestagesError as error:
        return _Question(said, [*notes, str(error)])


def _ask_identity(
    table: pd.DataFrame, said: dict, notes: list[str], settings: _Settings
) -> _Question:
    folds = hold_out_times(table, settings.folds)
    truth = pd.factorize(table["identity"].where(_marked(folds.rows, len(table))))[0]
    people, groups = truth[folds.rows], truth.max() + 1
    others = table.loc[is_labelled(table, "identity"), "identity"].nunique() - groups
    if others:
        notes.append(f"{others} people left out, who have too few {folds.held_out}")
    if folds.held_out == "time blocks":
        notes.append(ONE_RECORDING)
    moved = _swap_people(people, folds.fold, settings.permutations, settings.seed)
    drawn = people_weights(np.arange(groups), settings.resamples, settings.seed)
    said |= _describe(folds, groups, f"from person to person within {folds.held_out}")
    labellings = np.vstack([people, moved]).astype(np.int16)
    return _Question(said, notes, folds, truth, labellings, groups, groups, drawn=drawn)


def _marked(rows: np.ndarray, n: int) -> np.ndarray:
    return np.isin(np.arange(n), rows)


def _describe(folds: Folds, groups: int, moved: str) -> dict[str, object]:
    said = {"held_out": folds.held_out, "folds": len(folds.training), "n": len(folds.rows)}
    said |= {"n_groups": groups, "chance": 1 / groups} if groups else {}
    return said | {"null": moved}


def _swap_people(people: np.ndarray, fold: np.ndarray, permutations: int, seed: int) -> np.ndarray:
    """Person whose name each picture gets: all pictures of one person in one fold the same.

    Pictures of one session, or of one time block, are alike for more reasons than the person. Moved
    one by one they would make the null distribution too narrow.
    """
    rng = np.random.default_rng(seed)
    moved = np.empty((permutations, len(people)), people.dtype)
    for number in np.unique(fold):
        members = fold == number
        present, own = np.unique(people[members], return_inverse=True)
        names = rng.permuted(np.tile(present, (permutations, 1)), axis=1)
        moved[:, members] = names[:, own]
    return moved


def _ask_other(table: pd.DataFrame, said: dict, notes: list[str], settings: _Settings) -> _Question:
    label, identified = said["label"], is_labelled(table, "identity")
    # A picture without a person counts as one of its own.
    people = table["stimulus_id"].where(~identified, table.get("identity")).to_numpy()
    if not identified.any():
        notes.append("people are not known, pictures are taken as independent")
    rows = np.flatnonzero(is_labelled(table, label))
    if said["measure"] == "r2_held_out":
        folds, groups = hold_out_people(people, rows, settings.folds), 0
        truth = table[label].to_numpy(np.float64)
    else:
        folds = _hold_out_names(people, table[label].to_numpy(), rows, settings.folds, notes)
        truth, names = pd.factorize(table[label].where(_marked(folds.rows, len(table))))
        groups = len(names)
    if not identified.any():
        folds = folds._replace(held_out="pictures")
    number = len(set(people[folds.rows]))
    if number < settings.folds:
        notes.append(f"{number} folds, as there are {number} {folds.held_out}")
    if number < _FEWEST_PEOPLE:
        notes.append(f"no interval with fewer than {_FEWEST_PEOPLE} {folds.held_out}")
    used = table.assign(identity=people).iloc[folds.rows]
    permuted = permute_label(used, label, settings.permutations, settings.seed)
    said |= _describe(folds, groups, permuted.how)
    own = truth[folds.rows]
    labellings = np.vstack([own, own[permuted.rows]]).astype(np.int16 if groups else np.float64)
    halves = []
    if number >= _FEWEST_PEOPLE and settings.resamples:
        halves = _halve(people, folds.rows, settings)
    return _Question(said, notes, folds, truth, labellings, groups, number, halves)


def _hold_out_names(
    people: np.ndarray, names: np.ndarray, rows: np.ndarray, folds: int, notes: list[str]
) -> Folds:
    """Hold out people; without names that only people show who are held out together.

    Such a name would never be in the training set when it is asked for.
    """
    while True:
        found = hold_out_people(people, rows, folds)
        spread = pd.Series(found.fold).groupby(names[rows]).nunique()
        alone = spread.index[spread < 2]
        if not len(alone):
            return found
        notes.append(f"left out, not shown by people of two folds: {', '.join(alone)}")
        rows = rows[~np.isin(names[rows], alone)]


def _halve(people: np.ndarray, rows: np.ndarray, settings: _Settings) -> list[Folds]:
    """Folds of one half of the people and of the other, as often as `SPLITS` says."""
    names, person = np.unique(people[rows].astype(str), return_inverse=True)
    rng = np.random.default_rng(settings.seed)
    halves = []
    for _ in range(SPLITS):
        first = (rng.permutation(len(names)) % 2 == 0)[person]
        halves += [hold_out_people(people, rows[half], settings.folds) for half in (first, ~first)]
    return halves


# --------------------------------------------------------------------------- what a layer answers


def _decode_layer(
    gram: np.ndarray, questions: Sequence[_Question], components: Sequence[int]
) -> list[dict[str, object]]:
    """Parts of rows of `decode_labels`: for each label, for each number of components."""
    projected: dict[object, list] = {}
    rows = []
    for question in questions:
        notes, measured = question.notes, [{"value": np.nan} for _ in components]
        if question.folds is not None and components:
            # Labels of the same pictures share folds, and components.
            key = question.folds.held_out, question.folds.rows.tobytes()
            if key not in projected:
                parts = (question.folds, *question.halves)
                projected[key] = [_project_if_any(gram, part, max(components)) for part in parts]
            if projected[key][0] is None:
                notes = [*notes, ALL_THE_SAME]
            else:
                measured = _measure(question, projected[key], components)
        said = {**question.said, "note": "; ".join(notes)}
        rows += [
            {**said, "components": k, **row} for k, row in zip(components, measured, strict=True)
        ]
    return rows


def _project_if_any(gram: np.ndarray, folds: Folds, k: int) -> list[np.ndarray] | None:
    try:
        return project(gram, folds, k)
    except FacestagesError:
        return None


def _measure(
    question: _Question, projected: Sequence[list | None], components: Sequence[int]
) -> list[dict[str, object]]:
    spaces, *of_halves = projected
    scores = _score(question, spaces, question.folds, question.labellings, components)
    if question.drawn is None:
        parts = zip(of_halves, question.halves, strict=True)
        found = [_score_half(question, *part, components) for part in parts]
        halves = np.reshape(found, (-1, 2, len(components)))
        intervals = half_intervals(scores[:, 0], halves, question.people, bool(question.groups))
    else:
        once = question.labellings[:1]
        recall = held_out_recall(spaces, question.folds, once, question.groups, components)[:, 0]
        intervals = [
            interval(weighted_mean(own, question.drawn), question.people) for own in recall
        ]
    narrowest = min(space.shape[1] for space in spaces)
    return [
        {
            "components_used": min(k, narrowest),
            "value": value,
            "ci_low": low,
            "ci_high": high,
            **compare_with_null(value, null, _ROUNDING),
        }
        for k, value, null, (low, high) in zip(
            components, scores[:, 0], scores[:, 1:], intervals, strict=True
        )
    ]


def _score(
    question: _Question,
    spaces: Sequence[np.ndarray],
    folds: Folds,
    labellings: np.ndarray,
    components: Sequence[int],
) -> np.ndarray:
    """Balanced accuracy or held-out R2 of each labelling, shape (len(components), b)."""
    if not question.groups:
        return held_out_r2(spaces, folds, labellings, components)
    recall = held_out_recall(spaces, folds, labellings, question.groups, components)
    return np.nanmean(recall, axis=2)


def _score_half(
    question: _Question,
    spaces: Sequence[np.ndarray] | None,
    folds: Folds,
    components: Sequence[int],
) -> np.ndarray:
    """Scores of one half of the people, shape (len(components),); NaN where all are alike."""
    own = question.truth[folds.rows][None]
    if spaces is None or np.ptp(own) == 0:
        return np.full(len(components), np.nan)
    return _score(question, spaces, folds, own, components)[:, 0]


def half_intervals(
    values: np.ndarray, halves: np.ndarray, people: int, positive: bool
) -> list[tuple[float, float]]:
    """Intervals (95 %) from what two halves of the people gave, several times over.

    Half the difference between two halves that share nothing has the standard error of the whole as
    its root mean square (random groups, Wolter 2007, Introduction to Variance Estimation, chapter
    2). The quantile is Student's, with as many degrees of freedom as there are pairs of halves, or
    people less one.

    Parameters
    ----------
    values : numpy.ndarray, shape (k,)
        Of the whole.
    halves : numpy.ndarray, shape (pairs, 2, k)
        Pairs where either is NaN do not count.
    people : int
        Number of people.
    positive : bool
        Whether the values are shares, which are never below 0.

    Returns
    -------
    list of tuple of float
        Lowest and highest value of each; NaN where there are no halves. Never above 1.
    """
    squares = (halves[:, 0] - halves[:, 1]) ** 2 / 4
    known = np.isfinite(squares)
    with np.errstate(invalid="ignore", divide="ignore"):
        errors = np.sqrt(np.where(known, squares, 0).sum(axis=0) / known.sum(axis=0))
    freedom = np.minimum(known.sum(axis=0), people - 1)
    reach = scipy.stats.t.ppf(0.975, np.maximum(freedom, 1)) * errors
    lowest = 0.0 if positive else -np.inf
    return list(zip(np.maximum(values - reach, lowest), np.minimum(values + reach, 1), strict=True))
