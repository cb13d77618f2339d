"""The table of each layer's subspaces of identity and expression, and of what they are used for."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from facestages import tables
from facestages.analysis.decoding_tasks import ONE_RECORDING, Settings
from facestages.analysis.geometry import leading_components
from facestages.analysis.jackknife import thin_pictures
from facestages.analysis.labels import NO_GEOMETRY, circular_note, join_notes
from facestages.analysis.layers import Geometry, Layer, Rows, place_rows, tabulate
from facestages.analysis.permutation import Permutations, compare_with_null, permute_label
from facestages.analysis.resampling import FEWEST_PEOPLE, pseudo_interval, pseudo_values
from facestages.analysis.subspaces import (
    LABELS,
    Comparison,
    Halves,
    additive_effects,
    compare_effects,
    count_dimensions,
    degrees,
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
# What random rotations change.
_TURNED = ("angle", "angle_smallest", "overlap", "factorisation")

# By measure, label and other label.
_Values = dict[tuple[str, str, str], float]


class Design(NamedTuple):
    """Pictures of the subspaces, and permuted labels; the same in all layers."""

    halves: Halves
    #: Names of the people, in the order of their codes.
    people: np.ndarray
    #: By label; None where labels cannot move.
    permuted: Mapping[str, Permutations | None]


#: Columns of the table of people.
PEOPLE = (
    *("dataset", "network", "seed", "stage", "layer", "label", "other", "measure", "components"),
    *("identity", "pseudo_value"),
)


@tabulate(
    *("label", "other", "label_source", "measure", "components", "components_used", "value"),
    *("ci_low", "ci_high", "chance", "null", "null_mean", "null_sd", "p", "held_out", "n"),
    *("n_groups", "note"),
)
def compare_subspaces(
    geometry: Geometry,
    draws: int = 199,
    resamples: int = 1000,
    folds: int = 5,
    seed: int = 0,
    people: str | os.PathLike | None = None,
) -> Iterator[tuple[Layer, Rows]]:
    """Identity beside expression in the layers of a network's stages on one face set.

    Parameters
    ----------
    geometry, stimuli, stages, predictions
        See `analysis.layers.tabulate`.
    draws : int
        Random rotations and permutations, for p.
    resamples, folds, seed
        See `analysis.decoding.decode`.
    people : path-like, optional
        Table to write, with the columns `PEOPLE`: what each person contributes to the values
        (`analysis.resampling.pseudo_values`), to an angle as ``angle_squared_cosine``.

    Returns
    -------
    pandas.DataFrame
        Tidy: rows of `subspace_rows` and of `analysis.transfer.transfer_rows` for each layer, in as
        many components (``components_used``) as hold 99 % of its variance, 200 at most. What the
        design of the face set does not tell is empty and has a note. Layers without a stage have no
        rows, because a layer takes seconds.
    """
    rows = thin_pictures(geometry.labels)
    table = geometry.labels.iloc[rows].reset_index(drop=True)
    transfer = prepare_transfer(table, Settings(folds, draws, resamples, seed))
    sources = {label: geometry.sources.get(label, "") for label in LABELS}
    circular = circular_note(sources.values(), geometry.network)
    try:
        design, reason = prepare_design(table, draws, seed), ""
    except FacestagesError as error:
        design, reason = None, str(error)
    of_people: list[dict] = []
    layers = [layer for layer in geometry.layers if layer.name in geometry.stages.values()]
    for layer in progress(layers, "subspaces"):
        points = _layer_points(layer, rows)
        common: dict[str, object] = {"components": "all"}
        measured: list[dict] = [dict(row) for row in _not_compared(reason or NO_GEOMETRY)]
        if points is not None:
            common["components_used"] = points.shape[1]
            if design is not None:
                measured = list(subspace_rows(points, design, draws, seed))
            measured += transfer_rows(points, transfer)
        for row in measured:
            row |= common | {"note": join_notes(circular, row.get("note", ""))}
            row["label_source"] = sources.get(row.get("label", ""), "")
        of_people += place_rows(geometry, layer, _people_rows(measured))
        yield layer, measured
    if people is not None:
        tables.write_table(people, pd.DataFrame(of_people, columns=PEOPLE))


def _not_compared(reason: str) -> Iterator[dict[str, str]]:
    """Rows of subspaces that a design or a layer does not tell."""
    for label, other in (LABELS, LABELS[::-1]):
        if label == LABELS[0]:
            yield {"measure": "angle", "label": label, "other": other, "note": reason}
        yield {"measure": "overlap", "label": label, "other": other, "note": reason}


def _people_rows(measured: Sequence[Mapping]) -> Iterator[dict[str, object]]:
    for row in measured:
        # Not by the name of the angle: these are not in degrees.
        unit = "_squared_cosine" if row["measure"].startswith("angle") else ""
        measure = row["measure"] + unit
        for identity, pseudo in row.get("pseudo_values", {}).items():
            yield {**row, "measure": measure, "identity": identity, "pseudo_value": pseudo}


def _layer_points(layer: Layer, rows: np.ndarray) -> np.ndarray | None:
    """Points (n, k) of some pictures; None if they are all the same."""
    gram = centre_gram(layer.gram[:][np.ix_(rows, rows)])
    try:
        scores, _ = leading_components(gram, _MOST)
    except FacestagesError:
        return None
    held = np.cumsum(np.square(scores).sum(axis=0))
    return scores[:, : int((held < _SHARE * np.trace(gram)).sum()) + 1]


def prepare_design(table: pd.DataFrame, draws: int, seed: int) -> Design:
    """Halves of the pictures, and permuted labels; errors are those of `halve_pictures`."""
    halves = halve_pictures(table, seed)
    used = table.iloc[halves.rows]
    permuted = {}
    for label in LABELS:
        try:
            permuted[label] = permute_label(used, label, draws, seed) if draws else None
        except FacestagesError:
            permuted[label] = None
    people = np.unique(used["identity"].astype(str))
    return Design(halves, people, permuted)


def _values(compared: Comparison, total: float) -> _Values:
    """Values of a comparison, by measure, label and other label; angles as squared cosines."""
    identity, expression = LABELS
    one, other = compared.variance, compared.other_variance
    return {
        ("variance_share", identity, ""): one / total,
        ("variance_share", expression, ""): other / total,
        ("angle_of_halves", identity, ""): compared.agreement,
        ("angle_of_halves", expression, ""): compared.other_agreement,
        ("angle", identity, expression): compared.alignment,
        ("angle_smallest", identity, expression): compared.closest,
        ("overlap", identity, expression): compared.overlap,
        ("overlap", expression, identity): compared.other_overlap,
        ("factorisation", identity, expression): 1 - compared.share,
        ("factorisation", expression, identity): 1 - compared.other_share,
        ("invariance", identity, expression): 1 - one / other if other > 0 else np.nan,
        ("invariance", expression, identity): 1 - other / one if one > 0 else np.nan,
    }


def _why_not(key: tuple[str, str, str], missing: Mapping[str, str]) -> str:
    """Which label lacks the effect that a measure of the label and the other needs, if one does."""
    measure, label, other = key
    if measure == "variance_share":
        return ""
    # The other's subspace, or variance, is what these relate the label to.
    needed = (other,) if measure in ("invariance", "overlap_of_means") else (label, other)
    return "; ".join(missing[name] for name in needed if name in missing)


def _leave_people_out(
    points: np.ndarray, design: Design, dimensions: Sequence[int], total: float
) -> dict[str, _Values]:
    """Values without each person; none of a person without whom a half lacks an expression."""
    left_out = {}
    for person, name in enumerate(design.people if len(design.people) >= FEWEST_PEOPLE else ()):
        with contextlib.suppress(FacestagesError):
            both = measure_effects(points, design.halves, dimensions, person)
            left_out[name] = _values(compare_effects(*both), total)
    return left_out


def _compare_with_permuted(
    points: np.ndarray, design: Design, dimensions: Sequence[int]
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
    points: np.ndarray, design: Design, draws: int, seed: int
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
    halves = design.halves
    common = {"n": len(halves.rows), "n_groups": len(design.people), "held_out": halves.halved}
    common["note"] = "" if halves.halved == "sessions" else ONE_RECORDING
    whole = points[halves.rows]
    total = np.square(whole - whole.mean(axis=0)).sum() / (len(whole) - 1)
    dimensions = [count_dimensions(one.effects) for one in measure_effects(points, halves, (1, 1))]
    means = _compare_with_permuted(whole, design, dimensions)
    missing = {}
    for label, d in zip(LABELS, dimensions, strict=True):
        yield {**common, "measure": "dimensions", "label": label, "value": d}
        p = means["variance_share", label, ""].get("p", 0)
        if p > _LEAST_P:
            missing[label] = f"{label} has no variance beyond permuted labels (p = {p:.2f})"
        elif d == 0:
            missing[label] = f"{label} has no component that stands out from noise"
    # A label without an effect has a share of variance, and no other value that is shown.
    sizes = [max(d, 1) for d in dimensions]
    both = measure_effects(points, halves, sizes)
    values = _values(compare_effects(*both), total)
    left_out = _leave_people_out(points, design, sizes, total)
    turned = [] if missing else rotate_at_random(*both, draws, seed)
    nulls = [_values(one, total) for one in turned]
    for key in [*values, *(key for key in means if key not in values)]:
        row = {**common, "measure": key[0], "label": key[1], "other": key[2]}
        if note := _why_not(key, missing):
            row["note"] = note
        elif key in values:
            row |= _estimate(key, values[key], left_out, nulls) | means.get(key, {})
        else:
            row |= means[key]
        yield row


def _estimate(
    key: tuple[str, str, str],
    value: float,
    left_out: Mapping[str, _Values],
    nulls: Sequence[_Values],
) -> dict[str, object]:
    """A value, its interval over people, and its comparison with random rotations."""
    if np.isnan(value):
        return {"note": "noise is as large as what both halves of the pictures share"}
    row: dict[str, object] = {"value": value}
    if left_out:
        pseudo = pseudo_values(value, np.array([one[key] for one in left_out.values()]))
        row["ci_low"], row["ci_high"] = pseudo_interval(pseudo)
        row["pseudo_values"] = dict(zip(left_out, pseudo, strict=True))
    null = np.array([one[key] for one in nulls])
    if len(nulls) and key[0] in _TURNED:
        row |= {"null": ROTATIONS, **_two_sided(value, null)}
    if key[0].startswith("angle"):
        row |= {"value": degrees(value)}
        if left_out:
            row |= {"ci_low": degrees(row["ci_high"]), "ci_high": degrees(row["ci_low"])}
        if "null_mean" in row:
            angles = degrees(null)
            row |= {"null_mean": angles.mean(), "null_sd": angles.std(ddof=1)}
    return row
