"""What a network computes on, how many pictures at a time, and from how many threads."""

import logging

import numpy as np
import pytest
import tensorflow as tf

from facestages.errors import DeviceMemoryError, FacestagesError, device_failure
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


def small_gpu(monkeypatch, network, holds):
    """Have a device hold so many pictures at once; returns how many each pass shows."""
    passes, recorder = [], network._recorder

    def record(layers):
        def pass_forward(batch):
            passes.append(len(batch))
            if len(batch) > holds:
                raise tf.errors.ResourceExhaustedError(
                    None, None, "OOM on /device:GPU:0 by GPU_0_bfc"
                )
            return recorder(layers)(batch)

        return pass_forward

    monkeypatch.setattr(network, "_recorder", record)
    return passes


def test_batches_are_halved_until_the_memory_of_a_gpu_holds_them(monkeypatch, caplog):
    network = load()
    faces = np.random.default_rng(0).integers(0, 255, (40, 48, 48), dtype=np.uint8)
    whole = network.record(faces, ["out_layer"])["out_layer"]
    network.batch = 32
    passes = small_gpu(monkeypatch, network, 10)
    with caplog.at_level(logging.WARNING):
        parts = network.record(faces, ["out_layer"])["out_layer"]
    np.testing.assert_allclose(parts, whole, rtol=1e-5)
    assert passes == [32, 16, 8, 8, 8, 8, 8]
    told = [record.getMessage() for record in caplog.records]
    assert [line.rpartition("for ")[2] for line in told] == [
        "32 pictures at once. It shows 16 at once from here on",
        "16 pictures at once. It shows 8 at once from here on",
    ]
    passes.clear()
    network.record(faces[:10], ["out_layer"])
    assert passes == [8, 2]


def test_a_gpu_that_holds_no_picture(monkeypatch):
    network = load()
    passes = small_gpu(monkeypatch, network, 0)
    with pytest.raises(DeviceMemoryError) as caught:
        network.record(np.zeros((6, 48, 48), np.uint8), ["out_layer"])
    assert passes == [6, 3, 1]
    assert str(caught.value) == (
        "network nn: a forward pass failed: the memory of the GPU is too small. Compute on the "
        "processor (CUDA_VISIBLE_DEVICES='' snakemake ...), or on a GPU with more memory"
    )


@pytest.mark.parametrize(
    "error",
    [
        tf.errors.InternalError(None, None, "Failed call: CUDA_ERROR_LAUNCH_FAILED"),
        RuntimeError("CUDA error: the launch timed out and was terminated"),
        RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
    ],
)
def test_a_gpu_that_disappears(monkeypatch, error):
    network = load()

    def fail(batch):
        raise error

    monkeypatch.setattr(network, "_recorder", lambda layers: fail)
    with pytest.raises(FacestagesError, match="the GPU no longer answers .*Give the command again"):
        network.record(np.zeros((2, 48, 48), np.uint8), ["out_layer"])


def test_other_errors_are_not_of_a_gpu():
    for error in (ValueError("GPU"), MemoryError(), RuntimeError("shape '[2]' is invalid")):
        assert device_failure("it stopped", error) is None


@pytest.mark.parametrize(
    ("precision", "capability", "words"),
    [
        ("mixed_bfloat16", (7, 5), "compute capability 7.5 has no units for it"),
        ("mixed_float16", (6, 1), "compute capability 6.1 has no units for it"),
        ("mixed_float16", None, "most processors have no units for it"),
        ("mixed_bfloat16", (8, 0), ""),
        ("mixed_bfloat16", None, ""),
        ("float32", (6, 1), ""),
    ],
)
def test_a_precision_that_a_chip_has_no_units_for(
    monkeypatch, caplog, precision, capability, words
):
    see(monkeypatch, 0 if capability is None else 1)
    details = {"compute_capability": capability}
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details)
    with caplog.at_level(logging.WARNING):
        devices.warn_of_slow_precision(precision, "tensorflow")
    assert words in caplog.text and bool(words) == bool(caplog.text)
