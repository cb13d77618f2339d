"""Principal components anew without each person, for intervals over people.

Components are fitted to the people who are there, so that other people would have others. A
jackknife that keeps the components of all people misses that, and is too narrow where eigenvalues
fall slowly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from facestages.analysis.geometry import leading_components
from facestages.analysis.sampling import components_of_part
from facestages.gram import centre_gram
from facestages.stimuli.sample import people_of

# Larger face sets are thinned to about this many pictures: people, not pictures, are the unit.
_MOST_PICTURES = 1500
# Components without a person are sought within this many of all people, for each one that is asked.
_SOUGHT_IN = 4


class Others(NamedTuple):
    """The pictures of all people but one, and their own principal components."""

    #: Name of the person who is left out.
    person: str
    #: Rows of the pictures, shape (m,).
    rows: np.ndarray
    #: Shape (m, k).
    scores: np.ndarray
    total_variance: float

    def gram(self, k: int) -> np.ndarray:
        """Inner products (m, m) in k components."""
        return self.scores[:, :k] @ self.scores[:, :k].T

    def explained(self, k: int) -> float:
        """Share of the variance of k components."""
        return float(np.square(self.scores[:, :k]).sum() / self.total_variance)


def leave_people_out(gram: np.ndarray, table: pd.DataFrame, k: int) -> Iterator[Others]:
    """Leave out one person after another, in the order in which they first appear.

    Parameters
    ----------
    gram : numpy.ndarray or HDF5 dataset, shape (n, n)
        Inner products of the pictures' centred points.
    table : pandas.DataFrame of n rows
        Labels of the pictures. Of a large face set, every s-th picture of each expression of each
        person counts.
    k : int
        Number of components. They are sought within the leading 4 k components of all people.
    """
    rows = thin_pictures(table)
    part = centre_gram(read_part(gram, rows))
    if not part.any():
        return
    scores, _ = leading_components(part, _SOUGHT_IN * k)
    people, names = pd.factorize(people_of(table.iloc[rows]))
    for number, name in enumerate(names):
        kept = people != number
        others = part[np.ix_(kept, kept)]
        total = np.trace(others) - others.mean() * len(others)
        if total > 0:
            yield Others(name, rows[kept], components_of_part(scores[kept])[:, :k], total)


def thin_pictures(table: pd.DataFrame, most: int = _MOST_PICTURES) -> np.ndarray:
    """Rows of every s-th picture of each expression of each person; one of each at least."""
    step = -(-len(table) // most)
    cells: Sequence = [people_of(table)]
    if "expression" in table:
        cells = [*cells, table["expression"].fillna("").to_numpy()]
    place = table.groupby(cells, sort=False).cumcount().to_numpy()
    return np.flatnonzero(place % step == 0)


def read_part(gram: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Inner products (m, m) of some pictures, in ascending order, without holding the others'."""
    if len(rows) == len(gram):
        return gram[:]
    return np.concatenate(
        [
            gram[start : start + 512][rows[(rows >= start) & (rows < start + 512)] - start][:, rows]
            for start in range(0, len(gram), 512)
        ]
    )
