"""The table of each layer's subspaces of identity and expression, and of what they are used for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from facestages.analysis.decoding_tasks import Settings
from facestages.analysis.geometry import leading_components
from facestages.analysis.jackknife import read_part, thin_pictures
from facestages.analysis.labels import NO_GEOMETRY, circular_note, join_notes
from facestages.analysis.layers import Geometry, Layer, Rows, tabulate
from facestages.analysis.permutation import Permutations, compare_with_null, permute_label
from facestages.analysis.resampling import FEWEST_PEOPLE, pseudo_interval, pseudo_values
from facestages.analysis.subspaces import (
    LABELS,
    Comparison,
    Halves,
    additive_effects,
    compare_effects,
    count_dimensions,
    halve_pictures,
    leading_axes,
    measure_effects,
    rotate_at_random,
)
from facestages.analysis.transfer import prepare_transfer, transfer_rows
from facestages.errors import FacestagesError
from facestages.gram import centre_gram
from facestages.progress import progress

#: Nulls of subspaces, as the table names them.
ROTATIONS = "random rotations"

# A layer's space: as many components as hold this share of its variance, and this many at most.
_SHARE, _MOST = 0.99, 200
_ROUNDING = 1e-9
# A label without an effect has no subspace to compare.
_LEAST_P = 0.05

# By measure, label and other label. Angles are the same for either order.
_Values = dict[tuple[str, str, str], float]


class _Design(NamedTuple):
    """Pictures of the subspaces, and permuted labels; the same in all layers."""

    halves: Halves
    #: By label; None where labels cannot move.
    permuted: Mapping[str, Permutations | None]


@tabulate(
    *("label", "other", "label_source", "measure", "components", "value", "ci_low", "ci_high"),
    *("chance", "null", "null_mean", "null_sd", "p", "held_out", "n", "n_groups", "note"),
)
def compare_subspaces(
    geometry: Geometry, draws: int = 200, resamples: int = 1000, folds: int = 5, seed: int = 0
) -> Iterator[tuple[Layer, Rows]]:
    """Identity beside expression in every recorded layer of one network on one face set.

    Parameters
    ----------
    geometry, stimuli, stages, predictions
        See `analysis.layers.tabulate`.
    draws : int
        Random rotations and permutations, for p.
    resamples, folds, seed
        See `analysis.decoding.decode`.

    Returns
    -------
    pandas.DataFrame
        Tidy: rows of `subspace_values` and of `analysis.transfer.transfer_rows` for each layer, in
        as many ``components`` as hold 99 % of the variance, 200 at most. What the design of the
        face set does not tell is empty and has a note.
    """
    rows = thin_pictures(geometry.labels)
    table = geometry.labels.iloc[rows].reset_index(drop=True)
    transfer = prepare_transfer(table, Settings(folds, draws, resamples, seed))
    sources = {label: geometry.sources.get(label, "") for label in LABELS}
    circular = circular_note(sources.values(), geometry.network)
    try:
        design, reason = _prepare(table, draws, seed), ""
    except FacestagesError as error:
        design, reason = None, str(error)
    for layer in progress(geometry.layers, "subspaces"):
        points = _layer_points(layer, rows)
        measured: list[dict] = []
        if points is None:
            measured = [{"measure": "angle", "note": NO_GEOMETRY}]
        else:
            measured += (
                [{"measure": "angle", "label": LABELS[0], "other": LABELS[1], "note": reason}]
                if design is None
                else subspace_rows(points, design, draws, seed)
            )
            measured += transfer_rows(points, transfer)
        yield (
            layer,
            [
                {
                    **row,
                    "components": None if points is None else points.shape[1],
                    "label_source": sources.get(row.get("label", ""), ""),
                    "note": join_notes(circular, row.get("note", "")),
                }
                for row in measured
            ],
        )


def _layer_points(layer: Layer, rows: np.ndarray) -> np.ndarray | None:
    """Points (n, k) of some pictures; None if they are all the same."""
    gram = centre_gram(read_part(layer.gram, rows))
    try:
        scores, _ = leading_components(gram, _MOST)
    except FacestagesError:
        return None
    held = np.cumsum(np.square(scores).sum(axis=0))
    return scores[:, : int((held < _SHARE * np.trace(gram)).sum()) + 1]


def _prepare(table: pd.DataFrame, draws: int, seed: int) -> _Design:
    halves = halve_pictures(table, seed)
    used = table.iloc[halves.rows]
    permuted = {}
    for label in LABELS:
        try:
            permuted[label] = permute_label(used, label, draws, seed) if draws else None
        except FacestagesError:
            permuted[label] = None
    return _Design(halves, permuted)


def _values(compared: Comparison, total: float) -> _Values:
    """Values of a comparison, by measure, label and other label."""
    identity, expression = LABELS
    one, other = compared.variance, compared.other_variance
    return {
        ("variance_share", identity, ""): one / total,
        ("variance_share", expression, ""): other / total,
        ("angle_of_halves", identity, ""): compared.halves_angle,
        ("angle_of_halves", expression, ""): compared.other_halves_angle,
        ("angle", identity, expression): compared.angle,
        ("angle_smallest", identity, expression): compared.smallest_angle,
        ("overlap", identity, expression): compared.overlap,
        ("overlap", expression, identity): compared.other_overlap,
        ("factorisation", identity, expression): 1 - compared.share,
        ("factorisation", expression, identity): 1 - compared.other_share,
        ("invariance", identity, expression): 1 - one / other if other > 0 else np.nan,
        ("invariance", expression, identity): 1 - other / one if one > 0 else np.nan,
    }


# What random rotations change.
_TURNED = ("angle", "angle_smallest", "overlap", "factorisation")
_NOT_REPEATED = "noise is as large as what both halves of the pictures share"


def _measure_with(
    points: np.ndarray, halves: Halves, dimensions: Sequence[int], total: float
) -> Callable[[int | None], _Values]:
    """A function of the person who is left out, or None."""

    def measure(without: int | None) -> _Values:
        both = measure_effects(points, halves, dimensions, without)
        return _values(compare_effects(*both), total)

    return measure


def _compare_with_permuted(
    points: np.ndarray, design: _Design, dimensions: Sequence[int]
) -> dict[tuple[str, str, str], dict[str, object]]:
    """Means of classes with their noise, beside those of permuted labels.

    ``variance_share`` has the p of their variance alone; ``overlap_of_means``, the share of it in
    the subspace of the other label's means.
    """
    effects = additive_effects(points, design.halves.codes)
    rows = {}
    for number, label in enumerate(LABELS):
        other, moved = 1 - number, design.permuted[label]
        axes = leading_axes(effects[other], max(dimensions[other], 1))
        labellings = list(design.halves.codes)
        shares = []
        own = labellings[number]
        for codes in [own, *(own[rows] for rows in (() if moved is None else moved.rows))]:
            labellings[number] = codes
            one = additive_effects(points, labellings)[number]
            shares.append((np.square(one).sum(), np.square(one @ axes).sum()))
        variance, inside = np.array(shares).T
        null = {} if moved is None else {"null": moved.how}
        compared = compare_with_null(variance[0], variance[1:], _ROUNDING * variance[0])
        rows["variance_share", label, ""] = null | ({"p": compared["p"]} if compared else {})
        share = inside / variance
        rows["overlap_of_means", label, LABELS[other]] = (
            {"value": share[0]} | null | _two_sided(share[0], share[1:])
        )
    return rows


def _two_sided(value: float, null: np.ndarray) -> dict[str, float]:
    """``null_mean, null_sd`` and twice the smaller one-sided p."""
    null = null[np.isfinite(null)]
    compared = compare_with_null(value, null, _ROUNDING)
    if compared:
        lower = compare_with_null(-value, -null, _ROUNDING)
        compared["p"] = min(2 * min(compared["p"], lower["p"]), 1.0)
    return compared


def subspace_rows(
    points: np.ndarray, design: _Design, draws: int, seed: int
) -> Iterator[dict[str, object]]:
    """Rows about the subspaces of identity and of expression in the points (n, k) of a layer.

    The measures are, for each label,

    - ``variance_share``: share of its effects in the variance of the pictures, without noise;
    - ``dimensions``: of its subspace (`subspaces.count_dimensions`);
    - ``angle_of_halves``: between the subspaces of both halves, which noise alone turns apart;

    and for each label beside the other (`subspaces.compare_effects`)

    - ``angle`` and ``angle_smallest`` between the subspaces, in degrees;
    - ``overlap``: share of its variance in the other's subspace, freed of noise;
    - ``factorisation``: 1 less that share as it is, and ``invariance``: ``1 - variance /
      variance of the other`` (Lindsey and Issa 2024, doi:10.7554/eLife.91685);
    - ``overlap_of_means``: that share with the noise of the classes' means, beside permuted labels.

    p is two-sided, but for ``variance_share``. Without a variance beyond permuted labels (p > .05)
    a label has no subspace, and nothing is compared.
    """
    halves, people = design.halves, len(set(design.halves.codes[0]))
    common = {"n": len(halves.rows), "n_groups": people, "held_out": halves.halved}
    whole = points[halves.rows]
    total = np.square(whole - whole.mean(axis=0)).sum() / (len(whole) - 1)
    found = measure_effects(points, halves, (1, 1))
    dimensions = [count_dimensions(one.effects) for one in found]
    means = _compare_with_permuted(whole, design, dimensions)
    missing = []
    for label, d in zip(LABELS, dimensions, strict=True):
        p = means["variance_share", label, ""].get("p", np.nan)
        if d == 0 or p > _LEAST_P:
            missing.append(f"{label} has no variance beyond permuted labels (p = {p:.2f})")
        yield {**common, "measure": "dimensions", "label": label, "value": d}
    measure = _measure_with(points, halves, [max(d, 1) for d in dimensions], total)
    values = measure(None)
    left_out = [measure(person) for person in range(people)] if people >= FEWEST_PEOPLE else []
    turned = []
    if not missing:
        both = measure_effects(points, halves, dimensions)
        turned = [_values(one, total) for one in rotate_at_random(*both, draws, seed)]
    for key, value in values.items():
        row = {**common, "measure": key[0], "label": key[1], "other": key[2]}
        needed = missing if key[0] not in ("variance_share", "invariance") else []
        if needed or np.isnan(value):
            yield {**row, "note": "; ".join(needed) or _NOT_REPEATED}
            continue
        without = np.array([one[key] for one in left_out])
        row["value"] = value
        if len(without):
            row["ci_low"], row["ci_high"] = pseudo_interval(pseudo_values(value, without))
        if key[0] in _TURNED and turned:
            row |= {"null": ROTATIONS, **_two_sided(value, np.array([one[key] for one in turned]))}
        yield row | means.get(key, {})
    for key, row in means.items():
        if key not in values:
            row = {"note": "; ".join(missing)} if missing else row
            yield {**common, "measure": key[0], "label": key[1], "other": key[2], **row}
