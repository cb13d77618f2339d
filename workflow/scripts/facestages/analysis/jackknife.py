"""Principal components anew without each person, for intervals over people.

Components are fitted to the people who are there, so that other people would have others. A
jackknife that keeps the components of all people misses that, and is too narrow where eigenvalues
fall slowly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from facestages.analysis.distances import Points
from facestages.analysis.geometry import leading_components
from facestages.analysis.resampling import FEWEST_PEOPLE
from facestages.analysis.sampling import components_of_part
from facestages.gram import centre_gram
from facestages.stimuli.sample import people_of

# Larger face sets are thinned to about this many pictures: people, not pictures, are the unit.
_MOST_PICTURES = 1500
# Components without a person are sought within so many of all people: four times as many as are
# asked for, and not less than a hundred.
_TIMES, _LEAST = 4, 100


class Others(NamedTuple):
    """The pictures of all people but one, and their own principal components."""

    #: Name of the person who is left out.
    person: str
    #: Rows of the pictures, shape (m,).
    rows: np.ndarray
    #: Shape (m, k).
    scores: np.ndarray
    total_variance: float

    def points(self, k: int) -> Points:
        """Points in k components; in float32, which is enough for an interval."""
        return Points(self.scores[:, :k].astype(np.float32))

    def explained(self, k: int) -> float:
        """Share of the variance of k components."""
        return float(np.square(self.scores[:, :k]).sum() / self.total_variance)


def leave_people_out(gram: np.ndarray, table: pd.DataFrame, k: int) -> Iterator[Others]:
    """Leave out one person after another, in the order in which they first appear; none of two.

    Parameters
    ----------
    gram : numpy.ndarray or HDF5 dataset, shape (n, n)
        Inner products of the pictures' centred points.
    table : pandas.DataFrame of n rows
        Labels of the pictures. Of a large face set, every s-th picture of each expression of each
        person counts.
    k : int
        Number of components. They are sought within the leading components of all people, of which
        there are four times as many, or a hundred.
    """
    if len(set(people_of(table))) < FEWEST_PEOPLE:
        return
    rows = thin_pictures(table)
    part = centre_gram(gram[:][np.ix_(rows, rows)])
    if not part.any():
        return
    scores, _ = leading_components(part, max(_TIMES * k, _LEAST))
    people, names = pd.factorize(people_of(table.iloc[rows]))
    sums = part.sum(axis=0)
    for number, name in enumerate(names):
        kept, own = people != number, np.flatnonzero(people == number)
        # The sum of all inner products is 0, so that those of the others follow from the person's.
        among = part[np.ix_(own, own)].sum() - 2 * sums[own].sum()
        total = np.diag(part)[kept].sum() - among / kept.sum()
        if total > 0:
            yield Others(name, rows[kept], components_of_part(scores[kept], k), total)


def thin_pictures(table: pd.DataFrame, most: int = _MOST_PICTURES) -> np.ndarray:
    """Rows of every s-th picture of each expression of each person; one of each at least."""
    step = -(-len(table) // most)
    cells = [people_of(table)]
    if "expression" in table:
        cells.append(table["expression"].fillna("").to_numpy())
    place = table.groupby(cells, sort=False).cumcount().to_numpy()
    return np.flatnonzero(place % step == 0)
