"""Rendered face sets: what the labels say, and that the same seed gives the same bytes."""

import numpy as np
import pytest

from facestages.errors import FacestagesError
from facestages.stimuli import (
    EXPRESSIONS,
)
from facestages.stimuli.render import designs
from facestages.stimuli.render.acting import SEEN_FROM


def test_wild_is_balanced_and_its_bytes_depend_on_the_seed_alone(head):
    one = designs.render_wild(head, people=5, images=21, size=32, seed=4)
    two = designs.render_wild(head, people=5, images=21, size=32, seed=4, threads=3)
    other = designs.render_wild(head, people=5, images=21, size=32, seed=5)
    assert one.digest == two.digest
    assert one.digest != other.digest
    assert one.images.shape == (21, 32, 32)
    assert one.labels["identity"].nunique() == 5
    assert set(one.labels["expression"].value_counts()) == {3}
    assert set(one.labels["expression"]) == set(EXPRESSIONS)


def test_wild_draws_only_the_expressions_asked_for(head):
    some = designs.render_wild(
        head, people=2, images=4, size=32, seed=4, expressions=("happy", "neutral")
    )
    assert sorted(some.labels["expression"]) == ["happy", "happy", "neutral", "neutral"]


def test_posed_has_every_cell_once(head):
    posed = designs.render_posed(head, people=3, sessions=2, size=32, seed=1, threads=2)
    labels = posed.labels
    assert len(labels) == 3 * 2 * 7
    assert not labels.duplicated(["identity", "session", "expression"]).any()
    assert list(labels["identity"].unique()) == ["F01", "F02", "M01"]
    assert labels["stimulus_id"].iloc[0] == "posed/F01A-angry"
    assert set(labels.loc[labels["identity"] == "M01", "sex"]) == {"male"}
    assert posed.attributes == {"rendered": 1, "design": "posed", "seed": 1}


def test_a_face_does_not_depend_on_how_many_others_there_are(head):
    few = designs.render_posed(head, people=2, sessions=1, size=32, seed=1)
    more = designs.render_posed(head, people=4, sessions=2, size=32, seed=1)
    few_ids, more_ids = list(few.labels["stimulus_id"]), list(more.labels["stimulus_id"])
    for index, name in enumerate(few_ids):
        np.testing.assert_array_equal(few.images[index], more.images[more_ids.index(name)])


def test_video_is_smooth_and_labelled_by_threshold(head):
    video = designs.render_video(head, women=1, men=0, frames_per_person=81, size=32, seed=1)
    labels = video.labels
    assert list(labels["frame"]) == list(range(81))
    assert set(labels["expression"]) == set(EXPRESSIONS)
    weak = labels["intensity"] < SEEN_FROM
    assert (labels.loc[weak, "expression"] == "neutral").all()
    assert (labels.loc[~weak, "expression"] != "neutral").all()
    assert labels["intensity"].diff().abs().max() < 0.6
    steps = np.abs(np.diff(video.images.astype(int), axis=0)).mean()
    assert steps < 8


@pytest.fixture(scope="module")
def posed(head):
    return designs.render_posed(head, people=6, sessions=1, size=96, seed=1)


def test_the_arguments_alone_make_a_portrait(head):
    def portrait(**options):
        options = {"sex": "female", "seed": 3, "expression": "happy", "size": 64} | options
        return designs.render_portrait(head, **options)

    picture, eyes = portrait()
    again, eyes_again = portrait()
    np.testing.assert_array_equal(picture, again)
    np.testing.assert_array_equal(eyes, eyes_again)
    for other in ({"seed": 4}, {"session": 1}, {"expression": "sad"}, {"sex": "male"}):
        assert (portrait(**other)[0] != picture).any(), other
    near = portrait(zoom=1.0)[1]
    assert near[1, 0] - near[0, 0] > 1.3 * (eyes[1, 0] - eyes[0, 0])


def test_portraits_of_two_sessions_show_one_person(head, monkeypatch):
    seen = []
    grow = designs.grow

    def look(head, identity):
        seen.append(identity)
        return grow(head, identity)

    monkeypatch.setattr(designs, "grow", look)
    for session, expression in ((0, "happy"), (0, "sad"), (1, "sad")):
        designs.render_portrait(
            head, sex="male", seed=5, session=session, expression=expression, size=32
        )
    first, same_day, other_day = seen
    np.testing.assert_array_equal(first.vertices, same_day.vertices)
    np.testing.assert_array_equal(first.vertices, other_day.vertices)
    assert first.appearance == same_day.appearance != other_day.appearance
    assert first.appearance.skin == other_day.appearance.skin


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sex": "woman"}, "sex 'woman' is not known"),
        ({"expression": "hapy"}, "did you mean 'happy'"),
        ({"session": -1}, "session must be .* not -1"),
        ({"seed": -1}, "seed must be .* not -1"),
        ({"size": 8}, "size must be .* not 8"),
        ({"zoom": 0}, "zoom must be .* not 0"),
    ],
)
def test_invalid_arguments_of_a_portrait_are_named(head, arguments, message):
    with pytest.raises(FacestagesError, match=message):
        designs.render_portrait(
            head, **({"sex": "female", "seed": 1, "expression": "sad"} | arguments)
        )


DRAW = {"wild": designs.render_wild, "posed": designs.render_posed, "video": designs.render_video}


@pytest.mark.parametrize(
    ("design", "arguments", "message"),
    [
        ("wild", {"people": 0, "images": 7}, "people must be .* not 0"),
        ("wild", {"people": 9, "images": 7}, "images must be .* at least 9, not 7"),
        ("wild", {"people": 1, "images": 7, "size": 4}, "size must be .* not 4"),
        ("wild", {"people": 1, "images": 7, "expressions": ("hapy",)}, "did you mean 'happy'"),
        ("wild", {"people": 1, "images": 7, "expressions": ()}, "expressions is empty"),
        ("posed", {"people": 2.5}, "people must be .* not 2.5"),
        ("posed", {"sessions": 27}, "sessions must be .* not 27"),
        ("posed", {"threads": 0}, "threads must be .* not 0"),
        ("video", {"women": 0, "men": 0}, r"women \+ men must be .* not 0"),
        ("video", {"women": -1}, "women must be .* not -1"),
    ],
)
def test_invalid_arguments_are_named(head, design, arguments, message):
    with pytest.raises(FacestagesError, match=message):
        DRAW[design](head, seed=1, **arguments)
