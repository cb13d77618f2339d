"""How much of a network's Grad-CAM maps lies on eyes, brows and mouth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from facestages.analysis.resampling import interval, people_weights, weighted_mean
from facestages.stimuli import REGIONS
from facestages.stimuli.regions import region_areas, region_shares

_COLUMNS = [
    *("dataset", "rendered", "network", "seed", "stage", "layer"),
    *("expression", "label_source", "measure", "value", "ci_low", "ci_high", "n", "note"),
]


def measure_maps(explanation, stages: Mapping[str, str]) -> pd.DataFrame:
    """Measure where the maps of `recording.attribution.explain_gradcam` lie.

    Parameters
    ----------
    explanation : recording.attribution.Explanation
    stages : mapping of str to str
        Layer of each stage.

    Returns
    -------
    pandas.DataFrame
        Tidy, with a row for each layer x (all pictures, or those of one expression) x measure:
        ``share_<region>`` and ``share_elsewhere`` of the map; ``enrichment_<region>``, the share
        of the map over the region's share of the picture; ``empty_maps``, the share of maps
        without a value above zero, which the other measures leave out; each of these as
        ``randomised_...``, the mean over the networks with shuffled weights; and
        ``randomisation_similarity``, Spearman's correlation of their maps with the network's.
        Values are means over pictures, with 95 % intervals over identities.
    """
    stage_of = {layer: stage for stage, layer in stages.items()}
    rows = []
    for layer, maps in explanation.maps.items():
        columns = {**explanation.columns, "stage": stage_of.get(layer, ""), "layer": layer}
        shuffled = [maps_of[layer] for maps_of in explanation.shuffled]
        measured = _measure_all(maps, shuffled, explanation.regions, explanation.picture_size)
        rows += _summarise(measured, columns, explanation)
    return pd.DataFrame(rows, columns=_COLUMNS).astype({"n": "Int64"})


def _measure_all(
    maps: np.ndarray, shuffled: Sequence[np.ndarray], regions: np.ndarray, size: tuple[int, int]
) -> dict[str, np.ndarray]:
    """Each measure of each picture: (1, n), or (shuffles, n) for the shuffled networks."""
    measured = {name: values[None] for name, values in _measure(maps, regions, size).items()}
    of_shuffled = [_measure(each, regions, size) for each in shuffled]
    for name in measured.copy():
        measured[f"randomised_{name}"] = np.array([each[name] for each in of_shuffled])
    similarity = [rank_correlation(maps, each) for each in shuffled]
    return {**measured, "randomisation_similarity": np.array(similarity)}


def _measure(maps: np.ndarray, regions: np.ndarray, size: tuple[int, int]) -> dict[str, np.ndarray]:
    """Each measure of each picture, (n,); NaN where the map is empty or lacks the region."""
    shares, areas = region_shares(maps, regions, size), region_areas(regions)
    enrichment = np.full_like(shares, np.nan)
    np.divide(shares, areas, out=enrichment, where=areas > 0)
    measured = {f"share_{region}": shares[:, i] for i, region in enumerate(REGIONS)}
    measured["share_elsewhere"] = 1 - shares.sum(axis=1)
    measured |= {f"enrichment_{region}": enrichment[:, i] for i, region in enumerate(REGIONS)}
    measured["empty_maps"] = (maps.max(axis=(1, 2)) <= 0).astype(float)
    return measured


def rank_correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Spearman's correlation of each pair of maps (n, h, w), shape (n,).

    Equal values share their mean rank. NaN where a map is the same everywhere.
    """
    ranks = [rankdata(maps.reshape(len(maps), -1), axis=1) for maps in (first, second)]
    x, y = (rank - rank.mean(axis=1, keepdims=True) for rank in ranks)
    product = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    correlation = np.full(len(x), np.nan)
    np.divide((x * y).sum(axis=1), product, out=correlation, where=product > 0)
    return correlation


def _summarise(
    measured: Mapping[str, np.ndarray], columns: Mapping[str, object], explanation
) -> list[dict[str, object]]:
    """Means over all pictures, and over those of each expression."""
    labels, region_sources = explanation.labels, explanation.region_sources
    groups = {"all": (np.ones(len(labels), bool), "")}
    if "expression" in labels:
        for name in sorted(set(labels["expression"].astype(str)) - {"", "nan"}):
            members = (labels["expression"] == name).to_numpy()
            groups[name] = (members, explanation.sources["expression"])
    rows = []
    for expression, (members, source) in groups.items():
        for measure, each in measured.items():
            values = _finite_mean(each, axis=0)
            counted = members & np.isfinite(values)
            low, high = np.nan, np.nan
            people = labels.loc[counted, "identity"].nunique() if "identity" in labels else 0
            if people > 1:
                weights = people_weights(labels.loc[counted, "identity"])
                low, high = interval(weighted_mean(values[counted], weights), people)
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
