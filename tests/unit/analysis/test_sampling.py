"""Errors of values that are measured on a sample, and the pages that name a sample."""

from __future__ import annotations

import math

import h5py
import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from facestages.analysis import sampling
from facestages.analysis.distances import distances
from facestages.analysis.geometry import principal_components
from facestages.analysis.partition import partition_variance
from facestages.analysis.separability import score_separability
from facestages.analysis.shares import SHARES
from facestages.analysis.silhouette_scores import SCORES
from facestages.analysis.silhouettes import silhouette
from facestages.expressions import EXPRESSIONS
from facestages.figures import table1
from facestages.gram import gram_matrix
from facestages.report import run
from facestages.stimuli import (
    StimulusSet,
    read_labels,
    report,
    write_stimuli,
)
from facestages.stimuli.sample import people_of, sample_stimuli, sampled_rows
from map_files import write_faces, write_layers


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
    sample = sampling.read_sample(people_of(labels), {"pictures_of": 2 * n})
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
        ratios_of_halves = sampling.half_variance_ratios(stored, scores, halves)
    for ratios, parts in zip(ratios_of_halves, (halves, ~halves), strict=True):
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
        drawn = (np.sort(self.rng.choice(self.PICTURES, size, replace=False)) for _ in offsets)
        return np.concatenate([start + rows for start, rows in zip(offsets, drawn, strict=True)])

    def measure(self, rows):
        scores, ratio = principal_components(gram_matrix(self.points[rows]), self.K)
        matrix, table = distances(scores), self.labels.iloc[rows]
        labels = ("identity", "expression")
        return np.array([ratio.sum(), *(silhouette(matrix, table[label]) for label in labels)])

    def estimate(self, rows, folder):
        """Errors as the table of separability has them, and of the first share of variance."""
        labels = self.labels.iloc[rows].reset_index(drop=True)
        sources = {"identity": "posed", "expression": "posed"}
        attributes = {"pictures_of": len(self.labels), "sampled": "every 4th of each person"}
        faces = StimulusSet(np.zeros((len(rows), 2, 2), np.uint8), labels, sources, attributes)
        write_stimuli(folder / "sample.h5", faces, "set")
        gram = gram_matrix(self.points[rows])
        scores, ratio = principal_components(gram, 8)
        write_layers(folder / "geometry.h5", folder / "sample.h5", "geometry", {"wide": scores})
        files = folder / "geometry.h5", folder / "sample.h5"
        table = score_separability(*files, {"early": "wide"}, ["identity", "expression"], [3], 0)
        assert set(table["pictures_of"]) == {len(self.labels)}
        sample = sampling.read_sample(people_of(labels), attributes)
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
    estimates = [world.estimate(rows, tmp_path) for rows in samples]
    error = np.sqrt(np.mean([np.square(table) for table, _ in estimates], axis=0))
    assert ((error / true_error > 0.6) & (error / true_error < 1.6)).all(), error / true_error

    ratios = [principal_components(gram_matrix(world.points[world.draw()]), 3)[1] for _ in off]
    whole = principal_components(gram_matrix(world.points), 3)[1]
    true_error = np.sqrt(((ratios - whole) ** 2).mean(axis=0))
    error = np.sqrt(np.mean([component[:3] ** 2 for _, component in estimates], axis=0))
    assert ((error / true_error > 0.6) & (error / true_error < 1.6)).all(), error / true_error


def test_full_space_and_labels_that_are_missing(tmp_path):
    world = World()
    rows = world.draw()
    world.labels["expression"] = np.where(np.arange(len(world.labels)) % 3, "happy", "")
    world.labels.loc[rows[:4], "expression"] = "sad"
    labels = world.labels.iloc[rows].reset_index(drop=True)
    attributes = {"pictures_of": len(world.labels), "sampled": "every 4th of each person"}
    faces = StimulusSet(
        np.zeros((len(rows), 2, 2), np.uint8),
        labels,
        {"identity": "posed", "expression": "posed"},
        attributes,
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
        attributes = {"pictures_of": pictures_of, "sampled": "x"} if pictures_of else {}
        part = labels.iloc[rows].reset_index(drop=True)
        sources = dict.fromkeys(part.columns[1:], "posed")
        faces = StimulusSet(np.zeros((len(rows), 2, 2), np.uint8), part, sources, attributes)
        write_stimuli(tmp_path / "s.h5", faces, "set")
        scores, _ = principal_components(gram_matrix(points[rows]), 4)
        write_layers(tmp_path / "g.h5", tmp_path / "s.h5", "geometry", {"wide": scores})
        files = tmp_path / "g.h5", tmp_path / "s.h5"
        table = partition_variance(*files, {"early": "wide"}, [3], resamples=2)
        return table[table["measure"] == "share"].set_index("label").loc[list(SHARES)]

    whole = measure(np.arange(n))
    assert whole["sampling_error"].isna().all()
    samples = [
        np.flatnonzero(sampled_rows(people_of(labels.iloc[order]), every)[np.argsort(order)])
        for order in (rng.permutation(n) for _ in range(25))
    ]
    tables = [measure(rows, n) for rows in samples]
    off = [table["value"] - whole["value"] for table in tables]
    true_error = np.sqrt(np.mean(np.square(off), axis=0))
    error = np.sqrt(np.mean([table["sampling_error"] ** 2 for table in tables], axis=0))
    assert ((error / true_error > 0.6) & (error / true_error < 1.6)).all(), error / true_error


def test_whole_face_sets_have_no_sampling_error(tmp_path):
    faces = write_faces(tmp_path)
    points = np.random.default_rng(0).normal(size=(60, 4))
    write_layers(tmp_path / "g.h5", faces, "geometry", {"wide": points})
    table = score_separability(tmp_path / "g.h5", faces, {"early": "wide"}, ["identity"], [2], 0)
    assert table[["sampling_error", "pictures_of", "sampled"]].isna().all(axis=None)
    labels, _, attributes = read_labels(faces)
    assert sampling.read_sample(people_of(labels), attributes) is None


@pytest.fixture
def samples(tmp_path):
    """A face set of 60 pictures of three people, and every 4th of them."""
    faces, sample = write_faces(tmp_path), tmp_path / "faces.sample.h5"
    sample_stimuli(faces, 4, sample)
    return faces, sample, tmp_path / "set.labels.h5"


def test_tables_and_pages_say_that_it_is_a_sample(samples, tmp_path):
    _, sample, labels = samples
    entry = {"label": "Set", "paper": None, "stimuli": sample, "labels": labels}
    (tmp_path / "paper.yaml").write_text("table1: {networks: {}, datasets: {}}\n")
    table = table1.make_table1({}, {"set": entry}, None, tmp_path / "paper.yaml")
    assert table1.dataset_table(table)["n"].item() == "15 of 60 (every 4th of each person)"
    (described,) = run.read_face_sets([sample], [labels], {"set": {"label": "Set"}})
    assert described.pictures == "15 of 60 (every 4th of each person)"


def test_report_is_of_the_whole_and_compares_the_sample(samples, tmp_path):
    whole, sample, labels = samples
    table, _, _ = read_labels(sample)
    predictions = table[["stimulus_id", "expression"]].assign(network="rmn")
    predictions.to_csv(tmp_path / "rmn.csv", index=False)
    described = report.report_stimuli(whole, labels, [tmp_path / "rmn.csv"], {}, "rmn", sample)
    assert described["n"] == 60
    assert described["sample"] == "15 of 60 pictures (every 4th of each person)"
    assert described["agreement"]["rmn"]["n"] == 15
    assert described["agreement"]["rmn"]["percent"] == 100
    report.write_report(described, "Set", tmp_path / "r.json", tmp_path / "r.md")
    text = (tmp_path / "r.md").read_text()
    assert f"The analyses take {described['sample']}" in text
    assert report.report_stimuli(whole, labels)["sample"] == ""
