"""What the claims are judged by: tables, and facts about networks and face sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from facestages.plan.sources import SOURCES

if TYPE_CHECKING:
    from facestages.plan import Plan

# Tables that claims are judged by, and the figure or table that they are made for.
_TABLES = {
    "table1": "tables.table1",
    "embedding": "figures.fig3",
    "separability": "figures.fig4",
    "separability_people": "figures.fig4",
    "decoding": "figures.fig4",
    "instances": "figures.fig4",
    "multiverse": "figures.multiverse",
    "affect": "figures.fig5",
    "fig5": "figures.fig5",
    "fig7": "figures.fig7",
    "controls": "figures.controls",
    "partition": "figures.fig8",
    "subspaces": "figures.fig9",
    "subspaces_people": "figures.fig9",
    "attribution": "figures.fig2",
    "reference_layers": "figures.fig10",
    "reference_networks": "figures.fig10",
}

# Readers of the face sets that the paper used.
_OF_PAPER = ("fer2013", "disfa", "kdef")


class ClaimsPlan(NamedTuple):
    """How the claims are judged."""

    #: All tables.
    files: list[str]
    #: Keyword arguments of `claims.judge_claims`.
    world: dict[str, object]


def plan_claims(plan: Plan, drawable: list[str] | None = None) -> ClaimsPlan:
    """What the claims are judged by, where `drawable` can be made: by default `Plan.drawable`."""
    drawable = plan.drawable if drawable is None else drawable
    files = _files(plan, drawable)
    world = {
        "files": files,
        "networks": {name: _network(plan, name) for name in plan.config.networks},
        "datasets": {
            name: {
                "label": entry.label,
                "paper": entry.paper,
                "rendered": SOURCES[entry.source].is_rendered,
                "of_paper": entry.source in _OF_PAPER,
            }
            for name, entry in plan.config.datasets.items()
        },
        "absent": _lines(plan, drawable),
    }
    return ClaimsPlan([path for paths in files.values() for path in paths], world)


def _files(plan: Plan, drawable: list[str]) -> dict[str, list[str]]:
    """The files of each table that can be made."""
    files: dict[str, list[str]] = {name: [] for name in _TABLES}
    if "tables.table1" in drawable:
        files["table1"].append(plan.path("table", table="table1"))
    for name in ("fig5", "fig7", "controls"):
        if f"figures.{name}" in drawable:
            files[name].append(plan.path("figure_numbers", figure=name))
    if "figures.fig2" in drawable:
        fig2 = plan.config.figures.fig2
        every = plan.every_seed([fig2.dataset], [fig2.network])
        files["embedding"] += plan.paths("embedding_scores", every)
        files["attribution"] += plan.paths("attribution_shares", plan.attributions())
    scored = []
    if "figures.fig3" in drawable:
        fig3 = plan.config.figures.fig3
        networks = plan.present("networks", dict.fromkeys(fig3.roles.values()))
        scored += plan.every_seed([fig3.dataset], networks)
        files["embedding"] += plan.paths("embedding_scores", scored)
    if "figures.fig4" in drawable:
        for dataset in plan.present("datasets", plan.config.figures.fig4.datasets):
            scored += plan.compared(dataset)
            files["decoding"] += plan.paths("decoding", plan.compared(dataset))
        files["instances"] += plan.instances()
    if "figures.fig9" in drawable:
        fig9, contrasts = plan.config.figures.fig9, plan.recordings.contrasts()
        networks = plan.present("networks", fig9.networks)
        scored += plan.every_seed(plan.present("datasets", fig9.datasets), networks)
        for product in ("subspaces", "subspaces_people"):
            files[product] += plan.paths(product, contrasts)
    for product in ("separability", "separability_people"):
        files[product] += plan.paths(product, dict.fromkeys(scored))
    if "figures.fig10" in drawable:
        files["reference_layers"] += plan.figure("fig10").files["layers"]
        files["reference_networks"] += plan.figure("fig10").files["differences"]
    if "figures.multiverse" in drawable:
        files["multiverse"] += plan.figure("multiverse").files["choices"]
    if "figures.fig5" in drawable:
        files["affect"] += plan.figure("fig5").files["regressions"]
    if "figures.fig8" in drawable:
        files["partition"] += plan.figure("fig8").files["shares"]
    return {name: list(dict.fromkeys(paths)) for name, paths in files.items()}


def _network(plan: Plan, name: str) -> dict[str, object]:
    entry, figures = plan.config.networks[name], plan.config.figures
    kinds, task = [], plan.networks.task(name)
    if plan.answers(name) and task in (None, ("expression",)):
        kinds = ["expressions", *(f"names {expression}" for expression in entry.output_classes)]
    if task:
        kinds.append(f"trained on {plan.networks.task_in_words(name)}")
        kinds += ["trained on faces"] if {"identity", "expression"} >= set(task) else []
    kinds += [entry.kind] if entry.kind != "trained" else []
    kinds += ["figure4"] if name in figures.fig4.networks else []
    roles = figures.fig3.roles if figures.fig3 else {}
    return {
        "label": entry.label,
        "paper": entry.paper,
        "kinds": kinds,
        "roles": [role for role, network in roles.items() if network == name],
    }


def _lines(plan: Plan, drawable: list[str]) -> dict[str, str]:
    """Lines that say why a table, or a network or face set of the paper, is missing."""
    lines = {}
    for table, source in _TABLES.items():
        if source not in drawable:
            in_config = source in plan.config.uses
            reason = "cannot be drawn here" if in_config else "is not in the config"
            lines[table] = f"{source} {reason}"
    config = plan.config
    for section, entries in (("networks", config.networks), ("datasets", config.datasets)):
        for name, line in plan.left_out(section, entries).items():
            if entries[name].paper:
                lines.setdefault(entries[name].paper, line)
    return lines
