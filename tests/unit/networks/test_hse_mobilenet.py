"""The MobileNet that knows people: its layers, its weights' format, and what it sees in ORL."""

import json

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from face_sets import ASSETS
from facestages.errors import FacestagesError
from facestages.networks import load_network
from facestages.networks.hse_mobilenet import BLOCKS, read_arrays
from facestages.stimuli.orl import list_orl

WEIGHTS = ASSETS / "hse_mobilenet" / "package" / "models" / "faceres.bin"
ORL = ASSETS / "orl"


def made_up_arrays():
    """Arrays with the published names and shapes, as float16 and small."""
    shapes = {
        "conv1/convolution/merged_input": (3, 3, 3, 32),
        "conv1_bn/batchnorm_1/sub": (32,),
        "feats/kernel": (1024, 256),
        "feats/bias": (256,),
        "gender_pred/kernel": (256, 1),
        "gender_pred/bias": (1,),
        "age_pred/kernel": (256, 100),
        "age_pred/bias": (100,),
    }
    before = 32
    for number, (channels, _) in enumerate(BLOCKS, start=1):
        shapes[f"conv_dw_{number}/depthwise_kernel"] = (3, 3, before, 1)
        for what in ("mul", "sub"):
            shapes[f"conv_dw_{number}_bn/batchnorm_1/{what}"] = (before,)
        shapes[f"conv_pw_{number}/convolution/merged_input"] = (1, 1, before, channels)
        shapes[f"conv_pw_{number}_bn/batchnorm_1/sub"] = (channels,)
        before = channels
    rng = np.random.default_rng(0)
    return {
        name: rng.normal(scale=0.1, size=shape).astype(np.float16)
        for name, shape in reversed(shapes.items())
    }


def write(folder, arrays):
    """Both files of a graph model of TensorFlow.js."""
    weights = [
        {
            "name": name,
            "shape": list(array.shape),
            "dtype": "float32",
            "quantization": {"dtype": "float16", "original_dtype": "float32"},
        }
        for name, array in arrays.items()
    ]
    weights.append({"name": "global_pooling/axes", "shape": [2], "dtype": "int32"})
    manifest = [{"paths": ["net.bin"], "weights": weights}]
    (folder / "net.json").write_text(json.dumps({"weightsManifest": manifest}))
    axes = np.array([1, 2], "<i4").tobytes()
    path = folder / "net.bin"
    path.write_bytes(b"".join(array.tobytes() for array in arrays.values()) + axes)
    return path


def load(path):
    return load_network("m", architecture="hse_mobilenet", weights=path)


def relu6(x):
    return np.clip(x, 0, 6)


def test_weights_come_from_the_two_files(tmp_path):
    arrays = made_up_arrays()
    network = load(write(tmp_path, arrays).parent)
    rng = np.random.default_rng(1)
    pictures = rng.integers(0, 256, (2, 224, 224, 3), np.uint8)
    layers = ["conv1_relu", "conv_dw_1_relu", "conv_dw_2_relu", "conv_pw_13_relu", "global_pooling"]
    layers += ["feats", "gender_pred", "age_pred"]
    out = network.record(pictures, layers)
    arrays = {name: array.astype(np.float64) for name, array in arrays.items()}

    # Padding of TensorFlow: with stride 2, one row and column after the picture and none before.
    blue_first = (pictures - np.array([123.68, 116.779, 103.939]))[..., ::-1]
    padded = np.pad(blue_first, [(0, 0), (0, 1), (0, 1), (0, 0)])
    patch = padded[:, 222:225, 222:225].reshape(2, -1)
    kernel = arrays["conv1/convolution/merged_input"].reshape(-1, 32)
    expected = relu6(patch @ kernel + arrays["conv1_bn/batchnorm_1/sub"])
    np.testing.assert_allclose(out["conv1_relu"][:, 111, 111], expected, rtol=1e-4, atol=1e-4)

    before = np.pad(out["conv1_relu"].astype(float), [(0, 0), (1, 1), (1, 1), (0, 0)])
    sums = np.einsum(
        "nijc,ijc->nc", before[:, :3, :3], arrays["conv_dw_1/depthwise_kernel"][..., 0]
    )
    scaled = sums * arrays["conv_dw_1_bn/batchnorm_1/mul"]
    expected = relu6(scaled + arrays["conv_dw_1_bn/batchnorm_1/sub"])
    np.testing.assert_allclose(out["conv_dw_1_relu"][:, 0, 0], expected, rtol=1e-4, atol=1e-4)
    assert out["conv_dw_2_relu"].shape == (2, 56, 56, 64)

    means = out["conv_pw_13_relu"].mean(axis=(1, 2))
    np.testing.assert_allclose(out["global_pooling"], means, rtol=1e-4, atol=1e-5)
    feats = np.maximum(means @ arrays["feats/kernel"] + arrays["feats/bias"], 0)
    np.testing.assert_allclose(out["feats"], feats, rtol=1e-3, atol=1e-3)
    gender = feats @ arrays["gender_pred/kernel"] + arrays["gender_pred/bias"]
    np.testing.assert_allclose(out["gender_pred"], 1 / (1 + np.exp(-gender)), atol=1e-3)
    np.testing.assert_allclose(out["age_pred"].sum(axis=1), 1, atol=1e-4)
    assert network.n_parameters == 3_484_389


def test_arrays_are_read_as_float32_in_their_order(tmp_path):
    arrays = {"a": np.arange(6, dtype=np.float16).reshape(2, 3), "b": np.float16([7, 8])}
    read = read_arrays(write(tmp_path, arrays))
    assert {name: array.dtype for name, array in read.items()} == dict.fromkeys(read, np.float32)
    np.testing.assert_array_equal(read["a"], arrays["a"])
    np.testing.assert_array_equal(read["b"], [7, 8])
    np.testing.assert_array_equal(read["global_pooling/axes"], [1, 2])


def damage_cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def damage_lost(path):
    path.with_suffix(".json").unlink()


def damage_no_json(path):
    path.with_suffix(".json").write_text("{")


def damage_negative(path):
    text = path.with_suffix(".json").read_text()
    path.with_suffix(".json").write_text(text.replace('"shape": [2]', '"shape": [-2]'))


@pytest.mark.parametrize("damage", [damage_cut, damage_lost, damage_no_json, damage_negative])
def test_damaged_files_are_one_line(tmp_path, damage):
    path = write(tmp_path, {"a": np.float16([7, 8])})
    damage(path)
    with pytest.raises(FacestagesError) as error:
        read_arrays(path)
    assert "net.json" in str(error.value) and len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("change", ["lacks", "shape"])
def test_weights_of_another_network_are_refused(tmp_path, change):
    arrays = made_up_arrays()
    if change == "lacks":
        del arrays["conv_dw_7_bn/batchnorm_1/mul"]
        reason = "nothing is called conv_dw_7_bn/batchnorm_1/mul"
    else:
        arrays["feats/kernel"] = arrays["feats/kernel"][:512]
        reason = r"'feats' has \(512, 256\) and \(256,\), not"
    with pytest.raises(FacestagesError, match=f"not the weights of hse_mobilenet: {reason}"):
        load(write(tmp_path, arrays))


@pytest.mark.skipif(not (WEIGHTS.exists() and ORL.exists()), reason="assets are not fetched")
def test_it_knows_the_people_of_orl():
    """Twelve of the 40 people, as whole pictures; a plain torch script gave 1.0 for all 40."""
    pictures = list_orl(ORL).pictures[:120]
    people = np.array([picture.stimulus_id[:3] for picture in pictures])
    images = np.stack([np.asarray(picture.read()) for picture in pictures])
    network = load(WEIGHTS)
    layers = ["conv1_relu", "global_pooling"]
    parts = [network.record(images[start : start + 16], layers) for start in range(0, 120, 16)]
    scores = []
    for layer in layers:
        x = np.concatenate([part[layer].reshape(len(part[layer]), -1) for part in parts])
        scores.append(silhouette_score(x, people))
    nearest = ((x[:, None] - x[None]) ** 2).sum(axis=2) + np.diag(np.full(120, np.inf))
    assert np.mean(people[nearest.argmin(axis=1)] == people) == 1
    assert scores[1] > scores[0] + 0.2
