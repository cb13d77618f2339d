"""How well identities, and expressions, are separated in a layer's space.

The measures are mean silhouettes: over pictures, as in the paper; over groups; on equal cells; and
with the other label held constant. Each has a null distribution and an interval over people.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
import scipy.linalg

from facestages import tables
from facestages.analysis import sampling
from facestages.analysis.distances import Points
from facestages.analysis.jackknife import Others, leave_people_out
from facestages.analysis.labels import NO_GEOMETRY, is_labelled
from facestages.analysis.layers import Geometry, Layer, Rows, place_rows, tabulate
from facestages.analysis.permutation import Permutations, each_number, permute_label
from facestages.analysis.resampling import (
    FEWEST_PEOPLE,
    people_weights,
    pseudo_values,
    weighted_mean,
)
from facestages.analysis.silhouette_scores import (
    Design,
    design_label,
    interval_columns,
    score_label,
    score_values,
)
from facestages.errors import FacestagesError
from facestages.progress import progress
from facestages.stimuli.sample import people_of

#: Shares of the variance; the components that reach them are counted.
SHARES = (0.6, 0.9)

# For more pictures, finding all eigenvalues would take longer than the silhouettes.
_MOST_FOR_SPECTRUM = 3000
# Rounding errors of a share of variance are smaller than this.
_ROUNDING = 1e-6

#: Columns of the table of people.
PEOPLE = (
    *("dataset", "network", "seed", "stage", "layer", "label", "measure", "components"),
    *("identity", "pseudo_value"),
)

# Curves over layers, by number of components, measure and label: for each layer, in order, an array
# of the value and its resamples.
_Curves = dict[tuple[int | str, str, str], dict[str, np.ndarray]]


@tabulate(
    *("label", "label_source", "measure", "components", "components_used"),
    *("value", "ci_low", "ci_high", "sampling_error", "null", "null_mean", "null_sd", "z", "p"),
    *("n", "n_groups", "pictures_of", "sampled", "note"),
)
def score_separability(
    geometry: Geometry,
    labels: Sequence[str],
    components: Sequence[int | str],
    permutations: int | Sequence[int],
    people: str | os.PathLike | None = None,
) -> Iterator[tuple[Layer | None, Rows]]:
    """Silhouettes of every recorded layer of one network on one face set.

    Parameters
    ----------
    geometry, stimuli, stages, predictions
        See `analysis.layers.tabulate`.
    labels : sequence of str
        Labels whose groups are scored, e.g. ``identity``.
    components : sequence of int or "all"
        Numbers of principal components; ``all`` is the layer's full space.
    permutations : int or sequence of int
        Label permutations for z and p, 0 for none; or those of each number of components.
    people : path-like, optional
        Table to write, with the columns `PEOPLE`: what each person contributes to each value of the
        layers of stages that has an interval. The pseudo-values of a value have it as their mean,
        and give its interval (`analysis.resampling.pseudo_interval`), also that of a difference
        between two rows of a face set, person by person.

    Returns
    -------
    pandas.DataFrame
        Tidy. A value that cannot be measured is empty and has a note. The measures are:

        - of each layer, number of components and label, those of `score_label`;
        - of each layer and number of components, ``variance_explained``;
        - of each layer, ``components_60`` and ``components_90``, how many components reach that
          percentage of the variance, and ``components_parallel_analysis``, how many stand out from
          unrelated units (`analysis.parallel_analysis`);
        - of each number of components, if both identity and expression are scored, the measures of
          `score_label` with ``_overtaking``: the position (0 is the first recorded layer) from
          which on expression's is above identity's (`overtaking`), both less the mean of permuted
          labels.

        If the face set is a sample, ``pictures_of`` and ``sampled`` describe the sample, and
        ``sampling_error`` is that of `analysis.sampling.sampling_error`.
    """
    table = geometry.labels
    numbers = each_number(components, permutations)
    moves = {label: _moves(table, label, max(numbers.values())) for label in labels}
    sample = sampling.read_sample(people_of(table), geometry.faces)
    most = max((k for k in components if k != "all"), default=0)
    curves: _Curves = {}
    of_people: list[dict] = []
    designs: dict[str, dict[str, Design | None]] = {}
    for layer in progress(geometry.layers, "silhouettes"):
        rows, scores = [], layer.scores[:]
        others = list(leave_people_out(layer.gram, table, most)) if most else []
        for other in others:
            if other.person not in designs:
                shown = table.iloc[other.rows]
                designs[other.person] = {label: design_label(shown, label) for label in labels}
        if sample is not None:
            ratios = sampling.half_variance_ratios(layer.gram, scores, sample.halves)
        for k, number in numbers.items():
            space, dimensions = _space(layer, k)
            measured = [_explained(layer, k, others)]
            left_out = dict.fromkeys(labels)
            if k != "all":
                left_out = _score_others(others, k, designs, labels)
            for label in labels:
                moved = moves[label] and moves[label].first(number)
                scored = score_label(
                    *(space, label, table, geometry.sources, geometry.network, moved),
                    left_out[label],
                )
                _add_to_curves(curves, k, layer.name, scored)
                measured += scored
            if sample is not None:
                _add_errors(measured, space, scores, k, table, ratios, sample)
            used = {"components": k, "components_used": dimensions}
            rows += [{**used, **row} for row in measured]
        if people is not None and layer.name in geometry.stages.values():
            of_people += place_rows(geometry, layer, _people_rows(rows))
        yield layer, rows + _spectrum_rows(layer)
    yield None, _overtaking_rows(curves)
    if people is not None:
        tables.write_table(people, pd.DataFrame(of_people, columns=PEOPLE))


def _people_rows(rows: Sequence[Mapping]) -> list[dict[str, object]]:
    """A row of the table of people for each pseudo-value of the rows of a layer."""
    return [
        {**row, "identity": identity, "pseudo_value": pseudo}
        for row in rows
        for identity, pseudo in zip(
            row.get("people", ()), row.get("pseudo_values", ()), strict=True
        )
        if np.isfinite(pseudo)
    ]


def _moves(table: pd.DataFrame, label: str, permutations: int) -> Permutations | None:
    """Permutations of the labelled pictures; None where there are none, or none are wanted."""
    labelled = is_labelled(table, label)
    if not permutations or not labelled.any():
        return None
    try:
        return permute_label(table[labelled], label, permutations)
    except FacestagesError:
        return None


def _space(layer: Layer, k: int | str) -> tuple[np.ndarray | Points, int]:
    """Points in k components, or inner products in the full space, and the number of dimensions."""
    if k == "all":
        return layer.gram.astype(np.float64)[:], layer.units
    scores = layer.scores[:, :k]
    return Points(scores), scores.shape[1]


def _score_others(
    others: Sequence[Others],
    k: int,
    designs: Mapping[str, Mapping[str, Design | None]],
    labels: Sequence[str],
) -> dict[str, dict[str, dict[str, float]]]:
    """Silhouettes without each person, by label, person and measure; `designs` by person."""
    scored = {each.person: score_values(each.points(k), designs[each.person]) for each in others}
    return {label: {person: of.get(label, {}) for person, of in scored.items()} for label in labels}


def _explained(layer: Layer, k: int | str, others: Sequence[Others]) -> dict[str, object]:
    """The row of the variance that k components explain, with an interval over people."""
    row: dict[str, object] = {"measure": "variance_explained", "value": 1.0}
    if layer.total_variance == 0:
        return row | {"value": np.nan, "note": NO_GEOMETRY}
    if k == "all":
        return row
    row["value"] = float(layer.variance_ratio[:k].sum())
    left_out = np.array([other.explained(k) for other in others])
    if len(left_out) >= FEWEST_PEOPLE:
        row |= interval_columns(pseudo_values(row["value"], left_out))
        row["people"] = [other.person for other in others]
    return row


# ------------------------------------------------------------------------------------ the spectrum


def _spectrum_rows(layer: Layer) -> list[dict[str, object]]:
    """How many components have a share of the variance, or stand out from noise."""
    measures = [f"components_{share * 100:.0f}" for share in SHARES]
    measures.append("components_parallel_analysis")
    if layer.total_variance == 0:
        empty = {"components": "all", "value": np.nan, "note": NO_GEOMETRY}
        return [{**empty, "measure": measure} for measure in measures]
    n = len(layer.gram)
    if n <= _MOST_FOR_SPECTRUM:
        values = np.maximum(scipy.linalg.eigvalsh(layer.gram[:])[::-1], 0)
    else:
        values = layer.eigenvalues
    together = np.cumsum(values) / layer.total_variance
    numbers = [_first(together > share - _ROUNDING) + 1 for share in SHARES]
    is_noise = values <= layer.noise_edge
    numbers.append(_first(is_noise) if len(values) < n else float(sum(~is_noise)))
    rows = []
    for measure, number in zip(measures, numbers, strict=True):
        row = {"measure": measure, "components": "all", "value": number}
        if np.isnan(number):
            row["note"] = f"more than {len(values) - 1}, which are kept"
        rows.append(row)
    return rows


def _first(true: np.ndarray) -> float:
    """Index of the first true value; NaN if there is none."""
    return float(np.argmax(true)) if true.any() else np.nan


# -------------------------------------------------------------------------- from layer to layer


def overtaking(first: np.ndarray, second: np.ndarray) -> float:
    """Position from which on `second` (layers,) stays above `first` (layers,), both above chance.

    Positions between layers are interpolated linearly. The position is 0 if `second` is always
    above, and infinite if it is not above `first` and 0, which is chance, in the last layer.
    """
    ahead = second - first
    if not (ahead[-1] > 0 and second[-1] > 0):
        return np.inf
    behind = np.flatnonzero(ahead <= 0)
    if len(behind) == 0:
        return 0.0
    last = behind[-1]
    return float(last + ahead[last] / (ahead[last] - ahead[last + 1]))


def _add_to_curves(curves: _Curves, k: int | str, layer: str, scored: Sequence[Mapping]) -> None:
    """Add the values of one layer, above those of permuted labels, from rows of `score_label`."""
    for row in scored:
        if "pseudo_values" in row and row["label"] in ("identity", "expression"):
            curve = curves.setdefault((k, row["measure"], row["label"]), {})
            resampled = _resample(row["pseudo_values"])
            curve[layer] = np.append(row["value"], resampled) - row.get("null_mean", 0)


def _resample(pseudo: np.ndarray) -> np.ndarray:
    """Bootstrap (resamples,) of the mean of pseudo-values; the same people for all quantities."""
    finite = np.isfinite(pseudo)
    drawn = _draw_people(len(pseudo)) * finite
    return weighted_mean(np.where(finite, pseudo, 0), drawn)


@functools.cache
def _draw_people(number: int) -> np.ndarray:
    """How often each person is drawn, shape (resamples, people)."""
    return people_weights(np.arange(number))


def _overtaking_rows(curves: _Curves) -> list[dict[str, object]]:
    """Where expression overtakes identity, by components and measure."""
    rows = []
    for (k, measure, label), of_identity in curves.items():
        of_expression = curves.get((k, measure, "expression"), {})
        layers = [layer for layer in of_identity if layer in of_expression]
        if label != "identity" or len(layers) < 2:
            continue
        pairs = zip(
            np.stack([of_identity[layer] for layer in layers], axis=1),
            np.stack([of_expression[layer] for layer in layers], axis=1),
            strict=True,
        )
        value, *resampled = (overtaking(*pair) for pair in pairs)
        row = {"label": "expression over identity", "measure": f"{measure}_overtaking"}
        rows.append({**row, "components": k, **_position(value, np.array(resampled))})
    return rows


def _position(value: float, resampled: np.ndarray) -> dict[str, object]:
    """A position between layers and its interval; a note where there is none."""
    low, high = np.quantile(resampled, [0.025, 0.975], method="nearest")
    never = np.mean(np.isinf(resampled))
    note = f"in {never:.0%} of the resamples of people never" if never else ""
    ends = (end if np.isfinite(end) else np.nan for end in (value, low, high))
    return {**dict(zip(("value", "ci_low", "ci_high"), ends, strict=True)), "note": note}


# ------------------------------------------------------------------------- samples of face sets


def _add_errors(
    rows: Sequence[dict],
    space: np.ndarray | Points,
    scores: np.ndarray,
    k: int | str,
    table: pd.DataFrame,
    ratios: tuple[np.ndarray, np.ndarray],
    sample: sampling.Sample,
) -> None:
    """Add the column ``sampling_error`` to the rows of one space.

    `ratios` are those of `sampling.half_variance_ratios`.
    """
    explained, *silhouettes = rows
    explained["sampling_error"] = 0.0
    if k != "all":
        shares = (ratio[:, :k].sum(axis=1) for ratio in ratios)
        explained["sampling_error"] = sampling.sampling_error(
            explained["value"], *shares, sample.share
        )
    labels = dict.fromkeys(row["label"] for row in silhouettes)
    by_half = []
    for half in np.concatenate([sample.halves, ~sample.halves]):
        members = np.flatnonzero(half)
        part = sampling.space_of_part(space, scores, k, members)
        shown = table.iloc[members]
        by_half.append(score_values(part, {label: design_label(shown, label) for label in labels}))
    for row in silhouettes:
        values = [scored.get(row["label"], {}).get(row["measure"], np.nan) for scored in by_half]
        first, second = np.reshape(values, (2, -1))
        row["sampling_error"] = sampling.sampling_error(row["value"], first, second, sample.share)
