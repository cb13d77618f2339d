"""Networks' first components on one face set, as Figures 5 to 7 show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from facestages.analysis.components import SIGN_RULE, Components, Reference, read_components
from facestages.figures.face_set import FaceSet


class Shown(NamedTuple):
    """A network whose components are shown."""

    label: str
    components: Components
    #: Columns of a table of numbers.
    columns: dict[str, object]


def drawable_networks(
    networks: Mapping[str, Mapping], absent: Mapping[str, str] | None
) -> tuple[dict[str, Mapping], dict[str, str]]:
    """Tell the networks that have the stage from the others.

    Parameters
    ----------
    networks : mapping of str to mapping
        By name: ``label`` in figures, ``stage`` and ``layer``, which is "" where the network has
        no such stage.
    absent : mapping of str to str, optional
        Name in figures of each network that cannot be shown, and why.

    Returns
    -------
    networks : dict
        Those that have the stage.
    absent : dict
        The absent ones, and those without the stage.
    """
    no_stage = {
        entry["label"]: f"the network has no stage '{entry['stage']}'"
        for entry in networks.values()
        if not entry["layer"]
    }
    there = {name: entry for name, entry in networks.items() if entry["layer"]}
    return there, {**(absent or {}), **no_stage}


def no_network(absent: Mapping[str, str]) -> str:
    """Why a figure has no network to show."""
    return "; ".join(f"{name}: {why}" for name, why in absent.items()) or "it names no network"


def read_networks(
    networks: Mapping[str, Mapping], faces: FaceSet, reference: Reference
) -> dict[str, Shown]:
    """Read the components of each network from its ``geometry``."""
    shown = {}
    for name, entry in networks.items():
        path, layer = entry["geometry"], entry["layer"]
        components = read_components(path, layer, reference, faces.digest)
        columns = {"network": components.network, "seed": components.seed}
        columns |= {"stage": entry["stage"], "layer": layer}
        shown[name] = Shown(entry["label"], components, faces.columns | columns)
    return shown


def name_layers(shown: Iterable[Shown]) -> str:
    """``"the penultimate layer (NN1: dropout_4, seed 0; ...)"``."""
    shown = list(shown)
    stages = " and ".join(dict.fromkeys(network.columns["stage"] for network in shown))
    layers = (f"{one.label}: {one.components.layer}, seed {one.components.seed}" for one in shown)
    return f"the {stages} layer ({'; '.join(layers)})"


def describe_signs(reference: Reference) -> str:
    """The caption's sentence on where valence and arousal come from, and on signs."""
    if reference.source:
        return f"Valence and arousal ({reference.source}). {SIGN_RULE}."
    return "No valence or arousal, so the signs of components are arbitrary."
