"""Rendered faces: what the labels say, and that the same seed gives the same bytes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from facestages.errors import FacestagesError
from facestages.stimuli import (
    EDGES,
    EXPRESSIONS,
    REGIONS,
    read_regions,
    read_stimuli,
    recipes,
    write_stimuli,
)
from facestages.stimuli.luminance import oval

ASSET = Path(__file__).parents[3] / "resources" / "assets" / "headmodel"

needs_head = pytest.mark.skipif(
    not ASSET.is_dir(), reason="the head model is not there: resources/assets/headmodel"
)


@pytest.fixture(scope="module")
def head():
    from facestages.stimuli.render import head_model as headmodel

    return headmodel.load_head(ASSET)


@pytest.fixture(scope="module")
def rendered():
    from facestages.stimuli import rendered

    return rendered


def test_every_expression_has_a_recipe_and_a_declared_position():
    assert set(recipes.RECIPES) == set(recipes.CIRCUMPLEX) == set(EXPRESSIONS)
    assert recipes.RECIPES["neutral"] == {}
    assert all(abs(x) <= 1 for pair in recipes.CIRCUMPLEX.values() for x in pair)


def test_every_shape_of_a_recipe_moves_an_action_unit():
    mapped = {shape for shapes in recipes.ACTION_UNITS.values() for shape in shapes}
    used = {shape for recipe in recipes.RECIPES.values() for shape in recipe}
    assert used <= mapped


def test_action_units_average_the_sides_and_are_clipped():
    units = recipes.action_units({"mouthSmileLeft": 1.0, "browInnerUp": 1.4, "jawOpen": 0.3})
    assert units[12] == 0.5
    assert units[1] == 1.0
    assert units[25] == units[26] == 0.3
    assert units[4] == 0.0


def test_a_missing_head_model_is_named(tmp_path):
    from facestages.stimuli.render import head_model as headmodel

    with pytest.raises(FacestagesError, match="base.obj"):
        headmodel.load_head(tmp_path)


@needs_head
def test_people_differ_and_sex_is_checked(head):
    from facestages.stimuli.render import head_model as headmodel

    first = headmodel.sample_identity(head, np.random.default_rng(1), "female")
    again = headmodel.sample_identity(head, np.random.default_rng(1), "female")
    other = headmodel.sample_identity(head, np.random.default_rng(2), "female")
    np.testing.assert_array_equal(first.vertices, again.vertices)
    assert np.abs(first.vertices - other.vertices).max() > 0.02
    with pytest.raises(FacestagesError, match="sex 'woman'"):
        headmodel.sample_identity(head, np.random.default_rng(1), "woman")


@needs_head
def test_expressions_move_the_right_parts(head):
    from facestages.stimuli.render import head_model as headmodel

    someone = headmodel.sample_identity(head, np.random.default_rng(1))
    amounts = np.zeros(len(head.shapes))
    np.testing.assert_array_equal(headmodel.express(head, someone, amounts), someone.vertices)
    amounts[head.shapes.index("jawOpen")] = 1.0
    moved = headmodel.express(head, someone, amounts)
    assert moved[head.chin, 1] < someone.vertices[head.chin, 1] - 0.1
    ball = head.eyes[0]
    np.testing.assert_allclose(moved[ball], someone.vertices[ball], atol=1e-5)


@needs_head
def test_wild_is_balanced_and_its_bytes_depend_on_the_seed_alone(head, rendered):
    one = rendered.render_wild(head, people=5, images=21, size=32, seed=4)
    two = rendered.render_wild(head, people=5, images=21, size=32, seed=4, threads=3)
    other = rendered.render_wild(head, people=5, images=21, size=32, seed=5)
    assert one.digest == two.digest
    assert one.digest != other.digest
    assert one.images.shape == (21, 32, 32)
    assert one.labels["identity"].nunique() == 5
    assert set(one.labels["expression"].value_counts()) == {3}
    assert set(one.labels["expression"]) == set(EXPRESSIONS)


@needs_head
def test_wild_draws_only_the_expressions_asked_for(head, rendered):
    some = rendered.render_wild(
        head, people=2, images=4, size=32, seed=4, expressions=("happy", "neutral")
    )
    assert sorted(some.labels["expression"]) == ["happy", "happy", "neutral", "neutral"]


@needs_head
def test_posed_has_every_cell_once(head, rendered):
    posed = rendered.render_posed(head, people=3, sessions=2, size=32, seed=1, threads=2)
    labels = posed.labels
    assert len(labels) == 3 * 2 * 7
    assert not labels.duplicated(["identity", "session", "expression"]).any()
    assert list(labels["identity"].unique()) == ["F01", "F02", "M01"]
    assert labels["stimulus_id"].iloc[0] == "posed/F01A-angry"
    assert set(labels.loc[labels["identity"] == "M01", "sex"]) == {"male"}
    assert posed.attributes == {"rendered": 1, "design": "posed", "seed": 1}


@needs_head
def test_labels_follow_what_was_drawn(head, rendered):
    posed = rendered.render_posed(head, people=1, sessions=1, size=32, seed=1)
    rows = posed.labels.set_index("expression")
    assert rows.loc["happy", "shape_mouthSmileLeft"] > 0.7
    assert rows.loc["happy", "au_12"] > 0.7
    assert rows.loc["happy", "valence"] > 0.5 > 0 > rows.loc["sad", "valence"]
    neutral = rows.loc["neutral"].filter(regex="shape_|au_|intensity|valence|arousal")
    assert not neutral.astype(float).any()
    assert posed.sources["au_12"] == "rendered"
    assert posed.sources["valence"].startswith("rendered: declared")
    assert set(posed.sources) == set(posed.labels.columns) - {"stimulus_id"}


@needs_head
def test_a_face_does_not_depend_on_how_many_others_there_are(head, rendered):
    few = rendered.render_posed(head, people=2, sessions=1, size=32, seed=1)
    more = rendered.render_posed(head, people=4, sessions=2, size=32, seed=1)
    few_ids, more_ids = list(few.labels["stimulus_id"]), list(more.labels["stimulus_id"])
    for index, name in enumerate(few_ids):
        np.testing.assert_array_equal(few.images[index], more.images[more_ids.index(name)])


@needs_head
def test_video_is_smooth_and_labelled_by_threshold(head, rendered):
    video = rendered.render_video(head, women=1, men=0, frames_per_person=81, size=32, seed=1)
    labels = video.labels
    assert list(labels["frame"]) == list(range(81))
    assert set(labels["expression"]) == set(EXPRESSIONS)
    weak = labels["intensity"] < rendered.LABEL_THRESHOLD
    assert (labels.loc[weak, "expression"] == "neutral").all()
    assert (labels.loc[~weak, "expression"] != "neutral").all()
    assert labels["intensity"].diff().abs().max() < 0.6
    steps = np.abs(np.diff(video.images.astype(int), axis=0)).mean()
    assert steps < 8


def mean_near(picture, column, row, radius):
    rows, columns = np.indices(picture.shape)
    return picture[np.hypot(rows - row, columns - column) < radius].mean()


@needs_head
@pytest.mark.parametrize("sex", ["female", "male"])
def test_the_eyes_of_a_portrait_are_where_it_says(head, rendered, sex):
    for seed in range(3):
        picture, eyes = rendered.render_portrait(
            head, sex=sex, seed=seed, expression="surprise", size=281
        )
        assert picture.shape == (281, 281) and picture.dtype == np.uint8
        assert eyes.shape == (2, 2) and eyes.dtype == np.float64
        assert ((eyes > 0) & (eyes < 280)).all()
        across, down = eyes[1] - eyes[0]
        assert across > 40, "the eye at the left of the picture comes first"
        assert abs(down / across) < 0.1
        for column, row in eyes:
            # Of the distance of the eyes an iris is about 0.2 wide; the white follows.
            pupil, left, right = (
                mean_near(picture, column + step * across, row, 0.03 * across)
                for step in (0.0, -0.14, 0.14)
            )
            assert pupil < min(left, right)


@pytest.fixture(scope="module")
def posed(head, rendered):
    return rendered.render_posed(head, people=6, sessions=1, size=96, seed=1)


@needs_head
def test_regions_lie_within_the_picture_one_below_the_other(posed):
    assert posed.regions.shape == (42, len(REGIONS), len(EDGES))
    assert posed.regions.dtype == np.float32
    assert (posed.regions >= 0).all() and (posed.regions <= 1).all()
    eyes, brows, mouth = (posed.regions[:, k] for k in range(3))
    for box in (eyes, brows, mouth):
        assert (box[:, 0] < box[:, 2]).all() and (box[:, 1] < box[:, 3]).all()
    assert (brows[:, 2] <= eyes[:, 0]).all() and (eyes[:, 2] < mouth[:, 0]).all()


@needs_head
def test_pupils_are_in_the_box_of_the_eyes(head, rendered, monkeypatch):
    seen = []
    paint = rendered._paint

    def keep(*arguments):
        picture, regions = paint(*arguments)
        seen.append(regions)
        return picture, regions

    monkeypatch.setattr(rendered, "_paint", keep)
    for seed in range(3):
        for expression in ("neutral", "surprise"):
            _, pupils = rendered.render_portrait(
                head, sex="female", seed=seed, expression=expression, size=100
            )
            top, left, bottom, right = seen[-1][REGIONS.index("eyes")] * 100 - 0.5
            assert ((pupils > [left, top]) & (pupils < [right, bottom])).all()


@needs_head
def test_regions_move_with_the_expression(posed):
    boxes = {
        expression: posed.regions[(posed.labels["expression"] == expression).to_numpy()]
        for expression in EXPRESSIONS
    }

    def side(expression, region, edge):
        return boxes[expression][:, REGIONS.index(region), EDGES.index(edge)]

    def extent(expression, region, low, high):
        return side(expression, region, high) - side(expression, region, low)

    tall = {name: extent(name, "mouth", "top", "bottom") for name in ("surprise", "neutral")}
    assert (tall["surprise"] > 1.2 * tall["neutral"]).all(), "the mouth opens"
    wide = {name: extent(name, "mouth", "left", "right") for name in ("happy", "neutral")}
    assert (wide["happy"] > 1.1 * wide["neutral"]).all(), "the mouth widens"
    assert (side("surprise", "brows", "top") < side("angry", "brows", "top")).all()
    open_eyes = {name: extent(name, "eyes", "top", "bottom") for name in ("surprise", "disgust")}
    assert (open_eyes["surprise"] > open_eyes["disgust"]).all()


@needs_head
def test_regions_count_in_the_digest_and_come_back(posed, tmp_path):
    write_stimuli(tmp_path / "posed.h5", posed, "posed")
    again = read_stimuli(tmp_path / "posed.h5")
    np.testing.assert_array_equal(again.regions, posed.regions)
    np.testing.assert_array_equal(read_regions(tmp_path / "posed.h5"), posed.regions)
    assert again.digest == posed.digest
    assert set(again.labels.columns) == set(posed.labels.columns)
    moved = dataclasses.replace(posed, regions=posed.regions + np.float32(0.01))
    without = dataclasses.replace(posed, regions=None)
    assert len({posed.digest, moved.digest, without.digest}) == 3
    with pytest.raises(FacestagesError, match=r"regions must be of shape \(42, 3, 4\), not \(3,"):
        dataclasses.replace(posed, regions=posed.regions[:3])


@needs_head
def test_regions_of_some_parts_only_are_no_regions(posed, tmp_path):
    labels = posed.labels.assign(stimulus_id=[f"again/{i}" for i in range(len(posed))])
    without = dataclasses.replace(posed, labels=labels, regions=None)
    write_stimuli(tmp_path / "some.h5", [posed, without], "some")
    assert read_regions(tmp_path / "some.h5") is None
    assert read_stimuli(tmp_path / "some.h5").regions is None
    both = dataclasses.replace(without, regions=posed.regions)
    write_stimuli(tmp_path / "all.h5", [posed, both], "all")
    np.testing.assert_array_equal(
        read_regions(tmp_path / "all.h5"), np.concatenate([posed.regions] * 2)
    )


@needs_head
def test_the_arguments_alone_make_a_portrait(head, rendered):
    def portrait(**options):
        options = {"sex": "female", "seed": 3, "expression": "happy", "size": 64} | options
        return rendered.render_portrait(head, **options)

    picture, eyes = portrait()
    again, eyes_again = portrait()
    np.testing.assert_array_equal(picture, again)
    np.testing.assert_array_equal(eyes, eyes_again)
    for other in ({"seed": 4}, {"session": 1}, {"expression": "sad"}, {"sex": "male"}):
        assert (portrait(**other)[0] != picture).any(), other
    near = portrait(zoom=1.0)[1]
    assert near[1, 0] - near[0, 0] > 1.3 * (eyes[1, 0] - eyes[0, 0])


@needs_head
def test_portraits_of_two_sessions_show_one_person(head, rendered, monkeypatch):
    seen = []
    grow = rendered._grow

    def look(head, identity):
        seen.append(identity)
        return grow(head, identity)

    monkeypatch.setattr(rendered, "_grow", look)
    for session, expression in ((0, "happy"), (0, "sad"), (1, "sad")):
        rendered.render_portrait(
            head, sex="male", seed=5, session=session, expression=expression, size=32
        )
    first, same_day, other_day = seen
    np.testing.assert_array_equal(first.vertices, same_day.vertices)
    np.testing.assert_array_equal(first.vertices, other_day.vertices)
    assert first.appearance == same_day.appearance != other_day.appearance
    assert first.appearance.skin == other_day.appearance.skin


@needs_head
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
def test_invalid_arguments_of_a_portrait_are_named(head, rendered, arguments, message):
    with pytest.raises(FacestagesError, match=message):
        rendered.render_portrait(
            head, **({"sex": "female", "seed": 1, "expression": "sad"} | arguments)
        )


@needs_head
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
def test_invalid_arguments_are_named(head, rendered, design, arguments, message):
    with pytest.raises(FacestagesError, match=message):
        getattr(rendered, f"render_{design}")(head, seed=1, **arguments)


@needs_head
def test_a_set_of_equal_luminance_within_an_oval(tmp_path, rendered):
    entry = {"source": "rendered", "design": "video", "women": 2, "men": 1, "seed": 2, "size": 48}
    entry["frames_per_person"] = 4
    pictures = {}
    for name, control in (("plain", ("none", "none")), ("controlled", ("match", "oval"))):
        own = entry | dict(zip(("histogram", "mask"), control, strict=True))
        rendered.prepare(tmp_path / name, name, own, source=ASSET, detector=None, threads=1)
        pictures[name] = read_stimuli(tmp_path / name)
    inside = oval(48)
    controlled = np.sort(pictures["controlled"].images[:, inside], axis=1)
    assert (controlled == controlled[0]).all()
    assert (pictures["controlled"].images[:, ~inside] == 128).all()
    assert np.ptp(pictures["plain"].images[:, inside].mean(axis=1)) > 5
    assert pictures["controlled"].labels.equals(pictures["plain"].labels)
