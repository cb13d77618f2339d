"""Gram matrices and principal components; `import facestages` names all public functions."""

from facestages.analysis.geometry import measure_geometry, principal_components
from facestages.gram import gram_matrix

__all__ = ["gram_matrix", "measure_geometry", "principal_components"]
