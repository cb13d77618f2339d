"""What the explorer is made from: what the run measures anyway."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from facestages import memory
from facestages.errors import FacestagesError
from facestages.paths import Recording
from facestages.plan import targets

if TYPE_CHECKING:
    from facestages.plan import Plan

#: Measured of every recording that the explorer shows.
_NEEDED = ("geometry", "separability")

#: Shown where a figure, a table or the list of measures has them made.
_OPTIONAL = ("embedding", "decoding", "predictions")


class ExplorerPlan(NamedTuple):
    """How the rule makes the explorer."""

    #: All its input files.
    files: list[str]
    #: Arguments of `explorer.write_explorer`: a mapping for each face set.
    face_sets: list[dict[str, object]]
    components: int | str
    neighbours: int


def is_made(plan: Plan) -> bool:
    """Whether the config asks for the explorer, and a face set and a network are at hand."""
    if plan.config.explore is None:
        return False
    datasets, networks = _names(plan)
    return bool(plan.at_hand("datasets", datasets) and plan.at_hand("networks", networks))


@cache
def plan_explorer(plan: Plan) -> ExplorerPlan:
    """What the explorer shows, and the files that it is made from."""
    datasets, networks = _names(plan)
    datasets = plan.present("datasets", datasets)
    recordings = plan.every_seed(datasets, plan.present("networks", networks))
    made = set(_files_of_figures(plan))
    files, face_sets = [], []
    for dataset in datasets:
        one = _face_set(plan, dataset)
        files += [one["stimuli"], one["labels"], *filter(None, [one["labels_from"]])]
        shown = [recording for recording in recordings if recording.dataset == dataset]
        one["recordings"] = [_recording(plan, recording, made) for recording in shown]
        for entry in one["recordings"]:
            files += [entry[product] for product in (*_NEEDED, *_OPTIONAL) if entry[product]]
        face_sets.append(one)
    components = plan.config.figures.fig4.components
    return ExplorerPlan(files, face_sets, components, plan.config.explore.neighbours)


def megabytes(plan: Plan) -> int:
    """Memory of the job."""
    face_sets = plan_explorer(plan).face_sets
    sizes = [(plan.face_sets.n_measured(f["name"]), len(f["recordings"])) for f in face_sets]
    return memory.explorer(sizes)


def _names(plan: Plan) -> tuple[list[str], list[str]]:
    explore, fig4 = plan.config.explore, plan.config.figures.fig4
    return explore.datasets or fig4.datasets, explore.networks or fig4.networks


def _files_of_figures(plan: Plan) -> Iterable[str]:
    yield from targets.measures(plan)
    for name in plan.drawable:
        if not name.startswith("figures."):
            continue
        # A figure of labels that no face set has is refused where it is asked for.
        with contextlib.suppress(FacestagesError):
            for value in plan.figure(name.split(".")[1]).files.values():
                yield from [value] if isinstance(value, str) else value


def _face_set(plan: Plan, dataset: str) -> dict[str, object]:
    entry, face_sets = plan.config.datasets[dataset], plan.face_sets
    return {
        "name": dataset,
        "label": entry.label,
        "stimuli": face_sets.measured(dataset),
        "labels": face_sets.labels(dataset),
        "labels_from": face_sets.label_predictions(dataset) or "",
        "may_show": entry.may_show,
    }


def _recording(plan: Plan, recording: Recording, made: set[str]) -> dict[str, object]:
    entry = plan.config.networks[recording.network]
    stages: dict[str, list[str]] = {}
    for stage, layer in entry.stages.items():
        stages.setdefault(layer, []).append(stage)
    files = {product: plan.path(product, recording) for product in (*_NEEDED, *_OPTIONAL)}
    return {
        "network": recording.network,
        "label": entry.label,
        "seed": recording.seed,
        "weights": list(plan.networks.weights_in_words(recording.network)),
        "stages": stages,
        "classes": entry.output_classes or [],
        **{
            product: path if product in _NEEDED or path in made else ""
            for product, path in files.items()
        },
    }
