"""CSV tables, row by row, with errors that name the row."""

from __future__ import annotations

import csv
import math
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from facestages.bounds import require_size
from facestages.errors import FacestagesError, did_you_mean, shorten
from facestages.text import line_problem

#: Text of a missing number, in small letters.
MISSING = ("", "na", "nan")

# FER2013, the largest table that is known, has 301 MB, and lines of up to 9,235 characters.
_MOST_BYTES, _LONGEST_LINE = 1 << 29, 1 << 20
_MOST_ROWS, _MOST_COLUMNS, _MOST_CELLS = 250_000, 2_000, 4_000_000
csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_LINE))


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
        `required` is missing, a value is not one line, the number of values in a row differs from
        the header, or there are more than 250,000 rows, 2,000 columns or 4 million values.
    """
    path = Path(path)
    if not path.is_file():
        raise FacestagesError(f"{path}: no such file. Correct the path in the config")
    try:
        require_size(path, _MOST_BYTES, "a table")
        with open(path, encoding="utf-8-sig", newline="") as stream:
            yield from _rows_of(path, csv.reader(_lines_of(path, stream)), required)
    except (csv.Error, UnicodeDecodeError) as error:
        raise FacestagesError(
            f"{path}: is not a CSV table in UTF-8 ({error}). Save it as 'CSV UTF-8' with commas"
        ) from error
    except OSError as error:
        raise FacestagesError(
            f"{path}: cannot be read ({error.strerror}). Change its permissions, or copy it again"
        ) from error


def _lines_of(path: Path, stream: TextIO) -> Iterator[str]:
    """Lines of a file, none of which fills the memory."""
    number = 0
    while line := stream.readline(_LONGEST_LINE + 1):
        number += 1
        if len(line) > _LONGEST_LINE:
            raise FacestagesError(
                f"{path}: line {number} has more than {_LONGEST_LINE:,} characters, so it is no "
                f"row of a table. Is it another file?"
            )
        if "\0" in line:
            raise FacestagesError(
                f"{path}: line {number} holds a NUL character, so it is no text in UTF-8. Save the "
                f"table as 'CSV UTF-8' with commas"
            )
        yield line


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
        if number > _MOST_ROWS or number * len(header) > _MOST_CELLS:
            raise FacestagesError(
                f"{where}: a table has at most {_MOST_ROWS:,} rows and {_MOST_CELLS:,} values. "
                f"Split it, or remove columns that hold no label"
            )
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
    if len(header) > _MOST_COLUMNS:
        raise FacestagesError(
            f"{path}: has {len(header):,} columns, and at most {_MOST_COLUMNS:,} are read. Remove "
            f"those that hold no label"
        )
    for name in required:
        if name not in header:
            raise FacestagesError(
                f"{path}: has no column '{name}' (its first line is: "
                f"{shorten(', '.join(header), 80)}). "
                f"Add it, or rename the column that holds it; {did_you_mean(name, header)}"
            )
    times = Counter(header)
    for number, name in enumerate(header, 1):
        if problem := line_problem(name):
            raise FacestagesError(f"{path}: column {number} {problem}")
        if not name:
            raise FacestagesError(f"{path}: column {number} has no name. Name it or remove it")
        if times[name] > 1:
            raise FacestagesError(
                f"{path}: has two columns '{shorten(name)}'. Remove or rename one"
            )


# As people write numbers; Python would also take 1_000 and digits of other scripts.
_NUMBER = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*")


def parse_number(text: str) -> float | None:
    """Turn text into a finite number; None if it is not one."""
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def require_number(where: str, name: str, text: str) -> float:
    """Turn the text of column `name` into a number; NaN if it is missing."""
    if text.lower() in MISSING:
        return math.nan
    number = parse_number(text)
    if number is None:
        raise FacestagesError(
            f"{where}: {shorten(name)} is '{shorten(text)}', not a number. Correct it, or leave it "
            f"empty"
        )
    return number
