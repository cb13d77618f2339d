"""What is made of what, from where, whether it can be made, and what it costs.

The rules, the doctor and the claims ask the plan; nothing else decides. Snakemake imports this
package at the start of every run, so nothing heavy is imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, cached_property

from facestages import contents, paths
from facestages.config import Config
from facestages.paths import Recording
from facestages.plan import figures, presence, targets
from facestages.plan.face_sets import FaceSets
from facestages.plan.networks import Networks
from facestages.plan.recordings import Recordings
from facestages.plan.references import References
from facestages.plan.resources import Resources

__all__ = ["Plan"]


class Plan:
    """The plan of one config on one machine.

    `face_sets`, `networks`, `recordings`, `references` and `resources` answer what rules ask about
    face sets, networks, the recordings of one on the other, references, and the cost of jobs. Their
    methods take the wildcards of a job.

    Parameters
    ----------
    config : Config
    manifest : mapping, optional
        Assets, as `assets.read_manifest` gives them.
    absent : mapping of str to str, optional
        For each face set, network, table of ratings and reference that is not at hand
        (``datasets.NAME`` ...): the line that says what is missing. Looked up on this machine if
        not given.
    cores : callable
        Gives the number of cores that the run has; asked when a job is planned, because a report
        or a list of rules is made without any.
    """

    def __init__(
        self,
        config: Config,
        manifest: Mapping[str, Mapping] | None = None,
        *,
        absent: Mapping[str, str] | None = None,
        cores: Callable[[], int] = lambda: 4,
    ) -> None:
        self.config = config
        self.manifest = manifest or {}
        self.cores = cores
        # The disk is looked at once a run.
        self.digest_given = cache(contents.digest_given)
        #: The user's files that are not there, though a result was made from them.
        self.gone: dict[str, presence.GivenPath] = {}
        self.face_sets = FaceSets(self)
        self.networks = Networks(self)
        self.recordings = Recordings(self)
        self.references = References(self)
        self.resources = Resources(self)
        if absent is None:
            absent = presence.find_absent(Plan(config, manifest, absent={}))
        self.absent = absent

    # ------------------------------------------------------------------------- paths and instances

    def path(self, product: str, recording: Recording | None = None, **wildcards: object) -> str:
        """File of a product (`paths.PATTERNS`), e.g. ``results/geometry/posed/nn2/seed-0.h5``."""
        if recording is not None:
            wildcards |= recording._asdict()
        return paths.fill(product, self.config.pathvars, **wildcards)

    def paths(self, product: str, recordings: Iterable[Recording]) -> list[str]:
        """As `path`, of several recordings."""
        return [self.path(product, recording) for recording in recordings]

    def first(self, dataset: str, network: str) -> Recording:
        """The first instance of a network on a face set."""
        return Recording(dataset, network, self.config.networks[network].seeds[0])

    def every_seed(self, datasets: Sequence[str], networks: Sequence[str]) -> list[Recording]:
        """All instances of these networks on these face sets."""
        return [
            Recording(dataset, network, seed)
            for dataset in datasets
            for network in networks
            for seed in self.config.networks[network].seeds
        ]

    def asset_entry(self, asset: str) -> dict[str, object]:
        """What decides an asset's bytes, so that a corrected citation fetches nothing anew."""
        entry = self.manifest[asset]
        deciding = ("source", "file", "bytes", "sha256", "members")
        return {key: entry[key] for key in deciding if key in entry}

    # ----------------------------------------------------------------------------- what is at hand

    def gone_of(self, given: Iterable[Sequence]) -> list[presence.GivenPath]:
        """The files that a param ``given`` names, and that are not there; see `plan.given`."""
        paths = [argument for _, arguments, _ in given for argument in arguments]
        return [item for item in self.gone.values() if item.path in paths]

    def is_absent(self, section: str, name: str | None) -> bool:
        """Whether a face set, network, table of ratings or reference is not at hand."""
        return f"{section}.{name}" in self.absent

    def at_hand(self, section: str, names: Iterable[str]) -> list[str]:
        """Those of these face sets, networks, ratings or references that are at hand."""
        return [name for name in names if not self.is_absent(section, name)]

    def present(self, section: str, names: Iterable[str]) -> list[str]:
        """As `at_hand`; if none is at hand, all of them.

        A target of these then waits for files that are missing, and the run names them.
        """
        names = list(names)
        return self.at_hand(section, names) or names

    def left_out(self, section: str, names: Iterable[str]) -> dict[str, str]:
        """For each of these that is not at hand, the line that says why."""
        return {
            name: self.absent[f"{section}.{name}"]
            for name in names
            if self.is_absent(section, name)
        }

    # ------------------------------------------------------------------------------------- labels

    def labels(self, section: str, names: Iterable[str]) -> dict[str, str]:
        """Names in figures of these face sets or networks."""
        entries = {"datasets": self.config.datasets, "networks": self.config.networks}[section]
        return {name: entries[name].short_label for name in names}

    def looks(self, networks: Iterable[str]) -> dict[str, int | str]:
        """How all figures draw each network: by its number among the trained, or as a control.

        A control has the word for its kind, and a trained network its number in the config.
        """
        kinds = {name: entry.kind for name, entry in self.config.networks.items()}
        trained = [name for name, kind in kinds.items() if kind == "trained"]
        return {name: trained.index(name) if name in trained else kinds[name] for name in networks}

    def answers(self, network: str) -> bool:
        """Whether a network was trained to name expressions."""
        entry, task = self.config.networks[network], self.networks.task(network)
        named = task is None or "expression" in task
        return bool(entry.output_classes) and entry.kind == "trained" and named

    # ----------------------------------------------------------------- figures, claims and targets

    def figure(self, name: str) -> figures.FigurePlan:
        """What a figure is made from; see `plan.figures.plan_figure`."""
        return figures.plan_figure(self, name)

    @cached_property
    def drawable(self) -> list[str]:
        """``figures.NAME`` and ``tables.NAME`` of all that can be made here; see `plan.targets`."""
        return [name for name in self.config.uses if targets.can_be_made(self, name)]

    def compared_networks(self) -> list[str]:
        """Networks of Figure 4 that are at hand: decoding, RSA and CKA are measured on these."""
        return self.present("networks", self.config.figures.fig4.networks)

    def compared(self, dataset: str) -> list[Recording]:
        """All instances of Figure 4's networks on a face set."""
        return self.every_seed([dataset], self.compared_networks())

    def attributions(self) -> list[Recording]:
        """Recordings that Grad-CAM explains: networks of Figures 2 and 4, face set of Figure 2."""
        fig2, fig4 = self.config.figures.fig2, self.config.figures.fig4
        if fig2 is None:
            return []
        names = self.present("networks", dict.fromkeys([fig2.network, *fig4.networks]))
        return [
            self.first(fig2.dataset, name)
            for name in names
            if self.config.networks[name].framework != "numpy"
        ]

    def instances(self) -> list[str]:
        """Tables that compare instances of networks, if a network of Figure 4 has several."""
        names = self.compared_networks()
        several = any(len(self.config.networks[name].seeds) > 1 for name in names)
        datasets = self.present("datasets", self.config.figures.fig4.datasets) if several else []
        return [self.path("instances", dataset=dataset) for dataset in datasets]
