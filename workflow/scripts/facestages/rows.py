"""CSV tables of users, row by row, with errors that name the row.

All tables that users hand in are read here, so that one rule says what a missing value is and what
text is. Snakemake reads tables at the start of a run, so nothing heavy is imported here.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import itertools
import math
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from facestages.bounds import require_size
from facestages.errors import FacestagesError, did_you_mean, shorten
from facestages.file_kinds import not_a_table
from facestages.text import line_problem

#: Text of a missing value, as pandas has it; ``Nan`` and ``Na`` are names, ``none`` is a word.
MISSING = frozenset(
    ("", "NA", "na", "N/A", "n/a", "#N/A", "#NA", "<NA>", "NaN", "nan", "NAN", "-nan", "-NaN")
    + ("NULL", "null", "Null", "None", "NaT")
    # SPSS, SAS and Stata; Matlab.
    + (".", "#NULL!", "<undefined>", "<missing>")
)

# FER2013, the largest table that is known, has 301 MB, and lines of up to 9,235 characters.
_MOST_BYTES, _LONGEST_LINE = 1 << 29, 1 << 20
_MOST_ROWS, _MOST_COLUMNS, _CELLS_A_ROW = 250_000, 2_000, 16
csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_LINE))

# Separators by priority, where they make equally many columns of the header.
_SEPARATORS = (",", ";", "\t")
# They are taken where they alone make the required columns.
_RARE_SEPARATORS = ("|", " ")
# Excel's own first line that names the separator.
_NAMES_SEPARATOR = re.compile(r'"?sep=([^"])"?[,;\s]*', re.IGNORECASE)
# Where the decimal sign is a comma, values are separated by semicolons or tabs.
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
# Soft hyphen, blanks of no width and byte order marks; joiners are letters' own within a word.
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]|^[\u200c-\u200f]+|[\u200c-\u200f]+$")
_OTHER_BLANKS = re.compile("[\u00a0\u2000-\u200a\u202f\u205f\u3000]")
_PICTURE = re.compile(r"\.(jpe?g|jpe|png|bmp|gif|tiff?|webp|p[gnp]m)$", re.IGNORECASE)


def tidy(text: str) -> str:
    """Text as it is compared: composed letters (NFC), plain blanks, nothing invisible, stripped."""
    if text.isascii():
        return text.strip()
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    return _OTHER_BLANKS.sub(" ", text).strip()


def _read_word(column: str, text: str) -> str:
    return "" if text in MISSING else text


def read_rows(
    path: str | os.PathLike,
    required: Sequence[str],
    *,
    name_columns: Callable[[list[str]], list[str]] = list,
    read_word: Callable[[str, str], str] = _read_word,
    most: int = _MOST_ROWS,
) -> Iterator[tuple[str, dict[str, str]]]:
    """Read a CSV file with a header, one row at a time.

    The file is UTF-8 or UTF-16 text, with or without a byte order mark, with any line ends. Commas,
    semicolons, tabs, bars or blanks separate the values; where it is no comma, numbers may have a
    decimal comma. Names and values are as `tidy` gives them, and ``""`` if they are missing
    (`MISSING`). Empty rows, a first column without a name (row names of R and pandas) and empty
    columns without a name are skipped. All text is one line without control characters.

    Parameters
    ----------
    path : path-like
    required : sequence of str
        Columns that must be there.
    name_columns : callable
        Gives the names that columns have from here on, by the names in the header.
    read_word : callable
        Gives the value of a tidy text, by the name of the column; a missing value is ``""``.
    most : int
        The most rows that the table may have.

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
        the header, or there are more than `most` rows, 2,000 columns or ``16 * most`` values.
    """
    path = Path(path)
    if not path.is_file():
        raise FacestagesError(f"{path}: no such file. Correct the path in the config")
    try:
        require_size(path, _MOST_BYTES, "a table")
        with open_text(path) as stream:
            yield from _rows_of(
                path, _lines_of(path, stream), required, name_columns, read_word, most
            )
    except UnicodeDecodeError as error:
        problem = "is cut short" if error.encoding.startswith("utf-16") else _undecodable(path)
        raise FacestagesError(f"{path}: {problem}. Save it as 'CSV UTF-8'") from error
    except csv.Error as error:
        raise FacestagesError(
            f"{path}: is not a CSV table ({error}). Save it as 'CSV UTF-8'"
        ) from error
    except OSError as error:
        raise FacestagesError(
            f"{path}: cannot be read ({error.strerror}). Change its permissions, or copy it again"
        ) from error


def open_text(path: str | os.PathLike, errors: str = "strict") -> TextIO:
    """Open a text file of a user's: UTF-8, or UTF-16 as Excel's 'Unicode text'.

    `errors` is that of `open`.

    Raises
    ------
    FacestagesError
        If its first bytes are those of an archive, a workbook or the like.
    """
    if problem := not_a_table(path):
        raise FacestagesError(f"{path}: {problem}")
    stream = open(path, "rb")
    start = stream.read(512)
    stream.seek(0)
    # In UTF-16, every second byte of Western letters is 0.
    zeros = [start[first::2].count(0) * 4 > len(start) > 1 for first in (0, 1)]
    encoding = "utf-8-sig"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif zeros[0] != zeros[1]:
        encoding = "utf-16-be" if zeros[0] else "utf-16-le"
    return io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="")


def _undecodable(path: Path) -> str:
    """Name the first line that is not UTF-8, and what it would be in Windows's Western letters."""
    with open(path, "rb") as stream:
        for number, line in enumerate(iter(lambda: stream.readline(_LONGEST_LINE), b""), 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                word = line[max(0, error.start - 15) : error.start + 10].decode("cp1252", "replace")
                return f"is not UTF-8: line {number} has '{shorten(word)}' in another encoding"
    return "is not UTF-8"


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
                f"{path}: line {number} holds a NUL character, so it is no text. Is it another "
                f"file? Save a table as 'CSV UTF-8'"
            )
        yield line


def _rows_of(
    path: Path,
    lines: Iterator[str],
    required: Sequence[str],
    name_columns: Callable[[list[str]], list[str]],
    read_word: Callable[[str, str], str],
    most: int,
) -> Iterator[tuple[str, dict[str, str]]]:
    first, skipped = next(lines, ""), 0
    while first and not first.strip():
        first, skipped = next(lines, ""), skipped + 1
    if not first:
        raise FacestagesError(f"{path}: is empty. Save the table again, or correct the path")
    if named := _NAMES_SEPARATOR.fullmatch(first):
        separator, skipped = named[1], skipped + 1
    else:
        separator = _separator(first, required, name_columns)
        lines = itertools.chain([first], lines)
    rows = _reader(lines, separator)
    written = [tidy(name) for name in next(rows, [])]
    header = name_columns(written)
    _check_header(path, written, header, required)
    number = 0
    for row in rows:
        if not any(map(str.strip, row)):
            continue
        number += 1
        if number == 1 and len(row) == len(header) + 1 and row[0].isdigit() and row[-1]:
            # R's write.table numbers the rows and names no column for that.
            header = ["", *header]
        where = f"{path}: row {number} (line {rows.line_num + skipped})"
        if number > most or number * len(header) > _CELLS_A_ROW * most:
            raise FacestagesError(
                f"{where}: a table has at most {most:,} rows and {_CELLS_A_ROW * most:,} values. "
                f"Split it, or remove columns that hold no label"
            )
        if len(row) != len(header):
            is_open = any("\n" in value for value in row)
            remedy = (
                "it seems that a quote is not closed"
                if is_open
                else (f"a value with a '{separator}' needs quotes")
            )
            raise FacestagesError(
                f"{where} has {len(row)} values where the header has {len(header)} columns. "
                f"Mend the row; {remedy}"
            )
        yield where, _values_of(where, header, row, separator, read_word)


def _values_of(
    where: str,
    header: list[str],
    row: list[str],
    separator: str,
    read_word: Callable[[str, str], str],
) -> dict[str, str]:
    values = {}
    for number, (name, text) in enumerate(zip(header, row, strict=True), 1):
        text = tidy(text)
        if not name:
            if text and number > 1:
                raise FacestagesError(
                    f"{where}: column {number} has a value and no name. Name it or remove it"
                )
            continue
        if problem := line_problem(text):
            raise FacestagesError(f"{where}: {name} {problem}")
        if separator != "," and _DECIMAL_COMMA.fullmatch(text):
            text = text.replace(",", ".")
        values[name] = read_word(name, text)
    return values


def _separator(
    line: str, required: Sequence[str], name_columns: Callable[[list[str]], list[str]]
) -> str:
    """What separates the values of a table: the sign that makes the required columns, or most."""
    headers = {sign: _split(line, sign) for sign in (*_SEPARATORS, *_RARE_SEPARATORS)}
    for sign, header in headers.items():
        with contextlib.suppress(FacestagesError):
            if required and set(required) <= set(name_columns(header)):
                return sign
    return max(_SEPARATORS, key=lambda sign: len(headers[sign]))


def _reader(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    return csv.reader(lines, delimiter=separator, skipinitialspace=True)


def _split(line: str, separator: str) -> list[str]:
    return [tidy(name) for name in next(_reader([line], separator), [])]


def read_header(
    path: str | os.PathLike,
    required: Sequence[str] = (),
    name_columns: Callable[[list[str]], list[str]] = list,
) -> list[str]:
    """Names of the columns of a table; see `read_rows`."""
    path = Path(path)
    found: list[list[str]] = []

    def note(header: list[str]) -> list[str]:
        found.append(name_columns(header))
        return found[-1]

    next(read_rows(path, required, name_columns=note), None)
    # The last one is that of the separator which was taken.
    return [name for name in found[-1] if name]


def _check_header(
    path: Path, written: list[str], header: list[str], required: Sequence[str]
) -> None:
    if len(header) > _MOST_COLUMNS:
        raise FacestagesError(
            f"{path}: has {len(header):,} columns, and at most {_MOST_COLUMNS:,} are read. Remove "
            f"those that hold no label"
        )
    for name in required:
        if name not in header:
            raise FacestagesError(f"{path}: {_lacks(name, written)}")
    times = Counter(filter(None, header))
    for number, name in enumerate(header, 1):
        if problem := line_problem(name):
            raise FacestagesError(f"{path}: column {number} {problem}")
        if times[name] > 1:
            raise FacestagesError(
                f"{path}: has two columns '{shorten(name)}'. Remove or rename one"
            )


def _lacks(name: str, header: list[str]) -> str:
    """Say that a column is not there, and what seems to be there instead."""
    line = shorten(", ".join(header), 80)
    if any(map(_PICTURE.search, header)):
        return (
            f"has no column '{name}', and its first line names a picture, so it seems to have no "
            f"header ({line}). Add a first line with the names of the columns"
        )
    if len(header) == 1 and max(len(_split(header[0], sign)) for sign in _SEPARATORS) > 1:
        return (
            f"has no column '{name}', and its first line stands in quotes as a whole ({line}). "
            f"Remove the quotes around each line"
        )
    if len(header) == 1 and name in re.split(r"\W", header[0]):
        return (
            f"has no column '{name}', as neither commas, semicolons nor tabs separate its first "
            f"line ({line}). Save it as 'CSV UTF-8'"
        )
    return (
        f"has no column '{name}' (its first line is: {line}). "
        f"Add it, or rename the column that holds it; {did_you_mean(name, filter(None, header))}"
    )


# As people write numbers; Python would also take 1_000 and digits of other scripts.
_NUMBER = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*")


def parse_number(text: str) -> float | None:
    """Turn text into a finite number; None if it is not one."""
    text = text.replace("\N{MINUS SIGN}", "-")
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def require_number(where: str, name: str, text: str) -> float:
    """Turn the text of column `name` into a number; NaN if it is missing."""
    if text in MISSING:
        return math.nan
    number = parse_number(text)
    if number is None:
        raise FacestagesError(
            f"{where}: {shorten(name)} is '{shorten(text)}', not a number. Correct it, or leave it "
            f"empty"
        )
    return number
