"""Files of a small run."""

import numpy as np
import pandas as pd
import pytest

from facestages import store
from facestages.stimuli import StimulusSet, write_stimuli


@pytest.fixture
def files(tmp_path):
    """A rendered face set of two people, and two seeds of a network on it."""
    labels = pd.DataFrame(
        {
            "stimulus_id": ["a", "b", "c"],
            "identity": ["F1", "F1", "F2"],
            "sex": ["female", "female", "female"],
            "valence": [0.1, 0, 1],
            "arousal": [0, 0.5, 1],
        }
    )
    sources = {"identity": "rendered", "sex": "rendered"}
    sources |= {"valence": "rendered: declared", "arousal": "rendered: declared"}
    images = np.zeros((3, 4, 4), np.uint8)
    faces = StimulusSet(images, labels, sources, attributes={"rendered": 1})
    write_stimuli(tmp_path / "posed.h5", faces, "posed")
    for seed in (1, 0):
        notes = {"network": "nn3", "seed": seed, "weights_sha256": f"{seed}" * 64}
        with store.create(tmp_path / f"seed-{seed}.h5", "geometry", **notes):
            pass
    face_sets = [tmp_path / "posed.h5"], [tmp_path / "posed.labels.h5"]
    return *face_sets, [tmp_path / "seed-1.h5", tmp_path / "seed-0.h5"]
