"""What jobs cost: threads, minutes and memory, foreseen from the shapes of what they work on.

`facestages.memory` holds what was measured of memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from facestages import memory
from facestages.paths import Recording

if TYPE_CHECKING:
    from facestages.plan import Plan


class Resources:
    """Costs of jobs; memory in MB."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.config = plan.config

    def forward_threads(self) -> int:
        """Cores of a recording: all shared out, as one pass a core beats one pass on several."""
        return max(1, self.plan.cores() // max(1, self.plan.recordings.jobs))

    def preparation_threads(self) -> int:
        """All cores: pictures are read and cropped one a core."""
        return self.plan.cores()

    def geometry_threads(self) -> int:
        return max(1, self.plan.cores() // 2)

    def training_threads(self) -> int:
        """Cores of a training: all shared out, as two on one core each beat one on two."""
        trained = [entry for entry in self.config.networks.values() if entry.weights == "train"]
        return max(1, self.plan.cores() // sum(len(entry.seeds) for entry in trained))

    def extraction_threads(self, dataset: str) -> int:
        """Cores of a video: all shared out among those that are yet to be decoded."""
        return max(1, self.plan.cores() // max(1, len(self.plan.face_sets.waiting_videos(dataset))))

    def prediction_minutes(self, dataset: str) -> int:
        """Minutes of a pass over a face set, generously at a picture a second."""
        return 60 + self.plan.face_sets.n_measured(dataset) // 60

    def forward_minutes(self, dataset: str) -> int:
        """As `prediction_minutes`, of a shard."""
        pictures = self.plan.face_sets.n_measured(dataset)
        return 60 + pictures // 60 // self.plan.recordings.shards(dataset)

    def network(self, network: str, passes: int) -> int:
        """A network, and the pictures of so many forward passes at once."""
        entry, weights = self.config.networks[network], self.plan.networks.weights_bytes(network)
        return memory.forward(entry.framework, entry.input_spec.pixels, weights, passes)

    def description(self, network: str) -> int:
        return self.network(network, passes=0)

    def forward(self, network: str) -> int:
        return self.network(network, self.forward_threads())

    def gradient(self, network: str) -> int:
        """As of three passes: outputs of the forward pass are kept until the backward pass."""
        return self.network(network, passes=3)

    def training(self, network: str) -> int:
        entry = self.config.networks[network]
        return memory.training(entry.input_spec.pixels, entry.training.batch_size)

    def recording(self, network: str) -> int:
        units, threads = self.plan.networks.recorded_units(network), self.forward_threads()
        return self.forward(network) + memory.recording(units, threads)

    def accumulation(self, dataset: str, network: str) -> int:
        units, threads = self.plan.networks.recorded_units(network), self.forward_threads()
        n = self.plan.face_sets.n_measured(dataset)
        return self.forward(network) + memory.accumulation(units, n, threads)

    def geometry(self, recording: Recording) -> int:
        dataset = recording.dataset
        is_read = self.plan.recordings.shards(dataset) == 1 and self.plan.recordings.are_kept
        units = self.plan.networks.recorded_units(recording.network) if is_read else 0
        return memory.geometry(self.plan.face_sets.n_measured(dataset), units)

    def multiplication(self, dataset: str, shard: int, other: int) -> int:
        # Some shards are larger than others.
        shards = self.plan.recordings.shards(dataset)
        n = int(1.25 * self.plan.face_sets.n_measured(dataset) / shards)
        return memory.multiplication(n, within=shard == other)

    def measure(self, dataset: str, *, function: Callable[[int, int], int]) -> int:
        """A measure on a face set; `function`, of `facestages.memory`, foresees what it takes."""
        permutations = self.config.analysis.permutations
        return function(self.plan.face_sets.n_measured(dataset), permutations)

    def preparation(self, dataset: str) -> int:
        return self.plan.face_sets.kind(dataset).mb

    def fig7(self) -> int:
        fig7 = self.config.figures.fig7
        return 190 + 160 * len(fig7.networks if fig7 else ())
