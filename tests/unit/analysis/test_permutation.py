"""Where labels move under the null hypothesis: the design of a face set is respected."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from facestages.analysis.permutation import permute_label
from facestages.errors import FacestagesError


def portraits(people=6, sessions=2, expressions=4):
    index = pd.MultiIndex.from_product([range(people), range(sessions), range(expressions)])
    person, session, expression = (index.get_level_values(level) for level in range(3))
    return pd.DataFrame(
        {
            "identity": [f"p{n}" for n in person],
            "session": [f"s{n}" for n in session],
            "expression": [f"e{n}" for n in expression],
            "sex": np.where(person % 2, "male", "female"),
        }
    )


def video(people=4, frames=30, seed=0):
    """Frames in random order; episodes of three to six frames."""
    rng = np.random.default_rng(seed)
    tables = []
    for person in range(people):
        episodes = np.repeat(rng.permutation(10) % 4, rng.integers(3, 7, 10))[:frames]
        table = pd.DataFrame({"expression": [f"e{n}" for n in episodes]})
        tables.append(table.assign(identity=f"p{person}", frame=range(len(episodes))))
    return pd.concat(tables).sample(frac=1, random_state=seed).reset_index(drop=True)


def moved(table, label, **options):
    rows, how = permute_label(table, label, 200, **options)
    return table[label].to_numpy(dtype=str)[rows], how


def test_expressions_stay_with_their_person_and_session():
    table = portraits()
    labels, how = moved(table, "expression")
    assert how == "within people"
    for _, block in table.groupby(["identity", "session"]).indices.items():
        assert (np.sort(labels[:, block], axis=1) == np.sort(table["expression"].iloc[block])).all()
    assert len(np.unique(labels, axis=0)) == 200


@pytest.mark.parametrize("sessions", [1, 2])
def test_identities_stay_with_their_expression_and_session(sessions):
    table = portraits(sessions=sessions)
    labels, how = moved(table, "identity")
    assert how == "within expressions of a session"
    for block in table.groupby(["expression", "session"]).indices.values():
        assert (np.sort(labels[:, block], axis=1) == np.sort(table["identity"].iloc[block])).all()
    assert len(np.unique(labels, axis=0)) == 200


def sequences(people, expressions=3, frames=3):
    """Each sequence shows one person and one expression; its frames are numbered from 0."""
    table = portraits(people, frames, expressions).drop(columns="sex")
    table["frame"] = table["session"].str[1:].astype(int)
    return table.assign(session=table["identity"] + table["expression"]).drop(index=[0, 1])


@pytest.mark.parametrize("label", ["identity", "expression"])
def test_sequences_of_frames_move_as_a_whole(label):
    table = sequences(people=12)
    labels, how = moved(table, label)
    among = {"identity": "sessions from person to person", "expression": "sessions within people"}
    assert how == among[label]
    for block in table.groupby("session").indices.values():
        assert (labels[:, block] == labels[:, block[:1]]).all()
    other = {"identity": "expression", "expression": "identity"}[label]
    for _, block in table.groupby(other):
        rows = table.index.get_indexer(block.drop_duplicates("session").index)
        assert (np.sort(labels[:, rows], axis=1) == np.sort(table[label].iloc[rows])).all()
    assert len(np.unique(labels, axis=0)) == 200


def test_videos_of_the_same_names_move_from_person_to_person():
    table = pd.concat([video(seed=n).assign(session=f"video {n}") for n in (1, 2)])
    labels, how = moved(table, "identity")
    assert how == "sessions from person to person"
    for _, block in table.groupby("session").indices.items():
        assert len({tuple(sorted(set(row))) for row in labels[:, block]}) == 1


@pytest.mark.parametrize("label", ["identity", "expression"])
def test_frames_of_one_number_need_the_names_of_their_sequences(label):
    table = pd.concat([video(), video(seed=1)])
    with pytest.raises(FacestagesError, match="'p.' has frame .* name the sequences in the column"):
        permute_label(table, label)


def test_what_a_person_always_has_moves_from_person_to_person():
    table = portraits(people=8)
    labels, how = moved(table, "sex")
    assert how == "from person to person"
    for block in table.groupby("identity").indices.values():
        assert (labels[:, block] == labels[:, block[:1]]).all()
    assert set(labels[:, 0]) == {"male", "female"}


def test_episodes_of_a_video_stay_whole_and_none_is_beside_its_like():
    table = video()
    labels, how = moved(table, "expression")
    assert how == "episodes within people"
    for block in table.groupby("identity").indices.values():
        block = block[np.argsort(table["frame"].iloc[block])]
        lengths = _lengths(table["expression"].to_numpy()[block])
        assert all(_lengths(row) == lengths for row in labels[:, block])
    assert len(np.unique(labels, axis=0)) == 200


def _lengths(labels):
    """Sorted labels and lengths of runs: two alike side by side would be one longer."""
    starts = [n for n in range(len(labels)) if n == 0 or labels[n] != labels[n - 1]]
    return sorted((labels[a], b - a) for a, b in pairwise([*starts, len(labels)]))


def test_each_order_of_episodes_is_equally_likely():
    """Five single frames a b c a b: no two alike side by side."""
    table = pd.DataFrame({"expression": list("abcab"), "identity": "p", "frame": range(5)})
    table = pd.concat([table, table.assign(identity="q")], ignore_index=True)
    rows, _ = permute_label(table, "expression", 6000)
    sequences = pd.Series(["".join(row) for row in table["expression"].to_numpy()[rows[:, :5]]])
    shares = sequences.value_counts(normalize=True)
    assert not any(a == b for order in shares.index for a, b in pairwise(order))
    assert len(shares) == 12 and shares.max() / shares.min() < 1.4


def test_numbers_in_time_are_shifted():
    table = video().assign(valence=np.random.default_rng(1).normal(size=len(video())))
    rows, how = permute_label(table, "valence", 200)
    values = table["valence"].to_numpy()[rows]
    assert how == "shifted in time within people"
    block = table.index[table["identity"] == "p1"]
    block = block[np.argsort(table["frame"][block])]
    original = list(table["valence"][block]) * 2
    for row in values[:20, block]:
        start = original.index(row[0])
        assert list(row) == original[start : start + len(row)]


@pytest.mark.parametrize("without", ["identity", "pictures of its own"])
def test_labels_move_freely_where_people_tell_nothing(without):
    table = portraits().drop(columns=["identity", "session"])
    if without != "identity":
        table["identity"] = [f"p{n}" for n in range(len(table))]
    assert permute_label(table, "expression", 10).how == "freely"


def test_identities_move_freely_where_no_expression_is_known():
    table = portraits().drop(columns="expression")
    assert permute_label(table, "identity", 5).how == "within sessions"
    table = table.drop(columns="session")
    assert permute_label(table, "identity", 5).how == "freely"
    assert permute_label(table.assign(expression=""), "identity", 5).how == "freely"


def test_pictures_without_an_expression_are_those_of_one_more():
    table = portraits()
    table.loc[::5, "expression"] = ""
    labels, how = moved(table, "identity")
    assert how == "within expressions of a session"
    block = np.flatnonzero(table["expression"] == "")
    assert (np.sort(labels[:, block], axis=1) == np.sort(table["identity"].iloc[block])).all()


def test_it_repeats_by_seed():
    table = video()
    for label in ("expression", "identity"):
        first, again, other = (permute_label(table, label, 20, seed).rows for seed in (1, 1, 2))
        assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_one_value_cannot_move():
    with pytest.raises(FacestagesError, match="all 48 pictures have one expression"):
        permute_label(portraits().assign(expression="happy"), "expression")
