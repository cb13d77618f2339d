"""What each figure is made from: its files, and what its drawing is told beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from facestages.paths import Recording
from facestages.plan.labels import require_labels

if TYPE_CHECKING:
    from facestages.config.figures import Study4Figure
    from facestages.plan import Plan


class FigurePlan(NamedTuple):
    """How a rule makes a figure."""

    #: Named inputs of the rule.
    files: dict[str, str | list[str]]
    #: Further keyword arguments of the figure's ``draw``.
    settings: dict[str, object]


def plan_figure(plan: Plan, name: str) -> FigurePlan:
    """What a figure is made from; `name` is a key of the config's section ``figures``.

    Raises
    ------
    FacestagesError
        If the config has no section for it, or its face sets have none of the labels it shows.
    """
    figure = plan.config.drawing(f"figures.{name}")
    require_labels(plan, f"figures.{name}", figure)
    return _FIGURES[name](plan, figure)


def answering(plan: Plan) -> list[Recording]:
    """Instances whose predictions Figures 7 and 8 show."""
    figures, recordings = plan.config.figures, []
    if figures.fig7:
        recordings += [
            plan.first(figures.fig7.dataset, name)
            for name in plan.present("networks", figures.fig7.networks)
            if plan.config.networks[name].output_classes
        ]
    if figures.fig8:
        names = plan.present("networks", figures.fig8.networks)
        recordings += [
            plan.first(figures.fig8.dataset, name) for name in names if plan.answers(name)
        ]
    return recordings


def _fig1(plan: Plan, fig1) -> FigurePlan:
    label = plan.config.networks[fig1.network].short_label
    return FigurePlan({"layers": [plan.path("layers", network=fig1.network)]}, {"label": label})


def _fig2(plan: Plan, fig2) -> FigurePlan:
    """Maps, strips of faces and Grad-CAM of one network."""
    entry = plan.config.networks[fig2.network]
    one = plan.first(fig2.dataset, fig2.network)
    return FigurePlan(
        {
            "embedding": plan.path("embedding", one),
            "scores": _map_scores(plan, [one]),
            **_face_set(plan, fig2.dataset),
            "labels_from": plan.face_sets.label_predictions(fig2.dataset),
            # Pixels have no layers that Grad-CAM could trace back to them.
            "attribution": plan.path("attribution", one) if entry.framework != "numpy" else [],
        },
        {
            "network": entry.short_label,
            "dataset": plan.config.datasets[fig2.dataset].short_label,
            "layers": entry.stages,
            "stages": fig2.stages,
            "gradcam": entry.gradcam,
            "expressions": fig2.expressions,
            "faces": fig2.faces,
            "may_show": plan.config.datasets[fig2.dataset].may_show,
        },
    )


def _face_set(plan: Plan, dataset: str) -> dict[str, str]:
    """The files of a face set."""
    face_sets = plan.face_sets
    return {"stimuli": face_sets.measured(dataset), "labels": face_sets.labels(dataset)}


def _map_scores(plan: Plan, recordings: Iterable[Recording]) -> list[str]:
    """Silhouettes in the layers' spaces, and on the maps."""
    products = ("separability", "embedding_scores")
    return [plan.path(product, one) for one in recordings for product in products]


def _fig3(plan: Plan, fig3) -> FigurePlan:
    """People in pixels and in other networks."""
    roles = fig3.roles
    shown = (("pixels", "umap"), ("pixels", "pca"), ("untrained", "umap"), ("objects", "umap"))
    panels = [_fig3_panel(plan, fig3.dataset, roles[role], space) for role, space in shown]
    names = list(dict.fromkeys(roles.values()))
    lines = plan.left_out("networks", names)
    every = plan.every_seed([fig3.dataset], plan.present("networks", names))
    return FigurePlan(
        {
            "needed": [panel["file"] for panel in panels if panel["network"] not in lines],
            "scores": _map_scores(plan, every),
            **_face_set(plan, fig3.dataset),
        },
        {
            "panels": panels,
            "dataset": plan.config.datasets[fig3.dataset].short_label,
            "absent": lines,
        },
    )


def _fig3_panel(plan: Plan, dataset: str, network: str, space: str) -> dict[str, object]:
    entry = plan.config.networks[network]
    product = {"umap": "embedding", "pca": "geometry"}[space]
    return {
        "network": network,
        "title": entry.short_label,
        "stage": plan.networks.mapped_stage(network),
        "layer": entry.stages[plan.networks.mapped_stage(network)],
        "space": space,
        "file": plan.path(product, plan.first(dataset, network)),
    }


def _fig4(plan: Plan, fig4) -> FigurePlan:
    """Silhouettes by stage."""
    names = _several_face_sets(plan, fig4)
    networks = names["networks"]
    return FigurePlan(
        {
            "scores": plan.paths("separability", plan.every_seed(names["datasets"], networks)),
            # Whoever looks at the figure of faces of their own looks at these faces first.
            "needed": [
                plan.path("contact_sheet", dataset=dataset)
                for dataset in names["datasets"]
                if plan.face_sets.is_handed_in(dataset)
            ],
        },
        {
            **names,
            "looks": plan.looks(networks),
            "tasks": {name: plan.networks.task_in_words(name) for name in networks},
            "pretrained": {
                name: plan.networks.weights_in_words(name)[0]
                for name in networks
                if plan.config.networks[name].weights == "pretrained"
            },
            **fig4.model_dump(exclude={"datasets", "networks"}),
        },
    )


def _several_face_sets(plan: Plan, figure) -> dict[str, dict[str, str] | list[str]]:
    """Names of the face sets and networks that are at hand, and what is left out."""
    return {
        "datasets": plan.labels("datasets", plan.present("datasets", figure.datasets)),
        "networks": plan.labels("networks", plan.present("networks", figure.networks)),
        "absent": [
            *plan.left_out("datasets", figure.datasets).values(),
            *plan.left_out("networks", figure.networks).values(),
        ],
    }


def _fig5(plan: Plan, fig5) -> FigurePlan:
    """Principal components and affect."""
    files, settings = _study4(plan, fig5)
    every = plan.every_seed([fig5.dataset], plan.present("networks", fig5.networks))
    ratings = fig5.named("ratings")
    lines = plan.left_out("ratings", ratings)
    tables = (plan.path("ratings", ratings=name) for name in ratings if name not in lines)
    files |= {"regressions": plan.paths("affect", every), "ratings": _only(tables)}
    no_ratings = "the config names no human ratings (figures.fig5.ratings)"
    settings |= {
        "ratings_label": (fig5.ratings or "").upper(),
        "no_ratings": "" if files["ratings"] else "".join(lines.values()) or no_ratings,
    }
    return FigurePlan(files, settings)


def _fig6(plan: Plan, fig6) -> FigurePlan:
    """Faces along components and affect."""
    files, settings = _study4(plan, fig6)
    may_show = plan.config.datasets[fig6.dataset].may_show
    return FigurePlan(files, {**settings, "count": fig6.faces, "may_show": may_show})


def _fig7(plan: Plan, fig7) -> FigurePlan:
    """Right and wrong answers in the space."""
    files, settings = _study4(plan, fig7)
    networks = settings["networks"]
    for name, network in networks.items():
        if network["classes"]:
            network["predictions"] = plan.path("predictions", plan.first(fig7.dataset, name))
            files["needed"].append(network["predictions"])
    files["labels_from"] = plan.face_sets.label_predictions(fig7.dataset)
    for name in ("no_reference", "reference_label"):
        settings.pop(name)
    return FigurePlan(files, {**settings, "looks": plan.looks(networks)})


def _study4(plan: Plan, figure: Study4Figure) -> tuple[dict, dict]:
    """Files and settings that Figures 5 to 7 share."""
    networks = {
        name: _study4_network(plan, name, figure.dataset, figure.stage)
        for name in plan.present("networks", figure.networks)
    }
    lines = plan.left_out("networks", figure.networks)
    references = figure.named("reference")
    no_reference = plan.left_out("networks", references)
    predictions = (
        plan.path("predictions", plan.first(figure.dataset, name))
        for name in references
        if name not in no_reference
    )
    files = {
        **_face_set(plan, figure.dataset),
        "needed": [network["geometry"] for network in networks.values()],
        "predictions": _only(predictions),
    }
    return files, {
        "networks": networks,
        "dataset": plan.config.datasets[figure.dataset].short_label,
        "absent": {plan.config.networks[name].short_label: line for name, line in lines.items()},
        "reference_label": "".join(plan.labels("networks", references).values()),
        "no_reference": "".join(no_reference.values()),
    }


def _study4_network(plan: Plan, name: str, dataset: str, stage: str) -> dict[str, object]:
    """What a figure of Study 4 shows of one network: its first seed."""
    entry, one = plan.config.networks[name], plan.first(dataset, name)
    return {
        "label": entry.short_label,
        "stage": stage,
        "layer": entry.stages.get(stage, ""),
        "classes": entry.output_classes or [],
        "geometry": plan.path("geometry", one),
    }


def _fig8(plan: Plan, fig8) -> FigurePlan:
    """Identity, affect and category by layer."""
    networks = plan.present("networks", fig8.networks)
    return FigurePlan(
        {
            "shares": plan.paths("partition", plan.every_seed([fig8.dataset], networks)),
            **_face_set(plan, fig8.dataset),
            "predictions": [
                plan.path("predictions", plan.first(fig8.dataset, name))
                for name in networks
                if plan.answers(name)
            ],
            "labels_from": plan.face_sets.label_predictions(fig8.dataset),
        },
        {**_one_face_set(plan, fig8, networks), "components": fig8.components},
    )


def _fig9(plan: Plan, fig9) -> FigurePlan:
    """Identity beside expression, by what networks were trained to tell."""
    names = _several_face_sets(plan, fig9)
    networks = names["networks"]
    return FigurePlan(
        {
            "scores": plan.paths("separability", plan.every_seed(names["datasets"], networks)),
            "subspaces": plan.paths("subspaces", plan.recordings.contrasts()),
        },
        {
            **names,
            "tasks": {name: plan.networks.task_in_words(name) for name in networks},
            **fig9.model_dump(include={"stages", "components"}),
        },
    )


def _fig10(plan: Plan, fig10) -> FigurePlan:
    """Layers beside people's judgements and recordings of brains."""
    networks = plan.present("networks", fig10.networks)
    references = plan.present("references", fig10.references)
    entries = plan.config.references
    return FigurePlan(
        {
            "layers": plan.references.compared(references, networks),
            "raters": plan.references.paths("reference_raters", references),
            "differences": plan.references.paths("reference_networks", references),
        },
        {
            **_one_face_set(plan, fig10, networks),
            "looks": plan.looks(networks),
            "references": {
                name: {"label": entries[name].label, "cite": entries[name].cite}
                for name in references
            },
            "absent": [
                *plan.left_out("networks", fig10.networks).values(),
                *plan.left_out("references", fig10.references).values(),
            ],
        },
    )


def _one_face_set(plan: Plan, figure, networks: Sequence[str]) -> dict[str, object]:
    """Names of the face set and networks, and what is left out."""
    return {
        "dataset": plan.config.datasets[figure.dataset].short_label,
        "networks": plan.labels("networks", networks),
        "absent": list(plan.left_out("networks", figure.networks).values()),
    }


def _layers(plan: Plan, layers) -> FigurePlan:
    """Curves over layers."""
    networks = plan.present("networks", layers.networks)
    every = plan.every_seed([layers.dataset], networks)
    return FigurePlan(
        {product: plan.paths(product, every) for product in ("separability", "decoding", "rsa")},
        {
            **_one_face_set(plan, layers, networks),
            "components": layers.components,
            "measure": layers.measure,
        },
    )


def _multiverse(plan: Plan, multiverse) -> FigurePlan:
    """Changes between layers by every choice of measure."""
    names = _several_face_sets(plan, multiverse)
    return FigurePlan(
        {"choices": [plan.path("multiverse", dataset=dataset) for dataset in names["datasets"]]},
        {**names, "components": plan.config.figures.fig4.components},
    )


def _cka(plan: Plan, cka) -> FigurePlan:
    """Similarity of layers."""
    return FigurePlan(
        {"similarities": [plan.path("cka", dataset=cka.dataset)]},
        _one_face_set(plan, cka, plan.present("networks", cka.networks)),
    )


def _controls(plan: Plan, controls) -> FigurePlan:
    """The draft's conjectures."""
    fig4, entries = plan.config.figures.fig4, plan.config.datasets
    datasets = plan.present("datasets", controls.datasets)
    pixels = plan.present("networks", controls.networks)
    networks = plan.compared_networks()
    two = [controls.many, controls.few]
    lacking = plan.left_out("datasets", dict.fromkeys([*controls.datasets, *two]))
    asked = dict.fromkeys([*controls.networks, *fig4.networks])
    of_both = plan.every_seed([name for name in two if name not in lacking], networks)
    every = dict.fromkeys([*plan.every_seed(datasets, pixels), *of_both])
    return FigurePlan(
        {
            "scores": plan.paths("separability", every),
            "subsamples": plan.paths("subsamples", of_both),
        },
        {
            "conditions": plan.labels("datasets", datasets),
            "pixels": plan.labels("networks", pixels),
            "many": [controls.many, entries[controls.many].short_label],
            "few": [controls.few, entries[controls.few].short_label],
            "networks": plan.labels("networks", networks),
            "looks": plan.looks(networks),
            "components": fig4.components,
            "absent": [*lacking.values(), *plan.left_out("networks", asked).values()],
        },
    )


def _only(files: Iterable[str]) -> str | list[str]:
    """The first file, or an empty list: Snakemake's way to say that a rule has no such input."""
    return next(iter(files), [])


_FIGURES: dict[str, Callable[[Plan, object], FigurePlan]] = {
    "fig1": _fig1,
    "fig2": _fig2,
    "fig3": _fig3,
    "fig4": _fig4,
    "fig5": _fig5,
    "fig6": _fig6,
    "fig7": _fig7,
    "fig8": _fig8,
    "fig9": _fig9,
    "fig10": _fig10,
    "layers": _layers,
    "multiverse": _multiverse,
    "cka": _cka,
    "controls": _controls,
}
