"""Tables of a network's layers: for the user, for Figure 1, and for ``layers.json``.

``python -m facestages.networks.listing FRAMEWORK FILE ASSETS`` brings the architectures of one
framework in ``layers.json`` up to date.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from facestages.architectures import ARCHITECTURES, suggest_layers
from facestages.files import atomic_path
from facestages.networks import Network, load_network
from facestages.networks.tokens import has_tokens, whole_layer
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
        Layer of each stage; it may name layers that the network does not have.

    Returns
    -------
    pandas.DataFrame
        ``network``, ``layer``, ``kind`` (class), ``shape`` (such as ``48x48x64``), ``units``,
        ``parameters`` (with those of layers inside the layer), ``stage`` (several stages of one
        layer are joined with commas), ``network_parameters`` (of the whole network) and
        ``problem``, which is empty for a layer. After the layers come the outputs that cannot be
        recorded and the stages whose layer does not exist, each with its problem. What can be taken
        of a layer of tokens has a row only if it is a stage.
    """
    rows = [("input", "Input", network.input.shape, 0, "")]
    rows += [
        (layer, network.kinds[layer], shape, network.parameters[layer], "")
        for layer, shape in network.layers.items()
        if whole_layer(layer) == layer or layer in stages.values()
    ]
    missing = [layer for layer in dict.fromkeys(stages.values()) if layer not in network.layers]
    problems = network.unlisted | {
        layer: suggest_layers(layer, network.layers) or "no layer has a similar name"
        for layer in missing
        if layer not in network.unlisted
    }
    rows += [(layer, "", (), 0, problem) for layer, problem in problems.items()]
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
            "problem": problem,
        }
        for layer, kind, shape, parameters, problem in rows
    )


def print_layers(path: str | os.PathLike, dataset: str, stimuli: str | os.PathLike) -> None:
    """Print every layer with its shape and the size of its activations on disk.

    Below stand outputs that cannot be recorded, and stages whose layer does not exist.

    Parameters
    ----------
    path : path-like
        Table of `describe_layers`.
    dataset : str
        Name of the face set whose activations the sizes are of.
    stimuli : path-like
        Its file. If it is not made yet, the sizes are those for 1,000 pictures.
    """
    table = read_tables([path])
    n, what = 1000, f"1,000 pictures ({dataset} is not prepared yet)"
    if os.path.exists(stimuli):
        n = len(read_facts(stimuli)[0])
        what = f"the {n:,} pictures of {dataset}"
    name, total = table["network"].iloc[0], table["network_parameters"].iloc[0]
    layers = table[(table["kind"] != "Input") & (table["problem"] == "")]
    shown = pd.DataFrame({key: layers[key] for key in ("layer", "kind", "shape")})
    for key in ("units", "parameters"):
        shown[key] = layers[key].map("{:,}".format)
    shown["on disk"] = [format_bytes(units * n * _BYTES) for units in layers["units"]]
    shown["stage"] = layers["stage"]
    print(f"{name}: {len(shown)} layers, {total:,} parameters; on disk for {what}\n")
    widths = {key: max(map(len, [key, *shown[key]])) for key in shown}
    for row in [list(shown), *shown.itertuples(index=False)]:
        cells = (
            cell.rjust(width) if key in ("units", "parameters", "on disk") else cell.ljust(width)
            for cell, (key, width) in zip(row, widths.items(), strict=True)
        )
        print(printable("  ".join(cells).rstrip()))
    for line in _remarks(table, layers):
        print(printable(line))


def _remarks(table: pd.DataFrame, layers: pd.DataFrame) -> Iterator[str]:
    """Lines below the list of layers."""
    if layers.empty:
        yield ""
        yield (
            "No part of it is a layer: a layer is a module inside the network that returns a row "
            "for each picture"
        )
    tokens = [row.layer for row in layers.itertuples() if has_tokens(_sizes(row.shape))]
    if tokens:
        yield ""
        yield (
            f"Of a layer of tokens x features, such as {tokens[-1]}: {tokens[-1]}@cls is the first "
            f"token, {tokens[-1]}@mean the mean over all tokens"
        )
    problems = table[table["problem"] != ""]
    for heading, rows in (
        ("Not recorded:", problems[problems["stage"] == ""]),
        ("Stages without a layer:", problems[problems["stage"] != ""]),
    ):
        if len(rows):
            yield ""
            yield heading
        for row in rows.itertuples():
            what = f"{row.stage}: no layer '{row.layer}'" if row.stage else row.layer
            yield f"  {what}: {row.problem}"


def _sizes(shape: str) -> tuple[int, ...]:
    return tuple(map(int, shape.split("x")))


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
