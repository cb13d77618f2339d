"""Debiased CKA: the formula of Song et al., no bias for noise, and the coverage of intervals."""

import numpy as np
import pandas as pd
import pytest

from facestages import store
from facestages.analysis import cka
from facestages.analysis.cka import compare_layers, debiased_cka
from facestages.errors import FacestagesError
from facestages.stimuli import StimulusSet, add_ids, read_labels, write_stimuli


def gram_of(points):
    centred = points - points.mean(axis=0)
    return centred @ centred.T


def hsic(first, second):
    """The unbiased estimator, term by term: Song et al. 2012, equation 5."""
    n, one = len(first), np.ones(len(first))
    first, second = (matrix - np.diag(np.diag(matrix)) for matrix in (first, second))
    trace = np.trace(first @ second)
    sums = (one @ first @ one) * (one @ second @ one) / ((n - 1) * (n - 2))
    mixed = one @ first @ second @ one * 2 / (n - 2)
    return (trace + sums - mixed) / (n * (n - 3))


def biased_cka(first, second):
    return np.sum(first * second) / np.sqrt(np.sum(first**2) * np.sum(second**2))


@pytest.mark.parametrize("shift", [0, 5])
def test_the_formula(shift):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(12, 5))
    first, second = points + shift, np.tanh(points[:, :3]) + rng.normal(size=(12, 3))
    first, second = first @ first.T, second @ second.T
    expected = hsic(first, second) / np.sqrt(hsic(first, first) * hsic(second, second))
    assert debiased_cka(first, second) == pytest.approx(expected, abs=1e-10)


def test_independent_noise_is_not_alike():
    rng = np.random.default_rng(1)
    values, biased = [], []
    for _ in range(60):
        first, second = (gram_of(rng.normal(size=(30, 500))) for _ in range(2))
        values.append(debiased_cka(first, second))
        biased.append(biased_cka(first, second))
    assert np.mean(values) == pytest.approx(0, abs=4 * np.std(values) / np.sqrt(60))
    assert np.std(values) < 0.1 and np.mean(biased) > 0.9


def test_rotation_scale_and_origin_change_nothing():
    rng = np.random.default_rng(2)
    first, second = rng.normal(size=(2, 40, 8))
    second += first
    turned = 3 * first @ np.linalg.qr(rng.normal(size=(8, 8)))[0]
    value = debiased_cka(gram_of(first), gram_of(second))
    assert debiased_cka(gram_of(turned), gram_of(second)) == pytest.approx(value)
    assert debiased_cka((first + 4) @ (first + 4).T, gram_of(second)) == pytest.approx(value)
    assert debiased_cka(gram_of(first), gram_of(turned)) == pytest.approx(1)
    assert np.isnan(debiased_cka(gram_of(first), np.eye(40)))


def test_matrices_that_cannot_be_compared():
    with pytest.raises(FacestagesError, match=r"\(5, 5\) and \(4, 4\)"):
        debiased_cka(np.eye(5), np.eye(4))
    with pytest.raises(FacestagesError, match="needs 4 pictures, not 3"):
        debiased_cka(np.eye(3), np.eye(3))


# ------------------------------------------------------------------------------------- intervals


def layers_of(rng, people, size=60):
    """Layers of 27 people x 20 frames that share people, frames, both, or nothing."""
    fixed = np.random.default_rng(99)
    shared = rng.normal(size=(people.max() + 1, 5))[people], rng.normal(size=(len(people), 5))
    grams = []
    for weights in ((1, 1), (1, 0.3), (0.3, 1), (0, 0)):
        points = 2 * rng.normal(size=(len(people), size))
        points += 0.5 * rng.normal(size=(people.max() + 1, size))[people]
        for weight, values in zip(weights, shared, strict=True):
            points += weight * values @ fixed.normal(size=(5, size))
        grams.append(gram_of(points))
    return grams


def test_layers_at_once_are_as_pair_by_pair(monkeypatch):
    people = np.random.default_rng(3).integers(0, 6, 50)
    grams = layers_of(np.random.default_rng(4), people)
    for matrices in (4, 0.3):
        monkeypatch.setattr(cka, "_MATRICES", matrices)
        every, *_ = cka._estimate(cka._person_products(grams, people))
        for i, first in enumerate(grams):
            for j, second in enumerate(grams):
                assert every[i, j] == pytest.approx(debiased_cka(first, second), abs=1e-6)


def test_a_person_left_out_is_nearly_as_centred_anew():
    people = np.repeat(np.arange(27), 20)
    grams = layers_of(np.random.default_rng(5), people)[:2]
    within, even, odd = cka._person_products(grams, people)
    total = (within + even + odd).sum(axis=0)
    left_out = cka._normalise(total - within - 2 * (even + odd))[:, 0, 1]
    anew = []
    for person in range(27):
        kept = np.ix_(people != person, people != person)
        anew.append(debiased_cka(grams[0][kept], grams[1][kept]))
    assert np.corrcoef(left_out, anew)[0, 1] > 0.99
    assert np.std(left_out) == pytest.approx(np.std(anew), rel=0.1)


def test_intervals_cover():
    """Each sample draws 27 people anew; 95 of 100 intervals hold the mean of all samples, whether
    layers share much (the first two) or little (the last with any)."""
    people, rng = np.repeat(np.arange(27), 20), np.random.default_rng(6)
    samples = [
        cka._estimate(cka._person_products(layers_of(rng, people), people)) for _ in range(100)
    ]
    value, low, high = np.moveaxis(np.array(samples), 1, 0)[..., *np.triu_indices(4, 1)]
    truth = value.mean(axis=0)
    assert truth[0] > 0.5 and abs(truth[2]) < 0.05
    covered = ((low <= truth) & (truth <= high)).sum(axis=0)
    # 95 are expected; fewer than 87 have a chance of one in 600.
    assert covered.min() >= 87 and covered.mean() <= 98, covered


# ------------------------------------------------------------------------------------- the table


@pytest.fixture
def write(tmp_path):
    """A function that writes a face set and geometry of networks on it, and returns their paths."""

    def write_files(labels, networks):
        sources = dict.fromkeys(labels.columns.drop("stimulus_id"), "rendered")
        images = np.arange(len(labels) * 4).reshape(-1, 2, 2).astype(np.uint8)
        stimuli = tmp_path / "faces.h5"
        write_stimuli(stimuli, StimulusSet(images, labels, sources, {"rendered": 1}), "faces")
        digest = read_labels(stimuli)[2]["stimuli_digest"]
        paths = []
        for (network, seed), layers in networks.items():
            paths.append(tmp_path / f"{network}-{seed}.h5")
            common = {"dataset": "faces", "network": network, "seed": seed}
            with store.create(paths[-1], "geometry", **common, stimuli_digest=digest) as file:
                for layer, gram in layers.items():
                    group = file.create_group(layer)
                    add_ids(group, labels["stimulus_id"])
                    store.add_dimension(group, "other_stimulus", len(labels))
                    axes = ("stimulus_id", "other_stimulus")
                    store.add_array(group, "gram", axes, gram.astype(np.float32))
        return paths, stimuli

    return write_files


def make_labels(people):
    names = [f"P{n}" for n in people]
    ids = [f"s{n}" for n in range(len(people))]
    return pd.DataFrame({"stimulus_id": ids, "identity": names})


def test_all_layers_of_all_networks(write):
    people = np.arange(40) % 8
    first, second, third, fourth = layers_of(np.random.default_rng(7), people)
    networks = {
        ("small", 0): {"conv": first, "dense": second},
        ("small", 1): {"conv": third},
        ("large", 0): {"conv": fourth},
    }
    table = compare_layers(*write(make_labels(people), networks))
    assert len(table) == 6 and (table["n"] == 40).all() and (table["note"] == "").all()
    assert set(table["measure"]) == {"cka_debiased"} and (table["rendered"] == 1).all()
    names = ["network", "seed", "layer"]
    row = table.set_index([*names, *(f"other_{name}" for name in names)]).sort_index()
    row = row.loc[("small", 0, "dense", "small", 1, "conv")]
    assert row["value"] == pytest.approx(debiased_cka(second, third), abs=1e-5)
    assert ((table["ci_low"] < table["value"]) & (table["value"] < table["ci_high"])).all()


def test_what_cannot_be_estimated_is_said(write):
    networks = {("net", 0): {"conv": np.eye(3), "dense": np.eye(3)}}
    table = compare_layers(*write(make_labels([0, 0, 1]), networks))
    assert table["value"].isna().all()
    assert table["note"].item() == "CKA without bias needs 4 pictures, not 3"
    networks = {("net", 0): {"conv": np.eye(6), "dense": gram_of(np.vander(np.arange(6.0)))}}
    table = compare_layers(*write(make_labels([0, 0, 1, 1, 2, 2]), networks))
    assert table["note"].item() == "all pictures of a layer are equally far apart"


def test_one_person_has_no_interval(write):
    rng = np.random.default_rng(8)
    layers = {name: gram_of(rng.normal(size=(9, 3))) for name in ("conv", "dense")}
    table = compare_layers(*write(make_labels([0] * 9), {("net", 0): layers}))
    assert table["value"].notna().all() and table["ci_low"].isna().all()
    assert table["note"].item() == "no two people, so no interval"


def test_a_layer_alone_is_compared_with_nothing(write):
    networks = {("net", 0): {"conv": gram_of(np.random.default_rng(9).normal(size=(9, 3)))}}
    table = compare_layers(*write(make_labels(np.arange(9) % 3), networks))
    assert len(table) == 0 and list(table.columns[:3]) == ["dataset", "rendered", "network"]


def test_geometry_of_other_stimuli_is_refused(write, tmp_path):
    gram = gram_of(np.random.default_rng(10).normal(size=(9, 3)))
    paths, stimuli = write(make_labels(np.arange(9) % 3), {("net", 0): {"conv": gram}})
    stimuli.unlink()
    _, stimuli = write(make_labels(np.arange(8) % 2), {})
    with pytest.raises(FacestagesError, match="made with another stimuli digest"):
        compare_layers(paths, stimuli)
