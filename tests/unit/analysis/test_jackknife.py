"""Components without each person, against components that scikit-learn fits to the others."""

import numpy as np
import pytest
from bench.simulated_faces import portraits, video
from sklearn.decomposition import PCA

from facestages.analysis.jackknife import leave_people_out, thin_pictures


def inner_products(others, k):
    return others.scores[:, :k] @ others.scores[:, :k].T


@pytest.mark.parametrize("decay", [0.5, 2.0])
def test_components_are_those_of_the_others(decay):
    points, table = portraits(0, people=10, decay=decay)
    centred = points - points.mean(axis=0)
    gram = (centred @ centred.T).astype(np.float32)
    left_out = list(leave_people_out(gram, table, 10))
    assert [others.person for others in left_out] == list(table["identity"].unique())
    for others in left_out:
        rows = np.flatnonzero(table["identity"] != others.person)
        assert np.array_equal(others.rows, rows)
        pca = PCA(10, svd_solver="full").fit(points[rows])
        for k in (2, 10):
            expected = pca.transform(points[rows])[:, :k]
            distance = np.abs(inner_products(others, k) - expected @ expected.T).max()
            # They are sought within a hundred components of all people.
            assert distance < 0.01 * np.square(expected).sum(axis=1).mean()
            explained = pca.explained_variance_ratio_[:k].sum()
            assert others.explained(k) == pytest.approx(explained, rel=1e-3)


def test_thinned_pictures_keep_people_expressions_and_equal_steps():
    _, table = video(0, people=4, frames=90)
    rows = thin_pictures(table, 100)
    kept = table.iloc[rows]
    assert 90 <= len(rows) <= 100 + 12
    cells = ["identity", "expression"]
    every, thinned = (each.groupby(cells).size() for each in (table, kept))
    assert (thinned == -(-every // 4)).all()
    assert np.array_equal(thin_pictures(table), np.arange(len(table)))


def test_thinned_pictures_are_read_from_any_rows():
    points, table = video(0, people=4, frames=450)
    points = points - points.mean(axis=0)
    gram = points @ points.T
    rows = thin_pictures(table)
    assert len(rows) < len(table)
    others = next(leave_people_out(gram, table, 6))
    part = points[others.rows] - points[others.rows].mean(axis=0)
    assert inner_products(others, 6) == pytest.approx(part @ part.T, abs=1e-6)


def test_equal_pictures_leave_nobody_out():
    _, table = portraits(0)
    assert not list(leave_people_out(np.zeros((len(table),) * 2), table, 2))
