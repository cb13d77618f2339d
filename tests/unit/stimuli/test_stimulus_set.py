"""Face sets in memory: what fits together, and what a digest tells apart."""

import numpy as np
import pytest

from face_sets import small_faces
from facestages.errors import FacestagesError
from facestages.stimuli import StimulusSet


@pytest.fixture
def stimuli():
    return small_faces()


def test_digest_tells_stimuli_apart(stimuli):
    images = stimuli.images.copy()
    images[0, 0, 0, 0] ^= 1
    other = StimulusSet(images, stimuli.labels, stimuli.sources)
    renamed = stimuli.labels.assign(stimulus_id=[f"t{i}" for i in range(6)])
    again = StimulusSet(stimuli.images, renamed, stimuli.sources)
    assert len({stimuli.digest, other.digest, again.digest}) == 3


def test_labels_do_not_count_in_the_digest(stimuli):
    relabelled = StimulusSet(stimuli.images, stimuli.labels.assign(valence=0), stimuli.sources)
    assert relabelled.digest == stimuli.digest


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: {"images": s.images[:3]}, "3 pictures but 6 label rows"),
        (lambda s: {"images": s.images.astype(float)}, "uint8"),
        (lambda s: {"sources": {}}, "without a source: expression, identity, valence"),
        (lambda s: {"labels": s.labels.assign(stimulus_id="x")}, "'x' occurs twice"),
        (lambda s: {"images": s.images[:0], "labels": s.labels[:0]}, "empty"),
        (lambda s: {"regions": np.zeros((3, 3, 4))}, r"regions must be of shape \(6, 3, 4\), not"),
    ],
)
def test_what_does_not_fit_is_refused(stimuli, change, words):
    parts = {"images": stimuli.images, "labels": stimuli.labels, "sources": stimuli.sources}
    with pytest.raises(FacestagesError, match=words):
        StimulusSet(**{**parts, **change(stimuli)})
