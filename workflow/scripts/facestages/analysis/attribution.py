"""How much of a network's Grad-CAM maps lies on eyes, brows and mouth: means over pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping

import h5py
import numpy as np
import pandas as pd

from facestages import store
from facestages.analysis.labels import read_people
from facestages.analysis.resampling import interval, people_weights, weighted_mean
from facestages.stimuli import read_labels, take_rows

_COLUMNS = [
    *("dataset", "rendered", "network", "seed", "stage", "layer"),
    *("expression", "label_source", "measure", "value", "ci_low", "ci_high", "n", "note"),
]


def summarise_maps(
    attribution: str | os.PathLike,
    stimuli: str | os.PathLike,
    stages: Mapping[str, str],
    labels: str | os.PathLike | None = None,
    predictions: str | os.PathLike | None = None,
) -> pd.DataFrame:
    """Means over pictures of where the maps of `recording.attribution.explain_gradcam` lie.

    Parameters
    ----------
    attribution : path-like
        Its HDF5 file.
    stimuli, labels : path-like
        The files of the face set; see `stimuli.read_labels`.
    stages : mapping of str to str
        Layer of each stage.
    predictions : path-like, optional
        A network's predictions, taken as the label ``expression``.

    Returns
    -------
    pandas.DataFrame
        Tidy, with a row for each layer x (all pictures, or those of one expression) x measure of
        `recording.map_measures`. Values are means over pictures, with 95 % intervals over
        identities; those of shuffled networks are first averaged over these.

    Raises
    ------
    FacestagesError
        If the maps are of other stimuli.
    """
    table, sources, faces = read_labels(stimuli, labels, predictions)
    stage_of = {layer: stage for stage, layer in stages.items()}
    rows = []
    digest = faces["stimuli_digest"]
    with store.open_read(attribution, "attribution", stimuli_digest=digest) as file:
        common = {name: file.attrs[name] for name in ("dataset", "rendered", "network", "seed")}
        for layer, group in file.items():
            of_maps = take_rows(table, store.read_column(group["stimulus_id"]), stimuli)
            columns = {**common, "stage": stage_of.get(layer, ""), "layer": layer}
            region_sources = store.read_column(group["region_source"])
            rows += _summarise(_read_measures(group), columns, of_maps, sources, region_sources)
    return pd.DataFrame(rows, columns=_COLUMNS).astype({"n": "Int64"})


def _read_measures(group: h5py.Group) -> dict[str, np.ndarray]:
    """Each measure of each picture: (1, n), or (shuffles, n) for the shuffled networks."""
    own = zip(store.read_column(group["measure"]), group["measured"][:][:, None], strict=True)
    names = store.read_column(group["shuffled_measure"])
    return {**dict(own), **dict(zip(names, group["measured_shuffled"][:], strict=True))}


def _summarise(
    measured: Mapping[str, np.ndarray],
    columns: Mapping[str, object],
    labels: pd.DataFrame,
    sources: Mapping[str, str],
    region_sources: np.ndarray,
) -> list[dict[str, object]]:
    """Means over all pictures, and over those of each expression."""
    groups = {"all": (np.ones(len(labels), bool), "")}
    if "expression" in labels:
        for name in sorted(set(labels["expression"].astype(str)) - {"", "nan"}):
            members = (labels["expression"] == name).to_numpy()
            groups[name] = (members, sources["expression"])
    rows = []
    for expression, (members, source) in groups.items():
        for measure, each in measured.items():
            values = _finite_mean(each, axis=0)
            counted = members & np.isfinite(values)
            low, high = np.nan, np.nan
            people = read_people(labels[counted])
            if people is not None:
                weights = people_weights(people)
                low, high = interval(weighted_mean(values[counted], weights), len(set(people)))
            rows.append(
                {
                    **columns,
                    "expression": expression,
                    "label_source": source,
                    "measure": measure,
                    "value": float(_finite_mean(values[members], axis=0)),
                    "ci_low": low,
                    "ci_high": high,
                    "n": int(counted.sum()),
                    "note": _note(measure, each[:, members], region_sources[members]),
                }
            )
    return rows


def _finite_mean(values: np.ndarray, axis: int) -> np.ndarray:
    """Mean of the values that are not NaN; NaN where all are."""
    finite = np.isfinite(values)
    count = finite.sum(axis=axis)
    mean = np.full(count.shape, np.nan)
    return np.divide(np.where(finite, values, 0).sum(axis=axis), count, out=mean, where=count > 0)


def _note(measure: str, each: np.ndarray, region_sources: np.ndarray) -> str:
    """Source of the regions, range over the shuffles, and number of maps that are left out."""
    parts = []
    if "share" in measure or "enrichment" in measure:
        names, counts = np.unique(region_sources.astype(str), return_counts=True)
        several = len(names) > 1
        parts += [
            f"{name} ({n})" if several else name for name, n in zip(names, counts, strict=True)
        ]
    if measure.startswith("randomis"):
        means = _finite_mean(each, axis=1)
        means = means[np.isfinite(means)]
        spread = f", {means.min():.2f} to {means.max():.2f}" if len(means) > 1 else ""
        parts.append(f"{len(each)} {'shuffle' if len(each) == 1 else 'shuffles'}{spread}")
    left_out = int(np.isnan(each).sum())
    if left_out:
        parts.append(f"{left_out} of {each.size} maps left out: empty or without the region")
    return "; ".join(parts)
