"""Decoding: against scikit-learn, from pictures of other people and times, and right by chance."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA, KernelPCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import Ridge
from sklearn.metrics import recall_score
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from facestages import store, tables
from facestages.analysis.decoding import ONE_RECORDING, decode, decode_labels
from facestages.analysis.folds import Folds, hold_out_people, hold_out_times
from facestages.analysis.readouts import held_out_r2, held_out_recall, predict_groups, project
from facestages.analysis.separability import CIRCULAR
from facestages.stimuli import StimulusSet, add_labels, read_labels, write_stimuli

EXPRESSIONS = np.array(["angry", "happy", "neutral", "sad", "surprise"], dtype=object)


def faces(people, repeats, column, label=None):
    """Labels of people who show each expression in each of some sessions, or episodes."""
    table = pd.DataFrame(
        {
            "identity": np.repeat([f"P{n:02}" for n in range(people)], repeats * 5),
            "expression": np.tile(np.repeat(EXPRESSIONS, repeats), people),
            "sex": np.repeat(np.resize(["f", "m"], people), repeats * 5),
        }
    )
    table[column] = label if label is not None else np.tile(np.arange(repeats), people * 5)
    table["stimulus_id"] = [f"set/{n}" for n in range(len(table))]
    return table


def portraits(people=12, sessions=2):
    return faces(people, sessions, "session", np.tile(list("AB")[:sessions], people * 5))


def video(people=8, frames=40):
    return faces(people, frames // 5, "frame", np.tile(np.arange(frames), people))


def gram_of(points):
    return (points @ points.T).astype(np.float32)


def said(points, table, label, k=5, permutations=99, resamples=0, **options):
    """The one row about a label."""
    (row,) = decode(gram_of(points), table, [label], [k], permutations, resamples, **options)
    return row


def along(codes, strength, rng, d=12):
    """Points with a direction for each group."""
    return strength * rng.normal(size=(max(codes) + 1, d))[codes]


# ---------------------------------------------------------------------------- known answers


def test_what_is_planted_is_found_and_nothing_else():
    rng, table = np.random.default_rng(0), portraits()
    noise = rng.normal(size=(len(table), 12))
    expression = pd.factorize(table["expression"])[0]
    identity = pd.factorize(table["identity"])[0]

    clear = said(noise + along(expression, 5, rng), table, "expression")
    assert clear["value"] > 0.95 and clear["p"] == 0.01 and clear["z"] > 5
    assert clear["chance"] == 0.2 and clear["n_groups"] == 5 and clear["n"] == 120
    assert (clear["held_out"], clear["folds"], clear["null"]) == ("people", 5, "within people")

    person = said(noise + along(identity, 5, rng), table, "identity", 10)
    assert person["value"] > 0.95 and person["p"] == 0.01
    assert (person["held_out"], person["folds"]) == ("sessions", 2)

    for label, chance in (("expression", 1 / 5), ("identity", 1 / 12), ("sex", 1 / 2)):
        found = said(noise, table, label)
        assert found["chance"] == chance and found["p"] > 0.05
        assert found["value"] == pytest.approx(chance, abs=0.12)


def test_a_planted_number_is_found():
    rng, table = np.random.default_rng(1), portraits(100)
    table["valence"] = rng.normal(size=len(table))
    points = rng.normal(size=(len(table), 6))
    points[:, 0] = 3 * (table["valence"] + 0.5 * rng.normal(size=len(table)))
    found = said(points, table, "valence")
    # Of the component's variance, 1 / (1 + 0.25) is valence.
    assert found["measure"] == "r2_held_out" and found["value"] == pytest.approx(0.8, abs=0.05)
    assert np.isnan(found.get("chance", np.nan)) and found["p"] == 0.01
    nothing = said(points[:, 1:], table, "valence")
    assert nothing["value"] < 0.01 and nothing["p"] > 0.05


def test_identity_of_another_session_is_not_that_of_the_day():
    """Every session of a person has a look of its own; that it can be told says nothing."""
    rng, table = np.random.default_rng(2), portraits()
    days = pd.factorize(table["identity"] + table["session"])[0]
    found = said(rng.normal(size=(120, 12)) + along(days, 5, rng), table, "identity", 10)
    assert found["value"] < 0.25 and found["p"] > 0.05


# --------------------------------------------------------------------- against scikit-learn


class Shrunk(BaseEstimator):
    """Covariance shrunk towards the unit matrix."""

    def __init__(self, share):
        self.share = share

    def fit(self, points):
        own = np.cov(points.T, bias=True)
        self.covariance_ = (1 - self.share) * own + self.share * np.eye(len(own))
        return self


def plain_folds(points, table):
    return list(GroupKFold(5).split(points, groups=table["identity"]))


@pytest.fixture
def some():
    rng, table = np.random.default_rng(3), portraits()
    points = along(pd.factorize(table["expression"])[0], 1, rng) + rng.normal(size=(120, 12))
    points *= np.linspace(2, 0.5, 12)
    # A face drawn more often: groups of unequal size.
    table.loc[:9, "expression"] = "happy"
    return points, table, hold_out_people(table["identity"].to_numpy(), np.arange(120), 5)


@pytest.mark.parametrize("k", [2, 5, 10])
def test_names_are_predicted_as_scikit_learn_does(some, k):
    points, table, folds = some
    names = table["expression"].to_numpy()
    codes, values = pd.factorize(names)
    spaces = project(gram_of(points), folds, 10)
    expected = np.empty(120, dtype=object)
    for (train, test), space, training in zip(
        plain_folds(points, table), spaces, folds.training, strict=True
    ):
        np.testing.assert_array_equal(np.flatnonzero(training), train)
        model = make_pipeline(
            PCA(k),
            StandardScaler(),
            LinearDiscriminantAnalysis("lsqr", covariance_estimator=Shrunk(k / (k + len(train)))),
        ).fit(points[train], names[train])
        likelihood = model.predict_log_proba(points[test]) - np.log(model[-1].priors_)
        expected[test] = model.classes_[likelihood.argmax(axis=1)]
        found = predict_groups(space[training], codes[None, train], space[test], 5, [10, k])
        np.testing.assert_array_equal(values[found[1][0]], expected[test])
    recall = held_out_recall(spaces, folds, codes[None], 5, [k])[0, 0]
    np.testing.assert_allclose(recall, recall_score(names, expected, labels=values, average=None))
    assert said(points, table, "expression", k)["value"] == pytest.approx(recall.mean())


@pytest.mark.parametrize("k", [2, 10])
def test_numbers_are_predicted_as_scikit_learn_does(some, k):
    points, table, folds = some
    values = points[:, 3] + np.random.default_rng(0).normal(size=120)
    errors, total = 0, 0
    for train, test in plain_folds(points, table):
        model = make_pipeline(PCA(k), StandardScaler(), Ridge(k)).fit(points[train], values[train])
        errors += ((values[test] - model.predict(points[test])) ** 2).sum()
        total += ((values[test] - values[train].mean()) ** 2).sum()
    found = held_out_r2(project(gram_of(points), folds, 10), folds, values[None], [k])
    assert found[0, 0] == pytest.approx(1 - errors / total, abs=1e-5)


def test_components_are_those_of_the_training_pictures_alone(some):
    points, _, folds = some
    gram = points @ points.T
    for space, training in zip(project(gram, folds, 6), folds.training, strict=True):
        of_layer = PCA(6).fit(points[training]).transform(points)
        kernel = KernelPCA(6, kernel="precomputed").fit(gram[np.ix_(training, training)])
        for expected in (of_layer, kernel.transform(gram[:, training])):
            expected = expected / expected[training].std(axis=0)
            signs = np.sign((space * expected).sum(axis=0))
            np.testing.assert_allclose(space * signs, expected, atol=1e-4)


def test_held_out_pictures_do_not_touch_the_components(some):
    points, _, folds = some
    held_out = folds.fold == 2
    changed = np.where(held_out[:, None], 100 * points[::-1], points)
    before, after = (project(layer @ layer.T, folds, 6)[2] for layer in (points, changed))
    np.testing.assert_array_equal(before[~held_out], after[~held_out])
    assert not np.allclose(before[held_out], after[held_out])


def test_many_labellings_at_once_are_as_one_by_one(some):
    points, _, folds = some
    labellings = np.random.default_rng(0).integers(0, 40, (300, 120))  # in several batches
    spaces = project(gram_of(points), folds, 4)
    together = held_out_recall(spaces, folds, labellings, 40, [2, 4])
    for number in (0, 150, 299):
        alone = held_out_recall(spaces, folds, labellings[number, None], 40, [2, 4])
        np.testing.assert_allclose(together[:, number], alone[:, 0])


# ------------------------------------------------------------------------- what is held out


def test_no_person_is_both_trained_on_and_held_out(some):
    _, table, folds = some
    for number, training in enumerate(folds.training):
        people = table["identity"].to_numpy()
        assert not set(people[training]) & set(people[folds.fold == number])
        assert training.sum() + (folds.fold == number).sum() == 120
    assert np.ptp(np.bincount(folds.fold)) <= 10


def test_a_third_of_the_frames_lies_between_time_blocks():
    table = video(3, 50).sample(frac=1, random_state=0, ignore_index=True)
    folds = hold_out_times(table, 5)
    frames, fold = table["frame"].to_numpy()[folds.rows], folds.fold
    assert folds.held_out == "time blocks"
    assert sorted(set(frames[fold == 0])) == list(range(17))
    assert sorted(set(frames[fold == 1])) == list(range(34, 50))
    np.testing.assert_array_equal(folds.training, [fold == 1, fold == 0])


def test_sessions_go_before_frames_and_are_numbered_by_person():
    table = portraits(3).assign(frame=np.arange(30.0))
    table["session"] = table["identity"] + table["session"]  # nobody shares one
    folds = hold_out_times(table, 5)
    assert folds.held_out == "sessions" and len(folds.training) == 2
    np.testing.assert_array_equal(folds.fold, np.tile([0, 1], 15))


def test_people_without_a_second_session_are_left_out():
    table = portraits(6)
    table = table[(table["identity"] != "P03") | (table["session"] == "A")]
    table = table.reset_index(drop=True)
    points = np.random.default_rng(0).normal(size=(len(table), 8))
    found = said(points, table, "identity")
    assert found["n_groups"] == 5 and found["n"] == 50
    assert found["note"] == "1 people left out, who have too few sessions"


def drift(rng, people, frames, rho, d=12):
    """Faces that change slowly and have nothing else."""
    steps = rng.normal(size=(people, frames, d))
    for frame in range(1, frames):
        steps[:, frame] = rho * steps[:, frame - 1] + np.sqrt(1 - rho**2) * steps[:, frame]
    return steps.reshape(-1, d)


def test_a_slow_drift_is_not_an_identity():
    """Frames held out at random have their neighbours in the training set; time blocks do not."""
    rng, table = np.random.default_rng(4), video(6, 100)
    people, everything = pd.factorize(table["identity"])[0], np.arange(600)
    fold = rng.permutation(everything % 5)
    leaky = Folds(everything, fold, fold != np.arange(5)[:, None], "frames")
    near, far = [], []
    for _ in range(30):
        points = drift(rng, 6, 100, 0.9)
        spaces = project(gram_of(points), leaky, 10)
        near.append(held_out_recall(spaces, leaky, people[None], 6, [10]).mean())
        found = said(points, table, "identity", 10, permutations=0)
        far.append(found["value"])
    assert np.mean(near) > 0.4
    assert np.mean(far) == pytest.approx(1 / 6, abs=0.04)
    assert found["note"] == ONE_RECORDING


# ------------------------------------------------------------------------------ right by chance


def rejections(simulate, labels, simulations):
    """Number of simulated face sets in which p of each label is .05 or less."""
    small = dict.fromkeys(labels, 0)
    for seed in range(simulations):
        points, table = simulate(np.random.default_rng(seed))
        for row in decode(gram_of(points), table, labels, [5], 59, 0, folds=3, seed=seed):
            small[row["label"]] += row["p"] <= 0.05
    return small


def portraits_of_nothing(rng):
    """People differ, and their sessions; nothing else is there to be read."""
    table = portraits(12)
    table["valence"] = rng.normal(size=120)
    people, days = (pd.factorize(table[name])[0] for name in ("identity", "session"))
    points = (
        rng.normal(size=(120, 8)) + along(people, 1, rng, 8) + along(2 * people + days, 1, rng, 8)
    )
    return points, table.assign(sex=np.repeat(rng.permutation(np.resize(["f", "m"], 12)), 10))


def video_of_nothing(rng):
    """People differ and drift; each shows the expressions in an order of their own."""
    table = video(8, 40)
    order = np.concatenate(
        [np.repeat(rng.permutation(np.tile(EXPRESSIONS, 2)), 4) for _ in range(8)]
    )
    people = pd.factorize(table["identity"])[0]
    points = drift(rng, 8, 40, 0.95, 8) + along(people, 1, rng, 8)
    return points, table.assign(expression=order, valence=drift(rng, 8, 40, 0.95, 1))


def days_without_identity(rng):
    """Every session of a person has a look of its own, and is no more like the person's other."""
    table = portraits(10)
    days = pd.factorize(table["identity"] + table["session"])[0]
    return rng.normal(size=(100, 8)) + along(days, 1, rng, 8), table


def drift_without_identity(rng):
    return drift(rng, 5, 80, 0.7, 8), video(5, 80)


@pytest.mark.parametrize(
    ("simulate", "labels"),
    [
        (portraits_of_nothing, ["expression", "valence", "sex"]),
        (video_of_nothing, ["expression", "valence"]),
        (days_without_identity, ["identity"]),
        (drift_without_identity, ["identity"]),
    ],
)
def test_p_values_are_calibrated(simulate, labels):
    """Without an effect, p is .05 or less about once in twenty."""
    simulations = 120
    low, high = scipy.stats.binom.ppf([0.01, 0.99], simulations, 0.05)
    for label, small in rejections(simulate, labels, simulations).items():
        assert low <= small <= high, label


def expressive(rng):
    """People differ, in how they show an expression too."""
    table = portraits(12)
    shown, person = (pd.factorize(table[name])[0] for name in ("expression", "identity"))
    centres = np.random.default_rng(99).normal(size=(5, 8))[shown]
    own = rng.normal(size=(12, 5, 8))[person, shown]
    points = centres + 0.7 * own + along(person, 1, rng, 8) + rng.normal(size=(120, 8))
    return points, table.assign(valence=shown + rng.normal(size=120))


def test_intervals_hold_the_truth():
    """In 95 % of the face sets, or nearly, the interval holds the mean over all of them."""
    labels, found = ["identity", "expression", "valence"], {}
    for seed in range(200):
        points, table = expressive(np.random.default_rng(seed))
        resamples = 200 if seed < 60 else 0
        for row in decode(gram_of(points), table, labels, [4], 0, resamples, folds=2, seed=seed):
            bounds = row["ci_low"], row["ci_high"]
            found.setdefault(row["label"], []).append((row["value"], *bounds))
    for label in labels:
        value, low, high = np.array(found[label]).T
        truth = value.mean()
        held = ((low <= truth) & (truth <= high))[:60].sum()
        assert held >= scipy.stats.binom.ppf(0.01, 60, 0.95), label


# --------------------------------------------------------------------------------- what is said


@pytest.fixture
def noise():
    return np.random.default_rng(5).normal(size=(120, 12))


def test_a_person_who_shows_alone_what_nobody_else_does(noise):
    table = portraits()
    table.loc[:2, "expression"] = "smug"
    found = said(noise, table, "expression", resamples=9)
    assert found["n_groups"] == 5 and found["n"] == 117
    assert found["note"] == "left out, not shown by people of two folds: smug"
    assert found["ci_low"] < found["value"] < found["ci_high"]


@pytest.mark.parametrize(
    ("change", "label", "words"),
    [
        ({"expression": ""}, "expression", "the face set has no label 'expression'"),
        ({}, "arousal", "the face set has no label 'arousal'"),
        ({"valence": np.nan}, "valence", "the face set has no label 'valence'"),
        ({"expression": "sad"}, "expression", "all 120 pictures have one expression"),
        ({"valence": 0.5}, "valence", "all 120 pictures have one valence"),
        ({"identity": "P00"}, "expression", "no two people to hold out in turn"),
        ({"identity": "P00"}, "identity", "one person only, nobody to tell from whom"),
        ({"session": ""}, "identity", "pictures of one person are in no order"),
        ({"session": "A"}, "identity", "pictures of one person are in no order"),
        ({"session": "", "frame": np.nan}, "identity", "or three of 'frame'"),
        ({"identity": np.arange(120).astype(str)}, "identity", "are in no order"),
        ({"sex": ["m"] * 10 + ["f"] * 110}, "sex", "all 110 pictures have one sex"),
    ],
)
def test_what_cannot_be_decoded_is_said(noise, change, label, words):
    table = portraits().assign(**change)
    found = said(noise, table, label)
    assert np.isnan(found["value"]) and words in found["note"]
    # Others are decoded all the same.
    others = decode(gram_of(noise), table, [label, "expression", "identity"], [2, 5], 9, 9)
    assert len(others) == 6


def test_few_people_have_fewer_folds_and_no_interval(noise):
    few = said(noise[:30], portraits(3), "expression", resamples=99)
    assert few["folds"] == 3 and np.isfinite(few["value"]) and np.isnan(few["ci_low"])
    assert few["note"] == "3 folds, as there are 3 people; no interval with fewer than 4 people"
    two = said(noise[:20], portraits(2), "sex")
    assert np.isnan(two["value"]) and "no two people" in two["note"]


def test_pictures_of_unknown_people_are_independent(noise):
    table = portraits().drop(columns=["identity", "session"])
    found = said(noise, table, "expression", resamples=9)
    assert (found["held_out"], found["null"]) == ("pictures", "freely")
    assert found["note"] == "people are not known, pictures are taken as independent"
    assert found["ci_low"] < found["value"] < found["ci_high"]


def test_pictures_without_the_label_are_left_out_of_it_alone(noise):
    table = portraits()
    table["valence"] = np.where(
        np.arange(120) % 3, np.random.default_rng(0).normal(size=120), np.nan
    )
    rows = decode(gram_of(noise), table, ["valence", "expression"], [3], 9, 9)
    assert [row["n"] for row in rows] == [80, 120]
    assert all(np.isfinite(row["value"]) for row in rows)


def test_fewer_components_than_asked_for(noise):
    flat = noise[:, :3]
    found = decode(gram_of(flat), portraits(), ["expression", "identity"], [2, 50], 9, 9)
    assert [row["components_used"] for row in found] == [2, 3, 2, 3]
    none = said(np.ones((120, 4)), portraits(), "expression")
    assert np.isnan(none["value"])
    assert none["note"] == "the layer says the same of all pictures of a training set"


def test_without_permutations_and_resamples(noise):
    found = said(noise, portraits(), "expression", permutations=0)
    assert np.isfinite(found["value"]) and np.isnan(found["ci_low"]) and "p" not in found


def test_the_same_again(noise):
    table = portraits()
    first, again = (said(noise, table, "expression", resamples=99, seed=3) for _ in range(2))
    assert first == again
    assert said(noise, table, "expression", seed=4)["null_mean"] != first["null_mean"]


# -------------------------------------------------------------------------------- the whole table


@pytest.fixture
def files(tmp_path):
    """A face set, and the geometry of a layer of identities, one of expressions, and a dead one."""
    rng, table = np.random.default_rng(6), portraits()
    table["valence"] = np.where(table["expression"] == "happy", 0.8, -0.4) + 0.1 * rng.normal(
        size=120
    )
    sources = dict.fromkeys(table.columns.drop("stimulus_id"), "rendered")
    images = np.arange(480, dtype=np.uint8).reshape(120, 2, 2)
    stimuli, geometry = tmp_path / "faces.h5", tmp_path / "geometry.h5"
    write_stimuli(stimuli, StimulusSet(images, table, sources, {"rendered": 1}), "faces")
    digest = read_labels(stimuli)[2]["stimuli_digest"]
    noise = rng.normal(size=(120, 12))
    layers = {
        "early": noise + along(pd.factorize(table["identity"])[0], 5, rng),
        "dead": np.zeros((120, 2)),
        "late": noise + along(pd.factorize(table["expression"])[0], 5, rng),
    }
    common = {"dataset": "faces", "network": "net", "seed": 0, "stimuli_digest": digest}
    with store.create(geometry, "geometry", **common) as file:
        for layer, points in layers.items():
            group = file.create_group(layer)
            add_labels(group, table, sources)
            store.add_dimension(group, "other_stimulus", 120)
            store.add_array(group, "gram", ("stimulus_id", "other_stimulus"), gram_of(points))
    return geometry, stimuli


STAGES = {"early": "early", "penultimate": "late", "final": "late"}


def test_table(files, tmp_path):
    labels = ["identity", "expression", "valence", "pose"]
    found = decode_labels(*files, STAGES, labels, [2, 5, "all"], 49, 99, folds=4)
    # A layer has a row for each of its stages.
    assert found["stage"].value_counts().to_dict() == dict.fromkeys((*STAGES, ""), 8)
    assert set(found["components"]) == {2, 5} and (found["rendered"] == 1).all()
    value = found[found["components"] == 5].set_index(["stage", "label"])["value"]
    assert value["early", "identity"] > 0.9 > 0.4 > value["final", "identity"]
    assert value["final", "expression"] > 0.9 > 0.4 > value["early", "expression"]
    assert value["final", "valence"] > 0.8 > 0.2 > value["early", "valence"]
    assert value["penultimate"].equals(value["final"])
    # The dead layer, and the label that is not there.
    empty = found[found["value"].isna()]
    assert set(empty["layer"] + " " + empty["label"]) == {
        *(f"dead {label}" for label in labels),
        *(f"{layer} pose" for layer in ("early", "late")),
    }
    assert (empty["note"] != "").all() and (found["label_source"] == "rendered").sum() == 24
    inside = found.dropna(subset="value")
    assert ((inside["ci_low"] <= inside["value"]) & (inside["value"] <= inside["ci_high"])).all()
    tables.write_table(tmp_path / "decoding.csv", found)
    pd.testing.assert_series_equal(
        tables.read_tables([tmp_path / "decoding.csv"])["value"], found["value"], rtol=1e-8
    )


def test_a_networks_own_labels_are_circular(files, tmp_path):
    geometry, stimuli = files
    predictions = tmp_path / "net.csv"
    labels = read_labels(stimuli)[0]
    labels[["stimulus_id", "expression"]].assign(network="net").to_csv(predictions, index=False)
    found = decode_labels(
        geometry, stimuli, STAGES, ["expression", "sex"], [5], 9, 9, predictions=predictions
    ).set_index(["stage", "label"])
    assert found.loc[("final", "expression"), "note"] == CIRCULAR
    assert found.loc[("final", "expression"), "label_source"] == "network:net"
    assert found.loc[("final", "sex"), "note"] == ""


def test_only_the_full_space_asked_for_gives_no_rows(files):
    assert len(decode_labels(*files, STAGES, ["expression"], ["all"], 9, 9)) == 0
