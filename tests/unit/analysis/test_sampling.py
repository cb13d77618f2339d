"""Samples of face sets that are too large: which pictures, how many, and how far off they are."""

from __future__ import annotations

import logging
import math
import subprocess
import sys
import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from face_sets import ASSETS, write_fer2013_csv
from facestages.analysis import sampling
from facestages.analysis.geometry import gram_matrix, principal_components
from facestages.analysis.partition import SHARES, partition_variance
from facestages.analysis.separability import score_separability
from facestages.analysis.silhouette_scores import SCORES
from facestages.analysis.silhouettes import distances, silhouette
from facestages.config import load_config
from facestages.config.face_sets import RenderedSet
from facestages.errors import FacestagesError
from facestages.expressions import EXPRESSIONS
from facestages.fer2013_counts import OFFICIAL_COUNTS
from facestages.figures import fig4, maps, table1
from facestages.run_description import describe_run
from facestages.sizes import foreseen_pictures, sample_size, sampling_step
from facestages.stimuli import (
    Example,
    Irregularity,
    StimulusSet,
    read_examples,
    read_irregular,
    read_labels,
    read_report,
    read_stimuli,
    report,
    write_stimuli,
)
from facestages.stimuli.fer2013 import read_fer2013
from facestages.stimuli.kdef import list_kdef
from facestages.stimuli.sample import pictures_in_words, sample_stimuli, sampled_rows
from map_files import write_faces, write_layers

ROOT = Path(__file__).parents[3]


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


# ------------------------------------------------------------------------- which pictures


def test_every_kth_picture_of_each_person():
    labels = pd.DataFrame({"identity": list("aabacaaab")})
    # The 1st, 4th and so on of a; the first of b, who has two; the first of c, who has one.
    np.testing.assert_array_equal(np.flatnonzero(sampled_rows(labels, 3)), [0, 2, 4, 5])
    assert sampled_rows(labels, 1).all()
    np.testing.assert_array_equal(
        np.flatnonzero(sampled_rows(labels.drop(columns="identity"), 4)), [0, 4, 8]
    )


def test_one_more_person_changes_nothing_of_the_others():
    rng = np.random.default_rng(0)
    labels = pd.DataFrame({"identity": rng.choice(list("abcd"), 300)})
    without = labels[labels["identity"] != "c"]
    alone = sampled_rows(without, 7)
    np.testing.assert_array_equal(sampled_rows(labels, 7)[without.index], alone)


@pytest.mark.parametrize("every", [1, 2, 7, 400])
def test_sample_is_part_of_the_whole(whole, tmp_path, every):
    path, faces = whole
    out = tmp_path / "sample.h5"
    sample_stimuli(path, every, out)
    found = read_stimuli(out)
    rows = np.flatnonzero(sampled_rows(faces.labels, every))
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


def test_bad_steps_and_lost_expressions(whole, tmp_path, caplog):
    with pytest.raises(FacestagesError, match="every = 0"):
        sample_stimuli(whole[0], 0, tmp_path / "sample.h5")
    assert not (tmp_path / "sample.h5").exists()
    # Expressions come in turns of three pictures each: every 21st is of the same one.
    with caplog.at_level(logging.WARNING, logger="facestages"):
        sample_stimuli(whole[0], 21, tmp_path / "sample.h5")
    assert "'set': the sample has no picture of disgust, fear, happy" in caplog.text


# ---------------------------------------------------------------------- how many pictures


def default_set(name):
    return load_config(ROOT / "config" / "config.yaml").datasets[name]


def entry_of(**section):
    """A face set's section, with all defaults filled in."""
    config = {"datasets": {"own": section}, "networks": {"p": PIXELS}, "figures": {"fig4": FIG4}}
    return load_config(config).datasets["own"]


PIXELS = {"label": "p", "architecture": "pixels", "stages": {"early": "pixels", "final": "pixels"}}
FIG4 = {"datasets": ["own"], "networks": ["p"], "stages": ["early", "final"]}


def test_foreseen_sizes_of_the_default_run():
    assert sum(foreseen_pictures(default_set("posed"))) == 980
    assert foreseen_pictures(default_set("video")) == [81] * 12


@pytest.mark.skipif(not (ASSETS / "headmodel").is_dir(), reason="no head model at hand")
def test_foreseen_sizes_of_rendered_sets():
    from facestages.stimuli.render import designs
    from facestages.stimuli.render import head_model as headmodel

    head = headmodel.load_head(ASSETS / "headmodel")
    for draw, section in (
        (designs.render_wild, {"design": "wild", "people": 4, "images": 10}),
        (designs.render_wild, {"design": "wild", "people": 3, "images": 9}),
        (designs.render_posed, {"design": "posed", "people": 2, "sessions": 1}),
        (designs.render_video, {"design": "video", "women": 1, "men": 2, "frames_per_person": 3}),
    ):
        entry = entry_of(source="rendered", size=16, **section)
        own = {name for name in type(entry).model_fields if name not in RenderedSet.model_fields}
        faces = draw(head, **entry.model_dump(include=own - {"source", "design"}))
        real = faces.labels["identity"].value_counts()
        assert sorted(foreseen_pictures(entry)) == sorted(real)


def test_foreseen_size_of_orl():
    assert foreseen_pictures(entry_of(source="orl")) == [10] * 40


def test_foreseen_size_of_kdef(tmp_path):
    codes = ("AF", "AN", "DI", "HA", "NE", "SA", "SU")
    people = [f"{sex}{number:02d}" for sex in "FM" for number in range(1, 36)]
    for stem in (f"B{person}{code}{angle}" for person in people for code in codes for angle in "S"):
        (tmp_path / f"{stem}.JPG").touch()
    entry = entry_of(source="kdef", path=str(tmp_path), sessions=["B"])
    listed = list_kdef(tmp_path, angles=entry.angles, sessions=entry.sessions)
    assert sum(foreseen_pictures(entry)) == listed.n == 490
    every = entry_of(source="kdef", path="x", angles=["FL", "HL", "S", "HR", "FR"])
    assert sum(foreseen_pictures(every)) == 4900


@pytest.mark.parametrize("splits", [None, ["Training"], ["test"], ["PublicTest", "test"]])
@pytest.mark.parametrize("classes", [None, ["happy", "sad", "neutral"]])
def test_foreseen_size_of_fer2013(tmp_path, splits, classes):
    # A hundredth of the official copy.
    usages, labels = [], []
    for split, numbers in OFFICIAL_COUNTS.items():
        for expression, n in zip(EXPRESSIONS, numbers, strict=True):
            usages += [split] * math.ceil(n / 100)
            labels += [expression] * math.ceil(n / 100)
    pictures = np.zeros((len(labels), 48, 48), np.uint8)
    write_fer2013_csv(tmp_path / "fer2013.csv", pictures, labels, usages)
    found = read_fer2013(tmp_path / "fer2013.csv", splits=splits, classes=classes)
    entry = entry_of(source="fer2013", path="x", splits=splits, classes=classes)
    (foreseen,) = foreseen_pictures(entry)
    assert len(found) - 21 <= foreseen / 100 <= len(found)
    if splits == ["Training"]:
        assert foreseen == (17010 if classes else 28709)


def test_foreseen_size_of_disfa():
    section = {"source": "disfa", "path": "x", "frames_per_person": 4845, "min_distance": 1}
    assert foreseen_pictures(entry_of(**section)) == [4845] * 27
    assert foreseen_pictures(entry_of(**section), ["SN001", "SN002"]) == [4845] * 2
    assert foreseen_pictures(entry_of(**section, subjects=["SN001"])) == [4845]


def test_foreseen_size_of_a_table(tmp_path):
    table = tmp_path / "faces.csv"
    table.write_text('path, identity\n"a,1.png",F01\nb.png, F02 \n\nc.png,F01\nd.png,\n')
    entry = entry_of(source="table", label="x", table=str(table))
    assert foreseen_pictures(entry) == [2, 1, 1]
    table.write_text("path\na.png\nb.png\n")
    assert foreseen_pictures(entry) == [2]
    table.unlink()
    assert foreseen_pictures(entry) == []


def test_step_of_all_disfa():
    assert sampling_step([4845] * 27, 20000) == 7
    assert sample_size([4845] * 27, 7) == 18711
    assert sampling_step([211] * 27, 20000) == 1
    assert sampling_step([35887], 20000) == 2


def test_step_is_the_smallest_that_fits():
    rng = np.random.default_rng(0)
    for _ in range(50):
        pictures = rng.integers(1, 60, rng.integers(1, 9)).tolist()
        most = int(rng.integers(2 * len(pictures), 100))
        people = pd.DataFrame({"identity": np.repeat(np.arange(len(pictures)), pictures)})
        sizes = (sampled_rows(people, k).sum() for k in range(1, 99))
        first = next(k for k, size in enumerate(sizes, 1) if size <= most)
        assert sampling_step(pictures, most) == first
        # Somebody has two pictures, so that silhouettes exist.
        assert first == 1 or max(math.ceil(n / first) for n in pictures) > 1


def test_steps_that_leave_one_picture_a_person_are_refused():
    with pytest.raises(FacestagesError, match="53 pictures of 27 people.*most_pictures = 54"):
        sampling_step([100] * 27, 53)
    assert sampling_step([100] * 27, 54) == 50
    assert sampling_step([1] * 27, 27) == 1


def test_foreseeing_needs_nothing_heavy():
    code = "import sys, facestages.sizes; print(*{m.partition('.')[0] for m in sys.modules})"
    scripts = ROOT / "workflow" / "scripts"
    run = subprocess.run([sys.executable, "-c", code], cwd=scripts, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert not {"numpy", "pandas", "h5py", "pydantic", "PIL"} & set(run.stdout.split())


# ----------------------------------------------------------------------------- how far off


def test_halves_are_even_for_each_person():
    people = np.repeat(["a", "b", "c"], [10, 7, 1])[np.random.default_rng(0).permutation(18)]
    halves = sampling.split_halves(people, 40)
    for person, allowed in (("a", {5}), ("b", {3, 4}), ("c", {0, 1})):
        assert set(halves[:, people == person].sum(axis=1)) == allowed
    assert len(halves) == 41
    assert len(np.unique(halves, axis=0)) == 41
    # The first split is that of alternate pictures.
    assert all((np.diff(halves[0, people == person].astype(int)) != 0).all() for person in "abc")
    np.testing.assert_array_equal(halves, sampling.split_halves(people, 40))


@pytest.mark.parametrize("share", [0.0, 0.25, 0.9])
def test_error_of_a_mean_is_its_standard_error(share):
    values = np.random.default_rng(1).normal(size=400)
    halves = sampling.split_halves(np.zeros(400), 2000)
    first, second = ((values * part).sum(axis=1) / 200 for part in (halves, ~halves))
    error = sampling.sampling_error(values.mean(), first, second, share)
    expected = values.std(ddof=1) / math.sqrt(400) * math.sqrt(1 - share)
    assert error == pytest.approx(expected, rel=0.05)


def test_error_holds_a_bias_that_falls_with_n():
    # Without spread, a value of 1 + 8 / n.
    first = second = np.full(5, 1 + 8 / 50)
    assert sampling.sampling_error(1 + 8 / 100, first, second, 0.0) == pytest.approx(8 / 100)
    # The whole has 400 pictures, and a bias of its own.
    off = (1 + 8 / 100) - (1 + 8 / 400)
    assert sampling.sampling_error(1 + 8 / 100, first, second, 0.25) == pytest.approx(off)


def test_splits_without_a_value_do_not_count():
    first, second = np.array([2.0, 1.0, np.nan, 3.0]), np.array([3.0, 2.0, 5.0, 4.0])
    assert sampling.sampling_error(2.5, first, second, 0.0) == pytest.approx(0.5)
    assert np.isnan(sampling.sampling_error(1.0, first * np.nan, second, 0.0))


def test_error_of_even_steps_through_a_smooth_video():
    """Of frames that change slowly, a sample lacks each frame's nearest neighbours."""
    n, every = 240, 4
    angle = 2 * np.pi * np.arange(n) / n
    points = np.concatenate([np.c_[np.cos(angle), np.sin(angle)] + [x, 0] for x in (0, 2.5)])
    people = np.repeat(["a", "b"], n)
    whole = silhouette(distances(points), people)
    rows = np.flatnonzero(np.tile(np.arange(n) % every == 0, 2))
    labels = pd.DataFrame({"identity": people[rows]})
    sample = sampling.read_sample(labels, {"pictures_of": 2 * n})
    matrix = distances(points[rows])
    value = silhouette(matrix, people[rows])
    halves = [
        [silhouette(matrix[np.ix_(half, half)], people[rows][half]) for half in part]
        for part in (sample.halves, ~sample.halves)
    ]
    first, second = map(np.array, halves)
    # The bias alone, as if chance had nothing to do with it.
    bias = sampling.sampling_error(value, first[[0, 0]], second[[0, 0]], sample.share)
    assert bias == pytest.approx(whole - value, rel=0.1)
    assert sampling.sampling_error(value, first, second, sample.share) > 0.9 * (whole - value)


def test_variance_ratios_of_halves_are_those_of_scikit_learn(tmp_path):
    rng = np.random.default_rng(2)
    points = rng.normal(size=(90, 6)) * [5, 3, 2, 2, 1, 0.5]
    gram = gram_matrix(points)
    scores, _ = principal_components(gram, 6)
    halves = sampling.split_halves(np.arange(90) % 4, 3)
    with h5py.File(tmp_path / "gram.h5", "w") as file:
        stored = file.create_dataset("gram", data=gram)
        found = sampling.half_variance_ratios(stored, scores, halves)
    for ratios, parts in zip(found, (halves, ~halves), strict=True):
        for ratio, part in zip(ratios, parts, strict=True):
            expected = PCA(6).fit(points[part]).explained_variance_ratio_
            np.testing.assert_allclose(ratio, expected, atol=1e-8)


class World:
    """Many pictures of some people in a layer's space, and samples of them."""

    PEOPLE, PICTURES, EVERY, K = 8, 160, 4, 3

    def __init__(self):
        rng = np.random.default_rng(3)
        n, width = self.PEOPLE * self.PICTURES, np.linspace(2, 0.5, 8)
        people = np.repeat(np.arange(self.PEOPLE), self.PICTURES)
        kind = rng.integers(0, 4, n)
        centres = rng.normal(size=(self.PEOPLE, 8)) + 0.0
        points = centres[people] + 0.8 * rng.normal(size=(4, 8))[kind] + rng.normal(size=(n, 8))
        self.points = points * width
        self.labels = pd.DataFrame(
            {
                "stimulus_id": [f"s{k:04d}" for k in range(n)],
                "identity": np.char.add("p", people.astype(str)).astype(object),
                "expression": np.array(EXPRESSIONS, object)[kind],
            }
        )
        self.rng = rng

    def draw(self):
        """Rows of as many pictures of each person as a systematic sample has, by chance."""
        size = self.PICTURES // self.EVERY
        offsets = np.arange(self.PEOPLE) * self.PICTURES
        own = (np.sort(self.rng.choice(self.PICTURES, size, replace=False)) for _ in offsets)
        return np.concatenate([start + rows for start, rows in zip(offsets, own, strict=True)])

    def measure(self, rows):
        scores, ratio = principal_components(gram_matrix(self.points[rows]), self.K)
        matrix, table = distances(scores), self.labels.iloc[rows]
        labels = ("identity", "expression")
        return np.array([ratio.sum(), *(silhouette(matrix, table[label]) for label in labels)])

    def estimate(self, rows, folder):
        """Errors as the table of separability has them, and of the first share of variance."""
        labels = self.labels.iloc[rows].reset_index(drop=True)
        sources = {"identity": "posed", "expression": "posed"}
        known = {"pictures_of": len(self.labels), "sampled": "every 4th of each person"}
        faces = StimulusSet(np.zeros((len(rows), 2, 2), np.uint8), labels, sources, known)
        write_stimuli(folder / "sample.h5", faces, "set")
        gram = gram_matrix(self.points[rows])
        scores, ratio = principal_components(gram, 8)
        write_layers(folder / "geometry.h5", folder / "sample.h5", "geometry", {"wide": scores})
        files = folder / "geometry.h5", folder / "sample.h5"
        table = score_separability(*files, {"early": "wide"}, ["identity", "expression"], [3], 0)
        assert set(table["pictures_of"]) == {len(self.labels)}
        sample = sampling.read_sample(labels, known)
        paper = table["measure"].isin(["variance_explained", "silhouette"])
        return table.loc[paper, "sampling_error"], sampling.variance_ratio_error(
            gram, scores, ratio, sample
        )


def test_estimated_errors_are_the_true_ones(tmp_path):
    """Against many samples drawn from one whole."""
    world = World()
    everything = np.arange(len(world.points))
    truth = world.measure(everything)
    off = np.array([world.measure(world.draw()) - truth for _ in range(40)])
    true_error = np.sqrt((off**2).mean(axis=0))
    samples = [world.draw() for _ in range(5)]
    found = [world.estimate(rows, tmp_path) for rows in samples]
    error = np.sqrt(np.mean([np.square(table) for table, _ in found], axis=0))
    assert ((error / true_error > 0.6) & (error / true_error < 1.6)).all(), error / true_error

    ratios = [principal_components(gram_matrix(world.points[world.draw()]), 3)[1] for _ in off]
    whole = principal_components(gram_matrix(world.points), 3)[1]
    true_error = np.sqrt(((ratios - whole) ** 2).mean(axis=0))
    error = np.sqrt(np.mean([component[:3] ** 2 for _, component in found], axis=0))
    assert ((error / true_error > 0.6) & (error / true_error < 1.6)).all(), error / true_error


def test_full_space_and_labels_that_are_missing(tmp_path):
    world = World()
    rows = world.draw()
    world.labels["expression"] = np.where(np.arange(len(world.labels)) % 3, "happy", "")
    world.labels.loc[rows[:4], "expression"] = "sad"
    labels = world.labels.iloc[rows].reset_index(drop=True)
    known = {"pictures_of": len(world.labels), "sampled": "every 4th of each person"}
    faces = StimulusSet(
        np.zeros((len(rows), 2, 2), np.uint8),
        labels,
        {"identity": "posed", "expression": "posed"},
        known,
    )
    write_stimuli(tmp_path / "s.h5", faces, "set")
    scores, _ = principal_components(gram_matrix(world.points[rows]), 8)
    write_layers(tmp_path / "g.h5", tmp_path / "s.h5", "geometry", {"wide": scores})
    asked = ["identity", "expression", "sex"]
    files = tmp_path / "g.h5", tmp_path / "s.h5"
    table = score_separability(*files, {"early": "wide"}, asked, ["all", 8], 0)
    table = table.set_index(["components", "measure", "label"])["sampling_error"]
    assert table["all", "variance_explained", np.nan] == 0
    assert np.isnan(table["all", "silhouette", "sex"])
    for measure in SCORES:
        for label in ("identity", "expression"):
            # All eight components are the full space.
            error = table["all", measure, label]
            assert error > 0
            assert error == pytest.approx(table[8, measure, label], rel=1e-3)


def test_error_of_variance_shares(tmp_path):
    """Shares of a sample, against those of many samples from one whole."""
    rng = np.random.default_rng(4)
    n_people, each, every = 6, 160, 4
    n = n_people * each
    people, kind = np.repeat(np.arange(n_people), each), rng.integers(0, 3, n)
    affect = rng.normal(size=(n, 2))
    points = rng.normal(size=(n, 4)) + rng.normal(size=(n_people, 4))[people]
    points[:, :2] += affect
    points[:, 2] += kind
    labels = pd.DataFrame(
        {
            "stimulus_id": np.arange(n).astype(str),
            "identity": np.char.add("p", people.astype(str)).astype(object),
            "expression": np.array(["happy", "sad", "fear"], object)[kind],
            "valence": affect[:, 0],
            "arousal": affect[:, 1],
        }
    )

    def measure(rows, pictures_of=None):
        known = {"pictures_of": pictures_of, "sampled": "x"} if pictures_of else {}
        own = labels.iloc[rows].reset_index(drop=True)
        sources = dict.fromkeys(own.columns[1:], "posed")
        faces = StimulusSet(np.zeros((len(rows), 2, 2), np.uint8), own, sources, known)
        write_stimuli(tmp_path / "s.h5", faces, "set")
        scores, _ = principal_components(gram_matrix(points[rows]), 4)
        write_layers(tmp_path / "g.h5", tmp_path / "s.h5", "geometry", {"wide": scores})
        files = tmp_path / "g.h5", tmp_path / "s.h5"
        table = partition_variance(*files, {"early": "wide"}, [3], resamples=2)
        return table[table["measure"] == "share"].set_index("label").loc[list(SHARES)]

    whole = measure(np.arange(n))
    assert whole["sampling_error"].isna().all()
    samples = [
        np.flatnonzero(sampled_rows(labels.iloc[order], every)[np.argsort(order)])
        for order in (rng.permutation(n) for _ in range(25))
    ]
    found = [measure(rows, n) for rows in samples]
    off = [own["value"] - whole["value"] for own in found]
    true_error = np.sqrt(np.mean(np.square(off), axis=0))
    error = np.sqrt(np.mean([own["sampling_error"] ** 2 for own in found], axis=0))
    assert ((error / true_error > 0.6) & (error / true_error < 1.6)).all(), error / true_error


def test_whole_face_sets_have_no_sampling_error(tmp_path):
    faces = write_faces(tmp_path)
    points = np.random.default_rng(0).normal(size=(60, 4))
    write_layers(tmp_path / "g.h5", faces, "geometry", {"wide": points})
    table = score_separability(tmp_path / "g.h5", faces, {"early": "wide"}, ["identity"], [2], 0)
    assert table[["sampling_error", "pictures_of", "sampled"]].isna().all(axis=None)
    labels, _, known = read_labels(faces)
    assert sampling.read_sample(labels, known) is None


# ------------------------------------------------------------------------------ what is said


@pytest.fixture
def samples(tmp_path):
    """A face set of 60 pictures of three people, and every 4th of them."""
    faces, sample = write_faces(tmp_path), tmp_path / "faces.sample.h5"
    sample_stimuli(faces, 4, sample)
    return faces, sample


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


def test_captions_say_that_it_is_a_sample(samples):
    whole, sample = (maps.read_faces(path).words("Set") for path in samples)
    assert "Set, 60 pictures of 3 people." in whole
    assert "Set, 15 of 60 pictures (every 4th of each person) of 3 people." in sample


def test_figure_4_says_that_it_is_a_sample():
    rows = {"dataset": "a", "label": ["identity", "expression"], "n": [15, 15]}
    scores = pd.DataFrame(rows)
    assert fig4._count_pictures(scores, "a", "Set") == "Set 15"
    scores = scores.assign(pictures_of=60.0, sampled="every 4th of each person")
    said = fig4._count_pictures(scores, "a", "Set")
    assert said == "Set 15 of 60 (every 4th of each person)"
    # One of the files is of a whole face set.
    other = scores.assign(dataset="b", pictures_of=np.nan, sampled="")
    scores = pd.concat([scores, other], ignore_index=True)
    assert fig4._count_pictures(scores, "a", "Set") == said
    assert fig4._count_pictures(scores, "b", "Other") == "Other 15"


def test_tables_and_pages_say_that_it_is_a_sample(samples, tmp_path):
    _, sample = samples
    entry = {"label": "Set", "paper": None, "stimuli": sample}
    (tmp_path / "paper.yaml").write_text("table1: {networks: {}, datasets: {}}\n")
    table = table1.make_table1({}, {"set": entry}, None, tmp_path / "paper.yaml")
    assert table1.dataset_table(table)["n"].item() == "15 of 60 (every 4th of each person)"
    config = {"datasets": {"set": {"label": "Set"}}, "networks": {}}
    describe_run(tmp_path / "run.html", config, [sample], [], {})
    assert "15 of 60 (every 4th of each person)" in (tmp_path / "run.html").read_text()


def test_report_is_of_the_whole_and_compares_the_sample(samples, tmp_path):
    whole, sample = samples
    labels, _, _ = read_labels(sample)
    predictions = labels[["stimulus_id", "expression"]].assign(network="rmn")
    predictions.to_csv(tmp_path / "rmn.csv", index=False)
    found = report.report_stimuli(whole, [tmp_path / "rmn.csv"], "rmn", measured=sample)
    assert found["n"] == 60
    assert found["sample"] == "15 of 60 pictures (every 4th of each person)"
    assert found["agreement"]["rmn"]["n"] == 15
    assert found["agreement"]["rmn"]["percent"] == 100
    report.write_report(found, "Set", tmp_path / "r.json", tmp_path / "r.md")
    text = (tmp_path / "r.md").read_text()
    assert f"The analyses take {found['sample']}" in text
    assert report.report_stimuli(whole)["sample"] == ""
