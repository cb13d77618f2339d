"""Acting: people perform expressions, with a style of their own and by chance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from facestages.expressions import EXPRESSIONS
from facestages.stimuli.render.head_model import Head, mix
from facestages.stimuli.render.identity import Identity, Person
from facestages.stimuli.render.painter import step
from facestages.stimuli.render.shapes import SHAPES, action_units, apex, sided

#: From this intensity on an expression is told from a neutral face.
SEEN_FROM = 0.3

_FRAMES_AN_EXPRESSION = 13.5


class Lines(NamedTuple):
    """Depth of the wrinkles of an expression, 0 to about 1."""

    frown: float
    forehead: float
    nose: float
    cheek: float


def express(head: Head, identity: Identity, coefficients: np.ndarray) -> np.ndarray:
    """Move a face by 52 coefficients, one for each of ``head.shapes``; float32, shape (v, 3)."""
    return identity.vertices + mix(coefficients, head.expressions)


def pose(head: Head, person: Person, coefficients: dict[str, float]) -> np.ndarray:
    """Move the face of a person whose hair is grown; float32, shape (v, 3)."""
    amounts = np.array([coefficients.get(name, 0.0) for name in head.shapes])
    return person.vertices + (express(head, person.identity, amounts) - person.identity.vertices)


def wrinkle_lines(coefficients: dict[str, float]) -> Lines:
    """Return the depth of the wrinkles, which the mesh is too coarse to fold."""
    units = action_units(coefficients)
    return Lines(
        frown=0.9 * units[4] * (1.0 - 0.5 * units[1]),
        forehead=0.8 * units[1],
        nose=1.2 * units[9],
        cheek=min(1.0 * units[9] + 0.2 * units[12] + 0.2 * units[10] + 0.2 * units[15], 1.0),
    )


def act(
    head: Head,
    person: Person,
    expression: str,
    intensity: float,
    rng: np.random.Generator,
    variation: float,
) -> dict[str, float]:
    """Return the coefficients of one performance: recipe, personal style, and chance."""
    style = dict(zip(head.shapes, person.identity.style, strict=True))
    lean = rng.normal(0.0, 0.5 * variation)  # one half of the face moves more than the other
    coefficients = {}
    for name, value in apex(expression).items():
        side = 1.0 + lean * (name.endswith("Left") - name.endswith("Right"))
        chance = 1.0 + variation * rng.normal()
        coefficients[name] = max(value * intensity * style[name] * side * chance, 0.0)
    return coefficients


def describe_performance(
    expression: str, intensity: float, coefficients: dict[str, float]
) -> dict[str, object]:
    """Return what is acted, as columns: ``acted``, ``expression``, ``intensity``, ``shape_*``.

    ``expression`` is what is acted from the intensity `SEEN_FROM` on, and neutral below it.
    """
    return {
        "acted": expression,
        "expression": expression if intensity >= SEEN_FROM else "neutral",
        "intensity": intensity,
        **{f"shape_{name}": coefficients.get(name, 0.0) for name in SHAPES},
    }


def perform(
    head: Head, person: Person, frames: int, rng: np.random.Generator
) -> Iterator[tuple[str, float, dict[str, float]]]:
    """Yield expression, intensity and coefficients of each frame of a video."""
    moving = [name for name in EXPRESSIONS if name != "neutral"]
    n_events = max(1, round(frames / _FRAMES_AN_EXPRESSION))
    order: list[str] = []
    while len(order) < n_events:
        order += [str(name) for name in rng.permutation(moving)]
    peaks = rng.uniform(0.75, 1.1, n_events)
    apexes = [act(head, person, name, 1.0, rng, 0.08) for name in order[:n_events]]
    blinks = rng.random(frames) < 0.03
    for frame in range(frames):
        event, moment = divmod((frame + 0.5) / frames * n_events, 1.0)
        event = int(event)
        rise = step(moment, 0.1, 0.4) * (1.0 - step(moment, 0.7, 0.97))
        intensity = float(peaks[event] * rise)
        coefficients = {name: intensity * value for name, value in apexes[event].items()}
        if blinks[frame]:
            coefficients |= dict.fromkeys(sided("eyeBlink"), 0.9)
        yield order[event], intensity, coefficients
