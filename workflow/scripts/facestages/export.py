"""Layers from the project's files as objects of xarray and rsatoolbox."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import h5py
import numpy as np

from facestages import store
from facestages.analysis.rdms import squared_distances
from facestages.errors import FacestagesError, did_you_mean

if TYPE_CHECKING:
    import rsatoolbox
    import xarray

#: Kinds of files that hold a group for each layer.
KINDS = ("activations", "geometry", "embedding", "attribution")


def to_xarray(path: str | os.PathLike, layer: str) -> xarray.Dataset:
    """A layer of a file as an xarray dataset.

    Parameters
    ----------
    path : path-like
        HDF5 file of one of `KINDS`.
    layer : str

    Returns
    -------
    xarray.Dataset
        Its dimensions have names. Labels are coordinates along ``stimulus_id``, each with an
        attribute ``source``; attributes are those of the file and of the layer. Arrays are read
        when they are used, so close the dataset afterwards, or use it in a ``with`` block.

    Raises
    ------
    FacestagesError
        If the file is of another kind or has no such layer, or if xarray or h5netcdf is not
        installed.
    """
    try:
        import h5netcdf  # noqa: F401
        import xarray
    except ImportError as error:
        raise _not_installed("xarray", "xarray h5netcdf") from error
    with store.open_read(path, KINDS) as file:
        group = _find_layer(path, file, layer)
        labels, attributes = list(_label_sources(group)), store.notes_of(file)
    data = xarray.open_dataset(path, group=layer, engine="h5netcdf")
    data.attrs = {**attributes, **data.attrs}
    return data.set_coords(labels)


def to_rsatoolbox(path: str | os.PathLike, layer: str) -> rsatoolbox.data.Dataset:
    """Outputs of a layer for each picture, as a dataset of rsatoolbox.

    Parameters
    ----------
    path : path-like
        HDF5 file of activations, or of `analysis.geometry.measure_geometry`.
    layer : str

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
        If the file is of another kind or has no such layer, or if rsatoolbox is not installed.
    """
    data = _import_rsatoolbox().data
    with store.open_read(path, ("activations", "geometry")) as file:
        group = _find_layer(path, file, layer)
        name, channel = ("activation", "unit") if "activation" in group else ("score", "component")
        return data.Dataset(
            group[name].astype(np.float64)[:],
            descriptors=_describe(file, group, layer),
            obs_descriptors=_read_observations(group),
            channel_descriptors={channel: np.arange(1, group[name].shape[1] + 1)},
        )


def to_rsatoolbox_rdms(path: str | os.PathLike, layer: str) -> rsatoolbox.rdm.RDMs:
    """RDM of a layer, ``d(i, j) = |x_i - x_j|^2 / units``, over all its units, for rsatoolbox.

    It equals ``rsatoolbox.rdm.calc_rdm(..., method="euclidean")`` of the layer's activations, which
    divides by the number of channels too. It is computed from the Gram matrix in an HDF5 file of
    `analysis.geometry.measure_geometry`. Errors are those of `to_rsatoolbox`.

    Returns
    -------
    rsatoolbox.rdm.RDMs
        One RDM of n conditions, with the observations' descriptors of `to_rsatoolbox` as pattern
        descriptors.
    """
    rdm = _import_rsatoolbox().rdm
    with store.open_read(path, "geometry") as file:
        group = _find_layer(path, file, layer)
        units = int(np.prod(group.attrs["layer_shape"]))
        return rdm.RDMs(
            squared_distances(group["gram"][:]).astype(np.float64)[None] / units,
            dissimilarity_measure="squared euclidean",
            rdm_descriptors=_describe(file, group, layer),
            pattern_descriptors=_read_observations(group),
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


def _label_sources(group: h5py.Group) -> dict[str, str]:
    """Source of each label of the pictures."""
    return {
        name: item.attrs["source"]
        for name, item in group.items()
        if isinstance(item, h5py.Dataset) and item.ndim == 1 and "source" in item.attrs
    }


def _read_observations(group: h5py.Group) -> dict[str, np.ndarray]:
    names = ("stimulus_id", *_label_sources(group))
    columns = {name: store.read_column(group[name]) for name in names}
    return {k: v.astype(str) if v.dtype == object else v for k, v in columns.items()}


def _describe(file: h5py.File, group: h5py.Group, layer: str) -> dict[str, object]:
    """Descriptors of a layer, as plain values."""
    sources = _label_sources(group)
    # These files have no attribute for rendered faces, but the sources of labels tell them.
    rendered = int(any(source.startswith("rendered") for source in sources.values()))
    return {
        "dataset": str(file.attrs["dataset"]),
        "network": str(file.attrs["network"]),
        "seed": int(file.attrs["seed"]),
        "layer": layer,
        "rendered": rendered,
        **{f"source_{label}": source for label, source in sources.items()},
    }
