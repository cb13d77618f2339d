"""Silhouettes; `import facestages` names all public functions."""

from facestages.analysis.distances import distances, gram_distances
from facestages.analysis.separability import score_separability
from facestages.analysis.silhouette_scores import score_label
from facestages.analysis.silhouettes import silhouette, silhouette_null, silhouette_samples

__all__ = [
    "distances",
    "gram_distances",
    "score_label",
    "score_separability",
    "silhouette",
    "silhouette_null",
    "silhouette_samples",
]
