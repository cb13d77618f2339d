"""What each figure and the table of claims are made from: files, and plain words for the drawing.

Snakemake imports this module at the start of every run, so nothing heavy is imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from facestages.config import Config, NetworkEntry

# Tables that claims are judged by, and the figure or table that they are made for.
_CLAIM_TABLES = {
    "table1": "tables.table1",
    "embedding": "figures.fig3",
    "separability": "figures.fig4",
    "decoding": "figures.fig4",
    "instances": "figures.fig4",
    "affect": "figures.fig5",
    "fig5": "figures.fig5",
    "fig7": "figures.fig7",
    "controls": "figures.controls",
    "partition": "figures.fig8",
    "attribution": "figures.fig2",
}


class Plan(NamedTuple):
    """How a rule makes a figure.

    Attributes
    ----------
    files : dict of str to str or list of str
        Named inputs of the rule.
    said : dict
        Keyword arguments of the function that draws.
    """

    files: dict[str, str | list[str]]
    said: dict[str, object]


class Planner:
    """Plans of one config on one machine.

    Parameters
    ----------
    config : Config
    absent : mapping of str to str
        What `doctor.requirements.absent` says is missing.
    sampling_step : callable, optional
        Every how many pictures of a face set are measured; all if not given.
    """

    def __init__(
        self,
        config: Config,
        absent: Mapping[str, str],
        sampling_step: Callable[[str], int] = lambda dataset: 1,
    ) -> None:
        self.config = config
        self.absent = absent
        self.sampling_step = sampling_step

    def fig2(self) -> Plan:
        """Maps, strips of faces and Grad-CAM of one network."""
        fig2 = self.config.figures.fig2
        entry = self.config.networks[fig2.network]
        one = self.first(fig2.dataset, fig2.network)
        return Plan(
            {
                "embedding": self.path("embeddings", one, "h5"),
                "scores": [
                    self.path(product, one, "csv") for product in ("separability", "embeddings")
                ],
                "stimuli": self.stimuli(fig2.dataset),
                # Pixels have nothing that could be traced back to them.
                "attribution": (
                    self.path("attribution", one, "h5") if entry.framework != "numpy" else []
                ),
            },
            {
                "network": entry.label,
                "dataset": self.config.datasets[fig2.dataset].label,
                "layers": entry.stages,
                "stages": fig2.stages,
                "gradcam": entry.gradcam,
                "expressions": fig2.expressions,
                "faces": fig2.faces,
            },
        )

    def fig3(self) -> Plan:
        """People in pixels and in other networks."""
        fig3 = self.config.figures.fig3
        roles = (("pixels", "umap"), ("pixels", "pca"), ("untrained", "umap"), ("objects", "umap"))
        panels = [self._fig3_panel(fig3.dataset, getattr(fig3, role), how) for role, how in roles]
        names = list(dict.fromkeys(getattr(fig3, role) for role, _ in roles))
        lines = self.left_out("networks", names)
        at_hand = [panel for panel in panels if panel["network"] not in lines]
        every = self.every_seed([fig3.dataset], self.present("networks", names))
        return Plan(
            {
                "maps": [panel["file"] for panel in at_hand],
                "scores": [
                    self.path(product, one, "csv")
                    for one in every
                    for product in ("separability", "embeddings")
                ],
                "stimuli": self.stimuli(fig3.dataset),
            },
            {
                "panels": panels,
                "dataset": self.config.datasets[fig3.dataset].label,
                "absent": lines,
            },
        )

    def _fig3_panel(self, dataset: str, network: str, how: str) -> dict[str, object]:
        entry = self.config.networks[network]
        product = {"umap": "embeddings", "pca": "geometry"}[how]
        return {
            "network": network,
            "title": entry.label,
            "layer": entry.stages[self.mapped_stage(network)],
            "space": how,
            "file": self.path(product, self.first(dataset, network), "h5"),
        }

    def mapped_stage(self, network: str) -> str:
        """Stage of a network that Figure 3 maps: the penultimate, or the only one it has."""
        stages = self.config.networks[network].stages
        return "penultimate" if "penultimate" in stages else list(stages)[-1]

    def mapped_stages(self, network: str) -> list[str] | None:
        """Stages of a network that a figure maps; None, for all, if no figure does."""
        fig2, fig3 = self.config.figures.fig2, self.config.figures.fig3
        wanted = list(fig2.stages) if fig2 and network == fig2.network else []
        if fig3 and network in (fig3.pixels, fig3.untrained, fig3.objects):
            wanted.append(self.mapped_stage(network))
        return list(dict.fromkeys(wanted)) or None

    def fig4(self) -> Plan:
        """Silhouettes by stage."""
        fig4 = self.config.figures.fig4
        datasets = self.present("datasets", fig4.datasets)
        networks = self.present("networks", fig4.networks)
        every = self.every_seed(datasets, networks)
        return Plan(
            {"scores": [self.path("separability", one, "csv") for one in every]},
            {
                "datasets": {name: self.config.datasets[name].label for name in datasets},
                "networks": {name: self.config.networks[name].label for name in networks},
                "looks": self.looks(networks),
                "absent": [
                    *self.left_out("datasets", fig4.datasets).values(),
                    *self.left_out("networks", fig4.networks).values(),
                ],
                **fig4.model_dump(exclude={"datasets", "networks"}),
            },
        )

    def fig5(self) -> Plan:
        """Principal components and affect."""
        fig5 = self.config.figures.fig5
        plan = self._study4(fig5)
        every = self.every_seed([fig5.dataset], self.present("networks", fig5.networks))
        plan.files["regressions"] = [self.path("affect", one, "csv") for one in every]
        ratings = [*filter(None, [fig5.ratings])]
        lines = self.left_out("ratings", ratings)
        plan.files["ratings"] = _one_of(
            f"{self.config.results}/ratings/{name}.csv" for name in ratings if name not in lines
        )
        no_ratings = "the config names no human ratings (figures.fig5.ratings)"
        return Plan(
            plan.files,
            {
                **plan.said,
                "ratings_label": (fig5.ratings or "").upper(),
                "no_ratings": ""
                if plan.files["ratings"]
                else "".join(lines.values()) or no_ratings,
            },
        )

    def fig6(self) -> Plan:
        """Faces along components and affect."""
        plan = self._study4(self.config.figures.fig6)
        return Plan(plan.files, {**plan.said, "count": self.config.figures.fig6.faces})

    def fig7(self) -> Plan:
        """Right and wrong answers in the space."""
        fig7 = self.config.figures.fig7
        plan = self._study4(fig7)
        networks = plan.said["networks"]
        plan.files["answers"] = [
            network["predictions"] for network in networks.values() if network["classes"]
        ]
        plan.files["labels"] = self.label_predictions(fig7.dataset)
        about_reference = ("no_reference", "reference_label")
        said = {key: value for key, value in plan.said.items() if key not in about_reference}
        return Plan(plan.files, {**said, "looks": self.looks(networks)})

    def fig8(self) -> Plan:
        """Identity, affect and category by layer."""
        fig8 = self.config.figures.fig8
        networks = self.present("networks", fig8.networks)
        every = self.every_seed([fig8.dataset], networks)
        answering = [name for name in networks if self.answers(name)]
        return Plan(
            {
                "shares": [self.path("partition", one, "csv") for one in every],
                "stimuli": self.stimuli(fig8.dataset),
                "predictions": [
                    self.path("predictions", self.first(fig8.dataset, name), "csv")
                    for name in answering
                ],
                "labels": self.label_predictions(fig8.dataset),
            },
            {
                "dataset": self.config.datasets[fig8.dataset].label,
                "networks": {name: self.config.networks[name].label for name in networks},
                "components": fig8.components,
                "absent": list(self.left_out("networks", fig8.networks).values()),
            },
        )

    def layers(self) -> Plan:
        """Curves over layers."""
        layers = self.config.figures.layers
        networks = self.present("networks", layers.networks)
        every = self.every_seed([layers.dataset], networks)
        return Plan(
            {
                product: [self.path(product, one, "csv") for one in every]
                for product in ("separability", "decoding", "rsa")
            },
            {
                "dataset": self.config.datasets[layers.dataset].label,
                "networks": {name: self.config.networks[name].label for name in networks},
                "components": layers.components,
                "measure": layers.measure,
                "absent": list(self.left_out("networks", layers.networks).values()),
            },
        )

    def cka(self) -> Plan:
        """Similarity of layers."""
        cka = self.config.figures.cka
        networks = self.present("networks", cka.networks)
        return Plan(
            {"similarities": f"{self.config.results}/cka/{cka.dataset}.csv"},
            {
                "dataset": self.config.datasets[cka.dataset].label,
                "networks": {name: self.config.networks[name].label for name in networks},
                "absent": list(self.left_out("networks", cka.networks).values()),
            },
        )

    def controls(self) -> Plan:
        """The draft's conjectures."""
        controls, entries = self.config.figures.controls, self.config.datasets
        asked = dict.fromkeys([*controls.networks, *self.config.figures.fig4.networks])
        datasets = self.present("datasets", controls.datasets)
        pixels = self.present("networks", controls.networks)
        networks = self._fig4_networks()
        two = [controls.many, controls.few]
        lacking = self.left_out("datasets", dict.fromkeys([*controls.datasets, *two]))
        every = [
            *self.every_seed(datasets, pixels),
            *self.every_seed([name for name in two if name not in lacking], networks),
        ]
        return Plan(
            {"scores": [self.path("separability", one, "csv") for one in dict.fromkeys(every)]},
            {
                "conditions": {name: entries[name].label for name in datasets},
                "pixels": {name: self.config.networks[name].label for name in pixels},
                "many": [controls.many, entries[controls.many].label],
                "few": [controls.few, entries[controls.few].label],
                "networks": {name: self.config.networks[name].label for name in networks},
                "looks": self.looks(networks),
                "components": self.config.figures.fig4.components,
                "absent": [
                    *lacking.values(),
                    *self.left_out("networks", asked).values(),
                ],
            },
        )

    def attributions(self) -> list[str]:
        """Where networks look: those of Figures 2 and 4, on the face set of Figure 2."""
        fig2, fig4 = self.config.figures.fig2, self.config.figures.fig4
        if fig2 is None:
            return []
        names = self.present("networks", dict.fromkeys([fig2.network, *fig4.networks]))
        entries = self.config.networks
        return [
            self.first(fig2.dataset, name) for name in names if entries[name].framework != "numpy"
        ]

    def claims(self, drawable: Iterable[str]) -> Plan:
        """The tables that claims are judged by.

        Parameters
        ----------
        drawable : iterable of str
            ``figures.NAME`` and ``tables.NAME`` of what can be made.
        """
        drawable, results = set(drawable), self.config.results
        files: dict[str, list[str]] = {name: [] for name in _CLAIM_TABLES}
        if "tables.table1" in drawable:
            files["table1"].append(f"{results}/tables/table1.csv")
        for name in ("fig5", "fig7", "controls"):
            if f"figures.{name}" in drawable:
                files[name].append(f"{results}/figures/{name}.csv")
        if "figures.fig2" in drawable:
            fig2 = self.config.figures.fig2
            every = self.every_seed([fig2.dataset], [fig2.network])
            files["embedding"] += [self.path("embeddings", one, "csv") for one in every]
            files["attribution"] += [
                self.path("attribution", one, "csv") for one in self.attributions()
            ]
        if "figures.fig3" in drawable:
            scores = self.fig3().files["scores"]
            files["separability"] += [path for path in scores if "/separability/" in path]
            files["embedding"] += [path for path in scores if "/embeddings/" in path]
        if "figures.fig4" in drawable:
            files["separability"] += self.fig4().files["scores"]
            for dataset in self.present("datasets", self.config.figures.fig4.datasets):
                files["decoding"] += [
                    self.path("decoding", one, "csv") for one in self.compared(dataset)
                ]
            files["instances"] += self.instances()
        if "figures.fig5" in drawable:
            files["affect"] += self.fig5().files["regressions"]
        if "figures.fig8" in drawable:
            files["partition"] += self.fig8().files["shares"]
        files = {name: list(dict.fromkeys(paths)) for name, paths in files.items()}
        return Plan(
            files,
            {
                "files": files,
                "networks": {name: self._claim_network(name) for name in self.config.networks},
                "datasets": {
                    name: {
                        "label": entry.label,
                        "paper": entry.paper,
                        "rendered": entry.source == "rendered",
                    }
                    for name, entry in self.config.datasets.items()
                },
                "absent": self._claim_lines(drawable),
            },
        )

    def _claim_network(self, name: str) -> dict[str, object]:
        entry, figures = self.config.networks[name], self.config.figures
        kinds = ["expressions"] if self.answers(name) else []
        kinds += [entry.kind] if entry.kind != "trained" else []
        kinds += ["figure4"] if name in figures.fig4.networks else []
        roles = ("pixels", "untrained", "objects") if figures.fig3 else ()
        return {
            "label": entry.label,
            "paper": entry.paper,
            "kinds": kinds,
            "roles": [role for role in roles if getattr(figures.fig3, role) == name],
        }

    def _claim_lines(self, drawable: set[str]) -> dict[str, str]:
        """Why a table, or a network or face set of the paper, is not there."""
        lines = {}
        for table, source in _CLAIM_TABLES.items():
            if source not in drawable:
                known = source in self.config.uses
                lacks = "cannot be drawn here" if known else "is not in the config"
                lines[table] = f"{source} {lacks}"
        for section in ("networks", "datasets"):
            entries = getattr(self.config, section)
            for name, line in self.left_out(section, entries).items():
                if entries[name].paper:
                    lines.setdefault(entries[name].paper, line)
        return lines

    def _study4(self, figure) -> Plan:
        """What Figures 5 to 7 have in common."""
        names = self.present("networks", figure.networks)
        networks = {name: self._network(name, figure.dataset, figure.stage) for name in names}
        lines = self.left_out("networks", figure.networks)
        labels = {self.config.networks[name].label: line for name, line in lines.items()}
        reference = [*filter(None, [figure.reference])]
        no_reference = self.left_out("networks", reference)
        return Plan(
            {
                "stimuli": self.stimuli(figure.dataset),
                "geometry": [network["geometry"] for network in networks.values()],
                "predictions": _one_of(
                    self.path("predictions", self.first(figure.dataset, name), "csv")
                    for name in reference
                    if name not in no_reference
                ),
            },
            {
                "networks": networks,
                "dataset": self.config.datasets[figure.dataset].label,
                "absent": labels,
                "reference_label": "".join(self.config.networks[name].label for name in reference),
                "no_reference": "".join(no_reference.values()),
            },
        )

    def _network(self, name: str, dataset: str, stage: str) -> dict[str, object]:
        """What a figure of Study 4 says of one network, the first seed of it."""
        entry, one = self.config.networks[name], self.first(dataset, name)
        return {
            "label": entry.label,
            "stage": stage,
            "layer": entry.stages.get(stage, ""),
            "classes": entry.output_classes or [],
            "geometry": self.path("geometry", one, "h5"),
            "predictions": self.path("predictions", one, "csv"),
        }

    # ------------------------------------------------------------------------------------ look-ups

    def present(self, section: str, names: Iterable[str]) -> list[str]:
        """Those of these face sets or networks that are at hand.

        All of them if none is, so that whoever asks for what needs them is told what is missing.
        """
        names = list(names)
        return [name for name in names if f"{section}.{name}" not in self.absent] or names

    def left_out(self, section: str, names: Iterable[str]) -> dict[str, str]:
        """For those of these that are not at hand, the line that says why."""
        lines = {name: self.absent.get(f"{section}.{name}") for name in names}
        return {name: line for name, line in lines.items() if line}

    def looks(self, networks: Iterable[str]) -> dict[str, int | str]:
        """Number of each network among the trained ones of the config, and the kind of a control,
        so that it has the same colour in all figures."""
        kinds = {name: entry.kind for name, entry in self.config.networks.items()}
        trained = [name for name, kind in kinds.items() if kind == "trained"]
        return {name: trained.index(name) if name in trained else kinds[name] for name in networks}

    def answers(self, network: str) -> bool:
        """Whether a network's output are expressions that it was trained to name."""
        entry = self.config.networks[network]
        return bool(entry.output_classes) and entry.kind == "trained"

    def first(self, dataset: str, network: str) -> str:
        """Face set, network and its first seed, as part of a path."""
        return f"{dataset}/{network}/seed-{self.config.networks[network].seeds[0]}"

    def every_seed(self, datasets: Sequence[str], networks: Sequence[str]) -> list[str]:
        """As `first`, of every seed of these networks on these face sets."""
        return [
            f"{dataset}/{network}/seed-{seed}"
            for dataset in datasets
            for network in networks
            for seed in self.config.networks[network].seeds
        ]

    def compared(self, dataset: str) -> list[str]:
        """As `every_seed`, of the networks of Figure 4 on one of its face sets."""
        return self.every_seed([dataset], self._fig4_networks())

    def instances(self) -> list[str]:
        """Tables that compare instances of networks, if a network of Figure 4 has several."""
        fig4 = self.config.figures.fig4
        several = any(len(self.config.networks[name].seeds) > 1 for name in self._fig4_networks())
        names = self.present("datasets", fig4.datasets) if several else []
        return [f"{self.config.results}/instances/{name}.csv" for name in names]

    def instances_of(self, dataset: str) -> Plan:
        """Networks whose instances are compared on a face set."""
        names = [
            name
            for name in self._fig4_networks()
            if self.config.networks[name].architecture != "pixels"
        ]
        entries = self.config.networks
        return Plan(
            {
                product: [
                    self.path(product, one, "csv") for one in self.every_seed([dataset], names)
                ]
                for product in ("separability", "decoding")
            },
            {
                name: {"kind": entries[name].kind, "architecture": _architecture(entries[name])}
                for name in names
            },
        )

    def _fig4_networks(self) -> list[str]:
        return self.present("networks", self.config.figures.fig4.networks)

    def recordings(self) -> set[tuple[str, str]]:
        """Face set and network of all that figures want recorded."""
        return {
            (dataset, network)
            for uses in self.config.uses.values()
            for dataset in self.present("datasets", uses.datasets)
            for network in self.present("networks", uses.networks)
        }

    def path(self, product: str, one: str, kind: str) -> str:
        """File of a step, e.g. ``results/geometry/posed/nn2/seed-0.h5``."""
        return f"{self.config.results}/{product}/{one}.{kind}"

    def whole(self, dataset: str) -> str:
        """File of a face set."""
        return f"{self.config.results}/stimuli/{dataset}.h5"

    def stimuli(self, dataset: str) -> str:
        """File of a face set, or of its sample where it is too large to be measured as a whole."""
        if self.sampling_step(dataset) > 1:
            return f"{self.config.results}/stimuli/{dataset}.sample.h5"
        return self.whole(dataset)

    def described(self, dataset: str) -> str:
        """As `stimuli`; all pictures of a face set on which nothing is measured."""
        figures = (uses.datasets for name, uses in self.config.uses.items() if "figures." in name)
        table1 = self.config.tables.table1
        measured = {name for names in figures for name in names} | {table1 and table1.test}
        if dataset in measured or self.config.datasets[dataset].predictors:
            return self.stimuli(dataset)
        return self.whole(dataset)

    def label_predictions(self, dataset: str) -> str | list[str]:
        """Predictions that take the place of a face set's expression label, or nothing."""
        network = self.config.datasets[dataset].expression_from
        return self.path("predictions", self.first(dataset, network), "csv") if network else []


def _architecture(entry: NetworkEntry) -> str:
    """What networks have in common that differ in their weights alone."""
    source = entry.architecture or entry.keras or entry.torch
    return f"{source}, width {entry.width}" if entry.width else source


def _one_of(paths: Iterable[str]) -> str | list[str]:
    """The only path, or nothing, as Snakemake takes an input that may be lacking."""
    return next(iter(paths), [])
