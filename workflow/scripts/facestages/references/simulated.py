"""Simulated observers: judgements whose truth is known, of a face set with known labels.

They are no people. Whatever is made of them is called simulated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from facestages.analysis.labels import is_labelled
from facestages.analysis.rdms import MODELS as LABELS
from facestages.analysis.rdms import have_labels, model_rdm
from facestages.errors import FacestagesError
from facestages.references.contents import Pairs, Ratings
from facestages.references.pictures import Pictures

#: What an observer judges by, in the order of weights, and the model RDM of each.
MODELS = {"identity": "identity", "affect": "affect", "category": "expression"}

#: Share of an observer's own variance that is systematic: some identities look odd to them.
PRIVATE = 0.5


def read(entry: Mapping, pictures: Pictures) -> Pairs | Ratings:
    """Simulate the observers of `config.references.SimulatedReference`, for `prepare_reference`.

    Raises
    ------
    FacestagesError
        If the face set lacks a label that they would judge by, or the label is the same everywhere.
    """
    return (_judge_pictures if entry["judge"] == "ratings" else _judge_pairs)(entry, pictures)


def _judge_pairs(entry: Mapping, pictures: Pictures) -> Pairs:
    weights = [entry["weights"][name] for name in MODELS]
    used = [name for name, weight in zip(MODELS, weights, strict=True) if weight]
    needed = dict.fromkeys(label for name in used for label in LABELS[MODELS[name]])
    rows, shown = _choose_labelled(entry, pictures, ["identity", *needed])
    first, second = np.triu_indices(len(rows), 1)
    models = np.zeros((len(MODELS), len(first)))
    for model, (name, label) in zip(models, MODELS.items(), strict=True):
        if name in used:
            model[:] = model_rdm(shown, label)
            _require_spread(model, name, pictures.dataset)
    settings = _settings(entry, shown) | {"pairs": np.stack([first, second], axis=1)}
    times = entry["times"]
    if times is None:
        judged, moments = simulate_observers(models, weights, **settings)[:, None], None
    else:
        moments = np.arange(times["start"], times["end"] + times["step"] / 2, times["step"])
        peaks = [times[name] for name in MODELS]
        judged = simulate_times(models, weights, moments, peaks, times["width"], **settings)
    return Pairs(_names(entry), moments, rows[first], rows[second], judged)


def _judge_pictures(entry: Mapping, pictures: Pictures) -> Ratings:
    scales = list(LABELS["affect"])
    rows, shown = _choose_labelled(entry, pictures, ["identity", *scales])
    values = shown[scales].to_numpy(float)
    for scale, column in zip(scales, values.T, strict=True):
        _require_spread(column, scale, pictures.dataset)
    return Ratings(_names(entry), rows, scales, simulate_ratings(values, **_settings(entry, shown)))


def _choose_labelled(
    entry: Mapping, pictures: Pictures, labels: Sequence[str]
) -> tuple[np.ndarray, pd.DataFrame]:
    """Pictures that have all of some labels: rows of the face set, and their labels."""
    table = pictures.labels
    for label in labels:
        if not is_labelled(table, label).any():
            raise FacestagesError(
                f"face set {pictures.dataset}: has no label '{label}', by which simulated "
                f"observers would judge. Set its weight to 0, or name a face set that has it"
            )
    rows = np.flatnonzero(have_labels(table, labels))
    rows = rows[choose_pictures(table["identity"].to_numpy()[rows], entry["pictures"])]
    return rows, table.iloc[rows].reset_index(drop=True)


def _require_spread(values: np.ndarray, name: str, dataset: str) -> None:
    if not np.ptp(values):
        raise FacestagesError(
            f"face set {dataset}: its pictures do not differ in {name}, so no observer can judge "
            f"by that. Set its weight to 0, or name a face set in which they do"
        )


def _settings(entry: Mapping, shown: pd.DataFrame) -> dict[str, object]:
    identities = pd.factorize(shown["identity"])[0]
    return {key: entry[key] for key in ("raters", "reliability", "seed")} | {
        "identities": identities
    }


def _names(entry: Mapping) -> list[str]:
    return [f"simulated {number}" for number in range(1, entry["raters"] + 1)]


def choose_pictures(identities: Sequence, most: int) -> np.ndarray:
    """Rows of at most so many pictures, evenly over people, in the order of the pictures.

    People are left out, at even distances, until there are four pictures of each who stays, or all
    that there are, as identity is judged by the pairs of pictures of one person. The pictures of a
    person are at even distances, and begin one later with each person, so that all expressions are
    among them.
    """
    codes, names = pd.factorize(np.asarray(identities, dtype=object))
    each = min(4, max(1, len(codes) // max(len(names), 1)))
    people = np.linspace(0, len(names) - 1, max(2, min(len(names), most // each)))
    people = np.unique(people.round())
    share, more = divmod(most, len(people))
    chosen = []
    for number, person in enumerate(people):
        rows = np.flatnonzero(codes == person)
        wanted = min(share + (number < more), len(rows))
        steps = (np.arange(wanted) * len(rows)) // max(wanted, 1)
        chosen += list(rows[(number + steps) % len(rows)])
    return np.sort(np.array(chosen, int))


def simulate_observers(
    models: np.ndarray,
    weights: Sequence[float],
    raters: int,
    reliability: float,
    seed: int,
    pairs: np.ndarray | None = None,
    identities: np.ndarray | None = None,
) -> np.ndarray:
    """Dissimilarities that simulated observers judge: a mixture of models, and what is their own.

    Rater r judges pair (i, j) as ::

        d_r(i, j) = s(i, j) + sigma (sqrt(h) p_r(i, j) + sqrt(1 - h) e_r(i, j)) + c
        s(i, j) = sum_k w_k z_k(i, j)
        p_r(i, j) = b_r(g_i) + b_r(g_j)
        sigma^2 = var(s) (1 - reliability) / reliability

    Each z_k is a model's RDM, scaled to mean 0 and SD 1 over the pairs. A pattern p_r is the
    rater's own: to each rater some identities g look odder than others, by b_r(g) from a standard
    normal distribution, so that neither pairs nor raters are all that is random. The e_r are
    independent and standard normal, p_r has mean 0 and SD 1 over the pairs, h is `PRIVATE`, and c
    makes the lowest judgement 0. Patterns and noise of different raters are independent, so two
    raters' judgements correlate with `reliability` over pairs, and a regression on all z_k finds
    the weights w_k. Where all weights are 0, sigma is 1 and raters have nothing in common.

    Parameters
    ----------
    models : numpy.ndarray, shape (k, m)
        RDMs of the models, of the same m pairs; one that does not vary counts as 0.
    weights : sequence of k float
    raters : int
    reliability : float
        Above 0, at most 1: the share of the variance of a rater's judgements that all raters have
        in common.
    seed : int
        Rater r is the same, however many there are.
    pairs : numpy.ndarray of int, shape (m, 2), optional
        The two pictures of each pair.
    identities : numpy.ndarray, shape (n,), optional
        Who is on each picture. Without `pairs` and `identities`, h is 0.

    Returns
    -------
    numpy.ndarray of float32, shape (raters, m)
        Not negative.
    """
    at_once = np.ones((1, len(models)))
    judged = _simulate(models, weights, at_once, raters, reliability, seed, pairs, identities)
    return judged[:, 0]


def simulate_times(
    models: np.ndarray,
    weights: Sequence[float],
    times: np.ndarray,
    peaks: Sequence[float],
    width: float,
    raters: int,
    reliability: float,
    seed: int,
    pairs: np.ndarray | None = None,
    identities: np.ndarray | None = None,
) -> np.ndarray:
    """As `simulate_observers`, of recordings in which each model comes at its own time.

    The weight of model k at time t is ``w_k exp(-(t - peak_k)^2 / (2 width^2))``. The noise e_r is
    new at each time, p_r stays, and sigma is the same at all times: `reliability` is that at the
    time when s varies most, and lower at all others. With equal `peaks` no order is planted.

    Parameters
    ----------
    models, weights, raters, reliability, seed, pairs, identities
        As in `simulate_observers`.
    times : numpy.ndarray, shape (T,)
        In ms.
    peaks : sequence of k float
        When each model is strongest, in ms.
    width : float
        SD of the course of a model, in ms.

    Returns
    -------
    numpy.ndarray of float32, shape (raters, T, m)
    """
    away = (np.asarray(times, float)[:, None] - np.asarray(peaks, float)) / width
    course = np.exp(-(away**2) / 2)
    return _simulate(models, weights, course, raters, reliability, seed, pairs, identities)


def simulate_ratings(
    values: np.ndarray,
    raters: int,
    reliability: float,
    seed: int,
    identities: np.ndarray | None = None,
) -> np.ndarray:
    """Ratings that simulated observers give to pictures: true values, and what is their own.

    Rater r rates picture i by ``v(i) + sigma (sqrt(h) b_r(g_i) + sqrt(1 - h) e_r(i))`` on each
    scale, with b, e, h and sigma of the true values v as in `simulate_observers`.

    Parameters
    ----------
    values : numpy.ndarray, shape (n, k)
        True values of the pictures on each scale.
    raters, reliability, seed, identities
        As in `simulate_observers`. Without `identities`, h is 0.

    Returns
    -------
    numpy.ndarray of float32, shape (raters, n, k)
    """
    values = np.asarray(values, float)
    sigma = values.std(axis=0) * np.sqrt((1 - reliability) / reliability)
    private = 0.0 if identities is None else PRIVATE
    names, codes = np.unique(identities, return_inverse=True) if private else ([0], 0)
    rated = np.empty((raters, *values.shape), np.float32)
    for rater, block in enumerate(rated):
        random = np.random.default_rng([seed, rater])
        own = random.standard_normal((len(names), values.shape[1]))[codes]
        noise = random.standard_normal(values.shape)
        block[:] = values + sigma * (np.sqrt(private) * own + np.sqrt(1 - private) * noise)
    return rated


def _simulate(models, weights, course, raters, reliability, seed, pairs, identities) -> np.ndarray:
    """Judgements (raters, T, m) where models have a course (T, k)."""
    scaled = np.array([_standardise(np.asarray(model, float)) for model in models])
    signal = (course * np.asarray(weights, float)) @ scaled
    variance = signal.var(axis=1).max()
    sigma = np.sqrt(variance * (1 - reliability) / reliability) if variance else 1.0
    private = 0.0 if pairs is None or identities is None else PRIVATE
    judged = np.empty((raters, *signal.shape), np.float32)
    for rater, block in enumerate(judged):
        random = np.random.default_rng([seed, rater])
        own = np.zeros(signal.shape[1])
        if private:
            names, codes = np.unique(identities, return_inverse=True)
            oddness = random.standard_normal(len(names))[codes]
            own = _standardise(oddness[np.asarray(pairs)].sum(axis=1))
        noise = random.standard_normal(signal.shape)
        block[:] = signal + sigma * (np.sqrt(private) * own + np.sqrt(1 - private) * noise)
    judged -= judged.min()
    return judged


def _standardise(values: np.ndarray) -> np.ndarray:
    """Values at mean 0 and SD 1; 0 where they do not vary."""
    spread = values.std()
    return (values - values.mean()) / spread if spread else np.zeros(len(values))
