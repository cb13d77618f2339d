"""Layers from the project's files as objects of xarray and rsatoolbox."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import h5py
import numpy as np

from facestages import store
from facestages.analysis.rdms import squared_distances
from facestages.errors import FacestagesError, did_you_mean
from facestages.stimuli import read_label_file, take_rows

if TYPE_CHECKING:
    import rsatoolbox
    import xarray

#: Kinds of files that hold a group for each layer.
KINDS = ("activations", "geometry", "embedding", "attribution")


def to_xarray(
    path: str | os.PathLike, layer: str, labels: str | os.PathLike | None = None
) -> xarray.Dataset:
    """A layer of a file as an xarray dataset.

    Parameters
    ----------
    path : path-like
        HDF5 file of one of `KINDS`.
    layer : str
    labels : path-like, optional
        HDF5 file of the labels of the face set, ``results/stimuli/NAME.labels.h5``.

    Returns
    -------
    xarray.Dataset
        Its dimensions have names. Labels are coordinates along ``stimulus_id``, each with an
        attribute ``source``; one that has the name of an array of the file is called
        ``label_NAME``. Attributes are those of the file and of the layer. Arrays are read when they
        are used, so close the dataset afterwards, or use it in a ``with`` block.

    Raises
    ------
    FacestagesError
        If a file is of another kind, there is no such layer or no label of a picture, or if xarray
        or h5netcdf is not installed.
    """
    try:
        import h5netcdf  # noqa: F401
        import xarray
    except ImportError as error:
        raise _not_installed("xarray", "xarray h5netcdf") from error
    with store.open_read(path, KINDS) as file:
        attributes = store.notes_of(file)
        known, sources = _read_observations(_find_layer(path, file, layer), labels)
    data = xarray.open_dataset(path, group=layer, engine="h5netcdf")
    data.attrs = {**attributes, **data.attrs}
    coordinates = {
        name: ("stimulus_id", known[name], {"source": source}) for name, source in sources.items()
    }
    return data.assign_coords(coordinates)


def to_rsatoolbox(
    path: str | os.PathLike, layer: str, labels: str | os.PathLike | None = None
) -> rsatoolbox.data.Dataset:
    """Outputs of a layer for each picture, as a dataset of rsatoolbox.

    Parameters
    ----------
    path : path-like
        HDF5 file of activations, or of `analysis.geometry.measure_geometry`.
    layer : str
    labels : path-like, optional
        HDF5 file of the labels of the face set, ``results/stimuli/NAME.labels.h5``.

    Returns
    -------
    rsatoolbox.data.Dataset
        Measurements of float64, shape (n, channels): the layer's units (``unit``), or the scores of
        the principal components that were kept (``component``). The observations' descriptors are
        ``stimulus_id`` and all labels. The dataset's descriptors are ``dataset``, ``network``,
        ``seed``, ``layer``, ``rendered`` and ``source_<label>``, the source of each label.

    Raises
    ------
    FacestagesError
        If a file is of another kind, there is no such layer or no label of a picture, or if
        rsatoolbox is not installed.
    """
    data = _import_rsatoolbox().data
    with store.open_read(path, ("activations", "geometry")) as file:
        group = _find_layer(path, file, layer)
        observations, sources = _read_observations(group, labels)
        name, channel = ("activation", "unit") if "activation" in group else ("score", "component")
        return data.Dataset(
            group[name].astype(np.float64)[:],
            descriptors=_describe(file, layer, sources),
            obs_descriptors=observations,
            channel_descriptors={channel: np.arange(1, group[name].shape[1] + 1)},
        )


def to_rsatoolbox_rdms(
    path: str | os.PathLike, layer: str, labels: str | os.PathLike | None = None
) -> rsatoolbox.rdm.RDMs:
    """RDM of a layer, ``d(i, j) = |x_i - x_j|^2 / units``, over all its units, for rsatoolbox.

    It equals ``rsatoolbox.rdm.calc_rdm(..., method="euclidean")`` of the layer's activations, which
    divides by the number of channels too. It is computed from the Gram matrix.

    Parameters
    ----------
    path : path-like
        HDF5 file of `analysis.geometry.measure_geometry`.
    layer : str
    labels : path-like, optional
        HDF5 file of the labels of the face set, ``results/stimuli/NAME.labels.h5``.

    Returns
    -------
    rsatoolbox.rdm.RDMs
        One RDM of n conditions, with the observations' descriptors of `to_rsatoolbox` as pattern
        descriptors.

    Raises
    ------
    FacestagesError
        As `to_rsatoolbox`.
    """
    rdm = _import_rsatoolbox().rdm
    with store.open_read(path, "geometry") as file:
        group = _find_layer(path, file, layer)
        observations, sources = _read_observations(group, labels)
        units = int(np.prod(group.attrs["layer_shape"]))
        return rdm.RDMs(
            squared_distances(group["gram"][:]).astype(np.float64)[None] / units,
            dissimilarity_measure="squared euclidean",
            rdm_descriptors=_describe(file, layer, sources),
            pattern_descriptors=observations,
        )


def _import_rsatoolbox():
    try:
        import rsatoolbox
    except ImportError as error:
        raise _not_installed("rsatoolbox", "rsatoolbox") from error
    return rsatoolbox


def _not_installed(name: str, packages: str) -> FacestagesError:
    return FacestagesError(f"{name} cannot be imported. Install it: pip install {packages}")


def _find_layer(path: str | os.PathLike, file: h5py.File, layer: str) -> h5py.Group:
    if layer not in file:
        network = file.attrs.get("network", "")
        hint = did_you_mean(layer, file)
        raise FacestagesError(f"{path}: network '{network}' has no layer '{layer}': {hint}")
    return file[layer]


def _read_observations(
    group: h5py.Group, labels: str | os.PathLike | None
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Names, labels and answers of a layer's pictures, and the source of each but the names."""
    ids = store.read_column(group["stimulus_id"])
    sources = store.label_sources(group)
    columns = {"stimulus_id": ids} | {name: store.read_label(group, name) for name in sources}
    if labels is not None:
        table, of_labels = read_label_file(labels)
        free = _free_names(group, of_labels)
        columns |= {free[name]: of.to_numpy() for name, of in take_rows(table, ids, labels).items()}
        sources |= {free[name]: source for name, source in of_labels.items()}
    return {k: v.astype(str) if v.dtype == object else v for k, v in columns.items()}, sources


def _free_names(group: h5py.Group, labels: Iterable[str]) -> dict[str, str]:
    """For each label its name, or ``label_NAME`` where an array of the file has its name."""
    taken = {name for name, item in group.file.items() if isinstance(item, h5py.Dataset)}
    taken |= set(group)
    names = {}
    for label in labels:
        names[label] = label
        while names[label] in taken:
            names[label] = f"label_{names[label]}"
        taken.add(names[label])
    return names


def _describe(file: h5py.File, layer: str, sources: dict[str, str]) -> dict[str, object]:
    """Descriptors of a layer, as plain values."""
    return {
        "dataset": str(file.attrs["dataset"]),
        "network": str(file.attrs["network"]),
        "seed": int(file.attrs["seed"]),
        "layer": layer,
        "rendered": int(file.attrs["rendered"]),
        **{f"source_{label}": source for label, source in sources.items()},
    }
