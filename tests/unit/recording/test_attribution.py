"""Grad-CAM: the formula, the choice of faces, and the file of maps."""

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray

from facestages.architectures import InputSpec
from facestages.errors import FacestagesError
from facestages.networks.pixels import PixelsNetwork
from facestages.recording import attribution as module
from facestages.recording.attribution import choose_faces, gradcam
from facestages.stimuli import read_labels, write_labels
from looks import Looks, explain, write_looks_faces


def test_gradcam_is_its_definition():
    rng = np.random.default_rng(0)
    activation, gradient = rng.normal(size=(2, 3, 4, 5, 6))
    maps = gradcam(activation, gradient)
    for n in range(3):
        alpha = gradient[n].mean(axis=(0, 1))
        raw = np.maximum(sum(alpha[k] * activation[n, :, :, k] for k in range(6)), 0)
        np.testing.assert_allclose(maps[n], raw / raw.max(), rtol=1e-5)
    assert maps.dtype == np.float32 and (maps.max(axis=(1, 2)) == 1).all()


def test_a_map_without_a_value_above_zero_stays_empty():
    activation = np.ones((2, 3, 3, 1), np.float32)
    gradient = np.stack([-np.ones((3, 3, 1)), 1e-20 * np.ones((3, 3, 1))]).astype(np.float32)
    maps = gradcam(activation, gradient)
    assert (maps[0] == 0).all() and (maps[1] == 1).all()


@pytest.mark.parametrize("shapes", [((2, 3, 3), (2, 3, 3)), ((2, 3, 3, 4), (2, 3, 3, 5))])
def test_what_is_no_pair_of_maps_is_refused(shapes):
    with pytest.raises(FacestagesError, match="activation and gradient of one shape"):
        gradcam(*map(np.zeros, shapes))


def posed_labels(people=10, expressions=7):
    return pd.DataFrame(
        [
            {"identity": f"p{i}", "expression": f"e{j}"}
            for i in range(people)
            for j in range(expressions)
        ]
    )


def test_expressions_and_people_come_equally_often():
    chosen = posed_labels().iloc[choose_faces(posed_labels(), 35)]
    assert set(chosen["expression"].value_counts()) == {5}
    assert chosen["identity"].value_counts().between(3, 4).all()


def test_a_common_expression_does_not_crowd_out_the_others():
    labels = pd.DataFrame({"expression": ["neutral"] * 90 + ["happy"] * 6 + ["sad"] * 4})
    chosen = labels.iloc[choose_faces(labels, 12)]["expression"]
    assert chosen.value_counts().to_dict() == {"neutral": 4, "happy": 4, "sad": 4}


def test_labels_choose_no_face(faces):
    def explained():
        return xarray.open_dataset(explain(faces, faces=7), group="conv", engine="h5netcdf").load()

    before = explained()
    labels, sources, _ = read_labels(faces)
    corrected = labels.assign(identity="somebody", expression="sad")
    write_labels(faces.with_name("faces.labels.h5"), corrected, sources, "faces")
    xarray.testing.assert_identical(explained(), before)


def test_the_choice_is_the_same_every_time_and_no_more_than_there_are():
    labels = posed_labels()
    np.testing.assert_array_equal(choose_faces(labels, 20), choose_faces(labels, 20))
    assert len(np.unique(choose_faces(labels, 20))) == 20
    np.testing.assert_array_equal(choose_faces(labels, 999), np.arange(70))
    assert len(choose_faces(pd.DataFrame({"stimulus_id": list("abcdef")}), 4)) == 4


@pytest.fixture
def faces(tmp_path):
    return write_looks_faces(tmp_path / "faces.h5")


def test_the_file_holds_maps_answers_and_regions(faces):
    explain(faces, layers=["conv", "wide"])
    path = faces.with_name("maps.h5")
    for layer, side in (("conv", 4), ("wide", 8)):
        read = xarray.open_dataset(path, group=layer, engine="h5netcdf")
        assert read["map"].dims == ("stimulus_id", "row", "column")
        assert read["map"].shape == read["randomised_map"].shape == (24, side, side)
        assert read["map"].dtype == np.float16
        assert read["regions"].sel(region="mouth", edge="bottom").values[0] == np.float32(0.9)
    assert list(read["answer"].values[:2]) == ["dark", "light"]
    np.testing.assert_allclose(read["probability"].values[:2], [0.922, 0.782], atol=2e-3)
    with h5py.File(path) as file:
        assert file.attrs["kind"] == "attribution" and file.attrs["seed"] == 3
        assert file["conv/answer"].attrs["source"] == "network:looks"


def test_what_cannot_be_explained_is_said(faces):
    with pytest.raises(FacestagesError, match="pixels: has no answer"):
        explain(faces, PixelsNetwork("pixels", InputSpec(8, 1)), stages={"early": "pixels"})
    with pytest.raises(FacestagesError, match="looks: no layer 'con': did you mean 'conv'"):
        explain(faces, layers=["con"])
    with pytest.raises(FacestagesError, match="layer 'answer' .2. has no rows and columns"):
        explain(faces, layers=["answer"])
    with pytest.raises(FacestagesError, match="'answer' has 2 units for 3 classes"):
        explain(faces, classes=["a", "b", "c"])
    network = Looks()
    network.differentiate = lambda images, layers, output, units: {
        "conv": (np.full((len(images), 4, 4, 1), np.nan),) * 2
    }
    with pytest.raises(FacestagesError, match="layer conv: NaN or infinity for picture 's00"):
        explain(faces, network)


def test_a_network_without_maps_gives_an_empty_file(faces, caplog):
    path = explain(faces, stages={"final": "answer"})
    assert "looks: none of its stages has a map" in caplog.text
    with h5py.File(path) as file:
        assert list(file) == []


def test_batches_do_not_matter(faces, monkeypatch):
    def maps():
        with h5py.File(explain(faces)) as file:
            return file["conv/map"][:]

    before = maps()
    monkeypatch.setattr(module, "_BATCH", 5)
    np.testing.assert_array_equal(maps(), before)
