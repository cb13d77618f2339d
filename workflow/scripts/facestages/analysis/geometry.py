"""The shape of a layer's space: Gram matrix, spectrum and principal components.

The Gram matrix of n pictures holds all their distances and principal components, whatever the
layer's width, so no later step reads a full layer.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Sequence

import h5py
import numpy as np
import scipy.linalg
from scipy.sparse.linalg import ArpackNoConvergence, eigsh

from facestages import store
from facestages.analysis import sampling
from facestages.analysis.parallel_analysis import noise_edge
from facestages.errors import FacestagesError
from facestages.gram import SIDES, gram_and_squares, join_products, join_squares
from facestages.progress import progress
from facestages.stimuli import add_ids, digest_pictures, read_facts
from facestages.stimuli.sample import STRATUM

logger = logging.getLogger(__name__)

# With fewer pictures than this for each component, finding all eigenvectors is as quick.
_PICTURES_A_COMPONENT = 4


def principal_components(gram: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Principal components from a Gram matrix.

    The scores are ``U sqrt(w)``, with ``G = U diag(w) U'``. They equal those of the layer itself,
    whatever its width.

    Parameters
    ----------
    gram : numpy.ndarray, shape (n, n)
        Of centred rows, as `gram.gram_matrix` gives it.
    k : int
        Number of components; fewer are returned if the space has fewer.

    Returns
    -------
    scores : numpy.ndarray, shape (n, k)
        Largest component first. Its largest score by size is positive.
    variance_ratio : numpy.ndarray, shape (k,)
        Share of the total variance.

    Raises
    ------
    FacestagesError
        If all rows are equal.
    """
    scores, values = leading_components(gram, k)
    return scores, values[: scores.shape[1]] / np.trace(gram)


def leading_components(gram: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores of the k leading components, or fewer, and the k + 1 largest eigenvalues.

    Errors are those of `principal_components`.
    """
    values, vectors = _eigenpairs(gram, min(k + 1, len(gram)))
    if values[0] <= 0:
        raise FacestagesError("the layer gives the same output for every picture; no geometry")
    # Smaller eigenvalues are rounding errors of the float32 products.
    rank = int((values > values[0] * len(gram) * np.finfo(np.float32).eps).sum())
    k = min(k, rank)
    scores = vectors[:, :k] * np.sqrt(values[:k])
    largest = scores[np.abs(scores).argmax(axis=0), np.arange(k)]
    return scores * np.sign(largest), values


def _eigenpairs(gram: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k largest eigenvalues, none negative, and their vectors.

    Lanczos' method (ARPACK) finds them in a time that grows with n^2.
    """
    n = len(gram)
    # Lanczos' method fails on a matrix of zeros.
    if n > _PICTURES_A_COMPONENT * k and gram.any():
        # A fixed start gives the same result in every run. It must not be constant, because a
        # centred matrix times a constant vector is zero.
        start = np.random.default_rng(0).normal(size=n)
        try:
            values, vectors = eigsh(gram, k, v0=start)
        except ArpackNoConvergence:
            values, vectors = scipy.linalg.eigh(gram)
    else:
        values, vectors = scipy.linalg.eigh(gram)
    largest = np.argsort(values)[::-1][:k]
    return np.maximum(values[largest], 0.0), vectors[:, largest]


def measure_geometry(
    sources: Sequence[str | os.PathLike] | str | os.PathLike,
    stimuli: str | os.PathLike,
    components: int,
    out: str | os.PathLike,
) -> None:
    """Gram matrix, spectrum and principal components of every recorded layer.

    Parameters
    ----------
    sources : path-like or sequence of path-like
        The HDF5 file of `recording.activations.record_activations`; or files of inner products, of
        `recording.accumulation.accumulate_gram` or of `gram.multiply_shards`, whose blocks make up
        the Gram matrix.
    stimuli : path-like
        The face set that they were recorded from.
    components : int
        Number of principal components to keep.
    out : path-like
        HDF5 file to write. The group of each layer holds ``gram`` (n, n) float32, ``score`` (n, k),
        ``variance_ratio`` (k), ``eigenvalue`` (k + 1 or n) and, for a sample of a face set,
        ``variance_ratio_error`` (k). Its attributes are ``total_variance``, the sum of all
        eigenvalues, and ``noise_edge`` (`analysis.parallel_analysis.noise_edge`). A layer that
        gives the same output for every picture has no component, and a warning names it.

    Raises
    ------
    FacestagesError
        If the activations are of other stimuli, hold NaN or infinity, or lack pictures.
    """
    sources = [sources] if isinstance(sources, str | os.PathLike) else list(sources)
    facts, _, faces = read_facts(stimuli)
    ids, sample = facts["stimulus_id"].to_numpy(), sampling.read_sample(facts.get(STRATUM), faces)
    with contextlib.ExitStack() as stack:
        kinds = ("activations", "gram")
        files = [stack.enter_context(store.open_read(path, kinds)) for path in sources]
        for path, file in zip(sources, files, strict=True):
            _require_pictures(path, file, stimuli, faces["stimuli_digest"], ids)
        notes = store.notes_of(files[0]) | {"stimuli_digest": faces["stimuli_digest"]}
        target = stack.enter_context(store.create(out, "geometry", **notes))
        for layer in progress(list(files[0]), "geometry"):
            group = target.create_group(layer)
            group.attrs.update(files[0][layer].attrs)
            add_ids(group, ids)
            try:
                gram, squares = _layer_gram([file[layer] for file in files], ids)
                add_geometry(group, gram, components, sample)
                group.attrs["noise_edge"] = noise_edge(squares, np.diag(gram))
            except FacestagesError as error:
                name = f"network {notes['network']}, layer {layer}, face set {notes['dataset']}"
                raise FacestagesError(f"{name}: {error}") from error
            # The next Gram matrix needs the memory.
            del gram


def add_geometry(
    group: h5py.Group, gram: np.ndarray, components: int, sample: sampling.Sample | None
) -> None:
    """Write a layer's Gram matrix and what follows from it."""
    if gram.any():
        scores, values = leading_components(gram, components)
        ratio = values[: scores.shape[1]] / np.trace(gram)
    else:
        logger.warning("layer %s gives the same output for every picture", group.attrs["layer"])
        scores, values, ratio = np.empty((len(gram), 0)), np.zeros(len(gram)), np.empty(0)
    group.attrs["total_variance"] = np.trace(gram)
    store.add_dimension(group, "other_stimulus", len(gram))
    store.add_dimension(group, "component", np.arange(1, scores.shape[1] + 1))
    store.add_dimension(group, "eigenvalue_number", np.arange(1, len(values) + 1))
    axes = ("stimulus_id", "other_stimulus")
    store.add_array(group, "gram", axes, gram.astype(np.float32))
    store.add_array(group, "eigenvalue", ("eigenvalue_number",), values)
    store.add_array(group, "score", ("stimulus_id", "component"), scores)
    store.add_array(group, "variance_ratio", ("component",), ratio)
    if sample is not None and len(ratio):
        error = sampling.variance_ratio_error(gram, scores, ratio, sample)
        store.add_array(group, "variance_ratio_error", ("component",), error)


def _layer_gram(groups: Sequence[h5py.Group], ids: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """A layer's Gram matrix and its units' sums of squares."""
    if "activation" in groups[0]:
        return gram_and_squares(groups[0]["activation"])
    return join_products(groups, ids), join_squares(groups)


def _require_pictures(
    path: str | os.PathLike,
    file: h5py.File,
    stimuli: str | os.PathLike,
    stimuli_digest: object,
    ids: np.ndarray,
) -> None:
    """Refuse a file of other stimuli; a file of shards is checked by the pictures that it holds."""
    if not file.attrs.get("of_shards"):
        store.require_attributes(path, file, stimuli_digest=stimuli_digest)
        return
    group = next(iter(file.values()))
    for axis, attribute in SIDES.items():
        rows = np.isin(ids, store.read_column(group[axis]))
        store.require_attributes(path, file, **{attribute: digest_pictures(stimuli, rows)})
