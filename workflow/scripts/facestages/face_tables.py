"""A user's table of pictures: its columns and its words.

Snakemake reads such tables at the start of a run, so nothing heavy is imported here.
"""

from __future__ import annotations

import difflib
import functools
import json
import os
import posixpath
import re
from collections.abc import Collection, Iterable, Mapping

from facestages.errors import FacestagesError, did_you_mean, shorten
from facestages.expressions import EXPRESSIONS
from facestages.rows import MISSING, read_header, read_rows, tidy
from facestages.text import quote_yaml

#: Columns that the project knows; case does not matter. Further ones are labels as well.
KNOWN = ("path", "stimulus_id", "identity", "expression", "sex", "session", "frame", "intensity")
KNOWN += ("valence", "arousal")

# What others call these columns, in small letters without signs.
_MEANT = {
    "path": "file filename filepath image imagename imagepath imagefile img imgname imgpath "
    "picture picturename photo pic stimulus",
    "identity": "subject subjectid subj person personid participant participantid id name who "
    "model actor individual sitter face faceid vp vpn",
    "expression": "emotion emotions emotionlabel facialexpression expressions label class category "
    "affect",
    "sex": "gender",
}
# Keys of a table that decide which pictures there are.
_OF_PICTURES = ("path", "stimulus_id")


def reading_of(
    columns: Mapping[str, str], rename: Mapping[str, Mapping[str, str]], *labels: str
) -> list[dict]:
    """`columns` and `rename` of `read_face_table` as far as pictures and these labels need them."""
    wanted = (*_OF_PICTURES, *labels)
    return [{k: part[k] for k in sorted(part) if k in wanted} for part in (columns, rename)]


def reading_as_text(
    columns: Mapping[str, str], rename: Mapping[str, Mapping[str, str]], *labels: str
) -> tuple[str, ...]:
    """`reading_of` as one argument of `contents.digest_given`; none where nothing is to be said."""
    parts = reading_of(columns, rename, *labels)
    return (json.dumps(parts, ensure_ascii=False),) if any(parts) else ()


def read_face_table(
    table: str | os.PathLike,
    columns: Mapping[str, str] | None = None,
    rename: Mapping[str, Mapping[str, str]] | None = None,
) -> tuple[list[str], list[dict[str, str]]]:
    """Read all rows of a table of pictures, each with its place for messages.

    Parameters
    ----------
    table : path-like
        CSV file for `rows.read_rows` with a column ``path``.
    columns : mapping of str to str, optional
        The column of the table that holds a label, where it has another name.
    rename : mapping of str to mapping of str to str, optional
        By label: words that are read as others. A word that is given to itself is not missing,
        whatever it is.

    Returns
    -------
    places : list of str
    rows : list of dict
        By label. ``path`` has slashes alone, and leads nowhere out of the folder. An expression
        that is one of `EXPRESSIONS` but for its case is in small letters.

    Raises
    ------
    FacestagesError
        Naming the row, if what identifies a picture is empty, or is there twice; or if the table
        has no such column or no rows.
    """
    places, rows, place_of = [], [], {}
    name = functools.partial(name_columns, columns=columns or {}, where=os.fspath(table))
    read_word = functools.partial(_read_word, tidy_words(rename or {}))
    for place, row in read_rows(table, ("path",), name_columns=name, read_word=read_word):
        row["path"] = inner_path(row["path"], place)
        if row.get("expression", "").lower() in EXPRESSIONS:
            row["expression"] = row["expression"].lower()
        for key in _OF_PICTURES:
            if key not in row:
                continue
            if not row[key]:
                raise FacestagesError(f"{place}: '{key}' is empty. Fill it in or remove the row")
            if (key, row[key]) in place_of:
                raise FacestagesError(
                    f"{place}: {key} '{shorten(row[key])}' is already in "
                    f"{place_of[key, row[key]].split(': ')[-1]}. Remove one of the rows"
                )
            place_of[key, row[key]] = place
        places.append(place)
        rows.append(row)
    if not rows:
        raise FacestagesError(f"{table}: has a header but no rows. Add one row a picture")
    _check_renamed(table, columns or {}, rename or {}, rows[0])
    return places, rows


def tidy_words(rename: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Words and what they are read as, in the form in which those of a table are compared."""
    return {
        label: {tidy(word): tidy(meant) for word, meant in words.items()}
        for label, words in rename.items()
    }


def _read_word(rename: Mapping[str, Mapping[str, str]], label: str, text: str) -> str:
    """What a word of a table is read as; "" if it is missing."""
    words = rename.get(label, {})
    meant = words.get(text, text)
    return "" if meant in MISSING and not (text in words and meant == text) else meant


def labels_of(
    table: str | os.PathLike,
    columns: Mapping[str, str],
    rename: Mapping[str, Mapping[str, str]] | None = None,
) -> list[str]:
    """Names of the columns of a table of pictures, as `read_face_table` gives them."""
    where = os.fspath(table)
    name = functools.partial(name_columns, columns=columns, where=where)
    labels = read_header(table, ("path",), name)
    _check_renamed(table, columns, rename or {}, labels)
    return labels


def _check_renamed(
    table: str | os.PathLike,
    columns: Mapping[str, str],
    rename: Mapping[str, object],
    labels: Collection[str],
) -> None:
    label_of = {tidy(column): label for label, column in columns.items()}
    for label in rename:
        if label not in labels:
            hint = did_you_mean(label, labels)
            if label in label_of:
                hint = f"'columns' takes that column for '{label_of[label]}': write this name"
            raise FacestagesError(
                f"{table}: has no label '{label}', whose words 'rename' gives; {hint}"
            )


def label_name(name: str) -> str:
    """A label as users may write it: the case of those that the project knows does not matter."""
    name = tidy(name)
    return name.lower() if name.lower() in KNOWN else name


def name_columns(header: list[str], columns: Mapping[str, str], where: str) -> list[str]:
    """The label that each column of a table of pictures holds.

    Raises
    ------
    FacestagesError
        If a column that `columns` names is not there, or that of paths has another name.
    """
    labels = {tidy(column): label for label, column in columns.items()}
    for column, label in labels.items():
        if column == "?" and column not in header:
            told = f"has a column '{label}' now. Delete"
            if label not in header:
                told = (
                    f"the names of the pictures do not tell the {label}. Add a column '{label}' to "
                    f"this table, and delete"
                )
            raise FacestagesError(
                f"{where}: {told} {label}: \"?\" below 'columns' in the config; without any other "
                f"entry, delete 'columns', too"
            )
        if column not in header:
            hint = did_you_mean(column, filter(None, header))
            if label in header:
                hint = (
                    f"the label comes first: columns: {{{quote_yaml(column)}: {quote_yaml(label)}}}"
                )
            raise FacestagesError(
                f"{where}: has no column '{shorten(column)}', which 'columns' names; {hint}"
            )
        if label in header and label not in labels:
            raise FacestagesError(
                f"{where}: has a column '{shorten(label)}' beside '{shorten(column)}', which "
                f"'columns' takes for it. Remove one, or give that one another label, e.g. "
                f"columns: {{{label}: {quote_yaml(column)}, {label}_2: {label}}}"
            )
    for name in header:
        if name.lower() in KNOWN and name.lower() not in (*labels.values(), *header):
            labels.setdefault(name, name.lower())
    names = [labels.get(name, name) for name in header]
    if "path" not in names and meant_column("path", names):
        raise FacestagesError(f"{where}: {lacks_columns(['path'], names)}")
    return names


def meant_column(label: str, header: Collection[str]) -> str:
    """The column that probably holds a label under another name; "" if there is none."""
    plain = {re.sub(r"[\W_]", "", name.lower()): name for name in header if name not in KNOWN}
    for word in _MEANT.get(label, "").split():
        if word in plain:
            return plain[word]
    near = difflib.get_close_matches(label, plain, n=1, cutoff=0.8)
    return plain[near[0]] if near else ""


def lacks_columns(labels: Iterable[str], header: Collection[str]) -> str:
    """Say that a table lacks the columns of labels under whose other names it has some."""
    meant = {label: meant_column(label, header) for label in labels}
    lacking = " and ".join(f"'{label}'" for label in meant)
    holding = " and ".join(f"'{shorten(column)}'" for column in meant.values())
    said = ", ".join(f"{label}: {quote_yaml(column)}" for label, column in meant.items())
    line = shorten(", ".join(filter(None, header)), 80)
    return (
        f"has no column {lacking} (it has: {line}). If that is {holding}, say so: "
        f"columns: {{{said}}}"
    )


def inner_path(text: str, place: str) -> str:
    """Tidy a path without access to the disk; refuse one that leads out of the folder."""
    path = posixpath.normpath(text.replace("\\", "/")) if text else ""
    if re.match(r"[/~]|\.\.(/|$)|[A-Za-z]+:/", path):
        raise FacestagesError(
            f"{place}: path '{shorten(text)}' leads out of the folder of pictures. Give it "
            f"relative to that folder, and set 'folder' to the one that holds all pictures"
        )
    return path
