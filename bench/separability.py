"""Silhouettes of labels, by components and permutations, compared with scikit-learn's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench import calls
from bench.faces import LABELS, PEOPLE, face_set
from bench.measure import Bench, Measurement, Outcome, measurement, run, timed

PART = "separability"
LAYER, UNITS = "batchnorm_1", calls.UNITS["batchnorm_1"]


# Number of scikit-learn's calls from which the time of all is extrapolated.
_CALLS = 10


def measure(bench: Bench) -> Iterator[Measurement | Outcome]:
    """All rows of this part."""
    n, permutations = bench.sizes.battery, bench.sizes.battery_permutations
    stimuli, geometry = face_set(bench, n), bench.folder / "battery.h5"
    run(bench, write_geometry, file=calls.recorded_layer(bench, n), stimuli=stimuli, out=geometry)
    arguments = {"geometry": geometry, "stimuli": stimuli, "permutations": permutations}
    battery, ours, theirs = (
        run(bench, each, **arguments) for each in (score_all, permute_ours, permute_sklearn)
    )
    spaces = f"5 measures of {len(LABELS)} labels in {len(calls.COMPONENTS) + 1} spaces"
    note = f"{spaces}, each with {permutations} permutations and an interval over people"
    yield measurement(PART, "score_separability", n, UNITS, battery, note)
    note = f"{permutations} permutations of {PEOPLE} people, 10 components"
    yield measurement(PART, "silhouette_null", n, UNITS, ours, note)
    yield measurement(PART, "scikit-learn silhouette_score", n, UNITS, theirs, f"{_CALLS} calls")
    yield Outcome(PART, "score_separability: seconds", battery["seconds"], "<= 120")
    yield Outcome(PART, "score_separability: peak memory, GB", battery["peak_mb"] / 1000, "<= 2")
    ratio = permutations / _CALLS * theirs["seconds"] / ours["seconds"]
    yield Outcome(
        PART,
        "silhouette_score / silhouette_null: time",
        ratio,
        ">= 30",
        f"{permutations} calls, extrapolated from {_CALLS}",
    )
    difference = np.abs(np.subtract(battery["values"], theirs["values"])).max()
    yield Outcome(PART, "largest difference of silhouettes", float(difference), "<= 1e-6")


def write_geometry(file: str, stimuli: str, out: str) -> dict:
    calls.measure_geometry(file, stimuli, out)
    return {}


def score_all(geometry: str, stimuli: str, permutations: int) -> dict:
    """All measures by the library; raw silhouettes by number of components, then by label."""
    arguments = (geometry, stimuli, {"early": LAYER}, [*calls.COMPONENTS, "all"])
    calls.compile_silhouettes()
    with timed() as timing:
        rows = calls.score_separability(*arguments, permutations)
    values = [row["value"] for row in rows if row["components"] != "all"]
    return {**timing, "values": values}


def permute_ours(geometry: str, stimuli: str, permutations: int) -> dict:
    """Silhouettes of permuted people in ten components, by the library."""
    scores, labels = _scores_and_people(geometry, stimuli)
    calls.compile_silhouettes()
    with timed() as timing:
        calls.silhouettes(scores, labels, permutations)
    return timing


def permute_sklearn(geometry: str, stimuli: str, permutations: int) -> dict:
    """The same by a few calls of `silhouette_score`; and its silhouettes in all spaces."""
    import h5py
    from sklearn.metrics import silhouette_score

    scores, people = _scores_and_people(geometry, stimuli)
    rng = np.random.default_rng(0)
    with timed() as timing:
        for _ in range(_CALLS):
            silhouette_score(scores, rng.permutation(people))
    with h5py.File(geometry, "r") as file:
        scores = file[LAYER]["score"][:]
    labels = calls.labels_of(stimuli)
    spaces = [scores[:, :k] for k in calls.COMPONENTS]
    values = [silhouette_score(space, codes) for space in spaces for codes in labels.values()]
    return {**timing, "values": [float(value) for value in values]}


def _scores_and_people(geometry: str, stimuli: str) -> tuple[np.ndarray, np.ndarray]:
    import h5py

    with h5py.File(geometry, "r") as file:
        return file[LAYER]["score"][:, :10], calls.labels_of(stimuli)["identity"]
