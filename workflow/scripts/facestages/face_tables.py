"""A user's table of pictures: its columns, its words, and what seems odd about them.

Snakemake reads such tables at the start of a run, so nothing heavy is imported here.
"""

from __future__ import annotations

import difflib
import functools
import json
import os
import posixpath
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from facestages.errors import FacestagesError, did_you_mean, shorten
from facestages.expressions import EXPRESSIONS
from facestages.rows import MISSING, parse_number, read_header, read_rows, tidy
from facestages.text import printable, quote_yaml

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
# What others call the seven expressions, where the spelling is not near enough to tell.
_SYNONYMS = {
    **dict.fromkeys(
        ("joy", "joyful", "smile", "smiling", "laughing", "glad", "ha", "hap"), "happy"
    ),
    **dict.fromkeys(("afraid", "scared", "anxious", "af", "fe", "fea", "angst"), "fear"),
    **dict.fromkeys(("normal", "calm", "ne", "neu", "no expression", "none"), "neutral"),
    **dict.fromkeys(("anger", "mad", "furious", "rage", "an", "ang"), "angry"),
    **dict.fromkeys(("astonished", "amazed", "su", "sur"), "surprise"),
    **dict.fromkeys(("unhappy", "sorrow", "sa"), "sad"),
    **dict.fromkeys(("di", "dis"), "disgust"),
}
# Keys of a table that decide which pictures there are.
_OF_PICTURES = ("path", "stimulus_id")
# Names, in small letters without signs, that may stand for nobody.
_NOBODY = ("", "na", "n a", "nan", "none", "null", "unknown", "missing")
# Groups of people, and words, that a line names.
_FEW, _MANY = 3, 10


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


def oddities(
    rows: Sequence[Mapping[str, str]], rename: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """Lines on what is odd about the labels of a table, for its report and the doctor.

    These are people whose names are nearly the same, expressions that are none of the seven words
    and that no `rename` gives, and columns that seem to hold a label under another name.
    """
    header = list(rows[0])
    meant = [label for label in ("identity", "expression") if label not in header]
    meant = [label for label in meant if meant_column(label, header)]
    lines = [lacks_columns(meant, header)] if meant else []
    lines += _alike([row.get("identity", "") for row in rows])
    lines += _unknown_words(Counter(row.get("expression", "") for row in rows), rename)
    return lines


def without_groups(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Lines on labels of which nothing can be measured: a group alone, or groups of one picture."""
    lines = []
    for label in ("identity", "expression"):
        sizes = Counter(filter(None, (row.get(label, "") for row in rows)))
        if len(sizes) == 1 and len(rows) > 1:
            (word,) = sizes
            lines.append(
                f"all pictures have the {label} '{printable(word)}': there is no other to compare"
            )
        elif len(sizes) > 1 and max(sizes.values()) == 1:
            lines.append(f"no two pictures have the same {label}, so it has no groups to compare")
    return lines


def _alike(people: Iterable[str]) -> Iterator[str]:
    """Lines on people whose names differ in case, leading zeros, blanks and the like alone."""
    groups: dict[str, list[str]] = {}
    for person in dict.fromkeys(filter(None, people)):
        groups.setdefault(_plain(person), []).append(person)
    alike = [names for names in groups.values() if len(names) > 1]
    if alike:
        shown = "; ".join(", ".join(f"'{printable(n)}'" for n in names) for names in alike[:_FEW])
        first, *others = alike[0]
        is_one = "this is one" if len(alike) == 1 else f"these are {len(alike)}"
        yield (
            f"{sum(map(len, alike))} people differ only in case, leading zeros or blanks: {shown}"
            f"{_more(alike, _FEW)}. If {is_one}, say so: "
            f"{rename_line('identity', dict.fromkeys(others[:_FEW], first))}"
        )


def _plain(person: str) -> str:
    """A name without what may be a matter of spelling."""
    name = re.sub(r"^(\d+)\.0+$", r"\1", unicodedata.normalize("NFKC", person).casefold())
    plain = re.sub(r"[\s_.'’-]+", " ", name).strip()
    return re.sub(r"(?<!\d)0+(?=\d)", "", plain) or name


def _unknown_words(
    counts: Mapping[str, int], rename: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    """A line on expressions that are none of the seven, and that no `rename` gives."""
    given = tidy_words(rename).get("expression", {})
    # What looks like one of the seven may be a slip in the config.
    meant_so = {new for word, new in given.items() if word == new or not meant_word(new)}
    words = sorted(counts.keys() - {*EXPRESSIONS, "", *meant_so})
    if words and all(parse_number(word) is not None for word in words):
        yield (
            f"expressions are numbers ({', '.join(words[:_FEW])}, ...). Say what they mean: "
            f"rename: {{expression: {{{quote_yaml(words[0])}: angry, ...}}}}"
        )
        return
    if not words:
        return
    meant = {word: meant_word(word) for word in words}
    listed = ", ".join(
        f"'{shorten(word)}' ({counts[word]} pictures"
        + (f", did you mean '{meant[word]}'?)" if meant[word] else ")")
        for word in words[:_MANY]
    )
    # A word that came from a slip in `rename` is mended there.
    written = {word: [old for old in given if given[old] == word] or [word] for word in words}
    said = {old: meant[word] or word for word in words[:_MANY] for old in written[word]}
    yield (
        f"expressions that are none of {', '.join(EXPRESSIONS)}: {listed}"
        f"{_more(words, _MANY)}. Say what is meant: {rename_line('expression', said)}"
    )


def meant_word(word: str) -> str:
    """Which of the seven expressions a word probably means; "" if none."""
    word = word.lower()
    near = difflib.get_close_matches(word, EXPRESSIONS, n=1, cutoff=0.75)
    near = near or [name for name in EXPRESSIONS if word.startswith(name[:4])]
    return _SYNONYMS.get(word, "".join(near))


def odd_words(
    table: str | os.PathLike,
    columns: Mapping[str, str],
    rename: Mapping[str, Mapping[str, str]],
) -> list[str]:
    """Lines on words of a table, before any is renamed: people whose names seem to be missing
    values, and words that `rename` gives and no row has."""
    given = tidy_words(rename)
    names: dict[str, Counter[str]] = {label: Counter() for label in (*given, "identity")}

    def count(label: str, text: str) -> str:
        if label in names:
            names[label][text] += 1
        return text

    name = functools.partial(name_columns, columns=columns, where=os.fspath(table))
    for _ in read_rows(table, ("path",), name_columns=name, read_word=count):
        pass
    lines = []
    people = names["identity"]
    for word in filter(None, people):
        if word in given.get("identity", {}):
            continue
        start = f"identity is '{shorten(word)}' in {people[word]} of {people.total()} rows, "
        if word in MISSING:
            said = rename_line("identity", {word: word})
            lines.append(f"{start}which counts as missing. If it is a name, say so: {said}")
        elif re.sub(r"[\s_.?/-]+", " ", word.lower()).strip() in _NOBODY:
            said = rename_line("identity", {word: ""})
            lines.append(f"{start}which counts as a person. If it is nobody, say so: {said}")
    for label, words in given.items():
        lines += [
            f"'rename' gives the {label} '{shorten(word)}', which no row has; "
            f"{did_you_mean(word, filter(None, names[label]))}"
            for word in words
            if word and word not in names[label]
        ]
    return lines


def rename_line(label: str, words: Mapping[str, str]) -> str:
    """What a user writes into the config to have words of a label read as others."""
    pairs = (f"{quote_yaml(word)}: {quote_yaml(meant)}" for word, meant in words.items())
    return f"rename: {{{quote_yaml(label)}: {{{', '.join(pairs)}}}}}"


def _more(names: Sequence, most: int) -> str:
    return f" and {len(names) - most} more" if len(names) > most else ""
