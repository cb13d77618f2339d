"""All numbers of Figure 4 for one network and two face sets, against a plain script.

Ours is what the workflow's jobs do with `activations: discard`, each in a process of its own whose
start counts: accumulate Gram matrices, measure the geometry, score. The plain script is one
process. Both have the weights and the face sets as files. A number is the silhouette of a label in
some principal components of a stage, or in all of its dimensions.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from bench import calls
from bench.faces import face_set
from bench.measure import Bench, Measurement, Outcome, measurement, run, timed

PART = "figure 4"
COMPONENTS = (*calls.COMPONENTS, "all")


def measure(bench: Bench) -> Iterator[Measurement | Outcome]:
    """All rows of this part."""
    sets, units = bench.sizes.figure4, sum(calls.UNITS.values())
    stimuli = [face_set(bench, n) for n in sets]
    jobs, scores = [], {0: [], bench.sizes.permutations: []}
    for n, faces in zip(sets, stimuli, strict=True):
        recorded, geometry = (bench.folder / f"{step}-{n}.h5" for step in ("recorded", "geometry"))
        environment = calls.recording_environment(bench.threads)
        jobs.append(_job(bench, accumulate, environment, stimuli=faces, out=recorded))
        yield measurement(PART, "ours: Gram matrices", n, units, jobs[-1], "start-up included")
        jobs.append(_job(bench, geometry_of, recorded=recorded, stimuli=faces, out=geometry))
        yield measurement(PART, "ours: components", n, units, jobs[-1], "start-up included")
        recorded.unlink(missing_ok=True)
        for permutations, done in scores.items():
            arguments = {"geometry": geometry, "stimuli": faces, "permutations": permutations}
            done.append(_job(bench, score, **arguments))
            what = f"ours: silhouettes, {permutations} permutations"
            yield measurement(PART, what, n, units, done[-1], "start-up included")
        geometry.unlink()
    ours, permuted = (_together([*jobs, *done]) for done in scores.values())
    theirs = run(bench, plain, stimuli=stimuli)
    theirs["seconds"] = theirs["wall_seconds"]
    n = sum(sets)
    yield measurement(PART, "ours", n, units, ours, "all jobs one after the other")
    spent = ", ".join(f"{what} {seconds:.0f} s" for what, seconds in theirs["spent"].items())
    yield measurement(PART, "plain script", n, units, theirs, spent)
    yield Outcome(PART, "plain script / ours: time", theirs["seconds"] / ours["seconds"], ">= 2")
    yield Outcome(
        PART,
        "plain script / ours: time, its silhouettes in all dimensions left out",
        (theirs["seconds"] - theirs["spent"]["silhouettes in all dimensions"]) / ours["seconds"],
        note="ours has them all the same",
    )
    yield Outcome(
        PART,
        "ours / plain script: peak memory",
        ours["peak_mb"] / theirs["peak_mb"],
        "<= 0.333",
        "the largest job; libraries included in both",
    )
    times = bench.sizes.permutations
    calls_alone = sum(s for what, s in theirs["spent"].items() if what.startswith("silhouettes"))
    yield measurement(PART, f"ours, {times} permutations", n, units, permuted)
    yield Outcome(
        PART,
        f"plain script / ours: time, {times} permutations",
        (theirs["seconds"] + times * calls_alone) / permuted["seconds"],
        note=f"not run: the time of the script's silhouette_score calls, {1 + times} times",
    )
    yield from _differences([job["values"] for job in scores[0]], theirs["values"])


def _job(bench: Bench, function, environment=None, **arguments) -> dict:
    timing = run(bench, function, environment, **arguments)
    return {**timing, "seconds": timing["wall_seconds"]}


def _together(jobs: list[dict]) -> dict:
    """Jobs one after the other: times add up, the largest decides the memory."""
    return {
        "seconds": sum(job["seconds"] for job in jobs),
        **{name: max(job[name] for job in jobs) for name in ("peak_mb", "increase_mb")},
    }


def _differences(ours: list[dict], theirs: list[dict]) -> Iterator[Outcome]:
    """Largest difference of the silhouettes, by number of components."""
    for k in map(str, COMPONENTS):
        off = [
            abs(value - theirs[i][name])
            for i, values in enumerate(ours)
            for name, value in values.items()
            if name.endswith(f"/{k}")
        ]
        where = "all dimensions" if k == "all" else f"{k} components"
        note = "" if k == "all" else "scikit-learn's randomized components are approximate"
        yield Outcome(PART, f"largest difference of silhouettes, {where}", max(off), note=note)


def _name(layer: str, label: str, k: int | str) -> str:
    return f"{layer}/{label}/{k}"


def accumulate(stimuli: str, out: str) -> dict:
    """The job of rule accumulate_gram."""
    network = calls.load_nn1()
    with timed() as timing:
        calls.accumulate(network, stimuli, calls.UNITS, out)
    return timing


def geometry_of(recorded: str, stimuli: str, out: str) -> dict:
    """The job of rule measure_geometry."""
    with timed() as timing:
        calls.measure_geometry(recorded, stimuli, out)
    return timing


def score(geometry: str, stimuli: str, permutations: int) -> dict:
    """The job of rule score_separability."""
    with timed() as timing:
        rows = calls.score_separability(
            geometry, stimuli, calls.STAGES, list(COMPONENTS), permutations
        )
    values = {_name(row["layer"], row["label"], row["components"]): row["value"] for row in rows}
    return {**timing, "values": values}


def plain(stimuli: list[str]) -> dict:
    """The script that a user would write: Keras, then scikit-learn as it comes."""
    import keras
    from sklearn.decomposition import PCA
    from sklearn.metrics import silhouette_score

    spent = dict.fromkeys(
        ("predict", "PCA", "silhouettes in components", "silhouettes in all dimensions"), 0.0
    )

    def clocked(what, function, *arguments):
        begin = time.perf_counter()
        result = function(*arguments)
        spent[what] += time.perf_counter() - begin
        return result

    network, values = calls.load_nn1(), []
    with timed() as timing:
        for faces in stimuli:
            pictures, labels = calls.prepared(faces, network.input), calls.labels_of(faces)
            scored = {}
            for layer in calls.UNITS:
                model = keras.Model(network.model.inputs, network.model.get_layer(layer).output)
                outputs = clocked("predict", lambda m, x: m.predict(x, verbose=0), model, pictures)
                outputs = outputs.reshape(len(outputs), -1)
                pca = PCA(min(max(calls.COMPONENTS), *outputs.shape), random_state=0)
                scores = clocked("PCA", pca.fit_transform, outputs)
                for k in COMPONENTS:
                    where = "all dimensions" if k == "all" else "components"
                    points = outputs if k == "all" else scores[:, :k]
                    for label, groups in labels.items():
                        value = clocked(f"silhouettes in {where}", silhouette_score, points, groups)
                        scored[_name(layer, label, k)] = float(value)
            values.append(scored)
    return {**timing, "spent": spent, "values": values}
