"""Sessions of Jozwik et al. 2022: files of MATLAB in the layout that the authors' code reads."""

import numpy as np
import pandas as pd
import pytest
import scipy.io

from facestages.references.jozwik import read
from facestages.references.pictures import Pictures
from refusals import refusal

N_PAIRS = 16
IDS = [
    f"{side}/pair_{n:03d}_{side}.png" for n in range(1, N_PAIRS + 1) for side in ("left", "right")
]
PICTURES = Pictures("pairs", pd.DataFrame({"stimulus_id": IDS}))


def write_session(name, heights, first=1):
    """Two trials of eight pairs; `heights` by pair, on the screen."""
    trials = []
    for start in range(0, N_PAIRS, 8):
        order = np.arange(start, start + 8)[::-1]
        positions = np.full((9, 2), 0.5)
        positions[1:, 1] = [heights[pair] for pair in order]
        trials.append({"facePositions": positions, "PairOrderAndID": order + first})
    fields = [("facePositions", object), ("PairOrderAndID", object)]
    struct = np.zeros((1, len(trials)), dtype=fields)
    for number, trial in enumerate(trials):
        for field, _ in fields:
            struct[0, number][field] = trial[field].astype(float)
    scipy.io.savemat(name, {"resultsStruct": struct})


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "main").mkdir()


def test_sessions_of_a_participant_are_joined():
    heights = np.linspace(0, 1, N_PAIRS)
    write_session("main/AB_session1.mat", heights)
    write_session("main/AB_session2.mat", heights[::-1])
    write_session("main/cd1.mat", heights)
    found = read({"path": "main"}, PICTURES)
    assert found.raters == ["AB", "cd"]
    assert [IDS[row] for row in found.first] == IDS[::2]
    assert [IDS[row] for row in found.second] == IDS[1::2]
    joined, alone = found.dissimilarities
    np.testing.assert_allclose(joined, 0.5)
    np.testing.assert_allclose(alone[0], 1 - heights)


def test_what_is_refused():
    entry = {"path": "main"}
    assert "holds no file of MATLAB" in refusal(read, entry, PICTURES)
    write_session("main/ab.mat", np.full(N_PAIRS, 1.5))
    assert "main/ab.mat: trial 1: facePositions has a height beyond" in refusal(
        read, entry, PICTURES
    )
    write_session("main/ab.mat", np.full(N_PAIRS, np.nan))
    assert "trial 1: facePositions must hold 9 x 2 numbers" in refusal(read, entry, PICTURES)
    write_session("main/ab.mat", np.full(N_PAIRS, 0.5), first=0.5)
    assert "PairOrderAndID has no whole numbers" in refusal(read, entry, PICTURES)
    scipy.io.savemat("main/ab.mat", {"resultsStruct": 3.0})
    assert "trial 1: PairOrderAndID must hold 8" in refusal(read, entry, PICTURES)
    scipy.io.savemat("main/ab.mat", {"other": 3.0})
    assert "has no 'resultsStruct'" in refusal(read, entry, PICTURES)
    with open("main/ab.mat", "wb") as stream:
        stream.write(b"x" * 300)
    assert "cannot be read as a file of MATLAB" in refusal(read, entry, PICTURES)
    write_session("main/1.mat", np.full(N_PAIRS, 0.5))
    assert "participant's letters" in refusal(read, entry, PICTURES)
