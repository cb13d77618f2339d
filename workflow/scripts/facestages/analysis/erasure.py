"""Erasing a label from a layer: is it used by the read-out of another, or only readable beside it?

Two erasures are fitted to the training pictures alone. Mean projection takes away the subspace in
which classes' means stand out from noise. LEACE (Belrose et al. 2023, arXiv:2306.03819) takes away
the least that leaves no linear read-out: all that the means of whitened points span.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from facestages.analysis.decoding import half_intervals, measure, score, score_half
from facestages.analysis.decoding_tasks import Task
from facestages.analysis.folds import Folds
from facestages.analysis.permutation import compare_with_null
from facestages.analysis.readouts import ALL_THE_SAME, held_out_recall
from facestages.analysis.resampling import interval, weighted_mean
from facestages.errors import FacestagesError

#: Erasures, as tables name them.
MEANS, LEACE = "mean_projection", "leace"

# Directions whose share of the largest variance is below this are rounding errors.
_RANK = 1e-9
_ROUNDING = 1e-9

# So many permutations tell which axes stand out from noise.
_OF_NOISE = 20

#: Spaces of the folds of a task, then of its halves: arrays (m, k) for each fold, or None.
Spaces = list[list[np.ndarray] | None]


def class_axes(
    points: np.ndarray, codes: np.ndarray, permuted: Sequence[np.ndarray] = ()
) -> np.ndarray:
    """Orthonormal basis (k, d) of the space that the means of classes span.

    Parameters
    ----------
    points : numpy.ndarray, shape (n, k)
        Their mean is 0.
    codes : numpy.ndarray of int, shape (n,)
        Class of each point.
    permuted : sequence of numpy.ndarray, shape (n,)
        Permuted classes. With these, axes count in which the means vary more than in the first axis
        of 95 % of the permuted ones (parallel analysis, Horn 1965, doi:10.1007/BF02289447).
    """
    means = _class_means(points, codes)
    values, vectors = np.linalg.eigh(means @ means.T)
    least = _RANK * np.square(points).sum()
    if len(permuted):
        moved = (_class_means(points, one) for one in permuted)
        first = [np.linalg.eigvalsh(one @ one.T)[-1] for one in moved]
        least = max(least, np.quantile(first, 0.95))
    kept = values > least
    return means.T @ (vectors[:, kept] / np.sqrt(values[kept]))


def _class_means(points: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Means of classes (classes, k), each times the root of its number of points."""
    _, codes, counts = np.unique(codes, return_inverse=True, return_counts=True)
    return np.eye(len(counts))[codes].T @ points / np.sqrt(counts)[:, None]


def whiten(points: np.ndarray, training: np.ndarray) -> np.ndarray:
    """Uncorrelated points (n, rank), with mean 0 and variance 1 over the training points (n,).

    They span what the points (n, k) span, as `readouts.project` does from a Gram matrix.

    Raises
    ------
    FacestagesError
        If all training points are the same.
    """
    centred = points - points[training].mean(axis=0)
    known = centred[training]
    values, vectors = np.linalg.eigh(known.T @ known / len(known))
    kept = values > max(_RANK * values[-1], np.finfo(float).tiny)
    if not kept.any():
        raise FacestagesError(ALL_THE_SAME)
    return centred @ (vectors[:, kept] / np.sqrt(values[kept]))[:, ::-1]


class Classes(NamedTuple):
    """Classes to erase, of n pictures."""

    #: Code of each picture's class, shape (n,).
    codes: np.ndarray
    #: From some pictures (m,) to permutations (b, m) of their codes among them; b is 0 if they
    #: cannot move. Those of other pictures would bring classes that are not there.
    permute: Callable[[np.ndarray], np.ndarray]


def training_spaces(
    points: np.ndarray, folds: Folds, projected_out: Classes | None = None
) -> list[np.ndarray]:
    """Whitened points of each fold, shape (m, rank), as `readouts.held_out_recall` reads them.

    Parameters
    ----------
    points : numpy.ndarray, shape (n, k)
    folds : Folds
    projected_out : Classes, optional
        What mean projection takes away first, by the training pictures of each fold.

    Raises
    ------
    FacestagesError
        If all training points are the same.
    """
    spaces = []
    for training in folds.training:
        part, rows = points[folds.rows], folds.rows[training]
        if projected_out is not None:
            part = part - part[training].mean(axis=0)
            permuted = projected_out.permute(rows)[:_OF_NOISE]
            axes = class_axes(part[training], projected_out.codes[rows], permuted)
            part = part - (part @ axes) @ axes.T
        spaces.append(whiten(part, training).astype(np.float32))
    return spaces


def erase_leace(spaces: list[np.ndarray], folds: Folds, erased: Classes) -> list[np.ndarray]:
    """The whitened points of each fold (`training_spaces`) after LEACE of its training pictures.

    Raises
    ------
    FacestagesError
        If nothing is left of them.
    """
    return [
        _erase(space, training, erased.codes[folds.rows[training]])
        for space, training in zip(spaces, folds.training, strict=True)
    ]


def _erase(space: np.ndarray, training: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Whitened points (m, k) without what the means of training points' classes span."""
    axes = class_axes(space[training], codes)
    if axes.shape[1] == len(axes):
        raise FacestagesError(
            f"as many classes as dimensions ({len(axes)}): erasing them would leave nothing"
        )
    return space - (space @ axes) @ axes.T


def task_spaces(points: np.ndarray, task: Task, projected_out: Classes | None = None) -> Spaces:
    """`training_spaces` of a task's folds, and of its halves of the people, which may have none."""
    spaces: Spaces = [training_spaces(points, task.folds, projected_out)]
    for half in task.halves:
        spaces.append(_if_any(training_spaces, points, half, projected_out))
    return spaces


def _if_any(make: Callable[..., list[np.ndarray]], *about: object) -> list[np.ndarray] | None:
    try:
        return make(*about)
    except FacestagesError:
        return None


def _spaces_after(
    points: np.ndarray, task: Task, before: Spaces, how: str, erased: Classes
) -> Spaces:
    """`task_spaces` after an erasure; `before` are those without, and have what LEACE whitens."""
    if how == MEANS:
        return task_spaces(points, task, erased)
    after: Spaces = [erase_leace(before[0], task.folds, erased)]
    for space, half in zip(before[1:], task.halves, strict=True):
        after.append(None if space is None else _if_any(erase_leace, space, half, erased))
    return after


def measure_erasure(
    points: np.ndarray, task: Task, before: Spaces, erased: Classes
) -> Iterator[dict[str, object]]:
    """Decode a label when another, or itself, is erased.

    Parameters
    ----------
    points : numpy.ndarray, shape (n, k)
    task : Task
        The label to decode; `decoding_tasks.prepare_task`.
    before : Spaces
        `task_spaces` without an erasure.
    erased : Classes
        What is erased. LEACE of permuted classes takes away as many dimensions that mean nothing.

    Yields
    ------
    dict
        For each erasure, the balanced accuracy without the label (``erasure_``), and what it is
        more than before (``..._change``). The null of LEACE are the accuracies without permuted
        classes; its one-sided p is small where erasing the label takes more.
    """
    truth = task._replace(labellings=task.labellings[:1])
    for how in (MEANS, LEACE):
        row: dict[str, object] = {"measure": f"erasure_{how}", "null": ""}
        try:
            after = _spaces_after(points, task, before, how, erased)
        except FacestagesError as error:
            yield row | {"note": str(error)}
            continue
        row |= measure(truth, after, [points.shape[1]])[0] | {"null": ""}
        if how == LEACE:
            row |= _compare_with_permuted(row["value"], task, before[0], erased)
        yield row
        yield {"measure": f"erasure_{how}_change", "null": "", **_change(task, before, after)}


def _compare_with_permuted(
    value: float, task: Task, spaces: list[np.ndarray], erased: Classes
) -> dict[str, object]:
    """Whether an accuracy is lower than those without permuted classes, erased by LEACE."""
    null, folds = [], task.folds
    permuted = [erased.permute(folds.rows[training]) for training in folds.training]
    for labellings in zip(*permuted, strict=False):
        try:
            without = [
                _erase(space, training, codes)
                for space, training, codes in zip(spaces, folds.training, labellings, strict=True)
            ]
        except FacestagesError:
            continue
        accuracies = score(task, without, folds, task.labellings[:1], _every(spaces))
        null.append(-accuracies[0, 0])
    compared = compare_with_null(-value, np.array(null), _ROUNDING)
    if compared:
        compared["null_mean"] *= -1
    return {"null": "permuted labels erased", **compared}


def _every(spaces: list[np.ndarray]) -> list[int]:
    return [max(space.shape[1] for space in spaces)]


def _change(task: Task, before: Spaces, after: Spaces) -> dict[str, float]:
    """What a balanced accuracy gains, with an interval over people as in `decoding.measure`."""
    most, truth = _every(before[0]), task.labellings[:1]
    old, new = (
        held_out_recall(spaces[0], task.folds, truth, task.groups, most)[0, 0]
        for spaces in (before, after)
    )
    value = float(np.nanmean(new - old))
    if task.drawn is not None:
        low, high = interval(weighted_mean(new - old, task.drawn), task.people)
    else:
        old, new = (
            np.array(
                [
                    score_half(task, space, folds, most)
                    for space, folds in zip(spaces[1:], task.halves, strict=True)
                ]
            )
            for spaces in (before, after)
        )
        halves = (new - old).reshape(-1, 2, 1)
        ((low, high),) = half_intervals(np.array([value]), halves, task.people, positive=False)
    return {"value": value, "ci_low": low, "ci_high": high}
