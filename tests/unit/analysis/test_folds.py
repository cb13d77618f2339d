"""What is held out: no person twice, and no neighbouring frames."""

import numpy as np

from decoding_faces import portraits, video
from facestages.analysis.folds import hold_out_people, hold_out_times


def test_no_person_is_both_trained_on_and_held_out():
    table = portraits()
    folds = hold_out_people(table["identity"].to_numpy(), np.arange(120), 5)
    for number, training in enumerate(folds.training):
        people = table["identity"].to_numpy()
        assert not set(people[training]) & set(people[folds.fold == number])
        assert training.sum() + (folds.fold == number).sum() == 120
    assert np.ptp(np.bincount(folds.fold)) <= 10


def test_a_third_of_the_frames_lies_between_time_blocks():
    table = video(3, 50).sample(frac=1, random_state=0, ignore_index=True)
    folds = hold_out_times(table, 5)
    frames, fold = table["frame"].to_numpy()[folds.rows], folds.fold
    assert folds.held_out == "time blocks"
    assert sorted(set(frames[fold == 0])) == list(range(17))
    assert sorted(set(frames[fold == 1])) == list(range(34, 50))
    np.testing.assert_array_equal(folds.training, [fold == 1, fold == 0])


def test_sessions_go_before_frames_and_are_numbered_by_person():
    table = portraits(3).assign(frame=np.arange(30.0))
    table["session"] = table["identity"] + table["session"]  # nobody shares one
    folds = hold_out_times(table, 5)
    assert folds.held_out == "sessions" and len(folds.training) == 2
    np.testing.assert_array_equal(folds.fold, np.tile([0, 1], 15))
