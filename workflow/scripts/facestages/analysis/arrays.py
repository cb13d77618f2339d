"""Layers that are arrays of the user's own, checked and opened as those of files are."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import h5py
import numpy as np
import pandas as pd

from facestages.analysis.geometry import add_geometry
from facestages.analysis.layers import Geometry, Layer
from facestages.analysis.parallel_analysis import noise_edge
from facestages.errors import FacestagesError, did_you_mean, shorten
from facestages.gram import centre_gram, gram_and_squares
from facestages.stimuli.files import add_ids

Metric = Literal["euclidean", "gram", "distances"]
Layers = np.ndarray | Mapping[str, np.ndarray]

# Labels that a measure takes if none are named.
_LABELS = ("identity", "expression")
# Labels that are names, whatever they look like.
_NAMES = (*_LABELS, "session", "sex")


def check_array(array: np.ndarray, name: str, metric: str) -> np.ndarray:
    """An array of shape (n, units), or (n, n) if it is of pairs of pictures."""
    if metric not in ("euclidean", "gram", "distances"):
        allowed = did_you_mean(metric, ("euclidean", "gram", "distances"))
        raise FacestagesError(f"metric = {shorten(metric)!r}: {allowed}")
    array = np.asarray(array)
    if array.ndim < 2 or array.dtype.kind not in "fiub":
        raise FacestagesError(
            f"{name} must hold numbers, one row a picture, not {array.dtype} of shape {array.shape}"
        )
    array = array.reshape(len(array), -1)
    finite = np.isfinite(array).all(axis=1)
    if not finite.all():
        raise FacestagesError(f"{name} holds NaN or infinity, e.g. in row {finite.argmin()}")
    is_square = array.shape[0] == array.shape[1]
    is_symmetric = is_square and np.allclose(array, array.T, rtol=1e-4, equal_nan=True)
    if metric == "euclidean" and is_symmetric and len(array) > 1:
        raise FacestagesError(
            f"{name} of shape {array.shape} is symmetric, as inner products and distances are. Say "
            f"metric='gram' or metric='distances'; outputs of a layer have a column for each unit"
        )
    if metric != "euclidean" and not is_symmetric:
        how = "symmetric" if is_square else "square"
        raise FacestagesError(
            f"{name} of shape {array.shape} is not {how}, as metric='{metric}' says. Leave metric "
            f"out for a layer's outputs"
        )
    if metric == "distances" and np.any(np.diag(array) != 0):
        raise FacestagesError(
            f"{name}: the diagonal of distances must be 0; for a Gram matrix say metric='gram'"
        )
    return array


def check_groups(labels: Sequence) -> np.ndarray:
    """One label a picture, none missing, shape (n,)."""
    groups = np.asarray(labels)
    if groups.ndim != 1:
        raise FacestagesError(
            f"labels must be one for each picture, not of shape {groups.shape}; of a data frame, "
            f"give a column"
        )
    # NumPy writes NaN among texts as "nan".
    missing = pd.isna(groups) | np.isin(groups.astype(str), ("", "nan"))
    if missing.any():
        raise FacestagesError(
            f"{missing.sum()} of {len(groups)} labels are missing, such as that of row "
            f"{missing.argmax()}. Leave these rows out"
        )
    return groups


def require_rows(name: str, array: np.ndarray, shape: tuple[int, ...], other: str) -> None:
    if len(shape) == 0 or len(array) != shape[0]:
        raise FacestagesError(
            f"{name} has the shape {array.shape} and {other} {shape}: both need one row a picture"
        )


def check_labels(labels: pd.DataFrame) -> pd.DataFrame:
    if not isinstance(labels, pd.DataFrame):
        raise FacestagesError(
            f"labels must be a pandas.DataFrame with columns such as 'identity' and 'expression', "
            f"not {type(labels).__name__}"
        )
    labels = labels.reset_index(drop=True)
    for name in labels.columns.intersection(_NAMES):
        labels[name] = labels[name].where(labels[name].notna(), "").astype(str)
    if "identity" not in labels:
        warnings.warn(
            "labels have no column 'identity': pictures count as independent, and nothing is held "
            "out by person",
            stacklevel=4,
        )
    if "stimulus_id" not in labels:
        labels = labels.assign(stimulus_id=labels.index.astype(str))
    return labels


def choose_labels(names: Sequence[str] | None, labels: pd.DataFrame) -> list[str]:
    chosen = [name for name in _LABELS if name in labels] if names is None else [*names]
    if isinstance(names, str):
        chosen = [names]
    if not chosen:
        raise FacestagesError(
            "labels have no column 'identity' or 'expression'. Name others: names"
        )
    for name in chosen:
        if name not in labels:
            hint = did_you_mean(name, labels.columns.drop("stimulus_id"))
            raise FacestagesError(f"labels have no column {shorten(name)!r}; {hint}")
    return chosen


@contextlib.contextmanager
def open_arrays(
    layers: Layers, labels: pd.DataFrame, metric: str, components: Sequence[int | str]
) -> Iterator[Geometry]:
    """The geometry of arrays, as that of files is opened."""
    arrays = layers if isinstance(layers, Mapping) else {"X": layers}
    most = max((k for k in components if k != "all"), default=2)
    sources = {name: "given" for name in labels.columns.drop("stimulus_id")}
    with h5py.File("arrays", "w", driver="core", backing_store=False) as file:
        opened = []
        for number, (name, array) in enumerate(arrays.items()):
            array = check_array(array, str(name), metric)
            require_rows(str(name), array, (len(labels),), "labels")
            gram, squares = (
                gram_and_squares(array) if metric == "euclidean" else (centre_gram(array), None)
            )
            group = file.create_group(str(number))
            group.attrs.update(layer=str(name), layer_shape=array.shape[1:])
            add_ids(group, labels["stimulus_id"].astype(str))
            add_geometry(group, gram, most, None)
            group.attrs["noise_edge"] = 0 if squares is None else noise_edge(squares, np.diag(gram))
            opened.append(Layer("", 0, str(name), group))
        stages = {layer.name: layer.name for layer in opened}
        notes = {"dataset": "", "network": "", "seed": 0}
        yield Geometry("", opened, stages, labels, sources, {}, notes)
