"""Networks' first components on one face set, as Figures 5 to 7 show them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from facestages.analysis.components import (
    SIGN_RULE,
    Components,
    Reference,
    read_components,
    read_reference,
)
from facestages.analysis.labels import describe_source
from facestages.figures import page
from facestages.figures.face_set import FaceSet


class Shown(NamedTuple):
    """A network whose components are shown."""

    label: str
    components: Components
    #: Columns of a table of numbers.
    columns: dict[str, object]


class Study(NamedTuple):
    """A face set, the reference that fixes the signs of components, and the networks."""

    faces: FaceSet
    reference: Reference
    #: Source of the reference in a few words, "" if there is none.
    source: str
    networks: dict[str, Shown]
    #: Name in figures of each network that is not shown, and why.
    absent: dict[str, str]

    @property
    def labels(self) -> dict[str, str]:
        """Name in figures of each network."""
        return {name: network.label for name, network in self.networks.items()}

    def name_layers(self) -> str:
        """``"the penultimate layer (NN1: dropout_4, seed 0; ...)"``."""
        shown = self.networks.values()
        stages = " and ".join(dict.fromkeys(network.columns["stage"] for network in shown))
        layers = "; ".join(
            f"{one.label}: {one.components.layer}, seed {one.components.seed}" for one in shown
        )
        return f"the {stages} layer ({layers})"

    def describe_signs(self) -> str:
        """The caption's sentence on the source of valence and arousal, and on signs."""
        if self.reference.source:
            return f"Valence and arousal ({self.reference.source}). {SIGN_RULE}."
        return "No valence or arousal, so the signs of components are arbitrary."

    def describe_intervals(self, marks: str) -> str:
        """The caption's sentence on the intervals that these marks show."""
        if self.faces.people is None:
            return "No two people, so no intervals."
        return f"{marks}: 95 % bootstrap intervals over people."

    def nothing_to_draw(self, figure: str) -> Exception:
        """The error of a figure without networks."""
        reasons = "; ".join(f"{name}: {why}" for name, why in self.absent.items())
        return page.nothing_to_draw(figure, reasons or "it names no network")


def read_study(
    networks: Mapping[str, Mapping],
    faces: FaceSet,
    predictions: str | os.PathLike | None = None,
    reference_label: str = "",
    absent: Mapping[str, str] | None = None,
) -> Study:
    """Read what the panels of Figures 5 to 7 share.

    Parameters
    ----------
    networks : mapping of str to mapping
        By name: ``label`` in figures, ``stage``, ``layer`` ("" if the network has no such stage),
        and ``geometry``, the path of `analysis.geometry.measure_geometry` of one seed.
    predictions, reference_label : path-like, str
        Of the network that gives the reference: its predictions, which
        `analysis.components.read_reference` reads, and its name in figures.
    absent : mapping of str to str, optional
        Name in figures of each network that cannot be shown, and why, in a line.
    """
    reference = read_reference(faces.path, faces.label_file, predictions)
    absent = dict(absent or {})
    shown = {}
    for name, entry in networks.items():
        layer, stage = entry["layer"], entry["stage"]
        if not layer:
            absent[entry["label"]] = f"the network has no stage '{stage}'"
            continue
        components = read_components(entry["geometry"], layer, reference, faces.digest)
        columns = {"network": components.network, "seed": components.seed}
        columns |= {"stage": stage, "layer": layer}
        shown[name] = Shown(entry["label"], components, faces.columns | columns)
    source = describe_source(reference.source, reference_label)
    return Study(faces, reference, source, shown, absent)
