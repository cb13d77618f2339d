"""A sample: every k-th picture of each person, and nothing else of the face set changes."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from facestages.errors import FacestagesError
from facestages.expressions import EXPRESSIONS
from facestages.stimuli import (
    Example,
    Irregularity,
    StimulusSet,
    read_examples,
    read_facts,
    read_irregular,
    read_labels,
    read_report,
    read_stimuli,
    write_stimuli,
)
from facestages.stimuli.sample import people_of, pictures_in_words, sample_stimuli, sampled_rows
from map_files import write_faces


def face_set(counts, size=4, seed=0, **columns):
    """So many pictures of each person, a person's in turns of five with those of others."""
    turns = [(k // 5, person, k) for person, n in counts.items() for k in range(n)]
    order = sorted(turns)
    labels = pd.DataFrame(
        {
            "stimulus_id": [f"{person}/{k:04d}" for _, person, k in order],
            "identity": [person for _, person, _ in order],
            "expression": [EXPRESSIONS[k // 3 % 7] for _, _, k in order],
            **columns,
        }
    )
    rng = np.random.default_rng(seed)
    n = len(labels)
    return StimulusSet(
        rng.integers(0, 256, (n, size, size), dtype=np.uint8),
        labels,
        dict.fromkeys(labels.columns[1:], "posed"),
        {"rendered": 1, "report": '{"n_pictures": 7}'},
        [Irregularity("a.jpg", "no face", "left out")],
        [Example("b.jpg", "", "", np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2)))],
        rng.random((n, 3, 4)).astype(np.float32),
    )


@pytest.fixture
def whole(tmp_path):
    """Over two blocks of pictures."""
    faces = face_set({"F01": 301, "F02": 250, "M01": 40, "M02": 3})
    path = tmp_path / "whole.h5"
    write_stimuli(path, faces, "set")
    return path, faces


def test_every_kth_picture_of_each_person():
    people = np.array(list("aabacaaab"))
    # The 1st, 4th and so on of a; the first of b, who has two; the first of c, who has one.
    np.testing.assert_array_equal(np.flatnonzero(sampled_rows(people, 3)), [0, 2, 4, 5])
    assert sampled_rows(people, 1).all()
    np.testing.assert_array_equal(np.flatnonzero(sampled_rows(np.full(9, ""), 4)), [0, 4, 8])


def test_one_more_person_changes_nothing_of_the_others():
    rng = np.random.default_rng(0)
    people = rng.choice(list("abcd"), 300)
    others = people != "c"
    np.testing.assert_array_equal(sampled_rows(people, 7)[others], sampled_rows(people[others], 7))


@pytest.mark.parametrize("every", [1, 2, 7, 400])
def test_sample_is_part_of_the_whole(whole, tmp_path, every):
    path, faces = whole
    out = tmp_path / "sample.h5"
    sample_stimuli(path, every, out)
    found = read_stimuli(out)
    rows = np.flatnonzero(sampled_rows(people_of(faces.labels), every))
    np.testing.assert_array_equal(found.images, faces.images[rows])
    np.testing.assert_array_equal(found.regions, faces.regions[rows])
    pd.testing.assert_frame_equal(found.labels, faces.labels.iloc[rows].reset_index(drop=True))
    assert found.sources == faces.sources
    assert set(found.labels["identity"]) == set(faces.labels["identity"])
    known = read_labels(out)[2]
    assert known["dataset"] == "set"
    assert known["rendered"] == 1
    assert (known["pictures_of"], known["every"]) == (594, every)
    assert known["sampled_from"] == faces.digest
    assert known["stimuli_digest"] == found.digest
    # What the reader of the source said is of the whole.
    assert read_irregular(out) == read_examples(out) == []
    assert read_report(out) == {}


def test_sample_is_the_same_in_every_run(whole, tmp_path):
    digests = set()
    for name in ("one.h5", "two.h5"):
        sample_stimuli(whole[0], 5, tmp_path / name)
        digests.add(read_labels(tmp_path / name)[2]["stimuli_digest"])
    assert len(digests) == 1


def test_face_set_without_people_or_regions(tmp_path):
    faces = face_set({"": 20})
    labels, sources = faces.labels.drop(columns="identity"), {"expression": "file"}
    write_stimuli(tmp_path / "whole.h5", StimulusSet(faces.images, labels, sources), "set")
    sample_stimuli(tmp_path / "whole.h5", 3, tmp_path / "sample.h5")
    found, _, known = read_labels(tmp_path / "sample.h5")
    assert list(found["stimulus_id"]) == list(labels["stimulus_id"][::3])
    assert pictures_in_words(7, known) == "7 of 20 pictures (every 3rd)"


def test_the_whole_is_never_in_memory(tmp_path):
    # 8 MiB of pictures, 1 MiB a part of 256.
    n, size = 2048, 64
    labels = pd.DataFrame({"stimulus_id": np.arange(n).astype(str), "identity": "a"})
    faces = StimulusSet(np.ones((n, size, size), np.uint8), labels, {"identity": "file"})
    write_stimuli(tmp_path / "whole.h5", faces, "set")
    del faces
    tracemalloc.start()
    try:
        sample_stimuli(tmp_path / "whole.h5", 2, tmp_path / "sample.h5")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5 * 2**20


def test_bad_steps(whole, tmp_path):
    with pytest.raises(FacestagesError, match="every = 0"):
        sample_stimuli(whole[0], 0, tmp_path / "sample.h5")
    assert not (tmp_path / "sample.h5").exists()


def test_the_people_that_are_given_count_and_are_kept(whole, tmp_path):
    people = np.where(np.arange(594) < 300, "a", "b").astype(object)
    sample_stimuli(whole[0], 100, tmp_path / "sample.h5", people)
    facts, _, _ = read_facts(tmp_path / "sample.h5")
    assert list(facts["stratum"]) == ["a"] * 3 + ["b"] * 3


@pytest.mark.parametrize(
    ("every", "words"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (21, "21st"), (7, "7th")]
)
def test_numbers_in_words(tmp_path, every, words):
    sample_stimuli(write_faces(tmp_path), every, tmp_path / "sample.h5")
    known = read_labels(tmp_path / "sample.h5")[2]
    assert known["sampled"] == f"every {words} of each person"
    assert pictures_in_words(1234, {**known, "pictures_of": 130815}) == (
        f"1,234 of 130,815 pictures (every {words} of each person)"
    )
