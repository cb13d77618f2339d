"""Labels and points of people who show each of four expressions."""

import numpy as np
import pandas as pd

EXPRESSIONS = ["angry", "happy", "neutral", "sad"]
AFFECT = np.array([(-0.6, 0.7), (0.8, 0.5), (0.0, 0.0), (-0.6, -0.4)])


def make_labels(people=8, repeats=3):
    """People who show each of four expressions some times, more or less strongly."""
    expression = np.tile(np.repeat(np.arange(4), repeats), people)
    strength = np.tile(np.linspace(0.5, 1.3, repeats), people * 4)
    person = np.repeat(np.arange(people), 4 * repeats)
    return pd.DataFrame(
        {
            "stimulus_id": [f"s{n:03d}" for n in range(len(person))],
            "identity": [f"P{n:02d}" for n in person],
            "expression": np.array(EXPRESSIONS, dtype=object)[expression],
            "valence": AFFECT[expression, 0] * strength,
            "arousal": AFFECT[expression, 1] * strength,
        }
    )


def make_points(labels, rng, identity=1.0, expression=1.0, noise=1.0, size=6):
    """Points with a place of each person and, the same in every sample, of each expression."""
    person, kind = (pd.factorize(labels[name])[0] for name in ("identity", "expression"))
    places = np.random.default_rng(99).normal(size=(4, size))
    points = identity * rng.normal(size=(person.max() + 1, size))[person]
    return points + expression * places[kind] + noise * rng.normal(size=(len(labels), size))
