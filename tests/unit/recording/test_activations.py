"""Recording to disk: complete, streamed, and readable by others."""

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score

from blurs import Blurs, write_blurs_faces
from facestages.analysis.geometry import measure_geometry
from facestages.analysis.parallel_analysis import noise_edge
from facestages.analysis.separability import score_separability
from facestages.errors import FacestagesError
from facestages.recording import activations as module
from facestages.recording.activations import record_activations
from facestages.stimuli import StimulusSet, write_stimuli


@pytest.fixture
def faces(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ROWS_A_CHUNK", 32)
    return write_blurs_faces(tmp_path / "faces.h5")


def record(tmp_path, network=None, layers=("wide", "narrow")):
    path = tmp_path / "activations.h5"
    record_activations(
        network or Blurs(), tmp_path / "faces.h5", layers, path, {"seed": 3, "network": "blurs"}
    )
    return path


def test_what_is_recorded_is_the_layers_output(tmp_path, faces):
    with h5py.File(record(tmp_path)) as file:
        expected = Blurs().record(faces.images, ["wide", "narrow"])
        for layer, output in expected.items():
            np.testing.assert_array_equal(file[layer]["activation"], output.reshape(70, -1))
        assert file.attrs["seed"] == 3
        assert file.attrs["stimuli_digest"] == faces.digest
        assert list(file["wide"].attrs["layer_shape"]) == [8, 8, 300]


def test_one_pass_in_small_batches(tmp_path, faces):
    network = Blurs()
    record(tmp_path, network)
    assert sum(network.batches) == 70
    assert max(network.batches) <= 10


def test_xarray_opens_every_layer(tmp_path, faces):
    path = record(tmp_path)
    with xarray.open_dataset(path, group="narrow", engine="h5netcdf") as data:
        assert data["activation"].dims == ("stimulus_id", "unit")
        assert list(data["identity"].values) == list(faces.labels["identity"])


def test_unknown_layer(tmp_path, faces):
    with pytest.raises(FacestagesError, match="no layer 'wid': did you mean 'wide'"):
        record(tmp_path, layers=["wid"])


def test_nan_is_named_and_nothing_is_left(tmp_path, faces):
    class Broken(Blurs):
        def record(self, images, layers):
            outputs = super().record(images, layers)
            # Not the fifth batch to come: two are on their way at once.
            if np.array_equal(images, faces.images[40:50]):
                outputs["narrow"][3, 2] = np.nan
            return outputs

    with pytest.raises(FacestagesError, match="layer narrow: NaN or infinity for picture 's43'"):
        record(tmp_path, Broken())
    assert [p.name for p in tmp_path.iterdir()] == ["faces.h5"]


def test_float16_halves_the_file_and_says_what_it_cost(tmp_path, faces):
    exact_path, path = record(tmp_path), tmp_path / "half.h5"
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


def test_geometry_and_silhouettes_are_those_of_scikit_learn(tmp_path, faces):
    path, out = record(tmp_path), tmp_path / "geometry.h5"
    measure_geometry(path, tmp_path / "faces.h5", 10, out)
    table = score_separability(
        out,
        tmp_path / "faces.h5",
        {"early": "wide", "final": "narrow"},
        ["identity", "expression", "sex"],
        [2, 10, "all"],
        permutations=50,
    )
    flat = Blurs().record(faces.images, ["narrow", "wide"])
    for stage, layer in [("early", "wide"), ("final", "narrow")]:
        points = flat[layer].reshape(70, -1).astype(float)
        pca = PCA(8, svd_solver="full").fit(points)
        for k, space in [(2, pca.transform(points)[:, :2]), ("all", points)]:
            own = table[(table.stage == stage) & (table.components == k)]
            own = own[own.measure.isin(["silhouette", "variance_explained"])].set_index("label")
            for label in ("identity", "expression"):
                expected = silhouette_score(space, faces.labels[label])
                assert own.loc[label, "value"] == pytest.approx(expected, abs=1e-5)
                assert own.loc[label, "label_source"] == "posed"
            if k == 2:
                explained = pca.explained_variance_ratio_[:2].sum()
                assert own.loc[np.nan, "value"] == pytest.approx(explained, abs=1e-6)
            assert "no label 'sex'" in own.loc["sex", "note"]
            assert own.loc["identity", "p"] == pytest.approx(1 / 51)
        every = PCA(svd_solver="full").fit(points)
        own = table[table.stage == stage].set_index("measure")["value"]
        for share in (60, 90):
            enough = np.argmax(every.explained_variance_ratio_.cumsum() > share / 100) + 1
            assert own[f"components_{share}"] == enough
        squares = every.explained_variance_ * 69
        edge = noise_edge(points.var(axis=0) * 70, 70)
        assert own["components_parallel_analysis"] == (squares > edge).sum()
    assert set(table[table.components == 10].components_used.dropna()) == {10, 8}


def test_a_layer_that_says_the_same_of_all_pictures_keeps_none_of_the_others(tmp_path, caplog):
    class Dead(Blurs):
        def record(self, images, layers):
            return {**super().record(images, layers), "narrow": np.full((len(images), 8), 0.3)}

    write_blurs_faces(tmp_path / "faces.h5")
    measure_geometry(record(tmp_path, Dead()), tmp_path / "faces.h5", 10, tmp_path / "g.h5")
    assert "layer narrow gives the same output for every picture" in caplog.text
    with h5py.File(tmp_path / "g.h5") as file:
        assert file["narrow"]["score"].shape == (70, 0) and file["wide"]["score"].shape == (70, 10)
    with xarray.open_dataset(tmp_path / "g.h5", group="narrow", engine="h5netcdf") as data:
        assert data.sizes["component"] == 0
    files = tmp_path / "g.h5", tmp_path / "faces.h5"
    table = score_separability(*files, {"early": "wide", "final": "narrow"}, ["identity"], [2], 9)
    values = table.groupby("layer")["value"]
    assert values.count()["narrow"] == 0 and values.count()["wide"] == len(values.get_group("wide"))


def test_activations_of_other_stimuli_are_refused(tmp_path, faces):
    path = record(tmp_path)
    other = StimulusSet(255 - faces.images, faces.labels, faces.sources)
    write_stimuli(tmp_path / "faces.h5", other, "faces")
    with pytest.raises(FacestagesError, match="made with another stimuli digest.*delete it"):
        measure_geometry(path, tmp_path / "faces.h5", 10, tmp_path / "geometry.h5")
    assert not (tmp_path / "geometry.h5").exists()


def test_pictures_without_a_label_are_left_out(tmp_path, faces):
    age = np.where(np.arange(70) % 5 == 0, np.nan, np.arange(70) % 2)
    labels = faces.labels.assign(age=age, none=np.nan)
    stimuli = StimulusSet(faces.images, labels, {**faces.sources, "age": "file", "none": "file"})
    write_stimuli(tmp_path / "faces.h5", stimuli, "faces")
    measure_geometry(record(tmp_path), tmp_path / "faces.h5", 10, tmp_path / "g.h5")
    table = score_separability(
        tmp_path / "g.h5", tmp_path / "faces.h5", {"final": "narrow"}, ["age", "none"], ["all"], 0
    )
    table = table[(table.stage == "final") & (table.measure == "silhouette")].set_index("label")
    known = np.isfinite(age)
    points = Blurs().record(faces.images, ["narrow"])["narrow"][known]
    assert table.loc["age", "value"] == pytest.approx(
        silhouette_score(points, age[known]), abs=1e-6
    )
    assert (table.loc["age", "n"], table.loc["age", "n_groups"]) == (56, 2)
    assert "no label 'none'" in table.loc["none", "note"]


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("expression", ["happy"] * 70, "one expression only"),
        ("identity", [f"p{i}" for i in range(70)], "no identity has two pictures"),
    ],
)
def test_labels_that_make_no_groups(tmp_path, faces, column, value, words):
    stimuli = StimulusSet(faces.images, faces.labels.assign(**{column: value}), faces.sources)
    write_stimuli(tmp_path / "faces.h5", stimuli, "faces")
    measure_geometry(record(tmp_path), tmp_path / "faces.h5", 10, tmp_path / "g.h5")
    files = tmp_path / "g.h5", tmp_path / "faces.h5"
    table = score_separability(*files, {"early": "wide"}, ["identity", "expression"], [2], 0)
    table = table[(table.stage == "early") & (table.measure == "silhouette")].set_index("label")
    assert table.note[column] == words and np.isnan(table.value[column])
    assert table["value"].notna().sum() == 1


def test_few_pictures_of_each_person_score_as_scikit_learn_has_them(tmp_path):
    """Three of ten pictures of each of 7 people: the mean over draws is that over such choices."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (70, 8, 8), dtype=np.uint8)
    people = np.arange(70) % 7
    images[:, 0] = 30 * people[:, None]
    names = [f"s{number:02d}" for number in range(70)]
    labels = pd.DataFrame({"stimulus_id": names, "identity": people.astype(str)})
    faces = StimulusSet(images, labels, {"identity": "posed"})
    write_stimuli(tmp_path / "faces.h5", faces, "faces")
    measure_geometry(record(tmp_path), tmp_path / "faces.h5", 10, tmp_path / "g.h5")
    files = tmp_path / "g.h5", tmp_path / "faces.h5", {"early": "wide"}, ["identity"], [2, "all"]
    table = score_separability(*files, 0, pictures_per_person=3)
    points = Blurs().record(images, ["wide"])["wide"].reshape(70, -1)
    drawn = []
    for _ in range(200):
        rows = np.concatenate([rng.choice(np.flatnonzero(people == p), 3, False) for p in range(7)])
        drawn.append(silhouette_score(points[rows], people[rows]))
    table = table[(table.stage == "early") & (table.components == "all")].set_index("measure")
    few, change = (table.loc[f"silhouette_subsampled{end}"] for end in ("", "_change"))
    error = np.std(drawn) / np.sqrt(20)
    assert few["value"] == pytest.approx(np.mean(drawn), abs=3 * error)
    assert few["n"] == 21 and "3 pictures a person" in few["note"]
    assert few["ci_low"] < few["value"] < few["ci_high"]
    assert change["value"] == pytest.approx(few["value"] - table.loc["silhouette", "value"])
    assert change["ci_high"] - change["ci_low"] < few["ci_high"] - few["ci_low"]
    # Of ten pictures six would be nearly all.
    table = score_separability(*files, 0, pictures_per_person=6)
    assert not table["measure"].str.contains("subsampled").any()
