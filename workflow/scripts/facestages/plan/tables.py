"""What Table 1 and the table of Grad-CAM are made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from facestages.assets import RESOURCES

if TYPE_CHECKING:
    from facestages.plan import Plan


class Table1Plan(NamedTuple):
    """How Table 1 is made."""

    #: What the config says of each network, and the files that the table reads further.
    networks: dict[str, dict]
    #: What the config says of each face set, and its files.
    datasets: dict[str, dict]
    #: The face set of the test, and its files; None if there is none, or it is not at hand.
    test: dict | None
    #: Lines that say what the table does without.
    absent: list[str]

    @property
    def files(self) -> list[str]:
        """All files that the table is made from."""
        files = []
        for entry in self.networks.values():
            files += [entry["layers"], *entry["reports"], *entry["predictions"]]
        for entry in [*self.datasets.values(), *filter(None, [self.test])]:
            files += [entry["stimuli"], entry["labels"]]
        return files


def plan_table1(plan: Plan) -> Table1Plan:
    """What Table 1 is made from.

    Raises
    ------
    FacestagesError
        If the config has no section for it.
    """
    table1 = plan.config.drawing("tables.table1")
    test = None if plan.is_absent("datasets", table1.test) else table1.test
    networks = plan.present("networks", table1.networks)
    uses = table1.uses()
    return Table1Plan(
        {name: _network(plan, name, test) for name in networks},
        {name: _face_set(plan, name) for name in plan.present("datasets", table1.datasets)},
        test
        and {
            "name": test,
            "label": plan.config.datasets[test].label,
            "stimuli": plan.face_sets.measured(test),
            "labels": plan.face_sets.labels(test),
        },
        [
            *plan.left_out("networks", uses.networks).values(),
            *plan.left_out("datasets", uses.datasets).values(),
        ],
    )


def _network(plan: Plan, name: str, test: str | None) -> dict[str, object]:
    entry = plan.config.networks[name]
    asset = plan.manifest.get(plan.networks.asset(name), {})
    reports, predictions = [], []
    if entry.weights == "train" and entry.output_classes:
        reports = [plan.path("metrics", network=name, seed=seed) for seed in entry.seeds]
    elif "metrics" in asset:
        names = (asset["metrics"].replace("{seed}", str(seed)) for seed in entry.seeds)
        reports = [str(RESOURCES / name) for name in dict.fromkeys(names)]
    if test and entry.output_classes and entry.weights != "train":
        predictions = plan.paths("predictions", plan.every_seed([test], [name]))
    weights, trained_on = plan.networks.weights_in_words(name)
    return {
        "label": entry.label,
        "classes": entry.output_classes,
        "seeds": entry.seeds,
        "paper": entry.paper,
        "weights": weights,
        "trained_on": trained_on,
        "layers": plan.path("layers", network=name),
        "reports": reports,
        "predictions": predictions,
    }


def _face_set(plan: Plan, name: str) -> dict[str, object]:
    entry = plan.config.datasets[name]
    files = {"stimuli": plan.face_sets.described(name), "labels": plan.face_sets.labels(name)}
    return {"label": entry.label, "paper": entry.paper, **files}


def gradcam_files(plan: Plan) -> list[str]:
    """Tables of where networks look, one for each of `Plan.attributions`."""
    plan.figure("fig2")
    return plan.paths("attribution_shares", plan.attributions())


def gradcam_labels(plan: Plan) -> dict[str, str]:
    """Names in figures of those networks."""
    return plan.labels("networks", [one.network for one in plan.attributions()])
