"""The calls of the library that the workflow's scripts make.

Nothing else in the benchmarks calls the library, so a changed signature changes this file alone.
Each function imports what it needs when it is called, as the scripts do.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from bench.measure import REPOSITORY

STAGES = {
    "early": "batchnorm_1",
    "middle": "flatten",
    "penultimate": "dropout_4",
    "final": "out_layer",
}
UNITS = {"batchnorm_1": 147_456, "flatten": 9216, "dropout_4": 128, "out_layer": 3}

COMPONENTS = (2, 5, 10, 20, 50)

WEIGHTS = REPOSITORY / "resources" / "weights" / "nn1.weights.h5"


def recording_environment(threads: int) -> dict[str, str]:
    """Environment of the jobs that record, as `facestages.job` sets it."""
    return {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": str(threads)}


def threads() -> int:
    """Threads of this process, as `bench.measure.run` has set them."""
    return int(os.environ["OMP_NUM_THREADS"])


def load_nn1():
    """NN1 with its weights."""
    from facestages.networks import load_network

    return load_network(
        "nn1",
        architecture="light_cnn",
        classes=["happy", "sad", "neutral"],
        weights=WEIGHTS,
    )


def load_untrained(architecture: str):
    """Another network, with random weights."""
    from facestages.networks import load_network

    return load_network(architecture, architecture=architecture)


def torch_module(architecture: str):
    """The module of a torch network alone, and its InputSpec."""
    from facestages.architectures import ARCHITECTURES
    from facestages.networks.torch_backend import build_module

    published = ARCHITECTURES[architecture]
    n_classes = [len(published.classes)] if published.classes else []
    module = build_module(published.builder, 0, *n_classes, where=architecture).eval()
    return module, published.input


def prepared(stimuli: str | os.PathLike, spec) -> np.ndarray:
    """All pictures of a face set as a network takes them: (n, rows, columns, channels) float32."""
    from facestages.networks.inputs import prepare_images
    from facestages.stimuli import read_stimuli

    return prepare_images(read_stimuli(stimuli).images, spec)


def record(network, stimuli: str | os.PathLike, layers: Sequence[str], out: str | os.PathLike):
    """Record layers to a file: `activations: keep`."""
    from facestages.recording.activations import record_activations

    record_activations(network, stimuli, list(layers), out, {"seed": 0}, threads=threads())


def accumulate(network, stimuli: str | os.PathLike, widths: Mapping[str, int], out):
    """Gram matrices of NN1: `activations: discard`, with the memory that its rule asks for.

    `measure_geometry` takes its file in place of a recording.
    """
    from facestages import memory
    from facestages.recording.accumulation import accumulate_gram

    n, units = len(next(iter(labels_of(stimuli).values()))), sum(widths.values())
    allowed = memory.forward("keras", network.input.pixels, os.path.getsize(WEIGHTS))
    allowed += memory.accumulation(units, n, threads())
    accumulate_gram(network, stimuli, list(widths), out, {"seed": 0}, allowed, threads=threads())


def measure_geometry(
    recorded: str | os.PathLike, stimuli: str | os.PathLike, out: str | os.PathLike
):
    """Gram matrix, spectrum and components of what was recorded."""
    from facestages.analysis.geometry import measure_geometry

    measure_geometry(recorded, stimuli, max(COMPONENTS), out)


def gram_matrix(dataset) -> np.ndarray:
    """Gram matrix (n, n) of an array or HDF5 dataset."""
    from facestages.gram import gram_matrix

    return gram_matrix(dataset)


def principal_components(gram: np.ndarray, k: int) -> np.ndarray:
    """Scores (n, k)."""
    from facestages.analysis.geometry import principal_components

    return principal_components(gram, k)[0]


def silhouettes(scores: np.ndarray, labels: np.ndarray, permutations: int) -> None:
    """Silhouette of a labelling and of its permutations."""
    from facestages.analysis.distances import distances
    from facestages.analysis.silhouettes import silhouette, silhouette_null

    matrix = distances(scores)
    silhouette(matrix, labels)
    silhouette_null(matrix, labels, permutations)


def compile_silhouettes() -> None:
    """Import libraries and compile code, which the first call in a process does."""
    points = np.random.default_rng(0).normal(size=(40, 3))
    silhouettes(points, np.arange(40) % 4, 2)


def score_separability(
    geometry: str | os.PathLike,
    stimuli: str | os.PathLike,
    stages: dict[str, str],
    components: Sequence[int | str],
    permutations: int,
) -> list[dict]:
    """Silhouettes, a row for each layer, label and number of components."""
    from bench.faces import LABELS
    from facestages.analysis.separability import score_separability

    table = score_separability(geometry, stimuli, stages, LABELS, components, permutations)
    table = table[table["measure"] == "silhouette"]
    return table[["layer", "label", "components", "value"]].to_dict("records")


def dataset_of(file, layer: str):
    """The recorded values of a layer in an open activations file: (n, units)."""
    return file[layer]["activation"]


def labels_of(stimuli: str | os.PathLike) -> dict[str, np.ndarray]:
    """The labels of a face set, shape (n,) each."""
    from bench.faces import LABELS
    from facestages.stimuli import read_labels

    table = read_labels(stimuli)[0]
    return {label: table[label].to_numpy() for label in LABELS}


def recorded_layer(bench, n: int) -> Path:
    """Activations of batchnorm_1 for n pictures, made once."""
    from bench.faces import face_set
    from bench.measure import run

    path = bench.folder / f"batchnorm_1-{n}.h5"
    if not path.exists():
        environment = recording_environment(bench.threads)
        run(bench, write_layer, environment, stimuli=face_set(bench, n), out=path)
    return path


def write_layer(stimuli: str, out: str) -> dict:
    """Record batchnorm_1 in a process of its own."""
    record(load_nn1(), stimuli, ["batchnorm_1"], out)
    return {}
