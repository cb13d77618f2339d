"""How separate people, or expressions, lie in a layer's space.

Mean silhouettes, as the paper has them and as a reviewer would ask for them: over groups instead of
pictures, on equal cells, with the other label held constant; beside each what no relation at all
would give, and how sure it is if other people had been seen.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy.linalg

from facestages import store
from facestages.analysis import sampling
from facestages.analysis.permutation import Permutations, compare_with_null, permute_label
from facestages.analysis.resampling import interval, people_weights, weighted_mean
from facestages.analysis.silhouettes import (
    MEASURES,
    centred_distances,
    distances,
    gram_distances,
    mean_silhouettes,
    picture_silhouettes,
)
from facestages.errors import FacestagesError
from facestages.progress import progress
from facestages.stimuli import read_labels

__all__ = [
    "CIRCULAR",
    "distances",
    "gram_distances",
    "is_labelled",
    "score_label",
    "score_separability",
    "silhouette",
    "silhouette_null",
    "silhouette_samples",
]

#: Note where a network is scored with labels that it gave itself.
CIRCULAR = "CIRCULAR: the labels are this network's own predictions"

#: Note of a layer that tells no picture from another.
NO_GEOMETRY = "the layer gives the same output for every picture"

#: The raw silhouette, the mean of the other label (person, or expression) taken away before.
CENTRED = "silhouette_centred"

#: Shares of the variance that components are counted for.
SHARES = (0.6, 0.9)
_OUTSTANDING = "components_parallel_analysis"

# Of more pictures not all eigenvalues are found: it would take longer than the silhouettes.
_MOST_FOR_SPECTRUM = 3000
# So often are few pictures of each person drawn, of so many people at least.
_DRAWS, _FEWEST_PEOPLE = 20, 3
# Rounding in float32 makes equal silhouettes differ by less than this.
_ROUNDING = 1e-6


def silhouette(matrix: np.ndarray, labels: Sequence) -> float:
    """Mean silhouette.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (n, n)
        Distances, or a Gram matrix; told apart by the diagonal, which is zero for distances.
    labels : sequence, shape (n,)
        Group of each row.

    Returns
    -------
    float
        As ``sklearn.metrics.silhouette_score`` gives it; a group of one scores 0.

    Raises
    ------
    FacestagesError
        If there is one group only, or no group has two members.
    """
    return float(silhouette_samples(matrix, labels).mean())


def silhouette_samples(matrix: np.ndarray, labels: Sequence) -> np.ndarray:
    """Silhouette of each picture.

    Parameters and errors are those of `silhouette`.

    Returns
    -------
    numpy.ndarray of float64, shape (n,)
        As ``sklearn.metrics.silhouette_samples`` gives them.
    """
    codes = _encode(labels, len(matrix))
    samples, _ = picture_silhouettes(_as_distances(matrix), codes[None])
    return samples["silhouette"][0]


def silhouette_null(
    matrix: np.ndarray,
    labels: Sequence,
    permutations: int = 1000,
    seed: int = 0,
    rows: np.ndarray | None = None,
) -> np.ndarray:
    """Mean silhouettes of randomly permuted labels: what no relation at all would give.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (n, n)
        Distances or a Gram matrix.
    labels : sequence, shape (n,)
    permutations, seed : int
        For labels that move freely.
    rows : numpy.ndarray, shape (permutations, n), optional
        Where labels move instead; see `analysis.permutation.permute_label`.

    Returns
    -------
    numpy.ndarray of float, shape (permutations,)
    """
    codes = _encode(labels, len(matrix))
    if rows is None:
        rng = np.random.default_rng(seed)
        rows = rng.permuted(np.tile(np.arange(len(codes)), (permutations, 1)), axis=1)
    distance = _as_distances(matrix).astype(np.float32)
    return mean_silhouettes(distance, codes[rows])["silhouette"]


def _as_distances(matrix: np.ndarray) -> np.ndarray:
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise FacestagesError(f"distances must be square, not of shape {matrix.shape}")
    if not np.isfinite(matrix).all():
        raise FacestagesError("distances hold NaN or infinity")
    return gram_distances(matrix) if np.any(np.diag(matrix) != 0) else matrix


def _encode(labels: Sequence, n: int) -> np.ndarray:
    values, codes = np.unique(np.asarray(labels).astype(str), return_inverse=True)
    if len(codes) != n:
        raise FacestagesError(f"{len(codes)} labels for {n} pictures")
    if len(values) < 2:
        raise FacestagesError(f"all {n} pictures have the one label '{values[0]}'; two are needed")
    if len(values) == n:
        raise FacestagesError(f"each of the {n} pictures has a label of its own; none has two")
    return codes


def score_separability(
    geometry: str | os.PathLike,
    stimuli: str | os.PathLike,
    stages: Mapping[str, str],
    labels: Sequence[str],
    components: Sequence[int | str],
    permutations: int,
    predictions: str | os.PathLike | None = None,
    pictures_per_person: int | None = None,
) -> pd.DataFrame:
    """Silhouettes of every recorded layer of one network on one face set.

    Parameters
    ----------
    geometry : path-like
        HDF5 file of `measure_geometry`.
    stimuli : path-like
        The face set.
    stages : mapping of str to str
        Layer of each stage; other layers have none.
    labels : sequence of str
        Labels whose groups are scored, e.g. ``identity``.
    components : sequence of int or "all"
        Numbers of principal components; ``all`` is the layer's full space.
    permutations : int
        Label permutations for z and p; 0 for none.
    predictions : path-like, optional
        A network's predictions, taken as the label ``expression``; see
        `stimuli.read_labels`.
    pictures_per_person : int, optional
        Of people with more pictures so many are drawn, to compare face sets of few and of many
        pictures a person.

    Returns
    -------
    pandas.DataFrame
        Tidy: a row for each stage or further layer x number of components x measure: of each label
        those of `score_label`; ``variance_explained``; and of the whole spectrum, with
        ``components`` all, ``components_60`` and ``components_90``, the numbers of components that
        have so many per cent of the variance, and ``components_parallel_analysis``, of those that
        stand out from unrelated units (`analysis.parallel_analysis`). Where both identity and
        expression are scored, also by number of components the measures of `score_label` with
        ``_overtaking``: the position (0 is the first recorded layer) from which on expression's is
        above identity's; see `overtaking`. Where people have more pictures than
        `pictures_per_person`, also ``silhouette_subsampled``, that of identity on so many of each,
        and ``silhouette_subsampled_change``, how much it differs from that of all. What cannot be
        measured has an empty value and a note. Where the face set is a sample, ``pictures_of`` and
        ``sampled`` say of what, and ``sampling_error`` how far the value may be from that of the
        whole face set (`analysis.sampling.sampling_error`).
    """
    table, sources, known = read_labels(stimuli, predictions)
    moves = {label: _moves(table, label, permutations) for label in labels}
    drawn = _draw_pictures(table, pictures_per_person) if "identity" in labels else None
    rows, curves = [], _Curves()
    expected = {"stimuli_digest": known["stimuli_digest"]}
    with store.open_read(geometry, "geometry", **expected) as file:
        common = {name: file.attrs[name] for name in ("dataset", "network", "seed")}
        common["rendered"] = int(known.get("rendered", 0))
        common |= {name: known[name] for name in ("pictures_of", "sampled") if name in known}
        sample = sampling.read_sample(table, known)
        for layer in progress(list(file), "silhouettes"):
            group, found = file[layer], []
            halves = sample and _read_halves(group, sample)
            for k in components:
                gram, used = _space(group, k)
                explained = 1.0 if k == "all" else float(group["variance_ratio"][:used].sum())
                measured = [{"measure": "variance_explained", "value": explained}]
                if not gram.any():
                    measured[0] |= {"value": np.nan, "note": NO_GEOMETRY}
                for label in labels:
                    network = common["network"]
                    scored = score_label(gram, label, table, sources, network, moves[label])
                    curves.add(k, layer, scored)
                    measured += scored
                if sample is not None:
                    _add_errors(measured, gram, k, table, halves, sample)
                if drawn is not None:
                    measured += _subsampled_rows(group, gram, k, measured, drawn)
                where = {"components": k, "components_used": used}
                found += [{**where, **row} for row in measured]
            found += _spectrum_rows(group)
            # A layer may be that of several stages.
            served = [stage for stage, own in stages.items() if own == layer] or [""]
            rows += [
                {**common, "stage": stage, "layer": layer, **row}
                for stage in served
                for row in found
            ]
        rows += [{**common, **row} for row in curves.overtaking_rows(list(file))]
    return pd.DataFrame(rows, columns=_COLUMNS).astype(
        {"n": "Int64", "n_groups": "Int64", "pictures_of": "Int64"}
    )


_COLUMNS = [
    *("dataset", "rendered", "network", "seed", "stage", "layer", "label", "label_source"),
    *("measure", "components", "components_used", "value", "ci_low", "ci_high", "sampling_error"),
    *("null", "null_mean", "null_sd", "z", "p"),
    *("n", "n_groups", "pictures_of", "sampled", "note"),
]


def _space(group, k: int | str) -> tuple[np.ndarray, int]:
    """Inner products in the first k components or in the full space, and its dimensions."""
    if k == "all":
        return group["gram"].astype(np.float64)[:], math.prod(group.attrs["layer_shape"])
    scores = group["score"][:, :k]
    return scores @ scores.T, scores.shape[1]


def is_labelled(table: pd.DataFrame, label: str) -> np.ndarray:
    """Which pictures have a label; none where the face set lacks it."""
    if label not in table:
        return np.zeros(len(table), bool)
    return (table[label].notna() & (table[label] != "")).to_numpy()


def _moves(table: pd.DataFrame, label: str, permutations: int) -> Permutations | None:
    """Where the pictures' labels move; None where they cannot, or are not asked to."""
    known = is_labelled(table, label)
    if not permutations or not known.any():
        return None
    try:
        return permute_label(table[known], label, permutations)
    except FacestagesError:
        return None


def score_label(
    gram: np.ndarray,
    label: str,
    table: pd.DataFrame,
    sources: Mapping[str, str],
    network: str,
    moved: Permutations | None = None,
) -> list[dict[str, object]]:
    """Silhouettes of one label in one space, as parts of rows of `score_separability`.

    A label is crossed with another one, expression with identity and the other way round; what is
    held constant is the other one (`analysis.silhouettes.MEASURES`, `CENTRED`). Pictures without
    it count as those of one more person, or expression.

    Intervals (95 %) are over people, who are drawn with replacement. A person drawn twice would lie
    at no distance from itself, so what is drawn is not a person's pictures but what leaving them
    out changes: a bootstrap of jackknife pseudo-values (Davison and Hinkley 1997, section 3.2.1).

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
        Name of the network, to mark what is circular.
    moved : Permutations, optional
        Of the pictures that have the label, from `analysis.permutation.permute_label`.

    Returns
    -------
    list of dict
        A row a measure: ``label, label_source, measure, value, ci_low, ci_high, n, n_groups,
        note``; with two people, ``resampled``, the values when people are drawn anew, the same
        people for all labels; with permutations, ``null, null_mean, null_sd, z, p``.
    """
    row = {"label": label, "label_source": "", "n": 0, "n_groups": 0, "value": np.nan}
    known = is_labelled(table, label)
    if not known.any():
        return _not_estimable(row, (*MEASURES, CENTRED), f"the face set has no label '{label}'")
    if not known.all():
        table = table[known]
        gram = gram[np.ix_(known, known)]
    row |= {"label_source": sources[label], "n": len(table), "n_groups": table[label].nunique()}
    row["note"] = CIRCULAR if sources[label] == f"network:{network}" else ""
    if not gram.any():
        return _not_estimable(row, (*MEASURES, CENTRED), NO_GEOMETRY)
    if row["n_groups"] in (1, len(table)):
        why = f"one {label} only" if row["n_groups"] == 1 else f"no {label} has two pictures"
        return _not_estimable(row, (*MEASURES, CENTRED), why)
    codes = pd.factorize(table[label])[0].astype(np.int32)
    stratum, why = _strata(table, label)
    people, number = _people(table)
    labellings = [codes[None]]
    if moved:
        labellings.append(codes[moved.rows])
    if number > 1:
        labellings.append(np.where(people == np.arange(number)[:, None], -1, codes))
    found = _mean_silhouettes(gram, np.concatenate(labellings), stratum)
    rows = []
    for measure, values in found.items():
        value, null, left_out = np.split(values, [1, 1 + (len(moved.rows) if moved else 0)])
        if np.isnan(value[0]):
            continue
        scored = {**row, "measure": measure, "value": value[0]}
        if number > 1:
            # Of very few people, influences may add up to what no silhouette can be.
            resampled = np.clip(_draw_influences(value[0], left_out), -1, 1)
            scored |= {**_ends(resampled, number), "resampled": resampled}
        if moved:
            scored |= {"null": moved.how, **compare_with_null(value[0], null, _ROUNDING)}
        rows.append(scored)
    missing = [name for name in (*MEASURES, CENTRED) if name not in {r["measure"] for r in rows}]
    return rows + _not_estimable(row, missing, why)


def _not_estimable(row: Mapping, measures: Sequence[str], why: str) -> list[dict[str, object]]:
    return [{**row, "measure": measure, "value": np.nan, "note": why} for measure in measures]


def _strata(table: pd.DataFrame, label: str) -> tuple[np.ndarray | None, str]:
    """Code of each picture's person, or expression if people are scored; None where there are none
    or they tell nothing. And what to say of what is not estimable."""
    other = "expression" if label == "identity" else "identity"
    if not is_labelled(table, other).any():
        return None, f"the face set has no label '{other}' to hold constant"
    codes = pd.factorize(table[other].fillna(""))[0]
    if not (table.groupby(codes)[label].nunique() > 1).any():
        return None, f"no {other} has two values of '{label}'"
    return codes, f"no {other} has two pictures of one '{label}' and one of another"


def _people(table: pd.DataFrame) -> tuple[np.ndarray, int]:
    """Code of each picture's person, and the number of people; 0 where they are not known."""
    if not is_labelled(table, "identity").any():
        return np.zeros(len(table), int), 0
    codes, names = pd.factorize(table["identity"].fillna(""))
    return codes, len(names)


def _mean_silhouettes(
    gram: np.ndarray, labellings: np.ndarray, stratum: np.ndarray | None
) -> dict[str, np.ndarray]:
    """Mean silhouettes of each labelling, by measure; without strata those that need none."""
    distance = centred_distances(gram)
    found = mean_silhouettes(distance, labellings, stratum)
    if stratum is None:
        return {name: found[name] for name in ("silhouette", "silhouette_macro")}
    distance = centred_distances(gram, stratum)
    found[CENTRED] = mean_silhouettes(distance, labellings)["silhouette"]
    return found


def _draw_influences(value: float, left_out: np.ndarray) -> np.ndarray:
    """A value when people are drawn anew, from its values without each of them."""
    number = len(left_out)
    pseudo_values = number * value - (number - 1) * left_out
    drawn = people_weights(np.arange(number)) * np.isfinite(pseudo_values)
    pseudo_values = np.where(np.isfinite(pseudo_values), pseudo_values, 0)
    resampled = weighted_mean(pseudo_values, drawn)
    return resampled + value - resampled.mean()


def _draw_pictures(table: pd.DataFrame, number: int | None) -> np.ndarray | None:
    """Rows of so many pictures of each person, shape (draws, people, number); None where that is
    nearly all."""
    known = np.flatnonzero(is_labelled(table, "identity"))
    if number is None or not len(known):
        return None
    own = list(table.iloc[known].groupby("identity", sort=False).indices.values())
    if len(own) < _FEWEST_PEOPLE or min(map(len, own)) < 2 * number:
        return None
    rng = np.random.default_rng(0)
    draws = [[rng.choice(rows, number, replace=False) for rows in own] for _ in range(_DRAWS)]
    return known[np.array(draws)]


def _subsampled_rows(
    group, gram: np.ndarray, k: int | str, scored: Sequence[Mapping], drawn: np.ndarray
) -> list[dict[str, object]]:
    """Identity's silhouette on few pictures of each person, and its difference from that of all."""
    whole = next(
        row for row in scored if (row.get("label"), row["measure"]) == ("identity", "silhouette")
    )
    if "resampled" not in whole:
        return []
    _, number, pictures = drawn.shape
    people = np.repeat(np.arange(number), pictures)
    without = np.where(people == np.arange(number)[:, None], -1, people)
    labellings, found = np.concatenate([people[None], without]), []
    scores = None if k == "all" else group["score"][:]
    for rows in drawn.reshape(len(drawn), -1):
        if scores is None:
            own = gram[np.ix_(rows, rows)]
        else:
            # Each draw has components of its own, as a face set of its size would.
            points = sampling.own_components(scores[rows])[:, :k]
            own = points @ points.T
        found.append(mean_silhouettes(centred_distances(own), labellings)["silhouette"])
    value, left_out = np.split(np.mean(found, axis=0), [1])
    resampled = _draw_influences(value[0], left_out)
    note = f"{pictures} pictures a person, mean of {len(drawn)} draws"
    row = {key: whole[key] for key in ("label", "label_source", "n_groups")}
    row |= {"n": len(people), "note": note}
    measured = (
        ("silhouette_subsampled", value[0], resampled),
        (
            "silhouette_subsampled_change",
            value[0] - whole["value"],
            # The same people are drawn in both.
            resampled - whole["resampled"],
        ),
    )
    return [
        {**row, "measure": measure, "value": one, **_ends(values, number)}
        for measure, one, values in measured
    ]


def _ends(resampled: np.ndarray, people: int) -> dict[str, float]:
    return dict(zip(("ci_low", "ci_high"), interval(resampled, people), strict=True))


def _spectrum_rows(group) -> list[dict[str, object]]:
    """How many components have so many per cent of the variance, or stand out from noise."""
    measures = [*(f"components_{share * 100:.0f}" for share in SHARES), _OUTSTANDING]
    if group.attrs["total_variance"] == 0:
        empty = {"components": "all", "value": np.nan, "note": NO_GEOMETRY}
        return [{**empty, "measure": measure} for measure in measures]
    if len(group["gram"]) <= _MOST_FOR_SPECTRUM:
        values = np.maximum(scipy.linalg.eigvalsh(group["gram"][:])[::-1], 0)
    else:
        values = group["eigenvalue"][:]
    together = np.cumsum(values) / group.attrs["total_variance"]
    found = [_first(together > share - _ROUNDING) + 1 for share in SHARES]
    beside_noise = values <= group.attrs["noise_edge"]
    found.append(
        _first(beside_noise) if len(values) < len(group["gram"]) else float(sum(~beside_noise))
    )
    rows = []
    for measure, number in zip(measures, found, strict=True):
        row = {"measure": measure, "components": "all", "value": number}
        if np.isnan(number):
            row["note"] = f"more than {len(values) - 1}, which are kept"
        rows.append(row)
    return rows


def _first(true: np.ndarray) -> float:
    """Where the first true value is; NaN if there is none."""
    return float(np.argmax(true)) if true.any() else np.nan


# -------------------------------------------------------------------------- from layer to layer


def overtaking(first: np.ndarray, second: np.ndarray) -> float:
    """Where one curve over layers comes to stay above another.

    Parameters
    ----------
    first, second : numpy.ndarray, shape (layers,)

    Returns
    -------
    float
        Position from which on `second` is above `first`, by linear interpolation between layers: 0
        if it always is, infinite if it is not at the last layer.
    """
    ahead = second - first
    if not ahead[-1] > 0:
        return np.inf
    behind = np.flatnonzero(ahead <= 0)
    if len(behind) == 0:
        return 0.0
    last = behind[-1]
    return float(last + ahead[last] / (ahead[last] - ahead[last + 1]))


class _Curves:
    """Silhouettes of identity and expression from layer to layer, and when people are drawn."""

    def __init__(self) -> None:
        # By components, measure and label: for each layer the value, then those of the resamples.
        self.found: dict[tuple, dict[str, np.ndarray]] = {}

    def add(self, k: int | str, layer: str, scored: Sequence[Mapping]) -> None:
        """Take rows of `score_label`."""
        for row in scored:
            if "resampled" in row and row["label"] in ("identity", "expression"):
                key = (k, row["measure"], row["label"])
                values = np.append(row["value"], row["resampled"])
                self.found.setdefault(key, {})[layer] = values

    def overtaking_rows(self, layers: Sequence[str]) -> list[dict[str, object]]:
        """Where expression overtakes identity, by components and measure."""
        rows = []
        for (k, measure, label), of_identity in self.found.items():
            of_expression = self.found.get((k, measure, "expression"), {})
            known = [name for name in layers if name in of_identity and name in of_expression]
            if label != "identity" or len(known) < 2:
                continue
            pairs = zip(
                np.stack([of_identity[name] for name in known], axis=1),
                np.stack([of_expression[name] for name in known], axis=1),
                strict=True,
            )
            value, *resampled = (overtaking(*curves) for curves in pairs)
            row = {"label": "expression over identity", "measure": f"{measure}_overtaking"}
            row |= {"components": k, **_position(value, np.array(resampled))}
            rows.append(row)
        return rows


def _position(value: float, resampled: np.ndarray) -> dict[str, object]:
    """A position between layers and its interval; a note where there is none."""
    low, high = np.quantile(resampled, [0.025, 0.975], method="nearest")
    never = np.mean(np.isinf(resampled))
    note = f"in {never:.0%} of the resamples of people never" if never else ""
    ends = (end if np.isfinite(end) else np.nan for end in (value, low, high))
    return {**dict(zip(("value", "ci_low", "ci_high"), ends, strict=True)), "note": note}


# ------------------------------------------------------------------------- samples of face sets


class _Halves(NamedTuple):
    """A layer's space in a sample and in its halves."""

    #: Principal components, shape (n, kept).
    scores: np.ndarray
    #: Shares of variance of the components of each first and each second half, (splits, kept).
    ratios: tuple[np.ndarray, np.ndarray]


def _read_halves(group, sample: sampling.Sample) -> _Halves:
    scores = group["score"][:]
    return _Halves(scores, sampling.half_variance_ratios(group["gram"], scores, sample.halves))


def _add_errors(
    rows: Sequence[dict],
    gram: np.ndarray,
    k: int | str,
    table: pd.DataFrame,
    halves: _Halves,
    sample: sampling.Sample,
) -> None:
    """Add to the measurements in one space the error that the sampling puts into them."""
    explained, *silhouettes = rows
    explained["sampling_error"] = 0.0
    if k != "all":
        shares = (ratios[:, :k].sum(axis=1) for ratios in halves.ratios)
        explained["sampling_error"] = sampling.sampling_error(
            explained["value"], *shares, sample.share
        )
    labels = dict.fromkeys(row["label"] for row in silhouettes)
    found = []
    for half in np.concatenate([sample.halves, ~sample.halves]):
        # Each half has components of its own.
        members = np.flatnonzero(half)
        if k == "all":
            own = gram[np.ix_(members, members)]
        else:
            scores = sampling.own_components(halves.scores[members])[:, :k]
            own = scores @ scores.T
        found.append({label: _values(own, label, table.iloc[members]) for label in labels})
    for row in silhouettes:
        values = [half[row["label"]].get(row["measure"], np.nan) for half in found]
        first, second = np.reshape(values, (2, -1))
        row["sampling_error"] = sampling.sampling_error(row["value"], first, second, sample.share)


def _values(gram: np.ndarray, label: str, table: pd.DataFrame) -> dict[str, float]:
    """Mean silhouettes by measure, as far as there are any."""
    known = is_labelled(table, label)
    if not known.any():
        return {}
    table, gram = table[known], gram[np.ix_(known, known)]
    codes, names = pd.factorize(table[label])
    if len(names) < 2 or len(names) == len(table):
        return {}
    found = _mean_silhouettes(gram, codes[None], _strata(table, label)[0])
    return {measure: values[0] for measure, values in found.items()}
