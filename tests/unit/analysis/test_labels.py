"""What is said of labels: which are there, whose they are, where they come from."""

import numpy as np
import pandas as pd
import pytest

from facestages.analysis import labels
from facestages.analysis.affect import regress_affect
from facestages.analysis.separability import score_separability
from facestages.stimuli import StimulusSet, write_stimuli
from map_files import write_layers


def test_empty_and_missing_values_are_no_labels():
    table = pd.DataFrame({"expression": ["happy", "", None], "valence": [0.0, np.nan, 1.0]})
    assert list(labels.is_labelled(table, "expression")) == [True, False, False]
    assert list(labels.is_labelled(table, "valence")) == [True, False, True]
    assert not labels.is_labelled(table, "sex").any()


def test_pictures_without_an_identity_count_as_one_each():
    table = pd.DataFrame({"identity": ["p", "p", "", "", "3"]})
    people = list(labels.read_people(table))
    assert people[:2] == ["p", "p"] and people[4] == "3" and len(set(people)) == 4
    assert labels.read_people(table[:2]) is None
    assert labels.read_people(table.drop(columns="identity")) is None


@pytest.mark.parametrize(
    ("sources", "note"),
    [
        (["network:net"], labels.CIRCULAR),
        (["posed", "network:net"], labels.CIRCULAR),
        (["network:other", None, ""], ""),
        ([], ""),
    ],
)
def test_only_the_networks_answers_to_itself_are_circular(sources, note):
    assert labels.circular_note(sources, "net") == note


def test_notes_are_joined():
    assert labels.join_notes("", "one", "", "two") == "one; two"
    assert labels.join_notes("", "") == ""


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("rendered: declared", "declared"),
        ("human", "human norms"),
        ("network:emofan", "EmoFAN outputs"),
        ("posed", "posed"),
        ("", ""),
    ],
)
def test_sources_in_words(source, words):
    assert labels.describe_source(source, "EmoFAN") == words
    assert labels.describe_source("network:emofan") == "emofan outputs"


def test_circular_labels_have_one_note_in_all_tables(tmp_path):
    """Silhouettes and regressions of a network on labels of its own had notes in two wordings."""
    rng, number = np.random.default_rng(0), np.arange(60)
    table = pd.DataFrame({"stimulus_id": number.astype(str), "identity": (number % 6).astype(str)})
    images = np.zeros((60, 4, 4), np.uint8)
    faces = StimulusSet(images, table, {"identity": "posed"})
    write_stimuli(tmp_path / "faces.h5", faces, "faces")
    geometry = write_layers(
        tmp_path / "g.h5", tmp_path / "faces.h5", "geometry", {"fc": rng.normal(size=(60, 5))}
    )
    answers = table[["stimulus_id"]].assign(
        network="nn1",
        expression=np.array(["happy", "sad"])[number // 6 % 2],
        valence=rng.normal(size=60),
        arousal=rng.normal(size=60),
    )
    answers.to_csv(tmp_path / "answers.csv", index=False)
    files = geometry, tmp_path / "faces.h5", {"final": "fc"}
    answered = {"predictions": tmp_path / "answers.csv"}
    scores = score_separability(*files, ["expression"], ["all"], 0, **answered)
    regressions = regress_affect(*files, **answered)
    notes = [
        *scores.loc[scores["measure"] == "silhouette", "note"],
        *regressions.loc[regressions["measure"] == "slope", "note"],
    ]
    assert len(notes) == 5 and set(notes) == {labels.CIRCULAR}
