"""Samples of face sets that are too large for all pairwise distances.

Distances between n pictures are n x n numbers, 3.2 GB at 20,000 pictures and 137 GB at 130,815. A
larger face set is measured on a systematic sample (Cochran 1977, Sampling Techniques, chapter 8):
every k-th picture of each person, in the order of the set. The choice is not random, and that of
one person does not depend on the others.

If the order is periodic and k shares a factor with its period, the sample loses labels: of pictures
that cycle through seven expressions, every seventh shows the same one. The report of the face set
names the expressions that are lost, in its log.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from facestages.errors import FacestagesError
from facestages.progress import progress
from facestages.stimuli import (
    StimulusSet,
    read_facts,
    read_labels,
    read_parts,
    write_pictures,
)

#: What a sample knows of each picture: the person among whose pictures it was counted.
STRATUM = "stratum"


def sample_stimuli(
    stimuli: str | os.PathLike,
    every: int,
    out: str | os.PathLike,
    people: np.ndarray | None = None,
) -> None:
    """Write every k-th picture of each person to a file of its own; the labels stay those of all.

    Pictures are read 256 at a time. The sample keeps regions and attributes, but not the lists of
    irregular pictures and of examples. It adds `STRATUM`.

    Parameters
    ----------
    stimuli : path-like
        The HDF5 file of the pictures.
    every : int
        k, 1 or more.
    out : path-like
        HDF5 file to write, with the name of the whole face set and a ``stimuli_digest`` of its own;
        further attributes are ``sampled_from`` (the whole's digest), ``pictures_of`` (how many
        pictures the whole has), ``every``, and ``sampled``, the same in words.
    people : numpy.ndarray of str, shape (n,), optional
        The person of each picture (`stimuli.labels.list_people`); "" if unknown. If not given, the
        labels beside the file tell.

    Raises
    ------
    FacestagesError
        If `every` is below 1, or the face set cannot be read.
    """
    if every < 1:
        raise FacestagesError(f"{stimuli}: every = {every}: a sample takes every 1st, 2nd, ...")
    if people is None:
        people = people_of(read_labels(stimuli)[0])
    attributes = read_facts(stimuli)[2]
    rows = sampled_rows(people, every)
    of_whom = " of each person" if (people != "").any() else ""
    added = {
        "sampled_from": attributes["stimuli_digest"],
        "pictures_of": len(people),
        "every": every,
        "sampled": f"every {_ordinal(every)}{of_whom}",
    }
    parts = _add_strata(marked_parts(stimuli, rows, added), people[rows])
    write_pictures(out, parts, str(attributes["dataset"]))


def _add_strata(parts: Iterator[StimulusSet], people: np.ndarray) -> Iterator[StimulusSet]:
    start = 0
    for part in parts:
        of_part = people[start : start + len(part)]
        start += len(part)
        facts, sources = part.labels.assign(**{STRATUM: of_part}), {**part.sources, STRATUM: "file"}
        yield replace(part, labels=facts, sources=sources)


def sampled_rows(people: np.ndarray, every: int) -> np.ndarray:
    """Mark every k-th picture of each person (n,), from the first on; bool, shape (n,)."""
    people = pd.Series(people)
    return (people.groupby(people).cumcount() % every == 0).to_numpy()


def people_of(labels: pd.DataFrame) -> np.ndarray:
    """Return the person of each picture; all pictures of unknown people count as one person's."""
    if "identity" not in labels:
        return np.full(len(labels), "", dtype=object)
    return labels["identity"].fillna("").to_numpy()


def pictures_in_words(n: int, attributes: Mapping[str, object]) -> str:
    """Say how many pictures there are, and of how many they are a sample.

    ``"972 pictures"``, or ``"18,711 of 130,815 pictures (every 7th of each person)"``.
    """
    if "sampled" not in attributes:
        return f"{n} pictures"
    return f"{n:,} of {attributes['pictures_of']:,} pictures ({attributes['sampled']})"


def sample_in_words(attributes: Mapping[str, object]) -> str:
    """Describe a sample after its number of pictures: ``"of 130,815 (every 7th of each person)"``.

    Empty for a whole face set.
    """
    if "sampled" not in attributes:
        return ""
    return f"of {attributes['pictures_of']:,} ({attributes['sampled']})"


def marked_parts(
    stimuli: str | os.PathLike, rows: np.ndarray, added: Mapping[str, object]
) -> Iterator[StimulusSet]:
    """Read the pictures of a face set that `rows`, bool of shape (n,), marks, part by part.

    They come without report and examples, and with the attributes `added`.
    """
    start = 0
    for part in progress(read_parts(stimuli), "sample", -(-len(rows) // 256)):
        marked = rows[start : start + len(part)]
        start += len(part)
        if not marked.any():
            continue
        kept = {k: v for k, v in part.attributes.items() if k != "report"}
        yield replace(
            part,
            images=part.images[marked],
            labels=part.labels[marked].reset_index(drop=True),
            attributes={**kept, **added},
            irregular=[],
            examples=[],
            regions=None if part.regions is None else part.regions[marked],
        )


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"
