"""What a reference is made from, and what that costs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from facestages import memory
from facestages.paths import Recording
from facestages.plan.given import Given, give
from facestages.plan.sources import REFERENCES

if TYPE_CHECKING:
    from facestages.config.references import SimulatedReference
    from facestages.plan import Plan


class References:
    """Answers about references; methods that rules call take the wildcard of a job."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.config = plan.config

    def entry(self, reference: str) -> dict:
        """The section of a reference."""
        return self.config.references[reference].model_dump(exclude={"dataset"})

    def given(self, reference: str) -> Given:
        """The user's files that a reference is made from."""
        section, product = (
            f"references.{reference}",
            self.plan.path("reference", reference=reference),
        )
        paths = self.config.references[reference].given().values()
        return [one for path in paths for one in give(self.plan, section, product, "content", path)]

    def stimuli(self, reference: str) -> str:
        """File of the pictures that a reference is about: those that are measured."""
        return self.plan.face_sets.measured(self.config.references[reference].dataset)

    def labels(self, reference: str) -> str | list[str]:
        """File of their labels, where the reference depends on them."""
        entry = self.config.references[reference]
        needed = REFERENCES[entry.source].needs_labels
        return self.plan.face_sets.labels(entry.dataset) if needed else []

    def all_labels(self, reference: str) -> str:
        """File of the labels of the pictures that a reference is about."""
        return self.plan.face_sets.labels(self.config.references[reference].dataset)

    def recording(self, reference: str, network: str, seed: int) -> Recording:
        """The recording that is compared with a reference."""
        return Recording(self.config.references[reference].dataset, network, seed)

    def beside(self, reference: str, network: str, seed: int) -> dict[str, str | list[str]]:
        """Files of a comparison with a network, by name."""
        one, entry = self.recording(reference, network, seed), self.config.references[reference]
        answers = entry.source == "confusions" and self.plan.answers(network)
        return {
            "reference": self.plan.path("reference", reference=reference),
            "stimuli": self.stimuli(reference),
            "labels": self.plan.face_sets.labels(entry.dataset),
            "geometry": self.plan.path("geometry", one),
            "answers": self.plan.path("predictions", one) if answers else [],
        }

    def paths(self, product: str, references: Iterable[str]) -> list[str]:
        """A product of each of some references."""
        return [self.plan.path(product, reference=name) for name in references]

    def compared(self, references: Iterable[str], networks: Iterable[str]) -> list[str]:
        """Tables of all instances of some networks beside some references."""
        return [
            self.plan.path("reference_layers", reference=name, network=one.network, seed=one.seed)
            for name in references
            for one in self.plan.every_seed([self.config.references[name].dataset], networks)
        ]

    def networks(self) -> list[str]:
        """The networks of Figure 10; without it, all."""
        fig10 = self.config.figures.fig10
        return self.plan.present("networks", fig10.networks if fig10 else self.config.networks)

    def stages(self) -> dict[str, dict[str, str]]:
        """Layer of each stage of `networks`."""
        return {name: self.plan.networks.stages(name) for name in self.networks()}

    def beside_networks(self, reference: str) -> dict[str, str | list[str]]:
        """Files of the comparison of all `networks`, by name."""
        dataset = self.config.references[reference].dataset
        return {
            "reference": self.plan.path("reference", reference=reference),
            "stimuli": self.stimuli(reference),
            "labels": self.plan.face_sets.labels(dataset),
            "geometry": self.plan.paths(
                "geometry", self.plan.every_seed([dataset], self.networks())
            ),
        }

    def megabytes(self, reference: str) -> int:
        """Memory of the job that prepares a reference, by the size of its file."""
        entry = self.config.references[reference]
        if entry.source == "simulated":
            return memory.simulated_reference(entry.raters, _moments(entry), entry.pictures)
        size = _size(entry.path)
        if entry.source == "rdms":
            return memory.rdms(size, _subjects(entry.path))
        return memory.judgements(size)

    def megabytes_of_networks(self, reference: str) -> int:
        """Memory of the job that compares `networks`: contributions of each at one stage."""
        return self._megabytes(reference, 20 + 4 * len(self.networks()))

    def megabytes_beside(self, reference: str) -> int:
        """Memory of the jobs that read a prepared reference: judgements and contributions."""
        return self._megabytes(reference, 20)

    def _megabytes(self, reference: str, bytes_each: int) -> int:
        entry = self.config.references[reference]
        n = self.plan.face_sets.n_measured(entry.dataset)
        if entry.source == "simulated":
            values = entry.raters * _moments(entry) * entry.pictures**2 // 2
        else:
            # Matrices have four bytes a number or more, tables two.
            values = _size(entry.path) // (4 if entry.source == "rdms" else 2)
        # Ranks take the place of recordings in time; of judgements there are contributions as well.
        if getattr(entry, "times", None):
            bytes_each = 8
        return memory.beside_reference(n, values * bytes_each)


def _moments(entry: SimulatedReference) -> int:
    """Number of moments of simulated recordings; 1 of judgements."""
    times = entry.times
    return 1 + int((times.end - times.start) / times.step) if times else 1


def _size(path: str) -> int:
    """Bytes of a file, or of all files in a folder; 0 where nothing is there."""
    if os.path.isdir(path):
        return sum(file.stat().st_size for file in os.scandir(path) if file.is_file())
    return os.path.getsize(path) if os.path.exists(path) else 0


def _subjects(path: str) -> int:
    """Subjects of a stack, of which one at a time is read; 1 of a file that is read as a whole.

    The first axis of an array of NumPy tells their number. HDF5 would take a library to tell; most
    studies have more than four people.
    """
    if not os.path.isfile(path):
        return 1
    with open(path, "rb") as stream:
        start = stream.read(256)
    if start.startswith((b"\x89HDF", b"MATLAB 7.3")):
        return 4
    shape = re.search(rb"'shape': \((\d+), \d+, \d+", start)
    return max(1, int(shape[1])) if shape else 1
