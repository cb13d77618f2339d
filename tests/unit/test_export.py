"""What other libraries get: named arrays, and the same dissimilarities as rsatoolbox finds."""

import sys

import numpy as np
import pandas as pd
import pytest
import rsatoolbox
from scipy.spatial.distance import squareform

from blurs import Blurs, write_blurs_faces
from facestages.analysis.geometry import measure_geometry
from facestages.analysis.rdms import model_rdms
from facestages.analysis.rsa import correlate_rdms
from facestages.errors import FacestagesError
from facestages.export import to_rsatoolbox, to_rsatoolbox_rdms, to_xarray
from facestages.recording.activations import record_activations
from facestages.stimuli import write_labels


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Paths of a face set, of a network's activations and of their geometry; and the faces."""
    folder = tmp_path_factory.mktemp("export")
    stimuli, activations, geometry = (
        folder / f"{name}.h5" for name in ("faces", "activations", "geometry")
    )
    faces = write_blurs_faces(stimuli)
    record_activations(Blurs(), stimuli, ["wide", "narrow"], activations, {"seed": 3})
    measure_geometry(activations, stimuli, 6, geometry)
    return {
        "stimuli": stimuli,
        "labels": folder / "faces.labels.h5",
        "activations": activations,
        "geometry": geometry,
        "faces": faces,
    }


def test_activations_in_xarray(files):
    with to_xarray(files["activations"], "wide", files["labels"]) as data:
        assert data["activation"].dims == ("stimulus_id", "unit")
        assert data["activation"].shape == (70, 8 * 8 * 300)
        assert data.attrs["network"] == "blurs" and data.attrs["seed"] == 3
        assert list(data.attrs["layer_shape"]) == [8, 8, 300]
        assert data["identity"].attrs["source"] == "posed"
        chosen = data.set_xindex("identity").sel(identity="p2")
        expected = Blurs().record(files["faces"].images[2::7], ["wide"])["wide"]
        np.testing.assert_array_equal(chosen["activation"], expected.reshape(10, -1))


def test_without_labels_pictures_have_names_alone(files):
    with to_xarray(files["activations"], "narrow") as data:
        assert list(data.coords) == ["stimulus_id"]
    data = to_rsatoolbox(files["geometry"], "narrow")
    assert set(data.obs_descriptors) == {"stimulus_id"}
    assert data.descriptors["rendered"] == 0 and "source_identity" not in data.descriptors


def test_geometry_in_xarray(files):
    with to_xarray(files["geometry"], "narrow", files["labels"]) as data:
        assert {"identity", "expression", "component"} <= set(data.coords)
        assert set(data.data_vars) == {"gram", "score", "eigenvalue", "variance_ratio"}
        assert list(data["component"]) == [1, 2, 3, 4, 5, 6]
        means = data["score"].groupby("expression").mean()
        assert means.sizes == {"expression": 2, "component": 6}


def test_a_label_that_has_the_name_of_an_array(files, tmp_path):
    ids = files["faces"].labels["stimulus_id"]
    names = ("unit", "activation", "label_unit", "region")
    labels = pd.DataFrame({"stimulus_id": ids} | {name: f"{name} of " + ids for name in names})
    write_labels(tmp_path / "l.h5", labels, dict.fromkeys(names, "file"), "faces")
    with to_xarray(files["activations"], "narrow", tmp_path / "l.h5") as data:
        assert data["activation"].dims == ("stimulus_id", "unit")
        for name, told in (
            ("label_unit", "unit of s3"),
            ("label_activation", "activation of s3"),
            ("label_label_unit", "label_unit of s3"),
            ("region", "region of s3"),
        ):
            assert data[name][3] == told and data[name].attrs["source"] == "file"


@pytest.mark.parametrize(("kind", "channels"), [("activations", 19_200), ("geometry", 6)])
def test_measurements_for_rsatoolbox(files, kind, channels):
    data = to_rsatoolbox(files[kind], "wide", files["labels"])
    assert data.measurements.shape == (70, channels)
    assert list(data.obs_descriptors["identity"]) == list(files["faces"].labels["identity"])
    described = {"dataset": "faces", "network": "blurs", "seed": 3, "layer": "wide"}
    described |= {"rendered": 0, "source_identity": "posed", "source_expression": "posed"}
    assert data.descriptors == described
    happy = data.subset_obs("expression", "happy")
    assert happy.n_obs == (files["faces"].labels["expression"] == "happy").sum()


@pytest.mark.parametrize("layer", ["wide", "narrow"])
def test_dissimilarities_are_those_of_rsatoolbox(files, layer):
    own = to_rsatoolbox_rdms(files["geometry"], layer)
    theirs = rsatoolbox.rdm.calc_rdm(to_rsatoolbox(files["activations"], layer))
    assert own.dissimilarity_measure == theirs.dissimilarity_measure
    scale = theirs.dissimilarities.max()
    np.testing.assert_allclose(own.dissimilarities, theirs.dissimilarities, atol=1e-6 * scale)
    assert list(own.pattern_descriptors["stimulus_id"]) == [f"s{n}" for n in range(70)]
    assert own.rdm_descriptors["layer"] == [layer]


def test_correlations_are_those_of_rsatoolbox(files):
    table = correlate_rdms(files["geometry"], files["stimuli"], {}, ["all"], 0, 20)
    table = table[table["layer"] == "wide"].set_index(["label", "measure"])["value"]
    layer = to_rsatoolbox_rdms(files["geometry"], "wide")
    for label, model in model_rdms(files["faces"].labels).items():
        predicted = rsatoolbox.rdm.RDMs(squareform(model)[None])
        for measure, method in (("spearman", "spearman"), ("rho_a", "rho-a")):
            expected = rsatoolbox.rdm.compare(layer, predicted, method=method).item()
            assert table[label, measure] == pytest.approx(expected, abs=1e-6)


def test_components_give_their_own_distances(files):
    """All but a little of the distance, over another number of channels."""
    own = to_rsatoolbox_rdms(files["geometry"], "narrow").dissimilarities * 8
    of_components = rsatoolbox.rdm.calc_rdm(to_rsatoolbox(files["geometry"], "narrow"))
    assert np.corrcoef(own, of_components.dissimilarities * 6)[0, 1] > 0.95


def test_wrong_files_and_layers_are_refused(files):
    with pytest.raises(FacestagesError, match="no layer 'wid': did you mean 'wide'"):
        to_rsatoolbox(files["geometry"], "wid")
    with pytest.raises(FacestagesError, match="no layer 'deep'"):
        to_xarray(files["activations"], "deep")
    with pytest.raises(FacestagesError, match="holds activations where geometry is needed"):
        to_rsatoolbox_rdms(files["activations"], "wide")
    with pytest.raises(FacestagesError, match="holds stimuli where activations or geometry"):
        to_rsatoolbox(files["stimuli"], "wide")


@pytest.mark.parametrize(
    ("hidden", "export", "packages"),
    [
        ("xarray", to_xarray, "xarray h5netcdf"),
        ("h5netcdf", to_xarray, "xarray h5netcdf"),
        ("rsatoolbox", to_rsatoolbox, "rsatoolbox"),
        ("rsatoolbox", to_rsatoolbox_rdms, "rsatoolbox"),
    ],
)
def test_a_missing_library_is_named(files, monkeypatch, hidden, export, packages):
    monkeypatch.setitem(sys.modules, hidden, None)
    with pytest.raises(FacestagesError, match=f"pip install {packages}"):
        export(files["geometry"], "wide")
