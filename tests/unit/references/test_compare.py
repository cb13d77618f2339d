"""Layers beside each kind of reference, and what a reference holds by itself."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import rankdata, spearmanr, t

from facestages import store
from facestages.analysis.arrays import check_labels, open_arrays
from facestages.errors import FacestagesError
from facestages.references.beside import open_shown
from facestages.references.compare import compare_reference
from facestages.references.contents import Conditions, Confusions, Pairs, Ratings, Triplets
from facestages.references.describe import describe_reference
from facestages.references.files import write_reference
from facestages.references.networks import compare_networks
from facestages.stimuli import StimulusSet, read_labels, write_stimuli
from facestages.tables import write_table

RNG = np.random.default_rng(0)
EXPRESSIONS = ["happy", "sad", "angry", "fear"]
LABELS = pd.DataFrame(
    {
        "stimulus_id": [f"set/{number}" for number in range(48)],
        "identity": np.repeat([f"p{number:02}" for number in range(12)], 4),
        "expression": np.tile(EXPRESSIONS, 12),
    }
)
POSITIONS = np.array([[0.8, 0.2], [-0.6, -0.5], [-0.5, 0.6], [-0.4, 0.8]])
AFFECT = np.tile(POSITIONS, (12, 1)) + RNG.normal(0, 0.1, (48, 2))
LABELS[["valence", "arousal"]] = AFFECT
OF_PEOPLE = RNG.normal(size=(12, 20)).repeat(4, axis=0)
LAYERS = {
    "early": 2 * OF_PEOPLE + RNG.normal(size=(48, 20)),
    "middle": OF_PEOPLE + RNG.normal(size=(48, 20)) + np.pad(3 * AFFECT, ((0, 0), (0, 18))),
    "fc": np.pad(6 * AFFECT, ((0, 0), (0, 18))) + RNG.normal(size=(48, 20)),
    "dead": np.zeros((48, 3)),
}
STAGES = {"early": "early", "middle": "middle", "penultimate": "fc"}
NOTES = {"reference": "mine", "dataset": "set", "label": "Mine", "cite": "me", "simulated": 0}
FIRST, SECOND = np.triu_indices(48, 1)


@pytest.fixture
def compare(tmp_path):
    """The table of the layers beside what a reader of references found."""

    def run(content, simulated=0, answers=None):
        path = tmp_path / "reference.h5"
        notes = NOTES | {"simulated": simulated, "stimuli_digest": "x"}
        write_reference(path, content, LABELS["stimulus_id"].to_numpy(), notes)
        with open_arrays(LAYERS, check_labels(LABELS), "euclidean", [10]) as geometry:
            geometry = geometry._replace(stages=STAGES)
            return compare_reference.of_geometry(geometry, path, answers)

    return run


@pytest.fixture
def describe(tmp_path):
    """The table of the raters of what a reader of references found."""

    return lambda content: describe_reference(*write_files(tmp_path, content))


def write_files(folder, content):
    """Files of what a reader found, and of pictures and labels of its face set."""
    path, stimuli, labels = (folder / f"{name}.h5" for name in ("reference", "set", "set.labels"))
    sources = dict.fromkeys(LABELS.columns[1:], "file")
    write_stimuli(stimuli, StimulusSet(np.zeros((48, 8, 8), np.uint8), LABELS, sources), "set")
    notes = NOTES | {"stimuli_digest": read_labels(stimuli, labels)[2]["stimuli_digest"]}
    write_reference(path, content, LABELS["stimulus_id"].to_numpy(), notes)
    return path, stimuli, labels


def judged_pairs(raters=8, times=None):
    """Judgements by affect; with times, by identity first and by affect at the end."""
    people = (LABELS["identity"].to_numpy()[FIRST] != LABELS["identity"].to_numpy()[SECOND]) * 1.0
    affect = np.hypot(*(AFFECT[FIRST] - AFFECT[SECOND]).T)
    share = np.zeros(1) if times is None else np.linspace(1, 0, len(times))
    planted = share[:, None] * people / people.std() + (1 - share[:, None]) * affect / affect.std()
    noise = RNG.normal(0, 0.5, (raters, len(share), len(FIRST)))
    names = [f"r{number}" for number in range(raters)]
    return Pairs(names, times, FIRST, SECOND, planted + noise + 5)


def test_pairs(compare):
    table = compare(judged_pairs())
    rho = table[table["measure"] == "rho_a"].set_index("layer")
    assert rho["value"].idxmax() == "fc" and rho.loc["fc", "p"] < 0.001
    known = rho.drop("dead")
    assert (known["ci_low"] < known["value"]).all() and (
        known["value"] < known["ceiling_high"]
    ).all()
    assert "same output" in rho.loc["dead", "note"] and np.isnan(rho.loc["dead", "value"])
    weight = table[table["measure"] == "weight"].set_index(["layer", "label"])["value"]
    assert weight["early", "identity"] > 0.8 and weight["fc", "affect"] > 0.6
    moved = table[table["measure"] == "rho_a_change"].set_index("label")
    assert list(moved.index) == ["early to middle", "early to penultimate", "middle to penultimate"]
    assert (moved["ci_low"] > 0).all()
    change = rho.loc["fc", "value"] - rho.loc["early", "value"]
    assert moved.loc["early to penultimate", "value"] == pytest.approx(change, abs=1e-6)
    assert set(table["people"].dropna()) == {12} and set(table["raters"].dropna()) == {8}


def of_conditions(groups, judged):
    """Judgements (raters, 1, m) of conditions, which are groups of pictures."""
    ends = np.triu_indices(len(groups), 1)
    conditions = Conditions([f"c{number}" for number in range(len(groups))], groups)
    return Pairs([f"r{number}" for number in range(len(judged))], None, *ends, judged, conditions)


def mean_distances(groups, points):
    means = np.array([points[rows].mean(axis=0) for rows in groups])
    return pdist(means)


def test_conditions_are_means_of_their_pictures(compare, describe):
    """People of two pictures each: the distances are those of the means, and people are known."""
    groups = [np.array([first, first + other]) for first in range(0, 48, 4) for other in (1, 2)]
    planted = mean_distances(groups, LAYERS["early"])
    judged = planted + RNG.normal(0, 0.05, (6, 1, len(planted)))
    table = compare(of_conditions(groups, judged))
    rho = table[table["measure"] == "rho_a"].set_index("layer")
    ranks = rankdata(mean_distances(groups, LAYERS["fc"]))
    expected = np.mean([np.corrcoef(ranks, rankdata(one))[0, 1] for one in judged[:, 0]])
    assert rho.loc["fc", "value"] == pytest.approx(expected, abs=1e-6)
    assert rho["value"].idxmax() == "early" and rho.loc["early", "people"] == 12
    assert rho.loc["early", "note"] == "conditions are means of 2 pictures"
    models = describe(of_conditions(groups, judged)).query("measure == 'rho_a'")
    models = models.set_index("label")
    # Each condition has two expressions, so there is no model of category.
    assert models["value"].notna().to_dict() == {"identity": 1, "affect": 1, "category": 0}
    assert "some picture or condition has no expression" in models.loc["category", "note"]


def test_conditions_of_all_people_have_intervals_over_raters(compare):
    groups = [np.arange(number, 48, 4) for number in range(4)]
    planted = mean_distances(groups, LAYERS["fc"])
    judged = planted + RNG.normal(0, 0.5, (9, 1, len(planted)))
    table = compare(of_conditions(groups, judged))
    rho = table[table["measure"] == "rho_a"].set_index("layer").loc["fc"]
    by_rater = [spearmanr(mean_distances(groups, LAYERS["fc"]), one)[0] for one in judged[:, 0]]
    reach = t.ppf(0.975, 8) * np.std(by_rater, ddof=1) / 3
    ends = np.mean(by_rater) - reach, np.mean(by_rater) + reach
    assert (rho["ci_low"], rho["ci_high"]) == pytest.approx(ends, abs=1e-5)
    assert rho["people"] == 12 and "the interval is over raters alone" in rho["note"]


def test_conditions_that_share_a_person_are_not_independent():
    table = LABELS.iloc[:16]
    name = table["stimulus_id"].iloc
    conditions = {"a": [*name[[0, 4]]], "b": [*name[[5, 8]]], "c": [name[1]], "d": [name[13]]}
    shown = open_shown(table, conditions | {"e": ["set/47"]})
    assert list(shown.table["stimulus_id"]) == ["a", "b", "c", "d"]
    assert shown.people[:3].tolist() == [shown.people[0]] * 3 != shown.people[[3, 3, 3]].tolist()
    assert list(shown.table["identity"]) == ["", "", "p00", "p03"]
    valence = table["valence"].to_numpy()
    assert shown.table["valence"].iloc[0] == pytest.approx(valence[[0, 4]].mean())
    assert list(shown.table["expression"]) == ["happy", "", "sad", "sad"]


def test_simulated_observers_are_called_so_in_every_row(compare):
    table = compare(judged_pairs(), simulated=1)
    assert table["note"].str.contains("SIMULATED").all() and (table["simulated"] == 1).all()


def test_recordings_in_time(compare, describe):
    content = judged_pairs(times=np.array([0.0, 50, 100, 150]))
    table = compare(content)
    peaks = table[table["measure"] == "peak"].set_index("layer")["value"]
    assert peaks["early"] <= 50 and peaks["fc"] == 150 and "dead" not in peaks
    slope = table[table["measure"] == "peak_slope"].iloc[0]
    assert slope["value"] > 0 and slope["ci_low"] > 0
    assert set(table.loc[table["layer"] == "fc", "time"].dropna()) == {0, 50, 100, 150}
    order = table[table["measure"] == "order_agreement"].iloc[0]
    assert order["label"] == "identity, affect, category"
    by_model = describe(content).query("measure == 'peak'").set_index("label")["value"]
    assert by_model["identity"] <= 50 and by_model["affect"] == 150


def test_ratings(compare, describe):
    ratings = AFFECT[None] + RNG.normal(0, 0.2, (6, 48, 2))
    ratings[0, :40] = np.nan
    content = Ratings([f"r{n}" for n in range(6)], np.arange(48), ["valence", "trust"], ratings)
    table = compare(content)
    value = table.set_index(["layer", "label", "measure"])["value"]
    assert value["fc", "valence", "r_held_out"] > 0.8 > value["early", "valence", "r_held_out"]
    assert value["fc", "valence", "r_pc1"] > 0.5
    assert value["fc", "valence", "r_held_out"] > value["fc", "valence", "r_held_out_within"]
    own = describe(content).set_index("label")
    assert own.loc["valence", "ceiling_low"] < own.loc["valence", "ceiling_high"] < 1
    assert list(own.index) == ["valence", "trust"] and set(own["raters"]) == {6}


def test_means_of_ratings_alone(compare):
    mean = AFFECT[None, :, :1]
    sd, n = np.full((48, 1), 0.5), np.full((48, 1), 30)
    table = compare(Ratings(["mean"], np.arange(48), ["valence"], mean, sd, n))
    row = table[(table["layer"] == "fc") & (table["measure"] == "r_held_out")].iloc[0]
    assert 0.9 < row["ceiling_high"] < 1 and row["raters"] == 1 and row["ci_low"] > 0.5


def test_odd_ones_out(compare, describe):
    distances = np.hypot(*(AFFECT[:, None] - AFFECT[None]).transpose(2, 0, 1))
    trials = []
    for a, b, c in (RNG.permutation(48)[:3] for _ in range(200)):
        kept = np.argmin([distances[b, c], distances[a, c], distances[a, b]])
        odd = [a, b, c].pop(kept)
        trials.append([*(one for one in (a, b, c) if one != odd), odd])
    content = Triplets(np.array(trials), np.array([f"r{n % 5}" for n in range(200)]))
    table = compare(content).set_index("layer")
    assert table.loc["fc", "value"] > 0.4 > table.loc["early", "value"]
    assert table.loc["fc", "ci_low"] > 0 and table["ceiling_high"].isna().all()
    own = describe(content).set_index(["measure", "label"])["value"]
    assert own["accuracy", "affect"] == pytest.approx(2 / 3)


def test_names_of_expressions(compare, describe, tmp_path):
    counts = np.array([[80, 5, 10, 5], [4, 70, 20, 6], [3, 7, 60, 30], [2, 8, 40, 50.0]])
    answered = [
        RNG.choice(EXPRESSIONS, p=counts[EXPRESSIONS.index(name)] / 100)
        for name in LABELS["expression"]
    ]
    answers = pd.DataFrame({"stimulus_id": LABELS["stimulus_id"], "expression": answered})
    path = tmp_path / "answers.csv"
    write_table(path, answers.assign(dataset="set", network="n", seed=0, probability=1.0))
    content = Confusions(EXPRESSIONS, EXPRESSIONS, counts, [], None)
    (row,) = compare(content, answers=path).to_dict("records")
    assert row["value"] > 0.5 and row["ci_low"] < row["value"] and row["n"] == 48
    (without,) = compare(content).to_dict("records")
    assert "names no expressions" in without["note"] and np.isnan(without["value"])
    own = describe(content).set_index("label")["value"]
    assert own["happy"] == 0.8 and own["fear"] == 0.5


def test_nothing_that_was_judged_is_measured(tmp_path):
    path = tmp_path / "reference.h5"
    ids = np.array([f"other/{number}" for number in range(48)], dtype=object)
    write_reference(path, judged_pairs(), ids, NOTES | {"stimuli_digest": "x"})
    with (
        open_arrays(LAYERS, check_labels(LABELS), "euclidean", [10]) as geometry,
        pytest.raises(FacestagesError, match="reference mine: none of its pictures are measured"),
    ):
        compare_reference.of_geometry(geometry, path)


def test_pictures_that_nobody_judged_do_not_count(compare):
    """Of five people, whatever else the table has rows for."""
    five = LABELS["identity"].isin([f"p{number:02}" for number in range(5)]).to_numpy()
    content = judged_pairs()
    content.dissimilarities[:, :, ~(five[FIRST] & five[SECOND])] = np.nan
    table = compare(content)
    rows = table[table["measure"] == "rho_a"]
    assert set(rows["people"].dropna()) == {5} and set(rows["n"].dropna()) == {190}
    rating = AFFECT[None, :, :1] + RNG.normal(0, 0.3, (8, 48, 1))
    part = np.where(five[:, None], rating, np.nan)
    raters = [f"r{number}" for number in range(8)]
    pictures = np.arange(48)
    both = Ratings(raters, pictures, ["all", "part"], np.concatenate([rating, part], axis=2))
    alone = Ratings(raters, pictures, ["part"], part)
    shared = ["layer", "measure", "value", "ci_low", "ci_high", "p", "people", "n"]
    beside, single = (
        one[one["label"] == "part"][shared] for one in (compare(both), compare(alone))
    )
    pd.testing.assert_frame_equal(
        beside.reset_index(drop=True), single.reset_index(drop=True), check_exact=False, atol=1e-9
    )


def test_raters_without_two_different_answers_are_left_out(compare):
    content = judged_pairs()
    value = compare(content).query("measure == 'rho_a'")["value"]
    alike = content.dissimilarities[:1] * 0 + 1
    more = Pairs(
        [*content.raters, "alike"], None, FIRST, SECOND, np.vstack([content.dissimilarities, alike])
    )
    pd.testing.assert_series_equal(compare(more).query("measure == 'rho_a'")["value"], value)
    with pytest.raises(FacestagesError, match="no rater tells two of its pairs apart"):
        compare(Pairs(["alike"], None, FIRST, SECOND, alike))


def test_raters_of_different_pairs_get_a_note(compare):
    content = judged_pairs()
    content.dissimilarities[0, 0, :500] = np.nan
    table = compare(content)
    notes = table[(table["measure"] == "rho_a") & table["value"].notna()]["note"]
    assert notes.str.contains("may exceed the ceiling").all()


@pytest.mark.parametrize("people", [1, 2, 3])
def test_recordings_of_few_people(compare, people):
    """The interval is over subjects alone."""
    content = judged_pairs(times=np.array([-50.0, 0, 50]))
    shown = np.repeat(np.arange(12), 4) < people
    used = shown[FIRST] & shown[SECOND]
    content = content._replace(
        first=FIRST[used], second=SECOND[used], dissimilarities=content.dissimilarities[..., used]
    )
    rho = compare(content).query("measure == 'rho_a'")
    assert np.isfinite(rho[["value", "ci_low", "ci_high"]]).all(axis=None)


def test_one_subject_is_as_at_one_time(compare):
    """The interval is over people alone, also in time."""
    content = judged_pairs(raters=1, times=np.array([100.0]))
    in_time = compare(content).query("measure == 'rho_a'")
    at_once = compare(content._replace(times=None)).query("measure == 'rho_a'")
    in_time, at_once = (one.dropna(subset="value").set_index("layer") for one in (in_time, at_once))
    pd.testing.assert_series_equal(in_time["value"], at_once["value"], atol=1e-6)
    width = [one["ci_high"] - one["ci_low"] for one in (in_time, at_once)]
    assert (width[0] / width[1]).between(0.7, 1.5).all()


def test_times_before_the_picture_have_no_peak(compare):
    table = compare(judged_pairs(times=np.array([-300.0, -200.0])))
    assert table.query("measure == 'peak'")["value"].isna().all()


def test_a_subject_without_recordings(compare):
    content = judged_pairs(times=np.array([0.0, 50.0]))
    content.dissimilarities[3] = np.nan
    with pytest.raises(FacestagesError, match="no pairs are recorded of every subject"):
        compare(content)


@pytest.fixture
def compare_two(tmp_path):
    """Networks beside each other: one with two seeds, and one whose first layer is the last one."""

    def run(content):
        files = write_files(tmp_path, content)
        digest = read_labels(*files[1:])[2]["stimuli_digest"]
        geometries = [
            write_geometry(tmp_path, network, seed, digest)
            for network, seed in (("one", 0), ("one", 1), ("two", 0))
        ]
        stages = {"one": {"early": "early", "penultimate": "fc"}, "two": {"early": "fc"}}
        return compare_networks(*files, geometries, stages)

    return run


def layer_points(name, seed):
    """Outputs of a layer of one instance; those of the first are `LAYERS`."""
    return LAYERS[name] + seed * np.random.default_rng(seed).normal(size=(48, 20))


def write_geometry(folder, network, seed, digest):
    path = folder / f"{network}-{seed}.h5"
    notes = {"network": network, "seed": seed, "stimuli_digest": digest}
    with store.create(path, "geometry", dataset="set", **notes) as file:
        store.add_dimension(file, "stimulus", np.arange(48))
        for name in ("early", "fc"):
            points = layer_points(name, seed)
            group = file.create_group(name)
            store.add_dimension(group, "stimulus", np.arange(48))
            store.add_dimension(group, "other", np.arange(48))
            gram = (points @ points.T).astype(np.float32)
            store.add_array(group, "gram", ("stimulus", "other"), gram)
            group.attrs["total_variance"] = float(points.var(axis=0).sum())
    return path


def test_networks_beside_each_other(compare_two):
    """The difference of the measures, of the mean over seeds; in both orders."""
    content = judged_pairs()
    found = compare_two(content).set_index(["stage", "network", "other"])
    assert list(found.index) == [("early", "one", "two"), ("early", "two", "one")]
    one, other = found.iloc[0], found.iloc[1]
    judged = [rater[0] for rater in content.dissimilarities]
    means = [
        np.mean([spearmanr(pdist(layer_points(name, seed)), rater)[0] for rater in judged])
        for name, seed in (("early", 0), ("early", 1), ("fc", 0))
    ]
    assert one["value"] == pytest.approx((means[0] + means[1]) / 2 - means[2], abs=1e-5)
    assert one["measure"] == "rho_a_difference" and one["people"] == 12 and one["raters"] == 8
    assert other["value"] == -one["value"] and other["ci_low"] == -one["ci_high"]
    assert one["ci_high"] < 0 and one["p"] == other["p"] == one["p_holm"] < 0.001


def test_networks_beside_odd_ones_out(compare_two):
    trials = np.array([RNG.permutation(48)[:3] for _ in range(200)])
    a, b, c = (AFFECT[trials[:, place]] for place in range(3))
    apart = np.stack([np.hypot(*(x - y).T) for x, y in ((b, c), (a, c), (a, b))], axis=1)
    # The odd one is that whose two others are the nearest.
    trials = np.array(
        [[*np.delete(row, at), row[at]] for row, at in zip(trials, apart.argmin(1), strict=True)]
    )
    found = compare_two(Triplets(trials, np.repeat(["a", "b", "c", "d"], 50)))
    two = found[found["network"] == "two"].iloc[0]
    assert two["measure"] == "accuracy_difference" and two["ci_low"] > 0 and two["n"] == 200


def test_seeds_that_disagree_show_no_difference(compare_two, monkeypatch):
    """The second seed is far from the first, on the other side of the other network."""
    content = judged_pairs()
    monkeypatch.setitem(LAYERS, "early", LAYERS["fc"] + 0.5 * RNG.normal(size=(48, 20)))
    noise = np.random.default_rng(1).normal(size=(48, 20))
    monkeypatch.setitem(globals(), "layer_points", lambda name, seed: {
        ("early", 0): np.pad(6 * AFFECT, ((0, 0), (0, 18))), ("early", 1): noise,
    }.get((name, seed), LAYERS["fc"]))  # fmt: skip
    one = compare_two(content).iloc[0]
    assert one["p"] == one["p_holm"] == 1
    assert one["ci_low"] < -0.5 and one["ci_high"] > 0


def test_a_dead_layer_is_not_compared(compare_two, monkeypatch):
    monkeypatch.setitem(globals(), "layer_points", lambda name, seed: LAYERS[name] * (1 - seed))
    found = compare_two(judged_pairs())
    assert len(found) == 2 and found["value"].isna().all()
    assert found["note"].str.contains("same output for every picture").all()


def test_networks_are_not_compared_beside_ratings(compare_two):
    rating = AFFECT[None, :, :1].repeat(2, axis=0)
    found = compare_two(Ratings(["a", "b"], np.arange(48), ["valence"], rating))
    assert found["note"].tolist() == ["networks are not compared here"]
