"""Silhouettes of labels, numbers of components and permutations against scikit-learn's calls."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench import calls
from bench.faces import face_set
from bench.measure import Bench, Measurement, Outcome, measurement, run, timed

PART = "separability"
LAYER, UNITS = "batchnorm_1", calls.UNITS["batchnorm_1"]


def measure(bench: Bench) -> Iterator[Measurement | Outcome]:
    """All rows of this part."""
    n, permutations = bench.sizes.battery, bench.sizes.permutations
    stimuli, geometry = face_set(bench, n), bench.folder / "battery.h5"
    run(bench, write_geometry, file=calls.recorded_layer(bench, n), stimuli=stimuli, out=geometry)
    arguments = {"geometry": geometry, "stimuli": stimuli, "permutations": permutations}
    ours, theirs = (run(bench, each, **arguments) for each in (score_ours, score_sklearn))
    count = f"{len(ours['values'])} silhouettes, each with {permutations} permutations"
    note = f"{count}; with intervals over people"
    yield measurement(PART, "score_separability", n, UNITS, ours, note)
    yield measurement(PART, "scikit-learn silhouette_score", n, UNITS, theirs, count)
    ratio = theirs["seconds"] / ours["seconds"]
    yield Outcome(PART, "silhouette_score / score_separability: time", ratio)
    yield Outcome(
        PART,
        "largest difference of silhouettes",
        float(np.abs(np.subtract(ours["values"], theirs["values"])).max()),
    )


def write_geometry(file: str, stimuli: str, out: str) -> dict:
    calls.measure_geometry(file, stimuli, out)
    return {}


def score_ours(geometry: str, stimuli: str, permutations: int) -> dict:
    """All silhouettes by the library, by number of components, then by label."""
    arguments = (geometry, stimuli, {"early": LAYER}, list(calls.COMPONENTS))
    calls.score_separability(*arguments, 0)  # imports
    with timed() as found:
        rows = calls.score_separability(*arguments, permutations)
    return {**found, "values": [row["value"] for row in rows]}


def score_sklearn(geometry: str, stimuli: str, permutations: int) -> dict:
    """The same by `silhouette_score`, a call for each labelling."""
    import h5py
    from sklearn.metrics import silhouette_score

    rng, values = np.random.default_rng(0), []
    labels = calls.labels_of(stimuli)
    with h5py.File(geometry, "r") as file:
        scores = file[LAYER]["score"][:]
    with timed() as found:
        for k in calls.COMPONENTS:
            for groups in labels.values():
                values.append(silhouette_score(scores[:, :k], groups))
                for _ in range(permutations):
                    silhouette_score(scores[:, :k], rng.permutation(groups))
    return {**found, "values": [float(value) for value in values]}
