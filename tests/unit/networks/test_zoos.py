"""Networks of Keras Applications; those of timm and torchvision are tested in tests/torch."""

import inspect
import sys

import keras
import numpy as np
import pytest

from facestages.architectures import ARCHITECTURES, InputSpec
from facestages.errors import FacestagesError
from facestages.networks import load_network
from facestages.networks.inputs import prepare_images
from facestages.networks.zoos import _find_scaling, _whole_downloads

APPLICATIONS = dict(inspect.getmembers(keras.applications, inspect.isfunction))


def public_module(name):
    """The module that users import an application and its preprocessing from."""
    if name.startswith("MobileNetV3"):
        return keras.applications.mobilenet_v3
    modules = inspect.getmembers(keras.applications, inspect.ismodule)
    return next(module for _, module in modules if hasattr(module, name))


@pytest.mark.parametrize("name", APPLICATIONS)
def test_preprocessing_is_the_librarys_own(name):
    images = np.random.default_rng(0).integers(0, 256, (2, 5, 5, 3), dtype=np.uint8)
    expected = public_module(name).preprocess_input(images.astype(np.float32))
    found = _find_scaling(sys.modules[APPLICATIONS[name].__module__].preprocess_input)
    prepared = prepare_images(images, InputSpec(5, 3, found))
    np.testing.assert_allclose(prepared, expected, rtol=1e-5, atol=1e-4)


def test_every_kind_of_preprocessing_occurs():
    kinds = {_find_scaling(public_module(name).preprocess_input) for name in APPLICATIONS}
    assert kinds == {"none", "symmetric", "imagenet", "caffe"}


def test_a_preprocessing_that_is_not_known():
    with pytest.raises(FacestagesError, match="none that is known: give the key 'input'"):
        _find_scaling(lambda images: images**2)


def test_an_application_with_its_own_input():
    network = load_network("x", zoo=("keras_application", "MobileNetV2"))
    assert network.input == InputSpec(224, 3, "symmetric")
    assert network.n_parameters == 3_538_984, "as its authors say: 3.5 million"
    assert network.layers["predictions"] == (1000,)


def test_an_application_with_classes_input_and_weights_of_ones_own(tmp_path):
    source = {"zoo": ("keras_application", "MobileNet"), "classes": ["a", "b"]}
    source["input"] = {"size": 32, "channels": 3, "scaling": "unit"}
    network = load_network("x", **source, seed=1)
    assert network.layers["predictions"] == (2,) and network.input == InputSpec(32, 3)
    network.model.save_weights(tmp_path / "own.weights.h5")
    network.model.save(tmp_path / "whole.keras")
    for file in ("own.weights.h5", "whole.keras"):
        own = load_network("x", **source, weights=str(tmp_path / file), seed=2)
        assert own.weights_digest == network.weights_digest
    assert load_network("x", **source, seed=2).weights_digest != network.weights_digest


def test_vgg16_is_as_published():
    vgg = load_network("x", architecture="vgg16")
    assert vgg.layers["fc2"] == (4096,)
    assert vgg.n_parameters == 138_357_544
    assert vgg.input == ARCHITECTURES["vgg16"].input, "what the plan counts on is what it gets"


def test_weights_out_of_reach(tmp_path, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setattr(keras.src.utils.file_utils.config, "keras_home", lambda: str(tmp_path))
    with pytest.raises(FacestagesError) as caught:
        load_network("vgg16", architecture="vgg16", weights="pretrained")
    first, second = str(caught.value).splitlines()
    assert "vgg16_weights_tf_dim_ordering_tf_kernels.h5" in first
    assert f"put the file into {tmp_path}/models" in second
    assert not [path for path in tmp_path.rglob("*") if path.is_file()], "nothing half-written"


def test_weights_in_the_users_cache(tmp_path, monkeypatch):
    """A file there is taken without a connection; this one is of random weights."""
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setattr(keras.src.utils.file_utils.config, "keras_home", lambda: str(tmp_path))
    network = load_network("x", zoo=("keras_application", "MobileNetV2"), seed=3)
    file = tmp_path / "models" / "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5"
    file.parent.mkdir()
    network.model.save_weights(tmp_path / "own.weights.h5")
    (tmp_path / "own.weights.h5").rename(file.with_suffix(".weights.h5"))
    # Keras reads this file by its name alone, which says that it is of the format of version 2.
    monkeypatch.setattr(keras.Model, "load_weights", lambda model, path: reads.append(path))
    reads = []
    file.with_suffix(".weights.h5").rename(file)
    pretrained = load_network("x", zoo=("keras_application", "MobileNetV2"), weights="pretrained")
    assert reads == [str(file)] and pretrained.input == network.input


def test_a_download_has_its_name_when_it_is_whole(tmp_path):
    from keras.src.utils import file_utils

    (tmp_path / "source").write_bytes(b"weights")
    target = tmp_path / "weights.h5"
    seen = []
    with _whole_downloads():
        file_utils.urlretrieve(
            (tmp_path / "source").as_uri(), str(target), lambda *_: seen.append(target.exists())
        )
    assert target.read_bytes() == b"weights" and not any(seen)
    with _whole_downloads(), pytest.raises(OSError):
        file_utils.urlretrieve((tmp_path / "none").as_uri(), str(target))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source", "weights.h5"]


def test_a_name_that_is_not_there():
    with pytest.raises(FacestagesError, match="network x: .*'ResNet5': .* mean 'ResNet50'"):
        load_network("x", zoo=("keras_application", "ResNet5"))
    with pytest.raises(FacestagesError, match="'resnet50': no such network"):
        load_network("x", zoo=("keras_application", "resnet50"))
