"""Linear decoding of identity, expression, valence and other labels from layers.

A linear read-out is trained on some pictures and tested on pictures of other people, or of another
time, so that it gains nothing by memorising the training pictures. It reads principal components of
the training pictures alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
import scipy.stats

from facestages.analysis.decoding_tasks import Settings, Task, prepare_task
from facestages.analysis.folds import Folds
from facestages.analysis.labels import circular_note, join_notes
from facestages.analysis.layers import Geometry, Layer, Rows, tabulate
from facestages.analysis.permutation import compare_with_null, each_number
from facestages.analysis.readouts import ALL_THE_SAME, held_out_r2, held_out_recall, project
from facestages.analysis.resampling import interval, weighted_mean
from facestages.analysis.sampling import variance_of_halves
from facestages.errors import FacestagesError
from facestages.progress import progress

# Equal values that are summed in different orders differ by at most this much.
_ROUNDING = 1e-9


@tabulate(
    *("label", "label_source", "measure", "components", "components_used", "value", "chance"),
    *("ci_low", "ci_high", "null_mean", "null_sd", "z", "p", "null", "held_out", "folds", "n"),
    *("n_groups", "note"),
)
def decode_labels(
    geometry: Geometry,
    labels: Sequence[str],
    components: Sequence[int | str],
    permutations: int | Sequence[int] = 1000,
    resamples: int = 1000,
    folds: int = 5,
    seed: int = 0,
) -> Iterator[tuple[Layer, Rows]]:
    """Decode labels from every recorded layer of one network on one face set; see `decode`.

    Parameters
    ----------
    geometry, stimuli, stages, predictions
        See `analysis.layers.tabulate`.
    labels : sequence of str
        Names, such as ``expression``, or numbers, such as ``valence``.
    components : sequence of int or "all"
        Numbers of principal components to read; ``all`` is not decoded.
    permutations : int or sequence of int
        Label permutations for z and p, 0 for none; or those of each number of components.
    resamples, folds, seed
        See `decode`.

    Returns
    -------
    pandas.DataFrame
        Tidy: the rows of `decode` for each layer.
    """
    numbers = each_number(components, permutations)
    numbers.pop("all", None)
    settings = Settings(folds, max(numbers.values(), default=0), resamples, seed)
    tasks = []
    for label in labels:
        task, source = prepare_task(geometry.labels, label, settings), geometry.sources.get(label)
        note = join_notes(circular_note([source], geometry.network), task.row["note"])
        tasks.append(task._replace(row={**task.row, "label_source": source or "", "note": note}))
    for layer in progress(geometry.layers, "decoding"):
        yield layer, _decode_layer(layer.gram[:], tasks, numbers)


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
    """Decode labels from one layer, with held-out people or, for identity, held-out sessions.

    Names have the balanced accuracy of a linear discriminant analysis, ``mean_g(hits_g / n_g)``
    over groups g (`readouts.predict_groups`). Numbers have the ``R2 = 1 - SSE / SST`` of a ridge
    regression in held-out pictures (`readouts.held_out_r2`).

    Parameters
    ----------
    gram : numpy.ndarray, shape (n, n)
        Inner products of the pictures in the layer, such as ``activations @ activations.T``.
    table : pandas.DataFrame of n rows
        Labels of the pictures, with ``stimulus_id``. Identity is decoded from pictures of another
        time (`folds.hold_out_times`), and needs ``session`` or ``frame``. Every other label is
        decoded from pictures of other people, or of other pictures where ``identity`` is missing.
    labels : sequence of str
        Columns to decode: names, such as ``expression``, or numbers, such as ``valence``.
    components : sequence of int
        Numbers of principal components to read.
    permutations : int
        Permutations of each label, for z and p; 0 for none.
    resamples : int
        Bootstrap over people, for the interval of identity; 0 for no intervals at all.
    folds : int
        Number of parts that are held out in turn, 2 or more; fewer where there are fewer people or
        sessions.
    seed : int
        Seed of permutations and resamples.

    Returns
    -------
    list of dict
        A row for each label x number of components: ``value`` of the ``measure``, its interval
        ``ci_low, ci_high``, the ``chance`` of guessing, and ``null_mean, null_sd, z, p`` of
        permuted labels, where ``null`` names the kind of permutation. A label that cannot be
        decoded has a value of NaN and a ``note``.

    Notes
    -----
    For the null distribution the read-out is trained on each permutation of the labels anew; the
    components stay, because they do not depend on labels. Permuting the labels against fixed
    predictions would be quicker, but people are each other's training set: if A is recognised by
    chance from B, so is B from A. Without any relation, p < .05 would occur up to twice as often as
    it should.

    For the same reason, a nominal 95 % interval of a bootstrap over people with fixed predictions
    covers 80 to 95 %. Decoding of labels other than identity is therefore repeated in halves of the
    people (`half_intervals`). With 20 people or more these intervals cover 92 to 98 %, or 84 %
    where the sample decides whether so few components hold the label. The interval of identity is a
    bootstrap over people of how often each is recognised, and covers 91 to 98 %.
    """
    settings = Settings(folds, permutations, resamples, seed)
    tasks = [prepare_task(table, label, settings) for label in labels]
    return _decode_layer(gram, tasks, each_number(components, permutations))


def _decode_layer(
    gram: np.ndarray, tasks: Sequence[Task], permutations: Mapping[int, int]
) -> list[dict[str, object]]:
    """Rows of `decode`: for each label, for each number of components, with its permutations."""
    components = list(permutations)
    projected: dict[object, list] = {}
    rows = []
    for task in tasks:
        row, measured = task.row, [{"value": np.nan} for _ in components]
        if task.folds is not None and components:
            # Labels of the same pictures share folds, and components.
            key = task.folds.held_out, task.folds.rows.tobytes()
            if key not in projected:
                parts = (task.folds, *task.halves)
                projected[key] = [_project_if_any(gram, part, max(components)) for part in parts]
            if projected[key][0] is None:
                row = {**row, "note": join_notes(row["note"], ALL_THE_SAME)}
            else:
                measured = _measure_each(task, projected[key], permutations)
        for k, values in zip(components, measured, strict=True):
            rows.append({**row, "components": k, **values})
    return rows


def _project_if_any(gram: np.ndarray, folds: Folds, k: int) -> list[np.ndarray] | None:
    try:
        return project(gram, folds, k)
    except FacestagesError:
        return None


def _measure_each(
    task: Task, projected: Sequence[list | None], permutations: Mapping[int, int]
) -> list[dict[str, object]]:
    """As `measure`, with so many permutations of each number of components."""
    measured = {}
    for number in set(permutations.values()):
        counts = [k for k in permutations if permutations[k] == number]
        part = task._replace(labellings=task.labellings[: 1 + number])
        measured |= zip(counts, measure(part, projected, counts), strict=True)
    return [measured[k] for k in permutations]


def measure(
    task: Task, projected: Sequence[list | None], components: Sequence[int]
) -> list[dict[str, object]]:
    """Value, interval and comparison with the null distribution for each number of components.

    `projected` has the spaces (`readouts.project`) of the task's folds, then of its halves.
    """
    spaces, *half_spaces = projected
    scores = score(task, spaces, task.folds, task.labellings, components)
    if task.drawn is None:
        pairs = zip(half_spaces, task.halves, strict=True)
        halves = [score_half(task, space, folds, components) for space, folds in pairs]
        halves = np.reshape(halves, (-1, 2, len(components)))
        intervals = half_intervals(scores[:, 0], halves, task.people, bool(task.groups))
    else:
        truth = task.labellings[:1]
        recall = held_out_recall(spaces, task.folds, truth, task.groups, components)[:, 0]
        resampled = (weighted_mean(of_people, task.drawn) for of_people in recall)
        intervals = [interval(values, task.people) for values in resampled]
    narrowest = min(space.shape[1] for space in spaces)
    rows = []
    for k, (value, *null), (low, high) in zip(components, scores, intervals, strict=True):
        row = {"components_used": min(k, narrowest), "value": value, "ci_low": low, "ci_high": high}
        rows.append(row | compare_with_null(value, np.array(null), _ROUNDING))
    return rows


def score(
    task: Task,
    spaces: Sequence[np.ndarray],
    folds: Folds,
    labellings: np.ndarray,
    components: Sequence[int],
) -> np.ndarray:
    """Balanced accuracy or held-out R2 of each labelling, shape (len(components), b)."""
    if not task.groups:
        return held_out_r2(spaces, folds, labellings, components)
    recall = held_out_recall(spaces, folds, labellings, task.groups, components)
    return np.nanmean(recall, axis=2)


def score_half(
    task: Task, spaces: Sequence[np.ndarray] | None, folds: Folds, components: Sequence[int]
) -> np.ndarray:
    """Scores in half of the people, shape (len(components),); NaN if all have the same label."""
    truth = task.truth[folds.rows][None]
    if spaces is None or np.ptp(truth) == 0:
        return np.full(len(components), np.nan)
    return score(task, spaces, folds, truth, components)[:, 0]


def half_intervals(
    values: np.ndarray, halves: np.ndarray, people: int, positive: bool
) -> list[tuple[float, float]]:
    """Intervals (95 %) of values (k,) from those of halves of the people (splits, 2, k).

    ``value -+ t sqrt(v)`` with v of `sampling.variance_of_halves`. t is Student's quantile, with as
    many degrees of freedom as there are splits, or people less one if that is fewer. Without halves
    the interval is NaN. It is cut off at 1, and at 0 for `positive` values.
    """
    variances, splits = variance_of_halves(halves[:, 0], halves[:, 1])
    freedom = np.minimum(splits, people - 1)
    reach = scipy.stats.t.ppf(0.975, np.maximum(freedom, 1)) * np.sqrt(variances)
    lowest = 0.0 if positive else -np.inf
    return list(zip(np.maximum(values - reach, lowest), np.minimum(values + reach, 1), strict=True))
