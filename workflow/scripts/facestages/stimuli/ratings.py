"""Human ratings of valence and arousal: OASIS, and norms for the pictures of a face set."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pandas as pd

from facestages.bounds import require_size
from facestages.errors import FacestagesError, did_you_mean, shorten
from facestages.rows import parse_number, read_rows, require_number
from facestages.stimuli.picture_names import NAME_COLUMNS, plain_name, refuse_ambiguous

#: The source of every label that comes from here.
SOURCE = "human"

#: Lowest and highest rating of OASIS.
OASIS_SCALE = (1, 7)

_RATED = (
    *("valence", "arousal", "dominance"),
    *("emotional_intensity", "familiarity", "attractiveness"),
)
#: Columns of a table of norms that become labels: mean, standard deviation, number of ratings.
NORM_COLUMNS = tuple(f"{name}{part}" for name in _RATED for part in ("", "_sd", "_n"))

# The authors' file has 900 pictures and 70 kB.
_OASIS_PICTURES, _MOST_BYTES = 900, 1_000_000
# New name of each column of the file.
_OASIS_TEXT = {"Theme": "theme", "Category": "category"}
_OASIS_NUMBERS = {
    f"{rated.capitalize()}_{part}": f"{rated}{ours}"
    for rated in ("valence", "arousal")
    for part, ours in (("mean", ""), ("SD", "_sd"), ("N", "_n"))
}
_FIRST_FEW = 5


def read_oasis(path: str | os.PathLike) -> pd.DataFrame:
    """Read the ratings of OASIS (Kurdi, Lozano and Banaji 2017, doi:10.3758/s13428-016-0715-3).

    Parameters
    ----------
    path : path-like
        The authors' ``OASIS.csv``.

    Returns
    -------
    pandas.DataFrame of 900 rows
        ``theme`` (the picture's name), ``category`` (Animal, Object, Person, Scenery); means
        ``valence`` and ``arousal`` on a scale from 1 to 7, ``valence_sd``, ``arousal_sd``, and
        the numbers of ratings ``valence_n``, ``arousal_n``; and in every row the ``source``
        (``"human"``) and the ends of the scale, ``scale_low`` and ``scale_high``.

    Raises
    ------
    FacestagesError
        If the file is missing or is not that table; naming the row where a value is wrong.
    """
    path = Path(path)
    table = _read_oasis(path)
    for name in (*_OASIS_TEXT, *_OASIS_NUMBERS):
        if name not in table:
            raise FacestagesError(
                f"{path}: has no column '{name}', so it is not OASIS.csv (it has: "
                f"{shorten(', '.join(map(str, table.columns)), 80)}). Give the authors' file, "
                f"unchanged"
            )
    if len(table) != _OASIS_PICTURES:
        raise FacestagesError(
            f"{path}: has {len(table)} pictures, OASIS has {_OASIS_PICTURES}. Fetch the file again"
        )
    columns = {ours: table[name] for name, ours in _OASIS_TEXT.items()}
    columns |= {
        ours: _oasis_numbers(path, name, table[name]) for name, ours in _OASIS_NUMBERS.items()
    }
    ratings = pd.DataFrame(columns)
    twice = ratings["theme"].duplicated()
    if twice.any():
        row = int(twice.idxmax())
        raise FacestagesError(
            f"{path}: row {row + 1}: picture '{shorten(ratings['theme'][row])}' is there twice. "
            f"Fetch the file again"
        )
    low, high = OASIS_SCALE
    return ratings.assign(source=SOURCE, scale_low=low, scale_high=high)


def _read_oasis(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise FacestagesError(f"{path}: no such file. Correct the path of OASIS.csv")
    require_size(path, _MOST_BYTES, "OASIS.csv")
    return pd.DataFrame([row for _, row in read_rows(path, ())])


def _oasis_numbers(path: Path, name: str, values: pd.Series) -> np.ndarray:
    """Turn a column into numbers that are possible for a rating's mean, SD or count."""
    kind = name.rpartition("_")[2]
    low, high = OASIS_SCALE if kind == "mean" else (0, math.inf)
    numbers = []
    for row, text in enumerate(values, 1):
        number = parse_number(text)
        if number is None or not low <= number <= high or (kind == "N" and number % 1):
            needed = {"mean": "a rating from 1 to 7", "SD": "a spread", "N": "a count"}[kind]
            raise FacestagesError(
                f"{path}: row {row}: {name} is '{shorten(text)}', not {needed}. Fetch the file "
                f"again"
            )
        numbers.append(number)
    return np.array(numbers, np.int64 if kind == "N" else np.float64)


def join_norms(
    labels: pd.DataFrame, path: str | os.PathLike, *, key: str = "stimulus_id"
) -> tuple[pd.DataFrame, dict[str, object]]:
    """Find the norms of the pictures of a face set in a user's table.

    Parameters
    ----------
    labels : pandas.DataFrame of n rows
        Labels of the face set.
    path : path-like
        CSV file with a header, e.g. of the norms of KDEF-PT (Garrido and Prada 2017,
        doi:10.3389/fpsyg.2017.02181). The first of `NAME_COLUMNS` that the table has names the
        picture. Each of `NORM_COLUMNS` becomes a label, and one of them is needed: means
        ``valence``, ``arousal``, ``dominance``, ``emotional_intensity``, ``familiarity`` and
        ``attractiveness``, with ``_sd`` standard deviations and with ``_n`` numbers of ratings;
        empty, NA or NaN if missing. Other columns are ignored. The case of column names does not
        matter.
    key : str
        The label that is compared with the table's names, without case and picture extension.

    Returns
    -------
    columns : pandas.DataFrame of n rows
        The new labels, float64, with the index of `labels`; NaN where the table has no norms.
    report : dict
        ``sources`` (``"human"`` for each of the columns), ``columns_ignored``, ``n_matched``
        pictures, and the number and the first five of pictures without norms and of norms without
        a picture.

    Raises
    ------
    FacestagesError
        If the table is missing or lacks the columns, a value is not a number, a picture has two
        rows or no name, two pictures of the face set differ in case and extension alone, the face
        set already has such a label, or nothing matches. The message names the row if one is wrong.
    """
    path = Path(path)
    if key not in labels:
        raise FacestagesError(f"the face set has no label '{key}'; {did_you_mean(key, labels)}")
    norms, written, ignored = _read_norms(path)
    for name in norms:
        if name in labels:
            raise FacestagesError(
                f"{path}: the face set has a label '{name}' already. Remove the column from the "
                f"table, or do without the table"
            )
    names = labels[key].map(plain_name)
    refuse_ambiguous(labels[key], names)
    matched = names.isin(norms.index)
    if not matched.any():
        raise FacestagesError(
            f"{path}: none of its {len(norms)} names, such as '{shorten(written.iloc[0])}', is a "
            f"picture of the face set, which has names such as '{labels[key].iloc[0]}'. Name the "
            f"pictures so"
        )
    without_norms = list(labels[key][~matched])
    without_picture = list(written[~norms.index.isin(names)])
    report = {
        "sources": dict.fromkeys(norms, SOURCE),
        "columns_ignored": ignored,
        "n_matched": int(matched.sum()),
        "n_pictures_without_norms": len(without_norms),
        "pictures_without_norms": without_norms[:_FIRST_FEW],
        "n_norms_without_picture": len(without_picture),
        "norms_without_picture": without_picture[:_FIRST_FEW],
    }
    return norms.reindex(names).set_axis(labels.index), report


def _read_norms(path: Path) -> tuple[pd.DataFrame, pd.Series, list[str]]:
    """Read a table of norms: the norms and the written name of each plain name, unused columns."""
    norms, written, places = {}, [], {}
    name_column, columns, ignored = "", {}, []
    for place, row in read_rows(path, ()):
        if not columns:
            name_column, columns, ignored = _choose_columns(path, list(row))
        name = plain_name(row[name_column])
        if not name:
            raise FacestagesError(
                f"{place}: '{name_column}' is empty. Fill it in or remove the row"
            )
        if name in places:
            raise FacestagesError(
                f"{place}: picture '{shorten(row[name_column])}' is already in "
                f"{places[name].split(': ')[-1]}. Remove one of the rows"
            )
        places[name] = place
        written.append(row[name_column])
        norms[name] = [require_number(place, column, row[column]) for column in columns]
    if not norms:
        raise FacestagesError(f"{path}: has a header but no rows. Add one row a picture")
    table = pd.DataFrame(norms.values(), list(norms), list(columns.values()), np.float64)
    return table, pd.Series(written, table.index), ignored


def _choose_columns(path: Path, header: list[str]) -> tuple[str, dict[str, str], list[str]]:
    """Find the column of names, the label of each column of norms, and the unused columns."""
    by_name: dict[str, str] = {}
    for column in header:
        if column.lower() in by_name:
            raise FacestagesError(
                f"{path}: has two columns '{column.lower()}', as case does not matter. Remove or "
                f"rename one"
            )
        by_name[column.lower()] = column
    naming = [by_name[name] for name in NAME_COLUMNS if name in by_name]
    norms = {by_name[name]: name for name in NORM_COLUMNS if name in by_name}
    for columns, purpose, names in (
        (naming, "names the pictures", NAME_COLUMNS),
        (norms, "holds norms", _RATED),
    ):
        if not columns:
            raise FacestagesError(
                f"{path}: has no column that {purpose} (it has: {shorten(', '.join(header), 80)}). "
                f"Name one of {', '.join(names)}"
            )
    return naming[0], norms, [name for name in header if name not in (naming[0], *norms)]
