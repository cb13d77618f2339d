"""Damaged files of references: readers end with judgements, or a line of what is wrong."""

import io

import h5py
import numpy as np
import pandas as pd
import pytest
import rsatoolbox
import scipy.io
from hypothesis import given
from hypothesis import strategies as st

from damage import damaged, fuzz, sound
from facestages.references import confusions, jozwik, pairs, ratings, rdms, triplets
from facestages.references.pictures import Pictures

NAMES = ["p1", "p2", "p3", "p4", "p5"]
PICTURES = Pictures(
    "own", pd.DataFrame({"stimulus_id": NAMES, "expression": ["happy", "sad", "happy", "sad", ""]})
)
TABLES = {
    pairs: "picture,other,dissimilarity,rater\np1,p2,1,a\np3,p4,2.5,b\np1,p5,0,a\n",
    ratings: "picture,rater,valence,trust\np1,a,1,2\np2,a,3,4\np3,b,5,6\np4,b,7,8\n",
    triplets: "a,b,odd,rater\np1,p2,p3,a\np3,p4,p5,b\n",
    confusions: "expression,answer,count,rater\nhappy,sad,3,a\nsad,sad,4,b\n",
}
MEANS = "picture,valence,valence_sd,valence_n\np1,1,2,3\np2,2,2,3\np3,3,2,3\np4,4,2,3\n"
ENTRY = {"columns": {}, "similarity": False, "scales": None}

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "conditions.csv").write_text("\n".join(["picture", *NAMES]))
    return folder


def numbers(found):
    """Whatever a reader returns holds judgements, and all of it can be had."""
    if found is None:
        return
    if found.kind == "pairs":
        for block in found.dissimilarities:
            assert block.shape[1] == len(found.first) and not (block < 0).any()
            assert not np.isinf(block).any()
        assert (np.asarray(found.first) < np.asarray(found.second)).all()
    elif found.kind == "ratings":
        assert found.rating.shape[1:] == (len(found.pictures), len(found.scales))
        assert not np.isinf(found.rating).any()
    elif found.kind == "triplets":
        assert found.triplet.shape[1] == 3 and len(found.triplet) == len(found.rater)
    else:
        assert found.count.sum() > 0 and (found.count >= 0).all()


def read_all(reader, entry):
    """As the job does: a stack is checked while it is written."""
    found = reader.read(entry, PICTURES)
    if found.kind == "pairs":
        return found._replace(dissimilarities=list(found.dissimilarities))
    return found


@fuzz(40)
@given(st.data())
@pytest.mark.parametrize("reader", [*TABLES, "means"], ids=lambda r: getattr(r, "__name__", r))
def test_tables(place, reader, data):
    text = MEANS if reader == "means" else TABLES[reader]
    reader = ratings if reader == "means" else reader
    path = place / "table.csv"
    path.write_bytes(data.draw(damaged(text.encode())))
    numbers(sound(path, read_all, reader, ENTRY | {"path": str(path)}))


def _stack(*above):
    return np.ones((*above, 5, 5)) - np.eye(5)


def _npy():
    stream = io.BytesIO()
    np.save(stream, _stack(2, 3))
    return stream.getvalue()


def _mat():
    stream = io.BytesIO()
    scipy.io.savemat(stream, {"RDMs": _stack(2, 3)}, do_compression=True)
    return stream.getvalue()


def _mat_73():
    stream = io.BytesIO()
    with h5py.File(stream, "w", userblock_size=512) as file:
        file["RDMs"] = _stack(2, 3).T
    return stream.getvalue()


def _rsatoolbox():
    stream = io.BytesIO()
    descriptors = {"subject": [*"aaabbb"], "time": [0.0, 1, 2] * 2}
    file = rsatoolbox.rdm.RDMs(
        np.ones((6, 10)), rdm_descriptors=descriptors, pattern_descriptors={"picture": NAMES}
    )
    file.save(stream, file_type="hdf5")
    return stream.getvalue()


STACKS = {"a.npy": _npy(), "a.mat": _mat(), "b.mat": _mat_73(), "a.h5": _rsatoolbox()}


@fuzz(60)
@given(st.data())
@pytest.mark.parametrize("name", STACKS)
def test_stacks(place, name, data):
    path = place / name
    path.write_bytes(data.draw(damaged(STACKS[name])))
    entry = {"path": str(path), "conditions": str(place / "conditions.csv"), "variable": None}
    entry |= {"times": [0.0, 10.0, 20.0], "time_unit": "ms"}
    numbers(sound(path, read_all, rdms, entry))


@fuzz(60)
@given(st.data())
def test_sessions(place, data):
    folder = place / "sessions"
    folder.mkdir(exist_ok=True)
    trial = {"facePositions": np.full((9, 2), 0.5), "PairOrderAndID": np.arange(1.0, 9)}
    stream = io.BytesIO()
    # As MATLAB has written since version 7. Older files have no checksum, and scipy can crash then.
    scipy.io.savemat(stream, {"resultsStruct": trial}, do_compression=True)
    path = folder / "ab.mat"
    path.write_bytes(data.draw(damaged(stream.getvalue())))
    names = [f"pair_{n:03d}_{side}" for n in range(1, 9) for side in ("left", "right")]
    pictures = Pictures("own", pd.DataFrame({"stimulus_id": names}))

    def read():
        found = jozwik.read({"path": str(folder)}, pictures)
        return found._replace(dissimilarities=list(found.dissimilarities))

    numbers(sound(path, read))
