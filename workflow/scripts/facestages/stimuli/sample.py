"""A sample of a face set of more pictures than can be compared with each other.

Distances between n pictures are n x n numbers, 3.2 GB at 20,000 pictures and 137 GB at 130,815. A
larger face set is measured on a systematic sample (Cochran 1977, Sampling Techniques, chapter 8):
every k-th picture of each person, in the order of the set. Nothing in it is left to chance, and
what is chosen of one person does not depend on the others.

An order that repeats itself, such as one picture of each of seven expressions, goes badly with a k
that shares a factor with it: every seventh picture is of one expression. A log line says where the
sample lacks an expression that the face set has.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from facestages.errors import FacestagesError
from facestages.progress import progress
from facestages.stimuli import StimulusSet, read_labels, read_parts, write_stimuli

logger = logging.getLogger(__name__)

# What the reader of the source said of all pictures; the report is of the whole face set.
_OF_THE_WHOLE = ("report",)


def sample_stimuli(stimuli: str | os.PathLike, every: int, out: str | os.PathLike) -> None:
    """Write every k-th picture of each person as a face set of its own.

    Pictures are read 256 at a time. Labels, their sources, regions and attributes stay; what was
    left out or taken otherwise, and the examples, stay with the whole face set.

    Parameters
    ----------
    stimuli : path-like
        The face set's HDF5 file.
    every : int
        k, 1 or more.
    out : path-like
        HDF5 file to write, with the name of the whole face set and a ``stimuli_digest`` of its own;
        further attributes are ``sampled_from`` (the whole's digest), ``pictures_of`` (how many
        pictures the whole has), ``every``, and ``sampled``, the same in words.

    Raises
    ------
    FacestagesError
        If `every` is below 1, or the face set cannot be read.
    """
    if every < 1:
        raise FacestagesError(f"{stimuli}: every = {every}: a sample takes every 1st, 2nd, ...")
    labels, _, known = read_labels(stimuli)
    rows = sampled_rows(labels, every)
    _warn_of_lost(str(known["dataset"]), labels, rows)
    of = " of each person" if "identity" in labels else ""
    said = {
        "sampled_from": known["stimuli_digest"],
        "pictures_of": len(labels),
        "every": every,
        "sampled": f"every {_ordinal(every)}{of}",
    }
    write_stimuli(out, marked_parts(stimuli, rows, said), str(known["dataset"]))


def sampled_rows(labels: pd.DataFrame, every: int) -> np.ndarray:
    """Mark every k-th picture of each person, the first of each among them.

    Parameters
    ----------
    labels : pandas.DataFrame of n rows
    every : int

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
    """
    people = pd.Series(people_of(labels))
    return (people.groupby(people).cumcount() % every == 0).to_numpy()


def people_of(labels: pd.DataFrame) -> np.ndarray:
    """Person of each picture; pictures of unknown people count as those of one more person."""
    if "identity" not in labels:
        return np.full(len(labels), "", dtype=object)
    return labels["identity"].fillna("").to_numpy()


def pictures_in_words(n: int, known: Mapping[str, object]) -> str:
    """How many pictures, and whether they are a sample.

    Parameters
    ----------
    n : int
    known : mapping
        The face set's attributes.

    Returns
    -------
    str
        ``"972 pictures"``, or ``"18,711 of 130,815 pictures (every 7th of each person)"``.
    """
    if "sampled" not in known:
        return f"{n} pictures"
    return f"{n:,} of {known['pictures_of']:,} pictures ({known['sampled']})"


def sample_in_words(known: Mapping[str, object]) -> str:
    """What stands after a sample's number of pictures: ``"of 130,815 (every 7th of each person)"``.

    Nothing after that of a whole face set.
    """
    return f"of {known['pictures_of']:,} ({known['sampled']})" if "sampled" in known else ""


def marked_parts(
    stimuli: str | os.PathLike, rows: np.ndarray, said: Mapping[str, object]
) -> Iterator[StimulusSet]:
    """The marked pictures of a face set, part by part, without what belongs to the whole.

    Parameters
    ----------
    stimuli : path-like
    rows : numpy.ndarray of bool, shape (n,)
    said : mapping
        Further attributes.
    """
    start = 0
    for part in progress(read_parts(stimuli), "sample", -(-len(rows) // 256)):
        own = rows[start : start + len(part)]
        start += len(part)
        if not own.any():
            continue
        kept = {k: v for k, v in part.attributes.items() if k not in _OF_THE_WHOLE}
        yield replace(
            part,
            images=part.images[own],
            labels=part.labels[own].reset_index(drop=True),
            attributes={**kept, **said},
            irregular=[],
            examples=[],
            regions=None if part.regions is None else part.regions[own],
        )


def _warn_of_lost(dataset: str, labels: pd.DataFrame, rows: np.ndarray) -> None:
    if "expression" in labels:
        lost = set(labels["expression"]) - set(labels.loc[rows, "expression"])
        if lost:
            logger.warning(
                "face set '%s': the sample has no picture of %s; give another "
                "analysis.most_pictures, for another step from picture to picture",
                dataset,
                ", ".join(sorted(name or "no expression" for name in lost)),
            )


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"
