"""Silhouettes on equally many people and pictures, and what part of a gap these explain."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score

from blurs import Blurs, record_blurs, write_blurs_faces
from facestages.analysis import subsamples
from facestages.analysis.geometry import measure_geometry
from facestages.analysis.subsamples import (
    MEASURES,
    draw_subsamples,
    explain_gap,
    score_subsamples,
    subsample_silhouettes,
)
from facestages.stimuli import StimulusSet, write_stimuli


def make_points(people, pictures, rng, spread=1.0):
    """Points of people, and the person of each."""
    person = np.repeat(np.arange(people), pictures)
    points = spread * rng.normal(size=(people, 4))[person] + rng.normal(size=(len(person), 4))
    return points, person


def products_of(points):
    return lambda rows: points[rows] @ points[rows].T


def silhouettes_of(points, person, pictures, people):
    space = products_of(points)
    return subsample_silhouettes(space, person, draw_subsamples(person, pictures, people))


def test_subsamples_have_equal_numbers_and_favour_nobody():
    person = np.repeat(np.arange(7), [2, 9, 9, 9, 9, 9, 9])
    draws = draw_subsamples(person, 3, 4)
    times = np.zeros(7, int)
    for rows in draws:
        counts = np.bincount(person[rows], minlength=7)
        assert len(set(rows)) == len(rows) and (counts > 0).sum() == 4
        assert counts[0] in (0, 2) and set(counts[1:]) <= {0, 3}
        times += counts > 0
    assert times.max() - times.min() <= 1
    assert len({rows.tobytes() for rows in draws}) == len(draws)
    assert [rows.tolist() for rows in draw_subsamples(person, None, None)] == [
        [*range(len(person))]
    ]


def test_without_limits_these_are_the_pseudo_values_of_the_jackknife():
    points, person = make_points(6, 5, np.random.default_rng(0))
    values = silhouettes_of(points, person, None, None)
    whole = silhouette_score(points, person)
    without = np.array(
        [silhouette_score(points[person != p], person[person != p]) for p in range(6)]
    )
    pseudo_values = 6 * whole - 5 * without
    assert values == pytest.approx(pseudo_values - pseudo_values.mean() + whole, abs=1e-5)


def test_few_people_score_as_all_choices_of_people(monkeypatch):
    """The mean over draws is that over all choices of 4 of 6 people."""
    monkeypatch.setattr(subsamples, "_DRAWS", 300)
    points, person = make_points(6, 5, np.random.default_rng(1))
    values = silhouettes_of(points, person, None, 4)
    choices = [np.isin(person, some) for some in combinations(range(6), 4)]
    every = [silhouette_score(points[rows], person[rows]) for rows in choices]
    error = np.std(every) / np.sqrt(300)
    assert values.mean() == pytest.approx(np.mean(every), abs=3 * error)
    # What people add differs as the means of the choices that hold them: m (P - 1) / (P - m).
    held = np.array([np.mean([v for v, c in zip(every, choices, strict=True) if c[p * 5]])
                     for p in range(6)])  # fmt: skip
    projection = 4 * (held - np.mean(every)) * 5 / 2
    assert np.corrcoef(values, projection)[0, 1] > 0.95


def test_silhouettes_fall_with_the_number_of_people_alone():
    """Two sets of one world, 6 and 24 people: on equal numbers of people there is no gap."""
    rng, rests, gaps = np.random.default_rng(2), [], []
    for _ in range(10):
        one, other = (make_points(people, 6, rng) for people in (6, 24))
        whole, rest = (
            silhouettes_of(*other, None, people).mean() - silhouettes_of(*one, None, None).mean()
            for people in (None, 6)
        )
        gaps.append(whole)
        rests.append(rest)
    assert np.mean(gaps) < -0.08
    assert abs(np.mean(rests)) < 2 * np.std(rests) / np.sqrt(10)


def test_the_table_is_scored_in_components_of_the_pictures_drawn(tmp_path):
    """Of people with ten pictures three are drawn; the first two components are theirs alone."""
    faces = write_blurs_faces(tmp_path / "faces.h5")
    measure_geometry(record_blurs(tmp_path), tmp_path / "faces.h5", 60, tmp_path / "g.h5")
    files, stages = (tmp_path / "g.h5", tmp_path / "faces.h5"), {"early": "wide", "final": "wide"}
    points = Blurs().record(faces.images, ["wide"])["wide"].reshape(70, -1)
    person = pd.factorize(faces.labels["identity"], sort=True)[0]
    table = score_subsamples(*files, stages, 2, pictures=3, people=4)
    assert set(table["stage"]) == {"early", "final"} and set(table["measure"]) == set(MEASURES)
    table = table[table["stage"] == "early"].set_index("measure")
    number = person.max() + 1
    sizes = {"silhouette": (70, number), "silhouette_few_pictures": (3 * number, number),
             "silhouette_few_people": (None, 4), "silhouette_few_of_both": (12, 4)}  # fmt: skip
    limits = {"silhouette": (None, None), "silhouette_few_pictures": (3, None),
              "silhouette_few_people": (None, 4), "silhouette_few_of_both": (3, 4)}  # fmt: skip
    for measure, (pictures, people) in sizes.items():
        rows = table.loc[measure]
        assert set(rows["people"]) == {people} and len(rows) == number
        assert pictures is None or set(rows["n"]) == {pictures}
        draws = draw_subsamples(person, *limits[measure])
        spaces = [PCA(2, svd_solver="full").fit_transform(points[some]) for some in draws]
        expected = np.mean(
            [silhouette_score(s, person[d]) for s, d in zip(spaces, draws, strict=True)]
        )
        assert rows["pseudo_value"].mean() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("identity", "note"),
    [
        (None, "the face set has no label 'identity'"),
        (["a"] * 35 + ["b"] * 35, "2 people; each is left out in turn, so three are needed"),
        ([f"p{n}" for n in range(70)], "no identity has two pictures"),
    ],
)
def test_sets_without_a_silhouette_say_why(tmp_path, identity, note):
    faces = write_blurs_faces(tmp_path / "faces.h5")
    labels = faces.labels.drop(columns="identity")
    if identity:
        labels["identity"] = identity
    sources = {name: source for name, source in faces.sources.items() if name in labels}
    write_stimuli(tmp_path / "faces.h5", StimulusSet(faces.images, labels, sources), "faces")
    measure_geometry(record_blurs(tmp_path), tmp_path / "faces.h5", 10, tmp_path / "g.h5")
    files = tmp_path / "g.h5", tmp_path / "faces.h5"
    table = score_subsamples(*files, {"early": "wide"}, "all", pictures=3, people=4)
    assert list(table["measure"]) == list(MEASURES) and set(table["note"]) == {note}
    assert table["pseudo_value"].isna().all()


def test_the_interval_is_that_of_a_test_of_the_ratio():
    """Each end of Fieller's interval is the ratio that a paired test just does not reject."""
    rng = np.random.default_rng(3)
    one, other = rng.normal(0, 0.1, (15, 2)), rng.normal((3, 1), 0.2, (15, 2))
    explained = explain_gap(one, one[:1].repeat(15, axis=0) + other)
    gap = explained.low, explained.high
    assert gap[0] < explained.value < gap[1]
    # With one set without spread, Welch's test is Student's of the other set.
    fixed = np.zeros((15, 2))
    explained = explain_gap(fixed, other)
    for end in (explained.low, explained.high):
        assert ttest_rel(other[:, 1], (1 - end) * other[:, 0]).pvalue == pytest.approx(
            0.05, abs=1e-6
        )


def test_gaps_that_may_be_none_have_no_interval():
    rng = np.random.default_rng(4)
    explained = explain_gap(rng.normal(size=(9, 2)), rng.normal(0.1, 1, size=(12, 2)))
    assert np.isfinite(explained.value) and np.isnan([explained.low, explained.high]).all()
    assert explained.note == "no interval, as the sets may not differ"


def test_nineteen_intervals_in_twenty_hold_the_part_explained():
    rng, covered = np.random.default_rng(5), []
    truth = 1 - (0.5 - 1) / (0.3 - 1)
    for _ in range(400):
        shared = [rng.normal(size=(people, 1)) for people in (12, 70)]
        one, other = (0.3 * s + 0.1 * rng.normal(size=(len(s), 2)) for s in shared)
        explained = explain_gap(one + 1, other + (0.3, 0.5))
        covered.append(explained.low <= truth <= explained.high)
    # 380 are expected; fewer than 366 or more than 392 have a chance of one in 300.
    assert 366 <= sum(covered) <= 392
