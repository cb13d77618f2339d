"""A network whose outputs are known, and faces for it."""

import h5py
import numpy as np
import pandas as pd

from facestages.analysis.geometry import measure_geometry
from facestages.architectures import InputSpec
from facestages.recording.activations import record_activations
from facestages.stimuli import StimulusSet, write_stimuli

LAYERS = ["wide", "narrow"]


class Blurs:
    """A network of two layers with known outputs."""

    name, weights_digest = "blurs", "none"
    batch, side_by_side, unlisted = 10, False, {}
    input = InputSpec(8, 1)
    layers = {"wide": (8, 8, 300), "narrow": (8,)}

    def __init__(self):
        self.batches = []

    def record(self, images, layers):
        self.batches.append(len(images))
        x = images.astype(np.float32) / 255
        outputs = {
            "wide": x[..., None] * np.linspace(0.5, 2, 300, dtype=np.float32),
            "narrow": x.mean(axis=1),
        }
        return {layer: outputs[layer] for layer in layers}


def write_blurs_faces(path):
    """A face set of 70 pictures of 7 people, written to `path`."""
    n = 70
    people = np.arange(n) % 7
    rng = np.random.default_rng(0)
    base = rng.integers(0, 200, (7, 8, 8))
    images = (base[people] + rng.integers(0, 55, (n, 8, 8))).astype(np.uint8)
    labels = pd.DataFrame(
        {
            "stimulus_id": [f"s{i}" for i in range(n)],
            "identity": [f"p{i}" for i in people],
            "expression": np.array(["happy", "sad"])[np.arange(n) // 7 % 2],
        }
    )
    stimuli = StimulusSet(images, labels, {"identity": "posed", "expression": "posed"})
    write_stimuli(path, stimuli, "faces")
    return stimuli


def record_blurs(folder, network=None, layers=("wide", "narrow")):
    """Record the faces in ``faces.h5`` of a folder to ``activations.h5`` beside them."""
    path = folder / "activations.h5"
    attributes = {"seed": 3, "network": "blurs"}
    record_activations(network or Blurs(), folder / "faces.h5", layers, path, attributes)
    return path


def geometry(folder, sources, name):
    measure_geometry(sources, folder / "faces.h5", 10, folder / name)
    with h5py.File(folder / name) as file:
        return {
            layer: {key: file[layer][key][:] for key in ("gram", "score", "variance_ratio")}
            | {"noise_edge": np.array(file[layer].attrs["noise_edge"])}
            for layer in file
        }


def assert_same(measured, expected):
    assert list(measured) == list(expected)
    for layer, arrays in expected.items():
        for key, array in arrays.items():
            scale = np.abs(array).max()
            np.testing.assert_allclose(measured[layer][key], array, atol=1e-5 * scale, err_msg=key)
