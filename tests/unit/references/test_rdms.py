"""Stacks of dissimilarity matrices: conditions by name, whatever the file."""

import h5py
import numpy as np
import pytest
import rsatoolbox
import scipy.io
from scipy.spatial.distance import squareform

from facestages.errors import FacestagesError

NAMES = ["p2-sad", "p0-happy", "p1-neutral", "p3-sad", "p1-happy"]
#: The same in the order of the face set.
SORTED = ["p0-happy", "p1-happy", "p1-neutral", "p2-sad", "p3-sad"]
N = len(NAMES)
RNG = np.random.default_rng(0)


@pytest.fixture
def conditions(write):
    return write("picture", *NAMES, name="conditions.csv")


def stack(*above):
    """Symmetric matrices with zeros on the diagonal, shape (*above, N, N)."""
    values = RNG.uniform(1, 2, (*above, N, N)).astype(np.float32)
    values = values + np.swapaxes(values, -1, -2)
    values[..., range(N), range(N)] = 0
    return values


def save(values, name="rdms.npy"):
    np.save(name, values)
    return name


def judged(values, first, second):
    """Dissimilarity of two pictures, by their names."""
    first, second = (NAMES.index(name.removesuffix(".png")) for name in (first, second))
    return values[..., first, second]


def check(found, values):
    """Every pair of the file is that of the array, by name."""
    assert [*dict.fromkeys(found.first), found.second[-1]] == [f"{name}.png" for name in SORTED]
    assert found.dissimilarity.shape[-1] == N * (N - 1) // 2
    for number, ends in enumerate(zip(found.first, found.second, strict=True)):
        np.testing.assert_allclose(found.dissimilarity[..., number], judged(values, *ends), 1e-6)


def test_subjects(prepared, conditions):
    values = stack(3)
    found = prepared("rdms", path=save(values), conditions=conditions)
    assert found.kind == "pairs" and found.raters == ["1", "2", "3"] and not found.has_time
    check(found, values[:, None])


def test_subjects_and_times(prepared, conditions, write):
    values = stack(3, 2)
    times = write("time", "-0.1", "0.25", name="times.csv")
    options = {"conditions": conditions, "times": times, "time_unit": "s"}
    found = prepared("rdms", path=save(values), **options)
    assert found.has_time and found.times == [-100, 250]
    check(found, values)


def test_one_subject(prepared, conditions, caplog):
    values = stack(4)
    found = prepared("rdms", path=save(values), conditions=conditions, times=[0, 10, 20, 30])
    assert found.raters == ["1"] and "has one subject" in caplog.text
    check(found, values[None])
    check(prepared("rdms", path=save(values[0]), conditions=conditions), values[:1, None])


def test_conditions_of_several_pictures(prepared, write):
    """In the order of their first rows; what is not in the face set is left out of each."""
    rows = ("sad,p2-sad", "happy,p0-happy", "sad,p3-sad", "none,p9-sad", "none,p8-sad")
    rows += ("1,p1-happy", "HAPPY,p7-happy", "neutral,p1-neutral")
    values = stack(2)
    table = write("condition,picture", *rows, name="conditions.csv")
    found = prepared("rdms", path=save(values), conditions=table)
    assert found.conditions == {
        "sad": ["p2-sad.png", "p3-sad.png"],
        "happy": ["p0-happy.png"],
        "1": ["p1-happy.png"],
        "neutral": ["p1-neutral.png"],
    }
    assert found.first == [*["sad"] * 3, *["happy"] * 2, "1"]
    assert found.second == ["happy", "1", "neutral", "1", "neutral", "neutral"]
    expected = values[:, [0, 0, 0, 1, 1, 3], [1, 3, 4, 3, 4, 4]]
    np.testing.assert_allclose(found.dissimilarity[:, 0], expected)


def test_conditions_of_one_picture_may_have_names(prepared, write):
    rows = [f"{number},{name}" for number, name in enumerate(NAMES)]
    values = stack(2)
    table = write("condition,picture", *rows, name="conditions.csv")
    found = prepared("rdms", path=save(values), conditions=table)
    assert found.conditions == {}
    check(found, values[:, None])


def test_a_picture_that_is_named_twice_is_one(prepared, write):
    rows = [f"{number},{name}" for number, name in enumerate(NAMES)]
    values = stack(2)
    table = write("condition,picture", *rows, "0,P2-SAD.png", name="conditions.csv")
    found = prepared("rdms", path=save(values), conditions=table)
    assert found.conditions == {}
    check(found, values[:, None])


@pytest.mark.parametrize(
    ("rows", "shape", "said"),
    [
        # By expression, where the array has each picture.
        (
            ("sad,p2-sad", "happy,p0-happy", "n,p1-neutral", "sad,p3-sad", "happy,p1-happy"),
            (2, N, N),
            r"shape \(2, 5, 5\) fits 5 conditions, and the column 'condition' .* makes 3 of 5 rows",
        ),
        # Read from its end, this would be ten subjects and the pairs of three conditions.
        (
            ("sad,p2-sad", "happy,p0-happy", "n,p1-neutral", "sad,p3-sad", "happy,p1-happy"),
            (3, 10),
            "fits 5 conditions",
        ),
        (
            ("a,p2-sad", "b,p0-happy", "c,none", "d,no", "e,nobody", "b,p1-happy", "a,p3-sad"),
            (2, N, N),
            "2 of 5 conditions have a picture in face set own. At least 4 must",
        ),
        (
            ("a,p2-sad", "b,p0-happy", "b,p1-happy", "c,p3-sad", "d,p1-happy", "d,p0-happy", "e,x"),
            (2, N, N),
            "conditions 2 and 4 are both the pictures of 'd'. Give each condition pictures of its",
        ),
    ],
)
def test_conditions_that_do_not_fit(prepared, write, rows, shape, said):
    table = write("condition,picture", *rows, name="conditions.csv")
    values = np.zeros(shape) if shape[-1] == 10 else stack(2)
    with pytest.raises(FacestagesError, match=said):
        prepared("rdms", path=save(values), conditions=table)


def test_four_names_of_three_pictures(prepared, write):
    table = write("picture", "p2-sad", "p0-happy", "P2-SAD.png", "p1-happy", name="conditions.csv")
    with pytest.raises(FacestagesError, match="about 3 different pictures. At least 4 are needed"):
        prepared("rdms", path=save(stack(2)[:, :4, :4]), conditions=table)


def test_a_condition_without_a_name(prepared, write):
    table = write("condition,picture", "sad,p2-sad", ",p0-happy", name="conditions.csv")
    with pytest.raises(FacestagesError, match=r"conditions.csv: row 2 .*: condition is empty"):
        prepared("rdms", path=save(stack(2)), conditions=table)


def test_condensed_pairs(prepared, conditions):
    """raFFA_RDMs.npy of Guo Jiahui et al. 2023: subjects, pairs."""
    values = stack(2)
    pairs = np.array([squareform(matrix, checks=False) for matrix in values])
    found = prepared("rdms", path=save(pairs, "raFFA_RDMs.npy"), conditions=conditions)
    check(found, values[:, None])


def test_matlab_with_conditions_first(prepared, conditions):
    values = stack(3, 2)
    content = {"RDMs": values.T, "info": "words", "n": 3.0}
    scipy.io.savemat("rdms.mat", content)
    found = prepared("rdms", path="rdms.mat", conditions=conditions, times=[1.0, 2.0])
    check(found, values)
    scipy.io.savemat("rdms.mat", content | {"other": values})
    options = {"path": "rdms.mat", "conditions": conditions, "times": [1.0, 2.0]}
    assert "has 2 arrays of numbers (RDMs, other)" in prepared.refuses("rdms", **options)
    check(prepared("rdms", variable="other", **options), values)
    message = prepared.refuses("rdms", variable="oter", **options)
    assert "no array of numbers 'oter'; did you mean 'other'" in message


@pytest.mark.parametrize("kind", [np.uint8, np.int16, float])
def test_whole_numbers(prepared, conditions, kind):
    values = (stack(2) * 50).astype(kind)
    scipy.io.savemat("rdms.mat", {"RDMs": values})
    check(prepared("rdms", path="rdms.mat", conditions=conditions), values[:, None])
    check(prepared("rdms", path=save(values), conditions=conditions), values[:, None])
    values[0, 1, 2] += 1
    message = prepared.refuses("rdms", path=save(values), conditions=conditions)
    assert "two dissimilarities of 'p0-happy' and 'p1-neutral'" in message


def test_sessions_of_meg_decoding(prepared, conditions):
    """MEG_decoding_RDMs.mat of Cichy et al. 2014: subject, session, time, condition, condition."""
    values = stack(3, 2, 4)
    values[..., range(N), range(N)] = np.nan
    # MATLAB 7.3 is HDF5, and its axes are reversed there.
    with h5py.File("MEG_decoding_RDMs.mat", "w", userblock_size=512) as file:
        file["MEG_decoding_RDMs"] = values.T
    times = [-100.0, 0.0, 100.0, 200.0]
    found = prepared("rdms", path="MEG_decoding_RDMs.mat", conditions=conditions, times=times)
    assert found.dissimilarity.shape[:2] == (3, 4)
    check(found, values.mean(axis=1))


def test_rsatoolbox(prepared):
    values = stack(2, 3)
    pairs = np.array([squareform(matrix, checks=False) for matrix in values.reshape(-1, N, N)])
    rdms = rsatoolbox.rdm.RDMs(
        pairs[:-1],
        rdm_descriptors={"subject": [*"aaabb"], "time": [0.0, 0.1, 0.2, 0.0, 0.1]},
        pattern_descriptors={"picture": NAMES},
    )
    rdms.save("rdms.h5", file_type="hdf5")
    found = prepared("rdms", path="rdms.h5", time_unit="s")
    assert found.raters == ["a", "b"] and found.times == [0, 100, 200]
    values[1, 2] = np.nan
    check(found, values)


def test_rsatoolbox_without_names(prepared, conditions):
    values = stack(2)
    pairs = np.array([squareform(matrix, checks=False) for matrix in values])
    rsatoolbox.rdm.RDMs(pairs).save("rdms.h5", file_type="hdf5")
    assert "no pattern descriptor names the pictures" in prepared.refuses("rdms", path="rdms.h5")
    check(prepared("rdms", path="rdms.h5", conditions=conditions), values[:, None])


def save_rsatoolbox(values, names, descriptor="picture"):
    pairs = np.array([squareform(matrix, checks=False) for matrix in values])
    rdms = rsatoolbox.rdm.RDMs(pairs, pattern_descriptors={descriptor: names})
    rdms.save("rdms.h5", file_type="hdf5", overwrite=True)
    return "rdms.h5"


def test_rsatoolbox_keeps_its_own_order(prepared, write, caplog):
    """The table names the same conditions in another order."""
    values = stack(2)
    path = save_rsatoolbox(values, NAMES)
    table = write("picture", *SORTED[:-1], "P3-sad.png", name="conditions.csv")
    check(prepared("rdms", path=path, conditions=table), values[:, None])
    path = save_rsatoolbox(values, ["e", "d", "c", "b", "a"], "condition")
    rows = [f"{name},{picture}" for name, picture in zip("abcde", NAMES[::-1], strict=True)]
    table = write("condition,picture", *rows, name="named.csv")
    check(prepared("rdms", path=path, conditions=table), values[:, None])
    assert "order" not in caplog.text
    rows = [f"{name},{picture}" for name, picture in zip("vwxyz", NAMES, strict=True)]
    table = write("condition,picture", *rows, name="others.csv")
    check(prepared("rdms", path=path, conditions=table), values[:, None])
    assert "has none of the names in 'conditions'. The order of that table is taken" in caplog.text
    rows = [f"{name},{picture}" for name, picture in zip("abcdx", NAMES, strict=True)]
    table = write("condition,picture", *rows, name="some.csv")
    message = prepared.refuses("rdms", path=path, conditions=table)
    assert (
        "descriptor 'condition' and 'conditions' have some names in common, and not 'x'" in message
    )


def test_conditions_of_other_faces_are_left_out(prepared, write, caplog):
    values = stack(2)
    path = write("picture", "house", *NAMES[1:], name="conditions.csv")
    found = prepared("rdms", path=save(values), conditions=path)
    assert "1 of 5 pictures are not in face set own, such as 'house'" in caplog.text
    assert found.dissimilarity.shape == (2, 1, 6)
    for number, ends in enumerate(zip(found.first, found.second, strict=True)):
        np.testing.assert_array_equal(found.dissimilarity[:, 0, number], judged(values, *ends))


def test_pairs_that_were_not_judged_stay_so(prepared, conditions):
    values = stack(2)
    values[0, 1, 2] = values[0, 2, 1] = np.nan
    check(prepared("rdms", path=save(values), conditions=conditions), values[:, None])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {(1, 2, 3): 9},
            "subject 2: two dissimilarities of 'p1-neutral' and 'p3-sad' ([3, 4] = 9",
        ),
        ({(0, 1, 2): np.nan}, "subject 1: two dissimilarities of 'p0-happy' and 'p1-neutral'"),
        ({(0, 0, 0): 1}, "a diagonal that is not 0 of 'p2-sad' and 'p2-sad' ([1, 1] = 1"),
        ({(0, 0, 1): -1, (0, 1, 0): -1}, "a negative dissimilarity of 'p2-sad' and 'p0-happy'"),
        ({(0, 0, 1): np.inf, (0, 1, 0): np.inf}, "an infinite dissimilarity"),
    ],
)
def test_what_is_no_dissimilarity_matrix(prepared, conditions, change, words):
    values = stack(2)
    for place, value in change.items():
        values[place] = value
    message = prepared.refuses("rdms", path=save(values), conditions=conditions)
    assert message.startswith("rdms.npy") and words in message, message


def test_the_time_of_a_wrong_matrix_is_named(prepared, conditions):
    values = stack(2, 2)
    values[1, 1, 0, 3] = 9
    message = prepared.refuses("rdms", path=save(values), conditions=conditions, times=[0, 50])
    assert "subject 2, 50 ms: two dissimilarities of 'p2-sad' and 'p3-sad'" in message


def test_shapes_that_do_not_fit(prepared, conditions, write):
    path = save(stack(2, 3))
    options = {"path": path, "conditions": conditions}
    assert "has 3 times, and nothing says which" in prepared.refuses("rdms", **options)
    message = prepared.refuses("rdms", **options, times=[0, 1])
    assert "has 3 times, and 'times' gives 2" in message
    message = prepared.refuses("rdms", **options, times=[0, 2, 1])
    assert "time 3 is 1, after 2" in message
    message = prepared.refuses("rdms", path=save(stack()), conditions=conditions, times=[0])
    assert "has no axis of time" in message
    path = save(stack(2, 3))
    short = write("picture", *NAMES[:-1], name="short.csv")
    message = prepared.refuses("rdms", path=path, conditions=short)
    assert "shape (2, 3, 5, 5) does not fit 4 conditions" in message
    twice = write("picture", *NAMES[:-1], NAMES[0], name="twice.csv")
    message = prepared.refuses("rdms", path=path, conditions=twice, times=[0, 1, 2])
    assert "conditions 1 and 5 are both picture 'p2-sad'" in message
    assert "Give 'conditions'" in prepared.refuses("rdms", path=path)


def test_other_files(prepared, conditions):
    np.savez("a.npz", np.zeros(3))
    message = prepared.refuses("rdms", path="a.npz", conditions=conditions)
    assert "is an archive (.npz). Save the array alone" in message
    np.save("objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    for name, content in (
        ("a.npy", b"x" * 200),
        ("a.mat", b"x" * 200),
        ("a.h5", b"\x89HDF\r\n\x1a\n"),
    ):
        with open(name, "wb") as stream:
            stream.write(content)
    for name in ("objects.npy", "a.npy", "a.mat", "a.h5"):
        message = prepared.refuses("rdms", path=name, conditions=conditions)
        assert message.startswith(f"{name}: cannot be read as an array of numbers"), message
