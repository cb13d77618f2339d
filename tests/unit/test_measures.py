"""Measures on a user's own arrays: as the workflow's, as the reference, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import silhouette_score
from sklearn.metrics.pairwise import euclidean_distances

import facestages
from facestages.analysis.cka import debiased_cka
from facestages.analysis.decoding import decode
from facestages.errors import FacestagesError
from facestages.gram import gram_matrix

RNG = np.random.default_rng(0)
PEOPLE = np.repeat([f"p{number}" for number in range(8)], 6)
LABELS = pd.DataFrame(
    {
        "identity": PEOPLE,
        "expression": np.tile(["happy", "sad", "angry"], 16),
        "session": np.tile(list("AAABBB"), 8),
        "valence": RNG.normal(size=48),
        "arousal": RNG.normal(size=48),
    }
)
LAYER = RNG.normal(size=(48, 30)) + 2 * RNG.normal(size=(8, 30)).repeat(6, axis=0)


def test_silhouettes_are_those_of_scikit_learn():
    expected = silhouette_score(LAYER, PEOPLE)
    assert facestages.silhouette(LAYER, PEOPLE) == pytest.approx(expected)
    gram, apart = gram_matrix(LAYER), euclidean_distances(LAYER)
    assert facestages.silhouette(gram, PEOPLE, metric="gram") == pytest.approx(expected)
    assert facestages.silhouette(apart, PEOPLE, metric="distances") == pytest.approx(expected)
    table = facestages.score_silhouettes(LAYER, LABELS, permutations=0)
    row = table[(table["label"] == "identity") & (table["measure"] == "silhouette")].iloc[0]
    assert row["value"] == pytest.approx(expected, abs=1e-6)
    assert row["ci_low"] < expected < row["ci_high"]


def test_a_square_layer_is_a_layer():
    square = RNG.normal(size=(48, 48))
    assert facestages.silhouette(square, PEOPLE) == pytest.approx(silhouette_score(square, PEOPLE))


@pytest.mark.parametrize(
    ("X", "metric", "words"),
    [
        (gram_matrix(LAYER), "euclidean", "X of shape (48, 48) is symmetric, as inner products"),
        (LAYER, "gram", "X of shape (48, 30) is not square, as metric='gram' says"),
        (RNG.normal(size=(48, 48)), "distances", "is not symmetric, as metric='distances' says"),
        (gram_matrix(LAYER), "distances", "the diagonal of distances must be 0"),
        (LAYER[:40], "euclidean", "X has the shape (40, 30) and labels (48,)"),
        (LAYER[:, 0], "euclidean", "X must hold numbers, one row a picture, not float64 of shape"),
        (LAYER.astype(str), "euclidean", "X must hold numbers"),
        (LAYER, "cosine", "metric = 'cosine': "),
    ],
)
def test_what_a_silhouette_refuses(X, metric, words):
    with pytest.raises(FacestagesError) as caught:
        facestages.silhouette(X, PEOPLE, metric=metric)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (
            LABELS,
            "labels must be one for each picture, not of shape (48, 5); of a data frame, give",
        ),
        ([*PEOPLE[:-1], np.nan], "1 of 48 labels are missing, such as that of row 47"),
        ([None, *PEOPLE[1:]], "1 of 48 labels are missing, such as that of row 0"),
        ([*PEOPLE[:-2], "", ""], "2 of 48 labels are missing, such as that of row 46"),
    ],
)
def test_labels_that_a_silhouette_refuses(labels, words):
    with pytest.raises(FacestagesError) as caught:
        facestages.silhouette(LAYER, labels)
    assert words in str(caught.value)


def test_labels_without_people_are_warned_of():
    with pytest.warns(UserWarning, match="labels have no column 'identity'"):
        facestages.score_silhouettes(LAYER, LABELS.drop(columns="identity"), permutations=0)


def test_cka_of_layers_of_unequal_width():
    wide = np.hstack([LAYER, RNG.normal(size=(48, 100))])
    expected = debiased_cka(gram_matrix(LAYER), gram_matrix(wide))
    assert facestages.cka(LAYER, wide) == pytest.approx(expected)
    assert facestages.cka(LAYER, LAYER[:, ::-1] * 3) == pytest.approx(1)
    with pytest.raises(FacestagesError, match=r"X has the shape \(48, 30\) and Y \(40, 130\)"):
        facestages.cka(LAYER, wide[:40])


def test_decoding_is_that_of_the_gram_matrix():
    options = {"permutations": 20, "resamples": 50, "seed": 3}
    table = facestages.decode({"a": LAYER, "b": LAYER}, LABELS, ["identity", "valence"], **options)
    gram, labels = gram_matrix(LAYER), LABELS.assign(stimulus_id=LABELS.index.astype(str))
    rows = decode(gram.astype(np.float32), labels, ["identity", "valence"], [10], **options)
    assert list(table["layer"]) == ["a", "a", "b", "b"]
    for name in ("value", "ci_low", "p"):
        expected = [row[name] for row in rows] * 2
        np.testing.assert_allclose(table[name].astype(float), expected, rtol=1e-5)


def test_all_tables_on_layers_of_any_shape():
    layers = {"maps": LAYER.reshape(48, 3, 2, 5), "a/b": LAYER, "same": np.ones((48, 4))}
    for measure, options in (
        (facestages.score_silhouettes, {"permutations": 19}),
        (facestages.decode, {"permutations": 19, "resamples": 20}),
        (facestages.rsa, {"permutations": 19, "resamples": 20}),
        (facestages.partition, {"resamples": 20}),
        (facestages.subspace_angles, {"draws": 19, "resamples": 20}),
    ):
        table = measure(layers, LABELS, **options)
        values = {name: rows["value"].to_numpy() for name, rows in table.groupby("layer")}
        np.testing.assert_allclose(values["maps"], values["a/b"])
        assert np.isfinite(values["maps"]).sum() > np.isfinite(values["same"]).sum()


def test_inner_products_give_the_same_table():
    both = [
        facestages.score_silhouettes(X, LABELS, components=[5], permutations=19, metric=metric)
        for X, metric in ((LAYER, "euclidean"), (LAYER @ LAYER.T, "gram"))
    ]
    by_measure = [table.set_index(["label", "measure"])["value"] for table in both]
    assert len(by_measure[0]) == len(by_measure[1]) + 1
    known = by_measure[0].loc[by_measure[1].index]
    np.testing.assert_allclose(known.astype(float), by_measure[1].astype(float), rtol=1e-4)


def test_labels_may_be_numbers_and_may_be_missing():
    numbers = LABELS.assign(identity=np.repeat(np.arange(8), 6)).set_index(np.arange(48) + 7)
    numbers.loc[numbers.index[:6], "expression"] = None
    table = facestages.score_silhouettes(LAYER, numbers, permutations=0).set_index(
        ["label", "measure"]
    )
    assert table.loc[("identity", "silhouette"), "n"] == 48
    assert table.loc[("expression", "silhouette"), "n"] == 42


@pytest.mark.parametrize(
    ("layers", "labels", "names", "words"),
    [
        ({"fc": LAYER[:9]}, LABELS, None, "fc has the shape (9, 30) and labels (48,)"),
        (LAYER, PEOPLE, None, "labels must be a pandas.DataFrame with columns such as"),
        (LAYER, LABELS, ["identiy"], "labels have no column 'identiy'; did you mean 'identity'?"),
        (LAYER, LABELS[["valence"]], None, "no column 'identity' or 'expression'. Name others"),
        (LAYER * np.nan, LABELS, None, "X holds NaN or infinity, e.g. in row 0"),
    ],
)
def test_what_tables_refuse(layers, labels, names, words):
    with pytest.raises(FacestagesError) as caught:
        facestages.score_silhouettes(layers, labels, names, permutations=0)
    assert words in str(caught.value)


def test_layers_of_a_model_of_ones_own():
    import keras

    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((16, 16, 1)), keras.layers.Conv2D(2, 3, name="conv"), keras.layers.Flatten()]
    )
    network = facestages.open_network(model, input={"size": 16, "channels": 1})
    images = RNG.integers(0, 255, (40, 16, 16), dtype=np.uint8)
    layers = facestages.record(network, images)
    assert {name: rows.shape for name, rows in layers.items()} == {
        name: (40, int(np.prod(shape))) for name, shape in network.layers.items()
    }
    expected = model.layers[0](images[..., None] / np.float32(255)).numpy().reshape(40, -1)
    recorded = facestages.record(network, images, "conv")["conv"]
    np.testing.assert_allclose(recorded, expected, atol=1e-6)
    with pytest.raises(FacestagesError, match="did you mean 'conv'"):
        facestages.record(network, images, "cov")
    with pytest.raises(FacestagesError, match=r"images must be uint8 of shape .* not float64 of"):
        facestages.record(network, images / 255)


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        (object(), {"input": {"size": 8}}, "object is neither a keras.Model nor a torch.nn.Module"),
        (object(), {}, "object: say what it takes, e.g. input="),
        (object(), {"input": {"sise": 8}}, "input has no key 'sise'; did you mean 'size'?"),
        ("nn2", {}, "network 'nn2': give the config that defines it, or a model"),
    ],
)
def test_what_is_no_network(model, options, words):
    with pytest.raises(FacestagesError) as caught:
        facestages.open_network(model, **options)
    assert words in str(caught.value)
