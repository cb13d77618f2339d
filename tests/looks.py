"""A network that looks where it is told to, faces for it, and its explanation."""

import contextlib

import numpy as np
import pandas as pd

from facestages.recording.attribution import explain_gradcam
from facestages.stimuli import StimulusSet, write_stimuli

STAGES = {"early": "conv", "final": "answer"}


class Looks:
    """Answers by the picture's brightness, and looks where it is told to."""

    name, weights_digest = "looks", "none"
    layers = {"conv": (4, 4, 1), "wide": (8, 8, 1), "answer": (2,)}
    unlisted, shuffled = {}, False

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


def write_looks_faces(path):
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
    write_stimuli(path, stimuli, "faces")
    return path


def explain(path, network=None, **options):
    """Explain the faces in a file; return the file of the maps, beside it."""
    out = path.with_name("maps.h5")
    options = {"classes": ["light", "dark"], "stages": STAGES} | options
    explain_gradcam(network or Looks(), 3, stimuli=path, out=out, **options)
    return out
