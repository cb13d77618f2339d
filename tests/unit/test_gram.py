"""Gram matrices: of centred rows, from arrays and from files, and made block by block."""

import h5py
import numpy as np
import pytest

from facestages import store
from facestages.errors import FacestagesError
from facestages.gram import (
    add_products,
    gram_and_squares,
    gram_matrix,
    join_products,
    join_squares,
    unit_sums,
)


@pytest.fixture(scope="module")
def layer():
    rng = np.random.default_rng(0)
    scales = np.exp(-np.arange(40) / 8)
    return (rng.normal(size=(60, 40)) * scales @ rng.normal(size=(40, 20_000))).astype(np.float32)


def test_gram_matrix_is_that_of_centred_rows(layer):
    centred = layer.astype(float) - layer.mean(axis=0, dtype=float)
    expected = centred @ centred.T
    gram = gram_matrix(layer)
    np.testing.assert_allclose(gram, expected, atol=1e-5 * np.abs(expected).max())
    np.testing.assert_array_equal(gram, gram.T)
    assert abs(gram.sum()) < 1e-5 * np.trace(gram)


def test_gram_matrix_streams_from_disk(layer, tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        stored = file.create_dataset("a", data=layer, chunks=(32, 4096))
        np.testing.assert_array_equal(gram_matrix(stored), gram_matrix(layer))


def test_further_axes_are_flattened(layer):
    np.testing.assert_array_equal(gram_matrix(layer.reshape(60, 100, 200)), gram_matrix(layer))


def test_one_row_and_broken_rows_are_refused(layer):
    with pytest.raises(FacestagesError, match="two pictures or more, not 1"):
        gram_matrix(layer[:1])
    broken = layer.copy()
    broken[7, 19_999] = np.nan
    with pytest.raises(FacestagesError, match="NaN"):
        gram_matrix(broken)


def write_blocks(path, layer, ids, parts, lacking=()):
    """Blocks of inner products of some parts of the rows, about a common origin."""
    rows = layer - layer[:10].mean(axis=0)
    with store.create(path, "gram") as file:
        for i, first in enumerate(parts):
            for j, second in enumerate(parts[i:], i):
                if (i, j) not in lacking:
                    products = rows[first] @ rows[second].T
                    sums = unit_sums(rows[first]) if i == j else None
                    group = file.create_group(f"{i}-{j}")
                    add_products(group, products, ids[first], ids[second], sums)
    return path


def test_blocks_make_up_the_matrix_and_its_units_squares(layer, tmp_path):
    ids = np.array([f"s{number}" for number in range(60)])
    parts = [np.arange(0, 60, 2), np.arange(1, 60, 4), np.arange(3, 60, 4)]
    gram, squares = gram_and_squares(layer)
    with store.open_read(write_blocks(tmp_path / "a.h5", layer, ids, parts), "gram") as file:
        groups = list(file.values())
        joined = join_products(groups, ids)
        np.testing.assert_allclose(joined, gram, atol=1e-4 * np.abs(gram).max())
        np.testing.assert_array_equal(joined, joined.T)
        np.testing.assert_allclose(join_squares(groups), squares, rtol=1e-3)


def test_blocks_that_lack_pictures_or_hold_others_are_refused(layer, tmp_path):
    ids = np.array([f"s{number}" for number in range(60)])
    parts = [np.arange(30), np.arange(30, 60)]
    path = write_blocks(tmp_path / "a.h5", layer, ids, parts, lacking=[(0, 1)])
    with store.open_read(path, "gram") as file:
        with pytest.raises(FacestagesError, match="1800 inner products of 3600 are missing"):
            join_products(list(file.values()), ids)
        with pytest.raises(FacestagesError, match="holds picture 's59', which the face set lacks"):
            join_products(list(file.values()), ids[:59])
