"""What a network computes on, how many pictures at a time, and from how many threads."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from facestages.architectures import InputSpec
from facestages.errors import FacestagesError
from facestages.networks import devices, load_network
from facestages.networks.inputs import prepare_images, resize_images
from facestages.networks.keras_backend import KerasNetwork

LAYERS = ["batchnorm_1", "flatten", "out_layer"]
SPEC = InputSpec(48, 1, "unit")


@pytest.fixture
def faces():
    return np.random.default_rng(0).integers(0, 255, (20, 48, 48), dtype=np.uint8)


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


def test_on_a_gpu_batches_are_larger_and_one_at_a_time(monkeypatch):
    on_processor = load()
    see(monkeypatch, 1)
    on_gpu = load(gpu=1)
    assert on_processor.side_by_side and not on_gpu.side_by_side
    assert on_gpu.batch > on_processor.batch > 1


def test_a_gpu_does_not_round_and_is_not_taken_whole():
    tf.config.experimental.enable_tensor_float_32_execution(True)
    load()
    assert not tf.config.experimental.tensor_float_32_execution_enabled()
    assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"


def test_threads_record_what_one_does(faces):
    network, alone = load(), load()
    batches = np.split(faces, 10)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda batch: network.record(batch, LAYERS), batches))
    for batch, found in zip(batches, together, strict=True):
        expected = alone.record(batch, LAYERS)
        for layer in LAYERS:
            np.testing.assert_allclose(found[layer], expected[layer], rtol=1e-5, atol=1e-6)


def test_batches_of_any_size_are_compiled_once(faces):
    calls = []

    class Counted(keras.layers.Layer):
        def call(self, x):
            calls.append(x.shape)
            return 2 * x

    inputs = keras.Input((48, 48, 1))
    network = KerasNetwork("own", keras.Model(inputs, Counted(name="twice")(inputs)), SPEC)
    for n in (16, 16, 4, 1):
        before = len(calls)
        recorded = network.record(faces[:n], ["twice"])["twice"]
        np.testing.assert_allclose(recorded[..., 0], 2 / 255 * faces[:n], rtol=1e-6)
        assert (len(calls) > before) == (before == 1), "the first call makes the model, no other"


def test_records_may_be_changed(faces):
    recorded = load().record(faces[:2], LAYERS)
    for layer in LAYERS:
        recorded[layer] -= recorded[layer].mean()
    again = load().record(faces[:2], LAYERS)
    assert abs(again["flatten"].mean()) > abs(recorded["flatten"].mean())


@pytest.mark.parametrize("channels, scaling", [(1, "unit"), (3, "imagenet"), (3, "caffe")])
def test_pictures_may_be_resized_before(channels, scaling):
    """So that this goes on beside a forward pass."""
    images = np.random.default_rng(0).integers(0, 255, (3, 30, 30), dtype=np.uint8)
    spec = InputSpec(48, channels, scaling)
    resized = resize_images(images, 48, channels)
    np.testing.assert_array_equal(prepare_images(resized, spec), prepare_images(images, spec))


@pytest.mark.skipif(sys.platform != "linux", reason="of the GNU C library")
def test_freed_memory_is_taken_again():
    """Without asking the kernel for it page by page, in whichever thread."""
    code = """
import resource, threading
from facestages.networks.allocator import keep_freed_memory

def fill():
    for _ in range(8):
        bytearray(b"x") * (48 << 20)

def count_faults(work):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    work()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def in_thread():
    thread = threading.Thread(target=fill)
    thread.start()
    thread.join()

counts = [count_faults(fill)]
keep_freed_memory()
fill()
print(*counts, count_faults(fill), count_faults(in_thread), resource.getpagesize())
"""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC_")}
    environment["PYTHONPATH"] = str(Path(devices.__file__).parents[2])
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    before, after, in_thread, page = map(int, answer.stdout.split())
    pages = 8 * (48 << 20) / page
    if before < 0.5 * pages:
        pytest.skip("this C library keeps what is freed anyway")
    assert max(after, in_thread) < 0.1 * before
