"""The shape of a layer's space: Gram matrix, spectrum and principal components.

The Gram matrix of n pictures holds all their distances and principal components, whatever the
layer's width, so nothing after this reads a full layer again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import h5py
import numpy as np
import scipy.linalg

from facestages import store
from facestages.errors import FacestagesError
from facestages.progress import progress
from facestages.stimuli import add_labels, read_labels

# A block of this many float32 columns of 1,000 pictures is 64 MB.
_COLUMNS_A_BLOCK = 16384


def gram_matrix(activations: np.ndarray | h5py.Dataset) -> np.ndarray:
    """Inner products of the centred rows.

    Columns are read block by block, centred and multiplied in float32, and summed in float64, so
    memory is n x n whatever the width.

    Parameters
    ----------
    activations : array or HDF5 dataset, shape (n, ...)
        One row a picture; further axes are flattened.

    Returns
    -------
    numpy.ndarray of float64, shape (n, n)
        ``G[i, j] = <x_i - mean, x_j - mean>``, symmetric.

    Raises
    ------
    FacestagesError
        If there are fewer than two rows, or a value is NaN or infinite.
    """
    n = activations.shape[0]
    if n < 2:
        raise FacestagesError(f"a Gram matrix needs two pictures or more, not {n}")
    gram = np.zeros((n, n))
    for block in _column_blocks(activations):
        centred = block - block.mean(axis=0, dtype=np.float64).astype(block.dtype)
        gram += centred @ centred.T
    if not np.isfinite(gram).all():
        row = int(np.flatnonzero(~np.isfinite(np.diag(gram)))[0])
        raise FacestagesError(f"activations hold NaN or infinity, e.g. in row {row}")
    return gram


def _column_blocks(activations: np.ndarray | h5py.Dataset) -> Iterator[np.ndarray]:
    if activations.ndim != 2:
        activations = activations[:].reshape(len(activations), -1)
    for start in range(0, activations.shape[1], _COLUMNS_A_BLOCK):
        block = activations[:, start : start + _COLUMNS_A_BLOCK]
        yield block if block.dtype in (np.float32, np.float64) else block.astype(np.float32)


def principal_components(gram: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Principal components from a Gram matrix.

    Exact where a layer is wider than there are pictures: with ``G = U diag(w) U'`` the scores are
    ``U sqrt(w)``.

    Parameters
    ----------
    gram : numpy.ndarray, shape (n, n)
        Of centred rows, as `gram_matrix` gives it.
    k : int
        Number of components; fewer are returned if the space has fewer.

    Returns
    -------
    scores : numpy.ndarray, shape (n, k)
        Largest component first. The sign is fixed: the largest score by size is positive.
    variance_ratio : numpy.ndarray, shape (k,)
        Share of the total variance.

    Raises
    ------
    FacestagesError
        If all rows are equal.
    """
    return _leading_components(*spectrum(gram), k)


def _leading_components(
    values: np.ndarray, vectors: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    # Beyond this the eigenvalues are rounding errors of the float32 products.
    rank = int((values > values[0] * len(values) * np.finfo(np.float32).eps).sum())
    k = min(k, rank)
    scores = vectors[:, :k] * np.sqrt(values[:k])
    largest = scores[np.abs(scores).argmax(axis=0), np.arange(k)]
    return scores * np.sign(largest), values[:k] / values.sum()


def spectrum(gram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues (n,), largest first, none negative, and eigenvectors (n, n) of a Gram matrix.

    Raises
    ------
    FacestagesError
        If all eigenvalues are zero: the layer says the same to every picture.
    """
    values, vectors = scipy.linalg.eigh(gram)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    if values[0] <= 0:
        raise FacestagesError("the layer gives the same output for every picture; no geometry")
    return values, vectors


def measure_geometry(
    activations: str | os.PathLike, stimuli: str | os.PathLike, components: int, out
) -> None:
    """Gram matrix, spectrum and principal components of every recorded layer.

    Parameters
    ----------
    activations : path-like
        HDF5 file of `record_activations`.
    stimuli : path-like
        The face set that they were recorded from.
    components : int
        Number of principal components to keep.
    out : path-like
        HDF5 file to write; a group a layer: ``gram`` (n, n), ``score`` (n, k), ``variance_ratio``
        (k), ``eigenvalue`` (n).

    Raises
    ------
    FacestagesError
        If the activations are of other stimuli, or a layer has no variance.
    """
    labels, sources, known = read_labels(stimuli)
    expected = {"stimuli_digest": known["stimuli_digest"]}
    with store.open_read(activations, "activations", **expected) as file:
        notes = {k: v for k, v in file.attrs.items() if k not in ("kind", "schema_version")}
        with store.create(out, "geometry", **notes) as target:
            for layer in progress(list(file), "geometry"):
                try:
                    gram = gram_matrix(file[layer]["activation"])
                    eigenvalues, vectors = spectrum(gram)
                except FacestagesError as error:
                    name = f"network {notes['network']}, layer {layer}, face set {notes['dataset']}"
                    raise FacestagesError(f"{name}: {error}") from error
                scores, ratio = _leading_components(eigenvalues, vectors, components)
                group = target.create_group(layer)
                group.attrs.update(file[layer].attrs)
                add_labels(group, labels, sources)
                store.add_dimension(group, "other_stimulus", len(gram))
                store.add_dimension(group, "component", np.arange(1, len(ratio) + 1))
                store.add_array(group, "gram", ("stimulus_id", "other_stimulus"), gram)
                store.add_array(group, "eigenvalue", ("other_stimulus",), eigenvalues)
                store.add_array(group, "score", ("stimulus_id", "component"), scores)
                store.add_array(group, "variance_ratio", ("component",), ratio)
