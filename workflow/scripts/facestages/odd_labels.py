"""What seems odd about the labels of a table of pictures, and what to write about it in the config.

Snakemake imports this module at the start of a run, so nothing heavy is imported here.
"""

from __future__ import annotations

import difflib
import functools
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from facestages.errors import did_you_mean, shorten
from facestages.expressions import EXPRESSIONS
from facestages.face_tables import lacks_columns, meant_column, name_columns, tidy_words
from facestages.rows import MISSING, parse_number, read_rows
from facestages.text import printable, quote_yaml

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
# Names, in small letters without signs, that may stand for nobody.
_NOBODY = ("", "na", "n a", "nan", "none", "null", "unknown", "missing")
# Groups of people, and words, that a line names.
_FEW, _MANY = 3, 10


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
