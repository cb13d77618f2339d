"""Faces of blurs, and the geometry of their layers as recorded in full."""

import pytest

from blurs import LAYERS, Blurs, geometry, write_blurs_faces
from facestages.recording.activations import record_activations


@pytest.fixture
def faces(tmp_path):
    return write_blurs_faces(tmp_path / "faces.h5")


@pytest.fixture
def expected(tmp_path, faces):
    """Geometry of the layers as they were recorded in full."""
    path = tmp_path / "activations.h5"
    record_activations(Blurs(), tmp_path / "faces.h5", LAYERS, path, {"seed": 0})
    return geometry(tmp_path, path, "expected.h5")
