"""Judged similarity of face pairs by Jozwik et al. 2022, PNAS, doi:10.1073/pnas.2115047119.

The layout is that which the authors' own reader expects (``load_all_subjects.m`` and
``extract_results.m`` of github.com/kamilajozwik/face_similarity_paper_2022).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import scipy.io

from facestages.errors import FacestagesError, name_error, shorten
from facestages.references.contents import Pairs
from facestages.references.pairs import Judgement, collect_pairs
from facestages.references.pictures import Pictures

# Face pairs of a trial. Row 0 of the positions is the line between same and different persons.
_PAIRS = 8


def read(entry: Mapping, pictures: Pictures) -> Pairs:
    """Read the sessions of all participants: ``entry["path"]`` is a folder of files of MATLAB.

    The name of a file begins with letters, which are the participant's. Its ``resultsStruct`` has
    an element for each trial: ``PairOrderAndID``, the numbers of eight face pairs, and
    ``facePositions`` (9, 2), whose rows 2 to 9 are where these were put. The second column is the
    height, from 0 to 1, and the dissimilarity is 1 less the height. Of pairs that a participant
    judged in two sessions, the mean is taken.

    The faces of pair 7 are the pictures ``pair_007_left`` and ``pair_007_right`` of the face set.

    Raises
    ------
    FacestagesError
        Naming the file and the trial where something is missing or is no such number.
    """
    folder = Path(entry["path"])
    files = sorted(folder.glob("*.mat"))
    if not files:
        raise FacestagesError(
            f"{folder}: holds no file of MATLAB. Unpack 'main' or 'isotropicity' of "
            f"https://osf.io/7bh6s and name that folder"
        )
    return collect_pairs(folder, [row for file in files for row in _read_session(file)], pictures)


def _read_session(path: Path) -> Iterator[Judgement]:
    participant = re.match(r"[A-Za-z]+", path.name)
    if participant is None:
        raise FacestagesError(
            f"{path}: its name does not begin with a participant's letters. Name it as it came"
        )
    try:
        content = scipy.io.loadmat(path, simplify_cells=True, variable_names=["resultsStruct"])
    except Exception as error:
        raise FacestagesError(
            f"{path}: cannot be read as a file of MATLAB ({name_error(error)}). Fetch it again"
        ) from error
    trials = content.get("resultsStruct")
    if trials is None:
        raise FacestagesError(f"{path}: has no 'resultsStruct'. Is it a session of this study?")
    for number, trial in enumerate(np.atleast_1d(np.asarray(trials, object)), 1):
        place = f"{path}: trial {number}"
        pairs = _numbers(place, trial, "PairOrderAndID", (_PAIRS,))
        heights = _numbers(place, trial, "facePositions", (_PAIRS + 1, 2))[1:, 1]
        if (pairs % 1).any() or (pairs < 1).any():
            raise FacestagesError(
                f"{place}: PairOrderAndID has no whole numbers from 1 on. Fetch the file again"
            )
        if not ((heights >= 0) & (heights <= 1)).all():
            raise FacestagesError(
                f"{place}: facePositions has a height beyond 0 to 1. Fetch the file again"
            )
        for pair, height in zip(pairs.astype(int), heights, strict=True):
            sides = (f"pair_{pair:03d}_{side}" for side in ("left", "right"))
            yield Judgement(place, participant[0], *sides, 1 - height)


def _numbers(place: str, trial: object, name: str, shape: tuple[int, ...]) -> np.ndarray:
    found = trial.get(name) if isinstance(trial, dict) else None
    try:
        values = np.asarray(found, float)
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.shape != shape or not np.isfinite(values).all():
        what = "nothing" if found is None else f"the shape {np.shape(found)}"
        raise FacestagesError(
            f"{place}: {name} must hold {shorten(' x '.join(map(str, shape)))} numbers, and has "
            f"{what}. Fetch the file again"
        )
    return values
