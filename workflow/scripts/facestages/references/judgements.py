"""Tables of judgements: their columns, and the words in which logs tell of odd rows."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from facestages.errors import FacestagesError, did_you_mean, shorten
from facestages.references.contents import ALL
from facestages.rows import read_rows
from facestages.stimuli.picture_names import NAME_COLUMNS

logger = logging.getLogger(__name__)

#: Names that a column has in public tables, by the name that it has here; the first that the table
#: has is taken. OASIS names its pictures by `theme`.
ALSO_CALLED = {
    "picture": (*NAME_COLUMNS, "file_name", "filename", "image", "stimulus", "theme"),
    "rater": ("rater", "participant", "subject", "observer"),
}

# One judgement a row: a thousand people who judge two thousand pairs each.
_MOST_ROWS = 2_000_000
_FEW = 3


def read_judgements(
    path: str | os.PathLike,
    columns: Mapping[str, str],
    known: Sequence[str],
    required: Sequence[str] = (),
) -> Iterator[tuple[str, dict[str, str]]]:
    """Read a table of judgements row by row, as `rows.read_rows` does.

    Parameters
    ----------
    path : path-like
    columns : mapping of str to str
        The table's column by the name that it has here.
    known : sequence of str
        Columns whose case does not matter, and which may be called as in `ALSO_CALLED`.
    required : sequence of str
        Those that must be there.

    Raises
    ------
    FacestagesError
        As `rows.read_rows`; or if there is no row, or a column of `columns` is not there.
    """
    name = partial(_name_columns, path, columns, known)
    rows = read_rows(path, required, name_columns=name, most=_MOST_ROWS)
    first = next(rows, None)
    if first is None:
        raise FacestagesError(f"{path}: has a header but no rows. Add one row a judgement")
    yield first
    yield from rows


def _name_columns(
    path: str | os.PathLike, columns: Mapping[str, str], known: Sequence[str], header: list[str]
) -> list[str]:
    names = {}
    for ours, theirs in columns.items():
        if theirs not in header:
            hint = did_you_mean(theirs, filter(None, header))
            raise FacestagesError(
                f"{path}: has no column '{shorten(theirs)}', which 'columns' names; {hint}"
            )
        names[theirs] = ours
    small = {column.lower(): column for column in header if column not in names}
    for ours in known:
        if ours not in columns:
            theirs = [small[also] for also in ALSO_CALLED.get(ours, (ours,)) if also in small]
            names |= {column: ours for column in theirs[:1]}
    return [names.get(column, column) for column in header]


def rater_of(row: Mapping[str, str]) -> str:
    """Who judged: `contents.ALL` where the table does not say."""
    return row.get("rater") or ALL


def log_raters(path: str | os.PathLike, judged: Iterable[str]) -> None:
    """Say how many raters there are, and which have a single judgement; `judged` has one each."""
    counts = Counter(judged)
    logger.info("%s: %d judgements of %d raters", path, counts.total(), len(counts))
    alone = [name for name, number in counts.items() if number == 1]
    if alone:
        logger.warning(
            "%s: %d of %d raters have one judgement, such as '%s'. They are kept, and say little",
            *(path, len(alone), len(counts), shorten(alone[0])),
        )
    if len(counts) == 1:
        logger.warning("%s: has one rater, so no ceiling can be estimated", path)


def log_rows(what: str, places: Sequence[str], done: str) -> None:
    """Say of odd rows how many there are, which come first, and what was done with them."""
    if places:
        more = f" and {len(places) - _FEW} more" if len(places) > _FEW else ""
        others = ", ".join(place.rpartition(": ")[2] for place in places[1:_FEW])
        which = ", ".join(filter(None, (places[0], others)))
        logger.warning("%s%s: %s. %s", which, more, what, done)
