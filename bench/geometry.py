"""Principal components by the Gram matrix against scikit-learn, and the Gram matrix's own speed."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from bench import calls
from bench.measure import Bench, Measurement, Outcome, measurement, run, timed

PART = "geometry"
LAYER, UNITS = "batchnorm_1", calls.UNITS["batchnorm_1"]
K = 10


def measure(bench: Bench) -> Iterator[Measurement | Outcome]:
    """All rows of this part."""
    yield from _measure_pca(bench)
    yield from _measure_gram(bench)


def _measure_pca(bench: Bench) -> Iterator[Measurement | Outcome]:
    n, file = bench.sizes.pca, calls.recorded_layer(bench, bench.sizes.pca)
    ours_file = bench.folder / "ours.npy"
    ours = run(bench, gram_pca, file=file, out=ours_file)
    note = "from the file, which is read by all three"
    yield measurement(PART, f"PCA-{K} by gram_matrix, principal_components", n, UNITS, ours, note)
    for solver in ("randomized", "full"):
        out = bench.folder / f"{solver}.npy"
        theirs = run(bench, sklearn_pca, file=file, solver=solver, out=out)
        contender = f"scikit-learn PCA({K}, svd_solver='{solver}')"
        yield measurement(PART, contender, n, UNITS, theirs)
        full = solver == "full"
        faster, smaller = (theirs[of] / ours[of] for of in ("seconds", "peak_mb"))
        yield Outcome(PART, f"{contender} / ours: time", faster, ">= 8" if full else "")
        yield Outcome(
            PART,
            f"ours / {contender}: peak memory",
            1 / smaller,
            "<= 0.25" if full else "",
            "whole processes, libraries included",
        )
        yield Outcome(
            PART,
            f"{contender} against ours: largest difference of PCs",
            component_difference(np.load(ours_file), np.load(out)),
            "<= 1e-4" if full else "",
            "up to sign, as a share of the component's largest score",
        )


def _measure_gram(bench: Bench) -> Iterator[Measurement | Outcome]:
    n, file = bench.sizes.gram, calls.recorded_layer(bench, bench.sizes.gram)
    size = bench.sizes.product
    # Before and after, so that a machine that slows down in between is noticed.
    before = run(bench, multiply, size=size)
    gram = run(bench, gram_of, file=file)
    after = run(bench, multiply, size=size)
    rates = [result["rate"] for result in (before, after)]
    yield Outcome(
        PART,
        f"float32 product of {size} x {size} matrices, 1e9 multiply-adds a second",
        max(rates) / 1e9,
        note=f"numpy; before {rates[0] / 1e9:.0f}, after {rates[1] / 1e9:.0f}",
    )
    yield measurement(PART, "gram_matrix from the file", n, UNITS, gram)
    share = n * n * UNITS / gram["seconds"] / max(rates)
    yield Outcome(
        PART, "gram_matrix / matrix product: n^2 d multiply-adds a second", share, ">= 0.6"
    )


def component_difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest difference of scores, each (n, k), as a share of the component's largest score.

    The sign of a component is free: each of `theirs` is turned as the one of `ours` is.
    """
    turned = theirs * np.sign((ours * theirs).sum(axis=0))
    return float((np.abs(ours - turned).max(axis=0) / np.abs(ours).max(axis=0)).max())


def gram_pca(file: str, out: str) -> dict:
    """Ten components from the file, by way of the Gram matrix."""
    import h5py

    calls.principal_components(calls.gram_matrix(np.eye(4, dtype=np.float32)), 2)  # imports
    with timed() as timing, h5py.File(file, "r") as activations:
        gram = calls.gram_matrix(calls.dataset_of(activations, LAYER))
        scores = calls.principal_components(gram, K)
    np.save(out, scores)
    return timing


def sklearn_pca(file: str, solver: str, out: str) -> dict:
    """Ten components from the file, by scikit-learn."""
    import h5py
    from sklearn.decomposition import PCA

    pca = PCA(K, svd_solver=solver, random_state=0)
    with timed() as timing, h5py.File(file, "r") as activations:
        scores = pca.fit_transform(calls.dataset_of(activations, LAYER)[:])
    np.save(out, scores)
    return timing


def gram_of(file: str) -> dict:
    """The Gram matrix of the layer, from the file."""
    import h5py

    calls.gram_matrix(np.eye(4, dtype=np.float32))
    with timed() as timing, h5py.File(file, "r") as activations:
        calls.gram_matrix(calls.dataset_of(activations, LAYER))
    return timing


def multiply(size: int) -> dict:
    """Multiply-adds a second of a float32 matrix product: the best of six."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((size, size), dtype=np.float32) for _ in "ab")
    product, times = np.empty_like(a), []
    for _ in range(6):
        begin = time.perf_counter()
        np.matmul(a, b, out=product)
        times.append(time.perf_counter() - begin)
    return {"rate": size**3 / min(times)}
