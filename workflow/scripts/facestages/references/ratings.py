"""Ratings of pictures on scales, of each person or as means."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from facestages.errors import FacestagesError, did_you_mean, shorten
from facestages.references.contents import MEAN, Ratings
from facestages.references.judgements import log_raters, log_rows, rater_of, read_judgements
from facestages.references.pictures import Pictures
from facestages.rows import MISSING, parse_number, require_number

#: What a column of a table of means holds, by how it is called beside the scale.
_PARTS = {"mean": "mean", "m": "mean", "sd": "sd", "std": "sd", "n": "n", "count": "n"}
_AFTER = re.compile(rf"(.+)[_ .]({'|'.join(_PARTS)})", re.IGNORECASE)
_BEFORE = re.compile(rf"({'|'.join(_PARTS)})[_ .](.+)", re.IGNORECASE)

Rows = list[tuple[str, dict[str, str]]]


class _Judgement(NamedTuple):
    place: str
    rater: str
    picture: str
    scale: str
    rating: float


def read(entry: Mapping, pictures: Pictures) -> Ratings:
    """Read a CSV table of ratings, in one of three layouts.

    - A rating a row: picture, rater, scale and rating; without ``scale``, there is one of that
      name.
    - A picture and rater a row: picture, rater, and a column for each scale.
    - A picture a row: a column for the mean of each scale (``valence``, ``Valence_mean``), and
      perhaps others for standard deviation (``_sd``) and number of ratings (``_n``). OASIS is such
      a table.

    Any scale is carried through, or those of ``entry["scales"]``; all are in small letters. A
    column is one if at least half of its values are numbers.

    Raises
    ------
    FacestagesError
        If there is no such scale; naming the row where a value is no number, or a picture has two
        means; or if nothing remains, or too few of the pictures are in the face set.
    """
    path, known = entry["path"], ("picture", "rater", "scale", "rating")
    rows = list(read_judgements(path, entry["columns"], known, known[:1]))
    header = rows[0][1]
    found = pictures.find(path, (row["picture"] for _, row in rows))
    rows = [(place, row) for place, row in rows if row["picture"] in found]
    if "rating" in header:
        return _collect(path, _choose(entry, _read_long(rows)), found)
    columns = _number_columns(path, rows, known)
    if "rater" in header:
        return _collect(path, _choose(entry, _read_wide(rows, columns)), found)
    return _read_means(entry, rows, columns, found)


def _choose(entry: Mapping, judged: list[_Judgement]) -> list[_Judgement]:
    """The judgements on the scales that the config names."""
    wanted = _wanted_scales(entry, dict.fromkeys(one.scale for one in judged))
    return [one for one in judged if one.scale in wanted]


def _wanted_scales(entry: Mapping, scales: Collection[str]) -> list[str]:
    wanted = list(scales) if entry["scales"] is None else [n.lower() for n in entry["scales"]]
    for name in wanted:
        if name not in scales:
            hint = did_you_mean(name, scales)
            raise FacestagesError(f"{entry['path']}: has no scale '{name}'; {hint}")
    return wanted


def _number_columns(path: str, rows: Rows, known: Sequence[str]) -> list[str]:
    columns = []
    for column in rows[0][1]:
        given = [row[column] for _, row in rows if row[column] not in MISSING]
        numbers = sum(parse_number(text) is not None for text in given)
        if column not in known and numbers and 2 * numbers >= len(given):
            columns.append(column)
    if not columns:
        raise FacestagesError(
            f"{path}: has no column of ratings (it has: {shorten(', '.join(rows[0][1]), 80)}). "
            f"Name them by their scale, such as valence, or one of them 'rating'"
        )
    return columns


def _read_long(rows: Rows) -> list[_Judgement]:
    return [
        _Judgement(
            place,
            rater_of(row),
            row["picture"],
            (row.get("scale") or "rating").lower(),
            require_number(place, "rating", row["rating"]),
        )
        for place, row in rows
    ]


def _read_wide(rows: Rows, columns: Sequence[str]) -> list[_Judgement]:
    return [
        _Judgement(
            *(place, rater_of(row), row["picture"], column.lower()),
            require_number(place, column, row[column]),
        )
        for place, row in rows
        for column in columns
    ]


def _collect(path: str, judged: list[_Judgement], found: Mapping[str, int]) -> Ratings:
    """Means of each rater, picture and scale; missing ratings are left out."""
    judged = [one for one in judged if not np.isnan(one.rating)]
    if not judged:
        raise FacestagesError(f"{path}: has no rating of a picture of the face set. Add some")
    log_raters(path, (one.rater for one in judged))
    raters = list(dict.fromkeys(one.rater for one in judged))
    scales = list(dict.fromkeys(one.scale for one in judged))
    shown, picture = np.unique([found[one.picture] for one in judged], return_inverse=True)
    rater_rows = {name: row for row, name in enumerate(raters)}
    scale_rows = {name: row for row, name in enumerate(scales)}
    cells = (
        [rater_rows[one.rater] for one in judged],
        picture,
        [scale_rows[one.scale] for one in judged],
    )
    shape = (len(raters), len(shown), len(scales))
    cell = np.ravel_multi_index(cells, shape)
    first = np.unique(cell, return_index=True)[1]
    again = np.setdiff1d(np.arange(len(judged)), first)
    places = [judged[row].place for row in again]
    log_rows("a picture that its rater rated before", places, "The mean is taken")
    size = int(np.prod(shape))
    times = np.bincount(cell, minlength=size)
    sums = np.bincount(cell, [one.rating for one in judged], minlength=size)
    rating = np.where(times, sums / np.maximum(times, 1), np.nan).reshape(shape)
    return Ratings(raters, shown, scales, rating)


def _read_means(
    entry: Mapping, rows: Rows, columns: Sequence[str], found: Mapping[str, int]
) -> Ratings:
    parts = {column: _split(column) for column in columns}
    means = dict.fromkeys(scale for scale, part in parts.values() if part == "mean")
    scales = _wanted_scales(entry, means)
    # Without a mean of that scale, "n" or "session_n" is something else.
    parts = {column: item for column, item in parts.items() if item[0] in scales}
    of_part: dict[tuple[str, str], str] = {}
    for column, (scale, part) in parts.items():
        before = of_part.setdefault((scale, part), column)
        if before != column:
            raise FacestagesError(
                f"{entry['path']}: the columns '{shorten(before)}' and '{shorten(column)}' both "
                f"hold the {part} of {shorten(scale)}. Remove one, or give it another name"
            )
    places: dict[int, str] = {}
    for place, row in rows:
        before = places.setdefault(found[row["picture"]], place)
        if before != place:
            raise FacestagesError(
                f"{place}: picture '{shorten(row['picture'])}' is already in "
                f"{before.rpartition(': ')[2]}. Remove one, or name who rated it ('rater')"
            )
    shown = np.sort(list(places))
    values = {part: np.full((len(shown), len(scales)), np.nan) for part in ("mean", "sd", "n")}
    for place, row in rows:
        picture = np.searchsorted(shown, found[row["picture"]])
        for column, (scale, part) in parts.items():
            number = require_number(place, column, row[column])
            if number < 0 and part != "mean":
                raise FacestagesError(
                    f"{place}: {column} is {number:g}, which is negative. Mend it"
                )
            values[part][picture, scales.index(scale)] = number
    extra = {part: values[part] for part in ("sd", "n") if not np.isnan(values[part]).all()}
    return Ratings([MEAN], shown, scales, values["mean"][None], **extra)


def _split(column: str) -> tuple[str, str]:
    """The scale that a column is about, in small letters, and what it holds of it."""
    if match := _AFTER.fullmatch(column):
        return match[1].lower(), _PARTS[match[2].lower()]
    if match := _BEFORE.fullmatch(column):
        return match[2].lower(), _PARTS[match[1].lower()]
    return column.lower(), "mean"
