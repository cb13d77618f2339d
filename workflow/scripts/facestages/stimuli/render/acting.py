"""Acting: expressions as mixtures of ARKit shapes, and what these mean.

Every number here is declared; none is measured on people. The recipes are drawings of the
prototypical expressions, and the positions on the circumplex are the usual ones of such words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from facestages.expressions import EXPRESSIONS
from facestages.stimuli.render.head_model import Head, mix
from facestages.stimuli.render.identity import Identity, Person
from facestages.stimuli.render.painter import Lines, step

#: ARKit shapes that have no left and right half.
_MIDLINE = frozenset(
    "browInnerUp cheekPuff jawForward jawLeft jawOpen jawRight mouthClose mouthFunnel mouthLeft "
    "mouthPucker mouthRight mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper "
    "tongueOut".split()
)

#: The apex (intensity 1) of each expression: coefficients of ARKit shapes. A shape with two sides
#: is named without its side, and both sides get the coefficient.
RECIPES: dict[str, dict[str, float]] = {
    "angry": {
        "browDown": 1.6,
        "eyeWide": 0.6,
        "noseSneer": 0.6,
        "mouthPress": 0.2,
        "mouthRollLower": 0.75,
        "mouthRollUpper": 0.4,
        "mouthFrown": 0.5,
        "mouthShrugLower": 0.2,
        "jawForward": 0.4,
    },
    "disgust": {
        "noseSneer": 1.1,
        "browDown": 0.9,
        "browInnerUp": 0.1,
        "mouthUpperUp": 0.8,
        "eyeSquint": 0.85,
        "cheekSquint": 0.9,
        "eyeBlink": 0.1,
        "mouthLowerDown": 0.1,
        "mouthFrown": 0.6,
        "mouthShrugLower": 0.6,
        "mouthShrugUpper": 0.1,
    },
    "fear": {
        "browInnerUp": 1.5,
        "browDown": 0.75,
        "eyeWide": 1.4,
        "mouthStretch": 1.25,
        "mouthLowerDown": 0.8,
        "mouthUpperUp": 0.1,
        "jawOpen": 0.4,
    },
    "happy": {
        "mouthSmile": 1.3,
        "cheekSquint": 0.8,
        "mouthUpperUp": 1.1,
        "mouthLowerDown": 0.5,
        "jawOpen": 0.2,
        "eyeSquint": 0.3,
    },
    "sad": {
        "browInnerUp": 1.7,
        "browDown": 0.7,
        "mouthFrown": 1.6,
        "mouthStretch": 0.3,
        "eyeBlink": 0.25,
    },
    "surprise": {
        "browInnerUp": 1.6,
        "browOuterUp": 1.4,
        "eyeWide": 1.4,
        "jawOpen": 0.85,
        "mouthFunnel": 0.6,
        "mouthPucker": 0.4,
        "mouthUpperUp": 0.1,
    },
    "neutral": {},
}

#: Declared valence and arousal of each expression at intensity 1, both in [-1, 1]. They follow
#: the usual layout of the circumplex of affect; nobody rated these faces.
CIRCUMPLEX: dict[str, tuple[float, float]] = {
    "angry": (-0.6, 0.7),
    "disgust": (-0.65, 0.35),
    "fear": (-0.6, 0.8),
    "happy": (0.8, 0.5),
    "sad": (-0.65, -0.4),
    "surprise": (0.2, 0.8),
    "neutral": (0.0, 0.0),
}

#: FACS action unit -> the ARKit shapes (without sides) that move it. Of several shapes the
#: strongest counts. AU 25 (lips part) has no shape of its own.
ACTION_UNITS: dict[int, tuple[str, ...]] = {
    1: ("browInnerUp",),
    2: ("browOuterUp",),
    4: ("browDown",),
    5: ("eyeWide",),
    6: ("cheekSquint",),
    7: ("eyeSquint",),
    9: ("noseSneer",),
    10: ("mouthUpperUp",),
    12: ("mouthSmile",),
    14: ("mouthDimple",),
    15: ("mouthFrown",),
    16: ("mouthLowerDown",),
    17: ("mouthShrugLower", "mouthShrugUpper"),
    18: ("mouthPucker",),
    20: ("mouthStretch",),
    22: ("mouthFunnel",),
    24: ("mouthPress",),
    25: ("mouthUpperUp", "mouthLowerDown", "jawOpen"),
    26: ("jawOpen",),
    28: ("mouthRollUpper", "mouthRollLower"),
    29: ("jawForward",),
    43: ("eyeBlink",),
}


_FRAMES_AN_EXPRESSION = 13.5


def sided(shape: str) -> tuple[str, ...]:
    """Name the ARKit shapes that `shape` stands for: itself, or its left and right half."""
    return (shape,) if shape in _MIDLINE else (f"{shape}Left", f"{shape}Right")


#: Every ARKit shape that a recipe uses; the other coefficients are always zero.
SHAPES: tuple[str, ...] = tuple(
    sorted({name for recipe in RECIPES.values() for shape in recipe for name in sided(shape)})
)

#: The action units that the recipes can move.
MOVED_UNITS: tuple[int, ...] = tuple(
    unit
    for unit, shapes in ACTION_UNITS.items()
    if any(name in SHAPES for shape in shapes for name in sided(shape))
)


def apex(expression: str) -> dict[str, float]:
    """Coefficients of the ARKit shapes, with sides, of an expression at intensity 1."""
    return {name: value for shape, value in RECIPES[expression].items() for name in sided(shape)}


def action_units(coefficients: Mapping[str, float]) -> dict[int, float]:
    """Translate ARKit coefficients, by name with sides, into the action units `MOVED_UNITS`.

    A unit is the mean of left and right of its shape, or of its strongest one, clipped to [0, 1]. A
    missing coefficient is 0.
    """
    units = {}
    for unit in MOVED_UNITS:
        strengths = []
        for shape in ACTION_UNITS[unit]:
            sides = sided(shape)
            strengths.append(sum(coefficients.get(name, 0.0) for name in sides) / len(sides))
        units[unit] = min(max(max(strengths), 0.0), 1.0)
    return units


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
        nose=0.9 * units[9],
        cheek=min(0.6 * units[9] + 0.4 * units[12] + 0.3 * units[10] + 0.2 * units[15], 1.0),
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


def label_performance(
    expression: str, intensity: float, coefficients: dict[str, float]
) -> dict[str, object]:
    """Return the labels of a performance: expression, affect, shapes and action units."""
    valence, arousal = CIRCUMPLEX[expression]
    row: dict[str, object] = {
        "expression": expression,
        "intensity": intensity,
        "valence": min(max(valence * intensity, -1.0), 1.0),
        "arousal": min(max(arousal * intensity, -1.0), 1.0),
    }
    row |= {f"shape_{name}": coefficients.get(name, 0.0) for name in SHAPES}
    row |= {f"au_{unit:02d}": x for unit, x in action_units(coefficients).items()}
    return row


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
