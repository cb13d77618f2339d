"""Recording to disk against the bare forward pass, as a ratio from one run.

Usage: make bench [PICTURES=980]

The bare pass runs the same compiled model, with the same four outputs, over the same prepared
batches, and throws the outputs away. Recording reads and prepares the pictures, checks every value
and writes everything to HDF5.
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from facestages import activations
from facestages.networks import load_network
from facestages.networks.inputs import prepare_images
from facestages.provenance import describe_versions
from facestages.stimuli import StimulusSet, write_stimuli

LAYERS = ["batchnorm_1", "flatten", "dropout_4", "out_layer"]
ROUNDS = 5


def noise(n: int) -> StimulusSet:
    """Pictures of noise; what they show does not matter to the time."""
    images = np.random.default_rng(0).integers(0, 256, (n, 48, 48), dtype=np.uint8)
    labels = pd.DataFrame({"stimulus_id": [f"s{i}" for i in range(n)]})
    return StimulusSet(images, labels, {})


def bare_pass(network, batches) -> float:
    """Seconds of a forward pass over all batches."""
    recorder = network._recorder(tuple(LAYERS))
    begin = time.perf_counter()
    for batch in batches:
        recorder.predict_on_batch(batch)
    return time.perf_counter() - begin


def recording(network, stimuli: Path, out: Path) -> float:
    """Seconds of recording all pictures."""
    begin = time.perf_counter()
    activations.record_activations(network, stimuli, LAYERS, out, {"seed": 0})
    return time.perf_counter() - begin


def main(n: int) -> None:
    network = load_network("nn1", architecture="light_cnn", classes=["happy", "sad", "neutral"])
    faces = noise(n)
    size = activations._BATCH
    # The same batches as in recording, which starts anew at every block of rows.
    blocks = [
        faces.images[first : first + activations.ROWS_A_CHUNK]
        for first in range(0, n, activations.ROWS_A_CHUNK)
    ]
    batches = [
        prepare_images(block[first : first + size], network.input)
        for block in blocks
        for first in range(0, len(block), size)
    ]
    with tempfile.TemporaryDirectory() as folder:
        stimuli, out = Path(folder, "faces.h5"), Path(folder, "activations.h5")
        write_stimuli(stimuli, faces, "noise")
        bare_pass(network, batches)  # compiles
        pairs = [
            (bare_pass(network, batches), recording(network, stimuli, out)) for _ in range(ROUNDS)
        ]
        written = out.stat().st_size
    table = pd.DataFrame(pairs, columns=["bare_s", "recording_s"])
    table["ratio"] = table["recording_s"] / table["bare_s"]
    print(table.round(3).to_string())
    print(
        f"{n} pictures, {written / 1e9:.2f} GB, {n / table['bare_s'].median():.0f} pictures/s bare"
    )
    print(f"median ratio {table['ratio'].median():.3f} (at most 1.2 wanted)")
    print(describe_versions("keras", "tensorflow", "numpy", "h5py"), f"{os.cpu_count()} CPUs")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 980)
