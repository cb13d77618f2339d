"""Norms are added to the labels of the pictures that a face set has."""

import numpy as np
import pandas as pd

from facestages.stimuli.labels.kdef import list_labels

STEMS = pd.DataFrame({"stimulus_id": ["AF01HAS", "AF01SAS"]})


def test_norms_come_last_with_their_source(tmp_path):
    path = tmp_path / "norms.csv"
    path.write_text("picture,valence\nAF01SAS.JPG,2.5\nAF09HAS.JPG,8\n")
    labels, sources, report = list_labels({"norms": path}, STEMS)
    assert list(labels)[-1] == "valence" and sources["valence"] == "human"
    np.testing.assert_array_equal(labels["valence"], [np.nan, 2.5])
    assert list(labels["expression"]) == ["happy", "sad"]
    assert report["norms"]["n_matched"] == 1


def test_without_norms_nothing_is_added():
    labels, _, report = list_labels({"norms": None}, STEMS)
    assert list(labels) == ["identity", "sex", "expression", "session", "angle"] and report == {}
