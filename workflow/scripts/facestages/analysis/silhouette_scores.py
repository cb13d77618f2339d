"""Silhouettes of one label in one space, with intervals and null distributions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.sparse.csgraph import connected_components

from facestages.analysis.labels import (
    NO_GEOMETRY,
    circular_note,
    is_labelled,
    join_notes,
    no_label,
)
from facestages.analysis.permutation import Permutations, compare_with_null
from facestages.analysis.resampling import FEWEST_PEOPLE, pseudo_interval, pseudo_values
from facestages.analysis.silhouettes import MEASURES, centred_distances, mean_silhouettes
from facestages.errors import shorten
from facestages.stimuli.sample import people_of

#: The silhouette of points minus the effect of the other label (`silhouettes.centred_distances`).
CENTRED = "silhouette_centred"

#: All measures of a label, in the order of their rows.
SCORES = (*MEASURES, CENTRED)

# Equal silhouettes differ by less than this, because they are sums in float32.
_ROUNDING = 1e-6
# Why a silhouette has no p-value.
_NO_TEST = "no p, as no permutation that the design allows changes it"
# Why a silhouette is not centred.
_APART = "people fall into sets that share no expression"


def score_label(
    gram: np.ndarray,
    label: str,
    table: pd.DataFrame,
    sources: Mapping[str, str],
    network: str,
    moved: Permutations | None = None,
    without: Iterable[tuple[str, np.ndarray, np.ndarray]] | None = None,
) -> list[dict[str, object]]:
    """Silhouettes of one label in one space, as parts of rows of `score_separability`.

    Some measures (`analysis.silhouettes.MEASURES`, `CENTRED`) hold the other label constant:
    expression where identity is scored, else identity. Pictures without it count as one more
    expression, or identity.

    Intervals (95 %) are over people, from jackknife pseudo-values (`analysis.resampling`): what
    leaving each person out changes. The pictures themselves cannot be drawn, because a person drawn
    twice would lie at no distance from the copy.

    Parameters
    ----------
    gram : numpy.ndarray, shape (n, n)
        Inner products of the pictures' centred points.
    label : str
    table : pandas.DataFrame of n rows
        Labels of the face set; pictures without this one are left out.
    sources : mapping of str to str
        Source of each label.
    network : str
        Name of the network; labels that it gave itself are marked as circular.
    moved : Permutations, optional
        Permutations of the labelled pictures, from `analysis.permutation.permute_label`.
    without : iterable of (str, numpy.ndarray, numpy.ndarray), optional
        Of each person: the name, the rows (m,) of the pictures of others, and the inner products
        (m, m) of these in a space that was fitted to them. If not given, the space stays.

    Returns
    -------
    list of dict
        A row a measure: ``label, label_source, measure, value, ci_low, ci_high, n, n_groups,
        note``; ``pseudo_values`` of each of ``people``; with permutations, ``null, null_mean,
        null_sd, z, p``. There is no interval with fewer than three people, nor where one person
        alone shows a group.
    """
    row = {"label": label, "label_source": "", "n": 0, "n_groups": 0, "value": np.nan}
    labelled, whole = is_labelled(table, label), table
    if not labelled.any():
        return _without_value(row, SCORES, no_label(label))
    if not labelled.all():
        table = table[labelled]
        gram = gram[np.ix_(labelled, labelled)]
    row |= {"label_source": sources[label], "n": len(table), "n_groups": table[label].nunique()}
    row["note"] = circular_note([sources[label]], network)
    if not gram.any():
        return _without_value(row, SCORES, NO_GEOMETRY)
    if row["n_groups"] in (1, len(table)):
        why = f"one {label} only" if row["n_groups"] == 1 else f"no {label} has two pictures"
        return _without_value(row, SCORES, why)
    codes = pd.factorize(table[label])[0].astype(np.int32)
    stratum, why = _strata(table, label)
    people, names = _identities(table)
    labellings, no_interval = codes[None], _no_interval(table, label, people)
    if not no_interval and without is None:
        labellings = np.concatenate([labellings, leave_each_out(codes, people)])
    row["note"] = join_notes(row["note"], no_interval)
    means, nulls = _mean_silhouettes(gram, labellings, stratum), {}
    if not no_interval and without is not None:
        left_out = _score_others(without, names, label, whole)
        means = {name: np.append(value, left_out[name]) for name, value in means.items()}
    if moved is not None:
        labellings = np.concatenate([codes[None], codes[moved.rows]])
        nulls = _mean_silhouettes(gram, labellings, stratum, is_fitted=False)
    rows = []
    for measure, (value, *left_out) in means.items():
        if np.isnan(value):
            continue
        scored = {**row, "measure": measure, "value": value}
        if not no_interval:
            scored |= interval_columns(pseudo_values(value, np.array(left_out)))
            scored["people"] = names
        if moved is not None:
            tested, *null = nulls[measure]
            scored |= {"null": moved.how, **compare_with_null(tested, np.array(null), _ROUNDING)}
            if np.isnan(scored["p"]):
                scored["note"] = join_notes(scored["note"], _NO_TEST)
        rows.append(scored)
    measured = {scored["measure"] for scored in rows}
    for name in SCORES:
        if name not in measured:
            is_apart = name == CENTRED and stratum is not None
            rows += _without_value(row, [name], _APART if is_apart else why)
    return rows


def _score_others(
    without: Iterable[tuple[str, np.ndarray, np.ndarray]],
    names: Sequence[str],
    label: str,
    table: pd.DataFrame,
) -> dict[str, np.ndarray]:
    """Values (people,) without each of the people, by measure; parameters are of `score_label`."""
    known = set(names)
    scored = {
        name: score_values(gram, label, table.iloc[rows])
        for name, rows, gram in without
        if name in known
    }
    return {
        measure: np.array([scored.get(name, {}).get(measure, np.nan) for name in names])
        for measure in SCORES
    }


def score_values(gram: np.ndarray, label: str, table: pd.DataFrame) -> dict[str, float]:
    """The values of `score_label` alone, by measure, as far as there are any."""
    labelled = is_labelled(table, label)
    if not labelled.any():
        return {}
    table, gram = table[labelled], gram[np.ix_(labelled, labelled)]
    codes, names = pd.factorize(table[label])
    if len(names) < 2 or len(names) == len(table):
        return {}
    means = _mean_silhouettes(gram, codes[None], _strata(table, label)[0])
    return {measure: values[0] for measure, values in means.items()}


def leave_each_out(codes: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Labellings (people, n) for `mean_silhouettes`, each without one person."""
    return np.where(people == np.arange(people.max() + 1)[:, None], -1, codes)


def interval_columns(pseudo: np.ndarray, most: float = 1.0) -> dict[str, object]:
    """The columns ``ci_low`` and ``ci_high``, and the pseudo-values (people,) that they are of.

    With very few people, an interval of silhouettes may leave their range, -1 to 1; it is cut.
    """
    ends = np.clip(pseudo_interval(pseudo), -most, most)
    return {"ci_low": ends[0], "ci_high": ends[1], "pseudo_values": pseudo}


def _without_value(row: Mapping, measures: Sequence[str], why: str) -> list[dict[str, object]]:
    return [{**row, "measure": measure, "value": np.nan, "note": why} for measure in measures]


def _strata(table: pd.DataFrame, label: str) -> tuple[np.ndarray | None, str]:
    """Group of each picture by the label that is held constant, and a note where that fails.

    None where the face set lacks that label, or each of its groups has one value of the scored one.
    """
    other = "expression" if label == "identity" else "identity"
    if not is_labelled(table, other).any():
        return None, f"{no_label(other)} to hold constant"
    codes = pd.factorize(table[other].fillna(""))[0]
    # A series, because pandas first looks whether the codes name a column of a data frame, slowly.
    if not (table[label].groupby(codes).nunique() > 1).any():
        return None, f"no {other} has two values of '{label}'"
    return codes, f"no {other} has two pictures of one '{label}' and one of another"


def _identities(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Number of each picture's person, from 0, and the people's names.

    All pictures of unknown people count as one person's.
    """
    return pd.factorize(people_of(table))


def _no_interval(table: pd.DataFrame, label: str, people: np.ndarray) -> str:
    """Why leaving people out in turn says nothing about how far people differ; empty if it does."""
    number = people.max() + 1
    if number == 1:
        return "no two people, so no interval"
    if number < FEWEST_PEOPLE:
        return f"{number} people, so no interval"
    shown_by = pd.Series(people).groupby(table[label].to_numpy()).nunique()
    alone = [] if label == "identity" else shown_by.index[shown_by == 1]
    return f"one person alone shows {shorten(alone[0])}, so no interval" if len(alone) else ""


def _mean_silhouettes(
    gram: np.ndarray, labellings: np.ndarray, stratum: np.ndarray | None, is_fitted: bool = True
) -> dict[str, np.ndarray]:
    """Mean silhouettes of each labelling, by measure; without strata, those that need none.

    If `is_fitted`, the first labelling decides how points are centred (`centred_distances`);
    otherwise the mean of each stratum does. A fit favours the labels that it knows, so it cannot
    be compared with permuted ones; and without an effect, means are centred as well.
    """
    means = mean_silhouettes(centred_distances(gram), labellings, stratum)
    if stratum is None:
        return {name: means[name] for name in ("silhouette", "silhouette_macro")}
    group = pd.factorize(labellings[0])[0]
    # A stratum of one group has no effect apart from that of the group.
    is_told_apart = (pd.Series(group).groupby(stratum).transform("nunique") > 1).to_numpy()
    if not _share_groups(stratum[is_told_apart], group[is_told_apart]):
        return means
    distance = centred_distances(gram, stratum, group if is_fitted else None)
    centred = mean_silhouettes(distance, np.where(is_told_apart, labellings, -1))
    return {**means, CENTRED: centred["silhouette"]}


def _share_groups(stratum: np.ndarray, group: np.ndarray) -> bool:
    """Whether strata are linked by groups that they share, so that their effects compare."""
    pairs = np.zeros((stratum.max() + 1, group.max() + 1), bool)
    pairs[stratum, group] = True
    pairs = pairs[pairs.any(axis=1)]
    return connected_components(pairs @ pairs.T, directed=False)[0] == 1
