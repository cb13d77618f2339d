"""Layers beside a reference: what all kinds of references share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse.csgraph import connected_components

from facestages.analysis.crossed import Estimate, Shared, interval_note
from facestages.analysis.judgements import Judged, rank_judgements
from facestages.analysis.labels import is_labelled, join_notes
from facestages.analysis.layers import Layer
from facestages.analysis.rdms import MODELS, have_labels, model_rdm
from facestages.errors import FacestagesError
from facestages.references.files import Reference
from facestages.stimuli.sample import people_of

#: Models of which judgements and layers are mixed: identity, affect, category.
PARTS = {"identity": "identity", "affect": "affect", "category": "expression"}

#: Note of everything that follows from simulated observers.
SIMULATED = "SIMULATED observers, no people"


class Shown(NamedTuple):
    """Pictures that are measured, or conditions of several, that a reference is about."""

    #: A row a picture or condition, whose name is in ``stimulus_id``.
    table: pd.DataFrame
    #: Code of the person on each; conditions that share a person have the same.
    people: np.ndarray
    #: Share of each picture in each condition (conditions, n), if conditions have several, and the
    #: code of the person on each picture.
    shares: np.ndarray | None = None
    people_of_pictures: np.ndarray | None = None

    def count_people(self, *rows: np.ndarray) -> int:
        """How many people are on some pictures, or on those of some conditions."""
        rows = np.unique(np.concatenate(rows))
        if self.shares is None:
            return len(np.unique(self.people[rows]))
        return len(np.unique(self.people_of_pictures[self.shares[rows].any(axis=0)]))

    def find(self, names: Sequence[str]) -> np.ndarray:
        """Row of each picture; -1 of one that is not measured."""
        return pd.Index(self.table["stimulus_id"]).get_indexer(names)


def open_shown(table: pd.DataFrame, conditions: Mapping[str, Sequence[str]]) -> Shown:
    """The measured pictures, a row of `table` each, with the codes of people.

    If conditions have several pictures, those of them that have a measured one: with the labels
    that all of its pictures have, or the mean of numbers.
    """
    people = pd.factorize(people_of(table))[0]
    if not conditions:
        return Shown(table, people)
    rows = {name: table["stimulus_id"].isin(ids).to_numpy() for name, ids in conditions.items()}
    rows = {name: own for name, own in rows.items() if own.any()}
    members = np.reshape([*rows.values()], (len(rows), len(table))).astype(float)
    summaries = [
        {**{label: _in_common(table.loc[own, label]) for label in table}, "stimulus_id": name}
        for name, own in rows.items()
    ]
    of_people = members @ np.eye(people.max() + 1)[people]
    _, groups = connected_components(of_people @ of_people.T)
    shares = members / members.sum(axis=1, keepdims=True)
    return Shown(pd.DataFrame(summaries, columns=table.columns), groups, shares, people)


def _in_common(values: pd.Series) -> object:
    if pd.api.types.is_numeric_dtype(values):
        return values.mean(skipna=False)
    return values.iloc[0] if values.nunique(dropna=False) == 1 else ""


class JudgedPairs(NamedTuple):
    """Judgements of pairs of which both pictures are measured."""

    #: Rows of both pictures, (m,) each.
    first: np.ndarray
    second: np.ndarray
    #: Dissimilarities, (raters, m), and their ranks.
    judged: np.ndarray
    ranked: Judged
    #: How many raters, people and pairs there are, and what intervals are over.
    columns: dict[str, object]

    @property
    def note_on_ceiling(self) -> str:
        """What is to be said of the noise ceiling."""
        same = np.isfinite(self.judged).all()
        return "" if same else "raters judged different pairs, so a layer may exceed the ceiling"


def count_columns(shown: Shown, raters: int, shared: Shared, *ends: np.ndarray) -> dict:
    """``raters, people, n`` of judgements about rows; a note if intervals are over one alone."""
    people, note = shown.count_people(*ends), interval_note(raters, shared)
    return {"raters": raters, "people": people, "n": len(ends[0]), "note": note}


def open_pairs(shown: Shown, reference: Reference) -> JudgedPairs:
    """Judgements without time; raters without two different ones are left out."""
    first, second = (shown.find(names) for names in (reference.first, reference.second))
    used = (first >= 0) & (second >= 0)
    require_pairs(int(used.sum()), f"reference {reference.name}")
    judged = reference.dissimilarity[:, 0, used]
    judged = judged[[len(np.unique(one[np.isfinite(one)])) > 1 for one in judged]]
    if not len(judged):
        raise FacestagesError(f"reference {reference.name}: no rater tells two of its pairs apart")
    # Pairs that nobody judged tell nothing, and show nobody.
    by_any = np.isfinite(judged).any(axis=0)
    judged, first, second = judged[:, by_any], first[used][by_any], second[used][by_any]
    ranked = rank_judgements(judged, shown.people[first], shown.people[second])
    columns = count_columns(shown, len(judged), ranked.shared, first, second)
    return JudgedPairs(first, second, judged, ranked, columns)


def pair_distances(layer: Layer, shown: Shown, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Euclidean distances (m,) in a layer, of pairs of rows; conditions are means of pictures."""
    gram = layer.gram[:]
    if shown.shares is not None:
        gram = shown.shares @ gram @ shown.shares.T
    squares = np.diag(gram).astype(np.float64)
    return np.sqrt(np.maximum(squares[first] + squares[second] - 2.0 * gram[first, second], 0))


def missing_models(found: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """Rows that say which of `PARTS` are no model here, and why."""
    for part, model in PARTS.items():
        if part not in found:
            labels = " or ".join(MODELS[model])
            note = f"no model: some picture or condition has no {labels}, or all have the same"
            yield {"measure": "rho_a", "label": part, "note": note}


def model_distances(shown: Shown, first: np.ndarray, second: np.ndarray) -> dict[str, np.ndarray]:
    """What each of `PARTS` predicts of pairs of rows, where all labels are there and differ."""
    rows, places = np.unique([first, second], return_inverse=True)
    table = shown.table.iloc[rows].reset_index(drop=True)
    first, second = places.reshape(2, -1)
    found = {}
    for part, model in PARTS.items():
        labelled = all(is_labelled(table, label).any() for label in MODELS[model])
        if not labelled or not have_labels(table, MODELS[model]).all():
            continue
        low, high = np.minimum(first, second), np.maximum(first, second)
        # The place of a pair in a condensed RDM.
        place = low * len(table) - low * (low + 1) // 2 + high - low - 1
        distances = model_rdm(table, model)[place].astype(float)
        if np.ptp(distances) > 0:
            found[part] = distances
    return found


def common_columns(reference: Reference) -> dict[str, object]:
    """Columns that are the same in all rows about a reference."""
    sizes = sorted(len(pictures) for pictures in reference.conditions.values())
    how_many = " to ".join(dict.fromkeys(map(str, sizes[:1] + sizes[-1:])))
    of_means = f"conditions are means of {how_many} pictures" if sizes else ""
    return {
        "reference": reference.name,
        "simulated": int(reference.simulated),
        "note": join_notes(SIMULATED if reference.simulated else "", of_means),
    }


def add_columns(common: Mapping[str, object], row: Mapping[str, object]) -> dict[str, object]:
    """A row with columns that it shares with others; notes are joined."""
    return {**common, **row, "note": join_notes(common["note"], row.get("note", ""))}


def estimate_columns(
    found: Estimate, place: tuple | int = (), scale: float = 1
) -> dict[str, float]:
    """``value, ci_low, ci_high, p`` of one of the means of an estimate."""
    names = {"value": found.value, "ci_low": found.low, "ci_high": found.high}
    columns = {name: float(np.asarray(array)[place]) * scale for name, array in names.items()}
    return columns | {"p": float(np.asarray(found.p)[place])}


def require_pairs(number: int, what: str) -> None:
    """Refuse a reference of which too little is measured."""
    if number < 3:
        raise FacestagesError(f"{what}: {number or 'none'} of its pictures are measured together")


def changes(
    of_stages: Mapping[str, np.ndarray], estimate_of: Callable[[np.ndarray], Estimate]
) -> list[dict[str, object]]:
    """Rows of ``rho_a_change`` or the like, from each stage to each later one.

    `of_stages` has the contributions of a measure by stage, in the order of the network.
    """
    stages = list(of_stages)
    return [
        {
            "label": f"{stages[i]} to {stages[j]}",
            **estimate_columns(estimate_of(of_stages[stages[j]] - of_stages[stages[i]])),
        }
        for i in range(len(stages))
        for j in range(i + 1, len(stages))
    ]
