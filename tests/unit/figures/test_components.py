"""What Figures 5 to 7 share: which networks are shown, and how their layers are named."""

import pytest

import affect_files
from facestages.figures.components import read_study
from facestages.figures.face_set import read_face_set


@pytest.fixture
def study(tmp_path):
    """A network, one without the stage, and one that is absent."""
    faces, geometry = tmp_path / "faces.h5", tmp_path / "net.h5"
    affect_files.write_geometry(geometry, faces, affect_files.write_faces(faces), seed=3)
    net = {"label": "NET", "stage": "late", "layer": "top", "geometry": geometry}
    pixels = {"label": "Pixels", "stage": "late", "layer": "", "geometry": None}
    networks = {"net": net, "pixels": pixels}
    return read_study(networks, read_face_set(faces), absent={"RMN": "no weights"})


def test_networks_without_the_stage_are_absent(study):
    assert study.labels == {"net": "NET"}
    assert study.absent == {"RMN": "no weights", "Pixels": "the network has no stage 'late'"}
    error = study.nothing_to_draw("Figure 5")
    assert str(error).startswith("Figure 5 has nothing to draw: RMN: no weights; Pixels: the ")


def test_layers_are_named_with_their_seeds(study):
    assert study.name_layers() == "the late layer (NET: top, seed 3)"
    columns = {"network": "net", "seed": 3, "stage": "late", "layer": "top"}
    assert study.networks["net"].columns == {"dataset": "faces", "rendered": 1, **columns}


def test_reference_is_named(study):
    assert study.source == "declared"
    assert affect_files.SOURCE in study.describe_signs()
