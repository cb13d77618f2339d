"""The subspaces in which identities, and expressions, differ, and the angle between them.

The points of a layer are ``x_i = m + a_identity(i) + b_expression(i) + e_i``, by least squares. The
effects a of identities span one subspace, and the effects b of expressions another. Noise e turns
both, so each quantity here is a product of two halves of the pictures, whose noise is independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from facestages.analysis.folds import hold_out_times
from facestages.analysis.labels import is_labelled, no_label
from facestages.errors import FacestagesError

#: The labels whose effects are compared.
LABELS = ("identity", "expression")

#: A subspace holds this share of the variance of its label's effects.
HELD = 0.9

# Random halvings, where pictures are in no order of time.
_SPLITS = 4
# Smaller eigenvalues, as a share of the largest, are rounding errors.
_RANK = 1e-12


class Halves(NamedTuple):
    """Pictures whose identity and expression are known, halved."""

    #: Pictures that are used, shape (m,).
    rows: np.ndarray
    #: Code of each one's identity and expression, shape (m,) each, in the order of `LABELS`.
    codes: tuple[np.ndarray, np.ndarray]
    #: Whether it is in the first half, shape (splits, m).
    first: np.ndarray
    #: What was halved: ``sessions``, ``time blocks`` or ``pictures``.
    halved: str


class Effects(NamedTuple):
    """Effects of a label in both halves of the pictures, and the subspaces that they span."""

    #: Shape (splits, 2, classes, k).
    effects: np.ndarray
    #: Orthonormal columns, shape (splits, 2, k, d).
    bases: np.ndarray

    def rotated(self, rotation: np.ndarray) -> Effects:
        """The same effects and subspaces, turned by an orthogonal matrix (k, k)."""
        return Effects(self.effects @ rotation, rotation.T @ self.bases)

    @property
    def variance(self) -> float:
        """Variance of the effects, without that of noise: sum over dimensions."""
        first, second = self.effects[:, 0], self.effects[:, 1]
        return float((first * second).sum(axis=(1, 2)).mean() / (self.effects.shape[2] - 1))


def halve_pictures(table: pd.DataFrame, seed: int = 0) -> Halves:
    """Halve the pictures of each person: by session, by time, or else by chance.

    Sessions and blocks of time are halved as `folds.hold_out_times` does, so that what stays during
    a session is noise. Without them pictures are halved by chance, several times, and expressions
    are spread over both halves.

    Raises
    ------
    FacestagesError
        If the design does not tell effects from noise: one person, one expression, one picture a
        person, or people and expressions that are not crossed.
    """
    labelled = {label: is_labelled(table, label) for label in LABELS}
    for label in LABELS:
        if not labelled[label].any():
            raise FacestagesError(no_label(label))
    used = np.all(list(labelled.values()), axis=0)
    for label in LABELS:
        if table.loc[used, label].nunique() < 2:
            raise FacestagesError(f"the pictures with both labels have no two of '{label}'")
    rows = np.flatnonzero(used)
    try:
        folds = hold_out_times(table[used], 2)
        rows, first, halved = rows[folds.rows], (folds.fold == 0)[None], folds.held_out
    except FacestagesError:
        first, halved = _halve_by_chance(table.iloc[rows], seed), "pictures"
    while True:
        # Effects can be compared of those alone that both halves show.
        kept = np.all([_in_both_halves(table[label].iloc[rows], first) for label in LABELS], axis=0)
        if kept.all():
            break
        rows, first = rows[kept], first[:, kept]
    codes = tuple(pd.factorize(table[label].iloc[rows], sort=True)[0] for label in LABELS)
    if not len(rows) or min(code.max() for code in codes) < 1:
        raise FacestagesError(
            f"no two people show two expressions in both halves of their {halved}; one picture of "
            f"a person cannot be halved"
        )
    for half in np.concatenate([first, ~first]):
        design = _indicators(codes[0][half], codes[1][half])
        if np.linalg.matrix_rank(design.T @ design) < design.shape[1] - 1:
            raise FacestagesError(
                "identity and expression are not crossed: some people share no expression, nor are "
                "they linked by others"
            )
    return Halves(rows, codes, first, halved)


def _halve_by_chance(table: pd.DataFrame, seed: int) -> np.ndarray:
    """Alternate pictures of each person, whose expressions are in random order."""
    rng = np.random.default_rng(seed)
    people, shown = (pd.factorize(table[label])[0] for label in LABELS)
    size = people.max() + 1, shown.max() + 1
    first = np.empty((_SPLITS, len(table)), bool)
    for half in first:
        keys = rng.random(size)[people, shown]
        order = np.lexsort((rng.random(len(table)), keys, people))
        place = pd.Series(people[order]).groupby(people[order]).cumcount().to_numpy()
        half[order] = (place + rng.integers(0, 2, size[0])[people[order]]) % 2 == 0
    return first


def _in_both_halves(names: pd.Series, first: np.ndarray) -> np.ndarray:
    """Whether each picture's name is in both halves of every split, shape (m,)."""
    share = pd.DataFrame(first.T).groupby(names.to_numpy()).transform("mean").to_numpy()
    return ((share > 0) & (share < 1)).all(axis=1)


def _indicators(*codes: np.ndarray) -> np.ndarray:
    return np.hstack([np.eye(code.max() + 1)[code] for code in codes])


def additive_effects(
    points: np.ndarray, codes: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Effects of two labels, by least squares: ``x_i = m + a_code(i) + b_other(i) + e_i``.

    Parameters
    ----------
    points : numpy.ndarray, shape (n, k)
    codes : two numpy.ndarray of int, shape (n,)
        Class of each point under each label, from 0.

    Returns
    -------
    two numpy.ndarray, shape (classes, k)
        About their mean. Classes without points are left out.
    """
    design = _indicators(*codes)
    inverse = np.linalg.pinv(design.T @ design, rcond=1e-10, hermitian=True)
    both = (inverse @ design.T) @ points
    parts = np.split(both, [codes[0].max() + 1])
    shown = (part[np.bincount(code) > 0] for part, code in zip(parts, codes, strict=True))
    first, second = (part - part.mean(axis=0) for part in shown)
    return first, second


def leading_axes(effects: np.ndarray, d: int) -> np.ndarray:
    """Orthonormal basis (k, d) of the d principal components of effects (classes, k).

    It has fewer columns if there are not as many classes, and zeros in place of missing axes.
    """
    d = min(d, len(effects) - 1)
    values, vectors = np.linalg.eigh(effects @ effects.T)
    values, vectors = values[::-1][:d], vectors[:, ::-1][:, :d]
    there = values > _RANK * values.max(initial=0)
    return effects.T @ (vectors * there / np.sqrt(np.where(there, values, 1)))


def principal_cosines(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Cosines of the principal angles between subspaces, the smallest angle first.

    The bases (..., k, d) and (..., k, e) have orthonormal columns. The cosines (..., min(d, e)) are
    the singular values of ``U'V`` (Bjorck and Golub 1973, doi:10.2307/2005662).
    """
    products = np.swapaxes(first, -1, -2) @ second
    return np.minimum(np.linalg.svd(products, compute_uv=False), 1.0)


def measure_effects(
    points: np.ndarray, halves: Halves, dimensions: Sequence[int], without: int | None = None
) -> tuple[Effects, Effects]:
    """Effects of identity and of expression in the halves of the pictures (n, k) of a layer.

    `dimensions` are those of the two subspaces (`count_dimensions`). One person may be left out.

    Raises
    ------
    FacestagesError
        If, without that person, one half lacks an expression.
    """
    kept = halves.codes[0] != without
    points = points[halves.rows]
    fitted = [
        additive_effects(points[part], [code[part] for code in halves.codes])
        for first in halves.first
        for part in (first & kept, ~first & kept)
    ]
    if len({tuple(map(len, both)) for both in fitted}) > 1:
        raise FacestagesError("one half lacks an expression that the other shows")
    splits = len(halves.first)
    measured = []
    for number, d in enumerate(dimensions):
        effects = np.array([both[number] for both in fitted])
        bases = np.array([leading_axes(one, d) for one in effects])
        measured.append(
            Effects(
                effects.reshape(splits, 2, *effects.shape[1:]),
                bases.reshape(splits, 2, *bases.shape[1:]),
            )
        )
    return measured[0], measured[1]


def count_dimensions(effects: np.ndarray) -> int:
    """Components that hold `HELD` of the variance of effects (splits, 2, classes, k); 0 if none.

    Only those count whose eigenvalue is above that of noise. Half the difference between the
    effects in both halves has the noise of their mean, and no effect (parallel analysis, Horn 1965,
    doi:10.1007/BF02289447).
    """
    mean, noise = ((effects[:, 0] + sign * effects[:, 1]) / 2 for sign in (1, -1))
    spectra = [
        np.linalg.eigvalsh(one @ np.swapaxes(one, 1, 2)).mean(axis=0)[::-1] for one in (mean, noise)
    ]
    values = np.where(spectra[0] > spectra[1][0], spectra[0], 0.0)[: min(effects.shape[2:])]
    return int((np.cumsum(values) < HELD * values.sum()).sum()) + 1 if values.any() else 0


class Comparison(NamedTuple):
    """How two labels' effects lie to each other; see `compare_effects`."""

    #: Variance of the effects of the one label and of the other.
    variance: float
    other_variance: float
    #: Share of the first label's variance in the subspace of the other, and the reverse.
    share: float
    other_share: float
    #: The same, freed of what noise has turned the subspace by.
    overlap: float
    other_overlap: float
    #: Squared cosine (`degrees`): mean over all principal angles, freed of noise; and that of the
    #: smallest as it is.
    alignment: float
    closest: float
    #: Mean squared cosine between the subspaces of the two halves, of either label.
    agreement: float
    other_agreement: float


def compare_effects(one: Effects, other: Effects) -> Comparison:
    """Shares and angles of two labels' effects in a space of k dimensions.

    With the projections ``P = UU'`` onto the subspace of a label in one half, and the covariance
    ``S`` of the other label's effects as the product of both halves, the ``share`` is
    ``tr(PS) / tr(S)``. It is not raised by noise in S, but noise turns P. A share s of a random
    subspace of d dimensions is d/k. Noise in all directions alike takes the share towards it, by a
    factor r: ``r^2 = (R - d/k) / (1 - d/k)``, with ``R = tr(P1 P2) / d`` of the two halves. Hence
    ``overlap = d/k + (share - d/k) / r`` (the correction for attenuation of Spearman 1904,
    doi:10.2307/1412159, about chance).

    The ``alignment`` of two subspaces of d and e dimensions is the mean squared cosine over their
    principal angles, ``T = tr(PQ) / min(d, e)``, with P of one label in one half and Q of the other
    in the other half. ``T - c`` is divided by both factors r, with ``c = max(d, e) / k``.
    """
    k = one.bases.shape[2]
    d, e = one.bases.shape[3], other.bases.shape[3]
    agreements = [_agreement(label) for label in (one, other)]
    factors = [
        np.sqrt(max(agreement - size / k, 0.0) / (1 - size / k)) if size < k else 1.0
        for agreement, size in zip(agreements, (d, e), strict=True)
    ]
    share, other_share = _share(one, other), _share(other, one)
    cosines = principal_cosines(one.bases, other.bases[:, ::-1])
    aligned = _correct(float((cosines**2).mean()), max(d, e) / k, factors[0] * factors[1])
    return Comparison(
        one.variance,
        other.variance,
        share,
        other_share,
        _correct(share, e / k, factors[1]),
        _correct(other_share, d / k, factors[0]),
        aligned,
        float((cosines[..., 0] ** 2).mean()),
        *agreements,
    )


def _share(one: Effects, other: Effects) -> float:
    """Share of the first label's variance in the subspaces of the other."""
    inside = one.effects[:, :, None] @ other.bases[:, None]
    products = (inside[:, 0] * inside[:, 1]).sum(axis=(2, 3)).mean()
    total = (one.effects[:, 0] * one.effects[:, 1]).sum(axis=(1, 2)).mean()
    return float(products / total) if total > 0 else np.nan


def _agreement(label: Effects) -> float:
    """Mean squared cosine between the subspaces of the two halves."""
    return float((principal_cosines(label.bases[:, 0], label.bases[:, 1]) ** 2).mean())


def _correct(value: float, chance: float, factor: float) -> float:
    return chance + (value - chance) / factor if factor > 0 else np.nan


def degrees(squared_cosine: float | np.ndarray) -> float | np.ndarray:
    """Angle of a squared cosine, which noise may have taken below 0 or above 1."""
    return np.degrees(np.arccos(np.sqrt(np.clip(squared_cosine, 0, 1))))


def rotate_at_random(
    one: Effects, other: Effects, rotations: int, seed: int = 0
) -> list[Comparison]:
    """Comparisons with the second label's effects turned by random rotations of the space.

    Both spectra stay, and so does what the halves have in common. The rotations are uniform
    (Mezzadri 2007, Notices of the AMS 54, 592).
    """
    rng, k = np.random.default_rng(seed), one.bases.shape[2]
    turned = []
    for _ in range(rotations):
        rotation, triangle = np.linalg.qr(rng.normal(size=(k, k)))
        turned.append(compare_effects(one, other.rotated(rotation * np.sign(np.diag(triangle)))))
    return turned
