"""Principal components, against scikit-learn."""

import h5py
import numpy as np
import pytest
import xarray
from sklearn.decomposition import PCA

from blurs import Blurs, record_blurs, write_blurs_faces
from facestages.analysis.geometry import leading_components, measure_geometry, principal_components
from facestages.analysis.separability import score_separability
from facestages.errors import FacestagesError
from facestages.gram import gram_matrix
from facestages.stimuli import StimulusSet, write_stimuli


@pytest.fixture(scope="module")
def layer():
    rng = np.random.default_rng(0)
    scales = np.exp(-np.arange(40) / 8)
    return (rng.normal(size=(60, 40)) * scales @ rng.normal(size=(40, 20_000))).astype(np.float32)


def test_components_are_those_of_scikit_learn(layer):
    pca = PCA(10, svd_solver="full").fit(layer.astype(float))
    expected = pca.transform(layer.astype(float))
    scores, ratio = principal_components(gram_matrix(layer), 10)
    np.testing.assert_allclose(ratio, pca.explained_variance_ratio_, rtol=1e-5)
    for column, reference in zip(scores.T, expected.T, strict=True):
        sign = np.sign(column @ reference)
        np.testing.assert_allclose(column, sign * reference, atol=1e-4 * np.abs(reference).max())


def test_sign_rule(layer):
    scores, _ = principal_components(gram_matrix(layer), 5)
    assert (scores[np.abs(scores).argmax(axis=0), np.arange(5)] > 0).all()


def test_no_more_components_than_the_space_has():
    rng = np.random.default_rng(1)
    probabilities = rng.dirichlet(np.ones(3), 50).astype(np.float32)
    scores, ratio = principal_components(gram_matrix(probabilities), 10)
    assert scores.shape == (50, 2)
    np.testing.assert_allclose(ratio.sum(), 1, rtol=1e-6)


@pytest.mark.parametrize("k", [3, 30])
def test_leading_components_of_few_and_of_many_pictures(layer, k):
    """By Lanczos' method where k is small, by the whole decomposition elsewhere."""
    gram = gram_matrix(layer)
    expected = np.linalg.eigvalsh(gram)[::-1]
    scores, values = leading_components(gram, k)
    np.testing.assert_allclose(values, expected[: k + 1], rtol=1e-9, atol=1e-9 * expected[0])
    np.testing.assert_allclose((scores**2).sum(axis=0), expected[:k], rtol=1e-9)
    np.testing.assert_array_equal(leading_components(gram, k)[0], scores)


def test_what_has_no_geometry_is_refused():
    with pytest.raises(FacestagesError, match="same output for every picture"):
        principal_components(gram_matrix(np.ones((5, 8), np.float32)), 2)


@pytest.fixture
def faces(tmp_path):
    return write_blurs_faces(tmp_path / "faces.h5")


def test_a_layer_that_says_the_same_of_all_pictures_keeps_none_of_the_others(tmp_path, caplog):
    class Dead(Blurs):
        def record(self, images, layers):
            return {**super().record(images, layers), "narrow": np.full((len(images), 8), 0.3)}

    write_blurs_faces(tmp_path / "faces.h5")
    measure_geometry(record_blurs(tmp_path, Dead()), tmp_path / "faces.h5", 10, tmp_path / "g.h5")
    assert "layer narrow gives the same output for every picture" in caplog.text
    with h5py.File(tmp_path / "g.h5") as file:
        assert file["narrow"]["score"].shape == (70, 0) and file["wide"]["score"].shape == (70, 10)
    with xarray.open_dataset(tmp_path / "g.h5", group="narrow", engine="h5netcdf") as data:
        assert data.sizes["component"] == 0
    files = tmp_path / "g.h5", tmp_path / "faces.h5"
    table = score_separability(*files, {"early": "wide", "final": "narrow"}, ["identity"], [2], 9)
    values = table.groupby("layer")["value"]
    assert values.count()["narrow"] == 0 and values.count()["wide"] == len(values.get_group("wide"))


def test_activations_of_other_stimuli_are_refused(tmp_path, faces):
    path = record_blurs(tmp_path)
    other = StimulusSet(255 - faces.images, faces.labels, faces.sources)
    write_stimuli(tmp_path / "faces.h5", other, "faces")
    with pytest.raises(FacestagesError, match="made with another stimuli digest.*delete it"):
        measure_geometry(path, tmp_path / "faces.h5", 10, tmp_path / "geometry.h5")
    assert not (tmp_path / "geometry.h5").exists()
