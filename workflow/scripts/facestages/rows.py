"""CSV tables, row by row, with errors that name the row."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from facestages.errors import FacestagesError, did_you_mean
from facestages.text import line_problem

#: Text of a missing number, in small letters.
MISSING = ("", "na", "nan")

# A row of FER2013 pixels has 9,215 characters at most; the rest is room for other tables.
csv.field_size_limit(max(csv.field_size_limit(), 1 << 20))


def read_rows(
    path: str | os.PathLike, required: Sequence[str]
) -> Iterator[tuple[str, dict[str, str]]]:
    """Read a CSV file with a header, one row at a time.

    The file is UTF-8 text, with or without a byte order mark, with any line ends. Blanks around
    header names and values are dropped, and empty lines are skipped. All text is one line without
    control characters.

    Yields
    ------
    where : str
        File and row for messages, e.g. ``"faces.csv: row 3 (line 4)"``. Rows count from 1, without
        the header.
    values : dict of str to str
        By column.

    Raises
    ------
    FacestagesError
        If the file is missing or is not such a table, a column is nameless or duplicated, one of
        `required` is missing, a value is not one line, or the number of values in a row differs
        from the header.
    """
    path = Path(path)
    if not path.is_file():
        raise FacestagesError(f"{path}: no such file. Correct the path in the config")
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            yield from _rows_of(path, csv.reader(stream), required)
    except (csv.Error, UnicodeDecodeError) as error:
        raise FacestagesError(
            f"{path}: is not a CSV table in UTF-8 ({error}). Save it as 'CSV UTF-8' with commas"
        ) from error
    except OSError as error:
        raise FacestagesError(
            f"{path}: cannot be read ({error.strerror}). Change its permissions, or copy it again"
        ) from error


def _rows_of(
    path: Path, rows: Iterator[list[str]], required: Sequence[str]
) -> Iterator[tuple[str, dict[str, str]]]:
    header = [name.strip() for name in next(rows, [])]
    _check_header(path, header, required)
    number = 0
    for row in rows:
        if not row:
            continue
        number += 1
        where = f"{path}: row {number} (line {rows.line_num})"
        if len(row) != len(header):
            raise FacestagesError(
                f"{where} has {len(row)} values where the header has {len(header)} columns. "
                f"Mend the row; a value with a comma needs quotes"
            )
        values = {name: value.strip() for name, value in zip(header, row, strict=True)}
        for name, value in values.items():
            if problem := line_problem(value):
                raise FacestagesError(f"{where}: {name} {problem}")
        yield where, values


def _check_header(path: Path, header: list[str], required: Sequence[str]) -> None:
    for name in required:
        if name not in header:
            raise FacestagesError(
                f"{path}: has no column '{name}' (its first line is: {', '.join(header)[:80]}). "
                f"Add it, or rename the column that holds it; {did_you_mean(name, header)}"
            )
    for number, name in enumerate(header, 1):
        if problem := line_problem(name):
            raise FacestagesError(f"{path}: column {number} {problem}")
        if not name:
            raise FacestagesError(f"{path}: column {number} has no name. Name it or remove it")
        if header.count(name) > 1:
            raise FacestagesError(f"{path}: has two columns '{name}'. Remove or rename one")


def parse_number(text: str) -> float | None:
    """Turn text into a finite number; None if it is not one."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def require_number(where: str, name: str, text: str) -> float:
    """Turn the text of column `name` into a number; NaN if it is missing."""
    if text.lower() in MISSING:
        return math.nan
    number = parse_number(text)
    if number is None:
        raise FacestagesError(
            f"{where}: {name} is '{text}', not a number. Correct it, or leave it empty"
        )
    return number
