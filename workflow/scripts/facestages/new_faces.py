"""A config for a folder of pictures: who and which expression their names seem to tell.

The guess is written as a table, which its user corrects; nothing is measured from a guess that was
not written down.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from PIL import Image, ImageDraw

from facestages.errors import FacestagesError, shorten
from facestages.face_tables import meant_column
from facestages.files import atomic_path, is_clutter
from facestages.odd_labels import meant_word
from facestages.rows import read_header
from facestages.text import quote_yaml

_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".gif", ".webp", ".ppm", ".pgm")
_TABLES = (".csv", ".tsv", ".txt")
_SEXES = {"male": "male", "man": "male", "female": "female", "woman": "female"}

# Names of published sets, whose parts are labels.
_PUBLISHED = {
    "KDEF": r"[AB](?P<identity>[FM]\d\d)(?P<expression>AF|AN|DI|HA|NE|SA|SU)(S|FL|FR|HL|HR)",
    "JAFFE": r"(?P<identity>[A-Z]{2})\.(?P<expression>[A-Z]{2})\d\.\d+",
    "RaFD": r"Rafd\d+_(?P<identity>\d+)_\w+_(?P<sex>male|female)_(?P<expression>[a-z]+)_\w+",
    "CK+": r"(?P<identity>S\d{3})_(?P<session>\d{3})_(?P<frame>\d{8})",
}

_GO_ON = "Go on with what is there: make check CONFIG={}. "
_OF_A_SET = "names are those of"

# A part of names tells the expression where it does so for this share of the pictures.
_LEAST = 0.25
_SHEET = (12, 8)  # columns, rows
# A picture and below it two lines of words, in pixels.
_TILE, _WORDS = 96, 34


class Guess(NamedTuple):
    """What the names of pictures tell."""

    #: A row a picture: ``path``, and those labels that were found.
    table: pd.DataFrame
    #: For each label, where it was found.
    found: dict[str, str]


def new_config(source: str | os.PathLike, out: str | os.PathLike = "config") -> list[str]:
    """Write a config, a table and a contact sheet for pictures; nothing is overwritten.

    Parameters
    ----------
    source : path-like
        Folder of pictures, or a table of them.
    out : path-like
        Folder of the files, which are named after `source`.

    Returns
    -------
    list of str
        Lines for a reader: what was guessed, what was not, and the command to run.

    Raises
    ------
    FacestagesError
        If there is no picture, or a file of that name.
    """
    source, out = Path(source), Path(out)
    name = re.sub(r"[^A-Za-z0-9]+", "_", source.resolve().stem).strip("_").lower() or "faces"
    config, table, sheet = (out / f"{name}.{kind}" for kind in ("yaml", "csv", "png"))
    there = [str(path) for path in (config, table, sheet) if path.exists()]
    if there:
        raise FacestagesError(
            f"there already: {', '.join(there)}. {_GO_ON.format(config) if config.exists() else ''}"
            f"Move this elsewhere to guess anew; nothing is overwritten, as it may be corrected"
        )
    if source.is_file():
        lines, entry = _of_table(source)
        written = []
    else:
        guess = guess_labels(list_pictures(source))
        out.mkdir(parents=True, exist_ok=True)
        with atomic_path(table) as partial:
            guess.table.to_csv(partial, index=False)
        with atomic_path(sheet) as partial:
            draw_sheet(source, guess.table).save(partial, "PNG")
        lines, entry = describe(guess), _entry(name, table, source, guess)
        written = [str(table), str(sheet)]
    out.mkdir(parents=True, exist_ok=True)
    with atomic_path(config) as partial:
        partial.write_text(_CONFIG.format(name=name, entry=entry), encoding="utf-8")
    return [
        *lines,
        "",
        f"Written: {', '.join([str(config), *written])}.",
        *(["Look at the sheet, and correct the table."] if written else []),
        *([f"When it is filled in: make check CONFIG={config}"] if '"?"' in entry else []),
        f"Then: make CONFIG={config} results/{name}/figures/fig4.pdf",
    ]


def list_pictures(folder: Path) -> list[str]:
    """Paths of all pictures below a folder, relative to it.

    Raises
    ------
    FacestagesError
        If there is no such folder, or no picture in it.
    """
    if not folder.is_dir():
        raise FacestagesError(f"{folder}: no such folder or table")
    files = [
        Path(place, name).relative_to(folder).as_posix()
        for place, _, names in os.walk(folder)
        for name in names
        if not is_clutter(name)
    ]
    pictures = [path for path in files if path.lower().endswith(_SUFFIXES)]
    # Some sets write the expression in place of a suffix.
    if not pictures and files and _is_picture(folder / files[0]):
        pictures = [path for path in files if _is_picture(folder / path)]
    if not pictures:
        raise FacestagesError(
            f"{folder}: holds no picture ({', '.join(word[1:] for word in _SUFFIXES)})"
        )
    return sorted(pictures)


def _is_picture(path: Path) -> bool:
    try:
        with Image.open(path):
            return True
    except OSError:
        return False


# ----------------------------------------------------------------------------------- the guess


def guess_labels(paths: Sequence[str]) -> Guess:
    """Identity, expression and more, from the names of published sets or from parts of names."""
    names = [_stem(path) for path in paths]
    for title, pattern in _PUBLISHED.items():
        matches = [re.fullmatch(pattern, name.rpartition("/")[2]) for name in names]
        if sum(map(bool, matches)) >= 0.9 * len(paths):
            rows = [match.groupdict() if match else {} for match in matches]
            table = pd.DataFrame(rows, index=range(len(paths))).fillna("")
            table = table.loc[:, [not column.isdigit() for column in table.columns]]
            if "expression" in table:
                table["expression"] = [_expression(word) for word in table["expression"]]
            table.insert(0, "path", list(paths))
            labels = table.columns.drop("path")
            return Guess(table, dict.fromkeys(labels, f"{_OF_A_SET} {title}"))
    return _from_parts(paths, names)


def _from_parts(paths: Sequence[str], names: Sequence[str]) -> Guess:
    """What words tell, wherever they stand in a name: folders may hold names of several kinds."""
    words = [_words(name) for name in names]
    table, found = pd.DataFrame({"path": list(paths)}), {}
    shown = [[word for word in of.values() if _expression(word)] for of in words]
    told = [_expression(of[-1]) if of else "" for of in shown]
    if len({*told} - {""}) > 1 and sum(map(bool, told)) >= _LEAST * len(paths):
        table["expression"] = told
        found["expression"] = f"words such as '{next(of[-1] for of in shown if of)}'"
        words = [_without(of, lambda word: bool(_expression(word))) for of in words]
    sexes = [[word for word in of.values() if word.lower() in _SEXES] for of in words]
    if all(sexes):
        table["sex"] = [_SEXES[of[-1].lower()] for of in sexes]
        found["sex"] = f"words such as '{sexes[0][-1]}'"
        words = [_without(of, lambda word: word.lower() in _SEXES) for of in words]
    people, where = _find_people(words)
    if where:
        table["identity"] = people
        found["identity"] = where
    columns = [c for c in ("path", "identity", "expression", "sex") if c in table]
    return Guess(table[columns], found)


def _find_people(words: Sequence[Mapping]) -> tuple[list[str], str]:
    """Who is on each picture, and where that was found; nobody where nothing tells people apart.

    It is the folder or the part of the name that has several values of several pictures each. A
    folder comes before a part, and the first part before the others. Names with other numbers of
    folders are looked at by themselves; where too few are alike to tell, their folder is taken, or
    else the first part.
    """
    depths = [sum(kind == "folder" for kind, _ in of) for of in words]
    people, found = [""] * len(words), {}
    for depth in sorted({*depths}, key=depths.count, reverse=True):
        rows = [row for row, other in enumerate(depths) if other == depth]
        place = _telling_place([words[row] for row in rows])
        if place is None and found:
            place = ("folder", depth - 1) if depth else ("part", 0)
        for row in rows if place else ():
            people[row] = words[row].get(place, "")
        if place:
            kind = "folders" if place[0] == "folder" else "names"
            found.setdefault(kind, next(people[row] for row in rows))
    return people, " and ".join(f"{kind} such as '{shorten(one)}'" for kind, one in found.items())


def _telling_place(words: Sequence[Mapping]) -> tuple[str, int] | None:
    n = len(words)
    places = dict.fromkeys(place for of in words for place in of)
    everywhere = [place for place in places if sum(place in of for of in words) >= 0.95 * n]
    counts = {place: len({of.get(place, "") for of in words}) for place in everywhere}
    several = [place for place, count in counts.items() if 2 <= count <= n / 2]
    many = [place for place in several if counts[place] > 2]
    return min(many or several, key=lambda place: (place[0] != "folder", place[1]), default=None)


def _without(words: Mapping, is_left_out: Callable[[str], bool]) -> dict[tuple[str, int], str]:
    """The other words, numbered anew."""
    left = {"folder": [], "part": []}
    for (kind, _), word in words.items():
        if not is_left_out(word):
            left[kind].append(word)
    return {(kind, number): word for kind in left for number, word in enumerate(left[kind])}


def _stem(path: str) -> str:
    return path.rpartition(".")[0] if path.lower().endswith(_SUFFIXES) else path


def _words(name: str) -> dict[tuple[str, int], str]:
    """Folders and parts of a file's name, by kind and number."""
    *folders, last = name.split("/")
    words = [word for word in re.split(r"[_\-. ]+", last) if word]
    return {
        **{("folder", number): word for number, word in enumerate(folders)},
        **{("part", number): word for number, word in enumerate(words)},
    }


def _expression(word: str) -> str:
    """One of the seven expressions; "" for other words, such as ``glasses2``."""
    return meant_word(word.rstrip("0123456789()"))


def describe(guess: Guess) -> list[str]:
    """What was guessed, in lines: counts of each label, and what is missing."""
    table, lines = guess.table, [_counted(len(guess.table), "picture", "pictures")]
    for label in ("identity", "expression", "sex", "session"):
        if label not in table:
            continue
        counts = Counter(table[label])
        if label == "identity":
            each = sorted(counts.values())
            some = f"{each[0]} to {each[-1]}" if each[0] < each[-1] else str(each[0])
            told = f"{_counted(len(counts), 'person', 'people')}, {some} pictures each"
        else:
            told = ", ".join(f"{shorten(word) or 'none'} {n}" for word, n in counts.most_common(12))
        lines.append(f"{label}: {told} ({guess.found[label]})")
    for label in ("identity", "expression"):
        if label not in table:
            lines.append(f"{label}: ? Nothing in the names seems to tell it; write it in the table")
        elif (table[label] == "").any():
            without = table.loc[table[label] == "", "path"]
            lines.append(
                f"{_counted(len(without), 'picture has', 'pictures have')} no {label}, such as "
                f"{shorten(without.iloc[0])}"
            )
    if "identity" in table:
        counts = table["identity"].value_counts()
        alone = counts.index[counts == 1]
        if len(counts) == 1:
            lines.append("There is one person: what tells people apart needs two or more")
        elif len(alone):
            people = _counted(len(alone), "person has", "people have")
            lines.append(f"{people} one picture, such as {shorten(alone[0])}: is that so?")
    # Two of each kind of name.
    kinds = table["path"].map(lambda path: (path.count("/"), len(_words(_stem(path)))))
    some = table.groupby(kinds, sort=False).head(2).head(8)
    return [*lines, "", *some.to_string(index=False).split("\n")]


def _counted(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"


def draw_sheet(folder: Path, table: pd.DataFrame) -> Image.Image:
    """Some pictures at even steps, each with what was guessed of it."""
    columns, rows = _SHEET
    step = max(1, len(table) / (columns * rows))
    shown = [table.iloc[int(i * step)] for i in range(min(len(table), columns * rows))]
    lines = -(-len(shown) // columns)
    sheet = Image.new("RGB", (columns * _TILE, lines * (_TILE + _WORDS)), "white")
    draw = ImageDraw.Draw(sheet)
    for number, row in enumerate(shown):
        x, y, below = number % columns * _TILE, number // columns * (_TILE + _WORDS), _TILE
        try:
            with Image.open(folder / row["path"]) as picture:
                picture.draft("RGB", (_TILE, _TILE))
                small = picture.convert("RGB")
            small.thumbnail((_TILE - 4, _TILE - 4))
            sheet.paste(small, (x + 2, y + 2))
            below = small.height + 4
        except (OSError, ValueError, Image.DecompressionBombError):
            draw.text((x + 4, y + 40), "not read", fill="#b03000")
        words = [str(row.get(label, "?")) for label in ("identity", "expression")]
        for line, word in enumerate(words):
            draw.text((x + 2, y + below + 12 * line - 1), word[:15], fill="#222222")
    return sheet


# ---------------------------------------------------------------------------------- the config


def _of_table(table: Path) -> tuple[list[str], str]:
    """Lines and the config's entry for a table of one's own."""
    if table.suffix.lower() not in _TABLES:
        raise FacestagesError(f"{table}: give a folder of pictures, or a table (csv) of them")
    header = read_header(table)
    columns, lines = {}, [f"{table}: columns {', '.join(header)}"]
    for label in ("path", "identity", "expression", "sex", "session"):
        column = label if label in header else meant_column(label, header)
        if column and column != label:
            columns[label] = column
        elif not column and label in ("path", "identity"):
            columns[label] = "?"
        lines += [f"{label}: {column or '?'}"] if column or label in columns else []
    pairs = ", ".join(f"{label}: {quote_yaml(column)}" for label, column in columns.items())
    entry = [f"table: {quote_yaml(str(table.resolve()))}"]
    return lines, "\n    ".join([*entry, *([f"columns: {{{pairs}}}"] if pairs else [])])


def _entry(name: str, table: Path, folder: Path, guess: Guess) -> str:
    lines = [
        f"table: {quote_yaml(str(table))}",
        f"folder: {quote_yaml(str(folder.resolve()))}",
    ]
    if any(where.startswith(_OF_A_SET) for where in guess.found.values()):
        lines.append("may_show: none  # name those whom the owners' terms allow in print")
    if "identity" not in guess.table:
        lines.append('columns: {identity: "?"}')
    return "\n    ".join(lines)


_CONFIG = """\
# Faces of one's own, and two networks: NN2, trained to name expressions, and the same network
# untrained. config/README.md explains every key; docs/how-to/own-network.md tells of others.

datasets:
  {name}:
    source: table
    label: {name}
    {entry}
    size: 128
    color: grey
    # Faces are found and framed. A picture without a face is left out, and the report lists it.
    # For pictures that are cropped already: crop: null
    crop: {{failures: drop}}

networks:
  nn2: &light
    label: NN2 (7 expressions)
    architecture: light_cnn
    classes: [angry, disgust, fear, happy, sad, surprise, neutral]
    weights: {{asset: nn2}}
    stages: {{early: batchnorm_1, middle: flatten, penultimate: dropout_4, final: out_layer}}
  nn3:
    <<: *light
    label: NN3 (untrained)
    weights: untrained
    seeds: [0, 1, 2]

analysis:
  components: [2, 10, all]
  permutations: 200

figures:
  fig4: {{datasets: [{name}], networks: [nn2, nn3]}}
"""
