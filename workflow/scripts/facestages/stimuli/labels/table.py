"""Labels of a user's face set: the columns of its table."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from facestages.errors import FacestagesError, did_you_mean
from facestages.face_tables import read_face_table
from facestages.odd_labels import odd_words, oddities
from facestages.rows import parse_number, require_number
from facestages.stimuli import take_rows
from facestages.stimuli.labels import Labels
from facestages.stimuli.labels.norms import add_norms

logger = logging.getLogger(__name__)

# These stay text: a person named "01" is not the number 1.
_TEXT = ("stimulus_id", "path", "identity", "sex", "expression", "session")
_CODE = re.compile(r"0\d")
# Whole numbers below it are exact in float64.
_EXACT = 2**53
_NUMBERS = ("frame", "intensity", "valence", "arousal")


def list_labels(entry: Mapping, facts: pd.DataFrame) -> Labels:
    """Read the labels of a table of pictures; see `stimuli.labels.label_pictures`.

    ``entry["table"]`` is a CSV file with a header. The usual columns beside ``path`` are
    ``identity``, ``expression``, ``sex``, ``session`` (text), ``frame``, ``intensity``,
    ``valence``, ``arousal``, ``au_*`` (numbers). Further columns are kept as text, or as numbers if
    every filled value is a number without leading zeros. If the table has a column
    ``stimulus_id``, ``path`` is a label too. ``entry["columns"]`` and ``entry["rename"]`` are those
    of `face_tables.read_face_table`. ``entry["sources"]`` gives the source of
    a label (``human``, ``posed``, ...); that of the others is ``file``.
    ``entry["norms"]`` adds norms. The report's ``to_look_at`` says what is odd.
    """
    table = Path(entry["table"])
    places, rows = read_face_table(table, entry["columns"], entry["rename"])
    columns = {name: _to_column(name, [row[name] for row in rows], places) for name in rows[0]}
    labels = _take(columns, facts, table)
    odd = oddities(rows, entry["rename"])
    odd += odd_words(table, entry["columns"], entry["rename"])
    for line in odd:
        logger.warning("%s: %s", table, line)
    sources = _sources(list(labels), entry["sources"], table)
    own = Labels(labels, sources, {"to_look_at": odd} if odd else {})
    return add_norms(own, facts, entry["norms"])


def list_people(entry: Mapping, facts: pd.DataFrame) -> list[str]:
    """The person of each picture; see `stimuli.labels.list_people`."""
    _, rows = read_face_table(entry["table"], entry["columns"], entry["rename"])
    columns = {name: [row.get(name, "") for row in rows] for name in ("path", "identity")}
    if "stimulus_id" in rows[0]:
        columns["stimulus_id"] = [row["stimulus_id"] for row in rows]
    return list(_take(columns, facts, entry["table"])["identity"])


def _take(columns: Mapping, facts: pd.DataFrame, table: str | os.PathLike) -> pd.DataFrame:
    """The rows of the prepared pictures, without their names."""
    labels = pd.DataFrame(columns)
    if "stimulus_id" not in labels:
        labels = labels.rename(columns={"path": "stimulus_id"})
    return take_rows(labels, facts["stimulus_id"], table)


def _sources(names: list[str], given: Mapping[str, str], table: Path) -> dict[str, str]:
    for name in given:
        if name not in names:
            raise FacestagesError(
                f"{table}: 'sources' names '{name}', which is no label of the table; "
                f"{did_you_mean(name, names)}"
            )
    return {name: given.get(name, "file") for name in names}


def _to_column(name: str, values: list[str], places: list[str]) -> list | np.ndarray:
    """Turn a column into numbers if its name asks for them, or if all filled values are numbers."""
    if name in _TEXT:
        return values
    if name not in _NUMBERS and not name.startswith("au_"):
        filled = list(filter(None, values))
        # Numbers have no leading zeros, codes have.
        if not filled or any(_CODE.match(v) or parse_number(v) is None for v in filled):
            return values
    numbers = np.array(
        [require_number(place, name, value) for place, value in zip(places, values, strict=True)]
    )
    if name == "frame" and np.all((numbers == np.floor(numbers)) & (np.abs(numbers) < _EXACT)):
        return numbers.astype(np.int64)
    return numbers
