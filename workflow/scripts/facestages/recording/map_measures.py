"""Measures of each Grad-CAM map: how much of it lies on eyes, brows and mouth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata

from facestages.stimuli import REGIONS
from facestages.stimuli.regions import region_areas, region_shares


class MeasuredMaps(NamedTuple):
    """Measures of a network's maps, by name, picture by picture; NaN where a map has none."""

    #: Of the network's maps: (n,) each.
    own: dict[str, np.ndarray]
    #: Of the maps of networks with shuffled weights: (shuffles, n) each.
    shuffled: dict[str, np.ndarray]


def measure_maps(
    maps: np.ndarray, shuffled: Sequence[np.ndarray], regions: np.ndarray, size: tuple[int, int]
) -> MeasuredMaps:
    """Measure where each map of a layer lies.

    Parameters
    ----------
    maps : numpy.ndarray, shape (n, h, w)
        Of `recording.attribution.gradcam`.
    shuffled : sequence of numpy.ndarray, shape (n, h, w)
        The same of networks with shuffled weights.
    regions : numpy.ndarray, shape (n, 3, 4)
        As `stimuli.StimulusSet.regions`.
    size : tuple of two int
        Rows and columns of the pictures.

    Returns
    -------
    MeasuredMaps
        ``share_<region>`` and ``share_elsewhere`` of the map; ``enrichment_<region>``, the share of
        the map over the region's share of the picture; and ``empty_maps``, 1 for a map without a
        value above zero, which the other measures leave out. Of the shuffled networks, each of
        these as ``randomised_...``, and ``randomisation_similarity``, Spearman's correlation of
        their maps with the network's.
    """
    of_shuffled = [_measure(each, regions, size) for each in shuffled]
    own = _measure(maps, regions, size)
    randomised = {
        f"randomised_{name}": np.array([each[name] for each in of_shuffled]) for name in own
    }
    similarity = np.array([rank_correlation(maps, each) for each in shuffled])
    return MeasuredMaps(own, {**randomised, "randomisation_similarity": similarity})


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
