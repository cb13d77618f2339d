"""What a network computes on, how many pictures at a time, and from how many threads."""

import pytest
import tensorflow as tf

from facestages.errors import FacestagesError
from facestages.networks import devices, load_network


def load(**options):
    return load_network("nn", architecture="light_cnn", classes=["a", "b"], **options)


def see(monkeypatch, gpus):
    """Have every framework see so many GPUs."""
    physical = [f"GPU:{number}" for number in range(gpus)]
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: physical)


def test_a_gpu_that_is_not_there(monkeypatch):
    see(monkeypatch, 0)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with pytest.raises(FacestagesError) as caught:
        load(gpu=1)
    assert str(caught.value) == (
        f"gpu=1 was asked for, but tensorflow {tf.__version__} sees none. Run it on a machine with "
        "a GPU, with a build of tensorflow that supports it, or set analysis.gpu to 0"
    )


def test_fewer_gpus_than_asked_for(monkeypatch):
    see(monkeypatch, 1)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    devices.require_gpus(1, "tensorflow")
    with pytest.raises(FacestagesError, match=r"gpu=2 .* sees 1 \(CUDA_VISIBLE_DEVICES='3'\)\. "):
        devices.require_gpus(2, "tensorflow")


def test_without_asking_nothing_is_needed(monkeypatch):
    see(monkeypatch, 0)
    devices.require_gpus(0, "tensorflow")
    assert load_network("pixels", architecture="pixels", gpu=1).layers
    assert devices.count_gpus("numpy") == 0
