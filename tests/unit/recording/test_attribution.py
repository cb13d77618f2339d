"""Grad-CAM: the formula, the gradients of Keras models, and how much is on which region."""

import contextlib

import h5py
import keras
import numpy as np
import pandas as pd
import pytest
import scipy.stats
import xarray

import gradcam_reference as reference
from facestages import tables
from facestages.architectures import InputSpec
from facestages.errors import FacestagesError
from facestages.networks.keras_backend import KerasNetwork
from facestages.networks.pixels import PixelsNetwork
from facestages.recording import attribution as module
from facestages.recording.attribution import (
    choose_faces,
    explain_gradcam,
    gradcam,
    rank_correlation,
)
from facestages.stimuli import StimulusSet, write_stimuli
from facestages.stimuli.regions import CENTRED, EYES, LANDMARKS, find_regions, template_regions

# ------------------------------------------------------------------------------- the formula


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


# ------------------------------------------------------------------------------- Keras


def tiny(end="linear"):
    """The reference network with one of several ends."""
    layers = keras.layers
    inputs = keras.Input((reference.SIZE, reference.SIZE, 1))
    x = layers.Conv2D(4, 3, activation="relu", use_bias=False, name="first")(inputs)
    x = layers.Conv2D(6, 3, activation="relu", use_bias=False, name="second")(x)
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    softmax = {"dense": "softmax", "sigmoid": "sigmoid"}.get(end)
    x = layers.Dense(3, use_bias=False, activation=softmax, name="answer")(x)
    if end == "activation":
        x = layers.Activation("softmax", name="last")(x)
    if end == "softmax":
        x = layers.Softmax(name="last")(x)
    model = keras.Model(inputs, x)
    model.set_weights([reference.FIRST, reference.SECOND, reference.LINEAR])
    return KerasNetwork("tiny", model, InputSpec(reference.SIZE, 1))


def explain(network, layer="first", rows=slice(None)):
    output = list(network.layers)[-1]
    found = network.differentiate(reference.IMAGES[rows], [layer], output, reference.UNITS[rows])
    return gradcam(*found[layer])


@pytest.fixture(scope="module")
def network():
    return tiny()


def test_maps_are_those_of_the_definition(network):
    np.testing.assert_allclose(explain(network), reference.expected_maps(), atol=1e-5)


def test_activation_and_gradient_are_the_layers_own(network):
    layers = ["first", "second"]
    found = network.differentiate(reference.IMAGES, layers, "answer", reference.UNITS)
    recorded = network.record(reference.IMAGES, layers)
    for layer in layers:
        activation, gradient = found[layer]
        assert activation.shape == gradient.shape and activation.dtype == np.float32
        np.testing.assert_allclose(activation, recorded[layer], atol=1e-6)
    _, expected = reference.one_picture(reference.IMAGES[2], reference.UNITS[2])
    np.testing.assert_allclose(found["first"][1][2], expected, atol=1e-6)


@pytest.mark.parametrize("end", ["dense", "sigmoid", "activation", "softmax"])
def test_logits_are_explained_not_probabilities(network, end):
    other = tiny(end)
    np.testing.assert_allclose(explain(other), explain(network), atol=1e-6)
    output = list(other.layers)[-1]
    answers = other.record(reference.IMAGES, [output])[output]
    assert (answers > 0).all() and (answers < 1).all(), "the softmax is still there"


def test_cam_of_pooled_maps(network):
    """Before a mean and a linear layer, Grad-CAM is CAM (Zhou et al. 2016) but for its scale."""
    activation = network.record(reference.IMAGES, ["second"])["second"]
    cam = np.einsum("nhwc,nc->nhw", activation, reference.LINEAR.T[reference.UNITS])
    cam = np.maximum(cam, 0)
    np.testing.assert_allclose(
        explain(network, "second"), cam / cam.max(axis=(1, 2), keepdims=True), atol=1e-5
    )


def test_frozen_weights_and_batches_change_nothing(network):
    frozen = tiny("dense")
    frozen.model.trainable = False
    parts = [explain(frozen, rows=slice(start, start + 2)) for start in (0, 2, 4)]
    np.testing.assert_allclose(np.concatenate(parts), explain(network), atol=1e-6)


def test_inference_mode():
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(3, 3, name="conv")(inputs)
    x = keras.layers.Dropout(0.5)(keras.layers.BatchNormalization()(x))
    x = keras.layers.Dense(2, activation="softmax", name="out")(keras.layers.Flatten()(x))
    network = KerasNetwork("dropping", keras.Model(inputs, x), InputSpec(8, 1))
    faces = np.random.default_rng(0).integers(0, 256, (3, 8, 8), dtype=np.uint8)
    one, two = (
        network.differentiate(faces, ["conv"], "out", np.zeros(3))["conv"][1] for _ in range(2)
    )
    np.testing.assert_array_equal(one, two)
    alone = network.differentiate(faces[:1], ["conv"], "out", np.zeros(1))["conv"][1]
    np.testing.assert_allclose(alone, one[:1], atol=1e-6)


def test_layers_without_maps_or_behind_the_output_are_refused(network):
    with pytest.raises(FacestagesError, match=r"tiny: layer 'mean' \(6\) has no rows and columns"):
        explain(network, "mean")
    inputs = keras.Input((8, 8, 1))
    conv = keras.layers.Conv2D(2, 3, name="aside")(inputs)
    flat = keras.layers.Dense(2, name="out")(keras.layers.Flatten()(inputs))
    forked = KerasNetwork("forked", keras.Model(inputs, [conv, flat]), InputSpec(8, 1))
    faces = np.zeros((1, 8, 8), np.uint8)
    with pytest.raises(FacestagesError, match="'out' does not depend on layer 'aside'"):
        forked.differentiate(faces, ["aside"], "out", np.zeros(1))


def test_shuffled_weights_are_the_same_numbers_and_come_back():
    network = tiny()
    before, maps = network.weights_digest, explain(network)
    with pytest.raises(KeyError), network.randomised(1):
        for weight, values in zip(
            network.model.get_weights(),
            (reference.FIRST, reference.SECOND, reference.LINEAR),
            strict=True,
        ):
            np.testing.assert_array_equal(np.sort(weight.ravel()), np.sort(values.ravel()))
        digest, shuffled = network.weights_digest, explain(network)
        raise KeyError
    assert digest != before and np.abs(shuffled - maps).max() > 0.1
    assert network.weights_digest == before
    np.testing.assert_array_equal(explain(network), maps)


def test_biases_and_norms_are_not_shuffled():
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(3, 3, bias_initializer="glorot_normal")(inputs)
    x = keras.layers.BatchNormalization(gamma_initializer="glorot_normal")(x)
    x = keras.layers.Dense(2)(keras.layers.Flatten()(x))
    network = KerasNetwork("biased", keras.Model(inputs, x), InputSpec(8, 1))
    before = network.model.get_weights()
    with network.randomised(0):
        changed = [
            not np.array_equal(old, new)
            for old, new in zip(before, network.model.get_weights(), strict=True)
        ]
    assert changed == [weight.ndim > 1 for weight in before]


# ------------------------------------------------------------------------------- which faces


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


def test_the_choice_is_the_same_every_time_and_no_more_than_there_are():
    labels = posed_labels()
    np.testing.assert_array_equal(choose_faces(labels, 20), choose_faces(labels, 20))
    assert len(np.unique(choose_faces(labels, 20))) == 20
    np.testing.assert_array_equal(choose_faces(labels, 999), np.arange(70))
    assert len(choose_faces(pd.DataFrame({"stimulus_id": list("abcdef")}), 4)) == 4


def test_rank_correlation_is_spearmans():
    rng = np.random.default_rng(0)
    one, two = np.maximum(rng.normal(size=(2, 6, 5, 7)), 0)
    expected = [
        scipy.stats.spearmanr(a.ravel(), b.ravel())[0] for a, b in zip(one, two, strict=True)
    ]
    np.testing.assert_allclose(rank_correlation(one, two), expected)
    assert np.isnan(rank_correlation(np.zeros((1, 3, 3)), one[:1, :3, :3])).all()


# ------------------------------------------------------------------------------- the whole


class Looks:
    """Answers by the picture's brightness, and looks where it is told to."""

    name, weights_digest = "looks", "none"
    layers = {"conv": (4, 4, 1), "wide": (8, 8, 1), "answer": (2,)}
    shuffled = False

    def record(self, images, layers):
        bright = images.mean(axis=(1, 2)) / 255
        return {"answer": np.stack([bright, 1 - bright], axis=1).astype(np.float32)}

    def differentiate(self, images, layers, output, units):
        maps = {}
        for layer in layers:
            activation = np.zeros((len(images), *self.layers[layer]), np.float32)
            if self.shuffled:
                activation[:, 0, 0] = 1
            else:
                activation[:] = 1
                activation[images[:, 0, 0] == 1] = -1  # nothing speaks for these answers
            maps[layer] = activation, np.ones_like(activation)
        return maps

    @contextlib.contextmanager
    def randomised(self, seed):
        self.shuffled = True
        yield
        self.shuffled = False


@pytest.fixture
def faces(tmp_path):
    """24 pictures of 4 people; two give no map."""
    images = np.full((24, 16, 20), 200, np.uint8)
    images[::2] = 20
    images[:, 0, 0] = 0
    images[:2, 0, 0] = 1
    labels = pd.DataFrame(
        {
            "stimulus_id": [f"s{i:02d}" for i in range(24)],
            "identity": [f"p{i % 4}" for i in range(24)],
            "expression": [("happy", "sad", "")[i % 3] for i in range(24)],
        }
    )
    boxes = [(0.4, 0.1, 0.5, 0.9), (0.3, 0.1, 0.4, 0.9), (0.7, 0.3, 0.9, 0.7)]
    regions = np.tile(np.float32(boxes), (24, 1, 1))
    sources = {"identity": "posed", "expression": "posed"}
    stimuli = StimulusSet(images, labels, sources, {"rendered": 1}, regions=regions)
    path = tmp_path / "faces.h5"
    write_stimuli(path, stimuli, "faces")
    return path


STAGES = {"early": "conv", "final": "answer"}


def run(path, network=None, **options):
    out = path.with_name("maps.h5")
    options = {"classes": ["light", "dark"], "stages": STAGES} | options
    return explain_gradcam(network or Looks(), 3, stimuli=path, out=out, **options), out


def values_of(table, expression="all", layer="conv"):
    rows = table[(table["expression"] == expression) & (table["layer"] == layer)]
    return rows.set_index("measure")["value"]


def test_a_map_that_is_the_same_everywhere_is_enriched_nowhere(faces):
    values = values_of(run(faces)[0])
    for region, area in (("eyes", 0.08), ("brows", 0.08), ("mouth", 0.08)):
        assert values[f"enrichment_{region}"] == pytest.approx(1, rel=1e-5)
        assert values[f"share_{region}"] == pytest.approx(area, rel=1e-5)
    assert values["share_elsewhere"] == pytest.approx(0.76, rel=1e-5)
    assert values["empty_maps"] == pytest.approx(2 / 24)
    # The shuffled network looks into a corner.
    assert values["randomised_share_elsewhere"] > 0.95
    assert values["randomised_empty_maps"] == 0


def test_the_table_says_what_it_was_made_from(faces):
    table, _ = run(faces, shuffles=2)
    assert set(table["expression"]) == {"all", "happy", "sad"}
    shares = table[table["measure"] == "share_eyes"].set_index("expression")
    assert shares["n"].to_dict() == {"all": 22, "happy": 7, "sad": 7}
    assert shares.loc["all", "note"] == (
        "rendered landmarks; 2 of 24 maps left out: empty or without the region"
    )
    assert shares["label_source"].to_dict() == {"all": "", "happy": "posed", "sad": "posed"}
    assert (table["rendered"] == 1).all() and (table["seed"] == 3).all()
    assert set(table["stage"]) == {"early"}
    shuffled = table[table["measure"] == "randomised_share_mouth"].iloc[0]
    assert shuffled["note"] == "rendered landmarks; 2 shuffles, 0.00 to 0.00"
    known = table.dropna(subset=["value"])
    assert (known["ci_low"] <= known["value"] + 1e-9).all()
    assert (known["ci_high"] >= known["value"] - 1e-9).all()


def test_the_file_holds_maps_answers_and_regions(faces):
    _, path = run(faces, layers=["conv", "wide"])
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


def test_a_set_without_expressions_people_or_regions(faces):
    with h5py.File(faces, "r+") as file:
        for name in ("identity", "expression", "regions", "region", "edge"):
            del file[name]
    table, _ = run(faces, faces=5, classes=None)
    assert set(table["expression"]) == {"all"}
    assert table["ci_low"].isna().all() and not table["value"].isna().all()
    note = table.set_index("measure").loc["share_eyes", "note"]
    assert note.startswith(CENTRED)


def test_what_cannot_be_explained_is_said(faces):
    with pytest.raises(FacestagesError, match="pixels: has no answer"):
        run(faces, PixelsNetwork("pixels", InputSpec(8, 1)), stages={"early": "pixels"})
    with pytest.raises(FacestagesError, match="looks: no layer 'con': did you mean 'conv'"):
        run(faces, layers=["con"])
    with pytest.raises(FacestagesError, match="layer 'answer' .2. has no rows and columns"):
        run(faces, layers=["answer"])
    with pytest.raises(FacestagesError, match="'answer' has 2 units for 3 classes"):
        run(faces, classes=["a", "b", "c"])
    network = Looks()
    network.differentiate = lambda images, layers, output, units: {
        "conv": (np.full((len(images), 4, 4, 1), np.nan),) * 2
    }
    with pytest.raises(FacestagesError, match="layer conv: NaN or infinity for picture 's00"):
        run(faces, network)


def test_a_network_without_maps_gives_an_empty_table(faces, tmp_path, caplog):
    table, path = run(faces, stages={"final": "answer"})
    assert "looks: none of its stages has a map" in caplog.text
    with h5py.File(path) as file:
        assert list(file) == []
    tables.write_table(tmp_path / "t.csv", table)
    again = tables.read_tables([tmp_path / "t.csv"])
    assert len(again) == 0 and list(again) == list(table)


def test_batches_do_not_matter(faces, monkeypatch):
    table, _ = run(faces)
    monkeypatch.setattr(module, "_BATCH", 5)
    pd.testing.assert_frame_equal(table, run(faces)[0])


# ------------------------------------------------------------------------------- regions' source


def test_where_regions_come_from():
    labels = pd.DataFrame({"stimulus_id": list("abc"), "eye_distance": [80.0, np.nan, 75.0]})
    stored = np.zeros((3, 3, 4), np.float32)
    regions, sources = find_regions(labels, stored, margin=0.2)
    assert regions is stored and set(sources) == {LANDMARKS}
    regions, sources = find_regions(labels, margin=0.2)
    assert list(sources) == [EYES, CENTRED, EYES]
    np.testing.assert_array_equal(regions[0], template_regions(0.2))
    np.testing.assert_array_equal(regions[1], template_regions())
    assert set(find_regions(labels)[1]) == {CENTRED}
