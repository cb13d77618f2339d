"""Pictures of a face set, found by the names that a user's table gives them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pandas as pd

from facestages.errors import FacestagesError, shorten
from facestages.stimuli.picture_names import plain_name, refuse_ambiguous

logger = logging.getLogger(__name__)

#: With fewer pictures there are no two pairs that share none.
FEWEST = 4

_EXAMPLES = 3


class Pictures(NamedTuple):
    """The pictures of a face set."""

    #: Name of the face set.
    dataset: str
    #: A row a picture; ``stimulus_id``, and the labels where the reference needs them.
    labels: pd.DataFrame

    @property
    def ids(self) -> pd.Series:
        """Name of each picture."""
        return self.labels["stimulus_id"]

    def find(self, path: str | os.PathLike, names: Iterable[str]) -> dict[str, int]:
        """Row of each of some names that is a picture of the face set.

        A name is compared without case and extension: with the whole ``stimulus_id``, or, if no
        other picture has the same last part, where one of both paths ends with the other. Names of
        other pictures are logged.

        Raises
        ------
        FacestagesError
            If fewer than `FEWEST` pictures are found, naming `path`; or if case and extension alone
            tell two pictures of the face set apart.
        """
        names = list(dict.fromkeys(names))
        whole = self.ids.map(_plain)
        refuse_ambiguous(self.ids, whole)
        last = whole.map(_last_part)
        rows = {name: row for row, name in last.drop_duplicates(keep=False).items()}
        rows |= {name: row for row, name in whole.items()}
        found = {name: _row_of(_plain(name), whole, rows) for name in names}
        unknown = [name for name in names if found[name] is None]
        known = {name: row for name, row in found.items() if row is not None}
        problem = (
            f"{path}: {len(unknown)} of {len(names)} pictures are not in face set {self.dataset}"
            f"{_such_as(unknown)}"
        )
        if not unknown and len(set(known.values())) < FEWEST:
            raise FacestagesError(
                f"{path}: is about {len(set(known.values()))} different pictures. At least "
                f"{FEWEST} are needed"
            )
        if len(set(known.values())) < FEWEST:
            raise FacestagesError(
                f"{problem}; its own have names such as '{shorten(self.ids.iloc[0])}'. At least "
                f"{FEWEST} must be: name the pictures so, or name their face set ('dataset')"
            )
        if unknown:
            logger.warning("%s. They are left out", problem)
        return known


def _row_of(name: str, whole: pd.Series, rows: Mapping[str, int]) -> int | None:
    """Row of a picture by its whole name, or by its last part if the folders agree."""
    row = rows.get(name, rows.get(_last_part(name)))
    if row is None:
        return None
    short, long = sorted([name, whole[row]], key=len)
    return row if f"/{long}".endswith(f"/{short}") else None


def _plain(name: str) -> str:
    return plain_name(name).replace("\\", "/")


def _last_part(name: str) -> str:
    return name.rpartition("/")[2]


def _such_as(names: list[str]) -> str:
    if not names:
        return ""
    quoted = ", ".join(f"'{shorten(name)}'" for name in names[:_EXAMPLES])
    return f", such as {quoted}"
