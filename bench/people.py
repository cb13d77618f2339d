"""Whether measures of layers beside people are right, on simulated observers whose truth is known.

``python -m bench.people [--draws N] [--out PATH]`` draws new raters and new people on the pictures
each time, and prints how far values are from the truth, how often intervals hold it and p is below
.05 without any relation, and how often the planted order of stages in time is found. The truth of a
correlation is its mean over all draws; of a ceiling, that of the common part with 400 new raters.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

import numpy as np
import pandas as pd

from facestages.analysis.crossed import Shared, estimate, share_people
from facestages.analysis.judgements import (
    mix_models,
    noise_ceiling,
    rank_items,
    rank_judgements,
    standardise,
    true_ceiling,
)
from facestages.analysis.rated import correlate_ratings, rating_ceiling
from facestages.analysis.rdms import rank_pairs
from facestages.analysis.timing import model_weights, peak_times, time_courses
from facestages.analysis.triplets import (
    gather_choices,
    odd_one_out,
    share_triplets,
    triplet_accuracy,
)
from facestages.references.simulated import simulate_observers, simulate_times
from facestages.tables import markdown_table

WEIGHTS = (0.5, 0.3, 0.2)
RATERS, RELIABILITY = 20, 0.3
TIMES = np.arange(-50, 401, 10.0)
PEAKS, SUBJECTS, OF_SUBJECTS = (100, 150, 200), 16, 0.1


class Faces(NamedTuple):
    """Some people with four of seven expressions each, and models of all pairs of pictures."""

    people: np.ndarray
    affect: np.ndarray
    first: np.ndarray
    second: np.ndarray
    #: Identity, affect and category, (3, m).
    models: np.ndarray
    shared: Shared


def draw_faces(rng: np.random.Generator, number: int = 25) -> Faces:
    """New people, on four pictures each."""
    people = np.arange(number).repeat(4)
    shown = np.concatenate([rng.permutation(7)[:4] for _ in range(number)])
    angles = np.arange(7) * 2 * np.pi / 7
    affect = np.column_stack([np.cos(angles), np.sin(angles)])[shown]
    affect = affect + 0.2 * rng.normal(size=affect.shape)
    first, second = np.triu_indices(len(people), 1)
    models = np.stack(
        [
            people[first] != people[second],
            np.hypot(*(affect[first] - affect[second]).T),
            shown[first] != shown[second],
        ]
    ).astype(float)
    shared = share_people(people[first], people[second])
    return Faces(people, affect, first, second, models, shared)


def observe(faces: Faces, seed: int, raters: int = RATERS) -> np.ndarray:
    """Simulated judgements (raters, m)."""
    pairs = np.stack([faces.first, faces.second], axis=1)
    return simulate_observers(
        faces.models, WEIGHTS, raters, RELIABILITY, seed, pairs, faces.people
    ).astype(float)


def layer_distances(faces: Faces, rng: np.random.Generator, related: bool) -> np.ndarray:
    """Distances (m,) in a layer that carries people and affect, or nothing of either."""
    points = rng.normal(size=(len(faces.people), 12))
    if related:
        points[:, :10] += rng.normal(size=(faces.people.max() + 1, 10))[faces.people]
        points[:, 10:] += 2 * faces.affect
    return np.sqrt(((points[faces.first] - points[faces.second]) ** 2).sum(axis=1))


Row = dict[str, float]


def true_value(faces: Faces, seed: int) -> float:
    """Mean ``rho_a`` of 400 new raters with what all raters have in common."""
    others = observe(faces, seed + 10**6, 400)
    ranked = rank_judgements(others, faces.people[faces.first], faces.people[faces.second])
    common = np.array(WEIGHTS) @ standardise(faces.models)
    return float(rank_items(common - common.min(), ranked).mean())


def beside_pairs(seed: int) -> Row:
    """One draw of judgements of pairs."""
    rng = np.random.default_rng(seed)
    faces = draw_faces(rng)
    judged = observe(faces, seed)
    weights, _ = mix_models(judged, faces.models, faces.shared)
    ranked = rank_judgements(judged, faces.people[faces.first], faces.people[faces.second])
    low, high = noise_ceiling(ranked)
    truth = true_value(faces, seed) if seed % 4 == 0 else np.nan
    row: Row = {"weight error": float(np.abs(weights.value - WEIGHTS).max())}
    inside = (weights.low <= WEIGHTS) & (weights.high >= WEIGHTS)
    row |= {"weight in interval": float(inside.mean())}
    row |= {"ceiling_low error": low - truth, "ceiling_high error": high - truth}
    row |= {"ceiling error": true_ceiling(ranked) - truth}
    items = {
        name: rank_items(layer_distances(faces, rng, name != "unrelated"), ranked)
        for name in ("related", "unrelated", "another")
    }
    for name in ("related", "unrelated"):
        found = estimate(items[name].__getitem__, RATERS, ranked.shared)
        row |= _columns(f"rho_a, {name} layer", found)
    apart = items["related"] - items["another"]
    found = estimate(apart.__getitem__, RATERS, ranked.shared)
    return row | _columns("rho_a, difference of two layers that are related alike", found)


def beside_ratings(seed: int) -> Row:
    """One draw of ratings of pictures, and of odd ones out."""
    rng = np.random.default_rng(seed)
    faces = draw_faces(rng)
    n = len(faces.people)

    def field() -> np.ndarray:
        return 0.7 * rng.normal(size=faces.people.max() + 1)[faces.people] + rng.normal(size=n)

    truth = field()
    ratings = truth + 0.5 * np.stack([field() for _ in range(RATERS)])
    ratings += 0.7 * rng.normal(size=ratings.shape)
    row: Row = {}
    for related in (True, False):
        predicted = related * truth + field()
        found = correlate_ratings(predicted, ratings, faces.people)
        row |= _columns(f"r of ratings, {'related' if related else 'unrelated'} layer", found)
    best = np.mean([np.corrcoef(truth, one)[0, 1] for one in ratings])
    low, high = rating_ceiling(ratings)
    row |= {"ceiling_low error": low - best, "ceiling_high error": high - best}
    points = rng.normal(size=(n, 6)) + rng.normal(size=(faces.people.max() + 1, 6))[faces.people]
    trials, who = _odd_ones(points, rng)
    choices = gather_choices(trials, who)
    shared = share_triplets(choices, faces.people)
    for related in (True, False):
        # Without relation, not even that pictures of a person are alike.
        seen = points + 2 * rng.normal(size=points.shape) if related else rng.normal(size=(n, 6))
        odd = odd_one_out(_distances(seen), choices.pictures)
        found = triplet_accuracy(odd, choices, shared)
        row |= _columns(f"odd ones out, {'related' if related else 'unrelated'} layer", found)
    return row


def _odd_ones(points: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    triplets = np.stack([rng.permutation(len(points))[:3] for _ in range(300)])
    trials, who = [], []
    for rater in range(RATERS):
        apart = _distances(points * np.exp(0.4 * rng.normal(size=points.shape[1])))
        for triplet in triplets[rng.random(len(triplets)) < 0.4]:
            a, b, c = triplet
            noisy = np.array([apart[b, c], apart[a, c], apart[a, b]]) + rng.normal(size=3)
            odd = triplet[noisy.argmin()]
            trials.append([*triplet[triplet != odd], odd])
            who.append(rater)
    return np.array(trials), np.array(who)


def _distances(points: np.ndarray) -> np.ndarray:
    return np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2))


def in_time(seed: int) -> Row:
    """One draw of recordings: with a planted order, and without one."""
    row: Row = {}
    for name, peaks in (("planted order", PEAKS), ("no order", (150, 150, 150))):
        faces = draw_faces(np.random.default_rng(seed))
        pairs = np.stack([faces.first, faces.second], axis=1)
        stack = simulate_times(
            faces.models, (1, 1, 1), TIMES, peaks, 40,
            raters=SUBJECTS, reliability=OF_SUBJECTS, seed=seed,
            pairs=pairs, identities=faces.people,
        )  # fmt: skip
        ranks = np.stack([[rank_pairs(one) for one in subject] for subject in stack])
        courses = time_courses(
            ranks.__getitem__, SUBJECTS, model_weights(faces.models), faces.shared, 200
        )
        found, resampled = peak_times(courses, TIMES)
        row[f"{name}: found in order"] = float((np.diff(found) > 0).all())
        if name == "planted order":
            low, high = np.quantile(resampled, [0.025, 0.975], axis=0)
            row["peak error, ms"] = float(np.abs(found - PEAKS).max())
            row["peak in interval"] = float(((low <= PEAKS) & (high >= PEAKS)).mean())
    return row


def _columns(name: str, found) -> Row:
    parts = found._asdict()
    return {f"{name}|{key}": float(value) for key, value in parts.items() if key != "error"}


def summarise(table: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """What is told of all draws: a name, and a text with numbers."""
    for name in dict.fromkeys(column.partition("|")[0] for column in table):
        if f"{name}|value" not in table:
            values = table[name].dropna()
            if name.endswith("error") or "error" in name:
                yield (
                    name,
                    (
                        f"median {values.abs().median():.3f}, 95 % of the draws within "
                        f"{values.abs().quantile(0.95):.3f} (n = {len(values)})"
                    ),
                )
            else:
                yield name, f"{values.mean():.1%} (n = {len(values)})"
            continue
        value, low, high, p = (table[f"{name}|{key}"] for key in ("value", "low", "high", "p"))
        is_null = "unrelated" in name or "difference" in name
        truth, what = (0.0, "0") if is_null else (value.mean(), "the mean")
        held, small = ((low <= truth) & (high >= truth)).mean(), (p < 0.05).mean()
        yield (
            name,
            (
                f"{value.mean():.3f} (SD {value.std():.3f}); interval with {what} in {held:.1%}; "
                f"p < .05 in {small:.1%} (n = {len(value)})"
            ),
        )


PARTS: dict[str, Callable[[int], Row]] = {
    "Judgements of pairs": beside_pairs,
    "Ratings and odd ones out": beside_ratings,
    "Recordings in time": in_time,
}


def main() -> None:
    """Draw, and print the tables."""
    parser = argparse.ArgumentParser("bench.people")
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    lines = []
    for title, draw in PARTS.items():
        table = pd.DataFrame([draw(seed) for seed in range(given.draws)])
        told = pd.DataFrame(list(summarise(table)), columns=["quantity", "over all draws"])
        lines += [f"## {title}", "", markdown_table(told)]
        print("\n".join(lines[-3:]), flush=True)
    if given.out:
        given.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
