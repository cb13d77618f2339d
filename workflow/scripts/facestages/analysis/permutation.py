"""Permutations of labels that respect the design of a face set, and the p-values they give.

Pictures of one person are not independent, and frames of a video follow each other. Permutations
that ignore this make the null distribution too narrow. Here labels move only where the null
hypothesis lets them (Winkler et al. 2015, doi:10.1016/j.neuroimage.2015.05.092).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numba
import numpy as np
import pandas as pd

from facestages.errors import FacestagesError, shorten

#: Where labels move, as tables name it.
FREELY, WITHIN_PEOPLE, WITHIN_EXPRESSIONS = "freely", "within people", "within expressions"
WITHIN_SESSIONS, WITHIN_BOTH = "within sessions", "within expressions of a session"
EPISODES, SHIFTED = "episodes within people", "shifted in time within people"
SESSIONS, SESSIONS_AMONG_PEOPLE = "sessions within people", "sessions from person to person"
AMONG_PEOPLE = "from person to person"

# How many swaps of two episodes are tried, for each episode, before a permutation is taken.
_TRIES = 50

# A standard deviation of a null distribution below this is a rounding error.
_NARROWEST = 1e-9


class Permutations(NamedTuple):
    """From which picture each picture takes its label, permutation by permutation."""

    #: Shape (permutations, n): ``labels[rows[b]]`` are the labels of permutation b.
    rows: np.ndarray
    #: Where labels moved, e.g. `WITHIN_PEOPLE`.
    how: str

    def first(self, number: int) -> Permutations | None:
        """The first of them; None for none."""
        return self._replace(rows=self.rows[:number]) if number else None


def permute_label(
    table: pd.DataFrame, label: str, permutations: int = 1000, seed: int = 0
) -> Permutations:
    """Permutations of a label that respect the design of a face set.

    A session is what the label ``session`` names within a person; a sequence of frames is a
    session too. Without that label, each person has one session.

    Identities move among pictures of the same expression and session, where people share sessions.
    Sequences of frames, and sessions of one person each, move as a whole from person to person:
    among those of one name, or else among those that show the same expressions. Where each person
    has one session, identities move among pictures of the same expression. Pictures without an
    expression count as one more expression.

    Other labels move within a session of a person. They move freely there, unless pictures are
    numbered frames, of which neighbours are alike. Names of frames move as episodes, runs of one
    name, which are put in another order without two of one name in a row. Numbers of frames, such
    as valence, are shifted in time, the end joined to the beginning. A label that is the same
    during each session moves from session to session of a person; a label that is the same in all
    pictures of each person, such as sex, moves from person to person. Labels move freely where
    there are no identities, or where each identity has one picture.

    Parameters
    ----------
    table : pandas.DataFrame of n rows
        Labels of a face set; every row has a value of `label`.
    label : str
    permutations, seed : int

    Returns
    -------
    Permutations
        ``rows``, shape (permutations, n): from which picture each picture takes its label; and
        ``how`` labels moved, as tables say it.

    Raises
    ------
    FacestagesError
        If all pictures have the same label, or a session of a person has two frames of one number.
    """
    rng = np.random.default_rng(seed)
    values, people = _codes(table[label]), _label_codes(table, "identity")
    if len(set(values)) < 2:
        raise FacestagesError(f"all {len(values)} pictures have one {label}")
    if label == "identity":
        return _permute_identity(table, values, permutations, rng)
    if people is None or len(set(people)) == len(people):
        return Permutations(_shuffle(np.zeros_like(values), permutations, rng), FREELY)
    if not _varies_within(values, people):
        return Permutations(_swap(people, people * 0, permutations, rng), AMONG_PEOPLE)
    sessions = _cross(people, _label_codes(table, "session"))
    if not _varies_within(values, sessions):
        return Permutations(_swap(sessions, people, permutations, rng), SESSIONS)
    frames = _read_frames(table, sessions)
    if frames is None:
        return Permutations(_shuffle(sessions, permutations, rng), WITHIN_PEOPLE)
    order = np.lexsort((frames, sessions))
    if pd.api.types.is_numeric_dtype(table[label]):
        return Permutations(_shift(sessions, order, permutations, rng), SHIFTED)
    return Permutations(_reorder(values, sessions, order, permutations, rng), EPISODES)


def _permute_identity(
    table: pd.DataFrame, people: np.ndarray, permutations: int, rng: np.random.Generator
) -> Permutations:
    expressions, names = _label_codes(table, "expression"), _label_codes(table, "session")
    shown = np.zeros_like(people) if expressions is None else expressions
    sessions, cells = _cross(people, names), _cross(shown, names)
    frames = _read_frames(table, sessions)
    is_shared = names is not None and _varies_within(people, names)
    if is_shared and frames is None and _varies_within(people, cells):
        how = WITHIN_SESSIONS if expressions is None else WITHIN_BOTH
        return Permutations(_shuffle(cells, permutations, rng), how)
    # Sessions of one name, or else those that show the same expressions, may change places.
    sets = pd.Series(shown).groupby(sessions).transform(lambda of: str(sorted(set(of))))
    alike = names if is_shared else _codes(sets)
    if _varies_within(sessions, people) and _varies_within(people, alike):
        return Permutations(_swap(sessions, alike, permutations, rng), SESSIONS_AMONG_PEOPLE)
    if expressions is not None and _varies_within(people, shown):
        return Permutations(_shuffle(shown, permutations, rng), WITHIN_EXPRESSIONS)
    return Permutations(_shuffle(np.zeros_like(people), permutations, rng), FREELY)


def each_number(
    components: Sequence[int | str], permutations: int | Sequence[int]
) -> dict[int | str, int]:
    """How often a label is permuted, by number of components: as often in all, or as given."""
    if isinstance(permutations, int):
        return dict.fromkeys(components, permutations)
    return dict(zip(components, permutations, strict=True))


def compare_with_null(value: float, null: np.ndarray, rounding: float) -> dict[str, float]:
    """Compare a value with those of permuted labels, shape (permutations,).

    Returns ``null_mean, null_sd, z`` and the one-sided ``p``, which counts the value among the
    permutations; nothing without permutations. Equal values may differ by `rounding`, because they
    are summed in another order. p is NaN if all are equal, since no permutation changes the value.
    """
    if len(null) == 0:
        return {}
    mean, sd = null.mean(), null.std(ddof=1) if len(null) > 1 else np.nan
    changes = np.abs(null - value).max() > rounding
    return {
        "null_mean": mean,
        "null_sd": sd,
        "z": (value - mean) / sd if sd > _NARROWEST else np.nan,
        "p": (1 + (null >= value - rounding).sum()) / (1 + len(null)) if changes else np.nan,
    }


def _codes(values: pd.Series) -> np.ndarray:
    return pd.factorize(values, use_na_sentinel=False)[0]


def _label_codes(table: pd.DataFrame, label: str) -> np.ndarray | None:
    """Code of each picture's value; missing is one more value. None where all are missing."""
    if label not in table:
        return None
    values = table[label].astype(object).where(table[label].notna(), "")
    return None if (values == "").all() else _codes(values)


def _cross(first: np.ndarray, second: np.ndarray | None) -> np.ndarray:
    """Code of each pair of values."""
    return first if second is None else _codes(pd.Series(first * (second.max() + 1) + second))


def _read_frames(table: pd.DataFrame, sessions: np.ndarray) -> np.ndarray | None:
    """Number of each picture's frame; None where pictures are not numbered."""
    if "frame" not in table:
        return None
    frames = table["frame"].to_numpy(float)
    if not np.isfinite(frames).all():
        return None
    twice = pd.DataFrame([sessions, frames]).T.duplicated()
    if twice.any():
        first = table.iloc[int(np.argmax(twice))]
        raise FacestagesError(
            f"'{shorten(first['identity'])}' has frame {first['frame']:g} twice in one session; "
            f"name the sequences in the column 'session'"
        )
    return frames


def _varies_within(values: np.ndarray, blocks: np.ndarray) -> bool:
    return bool((pd.Series(values).groupby(blocks).nunique() > 1).any())


def _shuffle(blocks: np.ndarray, permutations: int, rng: np.random.Generator) -> np.ndarray:
    """Rows in random order within each block."""
    rows = np.empty((permutations, len(blocks)), np.int32)
    for block in np.unique(blocks):
        members = np.flatnonzero(blocks == block)
        rows[:, members] = rng.permuted(np.tile(members, (permutations, 1)), axis=1)
    return rows


def _shift(
    blocks: np.ndarray, order: np.ndarray, permutations: int, rng: np.random.Generator
) -> np.ndarray:
    """Rows moved on by a random number of frames within each block."""
    rows = np.empty((permutations, len(blocks)), np.int32)
    for members in _split(blocks, order):
        steps = rng.integers(len(members), size=(permutations, 1))
        rows[:, members] = members[(np.arange(len(members)) + steps) % len(members)]
    return rows


def _reorder(
    values: np.ndarray,
    blocks: np.ndarray,
    order: np.ndarray,
    permutations: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Rows with the episodes (runs of equal values) of each block in random order.

    Two episodes are swapped at a time, unless that would put equal ones side by side. Such swaps
    make a Markov chain whose states are equally likely. A permutation is taken from it after many
    tries (Besag and Clifford 1989, doi:10.1093/biomet/76.4.633).
    """
    rows = np.empty((permutations, len(blocks)), np.int32)
    for members in _split(blocks, order):
        starts = np.flatnonzero(np.diff(values[members], prepend=-1))
        tries = rng.integers(len(starts), size=(permutations, _TRIES * len(starts), 2))
        episodes = np.split(members, starts[1:])
        for row, sequence in zip(rows, _swap_episodes(values[members[starts]], tries), strict=True):
            row[members] = np.concatenate([episodes[number] for number in sequence])
    return rows


def _split(blocks: np.ndarray, order: np.ndarray) -> list[np.ndarray]:
    """Rows of each block, in order of time."""
    return np.split(order, np.flatnonzero(np.diff(blocks[order])) + 1)


@numba.njit(cache=True)
def _swap_episodes(values, tries):
    """Sequences of episodes (permutations, m) after tries (permutations, many, 2) to swap two."""
    sequence = np.arange(len(values))
    sequences = np.empty((len(tries), len(values)), np.int64)
    for number in range(len(tries)):
        for first, second in tries[number]:
            sequence[first], sequence[second] = sequence[second], sequence[first]
            for place in (first, second):
                value = values[sequence[place]]
                before = place > 0 and values[sequence[place - 1]] == value
                after = place + 1 < len(values) and values[sequence[place + 1]] == value
                if before or after:
                    sequence[first], sequence[second] = sequence[second], sequence[first]
                    break
        sequences[number] = sequence
    return sequences


def _swap(
    units: np.ndarray, blocks: np.ndarray, permutations: int, rng: np.random.Generator
) -> np.ndarray:
    """Rows of another unit of the same block, the same one for all pictures of a unit."""
    _, first, unit = np.unique(units, return_index=True, return_inverse=True)
    return first.astype(np.int32)[_shuffle(blocks[first], permutations, rng)[:, unit]]
