"""Recording to disk against the bare forward pass, as a ratio from one run, and the peak memory.

Usage: make bench [NETWORK=light_cnn] [PICTURES=980] [THREADS=1]

The bare pass runs the same network over the same prepared batches and keeps nothing; a Keras model
has its four outputs all the same. Recording reads and prepares the pictures, checks every value of
four layers and writes all of them to HDF5. The weights are random. One thread is what the rule has:
with more, the forward pass takes all cores, and the writing has to share them.
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from facestages import activations
from facestages.networks import load_network
from facestages.networks.catalogue import ARCHITECTURES
from facestages.networks.inputs import prepare_images
from facestages.provenance import describe_versions
from facestages.stimuli import StimulusSet, write_stimuli

STAGES = {
    "light_cnn": ["batchnorm_1", "flatten", "dropout_4", "out_layer"],
    "vgg16": ["block1_pool", "block5_pool", "fc2", "predictions"],
    "resmasknet": ["maxpool", "mask4.conv2.downsample", "fc.0", "fc.1"],
    "emofan": ["maxpool", "emo_net_2.7", "emo_fc_2.2", "emo_fc_2.3"],
    "efficientnet_lite0": ["_blocks.0", "_blocks.15", "_dropout", "_fc"],
}


def noise(n: int, size: int) -> StimulusSet:
    """Pictures of noise; what they show does not matter to the time."""
    images = np.random.default_rng(0).integers(0, 256, (n, size, size), dtype=np.uint8)
    labels = pd.DataFrame({"stimulus_id": [f"s{i}" for i in range(n)]})
    return StimulusSet(images, labels, {})


def bare_forward(network, layers):
    """The network's own forward pass over a prepared batch."""
    if hasattr(network, "model"):
        return network._recorder(tuple(layers)).predict_on_batch
    import torch

    def forward(batch):
        with torch.inference_mode():
            return network.module(torch.from_numpy(batch))

    return forward


def seconds(function, *args) -> float:
    begin = time.perf_counter()
    function(*args)
    return time.perf_counter() - begin


def main(name: str, n: int) -> None:
    classes = ["happy", "sad", "neutral"] if name == "light_cnn" else None
    network, layers = load_network(name, architecture=name, classes=classes), STAGES[name]
    faces = noise(n, network.input.size)
    size = activations._BATCH
    # The same batches as in recording, which starts anew at every block of rows.
    blocks = [
        faces.images[first : first + activations.ROWS_A_CHUNK]
        for first in range(0, n, activations.ROWS_A_CHUNK)
    ]
    parts = [block[i : i + size] for block in blocks for i in range(0, len(block), size)]
    forward = bare_forward(network, layers)
    channels_first = ARCHITECTURES[name].framework == "torch"

    def prepared():
        for part in parts:
            batch = prepare_images(part, network.input)
            yield np.ascontiguousarray(batch.transpose(0, 3, 1, 2)) if channels_first else batch

    with tempfile.TemporaryDirectory() as folder:
        stimuli, out = Path(folder, "faces.h5"), Path(folder, "activations.h5")
        write_stimuli(stimuli, faces, "noise")
        forward(next(prepared()))  # compiles
        times = []
        for _ in range(5 if name == "light_cnn" else 2):
            bare = sum(seconds(forward, batch) for batch in prepared())
            args = (network, stimuli, layers, out, {"seed": 0})
            times.append((bare, seconds(activations.record_activations, *args)))
        written = out.stat().st_size
    table = pd.DataFrame(times, columns=["bare_s", "recording_s"])
    table["ratio"] = table["recording_s"] / table["bare_s"]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(table.round(3).to_string())
    print(
        f"{name}: {n} pictures, {written / 1e9:.2f} GB, "
        f"{n / table['bare_s'].median():.3g} pictures/s bare, peak memory {peak / 1e9:.2f} GB"
    )
    print(f"median ratio {table['ratio'].median():.3f} (at most 1.2 wanted)")
    versions = describe_versions("keras", "tensorflow", "torch", "numpy", "h5py")
    print(f"{versions}; {os.environ.get('OMP_NUM_THREADS', 'all')} of {os.cpu_count()} CPUs")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
