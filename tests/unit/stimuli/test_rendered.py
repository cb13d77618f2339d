"""The reader of rendered face sets."""

import numpy as np
import pytest

from face_sets import ASSETS
from facestages.stimuli import read_stimuli, rendered
from facestages.stimuli.luminance import oval

ASSET = ASSETS / "headmodel"


@pytest.mark.skipif(
    not ASSET.is_dir(), reason="the head model is not there: resources/assets/headmodel"
)
def test_a_set_of_equal_luminance_within_an_oval(tmp_path):
    entry = {"source": "rendered", "design": "video", "women": 2, "men": 1, "seed": 2, "size": 48}
    entry["frames_per_person"] = 4
    pictures = {}
    for name, control in (("plain", ("none", "none")), ("controlled", ("match", "oval"))):
        section = entry | dict(zip(("histogram", "mask"), control, strict=True))
        rendered.prepare(tmp_path / name, name, section, source=ASSET, detector=None, threads=1)
        pictures[name] = read_stimuli(tmp_path / name)
    inside = oval(48)
    controlled = np.sort(pictures["controlled"].images[:, inside], axis=1)
    assert (controlled == controlled[0]).all()
    assert (pictures["controlled"].images[:, ~inside] == 128).all()
    assert np.ptp(pictures["plain"].images[:, inside].mean(axis=1)) > 5
    assert pictures["controlled"].labels.equals(pictures["plain"].labels)
