"""Silhouettes of one label in one space, with intervals and null distributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse.csgraph import connected_components

from facestages.analysis.distances import Points, centred_space, plain_space, stratum_effects
from facestages.analysis.labels import (
    NO_GEOMETRY,
    circular_note,
    is_labelled,
    join_notes,
    no_label,
)
from facestages.analysis.permutation import Permutations, compare_with_null
from facestages.analysis.resampling import FEWEST_PEOPLE, pseudo_interval, pseudo_values
from facestages.analysis.silhouettes import MEASURES, mean_silhouettes
from facestages.errors import shorten
from facestages.stimuli.sample import people_of

#: The silhouette of points minus the effect of the other label (`distances.stratum_effects`).
CENTRED = "silhouette_centred"

#: All measures of a label, in the order of their rows.
SCORES = (*MEASURES, CENTRED)

# Equal silhouettes differ by less than this, because they are sums in float32.
_ROUNDING = 1e-6
# Why a silhouette has no p-value.
_NO_TEST = "no p, as no permutation that the design allows changes it"
# Why a silhouette is not centred.
_APART = "people fall into sets that share no expression"


class Design(NamedTuple):
    """The m pictures of a face set that have a label, and how the other label divides them."""

    #: Their rows, and whether they are all rows.
    rows: np.ndarray
    is_whole: bool
    #: Group of each, from 0.
    codes: np.ndarray
    #: Stratum of each, by the label that is held constant; None where `why` says why not.
    stratum: np.ndarray | None
    why: str
    #: Of `distances.stratum_effects`; None if strata share no group, so that they do not compare.
    effects: np.ndarray | None
    #: Whether a stratum has two groups. Else its effect is not apart from that of the group.
    is_told_apart: np.ndarray

    @property
    def number(self) -> int:
        """How many groups there are."""
        return int(self.codes.max()) + 1

    def take(self, space: np.ndarray | Points) -> np.ndarray | Points:
        """Inner products or points of these pictures."""
        if self.is_whole:
            return space
        if isinstance(space, Points):
            return Points(space.coordinates[self.rows])
        return space[np.ix_(self.rows, self.rows)]


def design_label(table: pd.DataFrame, label: str) -> Design | None:
    """The design of one label in a table of pictures; None without a picture that has it."""
    labelled = is_labelled(table, label)
    if not labelled.any():
        return None
    table = table[labelled]
    codes = pd.factorize(table[label])[0].astype(np.int32)
    stratum, why = _strata(table, label)
    effects, is_told_apart = None, np.ones(len(codes), bool)
    if stratum is not None:
        is_told_apart = (pd.Series(codes).groupby(stratum).transform("nunique") > 1).to_numpy()
        if _share_groups(stratum[is_told_apart], codes[is_told_apart]):
            effects = stratum_effects(stratum, codes)
    rows = np.flatnonzero(labelled)
    return Design(rows, bool(labelled.all()), codes, stratum, why, effects, is_told_apart)


def score_label(
    space: np.ndarray | Points,
    label: str,
    table: pd.DataFrame,
    sources: Mapping[str, str],
    network: str,
    moved: Permutations | None = None,
    left_out: Mapping[str, Mapping[str, float]] | None = None,
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
    space : numpy.ndarray, shape (n, n), or Points
        Inner products of the pictures' centred points, or these points.
    label : str
    table : pandas.DataFrame of n rows
        Labels of the face set; pictures without this one are left out.
    sources : mapping of str to str
        Source of each label.
    network : str
        Name of the network; labels that it gave itself are marked as circular.
    moved : Permutations, optional
        Permutations of the labelled pictures, from `analysis.permutation.permute_label`.
    left_out : mapping of str to mapping, optional
        By person, the values of others (`score_values`) in a space that was fitted to them. If not
        given, people are left out in the same space.

    Returns
    -------
    list of dict
        A row a measure: ``label, label_source, measure, value, ci_low, ci_high, n, n_groups,
        note``; ``pseudo_values`` of each of ``people``; with permutations, ``null, null_mean,
        null_sd, z, p``. There is no interval with fewer than three people, nor where one person
        alone shows a group.
    """
    row = {"label": label, "label_source": "", "n": 0, "n_groups": 0, "value": np.nan}
    design = design_label(table, label)
    if design is None:
        return _without_value(row, SCORES, no_label(label))
    table, space, codes = table.iloc[design.rows], design.take(space), design.codes
    row |= {"label_source": sources[label], "n": len(table), "n_groups": design.number}
    row["note"] = circular_note([sources[label]], network)
    if not _has_extent(space):
        return _without_value(row, SCORES, NO_GEOMETRY)
    if row["n_groups"] in (1, len(table)):
        why = f"one {label} only" if row["n_groups"] == 1 else f"no {label} has two pictures"
        return _without_value(row, SCORES, why)
    people, names = _identities(table)
    labellings, no_interval = codes[None], _no_interval(table, label, people)
    if not no_interval and left_out is None:
        labellings = np.concatenate([labellings, leave_each_out(codes, people)])
    row["note"] = join_notes(row["note"], no_interval)
    means, nulls = _mean_silhouettes(space, labellings, design), {}
    if not no_interval and left_out is not None:
        means = {
            name: [*value, *(left_out.get(person, {}).get(name, np.nan) for person in names)]
            for name, value in means.items()
        }
    if moved is not None:
        labellings = np.concatenate([codes[None], codes[moved.rows]])
        nulls = _mean_silhouettes(space, labellings, design, is_fitted=False)
    rows = []
    for measure, (value, *others) in means.items():
        if np.isnan(value):
            continue
        scored = {**row, "measure": measure, "value": value}
        if not no_interval:
            scored |= interval_columns(pseudo_values(value, np.array(others)))
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
            is_apart = name == CENTRED and design.stratum is not None
            rows += _without_value(row, [name], _APART if is_apart else design.why)
    return rows


def score_values(
    space: np.ndarray | Points, designs: Mapping[str, Design | None]
) -> dict[str, dict[str, float]]:
    """The values of `score_label` alone, by label and measure, as far as there are any."""
    scored = {}
    for label, design in designs.items():
        if design is not None and design.number not in (1, len(design.codes)):
            means = _mean_silhouettes(design.take(space), design.codes[None], design)
            scored[label] = {measure: values[0] for measure, values in means.items()}
    return scored


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
    space: np.ndarray | Points, labellings: np.ndarray, design: Design, is_fitted: bool = True
) -> dict[str, np.ndarray]:
    """Mean silhouettes of each labelling, by measure; without strata, those that need none.

    If `is_fitted`, the label decides how points are centred; otherwise the mean of each stratum
    does. A fit favours the labels that it knows, so it cannot be compared with permuted ones; and
    without an effect, means are centred as well.
    """
    stratum = design.stratum
    means = mean_silhouettes(plain_space(space), labellings, stratum)
    if stratum is None:
        return {name: means[name] for name in ("silhouette", "silhouette_macro")}
    if design.effects is None:
        return means
    fitted = (design.codes, design.effects) if is_fitted else ()
    centred = centred_space(space, stratum, *fitted)
    counted = np.where(design.is_told_apart, labellings, -1)
    return {**means, CENTRED: mean_silhouettes(centred, counted)["silhouette"]}


def _has_extent(space: np.ndarray | Points) -> bool:
    return bool((space.coordinates if isinstance(space, Points) else space).any())


def _share_groups(stratum: np.ndarray, group: np.ndarray) -> bool:
    """Whether strata are linked by groups that they share, so that their effects compare."""
    pairs = np.zeros((stratum.max() + 1, group.max() + 1), bool)
    pairs[stratum, group] = True
    pairs = pairs[pairs.any(axis=1)]
    return connected_components(pairs @ pairs.T, directed=False)[0] == 1
