"""VGG16."""

import keras
import pytest

from facestages.errors import FacestagesError
from facestages.networks import load_network


def test_vgg16_has_the_published_size():
    vgg = load_network("x", architecture="vgg16")
    assert vgg.layers["fc2"] == (4096,)
    assert vgg.n_parameters == 138_357_544


def test_imagenet_weights_out_of_reach(tmp_path, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setattr(keras.src.utils.file_utils.config, "keras_home", lambda: str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(FacestagesError, match=f"put vgg16_.*_kernels.h5 into {tmp_path}/models"):
        load_network("vgg16", architecture="vgg16", weights="imagenet")
