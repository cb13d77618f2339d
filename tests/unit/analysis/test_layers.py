"""From layers to rows; what cannot be measured is a row with its reason, the rest is there."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from snakemake.iocontainers import Namedlist

from facestages import tables
from facestages.analysis.affect import regress_affect
from facestages.analysis.cka import compare_layers
from facestages.analysis.decoding import decode_labels
from facestages.analysis.layers import COMMON, open_layers, tabulate, write_measure
from facestages.analysis.partition import partition_variance
from facestages.analysis.rsa import correlate_rdms
from facestages.analysis.separability import score_separability
from facestages.analysis.subspace_scores import compare_subspaces
from facestages.errors import FacestagesError
from facestages.stimuli import StimulusSet, read_labels, write_stimuli
from map_files import write_faces, write_layers

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
    # Identity is decoded from pictures of another time, which these do not have.
    "compare_subspaces": {"one expression", "no expression"},
    "partition_variance": {
        "people with one picture",
        "one person",
        "one expression",
        "no expression",
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
        (compare_subspaces, (STAGES, 20)),
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
        # Three categories have too few orders; control labels need pictures of another time.
        untestable = ["slope_mixed_model", "r_categories", "selectivity"]
        measured = whole[~whole["measure"].isin(untestable)]
        # These layers have no effect, so that there is no subspace.
        has_effect = ~measured["note"].fillna("").str.contains("no variance beyond permuted labels")
        measured = measured[has_effect]
        assert measured["value"].notna().all()


@pytest.mark.filterwarnings("error")
def test_layers_are_compared_as_far_as_they_vary(files):
    geometry, faces, name = files
    table = compare_layers([geometry], faces)
    assert len(table) == 3
    pairs = table[table["value"].isna()]
    assert len(pairs) == (2 if name == "a layer that says nothing" else 0)
    assert (pairs["note"] != "").all()


@tabulate("measure", "value", "n", "note")
def count_components(geometry, least=0, notes=None):
    """A measure."""
    for layer in geometry.layers:
        number = layer.scores.shape[1]
        if number >= least:
            yield layer, [{"measure": "components", "value": number, "n": 60, "unknown": "x"}]
    yield None, [{"measure": "layers", "value": len(geometry.layers)}]
    if notes:
        notes.write_text(f"{geometry.network}, {geometry.faces['dataset']}")


@pytest.fixture
def counted(tmp_path):
    faces = write_faces(tmp_path)
    points = np.random.default_rng(0).normal(size=(60, 5))
    layers = {"conv": points[:, :2], "dense": points, "fc": points[:, :3]}
    return write_layers(tmp_path / "g.h5", faces, "geometry", layers, "nn3", 4), faces


def test_each_stage_of_a_layer_has_its_rows_and_further_layers_have_none(counted):
    stages = {"early": "conv", "middle": "dense", "late": "dense", "final": "not recorded"}
    table = count_components(*counted, stages, 3)
    assert list(table) == [*COMMON, "measure", "value", "n", "note"]
    assert list(table["layer"].fillna("-")) == ["dense", "dense", "fc", "-"]
    assert list(table["stage"].fillna("-")) == ["middle", "late", "", "-"]
    assert list(table["value"]) == [5, 5, 3, 3]
    assert table["n"].dtype == "Int64" and table["n"].isna().sum() == 1
    common = table[["dataset", "rendered", "network", "seed"]].drop_duplicates()
    assert common.to_numpy().tolist() == [["set", 1, "nn3", 4]]


def test_predictions_take_the_place_of_expressions(counted, tmp_path):
    @tabulate("label", "label_source")
    def first_label(geometry):
        source = geometry.sources["expression"]
        yield None, [{"label": geometry.labels["expression"][0], "label_source": source}]

    answers = read_labels(counted[1])[0][["stimulus_id"]].assign(network="x", expression="sad")
    answers.to_csv(tmp_path / "answers.csv", index=False)
    assert first_label(*counted, {})["label"][0] == "neutral"
    table = first_label(*counted, {}, predictions=tmp_path / "answers.csv")
    assert tuple(table.loc[0, ["label", "label_source"]]) == ("sad", "network:x")


def test_a_rule_binds_its_names_to_the_settings(counted, tmp_path):
    labels = counted[1].with_name("set.labels.h5")
    names = {"geometry": counted[0], "stimuli": counted[1], "labels": labels, "predictions": []}
    outputs = {"notes": tmp_path / "notes.txt", "table": tmp_path / "table.csv"}
    snakemake = SimpleNamespace(
        input=Namedlist(fromdict=names),
        output=Namedlist(fromdict=outputs),
        params=Namedlist(fromdict={"stages": {"final": "fc"}, "least": 4, "code": "digest"}),
    )
    write_measure(count_components, snakemake)
    assert list(tables.read_tables([outputs["table"]])["value"]) == [5, 3]
    assert outputs["notes"].read_text() == "nn3, set"


def test_layers_are_read_where_they_are_asked_for(counted):
    digest = read_labels(counted[1])[2]["stimuli_digest"]
    with open_layers(counted[0], digest) as layers:
        assert [(layer.network, layer.seed, layer.name) for layer in layers[:2]] == [
            ("nn3", 4, "conv"),
            ("nn3", 4, "dense"),
        ]
        dense = layers[1]
        scores = dense.scores[:, :2]
        assert dense.gram.shape == (60, 60) and scores.shape == (60, 2) and dense.units == 5
        assert dense.total_variance == pytest.approx(np.trace(dense.gram[:]))
        assert dense.variance_ratio.sum() == pytest.approx(1)
        assert dense.eigenvalues[0] > dense.noise_edge / 5 > 0
        assert dense.attributes["layer_shape"] == [5]
    with (
        pytest.raises(FacestagesError, match="another stimuli digest"),
        open_layers(counted[0], "0" * 64),
    ):
        pass
