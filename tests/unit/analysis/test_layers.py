"""What cannot be measured is a row with its reason; the rest of every table is there."""

import numpy as np
import pandas as pd
import pytest

from facestages.analysis.affect import regress_affect
from facestages.analysis.cka import compare_layers
from facestages.analysis.decoding import decode_labels
from facestages.analysis.partition import partition_variance
from facestages.analysis.rsa import correlate_rdms
from facestages.analysis.separability import score_separability
from facestages.stimuli import StimulusSet, write_stimuli
from map_files import write_layers

STAGES = {"early": "first", "penultimate": "second", "final": "third"}
SIXTY = np.arange(60)


def labels(people=6, expressions=3, **changes):
    """Sixty pictures: people by turns, each of whom shows each expression."""
    rng = np.random.default_rng(0)
    expression = np.array(["angry", "happy", "sad"])[SIXTY // people % expressions]
    columns = {
        "identity": np.char.add("p", (SIXTY % people).astype(str)),
        "sex": np.where(SIXTY % people % 2, "F", "M"),
        "expression": expression,
        "valence": rng.normal(size=60),
        "arousal": rng.normal(size=60),
        **changes,
    }
    return pd.DataFrame(columns).astype({"identity": object, "expression": object})


def one_picture_each(table):
    return table.assign(identity=[f"p{number}" for number in SIXTY])


def one_person_of_one_picture(table):
    return table.assign(identity=np.where(SIXTY == 7, "alone", table["identity"]))


def an_expression_of_one_person(table):
    shown = (table["identity"] == "p3") & (SIXTY % 4 == 1)
    return table.assign(expression=np.where(shown, "fear", table["expression"]))


SETS = {
    "people with one picture": one_picture_each(labels()),
    "one person with one picture": one_person_of_one_picture(labels()),
    "an expression of one person": an_expression_of_one_person(labels()),
    "fewer people than folds": labels(people=2),
    "one person": labels(people=1),
    "one expression": labels(expressions=1),
    "no expression": labels().assign(expression=""),
    "no valence and arousal": labels(valence=np.nan, arousal=np.nan),
    "equal valence and arousal": labels(valence=0.5, arousal=0.5),
    "a layer of one component": labels(),
    "a layer that says nothing": labels(),
}


@pytest.fixture(params=SETS)
def files(request, tmp_path):
    rng, table = np.random.default_rng(1), SETS[request.param]
    table = table.assign(stimulus_id=[f"s{number:02d}" for number in SIXTY])
    faces = StimulusSet(
        np.zeros((60, 4, 4), np.uint8), table, dict.fromkeys(table.columns[:-1], "posed")
    )
    write_stimuli(tmp_path / "faces.h5", faces, "faces")
    width = {"a layer of one component": 1, "a layer that says nothing": 0}.get(request.param, 5)
    layers = {"first": 5, "second": width, "third": 5}
    points = {name: rng.normal(size=(60, k)) for name, k in layers.items()}
    geometry = write_layers(tmp_path / "g.h5", tmp_path / "faces.h5", "geometry", points)
    return geometry, tmp_path / "faces.h5", request.param


# What has nothing at all to tell of some sets.
EMPTY = {
    "decode_labels": {"one person"},
    "partition_variance": {
        "people with one picture",
        "one person",
        "one expression",
        "no expression",
        "no valence and arousal",
    },
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("analyse", "arguments"),
    [
        (score_separability, (STAGES, ["identity", "expression"], [2, "all"], 20)),
        (decode_labels, (STAGES, ["identity", "expression", "sex", "valence"], [2], 20)),
        (correlate_rdms, (STAGES, ["all"], 20)),
        (regress_affect, (STAGES,)),
        (partition_variance, (STAGES, [2], 50)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_missing_has_a_reason_and_the_rest_is_there(files, analyse, arguments):
    geometry, faces, name = files
    table = analyse(geometry, faces, *arguments)
    missing = table[table["value"].isna()]
    assert (missing["note"].fillna("") != "").all(), missing[missing["note"].fillna("") == ""]
    assert np.isfinite(table["value"].dropna().astype(float)).all()
    is_empty = name in EMPTY.get(analyse.__name__, set())
    assert table["value"].notna().any() != is_empty
    if name.startswith("a layer") and "layer" in table:
        whole = table[table["layer"].isin(["first", "third"]) & ~table["label"].isin(["identity"])]
        measured = whole[~whole["measure"].isin(["slope_mixed_model"])]
        assert measured["value"].notna().all()


@pytest.mark.filterwarnings("error")
def test_layers_are_compared_as_far_as_they_vary(files):
    geometry, faces, name = files
    table = compare_layers([geometry], faces)
    assert len(table) == 3
    pairs = table[table["value"].isna()]
    assert len(pairs) == (2 if name == "a layer that says nothing" else 0)
    assert (pairs["note"] != "").all()
