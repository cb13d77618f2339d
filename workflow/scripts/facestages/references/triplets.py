"""Odd ones out: which of three pictures a person finds least like the two others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from facestages.errors import FacestagesError
from facestages.references.contents import Triplets
from facestages.references.judgements import log_raters, log_rows, rater_of, read_judgements
from facestages.references.pictures import Pictures

_PLACES = ("a", "b", "odd")


def read(entry: Mapping, pictures: Pictures) -> Triplets:
    """Read a CSV table with the columns a, b, odd (the odd one out) and perhaps rater.

    Trials that lack a picture, or name one twice, or one that is not in the face set, are left out,
    and logged.

    Raises
    ------
    FacestagesError
        If nothing remains, or too few of the pictures are in the face set.
    """
    path, trials, incomplete = entry["path"], [], []
    for place, row in read_judgements(path, entry["columns"], (*_PLACES, "rater"), _PLACES):
        names = [row[column] for column in _PLACES]
        if all(names):
            trials.append((place, rater_of(row), names))
        else:
            incomplete.append(place)
    log_rows("a picture is missing", incomplete, "These rows are left out")
    found = pictures.find(path, [name for _, _, names in trials for name in names])
    trials = [
        (place, rater, [found[name] for name in names])
        for place, rater, names in trials
        if found.keys() >= set(names)
    ]
    twice = [place for place, _, rows in trials if len(set(rows)) < len(_PLACES)]
    log_rows("a picture is there twice", twice, "These rows are left out")
    trials = [trial for trial in trials if len(set(trial[2])) == len(_PLACES)]
    if not trials:
        raise FacestagesError(f"{path}: has no trial of three different pictures. Add some")
    log_raters(path, (rater for _, rater, _ in trials))
    _, raters, rows = zip(*trials, strict=True)
    return Triplets(np.array(rows), np.array(raters, dtype=object))
