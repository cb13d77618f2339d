"""Tables of a network's layers: for the user, for Figure 1, and for ``layers.json``.

``python -m facestages.networks.listing FRAMEWORK FILE ASSETS`` brings the architectures of one
framework in ``layers.json`` up to date.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from facestages.architectures import ARCHITECTURES, select_layers
from facestages.files import atomic_path
from facestages.networks import Network, load_network
from facestages.stimuli import read_facts
from facestages.tables import read_tables
from facestages.text import printable

_BYTES = 4  # float32


def describe_layers(network: Network, stages: Mapping[str, str]) -> pd.DataFrame:
    """Describe the input and each layer of a network, in the order of the forward pass.

    Parameters
    ----------
    network : Network
    stages : mapping of str to str
        Layer of each stage.

    Returns
    -------
    pandas.DataFrame
        ``network``, ``layer``, ``kind`` (class), ``shape`` (such as ``48x48x64``), ``units``,
        ``parameters`` (with those of layers inside the layer), ``stage`` (several stages of one
        layer are joined with commas) and ``network_parameters`` (of the whole network).

    Raises
    ------
    FacestagesError
        If the network has no layer of a stage.
    """
    select_layers(network.layers, stages.values())
    rows = [("input", "Input", network.input.shape, 0)]
    rows += [
        (layer, network.kinds[layer], shape, network.parameters[layer])
        for layer, shape in network.layers.items()
    ]
    return pd.DataFrame(
        {
            "network": network.name,
            "layer": layer,
            "kind": kind,
            "shape": "x".join(map(str, shape)) or "1",
            "units": math.prod(shape),
            "parameters": parameters,
            "stage": ", ".join(stage for stage, of in stages.items() if of == layer),
            "network_parameters": network.n_parameters,
        }
        for layer, kind, shape, parameters in rows
    )


def print_layers(path: str | os.PathLike, dataset: str, stimuli: str | os.PathLike) -> None:
    """Print every layer with its shape and the size of its activations on disk.

    Parameters
    ----------
    path : path-like
        Table of `describe_layers`.
    dataset : str
        Name of the face set whose activations the sizes are of.
    stimuli : path-like
        Its file. If it is not made yet, the sizes are those for 1,000 pictures.
    """
    layers = read_tables([path])
    n, what = 1000, f"1,000 pictures ({dataset} is not prepared yet)"
    if os.path.exists(stimuli):
        n = len(read_facts(stimuli)[0])
        what = f"the {n:,} pictures of {dataset}"
    name, total = layers["network"].iloc[0], layers["network_parameters"].iloc[0]
    layers = layers[layers["kind"] != "Input"]
    shown = pd.DataFrame({key: layers[key] for key in ("layer", "kind", "shape")})
    for key in ("units", "parameters"):
        shown[key] = layers[key].map("{:,}".format)
    shown["on disk"] = [format_bytes(units * n * _BYTES) for units in layers["units"]]
    shown["stage"] = layers["stage"]
    print(f"{name}: {len(shown)} layers, {total:,} parameters; on disk for {what}\n")
    widths = {key: max(len(key), shown[key].str.len().max()) for key in shown}
    for row in [list(shown), *shown.itertuples(index=False)]:
        cells = (
            cell.rjust(width) if key in ("units", "parameters", "on disk") else cell.ljust(width)
            for cell, (key, width) in zip(row, widths.items(), strict=True)
        )
        print(printable("  ".join(cells).rstrip()))


def format_bytes(n: float) -> str:
    """A number of bytes in words, such as ``1.2 GB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if n < 1000:
            return f"{n:.3g} {unit}"
        n /= 1000
    return f"{n:.3g} TB"


def published_shapes(framework: str, weights: Mapping[str, str]) -> dict[str, dict[str, list[int]]]:
    """Layers and shapes, as published, of the architectures of one framework (keras, torch, numpy).
    `weights` names the files of those that are built from them alone."""
    shapes = {}
    for name, architecture in ARCHITECTURES.items():
        if architecture.framework == framework:
            classes = ["happy", "sad", "neutral"] if name == "light_cnn" else None
            network = load_network(
                name, architecture=name, classes=classes, weights=weights.get(name)
            )
            shapes[name] = {layer: list(shape) for layer, shape in network.layers.items()}
    return shapes


def main(framework: str, path: Path, assets: Path) -> None:
    """Bring the layers of one framework's architectures up to date in ``layers.json``."""
    shapes = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    shapes |= published_shapes(framework, {"mini_xception": str(assets / "mini_xception")})
    lines = (
        f" {json.dumps(name)}: {{\n  "
        + ",\n  ".join(f"{json.dumps(layer)}: {shape}" for layer, shape in shapes[name].items())
        + "\n }"
        for name in ARCHITECTURES
        if name in shapes
    )
    with atomic_path(path) as partial:
        partial.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
