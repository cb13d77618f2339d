"""Gram matrices: inner products of a layer's outputs for all pairs of pictures.

The Gram matrix of n pictures holds all their distances and principal components, whatever the
layer's width. It can be made block by block: inner products about a common origin are summed or put
side by side, and centred at the end. Memory then holds neither the whole layer nor all products.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import h5py
import numpy as np

from facestages import store
from facestages.errors import FacestagesError
from facestages.progress import progress

# A block of this many float32 columns of 1,000 pictures is 32 MB.
_COLUMNS_A_BLOCK = 8192
_ROWS_AT_ONCE = 256

#: Axes of a block of inner products, and the attributes that hold the digests of their pictures.
SIDES = {"stimulus_id": "pictures_digest", "other_stimulus_id": "column_pictures_digest"}

#: Number of pictures whose mean is the origin of a layer's inner products.
ROWS_OF_ORIGIN = 64


def gram_matrix(activations: np.ndarray | h5py.Dataset) -> np.ndarray:
    """Inner products of the centred rows.

    ``G[i, j] = <x_i - mean, x_j - mean>``. Blocks of columns are centred and multiplied in float32,
    summed in float64, and read ahead. The memory is n x n, whatever the width.

    Parameters
    ----------
    activations : array or HDF5 dataset, shape (n, ...)
        One row a picture; further axes are flattened.

    Returns
    -------
    numpy.ndarray of float64, shape (n, n)
        Symmetric.

    Raises
    ------
    FacestagesError
        If there are fewer than two rows, or a value is NaN or infinite.
    """
    return gram_and_squares(activations)[0]


def gram_and_squares(activations: np.ndarray | h5py.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """The `gram_matrix`, and each unit's sum of squares about its mean, shape (units,)."""
    n = activations.shape[0]
    if n < 2:
        raise FacestagesError(f"a Gram matrix needs two pictures or more, not {n}")
    gram, product, squares = np.zeros((n, n)), None, []
    for block in _column_blocks(activations, prepare=_centre_columns):
        # numpy multiplies an array with its transpose in half the time.
        product = np.matmul(block, block.T, out=product)
        gram += product
        squares.append(_column_squares(block))
    return require_finite_gram(gram), np.concatenate(squares)


def unit_sums(rows: np.ndarray) -> np.ndarray:
    """Sum and sum of squares over pictures of each unit, float64, shape (2, units)."""
    return np.stack([rows.sum(axis=0, dtype=np.float64), _column_squares(rows)])


def _column_squares(rows: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->j", rows, rows, dtype=np.float64)


def _centre_columns(block: np.ndarray) -> np.ndarray:
    """Subtract each column's mean, in place."""
    block -= block.mean(axis=0, dtype=np.float64).astype(block.dtype)
    return block


def require_finite_gram(gram: np.ndarray) -> np.ndarray:
    """Refuse the Gram matrix of activations that are not finite; its diagonal shows them."""
    broken = np.flatnonzero(~np.isfinite(np.diag(gram)))
    if len(broken):
        raise FacestagesError(f"activations hold NaN or infinity, e.g. in row {broken[0]}")
    return gram


def _column_blocks(
    activations: np.ndarray | h5py.Dataset,
    rows: int | None = None,
    prepare: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> Iterator[np.ndarray]:
    """Blocks of columns, as copies; the next block is read and prepared while one is used."""
    if activations.ndim != 2:
        activations = activations[:].reshape(len(activations), -1)

    def read(start: int) -> np.ndarray:
        block = activations[:rows, start : start + _COLUMNS_A_BLOCK]
        dtype = block.dtype if block.dtype == np.float64 else np.float32
        # A slice of an array is a view and must be copied; a slice of a file is a copy already.
        return prepare(block.astype(dtype, copy=isinstance(activations, np.ndarray)))

    starts = range(0, activations.shape[1], _COLUMNS_A_BLOCK)
    with ThreadPoolExecutor(1) as reader:
        ahead = reader.submit(read, 0)
        for start in starts:
            block = ahead.result()
            if start + _COLUMNS_A_BLOCK < activations.shape[1]:
                ahead = reader.submit(read, start + _COLUMNS_A_BLOCK)
            yield block


def centre_gram(products: np.ndarray) -> np.ndarray:
    """Inner products (n, n) about the rows' mean, from those about another origin (n, n).

    ``H G H`` with ``H = I - 1/n``, as in classical scaling (Torgerson 1952). The origin should be
    near the mean, because the rounding errors of the given products remain.
    """
    gram = np.array(products, dtype=np.float64)
    means = gram.mean(axis=0)
    for start in range(0, len(gram), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        # The sum in brackets is the same for (i, j) and (j, i), so that the result is symmetric.
        gram[rows] -= (means[rows, None] + means) - means.mean()
    return require_finite_gram(gram)


def add_products(
    group: h5py.Group,
    products: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    sums: np.ndarray | None,
) -> None:
    """Add a block of inner products (n, m) about a common origin to a layer's group.

    Rows and columns are named by their ``stimulus_id``. The sums (2, units) are the `unit_sums` of
    the rows; None if the columns are other pictures.
    """
    store.add_dimension(group, "stimulus_id", rows)
    store.add_dimension(group, "other_stimulus_id", columns)
    store.add_array(group, "product", tuple(SIDES), products.astype(np.float32, copy=False))
    if sums is not None:
        store.add_dimension(group, "power", [1, 2])
        store.add_dimension(group, "unit", sums.shape[1])
        store.add_array(group, "unit_sum", ("power", "unit"), sums)


def join_products(groups: Sequence[h5py.Group], ids: Sequence[str]) -> np.ndarray:
    """The Gram matrix (n, n) of a layer, from the blocks of `add_products` in all its files.

    Each block also gives its mirror image. `ids` (n,) are the ``stimulus_id`` of the rows wanted.

    Raises
    ------
    FacestagesError
        If the blocks are of other pictures, or do not cover them all.
    """
    place = {name: row for row, name in enumerate(ids)}
    products = np.full((len(ids), len(ids)), np.nan, np.float32)
    for group in groups:
        names = (store.read_column(group[axis]) for axis in SIDES)
        try:
            rows, columns = ([place[name] for name in side] for side in names)
        except KeyError as error:
            raise FacestagesError(
                f"{group.file.filename}: holds picture {error}, which the face "
                f"set lacks: delete it and run the same command again"
            ) from error
        block = group["product"][:]
        products[np.ix_(rows, columns)] = block
        products[np.ix_(columns, rows)] = block.T
        del block
    if missing := int(np.isnan(products).sum()):
        raise FacestagesError(f"{missing} inner products of {products.size} are missing or NaN")
    return centre_gram(products)


def join_squares(groups: Sequence[h5py.Group]) -> np.ndarray:
    """Each unit's sum of squares about its mean, shape (units,), from groups of `add_products`."""
    groups = [group for group in groups if "unit_sum" in group]
    n = sum(len(group["stimulus_id"]) for group in groups)
    sums, squares = sum(group["unit_sum"][:] for group in groups)
    # A unit with the same output for every picture leaves a rounding error, which may be negative.
    return np.maximum(squares - sums**2 / n, 0)


def multiply_shards(
    shard: str | os.PathLike,
    other: str | os.PathLike,
    first: str | os.PathLike,
    out: str | os.PathLike,
) -> None:
    """Inner products of the pictures of two shards, layer by layer.

    Parameters
    ----------
    shard, other : path-like
        HDF5 files of `recording.activations.record_activations`; the same one twice for the
        products within a shard.
    first : path-like
        The shard whose first rows give the origin; the same for all pairs.
    out : path-like
        HDF5 file to write.

    Raises
    ------
    FacestagesError
        If the shards are not of one network.
    """
    with (
        store.open_read(shard, "activations") as rows,
        store.open_read(first, "activations", **_network(rows)) as start,
        store.open_read(other, "activations", **_network(rows)) as columns,
        store.create(out, "gram", **store.notes_of(rows)) as target,
    ):
        digest = columns.attrs["pictures_digest"]
        target.attrs.update(of_shards=1, column_pictures_digest=digest)
        for layer in progress(list(rows), "inner products"):
            group = target.create_group(layer)
            group.attrs.update(rows[layer].attrs)
            sides = [file[layer]["activation"] for file in (rows, columns)]
            products, sums = _multiply(*sides, start[layer]["activation"])
            ids = (store.read_column(file[layer]["stimulus_id"]) for file in (rows, columns))
            add_products(group, products, *ids, sums)


def _multiply(
    rows: h5py.Dataset, columns: h5py.Dataset, first: h5py.Dataset
) -> tuple[np.ndarray, np.ndarray | None]:
    """Inner products about a common origin, and the units' sums if both sides are the same."""
    products, sums = np.zeros((len(rows), len(columns))), []
    origins = _column_blocks(first, rows=ROWS_OF_ORIGIN)
    within = rows == columns
    others = repeat(None) if within else _column_blocks(columns)
    for origin, block, other in zip(origins, _column_blocks(rows), others, strict=False):
        block -= origin.mean(axis=0)
        if within:
            sums.append(unit_sums(block))
        else:
            other -= origin.mean(axis=0)
        products += block @ (block if within else other).T
    return products, np.concatenate(sums, axis=1) if within else None


def _network(file: h5py.File) -> dict[str, object]:
    return {name: file.attrs[name] for name in ("network", "weights_sha256")}
