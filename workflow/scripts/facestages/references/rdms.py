"""Stacks of dissimilarity matrices: people's, of brain regions, or of moments of a recording."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

import numpy as np

from facestages.errors import FacestagesError, shorten
from facestages.references.arrays import Stack, open_stack
from facestages.references.contents import Conditions, Pairs
from facestages.references.judgements import read_judgements
from facestages.references.pictures import FEWEST, Pictures
from facestages.rows import require_number

logger = logging.getLogger(__name__)

#: Part of the largest dissimilarity by which the two halves of a matrix may differ.
_TOLERANCE = 1e-5
_MS = {"ms": 1.0, "s": 1000.0}


def read(entry: Mapping, pictures: Pictures) -> Pairs:
    """Read a stack of dissimilarity matrices, and match its conditions by name, never by order.

    The array has the axes subject, time, condition, condition, and need not have the first two.
    ``entry["path"]`` is a file of `arrays.open_stack`. ``entry["conditions"]`` is a CSV table with
    the column picture, a row for each condition in the order of the array, or None where the file
    names them itself. If it has a column condition too, rows of the same condition are its
    pictures, and conditions are in the order of their first rows. ``entry["times"]`` are the times
    in ``entry["time_unit"]``, as a list or a CSV table. Of several sessions, the mean is taken.

    Raises
    ------
    FacestagesError
        If shapes do not fit; naming subject, time and the two entries where a matrix is not
        symmetric, or has a negative or infinite entry, or a diagonal that is not 0 (NaN is taken
        for none).
    """
    path, table = entry["path"], entry["conditions"]
    listed = None if table is None else _read_conditions(table)
    names = None if listed is None else [name for name, _ in listed]
    times = _read_times(entry["times"])
    n_rows = sum(len(own) for _, own in listed or ())
    n_times = None if times is None else len(times)
    stack = open_stack(path, entry["variable"], names, n_times, n_rows)
    times = times or stack.times
    if times is None and stack.n_times is not None:
        raise FacestagesError(
            f"{path}: has {stack.n_times} times, and nothing says which. Give 'times', in ms"
        )
    if times is not None:
        _check_times(path, times, stack.n_times)
        times = np.asarray(times) * _MS[entry["time_unit"]]
    if listed is None:
        listed = [(name, [name]) for name in stack.names]
    elif stack.names != names:
        # A file that names its conditions has its own order.
        listed = [listed[names.index(name)] for name in stack.names]
    numbers, chosen = _choose(table or path, listed, pictures)
    first, second = np.triu_indices(len(numbers), 1)
    ends = numbers[first], numbers[second]
    if len(stack.raters) == 1:
        logger.warning("%s: has one subject, so no ceiling can be estimated", path)
    blocks = _blocks(path, stack, ends, times)
    if isinstance(chosen, Conditions):
        return Pairs(stack.raters, times, first, second, blocks, chosen)
    return Pairs(stack.raters, times, chosen[first], chosen[second], blocks)


def _read_conditions(path: str) -> list[tuple[str, list[str]]]:
    """Name of each condition, and its pictures."""
    found: list[tuple[str, list[str]]] = []
    place_of: dict[str | None, int] = {}
    for place, row in read_judgements(path, {}, ("picture", "condition"), ("picture",)):
        for column in ("picture", "condition"):
            if not row.get(column, "-"):
                raise FacestagesError(f"{place}: {column} is empty. Fill it in")
        # Case does not count, as in names of pictures.
        name = row["condition"].casefold() if "condition" in row else None
        if name is None or name not in place_of:
            place_of[name] = len(found)
            found.append((row.get("condition", row["picture"]), []))
        found[place_of[name]][1].append(row["picture"])
    return found


def _read_times(times: str | list[float] | None) -> list[float] | None:
    if not isinstance(times, str):
        return times
    found = []
    for place, row in read_judgements(times, {}, ("time",), ("time",)):
        number = require_number(place, "time", row["time"])
        if np.isnan(number):
            raise FacestagesError(f"{place}: time is empty. Fill it in")
        found.append(number)
    return found


def _check_times(path: str, times: list[float], n_times: int | None) -> None:
    if n_times is None:
        raise FacestagesError(f"{path}: has no axis of time for {len(times)} times. Remove 'times'")
    if len(times) != n_times:
        raise FacestagesError(
            f"{path}: has {n_times} times, and 'times' gives {len(times)}. Give one for each"
        )
    for number, (before, after) in enumerate(zip(times, times[1:], strict=False), 2):
        if not after > before:
            raise FacestagesError(
                f"{path}: time {number} is {after:g}, after {before:g}: times must rise. Mend them"
            )


def _choose(
    path: str, listed: list[tuple[str, list[str]]], pictures: Pictures
) -> tuple[np.ndarray, np.ndarray | Conditions]:
    """Numbers of the conditions with a picture in the face set, and these pictures.

    Where each condition is one picture, they are in the order of the face set.
    """
    found = pictures.find(path, [picture for _, names in listed for picture in names])
    rows_of: dict[tuple[int, ...], int] = {}
    for number, (name, names) in enumerate(listed):
        rows = tuple(sorted({found[picture] for picture in names if picture in found}))
        if rows in rows_of:
            one = len(rows) == 1
            what = f"picture '{shorten(names[0])}'" if one else f"the pictures of '{shorten(name)}'"
            raise FacestagesError(
                f"{path}: conditions {rows_of[rows] + 1} and {number + 1} are both {what}. Give "
                f"each condition {'a picture' if one else 'pictures'} of its own"
            )
        if rows:
            rows_of[rows] = number
    if len(rows_of) < FEWEST:
        raise FacestagesError(
            f"{path}: {len(rows_of)} of {len(listed)} conditions have a picture in face set "
            f"{pictures.dataset}. At least {FEWEST} must"
        )
    if all(len(rows) == 1 for rows in rows_of):
        order = sorted(rows_of)
        return np.array([rows_of[rows] for rows in order]), np.array([row for (row,) in order])
    numbers = list(rows_of.values())
    return np.array(numbers), Conditions([listed[n][0] for n in numbers], [*map(np.array, rows_of)])


def _blocks(
    path: str, stack: Stack, ends: tuple[np.ndarray, np.ndarray], times: np.ndarray | None
) -> Iterator[np.ndarray]:
    """Dissimilarities (T, m) of each subject, one after the other, of pairs of conditions."""
    for subject, rater in enumerate(stack.raters):
        block = stack.read(subject)
        block = block if stack.n_times is not None else block[None]
        judged = np.empty((len(block), len(ends[0])), np.float32)
        for time, values in enumerate(block):
            where = f"{path}: subject {rater}"
            where += "" if times is None else f", {times[time]:g} ms"
            matrix = values if values.ndim == 2 else _square(values, len(stack.names))
            _check_matrix(where, matrix, stack.names)
            judged[time] = matrix[ends]
        if np.isnan(judged).all():
            logger.warning("%s: subject %s: no dissimilarity is a number", path, rater)
        yield judged


def _square(condensed: np.ndarray, n: int) -> np.ndarray:
    matrix = np.zeros((n, n), condensed.dtype)
    matrix[np.triu_indices(n, 1)] = condensed
    return matrix + matrix.T


def _check_matrix(where: str, matrix: np.ndarray, names: list[str]) -> None:
    """Refuse a matrix that holds no dissimilarities."""

    def refuse(wrong: np.ndarray, problem: str, remedy: str) -> None:
        if wrong.any():
            a, b = np.argwhere(wrong)[0]
            one, other = matrix[a, b], matrix[b, a]
            pair = f"'{shorten(names[a])}' and '{shorten(names[b])}'"
            numbers = f"[{a + 1}, {b + 1}] = {one:g} and [{b + 1}, {a + 1}] = {other:g}"
            raise FacestagesError(f"{where}: {problem} of {pair} ({numbers}). {remedy}")

    most = np.nanmax(np.abs(matrix), initial=0)
    refuse(np.isinf(matrix), "an infinite dissimilarity", "Write NaN where nothing is known")
    unlike = np.abs(matrix - matrix.T) > _TOLERANCE * most
    unlike |= np.isnan(matrix) != np.isnan(matrix.T)
    refuse(unlike, "two dissimilarities", "A matrix must be symmetric: give the mean of both")
    off = np.eye(len(matrix), dtype=bool) & (np.abs(matrix) > _TOLERANCE * most)
    refuse(off, "a diagonal that is not 0", "Are these similarities? Give dissimilarities")
    refuse(
        matrix < 0,
        "a negative dissimilarity",
        "As only their order counts, add a constant to all off the diagonal",
    )
