"""Recording to disk: complete, streamed, and readable by others."""

import h5py
import numpy as np
import pytest
import xarray

from blurs import Blurs, record_blurs, write_blurs_faces
from facestages.errors import FacestagesError
from facestages.recording import activations as module
from facestages.recording.activations import record_activations


@pytest.fixture
def faces(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ROWS_A_CHUNK", 32)
    return write_blurs_faces(tmp_path / "faces.h5")


def test_what_is_recorded_is_the_layers_output(tmp_path, faces):
    with h5py.File(record_blurs(tmp_path)) as file:
        expected = Blurs().record(faces.images, ["wide", "narrow"])
        for layer, output in expected.items():
            np.testing.assert_array_equal(file[layer]["activation"], output.reshape(70, -1))
        assert file.attrs["seed"] == 3
        assert file.attrs["stimuli_digest"] == faces.digest
        assert list(file["wide"].attrs["layer_shape"]) == [8, 8, 300]


def test_one_pass_in_small_batches(tmp_path, faces):
    network = Blurs()
    record_blurs(tmp_path, network)
    assert network.batches[:3] == [2, 1, 1], "to see whether it repeats itself"
    assert sum(network.batches[3:]) == 70
    assert max(network.batches) <= 10


def test_xarray_opens_every_layer(tmp_path, faces):
    path = record_blurs(tmp_path)
    with xarray.open_dataset(path, group="narrow", engine="h5netcdf") as data:
        assert data["activation"].dims == ("stimulus_id", "unit")
        assert list(data["stimulus_id"].values) == list(faces.labels["stimulus_id"])
        assert set(data.variables) == {"activation", "stimulus_id"}


def test_unknown_layer(tmp_path, faces):
    with pytest.raises(FacestagesError, match="no layer 'wid': did you mean 'wide'"):
        record_blurs(tmp_path, layers=["wid"])


def test_nan_is_named_and_nothing_is_left(tmp_path, faces):
    class Broken(Blurs):
        def record(self, images, layers):
            outputs = super().record(images, layers)
            # Not the fifth batch to come: two are on their way at once.
            if np.array_equal(images, faces.images[40:50]):
                outputs["narrow"][3, 2] = np.nan
            return outputs

    with pytest.raises(FacestagesError, match="layer narrow: NaN or infinity for picture 's43'"):
        record_blurs(tmp_path, Broken())
    assert {path.name for path in tmp_path.iterdir()} == {"faces.h5", "faces.labels.h5"}


def test_float16_halves_the_file_and_says_what_it_cost(tmp_path, faces):
    exact_path, path = record_blurs(tmp_path), tmp_path / "half.h5"
    layers = ["wide", "narrow"]
    record_activations(
        Blurs(), tmp_path / "faces.h5", layers, path, {"seed": 0}, precision="float16"
    )
    assert path.stat().st_size < 0.52 * exact_path.stat().st_size
    with h5py.File(path) as file, h5py.File(exact_path) as whole:
        for layer in layers:
            exact = whole[layer]["activation"][:].astype(float)
            error = file[layer]["activation"][:] - exact
            size = np.sqrt((exact**2).mean())
            attributes = file[layer].attrs
            assert attributes["float16_error"] == pytest.approx(np.sqrt((error**2).mean()) / size)
            assert attributes["float16_largest"] == pytest.approx(np.abs(error).max() / size)
            assert 1e-5 < attributes["float16_error"] < 5e-4


def test_values_beyond_float16_are_refused(tmp_path, faces):
    class Loud(Blurs):
        def record(self, images, layers):
            return {k: 1e5 * v for k, v in super().record(images, layers).items()}

    with pytest.raises(FacestagesError, match="layer .*is beyond float16.*precision: float32"):
        record_activations(
            Loud(), tmp_path / "faces.h5", ["wide"], tmp_path / "a.h5", {}, precision="float16"
        )
    assert not (tmp_path / "a.h5").exists()
