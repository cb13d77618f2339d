"""What is held out of a read-out: people, sessions, or stretches of time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas.api.typing import SeriesGroupBy
from sklearn.model_selection import GroupKFold

from facestages.analysis.separability import is_labelled
from facestages.errors import FacestagesError


class Folds(NamedTuple):
    """Which pictures are held out together, and which ones the read-out is trained on then."""

    #: Pictures that are used, shape (m,).
    rows: np.ndarray
    #: In which fold each of them is held out, shape (m,): 0, 1, ...
    fold: np.ndarray
    #: Which of them are trained on in each fold, shape (folds, m).
    training: np.ndarray
    #: ``people``, ``pictures`` (of unknown people), ``sessions`` or ``time blocks``.
    held_out: str


def hold_out_people(people: np.ndarray, rows: np.ndarray, folds: int) -> Folds:
    """Hold out people, as many pictures in each fold as can be.

    Folds know nothing of labels: one permutation of them is as good as another.

    Parameters
    ----------
    people : numpy.ndarray, shape (n,)
        Person of each picture.
    rows : numpy.ndarray of int, shape (m,)
        Pictures to use.
    folds : int
        Fewer where there are fewer people.

    Raises
    ------
    FacestagesError
        If there is one person only.
    """
    several = min(folds, len(set(people[rows])))
    if several < 2:
        raise FacestagesError("no two people to hold out in turn")
    fold = np.empty(len(rows), int)
    for number, (_, held_out) in enumerate(GroupKFold(several).split(rows, groups=people[rows])):
        fold[held_out] = number
    return Folds(rows, fold, fold != np.arange(several)[:, None], "people")


def hold_out_times(table: pd.DataFrame, folds: int) -> Folds:
    """Hold out pictures of each person that were taken at another time than the others.

    Whole sessions, where two people or more have two sessions or more. Else time blocks: the first
    third of each person's frames and the last, while those between them are not used. Frames follow
    each other slowly, and people who only drift look different from each other to a read-out that
    has seen the frames nearby: in 10 videos of 210 frames, without identity but with an
    autocorrelation of .95 from frame to frame, blocks of a fifth of the frames give p < .05 in 89 %
    with a gap of a tenth of a block between them, in 10 % with a gap of a block; thirds in 6 %.
    What changes more slowly cannot be told from identity: in videos of 60 frames it is 55 %.

    Parameters
    ----------
    table : pandas.DataFrame of n rows
        Labels of a face set.
    folds : int
        At most so many folds of sessions; a fold holds several of a person who has more.

    Returns
    -------
    Folds
        Without people who have no two sessions, or no three frames.

    Raises
    ------
    FacestagesError
        If fewer than two people are left.
    """
    known = is_labelled(table, "identity")
    if table.loc[known, "identity"].nunique() < 2:
        raise FacestagesError("one person only, nobody to tell from whom")
    for column, number, held_out in (
        ("session", _number_sessions, "sessions"),
        ("frame", _number_thirds, "time blocks"),
    ):
        timed = table[known & is_labelled(table, column)]
        if timed.empty:
            continue
        fold = number(timed.groupby("identity")[column]).astype(int) % folds
        if timed.loc[fold.index, "identity"].nunique() > 1:
            training = fold.to_numpy() != np.arange(fold.max() + 1)[:, None]
            rows = table.index.get_indexer(fold.index)
            return Folds(rows, fold.to_numpy(), training, held_out)
    raise FacestagesError(
        "pictures of one person are in no order: no two people have two of 'session', or three of "
        "'frame'"
    )


def _number_sessions(sessions: SeriesGroupBy) -> pd.Series:
    number = sessions.transform(lambda own: pd.factorize(own, sort=True)[0])
    return number[sessions.transform("nunique") > 1]


def _number_thirds(frames: SeriesGroupBy) -> pd.Series:
    many = frames.transform("size")
    third = (frames.rank("first") - 1) * 3 // many
    return third[(many > 2) & (third != 1)] // 2
