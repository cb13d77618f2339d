"""From one network's layers to a table: what all measures share.

A measure is a function of a `Geometry` that yields rows, layer by layer. `tabulate` turns it into a
function of files that returns the table.
"""

from __future__ import annotations

import contextlib
import functools
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

import h5py
import numpy as np
import pandas as pd

from facestages import store, tables
from facestages.stimuli import read_labels

#: The first columns of every table of a measure.
COMMON = ("dataset", "rendered", "network", "seed", "stage", "layer")

# Columns of whole numbers, some of which may be missing.
_INTEGERS = (
    *("position", "component", "components_used", "folds", "n", "n_groups", "people"),
    "pictures_of",
)

Rows = Iterable[Mapping[str, object]]


class Layer(NamedTuple):
    """Geometry of one layer, in a file of `analysis.geometry.measure_geometry`.

    Arrays are read when they are asked for; `gram` and `scores`, when they are sliced.
    """

    network: str
    seed: int
    name: str
    group: h5py.Group

    @property
    def gram(self) -> h5py.Dataset:
        """Inner products of the pictures' centred points, (n, n) of float32."""
        return self.group["gram"]

    @property
    def scores(self) -> h5py.Dataset:
        """Principal components, (n, k) of float64."""
        return self.group["score"]

    @property
    def variance_ratio(self) -> np.ndarray:
        """Share of the variance of each principal component, shape (k,)."""
        return self.group["variance_ratio"][:]

    @property
    def eigenvalues(self) -> np.ndarray:
        """The largest eigenvalues of the Gram matrix, shape (k + 1,) or (n,)."""
        return self.group["eigenvalue"][:]

    @property
    def total_variance(self) -> float:
        """Sum of all eigenvalues; 0 if the layer gives the same output for every picture."""
        return float(self.group.attrs["total_variance"])

    @property
    def noise_edge(self) -> float:
        """Largest eigenvalue of unrelated units (`analysis.parallel_analysis.noise_edge`)."""
        return float(self.group.attrs["noise_edge"])

    @property
    def units(self) -> int:
        """Number of units of the layer."""
        return math.prod(self.group.attrs["layer_shape"])

    @property
    def attributes(self) -> dict[str, object]:
        """All attributes of the layer."""
        return dict(self.group.attrs)


class Geometry(NamedTuple):
    """Geometry of one network on one face set, and the labels of the pictures."""

    network: str
    #: In the order in which they were recorded.
    layers: list[Layer]
    #: Layer of each stage.
    stages: Mapping[str, str]
    #: A row a picture.
    labels: pd.DataFrame
    #: Source of each label.
    sources: dict[str, str]
    #: Attributes of the face set, among them ``dataset``.
    faces: dict[str, object]
    #: Attributes of the geometry, among them ``network``, ``seed`` and ``dataset``.
    attributes: dict[str, object]


@contextlib.contextmanager
def open_layers(geometry: str | os.PathLike, stimuli_digest: object) -> Iterator[list[Layer]]:
    """Open the layers in an HDF5 file of `analysis.geometry.measure_geometry`.

    The digest of the face set is among the attributes that `stimuli.read_labels` gives.

    Raises
    ------
    FacestagesError
        If the file is missing, or of other stimuli.
    """
    with store.open_read(geometry, "geometry", stimuli_digest=stimuli_digest) as file:
        yield _layers_of(file)


def _layers_of(file: h5py.File) -> list[Layer]:
    network, seed = str(file.attrs["network"]), int(file.attrs["seed"])
    return [Layer(network, seed, name, group) for name, group in file.items()]


def tabulate(*columns: str) -> Callable[[Callable], Callable[..., pd.DataFrame]]:
    """Turn a function that yields rows of a `Geometry` into one that makes a table from files.

    The decorated function takes a `Geometry` and its own settings. It yields pairs of a `Layer` and
    its rows, which are mappings by column. The layer is None for rows about all layers together. A
    layer of several stages gets its rows once for each stage; a layer of no stage has an empty one.

    Parameters
    ----------
    *columns : str
        Columns of the table after `COMMON`; other items of a row are left out.

    Returns
    -------
    callable
        A decorator. What it returns is called with ``(geometry, stimuli, stages, *settings,
        predictions=None, label_file=None, **settings)``, where `geometry` is an HDF5 file of
        `analysis.geometry.measure_geometry`, `stimuli` the pictures of the face set, `label_file`
        the file of its labels, `stages` the layer of each stage, and `predictions` the table of a
        network's predictions that take the place of the label ``expression``
        (`stimuli.read_labels`). It raises a FacestagesError if the geometry is of other stimuli.
        Its attribute ``of_geometry`` takes a `Geometry` and the settings.

    Examples
    --------
    >>> @tabulate("measure", "value")
    ... def count_components(geometry):
    ...     for layer in geometry.layers:
    ...         yield layer, [{"measure": "components", "value": layer.scores.shape[1]}]
    """

    def decorate(rows_of: Callable[..., Iterator[tuple[Layer | None, Rows]]]) -> Callable:
        def of_geometry(geometry: Geometry, *settings, **named) -> pd.DataFrame:
            parts = rows_of(geometry, *settings, **named)
            rows = [row for part in parts for row in place_rows(geometry, *part)]
            table = pd.DataFrame(rows, columns=[*COMMON, *columns])
            return table.astype({name: "Int64" for name in _INTEGERS if name in columns})

        @functools.wraps(rows_of)
        def table_of(
            geometry, stimuli, stages, *settings, predictions=None, label_file=None, **named
        ):
            labels, sources, faces = read_labels(stimuli, label_file, predictions)
            digest = faces["stimuli_digest"]
            with store.open_read(geometry, "geometry", stimuli_digest=digest) as file:
                notes, layers = store.notes_of(file), _layers_of(file)
                network = str(notes["network"])
                opened = Geometry(network, layers, stages, labels, sources, faces, notes)
                return of_geometry(opened, *settings, **named)

        # Tools that follow `__wrapped__` would show the signature of `rows_of`.
        del table_of.__wrapped__
        table_of.of_geometry = of_geometry
        return table_of

    return decorate


def place_rows(geometry: Geometry, layer: Layer | None, rows: Rows) -> Iterator[dict[str, object]]:
    """Rows with the columns `COMMON`, once for each stage of the layer."""
    common = {name: geometry.attributes[name] for name in ("dataset", "network", "seed")}
    common["rendered"] = int(geometry.faces.get("rendered", 0))
    sampled = ("pictures_of", "sampled")
    common |= {name: geometry.faces[name] for name in sampled if name in geometry.faces}
    places: list[dict] = [{}]
    if layer is not None:
        stages = [stage for stage, name in geometry.stages.items() if name == layer.name]
        places = [{"stage": stage, "layer": layer.name} for stage in stages or [""]]
    rows = list(rows)
    for place in places:
        for row in rows:
            yield {**common, **place, **row}


def write_measure(measured: Callable[..., pd.DataFrame], snakemake) -> None:
    """Write the table of a measure, as a rule of ``analysis.smk`` asks for it.

    The rule's params are the settings of `measured`, which `tabulate` made. The rule's last output
    is the table; its other outputs are settings too.
    """
    *files, (_, table) = snakemake.output.items()
    settings = {name: value for name, value in snakemake.params.items() if name != "code"}
    rows = measured(
        snakemake.input.geometry,
        snakemake.input.stimuli,
        predictions=snakemake.input.predictions or None,
        label_file=snakemake.input.labels,
        **settings,
        **dict(files),
    )
    tables.write_table(table, rows)
