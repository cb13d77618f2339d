"""Dissimilarities that people judge of pairs of pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from facestages.errors import FacestagesError
from facestages.references.contents import Pairs
from facestages.references.judgements import log_raters, log_rows, rater_of, read_judgements
from facestages.references.pictures import Pictures
from facestages.rows import require_number


class Judgement(NamedTuple):
    """What a person said of two pictures."""

    #: File and row.
    place: str
    rater: str
    picture: str
    other: str
    #: Not negative; NaN where nothing was said.
    dissimilarity: float


def read(entry: Mapping, pictures: Pictures) -> Pairs:
    """Read a CSV table with the columns picture, other, dissimilarity and perhaps rater.

    With ``entry["similarity"]``, larger numbers are more alike, and the dissimilarity is what the
    table's largest number exceeds a number by; the column may be called similarity then.

    Raises
    ------
    FacestagesError
        Naming the row where a value is no number, or negative; or as `collect_pairs`.
    """
    judged = list(_judgements(entry["path"], entry["columns"], entry["similarity"]))
    return collect_pairs(entry["path"], judged, pictures)


def _judgements(path: str, columns: Mapping[str, str], is_similarity: bool) -> list[Judgement]:
    value = "similarity" if is_similarity else "dissimilarity"
    known, rows = ("picture", "other", value, "rater"), []
    for place, row in read_judgements(path, columns, known, known[:3]):
        number = require_number(place, value, row[value])
        if number < 0 and not is_similarity:
            raise FacestagesError(
                f"{place}: dissimilarity is {number:g}, which is negative. Mend it; where larger "
                f"numbers are more alike, write 'similarity: true'"
            )
        rows.append(Judgement(place, rater_of(row), row["picture"], row["other"], number))
    if is_similarity:
        most = np.nanmax([-np.inf, *(row.dissimilarity for row in rows)])
        rows = [row._replace(dissimilarity=most - row.dissimilarity) for row in rows]
    return rows


def collect_pairs(
    path: str | os.PathLike, judged: Sequence[Judgement], pictures: Pictures
) -> Pairs:
    """Sort judgements by rater and pair; of a pair that a rater judged twice, the mean is taken.

    Rows that say nothing, pairs of a picture with itself, and pairs with a picture that is not in
    the face set are left out, and logged.

    Raises
    ------
    FacestagesError
        If nothing remains, or too few of the pictures are in the face set.
    """
    silent = [row.place for row in judged if np.isnan(row.dissimilarity)]
    log_rows("no dissimilarity", silent, "These rows are left out")
    judged = [row for row in judged if not np.isnan(row.dissimilarity)]
    found = pictures.find(path, [name for row in judged for name in (row.picture, row.other)])
    judged = [row for row in judged if row.picture in found and row.other in found]
    same = [row.place for row in judged if found[row.picture] == found[row.other]]
    log_rows("a pair of a picture with itself", same, "These rows are left out")
    judged = [row for row in judged if found[row.picture] != found[row.other]]
    if not judged:
        raise FacestagesError(f"{path}: has no judgement of two different pictures. Add some")
    log_raters(path, (row.rater for row in judged))
    ends = np.sort([(found[row.picture], found[row.other]) for row in judged], axis=1)
    pairs, pair = np.unique(ends, axis=0, return_inverse=True)
    raters, rater = np.unique([row.rater for row in judged], return_inverse=True)
    values = np.array([row.dissimilarity for row in judged])
    _log_repeats(judged, rater, pair)

    def of_rater(number: int) -> np.ndarray:
        mine = rater == number
        times = np.bincount(pair[mine], minlength=len(pairs))
        sums = np.bincount(pair[mine], values[mine], minlength=len(pairs))
        return np.where(times, sums / np.maximum(times, 1), np.nan)[None]

    return Pairs(raters.tolist(), None, *pairs.T, map(of_rater, range(len(raters))))


def _log_repeats(judged: Sequence[Judgement], rater: np.ndarray, pair: np.ndarray) -> None:
    first = np.unique(np.stack([rater, pair]), axis=1, return_index=True)[1]
    again = np.setdiff1d(np.arange(len(judged)), first)
    places = [judged[row].place for row in again]
    log_rows("a pair that its rater judged before", places, "The mean is taken")
