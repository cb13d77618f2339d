"""Labels of portraits and videos, and points to decode them from."""

import numpy as np
import pandas as pd

from facestages.analysis.decoding import decode

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


def decode_one(points, table, label, k=5, permutations=99, resamples=0, **options):
    """The one row about a label."""
    (row,) = decode(gram_of(points), table, [label], [k], permutations, resamples, **options)
    return row


def along(codes, strength, rng, d=12):
    """Points with a direction for each group."""
    return strength * rng.normal(size=(max(codes) + 1, d))[codes]


def drift(rng, people, frames, rho, d=12):
    """Faces that change slowly and have nothing else."""
    steps = rng.normal(size=(people, frames, d))
    for frame in range(1, frames):
        steps[:, frame] = rho * steps[:, frame - 1] + np.sqrt(1 - rho**2) * steps[:, frame]
    return steps.reshape(-1, d)
