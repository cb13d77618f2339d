"""Recordings of networks on face sets: whole or in shards, and what is measured on them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from facestages import subsets
from facestages.paths import Recording

if TYPE_CHECKING:
    from facestages.plan import Plan


class Recordings:
    """Answers about recordings."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.config = plan.config

    def wanted(self) -> set[tuple[str, str]]:
        """Pairs of face set and network that figures want recorded."""
        return {
            (dataset, network)
            for uses in self.config.uses.values()
            for dataset in self.plan.present("datasets", uses.datasets)
            for network in self.plan.present("networks", uses.networks)
        }

    @cached_property
    def jobs(self) -> int:
        """How many jobs record, all together."""
        return sum(
            self.config.datasets[dataset].shards * len(self.config.networks[network].seeds)
            for dataset, network in self.wanted()
        )

    def shards(self, dataset: str) -> int:
        """Number of shards of a face set."""
        return self.config.datasets[dataset].shards

    def in_shards(self) -> list[str]:
        """Face sets that are recorded shard by shard."""
        return [name for name in self.config.datasets if self.shards(name) > 1]

    def in_one(self) -> list[str]:
        """Face sets that are recorded by one job."""
        return [name for name in self.config.datasets if self.shards(name) == 1]

    def has_shards_of_videos(self, dataset: str) -> bool:
        """Whether a shard is made of its own people's videos alone.

        It is not where a histogram or mask is applied to all frames of the set together.
        """
        crop = self.config.datasets[dataset].framing
        is_joint = bool(crop) and (crop.histogram, crop.mask) != ("none", "none")
        return self.plan.face_sets.kind(dataset).has_videos and not is_joint

    def shard_sources(self, dataset: str, shard: int) -> list[str]:
        """What a shard is taken from: the frames of its people, or all pictures."""
        if not self.has_shards_of_videos(dataset):
            return [self.plan.face_sets.measured(dataset)]
        return [
            self.plan.path("frames", dataset=dataset, subject=subject)
            for subject in self.plan.face_sets.subjects(dataset)
            if subsets.shard_of(subject, self.shards(dataset)) == shard
        ]

    def shards_of_source(self, dataset: str) -> int:
        """Number of shards that the pictures of `shard_sources` fall to."""
        return 1 if self.has_shards_of_videos(dataset) else self.shards(dataset)

    def shard_step(self, dataset: str) -> int:
        """The k for which a shard takes every k-th picture of each person from its sources."""
        if self.has_shards_of_videos(dataset):
            return self.plan.face_sets.sampling_step(dataset)
        return 1

    def activation_shards(self, recording: Recording) -> list[str]:
        """The shards of a recording."""
        numbers = range(self.shards(recording.dataset))
        return [self.plan.path("activations_shard", recording, shard=n) for n in numbers]

    @property
    def are_kept(self) -> bool:
        """Whether full outputs stay on disk."""
        return self.config.analysis.activations == "keep"

    def geometry_sources(self, recording: Recording) -> str | list[str]:
        """What geometry is measured from: activations, or Gram matrices, whole or in blocks."""
        numbers = range(self.shards(recording.dataset))
        if len(numbers) > 1:
            return [
                self.plan.path("grams_block", recording, shard=shard, other=other)
                for shard in numbers
                for other in numbers[shard:]
            ]
        return self.plan.path("activations" if self.are_kept else "grams", recording)

    def joined_activations(self, recording: Recording) -> str | list[str]:
        """The shards joined to one file for the user, where activations are kept."""
        wanted = self.shards(recording.dataset) > 1 and self.are_kept
        return self.plan.path("activations", recording) if wanted else []

    def components_kept(self) -> int:
        """Number of principal components that later steps need; figures show two."""
        return max([2, *(k for k in self.config.analysis.components if k != "all")])

    def permutations(self) -> list[int]:
        """Label permutations for each number of components: fewer where no figure shows it."""
        analysis = self.config.analysis
        shown = {dict(section).get("components") for _, section in self.config.drawings()}
        fewer = min(analysis.chance_permutations, analysis.permutations)
        return [analysis.permutations if k in shown else fewer for k in analysis.components]

    def affect_predictions(self, dataset: str) -> str | list[str]:
        """Predictions that a figure takes valence and arousal from; nothing if none does."""
        figures = self.config.figures
        shown = [
            f for f in (figures.fig5, figures.fig6, figures.fig7) if f and f.dataset == dataset
        ]
        name = shown[0].reference if shown else None
        if name is None or self.plan.is_absent("networks", name):
            return []
        return self.plan.path("predictions", self.plan.first(dataset, name))

    def partition_components(self) -> list[int]:
        """Numbers of principal components whose variance is partitioned."""
        fig8 = self.config.figures.fig8
        return [fig8.components] if fig8 else [10]

    def compared_geometry(self, dataset: str) -> list[str]:
        """Geometry of all networks and seeds that Figure 4 shows on a face set."""
        return self.plan.paths("geometry", self.plan.compared(dataset))

    def instances(self, dataset: str) -> tuple[dict[str, list[str]], dict[str, dict[str, object]]]:
        """Files that the comparison of instances reads; kind and architecture of each network."""
        entries = self.config.networks
        names = [n for n in self.plan.compared_networks() if entries[n].architecture != "pixels"]
        every = self.plan.every_seed([dataset], names)
        files = {
            product: self.plan.paths(product, every) for product in ("separability", "decoding")
        }
        contrasts = [one for one in self.contrasts() if one.dataset == dataset]
        files["subspaces"] = self.plan.paths("subspaces", contrasts)
        return files, {
            name: {"kind": entries[name].kind, **_architecture(entries[name])}
            for name in dict.fromkeys([*names, *(one.network for one in contrasts)])
        }

    def contrasts(self) -> list[Recording]:
        """Instances of Figure 9's networks on those of its face sets that may have both labels."""
        fig9 = self.config.figures.fig9
        if fig9 is None:
            return []
        return self.plan.every_seed(
            [
                name
                for name in self.plan.present("datasets", fig9.datasets)
                if not self.plan.face_sets.lacking(name, fig9.LABELS)
            ],
            self.plan.present("networks", fig9.networks),
        )

    def choices(self, dataset: str) -> dict[str, list[str]]:
        """Files of all instances that the comparison of choices reads."""
        multiverse = self.config.drawing("figures.multiverse")
        networks = self.plan.present("networks", multiverse.networks)
        every = self.plan.every_seed([dataset], networks)
        products = ("separability", "separability_people", "decoding")
        return {product: self.plan.paths(product, every) for product in products}


def _architecture(entry) -> dict[str, object]:
    """The same for networks that differ in their weights alone, so also as wide at the output.

    Few units at the output lose what a wider layer keeps, whatever the weights.
    """
    source = entry.architecture or entry.keras or entry.torch or " ".join(entry.zoo)
    width = [f"width {entry.width}"] if entry.width else []
    classes = entry.output_classes
    return {"architecture": ", ".join([source, *width]), "width": classes and len(classes)}
