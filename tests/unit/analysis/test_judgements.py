"""Layers beside judgements of pairs: as rsatoolbox has it, and what planted mixtures are found."""

import numpy as np
import pytest
from rsatoolbox.inference import boot_noise_ceiling, eval_dual_bootstrap, eval_fixed
from rsatoolbox.model import ModelFixed
from rsatoolbox.rdm import RDMs

from facestages.analysis.crossed import estimate, share_people
from facestages.analysis.judgements import (
    mix_models,
    noise_ceiling,
    rank_items,
    rank_judgements,
    true_ceiling,
)
from facestages.errors import FacestagesError
from facestages.references.simulated import simulate_observers


def world(seed=0, n=24, raters=8, noise=1.5):
    """Distances of a layer, judgements (raters, m), and the pictures of each pair."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n, 5))
    first, second = np.triu_indices(n, 1)
    squares = (points[first] - points[second]) ** 2
    judged = squares @ np.exp(0.4 * rng.normal(size=(5, raters)))
    judged = judged.T + rng.normal(size=(raters, len(first))) * noise * squares.std()
    layer = squares.sum(axis=1) + rng.normal(size=len(first)) * squares.sum(axis=1).std()
    return layer - layer.min(), judged - judged.min(), first, second


def test_values_and_ceilings_are_those_of_rsatoolbox():
    layer, judged, first, second = world()
    ranked = rank_judgements(judged, first, second)
    items = rank_items(layer, ranked)
    expected = eval_fixed([ModelFixed("layer", layer)], RDMs(judged), method="rho-a")
    assert items.mean() == pytest.approx(expected.get_means()[0], abs=1e-6)
    np.testing.assert_allclose(
        noise_ceiling(ranked), boot_noise_ceiling(RDMs(judged), method="rho-a"), atol=1e-6
    )


def test_the_standard_error_is_near_the_dual_bootstrap_of_rsatoolbox():
    """Its bootstrap has an error of a tenth here, and is wider where pictures are few."""
    layer, judged, first, second = world(1)
    ranked = rank_judgements(judged, first, second)
    found = estimate(rank_items(layer, ranked).__getitem__, len(judged), ranked.shared)
    np.random.seed(0)
    model = ModelFixed("layer", layer)
    expected = eval_dual_bootstrap([model], RDMs(judged), method="corr", N=200)
    assert 0.75 < found.error / np.sqrt(expected.model_var[0]) < 1.15


def test_pairs_that_were_not_judged_do_not_count():
    layer, judged, first, second = world()
    judged[2, 40:] = np.nan
    ranked = rank_judgements(judged, first, second)
    items = rank_items(layer, ranked)
    alone = rank_judgements(judged[2:3, :40], first[:40], second[:40])
    assert np.nanmean(items[2]) == pytest.approx(rank_items(layer[:40], alone).mean(), abs=1e-6)
    low, high = noise_ceiling(ranked)
    assert 0 < low < high < 1


def test_the_ceiling_of_one_rater():
    _, judged, first, second = world()
    low, high = noise_ceiling(rank_judgements(judged[:1], first, second))
    assert np.isnan(low) and high == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("judged", "words"),
    [([[1, np.nan, np.nan]], "fewer than two pairs"), ([[1, -1, 2]], "negative or NaN")],
)
def test_what_cannot_be_ranked(judged, words):
    pairs = np.array([0, 0, 1]), np.array([1, 2, 2])
    with pytest.raises(FacestagesError, match=words):
        rank_judgements(np.array(judged, float), *pairs)


def planted(seed, weights=(0.5, 0.3, 0.2), raters=20):
    """Models of 25 people with four of seven expressions each, and simulated judgements."""
    rng = np.random.default_rng(seed)
    people = np.arange(25).repeat(4)
    shown = np.concatenate([rng.permutation(7)[:4] for _ in range(25)])
    affect = rng.normal(size=(7, 2))[shown] + 0.2 * rng.normal(size=(100, 2))
    first, second = np.triu_indices(100, 1)
    models = np.stack(
        [
            people[first] != people[second],
            np.hypot(*(affect[first] - affect[second]).T),
            shown[first] != shown[second],
        ]
    ).astype(float)
    pairs = np.stack([first, second], axis=1)
    judged = simulate_observers(models, weights, raters, 0.3, seed, pairs, people)
    return models, judged, share_people(people[first], people[second])


def test_planted_weights_are_found():
    for seed in range(5):
        models, judged, shared = planted(seed)
        weights, unique = mix_models(judged, models, shared)
        np.testing.assert_allclose(weights.value, [0.5, 0.3, 0.2], atol=0.05)
        assert weights.value.sum() == pytest.approx(1)
        assert (weights.low < weights.value).all() and unique[-1] > unique[:-1].max()


def test_the_ceiling_of_infinitely_many_raters():
    models, judged, shared = planted(3)
    pairs = np.triu_indices(100, 1)
    people = (one // 4 for one in pairs)
    ranked = rank_judgements(judged, *people)
    _, others, _ = planted(3, raters=200)
    many = rank_judgements(others[20:], *(one // 4 for one in pairs))
    z = (models - models.mean(axis=1, keepdims=True)) / models.std(axis=1, keepdims=True)
    common = np.array([0.5, 0.3, 0.2]) @ z
    truth = rank_items(common - common.min(), many).mean()
    low, high = noise_ceiling(ranked)
    assert low < true_ceiling(ranked) < high
    assert true_ceiling(ranked) == pytest.approx(truth, abs=0.03)
    assert np.isnan(true_ceiling(ranked._replace(ranks=ranked.ranks[:3])))


def test_a_mixture_without_noise_is_exact():
    models, _, shared = planted(0)
    z = (models - models.mean(axis=1, keepdims=True)) / models.std(axis=1, keepdims=True)
    weights, unique = mix_models((np.array([0.6, 0.0, 0.4]) @ z + 3)[None], models, shared)
    np.testing.assert_allclose(weights.value, [0.6, 0, 0.4], atol=1e-9)
    np.testing.assert_allclose(weights.error, 0, atol=1e-6)
    assert unique[-1] == pytest.approx(1) and unique[1] == pytest.approx(0, abs=1e-9)


def test_raters_whose_pairs_do_not_tell_models_apart_are_left_out(caplog):
    """Half of the raters judged pairs of different people alone, one nearly nothing, one alike."""
    models, _, shared = planted(0)
    z = (models - models.mean(axis=1, keepdims=True)) / models.std(axis=1, keepdims=True)
    judged = np.tile(np.array([0.2, 0.5, 0.3]) @ z + 5, (6, 1))
    judged[:3, models[0] == 0] = np.nan
    judged[3, 2:] = np.nan
    judged[4] = 1
    weights, _ = mix_models(judged, models, shared)
    np.testing.assert_allclose(weights.value, [0.2, 0.5, 0.3], atol=1e-9)
    assert "5 of 6 raters" in caplog.text
    with pytest.raises(FacestagesError, match="no rater judged pairs on which all of these"):
        mix_models(judged[:5], models, shared)


def test_similarities_are_no_mixture_and_units_do_not_matter():
    models, judged, shared = planted(0)
    with pytest.raises(FacestagesError, match="similarity: true"):
        mix_models(-judged, models, shared)
    units = np.ones((len(judged), 1))
    units[0] = 100
    weights = [mix_models(judged * factor, models, shared)[0].value for factor in (1, units)]
    np.testing.assert_allclose(*weights, atol=1e-9)


@pytest.mark.parametrize("cut", [[0.0], [1.2], [-0.7, 0.7]], ids=["half", "rare", "three"])
def test_the_ceiling_of_judgements_with_ties(cut):
    """Same or different, or three answers: the truth is that of new raters, with 400 others."""
    rng = np.random.default_rng(0)
    first, second = np.triu_indices(20, 1)
    common = rng.normal(size=len(first))
    judged = np.digitize(common + rng.normal(size=(432, len(first))), cut)
    ranked = rank_judgements(judged.astype(float), first, second)
    truth = rank_items(judged[32:].mean(axis=0), ranked._replace(ranks=ranked.ranks[:32])).mean()
    few = [ranked._replace(ranks=ranked.ranks[start : start + 8]) for start in range(0, 32, 8)]
    found = [true_ceiling(one) for one in few]
    assert np.mean(found) == pytest.approx(truth, abs=0.03)
    assert all(one <= noise_ceiling(few[place])[1] for place, one in enumerate(found))


def test_the_ceiling_where_few_judged_the_same_pairs():
    rng = np.random.default_rng(0)
    first, second = np.triu_indices(20, 1)
    judged = 10 + rng.normal(size=len(first)) + rng.normal(size=(6, len(first)))
    judged[rng.random(judged.shape) > 0.1] = np.nan
    assert 0 < true_ceiling(rank_judgements(judged, first, second)) <= 1
    alone = np.full((4, len(first)), np.nan)
    for rater in range(4):
        alone[rater, rater * 40 : rater * 40 + 40] = rng.random(40)
    assert np.isnan(true_ceiling(rank_judgements(alone, first, second)))


def test_the_ceiling_of_few_raters_does_not_depend_on_their_order():
    _, judged, _ = planted(1, raters=5)
    people = [one // 4 for one in np.triu_indices(100, 1)]
    orders = ([0, 1, 2, 3, 4], [4, 2, 0, 3, 1])
    found = [true_ceiling(rank_judgements(judged[order], *people)) for order in orders]
    assert found[0] == pytest.approx(found[1], abs=1e-6)
