"""Linear read-outs of principal components, against scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA, KernelPCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import Ridge
from sklearn.metrics import recall_score
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from decoding_faces import along, decode_one, gram_of, portraits
from facestages.analysis.folds import hold_out_people
from facestages.analysis.readouts import held_out_r2, held_out_recall, predict_groups, project


class Shrunk(BaseEstimator):
    """Covariance shrunk towards the unit matrix."""

    def __init__(self, share):
        self.share = share

    def fit(self, points):
        covariance = np.cov(points.T, bias=True)
        self.covariance_ = (1 - self.share) * covariance + self.share * np.eye(len(covariance))
        return self


def plain_folds(points, table):
    return list(GroupKFold(5).split(points, groups=table["identity"]))


@pytest.fixture
def some():
    rng, table = np.random.default_rng(3), portraits()
    points = along(pd.factorize(table["expression"])[0], 1, rng) + rng.normal(size=(120, 12))
    points *= np.linspace(2, 0.5, 12)
    # Groups of unequal size.
    table.loc[:9, "expression"] = "happy"
    return points, table, hold_out_people(table["identity"].to_numpy(), np.arange(120), 5)


@pytest.mark.parametrize("k", [2, 5, 10])
def test_names_are_predicted_as_scikit_learn_does(some, k):
    points, table, folds = some
    names = table["expression"].to_numpy()
    codes, values = pd.factorize(names)
    spaces = project(gram_of(points), folds, 10)
    expected = np.empty(120, dtype=object)
    for (train, test), space, training in zip(
        plain_folds(points, table), spaces, folds.training, strict=True
    ):
        np.testing.assert_array_equal(np.flatnonzero(training), train)
        model = make_pipeline(
            PCA(k),
            StandardScaler(),
            LinearDiscriminantAnalysis("lsqr", covariance_estimator=Shrunk(k / (k + len(train)))),
        ).fit(points[train], names[train])
        likelihood = model.predict_log_proba(points[test]) - np.log(model[-1].priors_)
        expected[test] = model.classes_[likelihood.argmax(axis=1)]
        predicted = predict_groups(space[training], codes[None, train], space[test], 5, [10, k])
        np.testing.assert_array_equal(values[predicted[1][0]], expected[test])
    recall = held_out_recall(spaces, folds, codes[None], 5, [k])[0, 0]
    np.testing.assert_allclose(recall, recall_score(names, expected, labels=values, average=None))
    assert decode_one(points, table, "expression", k)["value"] == pytest.approx(recall.mean())


@pytest.mark.parametrize("k", [2, 10])
def test_numbers_are_predicted_as_scikit_learn_does(some, k):
    points, table, folds = some
    values = points[:, 3] + np.random.default_rng(0).normal(size=120)
    errors, total = 0, 0
    for train, test in plain_folds(points, table):
        model = make_pipeline(PCA(k), StandardScaler(), Ridge(k)).fit(points[train], values[train])
        errors += ((values[test] - model.predict(points[test])) ** 2).sum()
        total += ((values[test] - values[train].mean()) ** 2).sum()
    r2 = held_out_r2(project(gram_of(points), folds, 10), folds, values[None], [k])
    assert r2[0, 0] == pytest.approx(1 - errors / total, abs=1e-5)


def test_components_are_those_of_the_training_pictures_alone(some):
    points, _, folds = some
    gram = points @ points.T
    for space, training in zip(project(gram, folds, 6), folds.training, strict=True):
        of_layer = PCA(6).fit(points[training]).transform(points)
        kernel = KernelPCA(6, kernel="precomputed").fit(gram[np.ix_(training, training)])
        for expected in (of_layer, kernel.transform(gram[:, training])):
            expected = expected / expected[training].std(axis=0)
            signs = np.sign((space * expected).sum(axis=0))
            np.testing.assert_allclose(space * signs, expected, atol=1e-4)


def test_held_out_pictures_do_not_touch_the_components(some):
    points, _, folds = some
    held_out = folds.fold == 2
    changed = np.where(held_out[:, None], 100 * points[::-1], points)
    before, after = (project(layer @ layer.T, folds, 6)[2] for layer in (points, changed))
    np.testing.assert_array_equal(before[~held_out], after[~held_out])
    assert not np.allclose(before[held_out], after[held_out])


def test_many_labellings_at_once_are_as_one_by_one(some):
    points, _, folds = some
    labellings = np.random.default_rng(0).integers(0, 40, (300, 120))  # in several batches
    spaces = project(gram_of(points), folds, 4)
    together = held_out_recall(spaces, folds, labellings, 40, [2, 4])
    for number in (0, 150, 299):
        alone = held_out_recall(spaces, folds, labellings[number, None], 40, [2, 4])
        np.testing.assert_allclose(together[:, number], alone[:, 0])
