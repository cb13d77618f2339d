"""Folds of cross-validation: pictures held out by identity, by session, or by time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas.api.typing import SeriesGroupBy
from sklearn.model_selection import GroupKFold

from facestages.analysis.labels import is_labelled
from facestages.errors import FacestagesError


class Folds(NamedTuple):
    """Pictures that are held out together, and those that a read-out is then trained on."""

    #: Pictures that are used, shape (m,).
    rows: np.ndarray
    #: In which fold each of them is held out, shape (m,): 0, 1, ...
    fold: np.ndarray
    #: Which of them are trained on in each fold, shape (folds, m).
    training: np.ndarray
    #: ``people``, ``pictures`` (of unknown people), ``sessions`` or ``time blocks``.
    held_out: str


def hold_out_people(people: np.ndarray, rows: np.ndarray, folds: int) -> Folds:
    """Hold out people (n,), in folds of nearly equal numbers of the pictures `rows` (m,).

    There are as many folds as people if there are fewer people. Folds do not depend on labels, so
    all permutations of the labels are equally likely.

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

    Whole sessions are held out if two people or more have two sessions or more. Otherwise time
    blocks are held out: the first third of each person's frames, and the last third. The third
    between them is not used, because neighbouring frames are alike: with training frames nearby,
    slow drift alone tells people apart.

    The gap was chosen on 10 videos of 210 frames without identity, but with an autocorrelation of
    .95 from frame to frame. Blocks of a fifth of the frames give p < .05 in 89 % with a gap of a
    tenth of a block, and in 10 % with a gap of a block; thirds give it in 6 %. Slower changes
    cannot be told from identity: in videos of 60 frames p < .05 comes up in 55 %.

    Parameters
    ----------
    table : pandas.DataFrame of n rows
        Labels of a face set.
    folds : int
        Largest number of folds of sessions; more sessions of a person share folds.

    Returns
    -------
    Folds
        People with fewer than two sessions, or fewer than three frames, are left out.

    Raises
    ------
    FacestagesError
        If fewer than two people are left.
    """
    identified = is_labelled(table, "identity")
    if table.loc[identified, "identity"].nunique() < 2:
        raise FacestagesError("one person only, nobody to tell from whom")
    for column, number, held_out in (
        ("session", _number_sessions, "sessions"),
        ("frame", _number_thirds, "time blocks"),
    ):
        timed = table[identified & is_labelled(table, column)]
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
    number = sessions.transform(lambda of_person: pd.factorize(of_person, sort=True)[0])
    return number[sessions.transform("nunique") > 1]


def _number_thirds(frames: SeriesGroupBy) -> pd.Series:
    many = frames.transform("size")
    third = (frames.rank("first") - 1) * 3 // many
    return third[(many > 2) & (third != 1)] // 2
