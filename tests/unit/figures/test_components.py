"""What Figures 5 to 7 share: which networks are shown, and how their layers are named."""

import affect_files
from facestages.analysis.components import read_reference
from facestages.figures import components
from facestages.figures.face_set import read_face_set


def entry(label, layer, geometry=None):
    return {"label": label, "stage": "late", "layer": layer, "geometry": geometry}


def test_networks_without_the_stage_are_absent():
    networks = {"net": entry("NET", "top"), "pixels": entry("Pixels", "")}
    there, absent = components.drawable_networks(networks, {"RMN": "no weights"})
    assert list(there) == ["net"]
    assert absent == {"RMN": "no weights", "Pixels": "the network has no stage 'late'"}
    assert components.no_network(absent).startswith("RMN: no weights; Pixels: ")


def test_layers_are_named_with_their_seeds(tmp_path):
    faces = tmp_path / "faces.h5"
    labels = affect_files.write_faces(faces)
    geometry = tmp_path / "net.h5"
    affect_files.write_geometry(geometry, faces, labels, seed=3)
    networks = {"net": entry("NET", "top", geometry)}
    shown = components.read_networks(networks, read_face_set(faces), read_reference(faces))
    words = components.name_layers(shown.values())
    assert words == "the late layer (NET: top, seed 3)"
    columns = {"network": "net", "seed": 3, "stage": "late", "layer": "top"}
    assert shown["net"].columns == {"dataset": "faces", "rendered": 1, **columns}
